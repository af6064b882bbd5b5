"""What is shown of many pictures' projections: a cell for each dataset and class, in an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from latentlab.operations.projection_plan import judged_classes
from latentlab.session.many import ManyFound
from latentlab.spec import ModelSpec, PredictorSpec

if TYPE_CHECKING:
    from latentlab.operations.projection_table import Composition, Rate, Shift

Key = tuple[str, str]
"""An attribute and one of its classes, or a dataset and an attribute."""


@dataclass(frozen=True)
class ShiftCell:
    """What becomes of a class on a dataset; shares are between 0 and 1.

    Parameters
    ----------
    place
        Which of its attribute's classes it is.
    first, second
        The share before and after; where both modes are compared, the shift with *keep* and with *follow*.
    difference, low, high
        Second minus first, with its 95% interval.
    clear, small
        Whether the interval leaves out 0, and whether few pictures are behind it.
    """

    dataset: str
    attribute: str
    label: str
    place: int
    first: float
    second: float
    difference: float
    low: float
    high: float
    n: int
    clear: bool
    small: bool


@dataclass(frozen=True)
class AttributeNote:
    """What becomes of an attribute on a dataset: how often it is kept, and its entropies in nats."""

    kept: Rate | None
    before: float
    after: float

    @property
    def ratio(self) -> float | None:
        """The entropy after divided by that before; None where there was none."""
        return self.after / self.before if self.before > 0.0 else None


@dataclass(frozen=True, eq=False)
class ShiftTable:
    """The cells of a mode, or of what differs between both.

    Parameters
    ----------
    shown
        ``follow``, ``keep`` or ``bias``.
    datasets, classes
        The columns and rows there are, in the model's and the predictor's order.
    cells
        By dataset, attribute and class; a dataset of which nothing can be counted has none.
    notes
        By dataset and attribute; none of what differs between the modes.
    reached
        By dataset, the share of projections that are predicted as of it.
    cannot_show
        By dataset, the attributes that it cannot show, which are not counted.
    """

    shown: str
    datasets: tuple[str, ...]
    classes: tuple[Key, ...]
    cells: Mapping[tuple[str, str, str], ShiftCell]
    notes: Mapping[Key, AttributeNote]
    reached: Mapping[str, Rate]
    cannot_show: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def largest(self) -> float:
        """The largest distance of an interval's end from 0, at least 0.05."""
        ends = [abs(end) for cell in self.cells.values() for end in (cell.low, cell.high, cell.difference)]
        return max(ends, default=0.05) or 0.05

    def ordered(self, target: str, sort: str) -> tuple[Key, ...]:
        """Return the rows as they are set: as they are, or the largest shift (on any dataset) first."""
        if sort != "shift":
            return self.classes
        datasets = (target,) if target else self.datasets

        def size(key: Key) -> float:
            cells = (self.cells.get((dataset, *key)) for dataset in datasets)
            return max((abs(cell.difference) for cell in cells if cell is not None), default=0.0)

        return tuple(sorted(self.classes, key=lambda key: -size(key)))


def table_of(found: ManyFound, shown: str, judge: PredictorSpec, spec: ModelSpec) -> ShiftTable | None:
    """Return the table of a mode or of ``bias``; None where there is nothing to count yet.

    The dataset's own attribute is left out: that it changes is what a projection is for.
    """
    known = judged_classes(judge, spec.condition.attributes[0].name)
    places = {(name, label): k for name, labels in known.items() for k, label in enumerate(labels)}
    cells: dict[tuple[str, str, str], ShiftCell] = {}
    notes: dict[Key, AttributeNote] = {}
    reached: dict[str, Rate] = {}
    counted: tuple[Shift | Composition, ...] = ()
    if shown == "bias":
        counted = found.bias
    elif shown in found.shifts:
        shifts = found.shifts[shown]
        counted = shifts.classes
        kept = {(one.dataset, one.attribute): one for one in shifts.kept}
        for entropy in shifts.diversity:
            if entropy.attribute not in known:
                continue
            key = entropy.dataset, entropy.attribute
            notes[key] = AttributeNote(kept.get(key), entropy.before, entropy.after)
        reached = {one.dataset: one for one in shifts.reached}
    for one in counted:
        if (one.attribute, one.label) in places:
            cell = _cell(one, places[one.attribute, one.label])
            cells[cell.dataset, cell.attribute, cell.label] = cell
    if not cells:
        return None
    there = tuple(one for one in found.wanted.onto if any(key[0] == one for key in cells))
    return ShiftTable(shown, there, tuple(places), cells, notes, reached, spec.cannot_show)


def _cell(one: Shift | Composition, place: int) -> ShiftCell:
    from latentlab.operations.projection_table import Composition

    shares = (one.keep, one.follow) if isinstance(one, Composition) else (one.before, one.after)
    return ShiftCell(
        one.dataset,
        one.attribute,
        one.label,
        place,
        *shares,
        one.difference,
        one.low,
        one.high,
        one.n,
        one.clear,
        one.small,
    )


def points(share: float, sign: bool = True) -> str:
    """Return a share's difference in percentage points, such as ``+17.9``; zero has no sign."""
    value = round(100.0 * share, 1)
    return f"{value:+.1f}".replace("-", "−") if sign and value else f"{abs(value):.1f}"
