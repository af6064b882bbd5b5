"""Options of everything that searches latents, worded once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from latentlab.operations.search_plan import SearchSettings

Factor = Annotated[
    int, typer.Option(help="The picture is reduced by this factor, which divides the model's size.")
]
Luminance = Annotated[
    bool, typer.Option("--luminance", help="Compare the luminance only, not the three colours.")
]
Exposure = Annotated[
    float,
    typer.Option(help="Spread of an unknown exposure: the standard deviation of its logarithm; 0 for none."),
]
Restarts = Annotated[int, typer.Option(help="Latents that are searched for, each from a seed of its own.")]
Steps = Annotated[
    int,
    typer.Option(help="Steps of each at most; of a posterior proposals, half of them warm-up."),
]
Seed = Annotated[int, typer.Option(help="The first restart's seed; the others' follow.")]
EpsOption = Annotated[
    float | None,
    typer.Option(
        "--eps",
        help="Mean squared error to reach; the model's own without it, or else the reference's 0.002.",
    ),
]
EpsData = Annotated[
    str, typer.Option(help="Measure eps on this set's reconstructions first, such as faces:validation.")
]
OptimiserOption = Annotated[str, typer.Option("--optimiser", help="adam or lbfgs.")]
Rate = Annotated[float, typer.Option(help="Adam's rate at most, or the length of lbfgs's plain steps.")]
Loss = Annotated[
    str, typer.Option(help="l2 or l1, as the reference has them, or map: the density of the posterior.")
]


def search_settings(**values: Any) -> SearchSettings:
    """Return the settings of a command's options; also for `SettingsError`."""
    from latentlab.operations.search_plan import Observation, SearchSettings

    observation = Observation(
        values.pop("factor"), "luminance" if values.pop("luminance") else "colour", values.pop("exposure")
    )
    values["constraint"] = "none" if values.get("loss") == "map" else "sphere"
    return SearchSettings(observation=observation, **values)
