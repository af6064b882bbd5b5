"""``latentlab evaluate search`` and ``search-eps``: how near searches come, and how near is enough."""

from __future__ import annotations

from typing import Annotated

import typer

from latentlab.cli.options import AsJson, Data, Device, Figures, split_names
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

Checkpoint = Annotated[str, typer.Argument(help="A model's folder or file, or a bundled name.")]


def register_search(group: typer.Typer) -> None:
    """Add both commands to the group ``evaluate``."""
    group.command("search")(search)
    group.command("search-eps")(search_eps)


def search(
    checkpoint: Checkpoint,
    data: Data,
    n: Annotated[int | None, typer.Option(help="How many images; all without it.")] = 200,
    first: Annotated[int, typer.Option(help="From which image on, counted from 0.")] = 0,
    controls: Annotated[
        int, typer.Option(min=0, help="Samples of the model that are searched for too: the positive control.")
    ] = 0,
    factor: Factor = 8,
    luminance: Luminance = False,
    exposure: Exposure = 0.0,
    restarts: Restarts = 4,
    steps: Steps = 200,
    seed: Seed = 0,
    eps: EpsOption = None,
    eps_data: EpsData = "",
    optimiser: OptimiserOption = "adam",
    rate: Rate = 4.0,
    loss: Loss = "l2",
    groups: Annotated[
        str | None, typer.Option(help="Attributes whose intersections are the groups, by commas.")
    ] = None,
    device: Device = "auto",
    as_json: AsJson = False,
    table: Figures = None,
) -> None:
    """Search for latents of held-out images' reduced selves, and count how often one comes under eps.

    Example: latentlab evaluate search faces-vae --data faces:test --n 200 --factor 8 --eps-data
    faces:validation --json
    """
    from latentlab.cli.evaluate import show
    from latentlab.cli.progress import show_progress
    from latentlab.metrics.report import check_place
    from latentlab.operations.search_runs import run_search_evaluation

    check_place(table)
    settings = search_settings(
        factor=factor,
        luminance=luminance,
        exposure=exposure,
        restarts=restarts,
        steps=steps,
        seed=seed,
        eps=eps,
        optimiser=optimiser,
        rate=rate,
        loss=loss,
    )
    with show_progress() as reporter:
        report = run_search_evaluation(
            checkpoint,
            data,
            settings,
            count=n,
            first=first,
            controls=controls,
            eps_data=eps_data,
            device=device,
            groups=split_names(groups),
            reporter=reporter,
        )
    show(report, as_json, table)


def search_eps(
    checkpoint: Checkpoint,
    data: Data,
    factor: Factor = 8,
    luminance: Luminance = False,
    device: Device = "auto",
    as_json: AsJson = False,
    table: Figures = None,
) -> None:
    """Measure how near a model's own reconstructions come once they are reduced: their median is eps.

    Example: latentlab evaluate search-eps faces-vae --data faces:validation --factor 8
    """
    from latentlab.cli.evaluate import show
    from latentlab.cli.progress import show_progress
    from latentlab.metrics.report import check_place
    from latentlab.operations.search_plan import Observation
    from latentlab.operations.search_runs import run_search_eps

    check_place(table)
    observation = Observation(factor, "luminance" if luminance else "colour")
    with show_progress() as reporter:
        report = run_search_eps(checkpoint, data, observation, device=device, reporter=reporter)
    show(report, as_json, table)
