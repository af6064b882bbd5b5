"""Telling the encoder another condition: the picture is encoded again, and the answer becomes the start.

Told by itself, the document changes when the answer is there, in a step of its own. Linked, what the decoder
is told is told to the encoder whenever a change leaves the two apart; the answer then belongs to the step
that told the decoder, and is put into it wherever that is by then. So what is drawn and what was told belong
together before and after every step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from latentlab.live.frames import Encoded, Failed
from latentlab.session.document import Document, Explore, Source
from latentlab.session.explore import given
from latentlab.session.session import Change, Session

Encode = Callable[[NDArray[np.uint8], NDArray[np.float32] | None], int | None]
"""Asks for a picture to be encoded under a condition; the token, or None where nothing can be asked."""


@dataclass(frozen=True, eq=False)
class _Wish:
    """What the encoder shall be told.

    ``condition`` is None for what is seen. Linked it is the very array that the decoder is told, by which the
    documents are known that the answer belongs to; ``stay`` keeps the latent, and not the edits.
    """

    name: str
    condition: NDArray[np.float32] | None
    linked: bool = False
    stay: bool = False


class Teller:
    """Encodes the session's picture under other conditions.

    Parameters
    ----------
    encode
        Asks the renderer; it answers through `take` or `fail`.
    """

    def __init__(self, session: Session, encode: Encode) -> None:
        self._session, self._encode = session, encode
        self._pending: tuple[int, _Wish, Source] | None = None
        self._next: list[_Wish] = []
        session.changed.connect(self._follow)

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._pending is not None

    @property
    def last(self) -> NDArray[np.float32] | None:
        """What the encoder will have been told when all is answered, ``[C]``; None without a picture."""
        wish, state = self._newest(), self._session.document.explore
        if state is None or state.source is None:
            return None
        if wish is None:
            return state.told
        return state.start_condition if wish.condition is None else wish.condition

    def tell(self, name: str, condition: NDArray[np.float32] | None) -> None:
        """Tell the encoder a condition ``[C]``, or what the predictor sees in the picture (None).

        ``name`` is that of the step that the answer becomes. Of several that wait only the last one is told.
        """
        self._want(_Wish(name, None if condition is None else np.array(condition)))

    def take(self, encoded: Encoded) -> bool:
        """Take an answer; return whether it was one of these."""
        if self._pending is None or encoded.token != self._pending[0]:
            return False
        (_, wish, source), self._pending = self._pending, None
        document = self._session.document
        if wish.linked:
            self._session.amend(partial(self._amended, wish, source, encoded, document))
        else:
            state = document.explore
            if state is not None and _is_of(state, source) and not state.linked:
                explore = answered(state, encoded)
                if not _same(explore, state):
                    self._session.change(wish.name, replace(document, explore=explore))
        if self._pending is None and self._next:
            self._ask(self._next.pop(0))
        return True

    def fail(self, failed: Failed) -> bool:
        """Notice that a wish cannot be fulfilled; return whether it was one of these."""
        if self._pending is None or failed.token != self._pending[0]:
            return False
        self.forget()
        return True

    def forget(self) -> None:
        """Wait for nothing any more, because another picture or model takes the place."""
        self._pending, self._next = None, []

    def _newest(self) -> _Wish | None:
        return self._next[-1] if self._next else None if self._pending is None else self._pending[1]

    def _want(self, wish: _Wish) -> None:
        if self._pending is None:
            self._ask(wish)
        else:  # what waits is told only if a step depends on it
            self._next = [one for one in self._next if one.linked and self._is_held(one)] + [wish]

    def _is_held(self, wish: _Wish) -> bool:
        states = (document.explore for document in self._session.documents())
        return any(state is not None and state.condition is wish.condition for state in states)

    def _ask(self, wish: _Wish) -> None:
        state = self._session.document.explore
        source = None if state is None else state.source
        token = None if source is None else self._encode(given(source), wish.condition)
        if source is None or token is None:
            self.forget()
        else:
            self._pending = (token, wish, source)

    def _amended(
        self, wish: _Wish, source: Source, encoded: Encoded, present: Document, document: Document
    ) -> Document:
        """Return a document with the answer in it, if the answer belongs to it.

        The present one shows an answer also while a newer one is waited for, as during a drag.
        """
        state = document.explore
        if state is None or not state.linked or not _is_of(state, source):
            return document
        if state.condition is wish.condition:
            if told_alike(state.told, wish.condition):
                return document
            return replace(document, explore=answered(state, encoded, wish.stay))
        if document is present and self._next:
            return replace(document, explore=answered(state, encoded))
        return document

    def _follow(self, change: Change) -> None:
        """Tell the encoder what the decoder is told, where they are linked and a change has parted them."""
        if change.way in ("undo", "redo", "restart"):
            self.forget()
        before, state = change.before.explore, change.after.explore
        if state is None or not state.linked or state.source is None or state.condition is None:
            return
        newest = self._newest()
        if newest is not None and newest.linked and newest.condition is state.condition:
            return
        if not told_alike(state.told, state.condition):
            moved = before is None or before.latent is not state.latent
            at_pin = any(pin.latent is state.latent for pin in change.after.shelf.pins)
            self._want(_Wish("", state.condition, linked=True, stay=moved and at_pin))


def answered(state: Explore, encoded: Encoded, stay: bool = False) -> Explore:
    """Return a state with the encoder's answer as its start; the edits are kept, or (``stay``) the latent."""
    assert state.source is not None
    start = np.array(encoded.mean, dtype=np.float32).reshape(state.start.shape)
    edits = state.latent - state.start
    latent = state.latent if stay else start + edits if edits.any() else start
    told = None if encoded.condition is None else np.array(encoded.condition)
    own = None if encoded.own is None else np.array(encoded.own)
    for array in (start, latent, told, own):
        if array is not None:
            array.setflags(write=False)
    return replace(
        state,
        start=start,
        latent=latent,
        start_condition=own,
        told=told,
        source=replace(state.source, encoded=encoded, pending=False),
    )


def _is_of(state: Explore, source: Source) -> bool:
    there = state.source
    return there is not None and there.is_same(source)


def _same(one: Explore, other: Explore) -> bool:
    return np.array_equal(one.start, other.start) and told_alike(one.told, other.told)


def told_alike(one: NDArray[np.float32] | None, other: NDArray[np.float32] | None) -> bool:
    """Whether two conditions ``[C]`` are the same numbers; both may be None."""
    return np.array_equal(np.asarray(one), np.asarray(other))
