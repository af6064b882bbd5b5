"""How far a piece of a study's work has come, under the name of the piece."""

from __future__ import annotations

from latentlab.progress import Progress, Reporter


class StagePart(Reporter):
    """Tells how far one piece of the work has come as a share of the whole, in thousandths.

    Parameters
    ----------
    stage
        What is told instead of the piece's own stages.
    first, last, total
        Where in the whole it begins and ends, and how much the whole is.
    """

    def __init__(self, whole: Reporter, stage: str, first: float, last: float, total: int) -> None:
        super().__init__()
        self._whole, self._stage = whole, stage
        self._first, self._last, self._total = first, last, total

    @property
    def cancelled(self) -> bool:
        """Whether the whole is to stop."""
        return self._whole.cancelled

    def report(self, progress: Progress) -> None:
        """Pass the event on."""
        along = progress.done / progress.total if progress.total else 0.0
        done = self._first + (self._last - self._first) * along
        self._whole.report(Progress(self._stage, round(1000 * done), 1000 * self._total, progress.values))
