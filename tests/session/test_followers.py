"""Grid, path, pins, probe and ranking follow a real workspace, and their pictures come from its renderer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.live.frames import DeviceOverride, Frame
from latentlab.operations import latents
from latentlab.operations.direction import unit_direction
from latentlab.operations.explore import Explorer
from latentlab.operations.grid_plan import GridPlan
from latentlab.operations.interpolate import path
from latentlab.operations.map_rows import chosen_rows
from latentlab.operations.picture_change import picture_change
from latentlab.operations.probe import probe, usual_latents, usual_rows
from latentlab.session.along import AlongIntents
from latentlab.session.batches import Batch, Export
from latentlab.session.document import AxisRef, GridView, PathView, ProbeView
from latentlab.session.grid import Grid
from latentlab.session.path import Path as LatentPath
from latentlab.session.picture_change import PictureChange
from latentlab.session.pins import PinPictures
from latentlab.session.probe import ProbeCurves
from latentlab.session.rendering import GIVEN_UP
from latentlab.session.shelf import ShelfIntents

NEAR = 2 / 255


@pytest.fixture
def shelf(open_desk) -> ShelfIntents:
    return ShelfIntents(open_desk.workspace.session)


@pytest.fixture
def explorer(tiny_model_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, tiny_predictor_folder)


@pytest.fixture(scope="module")
def sharp_predictor_folder(
    tiny_model_folder: Path, tiny_predictor_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The tiny predictor with heads that tell the tiny model's pictures apart."""
    import torch

    from latentlab.checkpoints import save
    from latentlab.checkpoints.companion import load_model, load_predictor

    model, opened = load_model(tiny_model_folder).network, load_predictor(tiny_predictor_folder)
    draws = torch.from_numpy(some_latents(model.spec, 64))
    with torch.no_grad():
        features = opened.network.features(model.decode(draws))
        for head in opened.network.heads.values():
            head.weight *= 0.5 / head(features).std(0)[:, None]
            head.bias.copy_(-(features @ head.weight.T).mean(0))
    folder = tmp_path_factory.mktemp("predictors") / "sharp-attributes"
    return save(folder, opened.network, opened.located.config)


@pytest.fixture
def sharp(tiny_model_folder: Path, sharp_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, sharp_predictor_folder)


@pytest.fixture
def sharp_desk(exact_desk, tiny_model_folder: Path, sharp_predictor_folder: Path):
    """An exact desk whose predictor tells pictures apart."""
    go_over(exact_desk, tiny_model_folder, sharp_predictor_folder)
    return exact_desk


@pytest.fixture
def exact_desk(open_desk):
    """A desk whose previews are rendered in float32, so that they are near to the settled ones."""
    open_desk.workspace.override_device(DeviceOverride("cpu", "float32", 1))
    open_desk.wait(lambda: open_desk.workspace.in_step)
    return open_desk


def gathered(signal) -> list:
    """Return a list that grows with what a signal tells."""
    found: list = []
    signal.connect(found.append)
    return found


def rendered(desk) -> None:
    """Wait until the renderer has answered everything, without taking its answers."""
    assert desk.workspace._host.renderer.join(60)


def go_over(desk, model: Path, predictor: Path) -> None:
    """Open another model, and return before any picture of it is taken."""
    desk.workspace.open_checkpoint(str(model), str(predictor))
    desk.wait(lambda: desk.workspace.in_step)


def rgb(frame: Frame) -> np.ndarray:
    return frame.pixels[..., 2::-1]


def is_near(frame: Frame, explorer: Explorer, rows: np.ndarray) -> bool:
    """Whether a frame shows these latents: a preview differs by a level or two."""
    if len(frame.pixels) != len(rows):
        return False
    expected = np.stack([explorer.picture(row) for row in rows]).astype(int)
    return bool(np.abs(rgb(frame) - expected).mean() < 0.5)


def assert_near(found: np.ndarray, expected: np.ndarray) -> None:
    """Assert that probabilities are as good as equal: those of previews are judged before rounding."""
    assert np.abs(found - expected).mean() < NEAR
    np.testing.assert_allclose(found, expected, atol=3 * NEAR)


def told(why: list[str]):
    """Return what notes why an export came to nothing."""
    return lambda text, _details: why.append(text)


# Batches


def test_a_newer_request_of_a_channel_replaces_an_older(open_desk) -> None:
    workspace = open_desk.workspace
    batch = Batch(workspace.rendering, "test")
    frames = gathered(batch.arrived)
    for count in range(1, 40):
        newest = batch.ask(np.zeros((count, 8), np.float32), None)
    assert batch.waiting
    open_desk.wait(lambda: not batch.waiting)
    assert frames[-1].generation == newest
    assert len(frames[-1].pixels) == 39
    assert len(frames) < 39, "what waited was replaced"
    assert [frame.generation for frame in frames] == sorted({frame.generation for frame in frames})


def test_channels_do_not_replace_one_another(open_desk) -> None:
    rendering = open_desk.workspace.rendering
    first, second = Batch(rendering, "first"), Batch(rendering, "second")
    found = {"first": gathered(first.arrived), "second": gathered(second.arrived)}
    first.ask(np.zeros((2, 8), np.float32), None)
    second.ask(np.zeros((3, 8), np.float32), None)
    open_desk.wait(lambda: not first.waiting and not second.waiting)
    assert {name: [len(f.pixels) for f in frames] for name, frames in found.items()} == {
        "first": [2],
        "second": [3],
    }


def test_what_was_dropped_does_not_arrive_and_what_is_asked_afterwards_does(open_desk) -> None:
    batch = Batch(open_desk.workspace.rendering, "test")
    frames = gathered(batch.arrived)
    batch.ask(np.zeros((2, 8), np.float32), None)
    rendered(open_desk)
    batch.drop()
    assert not batch.waiting
    newest = batch.ask(np.zeros((3, 8), np.float32), None)
    open_desk.wait(lambda: not batch.waiting)
    assert [frame.generation for frame in frames] == [newest]


def test_a_batch_from_before_another_model_was_opened_does_not_arrive(
    open_desk, idle_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    batch = Batch(open_desk.workspace.rendering, "test")
    frames = gathered(batch.arrived)
    batch.ask(np.zeros((2, 8), np.float32), None)
    rendered(open_desk)
    go_over(open_desk, idle_model_folder, tiny_predictor_folder)
    assert not batch.waiting
    newest = batch.ask(np.zeros((3, 8), np.float32), None)
    open_desk.wait(lambda: not batch.waiting)
    assert [frame.generation for frame in frames] == [newest]


def test_another_renderer_begins_to_count_anew_and_its_batches_arrive(open_desk) -> None:
    workspace = open_desk.workspace
    batch = Batch(workspace.rendering, "test")
    frames = gathered(batch.arrived)
    for _ in range(50):
        old = batch.ask(np.zeros((2, 8), np.float32), None)
    rendered(open_desk)
    workspace.override_device(DeviceOverride("cpu", "float32", 1))
    assert batch.ask(np.zeros((2, 8), np.float32), None) is None, "there is nobody to ask meanwhile"
    open_desk.wait(lambda: workspace.in_step)
    newest = batch.ask(np.zeros((3, 8), np.float32), None)
    assert newest < old
    open_desk.wait(lambda: not batch.waiting)
    assert [len(frame.pixels) for frame in frames] == [3]


# Export


def test_an_export_is_what_the_explorer_renders_to_the_bit(open_desk, explorer, shelf) -> None:
    workspace = open_desk.workspace
    grid, export = Grid(workspace), Export(workspace.rendering)
    workspace.explore.randomise(explorer.spec, 4)
    grid.active = True
    plan = grid.plan
    frames: list[Frame] = []
    lost: list[str] = []
    export.render(plan.latents, None, frames.append, told(lost))
    export.render(plan.latents[:2], None, frames.append, told(lost))
    assert export.busy
    open_desk.wait(lambda: not export.busy)
    assert [len(frame.pixels) for frame in frames] == [len(plan.latents), 2]
    assert all(frame.settled for frame in frames)
    for row, latent in enumerate(plan.latents):
        picture = explorer.picture(latent)
        np.testing.assert_array_equal(rgb(frames[0])[row], picture)
        for name, values in explorer.attributes(picture).items():
            np.testing.assert_array_equal(frames[0].attributes[name][row], values)


def test_an_export_that_another_model_overtakes_is_given_up(
    open_desk, idle_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    workspace = open_desk.workspace
    export = Export(workspace.rendering)
    frames: list[Frame] = []
    lost: list[str] = []
    for _ in range(3):
        export.render(np.zeros((4, 8), np.float32), None, frames.append, told(lost))
    go_over(open_desk, idle_model_folder, tiny_predictor_folder)
    assert not export.busy
    assert lost == [GIVEN_UP] * 3
    export.render(np.zeros((1, 8), np.float32), None, frames.append, told(lost))
    open_desk.wait(lambda: not export.busy)
    assert [len(frame.pixels) for frame in frames] == [1]


def test_an_export_of_nothing_does_not_keep_the_next_from_being_rendered(open_desk) -> None:
    export = Export(open_desk.workspace.rendering)
    frames: list[Frame] = []
    lost: list[str] = []
    export.render(np.zeros((0, 8), np.float32), None, frames.append, told(lost))
    assert not export.busy
    export.render(np.zeros((1, 8), np.float32), None, frames.append, told(lost))
    export.render(np.zeros((0, 8), np.float32), None, frames.append, told(lost))
    export.render(np.zeros((2, 8), np.float32), None, frames.append, told(lost))
    open_desk.wait(lambda: not export.busy)
    assert [len(frame.pixels) for frame in frames] == [1, 2]
    assert len(lost) == 2


def test_an_export_that_fails_is_told_although_newer_pictures_were_shown_and_the_next_go_on(
    open_desk,
) -> None:
    workspace = open_desk.workspace
    export = Export(workspace.rendering)
    frames: list[Frame] = []
    lost: list[str] = []
    export.render(np.zeros((1, 5), np.float32), None, frames.append, told(lost))
    export.render(np.zeros((2, 8), np.float32), None, frames.append, told(lost))
    workspace.explore.move(0, 1.0)
    rendered(open_desk)
    open_desk.wait(lambda: workspace.rendering._shown > 0)
    open_desk.wait(lambda: not export.busy)
    assert len(lost) == 1
    assert "latents have the shape" in lost[0]
    assert [len(frame.pixels) for frame in frames] == [2]
    assert [message.text for message in open_desk.messages] == lost


def test_an_export_while_no_model_is_attached_is_told_at_once(
    open_desk, idle_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    workspace = open_desk.workspace
    export = Export(workspace.rendering)
    frames: list[Frame] = []
    lost: list[str] = []
    workspace.open_checkpoint(str(idle_model_folder), str(tiny_predictor_folder))
    export.render(np.zeros((2, 8), np.float32), None, frames.append, told(lost))
    assert lost == [GIVEN_UP]
    assert not export.busy
    open_desk.wait(lambda: workspace.in_step)
    assert not frames


# Grid


def test_the_grid_follows_the_latent_while_it_is_looked_at(exact_desk, explorer) -> None:
    workspace = exact_desk.workspace
    grid = Grid(workspace)
    plans, frames = gathered(grid.planned), gathered(grid.arrived)
    workspace.explore.move(2, 1.0)
    assert plans == []
    grid.active = True
    workspace.explore.move(2, 1.5)
    assert len(plans) == 2
    assert plans[-1] is grid.plan
    assert grid.plan.index_of(grid.plan.latents[3]) == 3
    exact_desk.wait(lambda: not grid.waiting)
    assert (grid.plan.rows, grid.plan.columns) == (8, 9)
    assert (grid.plan.latents[:9, 2] == 1.5).all()
    assert is_near(frames[-1], explorer, grid.plan.latents)
    grid.active = False
    workspace.explore.move(2, 2.0)
    assert len(plans) == 2


def test_the_grid_shows_what_its_view_says(open_desk, shelf) -> None:
    workspace = open_desk.workspace
    grid = Grid(workspace)
    said = gathered(grid.planned)
    grid.active = True
    shelf.add_directions([unit_direction("age", np.eye(8)[4], 0.5)])
    shelf.set_grid(GridView("plane", (AxisRef(1), AxisRef(direction="age")), 3, 2.0))
    plan = grid.plan
    assert isinstance(plan, GridPlan)
    np.testing.assert_allclose(plan.latents.reshape(3, 3, 8)[:, 0, 4], [-1.0, 0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(plan.latents.reshape(3, 3, 8)[0, :, 1], [-3.0, 0.0, 3.0], atol=1e-6)
    shelf.rename_direction("age", "years")
    assert grid.plan.row_labels[0].startswith("years")
    shelf.set_grid(GridView("plane", (AxisRef(1),), 3))
    assert grid.plan is None
    assert "needs two axes" in said[-1]
    workspace.session.undo()
    assert grid.plan is not None


def test_the_grid_leaves_locked_dimensions_as_the_sliders_do(open_desk, shelf) -> None:
    workspace = open_desk.workspace
    grid, along = Grid(workspace), AlongIntents(workspace.session)
    grid.active = True
    shelf.add_directions([unit_direction("age", np.arange(8.0) - 3, 0.5)])
    shelf.set_grid(GridView(axes=(AxisRef(direction="age"),), steps=3, reach=2.0))
    free = grid.plan
    shelf.lock([7], True)
    held, here = grid.plan, workspace.explore.state.latent
    assert held is not free
    assert (held.latents[:, 7] == here[7]).all()
    along.move("age", 2.0)
    np.testing.assert_allclose(workspace.explore.state.latent, held.latents[2], atol=1e-6)
    workspace.session.undo()
    shelf.set_grid(GridView("plane", (AxisRef(direction="age"), AxisRef(2)), 3, 2.0))
    assert (grid.plan.latents[:, 7] == here[7]).all()
    shelf.lock(range(8), True)
    assert grid.plan is None
    assert grid.refusal == "All that age changes is locked, so nothing moves along it. Unlock some of it."


def test_no_pictures_of_another_layout_arrive_after_a_plan(open_desk, shelf) -> None:
    grid = Grid(open_desk.workspace)
    shelf.set_grid(GridView(axes=(AxisRef(0), AxisRef(1)), steps=5))
    grid.active = True
    rendered(open_desk)
    frames = gathered(grid.arrived)
    shelf.set_grid(GridView(axes=(AxisRef(2),), steps=9))
    open_desk.wait(lambda: not grid.waiting)
    assert [len(frame.pixels) for frame in frames] == [9]


def test_the_grid_begins_anew_with_another_model(
    open_desk, idle_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    grid = Grid(open_desk.workspace)
    grid.active = True
    rendered(open_desk)
    plans, frames = gathered(grid.planned), gathered(grid.arrived)
    go_over(open_desk, idle_model_folder, tiny_predictor_folder)
    assert len(plans) == 1
    assert grid.waiting
    open_desk.wait(lambda: not grid.waiting)
    other = Explorer.open(idle_model_folder, "")
    assert len(frames) == 1
    assert is_near(frames[0], other, grid.plan.latents)


# Pins


def test_pictures_of_pins_and_groups_come_in_their_order(exact_desk, explorer, shelf) -> None:
    pictures = PinPictures(exact_desk.workspace)
    frames = gathered(pictures.arrived)
    rows = [latents.draw(explorer.spec, seed) for seed in range(3)]
    pictures.active = True
    shelf.add_group(rows[2], 4)
    for row in rows[:2]:
        shelf.pin(row)
    exact_desk.wait(lambda: frames and len(frames[-1].pixels) == 3)
    assert is_near(frames[-1], explorer, np.stack(rows))
    shelf.remove_pin("Pin 1")
    exact_desk.wait(lambda: len(frames[-1].pixels) == 2)
    assert is_near(frames[-1], explorer, np.stack(rows[1:]))


def test_no_picture_comes_beside_the_name_of_another_pin(open_desk, explorer, shelf) -> None:
    for seed in range(6):
        shelf.pin(latents.draw(explorer.spec, seed))
    pictures = PinPictures(open_desk.workspace)
    frames = gathered(pictures.arrived)
    pictures.active = True
    rendered(open_desk)
    shelf.move_pin("Pin 1", 5)
    open_desk.wait(lambda: frames)
    rows = np.stack([pin.latent for pin in shelf.shelf.pins])
    assert [is_near(frame, explorer, rows) for frame in frames] == [True]


# Path


def test_the_path_passes_its_pins_at_its_stations(open_desk, explorer, shelf) -> None:
    workspace = open_desk.workspace
    travel = LatentPath(workspace)
    travel.active = True
    assert travel.latents is None
    assert travel.stations == []
    for seed in range(4):
        shelf.pin(latents.draw(explorer.spec, seed))
    shelf.tick_pin("Pin 2", False)
    shelf.set_path(PathView(steps=6, closed=True))
    assert travel.stations == pytest.approx([0.0, 1 / 3, 2 / 3])
    assert len(travel.latents) == 3 * 6 + 1
    np.testing.assert_array_equal(travel.latents[0], travel.latents[-1])
    for share, seed in zip([*travel.stations, 1.0], (0, 2, 3, 0), strict=True):
        travel.go_to(share)
        np.testing.assert_array_equal(workspace.explore.state.latent, latents.draw(explorer.spec, seed))
        assert travel.position == share
    shelf.set_path(PathView(steps=6, closed=False))
    assert travel.stations == pytest.approx([0.0, 0.5, 1.0])
    np.testing.assert_array_equal(travel.latents, path([pin.latent for pin in travel.pins], 6))


def test_the_strip_of_a_path_goes_from_its_beginning_to_its_end(exact_desk, explorer, shelf) -> None:
    travel = LatentPath(exact_desk.workspace)
    frames = gathered(travel.arrived)
    for seed in range(2):
        shelf.pin(latents.draw(explorer.spec, seed))
    shelf.set_path(PathView(steps=100, closed=False))
    travel.active = True
    exact_desk.wait(lambda: frames)
    assert len(frames[-1].pixels) == 24
    ends = np.stack([pin.latent for pin in travel.pins])
    expected = np.stack([explorer.picture(one) for one in ends]).astype(int)
    assert np.abs(rgb(frames[-1])[[0, -1]] - expected).mean() < 0.5


def test_travelling_is_one_step_and_another_edit_leaves_the_path(open_desk, explorer, shelf) -> None:
    workspace = open_desk.workspace
    travel = LatentPath(workspace)
    for seed in range(2):
        shelf.pin(latents.draw(explorer.spec, seed))
    travel.active = True
    places = gathered(travel.moved)
    before = workspace.session.document
    travel.begin()
    for k in range(11):
        travel.go_to(k / 10)
    travel.end()
    assert workspace.session.history.undo_name == "Travel along the path"
    assert places == [k / 10 for k in range(11)]
    travel.go_to(1.7)
    assert travel.position == 1.0
    workspace.explore.move(0, 3.0)
    assert travel.position is None
    workspace.session.undo()
    workspace.session.undo()
    assert workspace.session.document is before
    assert travel.position is None


def test_a_path_with_less_than_two_pins_is_none(open_desk, explorer, shelf) -> None:
    travel = LatentPath(open_desk.workspace)
    for seed in range(2):
        shelf.pin(latents.draw(explorer.spec, seed))
    travel.active = True
    travel.go_to(0.5)
    told: list[None] = []
    travel.planned.connect(lambda: told.append(None))
    shelf.tick_pin("Pin 1", False)
    assert travel.latents is None
    assert travel.position is None
    assert len(told) == 1
    before = open_desk.workspace.session.document
    travel.go_to(0.5)
    assert open_desk.workspace.session.document is before


def test_a_path_that_nobody_looks_at_does_not_move_the_latent(
    open_desk, explorer, shelf, idle_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    travel = LatentPath(open_desk.workspace)
    for seed in range(2):
        shelf.pin(latents.draw(explorer.spec, seed))
    travel.active = True
    travel.active = False
    go_over(open_desk, idle_model_folder, tiny_predictor_folder)
    before = open_desk.workspace.session.document
    travel.go_to(0.5)
    assert open_desk.workspace.session.document is before, "the path is the former model's"
    travel.active = True
    assert travel.latents is None


# Probe


def assert_same_bands(curves: ProbeCurves, expected) -> None:
    assert set(curves.bands) == set(expected.bands)
    for name, one in expected.bands.items():
        assert curves.bands[name].count == one.count
        assert (one.high - one.low).max() > 10 * NEAR, "near means something"
        for part in ("mean", "low", "high"):
            assert_near(getattr(curves.bands[name], part), getattr(one, part))


def some_latents(spec, count: int = 20) -> np.ndarray:
    return np.stack([latents.draw(spec, 1000 + seed) for seed in range(count)])


def test_the_probe_is_what_the_operation_measures(sharp_desk, sharp, shelf) -> None:
    workspace = sharp_desk.workspace
    workspace.explore.randomise(sharp.spec, 3)
    shelf.set_probe(ProbeView(AxisRef(4), "glasses"))
    curves = ProbeCurves(workspace)
    told, done = gathered(curves.curve_changed), gathered(curves.bands_changed)
    curves.active = True
    assert curves.count == 200
    assert curves.of_what == "random draws"
    sharp_desk.wait(lambda: curves.bands and told)
    assert done == list(range(8, 201, 8))
    expected = probe(sharp, workspace.explore.state.latent, 4)
    np.testing.assert_array_equal(curves.values, expected.values)
    np.testing.assert_array_equal(curves.mean_values, expected.mean_values)
    assert set(curves.curve) == set(expected.curve)
    for name, rows in expected.curve.items():
        assert_near(curves.curve[name], rows)
    assert_same_bands(curves, expected)
    assert curves.position == workspace.explore.state.latent[4]


def test_the_mean_can_be_taken_over_encoded_images(sharp_desk, sharp, shelf) -> None:
    workspace = sharp_desk.workspace
    direction = unit_direction("age", np.arange(8.0) - 3, 0.8)
    shelf.add_directions([direction])
    shelf.set_probe(ProbeView(AxisRef(direction="age")))
    curves = ProbeCurves(workspace)
    data = some_latents(sharp.spec, 20)
    curves.use_data("my faces", data)
    curves.active = True
    assert curves.of_what == "images of my faces"
    assert curves.count == 20
    np.testing.assert_array_equal(curves.values[[0, 12, 24]], [-3.0, 0.0, 3.0])
    sharp_desk.wait(lambda: curves.bands)
    assert_same_bands(curves, probe(sharp, workspace.explore.state.latent, direction, data=data))
    curves.use_data("", None)
    assert curves.of_what == "random draws"
    assert curves.bands == {}
    assert curves.count == 200


def test_the_curve_follows_the_latent_and_the_mean_stays(sharp_desk, sharp, shelf) -> None:
    workspace = sharp_desk.workspace
    curves = ProbeCurves(workspace)
    data = some_latents(sharp.spec)
    curves.use_data("faces", data)
    curves.active = True
    sharp_desk.wait(lambda: curves.bands)
    bands = curves.bands
    told = gathered(curves.curve_changed)
    workspace.explore.move(3, 2.5)
    sharp_desk.wait(lambda: told)
    assert curves.bands is bands
    expected = probe(sharp, workspace.explore.state.latent, 0, count=0)
    for name, rows in expected.curve.items():
        assert_near(curves.curve[name], rows)


def test_moving_while_the_mean_is_taken_does_not_count_latents_twice(
    open_desk, shelf, idle_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    workspace = open_desk.workspace
    curves = ProbeCurves(workspace)
    curves.active = True
    go_over(open_desk, idle_model_folder, tiny_predictor_folder)
    asked: list[int] = []
    mean = curves._mean
    assert mean.waiting
    done = gathered(curves.bands_changed)
    for k in range(60):
        before = mean._asked
        workspace.explore.move(3, k / 20)
        assert mean._asked == before, "a part of the mean that is on its way is not asked for again"
        asked.append(before)
        open_desk.wait(lambda k=k: len(done) > k // 3 or curves.bands)
    open_desk.wait(lambda: curves.bands)
    assert done == list(range(8, 201, 8))


def test_the_mean_goes_on_after_it_was_not_looked_at(sharp_desk, sharp, shelf) -> None:
    workspace = sharp_desk.workspace
    curves = ProbeCurves(workspace)
    data = some_latents(sharp.spec, 40)
    curves.use_data("faces", data)
    done = gathered(curves.bands_changed)
    curves.active = True
    sharp_desk.wait(lambda: done)
    curves.active = False
    rendered(sharp_desk)
    workspace.explore.move(3, 1.0)
    sharp_desk.wait_settled()
    stopped = list(done)
    assert stopped[-1] < 40
    assert curves.bands == {}
    curves.active = True
    sharp_desk.wait(lambda: curves.bands)
    assert done == [8, 16, 24, 32, 40], "what was done before is kept, and nothing is done twice"
    assert_same_bands(curves, probe(sharp, workspace.explore.state.latent, 0, data=data))


def test_another_axis_makes_curve_and_mean_void(open_desk, explorer, shelf) -> None:
    curves = ProbeCurves(open_desk.workspace)
    curves.use_data("faces", some_latents(explorer.spec))
    curves.active = True
    open_desk.wait(lambda: curves.bands and curves.curve)
    told: list[None] = []
    curves.axis_changed.connect(lambda: told.append(None))
    shelf.set_probe(ProbeView(AxisRef(5), "glasses"))
    assert len(told) == 1
    assert (curves.axis, curves.curve, curves.bands) == (5, {}, {})
    open_desk.wait(lambda: curves.bands and curves.curve)
    shelf.set_probe(ProbeView(AxisRef(5), "gender"))
    assert len(told) == 1, "another attribute of the same axis is there already"
    assert curves.bands


def test_without_its_axis_the_probe_is_empty(open_desk, explorer, shelf) -> None:
    curves = ProbeCurves(open_desk.workspace)
    curves.use_data("faces", some_latents(explorer.spec))
    curves.active = True
    rendered(open_desk)
    told = gathered(curves.curve_changed)
    shelf.set_probe(ProbeView(AxisRef(direction="gone")))
    assert (curves.axis, curves.position) == (None, 0.0)
    open_desk.wait_settled()
    assert told == []
    assert curves.curve == {}


def test_the_probe_leaves_locked_dimensions_as_the_sliders_do(sharp_desk, sharp, shelf) -> None:
    workspace = sharp_desk.workspace
    direction = unit_direction("age", np.arange(8.0) - 3, 0.8)
    shelf.add_directions([direction])
    shelf.set_probe(ProbeView(AxisRef(direction="age")))
    AlongIntents(workspace.session).move("age", 0.5)
    curves = ProbeCurves(workspace)
    curves.use_data("faces", some_latents(sharp.spec))
    curves.active = True
    sharp_desk.wait(lambda: curves.bands and curves.curve)
    shelf.lock([6, 7], True)
    assert (curves.curve, curves.bands) == ({}, {}), "they were of another way"
    sharp_desk.wait(lambda: curves.bands and curves.curve)
    state = workspace.explore.state
    expected = probe(
        sharp, state.latent, direction, state.start, data=some_latents(sharp.spec), locked=[6, 7]
    )
    assert_near(curves.curve["glasses"], expected.curve["glasses"])
    assert_same_bands(curves, expected)
    there = curves.latents_at(np.float32([2.0]))[0]
    np.testing.assert_array_equal(there[6:], state.latent[6:])
    AlongIntents(workspace.session).move("age", 2.0)
    np.testing.assert_allclose(workspace.explore.state.latent, there, atol=1e-6)
    shelf.lock(range(8), True)
    assert curves.axis is None
    assert curves.refusal == "All that age changes is locked, so nothing moves along it. Unlock some of it."


def test_a_renamed_direction_is_still_the_probes_axis(open_desk, shelf) -> None:
    workspace = open_desk.workspace
    shelf.add_directions([unit_direction("age", np.eye(8)[2], 0.5)])
    shelf.set_probe(ProbeView(AxisRef(direction="age")))
    curves = ProbeCurves(workspace)
    curves.active = True
    workspace.explore.move(2, 1.0)
    assert curves.position == pytest.approx(2.0, abs=1e-6)
    shelf.rename_direction("age", "years")
    assert curves.axis.name == "years"
    assert curves.position == pytest.approx(2.0, abs=1e-6)


def test_the_axis_of_a_larger_model_is_no_place_in_a_smaller_one(
    open_desk, shelf, tiny_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    workspace = open_desk.workspace
    workspace.open_checkpoint("faces-vae")
    open_desk.wait(lambda: workspace.in_step and len(workspace.explore.state.latent) == 64)
    curves = ProbeCurves(workspace)
    shelf.set_probe(ProbeView(AxisRef(55), "glasses"))
    curves.active = True
    assert curves.axis == 55
    assert curves.plan() is not None
    curves.active = False  # nobody looks at it while the other one is opened
    workspace.open_checkpoint(str(tiny_model_folder), str(tiny_predictor_folder))
    open_desk.wait(lambda: workspace.in_step and len(workspace.explore.state.latent) == 8)
    assert (curves.position, curves.plan()) == (0.0, None)


def test_latents_of_one_models_images_are_not_taken_for_anothers(
    open_desk, explorer, shelf, idle_model_folder: Path, tiny_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    curves = ProbeCurves(open_desk.workspace)
    curves.use_data("faces", some_latents(explorer.spec))
    curves.active = True
    assert curves.count == 20
    go_over(open_desk, idle_model_folder, tiny_predictor_folder)
    assert curves.of_what == "random draws"
    assert curves.count == 200
    curves.use_data("other faces", some_latents(explorer.spec, 9))
    assert (curves.of_what, curves.count) == ("images of other faces", 9)


def test_without_a_predictor_no_mean_is_rendered(desk, tiny_model_folder: Path) -> None:
    workspace = desk.workspace
    workspace.open_checkpoint(str(tiny_model_folder), "")
    desk.wait(lambda: workspace.phase == "ready")
    curves = ProbeCurves(workspace)
    batches = gathered(workspace.rendering.batch)
    curves.active = True
    workspace.explore.move(0, 1.0)
    desk.wait_settled()
    assert curves.count == 0
    assert curves.bands == {}
    assert {frame.channel for frame in batches} <= {"probe"}


def test_the_mean_is_taken_anew_by_another_renderer(sharp_desk, sharp, shelf) -> None:
    workspace = sharp_desk.workspace
    curves = ProbeCurves(workspace)
    data = some_latents(sharp.spec)
    curves.use_data("faces", data)
    curves.active = True
    sharp_desk.wait(lambda: curves.bands)
    told = gathered(curves.bands_changed)
    workspace.override_device(DeviceOverride("cpu", "float32", 2))
    sharp_desk.wait(lambda: workspace.in_step)
    assert curves.bands == {}
    sharp_desk.wait(lambda: curves.bands)
    assert told == [8, 16, 20]
    assert_same_bands(curves, probe(sharp, workspace.explore.state.latent, 0, data=data))


def test_a_mean_is_of_the_same_images_whether_one_has_the_map_or_the_set() -> None:
    on_map = chosen_rows(25_000, 10_000, 0)
    of_set = usual_rows(25_000)
    np.testing.assert_array_equal(of_set, on_map[usual_rows(len(on_map))])
    assert len(np.unique(of_set)) == 200
    assert of_set.max() > 10_000


def test_the_usual_latents_are_the_same_every_time(explorer) -> None:
    data = some_latents(explorer.spec, 60)
    for source in (None, data):
        first, second = (usual_latents(explorer.spec, source, 30) for _ in range(2))
        assert first.shape == (30, 8)
        np.testing.assert_array_equal(first, second)


# Ranking by change


def test_a_dimension_that_the_decoder_ignores_changes_least(
    open_desk, idle_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    workspace = open_desk.workspace
    go_over(open_desk, idle_model_folder, tiny_predictor_folder)
    workspace.override_device(DeviceOverride("cpu", "float32", 1))
    open_desk.wait(lambda: workspace.in_step)
    workspace.explore.randomise(workspace.opened.spec, 2)
    change = PictureChange(workspace)
    measured = gathered(change.measured)
    workspace.explore.move(0, 1.0)
    assert measured == [], "it does not follow"
    change.measure()
    open_desk.wait(lambda: measured)
    found = measured[0]
    assert found.shape == (8,)
    assert np.argsort(-found)[-1] == 5
    assert found[5] == 0.0
    assert (np.delete(found, 5) > 0.5).all()
    expected = picture_change(Explorer.open(idle_model_folder, ""), workspace.explore.state.latent)
    np.testing.assert_allclose(found, expected, atol=0.3)


def test_measuring_anew_forgets_what_was_measured_elsewhere(open_desk, explorer) -> None:
    workspace = open_desk.workspace
    change = PictureChange(workspace)
    measured = gathered(change.measured)
    change.measure()
    rendered(open_desk)
    workspace.explore.randomise(explorer.spec, 9)
    change.measure()
    open_desk.wait(lambda: measured)
    expected = picture_change(explorer, workspace.explore.state.latent)
    np.testing.assert_allclose(measured[0], expected, atol=0.3)
