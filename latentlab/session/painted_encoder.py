"""Encodes what was painted: the picture changes at once, and what the model makes of it follows.

A stroke is in the document as soon as it is drawn, so that it can be undone and saved like any other step;
until the encoder has answered its source is *pending*. The answer is put into every document that holds the
same painting, wherever that is by then. A painting that undo comes back to before it was ever encoded is
encoded then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from latentlab.live.frames import Encoded, Failed
from latentlab.session.document import Document, Explore, Source
from latentlab.session.session import Change, Session
from latentlab.session.telling import answered, told_alike

Told = NDArray[np.float32] | None
Encode = Callable[[Source, Told], int | None]
"""Asks for a picture to be encoded as it was painted; the token, or None while the encoder is not free."""


class PaintedEncoder:
    """Encodes the session's painted picture whenever a stroke is done.

    Parameters
    ----------
    encode
        Asks the renderer; it answers through `take` or `fail`.
    """

    def __init__(self, session: Session, encode: Encode) -> None:
        self._session, self._encode = session, encode
        self._asked: tuple[int, Source, Told] | None = None
        self._failed: NDArray[np.uint8] | None = None
        session.changed.connect(self._follow)

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._asked is not None

    def go_on(self) -> None:
        """Have the present painting encoded, if that is still to be done and the encoder is free."""
        state = self._session.document.explore
        if self._asked is not None or state is None or state.source is None or not state.source.pending:
            return
        if state.source.painted is self._failed:
            return
        told = _told(state)
        token = self._encode(state.source, told)
        if token is not None:
            self._asked = token, state.source, told

    def give_way(self) -> None:
        """Let another picture take the encoder: `go_on` asks again, where it is still to be done."""
        self._asked = None

    def take(self, encoded: Encoded) -> bool:
        """Take an answer; return whether it was one of these."""
        if self._asked is None or encoded.token != self._asked[0]:
            return False
        (_, source, told), self._asked = self._asked, None
        self._session.amend(partial(_amended, source, told, encoded))
        return True

    def fail(self, failed: Failed) -> bool:
        """Notice that there is no answer; return whether it was one of these."""
        if self._asked is None or failed.token != self._asked[0]:
            return False
        self._failed, self._asked = self._asked[1].painted, None
        return True

    def _follow(self, change: Change) -> None:
        if (
            change.way != "move"
        ):  # a stroke is encoded when it is done; what is seen of it meanwhile is a view's
            self.go_on()


def repainted(state: Explore, encoded: Encoded) -> Explore:
    """Return a state with what the encoder made of its painting as its start; edits are kept.

    A condition that was not edited is that of the painting from now on.
    """
    found = answered(state, encoded)
    return (
        found if state.linked or state.condition_edited else replace(found, condition=found.start_condition)
    )


def _told(state: Explore) -> Told:
    """Return what the encoder is to be told: what a person chose, or None for what is seen."""
    if state.linked:
        return state.condition
    return None if told_alike(state.told, state.start_condition) else state.told


def _amended(source: Source, told: Told, encoded: Encoded, document: Document) -> Document:
    state = document.explore
    there = None if state is None else state.source
    if state is None or there is None or not there.pending or not there.is_same(source):
        return document
    return (
        replace(document, explore=repainted(state, encoded)) if told_alike(_told(state), told) else document
    )
