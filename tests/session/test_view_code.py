"""The programs that the views give away: they run, and make what the view shows."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set
from latentlab.operations.direction import unit_direction
from latentlab.operations.explore import Explorer
from latentlab.operations.grid_plan import plane, strips
from latentlab.operations.latents import ranking
from latentlab.operations.make_map import make_map
from latentlab.operations.map_file import load_map
from latentlab.operations.probe import probe
from latentlab.session.document import AxisRef, CheckpointRef, Document, Explore, GridView, ProbeView, Shelf
from latentlab.session.python_code import explore_code
from latentlab.session.view_code import view_code

WAY = unit_direction('it\'s "big", 3\n', np.linspace(-1, 1, 8), 0.3)
ANOTHER = unit_direction("another", np.ones(8), 2.0)


def run(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    exec(compile(code, "copied", "exec"), names)
    return names


@pytest.fixture
def explorer(tiny_model_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, tiny_predictor_folder)


@pytest.fixture
def document(explorer: Explorer, tiny_model_folder: Path, tiny_predictor_folder: Path) -> Document:
    start = explorer.draw(1)
    sha256 = explorer.located.sha256()
    reference = CheckpointRef(str(tiny_model_folder), "tiny-vae", sha256, str(tiny_predictor_folder))
    explore = Explore(start, explorer.change(start, {2: 1.25, 5: -0.1}))
    shelf = Shelf(directions=(WAY, ANOTHER))
    return Document(reference, explore, explorer.threads, {sha256: shelf})


def with_grid(document: Document, view: GridView) -> Document:
    return document.with_shelf(replace(document.shelf, grid=view))


@pytest.mark.parametrize(
    "view",
    [
        GridView(steps=2),
        GridView("strips", (AxisRef(3),), 3),
        GridView("strips", (AxisRef(3), AxisRef(direction=WAY.name), AxisRef(direction="another")), 2, 4.5),
        GridView("plane", (AxisRef(direction=WAY.name), AxisRef(0)), 2),
        GridView("plane", (AxisRef(6), AxisRef(1), AxisRef(2)), 2),
    ],
)
def test_the_program_of_a_grid_plans_and_renders_what_is_shown(
    document: Document, explorer: Explorer, view: GridView, tmp_path: Path, monkeypatch
) -> None:
    names = run(view_code("grid", with_grid(document, view)), tmp_path, monkeypatch)
    axes = [document.shelf.direction(a.direction) or a.dimension for a in view.axes]
    latent, reach = document.explore.latent, view.reach or None
    if view.kind == "plane":
        plan = plane(explorer.spec, latent, *axes[:2], view.steps, reach=reach)
    else:
        plan = strips(explorer.spec, latent, axes, view.steps, reach=reach)
    np.testing.assert_array_equal(names["plan"].latents, plan.latents)
    assert names["plan"].row_labels == plan.row_labels
    for picture, wanted in zip(names["series"].pictures, plan.latents, strict=True):
        np.testing.assert_array_equal(picture, explorer.picture(wanted))
    assert (tmp_path / "grid.png").is_file()


def test_the_programs_leave_locked_dimensions_as_they_are(
    document: Document, explorer: Explorer, tmp_path: Path, monkeypatch
) -> None:
    axis = AxisRef(direction="another")
    shelf = replace(document.shelf, locked=frozenset({5, 1}), grid=GridView("strips", (axis,), 2))
    document = document.with_shelf(replace(shelf, probe=ProbeView(axis, "race")))
    names = run(view_code("grid", document), tmp_path, monkeypatch)
    expected = strips(explorer.spec, document.explore.latent, [ANOTHER], 2, locked={1, 5})
    np.testing.assert_array_equal(names["plan"].latents, expected.latents)
    np.testing.assert_array_equal(expected.latents[:, 5], document.explore.latent[[5, 5]])
    assert "start, locked=[1, 5])" in view_code("probe", document)
    only = document.with_shelf(replace(shelf, probe=ProbeView(AxisRef(4), "race")))
    assert "locked" not in view_code("probe", only)


def test_a_plane_that_is_none_and_a_map_that_is_not_there_have_no_program(document: Document) -> None:
    lost = (AxisRef(3), AxisRef(direction="gone"))
    assert view_code("grid", with_grid(document, GridView("plane", lost))) == ""
    assert view_code("map", document) == ""
    for view in ("picture", "grid", "probe", "map"):
        assert view_code(view, Document()) == ""


def test_a_direction_that_is_gone_is_left_out_of_the_strips(document: Document) -> None:
    view = GridView("strips", (AxisRef(3), AxisRef(direction="gone")), 2)
    code = view_code("grid", with_grid(document, view))
    assert "strips(explorer.spec, latent, [3], steps=2)" in code
    assert "Direction" not in code


@pytest.mark.parametrize("axis", [AxisRef(-1), AxisRef(4), AxisRef(direction=WAY.name)])
def test_the_program_of_the_probe_measures_what_is_shown(
    document: Document, explorer: Explorer, axis: AxisRef, tmp_path: Path, monkeypatch
) -> None:
    shelf = replace(document.shelf, probe=ProbeView(axis, "race"))
    names = run(view_code("probe", document.with_shelf(shelf)), tmp_path, monkeypatch)
    along = shelf.direction(axis.direction) or (
        axis.dimension if axis.dimension >= 0 else int(ranking(explorer.spec)[0])
    )
    state = document.explore
    expected = probe(explorer, state.latent, along, state.start, count=0)
    for name, curve in expected.curve.items():
        np.testing.assert_array_equal(names["curves"].curve[name], curve)
    assert names["curves"].bands["race"].count == 200
    with (tmp_path / "probe.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == 1 + 25 * 10


def test_the_program_of_the_map_makes_it_again(
    document: Document, explorer: Explorer, tiny_faces: ImageSet, tmp_path: Path, monkeypatch
) -> None:
    folder = copy_image_set(tmp_path / "faces", tiny_faces.select(np.arange(20)))
    found = make_map(explorer, open_set(folder, 32), str(folder), tsne=False)
    names = run(view_code("map", document, found), tmp_path, monkeypatch)
    again = load_map(tmp_path / "map.safetensors")
    assert again.info.fingerprint == found.info.fingerprint
    np.testing.assert_array_equal(names["places"], found.places["pca"])
    np.testing.assert_array_equal(names["here"], found.place_of("pca", document.explore.latent))


def test_the_picture_has_the_program_of_the_explore_screen(document: Document) -> None:
    expected = explore_code(document.checkpoint, document.explore, document.threads)
    assert view_code("picture", document) == expected


def test_the_programs_import_only_what_they_use(document: Document) -> None:
    for view in ("grid", "probe"):
        code = view_code(view, document)
        imported = [line.split(" import ")[1] for line in code.splitlines() if line.startswith("from ")]
        assert imported
        assert all(code.count(name) > 1 for name in imported), code
