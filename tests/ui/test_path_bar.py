from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication

from latentlab.ui.theme import Theme
from latentlab.ui.widgets.path_bar import HEIGHT, NO_PATH, PathBar


@pytest.fixture
def export(qapp) -> QAction:
    return QAction("Export &path…")


@pytest.fixture
def bar(qtbot, qapp, export) -> PathBar:
    bar = PathBar(Theme(qapp), export)
    qtbot.addWidget(bar)
    bar.resize(800, HEIGHT)
    bar.show()
    qtbot.waitExposed(bar)
    return bar


@pytest.fixture
def told(bar) -> list[object]:
    told: list[object] = []
    for signal in (
        bar.play_toggled,
        bar.speed_chosen,
        bar.kind_chosen,
        bar.steps_chosen,
        bar.closed_chosen,
    ):
        signal.connect(told.append)
    return told


def pictures() -> np.ndarray:
    return np.full((24, 32, 32, 4), 128, dtype=np.uint8)


def test_without_two_pins_it_says_what_to_do(bar):
    assert bar.strip.accessibleDescription() == NO_PATH
    assert not bar.play.isEnabled()
    bar.show_frame(pictures())
    assert bar.play.isEnabled()
    bar.show_nothing()
    assert not bar.play.isEnabled()
    assert not bar.strip.isEnabled()


def test_showing_tells_nobody(bar, told):
    bar.show_path("linear", 60, True)
    bar.show_speed(12)
    bar.show_frame(pictures())
    bar.show_position(0.3)
    bar.show_playing(True)
    assert told == []
    assert bar.kind.currentData() == "linear"
    assert bar.steps.value() == 60
    assert bar.closed.isChecked()
    assert bar.speed.value() == 12
    assert bar.strip.position == 0.3


def test_play_asks_for_the_other_state_and_shows_only_what_it_is_told(qtbot, bar, told):
    bar.show_frame(pictures())
    qtbot.mouseClick(bar.play, Qt.MouseButton.LeftButton)
    assert told == [True]
    assert not bar.playing
    assert bar.play.accessibleName() == "Play"
    bar.show_playing(True)
    assert bar.play.accessibleName() == "Pause"
    qtbot.mouseClick(bar.play, Qt.MouseButton.LeftButton)
    assert told == [True, False]


def test_space_plays_from_the_strip_and_the_button(qtbot, bar, told):
    qtbot.keyClick(bar.strip, Qt.Key.Key_Space)
    assert told == []
    bar.show_frame(pictures())
    for widget in (bar.strip, bar.play):
        widget.setFocus()
        qtbot.keyClick(widget, Qt.Key.Key_Space)
    assert told == [True, True]


def test_controls_tell_what_was_chosen(qtbot, bar, told):
    bar.show_path("spherical", 48, False)
    bar.kind.setFocus()
    qtbot.keyClick(bar.kind, Qt.Key.Key_Down)
    bar.steps.setFocus()
    bar.steps.selectAll()
    qtbot.keyClicks(bar.steps, "120")
    qtbot.keyClick(bar.steps, Qt.Key.Key_Return)
    qtbot.keyClick(bar.speed, Qt.Key.Key_Up)
    bar.closed.setFocus()
    qtbot.keyClick(bar.closed, Qt.Key.Key_Space)
    assert told == ["linear", 120, 2, True]


def test_numbers_stay_within_bounds(qtbot, bar, told):
    bar.show_path("spherical", 240, False)
    bar.show_speed(60)
    qtbot.keyClick(bar.steps, Qt.Key.Key_Up)
    qtbot.keyClick(bar.speed, Qt.Key.Key_Up)
    assert told == []


def test_export_is_the_action(qtbot, bar, export):
    done = []
    export.triggered.connect(lambda: done.append(True))
    qtbot.mouseClick(bar.export, Qt.MouseButton.LeftButton)
    assert done == [True]
    export.setEnabled(False)
    assert not bar.export.isEnabled()
    assert bar.export.accessibleName() == "Export path"


@pytest.mark.parametrize("width", [560, 800, 1400])
def test_everything_fits_in_one_row(qtbot, bar, width):
    bar.show_frame(pictures())
    bar.resize(width, HEIGHT)
    QApplication.processEvents()
    assert bar.height() <= 96
    assert bar.strip.width() >= 200
    for control in (bar.play, bar.speed, bar.strip, bar.kind, bar.steps, bar.closed, bar.export):
        assert bar.rect().contains(control.geometry())
        assert control.accessibleName() or control.text()


def test_every_control_is_reached_by_tab(qtbot, bar):
    bar.show_frame(pictures())
    bar.play.setFocus()
    reached = {QApplication.focusWidget()}
    for _ in range(8):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.add(QApplication.focusWidget())
    assert {bar.play, bar.speed, bar.strip, bar.kind, bar.steps, bar.closed} <= reached
