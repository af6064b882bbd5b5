"""The map used by hand: what was stopped or has failed is said and waits for a person; no stale points."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from hands import choose, drag_slider, error_of
from PySide6.QtWidgets import QFileDialog

from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set
from latentlab.operations.explore import Explorer
from latentlab.operations.make_map import make_map
from latentlab.operations.map_file import map_path
from latentlab.session.document import MapView


@pytest.fixture
def known_folder(tiny_faces: ImageSet, tiny_model_folder: Path, tmp_path: Path) -> Path:
    """40 faces whose map, without t-SNE, is in the cache already."""
    few = tiny_faces.select(np.arange(40))
    folder = copy_image_set(tmp_path / "known", few)
    explorer = Explorer.open(tiny_model_folder, "")
    out = map_path(explorer.located.sha256(), str(folder), 10_000, 0)
    make_map(explorer, few, str(folder), tsne=False, out=out)
    return folder


@pytest.fixture
def page(driver: Driver, known_folder: Path):
    """The map's page, shown, with the points of the known set."""
    driver.screen.show_view("map")
    driver.screen.intents.shelf.set_map(MapView(data=str(known_folder)))
    driver.wait(lambda: driver.screen.map.data.phase == "ready")
    assert len(driver.screen.map.canvas._places) == 40
    return driver.screen.map


def show(driver: Driver, **changed: object) -> None:
    shelf = driver.screen.intents.shelf
    shelf.set_map(replace(shelf.shelf.map, **changed))


def test_another_set_is_not_shown_by_the_points_of_the_former_one(driver: Driver, page) -> None:
    phases = []
    page.data.changed.connect(lambda: phases.append((page.data.phase, len(page.canvas._places))))
    show(driver, data="/nowhere/set")
    assert page.data.phase == "looking"
    assert len(page.canvas._places) == 0
    driver.wait(lambda: page.data.phase == "failed")
    assert {count for _, count in phases} == {0}
    assert "There is no image set" in page.canvas.accessibleDescription()
    assert not error_of(driver), "the middle of the map says it"


def test_another_model_is_not_shown_by_the_points_of_the_former_one(
    driver: Driver, page, idle_model_folder: Path
) -> None:
    driver.workspace.open_checkpoint(str(idle_model_folder), "")
    driver.wait(lambda: driver.workspace.in_step and driver.workspace.opened.name == "idle-vae")
    assert len(page.canvas._places) == 0


def test_the_table_of_the_map_needs_no_predictor(driver: Driver, page, tmp_path: Path, monkeypatch) -> None:
    opened = driver.workspace.opened
    driver.workspace.open_checkpoint(opened.path, "")
    driver.wait(lambda: driver.workspace.in_step and driver.workspace.opened.predictor is None)
    table, figure = (driver.window.actions_table[name] for name in ("export_table", "export_figure"))
    assert table.isEnabled()
    driver.wait(lambda: page.data.phase == "ready")
    path = tmp_path / "map.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_arguments: (str(path), ""))
    table.trigger()
    driver.wait(path.exists)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 41
    driver.window.show_screen("counterfactuals")
    assert not table.isEnabled(), "that is for the view that is looked at"
    driver.window.show_screen("explore")
    assert table.isEnabled()
    driver.screen.show_view("picture")
    assert not table.isEnabled()
    assert "No attribute predictor fits this model." in table.toolTip()
    assert figure.isEnabled()
    driver.screen.show_view("probe")
    assert not figure.isEnabled()
    driver.wait(lambda: not driver.window.exports.busy)


def test_a_tsne_that_fails_is_said_and_tried_again_only_by_its_button(
    driver: Driver, page, known_folder: Path, tmp_path: Path
) -> None:
    aside = Path(shutil.move(known_folder, tmp_path / "aside"))
    choose(page._layout, "t-SNE")
    driver.wait(lambda: page.data.phase == "failed")
    assert len(page.canvas._places) == 40, "the components stay"
    assert "The map was not finished: There is no image set" in error_of(driver)
    assert page.canvas._progress == (page.data.message, None)
    assert page._again.isVisible()
    assert not page._stop.isVisible()
    driver.window.banner.dismiss()
    drag_slider(driver, driver.list.row(3).slider)
    driver.rest()
    assert page.data.phase == "failed", "a slider does not ask for it"
    assert not error_of(driver)
    shutil.move(aside, known_folder)
    page._again.click()
    assert not page._again.isVisible()
    driver.wait(lambda: page.data.phase == "ready")
    assert page.data.found.has_tsne
    assert page.canvas._progress is None
