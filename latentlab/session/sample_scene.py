"""What the samples' settings stand for: which latents under which conditions, in grid and strip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import SettingsError
from latentlab.live.frames import Encoded
from latentlab.operations.projection_plan import projection_condition
from latentlab.operations.sample_plan import (
    Blend,
    Sample,
    SamplePlan,
    blend_condition,
    blend_conditions,
    draw_samples,
    sample_plan,
    way,
)
from latentlab.session.document import Explore, LatentRef, Shelf, Source, StripView
from latentlab.session.projection import take_encoded
from latentlab.session.session import Session
from latentlab.spec import ConditionSchema, ModelSpec

NO_INPUT = "No picture is the first row. Choose another latent for the strip."


@dataclass(frozen=True, eq=False)
class SampleInputRow:
    """The picture that is the first row, and what the encoder made of it as one of its dataset."""

    source: Source
    encoded: Encoded


@dataclass(frozen=True, eq=False)
class Cell:
    """One picture of grid or strip: a z under a condition ``[C]``, and on what it is drawn, in words.

    ``input`` is the picture that z encodes, where it encodes the open one.
    """

    sample: Sample
    condition: NDArray[np.float32]
    where: str
    input: SampleInputRow | None = None


@dataclass(frozen=True, eq=False)
class StripPlan:
    """A strip: latents ``[N, *latent_shape]`` under conditions ``[N, C]``, and where one stands on it.

    Parameters
    ----------
    kind
        ``blend`` or ``way``, as in `StripView`.
    names
        What its two ends are called.
    share
        Where one stands, 0 to 1.
    here
        What is drawn there.
    """

    kind: Literal["blend", "way"]
    latents: NDArray[np.float32]
    conditions: NDArray[np.float32]
    names: tuple[str, str]
    share: float
    here: Cell


@dataclass(frozen=True, eq=False)
class Scene:
    """All that is to be drawn.

    Parameters
    ----------
    plan
        The grid, with the blend's column as the last where there is one.
    strip
        The strip; or why there is none, in words, empty where none is wished for.
    input
        The picture that is the first row; None without one.
    """

    plan: SamplePlan
    strip: StripPlan | str
    input: SampleInputRow | None

    @property
    def drawn_from(self) -> int:
        """In which row the drawn ones begin."""
        return 0 if self.input is None else 1

    @property
    def blended(self) -> bool:
        """Whether the last column is a blend."""
        return self.plan.columns[-1].blend is not None

    def cell(self, row: int, column: int) -> Cell:
        """Return one picture of the grid."""
        of = self.plan.columns[column]
        own = self.input if self.input is not None and row == 0 else None
        return Cell(self.plan.samples[row], of.condition, of.name, own)


def scene_of(spec: ModelSpec, shelf: Shelf, found: SampleInputRow | None) -> Scene:
    """Return what the settings of a shelf stand for.

    Raises
    ------
    SettingsError
        If the model cannot draw so.
    """
    schema, view, keep = spec.condition, shelf.samples, shelf.projection.keep
    samples = draw_samples(spec, [row.seed for row in view.rows], view.truncation)
    if found is not None:
        samples = (input_row_sample(spec, found), *samples)
    plan = sample_plan(schema, samples, None, keep, column_blend(schema, view.strip))
    return Scene(plan, _strip(spec, shelf, samples, found), found)


def input_row_sample(spec: ModelSpec, found: SampleInputRow) -> Sample:
    """Return the first row of a picture."""
    return Sample(found.source.title, found.encoded.mean.reshape(spec.latent_shape))


def blend_of(schema: ConditionSchema, strip: StripView) -> Blend:
    """Return the blend of a strip: datasets that are not chosen, or not known, are the model's first two."""
    names = schema.attributes[0].classes
    first = strip.first if strip.first in names else next(one for one in names if one != strip.second)
    second = strip.second if strip.second in names else next(one for one in names if one != first)
    return Blend(first, second, strip.share)


def dataset_of(schema: ConditionSchema, strip: StripView) -> str:
    """Return the dataset of a strip's way: as chosen, or the model's first."""
    names = schema.attributes[0].classes
    return strip.dataset if strip.dataset in names else names[0]


def column_blend(schema: ConditionSchema, strip: StripView) -> Blend | None:
    """Return the blend that is a column of the grid; None where the strip shows none."""
    blend = blend_of(schema, strip)
    return blend if strip.kind == "blend" and blend.first != blend.second else None


def sample_of(ref: LatentRef, shelf: Shelf, samples: tuple[Sample, ...], with_input: bool) -> Sample:
    """Return the latent that a reference stands for.

    Parameters
    ----------
    samples
        The rows, that of the picture first where there is one (``with_input``).

    Raises
    ------
    SettingsError
        If it is not there.
    """
    if ref.input:
        if not with_input:
            raise SettingsError(NO_INPUT)
        return samples[0]
    if ref.pin:
        pin = shelf.pin(ref.pin)
        if pin is None:
            raise SettingsError(f"There is no pin {ref.pin} any more. Choose another latent for the strip.")
        if pin.latent.size != samples[-1].latent.size:
            raise SettingsError(f"The pin {ref.pin} is no latent of this model. Choose another one.")
        return Sample(pin.name, pin.latent.reshape(samples[-1].latent.shape))
    drawn = samples[1:] if with_input else samples
    return drawn[min(ref.row, len(drawn) - 1)]


def _strip(
    spec: ModelSpec, shelf: Shelf, samples: tuple[Sample, ...], found: SampleInputRow | None
) -> StripPlan | str:
    """Return the strip, or why there is none."""
    view, keep, schema = shelf.samples.strip, shelf.projection.keep, spec.condition
    if view.kind == "none":
        return ""
    try:
        start = sample_of(view.start, shelf, samples, found is not None)
        if view.kind == "blend":
            own = found if view.start.input else None
            return _blends(schema, start, blend_of(schema, view), keep, own)
        end = sample_of(view.end, shelf, samples, found is not None)
        return _way(schema, start, end, view, keep)
    except SettingsError as error:
        return str(error)


def _blends(
    schema: ConditionSchema, start: Sample, blend: Blend, keep: float, found: SampleInputRow | None
) -> StripPlan:
    conditions = blend_conditions(schema, blend.first, blend.second, keep=keep)
    here = blend_condition(schema, blend.first, blend.second, blend.share, keep)
    return StripPlan(
        "blend",
        np.repeat(start.latent[None], len(conditions), axis=0),
        conditions,
        (blend.first, blend.second),
        blend.share,
        Cell(start, here, blend.name, found),
    )


def _way(schema: ConditionSchema, first: Sample, second: Sample, view: StripView, keep: float) -> StripPlan:
    latents = way(first.latent, second.latent, view.steps, view.path)
    dataset = dataset_of(schema, view)
    condition = projection_condition(schema, dataset, keep)
    place = round(view.place * (len(latents) - 1))
    named = f"{place / (len(latents) - 1):.0%} from {first.name} to {second.name}"
    return StripPlan(
        "way",
        latents,
        np.repeat(condition[None], len(latents), axis=0),
        (first.name, second.name),
        view.place,
        Cell(Sample(named, latents[place]), condition, dataset),
    )


def take_cell(session: Session, cell: Cell) -> None:
    """Let Explore go on with a picture: its latent and condition, as one step with a name.

    A z of the open picture stays one: what the encoder made of the picture for it is taken over too.
    """
    state, sample = session.document.explore, cell.sample
    if state is None:
        return
    if cell.input is not None:
        take_encoded(session, cell.input.source, cell.input.encoded, cell.where, cell.condition)
        return
    latent, condition = (np.array(one, dtype=np.float32) for one in (sample.latent, cell.condition))
    latent = latent.reshape(state.latent.shape)
    for one in (latent, condition):
        one.setflags(write=False)
    taken = Explore(
        latent,
        latent,
        condition,
        seed=sample.seed,
        truncation=sample.truncation,
        named="" if sample.seed is not None else sample.name,
        start_condition=condition,
        linked=state.linked,
    )
    if state.source is not None or not taken.is_alike(state):
        name = f"Take {sample.name} on {cell.where}"
        session.change(name, replace(session.document, explore=taken))
