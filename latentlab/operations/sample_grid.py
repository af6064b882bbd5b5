"""The same z on different datasets of a cINN, settled: a grid of samples, blends of datasets, ways between z.

explorer = Explorer.open("my-cinn")
samples = draw_samples(explorer.spec, range(8), truncation=0.7)
grid = sample_grid(explorer, samples, blend=Blend("lorelei", "pixel-art", 0.4))
grid.picture(0, 2)  # uint8 [S, S, 3]
blend_series(explorer, samples[0], "lorelei", "pixel-art").save_sheet(Path("blend.png"))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import latentlab
from latentlab.errors import SettingsError
from latentlab.operations.attribute_table import Probabilities, origin_note
from latentlab.operations.explore import Explorer
from latentlab.operations.interpolate import Kind
from latentlab.operations.project import condition_on, datasets_of, guess_dataset, projecting_model
from latentlab.operations.projection_plan import AUTO
from latentlab.operations.sample_plan import (
    BLENDS,
    WAY,
    Blend,
    Sample,
    SamplePlan,
    blend_conditions,
    sample_plan,
    way,
)
from latentlab.operations.series import Series, render_series
from latentlab.progress import Reporter
from latentlab.spec import PredictorSpec


@dataclass(frozen=True, eq=False)
class SampleGrid:
    """A grid as it was drawn.

    Parameters
    ----------
    plan
        Its rows and columns.
    pictures
        Uint8 ``[S, S, 3]``, RGB, settled, row by row.
    attributes
        What the predictor says of each picture; empty without one.
    """

    explorer: Explorer
    plan: SamplePlan
    pictures: tuple[NDArray[np.uint8], ...]
    attributes: tuple[Probabilities, ...]

    @property
    def predictor(self) -> PredictorSpec | None:
        """Who judges; None without one."""
        return self.explorer.predictor_spec

    @property
    def domain(self) -> str:
        """The name of the datasets' own attribute, whose change is no news."""
        return self.explorer.spec.condition.attributes[0].name

    def picture(self, row: int, column: int) -> NDArray[np.uint8]:
        """Return one picture, uint8 ``[S, S, 3]``, RGB; rows and columns are counted from 0."""
        return self.pictures[row * len(self.plan.columns) + column]

    def said(self, row: int, column: int) -> Probabilities:
        """Return what the predictor says of one picture; empty without one."""
        return self.attributes[row * len(self.plan.columns) + column]

    def record(self) -> dict[str, Any]:
        """Return the JSON object as plain values, in the form of the other commands."""
        plan, located = self.plan, self.explorer.located
        return {
            "command": "samples",
            "version": latentlab.__version__,
            "checkpoint": {"path": str(located.path), "sha256": located.sha256()},
            "data": {"path": "", "n": len(plan.samples)},
            "seed": None,
            "device": "cpu",
            "settings": {
                "threads": self.explorer.threads,
                "keep": plan.keep,
                "rows": [
                    {"name": one.name, "seed": one.seed, "truncation": one.truncation, "z_norm": one.norm}
                    for one in plan.samples
                ],
                "columns": [{"name": one.name, "condition": one.condition.tolist()} for one in plan.columns],
            },
            "metrics": {
                f"probability.{sample.name}.{column.name}.{attribute.name}={label}": {
                    "value": float(probability),
                    "low": None,
                    "high": None,
                    "n": 1,
                }
                for row, sample in enumerate(plan.samples)
                for place, column in enumerate(plan.columns)
                for attribute in (() if self.predictor is None else self.predictor.attributes)
                if attribute.kind == "categorical"
                for label, probability in zip(
                    attribute.classes, self.said(row, place)[attribute.name], strict=True
                )
            },
            "groups": {},
            "notes": [] if self.predictor is None else [origin_note(self.predictor)],
        }


def input_sample(
    explorer: Explorer,
    picture: NDArray[np.uint8],
    *,
    source: str = AUTO,
    keep: float = 1.0,
    name: str = "input",
) -> Sample:
    """Return the z of a picture uint8 ``[H, W, 3]``, RGB, encoded as one of its dataset.

    Parameters
    ----------
    source
        The picture's dataset, or `AUTO`.
    keep
        The share of the mode *keep* in which it is encoded, 0 to 1: the grid's.

    Raises
    ------
    SettingsError
        If the model does not project, the dataset is unknown, or the share is not from 0 to 1.
    """
    from latentlab.data.pictures import square_picture

    projecting_model(explorer)
    seen = square_picture(picture, explorer.spec.image_size)
    dataset = guess_dataset(explorer, seen) if source == AUTO else source
    return Sample(name, explorer.encode(seen, condition_on(explorer, dataset, keep)).latent)


def sample_grid(
    explorer: Explorer,
    samples: Sequence[Sample],
    *,
    onto: Sequence[str] | None = None,
    keep: float = 1.0,
    blend: Blend | None = None,
    reporter: Reporter | None = None,
) -> SampleGrid:
    """Draw every sample on every dataset, settled: the same to the bit as Explore draws it.

    Parameters
    ----------
    samples
        The rows: drawn ones (`latentlab.operations.sample_plan.draw_samples`), that of a picture
        (`input_sample`), or any other latents.
    onto, keep, blend
        As in `latentlab.operations.sample_plan.sample_plan`.

    Raises
    ------
    SettingsError
        If the model does not project, or as `latentlab.operations.sample_plan.sample_plan`.
    Cancelled
        If the reporter asked for it.
    """
    projecting_model(explorer)
    plan = sample_plan(explorer.spec.condition, samples, onto, keep, blend)
    names = [f"{one.name}, {column.name}" for one in plan.samples for column in plan.columns]
    found = render_series(explorer, names, plan.latents, len(plan.columns), plan.conditions, reporter)
    return SampleGrid(explorer, plan, found.pictures, tuple(map(explorer.judged, found.pictures)))


def blend_series(
    explorer: Explorer,
    sample: Sample,
    first: str,
    second: str,
    *,
    steps: int = BLENDS,
    keep: float = 1.0,
    reporter: Reporter | None = None,
) -> Series:
    """Draw one z evenly from one dataset to another: its condition is (1 - w) first + w second.

    Raises
    ------
    SettingsError
        If the model does not project, or as `latentlab.operations.sample_plan.blend_conditions`.
    Cancelled
        If the reporter asked for it.
    """
    projecting_model(explorer)
    conditions = blend_conditions(explorer.spec.condition, first, second, steps, keep)
    names = [f"{k / (steps - 1):.0%} {second}" for k in range(steps)]
    latents = np.repeat(sample.latent[None], steps, axis=0)
    return render_series(explorer, names, latents, steps, conditions, reporter)


def way_series(
    explorer: Explorer,
    first: Sample,
    second: Sample,
    dataset: str,
    *,
    steps: int = WAY,
    kind: Kind = "spherical",
    keep: float = 1.0,
    reporter: Reporter | None = None,
) -> Series:
    """Draw the way from one z to another on one dataset, with both ends.

    Raises
    ------
    SettingsError
        If the model does not project, the dataset is unknown, or as `latentlab.operations.sample_plan.way`.
    Cancelled
        If the reporter asked for it.
    """
    latents, condition = way(first.latent, second.latent, steps, kind), condition_on(explorer, dataset, keep)
    names = [f"{k / (steps - 1):.3f}" for k in range(steps)]
    return render_series(explorer, names, latents, min(steps, _COLUMNS), condition, reporter)


_COLUMNS = 12


def chosen_pair(explorer: Explorer, text: str) -> tuple[str, str, float | None]:
    """Read a blend from words: ``A:B``, or ``A:B:0.3`` with the share of B.

    Raises
    ------
    SettingsError
        If it is neither, or the model knows no such dataset.
    """
    first, _, rest = text.partition(":")
    second, colon, share = rest.partition(":")
    known = datasets_of(explorer)
    if first not in known or second not in known:
        raise SettingsError(
            f"{text!r} names no two datasets of the model; write A:B with two of {', '.join(known)}."
        )
    try:
        return first, second, float(share) if colon else None
    except ValueError:
        raise SettingsError(f"{share!r} in {text!r} is no share; write one from 0 to 1.") from None
