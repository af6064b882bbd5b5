"""Telling the encoder another condition: the picture is encoded again, and the answer becomes the start.

The document changes only when the answer is there, so that start, reconstruction and what the encoder was
told always belong together. While one answer is waited for, only the newest wish is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from latentlab.live.frames import Encoded, Failed
from latentlab.session.document import Explore, Source
from latentlab.session.explore import cropped
from latentlab.session.session import Change, Session

Encode = Callable[[NDArray[np.uint8], NDArray[np.float32] | None], int | None]
"""Asks for a picture to be encoded under a condition; the token, or None where nothing can be asked."""


@dataclass(frozen=True, eq=False)
class _Wish:
    name: str
    condition: NDArray[np.float32] | None
    key: str | None


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
        self._next: _Wish | None = None
        self._then: Callable[[], None] | None = None
        session.changed.connect(self._follow)

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._pending is not None

    def tell(self, name: str, condition: NDArray[np.float32] | None, key: str | None = None) -> None:
        """Tell the encoder a condition ``[C]``, or what the predictor sees in the picture (None).

        Parameters
        ----------
        name, key
            Of the step that the answer becomes (`Session.change`). The key is that of the decoder's step that
            the encoder is told of too; where the decoder is told otherwise meanwhile, the answer is void.
        """
        wish = _Wish(name, None if condition is None else np.array(condition), key)
        if self._pending is None:
            self._ask(wish)
        else:
            self._next = wish

    def then(self, work: Callable[[], None] | None) -> None:
        """Do something (or nothing) when nothing is waited for any more, at once if nothing is.

        It takes the place of what should have been done before.
        """
        self._then = work
        if self._pending is None:
            self._finish()

    def take(self, encoded: Encoded) -> bool:
        """Take an answer; return whether it was one of these."""
        if self._pending is None or encoded.token != self._pending[0]:
            return False
        (_, wish, source), self._pending = self._pending, None
        state = self._session.document.explore
        if state is not None and self._fits(state, wish, source):
            start = np.array(encoded.mean, dtype=np.float32).reshape(state.start.shape)
            edits = state.latent - state.start
            latent = start + edits if edits.any() else start
            told = None if encoded.condition is None else np.array(encoded.condition)
            for array in (start, latent, *(() if told is None else (told,))):
                array.setflags(write=False)
            explore = replace(
                state,
                start=start,
                latent=latent,
                start_condition=told,
                source=replace(source, encoded=encoded),
            )
            if not _same(explore, state):
                self._session.change(wish.name, replace(self._session.document, explore=explore), wish.key)
        self._go_on()
        return True

    def fail(self, failed: Failed) -> bool:
        """Notice that a wish cannot be fulfilled; return whether it was one of these."""
        if self._pending is None or failed.token != self._pending[0]:
            return False
        self.forget()
        return True

    def forget(self) -> None:
        """Wait for nothing any more, because another picture or model takes the place."""
        self._pending = self._next = None
        self._finish()

    def _go_on(self) -> None:
        wish, self._next = self._next, None
        if wish is None:
            self._finish()
        else:
            self._ask(wish)

    def _ask(self, wish: _Wish) -> None:
        state = self._session.document.explore
        source = None if state is None else state.source
        token = None if source is None else self._encode(cropped(source.picture, source.crop), wish.condition)
        if source is None or token is None:
            self.forget()
        else:
            self._pending = (token, wish, source)

    def _fits(self, state: Explore, wish: _Wish, source: Source) -> bool:
        """Whether an answer is still of the picture, and of what a linked decoder is told."""
        if state.source is None or state.source.picture is not source.picture:
            return False
        if wish.key is None or self._next is not None:
            return True
        return np.array_equal(np.asarray(state.condition), np.asarray(wish.condition))

    def _finish(self) -> None:
        work, self._then = self._then, None
        if work is not None:
            work()

    def _follow(self, change: Change) -> None:
        if change.way in ("undo", "redo", "restart"):
            self._pending = self._next = None
            self._then = None  # the gesture that it would end has been ended


def _same(one: Explore, other: Explore) -> bool:
    told, before = (np.asarray(state.start_condition) for state in (one, other))
    return np.array_equal(one.start, other.start) and np.array_equal(told, before)
