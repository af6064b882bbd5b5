from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from latentlab.operations.plane import inside_polygon
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.map_canvas import TOOLS, MapCanvas
from latentlab.ui.widgets.map_cards import place_beside
from latentlab.ui.widgets.map_colours import CLASSES_DARK, CLASSES_LIGHT, by_class, by_value
from latentlab.ui.widgets.map_density import SHARES, outlines

LEFT, MIDDLE, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.NoButton
PLAIN = Qt.KeyboardModifier.NoModifier
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
CROSS = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]], dtype=np.float32)


class Heard:
    """What the canvas has told, signal by signal, in order."""

    def __init__(self, canvas: MapCanvas) -> None:
        self.told: list[tuple] = []
        for name in ("hovered", "chosen", "walk_begun", "walked", "walk_ended", "lassoed"):
            getattr(canvas, name).connect(lambda *values, name=name: self.told.append((name, *values)))

    def names(self) -> list[str]:
        return [one[0] for one in self.told]

    def last(self, name: str) -> tuple:
        return [one[1:] for one in self.told if one[0] == name][-1]


@pytest.fixture
def theme(qapp) -> Theme:
    theme = Theme(qapp)
    theme.choose("light")
    return theme


@pytest.fixture
def canvas(qtbot, theme) -> MapCanvas:
    canvas = MapCanvas(theme)
    qtbot.addWidget(canvas)
    canvas.resize(600, 400)
    with qtbot.waitActive(canvas):
        canvas.show()
        canvas.activateWindow()
    canvas.setFocus(Qt.FocusReason.TabFocusReason)
    return canvas


@pytest.fixture
def crossed(canvas) -> MapCanvas:
    """The canvas with five points in a cross, two classes, named."""
    canvas.set_points(CROSS, np.array([0, 0, 1, 1, -1]), ("no", "yes"), list("mrlud"), "Smile")
    canvas.grab()
    return canvas


def pixel(canvas: MapCanvas, x: float, y: float) -> QPoint:
    return QPointF(*canvas.camera.to_pixels(x, y)).toPoint()


def send(canvas: MapCanvas, kind: QEvent.Type, at: QPointF, button=LEFT, buttons=LEFT) -> None:
    """Send a mouse event with a fraction of a pixel, as screens of a higher density do."""
    QApplication.sendEvent(canvas, QMouseEvent(kind, at, at, button, buttons, PLAIN))


def drag(qtbot, canvas: MapCanvas, way: list[QPoint], button=LEFT) -> None:
    buttons = button
    send(canvas, QEvent.Type.MouseButtonPress, QPointF(way[0]), button, buttons)
    for place in way[1:]:
        send(canvas, QEvent.Type.MouseMove, QPointF(place), NONE, buttons)
    send(canvas, QEvent.Type.MouseButtonRelease, QPointF(way[-1]), button, NONE)


def turn(canvas: MapCanvas, at: QPointF, delta: int) -> None:
    where = QPointF(canvas.mapToGlobal(at.toPoint()))
    phase = Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(at, where, QPoint(), QPoint(0, delta), NONE, PLAIN, phase, False)
    QApplication.sendEvent(canvas, event)


def coloured(image: QImage, name: str, tolerance: int = 24) -> int:
    """Return how many pixels of an image have about this colour."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    shade = QColor(name)
    wanted = np.array([shade.blue(), shade.green(), shade.red()])
    return int((np.abs(pixels[..., :3].astype(int) - wanted).max(axis=-1) <= tolerance).sum())


# What is shown


def test_all_points_are_in_view_and_in_their_colours(crossed) -> None:
    for x, y in CROSS:
        assert crossed.rect().adjusted(8, 8, -8, -8).contains(pixel(crossed, x, y))
    image = crossed.grab().toImage()
    for colour in CLASSES_LIGHT[:2]:
        assert coloured(image, colour) > 30
    assert crossed.accessibleDescription() == "5 points, coloured by Smile"


def test_the_dark_scheme_has_colours_of_its_own_and_the_picture_is_light(crossed, theme) -> None:
    theme.choose("dark")
    assert coloured(crossed.grab().toImage(), CLASSES_DARK[1]) > 30
    picture = crossed.picture(500, 300, 2, "A caption")
    assert picture.width() == 1000
    assert picture.height() > 600
    assert coloured(picture, "white", 0) > 0.8 * 1000 * 600
    assert coloured(picture, CLASSES_LIGHT[0]) > 60


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.parametrize("equal", [False, True])
def test_few_points_and_equal_points_are_shown(qtbot, canvas, count: int, equal: bool) -> None:
    places = np.full((count, 2), 7.5e4, dtype=np.float32)
    if not equal:
        places += np.arange(count, dtype=np.float32)[:, None]
    canvas.set_points(places)
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    qtbot.keyClick(canvas, Qt.Key.Key_Right, CONTROL)
    qtbot.keyClick(canvas, Qt.Key.Key_0)
    image = canvas.grab().toImage()
    assert (coloured(image, Theme(QApplication.instance()).colours.muted) > 10) == (count > 0)
    if count:
        assert canvas.nearest(QPointF(pixel(canvas, *places[0].tolist()))) >= 0
    else:
        assert canvas.nearest(QPointF(10, 10)) == -1


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_places_that_are_no_numbers_are_refused(canvas, crossed, wrong: float) -> None:
    places = CROSS.copy()
    places[3, 1] = wrong
    with pytest.raises(ValueError, match="1 of 5 places are not finite"):
        canvas.set_points(places)
    with pytest.raises(ValueError, match="not finite"):
        canvas.set_places(places)
    with pytest.raises(ValueError, match="5 points"):
        canvas.set_places(CROSS[:3])
    with pytest.raises(ValueError, match="4 codes"):
        canvas.set_points(CROSS, np.zeros(4, dtype=np.int64), ("a",))
    assert canvas.accessibleDescription().startswith("5 points")


def test_the_legend_tells_classes_unknown_ones_and_those_past_the_eighth() -> None:
    codes = np.array([0, 1, 1, -1, 99])
    told = by_class(codes, ("no", "yes"), "Smile")
    assert [(one.label, one.count) for one in told.entries] == [("no", 1), ("yes", 2), ("unknown", 2)]
    many = by_class(np.arange(11), tuple("abcdefghijk"), "Letter")
    assert [one.label for one in many.entries][-2:] == ["g", "4 others"]
    assert many.entries[-1].count == 4
    values = np.append(np.linspace(0, 1, 1001), [np.nan, 50]).astype(np.float32)
    ramp = by_value(values, "P")
    assert (ramp.low, ramp.high) == ("≤ 0.01", "≥ 0.991")
    assert ramp.entries[0].label == "unknown"
    assert np.all(np.diff(ramp.slots[:1001]) >= 0)


def test_faded_points_lose_their_colour_and_get_it_back(crossed) -> None:
    crossed.set_colours(np.zeros(5, dtype=np.int64), ("all",))
    full = coloured(crossed.grab().toImage(), CLASSES_LIGHT[0])
    crossed.set_selection(np.array([True, False, False, False, False]))
    one = coloured(crossed.grab().toImage(), CLASSES_LIGHT[0])
    crossed.set_selection(None)
    assert coloured(crossed.grab().toImage(), CLASSES_LIGHT[0]) == full
    assert one < 0.5 * full


def test_marks_density_progress_and_nothing_are_painted(crossed, theme) -> None:
    empty = crossed.grab().toImage()
    crossed.set_marker(0.5, 0.5)
    assert coloured(crossed.grab().toImage(), theme.colours.edited) > coloured(empty, theme.colours.edited)
    crossed.set_marker(40.0, 0.5)  # an arrow at the edge points to it
    assert coloured(crossed.grab().toImage(), theme.colours.edited) > coloured(empty, theme.colours.edited)
    crossed.set_marker(None)
    crossed.set_pins([(0.0, 0.5, "Pin"), (0.0, 0.5, "Under it"), (90.0, 0.0, "Far away")])
    crossed.set_density(np.outer(np.hanning(20), np.hanning(30)).astype(np.float32), (-1, -1, 1, 1))
    crossed.set_axes("PC 1", "PC 2")
    assert coloured(crossed.grab().toImage(), theme.colours.text) > coloured(empty, theme.colours.text)
    crossed.show_progress("Step 1 of 2", 1, 2)
    assert coloured(crossed.grab().toImage(), theme.colours.accent) > 200
    crossed.show_nothing("No faces yet.")
    assert crossed.accessibleDescription() == "No faces yet."
    assert coloured(crossed.grab().toImage(), theme.colours.accent) < 4000
    crossed.set_density(np.zeros((4, 4), dtype=np.float32))
    crossed.grab()


def test_the_lines_of_the_density_hold_their_shares() -> None:
    y, x = np.mgrid[-3:3:121j, -3:3:121j]
    lines = outlines(np.exp(-(x**2 + y**2) / 2).astype(np.float32))
    away = np.unique(np.round((np.hypot(*(lines[:, :2] - 60).T) * 6 / 120), 1))
    expected = np.sqrt(-2 * np.log(1 - np.array(SHARES)))
    assert all(np.abs(away - radius).min() < 0.1 for radius in expected)
    assert all(np.abs(expected - radius).min() < 0.1 for radius in away)


@pytest.mark.parametrize("palette", [CLASSES_LIGHT, CLASSES_DARK])
def test_class_colours_differ_for_every_sight(palette) -> None:
    rgb = np.array([QColor(name).getRgbF()[:3] for name in palette])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    sights = {  # Machado, Oliveira and Fernandes 2009, severity 1
        "normal": np.eye(3),
        "protanopia": [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        "deuteranopia": [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        "tritanopia": [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    }
    to_lms = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]])
    to_lab = np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]])
    for sight, matrix in sights.items():
        seen = np.clip(linear @ np.array(matrix).T, 0, 1)
        lab = np.cbrt(seen @ to_lms.T) @ to_lab.T  # OKLab
        apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + 9 * np.eye(len(lab))
        assert apart.min() > 0.09, sight
        assert apart[:4, :4].min() > 0.13, sight


# The view


def test_a_drag_moves_the_map_with_the_pointer(qtbot, crossed) -> None:
    before = pixel(crossed, 0, 0)
    drag(qtbot, crossed, [QPoint(300, 300), QPoint(320, 310), QPoint(380, 260)])
    assert pixel(crossed, 0, 0) - before == QPoint(80, -40)
    drag(qtbot, crossed, [QPoint(300, 300), QPoint(290, 300)], MIDDLE)
    assert pixel(crossed, 0, 0) - before == QPoint(70, -40)
    qtbot.keyClick(crossed, Qt.Key.Key_0)
    assert pixel(crossed, 0, 0) == before


@pytest.mark.parametrize("at", [QPointF(100.5, 320.25), QPointF(420.75, 60.5)])
def test_zoom_keeps_what_is_under_the_pointer(crossed, at: QPointF) -> None:
    place = crossed.camera.to_map(at.x(), at.y())
    for delta in (120, 120, 30, -360, 15):
        turn(crossed, at, delta)
        assert np.allclose(crossed.camera.to_pixels(*place), (at.x(), at.y()), atol=1e-6)


def test_zoom_has_ends(crossed) -> None:
    scale = crossed.camera.scale
    for delta in (12_000, -24_000):
        for _ in range(10):
            turn(crossed, QPointF(300, 200), delta)
        assert scale / 10 < crossed.camera.scale < scale * 1e5
        crossed.grab()


def test_keys_pan_and_zoom(qtbot, crossed) -> None:
    before, scale = pixel(crossed, 0, 0), crossed.camera.scale
    qtbot.keyClick(crossed, Qt.Key.Key_Right)
    qtbot.keyClick(crossed, Qt.Key.Key_Up)
    assert pixel(crossed, 0, 0) - before == QPoint(-48, 48)
    qtbot.keyClick(crossed, Qt.Key.Key_Plus)
    assert crossed.camera.scale > scale
    qtbot.keyClick(crossed, Qt.Key.Key_Minus)
    assert crossed.camera.scale == pytest.approx(scale)


def test_a_resize_keeps_all_in_view_or_the_middle_where_it_is(qtbot, crossed) -> None:
    crossed.resize(900, 300)
    assert all(crossed.rect().contains(pixel(crossed, x, y)) for x, y in CROSS)
    crossed.pan_by(30, 0)
    middle = (crossed.camera.x, crossed.camera.y, crossed.camera.scale)
    crossed.resize(700, 500)
    assert (crossed.camera.x, crossed.camera.y, crossed.camera.scale) == middle


def test_a_growing_embedding_keeps_the_view_until_it_changes_much(crossed) -> None:
    camera = crossed.camera
    crossed.set_places(CROSS * 1.02)
    assert crossed.camera == camera
    crossed.set_places(CROSS * 5)
    assert all(crossed.rect().contains(pixel(crossed, x, y)) for x, y in CROSS * 5)
    crossed.zoom_by(3, QPointF(pixel(crossed, 5, 0)))
    near = pixel(crossed, 5, 0)
    crossed.set_places(CROSS * 50)  # the part that one looks at stays the same part
    assert (pixel(crossed, 50, 0) - near).manhattanLength() <= 2


# Looking and choosing


def test_the_point_under_the_pointer_is_told_once_and_its_thumbnail_shown(qtbot, crossed) -> None:
    heard = Heard(crossed)
    send(crossed, QEvent.Type.MouseMove, QPointF(pixel(crossed, 1, 0) + QPoint(6, 6)), NONE, NONE)
    qtbot.waitUntil(lambda: heard.names() == ["hovered"])
    assert heard.last("hovered") == (1,)
    crossed.show_thumbnail(2, QImage(8, 8, QImage.Format.Format_RGB32), "another point")
    crossed.grab()
    assert crossed.thumbnail_area is None
    crossed.show_thumbnail(1, QImage(8, 8, QImage.Format.Format_RGB32), "r\nsmile: no")
    crossed.grab()
    assert QRectF(crossed.rect()).contains(crossed.thumbnail_area)
    assert not crossed.thumbnail_area.contains(QPointF(pixel(crossed, 1, 0) + QPoint(6, 6)))
    assert crossed.accessibleDescription() == "r, smile: no"
    send(crossed, QEvent.Type.MouseMove, QPointF(pixel(crossed, 1, 0) + QPoint(9, 9)), NONE, NONE)
    qtbot.waitUntil(lambda: heard.names() == ["hovered", "hovered"])
    assert heard.last("hovered") == (-1,)
    send(crossed, QEvent.Type.MouseMove, QPointF(pixel(crossed, 1, 0)), NONE, NONE)
    qtbot.waitUntil(lambda: len(heard.told) == 3)
    QApplication.sendEvent(crossed, QEvent(QEvent.Type.Leave))
    assert heard.last("hovered") == (-1,)


def test_only_the_latest_position_is_looked_up(qtbot, crossed) -> None:
    heard = Heard(crossed)
    for x, y in CROSS:
        send(crossed, QEvent.Type.MouseMove, QPointF(pixel(crossed, x, y)), NONE, NONE)
    qtbot.wait(20)
    assert heard.told == [("hovered", 4)]


@pytest.mark.parametrize("x", range(0, 601, 50))
@pytest.mark.parametrize("y", range(0, 401, 50))
def test_a_card_is_beside_the_pointer_and_inside(x: int, y: int) -> None:
    area = place_beside(QPointF(x, y), QSizeF(112, 160), QSizeF(600, 400))
    assert area is not None
    assert QRectF(0, 0, 600, 400).contains(area)
    assert not area.adjusted(-8, -8, 8, 8).contains(QPointF(x, y))
    assert place_beside(QPointF(x, y), QSizeF(700, 160), QSizeF(600, 400)) is None


def test_a_click_chooses_and_a_drag_does_not(qtbot, crossed) -> None:
    heard = Heard(crossed)
    at = pixel(crossed, 0, 1)
    drag(qtbot, crossed, [at, at + QPoint(1, 1)])
    assert heard.last("chosen") == (3,)
    drag(qtbot, crossed, [at, at + QPoint(30, 0)])
    drag(qtbot, crossed, [QPoint(20, 380), QPoint(20, 380)])
    assert heard.names().count("chosen") == 1


def test_keys_go_from_point_to_point_and_choose(qtbot, crossed) -> None:
    heard = Heard(crossed)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Left):
        qtbot.keyClick(crossed, key, CONTROL)
    assert [index for _, index in heard.told] == [0, 1, 0, 2]
    qtbot.keyClick(crossed, Qt.Key.Key_Return)
    assert heard.last("chosen") == (2,)
    qtbot.keyClick(crossed, Qt.Key.Key_Escape)
    assert heard.last("hovered") == (-1,)
    crossed.set_points(CROSS)
    crossed.zoom_by(12, QPointF(pixel(crossed, 0, 0)))
    for _ in range(2):
        qtbot.keyClick(crossed, Qt.Key.Key_Up, CONTROL)
    assert heard.last("hovered") == (3,)
    assert crossed.rect().contains(pixel(crossed, 0, 1))  # it came into view


# Walking


def test_a_walk_is_begun_walked_and_ended_in_map_coordinates(qtbot, crossed) -> None:
    crossed.set_tool("walk")
    heard = Heard(crossed)
    drag(qtbot, crossed, [pixel(crossed, 0, 0), pixel(crossed, 0.5, 0), pixel(crossed, 0.5, -1)])
    assert heard.names() == ["walk_begun", "walked", "walked", "walked", "walk_ended"]
    assert np.allclose(heard.told[0][1:], (0, 0), atol=0.01)
    assert np.allclose(heard.last("walked"), (0.5, -1), atol=0.01)


def test_a_walk_on_a_dense_screen_keeps_fractions_of_pixels(crossed) -> None:
    crossed.set_tool("walk")
    heard = Heard(crossed)
    at = QPointF(201.25, 180.75)
    send(crossed, QEvent.Type.MouseButtonPress, at)
    send(crossed, QEvent.Type.MouseButtonRelease, at, LEFT, NONE)
    assert np.allclose(crossed.camera.to_pixels(*heard.last("walk_begun")), (201.25, 180.75))


def test_arrow_keys_walk_from_the_marker(qtbot, crossed) -> None:
    crossed.set_tool("walk")
    crossed.set_marker(0.5, 0.25)
    heard = Heard(crossed)
    qtbot.keyPress(crossed, Qt.Key.Key_Right)
    qtbot.keyPress(crossed, Qt.Key.Key_Up, SHIFT)
    assert heard.names() == ["walk_begun", "walked", "walked"]
    assert heard.told[0][1:] == (0.5, 0.25)
    scale = crossed.camera.scale
    assert np.allclose(heard.last("walked"), (0.5 + 8 / scale, 0.25 + 1 / scale))
    qtbot.keyRelease(crossed, Qt.Key.Key_Right)
    assert heard.names()[-1] == "walked"
    qtbot.keyRelease(crossed, Qt.Key.Key_Up)
    assert heard.names()[-1] == "walk_ended"


@pytest.mark.parametrize("how", ["focus", "tool", "points"])
def test_a_walk_always_ends(qtbot, crossed, how: str) -> None:
    crossed.set_tool("walk")
    heard = Heard(crossed)
    qtbot.keyPress(crossed, Qt.Key.Key_Right)
    if how == "focus":
        QApplication.sendEvent(crossed, QFocusEvent(QEvent.Type.FocusOut))
    elif how == "tool":
        crossed.set_tool("move")
    else:
        crossed.set_points(CROSS)
    assert heard.names() == ["walk_begun", "walked", "walk_ended"]


def test_space_held_moves_the_map_whatever_the_tool(qtbot, crossed) -> None:
    crossed.set_tool("walk")
    assert crossed.cursor().shape() == Qt.CursorShape.CrossCursor
    heard, before = Heard(crossed), pixel(crossed, 0, 0)
    qtbot.keyPress(crossed, Qt.Key.Key_Space)
    assert crossed.cursor().shape() == Qt.CursorShape.OpenHandCursor
    drag(qtbot, crossed, [QPoint(100, 100), QPoint(140, 120)])
    qtbot.keyRelease(crossed, Qt.Key.Key_Space)
    assert pixel(crossed, 0, 0) - before == QPoint(40, 20)
    assert heard.told == []
    assert crossed.cursor().shape() == Qt.CursorShape.CrossCursor


# The lasso


def test_a_lasso_gathers_the_inside_polygon(qtbot, crossed) -> None:
    crossed.set_tool("lasso")
    heard = Heard(crossed)
    corners = [(-0.5, -0.5), (1.5, -0.5), (1.5, 0.5), (-0.5, 0.5)]
    drag(qtbot, crossed, [pixel(crossed, x, y) for x, y in corners])
    (polygon,) = heard.last("lassoed")
    assert polygon.dtype == np.float32
    assert inside_polygon(CROSS, polygon).tolist() == [True, True, False, False, False]
    drag(qtbot, crossed, [QPoint(50, 50), QPoint(51, 51)])
    assert heard.names().count("lassoed") == 1


def test_escape_lets_go_of_the_lasso(qtbot, crossed) -> None:
    crossed.set_tool("lasso")
    heard = Heard(crossed)
    send(crossed, QEvent.Type.MouseButtonPress, QPointF(100, 100))
    for x, y in ((300, 100), (300, 300), (100, 300)):
        send(crossed, QEvent.Type.MouseMove, QPointF(x, y), NONE, LEFT)
    qtbot.keyClick(crossed, Qt.Key.Key_Escape)
    send(crossed, QEvent.Type.MouseButtonRelease, QPointF(100, 300), LEFT, NONE)
    assert heard.told == []


def test_a_lasso_can_be_thrown_by_keys(qtbot, crossed) -> None:
    crossed.set_tool("lasso")
    heard = Heard(crossed)
    cross = {"r": Qt.Key.Key_Right, "l": Qt.Key.Key_Left, "u": Qt.Key.Key_Up, "d": Qt.Key.Key_Down}
    for way in ("lllllluuuuuu", "rrrrrrrrrrrr", "dddddddddddd", "llllllllllll"):
        for step in way:
            qtbot.keyClick(crossed, cross[step])
        qtbot.keyClick(crossed, Qt.Key.Key_Return)
    crossed.grab()
    qtbot.keyClick(crossed, Qt.Key.Key_Backspace)
    qtbot.keyClick(crossed, Qt.Key.Key_Return)
    qtbot.keyClick(crossed, Qt.Key.Key_Return)
    (polygon,) = heard.last("lassoed")
    assert len(polygon) == 4
    assert inside_polygon(CROSS, polygon).tolist() == [True, False, False, False, False]


def test_points_inside_follows_the_even_odd_rule() -> None:
    ring = np.array([[0, 0], [4, 0], [4, 4], [0, 4], [0, 0], [1, 1], [3, 1], [3, 3], [1, 3], [1, 1]])
    places = np.array([[0.5, 2], [2, 2], [3.5, 2], [5, 2], [-1, 0]], dtype=np.float32)
    expected = [True, False, True, False, False]
    assert inside_polygon(places, ring.astype(np.float32)).tolist() == expected
    assert inside_polygon(places[:0], ring.astype(np.float32)).shape == (0,)


# The house's rules


def test_tools_are_named_and_others_refused(crossed) -> None:
    for tool in TOOLS:
        crossed.set_tool(tool)
        assert crossed.tool == tool
    with pytest.raises(ValueError, match="not fly"):
        crossed.set_tool("fly")


def test_the_focus_is_seen_when_it_comes_by_tab(qtbot, crossed, theme) -> None:
    crossed.clearFocus()
    without = coloured(crossed.grab().toImage(), theme.colours.accent, 2)
    crossed.setFocus(Qt.FocusReason.TabFocusReason)
    assert coloured(crossed.grab().toImage(), theme.colours.accent, 2) > without + 2000


def test_the_maps_keys_are_not_the_windows_shortcuts(qtbot, crossed) -> None:
    from PySide6.QtGui import QAction

    fired: list[str] = []
    for keys in ("0", "Space", "Ctrl+0"):
        action = QAction(crossed)
        action.setShortcut(keys)
        action.triggered.connect(lambda _checked=False, keys=keys: fired.append(keys))
        crossed.addAction(action)
    before = pixel(crossed, 0, 0)
    crossed.pan_by(50, 0)
    qtbot.keyClick(crossed, Qt.Key.Key_0)
    qtbot.keyClick(crossed, Qt.Key.Key_Space)
    qtbot.keyClick(crossed, Qt.Key.Key_0, CONTROL)
    assert fired == ["Ctrl+0"]
    assert pixel(crossed, 0, 0) == before


def test_tens_of_thousands_of_points_are_painted_fast(crossed) -> None:
    import time

    generator = np.random.default_rng(0)
    crossed.set_points(
        generator.normal(size=(30_000, 2)).astype(np.float32),
        generator.integers(0, 8, 30_000),
        tuple("abcdefgh"),
    )
    crossed.grab()
    times = []
    for _ in range(8):
        start = time.perf_counter()
        crossed.pan_by(3, 2)
        crossed.repaint()
        times.append(time.perf_counter() - start)
    assert np.median(times) < 1 / 30
