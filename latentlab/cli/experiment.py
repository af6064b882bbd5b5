"""``latentlab experiment``: small experiments whose truth is known."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.audit.experiments.catalog import NAMES, experiment
from latentlab.cli.options import AsJson

if TYPE_CHECKING:
    from latentlab.audit.experiments.experiment import Experiment, Parameter

Out = Annotated[
    list[Path] | None,
    typer.Option(
        help="Save it here: the charts as .png, .svg or .pdf, the table as .csv, the program that draws it "
        "as .py. May be repeated."
    ),
]
Seed = Annotated[int, typer.Option(help="Of everything that is drawn at random.")]


def register(app: typer.Typer) -> None:
    """Add the command group ``experiment``: a list, and a command for every experiment."""
    group = typer.Typer(
        help="Try small experiments whose truth is known: what an audit can find, where the answer is on "
        "paper.",
        no_args_is_help=True,
    )
    group.command("list")(list_experiments)
    for name in NAMES:
        one = experiment(name)
        group.command(name, help=_help(one))(_command(one))
    app.add_typer(group, name="experiment")


def list_experiments(as_json: AsJson = False) -> None:
    """Name the experiments, what they ask, and their parameters.

    Example: latentlab experiment list
    """
    found = [experiment(name) for name in NAMES]
    if as_json:
        print(json.dumps([_record(one) for one in found], indent=1))
        return
    for one in found:
        print(f"{one.name}: {one.question}")
        for given in one.parameters:
            ends = f"{given.told(given.low)} to {given.told(given.high)}"
            print(f"  --{given.name:12} {given.about} {ends}, {given.told(given.default)} by default.")


def _command(one: Experiment) -> Callable[..., None]:
    """Return the command of an experiment, which has an option for each of its parameters."""

    def draw(seed: int = 0, out: list[Path] | None = None, as_json: bool = False, **values: float) -> None:
        from latentlab.audit.experiments.experiment import NOT_SHOWN
        from latentlab.audit.experiments.save import save_figure_of, writer_of

        for path in out or ():
            writer_of(path)
        figure = one.figure(values, seed)
        for path in out or ():
            save_figure_of(path, figure)
        if as_json:
            print(json.dumps(figure.record(), indent=1, allow_nan=False))
            return
        print("\n".join([f"{one.title}.", *figure.statements, f"{NOT_SHOWN}: {figure.not_shown}"]))
        print(f"Saved as {', '.join(map(str, out))}." if out else "Give --out FILE to see and keep it.")

    given = inspect.Parameter.KEYWORD_ONLY
    draw.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            *(
                inspect.Parameter(p.name, given, default=p.default, annotation=_option(p))
                for p in one.parameters
            ),
            inspect.Parameter("seed", given, default=0, annotation=Seed),
            inspect.Parameter("out", given, default=None, annotation=Out),
            inspect.Parameter("as_json", given, default=False, annotation=AsJson),
        ]
    )
    draw.__annotations__ = {p.name: p.annotation for p in inspect.signature(draw).parameters.values()}
    return draw


def _option(one: Parameter) -> Any:
    kind = int if one.whole else float
    return Annotated[kind, typer.Option(help=f"{one.about} From {one.low:g} to {one.high:g}.")]


def _help(one: Experiment) -> str:
    return (
        f"{one.question}\n\n{one.about}\n\n{one.formula}\n\nExample: latentlab experiment {one.name} --out "
        f"{one.name}.png"
    )


def _record(one: Experiment) -> dict[str, Any]:
    return {
        "name": one.name,
        "title": one.title,
        "question": one.question,
        "about": one.about,
        "formula": one.formula,
        "sources": list(one.sources),
        "not_shown": one.not_shown,
        "parameters": [
            {
                "name": p.name,
                "title": p.title,
                "default": p.default,
                "low": p.low,
                "high": p.high,
                "unit": p.unit,
                "about": p.about,
            }
            for p in one.parameters
        ],
    }
