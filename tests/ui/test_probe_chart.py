from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor

from latentlab.ui.theme import DARK, LIGHT, Theme
from latentlab.ui.widgets.class_colours import DARK_CLASSES, LIGHT_CLASSES, class_colour
from latentlab.ui.widgets.probe_chart import ProbeChart
from latentlab.ui.widgets.probe_plot import Plot, signed, spread_out, ticks

POSITIONS = np.linspace(-3, 3, 25, dtype=np.float32)
CLASSES = ("none", "moustache", "beard")


def curves(classes: int, steep: float = 1.0) -> np.ndarray:
    logits = np.stack([-steep * (POSITIONS - c) ** 2 for c in np.linspace(-2, 2, classes)], 1)
    values = np.exp(logits)
    return (values / values.sum(1, keepdims=True)).astype(np.float32)


@pytest.fixture
def chart(qtbot, qapp) -> ProbeChart:
    chart = ProbeChart(Theme(qapp))
    qtbot.addWidget(chart)
    chart.resize(560, 280)
    chart.set_axis("Offset along smiling", POSITIONS, "σ")
    chart.set_attribute("facial_hair", CLASSES)
    chart.show()
    qtbot.waitExposed(chart)
    return chart


@pytest.fixture
def went(chart) -> list[float]:
    went: list[float] = []
    chart.went_to.connect(went.append)
    return went


def at(chart: ProbeChart, x: float) -> QPoint:
    plot = chart.plot()
    return QPointF(plot.x_of(x), plot.area.center().y()).toPoint()


def shows(chart: ProbeChart, colour: str, inside: QRectF | None = None) -> bool:
    """Whether a colour is painted somewhere."""
    area = (inside or QRectF(chart.rect())).toAlignedRect()
    image = chart.grab(area).toImage()
    wanted = QColor(colour).rgb()
    return any(
        image.pixel(x, y) == wanted for x, y in itertools.product(range(image.width()), range(image.height()))
    )


def test_each_class_has_a_curve(chart):
    palette = DARK_CLASSES if chart._theme.dark else LIGHT_CLASSES
    assert not any(shows(chart, colour) for colour in palette[:3])
    chart.show_curve(curves(3))
    assert all(shows(chart, colour) for colour in palette[:3])


def test_of_two_classes_only_the_second_is_drawn(chart):
    palette = DARK_CLASSES if chart._theme.dark else LIGHT_CLASSES
    chart.set_attribute("glasses", ("no", "yes"))
    chart.show_curve(curves(2))
    assert chart.probe.title == "Glasses: yes"
    assert shows(chart, palette[1])
    assert not shows(chart, palette[0])


def test_the_frame_that_was_painted_is_known(qtbot, chart):
    with qtbot.waitSignal(chart.painted, check_params_cb=lambda generation: generation == 4):
        chart.show_curve(curves(3), 4)
    assert chart.painted_generation == 4


def test_what_comes_too_late_for_its_axis_is_left_out(chart):
    chart.set_attribute("glasses", ("no", "yes"))
    chart.show_curve(curves(3))
    chart.show_mean(curves(3), curves(3), curves(3), 200)
    assert chart.probe.curve is None
    assert chart.probe.mean is None


def test_another_attribute_or_axis_takes_the_curves_away(chart):
    mean = curves(3)
    chart.show_curve(mean)
    chart.show_mean(mean, mean, mean, 200)
    chart.set_axis("Offset along smiling", POSITIONS, "σ")  # the same
    assert chart.probe.curve is not None
    chart.set_axis("z 3", POSITIONS)
    assert chart.probe.curve is None
    assert chart.probe.mean is None


def test_the_mean_says_how_far_it_is_until_it_is_there(chart):
    chart.show_mean_progress(120, 200)
    assert chart.probe.computed == (120, 200)
    chart.grab()
    mean = curves(3, 0.5)
    chart.show_mean(mean, mean * 0.8, mean * 1.1, 200)
    assert chart.probe.computed is None
    assert chart.probe.mean.count == 200
    chart.show_mean(None)
    assert chart.probe.mean is None


def test_the_mean_says_what_it_is_of_where_there_is_room(chart):
    mean = curves(3, 0.5)
    chart.show_curve(curves(3))
    chart.show_mean(mean, mean * 0.8, mean * 1.1, 200)
    wide, narrow = chart.picture(900, 320), chart.picture(420, 320)
    chart.set_mean_of("images of faces:train")
    assert chart.probe.of_what == "images of faces:train"
    assert chart.picture(900, 320) != wide
    assert chart.picture(420, 320) == narrow, "the number alone"


def test_the_mean_may_have_been_computed_at_fewer_places(chart):
    few = np.array([-3, 0, 3], dtype=np.float32)
    mean = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]], dtype=np.float32)
    chart.show_curve(curves(3))
    chart.show_mean(mean, mean * 0.9, mean, 50, few)
    chart.set_position(-1.5)
    chart.describe()
    assert "mean 75.0%; Moustache" in chart.accessibleDescription()
    chart.show_mean(mean, mean, mean, 60)  # as many places as this picture's, or they do not fit
    assert chart.probe.mean.count == 50
    chart.grab()


def test_the_pointer_reads_and_a_click_goes_there(qtbot, chart, went):
    chart.show_curve(curves(3))
    qtbot.mouseMove(chart, at(chart, 1.0))
    assert chart.cursor_position == pytest.approx(1.0)
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=at(chart, -1.5))
    assert went == [pytest.approx(-1.5)]
    qtbot.mouseMove(chart, QPoint(2, 2))
    assert chart.cursor_position is None
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    qtbot.mouseClick(chart, Qt.MouseButton.RightButton, pos=at(chart, 0))
    assert len(went) == 1


def test_keys_read_and_go_there(qtbot, chart, went):
    mean = curves(3, 0.5)
    chart.show_curve(curves(3))
    chart.show_mean(mean, mean * 0.8, mean * 1.1, 200)
    chart.set_position(0.5)
    chart.setFocus()
    for key, position in (
        (Qt.Key.Key_Right, 0.75),
        (Qt.Key.Key_Left, 0.5),
        (Qt.Key.Key_PageUp, 1.0),
        (Qt.Key.Key_Home, -3.0),
        (Qt.Key.Key_Left, -3.0),
        (Qt.Key.Key_End, 3.0),
    ):
        qtbot.keyClick(chart, key)
        assert chart.cursor_position == pytest.approx(position)
    assert chart.accessibleDescription().startswith("At +3 σ: None 0.0%, mean ")
    qtbot.keyClick(chart, Qt.Key.Key_Return)
    assert went == [pytest.approx(3.0)]
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.cursor_position is None
    qtbot.keyClick(chart, Qt.Key.Key_Return)
    assert len(went) == 1


def test_the_mean_alone_can_be_read_too(qtbot, chart):
    mean = curves(3)
    chart.show_mean(mean, mean, mean, 200)
    chart.setFocus()
    qtbot.keyClick(chart, Qt.Key.Key_End)
    chart.grab()
    assert "None mean 0.0%" in chart.accessibleDescription()


def test_without_curves_it_says_why_and_answers_nothing(qtbot, chart, went):
    chart.show_curve(curves(3))
    chart.show_nothing("No attribute predictor fits this model.")
    chart.grab()
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=at(chart, 0))
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    qtbot.keyClick(chart, Qt.Key.Key_Return)
    assert went == []
    assert chart.accessibleDescription() == "No attribute predictor fits this model."


def test_the_present_place_is_marked_and_pointed_to_when_outside(chart):
    accent = chart._theme.colours.accent
    chart.show_curve(curves(3))
    plot = chart.plot()
    chart.set_position(1.4)
    x = plot.x_of(1.4)
    assert shows(chart, accent, QRectF(x - 3, plot.area.top() + 2, 6, 30))
    chart.set_position(9.0)
    assert not shows(chart, accent, QRectF(x - 3, plot.area.top() + 2, 6, 30))
    assert shows(chart, accent, QRectF(plot.area.right() - 12, plot.area.bottom() - 20, 12, 16))


def test_the_exported_picture_is_on_white_and_as_large_as_asked(chart):
    chart.show_curve(curves(3))
    image = chart.picture(700, 320, scale=2)
    assert (image.width(), image.height()) == (1400, 640)
    assert image.pixelColor(2, 2) == QColor("white")
    wanted = QColor(LIGHT_CLASSES[0]).rgb()
    assert any(image.pixel(x, y) == wanted for x in range(0, 1400, 2) for y in range(0, 640, 2))


@pytest.mark.parametrize("width", [260, 400, 900])
@pytest.mark.parametrize("classes", [1, 2, 8])
def test_it_paints_at_every_size(chart, width, classes):
    chart.resize(width, 160)
    chart.set_attribute("hair", [f"a rather long class name {k}" for k in range(classes)])
    mean = curves(classes)
    chart.show_curve(mean)
    chart.show_mean(mean, mean * 0.8, mean * 1.1, 200)
    chart.grab()


def test_labels_never_overlap_and_stay_inside():
    places = spread_out([10.0, 11.0, 12.0, 200.0, 199.0], 16, 0, 200)
    ordered = sorted(places)
    assert all(b - a >= 15.999 for a, b in itertools.pairwise(ordered))
    assert ordered[0] >= 0
    assert ordered[-1] <= 200
    assert places[4] < places[3]  # in the order of what they want
    crowded = spread_out([5.0] * 8, 16, 0, 70)
    assert (min(crowded), max(crowded)) == (0.0, 70.0)
    assert spread_out([50.0, 100.0], 16, 0, 200) == [50.0, 100.0]
    assert spread_out([], 16, 0, 200) == []


def test_ticks_are_round_numbers_with_room_between():
    plot = Plot(QRectF(0, 0, 400, 100), -3, 3)
    assert [signed(value) for value in ticks(plot)] == ["−3", "−2", "−1", "0", "+1", "+2", "+3"]
    narrow = Plot(QRectF(0, 0, 90, 100), -0.25, 0.31)
    assert 1 <= len(ticks(narrow)) <= 2


def luminance(colour: str) -> float:
    channels = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize(("palette", "theme"), [(LIGHT_CLASSES, LIGHT), (DARK_CLASSES, DARK)])
def test_classes_stand_out_from_the_card(palette, theme):
    ground = luminance(theme.surface)
    for colour in palette:
        bright, dark = max(luminance(colour), ground), min(luminance(colour), ground)
        assert (bright + 0.05) / (dark + 0.05) >= 2.99
    assert len(set(palette)) == 8


def test_class_colours_repeat_after_eight():
    assert class_colour(9) == class_colour(1)
    assert class_colour(0, dark=True) == DARK_CLASSES[0]
