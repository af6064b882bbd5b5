from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.film_strip import FilmStrip

STEPS = 21
STATIONS = [0.0, 0.5, 1.0]


def batch(number: int = STEPS) -> np.ndarray:
    pixels = np.full((number, 32, 32, 4), 255, dtype=np.uint8)
    pixels[..., :3] = (10 * np.arange(number, dtype=np.uint8))[:, None, None, None]
    return pixels


@pytest.fixture
def strip(qtbot, qapp) -> FilmStrip:
    strip = FilmStrip(Theme(qapp))
    qtbot.addWidget(strip)
    strip.resize(400, 80)
    strip.show()
    qtbot.waitExposed(strip)
    strip.show_frame(batch(), 3)
    strip.set_stations(STATIONS, ["Start", "Pin 1", "Pin 2"])
    return strip


@pytest.fixture
def told(strip) -> list[object]:
    told: list[object] = []
    strip.scrub_begun.connect(lambda: told.append("begun"))
    strip.scrubbed.connect(lambda position: told.append(round(position, 6)))
    strip.scrub_ended.connect(lambda: told.append("ended"))
    return told


def at(strip: FilmStrip, position: float, y: int = 30) -> QPoint:
    return QPoint(round(strip.x_of(position)), y)


def test_as_many_evenly_spaced_pictures_as_fit(strip):
    places = strip.shown()
    indices = [index for index, _ in places]
    assert indices[0] == 0
    assert indices[-1] == STEPS - 1
    assert 5 < len(places) < STEPS
    assert all(b.left() > a.right() for (_, a), (_, b) in itertools.pairwise(places))
    assert places[-1][1].right() < strip.width()


def test_a_picture_stands_where_its_position_is(strip):
    for index, place in strip.shown():
        assert abs(strip.x_of(index / (STEPS - 1)) - place.center().x()) <= place.width() / 2


def test_all_pictures_are_shown_where_there_are_few(strip):
    strip.show_frame(batch(3))
    assert [index for index, _ in strip.shown()] == [0, 1, 2]
    strip.show_frame(batch(1))
    assert [index for index, _ in strip.shown()] == [0]
    strip.grab()


def test_a_drag_is_one_scrub(qtbot, strip, told):
    left = Qt.MouseButton.LeftButton
    qtbot.mousePress(strip, left, pos=at(strip, 0.25))
    assert strip.scrubbing
    qtbot.mouseMove(strip, at(strip, 0.75))
    qtbot.mouseMove(strip, QPoint(4000, 30))
    qtbot.mouseRelease(strip, left, pos=QPoint(4000, 30))
    assert (told[0], told[-1]) == ("begun", "ended")
    assert told[1] == pytest.approx(0.25, abs=0.01)
    assert told[-2] == 1.0
    assert told.count("begun") == told.count("ended") == 1
    assert strip.position == 1.0


def test_keys_go_on_by_a_picture_to_pins_and_to_the_ends(qtbot, strip, told):
    for key, position in (
        (Qt.Key.Key_Right, 0.05),
        (Qt.Key.Key_PageUp, 0.5),
        (Qt.Key.Key_PageUp, 1.0),
        (Qt.Key.Key_Left, 0.95),
        (Qt.Key.Key_PageDown, 0.5),
        (Qt.Key.Key_End, 1.0),
        (Qt.Key.Key_Home, 0.0),
        (Qt.Key.Key_Left, 0.0),
    ):
        told.clear()
        qtbot.keyClick(strip, key)
        assert told == ["begun", position, "ended"]


def test_a_held_key_is_one_scrub_even_when_its_release_goes_elsewhere(qtbot, strip, told):
    strip.setFocus()
    qtbot.keyPress(strip, Qt.Key.Key_Right)
    qtbot.keyPress(strip, Qt.Key.Key_Right)
    assert told == ["begun", 0.05, 0.1]
    strip.clearFocus()
    assert told[-1] == "ended"


def test_a_press_on_the_mark_of_a_pin_goes_exactly_there(qtbot, strip, told):
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=at(strip, 0.5, strip.height() - 8) + QPoint(6, 0))
    assert 0.5 in told
    assert strip.accessibleDescription() == "50%, Pin 1"


def test_showing_a_position_tells_nobody(strip, told):
    strip.show_position(0.4)
    strip.show_position(1.4)
    assert told == []
    assert strip.position == 1.0


def test_the_frame_that_was_painted_is_known(qtbot, strip):
    with qtbot.waitSignal(strip.painted, check_params_cb=lambda generation: generation == 9):
        strip.show_frame(batch(), 9)
    assert strip.painted_generation == 9


def test_names_of_close_pins_do_not_overlap(strip):
    strip.set_stations([0.0, 0.02, 0.3, 0.36, 1.0], ["Start", "b", "A long name of a pin", "Another", "End"])
    metrics = strip.fontMetrics()
    places = strip._name_places(metrics, 60)
    assert places[-1][0] == "End"
    assert all(b.left() >= a.right() for (_, a), (_, b) in itertools.pairwise(places))
    assert all(place.left() >= 0 and place.right() <= strip.width() for _, place in places)
    strip.grab()


def test_without_pictures_it_says_why_and_nothing_can_be_scrubbed(qtbot, strip, told):
    qtbot.mousePress(strip, Qt.MouseButton.LeftButton, pos=at(strip, 0.25))
    strip.show_nothing("Pin two pictures.")
    assert told[-1] == "ended"
    told.clear()
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(100, 30))
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert told == []
    assert strip.accessibleDescription() == "Pin two pictures."
    strip.grab()
