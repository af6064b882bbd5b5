"""Reading a saved shelf: each pin, direction, group and view by itself, and all of one latent's size."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace

import numpy as np

from latentlab.errors import ImageError
from latentlab.operations.direction import UNIT, Direction
from latentlab.operations.sample_plan import MOST_ROWS
from latentlab.session.document import (
    AxisRef,
    CounterfactualView,
    GridView,
    Group,
    LatentRef,
    ManyView,
    MapView,
    PathView,
    Pin,
    ProbeView,
    ProjectionView,
    SampleRow,
    SamplesView,
    SearchPicture,
    SearchView,
    Shelf,
    StripView,
)
from latentlab.session.saved_parts import (
    AxisPart,
    CounterfactualPart,
    DirectionPart,
    GridPart,
    GroupPart,
    LatentRefPart,
    ManyPart,
    MapPart,
    PathPart,
    PinPart,
    ProbePart,
    ProjectionPart,
    Salvage,
    SampleRowPart,
    SamplesPart,
    SearchPart,
    SearchPicturePart,
    StripPart,
)
from latentlab.session.saved_picture import picture_of
from latentlab.session.shelf import free_name


def read_shelf(data: object, salvage: Salvage, sizes: Counter[int], of: str = "") -> Shelf | None:
    """Return a shelf without what is damaged; None where nothing can be read.

    Parameters
    ----------
    sizes
        How often each latent size has been seen; those of the shelf are added. What is not of the most
        frequent one is left out.
    of
        Whose shelf it is, for the notes.
    """
    given = salvage.fields(data, {field.name for field in fields(Shelf)}, f"the shelf{of}")
    if given is None:
        return None
    pins = salvage.each(given.get("pins", ()), lambda one, what: _pin(one, what, salvage), "pin", of)
    directions = salvage.each(
        given.get("directions", ()), lambda one, what: _direction(one, what, salvage), "direction", of
    )
    groups = salvage.each(given.get("groups", ()), lambda one, what: _group(one, what, salvage), "group", of)
    shelf = Shelf(
        pins=tuple(pins),
        directions=tuple(directions),
        groups=tuple(groups),
        locked=_locked(given.get("locked", ()), salvage, of),
        compared=_compared(given.get("compared", ""), salvage, of),
        grid=_grid(given.get("grid", {}), salvage, of),
        path=_path(given.get("path", {}), salvage, of),
        probe=_probe(given.get("probe", {}), salvage, of),
        map=_map(given.get("map", {}), salvage, of),
        counterfactual=_counterfactual(given.get("counterfactual", {}), salvage, of),
        projection=_projection(given.get("projection", {}), salvage, of),
        many=_many(given.get("many", {}), salvage, of),
        samples=_samples(given.get("samples", {}), salvage, of),
        search=_search(given.get("search", {}), salvage, of),
    )
    shelf = _with_own_names(shelf)
    sizes.update(pin.latent.size for pin in shelf.pins)
    sizes.update(len(one.vector) for one in shelf.directions)
    sizes.update(group.mean.size for group in shelf.groups)
    return fitted(shelf, sizes.most_common(1)[0][0] if sizes else None, salvage, of)


def fitted(shelf: Shelf, size: int | None, salvage: Salvage, of: str = "") -> Shelf:
    """Return what of a shelf belongs to latents of a size (None if it is not known) and to one another."""

    def fits(found: int, what: str) -> bool:
        if size is not None and found != size:
            salvage.say(what, f"it has {found} numbers, a latent of the model has {size}")
            return False
        return True

    pins = tuple(pin for pin in shelf.pins if fits(pin.latent.size, f"the pin {pin.name}{of}"))
    directions = tuple(
        one for one in shelf.directions if fits(len(one.vector), f"the direction {one.name}{of}")
    )
    groups = tuple(group for group in shelf.groups if fits(group.mean.size, f"the group {group.name}{of}"))
    names = {one.name for one in directions}

    def leads(axis: AxisRef, what: str) -> bool:
        if axis.direction and axis.direction not in names:
            salvage.say(what, f"there is no direction {axis.direction}")
            return False
        if size is not None and axis.dimension >= size:
            salvage.say(what, f"there is no dimension {axis.dimension}")
            return False
        return True

    locked = frozenset(k for k in shelf.locked if size is None or k < size)
    if locked != shelf.locked:
        salvage.say(f"locked dimensions{of}", f"there are {size} dimensions, counted from 0")
    compared = shelf.compared
    if compared and compared not in {pin.name for pin in pins}:
        salvage.say(f"the comparison with {compared}{of}", "there is no such pin")
        compared = ""
    axes = tuple(axis for axis in shelf.grid.axes if leads(axis, f"an axis of the grid{of}"))
    probe = shelf.probe
    if not leads(probe.axis, f"the axis of the probe{of}"):
        probe = ProbeView(attribute=probe.attribute)
    return replace(
        shelf,
        pins=pins,
        directions=directions,
        groups=groups,
        locked=locked,
        compared=compared,
        grid=shelf.grid if axes == shelf.grid.axes else replace(shelf.grid, axes=axes),
        probe=probe,
    )


def _pin(data: object, what: str, salvage: Salvage) -> Pin | None:
    part = salvage.part(PinPart, data, what)
    return None if part is None else Pin(**dict(part))


def _group(data: object, what: str, salvage: Salvage) -> Group | None:
    part = salvage.part(GroupPart, data, what)
    if part is None:
        return None
    rows = np.array(part.rows, dtype=np.int64)
    if len(rows) not in (0, part.count):
        salvage.say(f"the rows of {what}", f"there are {len(rows)} of {part.count}")
        rows = rows[:0]
    return Group(**{**dict(part), "rows": rows})


def _direction(data: object, what: str, salvage: Salvage) -> Direction | None:
    part = salvage.part(DirectionPart, data, what)
    if part is None:
        return None
    if abs(float(np.linalg.norm(part.vector)) - 1.0) > UNIT:
        salvage.say(what, "its vector is not of length 1")
        return None
    return Direction(**dict(part))


def _locked(data: object, salvage: Salvage, of: str) -> frozenset[int]:
    if not isinstance(data, (list, tuple)) or any(type(k) is not int or k < 0 for k in data):
        salvage.say(f"the locked dimensions{of}", "a list of dimensions is expected")
        return frozenset()
    return frozenset(data)


def _compared(data: object, salvage: Salvage, of: str) -> str:
    if not isinstance(data, str):
        salvage.say(f"the comparison{of}", "the name of a pin is expected")
        return ""
    return data


def _axis(data: object, what: str, salvage: Salvage) -> AxisRef | None:
    part = salvage.part(AxisPart, data, what)
    return None if part is None else AxisRef(**dict(part))


def _grid(data: object, salvage: Salvage, of: str) -> GridView:
    part = salvage.part(GridPart, data, f"the grid's settings{of}")
    if part is None:
        return GridView()
    axes = salvage.each(part.axes, lambda one, what: _axis(one, what, salvage), "axis of the grid", of)
    return GridView(**{**dict(part), "axes": tuple(axes)})


def _counterfactual(data: object, salvage: Salvage, of: str) -> CounterfactualView:
    part = salvage.part(CounterfactualPart, data, f"the settings of the counterfactuals{of}")
    return CounterfactualView() if part is None else CounterfactualView(**dict(part))


def _projection(data: object, salvage: Salvage, of: str) -> ProjectionView:
    part = salvage.part(ProjectionPart, data, f"the settings of the projections{of}")
    return ProjectionView() if part is None else ProjectionView(**dict(part))


def _samples(data: object, salvage: Salvage, of: str) -> SamplesView:
    part = salvage.part(SamplesPart, data, f"the settings of the samples{of}")
    if part is None:
        return SamplesView()
    usual = SamplesView()
    rows = usual.rows
    if part.rows is not None:
        read = salvage.each(part.rows, lambda one, what: _sample_row(one, what, salvage), "sample", of)
        rows = tuple(read[:MOST_ROWS]) or rows
        if len(read) > MOST_ROWS:
            salvage.say(f"rows of the samples{of}", f"there are {len(read)}; {MOST_ROWS} are shown at most")
    strip = usual.strip if part.strip is None else _strip(part.strip, salvage, of)
    return SamplesView(rows, part.truncation, part.with_input, strip)


def _sample_row(data: object, what: str, salvage: Salvage) -> SampleRow | None:
    part = salvage.part(SampleRowPart, data, what)
    return None if part is None else SampleRow(**dict(part))


def _strip(data: object, salvage: Salvage, of: str) -> StripView:
    what = f"the strip of the samples{of}"
    part = salvage.part(StripPart, data, what)
    if part is None:
        return StripView()
    usual, ends = StripView(), {}
    for name in ("start", "end"):
        given = getattr(part, name)
        ref = None if given is None else salvage.part(LatentRefPart, given, f"the {name} of {what}")
        ends[name] = getattr(usual, name) if ref is None else LatentRef(**dict(ref))
    return StripView(**{**dict(part), **ends})


def _search(data: object, salvage: Salvage, of: str) -> SearchView:
    part = salvage.part(SearchPart, data, f"the settings of the search{of}")
    if part is None:
        return SearchView()
    own = None if part.own is None else _search_picture(part.own, f"the picture of the search{of}", salvage)
    return SearchView(**{**dict(part), "own": own})


def _search_picture(data: object, what: str, salvage: Salvage) -> SearchPicture | None:
    part = salvage.part(SearchPicturePart, data, what)
    if part is None:
        return None
    try:
        return SearchPicture(part.name, picture_of(part.pixels), part.small)
    except ImageError as error:
        salvage.say(what, str(error))
        return None


def _many(data: object, salvage: Salvage, of: str) -> ManyView:
    part = salvage.part(ManyPart, data, f"the settings of the many pictures{of}")
    return ManyView() if part is None else ManyView(**dict(part))


def _path(data: object, salvage: Salvage, of: str) -> PathView:
    part = salvage.part(PathPart, data, f"the path's settings{of}")
    return PathView() if part is None else PathView(**dict(part))


def _probe(data: object, salvage: Salvage, of: str) -> ProbeView:
    part = salvage.part(ProbePart, data, f"the probe's settings{of}")
    if part is None:
        return ProbeView()
    axis = None if part.axis is None else _axis(part.axis, f"the axis of the probe{of}", salvage)
    return ProbeView(attribute=part.attribute) if axis is None else ProbeView(axis, part.attribute)


def _map(data: object, salvage: Salvage, of: str) -> MapView:
    part = salvage.part(MapPart, data, f"the map's settings{of}")
    return MapView() if part is None else MapView(**dict(part))


def _with_own_names(shelf: Shelf) -> Shelf:
    """Return the shelf with a number after each name that stands there twice."""
    pins: list[Pin] = []
    for pin in shelf.pins:
        pins.append(replace(pin, name=free_name(pin.name, (one.name for one in pins))))
    directions: list[Direction] = []
    for direction in shelf.directions:
        name = free_name(direction.name, (one.name for one in directions))
        directions.append(direction.model_copy(update={"name": name}))
    groups: list[Group] = []
    for group in shelf.groups:
        groups.append(replace(group, name=free_name(group.name, (one.name for one in groups))))
    return replace(shelf, pins=tuple(pins), directions=tuple(directions), groups=tuple(groups))
