"""Painting on the input of the Analogies screen, by pointer and by keys, in the real window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from hands import LEFT, NONE, redo, undo, wheel
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import QApplication, QColorDialog

from latentlab.operations.painting import Brush, Region, erase, move, stroke
from latentlab.ui import dialogs
from latentlab.ui.theme import Theme
from latentlab.ui.widgets import paint_tools
from latentlab.ui.widgets.paint_canvas import TOOLS, PaintCanvas
from latentlab.ui.widgets.picture_view import bgrx

RIGHT, ALT, SHIFT = (
    Qt.MouseButton.RightButton,
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
TEAL = (10, 180, 170)


@pytest.fixture
def styled(qtbot, make_window, tiny_cinn_folder: Path, tiny_judge_folder: Path, face: Path) -> Driver:
    """The window with the tiny cINN and a face, at rest, on the Analogies screen."""
    driver = Driver(qtbot, make_window())
    driver.workspace.open_checkpoint(str(tiny_cinn_folder), str(tiny_judge_folder))
    driver.workspace.bring_file(face)
    driver.rest()
    driver.window.rail.button("Analogies").click()
    rest(driver)
    return driver


@pytest.fixture
def page(styled):
    return styled.window.analogies.projections


@pytest.fixture
def box(styled, page):
    styled.qtbot.mouseClick(page.panel.box.paint, LEFT)
    QApplication.processEvents()
    box = page.panel.box
    box.choose_colour(TEAL)
    box.settings.hardness.moved.emit(100)
    return box


def rest(driver: Driver) -> None:
    def there() -> bool:
        source = driver.workspace.explore.state.source
        return (
            driver.workspace.in_step and driver.window.analogies.at_rest and not (source and source.pending)
        )

    driver.wait(there)


def source(driver: Driver):
    return driver.workspace.explore.state.source


def point(canvas: PaintCanvas, place: tuple[float, float]) -> QPoint:
    return canvas._point_of(place).toPoint()


def place(canvas: PaintCanvas, at: QPoint) -> tuple[float, float]:
    return canvas._place_of(QPointF(at))


def drag(driver: Driver, canvas: PaintCanvas, *places: tuple[float, float]) -> list[tuple[float, float]]:
    """Draw through places by the mouse; returns where the pointer really was."""
    at = [point(canvas, one) for one in places]
    driver.qtbot.mousePress(canvas, LEFT, pos=at[0])
    for one in at[1:]:
        driver.qtbot.mouseMove(canvas, one)
        QApplication.processEvents()
    driver.qtbot.mouseRelease(canvas, LEFT, pos=at[-1])
    return [place(canvas, one) for one in at]


def seen(canvas: PaintCanvas) -> np.ndarray:
    return canvas.pixels[..., 2::-1]


def test_a_stroke_by_the_mouse_is_seen_at_once_and_changes_the_tiles(styled, page, box) -> None:
    canvas, before = box.canvas, page.tiles.pixels.copy()
    input_before, steps = seen(canvas).copy(), len(styled.workspace.session.history)
    at = [point(canvas, one) for one in ((8.0, 8.0), (22.0, 10.0), (24.0, 24.0))]
    way = [place(canvas, one) for one in at]
    arrived: list[object] = []
    page.live.arrived.connect(lambda found: arrived.append(found.source.painted))
    styled.qtbot.mousePress(canvas, LEFT, pos=at[0])
    np.testing.assert_array_equal(seen(canvas), stroke(input_before, way[:1], canvas.brush, TEAL))
    styled.qtbot.mouseMove(canvas, at[1])
    np.testing.assert_array_equal(seen(canvas), stroke(input_before, way[:2], canvas.brush, TEAL))
    styled.wait(lambda: arrived)
    assert styled.undo_name != "Paint", "the stroke is not done yet, and the tiles follow already"
    styled.qtbot.mouseMove(canvas, at[2])
    styled.qtbot.mouseRelease(canvas, LEFT, pos=at[2])
    expected = stroke(input_before, way, canvas.brush, TEAL)
    np.testing.assert_array_equal(source(styled).painted, expected)
    assert (expected == TEAL).all(axis=2).sum() > 60
    assert styled.undo_name == "Paint"
    assert len(styled.workspace.session.history) == steps + 1
    rest(styled)
    assert np.abs(page.tiles.pixels.astype(int) - before).max() > 20
    assert canvas.accessibleName() == "Input picture"
    assert "painted" in canvas._detail
    undo(styled)
    rest(styled)
    np.testing.assert_array_equal(seen(canvas), input_before)
    assert np.abs(page.tiles.pixels.astype(int) - before).max() <= 2
    redo(styled)
    rest(styled)
    np.testing.assert_array_equal(seen(canvas), expected)


def test_every_stroke_is_undone_by_itself_and_explore_sees_the_painting(styled, page, box) -> None:
    canvas = box.canvas
    states = [seen(canvas).copy()]
    for x in (8.0, 16.0, 24.0):
        drag(styled, canvas, (x, 6.0), (x, 20.0))
        states.append(seen(canvas).copy())
    assert len({one.tobytes() for one in states}) == 4
    for state in states[-2::-1]:
        undo(styled)
        np.testing.assert_array_equal(seen(canvas), state)
    for _ in range(3):
        redo(styled)
    rest(styled)
    styled.window.show_screen("explore")
    styled.rest()
    np.testing.assert_array_equal(styled.screen.stage.input.pixels[..., 2::-1], states[-1])
    assert styled.screen.stage.input._detail == "face.png, painted"


def test_the_eraser_and_reset_bring_the_original_back(styled, page, box, small_faces) -> None:
    canvas = box.canvas
    assert not box.reset.isEnabled()
    assert "Nothing was painted" in box.reset.toolTip()
    assert not styled.window.actions_table["reset_input"].isEnabled()
    way = drag(styled, canvas, (8.0, 8.0), (24.0, 24.0))
    painted = seen(canvas).copy()
    assert box.reset.isEnabled()
    styled.qtbot.mouseClick(box.tools.buttons["eraser"], LEFT)
    box.settings.size_row.moved.emit(14)
    over = drag(styled, canvas, (8.0, 8.0))
    assert styled.undo_name == "Erase"
    np.testing.assert_array_equal(seen(canvas), erase(painted, over, Brush(7.0, 1.0), small_faces[2]))
    inside = np.hypot(*(np.mgrid[:32, :32] + 0.5 - np.array(over[0])[::-1, None, None])) < 6
    np.testing.assert_array_equal(seen(canvas)[inside], small_faces[2][inside])
    assert not np.array_equal(seen(canvas), small_faces[2])
    drag(styled, canvas, *way)
    np.testing.assert_array_equal(seen(canvas), small_faces[2])
    undo(styled)
    rest(styled)
    styled.qtbot.mouseClick(box.reset, LEFT)
    styled.wait(lambda: source(styled).painted is None)
    rest(styled)
    np.testing.assert_array_equal(seen(canvas), small_faces[2])
    assert styled.undo_name == "Reset input"
    assert not box.reset.isEnabled()
    undo(styled)
    assert box.reset.isEnabled()
    rest(styled)
    styled.window.actions_table["reset_input"].trigger()
    styled.wait(lambda: source(styled).painted is None)


def test_a_part_is_selected_and_dragged_and_then_dragged_on(styled, page, box) -> None:
    canvas, before = box.canvas, seen(box.canvas).copy()
    styled.qtbot.mouseClick(box.tools.buttons["move"], LEFT)
    assert box.settings.shapes["rectangle"].isVisible()
    drag(styled, canvas, (6.3, 7.3), (12.7, 14.7))
    assert canvas.region == Region(6, 7, 13, 15)
    np.testing.assert_array_equal(seen(canvas), before)
    assert source(styled).painted is None, "to select is no step"
    drag(styled, canvas, (9.0, 10.0), (12.0, 11.0), (15.0, 12.0))
    assert styled.undo_name == "Move"
    np.testing.assert_array_equal(seen(canvas), move(before, Region(6, 7, 13, 15), 6, 2))
    np.testing.assert_array_equal(seen(canvas)[9:17, 12:19], before[7:15, 6:13])
    assert canvas.region == Region(12, 9, 19, 17)
    drag(styled, canvas, (15.0, 12.0), (16.0, 14.0))
    np.testing.assert_array_equal(seen(canvas), move(before, Region(6, 7, 13, 15), 7, 4))
    undo(styled)
    assert canvas.region is None
    np.testing.assert_array_equal(seen(canvas), move(before, Region(6, 7, 13, 15), 6, 2))
    styled.qtbot.mouseClick(box.settings.shapes["ellipse"], LEFT)
    drag(styled, canvas, (4.2, 4.2), (11.8, 11.8))
    assert canvas.region == Region(4, 4, 12, 12, "ellipse")
    styled.qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.region is None
    rest(styled)


def test_escape_puts_a_part_down_that_is_carried(styled, page, box) -> None:
    canvas, before = box.canvas, seen(box.canvas).copy()
    styled.qtbot.mouseClick(box.tools.buttons["move"], LEFT)
    drag(styled, canvas, (6.3, 7.3), (12.7, 14.7))
    at = [point(canvas, one) for one in ((9.0, 10.0), (15.0, 12.0))]
    styled.qtbot.mousePress(canvas, LEFT, pos=at[0])
    styled.qtbot.mouseMove(canvas, at[1])
    styled.qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    styled.qtbot.mouseRelease(canvas, LEFT, pos=at[1])
    assert (styled.undo_name, canvas.region) == ("Move", None)
    np.testing.assert_array_equal(seen(canvas), move(before, Region(6, 7, 13, 15), 6, 2))
    rest(styled)  # the encoder has seen it
    undo(styled)
    np.testing.assert_array_equal(seen(canvas), before)


def test_colours_are_picked_by_tool_by_alt_and_by_the_right_button(styled, page, box) -> None:
    canvas, picture = box.canvas, seen(box.canvas)
    rows, columns = np.nonzero((picture != 255).any(axis=2))
    chosen = [(int(columns[k]), int(rows[k])) for k in (0, len(rows) // 2, len(rows) - 1)]
    expected = [tuple(int(one) for one in picture[y, x]) for x, y in chosen]
    steps = len(styled.workspace.session.history)
    (first, second, third) = [point(canvas, (x + 0.5, y + 0.5)) for x, y in chosen]
    styled.qtbot.mouseClick(canvas, LEFT, ALT, first)
    assert box.colour == expected[0]
    assert box.tool == "brush"
    styled.qtbot.mouseClick(canvas, RIGHT, NONE, second)
    assert box.colour == expected[1]
    styled.qtbot.mouseClick(box.tools.buttons["pick"], LEFT)
    styled.qtbot.mouseClick(canvas, LEFT, NONE, third)
    assert box.colour == expected[2] == box.tools.colour.colour
    assert box.tool == "pick"
    assert len(styled.workspace.session.history) == steps
    assert source(styled).painted is None
    own = box.settings.swatches[2]
    assert own.isVisible()
    assert (np.abs(picture.reshape(-1, 3).astype(int) - own.colour).sum(axis=1) < 60).any()
    styled.qtbot.mouseClick(own, LEFT)
    assert box.colour == own.colour
    assert own.chosen
    assert box.tool == "brush", "whoever chooses a colour wants to paint with it"


def test_any_colour_is_asked_for(styled, page, box, monkeypatch) -> None:
    asked = []

    def choose(colour, _parent, _title) -> QColor:
        asked.append(colour.name())
        return QColor("#123456")

    monkeypatch.setattr(paint_tools.QColorDialog, "getColor", choose)
    styled.qtbot.mouseClick(box.tools.colour, LEFT)
    assert asked == ["#0ab4aa"]
    assert box.colour == (0x12, 0x34, 0x56)
    assert box.tools.colour.accessibleName() == "Colour of the brush, #123456"
    monkeypatch.setattr(paint_tools.QColorDialog, "getColor", lambda *_given: QColor())
    styled.qtbot.mouseClick(box.tools.colour, LEFT)
    assert box.colour == (0x12, 0x34, 0x56)
    assert QColorDialog is paint_tools.QColorDialog


def test_blur_by_the_mouse(styled, page, box) -> None:
    canvas, before = box.canvas, seen(box.canvas).astype(int)
    styled.qtbot.keyClick(canvas, Qt.Key.Key_U)
    assert box.tools.buttons["blur"].isChecked()
    drag(styled, canvas, (12.0, 16.0), (20.0, 16.0))
    assert styled.undo_name == "Blur"
    after = seen(canvas).astype(int)
    inside = (slice(15, 18), slice(12, 20))
    assert not np.array_equal(after, before)
    assert np.abs(np.diff(after[inside], axis=1)).sum() < np.abs(np.diff(before[inside], axis=1)).sum()
    rest(styled)


def test_painting_by_keys_alone(styled, page, box) -> None:
    canvas, key, before = box.canvas, styled.qtbot.keyClick, seen(box.canvas).copy()
    canvas.setFocus(Qt.FocusReason.TabFocusReason)
    assert canvas.hasFocus()
    size = box.settings.size_row.value
    key(canvas, Qt.Key.Key_BracketRight)
    assert box.settings.size_row.value == size + 1
    for _ in range(40):
        key(canvas, Qt.Key.Key_BracketLeft)
    assert box.settings.size_row.value == 1
    assert canvas.brush.radius == 0.5
    key(canvas, Qt.Key.Key_Left, SHIFT)
    key(canvas, Qt.Key.Key_Up)
    assert "Brush, 1 px at 8, 15" in canvas.accessibleDescription()
    steps = len(styled.workspace.session.history)
    styled.qtbot.keyPress(canvas, Qt.Key.Key_Space)
    for _ in range(3):
        key(canvas, Qt.Key.Key_Right)
    key(canvas, Qt.Key.Key_Down)
    styled.qtbot.keyRelease(canvas, Qt.Key.Key_Space)
    expected = stroke(before, [(8.5, 15.5), (11.5, 15.5), (11.5, 16.5)], Brush(0.5, 1.0), TEAL)
    np.testing.assert_array_equal(seen(canvas), expected)
    assert (expected == TEAL).all(axis=2).sum() == 5
    assert styled.undo_name == "Paint"
    assert len(styled.workspace.session.history) == steps + 1
    for tool in TOOLS:
        key(canvas, Qt.Key(ord(tool.key)))
        assert box.tool == tool.id
        assert box.tools.buttons[tool.id].isChecked()
    key(canvas, Qt.Key.Key_I)
    key(canvas, Qt.Key.Key_Space)
    assert box.colour == TEAL
    key(canvas, Qt.Key.Key_M)
    key(canvas, Qt.Key.Key_Space)
    key(canvas, Qt.Key.Key_Right)
    key(canvas, Qt.Key.Key_Right)
    key(canvas, Qt.Key.Key_Down)
    key(canvas, Qt.Key.Key_Space)
    assert canvas.region == Region(11, 16, 14, 18)
    key(canvas, Qt.Key.Key_Down)
    key(canvas, Qt.Key.Key_Down)
    assert canvas.region == Region(11, 18, 14, 20)
    assert styled.undo_name == "Move"
    np.testing.assert_array_equal(seen(canvas), move(expected, Region(11, 16, 14, 18), 0, 2))
    undo(styled)
    np.testing.assert_array_equal(seen(canvas), expected)
    rest(styled)


def test_a_key_that_is_held_when_the_focus_goes_ends_the_stroke(styled, page, box) -> None:
    canvas = box.canvas
    canvas.setFocus()
    styled.qtbot.keyPress(canvas, Qt.Key.Key_Space)
    box.paint.setFocus()
    assert styled.undo_name == "Paint"
    assert not page._intents.painting.drawing
    before = seen(canvas).copy()
    canvas.setFocus()
    styled.qtbot.keyClick(canvas, Qt.Key.Key_Right)
    np.testing.assert_array_equal(seen(canvas), before)
    rest(styled)


def test_the_wheel_changes_the_size_only_with_the_focus(styled, page, box) -> None:
    canvas, size = box.canvas, box.settings.size_row.value
    box.paint.setFocus()
    wheel(canvas, 1, QPointF(50, 80))
    assert box.settings.size_row.value == size
    canvas.setFocus()
    wheel(canvas, 1, QPointF(50, 80))
    assert box.settings.size_row.value == size + 1


def test_a_picture_like_any_other_while_nobody_paints(styled, page) -> None:
    canvas = page.panel.input
    before = styled.workspace.session.document
    drag(styled, canvas, (8.0, 8.0), (20.0, 20.0))
    styled.qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert styled.workspace.session.document is before
    assert canvas.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert not page.panel.box.tools.isVisible()
    small = canvas.picture_area().width()
    styled.window.actions_table["paint"].trigger()
    QApplication.processEvents()
    assert page.panel.box.tools.isVisible()
    assert page.panel.box.paint.isChecked()
    assert canvas.hasFocus()
    assert canvas.picture_area().width() > 1.3 * small
    styled.window.actions_table["paint"].trigger()
    assert not page.panel.box.tools.isVisible()
    styled.window.show_screen("explore")
    styled.window.actions_table["paint"].trigger()
    assert styled.window.screen_name == "analogies"
    assert page.panel.box.painting
    rest(styled)


# What becomes of it


def test_a_session_and_its_exports_have_the_painting(styled, page, box, tmp_path: Path, monkeypatch) -> None:
    drag(styled, box.canvas, (8.0, 8.0), (24.0, 24.0))
    rest(styled)
    painted = source(styled).painted
    latent = styled.latent.copy()
    path = tmp_path / "session.json"
    styled.workspace.save_session(path, {})
    styled.wait(path.is_file)
    monkeypatch.setattr(dialogs, "ask_target", lambda _window, name: tmp_path / name)
    styled.qtbot.mouseClick(box.save, LEFT)
    styled.wait((tmp_path / "input.png").is_file)
    with Image.open(tmp_path / "input.png") as saved:
        np.testing.assert_array_equal(np.array(saved), painted)
    undo(styled)
    opened: list[object] = []
    styled.workspace.session_opened.connect(opened.append)
    styled.workspace.open_session(path)
    styled.wait(lambda: opened)
    rest(styled)
    np.testing.assert_array_equal(source(styled).painted, painted)
    np.testing.assert_array_equal(seen(box.canvas), painted)
    np.testing.assert_array_equal(styled.latent, latent)
    assert box.reset.isEnabled()
    styled.window.actions_table["copy_python"].trigger()
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(QApplication.clipboard().text(), "copied", "exec"), names)
    np.testing.assert_array_equal(names["found"].source, painted)


def test_another_model_gets_the_painting(
    styled, page, box, tiny_model_folder: Path, tiny_predictor_folder: Path, tiny_cinn_folder: Path
) -> None:
    drag(styled, box.canvas, (8.0, 8.0), (24.0, 24.0))
    rest(styled)
    painted = source(styled).painted
    assert not styled.window.actions_table["paint"].toolTip().endswith("datasets.")
    styled.workspace.open_checkpoint(str(tiny_model_folder), str(tiny_predictor_folder))
    styled.wait(lambda: styled.workspace.opened.name == "tiny-vae" and styled.workspace.in_step)
    assert source(styled).painted is painted
    np.testing.assert_array_equal(source(styled).encoded.source, painted)
    assert not styled.window.actions_table["paint"].isEnabled()
    styled.workspace.open_checkpoint(str(tiny_cinn_folder))
    styled.wait(lambda: styled.workspace.opened.name == "tiny-cinn" and styled.workspace.in_step)
    rest(styled)
    np.testing.assert_array_equal(seen(box.canvas), painted)
    drag(styled, box.canvas, (4.0, 28.0), (28.0, 28.0))
    assert not np.array_equal(seen(box.canvas), painted)
    rest(styled)


def test_a_random_latent_is_painted_on_by_one_click(styled, page) -> None:
    styled.qtbot.mouseClick(page.panel.resample, LEFT)
    styled.wait(lambda: page.live.found is not None and page.live.found.source is None and page.at_rest)
    box, state = page.panel.box, styled.workspace.explore.state
    assert box.paint.text() == "Paint on this"
    assert not box.save.isEnabled()
    assert "no input" in box.save.toolTip()
    QApplication.processEvents()
    panel = page.panel
    assert box.camera.mapTo(panel, box.camera.rect().topRight()).x() <= panel.width() - 8 - 6
    shown, own = page.panel.input.pixels.copy(), page.live.found.plan.own
    told = page.live.found.plan.conditions[own]
    styled.qtbot.mouseClick(box.paint, LEFT)
    styled.wait(lambda: source(styled) is not None)
    rest(styled)
    assert styled.undo_name == f"Open picture random, seed {state.seed}"
    np.testing.assert_array_equal(seen(page.panel.input), shown[..., 2::-1])
    np.testing.assert_array_equal(styled.workspace.explore.state.told, told)
    assert box.paint.text() == "Paint"
    assert box.painting
    drag(styled, page.panel.input, (8.0, 8.0), (24.0, 24.0))
    assert styled.undo_name == "Paint"
    rest(styled)
    undo(styled)
    undo(styled)
    assert styled.workspace.explore.state.seed == state.seed
    styled.wait(lambda: page.at_rest and box.paint.text() == "Paint on this")
    assert not box.painting, "there is nothing to paint on"


def test_a_new_picture_in_the_midst_of_a_stroke(styled, page, box, small_faces) -> None:
    canvas = box.canvas
    styled.qtbot.mousePress(canvas, LEFT, pos=point(canvas, (8.0, 8.0)))
    styled.workspace.bring_pixels(small_faces[5], "another")
    styled.wait(lambda: source(styled).name == "another")
    styled.qtbot.mouseMove(canvas, point(canvas, (20.0, 20.0)))
    styled.qtbot.mouseRelease(canvas, LEFT, pos=point(canvas, (20.0, 20.0)))
    np.testing.assert_array_equal(seen(canvas), small_faces[5])
    rest(styled)
    undo(styled)
    assert source(styled).painted is not None
    undo(styled)
    assert source(styled).painted is None
    rest(styled)


# How it looks


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (960, 620)])
def test_nothing_is_cut_off_while_one_paints(styled, page, box, size: tuple[int, int]) -> None:
    styled.window.resize(*size)
    QApplication.processEvents()
    rest(styled)
    QApplication.processEvents()
    panel = page.panel
    bottom = panel.mapToGlobal(panel.rect().bottomLeft()).y()
    for tool in ("brush", "move"):
        box.choose_tool(tool)
        QApplication.processEvents()
        for control in (box.canvas, box.paint, box.reset, box.camera, *box.tools.buttons.values()):
            assert control.isVisible()
            assert control.mapToGlobal(control.rect().bottomLeft()).y() <= bottom
            right = control.mapTo(panel, control.rect().topRight()).x()
            assert right <= panel.width() - 8 - 6
    assert box.canvas.picture_area().width() >= 220
    last = page.tiles.tiles[-1]
    assert last.mapTo(styled.window, last.rect().topRight()).x() <= size[0]
    assert all(tile.side >= 72 for tile in page.tiles.tiles)


def test_the_brush_is_seen_where_it_is(styled, page, box) -> None:
    canvas = box.canvas
    box.paint.setFocus()
    bare = canvas.grab().toImage()
    styled.qtbot.mouseMove(canvas, point(canvas, (16.0, 16.0)))
    QApplication.processEvents()
    outlined = canvas.grab().toImage()
    assert outlined != bare
    radius = canvas.brush.radius * canvas.picture_area().width() / canvas.side
    edge = point(canvas, (16.0, 16.0)) + QPoint(round(radius), 0)
    assert outlined.pixelColor(edge).lightness() < 90
    assert canvas.cursor().shape() == Qt.CursorShape.BlankCursor
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert canvas.grab().toImage() == bare
    box.choose_tool("pick")
    styled.qtbot.mouseMove(canvas, point(canvas, (16.0, 17.0)))
    assert canvas.cursor().shape() == Qt.CursorShape.CrossCursor
    assert canvas.grab().toImage() != bare
    box.choose_tool("move")
    drag(styled, canvas, (8.0, 8.0), (20.0, 20.0))
    styled.qtbot.mouseMove(canvas, point(canvas, (12.0, 12.0)))
    assert canvas.cursor().shape() == Qt.CursorShape.SizeAllCursor


def test_every_control_is_named_and_reached_while_one_paints(styled, page, box) -> None:
    panel = page.panel
    for tool in ("brush", "move"):
        box.choose_tool(tool)
        controls = [one for one in panel.controls if one.isVisible() and one.isEnabled()]
        assert len(controls) > 20
        assert all(one.accessibleName() or one.text() for one in controls)
        styled.window.activateWindow()
        styled.wait(styled.window.isActiveWindow)
        box.tools.buttons["brush"].setFocus()
        visited = []
        while QApplication.focusWidget() not in visited:
            visited.append(QApplication.focusWidget())
            styled.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        assert not [one.accessibleName() for one in controls if one not in visited]
        order = [visited.index(one) for one in controls]
        assert order == sorted(order)


def test_a_canvas_without_a_picture_takes_no_stroke(qtbot, qapp) -> None:
    canvas = PaintCanvas("Input", "input", Theme(qapp))
    qtbot.addWidget(canvas)
    canvas.resize(200, 226)
    canvas.painting = True
    told: list[object] = []
    canvas.began.connect(told.append)
    qtbot.mousePress(canvas, LEFT, pos=QPoint(50, 80))
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert told == []
    assert canvas.colour_under is None
    canvas.show_frame(bgrx(np.zeros((8, 8, 3), dtype=np.uint8)))
    qtbot.mouseClick(canvas, LEFT, pos=QPoint(100, 126))
    qtbot.mouseDClick(canvas, LEFT, pos=QPoint(100, 126))
    assert len(told) == 2, "the second press of a double click is a dab too"
    middle = QMouseEvent(
        QEvent.Type.MouseButtonPress,
        QPointF(100, 126),
        QPointF(100, 126),
        Qt.MouseButton.MiddleButton,
        Qt.MouseButton.MiddleButton,
        NONE,
    )
    QApplication.sendEvent(canvas, middle)
    assert len(told) == 2
