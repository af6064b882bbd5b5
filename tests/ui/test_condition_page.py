"""The Condition page by hand: every control by mouse and keys, linked and not, and models that have none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from driver import Driver
from hands import LEFT, choose, drag_slider, error_of, goes_back_and_forth, redo, undo, wheel, write
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QApplication, QComboBox

from latentlab.conditions import weights
from latentlab.operations.explore import Explorer
from latentlab.session.document import AxisRef, PathView, ProbeView
from latentlab.ui.widgets.condition_page import UNCONDITIONAL
from latentlab.ui.widgets.latent_panel import CONDITION, DIMENSIONS


@pytest.fixture
def page(told):
    told.screen.panel.show_page(CONDITION)
    told.rest()
    return told.screen.panel.condition


@pytest.fixture
def explorer(tiny_cvae_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_cvae_folder, tiny_predictor_folder)


def asked(driver: Driver, attribute: str) -> dict[str, float]:
    """What the decoder is told of an attribute."""
    return weights(
        driver.workspace.opened.spec.condition, driver.workspace.explore.state.condition, attribute
    )


def one(driver: Driver, attribute: str) -> tuple[str, float]:
    """The one class that it is told."""
    found = [(label, weight) for label, weight in asked(driver, attribute).items() if weight]
    assert len(found) == 1
    return found[0]


def wait_told(driver: Driver) -> None:
    driver.wait(lambda: not driver.workspace.teller.waiting)
    driver.rest()


def shows_what_is_drawn(driver: Driver, explorer: Explorer) -> None:
    driver.rest()
    state = driver.workspace.explore.state
    np.testing.assert_array_equal(driver.picture, explorer.picture(state.latent, state.condition))


def test_a_class_is_picked_flipped_and_reset(told, page, explorer) -> None:
    block = page.blocks["race"]
    start = one(told, "race")[0]
    other = next(c for c in block.attribute.classes if c != start)
    assert not block.reset.isEnabled()
    choose(block.classes, other.capitalize())
    assert one(told, "race") == (other, 1.0)
    goes_back_and_forth(told, f"race: {other}")
    shows_what_is_drawn(told, explorer)
    told.qtbot.mouseClick(block.flip, LEFT)
    classes = block.attribute.classes
    assert one(told, "race")[0] == classes[(classes.index(other) + 1) % len(classes)]
    goes_back_and_forth(told, "Flip race")
    told.wait(block.reset.isEnabled)
    told.qtbot.mouseClick(block.reset, LEFT)
    assert one(told, "race") == (start, 1.0)
    goes_back_and_forth(told, "Reset race")
    shows_what_is_drawn(told, explorer)
    assert not block.reset.isEnabled()


def test_a_scale_is_dragged_as_one_step_and_marked_beyond_what_training_knows(told, page, explorer) -> None:
    block, steps = page.blocks["gender"], len(told.workspace.session.history)
    assert not block.note.isVisible()
    drag_slider(told, block.scale.slider, 50)
    label, scale = one(told, "gender")
    assert scale > 1.0
    assert len(told.workspace.session.history) == steps + 1
    goes_back_and_forth(told, "Change gender")
    told.rest()
    assert block.note.isVisible()
    assert block.scale.spin.value() == pytest.approx(scale, abs=0.006)
    shows_what_is_drawn(told, explorer)
    drag_slider(told, block.scale.slider, -400)
    assert one(told, "gender") == (label, -3.0), "through nothing, as the same class"
    told.qtbot.mouseDClick(block.scale.slider, LEFT)
    assert one(told, "gender") == (label, 1.0)
    told.rest()
    assert not block.note.isVisible()


def test_a_scale_is_typed_and_moved_by_keys_and_wheel(told, page) -> None:
    block = page.blocks["glasses"]
    label = one(told, "glasses")[0]
    write(told, block.scale.spin, "2.5")
    assert one(told, "glasses") == (label, 2.5)
    assert told.undo_name == "Scale glasses"
    write(told, block.scale.spin, "7")
    assert one(told, "glasses") == (label, 7.0), "beyond the slider"
    told.window.activateWindow()
    told.wait(told.window.isActiveWindow)
    block.scale.slider.setFocus()
    told.qtbot.keyClick(block.scale.slider, Qt.Key.Key_Backspace)
    assert one(told, "glasses") == (label, 1.0)
    told.rest()
    for _ in range(3):
        told.qtbot.keyClick(block.scale.slider, Qt.Key.Key_Left)
    assert one(told, "glasses")[1] == pytest.approx(0.85)
    told.rest()
    wheel(block.scale.slider, 1, QPointF(20, 10))
    assert one(told, "glasses")[1] > 0.85
    told.rest()


def test_scrolling_the_page_changes_nothing(told, page) -> None:
    told.window.activateWindow()
    told.screen.panel.seed.setFocus()
    before = told.workspace.session.document
    for block in page.blocks.values():
        for control in block.controls:
            wheel(control, 1, QPointF(8, 8))
            wheel(control, -1, QPointF(8, 8))
    for box in page.encoder.values():
        wheel(box, -1, QPointF(8, 8))
    assert told.workspace.session.document is before


def test_classes_are_mixed_by_their_weights(told, page, explorer) -> None:
    block = page.blocks["race"]
    assert not any(row.isVisible() for row in block.weights.values())
    told.qtbot.mouseClick(block.mix, LEFT)
    assert all(row.isVisible() for row in block.weights.values())
    start = one(told, "race")[0]
    write(told, block.weights[start].spin, "0.5")
    other = next(c for c in block.attribute.classes if c != start)
    drag_slider(told, block.weights[other].slider, 30)
    assert told.undo_name == "Change race"
    found = asked(told, "race")
    assert found[start] == 0.5
    assert found[other] > 0.0
    told.rest()
    assert block.classes.currentIndex() == -1
    assert block.classes.placeholderText() == "mixture"
    assert block.scale.spin.value() == pytest.approx(sum(found.values()), abs=0.006)
    shows_what_is_drawn(told, explorer)
    write(told, block.scale.spin, "0")
    told.rest()
    assert block.classes.placeholderText() == "not told"
    write(told, block.scale.spin, "2")
    again = asked(told, "race")
    assert again[start] / again[other] == pytest.approx(found[start] / found[other], rel=1e-4)
    told.qtbot.mouseClick(block.mix, LEFT)
    assert not any(row.isVisible() for row in block.weights.values())


def test_reset_all_resets_the_condition_too(told, page) -> None:
    action = told.window.actions_table["reset_all"]
    assert not action.isEnabled()
    told.qtbot.mouseClick(page.blocks["gender"].flip, LEFT)
    told.wait(action.isEnabled)
    action.trigger()
    assert not told.workspace.explore.state.edited
    goes_back_and_forth(told, "Reset all")


def test_the_encoder_is_told_another_class(told, page) -> None:
    before, box = told.workspace.explore.state, page.encoder["gender"]
    now = box.currentData()
    other = next(c for c in ("female", "male") if c != now)
    reconstruction, edited = (
        view.pixels.copy() for view in (told.screen.stage.start, told.screen.stage.edited)
    )
    choose(box, other.capitalize())
    wait_told(told)
    state = told.workspace.explore.state
    assert not np.array_equal(state.start, before.start)
    np.testing.assert_array_equal(state.condition, before.condition)
    np.testing.assert_array_equal(told.screen.stage.start.pixels, reconstruction)
    assert not np.array_equal(told.screen.stage.edited.pixels, edited)
    assert not page.blocks["gender"].reset.isEnabled(), "the decoder is told the picture's own"
    assert told.undo_name == f"Tell the encoder gender: {other}"
    undo(told)
    told.rest()
    assert box.currentData() == now
    np.testing.assert_array_equal(told.screen.stage.start.pixels, reconstruction)
    redo(told)
    told.rest()
    assert box.currentData() == other
    told.qtbot.mouseClick(page.as_seen, LEFT)
    wait_told(told)
    assert box.currentData() == now
    choose(page.encoder["race"], "not told")
    wait_told(told)
    assert told.undo_name == "Tell the encoder race: nothing"
    assert page.encoder["race"].currentText() == "not told"


def test_linked_the_encoder_follows_and_cannot_be_told(told, page) -> None:
    told.qtbot.mouseClick(page.link, LEFT, pos=page.link.rect().center() * 0.2)
    wait_told(told)
    assert page.link.isChecked()
    assert not any(box.isEnabled() for box in page.encoder.values())
    before, steps = told.workspace.session.document, len(told.workspace.session.history)
    told.qtbot.mouseClick(page.blocks["gender"].flip, LEFT)
    wait_told(told)
    drag_slider(told, page.blocks["race"].scale.slider, 30)
    wait_told(told)
    state = told.workspace.explore.state
    np.testing.assert_array_equal(state.condition, state.told)
    assert len(told.workspace.session.history) == steps + 2
    assert page.encoder["gender"].currentData() == one(told, "gender")[0]
    told.qtbot.mouseClick(page.as_seen, LEFT)
    wait_told(told)
    state = told.workspace.explore.state
    assert not state.condition_edited
    np.testing.assert_array_equal(state.told, state.start_condition)
    assert len(told.workspace.session.history) == steps + 3
    for _ in range(3):
        undo(told)
    assert told.workspace.session.document is before
    told.qtbot.mouseClick(page.link, LEFT, pos=page.link.rect().center() * 0.2)
    told.rest()
    assert told.undo_name == "Unlink encoder and decoder"
    assert page.as_seen.isEnabled()


def test_without_a_picture_the_encoder_can_be_told_nothing(told, page) -> None:
    told.window.actions_table["randomise"].trigger()
    told.rest()
    assert not page.link.isEnabled()
    assert not page.as_seen.isEnabled()
    assert not any(box.isEnabled() for box in page.encoder.values())
    assert all("no picture" in box.toolTip() for box in page.encoder.values())
    assert all(block.classes.isEnabled() for block in page.blocks.values())


def test_every_control_has_a_name_and_is_reached_by_the_tab_key(told, page) -> None:
    for block in page.blocks.values():
        block.mix.setChecked(True)
        told.qtbot.mouseClick(block.flip, LEFT)
    told.rest()
    kinds = (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox)
    controls = [
        widget
        for kind in kinds
        for widget in page.findChildren(kind)
        if widget.isVisible()
        and not widget.objectName().startswith("qt_")
        and type(widget).__name__ != "QScrollBar"
    ]
    names = [widget.accessibleName() or widget.text() for widget in controls]
    assert len(controls) == 3 * 4 + 2 * (3 + 8) + 2 + 3
    assert all(names)
    assert len(set(names)) == len(names)
    told.window.activateWindow()
    told.wait(told.window.isActiveWindow)
    told.screen.panel.tabs.setFocus()
    visited = []
    while QApplication.focusWidget() not in visited:
        visited.append(QApplication.focusWidget())
        told.qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
    places = [visited.index(control) for control in controls]
    assert len(places) == len(controls)
    first = [control for block in page.blocks.values() for control in block.controls]
    order = [visited.index(one) for one in (*first, page.link, page.as_seen, *page.encoder.values())]
    assert order == sorted(order)


def test_an_unconditional_model_has_no_condition_and_says_so(told, page, tiny_model_folder: Path) -> None:
    tabs = told.screen.panel.tabs
    told.workspace.open_checkpoint(str(tiny_model_folder))
    told.wait(lambda: told.workspace.opened.name == "tiny-vae")
    told.rest()
    assert tabs.currentIndex() == DIMENSIONS
    assert not tabs.isTabEnabled(CONDITION)
    assert tabs.tabToolTip(CONDITION) == UNCONDITIONAL
    undo(told)
    told.wait(lambda: told.workspace.opened.name == "tiny-cvae")
    told.rest()
    assert tabs.isTabEnabled(CONDITION)
    assert tabs.tabToolTip(CONDITION) == ""
    tabs.setCurrentIndex(CONDITION)
    told.qtbot.mouseClick(page.blocks["gender"].flip, LEFT)
    assert told.undo_name == "Flip gender"
    assert error_of(told) == ""


def test_the_probe_goes_along_a_scale(told, page) -> None:
    told.window.actions_table["view_probe"].trigger()
    probe = told.screen.probe
    choose(probe._axis, "Scale of Glasses: Yes")
    assert told.workspace.session.document.shelf.probe == ProbeView(AxisRef(condition="glasses=yes"), "")
    told.wait(lambda: probe.follower.curve and probe.follower.bands)
    told.rest()
    probe.chart.went_to.emit(2.0)
    assert one(told, "glasses") == ("yes", 2.0)
    goes_back_and_forth(told, "Go to 2.00 on scale of glasses=yes")
    told.wait(lambda: probe.follower.position == 2.0)
    undo(told)
    told.rest()


@pytest.mark.parametrize("size", [(1280, 800), (960, 620)])
def test_nothing_of_the_page_is_cut_off(told, page, size: tuple[int, int]) -> None:
    told.window.resize(*size)
    told.rest()
    for widget in (page, page.link, page.as_seen, *page.encoder.values()):
        place = widget.mapTo(told.window, widget.rect().topLeft())
        assert place.x() + widget.width() <= size[0]
        assert place.y() + widget.height() <= size[1]
    for block in page.blocks.values():
        assert block.width() <= page._area.viewport().width()
        for control in block.controls[:6]:
            assert control.mapTo(block, control.rect().topRight()).x() <= block.width()


def test_a_loop_is_drawn_under_the_conditions_along_the_path(told, page, tmp_path, monkeypatch) -> None:
    told.screen.intents.shelf.pin()
    told.qtbot.mouseClick(page.blocks["gender"].flip, LEFT)
    told.screen.intents.shelf.pin()
    told.screen.intents.shelf.set_path(PathView("linear", 4, closed=True))
    told.rest()
    first, second = (pin.condition for pin in told.workspace.session.document.shelf.pins)
    given = []
    monkeypatch.setattr(told.window.exports, "_render", lambda *arguments: given.append(arguments))
    told.window.exports.loop(tmp_path / "loop.gif", 12.0)
    latents, conditions = given[0][:2]
    assert latents.shape == (8, 8)
    np.testing.assert_array_equal(conditions[[0, 4]], [first, second])
    np.testing.assert_allclose(conditions[2], (first + second) / 2)


def test_figures_say_what_the_picture_was_drawn_as(told, page) -> None:
    choose(page.blocks["race"].classes, "Black")
    write(told, page.blocks["glasses"].scale.spin, "2")
    state = told.workspace.explore.state
    caption = told.window.exports._caption(state)
    assert (
        f"Drawn as gender {one(told, 'gender')[0]}, race black, glasses 2 {one(told, 'glasses')[0]}."
        in caption
    )
    told.rest()
