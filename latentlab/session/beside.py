"""Encoding the picture for a view that shows it otherwise than the document: beside it, and after it.

The renderer keeps only the newest picture that is to be encoded. So what a view asks for gives way to what
the document waits for (a picture that was opened, another condition that the encoder is told), and is asked
for again afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.live.frames import Encoded, Failed

Encode = Callable[[NDArray[np.uint8], NDArray[np.float32]], int | None]
"""Asks for a picture to be encoded under a condition; the token, or None while the encoder is not free."""


class BesideEncoder:
    """Encodes one picture at a time, for a view.

    Parameters
    ----------
    encode
        Asks the renderer; it answers through `take` or `fail`.

    Attributes
    ----------
    encoded, failed
        The answer (`Encoded`), or that there is none (`Failed`).
    """

    encoded = Signal(Encoded)
    failed = Signal(Failed)

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._wish: tuple[NDArray[np.uint8], NDArray[np.float32]] | None = None
        self._token: int | None = None

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._wish is not None

    def ask(self, picture: NDArray[np.uint8], condition: NDArray[np.float32]) -> None:
        """Ask for uint8 ``[H, W, 3]`` under a condition ``[C]``, which is also the picture's own.

        It takes the place of what is waited for.
        """
        self._wish, self._token = (picture, condition), None
        self.go_on()

    def go_on(self) -> None:
        """Ask the renderer, if that is still to be done and the encoder is free."""
        if self._wish is not None and self._token is None:
            self._token = self._encode(*self._wish)

    def give_way(self) -> None:
        """Let another picture take the encoder: what was asked for is asked for again by `go_on`."""
        self._token = None

    def forget(self) -> None:
        """Wait for nothing any more."""
        self._wish = self._token = None

    def take(self, encoded: Encoded) -> bool:
        """Take an answer; return whether it was this one's."""
        if self._token is None or encoded.token != self._token:
            return False
        self.forget()
        self.encoded.emit(encoded)
        return True

    def fail(self, failed: Failed) -> bool:
        """Notice that there is no answer; return whether it was this one's."""
        if self._token is None or failed.token != self._token:
            return False
        self.forget()
        self.failed.emit(failed)
        return True
