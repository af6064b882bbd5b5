"""The samples view by hand: grid, pins, seeds, sliders, strips, playing, exports, sessions."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from hands import CONTROL, LEFT, choose, drag_slider, error_of, redo, undo, wheel, write
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QApplication, QComboBox

from latentlab.operations.explore import Explorer
from latentlab.operations.sample_figure import sample_figure, sample_rows
from latentlab.operations.sample_grid import SampleGrid, blend_series, input_sample, sample_grid, way_series
from latentlab.operations.sample_plan import Blend, draw_samples
from latentlab.session.document import LatentRef, SamplesView
from latentlab.session.sample_intents import ALL_PINNED
from latentlab.ui import dialogs
from latentlab.ui.widgets.sample_sheet import HINT

STYLES = ("ink", "clay", "tiles")
COLUMNS = ["ink", "clay", "tiles", "50% ink + 50% clay"]


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
def page(styled):
    styled.window.rail.button("Analogies").click()
    tabs = styled.window.analogies.tabs
    names = [tabs.tabText(k) for k in range(tabs.count())]
    styled.qtbot.mouseClick(tabs, LEFT, pos=tabs.tabRect(names.index("Samples")).center())
    rest(styled)
    return styled.window.analogies.samples


def rest(driver: Driver) -> None:
    """Wait until the samples show all that was asked for."""
    driver.wait(lambda: driver.workspace.in_step and driver.window.analogies.at_rest)


def view(driver: Driver) -> SamplesView:
    return driver.workspace.session.document.shelf.samples


def seeds(driver: Driver) -> list[int]:
    return [row.seed for row in view(driver).rows]


def message(driver: Driver) -> str:
    found = driver.window.banner.message
    return "" if found is None else found.text


def shown(page) -> np.ndarray:
    """The pictures of the grid as they are shown, uint8 [R, K, S, S, 3], RGB."""
    pixels = page.sheet.pixels[..., 2::-1]
    return pixels.reshape(-1, len(page.live.found.scene.plan.columns), *pixels.shape[1:])


def rows_of(page) -> list[str]:
    return [page.sheet._row_labels[k] for k in range(page.sheet._rows)]


def cell_at(page, row: int, column: int) -> QPoint:
    index = row * len(page.live.found.scene.plan.columns) + column
    return page.sheet.cell_area(index).center()


def expected_grid(explorer: Explorer, face: np.ndarray, truncation: float = 1.0) -> SampleGrid:
    samples = (
        input_sample(explorer, face, name="face.png"),
        *draw_samples(explorer.spec, range(5), truncation),
    )
    return sample_grid(explorer, samples, blend=Blend("ink", "clay", 0.5))


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


def test_every_row_is_one_z_and_every_column_one_dataset(styled, page, explorer, small_faces) -> None:
    grid = expected_grid(explorer, small_faces[2])
    assert rows_of(page) == ["face.png", "seed 0", "seed 1", "seed 2", "seed 3", "seed 4"]
    assert [page.sheet.name_of(k) for k in range(4)] == [f"face.png, {name}" for name in COLUMNS]
    difference = np.abs(shown(page).reshape(-1, 32, 32, 3).astype(int) - np.stack(grid.pictures))
    assert difference.max() <= 6
    assert not page.sheet.pins[0].isVisible(), "the picture is no draw"
    assert [button.isVisible() for button in page.sheet.pins] == [False, *[True] * 5]
    assert page.sheet.pins[1].accessibleName() == "Pin seed 0"
    assert "tiny-judge" in page.panel.judge.text()
    assert not styled.window.analogies.projections.live.active, "nobody looks at the other views"


def test_the_card_and_the_tip_say_what_is_predicted(styled, page) -> None:
    assert page.panel.card.empty
    found = page.live.found
    hair = np.tile(np.float32([0.75, 0.25]), (18, 1))
    hair[3 * 2 + 1] = 0.125, 0.875  # the row of seed 1, on clay
    grid = replace(found.grid, attributes={**found.grid.attributes, "hair": hair})
    page.live.found = replace(found, grid=grid)
    page.live.arrived.emit(page.live.found)
    styled.qtbot.mouseMove(page.sheet, cell_at(page, 2, 1))
    styled.wait(lambda: not page.panel.card.empty)
    norm = found.scene.plan.samples[2].norm
    assert page.panel.card.title.text() == "seed 1 on clay"
    assert f"|z| / √D = {norm:.2f}, inside" in page.panel.card.norm.text()
    assert page.panel.card.lines.accessibleDescription() == "Hair: Long 88%, Short on ink"
    tips = [page.sheet.tip_at(cell_at(page, row, column)) for row in (1, 2) for column in range(4)]
    assert ["hair: " in tip for tip in tips] == [False] * 5 + [True] + [False] * 2
    assert tips[5] == f"seed 1, clay\nPredicted otherwise than on ink:\nhair: short to long (88%)\n{HINT}"
    page.sheet.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right):
        styled.qtbot.keyClick(page.sheet, key)
    assert "hair: short to long" in page.sheet.accessibleDescription()
    styled.qtbot.keyClick(page.sheet, Qt.Key.Key_Left)
    assert page.panel.card.lines.accessibleDescription() == "Hair: Short 75%"


# Rows, seeds, pins


def test_resampling_keeps_pinned_rows_to_the_bit(styled, page) -> None:
    before = shown(page).copy()
    styled.qtbot.mouseClick(page.sheet.pins[2], LEFT)
    assert styled.undo_name == "Pin seed 1"
    assert page.sheet.pins[2].isChecked()
    assert page.sheet.pins[2].accessibleName() == "Unpin seed 1"
    page.sheet.setFocus()
    page.sheet._reach(4 * 4)
    styled.qtbot.keyClick(page.sheet, Qt.Key.Key_Return, CONTROL)
    assert styled.undo_name == "Pin seed 3"
    styled.qtbot.mouseClick(page.panel.resample, LEFT)
    rest(styled)
    assert seeds(styled) == [5, 1, 6, 3, 7]
    after = shown(page)
    changed = [not np.array_equal(one, other) for one, other in zip(before, after, strict=True)]
    assert changed == [False, True, False, True, False, True]
    assert page.panel.seed.value() == 5
    undo(styled)
    rest(styled)
    np.testing.assert_array_equal(shown(page), before)
    redo(styled)
    rest(styled)
    np.testing.assert_array_equal(shown(page), after)
    styled.qtbot.mouseClick(page.sheet, LEFT, CONTROL, cell_at(page, 4, 1))
    assert styled.undo_name == "Unpin seed 3"
    assert not page.sheet.pins[4].isChecked()


def test_seeds_are_typed_and_rows_added(styled, page) -> None:
    write(styled, page.panel.seed, "40")
    assert seeds(styled) == [40, 41, 42, 43, 44]
    write(styled, page.panel.rows, "3")
    assert styled.undo_name == "Show 3 samples"
    rest(styled)
    assert rows_of(page) == ["face.png", "seed 40", "seed 41", "seed 42"]
    assert [button.isVisible() for button in page.sheet.pins] == [False, True, True, True, False, False]
    for button in page.sheet.pins[1:4]:
        styled.qtbot.mouseClick(button, LEFT)
    assert not page.panel.resample.isEnabled()
    assert page.panel.resample.toolTip() == ALL_PINNED
    for _ in range(5):
        undo(styled)
    rest(styled)
    assert seeds(styled) == [0, 1, 2, 3, 4]
    assert page.panel.resample.isEnabled()


def test_truncation_0_makes_all_drawn_rows_equal(styled, page) -> None:
    steps = len(styled.workspace.session.history)
    drag_slider(styled, page.panel.truncation.slider, -60)
    assert 0.0 < view(styled).truncation < 1.0
    assert len(styled.workspace.session.history) == steps + 1
    assert styled.undo_name == "Truncate the samples"
    write(styled, page.panel.truncation.spin, "0")
    rest(styled)
    pictures = shown(page)
    for row in range(2, 6):
        np.testing.assert_array_equal(pictures[row], pictures[1])
    assert not np.array_equal(pictures[0], pictures[1]), "the picture is not drawn"
    undo(styled)
    rest(styled)
    assert not np.array_equal(shown(page)[1], shown(page)[2])


def test_the_picture_is_the_first_row_where_one_wants_it(styled, page) -> None:
    styled.qtbot.mouseClick(page.panel.with_input, LEFT)
    assert not view(styled).with_input
    assert not page.panel.with_input.isChecked()
    rest(styled)
    assert rows_of(page)[0] == "seed 0"
    assert page.sheet.pins[0].isVisible()
    undo(styled)
    assert page.panel.with_input.isChecked()
    rest(styled)
    styled.window.actions_table["randomise"].trigger()
    rest(styled)
    assert not page.panel.with_input.isEnabled()
    assert page.panel.with_input.toolTip().startswith("No picture is open")
    assert rows_of(page)[0] == "seed 0"


def test_the_mode_is_that_of_the_other_views(styled, page) -> None:
    before = shown(page).copy()
    styled.qtbot.mouseClick(page.panel.mode.follow, LEFT)
    rest(styled)
    assert styled.workspace.session.document.shelf.projection.keep == 0.0
    assert not np.array_equal(shown(page), before)
    drag_slider(styled, page.panel.mode.share.slider, 50)
    assert styled.undo_name == "Set the analogies"
    keep = styled.workspace.session.document.shelf.projection.keep
    assert 0.0 < keep < 1.0
    styled.window.analogies.show_view("projections")
    rest(styled)
    assert styled.window.analogies.projections.live.found.plan.keep == keep
    assert not page.active


# Explore


@pytest.mark.parametrize("by", ["mouse", "keys"])
def test_a_cell_goes_to_explore_the_same_to_the_bit(styled, page, explorer, by: str) -> None:
    if by == "mouse":
        styled.qtbot.mouseClick(page.sheet, LEFT, pos=cell_at(page, 2, 1))
    else:
        page.sheet.setFocus()
        for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Return):
            styled.qtbot.keyClick(page.sheet, key)
    assert styled.window.screen_name == "explore"
    assert styled.undo_name == "Take seed 1 on clay"
    state = styled.workspace.explore.state
    assert state.seed == 1
    styled.rest()
    np.testing.assert_array_equal(styled.picture, explorer.picture(explorer.draw(1), state.condition))
    undo(styled)
    assert styled.workspace.explore.state.source.name == "face.png"
    styled.rest()


def test_the_place_on_the_strip_goes_to_explore(styled, page, explorer) -> None:
    page.bar.here.setFocus()
    styled.qtbot.keyClick(page.bar.here, Qt.Key.Key_Return)
    assert styled.window.screen_name == "explore"
    assert styled.undo_name == "Take seed 0 on 50% ink + 50% clay"
    styled.rest()
    condition = styled.workspace.explore.state.condition
    np.testing.assert_allclose(condition, [0.5, 0.5, 0.0, 0.0, 1.0])
    np.testing.assert_array_equal(styled.picture, explorer.picture(explorer.draw(0), condition))


# Strips


def test_the_blend_is_followed_by_slider_and_playhead_and_is_one_step(styled, page) -> None:
    seen = []
    page.live.arrived.connect(lambda found: seen.append(found.scene.plan.columns[-1].blend.share))
    steps = len(styled.workspace.session.history)
    drag_slider(styled, page.bar.share.slider, 40)
    share = view(styled).strip.share
    assert share > 0.5
    assert len(styled.workspace.session.history) == steps + 1
    assert styled.undo_name == "Blend the datasets"
    rest(styled)
    assert seen[-1] == share
    assert page.bar.strip.position == pytest.approx(share)
    strip = page.bar.strip
    styled.qtbot.mouseClick(strip, LEFT, pos=QPoint(round(strip.x_of(1.0)), 30))
    assert view(styled).strip.share == 1.0
    rest(styled)
    pictures = shown(page)
    np.testing.assert_array_equal(pictures[:, 3], pictures[:, 1])
    assert len(styled.workspace.session.history) == steps + 2
    styled.qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert view(styled).strip.share == pytest.approx(1 - 1 / 8)
    undo(styled)
    undo(styled)
    undo(styled)
    assert view(styled) == SamplesView()


def test_datasets_and_row_of_the_blend_are_chosen(styled, page, explorer) -> None:
    choose(page.bar.second, "tiles")
    assert styled.undo_name == "Set the blend"
    rest(styled)
    place = page.sheet._layout.row_label(3).center()
    styled.qtbot.mouseClick(page.sheet, LEFT, pos=place)
    assert view(styled).strip.start == LatentRef(2)
    assert page.bar.start.currentText() == "seed 2"
    rest(styled)
    expected = blend_series(explorer, draw_samples(explorer.spec, [2])[0], "ink", "tiles")
    frame = page.live.found.strip.pixels[..., 2::-1].astype(int)
    assert np.abs(frame - np.stack(expected.pictures)).max() <= 6
    choose(page.bar.first, "tiles")
    rest(styled)
    assert "two datasets" in page.bar.strip.accessibleDescription()
    assert not page.bar.play.isEnabled()
    assert not page.bar.export.isEnabled()
    assert page.bar.export.toolTip() == "There is no strip to save."
    assert shown(page).shape[1] == 3


def test_a_way_plays_to_and_fro_in_one_step(styled, page) -> None:
    styled.screen.intents.shelf.pin(np.ones(6, dtype=np.float32), "Mine")
    choose(page.bar.kind, "Way between two z")
    choose(page.bar.start, "face.png")
    choose(page.bar.end, "Mine")
    choose(page.bar.dataset, "clay")
    choose(page.bar.path, "Linear")
    write(styled, page.bar.steps, "4")
    rest(styled)
    strip = view(styled).strip
    assert (strip.start, strip.end) == (LatentRef(input=True), LatentRef(pin="Mine"))
    assert (strip.dataset, strip.path, strip.steps) == ("clay", "linear", 4)
    assert shown(page).shape[1] == 3, "there is no blend"
    steps, places = len(styled.workspace.session.history), []
    styled.workspace.session.changed.connect(
        lambda change: places.append(change.after.shelf.samples.strip.place)
    )
    page.bar.fps.setValue(60)
    styled.qtbot.mouseClick(page.bar.play, LEFT)
    assert page.playing
    assert page.bar.play.accessibleName() == "Pause the strip"
    styled.wait(lambda: len(places) >= 5)
    styled.qtbot.keyClick(page.bar.strip, Qt.Key.Key_Space)
    assert not page.playing
    assert places[:5] == pytest.approx([1 / 3, 2 / 3, 1.0, 2 / 3, 1 / 3], abs=1e-3)
    assert len(styled.workspace.session.history) == steps + 1
    assert styled.undo_name == "Play the way"
    undo(styled)
    assert view(styled).strip.place == 0.0
    rest(styled)
    styled.qtbot.mouseClick(page.bar.play, LEFT)
    styled.window.show_screen("explore")
    assert not page.playing, "what nobody looks at does not play"
    styled.rest()


def test_without_a_strip_the_grid_has_the_room(styled, page) -> None:
    before = page.sheet.height()
    choose(page.bar.kind, "No strip")
    rest(styled)
    QApplication.processEvents()
    assert page.sheet.height() > before
    assert not page.bar.strip.isVisible()
    assert page.bar.controls == [page.bar.kind]
    page.play(True)
    assert not page.playing
    undo(styled)
    rest(styled)
    assert page.bar.strip.isVisible()


# Exports


def test_exports_are_those_of_the_api(styled, page, explorer, small_faces, target) -> None:
    write(styled, page.panel.truncation.spin, "0.5")
    rest(styled)
    grid, table = expected_grid(explorer, small_faces[2], 0.5), styled.window.actions_table
    styled.qtbot.mouseMove(page.sheet, cell_at(page, 3, 2))
    styled.wait(lambda: page.selected is not None and page.selected.where == "tiles")
    path = target("one.png")
    table["export_picture"].trigger()
    with Image.open(saved(styled, path)) as picture:
        np.testing.assert_array_equal(np.array(picture), grid.picture(3, 2))
    path = target("all.png")
    table["export_figure"].trigger()
    with Image.open(saved(styled, path)) as picture:
        np.testing.assert_array_equal(np.array(picture.convert("RGB")), np.array(sample_figure(grid)))
    path = target("all.csv")
    table["export_table"].trigger()
    with saved(styled, path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{name: str(value) for name, value in row.items()} for row in sample_rows(grid)]
    table["copy_picture"].trigger()
    styled.wait(lambda: message(styled) == "The sample was copied.")
    colour = QApplication.clipboard().image().pixelColor(5, 9)
    assert (colour.red(), colour.green(), colour.blue()) == tuple(grid.picture(3, 2)[9, 5].tolist())


def test_the_strip_is_saved_as_a_loop(styled, page, explorer, target) -> None:
    choose(page.bar.kind, "Way between two z")
    write(styled, page.bar.steps, "3")
    rest(styled)
    path = target("way.png")
    styled.qtbot.mouseClick(page.bar.export, LEFT)
    with Image.open(saved(styled, path)) as film:
        assert film.n_frames == 4
        film.seek(2)
        last = np.array(film.convert("RGB"))[::8, ::8]
    first, second = draw_samples(explorer.spec, [0, 1])
    expected = way_series(explorer, first, second, "ink", steps=3)
    np.testing.assert_array_equal(last, expected.pictures[2])


def test_the_copied_program_draws_the_figure_again(styled, page, target, tmp_path: Path, monkeypatch) -> None:
    styled.qtbot.mouseClick(page.sheet.pins[1], LEFT)
    styled.qtbot.mouseClick(page.panel.resample, LEFT)
    write(styled, page.panel.mode.share.spin, "0.75")
    rest(styled)
    path = target("figure.png")
    styled.window.actions_table["export_figure"].trigger()
    saved(styled, path)
    styled.window.actions_table["copy_python"].trigger()
    monkeypatch.chdir(tmp_path)
    exec(compile(QApplication.clipboard().text(), "copied", "exec"), {})
    with Image.open(path) as one, Image.open(tmp_path / "samples.png") as other:
        np.testing.assert_array_equal(np.array(one.convert("RGB")), np.array(other.convert("RGB")))


def test_what_cannot_be_rendered_is_said(styled, page, target, monkeypatch) -> None:
    def fail(*_given: object) -> Explorer:
        raise OSError("gone")

    monkeypatch.setattr(page.maker._explorer, "open", fail)
    path = target("figure.png")
    styled.window.actions_table["export_figure"].trigger()
    styled.wait(lambda: "could not be rendered: gone" in error_of(styled))
    styled.qtbot.mouseClick(page.bar.export, LEFT)
    styled.wait(lambda: "The strip could not be rendered: gone" in error_of(styled))
    assert not styled.window.analogies.sample_exports.rendering
    assert not path.exists()


# Sessions and other models


def test_a_session_comes_back_with_its_samples(styled, page, tmp_path: Path) -> None:
    styled.qtbot.mouseClick(page.sheet.pins[3], LEFT)
    styled.qtbot.mouseClick(page.panel.resample, LEFT)
    write(styled, page.bar.share.spin, "0.25")
    rest(styled)
    wanted, pixels = view(styled), shown(page).copy()
    path = tmp_path / "session.json"
    styled.workspace.save_session(path, {})
    styled.wait(path.is_file)
    for _ in range(3):
        undo(styled)
    assert view(styled) == SamplesView()
    opened: list[object] = []
    styled.workspace.session_opened.connect(opened.append)
    styled.workspace.open_session(path)
    styled.wait(lambda: opened)
    assert view(styled) == wanted
    rest(styled)
    styled.wait(lambda: rows_of(page)[1] == "seed 5")
    rest(styled)
    assert page.sheet.pins[3].isChecked()
    assert np.abs(shown(page).astype(int) - pixels).max() <= 2


def test_another_model_while_one_looks(styled, page, tiny_cvae_folder: Path, tiny_cinn_folder: Path) -> None:
    styled.qtbot.mouseClick(page.bar.play, LEFT)
    styled.workspace.open_checkpoint(str(tiny_cvae_folder))
    styled.wait(lambda: styled.workspace.opened.name == "tiny-cvae")
    rest(styled)
    assert styled.window.analogies.empty.isVisible()
    assert not page.playing
    styled.window.analogies.sample_exports.copy_python()
    assert "does not project" in error_of(styled)
    styled.workspace.open_checkpoint(str(tiny_cinn_folder))
    styled.wait(lambda: styled.workspace.opened.name == "tiny-cinn")
    rest(styled)
    assert page.sheet.pixels is not None
    assert page.panel.judge.text().startswith("No attribute predictor")
    styled.qtbot.mouseMove(page.sheet, cell_at(page, 1, 1))
    styled.wait(lambda: page.panel.card.title.text() == "seed 0 on clay")
    assert not page.panel.card.lines.isVisible()


# Alone


def test_every_control_has_a_name_and_is_reached_by_the_tab_key(styled, page) -> None:
    kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox)
    for kind in ("blend", "way"):
        if kind == "way":
            choose(page.bar.kind, "Way between two z")
            rest(styled)
        controls = [
            widget
            for one in kinds
            for widget in page.findChildren(one)
            if widget.isVisible()
            and not widget.objectName().startswith("qt_")
            and type(widget).__name__ != "QScrollBar"
        ]
        names = [widget.accessibleName() or widget.text() for widget in controls]
        assert all(names)
        assert len(set(names)) == len(names) >= 20
        styled.window.activateWindow()
        styled.wait(styled.window.isActiveWindow)
        styled.window.rail.button("Analogies").setFocus()
        visited = []
        while QApplication.focusWidget() not in visited:
            visited.append(QApplication.focusWidget())
            styled.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        assert not [name for one, name in zip(controls, names, strict=True) if one not in visited]
        pins = [button for button in page.sheet.pins if button.isVisible()]
        order = [visited.index(one) for one in (*page.panel.controls, page.sheet, *pins, *page.bar.controls)]
        assert order == sorted(order)
    before = styled.workspace.session.document
    styled.window.rail.button("Analogies").setFocus()
    for control in (*page.panel.controls, *page.bar.controls):
        wheel(control, -1, QPointF(8, 8))
    assert styled.workspace.session.document is before, "scrolling changes nothing"


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (960, 620)])
@pytest.mark.parametrize("kind", ["Blend two datasets", "Way between two z"])
def test_nothing_is_cut_off(styled, page, size: tuple[int, int], kind: str) -> None:
    choose(page.bar.kind, kind)
    styled.window.resize(*size)
    rest(styled)
    QApplication.processEvents()
    pins = [button for button in page.sheet.pins if button.isVisible()]
    for child in (page.panel, page.sheet, page.bar, *pins, *page.bar.controls):
        place = child.mapTo(styled.window, child.rect().topLeft())
        assert place.x() >= 0
        assert place.x() + child.width() <= size[0]
        assert place.y() + child.height() <= size[1]
    assert page.bar.minimumSizeHint().width() <= page.bar.width()
    tops = [button.geometry().top() for button in pins]
    assert tops == sorted(set(tops))
    for row, button in enumerate(pins, start=1):
        label = page.sheet._layout.row_label(row)
        assert abs(button.geometry().center().y() - label.center().y()) <= 1
    styled.window.actions_table["show_pixels"].trigger()
    assert not page.sheet.smooth
    assert not page.bar.here.smooth
    styled.window.actions_table["show_pixels"].trigger()
