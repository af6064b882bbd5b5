from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from latentlab.operations.explore import Explorer
from latentlab.ui.widgets.dimension_row import DimensionInfo


def drag(driver, dimension: int, steps: int = 30) -> None:
    """Drag a slider to the right by the mouse."""
    slider = driver.list.row(dimension).slider
    y, x = slider.height() // 2, round(slider._x_of(slider.value()))
    driver.qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    for k in range(steps):
        driver.qtbot.mouseMove(slider, QPoint(x + 2 * k, y))
    driver.qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(x + 2 * steps, y))


def test_the_screen_shows_input_reconstruction_and_edited_picture(
    driver, tiny_model_folder, tiny_predictor_folder, small_faces
) -> None:
    stage = driver.screen.stage
    pixels = small_faces[2]
    explorer = Explorer.open(tiny_model_folder, tiny_predictor_folder)
    reconstruction = explorer.picture(explorer.encode(pixels).latent)
    np.testing.assert_array_equal(stage.input.pixels[..., 2::-1], pixels)
    np.testing.assert_array_equal(stage.start.pixels[..., 2::-1], reconstruction)
    np.testing.assert_array_equal(driver.picture, reconstruction)
    shown = driver.screen.series()
    assert list(shown) == ["input", "start", "edited"]
    for name, values in explorer.attributes(pixels).items():
        np.testing.assert_array_equal(shown["input"][name], values)
    for name, values in explorer.attributes(reconstruction).items():
        np.testing.assert_array_equal(shown["edited"][name], values)


def test_a_drag_changes_the_picture_live_and_is_one_step(driver) -> None:
    before, picture = driver.latent.copy(), driver.picture.copy()
    drag(driver, 3)
    assert driver.undo_name == "Move dimension 3"
    assert len(driver.workspace.session.history) == 1
    driver.rest()
    assert not np.array_equal(driver.picture, picture)
    assert np.flatnonzero(driver.latent != before).tolist() == [3]
    assert driver.list.row(3).spin.value() == pytest.approx(float(driver.latent[3]), abs=0.01)
    driver.window.actions_table["undo"].trigger()
    driver.rest()
    np.testing.assert_array_equal(driver.latent, before)
    np.testing.assert_array_equal(driver.picture, picture)
    assert not driver.window.actions_table["undo"].isEnabled()


def test_redo_brings_the_same_picture_back_to_the_bit(driver) -> None:
    drag(driver, 0)
    driver.rest()
    picture = driver.picture.copy()
    actions = driver.window.actions_table
    actions["undo"].trigger()
    driver.rest()
    assert actions["redo"].text() == "Redo Move dimension 0"
    actions["redo"].trigger()
    driver.rest()
    np.testing.assert_array_equal(driver.picture, picture)


def test_painted_tells_each_generation_once_in_order_with_picture_and_bars(driver) -> None:
    seen: list[int] = []
    stage, bars = driver.screen.stage, driver.screen.attributes.bars

    def look(generation: int) -> None:
        seen.append(generation)
        assert stage.edited.painted_generation == generation
        assert bars.painted_generation == generation

    driver.screen.painted.connect(look)
    drag(driver, 1)
    driver.rest()
    assert seen
    assert seen == sorted(set(seen))
    assert seen[-1] == driver.screen.frame.generation


def test_the_bars_move_with_the_frame(driver) -> None:
    drag(driver, 2)
    driver.rest()
    edited = driver.screen.series()["edited"]
    for name, values in driver.screen.frame.attributes.items():
        np.testing.assert_array_equal(edited[name], values[0])
    description = driver.screen.attributes.bars.accessibleDescription()
    assert description.startswith("Gender: ")
    assert "Facial hair" in description


def test_reset_is_grey_at_the_start_and_returns_there(driver) -> None:
    row = driver.list.row(5)
    start = driver.latent.copy()
    assert not row.reset.isEnabled()
    drag(driver, 5)
    driver.wait(row.reset.isEnabled)
    driver.qtbot.mouseClick(row.reset, Qt.MouseButton.LeftButton)
    assert not row.reset.isEnabled()
    assert driver.undo_name == "Reset dimension 5"
    np.testing.assert_array_equal(driver.latent, start)


def test_what_is_told_after_the_frame_is_told_soon_also_where_no_frame_comes(driver) -> None:
    row = driver.list.row(2)
    driver.workspace.rendering.edited.disconnect(driver.screen._show_frame)
    driver.workspace.explore.move(2, 1.25)
    driver.wait(lambda: row.spin.value() == 1.25)
    assert row.reset.isEnabled()


def test_a_double_click_resets(driver) -> None:
    start = driver.latent.copy()
    drag(driver, 4)
    slider = driver.list.row(4).slider
    driver.qtbot.mouseDClick(slider, Qt.MouseButton.LeftButton, pos=slider.rect().center())
    np.testing.assert_array_equal(driver.latent, start)
    assert not slider.isSliderDown()


def test_arrow_keys_move_and_backspace_resets(driver) -> None:
    slider = driver.list.row(6).slider
    slider.setFocus()
    before = float(driver.latent[6])
    for _ in range(5):
        driver.qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert float(driver.latent[6]) > before
    assert len(driver.workspace.session.history) == 1, "keys that follow closely are one step"
    driver.qtbot.keyClick(slider, Qt.Key.Key_Backspace)
    assert float(driver.latent[6]) == before
    driver.qtbot.keyClick(slider, Qt.Key.Key_Down)
    order = [info.index for info in driver.list._infos]
    assert driver.list.row(order[order.index(6) + 1]).slider.hasFocus()
    assert float(driver.latent[6]) == before


def test_the_spin_box_sets_a_value_exactly_also_beyond_the_slider(driver) -> None:
    spin = driver.list.row(7).spin
    spin.setFocus()
    spin.selectAll()
    driver.qtbot.keyClicks(spin, "4.25")
    driver.qtbot.keyClick(spin, Qt.Key.Key_Return)
    assert float(driver.latent[7]) == 4.25
    slider = driver.list.row(7).slider
    driver.wait(lambda: slider.value() == slider.maximum())
    assert float(driver.latent[7]) == 4.25, "the slider's end does not push the value back"


def test_the_wheel_moves_no_slider_without_the_focus(driver) -> None:
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    slider = driver.list.row(0).slider
    before = driver.latent.copy()
    for focused in (False, True):
        slider.setFocus() if focused else slider.clearFocus()
        event = QWheelEvent(
            QPointF(10, 10),
            slider.mapToGlobal(QPointF(10, 10)),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(slider, event)
        assert np.array_equal(driver.latent, before) != focused


def test_randomise_counts_seeds_and_shows_the_start(driver) -> None:
    panel, stage = driver.screen.panel, driver.screen.stage
    driver.window.actions_table["randomise"].trigger()
    driver.rest()
    first = driver.latent.copy()
    assert driver.workspace.explore.state.seed == 0
    assert stage.input.pixels is None
    np.testing.assert_array_equal(stage.start.pixels, stage.edited.pixels)
    assert list(driver.screen.series()) == ["start", "edited"]
    driver.window.actions_table["randomise"].trigger()
    assert panel.seed.value() == 1
    panel.seed.selectAll()
    driver.qtbot.keyClicks(panel.seed, "0")
    driver.qtbot.keyClick(panel.seed, Qt.Key.Key_Return)
    np.testing.assert_array_equal(driver.latent, first)
    for _ in range(3):
        driver.window.actions_table["undo"].trigger()
    driver.rest()
    assert stage.input.pixels is not None
    assert list(driver.screen.series()) == ["input", "start", "edited"]


def test_a_truncation_draws_the_same_seed_anew(driver) -> None:
    panel = driver.screen.panel
    driver.window.actions_table["randomise"].trigger()
    first = driver.latent.copy()
    panel.truncation.selectAll()
    driver.qtbot.keyClicks(panel.truncation, "0.5")
    driver.qtbot.keyClick(panel.truncation, Qt.Key.Key_Return)
    np.testing.assert_array_equal(driver.latent, first * np.float32(0.5))
    assert driver.screen.stage.start._detail == "random, seed 0, truncation 0.5"
    driver.window.actions_table["undo"].trigger()
    assert panel.truncation.value() == 1.0
    assert panel.seed.value() == 0


def test_mutations_differ_and_are_undone_one_by_one(driver) -> None:
    seen = [driver.latent.copy()]
    for _ in range(3):
        driver.window.actions_table["mutate"].trigger()
        seen.append(driver.latent.copy())
    assert len({latent.tobytes() for latent in seen}) == 4
    assert driver.undo_name == "Mutate"
    for latent in reversed(seen[:-1]):
        driver.window.actions_table["undo"].trigger()
        np.testing.assert_array_equal(driver.latent, latent)


def test_reset_all_is_grey_until_something_is_edited(driver) -> None:
    action = driver.window.actions_table["reset_all"]
    assert not action.isEnabled()
    drag(driver, 0)
    drag(driver, 1)
    assert action.isEnabled()
    action.trigger()
    assert not action.isEnabled()
    assert not driver.workspace.explore.state.edited


def test_pictures_can_stand_side_by_side_and_show_their_pixels(driver) -> None:
    stage = driver.screen.stage
    assert stage.edited.width() > stage.input.width()
    driver.window.actions_table["side_by_side"].trigger()
    assert stage.edited.size() == stage.input.size() == stage.start.size()
    driver.window.actions_table["show_pixels"].trigger()
    assert not stage.edited.smooth
    views = (stage.input, stage.start, stage.edited)
    for one in views:
        assert stage.rect().contains(one.geometry())
        assert not any(one is not other and one.geometry().intersects(other.geometry()) for other in views)


def test_a_thousand_dimensions_make_only_the_rows_in_view(driver) -> None:
    dimensions = driver.list
    dimensions.set_dimensions([DimensionInfo(k, -3.0, 3.0) for k in range(4096)], 4096)
    assert dimensions.made < 60
    latent = np.zeros(4096, np.float32)
    latent[4000] = 1.5
    dimensions.show_latent(latent, np.zeros(4096, np.float32))
    row = dimensions.row(4000)
    assert row.spin.value() == 1.5
    assert row.reset.isEnabled()
    assert dimensions.verticalScrollBar().value() > 0
    assert dimensions.made < 120


def test_tips_say_all_numbers_and_the_predictors_errors(driver) -> None:
    bars = driver.screen.attributes.bars
    block = bars._layout.blocks[0]
    tip = bars.tip_at(block.rows[1].area().center())
    assert tip.splitlines()[0] == "Gender: male"
    assert [line.split()[0] for line in tip.splitlines()[1:]] == ["Input", "Reconstruction", "Edited"]
    assert "not measured" in bars.tip_at(block.title.center())
    assert bars.tip_at(QPoint(-5, -5)) == ""
