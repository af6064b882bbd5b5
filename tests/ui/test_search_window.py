"""The Search screen by hand: search, hold, go on, draw, play back, compare, export, go on in Explore."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from hands import LEFT, choose, drop, error_of, goes_back_and_forth, undo, wheel, write
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QApplication, QComboBox

from latentlab.errors import SettingsError
from latentlab.operations.search_plan import NOTE, UNDER
from latentlab.session.search_words import LINE
from latentlab.ui import dialogs
from latentlab.ui.screens import search as search_screen


@pytest.fixture
def screen(driver):
    driver.window.actions_table["screen_search"].trigger()
    rest(driver)
    driver.window.search._intents.change(restarts=4, steps=10, eps=1e-6)
    rest(driver)
    return driver.window.search


def rest(driver: Driver) -> None:
    """Wait until the Search screen shows all that was asked for."""
    driver.wait(lambda: driver.workspace.in_step and driver.window.search.at_rest)


def searched(driver: Driver, **changes: object):
    """Search, and return what was found."""
    screen = driver.window.search
    if changes:
        screen._intents.change(**changes)
        rest(driver)
    driver.qtbot.mouseClick(screen.form.start, LEFT)
    assert screen.work.underway
    rest(driver)
    assert screen.work.phase in ("done", "stopped"), screen.work.message
    return screen.found


def said(driver: Driver) -> str:
    message = driver.window.banner.message
    return "" if message is None else message.text


# A search


def test_the_screen_says_what_to_do_and_what_these_pictures_are(driver, screen) -> None:
    assert [one.accessibleName() for one in driver.window.rail.buttons if one.isChecked()] == ["Search"]
    assert "Press Search" in screen.results.tiles.reason
    assert NOTE.lower() in LINE.lower()
    for size in ((1280, 800), (960, 620)):
        driver.window.resize(*size)
        driver.wait(screen.results.note.isVisible)
        assert screen.results.note.text() == LINE
        bottom = screen.results.note.mapTo(driver.window, QPoint(0, screen.results.note.height()))
        assert bottom.y() <= driver.window.height()
        assert screen.form.start.isVisible()
    np.testing.assert_array_equal(screen.form.input.small, screen.targets.found.target.shown())
    assert "4 x 4 px in colour" in screen.form.input.about.text()
    assert [screen.form.factor.itemData(k) for k in range(screen.form.factor.count())] == [2, 4, 8, 16, 32]


def test_all_restarts_are_shown_live_and_as_they_ended(driver, screen) -> None:
    frames = []
    screen.work.moved.connect(frames.append)
    found = searched(driver)
    assert frames
    tiles = screen.results.tiles
    assert len(tiles.tiles) == 4
    for tile, restart in zip(tiles.tiles, found.found.restarts, strict=True):
        assert tile.words.distance == f"{restart.distance:.2e}"
        assert tile.words.status == "not converged"
        assert tile.words.attributes
        assert NOTE in tile.words.tip
        assert "not converged" in tile.accessibleDescription()
    np.testing.assert_array_equal(tiles.pixels[0][..., 2::-1], found.found.restarts[0].pixels)
    assert tiles.reduced.shape == (4, 4, 4, 4)
    nearest = int(np.argmin([one.distance for one in found.found.restarts]))
    assert [tile.words.best for tile in tiles.tiles].index(True) == nearest
    assert screen.results.chart.eps == pytest.approx(1e-6)
    assert "Step 10" in screen.results.chart.accessibleDescription()
    assert screen.results.chart.tip_at(QPoint(200, 60)).startswith("Step ")
    assert "Not converged" in screen.form.status.text()
    assert "0 under eps" in screen.results.headline.text()
    assert "No restart is under eps" in screen.results.mix.note.text()


def test_it_is_held_let_go_stopped_and_gone_on_with(driver, screen) -> None:
    screen._intents.change(steps=20_000)
    rest(driver)
    screen.form.start.click()
    driver.wait(lambda: screen.work.moment is not None)
    assert screen.form.hold.isVisible()
    assert screen.form.stop.isVisible()
    driver.qtbot.mouseClick(screen.form.hold, LEFT)
    assert screen.work.paused
    assert screen.form.hold.text() == "Resume"
    assert "Held at step" in screen.form.status.text()
    driver.window.actions_table["search"].trigger()
    assert not screen.work.paused
    driver.qtbot.mouseClick(screen.form.stop, LEFT)
    rest(driver)
    assert screen.work.phase == "stopped"
    assert "Stopped after" in screen.form.status.text()
    assert not screen.form.hold.isVisible()
    made = screen.found.legs[0].made
    assert screen.form.go_on.isVisible()
    write(driver, screen.form.more, "7")
    driver.qtbot.mouseClick(screen.form.go_on, LEFT)
    rest(driver)
    assert [leg.made for leg in screen.found.legs] == [made, 7]
    assert screen.results.player.label.text() == f"found, step {made + 7:,}"


def test_the_newest_search_wins_and_another_picture_ends_one(driver, screen, face, tmp_path) -> None:
    screen._intents.change(steps=20_000)
    rest(driver)
    screen.form.start.click()
    driver.wait(lambda: screen.work.moment is not None)
    screen._intents.change(steps=3, seed=5)
    assert screen.form.start.text() == "Search anew"
    screen.form.start.click()
    rest(driver)
    first = screen.found
    assert [one.seed for one in first.found.restarts] == [5, 6, 7, 8]
    screen._intents.change(steps=4)
    assert search_screen.CHANGED in screen.form.status.text()
    screen._intents.change(steps=20_000)
    screen.form.start.click()
    driver.wait(lambda: screen.work.moment is not None)
    other = tmp_path / "other.png"
    Image.fromarray(np.asarray(Image.open(face))[::-1]).save(other)
    drop(driver.window, other)
    driver.wait(lambda: screen.targets.found is not None and screen.targets.found.target.name == "other.png")
    driver.wait(lambda: not screen.work.underway)
    assert screen.found is None
    assert screen.results.tiles.reason
    undo(driver)
    driver.wait(lambda: screen.found is not None)
    assert screen.results.tiles.tiles, "what was found is there again"


def test_a_search_ends_with_its_model_where_nobody_looks_too(driver, screen, tiny_cvae_folder) -> None:
    screen._intents.change(steps=20_000)
    rest(driver)
    screen.form.start.click()
    driver.wait(lambda: screen.work.moment is not None)
    driver.window.show_screen("explore")
    assert screen.work.underway, "it goes on while one looks at another screen"
    driver.workspace.open_checkpoint(str(tiny_cvae_folder))
    driver.wait(lambda: driver.workspace.opened.spec.condition.size and driver.workspace.in_step)
    assert not screen.work.underway
    assert screen.work.moment is None
    driver.rest()


def test_what_is_searched_for_stays_when_another_model_is_opened(driver, screen, tiny_cvae_folder) -> None:
    screen._intents.change(seed=7, kind="luminance", attribute="race")
    screen.draw(True)
    rest(driver)
    drawn = screen._intents.view.own
    driver.workspace.open_checkpoint(str(tiny_cvae_folder))
    driver.wait(lambda: driver.workspace.opened.spec.condition.size)
    rest(driver)
    view = screen._intents.view
    assert (view.own, view.seed, view.kind) == (drawn, 7, "luminance"), "to compare both models"
    assert (view.eps, view.attribute) == (0.0, ""), "what was the other model's is not taken over"
    np.testing.assert_array_equal(screen.form.input.small, drawn.pixels)
    screen._intents.change(seed=8)
    undo(driver)
    undo(driver)
    driver.wait(lambda: not driver.workspace.opened.spec.condition.size)
    rest(driver)
    assert screen._intents.view.eps == 1e-6


def test_it_searches_again_by_itself_where_that_is_wished(driver, screen, monkeypatch) -> None:
    screen._again.setInterval(10)
    screen._intents.change(steps=2)
    rest(driver)
    screen.form.again.setChecked(True)
    driver.wait(lambda: screen.found is not None and screen.at_rest)
    first = screen.found
    choose(screen.form.factor, "4, to 8 × 8 px")
    driver.wait(lambda: screen.found not in (None, first))
    assert screen.found.wanted.target.observation.factor == 4
    screen.form.again.setChecked(False)
    goes_back_and_forth(driver, "Reduce by 4")
    rest(driver)


def test_wrong_settings_are_refused_in_words_and_a_posterior_is_sampled(driver, screen) -> None:
    def refuse(*_given: object) -> None:
        raise SettingsError("That cannot be.")

    before = screen._intents.view
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_screen, "settings_of", refuse)
        write(driver, screen.form.restarts, "9")
    assert error_of(driver) == "That cannot be."
    assert screen._intents.view == before
    assert screen.form.restarts.value() == 4
    driver.qtbot.mouseClick(screen.form.posterior, LEFT)
    assert screen.form._counts.text() == "Chains"
    assert screen.form.start.text() == "Sample"
    screen.form.more_settings.click()
    assert screen.form.temperature.isVisible()
    assert not screen.form.loss.isVisible()
    write(driver, screen.form.leaps, "1")
    found = searched(driver, restarts=2, steps=12)
    assert "acceptance" in screen.form.status.text()
    assert "independent" in screen.form.status.text()
    assert len(screen.results.tiles.tiles) == len(found.found.restarts) == 8
    assert screen.results.tiles.tiles[0].words.status.startswith("chain 1 at")
    assert screen.results.chart.eps is None
    assert "worth" in screen.results.mix.note.text()
    assert not screen.form.go_on.isVisible()


# The picture


def test_a_small_picture_is_drawn_and_searched_for(driver, screen) -> None:
    box = screen.form.input
    driver.qtbot.mouseClick(box.draw, LEFT)
    assert box.drawing
    assert driver.undo_name == "Draw a small picture"
    rest(driver)
    before = box.small.copy()
    box.choose_colour((255, 0, 0))
    area = box.canvas.picture_area()
    pixel = area.width() // 4
    start = area.topLeft() + QPoint(pixel // 2, pixel // 2)
    steps = len(driver.workspace.session.history)
    driver.qtbot.mousePress(box.canvas, LEFT, pos=start)
    driver.qtbot.mouseMove(box.canvas, start + QPoint(2 * pixel, 0))
    driver.qtbot.mouseRelease(box.canvas, LEFT, pos=start + QPoint(2 * pixel, 0))
    assert len(driver.workspace.session.history) == steps + 1, "a stroke is one step"
    red = (screen._intents.view.own.pixels == (255, 0, 0)).all(2)
    assert red[0].tolist() == [True, True, True, False]
    assert not red[1:].any()
    rest(driver)
    np.testing.assert_array_equal(screen.targets.found.target.shown()[1:], before[1:])
    box.canvas.setFocus()
    driver.qtbot.keyClick(box.canvas, Qt.Key.Key_Down)
    driver.qtbot.keyPress(box.canvas, Qt.Key.Key_Space)
    driver.qtbot.keyRelease(box.canvas, Qt.Key.Key_Space)
    assert (screen._intents.view.own.pixels[1] == (255, 0, 0)).all(1).any(), "drawn by keys too"
    box.choose_tool("fill")
    driver.qtbot.mouseClick(box.canvas, LEFT, pos=area.bottomLeft() + QPoint(3, -3))
    found = searched(driver, steps=3)
    assert found.prepared.given == "small"
    assert screen.results.headline.text().startswith("Drawn: 4 restarts")
    driver.qtbot.mouseClick(box.clear, LEFT)
    rest(driver)
    assert "one colour only" in box.about.text()
    assert "one colour only" in screen.results.tiles.reason
    assert not screen.form.start.isEnabled()
    driver.qtbot.mouseClick(box.draw, LEFT)
    assert not box.drawing
    driver.qtbot.mouseClick(box.open, LEFT)
    rest(driver)
    assert screen.targets.found.target.name == "face.png"


def test_a_picture_that_is_brought_in_takes_the_drawings_place(driver, screen, tmp_path, small_faces) -> None:
    screen.draw(True)
    rest(driver)
    path = tmp_path / "large.png"
    Image.fromarray(np.kron(small_faces[5], np.ones((9, 9, 1), np.uint8))).resize((288, 300)).save(path)
    drop(driver.window, path)
    driver.wait(lambda: screen._intents.view.own is None)
    driver.wait(lambda: screen.targets.found is not None and screen.targets.found.target.name == "large.png")
    assert not screen.drawing
    assert "larger than the model" in screen.form.input.about.text()
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"<html>no picture</html>")
    drop(driver.window, bad)
    driver.wait(lambda: "web page" in error_of(driver))
    clear = tmp_path / "clear.png"
    Image.fromarray(np.dstack([small_faces[4], np.tile(np.arange(32, dtype=np.uint8) * 8, (32, 1))])).save(
        clear
    )
    drop(driver.window, clear)
    driver.wait(lambda: "Transparent parts were put on white" in said(driver))
    driver.wait(lambda: screen.targets.found is not None and screen.targets.found.target.name == "clear.png")


def test_a_model_that_only_draws_takes_pictures_and_one_that_cannot_be_searched_says_why(
    driver, screen, monkeypatch, face
) -> None:
    opened = driver.workspace.opened
    spec = opened.spec.model_copy(update={"cannot": {"encode": "It only draws."}})
    monkeypatch.setattr(driver.workspace, "opened", type(opened)(**{**vars(opened), "spec": spec}))
    screen.show_document()
    driver.workspace.bring_file(face, "mine")
    driver.wait(lambda: screen._intents.view.own is not None)
    rest(driver)
    assert screen.targets.found.target.name == "mine"
    driver.window.show_screen("explore")
    driver.workspace.bring_file(face, "mine")
    driver.wait(lambda: "It only draws." in error_of(driver))
    spec = opened.spec.model_copy(update={"prior": "other"})
    monkeypatch.setattr(driver.workspace, "opened", type(opened)(**{**vars(opened), "spec": spec}))
    driver.window.show_screen("search")
    screen.show_document()
    assert "not standard normal" in screen.empty.text
    assert screen.at_rest
    driver.window.actions_table.refresh()
    assert not driver.window.actions_table["search"].isEnabled()


# What was found


def test_the_search_is_played_back(driver, screen) -> None:
    found = searched(driver)
    player, chart = screen.results.player, screen.results.chart
    assert player.slider.maximum() == len(found.frames) - 1
    screen.results.player.speed.setValue(30)
    driver.qtbot.mouseClick(player.play, LEFT)
    assert player.playing
    driver.wait(lambda: player.place == 3)
    player.set_playing(False)
    driver.qtbot.keyClick(player.slider, Qt.Key.Key_Home)
    assert player.label.text() == "step 1"
    assert chart.here == 1
    np.testing.assert_array_equal(screen.results.tiles.pixels[0][..., 2::-1], found.frames[0].pictures[0])
    assert screen.results.tiles.tiles[0].words.status == "searching"
    driver.qtbot.keyClick(player.slider, Qt.Key.Key_End)
    assert player.label.text().startswith("found")


def test_the_mix_stands_beside_what_is_assumed(driver, screen) -> None:
    found = searched(driver, eps=1.0)
    assert all(one.found.status == UNDER for one in found.found.restarts)
    mix = screen.results.mix
    choose(mix.attribute, "Race")
    assert "4 restarts under eps" in mix.note.text()
    choose(mix.beside, "the picture's own label")
    assert "no row of a bundled set" in mix.note.text()
    choose(mix.beside, "what I assume")
    assert [box.value() for box in mix.bars.boxes] == [25, 25, 25, 25]
    write(driver, mix.bars.boxes[2], "70")
    assert dict(screen._intents.view.assumed)["race"][2] == 0.7
    assert "beside 70%" in mix.bars.accessibleDescription()
    goes_back_and_forth(driver, "Assume a mix")
    choose(mix.beside, "nothing")
    assert not mix.bars.boxes


def test_a_restart_goes_on_in_explore(driver, screen) -> None:
    found = searched(driver)
    driver.qtbot.mouseClick(screen.results.tiles.tiles[2], LEFT)
    assert screen.selected == 2
    driver.qtbot.mouseDClick(screen.results.tiles.tiles[1], LEFT)
    assert driver.window.screen_name == "explore"
    np.testing.assert_array_equal(driver.latent, found.found.restarts[1].latent.reshape(-1))
    assert driver.undo_name == "Take what seed 1 found"
    assert NOTE in said(driver)
    driver.rest()
    np.testing.assert_array_equal(driver.picture, found.found.restarts[1].pixels)
    driver.window.show_screen("search")
    rest(driver)
    assert screen.found is found, "what was found is still there"
    screen.results.tiles.tiles[0].setFocus()
    driver.qtbot.keyClick(screen.results.tiles.tiles[0], Qt.Key.Key_Return)
    assert driver.window.screen_name == "explore"
    driver.rest()


def test_everything_is_exported_and_says_what_it_is(driver, screen, tmp_path, monkeypatch) -> None:
    actions = driver.window.actions_table

    def export(action: str, name: str) -> Path:
        path = tmp_path / name
        monkeypatch.setattr(dialogs, "ask_target", lambda *_given: path)
        monkeypatch.setattr(dialogs, "ask_folder", lambda *_given: path)
        actions[action].trigger()
        driver.wait(lambda: not driver.window._writer.busy and (path.exists() or error_of(driver)))
        return path

    export("export_figure", "none.png")
    assert "Search first" in error_of(driver)
    driver.window.banner.dismiss()
    found = searched(driver, steps=4)
    screen.select(3)
    with Image.open(export("export_picture", "found.png")) as picture:
        assert picture.text["Description"] == NOTE
        np.testing.assert_array_equal(np.asarray(picture), found.found.restarts[3].pixels)
    with Image.open(export("export_figure", "search.png")) as sheet:
        assert sheet.text["Description"] == NOTE
    assert NOTE in export("export_figure", "search.svg").read_text()
    assert export("export_figure", "search.pdf").read_bytes().startswith(b"%PDF")
    rows = list(csv.DictReader(export("export_table", "search.csv").read_text().splitlines()))
    assert [row["note"] for row in rows] == [NOTE] * 4
    assert [float(row["distance"]) for row in rows] == pytest.approx(
        [one.distance for one in found.found.restarts], rel=1e-6
    )
    record = json.loads(export("export_table", "search.json").read_text())
    assert NOTE in record["notes"]
    assert len(record["restarts"]) == 4
    folder = export("export_set", "set")
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "target.png",
        "sheet.png",
        "search.csv",
        "report.json",
        *(f"restart-{k}.png" for k in range(4)),
    }
    with Image.open(folder / "sheet.png") as sheet:
        assert sheet.text["Description"] == NOTE
    with Image.open(export("export_loop", "search.gif")) as loop:
        assert loop.n_frames > 4
        assert loop.info["comment"] == NOTE.encode()
    with Image.open(export("export_loop", "search.webp")) as loop:
        assert loop.getexif()[0x010E] == NOTE
    with Image.open(export("export_loop", "search.apng.png")) as loop:
        assert loop.text["Description"] == NOTE
    actions["copy_picture"].trigger()
    assert QApplication.clipboard().image().width() == 32
    assert NOTE in said(driver).lower()


def test_the_copied_program_finds_what_is_seen(driver, screen, tmp_path, monkeypatch) -> None:
    driver.window.actions_table["copy_python"].trigger()
    assert "search.run(10)" in QApplication.clipboard().text(), "before a search the program that makes it"
    found = searched(driver, kind="luminance", exposure=0.3, optimiser="lbfgs", rate=0.5, loss="l1")
    screen.form.more_asked.emit(3)
    rest(driver)
    found = screen.found
    screen._intents.change(seed=11)
    driver.window.actions_table["copy_python"].trigger()
    text = QApplication.clipboard().text()
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(text, "copied", "exec"), names)
    again = names["found"]
    shown = screen.results.tiles.pixels[..., 2::-1]
    np.testing.assert_array_equal(shown, [one.pixels for one in again.restarts])
    assert [one.distance for one in again.restarts] == [one.distance for one in found.found.restarts]
    assert NOTE in text


# Other models, keys, looks


def test_a_conditional_model_is_told_or_searched(told) -> None:
    told.window.show_screen("search")
    rest(told)
    screen = told.window.search
    assert list(screen.form.conditions) == ["gender", "race", "glasses"]
    assert "Searched for too: gender, race, glasses" in screen.form.input.about.text()
    choose(screen.form.conditions["race"], "Brown")
    assert screen._intents.view.fixed == (("race", "brown"),)
    assert "Told: race brown." in screen.form.input.about.text()
    found = searched(told, restarts=2, steps=3)
    screen.use(0)
    np.testing.assert_array_equal(
        told.workspace.explore.state.condition, found.found.restarts[0].found.condition
    )
    told.rest()


def test_every_control_has_a_name_and_is_reached_by_the_tab_key(driver, screen) -> None:
    searched(driver, steps=2)
    screen.form.more_settings.click()
    screen._intents.change(beside="assumed")
    screen.draw(True)
    rest(driver)
    kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox)
    controls = [
        widget
        for kind in kinds
        for widget in screen.findChildren(kind)
        if widget.isVisible()
        and widget.isEnabled()
        and not widget.objectName().startswith("qt_")
        and type(widget).__name__ != "QScrollBar"
    ]
    names = [widget.accessibleName() or widget.text() for widget in controls]
    assert all(names)
    assert [name for one, name in zip(controls, names, strict=True) if not one.toolTip()] == []
    driver.window.activateWindow()
    driver.wait(driver.window.isActiveWindow)
    driver.window.rail.button("Search").setFocus()
    visited = []
    while QApplication.focusWidget() not in visited:
        visited.append(QApplication.focusWidget())
        driver.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert not [name for one, name in zip(controls, names, strict=True) if one not in visited]
    order = [visited.index(one) for one in screen.form.controls if one.isVisible() and one in visited]
    assert order == sorted(order)
    driver.window.rail.button("Search").setFocus()
    before = driver.workspace.session.document
    for control in (screen.form.factor, screen.form.steps, screen.form.exposure, screen.form.seed):
        wheel(control, -1, QPointF(8, 8))
    assert driver.workspace.session.document is before, "scrolling changes nothing"


def test_both_schemes_and_both_sizes_show_everything(driver, screen) -> None:
    searched(driver, steps=2)
    results, pictures = screen.results, []
    for scheme, size in (("light", (1280, 800)), ("dark", (960, 620))):
        driver.window.theme.choose(scheme)
        driver.window.resize(*size)
        QApplication.processEvents()
        pictures.append(driver.window.grab().toImage().pixelColor(4, size[1] - 120).lightness())
        narrow = size[0] < 1280
        assert results.tabs.isVisible() == narrow
        assert results.chart.isVisible()
        assert results.mix.isVisible() == (not narrow)
        assert results.tiles.tiles[0].side >= 84
        assert screen.form.start.isVisible()
    assert pictures[0] > 200 > 60 > pictures[1]
    results.tabs.setCurrentIndex(1)
    assert results.mix.isVisible()
    assert not results.chart.isVisible()
    driver.window.theme.choose("system")
