"""The views of the Explore screen in the real window: they follow the latent, and a click goes there."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from latentlab.operations.direction import unit_direction
from latentlab.operations.explore import Explorer
from latentlab.session.document import AxisRef, GridView, ProbeView
from latentlab.ui.soak import Soak


@pytest.fixture
def explorer(tiny_model_folder, tiny_predictor_folder) -> Explorer:
    return Explorer.open(tiny_model_folder, tiny_predictor_folder)


def pixels_of(path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.array(picture.convert("RGB"))


def run_copied(driver, folder, monkeypatch) -> dict[str, object]:
    """Copy as Python, run the program in a folder, and return what it made."""
    monkeypatch.chdir(folder)
    driver.window.actions_table["copy_python"].trigger()
    space: dict[str, object] = {}
    exec(QApplication.clipboard().text(), space)
    return space


@pytest.mark.parametrize("view", ["picture", "grid", "probe", "map"])
def test_every_view_comes_to_rest_and_shows_the_edited_picture(driver, view: str) -> None:
    driver.screen.show_view(view)
    driver.workspace.explore.move(1, 2.0)
    driver.rest()
    shown = driver.screen.stage.edited if view == "picture" else driver.screen.aside
    assert shown.isVisible()
    np.testing.assert_array_equal(shown.pixels, driver.workspace.rendering.settled_frame.pixels[0])
    active = [name for name, page in driver.screen._pages.items() if page.follower.active]
    assert active == [view], "what nobody looks at is not rendered"


def test_the_grid_follows_the_latent_and_a_click_goes_to_a_picture(driver) -> None:
    screen = driver.screen
    screen.intents.shelf.set_grid(GridView("strips", (AxisRef(2), AxisRef(5)), 3))
    screen.show_view("grid")
    grid = screen.grid.grid
    driver.wait(lambda: grid.painted_generation > 0 and not screen.grid.follower.waiting)
    before, generation = grid.pixels.copy(), grid.painted_generation
    driver.workspace.explore.move(0, 3.0)
    driver.wait(lambda: grid.painted_generation > generation and not screen.grid.follower.waiting)
    assert not np.array_equal(grid.pixels, before)
    plan = screen.grid.follower.plan
    driver.qtbot.mouseClick(grid, Qt.MouseButton.LeftButton, pos=grid.cell_area(2).center())
    np.testing.assert_array_equal(driver.latent, plan.latents[2])
    assert driver.undo_name == f"Go to {plan.names[2]}"
    driver.window.actions_table["undo"].trigger()
    assert driver.latent[0] == 3.0


def test_the_axes_of_the_grid_can_be_typed_and_nonsense_is_refused(driver) -> None:
    driver.screen.show_view("grid")
    axes = driver.screen.grid._axes
    axes.setEditText("z3, 1")
    driver.qtbot.keyClick(axes.lineEdit(), Qt.Key.Key_Return)
    shelf = driver.screen.intents.shelf
    assert shelf.shelf.grid.axes == (AxisRef(3), AxisRef(1))
    assert driver.undo_name == "Set the grid"
    axes.setEditText("3, smile")
    driver.qtbot.keyClick(axes.lineEdit(), Qt.Key.Key_Return)
    assert "'smile' is neither a dimension" in driver.window.banner.message.text
    assert shelf.shelf.grid.axes == (AxisRef(3), AxisRef(1))


def test_the_exported_grid_is_what_copy_as_python_makes(driver, tmp_path, monkeypatch) -> None:
    shelf = driver.screen.intents.shelf
    way = unit_direction("up", np.arange(8) - 3.0, 1.3)
    shelf.add_directions([way])
    shelf.set_grid(GridView("strips", (AxisRef(2), AxisRef(direction="up")), 4))
    driver.workspace.explore.move(1, 0.7)
    driver.screen.show_view("grid")
    path = tmp_path / "window.png"
    driver.window.exports.figure(path, "grid", driver.window.font())
    driver.wait(lambda: path.exists() and not driver.window.exports.busy)
    run_copied(driver, tmp_path, monkeypatch)
    np.testing.assert_array_equal(pixels_of(path), pixels_of(tmp_path / "grid.png"))
    table = tmp_path / "grid.csv"
    driver.window.exports.table(table, "grid")
    driver.wait(lambda: table.exists() and not driver.window.exports.busy)
    assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + 8 * 10


def test_the_probe_shows_curve_and_mean_and_a_click_goes_there(driver, explorer) -> None:
    screen = driver.screen
    screen.intents.shelf.set_probe(ProbeView(AxisRef(4), "glasses"))
    screen.show_view("probe")
    follower, chart = screen.probe.follower, screen.probe.chart
    driver.wait(lambda: follower.bands and follower.curve)
    picture = explorer.picture(explorer.change(driver.latent, {4: float(follower.values[20])}))
    expected = explorer.attributes(picture)["glasses"]
    np.testing.assert_allclose(follower.curve["glasses"][20], expected, atol=0.05)
    assert follower.bands["glasses"].count == 200
    assert len(screen.probe.table()) == 25 * 10
    chart.went_to.emit(1.25)
    assert driver.latent[4] == np.float32(1.25)
    assert driver.undo_name == "Go to 1.25 on z4"


def test_two_pins_make_a_path_that_is_travelled_in_one_step(driver) -> None:
    actions, screen = driver.window.actions_table, driver.screen
    assert not screen.picture.bar.isVisible()
    actions["pin"].trigger()
    driver.workspace.explore.move(2, 2.5)
    actions["pin"].trigger()
    first, second = (pin.latent for pin in screen.intents.shelf.shelf.pins)
    assert screen.picture.bar.isVisible()
    steps = len(driver.workspace.session.history)
    path = screen.picture.follower
    path.begin()
    for share in (0.1, 0.3, 0.5):
        path.go_to(share)
    path.end()
    np.testing.assert_array_equal(driver.latent, second)
    assert len(driver.workspace.session.history) == steps + 1
    path.go_to(1.0)
    np.testing.assert_array_equal(driver.latent, first)


def test_a_path_plays_until_something_else_is_moved(driver) -> None:
    actions, screen = driver.window.actions_table, driver.screen
    actions["pin"].trigger()
    driver.workspace.explore.move(2, 2.5)
    actions["pin"].trigger()
    actions["play_path"].trigger()
    assert screen.picture.playing
    here = driver.latent.copy()
    driver.wait(lambda: not np.array_equal(driver.latent, here))
    driver.workspace.explore.move(7, 1.0)
    assert not screen.picture.playing
    assert "Play the path" in driver.undo_name or "Move" in driver.undo_name


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "mp4"])
def test_the_path_is_saved_as_a_loop(driver, tmp_path, suffix: str) -> None:
    actions, screen = driver.window.actions_table, driver.screen
    actions["pin"].trigger()
    driver.workspace.explore.move(2, 2.5)
    actions["pin"].trigger()
    screen.picture._set(steps=4)
    path = tmp_path / f"loop.{suffix}"
    driver.window.exports.loop(path, 12)
    driver.wait(lambda: path.exists() and not driver.window.exports.busy)
    if suffix == "mp4":
        import av

        with av.open(str(path)) as film:
            assert sum(1 for _ in film.decode(video=0)) == 8
    else:
        with Image.open(path) as loop:
            assert loop.n_frames == 8


def test_bars_and_difference_compare_with_a_pin(driver) -> None:
    screen, actions = driver.screen, driver.window.actions_table
    actions["difference"].trigger()
    driver.workspace.explore.move(3, 2.0)
    driver.rest()
    actions["pin"].trigger()
    screen.intents.shelf.compare_with("Pin 1")
    driver.workspace.explore.move(3, -2.0)
    driver.rest()
    legend = [one.title for one in screen.attributes.bars.series]
    driver.wait(lambda: "Pin 1" in [one.title for one in screen.attributes.bars.series])
    assert legend[-1] == "Edited"
    driver.wait(lambda: screen.stage.difference.pixels is not None)
    different = screen.stage.difference.pixels.copy()
    screen.intents.shelf.go_to_pin("Pin 1")
    driver.rest()
    shown = screen.stage.difference.pixels
    assert np.ptp(shown[..., :3].reshape(-1, 3), axis=0).max() <= np.ptp(different[..., :3])
    assert len(np.unique(shown.reshape(-1, 4), axis=0)) < len(np.unique(different.reshape(-1, 4), axis=0))


def test_the_wheel_enlarges_all_pictures_around_the_pointer_and_a_double_click_shows_them_whole(
    driver,
) -> None:
    stage = driver.screen.stage
    view = stage.edited
    where = QPointF(view.picture_area().center())
    event = QWheelEvent(
        where,
        view.mapToGlobal(where),
        QPoint(),
        QPoint(0, 360),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)
    assert stage.zoom == pytest.approx(1.25**3)
    assert stage.input._part == view._part
    driver.window.actions_table["zoom_out"].trigger()
    assert stage.zoom == pytest.approx(1.25**2)
    driver.qtbot.mouseDClick(view, Qt.MouseButton.LeftButton, pos=view.picture_area().center())
    assert stage.zoom == 1.0


def test_random_use_for_long_breaks_nothing(driver, tiny_model_folder, idle_model_folder) -> None:
    soak = Soak(driver.window, [str(tiny_model_folder), str(idle_model_folder)], seed=3)
    figures = soak.run(150)
    assert figures.errors == []
    assert figures.stale == 0
    assert figures.painted > 20
