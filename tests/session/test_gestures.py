"""What happens while something is dragged or played is a step of its own."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.session.document import Document, Explore
from latentlab.session.session import Change, Session


def document(value: float) -> Document:
    latent = np.full(2, value, dtype=np.float32)
    return Document(explore=Explore(latent, latent))


@pytest.fixture
def session() -> Session:
    session = Session()
    session.restart(document(0.0))
    return session


def test_a_change_of_another_key_ends_the_gesture(session: Session) -> None:
    ways: list[str] = []

    def hear(change: Change) -> None:
        ways.append(change.way)

    session.changed.connect(hear)
    session.begin_gesture("Drag", "a")
    session.change("Move", document(1.0), "a")
    session.change("Move", document(2.0), "a")
    played = session.document
    session.change("Open", document(3.0))
    assert session.history.undo_name == "Open"
    assert ways == ["move", "move", "edit"]
    session.undo()
    assert session.document is played
    assert session.history.undo_name == "Drag"
    assert len(session.history) == 1


def test_a_drag_that_was_interrupted_goes_on_as_one_step(session: Session) -> None:
    session.begin_gesture("Drag", "a")
    session.change("Move", document(1.0), "a")
    session.change("Open", document(2.0))
    for k in range(9):
        session.change("Move", document(3.0 + k), "a")
    session.end_gesture()
    assert len(session.history) == 3
    assert session.history.undo_name == "Move"


def test_who_has_played_ends_only_that(session: Session) -> None:
    session.begin_gesture("Play", "path")
    session.change("Travel", document(1.0), "path")
    session.begin_gesture("Drag", "a")
    session.change("Move", document(2.0), "a")
    session.end_gesture("path")
    session.change("Move", document(3.0), "a")
    session.end_gesture()
    assert [step.name for step in session.history._done] == ["Play", "Drag"]
