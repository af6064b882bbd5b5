from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

from latentlab.session.document import Document, Explore, Source
from latentlab.session.history import History, Step
from latentlab.session.session import Change, Session


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def document(*values: float) -> Document:
    latent = np.array(values, dtype=np.float32)
    return Document(explore=Explore(np.zeros_like(latent), latent))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def session(clock: Clock) -> Session:
    session = Session(clock)
    session.restart(document(0.0))
    return session


def test_undo_and_redo_go_back_and_forth_over_named_steps(session: Session) -> None:
    first, second = document(1.0), document(2.0)
    zero = session.document
    session.change("One", first)
    session.change("Two", second)
    assert (session.history.undo_name, session.history.redo_name) == ("Two", None)
    session.undo()
    assert session.document is first
    assert (session.history.undo_name, session.history.redo_name) == ("One", "Two")
    session.undo()
    assert session.document is zero
    session.undo()
    assert session.document is zero
    session.redo()
    session.redo()
    session.redo()
    assert session.document is second


def test_a_new_step_forgets_what_was_undone(session: Session) -> None:
    session.change("One", document(1.0))
    session.undo()
    session.change("Other", document(3.0))
    assert session.history.redo_name is None
    session.redo()
    assert session.document.explore is not None
    assert session.document.explore.latent[0] == 3.0


def test_a_gesture_is_one_step_however_many_changes_it_has(session: Session) -> None:
    before = session.document
    with session.gesture("Drag"):
        for k in range(100):
            session.change("Move", document(float(k + 1)))
    assert len(session.history) == 1
    assert session.history.undo_name == "Drag"
    session.undo()
    assert session.document is before


def test_a_gesture_that_changes_nothing_leaves_no_step(session: Session) -> None:
    with session.gesture("Drag"):
        pass
    assert session.history.undo_name is None


def test_undo_during_a_gesture_ends_it_first(session: Session) -> None:
    before = session.document
    session.begin_gesture("Drag")
    session.change("Move", document(1.0))
    session.undo()
    assert session.document is before
    session.end_gesture()
    assert session.history.undo_name is None


def test_changes_of_one_key_join_only_while_they_follow_closely(session: Session, clock: Clock) -> None:
    for k in range(5):
        clock.now += 0.1
        session.change("Turn", document(1.0 + k), key="a")
    assert len(session.history) == 1
    clock.now += 5.0
    session.change("Turn", document(9.0), key="a")
    assert len(session.history) == 2
    session.change("Turn", document(10.0), key="b")
    assert len(session.history) == 3


def test_a_step_after_undo_and_redo_does_not_join_the_one_before(session: Session, clock: Clock) -> None:
    session.change("Turn", document(1.0), key="a")
    session.undo()
    session.redo()
    session.change("Turn", document(2.0), key="a")
    assert len(session.history) == 2


def test_signals_tell_each_change_once_and_its_way(session: Session) -> None:
    changes: list[Change] = []
    session.changed.connect(changes.append)
    session.change("Edit", document(1.0))
    session.change("Same", session.document)
    with session.gesture("Drag"):
        session.change("Move", document(2.0))
    session.undo()
    session.redo()
    session.restart(document(0.0))
    assert [change.way for change in changes] == ["edit", "move", "undo", "redo", "restart"]
    assert session.history.undo_name is None


def test_history_keeps_no_more_than_its_limit() -> None:
    history = History(limit=3)
    documents = [document(float(k)) for k in range(6)]
    for k in range(5):
        history.push(Step(f"{k}", documents[k], documents[k + 1]))
    assert len(history) == 3
    names = []
    while (step := history.undo()) is not None:
        names.append(step.name)
    assert names == ["4", "3", "2"]


@pytest.mark.parametrize(("undone", "reached"), [(3, 4), (3, 0), (0, 1), (4, 2)])
def test_one_jump_leads_to_any_document_of_the_history(session: Session, undone: int, reached: int) -> None:
    documents = [session.document, *(document(float(k)) for k in range(1, 5))]
    for k in range(1, 5):
        session.change(f"{k}", documents[k])
    for _ in range(undone):
        session.undo()
    changes: list[Change] = []
    session.changed.connect(changes.append)
    assert session.go_to(documents[reached])
    assert session.document is documents[reached]
    assert [change.after for change in changes] == [documents[reached]]
    assert session.history.undo_name == (f"{reached}" if reached else None)
    assert session.history.redo_name == (f"{reached + 1}" if reached < 4 else None)


def test_to_a_document_of_no_step_there_is_no_way(session: Session) -> None:
    session.change("One", document(1.0))
    before = session.document
    assert not session.go_to(document(2.0))
    assert session.document is before
    assert session.history.undo_name == "One"


def pictured(value: int, megapixels: int = 3) -> Document:
    """Return a document with a picture of so many million bytes."""
    latent = np.full(2, value, dtype=np.float32)
    picture = np.full((1000, 1000 * megapixels // 3, 3), value, dtype=np.uint8)
    return Document(explore=Explore(latent, latent, None, Source(f"{value}", picture, None)))  # type: ignore[arg-type]


def open_pictures(session: Session, count: int) -> list[weakref.ref[np.ndarray]]:
    """Open so many pictures, each a step, and return their arrays without holding them."""
    pictures = []
    for k in range(count):
        opened = pictured(k)
        pictures.append(weakref.ref(opened.explore.source.picture))
        session.change(f"Open {k}", opened)
    return pictures


def test_the_history_holds_no_more_of_pictures_than_it_may(session: Session) -> None:
    session.history = History(most_bytes=9_000_000)
    pictures = open_pictures(session, 10)
    gc.collect()
    assert [k for k, picture in enumerate(pictures) if picture() is not None] == [6, 7, 8, 9]
    for _ in range(20):
        session.undo()
    assert session.document.explore.source.name == "6"
    for _ in range(20):
        session.redo()
    assert session.document.explore.source.name == "9"


def test_steps_that_share_a_picture_cost_it_once(session: Session) -> None:
    session.history = History(most_bytes=4_000_000)
    open_pictures(session, 2)
    for k in range(100):
        explore = replace(session.document.explore, latent=np.full(2, k, dtype=np.float32))
        session.change(f"Move {k}", replace(session.document, explore=explore))
    assert len(session.history) == 102


def test_the_last_step_can_be_undone_however_large_its_picture_is(session: Session) -> None:
    session.history = History(most_bytes=1000)
    open_pictures(session, 3)
    session.undo()
    assert session.document.explore.source.name == "1"
    assert session.history.undo_name is None


def test_what_comes_to_be_known_is_put_into_every_document_and_is_no_step(session: Session) -> None:
    session.change("One", document(1.0))
    session.change("Two", document(2.0))
    session.undo()
    session.begin_gesture("Drag")
    session.change("Drag", replace(session.document, threads=3))
    kept = {id(found): found for found in session.documents()}
    assert len(kept) == 4, "the start, both ends of the drag, and what was undone"
    changes: list[Change] = []
    session.changed.connect(changes.append)
    session.amend(lambda found: replace(found, threads=found.threads + 1))
    assert [change.way for change in changes] == ["move"]
    session.end_gesture()
    threads = []
    while session.history.undo_name is not None:
        threads.append((session.history.undo_name, session.document.threads))
        session.undo()
    assert threads == [("Drag", 4), ("One", 2)]
    assert session.document.threads == 2
    session.redo()
    session.redo()
    assert session.document.threads == 4
    before = session.document
    session.amend(lambda found: found)
    assert session.document is before
