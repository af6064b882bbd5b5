"""Which faces a biased set has: the groups whose shares can be set, and the counts that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal

from latentlab.errors import LatentLabError, SettingsError
from latentlab.session.background import Background
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.data.image_set import ImageSet

MOST_AXES = 4
GROUPED = ("race", "tone", "gender", "Male")
"""Attributes of which groups are made; of a set that has none of them others can be shared."""
TONES = ("asian", "white"), ("black", "brown")
"""The bundled faces' classes of ``race`` that are drawn light, and dark."""


@dataclass(frozen=True)
class Axis:
    """Two groups of a set between which a slider shares the faces: classes of one attribute."""

    attribute: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    first_name: str
    second_name: str

    def ratio(self, share: float) -> str:
        """Return the ratio that gives the first group this share."""
        one, other = "+".join(self.first), "+".join(self.second)
        return f"{self.attribute}={one}:{share:g},{other}:{round(1.0 - share, 6):g}"

    def share(self, ratios: Sequence[str]) -> float | None:
        """Return the first group's share in ratios; None where they do not say it of just these groups."""
        from latentlab.data.distribution import Ratio

        for text in ratios:
            try:
                ratio = Ratio.parse(text)
            except SettingsError:
                continue
            if ratio.attribute != self.attribute:
                continue
            shares = {frozenset(key.split("+")): share for key, share in ratio.shares.items()}
            first, second = frozenset(self.first), frozenset(self.second)
            if first in shares:
                return shares[first]
            if second in shares:
                return 1.0 - shares[second]
        return None


@dataclass(frozen=True)
class FacesFound:
    """What comes of ratios.

    Parameters
    ----------
    axes
        Between which groups shares can be set.
    groups
        By group, how many faces are trained on, and how many there are.
    total, there
        Faces that are trained on, and that there are.
    wrong
        Why there are none; empty where there are.
    shares
        The first group's share of each axis in the set as it is.
    """

    axes: tuple[Axis, ...] = ()
    groups: dict[str, tuple[int, int]] = field(default_factory=dict)
    total: int = 0
    there: int = 0
    wrong: str = ""
    shares: tuple[float, ...] = ()


@dataclass(frozen=True)
class FacesWanted:
    """Which faces are wanted: as `latentlab.training.detection_task.open_detection` takes them."""

    data: str
    ratios: tuple[str, ...]
    count: int
    seed: int
    image_size: int


class FaceCounts:
    """Counts the faces of a wish on a thread of its own; the newest wish wins.

    Attributes
    ----------
    changed
        What comes of the newest wish is there (`found`).
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        self._background = Background(workspace.rendering.post, "train-faces")
        self._sets: dict[tuple[str, int], ImageSet] = {}
        self._wanted: FacesWanted | None = None
        self.found = FacesFound()
        self.waiting = False

    def want(self, wanted: FacesWanted | None) -> None:
        """Count the faces of another wish; None for none."""
        if wanted == self._wanted:
            return
        self._wanted, self.waiting = wanted, wanted is not None
        if wanted is None:
            return

        def have(found: FacesFound | Message) -> None:
            if wanted is not self._wanted:
                return
            self.waiting = False
            self.found = FacesFound(wrong=found.text) if isinstance(found, Message) else found
            self.changed.emit()

        self._background.do(partial(self._count, wanted), have, "The faces could not be counted")

    def close(self) -> None:
        """Stop its thread."""
        self._wanted = None
        self._background.close(drop=True)

    def _count(self, wanted: FacesWanted) -> FacesFound:
        if wanted is not self._wanted:
            return FacesFound()  # nobody waits for it any more
        from latentlab.data.catalog import open_set

        key = wanted.data, wanted.image_size
        if key not in self._sets:
            self._sets = {key: open_set(f"{wanted.data}:train", wanted.image_size)}
        return count_faces(self._sets[key], wanted)


def count_faces(faces: ImageSet, wanted: FacesWanted) -> FacesFound:
    """Return what comes of a wish in a split of faces."""
    from latentlab.data.distribution import Distribution
    from latentlab.data.resample import resample
    from latentlab.training.detection_task import with_tones

    axes = axes_of(faces)
    known = {one.name for one in with_tones(faces).info.attributes}
    names = next((names for names in (("tone", "gender"), ("gender",)) if set(names) <= known), ())
    there = _groups(faces, names)
    shares = tuple(_share(faces, axis) for axis in axes)
    try:
        chosen = faces
        if wanted.ratios or wanted.count:
            chosen = resample(faces, Distribution.parse(wanted.ratios), wanted.count or None, wanted.seed)
    except LatentLabError as error:
        empty = {name: (0, n) for name, n in there.items()}
        return FacesFound(axes, empty, 0, len(faces), str(error), shares)
    now = _groups(chosen, names)
    groups = {name: (now.get(name, 0), n) for name, n in there.items()}
    return FacesFound(axes, groups, len(chosen), len(faces), "", shares)


def axes_of(faces: ImageSet) -> tuple[Axis, ...]:
    """Return between which groups of a set shares can be set: light and dark faces, and attributes of two."""
    found = []
    for one in faces.info.attributes:
        if one.kind != "categorical":
            continue
        if one.name == "race" and set(one.classes) == {*TONES[0], *TONES[1]}:
            found.append(Axis(one.name, *TONES, "light", "dark"))
        elif len(one.classes) == 2:
            second, first = one.classes
            called = {"yes": one.name, "no": f"no {one.name}"}
            names = [called.get(label, label).replace("_", " ") for label in (first, second)]
            found.append(Axis(one.name, (first,), (second,), names[0], names[1]))
    usual = [axis for name in GROUPED for axis in found if axis.attribute == name]
    return tuple(usual or found[:MOST_AXES])


def _groups(faces: ImageSet, names: tuple[str, ...]) -> dict[str, int]:
    from latentlab.training.detection_task import with_tones

    if not names:
        return {}
    return {name: len(rows) for name, rows in with_tones(faces).groups(list(names)).items()}


def _share(faces: ImageSet, axis: Axis) -> float:
    codes = faces.codes(axis.attribute)
    attribute = faces.attribute(axis.attribute)
    first = sum(int((codes == attribute.index(label)).sum()) for label in axis.first)
    known = int((codes >= 0).sum())
    return first / known if known else 0.0
