"""Copy as Python for each view: a program that makes what is shown again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from latentlab.operations.direction import Direction
from latentlab.session.document import AxisRef, Document, Shelf
from latentlab.session.python_code import call, explore_code, opening

if TYPE_CHECKING:
    from latentlab.operations.latent_map import LatentMap


def view_code(view: str, document: Document, found: LatentMap | None = None) -> str:
    """Return the program for a view: ``picture``, ``grid``, ``probe`` or ``map``.

    Parameters
    ----------
    found
        The map of the encoded data, where there is one: of its latents the probe's mean is taken.

    Returns
    -------
    str
        Empty where nothing is open, or the view shows nothing: a plane without two axes, a map that is not
        there.
    """
    checkpoint, state = document.checkpoint, document.explore
    if checkpoint is None or state is None:
        return ""
    if view == "grid":
        return _grid(document)
    if view == "probe":
        return _probe(document, found)
    if view == "map":
        return _map(document, found)
    return explore_code(checkpoint, state, document.threads)


def _grid(document: Document) -> str:
    checkpoint, state, shelf = document.checkpoint, document.explore, document.shelf
    assert checkpoint is not None
    assert state is not None
    view, kind = shelf.grid, "plane" if shelf.grid.kind == "plane" else "strips"
    axes = _known(shelf, view.axes)
    if kind == "plane" and len(axes) < 2:
        return ""
    lines = opening(
        checkpoint,
        state,
        document.threads,
        [
            *_direction_import(axes),
            f"from latentlab.operations.grid_plan import {kind}",
            "from latentlab.operations.series import grid_series",
            "from pathlib import Path",
        ],
    )
    lines += _directions(axes)
    written = _written(axes)
    reach = f", reach={view.reach}" if view.reach else ""
    locked = _locked(shelf, axes)
    given = ", ".join(written[:2]) if kind == "plane" else f"[{', '.join(written)}]"
    lines.append(f"plan = {kind}(explorer.spec, latent, {given}, steps={view.steps}{reach}{locked})")
    condition = "" if state.condition is None else ", condition=condition"
    lines.append(
        f"series = grid_series(explorer, plan{condition})  # pictures, and attributes where predicted"
    )
    lines.append('series.save_sheet(Path("grid.png"))')
    return "\n".join(lines) + "\n"


def _probe(document: Document, found: LatentMap | None) -> str:
    checkpoint, state, shelf = document.checkpoint, document.explore, document.shelf
    assert checkpoint is not None
    assert state is not None
    axes = [] if shelf.probe.axis.condition else _known(shelf, [shelf.probe.axis])
    scale = shelf.probe.axis.condition
    lines = opening(
        checkpoint,
        state,
        document.threads,
        [
            *_direction_import(axes),
            *(["from latentlab.operations.latents import ranking"] if not axes and not scale else []),
            *(["from latentlab.operations.scale_axis import scale_axis"] if scale else []),
            "from latentlab.operations.probe import probe",
            "from pathlib import Path",
            *(_MAP_IMPORTS if found is not None else []),
        ],
    )
    lines += _directions(axes)
    axis = _written(axes)[0] if axes else "int(ranking(explorer.spec)[0])"
    if scale:
        axis = f"scale_axis(explorer.spec.condition, {scale!r})"
    data = "" if state.condition is None else ", condition=condition"
    if found is not None:
        lines += _making(found, tsne=False)
        data += ", data=found.latents"
        if state.condition is not None:
            data += ", data_conditions=found.conditions(explorer.spec.condition)"
    lines.append(f"curves = probe(explorer, latent, {axis}, start{data}{_locked(shelf, axes)})")
    lines.append('curves.save_table(Path("probe.csv"))')
    return "\n".join(lines) + "\n"


_MAP_IMPORTS = [
    "from latentlab.data.catalog import open_set",
    "from latentlab.operations.make_map import make_map",
]


def _map(document: Document, found: LatentMap | None) -> str:
    checkpoint, state = document.checkpoint, document.explore
    assert checkpoint is not None
    assert state is not None
    if found is None:
        return ""
    imports = [
        *_MAP_IMPORTS,
        "from latentlab.operations.map_file import save_map",
        "from pathlib import Path",
    ]
    lines = opening(checkpoint, state, document.threads, imports)
    layout = document.shelf.map.layout
    lines += _making(found, tsne=layout == "tsne")
    lines.append(f'places = found.places["{layout}"]  # [n, 2]')
    lines.append(f'here = found.place_of("{layout}", latent)')
    lines.append('save_map(Path("map.safetensors"), found)')
    return "\n".join(lines) + "\n"


def _making(found: LatentMap, tsne: bool) -> list[str]:
    return [
        f"images = open_set({found.info.data!r}, explorer.spec.image_size)",
        f"found = make_map(explorer, images, {found.info.data!r}, count={found.info.count}, tsne={tsne})",
    ]


def _known(shelf: Shelf, axes: Sequence[AxisRef]) -> list[AxisRef | Direction]:
    found: list[AxisRef | Direction] = []
    for axis in axes:
        direction = shelf.direction(axis.direction) if axis.direction else None
        if direction is not None:
            found.append(direction)
        elif not axis.direction and axis.dimension >= 0:
            found.append(axis)
    return found


def _direction_import(axes: Sequence[AxisRef | Direction]) -> list[str]:
    some = any(isinstance(axis, Direction) for axis in axes)
    return ["from latentlab.operations.direction import Direction"] if some else []


def _directions(axes: Sequence[AxisRef | Direction]) -> list[str]:
    lines = []
    for axis, name in zip(axes, _written(axes), strict=True):
        if isinstance(axis, Direction):
            head = (
                f"{name} = Direction(name={axis.name!r}, sigma={axis.sigma!r}, reach={axis.reach!r}, vector="
            )
            lines.append(call(head, ", ".join(repr(value) for value in axis.vector)))
    return lines


def _locked(shelf: Shelf, axes: Sequence[AxisRef | Direction]) -> str:
    """Return what stands in a call for the dimensions that directions leave as they are."""
    some = any(isinstance(axis, Direction) for axis in axes)
    return f", locked={sorted(shelf.locked)}" if some and shelf.locked else ""


def _written(axes: Sequence[AxisRef | Direction]) -> list[str]:
    """Return how each axis stands in the program: a dimension's number, or the name of a variable."""
    return [
        str(axis.dimension) if isinstance(axis, AxisRef) else f"direction_{place + 1}"
        for place, axis in enumerate(axes)
    ]
