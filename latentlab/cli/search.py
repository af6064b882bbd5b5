"""``latentlab search``: imaginary pictures that look, reduced, like a given one reduced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from latentlab.cli.options import AsJson, Fps, Model, Predictor, Threads, split_names
from latentlab.cli.search_options import (
    EpsData,
    EpsOption,
    Exposure,
    Factor,
    Loss,
    Luminance,
    OptimiserOption,
    Rate,
    Restarts,
    Seed,
    Steps,
    search_settings,
)

if TYPE_CHECKING:
    from latentlab.operations.search_target import Fit, Given


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("search")(search)


def search(
    images: Annotated[list[Path], typer.Argument(help="Pictures, or folders of pictures.")],
    out: Annotated[Path, typer.Option(help="Folder for pictures, sheets and tables; what is done stays.")],
    model: Model = "faces-vae",
    factor: Factor = 8,
    luminance: Luminance = False,
    exposure: Exposure = 0.0,
    restarts: Restarts = 8,
    steps: Steps = 400,
    seed: Seed = 0,
    eps: EpsOption = None,
    eps_data: EpsData = "",
    more: Annotated[
        int,
        typer.Option(
            min=0, help="Go on for so many steps with what is in OUT and not under eps; no posterior."
        ),
    ] = 0,
    posterior: Annotated[
        bool,
        typer.Option(
            "--posterior",
            help="Sample what the picture may show in proportion, by Langevin dynamics, instead.",
        ),
    ] = False,
    sigma: Annotated[
        float | None, typer.Option(help="Noise of the small picture, of the posterior; the root of eps.")
    ] = None,
    temperature: Annotated[
        float, typer.Option(help="Of a posterior: where it begins; it falls to 1 during the warm-up.")
    ] = 100.0,
    leaps: Annotated[
        int, typer.Option(help="Of a posterior: leapfrog steps of a proposal; 1 is Langevin's.")
    ] = 8,
    condition: Annotated[
        str, typer.Option(help="What a conditional model is told, such as gender=female,glasses=no.")
    ] = "",
    free: Annotated[
        str,
        typer.Option(
            help="Attributes of the condition to search for too, by commas, or none; all that --condition "
            "does not say without it, and none of a cINN."
        ),
    ] = "",
    fit: Annotated[
        str, typer.Option(help="How a picture becomes a square: crop, stretch or pad (with white).")
    ] = "crop",
    given: Annotated[
        str,
        typer.Option(
            "--input",
            help="full: reduced by the factor; small: the small picture itself; auto: by its size.",
        ),
    ] = "auto",
    optimiser: OptimiserOption = "adam",
    rate: Rate = 4.0,
    loss: Loss = "l2",
    precision: Annotated[
        str,
        typer.Option(
            help="Of the search itself: float32, bfloat16, or auto: the faster one here. What it finds is "
            "decoded in float32."
        ),
    ] = "auto",
    loop: Annotated[
        Path | None, typer.Option(help="Save the search played back: .gif, .webp, .png or .mp4.")
    ] = None,
    fps: Fps = 12.0,
    predictor: Predictor = None,
    threads: Threads = 1,
    as_json: AsJson = False,
) -> None:
    """Search for imaginary pictures that look, reduced, like the given one reduced. This identifies no one.

    OUT gets a folder for each picture with the target, the nearest picture of each restart and a sheet of
    all; search.csv with a row a restart; report.json. A picture that is done is not done again.

    Example: latentlab search face.png --model faces-vae --factor 8 --restarts 8 --steps 400 --out found

    Example: latentlab search faces/ --posterior --luminance --factor 16 --exposure 0.25 --out sampled
    """
    from latentlab.cli.progress import show_progress
    from latentlab.conditions import parse_choices
    from latentlab.errors import SettingsError
    from latentlab.operations.explore import Explorer
    from latentlab.operations.many_pictures import list_images
    from latentlab.operations.search_figure import check_loop
    from latentlab.operations.search_many import ManySearch, search_many
    from latentlab.operations.search_plan import PosteriorSettings
    from latentlab.operations.search_runs import eps_of
    from latentlab.operations.search_unknowns import free_attributes

    settings = search_settings(
        factor=factor,
        luminance=luminance,
        exposure=exposure,
        restarts=restarts,
        steps=steps,
        seed=seed,
        eps=eps,
        sigma=sigma,
        optimiser=optimiser,
        rate=rate,
        loss=loss,
        precision=precision,
    )
    files = list_images(images)
    check_loop(loop, len(files), fps)
    explorer = Explorer.open(model, "" if predictor == "none" else predictor, threads=threads)
    settings.observation.side(explorer.spec.image_size)
    chosen = parse_choices(explorer.spec.condition, condition) if condition else {}
    told = explorer.first_condition()
    if told is not None:
        told = explorer.condition(chosen, told)
    named = split_names(free)
    if named == ["none"]:
        named = []
    both = sorted(set(named or ()) & set(chosen))
    if both:
        raise SettingsError(f"{both[0]} is both fixed by --condition and free; leave it out of one of them.")
    with show_progress() as reporter:
        found = search_many(
            explorer,
            files,
            out,
            ManySearch(
                settings,
                eps_of(model, settings, eps_data, "cpu", reporter),
                PosteriorSettings.of(steps, leaps, temperature) if posterior else None,
                cast("Fit", fit),
                cast("Given", given),
                None if told is None else tuple(float(value) for value in told),
                free_attributes(explorer.spec, tuple(chosen)) if not free else tuple(named or ()),
            ),
            more=more,
            loop=loop,
            fps=fps,
            reporter=reporter,
        )
    print(json.dumps(found.record(), indent=1) if as_json else found.text())
