"""The condition in the hand: choose, scale, mix, flip, reset; one step each, and what keeps it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.conditions import choose, weights
from latentlab.errors import SettingsError
from latentlab.operations.explore import Explorer
from latentlab.operations.interpolate import path
from latentlab.session.condition import ConditionIntents
from latentlab.session.document import CheckpointRef, Document, Explore
from latentlab.session.explore import ExploreIntents, start_in_the_middle
from latentlab.session.intents import Intents
from latentlab.session.path import Path as Travel
from latentlab.session.session import Session
from latentlab.session.shelf import ShelfIntents
from latentlab.session.telling import Teller
from latentlab.spec import Attribute, ConditionSchema, ModelSpec

SCHEMA = ConditionSchema(
    attributes=(
        Attribute(name="gender", classes=("female", "male")),
        Attribute(name="race", classes=("asian", "black", "brown", "white")),
        Attribute(name="age", kind="continuous"),
    )
)
SPEC = ModelSpec(family="cvae", image_size=32, latent_shape=(4,), condition=SCHEMA)


@pytest.fixture
def session() -> Session:
    session = Session()
    session.restart(Document(explore=start_in_the_middle(SPEC)))
    return session


@pytest.fixture
def intents(session: Session) -> ConditionIntents:
    return ConditionIntents(session, Teller(session, lambda _picture, _condition: None))


def told(session: Session, attribute: str) -> dict[str, float]:
    return weights(SCHEMA, session.document.explore.condition, attribute)


def steps(session: Session) -> list[str]:
    names = []
    while session.history.undo_name is not None:
        names.append(session.history.undo_name)
        session.undo()
    for _ in names:
        session.redo()
    return names[::-1]


def test_one_sets_out_with_the_first_classes(session: Session) -> None:
    state = session.document.explore
    np.testing.assert_array_equal(state.condition, choose(SCHEMA, {"gender": "female", "race": "asian"}))
    assert not state.edited


def test_each_way_to_change_it_is_a_step_with_its_name(session: Session, intents: ConditionIntents) -> None:
    intents.choose(SPEC, "race", "brown")
    intents.flip(SPEC, "gender")
    intents.scale(SPEC, "gender", 2.0)
    intents.weigh(SPEC, "race", "white", 0.5)
    intents.scale(SPEC, "age", -1.5)
    intents.flip(SPEC, "age")
    intents.reset(SPEC, "gender")
    intents.set(choose(SCHEMA, {"race": "black"}), "Take the counterfactual race=black")
    assert steps(session) == [
        "race: brown",
        "Flip gender",
        "Scale gender",
        "Mix race",
        "Scale age",
        "Flip age",
        "Reset gender",
        "Take the counterfactual race=black",
    ]
    session.undo()
    assert told(session, "gender") == {"female": 1.0, "male": 0.0}
    assert told(session, "race") == {"asian": 0.0, "black": 0.0, "brown": 1.0, "white": 0.5}
    assert told(session, "age") == {"age": 1.5}
    session.undo()
    assert told(session, "gender") == {"female": 0.0, "male": 2.0}


def test_what_changes_nothing_leaves_no_step(session: Session, intents: ConditionIntents) -> None:
    intents.choose(SPEC, "gender", "female")
    intents.scale(SPEC, "gender", 1.0)
    intents.weigh(SPEC, "race", "asian", 1.0)
    intents.reset(SPEC, "gender")
    intents.flip(SPEC, "age")
    intents.link(False)
    assert session.history.undo_name is None


def test_a_class_is_chosen_at_the_scale_that_there_was(session: Session, intents: ConditionIntents) -> None:
    intents.scale(SPEC, "race", 1.5)
    intents.choose(SPEC, "race", "white")
    assert told(session, "race") == {"asian": 0.0, "black": 0.0, "brown": 0.0, "white": 1.5}
    intents.scale(SPEC, "race", 0.0)
    intents.choose(SPEC, "race", "black")
    assert told(session, "race")["black"] == 1.0


def test_a_flip_goes_round_all_classes_and_keeps_the_scale(
    session: Session, intents: ConditionIntents
) -> None:
    intents.scale(SPEC, "race", 2.0)
    seen = []
    for _ in range(4):
        intents.flip(SPEC, "race")
        found = {k: v for k, v in told(session, "race").items() if v}
        assert list(found.values()) == [2.0]
        seen += list(found)
    assert seen == ["black", "brown", "white", "asian"]


def test_a_scale_that_passes_nothing_keeps_the_class_and_the_mixture(
    session: Session, intents: ConditionIntents
) -> None:
    intents.choose(SPEC, "gender", "male")
    for scale in (0.5, 0.0, -1.0, 0.0, 1.0):
        intents.scale(SPEC, "gender", scale)
        assert told(session, "gender") == {"female": 0.0, "male": scale}
    intents.weigh(SPEC, "race", "white", 1.0)
    for scale in (0.0, 3.0):
        intents.scale(SPEC, "race", scale)
    assert told(session, "race") == {"asian": 1.5, "black": 0.0, "brown": 0.0, "white": 1.5}


def test_nothing_that_is_scaled_up_becomes_the_class_of_the_start(session: Session) -> None:
    nothing = np.zeros(SCHEMA.size, dtype=np.float32)
    start = choose(SCHEMA, {"gender": "male"})
    session.restart(
        replace(
            session.document,
            explore=replace(session.document.explore, condition=nothing, start_condition=start),
        )
    )
    intents = ConditionIntents(session, Teller(session, lambda _picture, _condition: None))
    intents.scale(SPEC, "gender", 0.7)
    intents.scale(SPEC, "race", 0.7)
    assert told(session, "gender")["male"] == pytest.approx(0.7)
    assert told(session, "race")["asian"] == pytest.approx(0.7), "the start has none: the first"


def test_weights_that_cancel_out_can_be_scaled_too(session: Session, intents: ConditionIntents) -> None:
    intents.choose(SPEC, "gender", "male")
    intents.weigh(SPEC, "gender", "female", -1.0)
    intents.scale(SPEC, "gender", 2.0)
    assert sum(told(session, "gender").values()) == 2.0


def test_a_scale_comes_back_to_the_bit(session: Session, intents: ConditionIntents) -> None:
    for scale in np.linspace(0.97, 3.0, 57).tolist():
        intents.scale(SPEC, "race", scale)
    intents.scale(SPEC, "race", 1.0)
    assert not session.document.explore.edited


def test_a_drag_is_one_step_however_long_it_takes() -> None:
    now = [0.0]
    session = Session(lambda: now[0])
    session.restart(Document(explore=start_in_the_middle(SPEC)))
    intents = ConditionIntents(session, Teller(session, lambda _picture, _condition: None))
    intents.begin("gender")
    for k in range(20):
        now[0] += 5.0
        intents.scale(SPEC, "gender", 1.0 + k / 10)
    intents.end("gender")
    assert steps(session) == ["Change gender"]
    session.undo()
    assert not session.document.explore.edited
    for k in (2, 3, 4):  # the wheel: close together
        now[0] += 0.1
        intents.scale(SPEC, "gender", k / 10)
    now[0] += 5.0
    intents.scale(SPEC, "gender", 3.0)
    assert steps(session) == ["Scale gender", "Scale gender"]


def test_what_the_model_does_not_know_is_an_error(session: Session, intents: ConditionIntents) -> None:
    with pytest.raises(SettingsError, match="no attribute 'hat'"):
        intents.flip(SPEC, "hat")
    with pytest.raises(SettingsError, match="no class 'blue'"):
        intents.choose(SPEC, "race", "blue")
    assert session.history.undo_name is None
    plain = Session()
    plain.restart(Document(explore=Explore(np.zeros(4, np.float32), np.zeros(4, np.float32))))
    nothing = ConditionIntents(plain, Teller(plain, lambda _picture, _condition: None))
    assert nothing.state is None
    with pytest.raises(SettingsError, match="unconditional"):
        nothing.flip(SPEC, "gender")


def test_draws_and_mutations_keep_the_condition(session: Session, intents: ConditionIntents) -> None:
    explore = ExploreIntents(session)
    intents.flip(SPEC, "gender")
    intents.link(True)
    condition = session.document.explore.condition
    explore.randomise(SPEC, 5)
    state = session.document.explore
    np.testing.assert_array_equal(state.condition, condition)
    np.testing.assert_array_equal(state.start_condition, condition)
    assert state.linked
    explore.mutate(SPEC, 1)
    np.testing.assert_array_equal(session.document.explore.condition, condition)
    explore.set_out_from(SPEC, np.ones(4, np.float32), "a pasted latent")
    state = session.document.explore
    np.testing.assert_array_equal(state.condition, condition)
    assert state.linked
    assert not state.edited


def test_reset_all_resets_latent_and_condition_in_one_step(
    session: Session, intents: ConditionIntents
) -> None:
    explore = ExploreIntents(session)
    start = session.document.explore
    intents.scale(SPEC, "race", 2.0)
    assert session.document.explore.edited
    explore.reset_all()
    assert not session.document.explore.edited
    explore.move(1, 2.0)
    intents.flip(SPEC, "gender")
    explore.reset_all()
    assert session.history.undo_name == "Reset all"
    np.testing.assert_array_equal(session.document.explore.latent, start.latent)
    np.testing.assert_array_equal(session.document.explore.condition, start.condition)
    session.undo()
    assert told(session, "gender") == {"female": 0.0, "male": 1.0}


def test_pins_keep_theirs(session: Session, intents: ConditionIntents) -> None:
    session.restart(replace(session.document, checkpoint=CheckpointRef("", "", "ab", "")))
    shelf = ShelfIntents(session)
    shelf.pin()
    intents.flip(SPEC, "gender")
    shelf.pin()
    intents.scale(SPEC, "gender", 3.0)
    shelf.go_to_pin("Pin 1")
    assert told(session, "gender") == {"female": 1.0, "male": 0.0}
    shelf.go_to_pin("Pin 2")
    assert told(session, "gender") == {"female": 0.0, "male": 1.0}
    assert session.history.undo_name == "Go to Pin 2"
    odd = replace(session.document.shelf.pins[0], condition=np.ones(3, np.float32))
    session.restart(session.document.with_shelf(replace(session.document.shelf, pins=(odd,))))
    shelf.go_to_pin("Pin 1")
    assert told(session, "gender") == {"female": 0.0, "male": 1.0}, "another model's condition is none"


def test_the_path_goes_evenly_from_condition_to_condition(told_desk) -> None:
    desk, intents = told_desk, Intents(told_desk.workspace)
    spec = desk.workspace.opened.spec
    intents.condition.link(True)
    intents.shelf.pin()
    intents.condition.flip(spec, "gender")
    intents.condition.scale(spec, "glasses", 2.0)
    intents.explore.move(2, 1.5)
    intents.shelf.pin()
    desk.wait_told()
    travel = Travel(desk.workspace)
    pins = desk.workspace.session.document.shelf.pins
    count = desk.workspace.session.document.shelf.path.steps
    rows = path([pin.condition for pin in pins], count, "linear", True)
    np.testing.assert_array_equal(travel.conditions[:-1], rows)
    np.testing.assert_array_equal(travel.conditions[-1], rows[0])
    travel.active = True
    desk.wait(lambda: travel.latents is not None)
    travel.begin()
    for share in (0.1, 0.2, 0.25):
        travel.go_to(share)
    travel.end()
    place = round(0.25 * (len(travel.latents) - 1))
    np.testing.assert_array_equal(desk.state.condition, travel.conditions[place])
    np.testing.assert_array_equal(desk.state.latent, travel.latents[place])
    assert desk.undo_name == "Travel along the path"
    assert not desk.state.linked, "the encoder was told otherwise"
    assert not desk.workspace.teller.waiting
    desk.workspace.session.undo()
    assert desk.state.linked
    np.testing.assert_array_equal(desk.state.condition, pins[1].condition)


def test_the_settled_picture_is_drawn_under_the_condition(
    told_desk, tiny_cvae_folder: Path, tiny_predictor_folder: Path
) -> None:
    desk, condition = told_desk, Intents(told_desk.workspace).condition
    spec = desk.workspace.opened.spec
    explorer = Explorer.open(tiny_cvae_folder, tiny_predictor_folder)
    seen = set()
    for change in (
        lambda: None,
        lambda: condition.flip(spec, "race"),
        lambda: condition.scale(spec, "glasses", -2.0),
        lambda: condition.weigh(spec, "gender", "male", 0.25),
    ):
        change()
        desk.wait_settled()
        frame, state = desk.workspace.rendering.settled_frame, desk.state
        expected = explorer.picture(state.latent, state.condition)
        np.testing.assert_array_equal(frame.pixels[0][..., 2::-1], expected)
        seen.add(expected.tobytes())
    assert len(seen) == 4
