"""Grid and probe used by hand: sliders, clicks, typed and chosen axes; and the views in their order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hands import CONTROL, LEFT, choose, drag_slider, error_of, redo, two_pins, undo, write
from PySide6.QtCore import QPoint, Qt

from latentlab.operations.direction import unit_direction
from latentlab.operations.explore import Explorer
from latentlab.operations.grid_plan import plane
from latentlab.operations.latents import ranking
from latentlab.operations.probe import probe
from latentlab.session.document import AxisRef, GridView, ProbeView
from latentlab.ui.screens.explore import VIEWS
from latentlab.ui.views.map import NO_SET
from latentlab.ui.widgets.axis_choice import ALL_DIRECTIONS, STRONGEST


@pytest.fixture
def explorer(tiny_model_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, tiny_predictor_folder)


def drag(driver, dimension: int) -> None:
    drag_slider(driver, driver.list.row(dimension).slider)


def wait_for_pictures(driver) -> None:
    """Wait until the newest plan's pictures are in the grid."""
    page = driver.screen.grid
    driver.wait(lambda: not page.follower.waiting)
    driver.rest()
    if page.follower.plan is not None:
        assert len(page.grid.pixels) == len(page.follower.plan.latents)


@pytest.fixture
def grid(driver):
    """The grid's page, shown, with its pictures."""
    driver.window.actions_table["view_grid"].trigger()
    wait_for_pictures(driver)
    return driver.screen.grid


def test_the_grid_follows_a_slider(driver, grid) -> None:
    before, pixels = grid.follower.plan, grid.grid.pixels.copy()
    drag(driver, 3)
    wait_for_pictures(driver)
    plan = grid.follower.plan
    assert plan.names == before.names
    others = [k for k, name in enumerate(plan.names) if not name.startswith("z3=")]
    assert (plan.latents[others, 3] == driver.latent[3]).all()
    assert not np.array_equal(grid.grid.pixels[others], pixels[others])


def test_a_click_in_the_grid_goes_there_and_is_undone(driver, grid) -> None:
    start, plan, index = driver.latent.copy(), grid.follower.plan, 13
    driver.qtbot.mouseClick(grid.grid, LEFT, pos=grid.grid.cell_area(index).center())
    np.testing.assert_array_equal(driver.latent, plan.latents[index])
    assert driver.undo_name == f"Go to {plan.names[index]}"
    wait_for_pictures(driver)
    assert grid.grid._current == grid.follower.plan.index_of(driver.latent)
    undo(driver)
    np.testing.assert_array_equal(driver.latent, start)
    redo(driver)
    np.testing.assert_array_equal(driver.latent, plan.latents[index])


def test_a_click_does_not_change_a_dimension_that_is_locked(driver, grid) -> None:
    driver.screen.intents.shelf.lock([3], True)
    driver.screen.intents.shelf.set_grid(GridView(axes=(AxisRef(3), AxisRef(4)), steps=3))
    wait_for_pictures(driver)
    start, plan = driver.latent.copy(), grid.follower.plan
    driver.qtbot.mouseClick(grid.grid, LEFT, pos=grid.grid.cell_area(0).center())
    np.testing.assert_array_equal(driver.latent, start)
    assert error_of(driver) == "Dimension 3 is locked and stays as it is. Unlock it to go there."
    driver.qtbot.mouseClick(grid.grid, LEFT, pos=grid.grid.cell_area(3).center())
    np.testing.assert_array_equal(driver.latent, plan.latents[3])
    driver.screen.intents.shelf.set_probe(ProbeView(AxisRef(3)))
    driver.screen.show_view("probe")
    driver.screen.probe.chart.went_to.emit(1.0)
    assert driver.latent[3] == start[3]


def test_ctrl_click_in_the_grid_pins_the_picture_and_stays(driver, grid) -> None:
    start, plan, index = driver.latent.copy(), grid.follower.plan, 20
    driver.qtbot.mouseClick(grid.grid, LEFT, CONTROL, grid.grid.cell_area(index).center())
    pin = driver.workspace.session.document.shelf.pins[0]
    np.testing.assert_array_equal(pin.latent, plan.latents[index])
    np.testing.assert_array_equal(driver.latent, start)
    assert driver.undo_name == "Pin Pin 1"


def test_a_plane_goes_along_the_axes_one_chooses(driver, grid) -> None:
    spec = driver.workspace.opened.spec
    first, second = ranking(spec)[:2].tolist()
    choose(grid._kind, "Plane")
    view = driver.workspace.session.document.shelf.grid
    assert (view.kind, view.axes) == ("plane", (AxisRef(first), AxisRef(second)))
    driver.wait(lambda: grid._across.isVisible() and grid._down.isVisible() and not grid._axes.isVisible())
    choose(grid._across, "Dimension 5")
    choose(grid._down, "Dimension 1")
    wait_for_pictures(driver)
    expected = plane(spec, driver.workspace.explore.state.latent, 5, 1, view.steps)
    np.testing.assert_array_equal(grid.follower.plan.latents, expected.latents)
    choose(grid._across, "Dimension 1")
    view = driver.workspace.session.document.shelf.grid
    assert view.axes == (AxisRef(1), AxisRef(5)), "the other axis takes the place that is given up"
    driver.wait(lambda: grid._down.currentText() == "Dimension 5")
    assert driver.undo_name == "Set the grid"


def test_the_steps_of_the_grid_are_typed_and_undone(driver, grid) -> None:
    write(driver, grid._steps, "4")
    wait_for_pictures(driver)
    assert grid.follower.plan.columns == 4
    undo(driver)
    wait_for_pictures(driver)
    assert grid.follower.plan.columns == grid._steps.value() == GridView().steps


def test_axes_of_the_strips_can_be_typed(driver, grid) -> None:
    write(driver, grid._axes.lineEdit(), "5, z0")
    wait_for_pictures(driver)
    assert driver.workspace.session.document.shelf.grid.axes == (AxisRef(5), AxisRef(0))
    assert [label.partition(":")[0] for label in grid.follower.plan.row_labels] == ["z5", "z0"]
    driver.wait(lambda: grid._axes.currentText() == "5, 0")
    choose(grid._axes, STRONGEST)
    assert driver.workspace.session.document.shelf.grid.axes == ()


def test_a_direction_whose_name_holds_commas_can_be_typed(driver, grid) -> None:
    way = unit_direction("smile", np.ones(8), 1.0)
    names = ("smile, wide, 2", "smile", "wide")
    driver.screen.intents.shelf.add_directions([way.model_copy(update={"name": name}) for name in names])
    line = grid._axes.lineEdit()
    write(driver, line, "5, smile, wide, 2, smile,wide, 0")
    expected = [AxisRef(5), *(AxisRef(direction=name) for name in names), AxisRef(0)]
    assert list(driver.workspace.session.document.shelf.grid.axes) == expected
    driver.wait(lambda: grid._axes.currentText() == "5, smile, wide, 2, smile, wide, 0")
    write(driver, line, "smile, wider")
    assert "'wider' is neither a dimension" in error_of(driver)


def test_axes_that_there_are_not_are_an_error_and_the_grid_stays(driver, grid) -> None:
    write(driver, grid._axes.lineEdit(), "5")
    plan = grid.follower.plan
    write(driver, grid._axes.lineEdit(), "5, 99")
    assert "'99' is neither a dimension (0 to 7) nor a direction" in error_of(driver)
    assert driver.workspace.session.document.shelf.grid.axes == (AxisRef(5),)
    assert grid.follower.plan is plan
    assert grid._axes.currentText() == "5, 99", "to be mended"
    grid._axes.lineEdit().clearFocus()
    driver.wait(lambda: grid._axes.currentText() == "5")


def test_directions_are_axes_of_grid_and_probe(driver, grid) -> None:
    two_pins(driver)
    shelf = driver.screen.intents.shelf
    name = shelf.add_difference(driver.workspace.opened.spec, *shelf.shelf.pins, "smile")
    driver.wait(lambda: grid._axes.findText(ALL_DIRECTIONS) >= 0)
    choose(grid._axes, ALL_DIRECTIONS)
    wait_for_pictures(driver)
    assert grid.follower.plan.row_labels == (name,)
    row = driver.screen.explore_panel.directions.row(name)
    next(one for one in row.more.menu().actions() if one.text().startswith("Probe")).trigger()
    assert driver.screen.view == "probe"
    assert driver.screen.probe.chart.probe.axis == name
    driver.rest()
    shelf.remove_direction(name)
    assert driver.workspace.session.document.shelf.grid.axes == ()
    driver.window.actions_table["view_grid"].trigger()
    wait_for_pictures(driver)
    assert grid._axes.currentText() == STRONGEST


def test_a_plane_that_lost_an_axis_says_so_and_takes_another(driver, grid) -> None:
    two_pins(driver)
    shelf = driver.screen.intents.shelf
    name = shelf.add_difference(driver.workspace.opened.spec, *shelf.shelf.pins, "smile")
    choose(grid._kind, "Plane")
    driver.wait(lambda: grid._down.findText(name) >= 0)
    choose(grid._down, name)
    wait_for_pictures(driver)
    shelf.remove_direction(name)
    assert grid.follower.plan is None
    assert "needs two axes" in grid.grid.accessibleDescription()
    driver.wait(lambda: grid._down.findText(name) < 0)
    choose(grid._down, "Dimension 6")
    wait_for_pictures(driver)
    assert grid.follower.plan.row_labels[0].startswith("z6")


# The probe


@pytest.fixture
def page(driver):
    """The probe's page, shown, with curve and mean."""
    driver.window.actions_table["view_probe"].trigger()
    driver.wait(lambda: driver.screen.probe.chart.probe.mean is not None)
    driver.rest()
    return driver.screen.probe


def test_the_probe_shows_curve_and_mean(driver, page, explorer) -> None:
    shown = page.chart.probe
    axis = int(ranking(driver.workspace.opened.spec)[0])
    expected = probe(explorer, driver.workspace.explore.state.latent, axis, count=20)
    assert (shown.axis, shown.attribute) == (f"Dimension {axis}", "Gender")
    np.testing.assert_array_equal(shown.positions, expected.values)
    np.testing.assert_allclose(shown.curve, expected.curve["gender"], atol=0.02)
    np.testing.assert_allclose(shown.mean.mean, expected.bands["gender"].mean, atol=0.05)
    assert shown.mean.count == 200
    assert shown.here == pytest.approx(float(driver.latent[axis]))


def test_a_click_in_the_probe_goes_there_and_is_undone(driver, page) -> None:
    chart, start = page.chart, driver.latent.copy()
    axis = page.follower.axis
    value = float(chart.probe.positions[20])
    plot = chart.plot()
    driver.qtbot.mouseClick(chart, LEFT, pos=QPoint(round(plot.x_of(value)), round(plot.area.center().y())))
    assert float(driver.latent[axis]) == value
    assert driver.undo_name == f"Go to {value:.2f} on z{axis}"
    driver.wait(lambda: chart.probe.here == pytest.approx(value))
    undo(driver)
    np.testing.assert_array_equal(driver.latent, start)


def test_axis_and_attribute_of_the_probe_are_chosen_and_undone(driver, page) -> None:
    choose(page._attribute, "Race")
    driver.wait(lambda: page.chart.probe.attribute == "Race")
    assert page.chart.probe.classes == ("asian", "black", "brown", "white")
    assert page.chart.probe.curve.shape == (25, 4)
    assert page.chart.probe.mean is not None, "all attributes were measured together"
    choose(page._axis, "Dimension 6")
    assert page.chart.probe.axis == "Dimension 6"
    assert driver.undo_name == "Set the probe"
    driver.wait(lambda: page.chart.probe.curve is not None)
    undo(driver)
    driver.wait(lambda: page._axis.currentText() != "Dimension 6" and page.chart.probe.curve is not None)
    assert page.chart.probe.attribute == "Gender"


def test_the_curve_follows_a_slider_and_the_mean_stays(driver, page) -> None:
    dimension = next(k for k in range(8) if k != page.follower.axis)
    before, mean = page.chart.probe.curve, page.chart.probe.mean
    drag(driver, dimension)
    driver.rest()
    driver.wait(lambda: not page.follower._curve.waiting)
    assert not np.array_equal(page.chart.probe.curve, before)
    assert page.chart.probe.mean is mean


# All views


def test_every_view_comes_to_rest_and_shows_the_edited_picture(driver) -> None:
    keys = {"picture": Qt.Key.Key_1, "grid": Qt.Key.Key_2, "probe": Qt.Key.Key_3, "map": Qt.Key.Key_4}
    driver.window.activateWindow()
    for view in (*VIEWS[1:], *VIEWS[:2]):
        driver.qtbot.keyClick(driver.window, keys[view], Qt.KeyboardModifier.AltModifier)
        assert driver.screen.view == view
        assert driver.screen.tabs.currentIndex() == VIEWS.index(view)
        drag(driver, 2)
        driver.rest()
        assert driver.screen.aside.isVisible() == (view != "picture")
        settled = driver.workspace.rendering.settled_frame
        np.testing.assert_array_equal(driver.screen._edited.pixels, settled.pixels[0])
        undo(driver)
        driver.rest()


def test_the_views_can_be_chosen_by_their_tabs(driver) -> None:
    tabs = driver.screen.tabs
    tabs.setFocus()
    for view in VIEWS[1:]:
        driver.qtbot.keyClick(tabs, Qt.Key.Key_Right)
        assert driver.screen.view == view
        driver.rest()


def test_the_map_of_a_model_without_a_set_says_so(driver) -> None:
    driver.screen.show_view("map")
    driver.rest()
    assert driver.screen.map.canvas.accessibleDescription() == NO_SET
