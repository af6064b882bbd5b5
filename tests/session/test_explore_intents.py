from __future__ import annotations

import numpy as np
import pytest

from latentlab.errors import SettingsError
from latentlab.operations import latents
from latentlab.session.document import Document
from latentlab.session.explore import ExploreIntents, start_from_draw, start_in_the_middle
from latentlab.session.session import Session
from latentlab.spec import LatentSummary, ModelSpec

SPEC = ModelSpec(family="vae", image_size=32, latent_shape=(2, 3))


@pytest.fixture
def session() -> Session:
    session = Session()
    session.restart(Document(explore=start_in_the_middle(SPEC)))
    return session


@pytest.fixture
def intents(session: Session) -> ExploreIntents:
    return ExploreIntents(session)


def test_moving_sets_one_dimension_of_the_flattened_latent(intents: ExploreIntents) -> None:
    intents.move(4, 1.5)
    assert intents.state is not None
    np.testing.assert_array_equal(intents.state.latent, [[0, 0, 0], [0, 1.5, 0]])
    assert not intents.is_at_start(4)
    assert intents.is_at_start(3)


def test_a_drag_is_one_step_with_the_dimensions_name(session: Session, intents: ExploreIntents) -> None:
    intents.begin_move(2)
    for k in range(50):
        intents.move(2, k / 10)
    intents.end_move()
    assert session.history.undo_name == "Move dimension 2"
    assert len(session.history) == 1
    session.undo()
    assert intents.state is not None
    assert not intents.state.edited


def test_resetting_returns_to_the_start_and_does_nothing_there(
    session: Session, intents: ExploreIntents
) -> None:
    intents.reset(0)
    intents.reset_all()
    assert session.history.undo_name is None
    intents.move(0, 1.0)
    intents.move(5, 2.0)
    intents.reset(0)
    assert session.history.undo_name == "Reset dimension 0"
    intents.reset_all()
    assert session.history.undo_name == "Reset all"
    assert intents.state is not None
    assert not intents.state.edited


def test_moving_to_where_it_is_leaves_no_step(session: Session, intents: ExploreIntents) -> None:
    intents.move(1, 0.0)
    assert session.history.undo_name is None


def test_randomising_sets_out_anew_and_is_the_same_for_a_seed(
    session: Session, intents: ExploreIntents
) -> None:
    intents.randomise(SPEC, 7)
    state = intents.state
    assert state is not None
    assert state.seed == 7
    np.testing.assert_array_equal(state.start, latents.draw(SPEC, 7))
    assert not state.edited
    assert session.history.undo_name == "Randomise (seed 7)"
    assert not np.array_equal(state.start, start_from_draw(SPEC, 8).start)


def test_truncation_draws_the_same_nearer_to_the_middle(session: Session, intents: ExploreIntents) -> None:
    intents.randomise(SPEC, 7, truncation=0.5)
    state = intents.state
    assert state is not None
    np.testing.assert_array_equal(state.start, latents.draw(SPEC, 7) * np.float32(0.5))
    assert state.origin == "random, seed 7, truncation 0.5"
    with pytest.raises(SettingsError, match="between 0 and 1"):
        intents.randomise(SPEC, 7, truncation=1.5)


def test_a_mutation_is_a_small_step_that_keeps_the_start(session: Session, intents: ExploreIntents) -> None:
    intents.randomise(SPEC, 7)
    before = intents.state
    intents.mutate(SPEC, 1)
    state = intents.state
    assert before is not None
    assert state is not None
    assert state.start is before.start
    assert state.edited
    np.testing.assert_array_equal(state.latent, latents.mutate(SPEC, before.latent, 1))
    assert session.history.undo_name == "Mutate"


def test_mutations_leave_the_prior_as_it_is() -> None:
    spec = ModelSpec(family="x", image_size=32, latent_shape=(4000,))
    latent = latents.draw(spec, 0)
    first = latents.mutate(spec, latent, 0)
    assert float(np.corrcoef(latent, first)[0, 1]) == pytest.approx(np.sqrt(1 - 0.25**2), abs=0.02)
    for seed in range(60):
        latent = latents.mutate(spec, latent, seed)
    assert float(latent.std()) == pytest.approx(1.0, abs=0.04)
    np.testing.assert_array_equal(latents.mutate(spec, latent, 3, 0.0), latent)
    for arguments in ((spec, latent, -1), (spec, latent, 0, 1.1)):
        with pytest.raises(SettingsError):
            latents.mutate(*arguments)


def test_arrays_of_the_state_cannot_be_written(intents: ExploreIntents) -> None:
    intents.move(0, 1.0)
    assert intents.state is not None
    with pytest.raises(ValueError, match="read-only"):
        intents.state.latent[0, 0] = 3.0


def test_without_a_model_intents_say_so() -> None:
    with pytest.raises(SettingsError, match="open a checkpoint"):
        ExploreIntents(Session()).move(0, 1.0)


def test_the_middle_of_another_prior_is_the_datas_mean() -> None:
    summary = LatentSummary(mean=(1.0, 2.0), std=(0.1, 0.1), kl=(0.0, 0.0))
    spec = ModelSpec(family="x", image_size=32, latent_shape=(2,), prior="other", latent_summary=summary)
    np.testing.assert_array_equal(start_in_the_middle(spec).start, [1.0, 2.0])
