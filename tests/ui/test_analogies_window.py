"""The Analogies screen by hand: modes, slider, dataset, tiles, exports, sessions, other models."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from hands import LEFT, choose, drag_slider, error_of, undo, wheel, write
from PIL import Image
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QApplication, QComboBox

from latentlab.operations.explore import Explorer
from latentlab.operations.project import guess_dataset, project
from latentlab.operations.projection_figure import projection_figure
from latentlab.operations.projection_plan import NOTE
from latentlab.session.document import ProjectionView
from latentlab.ui import dialogs
from latentlab.ui.widgets.picture_tiles import BAR, FRAME, lay_tiles
from latentlab.ui.widgets.projection_tiles import GAP, SIZES, TEXT

STYLES = ("ink", "clay", "tiles")


@pytest.fixture
def explorer(tiny_cinn_folder: Path, tiny_judge_folder: Path) -> Explorer:
    return Explorer.open(tiny_cinn_folder, tiny_judge_folder)


@pytest.fixture
def styled(qtbot, make_window, tiny_cinn_folder: Path, tiny_judge_folder: Path, face: Path) -> Driver:
    """The window with the tiny cINN and a face, at rest."""
    driver = Driver(qtbot, make_window())
    driver.workspace.open_checkpoint(str(tiny_cinn_folder), str(tiny_judge_folder))
    driver.workspace.bring_file(face)
    driver.rest()
    return driver


@pytest.fixture
def screen(styled):
    styled.window.rail.button("Analogies").click()
    rest(styled)
    return styled.window.analogies.projections


def rest(driver: Driver) -> None:
    """Wait until the Analogies screen shows all that was asked for."""
    driver.wait(lambda: driver.workspace.in_step and driver.window.analogies.at_rest)


def view(driver: Driver) -> ProjectionView:
    return driver.workspace.session.document.shelf.projection


def message(driver: Driver) -> str:
    found = driver.window.banner.message
    return "" if found is None else found.text


def other_place(screen) -> int:
    return (screen.live.found.plan.own + 1) % len(STYLES)


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


# What is shown


def test_every_dataset_has_a_tile_with_what_changes(styled, screen, explorer, small_faces) -> None:
    assert styled.window.actions_table["screen_analogies"].isChecked()
    guess = guess_dataset(explorer, small_faces[2])
    found = project(explorer, small_faces[2])
    assert [tile.words.name for tile in screen.tiles.tiles] == list(STYLES)
    assert [tile.words.role for tile in screen.tiles.tiles] == [
        "reconstruction" if name == guess else "" for name in STYLES
    ]
    own = STYLES.index(guess)
    for k, (tile, item) in enumerate(zip(screen.tiles.tiles, found.items, strict=True)):
        before = found.attributes if k == own else found.items[own].attributes
        was, now = (int(np.argmax(said["hair"])) for said in (before, item.attributes))
        assert tile.words.marked == (was != now)
        words = "nothing differs from the input" if k == own else "nothing else changes"
        assert tile.words.lines[0].startswith("hair: " if was != now else words)
        assert "Click to go on with it" in tile.toolTip()
        assert tile.accessibleName().startswith(STYLES[k])
    assert screen.panel.dataset.currentText() == f"auto ({guess})"
    assert [screen.panel.dataset.itemText(k) for k in range(1, 4)] == list(STYLES)
    assert f"|z| / √D = {found.norm:.2f}, " in screen.panel.said
    assert screen._note.text() == NOTE
    assert screen._note.isVisible()
    np.testing.assert_array_equal(screen.panel.input.pixels[..., 2::-1], found.source)
    assert "tiny-judge" in screen.panel.judge.text()
    assert "constructed" in screen.panel.judge.text()


def test_the_modes_are_switched_and_undone(styled, screen, explorer, small_faces) -> None:
    assert screen.panel.mode.keep.isChecked()
    before = screen.live.found
    styled.qtbot.mouseClick(screen.panel.mode.follow, LEFT)
    assert view(styled) == ProjectionView("", 0.0)
    assert (screen.panel.mode.follow.isChecked(), screen.panel.mode.keep.isChecked()) == (True, False)
    rest(styled)
    assert screen.live.found.plan.keep == 0.0
    assert not np.array_equal(screen.live.found.pixels, before.pixels)
    steps = len(styled.workspace.session.history)
    styled.qtbot.mouseClick(screen.panel.mode.follow, LEFT)
    assert screen.panel.mode.follow.isChecked(), "the mode that is set stays pressed"
    assert len(styled.workspace.session.history) == steps
    assert styled.undo_name == "Set the analogies"
    undo(styled)
    assert view(styled) == ProjectionView()
    assert screen.panel.mode.keep.isChecked()
    rest(styled)
    np.testing.assert_array_equal(screen.live.found.pixels, before.pixels)


def test_the_slider_is_followed_live_and_is_one_step(styled, screen) -> None:
    seen = []
    screen.live.arrived.connect(lambda found: seen.append(found.plan.keep))
    steps = len(styled.workspace.session.history)
    drag_slider(styled, screen.panel.mode.share.slider, -60)
    share = view(styled).keep
    assert 0.0 < share < 1.0
    assert len(styled.workspace.session.history) == steps + 1
    rest(styled)
    assert seen[-1] == share == screen.live.found.plan.keep
    assert not screen.panel.mode.keep.isChecked()
    write(styled, screen.panel.mode.share.spin, "0.25")
    assert view(styled).keep == 0.25
    styled.qtbot.mouseDClick(screen.panel.mode.share.slider, LEFT)
    assert view(styled).keep == 1.0
    while len(styled.workspace.session.history) > steps:
        undo(styled)
    assert view(styled) == ProjectionView()
    rest(styled)


def test_the_dataset_is_corrected(styled, screen) -> None:
    guess, other = screen.live.found.plan.dataset, STYLES[other_place(screen)]
    choose(screen.panel.dataset, other)
    assert view(styled) == ProjectionView(other, 1.0)
    rest(styled)
    assert screen.live.found.plan.dataset == other
    roles = {tile.words.name: tile.words.role for tile in screen.tiles.tiles}
    assert roles[other] == "reconstruction"
    assert roles[guess] == ""
    undo(styled)
    rest(styled)
    assert screen.panel.dataset.currentText() == f"auto ({guess})"
    assert screen.live.found.plan.dataset == guess


@pytest.mark.parametrize("by", ["mouse", "keys"])
def test_a_tile_is_taken_to_explore(styled, screen, by: str) -> None:
    place, other = other_place(screen), STYLES[other_place(screen)]
    choose(screen.panel.dataset, other)
    styled.qtbot.mouseClick(screen.panel.mode.follow, LEFT)
    rest(styled)
    place = other_place(screen)
    tile, found = screen.tiles.tiles[place], screen.live.found
    if by == "mouse":
        styled.qtbot.mouseClick(tile, LEFT)
    else:
        tile.setFocus()
        styled.qtbot.keyClick(tile, Qt.Key.Key_Return)
    assert styled.window.screen_name == "explore"
    state = styled.workspace.explore.state
    assert styled.undo_name == f"Take the projection onto {STYLES[place]}"
    np.testing.assert_array_equal(state.condition, found.plan.conditions[place])
    np.testing.assert_array_equal(state.latent, found.latent)
    styled.rest()
    shown = found.pixels[place][..., 2::-1].astype(int)
    assert np.abs(styled.picture.astype(int) - shown).max() <= 6
    undo(styled)
    assert not styled.workspace.explore.state.edited
    styled.rest()


def test_resampling_and_what_is_edited(styled, screen) -> None:
    assert not screen.panel.edits.isVisible()
    styled.workspace.explore.move(1, 2.0)
    assert screen.panel.edits.isVisible()
    before = screen.live.found
    styled.qtbot.mouseClick(screen.panel.resample, LEFT)
    state = styled.workspace.explore.state
    assert state.source is None
    styled.wait(lambda: screen.live.found is not before and screen.at_rest)
    assert not screen.panel.edits.isVisible()
    assert screen.panel.seed.value() == state.seed
    own = screen.live.found.plan.own
    np.testing.assert_array_equal(screen.panel.input.pixels, screen.live.found.pixels[own])
    assert screen.tiles.tiles[own].words.role == "reference"
    assert screen.panel.dataset.currentText() == f"as in Explore ({STYLES[own]})"
    styled.qtbot.mouseClick(screen.panel.resample, LEFT)
    assert styled.workspace.explore.state.seed == state.seed + 1
    write(styled, screen.panel.seed, "77")
    assert styled.workspace.explore.state.seed == 77
    styled.wait(lambda: screen.at_rest)
    for _ in range(4):
        undo(styled)
    styled.wait(lambda: screen.live.found is not None and screen.live.found.source is not None)
    rest(styled)
    assert screen.panel.dataset.currentText().startswith("auto (")


def test_another_picture_takes_the_place_of_the_former(styled, screen, tmp_path, small_faces) -> None:
    choose(screen.panel.dataset, STYLES[other_place(screen)])
    path = tmp_path / "other.png"
    Image.fromarray(small_faces[5]).save(path)
    styled.workspace.bring_file(path)
    styled.wait(lambda: styled.workspace.explore.state.source.name == "other.png")
    assert view(styled).dataset == ""
    rest(styled)
    np.testing.assert_array_equal(screen.panel.input.pixels[..., 2::-1], small_faces[5])
    np.testing.assert_array_equal(screen.live.found.encoded.source, small_faces[5])


def test_every_control_has_a_name_and_is_reached_by_the_tab_key(styled, screen) -> None:
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
    assert len(set(names)) == len(names) >= 10
    styled.window.activateWindow()
    styled.wait(styled.window.isActiveWindow)
    styled.window.rail.button("Analogies").setFocus()
    visited = []
    while QApplication.focusWidget() not in visited:
        visited.append(QApplication.focusWidget())
        styled.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    assert not [name for one, name in zip(controls, names, strict=True) if one not in visited]
    panel = [one for one in screen.panel.controls if one.isVisible() and one.isEnabled()]
    order = [visited.index(one) for one in (*panel, *screen.tiles.tiles)]
    assert order == sorted(order)
    before = styled.workspace.session.document
    styled.window.rail.button("Analogies").setFocus()
    for control in panel:
        wheel(control, -1, QPointF(8, 8))
    assert styled.workspace.session.document is before, "scrolling changes nothing"


def test_a_session_comes_back_with_its_settings(styled, screen, tmp_path: Path) -> None:
    other = STYLES[other_place(screen)]
    choose(screen.panel.dataset, other)
    write(styled, screen.panel.mode.share.spin, "0.4")
    rest(styled)
    pixels = screen.live.found.pixels
    path = tmp_path / "session.json"
    styled.workspace.save_session(path, {})
    styled.wait(path.is_file)
    while styled.undo_name == "Set the analogies":
        undo(styled)
    assert view(styled) == ProjectionView()
    opened: list[object] = []
    styled.workspace.session_opened.connect(opened.append)
    styled.workspace.open_session(path)
    styled.wait(lambda: opened)
    assert view(styled) == ProjectionView(other, 0.4)
    styled.wait(lambda: screen.live.found is not None and screen.live.found.plan.keep == 0.4)
    rest(styled)
    assert screen.panel.dataset.currentText() == other
    assert np.abs(screen.live.found.pixels.astype(int) - pixels).max() <= 2


# Other models


def test_a_model_that_does_not_project_is_said_with_what_to_open(
    styled, screen, tiny_cvae_folder: Path, tiny_cinn_folder: Path
) -> None:
    styled.workspace.open_checkpoint(str(tiny_cvae_folder))
    styled.wait(lambda: styled.workspace.opened.name == "tiny-cvae")
    rest(styled)
    assert styled.window.screen_name == "analogies"
    assert styled.window.analogies.empty.isVisible()
    assert not screen.tiles.isVisible()
    assert "tiny-cvae does not project onto datasets" in styled.window.analogies.empty.text
    assert "Open one" in styled.window.analogies.empty.text
    for action in ("export_picture", "export_figure", "export_table", "copy_picture", "copy_python"):
        assert not styled.window.actions_table[action].isEnabled()
        assert "does not project" in styled.window.actions_table[action].toolTip()
    styled.window.analogies.projection_exports.copy_python()
    assert "does not project" in error_of(styled)
    styled.window.show_screen("explore")
    assert styled.window.actions_table["copy_python"].isEnabled()
    styled.rest()
    styled.window.show_screen("analogies")
    styled.workspace.open_checkpoint(str(tiny_cinn_folder))
    styled.wait(lambda: styled.workspace.opened.name == "tiny-cinn")
    rest(styled)
    assert screen.tiles.isVisible()
    assert screen.tiles.pixels is not None
    assert screen.panel.judge.text().startswith("No attribute predictor")
    assert screen.tiles.tiles[0].words.lines == ()


def test_another_cinn_while_one_looks(styled, screen, tiny_cinn_folder: Path, tmp_path: Path) -> None:
    from latentlab.checkpoints import save
    from latentlab.checkpoints.companion import load_model
    from latentlab.families.cinn import CINN

    opened = load_model(tiny_cinn_folder)
    style, mode = opened.network.spec.condition.attributes
    others = style.model_copy(update={"classes": ("chalk", "wood", "wool"), "default": "wool"})
    condition = opened.network.spec.condition.model_copy(update={"attributes": (others, mode)})
    spec = opened.network.spec.model_copy(update={"condition": condition})
    network = CINN(opened.network.config, spec)
    network.load_state_dict(opened.network.state_dict())
    network.flow.affine.offset.data.mul_(-1.0)
    config = opened.located.config.model_copy(update={"name": "other-cinn", "model": spec})
    save(tmp_path / "other-cinn", network, config)
    styled.qtbot.mouseClick(screen.panel.mode.follow, LEFT)
    styled.workspace.open_checkpoint(str(tmp_path / "other-cinn"), "")
    styled.wait(lambda: styled.workspace.opened.name == "other-cinn")
    assert view(styled) == ProjectionView(), "what is set belongs to the weights"
    rest(styled)
    assert [tile.words.name for tile in screen.tiles.tiles] == list(others.classes)
    assert screen.live.found.plan.datasets == others.classes
    assert [screen.panel.dataset.itemText(k) for k in range(1, 4)] == list(others.classes)
    undo(styled)
    styled.wait(lambda: styled.workspace.opened.name == "tiny-cinn")
    rest(styled)
    assert [tile.words.name for tile in screen.tiles.tiles] == list(STYLES)
    assert view(styled).keep == 0.0


def test_where_nothing_is_open_the_window_says_so(qtbot, make_window) -> None:
    window = make_window()
    window.show_screen("analogies")
    window.state_page.show_empty("")
    assert "No model is open" in window.state_page.text
    assert window.state_page.isVisible()
    assert not window.analogies.active


# Exports


def test_picture_figure_and_table_are_settled(styled, screen, explorer, small_faces, target) -> None:
    choose(screen.panel.dataset, STYLES[other_place(screen)])
    write(styled, screen.panel.mode.share.spin, "0.5")
    rest(styled)
    place, table = other_place(screen), styled.window.actions_table
    styled.qtbot.mouseMove(screen.tiles.tiles[place])
    screen.tiles.tiles[place].setFocus()
    assert screen.selected == place
    expected = project(explorer, small_faces[2], source=view(styled).dataset, keep=0.5, name="face.png")
    path = target("one.png")
    table["export_picture"].trigger()
    with Image.open(saved(styled, path)) as picture:
        np.testing.assert_array_equal(np.array(picture), expected.items[place].picture)
    path = target("all.png")
    table["export_figure"].trigger()
    with Image.open(saved(styled, path)) as picture:
        figure = projection_figure(expected, explorer.predictor_spec, "style")
        np.testing.assert_array_equal(np.array(picture.convert("RGB")), np.array(figure))
    path = target("all.csv")
    table["export_table"].trigger()
    with saved(styled, path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["dataset"] for row in rows] == list(STYLES)
    assert {row["z_norm"] for row in rows} == {f"{expected.norm:.4f}"}
    table["copy_picture"].trigger()
    styled.wait(lambda: message(styled) == "The projection was copied.")
    colour = QApplication.clipboard().image().pixelColor(5, 9)
    found = expected.items[place].picture
    assert (colour.red(), colour.green(), colour.blue()) == tuple(found[9, 5].tolist())


@pytest.mark.parametrize("draws", [False, True])
def test_the_copied_program_makes_the_figure_again(
    styled, screen, target, tmp_path: Path, monkeypatch, draws: bool
) -> None:
    if draws:
        styled.qtbot.mouseClick(screen.panel.resample, LEFT)
    write(styled, screen.panel.mode.share.spin, "0.75")
    rest(styled)
    path = target("figure.png")
    styled.window.actions_table["export_figure"].trigger()
    saved(styled, path)
    styled.window.actions_table["copy_python"].trigger()
    monkeypatch.chdir(tmp_path)
    exec(compile(QApplication.clipboard().text(), "copied", "exec"), {})
    with Image.open(path) as one, Image.open(tmp_path / "analogies.png") as other:
        np.testing.assert_array_equal(np.array(one.convert("RGB")), np.array(other.convert("RGB")))


def test_closing_waits_for_what_is_to_be_saved(styled, screen, target) -> None:
    path = target("figure.png")
    styled.window.actions_table["export_figure"].trigger()
    assert styled.window.analogies.projection_exports.rendering
    assert not styled.window.close()
    styled.wait(lambda: not styled.window.isVisible())
    with Image.open(path) as picture:
        assert picture.width > 32


def test_what_cannot_be_rendered_is_said(styled, screen, target, monkeypatch) -> None:
    def fail(*_given: object) -> Explorer:
        raise OSError("gone")

    monkeypatch.setattr(screen.maker._explorer, "open", fail)
    path = target("figure.png")
    styled.window.actions_table["export_figure"].trigger()
    styled.wait(lambda: "could not be rendered: gone" in error_of(styled))
    assert not styled.window.analogies.projection_exports.rendering
    assert not path.exists()


# Alone


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (960, 620)])
def test_nothing_is_cut_off(styled, screen, size: tuple[int, int]) -> None:
    styled.window.resize(*size)
    rest(styled)
    QApplication.processEvents()
    for child in (screen.panel, screen._note, *screen.tiles.tiles):
        place = child.mapTo(styled.window, child.rect().topLeft())
        assert place.x() >= 0
        assert place.x() + child.width() <= size[0]
        assert place.y() + child.height() <= size[1]
    assert all(tile.side >= 100 for tile in screen.tiles.tiles)
    styled.window.actions_table["show_pixels"].trigger()
    assert not screen.tiles.tiles[0].smooth
    assert not screen.panel.input.smooth
    styled.window.actions_table["show_pixels"].trigger()


def test_tiles_are_as_large_as_there_is_room() -> None:
    wide = lay_tiles(6, QSize(1300, 400), SIZES)
    assert (wide.columns, wide.side) == (6, (1300 - 5 * 12) // 6 - 2 * FRAME)
    assert lay_tiles(6, QSize(840, 620), SIZES).columns == 3
    crowded = lay_tiles(24, QSize(500, 400), SIZES)
    assert (crowded.columns, crowded.width) == (3, (500 - BAR - 2 * GAP) // 3)
    assert crowded.side == crowded.width - 2 * FRAME, "it is scrolled, so there is room"
    assert lay_tiles(1, QSize(400, 400), SIZES).side == 400 - TEXT - 2 * FRAME


def test_the_command_takes_a_picture_of_the_screen(
    tmp_path: Path, tiny_cinn_folder: Path, tiny_judge_folder: Path
) -> None:
    path = tmp_path / "analogies.png"
    command = [sys.executable, "-m", "latentlab", str(tiny_cinn_folder), "--screen", "analogies"]
    command += ["--predictor", str(tiny_judge_folder), "--screenshot", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode, done.stderr) == (0, "")
    with Image.open(path) as picture:
        assert picture.width >= 1280


def test_a_slider_shows_its_end_for_what_lies_far_outside(qtbot, styled) -> None:
    slider = styled.list.row(0).slider
    slider.show_value(4.8e8, -4.8e8)  # z of a picture that a flow does not know
    assert slider.value() == slider.maximum()
    slider.show_value(-float("inf"), 0.0)
    assert slider.value() == slider.minimum()
