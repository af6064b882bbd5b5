"""The Counterfactuals screen by hand: rows, tables and pages, exports, other models, undo across screens."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from hands import LEFT, choose, drag_slider, error_of, undo, wheel, write
from PIL import Image
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QApplication, QComboBox

from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set
from latentlab.errors import SettingsError
from latentlab.operations.counterfactual import counterfactuals_of_latent
from latentlab.operations.explore import Explorer
from latentlab.session.document import CounterfactualView
from latentlab.ui import dialogs
from latentlab.ui.widgets.counterfactual_form import NONE, THIS_PICTURE


@pytest.fixture
def explorer(tiny_cvae_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_cvae_folder, tiny_predictor_folder)


@pytest.fixture
def screen(told):
    told.window.rail.button("Counterfactuals").click()
    rest(told)
    return told.window.counterfactuals


@pytest.fixture(scope="module")
def data(tiny_faces: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("sets") / "faces"
    return str(copy_image_set(folder, tiny_faces.select(np.arange(30))))


def rest(driver: Driver) -> None:
    """Wait until the Counterfactuals screen shows all that was asked for."""
    driver.wait(lambda: driver.workspace.in_step and driver.window.counterfactuals.at_rest)


def view(driver: Driver) -> CounterfactualView:
    return driver.workspace.session.document.shelf.counterfactual


def page_of(driver: Driver, data: str, **changes: object) -> None:
    """Show a page of a set, and wait for it."""
    wanted = {"data": data, "count": 3, **changes}
    driver.screen.intents.shelf.set_counterfactual(replace(view(driver), **wanted))
    maker = driver.window.counterfactuals.maker
    driver.wait(lambda: maker.page is not None or maker.failure)


def message(driver: Driver) -> str:
    found = driver.window.banner.message
    return "" if found is None else found.text


# The edited picture's


def test_the_rail_shows_the_screens(told) -> None:
    _, explore, counterfactuals, *_ = told.window.rail.buttons
    names = [button.accessibleName() for button in told.window.rail.buttons]
    assert names == [
        *("Start", "Explore", "Counterfactuals", "Analogies", "Audit", "Search", "Train", "Lessons")
    ]
    assert (explore.isChecked(), counterfactuals.isChecked()) == (True, False)
    told.qtbot.mouseClick(counterfactuals, LEFT)
    assert told.window.counterfactuals.isVisible()
    assert not told.window.explore.isVisible()
    assert (explore.isChecked(), counterfactuals.isChecked()) == (False, True)
    told.qtbot.mouseClick(counterfactuals, LEFT)
    assert counterfactuals.isChecked(), "the screen that is shown stays pressed"
    told.window.actions_table["screen_explore"].trigger()
    assert told.window.explore.isVisible()
    told.window.resize(960, 620)
    told.wait(lambda: explore.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly)
    told.rest()


def test_a_row_shows_every_class_and_what_changed(told, screen, explorer) -> None:
    choose(screen.form._attribute, "Race")
    rest(told)
    plan, found = screen.live.plan, screen.live.found
    assert plan.column_labels == ("asian", "black", "brown", "white")
    assert len(screen.grid.pixels) == 8
    np.testing.assert_array_equal(screen.grid.pixels[:4], found.pixels[:4])
    place = next(k for k in range(4) if k not in (plan.own, screen.selected))
    told.qtbot.mouseClick(screen.grid, LEFT, pos=screen.grid.cell_area(4 + place).center())
    assert screen.selected == place
    detail = screen.detail.detail
    assert detail.targets == {"race": plan.column_labels[place]}
    np.testing.assert_array_equal(detail.pictures["after"], found.picture(place))
    np.testing.assert_array_equal(detail.pictures["before"], found.picture(-1))
    words = screen.detail._words.text()
    assert "Asked for" in words
    assert "of the pixels changed" in words
    bars = screen.attributes.bars
    assert {one.title for one in bars.series} == {"Before", "After"}
    explored = [explorer.picture(told.workspace.explore.state.latent, one) for one in plan.conditions]
    assert len({one.tobytes() for one in explored}) == 4
    choose(screen.form._attribute, "Glasses")
    rest(told)
    assert screen.selected != screen.live.plan.own


def test_a_table_goes_through_two_attributes(told, screen) -> None:
    choose(screen.form._attribute, "Race")
    choose(screen.form._second, "Glasses")
    rest(told)
    assert (screen.live.plan.rows, screen.live.plan.columns) == (4, 2)
    assert len(screen.grid.pixels) == 8
    told.qtbot.mouseClick(screen.grid, LEFT, pos=screen.grid.cell_area(5).center())
    assert screen.detail.detail.targets == {"race": "brown", "glasses": "yes"}
    choose(screen.form._attribute, "Glasses")
    rest(told)
    assert view(told).second == "", "an attribute goes with another one only"
    assert screen.form._second.currentText() == NONE
    assert screen.live.plan.rows == 1


def test_scale_and_threshold_are_dragged_as_one_step_each(told, screen) -> None:
    steps = len(told.workspace.session.history)
    rest(told)
    share = screen.detail.detail.change.share
    drag_slider(told, screen.form.scale.slider, 40)
    assert view(told).scale > 1.0
    assert len(told.workspace.session.history) == steps + 1
    rest(told)
    told.wait(lambda: screen.live.found.plan.scale == view(told).scale)
    assert "scale" in screen.detail._title.text()
    assert any("xtrapolation" in note for note in screen.detail.detail.notes)
    drag_slider(told, screen.form.threshold.slider, 90)
    assert len(told.workspace.session.history) == steps + 2
    assert view(told).threshold > 8.0
    assert screen.detail.detail.change.share < share or share == 0.0
    told.qtbot.mouseDClick(screen.form.scale.slider, LEFT)
    write(told, screen.form.threshold.spin, "8")
    assert view(told) == CounterfactualView()
    while len(told.workspace.session.history) > steps:
        undo(told)
    assert view(told) == CounterfactualView()
    rest(told)


def test_the_screen_follows_what_is_undone_in_explore(told, screen) -> None:
    told.window.show_screen("explore")
    told.rest()
    told.screen.panel.condition.blocks["gender"].flip.click()
    told.rest()
    told.window.show_screen("counterfactuals")
    told.wait(lambda: screen.live.plan.own is not None)
    rest(told)
    own, pixels = screen.live.plan.own, screen.live.found.pixels[-1].copy()
    undo(told)
    told.wait(lambda: screen.live.plan.own != own)
    rest(told)
    told.wait(lambda: not np.array_equal(screen.live.found.pixels[-1], pixels))
    assert told.workspace.explore.state.edited is False
    told.window.show_screen("explore")
    told.rest()


def test_use_in_explore_tells_the_decoder(told, screen) -> None:
    choose(screen.form._attribute, "Race")
    rest(told)
    plan, place = screen.live.plan, screen.selected
    told.qtbot.mouseClick(screen.detail.use, LEFT)
    assert told.window.screen_name == "explore"
    np.testing.assert_array_equal(told.workspace.explore.state.condition, plan.conditions[place])
    assert told.undo_name == f"Take the counterfactual {plan.names[place]}"
    told.rest()
    undo(told)
    assert not told.workspace.explore.state.edited
    told.rest()


def test_every_control_has_a_name_and_is_reached_by_the_tab_key(told, screen, data) -> None:
    kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox)
    for shown in ("", data):
        if shown:
            page_of(told, shown)
        controls = [
            widget
            for kind in kinds
            for widget in screen.findChildren(kind)
            if widget.isVisible()
            and not widget.objectName().startswith("qt_")
            and type(widget).__name__ != "QScrollBar"
        ]
        names = [widget.accessibleName() or widget.text() for widget in controls]
        assert all(names)
        assert len(set(names)) == len(names) >= 8
        told.window.activateWindow()
        told.wait(told.window.isActiveWindow)
        told.window.rail.button("Counterfactuals").setFocus()
        visited = []
        while QApplication.focusWidget() not in visited:
            visited.append(QApplication.focusWidget())
            told.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        assert not [name for one, name in zip(controls, names, strict=True) if one not in visited]
        assert screen.grid in visited
        order = [visited.index(one) for one in screen.form.controls if one.isVisible()]
        assert order == sorted(order)
    assert told.window.counterfactuals.grid.accessibleName() == "Counterfactuals"


def test_scrolling_the_form_changes_nothing(told, screen) -> None:
    told.window.activateWindow()
    told.window.rail.button("Counterfactuals").setFocus()
    before = told.workspace.session.document
    for control in screen.form.controls:
        wheel(control, -1, QPointF(8, 8))
    assert told.workspace.session.document is before


# A page


def test_a_page_is_chosen_looked_at_and_used(told, screen, data: str) -> None:
    page_of(told, data, attribute="race", target="black", count=5, side="both", scale=1.5)
    page = screen.maker.page
    assert len(screen.grid.pixels) == 2 * 8
    assert screen.detail.detail.targets == {"race": "black"}
    told.qtbot.mouseClick(screen.grid, LEFT, pos=screen.grid.cell_area(2).center())
    assert screen.selected == 2
    case = page.cases[2]
    np.testing.assert_array_equal(screen.detail.detail.pictures["after"], case.items[0].picture)
    assert case.name in screen.detail._title.text()
    told.qtbot.mouseClick(screen.grid, LEFT, pos=screen.grid.cell_area(7).center())
    assert screen.selected == 2, "there is none"
    told.qtbot.mouseClick(screen.detail.use, LEFT)
    state = told.workspace.explore.state
    told.wait(lambda: told.workspace.explore.state.source is not state.source)
    state = told.workspace.explore.state
    assert state.source.name == case.name
    np.testing.assert_array_equal(state.condition, case.items[0].condition)
    np.testing.assert_array_equal(state.told, case.items[0].condition)
    np.testing.assert_array_equal(state.start_condition, case.condition)
    found = state.source.encoded.reconstruction[..., 2::-1].astype(int)
    assert np.abs(found - case.reconstruction).max() <= 2
    told.rest()
    found = told.picture.astype(int)
    assert np.abs(found - case.items[0].picture).max() <= 2, "encoded live, drawn settled"
    undo(told)
    told.rest()


def test_while_a_page_is_being_made_nothing_of_other_settings_can_be_used(
    told, screen, data: str, monkeypatch
) -> None:
    from latentlab.data import catalog

    assert screen.live.found is not None
    page_of(told, data, attribute="race", count=8)
    told.qtbot.mouseClick(screen.grid, LEFT, pos=screen.grid.cell_area(5).center())
    assert screen.selected == 5
    go, opened = threading.Event(), catalog.open_set
    monkeypatch.setattr(catalog, "open_set", lambda *given: go.wait(60) and opened(*given))
    choose(screen.form._target, "Black")
    before = told.workspace.session.document
    assert screen.maker.busy
    assert not screen.detail.use.isVisible()
    assert screen.grid.pixels is None
    assert not screen.attributes.bars.series
    screen.use()
    assert told.workspace.session.document is before
    assert told.window.screen_name == "counterfactuals"
    go.set()
    told.wait(lambda: screen.maker.page is not None)
    assert screen.selected == 5
    assert screen.detail.use.isVisible()
    assert screen.detail.detail.targets == {"race": "black"}
    told.rest()


def test_the_faces_that_are_held_out_can_be_paged(told, screen) -> None:
    write(told, screen.form._data.lineEdit(), "faces:validation")
    write(told, screen.form._count, "2")
    assert (view(told).data, view(told).count) == ("faces:validation", 2)
    told.wait(lambda: screen.maker.page is not None and len(screen.maker.page.cases) == 2)
    assert "2 pictures of faces:validation." in screen._status.text()
    for box, text in ((screen.form._target, "Male"), (screen.form._side, "encoder")):
        choose(box, text)
    choose(screen.form._sort, "place in the set")
    write(told, screen.form._seed, "4")
    told.wait(lambda: screen.maker.page is not None)
    page, shown = screen.maker.page, view(told)
    assert (shown.target, shown.side, shown.sort, shown.seed) == ("male", "encoder", "set", 4)
    assert (page.target, page.sort, page.cases[0].side) == ("male", "set", "encoder")
    choose(screen.form._data, THIS_PICTURE)
    rest(told)
    assert view(told).data == ""
    assert not screen.form._target.isVisible()
    assert screen.live.found is not None
    assert screen._status.text() == ""


def test_a_set_that_there_is_not_is_said_and_can_be_tried_again(told, screen, data: str) -> None:
    page_of(told, "nonsense:set")
    assert "nonsense" in screen.grid._empty
    assert screen._again.isVisible()
    assert screen.grid.pixels is None
    assert not screen.attributes.bars.series
    told.screen.intents.shelf.set_counterfactual(replace(view(told), data=""))
    rest(told)
    assert not screen._again.isVisible()
    told.wait(lambda: screen.grid.pixels is not None)
    undo(told)
    assert "nonsense" in screen.grid._empty, "said again, not tried again"
    assert screen._again.isVisible()
    told.qtbot.mouseClick(screen._again, LEFT)
    assert screen.maker.busy
    assert not screen._again.isVisible()
    told.wait(lambda: not screen.maker.busy)
    assert screen._again.isVisible()
    told.qtbot.keyClick(screen.form._data.lineEdit(), Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    told.qtbot.keyClick(screen.form._data.lineEdit(), Qt.Key.Key_Backspace)
    told.qtbot.keyClick(screen.form._data.lineEdit(), Qt.Key.Key_Return)
    rest(told)
    assert screen.form._data.currentText() == THIS_PICTURE


def test_a_page_is_stopped_and_tried_again(told, screen, data: str, monkeypatch) -> None:
    from latentlab.data import catalog

    waits, go, opened = threading.Event(), threading.Event(), catalog.open_set

    def slow(*given: object, **named: object) -> ImageSet:
        waits.set()
        go.wait(60)
        return opened(*given, **named)

    monkeypatch.setattr(catalog, "open_set", slow)
    told.screen.intents.shelf.set_counterfactual(replace(view(told), data=data, count=2))
    told.wait(waits.is_set)
    assert screen._progress.isVisible()
    assert screen.grid.pixels is None
    told.qtbot.mouseClick(screen._stop, LEFT)
    assert not screen._stop.isVisible()
    assert not screen._progress.isVisible()
    assert "stopped" in screen.grid._empty
    told.qtbot.mouseClick(screen._again, LEFT)
    assert screen._progress.isVisible()
    go.set()
    told.wait(lambda: screen.maker.page is not None)
    assert not screen._progress.isVisible()
    assert not screen._again.isVisible()
    assert len(screen.grid.pixels) == 16


def test_a_page_that_is_left_for_the_edited_picture_leaves_nothing_behind(told, screen, data: str) -> None:
    told.screen.intents.shelf.set_counterfactual(replace(view(told), data=data, count=30))
    told.screen.intents.shelf.set_counterfactual(replace(view(told), data=""))
    rest(told)
    told.wait(lambda: screen.grid.pixels is not None)
    for widget in (screen._again, screen._stop, screen._progress):
        assert not widget.isVisible()
    assert screen._status.text() == ""
    undo(told)
    told.wait(lambda: screen.maker.page is not None)
    assert len(screen.maker.page.cases) == 30


# Other models


def test_another_model_while_one_looks(told, screen, tiny_model_folder: Path, data: str) -> None:
    page_of(told, data)
    told.workspace.open_checkpoint(str(tiny_model_folder))
    told.wait(lambda: told.workspace.opened.name == "tiny-vae")
    told.rest()
    assert told.window.screen_name == "explore"
    action = told.window.actions_table["screen_counterfactuals"]
    assert not action.isEnabled()
    assert "The open model is unconditional." in action.toolTip()
    assert not told.window.rail.button("Counterfactuals").isEnabled()
    undo(told)
    told.wait(lambda: told.workspace.opened.name == "tiny-cvae")
    told.rest()
    assert action.isEnabled()
    action.trigger()
    told.wait(lambda: screen.maker.page is not None)
    assert view(told).data == data
    assert error_of(told) == ""


def test_another_conditional_model_is_shown_at_once(told, screen, tiny_cvae_folder: Path, tmp_path) -> None:
    import torch

    from latentlab.checkpoints import save
    from latentlab.checkpoints.companion import load_model

    opened = load_model(tiny_cvae_folder)
    with torch.no_grad():
        opened.network.from_condition.weight.mul_(-1.0)
    config = opened.located.config.model_copy(update={"name": "other-cvae"})
    save(tmp_path / "other-cvae", opened.network, config)
    before = screen.live.found
    told.workspace.open_checkpoint(str(tmp_path / "other-cvae"))
    told.wait(lambda: told.workspace.opened.name == "other-cvae")
    assert told.window.screen_name == "counterfactuals"
    told.wait(lambda: screen.live.found not in (None, before))
    rest(told)
    assert not np.array_equal(screen.live.found.pixels, before.pixels)
    assert screen.isEnabled()


# Exports


@pytest.fixture
def target(tmp_path: Path, monkeypatch):
    """Answer the dialog that asks where to save."""

    def answer(name: str) -> Path:
        monkeypatch.setattr(dialogs, "ask_target", lambda _window, _name: tmp_path / name)
        return tmp_path / name

    return answer


def saved(driver: Driver, path: Path) -> Path:
    driver.wait(lambda: message(driver) == f"Saved as {path}.")
    return path


def test_picture_figure_and_table_of_a_row_are_settled(told, screen, explorer, target) -> None:
    choose(screen.form._attribute, "Race")
    rest(told)
    state, place = told.workspace.explore.state, screen.selected
    expected = counterfactuals_of_latent(explorer, state.latent, state.condition, "race")
    path = target("one.png")
    told.window.actions_table["export_picture"].trigger()
    with Image.open(saved(told, path)) as picture:
        np.testing.assert_array_equal(np.array(picture), expected.items[place].picture)
    path = target("all.png")
    told.window.actions_table["export_figure"].trigger()
    with Image.open(saved(told, path)) as picture:
        assert picture.width > 4 * 32
    path = target("all.csv")
    told.window.actions_table["export_table"].trigger()
    with saved(told, path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["counterfactual"] for row in rows} == {item.name for item in expected.items}
    told.window.actions_table["copy_picture"].trigger()
    told.wait(lambda: message(told) == "The counterfactual was copied.")
    image = QApplication.clipboard().image()
    found = expected.items[place].picture
    colour = image.pixelColor(5, 9)
    assert (colour.red(), colour.green(), colour.blue()) == tuple(found[9, 5].tolist())


def test_a_page_is_exported_as_it_is(told, screen, data: str, target) -> None:
    page_of(told, data, attribute="glasses")
    page = screen.maker.page
    path = target("page.png")
    told.window.actions_table["export_figure"].trigger()
    saved(told, path)
    path = target("page.csv")
    told.window.actions_table["export_table"].trigger()
    with saved(told, path).open(encoding="utf-8", newline="") as file:
        assert {row["picture"] for row in csv.DictReader(file)} == {case.name for case in page.cases}
    path = target("case.png")
    told.window.actions_table["export_picture"].trigger()
    with Image.open(saved(told, path)) as picture:
        np.testing.assert_array_equal(np.array(picture), page.cases[screen.selected].items[0].picture)


def test_closing_waits_for_a_row_that_is_to_be_saved(told, screen, target) -> None:
    path = target("row.png")
    told.window.actions_table["export_figure"].trigger()
    assert told.window.counterfactual_exports.rendering
    assert not told.window.close()
    told.wait(lambda: not told.window.isVisible())
    with Image.open(path) as picture:
        assert picture.width > 32


def test_a_row_that_cannot_be_made_is_said_and_the_window_stays(told, screen, target, monkeypatch) -> None:
    def fail(*_given: object) -> Explorer:
        raise SettingsError("The model has gone.")

    monkeypatch.setattr(screen.maker, "_opened", fail)
    path = target("row.png")
    told.window.actions_table["export_figure"].trigger()
    assert not told.window.close()
    told.wait(lambda: error_of(told) == "The model has gone.")
    assert told.window.isVisible(), "a person should read so"
    assert not told.window.counterfactual_exports.rendering
    assert not path.exists()


def test_without_a_predictor_there_are_figure_and_table_too(
    qtbot, make_window, tiny_cvae_folder: Path, face: Path, target
) -> None:
    told = Driver(qtbot, make_window())
    told.workspace.open_checkpoint(str(tiny_cvae_folder), "")
    told.workspace.bring_file(face)
    told.rest()
    table = told.window.actions_table["export_table"]
    assert not table.isEnabled()
    told.window.show_screen("counterfactuals")
    rest(told)
    assert "no predictor judges" in told.window.counterfactuals.detail._words.text()
    path = target("row.csv")
    assert table.isEnabled()
    table.trigger()
    with saved(told, path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["counterfactual"] for row in rows] == ["gender=female", "gender=male"]
    assert all(float(row["changed_share"]) >= 0.0 for row in rows)
    path = target("row.png")
    told.window.actions_table["export_figure"].trigger()
    saved(told, path)


def test_what_is_not_there_yet_is_not_exported(told, screen, target) -> None:
    page_of(told, "nonsense:set")
    for action in ("export_picture", "export_figure", "export_table", "copy_picture"):
        told.window.banner.dismiss()
        path = target("none.png")
        told.window.actions_table[action].trigger()
        assert "There are no counterfactuals yet" in error_of(told)
        assert not path.exists()


def test_copy_as_python_is_of_the_screen_that_is_shown(told, screen) -> None:
    choose(screen.form._attribute, "Glasses")
    copy = told.window.actions_table["copy_python"]
    copy.trigger()
    text = QApplication.clipboard().text()
    assert "counterfactuals_of_latent(explorer, latent, condition, 'glasses'" in text
    told.window.show_screen("explore")
    copy.trigger()
    assert "explorer.picture(latent, condition)" in QApplication.clipboard().text()
    told.rest()


def test_the_path_is_played_on_the_explore_screen(told, screen) -> None:
    for seed in (1, 2):
        told.workspace.explore.randomise(told.workspace.opened.spec, seed)
        told.screen.intents.shelf.pin()
    rest(told)
    told.window.actions_table["play_path"].trigger()
    assert told.window.screen_name == "explore"
    assert told.screen.picture.playing
    told.window.rail.button("Counterfactuals").click()
    assert not told.screen.picture.playing
    rest(told)


# Alone


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (960, 620)])
def test_nothing_is_cut_off(told, screen, data: str, size: tuple[int, int]) -> None:
    told.window.resize(*size)
    for shown in ("", data):
        if shown:
            page_of(told, shown)
        rest(told)
        for child in (screen.grid, screen.attributes, screen.form, told.window.rail):
            place = child.mapTo(told.window, child.rect().topLeft())
            assert place.x() >= 0
            assert place.x() + child.width() <= size[0]
        assert screen.grid.cell_area(0).width() >= 20
        assert screen.detail.width() <= screen.width()


def test_the_command_takes_a_picture_of_the_screen(
    tmp_path: Path, tiny_cvae_folder: Path, tiny_predictor_folder: Path
) -> None:
    pictures = []
    for name in ("explore", "counterfactuals"):
        path = tmp_path / f"{name}.png"
        command = [sys.executable, "-m", "latentlab", str(tiny_cvae_folder), "--screen", name]
        command += ["--predictor", str(tiny_predictor_folder), "--screenshot", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
        assert (done.returncode, done.stderr) == (0, "")
        with Image.open(path) as picture:
            pictures.append(np.array(picture.convert("RGB")))
    assert pictures[0].shape == pictures[1].shape
    assert not np.array_equal(*pictures)
