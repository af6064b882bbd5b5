"""The Analogies screen without a window: live projections, what Explore takes over, and the programs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.errors import SettingsError
from latentlab.live.frames import Encoded, Failed
from latentlab.operations.explore import Explorer
from latentlab.operations.project import condition_on, guess_dataset, project, project_latent
from latentlab.session.beside import BesideEncoder
from latentlab.session.document import ProjectionView
from latentlab.session.intents import Intents
from latentlab.session.projection import (
    GUESSING,
    NO_MODEL,
    NOT_ENCODED,
    LiveProjections,
    ProjectionMaker,
    take_projection,
)
from latentlab.session.projection_code import projection_code
from latentlab.session.saved import Saved, load_session, session_json
from latentlab.session.session import Message

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
def maker(desk) -> Iterator[ProjectionMaker]:
    maker = ProjectionMaker(desk.workspace)
    yield maker
    maker.close()


@pytest.fixture
def live(style_desk, maker) -> LiveProjections:
    live = LiveProjections(style_desk.workspace, maker)
    live.active = True
    return live


def wait_live(desk, live: LiveProjections) -> None:
    desk.wait(lambda: live.found is not None and not live.waiting)


def other_than(desk, live: LiveProjections) -> str:
    """Return a dataset that is not the one that was guessed."""
    wait_live(desk, live)
    return next(name for name in STYLES if name != live.found.plan.dataset)


def assert_shown(live: LiveProjections, explorer: Explorer, expected) -> None:
    found = live.found
    assert (found.plan.dataset, found.plan.keep) == (expected.source_dataset, expected.keep)
    np.testing.assert_allclose(found.latent, expected.latent, atol=1e-4)
    assert found.norm == pytest.approx(expected.norm, abs=1e-4)
    for k, item in enumerate(expected.items):
        assert found.plan.datasets[k] == item.dataset
        shown = found.pixels[k][..., 2::-1].astype(int)
        assert np.abs(shown - item.picture).max() <= PREVIEW
        np.testing.assert_allclose(found.said(k)["hair"], item.attributes["hair"], atol=0.05)


@pytest.mark.parametrize("keep", [1.0, 0.0, 0.3])
def test_live_projections_are_those_of_the_operation(
    style_desk, live, intents, explorer: Explorer, small_faces, keep: float
) -> None:
    intents.shelf.set_projection(ProjectionView("", keep))
    wait_live(style_desk, live)
    expected = project(explorer, small_faces[1], keep=keep)
    assert live.found.plan.guessed
    assert live.found.plan.dataset == guess_dataset(explorer, small_faces[1])
    assert_shown(live, explorer, expected)
    assert live.found.said_of_source.keys() == expected.attributes.keys()


def test_a_corrected_dataset_is_what_the_picture_is_encoded_as(
    style_desk, live, intents, explorer: Explorer, small_faces
) -> None:
    other = other_than(style_desk, live)
    intents.shelf.set_projection(ProjectionView(other, 0.5))
    wait_live(style_desk, live)
    assert not live.found.plan.guessed
    assert_shown(live, explorer, project(explorer, small_faces[1], source=other, keep=0.5))


def test_without_a_picture_the_latent_is_drawn_on_every_dataset(
    style_desk, live, intents, explorer: Explorer
) -> None:
    intents.explore.randomise(style_desk.workspace.opened.spec, 5)
    intents.shelf.set_projection(ProjectionView("", 0.5))
    wait_live(style_desk, live)
    dataset = live.found.plan.dataset
    assert live.found.source is None
    assert_shown(live, explorer, project_latent(explorer, explorer.draw(5), dataset, keep=0.5))
    before = live.found
    intents.explore.move(1, 2.0)
    style_desk.wait(lambda: live.found is not before and not live.waiting)
    assert live.found.latent[1] == 2.0


def test_during_a_drag_every_state_goes_its_way_whole_and_the_newest_comes_last(
    style_desk, live, intents, monkeypatch
) -> None:
    wait_live(style_desk, live)
    beside, seen, asked = style_desk.workspace.beside, [], []
    ask = beside.ask

    def ask_alone(picture, condition) -> None:
        asked.append(beside.waiting or live._batch.waiting)
        ask(picture, condition)

    monkeypatch.setattr(beside, "ask", ask_alone)
    live.arrived.connect(lambda found: seen.append(found.plan.keep))
    for k in range(40):
        intents.shelf.set_projection(ProjectionView("", 1.0 - k / 50), "projection")
        if k % 10 == 9:
            before = len(seen)
            style_desk.wait(lambda before=before: len(seen) > before)
    wait_live(style_desk, live)
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == live.found.plan.keep == 1.0 - 39 / 50
    assert len(asked) < 40, "what nobody would see is left out"
    assert not any(asked), "what is on its way arrives, however fast the slider is moved"
    assert live.found.encoded.condition[-1] == np.float32(1.0 - 39 / 50)
    assert style_desk.workspace.session.history.undo_name == "Set the analogies"


def test_what_is_of_a_model_that_is_left_is_forgotten(style_desk, live, intents, tiny_cinn_folder) -> None:
    intents.shelf.set_projection(ProjectionView("", 0.5))
    wait_live(style_desk, live)
    before = live.found
    style_desk.workspace.open_checkpoint(str(tiny_cinn_folder), "")
    assert live.found is None, "its latent means nothing to the next model"
    assert not live.waiting
    wait_live(style_desk, live)
    assert live.found.encoded is not before.encoded
    assert live.found.attributes == {}


def test_another_picture_is_guessed_anew_and_a_crop_of_the_same_is_not(
    style_desk, live, intents, small_faces
) -> None:
    other = other_than(style_desk, live)
    intents.shelf.set_projection(ProjectionView(other, 0.5))
    wait_live(style_desk, live)
    style_desk.workspace.crop((2, 2, 28))
    style_desk.wait(lambda: style_desk.state.source.crop is not None)
    wait_live(style_desk, live)
    view = lambda: style_desk.workspace.session.document.shelf.projection  # noqa: E731
    assert view() == ProjectionView(other, 0.5)
    style_desk.workspace.bring_pixels(small_faces[3], "another face")
    style_desk.wait(lambda: style_desk.state.source.name == "another face")
    assert view() == ProjectionView("", 0.5)
    wait_live(style_desk, live)
    np.testing.assert_array_equal(live.found.encoded.source, small_faces[3])
    style_desk.workspace.session.undo()
    assert view() == ProjectionView(other, 0.5)
    wait_live(style_desk, live)


def test_what_the_encoder_is_told_meanwhile_comes_first_and_nothing_is_lost(
    style_desk, live, intents
) -> None:
    wait_live(style_desk, live)
    spec = style_desk.workspace.opened.spec
    other = other_than(style_desk, live)
    intents.shelf.set_projection(ProjectionView("", 0.25))
    assert live.waiting
    intents.condition.tell(spec, "style", other)
    style_desk.wait_told()
    assert style_desk.state.told[spec.condition.slice("style")].argmax() == STYLES.index(other)
    wait_live(style_desk, live)
    assert live.found.plan.keep == 0.25
    intents.condition.tell(spec, "style", "ink" if other != "ink" else "clay")
    intents.shelf.set_projection(ProjectionView("", 0.75))
    wait_live(style_desk, live)
    style_desk.wait_told()
    assert live.found.plan.keep == 0.75


def test_nothing_is_rendered_while_nobody_looks(style_desk, live, intents) -> None:
    wait_live(style_desk, live)
    live.active = False
    before = live.found
    intents.shelf.set_projection(ProjectionView("", 0.0))
    style_desk.wait_settled()
    assert live.found is before
    live.active = True
    style_desk.wait(lambda: live.found is not before)


def test_a_model_that_does_not_project_says_so(told_desk, maker) -> None:
    told: list[object] = []
    live = LiveProjections(told_desk.workspace, maker)
    live.planned.connect(told.append)
    live.active = True
    assert told == [live.refusal]
    assert "tiny-cvae does not project onto datasets" in live.refusal
    assert live.settled_refusal
    found: list[object] = []
    maker.make(found.append)
    assert found == [Message("error", live.refusal)]


def test_without_a_judge_of_datasets_they_are_guessed_by_likelihood(
    desk, maker, tiny_cinn_folder: Path, tiny_predictor_folder: Path, small_faces
) -> None:
    desk.workspace.open_checkpoint(str(tiny_cinn_folder), str(tiny_predictor_folder))
    desk.workspace.bring_pixels(small_faces[1], "a face")
    desk.wait(lambda: desk.workspace.phase == "ready")
    told: list[object] = []
    live = LiveProjections(desk.workspace, maker)
    live.planned.connect(told.append)
    live.active = True
    assert told == [GUESSING]
    assert not live.settled_refusal
    wait_live(desk, live)
    plain = Explorer.open(tiny_cinn_folder, "")
    assert live.found.plan.dataset == guess_dataset(plain, small_faces[1])
    assert live.found.plan.guessed


def test_what_cannot_be_guessed_or_encoded_is_said(style_desk, live, intents, monkeypatch) -> None:
    wait_live(style_desk, live)
    encoded = style_desk.state.source.encoded
    monkeypatch.setattr("latentlab.session.dataset_guess.judged_dataset", lambda _schema, _said, _judge: None)

    def fail(_picture, then) -> None:
        then(Message("error", "It has gone."))

    monkeypatch.setattr(live._guess._maker, "guess", fail)
    live.refresh()
    assert live.refusal in ("It has gone.", GUESSING)
    live.refresh()
    assert live.refusal == "It has gone."
    assert live.found is None
    live._encoding = object()  # as if it were on its way
    style_desk.workspace.beside.failed.emit(Failed(1, "encode", "no", True))
    assert live.refusal == NOT_ENCODED
    assert style_desk.state.source.encoded is encoded


def test_nothing_is_made_where_nothing_is_open(desk, maker) -> None:
    found: list[Message] = []
    maker.make(found.append)
    maker.guess(np.zeros((32, 32, 3), dtype=np.uint8), found.append)
    assert [one.text for one in found] == [NO_MODEL, NO_MODEL]


# What Explore takes over


def test_explore_takes_a_projection_over_as_it_was_seen(
    style_desk, live, intents, explorer: Explorer, small_faces
) -> None:
    other = other_than(style_desk, live)
    intents.explore.move(0, 2.5)
    intents.condition.link(True)
    intents.shelf.set_projection(ProjectionView(other, 0.5))
    wait_live(style_desk, live)
    before, session = style_desk.workspace.session.document, style_desk.workspace.session
    place = next(k for k, name in enumerate(STYLES) if name != other)
    take_projection(session, live.found, place)
    state = style_desk.state
    assert style_desk.undo_name == f"Take the projection onto {STYLES[place]}"
    assert not state.linked
    np.testing.assert_array_equal(state.condition, condition_on(explorer, STYLES[place], 0.5))
    np.testing.assert_array_equal(state.told, condition_on(explorer, other, 0.5))
    np.testing.assert_array_equal(state.start_condition, state.told)
    style_desk.wait_settled()
    frame = style_desk.workspace.rendering.settled_frame
    expected = project(explorer, small_faces[1], source=other, keep=0.5).items[place].picture
    np.testing.assert_array_equal(frame.pixels[0][..., 2::-1], expected)
    session.undo()
    assert session.document is before
    style_desk.wait_told()


def test_taking_what_is_there_already_is_no_step(style_desk, live, intents) -> None:
    wait_live(style_desk, live)
    session = style_desk.workspace.session
    before = session.document
    take_projection(session, live.found, live.found.plan.own)
    assert session.document is before
    found = live.found
    intents.explore.randomise(style_desk.workspace.opened.spec, 1)
    before = session.document
    take_projection(session, found, 0)
    assert session.document is before, "it is of another picture"
    wait_live(style_desk, live)
    other = (live.found.plan.own + 1) % 3
    take_projection(session, live.found, other)
    assert style_desk.undo_name == f"Take the projection onto {STYLES[other]}"
    np.testing.assert_array_equal(style_desk.state.condition, live.found.plan.conditions[other])


# Settled, and as a program


def made(desk, maker: ProjectionMaker):
    found: list[object] = []
    maker.make(found.append)
    desk.wait(lambda: found)
    return found[0]


def run(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    exec(compile(code, "copied", "exec"), names)
    return names


@pytest.mark.parametrize(
    ("view", "draws"),
    [
        (ProjectionView(), False),
        (ProjectionView("tiles", 0.3), False),
        (ProjectionView("", 0.0), True),
        (ProjectionView("clay", 0.1), True),
        (ProjectionView("of another model", 1.0), False),
    ],
)
def test_the_program_makes_the_same_pixels(
    style_desk, maker, intents, view: ProjectionView, draws: bool, tmp_path: Path, monkeypatch
) -> None:
    if draws:
        intents.explore.randomise(style_desk.workspace.opened.spec, 3)
        intents.explore.move(2, -1.25)
    intents.shelf.set_projection(view)
    expected = made(style_desk, maker)
    code = projection_code(style_desk.workspace.session.document, style_desk.workspace.opened.spec.condition)
    found = run(code, tmp_path, monkeypatch)["found"]
    assert (tmp_path / "analogies.png").is_file()
    assert (found.source_dataset, found.guessed, found.keep, found.drawn) == (
        expected.source_dataset,
        expected.guessed,
        view.keep,
        draws,
    )
    assert (found.norm, found.round_trip, found.name) == (
        expected.norm,
        expected.round_trip,
        expected.name,
    )
    np.testing.assert_array_equal(found.source, expected.source)
    for mine, theirs in zip(found.items, expected.items, strict=True):
        np.testing.assert_array_equal(mine.picture, theirs.picture)


def test_a_session_brings_the_settings_back(style_desk, intents, tmp_path: Path) -> None:
    intents.shelf.set_projection(ProjectionView("clay", 0.35))
    document = style_desk.workspace.session.document
    path = tmp_path / "session.json"
    path.write_text(session_json(document, {}), encoding="utf-8")
    saved = load_session(path)
    assert saved.left_out == ()
    assert saved.shelves[document.checkpoint.sha256].projection == ProjectionView("clay", 0.35)
    path.write_text(path.read_text(encoding="utf-8").replace('"keep": 0.35', '"keep": 7'), encoding="utf-8")
    saved = load_session(path)
    assert saved.shelves[document.checkpoint.sha256].projection == ProjectionView("clay", 1.0)
    assert "keep" in saved.left_out[0]
    assert isinstance(Saved.of(document, "x"), Saved)


# The encoder beside


def answer(token: int) -> Encoded:
    nothing = np.zeros(1, dtype=np.float32)
    pixels = np.zeros((1, 1, 3), dtype=np.uint8)
    return Encoded(token, pixels, nothing, None, {}, pixels, {})


def test_the_encoder_beside_gives_way_and_asks_again() -> None:
    free, asked, seen = [True], [], []
    pictures = [np.full((1, 1, 3), k, dtype=np.uint8) for k in range(3)]

    def encode(picture, _condition) -> int | None:
        if not free[0]:
            return None
        asked.append(int(picture[0, 0, 0]))
        return len(asked)

    beside = BesideEncoder(encode)
    beside.encoded.connect(lambda encoded: seen.append(encoded.token))
    beside.failed.connect(lambda failed: seen.append(-failed.token))
    condition = np.zeros(2, dtype=np.float32)
    beside.ask(pictures[0], condition)
    beside.give_way()
    assert not beside.take(answer(1)), "it may have been replaced"
    beside.go_on()
    assert asked == [0, 0]
    assert beside.waiting
    assert beside.take(answer(2))
    assert seen == [2]
    free[0] = False
    beside.ask(pictures[1], condition)
    beside.ask(pictures[2], condition)
    assert asked == [0, 0]
    free[0] = True
    beside.go_on()
    assert asked == [0, 0, 2]
    assert not beside.fail(Failed(9, "encode", "", True))
    assert beside.fail(Failed(3, "encode", "", True))
    assert seen == [2, -3]
    assert not beside.waiting
    beside.ask(pictures[0], condition)
    beside.forget()
    assert not beside.take(answer(4))


def test_closing_leaves_no_thread(style_desk) -> None:
    maker = ProjectionMaker(style_desk.workspace)
    maker.make(lambda _found: None)
    maker.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("latentlab-projections")]


def test_a_latent_needs_a_condition_to_be_compared(style_desk) -> None:
    from latentlab.session.projection import latent_dataset

    state = replace(style_desk.state, condition=None)
    with pytest.raises(SettingsError):
        latent_dataset(style_desk.workspace.opened.spec.condition, state, ProjectionView())
