from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QApplication, QWidget

from latentlab.ui import menus
from latentlab.ui.action_table import TABLE, ActionSpec
from latentlab.ui.crash import CrashGuard
from latentlab.ui.gui_thread import GuiThread
from latentlab.ui.theme import DARK, LIGHT


def test_importing_the_window_and_the_session_pulls_no_torch() -> None:
    code = (
        "import sys, latentlab.session.workspace, latentlab.session.python_code, latentlab.ui.app, "
        "latentlab.ui.screenshot, latentlab.ui.main_window, latentlab.cli.open_window; "
        "import json; print(json.dumps([name for name in ('torch', 'scipy', 'PIL') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_every_action_has_an_own_identifier_and_own_keys() -> None:
    specs = [spec for spec in TABLE if isinstance(spec, ActionSpec)]
    assert len({spec.id for spec in specs}) == len(specs)
    keys = [QKeySequence(spec.keys).toString() for spec in specs if spec.keys]
    assert all(keys)
    assert len(set(keys)) == len(keys)


def test_every_action_stands_in_a_menu_and_can_be_found(driver) -> None:
    found = set()
    for top in driver.window.menuBar().actions():
        found |= {action.objectName() for action in top.menu().actions() if action.objectName()}
    assert found == {spec.id for spec in TABLE if isinstance(spec, ActionSpec)}


def test_every_control_has_an_accessible_name(driver) -> None:
    controls = [
        widget
        for kind in (QAbstractButton, QAbstractSlider, QAbstractSpinBox)
        for widget in driver.window.findChildren(kind)
        if widget.isVisible() and not widget.objectName().startswith("qt_")
    ]
    nameless = [
        widget
        for widget in controls
        if not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
        and type(widget).__name__ != "QScrollBar"
    ]
    assert len(controls) > 30
    assert not nameless, nameless


def test_every_control_is_reached_by_the_tab_key(driver) -> None:
    window, app = driver.window, QApplication.instance()
    dimensions = [info.index for info in driver.list._infos]
    for dimension in dimensions:
        driver.workspace.explore.move(
            dimension, 1.0
        )  # Reset can be reached where there is something to reset
    driver.rest()
    window.activateWindow()
    driver.wait(window.isActiveWindow)
    window.header.samples.setFocus()
    visited: list[QWidget] = []
    while app.focusWidget() not in visited:
        visited.append(app.focusWidget())
        driver.qtbot.keyClick(app.focusWidget(), Qt.Key.Key_Tab)
    panel = driver.screen.panel
    rows = [driver.list.row(dimension) for dimension in dimensions]
    expected = [control for row in rows for control in (row.slider, row.spin, row.reset)]
    assert [widget for widget in visited if widget in expected] == expected, "row by row, left to right"
    assert panel.seed in visited
    buttons = [one for one in window.findChildren(QAbstractButton) if one.isVisible() and one.isEnabled()]
    inner = {button for menu in [window.header.samples.menu()] for button in menu.buttons}
    assert [one for one in buttons if one not in visited and one not in inner] == []


def test_shortcuts_do_what_the_menus_do(driver) -> None:
    driver.workspace.explore.move(0, 1.0)
    driver.window.activateWindow()
    driver.qtbot.keyClick(driver.window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not driver.workspace.explore.state.edited
    driver.qtbot.keyClick(
        driver.window,
        Qt.Key.Key_Z,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    assert driver.workspace.explore.state.edited
    driver.qtbot.keyClick(driver.window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert not driver.workspace.explore.state.edited


def test_the_theme_follows_what_is_chosen_and_is_painted(driver) -> None:
    window = driver.window

    def shade() -> int:
        image = window.grab().toImage()
        return image.pixelColor(4, window.height() - 40).lightness()

    window.theme.choose("light")
    assert window.theme.colours is LIGHT
    light = shade()
    window.actions_table.submenus["theme"].actions()[2].trigger()
    assert window.theme.scheme == "dark"
    assert window.theme.colours is DARK
    assert shade() < 60 < 200 < light
    window.theme.choose("system")


def test_the_status_bar_says_where_and_how_fast(driver) -> None:
    status = driver.window.status
    choice = driver.workspace.choice
    assert status._device.text().startswith(f"{choice.device} · {choice.precision} · {choice.threads}")
    status.write_times()
    assert status._render.text().startswith("render ")
    assert status._frame.text().endswith(" ms")
    assert status._busy.text() == ""


def test_an_unexpected_error_is_shown_and_the_window_lives(driver, capsys) -> None:
    guard = CrashGuard(driver.window, lambda call: call())
    try:
        raise RuntimeError("surprise")
    except RuntimeError as error:
        guard.take(type(error), error, error.__traceback__)
    assert guard.dialog.isVisible()
    assert "RuntimeError: surprise" in guard.dialog.report
    assert "LatentLab 0" in guard.dialog.report
    assert "surprise" in capsys.readouterr().err
    guard.dialog._copy_report()
    assert QApplication.clipboard().text() == guard.dialog.report
    driver.workspace.explore.move(0, 1.0)
    driver.rest()
    guard.remove()
    assert not guard.dialog.isVisible()


def test_the_guard_takes_errors_of_threads_too(driver, capsys) -> None:
    gui = GuiThread()
    guard = CrashGuard(driver.window, gui.post)
    guard.install()
    try:
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
        driver.wait(lambda: "ZeroDivisionError" in guard.dialog.report)
    finally:
        guard.remove()
    assert sys.excepthook is not guard.take


def test_closing_leaves_no_thread(qtbot, make_window, tiny_model_folder) -> None:
    window = make_window()
    window.workspace.open_checkpoint(str(tiny_model_folder), "")
    qtbot.waitUntil(lambda: window.workspace.phase == "ready", timeout=120_000)
    assert any(thread.name.startswith("latentlab") for thread in threading.enumerate())
    window.close()
    assert not any(thread.name.startswith("latentlab") for thread in threading.enumerate())


def test_closing_while_torch_loads_is_clean(make_window, tiny_model_folder) -> None:
    window = make_window()
    window.workspace.open_checkpoint(str(tiny_model_folder), "")
    assert "Loading torch" in window.state_page.text
    window.close()


def test_without_bundled_models_the_window_says_so(make_window, monkeypatch) -> None:
    monkeypatch.setattr(menus, "bundled_models", dict)
    window = make_window()
    window.begin(None, None)
    assert "no bundled models" in window.state_page.text
    assert window.workspace.phase == "empty"
    assert not window.actions_table["export_picture"].isEnabled()


def test_a_first_model_that_fails_is_said_in_the_middle_and_the_next_one_opens(
    qtbot, make_window, tiny_model_folder, tmp_path, face
) -> None:
    window = make_window()
    window.begin(str(tmp_path / "gone"), face)
    qtbot.waitUntil(lambda: window.workspace.phase == "failed", timeout=120_000)
    assert "gone" in window.state_page.text
    assert window.banner.message is None
    window.open_path(tiny_model_folder)
    qtbot.waitUntil(lambda: window.workspace.phase == "ready", timeout=120_000)
    assert window.explore.isVisible()
    assert window.workspace.explore.state.source.name == "face.png", "the first picture has waited"


def test_the_first_paint_comes_before_torch_and_is_told_once(qtbot, make_window) -> None:
    window = make_window()
    told: list[int] = []
    window.first_painted.connect(lambda: told.append(1))
    window.update()
    qtbot.wait(50)
    window.update()
    qtbot.wait(50)
    assert len(told) <= 1
    assert window._painted


def test_geometry_and_choices_are_remembered(make_window) -> None:
    window = make_window(keep=True)
    window.resize(960, 700)  # what fits the screen of the offscreen platform
    window.actions_table["show_pixels"].trigger()
    window._choose_scheme("dark")
    window.close()
    again = make_window(keep=True)
    try:
        assert (again.width(), again.height()) == (960, 700)
        assert again.actions_table["show_pixels"].isChecked()
        assert not again.explore.stage.edited.smooth
        assert again.theme.scheme == "dark"
    finally:
        again.actions_table["show_pixels"].trigger()
        again._choose_scheme("system")


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (960, 620)])
def test_nothing_is_cut_off(driver, size: tuple[int, int]) -> None:
    driver.window.resize(*size)
    driver.rest()
    for child in (driver.screen.stage, driver.screen.attributes, driver.screen.panel, driver.window.header):
        place = child.mapTo(driver.window, child.rect().topLeft())
        assert place.x() >= 0
        assert place.x() + child.width() <= size[0]
        assert place.y() + child.height() <= size[1]
    bars = driver.screen.attributes.bars
    assert driver.screen.attributes.height() >= driver.screen.attributes.minimumSizeHint().height()
    assert all(bars.rect().contains(row.area()) for block in bars._layout.blocks for row in block.rows)
    assert driver.screen.stage.edited.width() >= 100
    image = driver.window.grab().toImage()
    assert not image.isNull()


def test_the_command_takes_a_picture_of_the_window(tmp_path, tiny_model_folder) -> None:
    path = tmp_path / "window.png"
    command = [sys.executable, "-m", "latentlab", str(tiny_model_folder), "--screenshot", str(path)]
    done = subprocess.run(
        [*command, "--theme", "dark", "--size", "1100x700"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    from PIL import Image

    with Image.open(path) as picture:
        assert picture.size == (1100, 700)
        pixels = np.array(picture.convert("RGB"))
    assert pixels[-40, 4].max() < 60, "dark, as asked for"
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 200


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_without_a_display_the_command_says_so(tiny_model_folder) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    done = subprocess.run(
        [sys.executable, "-m", "latentlab", str(tiny_model_folder)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 2
    assert "no display" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["/no/such/checkpoint"], "/no/such/checkpoint"),
        (["--size", "big"], "1280x800"),
        (["--theme", "pink"], "light, dark or system"),
        (["--screen", "kitchen"], "explore"),
    ],
)
def test_bad_options_are_one_line_and_status_2(arguments: list[str], part: str, capsys) -> None:
    from latentlab.cli.main import run

    assert run(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert part in error
    assert "\n" not in error


def test_what_waits_for_a_model_that_is_being_opened_says_so(driver, idle_model_folder) -> None:
    action = driver.window.actions_table["mutate"]
    assert action.isEnabled()
    driver.workspace.open_checkpoint(str(idle_model_folder), "")
    assert not action.isEnabled()
    assert "The model is being opened." in action.toolTip()
    driver.wait(lambda: driver.workspace.in_step)
    assert "model" not in action.toolTip()
