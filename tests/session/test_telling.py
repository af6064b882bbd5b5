"""Telling the encoder: what the predictor sees, another class, and what the decoder is told, linked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.conditions import choose, from_probabilities
from latentlab.operations.explore import Explorer
from latentlab.operations.latent_text import latent_text
from latentlab.session.intents import Intents


@pytest.fixture
def explorer(tiny_cvae_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_cvae_folder, tiny_predictor_folder)


@pytest.fixture
def intents(told_desk) -> Intents:
    return Intents(told_desk.workspace)


@pytest.fixture
def spec(told_desk):
    return told_desk.workspace.opened.spec


def close(first: np.ndarray, second: np.ndarray) -> None:
    """The live worker encodes with its own threads: the same but for rounding."""
    np.testing.assert_allclose(first, second, atol=2e-5)


def another_race(desk) -> str:
    """A race that the encoder was not told."""
    schema = desk.workspace.opened.spec.condition
    told = desk.state.told[schema.slice("race")]
    return schema.attribute("race").classes[int(told.argmin())]


def shows(desk, expected: np.ndarray) -> None:
    """The reconstruction is that picture, but for the rounding of its encoding."""
    found = desk.state.source.encoded.reconstruction[..., 2::-1].astype(int)
    assert np.abs(found - expected).max() <= 1


def test_a_picture_is_told_what_the_predictor_sees(told_desk, explorer: Explorer, small_faces) -> None:
    state, judge = told_desk.state, told_desk.workspace.opened.predictor
    seen = from_probabilities(
        explorer.spec.condition,
        state.source.encoded.source_attributes,
        {one.name: one.classes for one in judge.attributes},
    )
    np.testing.assert_array_equal(state.condition, seen)
    np.testing.assert_array_equal(state.start_condition, seen)
    np.testing.assert_array_equal(state.told, seen)
    np.testing.assert_array_equal(state.condition, explorer.encode(small_faces[1]).condition)
    close(state.start, explorer.encode(small_faces[1]).latent)
    assert not state.edited
    assert not state.linked


def test_without_a_predictor_it_is_told_nothing(desk, tiny_cvae_folder: Path, small_faces) -> None:
    desk.workspace.open_checkpoint(str(tiny_cvae_folder), "")
    desk.workspace.bring_pixels(small_faces[0], "a face")
    desk.wait(lambda: desk.workspace.phase == "ready")
    assert not desk.state.condition.any()
    intents = Intents(desk.workspace).condition
    intents.tell_as_seen()
    desk.wait_told()
    assert desk.undo_name is None, "it was told nothing before too"
    intents.tell(desk.workspace.opened.spec, "gender", "male")
    desk.wait_told()
    assert desk.state.told.any()
    np.testing.assert_array_equal(desk.state.start_condition, desk.state.told)
    np.testing.assert_array_equal(desk.state.source.encoded.own, desk.state.told)


def test_another_class_encodes_again_and_keeps_the_edits(
    told_desk, intents: Intents, spec, explorer: Explorer, small_faces
) -> None:
    desk, before = told_desk, told_desk.state
    intents.explore.move(3, 1.25)
    intents.condition.scale(spec, "glasses", 2.0)
    edited = desk.state
    other = next(c for c in ("female", "male") if not before.condition[("female", "male").index(c)])
    intents.condition.tell(spec, "gender", other)
    assert desk.state is edited, "nothing changes before the answer is there"
    desk.wait_told()
    state = desk.state
    assert desk.undo_name == f"Tell the encoder gender: {other}"
    told = choose(spec.condition, {"gender": other}, before.told)
    np.testing.assert_array_equal(state.told, told)
    np.testing.assert_array_equal(state.start_condition, before.start_condition)
    np.testing.assert_array_equal(state.condition, edited.condition)
    close(state.start, explorer.encode(small_faces[1], told).latent)
    assert not np.allclose(state.start, before.start)
    np.testing.assert_allclose(state.latent - state.start, edited.latent - before.start, atol=1e-5)
    np.testing.assert_array_equal(np.delete(state.latent, 3), np.delete(state.start, 3))
    reconstruction = state.source.encoded.reconstruction
    np.testing.assert_array_equal(reconstruction, before.source.encoded.reconstruction)
    desk.workspace.session.undo()
    assert desk.state is edited
    desk.workspace.session.redo()
    assert desk.state is state


def test_it_can_be_told_nothing_and_what_is_seen_again(told_desk, intents: Intents, spec) -> None:
    desk, before = told_desk, told_desk.state
    intents.condition.tell(spec, "race", "")
    desk.wait_told()
    assert desk.undo_name == "Tell the encoder race: nothing"
    assert not desk.state.told[spec.condition.slice("race")].any()
    intents.condition.tell_as_seen()
    desk.wait_told()
    assert desk.undo_name == "Tell the encoder what is seen"
    np.testing.assert_array_equal(desk.state.told, before.told)
    close(desk.state.start, before.start)


def test_what_it_was_told_already_is_no_step(told_desk, intents: Intents, spec) -> None:
    desk, before = told_desk, told_desk.state
    now = spec.condition.attribute("gender").classes[int(before.condition[:2].argmax())]
    intents.condition.tell(spec, "gender", now)
    intents.condition.tell_as_seen()
    desk.wait_told()
    assert desk.undo_name is None
    assert desk.state is before


def test_while_one_answer_is_waited_for_only_the_newest_wish_is_kept(
    told_desk, intents: Intents, spec
) -> None:
    desk, told = told_desk, []
    encode = desk.workspace.teller._encode
    desk.workspace.teller._encode = lambda p, c: told.append(c) or encode(p, c)
    for label in ("asian", "black", "brown", "white"):
        intents.condition.tell(spec, "race", label)
    desk.wait_told()
    assert len(told) == 2
    np.testing.assert_array_equal(desk.state.told[spec.condition.slice("race")], [0, 0, 0, 1])


def test_linked_one_step_changes_decoder_and_start(
    told_desk, intents: Intents, spec, explorer: Explorer, small_faces
) -> None:
    desk, session = told_desk, told_desk.workspace.session
    intents.condition.link(True)
    desk.wait_told()
    assert desk.undo_name == "Link encoder and decoder"
    steps = len(session.history)
    before = desk.state
    for change, name in (
        (lambda: intents.condition.flip(spec, "gender"), "Flip gender"),
        (lambda: intents.condition.choose(spec, "glasses", "yes"), "glasses: yes"),
    ):
        state = desk.state
        change()
        desk.wait_told()
        if desk.state is state:
            continue  # that was its class already
        assert desk.undo_name == name
    assert len(session.history) > steps
    after = desk.state
    np.testing.assert_array_equal(after.told, after.condition)
    np.testing.assert_array_equal(after.start_condition, before.condition)
    close(after.start, explorer.encode(small_faces[1], after.condition).latent)
    while len(session.history) > steps:
        session.undo()
    assert desk.state is before
    while session.history.redo_name is not None:
        session.redo()
    assert desk.state is after


def test_a_linked_drag_is_one_step_too(told_desk, intents: Intents, spec) -> None:
    desk, session = told_desk, told_desk.workspace.session
    intents.condition.link(True)
    desk.wait_told()
    before, steps = desk.state, len(session.history)
    for _ in range(2):  # the second is begun before the first one's answer is there
        intents.condition.begin("gender")
        for k in range(8):
            intents.condition.scale(spec, "gender", 0.5 + k / 10 + _ / 100)
        intents.condition.end("gender")
    desk.wait_told()
    after = desk.state
    assert desk.undo_name == "Change gender"
    assert len(session.history) == steps + 2
    np.testing.assert_array_equal(after.told, after.condition)
    np.testing.assert_array_equal(after.start_condition, before.condition)
    session.undo()
    session.undo()
    assert desk.state is before


def test_an_undo_is_not_overwritten_by_an_answer_that_was_waited_for(
    told_desk, intents: Intents, spec
) -> None:
    desk, session = told_desk, told_desk.workspace.session
    intents.condition.link(True)
    desk.wait_told()
    before = desk.state
    intents.condition.flip(spec, "gender")
    assert desk.workspace.teller.waiting
    session.undo()
    assert desk.state is before
    assert not desk.workspace.teller.waiting
    desk.wait_settled()
    intents.condition.tell_as_seen()  # its answer comes after the one that is void
    desk.wait_told()
    assert desk.state is before
    assert session.history.redo_name == "Flip gender"


def test_a_reset_while_an_answer_is_waited_for_makes_it_void(told_desk, intents: Intents, spec) -> None:
    desk = told_desk
    intents.condition.link(True)
    desk.wait_told()
    before = desk.state
    intents.condition.flip(spec, "gender")
    intents.explore.reset_all()
    desk.wait_told()
    assert desk.undo_name == "Reset all"
    np.testing.assert_array_equal(desk.state.condition, before.condition)
    np.testing.assert_array_equal(desk.state.told, before.condition)
    np.testing.assert_array_equal(desk.state.start, before.start)


def test_another_picture_takes_the_place_of_what_was_waited_for(
    told_desk, intents: Intents, spec, small_faces
) -> None:
    desk = told_desk
    intents.condition.link(True)
    desk.wait_told()
    intents.condition.flip(spec, "gender")
    desk.workspace.bring_pixels(small_faces[3], "another")
    desk.wait(lambda: desk.state.source is not None and desk.state.source.name == "another")
    desk.wait_told()
    assert desk.undo_name == "Open picture another"
    assert desk.state.linked, "linked is how one works, not what a picture is"
    np.testing.assert_array_equal(desk.state.condition, desk.state.start_condition)
    np.testing.assert_array_equal(desk.state.condition, desk.state.told)
    desk.workspace.session.undo()
    assert desk.undo_name == "Flip gender"
    np.testing.assert_array_equal(desk.state.source.picture, small_faces[1])


def test_a_picture_can_be_brought_with_what_is_told(
    told_desk, intents: Intents, spec, small_faces, explorer: Explorer
) -> None:
    desk, schema = told_desk, told_desk.workspace.opened.spec.condition
    told = choose(schema, {"gender": "male", "race": "black"})
    drawn = choose(schema, {"gender": "female"}, told, 1.5)
    own = choose(schema, {"race": "white"}, told)
    intents.condition.link(True)
    desk.wait_told()
    desk.workspace.bring_pixels(small_faces[4], "page", told, drawn, own)
    desk.wait(lambda: desk.state.source is not None and desk.state.source.name == "page")
    np.testing.assert_array_equal(desk.state.told, told)
    np.testing.assert_array_equal(desk.state.start_condition, own)
    np.testing.assert_array_equal(desk.state.condition, drawn)
    assert not desk.state.linked
    assert desk.state.condition_edited
    close(desk.state.start, explorer.encode(small_faces[4], told).latent)
    shows(desk, explorer.picture(explorer.encode(small_faces[4], own).latent, own))
    reconstruction = desk.state.source.encoded.reconstruction
    intents.condition.tell(spec, "gender", "female")
    desk.wait_told()
    np.testing.assert_array_equal(desk.state.start_condition, own)
    np.testing.assert_array_equal(desk.state.source.encoded.reconstruction, reconstruction)


def test_a_draw_has_no_picture_to_tell_of(told_desk, intents: Intents, spec) -> None:
    desk = told_desk
    intents.explore.randomise(spec, 3)
    before = desk.state
    intents.condition.tell(spec, "gender", "male")
    intents.condition.tell_as_seen()
    assert not desk.workspace.teller.waiting
    intents.condition.link(True)
    intents.condition.flip(spec, "race")
    assert not desk.workspace.teller.waiting
    np.testing.assert_array_equal(desk.state.start, before.start)
    assert desk.undo_name == "Flip race"


def test_an_encoder_that_fails_is_a_message_and_the_step_is_ended(told_desk, intents: Intents, spec) -> None:
    desk = told_desk
    intents.condition.link(True)
    desk.wait_told()
    desk.workspace.teller._encode = lambda picture, _told: desk.workspace._host.renderer.encode(
        picture, np.zeros(3, np.float32)
    )
    before = desk.state
    intents.condition.flip(spec, "gender")
    desk.wait(lambda: desk.messages)
    assert desk.messages[0].kind == "error"
    assert not desk.workspace.teller.waiting
    assert desk.undo_name == "Flip gender"
    np.testing.assert_array_equal(desk.state.start, before.start)
    desk.workspace.session.undo()
    assert desk.state is before


def test_a_session_comes_back_to_what_both_were_told(
    told_desk, intents: Intents, spec, tmp_path: Path
) -> None:
    desk = told_desk
    intents.condition.tell(spec, "race", another_race(desk))
    desk.wait_told()
    intents.condition.scale(spec, "gender", -1.7)
    intents.condition.weigh(spec, "glasses", "yes", 0.3)
    intents.explore.move(1, 0.7)
    intents.shelf.pin()
    view = replace(
        desk.workspace.session.document.shelf.counterfactual, attribute="race", scale=1.5, threshold=20.0
    )
    intents.shelf.set_counterfactual(view)
    desk.wait_settled()
    kept = desk.state
    assert not np.array_equal(kept.told, kept.start_condition)
    picture = desk.workspace.rendering.settled_frame.pixels.copy()
    path = tmp_path / "told.json"
    desk.workspace.save_session(path, {})
    desk.wait(path.is_file)
    desk.wait(lambda: not desk.workspace.busy)
    intents.explore.randomise(spec, 9)
    intents.condition.flip(spec, "race")
    desk.workspace.open_session(path)
    desk.wait(lambda: desk.undo_name == "Open session told.json")
    desk.wait_settled()
    state = desk.state
    for name in ("start", "latent", "condition", "start_condition", "told"):
        np.testing.assert_array_equal(getattr(state, name), getattr(kept, name))
    assert state.linked == kept.linked
    np.testing.assert_array_equal(desk.workspace.rendering.settled_frame.pixels, picture)
    np.testing.assert_array_equal(state.source.encoded.reconstruction, kept.source.encoded.reconstruction)
    shelf = desk.workspace.session.document.shelf
    assert shelf.counterfactual == view
    np.testing.assert_array_equal(shelf.pins[0].condition, kept.condition)
    assert not [one for one in desk.messages if one.kind == "error"]


def test_the_settled_copy_program_makes_the_same_pixels(
    told_desk, intents: Intents, spec, tmp_path: Path, monkeypatch
) -> None:
    from latentlab.session.view_code import view_code

    desk = told_desk
    intents.condition.tell(spec, "race", another_race(desk))
    desk.wait_told()
    intents.condition.scale(spec, "gender", 0.123456)
    intents.condition.flip(spec, "race")
    desk.wait_settled()
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(view_code("picture", desk.workspace.session.document), names)
    shown = desk.workspace.rendering.settled_frame.pixels[0][..., 2::-1]
    np.testing.assert_array_equal(names["picture"], shown)


def test_a_latent_that_is_copied_brings_its_condition_back(told_desk, intents: Intents, spec) -> None:
    desk = told_desk
    intents.condition.scale(spec, "race", 1.25)
    copied, opened = desk.state, desk.workspace.opened
    text = latent_text(opened.name, opened.sha256, copied.latent, copied.condition)
    intents.condition.flip(spec, "gender")
    intents.explore.randomise(spec, 2)
    desk.workspace.bring_latent(text)
    np.testing.assert_array_equal(desk.state.latent, copied.latent)
    np.testing.assert_array_equal(desk.state.condition, copied.condition)
    intents.condition.flip(spec, "gender")
    flipped = desk.state.condition
    desk.workspace.bring_latent(latent_text("another", "00", copied.latent, np.ones(3, np.float32)))
    np.testing.assert_array_equal(desk.state.condition, flipped)
    assert "another" in desk.messages[-1].text


def test_a_session_with_another_models_condition_opens_with_what_is_seen(
    told_desk, intents: Intents, spec, tmp_path: Path
) -> None:
    desk = told_desk
    intents.shelf.pin()
    path = tmp_path / "odd.json"
    desk.workspace.save_session(path, {})
    desk.wait(path.is_file)
    desk.wait(lambda: not desk.workspace.busy)
    data = json.loads(path.read_text(encoding="utf-8"))
    whole = data["explore"]["condition"]
    data["explore"] |= {"condition": [1.0, 2.0], "start_condition": [whole]}
    data["shelves"][desk.workspace.opened.sha256]["pins"][0]["condition"] = [1.0]
    path.write_text(json.dumps(data), encoding="utf-8")
    desk.workspace.open_session(path)
    desk.wait(lambda: desk.undo_name == "Open session odd.json")
    assert "the condition (the model's has 8 numbers, 2 were saved)" in desk.messages[-1].text
    assert desk.state.condition.shape == desk.state.start_condition.shape == (8,)
    intents.shelf.go_to_pin("Pin 1")
    desk.wait_settled()


def test_an_older_session_was_told_what_it_starts_from(
    told_desk, intents: Intents, spec, tmp_path: Path
) -> None:
    desk, path = told_desk, tmp_path / "old.json"
    intents.condition.flip(spec, "race")
    kept = desk.state
    desk.workspace.save_session(path, {})
    desk.wait(path.is_file)
    desk.wait(lambda: not desk.workspace.busy)
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["explore"].pop("told") == kept.told.tolist()
    data["explore"]["start_condition"] = kept.condition.tolist()
    path.write_text(json.dumps(data), encoding="utf-8")
    desk.workspace.open_session(path)
    desk.wait(lambda: desk.undo_name == "Open session old.json")
    for found in (desk.state.told, desk.state.start_condition, desk.state.source.encoded.own):
        np.testing.assert_array_equal(found, kept.condition)


def test_what_the_encoder_is_told_leaves_reset_and_reconstruction_the_pictures_own(
    told_desk, intents: Intents, spec, explorer: Explorer, small_faces
) -> None:
    desk, before = told_desk, told_desk.state
    own = explorer.encode(small_faces[1])
    for linked in (False, True):
        intents.condition.link(linked)
        if linked:
            intents.condition.flip(spec, "gender")
        else:
            intents.condition.tell(spec, "gender", "" if before.told[:2].any() else "male")
        desk.wait_told()
        assert not np.array_equal(desk.state.told, before.told)
        np.testing.assert_array_equal(desk.state.source.encoded.own, own.condition)
        shows(desk, explorer.picture(own.latent, own.condition))
        intents.condition.reset(spec, "gender")
        np.testing.assert_array_equal(desk.state.condition, own.condition)
        desk.wait_told()
        assert desk.state.edited is False
    np.testing.assert_array_equal(desk.state.told, own.condition)
    close(desk.state.start, own.latent)


def test_as_predicted_brings_both_back_in_one_step_where_they_are_linked(
    told_desk, intents: Intents, spec
) -> None:
    desk, session, own = told_desk, told_desk.workspace.session, told_desk.state.start_condition
    intents.condition.link(True)
    intents.explore.move(2, 1.0)
    intents.condition.flip(spec, "gender")
    intents.condition.scale(spec, "race", 2.0)
    desk.wait_told()
    flipped, steps = desk.state, len(session.history)
    intents.condition.tell_as_seen()
    desk.wait_told()
    assert len(session.history) == steps + 1
    for found in (desk.state.condition, desk.state.told, desk.state.start_condition):
        np.testing.assert_array_equal(found, own)
    assert desk.state.linked
    assert np.flatnonzero(desk.state.latent != desk.state.start).tolist() == [2]
    session.undo()
    assert desk.state is flipped


def test_linked_quick_choices_are_clean_steps(
    told_desk, intents: Intents, spec, explorer, small_faces
) -> None:
    desk, session = told_desk, told_desk.workspace.session
    intents.condition.link(True)
    before, steps = desk.state, len(session.history)
    intents.condition.flip(spec, "gender")
    intents.condition.flip(spec, "race")
    intents.condition.flip(spec, "race")
    intents.explore.move(2, 0.5)
    assert desk.workspace.teller.waiting
    desk.wait_told()
    assert len(session.history) == steps + 4
    for name in ("Move dimension 2", "Flip race", "Flip race", "Flip gender"):
        assert desk.undo_name == name
        np.testing.assert_array_equal(desk.state.told, desk.state.condition)
        np.testing.assert_array_equal(desk.state.start, desk.state.source.encoded.mean)
        close(desk.state.start, explorer.encode(small_faces[1], desk.state.condition).latent)
        session.undo()
        assert not desk.workspace.teller.waiting
    assert desk.state is before


def test_a_step_whose_answer_was_lost_is_told_when_one_comes_back_to_it(
    told_desk, intents: Intents, spec
) -> None:
    desk, session = told_desk, told_desk.workspace.session
    intents.condition.link(True)
    before = desk.state
    intents.condition.flip(spec, "gender")
    session.undo()
    assert desk.state is before
    session.redo()
    desk.wait_told()
    assert desk.undo_name == "Flip gender"
    np.testing.assert_array_equal(desk.state.told, desk.state.condition)
    session.undo()
    assert desk.state is before


def test_a_second_wish_builds_on_the_first_one(told_desk, intents: Intents, spec) -> None:
    desk, before = told_desk, told_desk.state
    for attribute, label in (("gender", ""), ("race", "brown"), ("glasses", "yes")):
        intents.condition.tell(spec, attribute, label)
    desk.wait_told()
    told = choose(spec.condition, {"gender": {}, "race": "brown", "glasses": "yes"})
    np.testing.assert_array_equal(desk.state.told, told)
    intents.condition.tell_as_seen()
    intents.condition.tell(spec, "race", "white")
    desk.wait_told()
    np.testing.assert_array_equal(desk.state.told, choose(spec.condition, {"race": "white"}, before.told))


def test_linked_the_encoder_is_told_a_pins_condition_in_the_same_step(
    told_desk, intents: Intents, spec, explorer: Explorer, small_faces
) -> None:
    desk, session = told_desk, told_desk.workspace.session
    intents.condition.flip(spec, "gender")
    intents.explore.move(1, 1.5)
    intents.shelf.pin()
    pin = session.document.shelf.pins[0]
    intents.explore.reset_all()
    intents.condition.link(True)
    before, steps = desk.state, len(session.history)
    intents.shelf.go_to_pin(pin.name)
    desk.wait_told()
    assert len(session.history) == steps + 1
    np.testing.assert_array_equal(desk.state.condition, pin.condition)
    np.testing.assert_array_equal(desk.state.told, pin.condition)
    np.testing.assert_array_equal(desk.state.latent, pin.latent)
    close(desk.state.start, explorer.encode(small_faces[1], pin.condition).latent)
    assert desk.state.linked
    session.undo()
    assert desk.state is before


def test_told_by_itself_where_linked_is_told_to_both(told_desk, intents: Intents, spec) -> None:
    intents.condition.link(True)
    race = another_race(told_desk)
    intents.condition.tell(spec, "race", race)
    told_desk.wait_told()
    assert told_desk.undo_name == f"Tell the encoder race: {race}"
    np.testing.assert_array_equal(told_desk.state.told, told_desk.state.condition)
    assert told_desk.state.linked
