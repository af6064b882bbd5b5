"""The open picture as the first row of samples: of which dataset it is, and its z between the modes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from latentlab.live.frames import Encoded, Failed, Opened
from latentlab.session.dataset_guess import DatasetGuess
from latentlab.session.document import ProjectionView, Source
from latentlab.session.explore import given
from latentlab.session.projection import ProjectionMaker, chosen_dataset, known_encoding
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace


class SampleInput:
    """Guesses the picture's dataset, and has the picture encoded as one of it; each once.

    Attributes
    ----------
    known
        Something that was asked for has come to be known, or that it will not be.
    """

    known = Signal()

    def __init__(self, workspace: Workspace, maker: ProjectionMaker) -> None:
        self._workspace = workspace
        self._guess = DatasetGuess(maker, self.known.emit)
        self._asked: tuple[Source, NDArray[np.float32]] | None = None
        self._last: tuple[Source, Encoded] | None = None
        self.failed = False
        workspace.beside.encoded.connect(self._take)
        workspace.beside.failed.connect(self._fail)

    def waits_for(self, source: Source, told: NDArray[np.float32]) -> bool:
        """Whether the picture is being encoded under a condition ``[C]``."""
        asked = self._asked
        if asked is None or not self._workspace.beside.waiting:
            return False
        return asked[0].is_same(source) and np.array_equal(asked[1], told)

    def forget(self) -> None:
        """Forget all that belongs to a model that is left."""
        self._guess.forget()
        self._asked = self._last = None
        self.failed = False

    def dataset(self, opened: Opened, source: Source, view: ProjectionView) -> str | Message:
        """Return the picture's dataset, as chosen, judged or guessed; empty while it is being guessed."""
        return chosen_dataset(opened.spec.condition, view) or self._guess.of(opened, source)

    def encoded(self, source: Source, told: NDArray[np.float32]) -> Encoded | None:
        """Return the picture as encoded under a condition ``[C]``; None where it has not been."""
        return known_encoding(source, told, self._last)

    def ask(self, source: Source, told: NDArray[np.float32]) -> None:
        """Have the picture encoded under a condition ``[C]``; `known` tells when it is."""
        self._asked, self.failed = (source, told), False
        self._workspace.beside.ask(given(source), told)

    def _take(self, encoded: Encoded) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and np.array_equal(np.asarray(encoded.condition), asked[1]):
            self._last = asked[0], encoded
        if asked is not None:  # another view may have taken the encoder: then it is asked again
            self.known.emit()

    def _fail(self, _failed: Failed) -> None:
        if self._asked is not None:
            self._asked, self.failed = None, True
            self.known.emit()
