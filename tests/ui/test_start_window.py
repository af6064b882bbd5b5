"""The start page by hand: what it offers, where it leads, and that it steps aside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from driver import Driver
from hands import drop
from PIL import Image
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QToolButton

from latentlab.checkpoints import native
from latentlab.session import bundled_cards
from latentlab.session.autosave import state_directory
from latentlab.ui import main_window, menus
from latentlab.ui.app import WindowOptions, _first_screen
from latentlab.ui.sessions import HINTS
from latentlab.ui.widgets.start_card import StartCard, fitting


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("LATENTLAB_STATE", str(tmp_path / "state"))
    return state_directory()


@pytest.fixture
def models(monkeypatch, tiny_model_folder, tiny_cvae_folder) -> dict[str, Path]:
    """Two small models in the place of the bundled ones; the first is opened by itself."""
    found = {"faces-vae": tiny_model_folder, "tiny-cvae": tiny_cvae_folder}
    for module in (native, bundled_cards, menus, main_window):
        monkeypatch.setattr(module, "bundled_models", lambda: found)
    return found


@pytest.fixture
def begun(qtbot, make_window, models) -> Driver:
    """A window as it begins on nothing, while its first model is still being opened."""
    driver = Driver(qtbot, make_window())
    driver.window.show_screen("start")
    driver.window.begin(None, None)
    return driver


def cards(driver: Driver) -> dict[str, StartCard]:
    return {card.title: card for card in driver.window.start.findChildren(StartCard)}


def test_it_begins_there_where_nothing_else_is_asked_for() -> None:
    assert _first_screen(WindowOptions()) == "start"
    assert _first_screen(WindowOptions(path="faces-vae")) == "explore"
    assert _first_screen(WindowOptions(screenshot=Path("a.png"))) == "explore"


def test_the_page_is_painted_before_torch_is_imported_and_only_then_a_model_is_opened() -> None:
    code = """
import json, sys
from latentlab.ui.app import WindowOptions, application, create_window
from latentlab.ui.gui_thread import GuiThread
from latentlab.ui.main_window import MainWindow

told = []
def begin(window, *_asked):
    told.append((window._painted, window.start.isVisible(), "torch" in sys.modules))
    window.close()
    app.quit()

MainWindow.begin = begin
app, gui = application(), GuiThread()
window = create_window(app, gui, WindowOptions())
window.show()
app.exec()
print(json.dumps(told))
"""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [[True, True, False]]


def test_the_first_model_is_ready_when_one_goes_to_the_sliders(begun) -> None:
    window = begun.window
    assert window.start.isVisible()
    assert not window.header.isVisible()
    begun.wait(lambda: begun.workspace.in_step and begun.workspace.phase == "ready")
    assert window.screen_name == "start", "what opens by itself leaves the page alone"
    token = begun.workspace.opened.token
    begun.qtbot.mouseClick(window.start.begin, Qt.MouseButton.LeftButton)
    assert window.explore.isVisible()
    assert window.header.isVisible()
    begun.rest()
    assert begun.workspace.opened.token == token, "it is not opened again"
    window.actions_table["screen_start"].trigger()
    assert window.start.isVisible()


def test_a_card_is_chosen_by_keys_alone_and_shows_its_model_on_its_screen(begun, monkeypatch) -> None:
    window, app = begun.window, QApplication.instance()
    begun.wait(lambda: begun.workspace.phase == "ready" and begun.workspace.in_step)
    window.activateWindow()
    begun.wait(window.isActiveWindow)
    window.start.begin.setFocus()
    wanted, visited = cards(begun)["tiny-cvae"], []
    while app.focusWidget() is not wanted:
        assert app.focusWidget() not in visited
        visited.append(app.focusWidget())
        begun.qtbot.keyClick(app.focusWidget(), Qt.Key.Key_Tab)
    assert wanted.accessibleName() == "tiny-cvae"
    begun.qtbot.keyClick(wanted, Qt.Key.Key_Return)
    assert window.start.isVisible(), "the model is on its way"
    begun.wait(window.explore.isVisible)
    begun.rest()
    assert begun.workspace.opened.spec.family == "cvae"


def test_a_card_that_is_pressed_while_the_first_model_loads_takes_its_place(begun) -> None:
    assert begun.workspace.phase == "loading"
    begun.window.start.model_chosen.emit("tiny-cvae", "counterfactuals")
    assert begun.window.screen_name == "counterfactuals"
    begun.wait(lambda: begun.workspace.phase == "ready" and begun.workspace.in_step)
    assert begun.workspace.opened.spec.family == "cvae"
    assert begun.window.counterfactuals.isVisible()


def test_what_is_dropped_or_opened_is_shown_where_it_can_be_seen(begun, face, monkeypatch) -> None:
    window = begun.window
    begun.wait(lambda: begun.workspace.phase == "ready" and begun.workspace.in_step)
    drop(window, face)
    assert window.explore.isVisible()
    begun.wait(lambda: begun.workspace.explore.state.source.name == "face.png")
    window.show_screen("start")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_arguments: (str(face), ""))
    opens = next(one for one in window.start.findChildren(QAbstractButton) if one.text() == "Open picture…")
    begun.qtbot.mouseClick(opens, Qt.MouseButton.LeftButton)
    assert window.explore.isVisible()
    begun.rest()


def test_sessions_come_back_with_their_picture_and_what_is_gone_is_said(
    qtbot, make_window, models, face, tmp_path, state
) -> None:
    first = Driver(qtbot, make_window(keep=True))
    first.window.settings.set_flag("hints_seen", True)
    first.window.settings.clear_recent()
    first.workspace.open_checkpoint("faces-vae", "")
    first.workspace.bring_file(face)
    first.rest()
    first.workspace.explore.move(1, 1.5)
    first.rest()
    path = tmp_path / "mine.json"
    first.window.sessions.save(path)
    first.wait(lambda: path.exists() and not first.workspace.busy)
    latent = first.latent.copy()
    first.wait(lambda: first.window.settings.recent() == [str(path)])
    first.window.settings.add_recent(str(tmp_path / "gone.json"))
    first.window.close()

    driver = Driver(qtbot, make_window(keep=True))
    window = driver.window
    window.show_screen("start")
    driver.wait(lambda: window.start.at_rest and window.start.recents.cards)
    shown = cards(driver)
    assert list(shown)[:3] == ["Last session", "mine", "gone.json"]
    assert shown["mine"].has_picture
    assert shown["Last session"].has_picture
    assert "faces-vae" in shown["mine"].said or "tiny" in shown["mine"].said
    assert not shown["gone.json"].isEnabled()
    assert f"No longer in {tmp_path}" in shown["gone.json"].said
    driver.qtbot.mouseClick(window.start.forget, Qt.MouseButton.LeftButton)
    driver.wait(lambda: window.start.at_rest and "gone.json" not in cards(driver))
    assert window.settings.recent() == [str(path)]
    assert not window.start.forget.isVisible()

    driver.qtbot.mouseClick(cards(driver)["mine"], Qt.MouseButton.LeftButton)
    assert not window.start.isVisible()
    driver.wait(lambda: driver.workspace.explore.state is not None)
    driver.rest()
    assert window.explore.isVisible()
    assert driver.latent.tolist() == latent.tolist()
    window.settings.clear_recent()


def test_what_a_crash_left_behind_is_offered_where_it_was_worked_on(
    qtbot, make_window, models, state
) -> None:
    state.mkdir()
    (state / "autosave-1.json").write_text("{}")
    driver = Driver(qtbot, make_window(keep=True))
    driver.window.show_screen("start")
    driver.window.begin(None, None)
    assert driver.window.banner.asking
    assert driver.window.screen_name == "explore"


def test_the_first_hints_wait_for_the_sliders(qtbot, make_window, models) -> None:
    driver = Driver(qtbot, make_window(keep=True))
    driver.window.settings.set_flag("hints_seen", False)
    driver.window.show_screen("start")
    driver.window.begin(None, None)
    assert driver.window.banner.message is None
    driver.window.show_screen("explore")
    assert driver.window.banner.message.text == HINTS[0]
    driver.window.settings.set_flag("hints_seen", True)


def test_pictures_of_models_are_shown_and_their_cards_are_one_press_away(
    qtbot, make_window, models, tmp_path, monkeypatch
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for file in models["faces-vae"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    Image.new("RGB", (526, 526), (200, 30, 30)).save(folder / "samples.png")
    (folder / "README.md").write_text("# own\n\nIt draws red. No more is known.\n")
    models["own"] = folder
    driver = Driver(qtbot, make_window())
    driver.window.show_screen("start")
    driver.wait(lambda: driver.window.start.at_rest and cards(driver)["own"].has_picture)
    card = cards(driver)["own"]
    assert card.said == "It draws red"
    assert card.grab().toImage().pixelColor(card.width() // 2, 40).red() > 150
    link = card.findChild(QToolButton)
    assert link.accessibleName() == "Read the model card of own"
    driver.qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
    assert driver.window.screen_name == "start"
    assert driver.window._help.shown.id == "model:own"
    assert "It draws red" in driver.window._help.page.toPlainText()


def test_every_control_has_a_name_and_lessons_lead_to_their_screen(begun) -> None:
    start = begun.window.start
    controls = [one for one in start.findChildren(QAbstractButton) if one.isVisible()]
    assert len(controls) > 8
    assert all(one.accessibleName() or one.text() for one in controls)
    lessons = begun.window.lessons.lessons
    assert [card.title for card in start.lessons.cards] == [one.title for one in lessons[:4]]
    assert start.all_lessons.text() == f"All {len(lessons)} lessons"
    begun.qtbot.mouseClick(start.all_lessons, Qt.MouseButton.LeftButton)
    assert begun.window.lessons.isVisible()


def test_cards_stand_beside_one_another_within_the_page(begun) -> None:
    window = begun.window
    for width in (960, 1280, 1920):
        window.resize(width, 620)
        begun.wait(lambda width=width: window.width() == width)
        QApplication.processEvents()
        for card in window.start.models.cards:
            left = card.mapTo(window, card.rect().topLeft()).x()
            assert left >= 0
            assert left + card.width() <= window.width()
            assert card.width() >= 228


def test_words_that_do_not_fit_end_in_a_sign(qapp) -> None:
    metrics = QFontMetrics(qapp.font())
    room = QSize(200, 2 * metrics.height())
    assert fitting("few words", metrics, room) == "few words"
    cut = fitting("many words " * 60, metrics, room)
    assert cut.endswith("…")
    assert len(cut) > 20
