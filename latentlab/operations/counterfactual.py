"""Counterfactuals, rendered settled: of one picture over the classes of attributes, or of a page of a set.

    explorer = Explorer.open("faces-cvae")
    found = counterfactuals(explorer, read_picture("face.png").pixels, "gender", "race")
    found.items[3].picture, found.items[3].change.leakage

The picture is encoded, and decoded under its own condition (the reconstruction) and under others. Which side
of the model is told the other class can be said: the *decoder*, which makes a counterfactual; the *encoder*
alone, of which no effect is expected; or *both*. What changed is counted from the reconstruction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from latentlab.conditions import Choices
from latentlab.data.image_set import ImageSet
from latentlab.data.true_counterfactuals import can_be_drawn_again, drawn_again
from latentlab.errors import SettingsError
from latentlab.metrics.labels import conditions
from latentlab.metrics.passes import check_size
from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.counterfactual_plan import (
    THRESHOLD,
    Change,
    CounterfactualPlan,
    Targets,
    other_class,
    row,
    single,
    table,
    what_changed,
)
from latentlab.operations.explore import EncodedPicture, Explorer
from latentlab.progress import Progress, Reporter
from latentlab.spec import ConditionSchema

Side = Literal["decoder", "encoder", "both"]
SIDES: tuple[Side, ...] = get_args(Side)
"""Who can be told the other class."""
Sort = Literal["effect", "leakage", "set"]
SORTS: tuple[Sort, ...] = get_args(Sort)
"""By what a page can be sorted: the largest first, or in the set's order."""
RECONSTRUCTION, EDITED = "reconstruction", "edited"
"""What a latent's own picture is called: of a picture that was encoded, and of a latent that was given."""
OTHER = "other"
"""What stands for the class after each picture's own."""
PAGE = 32
"""Pictures of a page where no number is given."""

Redraw = Callable[[Targets], NDArray[np.uint8] | None]
"""Draws the true counterfactual of what is asked for; None where there is none."""


@dataclass(frozen=True, eq=False)
class Truth:
    """The true counterfactual.

    Parameters
    ----------
    picture
        Uint8 ``[S, S, 3]``, RGB.
    error_255, unflipped_255
        Mean absolute error of the counterfactual, and of the reconstruction, to it over the pixels that
        truly change, of 255; None where none changes.
    pixels
        How many pixels truly change.
    """

    picture: NDArray[np.uint8]
    error_255: float | None
    unflipped_255: float | None
    pixels: int


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """One picture under another condition.

    Parameters
    ----------
    name
        What tells it from the others, such as ``gender=male``.
    targets
        The classes that were asked for.
    condition
        Which condition that made, float32 ``[C]``.
    picture
        Uint8 ``[S, S, 3]``, RGB, settled.
    change
        What changed from the reconstruction; holds the predicted attributes.
    own
        Whether these are the picture's own classes.
    extrapolation
        Whether the condition lies outside what training knows.
    truth
        The true counterfactual, where the set can be drawn again.
    """

    name: str
    targets: Targets
    condition: NDArray[np.float32]
    picture: NDArray[np.uint8]
    change: Change
    own: bool
    extrapolation: bool
    truth: Truth | None = None

    @property
    def attributes(self) -> Probabilities:
        """What the predictor says of the picture; empty without one."""
        return self.change.after


@dataclass(frozen=True, eq=False)
class Counterfactuals:
    """A picture and its counterfactuals.

    Parameters
    ----------
    explorer
        With what they were made.
    name
        What the picture is called.
    source
        The picture as the model sees it, uint8 ``[S, S, 3]``, RGB; the latent's own where it was made from
        none, see ``has_source``.
    condition
        Its own, float32 ``[C]``.
    latent
        Its latent, encoded under its own condition, float32 ``[*latent_shape]``; or the one that was given.
    reconstruction
        The latent under its own condition.
    source_attributes
        What the predictor says of the source; empty without a predictor or a source.
    plan
        How the counterfactuals stand in rows and columns.
    side, threshold
        Who was told the other class; from which difference on, of 255, a pixel counts as changed.
    items
        One a cell of the plan, row by row.
    has_source
        Whether there is a picture that the latent was made from; figure and table leave the input out
        otherwise.
    again
        What ``reconstruction`` is called where it is shown: of an edited latent it is none.
    """

    explorer: Explorer
    name: str
    source: NDArray[np.uint8]
    condition: NDArray[np.float32]
    latent: NDArray[np.float32]
    reconstruction: NDArray[np.uint8]
    source_attributes: Probabilities
    plan: CounterfactualPlan
    side: Side
    threshold: float
    items: tuple[Counterfactual, ...]
    has_source: bool = True
    again: str = RECONSTRUCTION

    @property
    def attributes(self) -> Probabilities:
        """What the predictor says of the reconstruction; empty without one."""
        return self.items[0].change.before

    @property
    def cases(self) -> tuple[Counterfactuals, ...]:
        """One case, as a page has several."""
        return (self,)


@dataclass(frozen=True, eq=False)
class CounterfactualPage:
    """Pictures of a set, each with one counterfactual, in the order that was asked for.

    Parameters
    ----------
    attribute, target
        The attribute, and the class that was asked for, or ``other``.
    positions
        Where the pictures stand in the set, int64 ``[n]``.
    cases
        The pictures, each with one item.
    left_out
        How many pictures have no class of the attribute that another could follow.
    """

    explorer: Explorer
    data: ImageSet
    attribute: str
    target: str
    sort: Sort
    positions: NDArray[np.int64]
    cases: tuple[Counterfactuals, ...]
    left_out: int


def counterfactuals(
    explorer: Explorer,
    picture: NDArray[np.uint8],
    attribute: str,
    second: str | None = None,
    *,
    side: Side = "decoder",
    scale: float = 1.0,
    condition: NDArray[np.float32] | Choices | None = None,
    threshold: float = THRESHOLD,
    name: str = "picture",
    reporter: Reporter | None = None,
) -> Counterfactuals:
    """Draw a picture under every class of an attribute, or of two.

    Parameters
    ----------
    picture
        Uint8 ``[H, W, 3]``, RGB, of any size (`Explorer.encode`).
    second
        With it a table: the first attribute's classes go down, the second's across.
    side
        Who is told the other class.
    scale
        What the classes are multiplied by; numbers outside 0 to 1 are marked as extrapolation.
    condition
        The picture's own: numbers ``[C]``, or choices for some attributes. What is left open is as the
        predictor sees it in the picture.
    threshold
        From which difference on, of 255, a pixel counts as changed.

    Raises
    ------
    SettingsError
        If the model is unconditional, cannot encode, or does not know an attribute; or a setting is unknown.
    Cancelled
        If the reporter asked for it.
    """
    _check(explorer, side, threshold)
    seen = encoded_as(explorer, picture, condition)
    return _draw(explorer, name, seen, _planner(attribute, second, scale), side, threshold, None, reporter)


def counterfactuals_of_latent(
    explorer: Explorer,
    latent: NDArray[np.float32],
    condition: NDArray[np.float32],
    attribute: str,
    second: str | None = None,
    *,
    scale: float = 1.0,
    threshold: float = THRESHOLD,
    source: NDArray[np.uint8] | None = None,
    name: str = "picture",
    again: str = EDITED,
    reporter: Reporter | None = None,
) -> Counterfactuals:
    """Draw a latent under every class of an attribute, or of two, at the decoder.

    Parameters
    ----------
    latent, condition
        Such as an edited picture's: float32 ``[*latent_shape]`` and ``[C]``.
    source
        The picture that it was made from, uint8 ``[S, S, 3]``, RGB; without one there is no input to show.
    again
        What the latent's own picture is called.

    Raises
    ------
    LatentLabError
        As `counterfactuals`.
    """
    _check(explorer, "decoder", threshold)
    latent, own = explorer.latent(latent), explorer.condition(condition)
    seen = EncodedPicture(explorer.picture(latent, own) if source is None else source, latent, None, own)
    plan = _planner(attribute, second, scale)
    found = _draw(explorer, name, seen, plan, "decoder", threshold, None, reporter, source is not None)
    return replace(found, again=again)


def counterfactuals_in_set(
    explorer: Explorer,
    data: ImageSet,
    position: int,
    attribute: str,
    second: str | None = None,
    *,
    side: Side = "decoder",
    scale: float = 1.0,
    condition: Choices | None = None,
    threshold: float = THRESHOLD,
    reporter: Reporter | None = None,
) -> Counterfactuals:
    """Draw a picture of a set under every class, beside the truth where the set can be drawn again.

    The picture's own condition is what the set's labels say, else what the predictor sees, else nothing;
    ``condition`` is set in it. The rest is as in `counterfactuals`.

    Raises
    ------
    LatentLabError
        As `counterfactuals`, and if the set has another size than the model or no such position.
    """
    _check(explorer, side, threshold)
    check_size(data, explorer.spec.image_size, "model")
    if not 0 <= position < len(data):
        raise SettingsError(f"There is no picture {position}; the set has 0 to {len(data) - 1}.")
    seen = encoded_as(explorer, data.pixels([position])[0], _own_choices(explorer, data, position, condition))
    plan = _planner(attribute, second, scale)
    redraw = _redraw(data, position)
    return _draw(explorer, _name(data, position), seen, plan, side, threshold, redraw, reporter)


def counterfactual_page(
    explorer: Explorer,
    data: ImageSet,
    attribute: str,
    target: str = OTHER,
    *,
    positions: Sequence[int] | NDArray[np.int64] | None = None,
    sort: Sort = "set",
    side: Side = "decoder",
    scale: float = 1.0,
    condition: Choices | None = None,
    threshold: float = THRESHOLD,
    reporter: Reporter | None = None,
) -> CounterfactualPage:
    """Draw pictures of a set as another class, each beside the truth where the set can be drawn again.

    Parameters
    ----------
    target
        A class, or ``other`` for the class after each picture's own. A picture whose own class is not known
        has no other one and is left out.
    positions
        Which pictures of the set (`page_positions`); all of them by default.
    sort
        ``effect`` or ``leakage``, the largest first, or ``set``.

    Raises
    ------
    LatentLabError
        As `counterfactuals_in_set`; if it shall be sorted and there is no predictor; if no picture is left.
    Cancelled
        If the reporter asked for it.
    """
    _check(explorer, side, threshold)
    check_size(data, explorer.spec.image_size, "model")
    _check_page(explorer, attribute, target, sort)
    wanted = np.arange(len(data)) if positions is None else np.asarray(positions, dtype=np.int64)
    reporter, schema = reporter or Reporter(), explorer.spec.condition
    cases, kept = [], []
    for k, position in enumerate(wanted.tolist()):
        reporter.raise_if_cancelled()
        own = _own_choices(explorer, data, position, condition)
        seen = encoded_as(explorer, data.pixels([position])[0], own)
        assert seen.condition is not None
        label = other_class(schema, seen.condition, attribute) if target == OTHER else target
        if label is not None:
            plan = _single_planner(attribute, label, scale)
            redraw = _redraw(data, position)
            cases.append(_draw(explorer, _name(data, position), seen, plan, side, threshold, redraw))
            kept.append(position)
        reporter.report(Progress("Drawing counterfactuals", k + 1, len(wanted)))
    if not cases:
        raise SettingsError(
            f"None of the pictures has a known class of {attribute!r} that another could follow. Name the "
            "class to draw, or a predictor that judges the attribute."
        )
    order = _order(cases, sort)
    found = np.array(kept, dtype=np.int64)[order]
    ordered = tuple(cases[k] for k in order)
    left_out = len(wanted) - len(cases)
    return CounterfactualPage(explorer, data, attribute, target, sort, found, ordered, left_out)


def rearranged(
    page: CounterfactualPage, sort: Sort | None = None, threshold: float | None = None
) -> CounterfactualPage:
    """Return a page in another order, or with another threshold; nothing is drawn or predicted again.

    Raises
    ------
    SettingsError
        If the order or the threshold is none, or it shall be sorted and there is no predictor.
    """
    explorer, sort = page.explorer, sort or page.sort
    _check_page(explorer, page.attribute, page.target, sort)
    if threshold is None:
        cases = page.cases
    else:
        _check(explorer, page.cases[0].side, threshold)
        cases = tuple(_measured_again(case, threshold) for case in page.cases)
    in_set = np.argsort(page.positions)
    order = in_set[_order([cases[k] for k in in_set], sort)]
    return replace(page, sort=sort, positions=page.positions[order], cases=tuple(cases[k] for k in order))


def page_positions(
    data: ImageSet, attribute: str, target: str = OTHER, count: int = PAGE, seed: int = 0
) -> NDArray[np.int64]:
    """Choose pictures of a set for a page at random: int64 ``[min(count, ...)]``, in the set's order.

    Pictures that are labelled with the target already are not chosen.

    Raises
    ------
    SettingsError
        If there is none to choose.
    """
    open_ones = np.arange(len(data))
    labelled = {one.name: one for one in data.info.attributes if one.kind == "categorical"}
    if target != OTHER and attribute in labelled and target in labelled[attribute].classes:
        open_ones = np.flatnonzero(data.codes(attribute) != labelled[attribute].classes.index(target))
    if count < 1 or not len(open_ones):
        raise SettingsError(
            f"There is no picture to draw: {count} were asked for, and of the {len(data)} in the set "
            f"{len(open_ones)} are not {attribute}={target} already."
        )
    chosen = np.random.default_rng(seed).permutation(open_ones)[:count]
    return np.sort(chosen).astype(np.int64)


def encoded_as(
    explorer: Explorer, picture: NDArray[np.uint8], condition: NDArray[np.float32] | Choices | None = None
) -> EncodedPicture:
    """Encode a picture under its own condition: numbers, or choices set in what the predictor sees.

    Raises
    ------
    SettingsError
        As `Explorer.encode` and `Explorer.condition`.
    """
    if not isinstance(condition, Mapping):
        return explorer.encode(picture, condition)
    schema = explorer.spec.condition
    if schema.size and all(attribute.name in condition for attribute in schema.attributes):
        return explorer.encode(picture, explorer.condition(condition))
    seen = explorer.encode(picture)
    if not condition:
        return seen
    return explorer.encode(picture, explorer.condition(condition, seen.condition))


def _check(explorer: Explorer, side: str, threshold: float) -> None:
    if not explorer.spec.condition.size:
        raise SettingsError(
            "The model is unconditional: there is no condition to flip. Choose a CVAE, such as faces-cvae."
        )
    if side not in SIDES:
        raise SettingsError(
            f"The other class is told to {', '.join(SIDES[:-1])} or {SIDES[-1]}, not {side!r}."
        )
    if not 0.0 <= threshold <= 255.0:
        raise SettingsError(f"The threshold is a difference from 0 to 255, not {threshold}.")


def _check_page(explorer: Explorer, attribute: str, target: str, sort: str) -> None:
    schema, judge = explorer.spec.condition, explorer.predictor_spec
    if sort not in SORTS:
        raise SettingsError(f"A page is sorted by {', '.join(SORTS[:-1])} or {SORTS[-1]}, not {sort!r}.")
    if sort != "set" and judge is None:
        raise SettingsError(f"Without a predictor nothing is known of {sort}. Name one, or sort by set.")
    row(schema, np.zeros(schema.size), attribute)  # refuses what has no classes
    if target != OTHER:
        schema.attribute(attribute).index(target)


Planner = Callable[[ConditionSchema, NDArray[np.float32]], CounterfactualPlan]


def _planner(attribute: str, second: str | None, scale: float) -> Planner:
    if second is None:
        return lambda schema, own: row(schema, own, attribute, scale)
    return lambda schema, own: table(schema, own, attribute, second, scale)


def _single_planner(attribute: str, label: str, scale: float) -> Planner:
    return lambda schema, own: single(schema, own, attribute, label, scale)


def _draw(
    explorer: Explorer,
    name: str,
    seen: EncodedPicture,
    planner: Planner,
    side: Side,
    threshold: float,
    redraw: Redraw | None,
    reporter: Reporter | None = None,
    has_source: bool = True,
) -> Counterfactuals:
    reporter, own, judge = reporter or Reporter(), seen.condition, explorer.predictor_spec
    assert own is not None
    plan = planner(explorer.spec.condition, own)
    classes = {} if judge is None else {one.name: one.classes for one in judge.attributes}

    reconstruction = explorer.picture(seen.latent, own)
    before = explorer.judged(reconstruction)
    items = []
    for k, (target, condition) in enumerate(zip(plan.targets, plan.conditions, strict=True)):
        reporter.raise_if_cancelled()
        latent = seen.latent if side == "decoder" else explorer.encode(seen.source, condition).latent
        picture = explorer.picture(latent, own if side == "encoder" else condition)
        change = what_changed(
            reconstruction, picture, before, explorer.judged(picture), classes, target, threshold
        )
        drawn = None if redraw is None else redraw(target)
        truth = None if drawn is None else compared(seen.source, reconstruction, picture, drawn)
        extra = plan.extrapolation[k]
        items.append(
            Counterfactual(plan.names[k], target, condition, picture, change, plan.own == k, extra, truth)
        )
        reporter.report(Progress("Drawing counterfactuals", k + 1, len(plan.targets)))
    return Counterfactuals(
        explorer=explorer,
        name=name,
        source=seen.source,
        condition=own,
        latent=seen.latent,
        reconstruction=reconstruction,
        source_attributes=explorer.judged(seen.source) if has_source else {},
        plan=plan,
        side=side,
        threshold=threshold,
        items=tuple(items),
        has_source=has_source,
    )


def _measured_again(case: Counterfactuals, threshold: float) -> Counterfactuals:
    """Return a case with another threshold, from which a pixel counts as changed."""
    judge = case.explorer.predictor_spec
    classes = {} if judge is None else {one.name: one.classes for one in judge.attributes}

    def measured(item: Counterfactual) -> Counterfactual:
        before, after = item.change.before, item.change.after
        pictures = case.reconstruction, item.picture
        change = what_changed(*pictures, before, after, classes, item.targets, threshold)
        return replace(item, change=change)

    return replace(case, threshold=threshold, items=tuple(map(measured, case.items)))


def compared(
    source: NDArray[np.uint8],
    reconstruction: NDArray[np.uint8],
    counterfactual: NDArray[np.uint8],
    truth: NDArray[np.uint8],
) -> Truth:
    """Compare a counterfactual, and the reconstruction, with the truth where it differs from the source.

    Parameters
    ----------
    source, reconstruction, counterfactual, truth
        Uint8 ``[S, S, 3]``, RGB.
    """
    where = (source != truth).any(axis=-1)
    if not where.any():
        return Truth(truth, None, None, 0)
    true = truth[where].astype(np.float64)
    error, unflipped = (float(np.abs(one[where] - true).mean()) for one in (counterfactual, reconstruction))
    return Truth(truth, error, unflipped, int(where.sum()))


def _own_choices(explorer: Explorer, data: ImageSet, position: int, more: Choices | None) -> Choices:
    """Return what a set's labels say of a picture, and what is chosen beyond; what is unknown is left out."""
    schema = explorer.spec.condition
    kinds = {one.name: one.kind for one in data.info.attributes}
    known = ConditionSchema(attributes=tuple(a for a in schema.attributes if kinds.get(a.name) == a.kind))
    values = conditions(known, data.select(np.array([position])))
    found: dict[str, str | float | Mapping[str, float]] = {}
    for attribute in known.attributes:
        assert values is not None
        vector = values[0, known.slice(attribute.name)]
        if attribute.kind == "continuous":
            found[attribute.name] = float(vector[0])
        elif vector.any():
            found[attribute.name] = attribute.classes[int(vector.argmax())]
    return {**found, **(more or {})}


def _redraw(data: ImageSet, position: int) -> Redraw | None:
    if not can_be_drawn_again(data):
        return None
    return lambda targets: drawn_again(data, position, targets)


def _name(data: ImageSet, position: int) -> str:
    return str(data.names[data.rows[position]])


def _order(cases: Sequence[Counterfactuals], sort: Sort) -> list[int]:
    if sort == "set":
        return list(range(len(cases)))

    def key(k: int) -> float:
        change = cases[k].items[0].change
        value = change.effect if sort == "effect" else change.leakage
        return float("inf") if value is None else -value

    return sorted(range(len(cases)), key=key)
