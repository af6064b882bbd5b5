"""The samples without a window: what is drawn live, pins and seeds, strips, Explore, programs, sessions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.errors import SettingsError
from latentlab.live.frames import Failed
from latentlab.operations.explore import Explorer
from latentlab.operations.project import condition_on
from latentlab.operations.sample_figure import sample_figure
from latentlab.operations.sample_grid import blend_series, input_sample, sample_grid, way_series
from latentlab.operations.sample_plan import LARGEST_SEED, MOST_ROWS, Blend, draw_samples
from latentlab.session.document import (
    LatentRef,
    ProjectionView,
    SampleRow,
    SamplesView,
    StripView,
)
from latentlab.session.intents import Intents
from latentlab.session.projection import NO_MODEL, NOT_ENCODED
from latentlab.session.sample_code import sample_code
from latentlab.session.sample_scene import NO_INPUT, blend_of, dataset_of, sample_of, take_cell
from latentlab.session.samples import FAILED, LiveSamples, SampleMaker
from latentlab.session.saved import load_session, read_session, session_json
from latentlab.session.session import Message
from latentlab.spec import ConditionSchema

PREVIEW = 6
"""Of 255: how far a live picture may be from the settled one."""
STYLES = ("ink", "clay", "tiles")


@pytest.fixture
def explorer(tiny_cinn_folder: Path, tiny_judge_folder: Path) -> Explorer:
    return Explorer.open(tiny_cinn_folder, tiny_judge_folder)


@pytest.fixture
def style_desk(desk, tiny_cinn_folder: Path, tiny_judge_folder: Path, small_faces):
    """A desk with the tiny cINN open, and a face."""
    desk.workspace.open_checkpoint(str(tiny_cinn_folder), str(tiny_judge_folder))
    desk.workspace.bring_pixels(small_faces[1], "a face")
    desk.wait(lambda: desk.workspace.phase == "ready")
    return desk


@pytest.fixture
def intents(style_desk) -> Intents:
    return Intents(style_desk.workspace)


@pytest.fixture
def maker(desk) -> Iterator[SampleMaker]:
    maker = SampleMaker(desk.workspace)
    yield maker
    maker.close()


@pytest.fixture
def live(style_desk, maker) -> LiveSamples:
    live = LiveSamples(style_desk.workspace, maker)
    live.active = True
    wait_live(style_desk, live)
    return live


def wait_live(desk, live: LiveSamples) -> None:
    desk.wait(lambda: not live.waiting and (live.found is not None or live.settled_refusal))


def seeds(intents: Intents) -> list[int]:
    return [row.seed for row in intents.samples.view.rows]


def answer_of(desk, ask) -> object:
    """Wait for what a maker gives."""
    given: list[object] = []
    ask(given.append)
    desk.wait(lambda: given)
    return given[0]


def assert_shown(live: LiveSamples, explorer: Explorer, grid) -> None:
    plan, found = grid.plan, live.found
    assert [one.name for one in found.scene.plan.samples] == [one.name for one in plan.samples]
    assert [one.name for one in found.scene.plan.columns] == [one.name for one in plan.columns]
    pixels = found.pixels[..., 2::-1].astype(int)
    assert np.abs(pixels - np.stack(grid.pictures)).max() <= PREVIEW
    for row in range(len(plan.samples)):
        for column in range(len(plan.columns)):
            np.testing.assert_allclose(
                found.said(row, column)["hair"], grid.said(row, column)["hair"], atol=0.05
            )


# What is shown


@pytest.mark.parametrize(("keep", "dataset"), [(1.0, ""), (0.5, "clay")])
def test_what_is_shown_is_that_of_the_operation(
    style_desk, live, intents, explorer, small_faces, keep: float, dataset: str
) -> None:
    intents.shelf.set_projection(ProjectionView(dataset, keep))
    strip = StripView(first="tiles", second="ink", share=0.25)
    intents.samples.set(SamplesView((SampleRow(3), SampleRow(8)), 0.7, True, strip))
    wait_live(style_desk, live)
    first = input_sample(explorer, small_faces[1], source=dataset or "auto", keep=keep, name="a face")
    samples = (first, *draw_samples(explorer.spec, [3, 8], 0.7))
    grid = sample_grid(explorer, samples, keep=keep, blend=Blend("tiles", "ink", 0.25))
    assert_shown(live, explorer, grid)
    expected = blend_series(explorer, samples[1], "tiles", "ink", keep=keep)
    shown = live.found.strip.pixels[..., 2::-1].astype(int)
    assert np.abs(shown - np.stack(expected.pictures)).max() <= PREVIEW
    here = live.found.here.pixels[0][..., 2::-1].astype(int)
    assert np.abs(here - grid.picture(1, 3)).max() <= PREVIEW


def test_a_way_is_drawn_between_any_two_latents(style_desk, live, intents, explorer, small_faces) -> None:
    intents.shelf.pin(explorer.draw(77), "Mine")
    strip = StripView("way", LatentRef(input=True), LatentRef(pin="Mine"), dataset="clay", steps=5, place=0.5)
    intents.samples.set_strip(strip)
    wait_live(style_desk, live)
    scene = live.found.scene
    assert not scene.blended
    assert scene.strip.names == ("a face", "Mine")
    first = input_sample(explorer, small_faces[1], name="a face")
    second = replace(first, name="Mine", latent=explorer.draw(77))
    expected = way_series(explorer, first, second, "clay", steps=5)
    np.testing.assert_allclose(scene.strip.latents, expected.latents, atol=1e-4)
    shown = live.found.strip.pixels[..., 2::-1].astype(int)
    assert np.abs(shown - np.stack(expected.pictures)).max() <= PREVIEW
    np.testing.assert_array_equal(scene.strip.here.sample.latent, scene.strip.latents[2])
    np.testing.assert_array_equal(live.found.here.pixels[0], live.found.strip.pixels[2])
    intents.shelf.rename_pin("Mine", "Yours")
    assert intents.samples.view.strip.end == LatentRef(pin="Yours")
    wait_live(style_desk, live)
    assert live.found.scene.strip.names == ("a face", "Yours")
    intents.shelf.remove_pin("Yours")
    wait_live(style_desk, live)
    assert live.found.scene.strip.startswith("There is no pin Yours any more")
    assert live.found.strip is None
    assert len(live.found.pixels) == 6 * 3, "the grid is there all the same"


def test_without_a_picture_the_rows_are_drawn_ones(style_desk, live, intents) -> None:
    intents.samples.set_strip(StripView(start=LatentRef(input=True)))
    wait_live(style_desk, live)
    assert live.found.scene.strip.here.input is not None
    intents.explore.randomise(style_desk.workspace.opened.spec, 5)
    wait_live(style_desk, live)
    assert [one.name for one in live.found.scene.plan.samples] == [f"seed {k}" for k in range(5)]
    assert live.found.scene.strip == NO_INPUT
    intents.samples.set(replace(intents.samples.view, with_input=False, strip=StripView("none")))
    wait_live(style_desk, live)
    assert live.found.scene.strip == ""
    assert live.found.blend is None


def test_during_a_drag_every_state_is_whole_and_the_newest_comes_last(style_desk, live, intents) -> None:
    seen = []
    live.arrived.connect(lambda found: seen.append(found.scene))
    for k in range(30):
        strip = replace(intents.samples.view.strip, share=k / 30)
        view = replace(intents.samples.view, truncation=1.0 - k / 40, strip=strip)
        intents.samples.set(view, "Truncate the samples", "samples")
        if k % 10 == 9:
            before = len(seen)
            style_desk.wait(lambda before=before: len(seen) > before)
    wait_live(style_desk, live)
    shares = [scene.plan.columns[-1].blend.share for scene in seen]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(29 / 30)
    assert len(seen) < 30, "what nobody would see is left out"
    for scene in seen:
        truncation = scene.plan.samples[-1].truncation
        assert truncation == pytest.approx(1.0 - 30 / 40 * scene.plan.columns[-1].blend.share)
    assert style_desk.undo_name == "Truncate the samples"


def test_only_what_has_changed_is_rendered_again(style_desk, live, intents, monkeypatch) -> None:
    asked = []
    ask = style_desk.workspace.rendering.ask_batch

    def count(channel, latents, *given):
        asked.append((channel, len(latents)))
        return ask(channel, latents, *given)

    monkeypatch.setattr(style_desk.workspace.rendering, "ask_batch", count)
    intents.samples.set_strip(replace(intents.samples.view.strip, share=0.75))
    wait_live(style_desk, live)
    assert sorted(asked) == [("samples blend", 6), ("samples here", 1)]
    asked.clear()
    before = live.found
    intents.samples.pin(2, True)
    wait_live(style_desk, live)
    assert asked == []
    assert live.found is not before, "it is told all the same"
    live.active = False
    intents.samples.resample()
    assert asked == [], "nobody looks"
    live.active = True
    wait_live(style_desk, live)
    assert ("samples grid", 18) in asked
    asked.clear()
    strips = []
    live.arrived.connect(lambda found: strips.append(found.strip))
    for truncation in (0.5, 0.25):
        intents.samples.set(replace(intents.samples.view, truncation=truncation))
    wait_live(style_desk, live)
    channels = [channel for channel, _count in asked]
    assert channels.count("samples grid") == 2
    assert channels.count("samples strip") == 1, "the strip comes when nothing newer waits"
    assert strips[0] is not None, "meanwhile the former one is seen"
    assert strips[-1] is not strips[0]


def test_datasets_are_guessed_by_likelihood_without_a_judge(
    desk, maker, tiny_cinn_folder: Path, small_faces
) -> None:
    desk.workspace.open_checkpoint(str(tiny_cinn_folder), "")
    desk.workspace.bring_pixels(small_faces[1], "a face")
    desk.wait(lambda: desk.workspace.phase == "ready")
    live = LiveSamples(desk.workspace, maker)
    live.active = True
    wait_live(desk, live)
    explorer = Explorer.open(tiny_cinn_folder, "")
    expected = input_sample(explorer, small_faces[1])
    np.testing.assert_allclose(live.found.scene.plan.samples[0].latent, expected.latent, atol=1e-4)
    assert live.found.said(0, 0) == {}


def test_what_cannot_be_shown_is_said(style_desk, live, intents, monkeypatch) -> None:
    said = []
    live.refused.connect(said.append)
    monkeypatch.setattr("latentlab.session.dataset_guess.judged_dataset", lambda _schema, _said, _judge: None)
    monkeypatch.setattr(
        live._input._guess._maker, "guess", lambda _seen, then: then(Message("error", "no guess"))
    )
    intents.shelf.set_projection(ProjectionView("", 0.5))
    assert live.refusal == "no guess" == said[-1]
    assert live.settled_refusal
    assert live.found is None
    monkeypatch.setattr(style_desk.workspace.beside, "ask", lambda _picture, _told: None)
    intents.shelf.set_projection(ProjectionView("tiles", 0.5))
    style_desk.workspace.beside.failed.emit(Failed("encode", 1, "no", ""))
    assert live.refusal == NOT_ENCODED
    monkeypatch.undo()
    intents.shelf.set_projection(ProjectionView("tiles", 0.25))
    wait_live(style_desk, live)
    assert live.found is not None
    monkeypatch.setattr(live._grid._batch, "ask", lambda _latents, _conditions: 10**6)
    intents.samples.resample()
    live._grid._batch.failed.emit(Failed("render", 10**6, "no", ""))
    wait_live(style_desk, live)
    assert (live.found, live.refusal) == (None, FAILED)


# Seeds and pins


def test_resampling_keeps_what_is_pinned(style_desk, intents) -> None:
    samples = intents.samples
    samples.pin(1, True)
    assert style_desk.undo_name == "Pin seed 1"
    samples.resample()
    assert seeds(intents) == [5, 1, 6, 7, 8]
    assert style_desk.undo_name == "Resample"
    samples.draw(0)
    assert seeds(intents) == [0, 1, 2, 3, 4], "no z is there twice"
    samples.pin(1, False)
    assert style_desk.undo_name == "Unpin seed 1"
    assert seeds(intents) == [0, 1, 2, 3, 4], "it stays as it is"
    samples.draw(LARGEST_SEED)
    assert seeds(intents) == [LARGEST_SEED, 0, 1, 2, 3]
    session = style_desk.workspace.session
    session.undo()
    session.undo()
    session.undo()
    session.undo()
    assert seeds(intents) == [0, 1, 2, 3, 4]
    assert samples.view.rows[1].pinned
    session.redo()
    assert seeds(intents) == [5, 1, 6, 7, 8]
    for k in range(5):
        samples.pin(k, True)
    steps = len(session.history)
    samples.resample()
    samples.draw(9)
    assert len(session.history) == steps, "a step that changes nothing is none"


def test_rows_are_added_and_taken_away_from_below_but_for_pinned_ones(intents) -> None:
    samples = intents.samples
    samples.set_rows(7)
    assert seeds(intents) == [0, 1, 2, 3, 4, 5, 6]
    samples.pin(6, True)
    samples.set_rows(3)
    assert seeds(intents) == [0, 1, 6]
    samples.set_rows(4)
    assert seeds(intents) == [0, 1, 6, 7]
    samples.pin(0, True)
    samples.pin(1, True)
    samples.pin(3, True)
    samples.set_rows(2)
    assert seeds(intents) == [0, 1]
    samples.set_rows(100)
    assert len(seeds(intents)) == MOST_ROWS
    samples.set_rows(0)
    assert len(seeds(intents)) == 1


def test_references_are_resolved(style_desk, explorer, intents) -> None:
    spec, shelf = explorer.spec, style_desk.workspace.session.document.shelf
    samples = draw_samples(spec, [0, 1])
    assert sample_of(LatentRef(9), shelf, samples, False).name == "seed 1", "the last row stands for it"
    assert sample_of(LatentRef(0), shelf, samples, True).name == "seed 1"
    with pytest.raises(SettingsError, match="No picture"):
        sample_of(LatentRef(input=True), shelf, samples, False)
    intents.shelf.pin(np.zeros(3, dtype=np.float32), "Odd")
    with pytest.raises(SettingsError, match="no latent of this model"):
        sample_of(LatentRef(pin="Odd"), style_desk.workspace.session.document.shelf, samples, False)
    schema = spec.condition
    assert blend_of(schema, StripView()) == Blend("ink", "clay", 0.5)
    assert blend_of(schema, StripView(second="ink")) == Blend("clay", "ink", 0.5)
    assert blend_of(schema, StripView(first="gone", second="tiles")) == Blend("ink", "tiles", 0.5)
    assert dataset_of(schema, StripView(dataset="gone")) == "ink"


def test_the_same_dataset_twice_is_no_blend(style_desk, live, intents) -> None:
    intents.samples.set_strip(StripView(first="clay", second="clay"))
    wait_live(style_desk, live)
    assert live.found.scene.strip.startswith("A blend needs two datasets")
    assert len(live.found.scene.plan.columns) == 3


# Explore


def test_explore_draws_a_cell_the_same_to_the_bit(style_desk, live, intents, maker, explorer) -> None:
    intents.samples.set(replace(intents.samples.view, truncation=0.7))
    wait_live(style_desk, live)
    session = style_desk.workspace.session
    for column, where in ((2, "tiles"), (3, "50% ink + 50% clay")):
        cell = live.cell(2, column)
        picture = answer_of(style_desk, lambda then, cell=cell: maker.make_picture(cell, then))
        expected = explorer.picture(explorer.draw(1, 0.7), cell.condition)
        np.testing.assert_array_equal(picture, expected)
        take_cell(session, cell)
        assert style_desk.undo_name == f"Take seed 1 on {where}"
        style_desk.wait_settled()
        frame = style_desk.workspace.rendering.settled_frame
        np.testing.assert_array_equal(frame.pixels[0][..., 2::-1], expected)
    state = style_desk.state
    assert state.origin == "random, seed 1, truncation 0.7"
    assert not state.edited
    steps = len(session.history)
    take_cell(session, cell)
    assert len(session.history) == steps, "what is there already is no step"
    session.undo()
    np.testing.assert_array_equal(style_desk.state.condition, condition_on(explorer, "tiles"))
    session.undo()
    assert style_desk.state.source is not None


def test_explore_goes_on_with_the_pictures_own_z_and_with_a_place_on_a_way(
    style_desk, live, intents, explorer
) -> None:
    intents.shelf.set_projection(ProjectionView("clay", 0.5))
    wait_live(style_desk, live)
    session = style_desk.workspace.session
    cell = live.cell(0, 2)
    take_cell(session, cell)
    state = style_desk.state
    assert style_desk.undo_name == "Take the projection onto tiles"
    assert state.source is not None
    np.testing.assert_array_equal(state.latent, cell.sample.latent)
    np.testing.assert_array_equal(state.told, condition_on(explorer, "clay", 0.5))
    np.testing.assert_array_equal(state.condition, condition_on(explorer, "tiles", 0.5))
    intents.samples.set_strip(StripView("way", place=0.5, steps=3, dataset="ink"))
    wait_live(style_desk, live)
    take_cell(session, live.found.scene.strip.here)
    assert style_desk.undo_name == "Take 50% from seed 0 to seed 1 on ink"
    assert style_desk.state.origin == "50% from seed 0 to seed 1"
    np.testing.assert_array_equal(style_desk.state.latent, live.found.scene.strip.latents[1])
    assert live.cell(0, 9) is None
    assert live.cell(-1, 0) is None


# Exports and programs


@pytest.mark.parametrize(
    ("strip", "with_input"),
    [
        (StripView(first="clay", second="tiles", share=0.375), True),
        (StripView("way", LatentRef(pin="Mine"), LatentRef(1), dataset="tiles", steps=4), True),
        (StripView("way", LatentRef(input=True), LatentRef(0), steps=4, path="linear"), True),
        (StripView("none"), False),
    ],
)
def test_the_program_draws_the_same_pixels(
    style_desk, maker, intents, strip: StripView, with_input: bool, tmp_path: Path, monkeypatch
) -> None:
    intents.shelf.pin(np.linspace(-1, 1, 6, dtype=np.float32), "Mine")
    intents.shelf.set_projection(ProjectionView("", 0.75))
    intents.samples.set(SamplesView((SampleRow(2, True), SampleRow(9)), 0.6, with_input, strip))
    document = style_desk.workspace.session.document
    code = sample_code(document, style_desk.workspace.opened.spec.condition)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(code, "copied", "exec"), names)
    grid = answer_of(style_desk, maker.make_grid)
    assert len(grid.pictures) == len(grid.plan.columns) * (2 + with_input)
    for mine, theirs in zip(names["grid"].pictures, grid.pictures, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with Image.open(tmp_path / "samples.png") as figure:
        np.testing.assert_array_equal(np.array(figure.convert("RGB")), np.array(sample_figure(grid)))
    if strip.kind == "none":
        assert "strip" not in code
        return
    series = answer_of(style_desk, maker.make_strip)
    for mine, theirs in zip(names["strip"].pictures, series.pictures, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert (tmp_path / "strip.png").is_file()


def test_a_program_leaves_out_a_strip_that_is_not_there(style_desk, intents) -> None:
    schema = style_desk.workspace.opened.spec.condition
    for strip in (
        StripView("way", LatentRef(pin="gone")),
        StripView(first="ink", second="ink"),
        StripView(start=LatentRef(input=True)),
    ):
        intents.samples.set(replace(intents.samples.view, with_input=False, strip=strip))
        assert "strip" not in sample_code(style_desk.workspace.session.document, schema)


def test_nothing_is_made_where_nothing_projects(desk, maker, told_desk) -> None:
    assert "does not project" in answer_of(told_desk, maker.make_grid).text


def test_nothing_is_made_where_nothing_is_open(desk, maker) -> None:
    assert answer_of(desk, maker.make_grid) == Message("error", NO_MODEL)
    assert sample_code(desk.workspace.session.document, ConditionSchema()) == ""


# Sessions


def test_a_session_brings_the_samples_back(style_desk, intents, tmp_path: Path) -> None:
    strip = StripView(
        "way", LatentRef(3), LatentRef(pin="Über"), "ink", "clay", "tiles", 0.3, 0.7, "linear", 9
    )
    view = SamplesView((SampleRow(7, True), SampleRow(LARGEST_SEED)), 0.25, False, strip)
    intents.samples.set(view)
    document = style_desk.workspace.session.document
    path = tmp_path / "session.json"
    path.write_text(session_json(document, {}), encoding="utf-8")
    saved = load_session(path)
    assert saved.left_out == ()
    assert saved.shelves[document.checkpoint.sha256].samples == view


def test_what_is_damaged_of_the_samples_is_left_out_and_said(style_desk, intents) -> None:
    intents.samples.pin(1, True)
    document = style_desk.workspace.session.document
    sha256 = document.checkpoint.sha256

    def read(spoil):
        data = json.loads(session_json(document, {}))
        data["shelves"][sha256]["samples"] = spoil(data["shelves"][sha256]["samples"])
        return read_session(json.dumps(data), "a.json")

    whole = intents.samples.view
    saved = read(lambda given: {**given, "truncation": 3.0, "surprise": 1})
    assert saved.shelves[sha256].samples == whole
    assert len(saved.left_out) == 2
    saved = read(lambda given: {**given, "rows": [{"seed": -1}, "x", {"seed": 4, "pinned": True}]})
    assert saved.shelves[sha256].samples.rows == (SampleRow(4, True),)
    assert len(saved.left_out) == 2
    saved = read(lambda given: {**given, "rows": []})
    assert saved.shelves[sha256].samples.rows == SamplesView().rows
    saved = read(lambda given: {**given, "rows": [{"seed": k} for k in range(40)]})
    assert len(saved.shelves[sha256].samples.rows) == MOST_ROWS
    assert "there are 40" in saved.left_out[0]
    saved = read(lambda given: {**given, "strip": {"kind": "circle", "start": 7, "steps": 12}})
    assert saved.shelves[sha256].samples.strip == StripView(steps=12)
    assert len(saved.left_out) == 2
    assert read(lambda _given: "gone").shelves[sha256].samples == SamplesView()
    assert read(lambda given: {**given, "strip": []}).shelves[sha256].samples == whole
    data = json.loads(session_json(document, {}))
    del data["shelves"][sha256]["samples"]
    old = read_session(json.dumps(data), "old.json")
    assert (old.left_out, old.shelves[sha256].samples) == ((), SamplesView()), "older sessions have none"
