"""Of which dataset a picture is, where nobody says it: as it is judged, else by likelihood, once for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from latentlab.live.frames import Opened
from latentlab.operations.projection_plan import judged_dataset
from latentlab.session.document import Source
from latentlab.session.session import Message

if TYPE_CHECKING:
    from latentlab.session.projection import ProjectionMaker


class DatasetGuess:
    """Guesses the dataset of a view's picture.

    Parameters
    ----------
    maker
        Guesses by likelihood, on a thread of its own.
    known
        Called when a guess is there, or that there will be none.
    """

    def __init__(self, maker: ProjectionMaker, known: Callable[[], None]) -> None:
        self._maker, self._known = maker, known
        self._guessed: tuple[str, Source, str | Message] | None = None

    def of(self, opened: Opened, source: Source) -> str | Message:
        """Return the dataset, or why there is none; empty while it is being guessed.

        A picture that is painted on is guessed anew after each stroke; the former guess holds until then.
        """
        judged = judged_dataset(opened.spec.condition, source.encoded.source_attributes, opened.predictor)
        return judged or self._by_likelihood(opened.sha256, source)

    def forget(self) -> None:
        """Forget what was guessed."""
        self._guessed = None

    def _by_likelihood(self, sha256: str, source: Source) -> str | Message:
        known = self._guessed
        former = known if known is not None and known[0] == sha256 and known[1].is_of(source) else None
        if former is None or not (former[1].is_same(source) or source.pending):
            self._guessed = sha256, source, "" if former is None else former[2]
            self._maker.guess(source.seen, partial(self._have_guessed, sha256, source))
        assert self._guessed is not None
        return self._guessed[2]

    def _have_guessed(self, sha256: str, source: Source, answer: str | Message) -> None:
        known = self._guessed
        if known is not None and known[0] == sha256 and known[1].is_same(source):
            self._guessed = sha256, source, answer
            self._known()
