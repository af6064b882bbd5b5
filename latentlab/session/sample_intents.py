"""What a person can do with the samples of the Analogies screen: draw, keep, set; each a named step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from latentlab.operations.sample_plan import LARGEST_SEED, MOST_ROWS
from latentlab.session.document import SampleRow, SamplesView, StripView
from latentlab.session.session import Session
from latentlab.session.shelf import ShelfIntents

ALL_PINNED = "All rows are pinned, so that none would change. Unpin one."


class SampleIntents:
    """Changes how the samples are set.

    A row that is pinned keeps its seed; the others have seeds that no pinned row has, so that no z is there
    twice.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shelf = ShelfIntents(session)

    @property
    def view(self) -> SamplesView:
        """How the samples are set now."""
        return self._session.document.shelf.samples

    def resample(self) -> None:
        """Draw other z for all rows that are not pinned: those of the next seeds."""
        drawn = [row.seed for row in self.view.rows if not row.pinned]
        if drawn:
            self._draw(max(drawn) + 1, "Resample")

    def draw(self, seed: int) -> None:
        """Draw the rows that are not pinned by the seeds from this one on."""
        self._draw(seed, f"Draw samples from seed {seed}")

    def set_rows(self, count: int) -> None:
        """Show more rows, or fewer: those that are not pinned go first, from below."""
        rows = list(self.view.rows)
        count = min(max(1, count), MOST_ROWS)
        while len(rows) > count:
            loose = [k for k, row in enumerate(rows) if not row.pinned]
            del rows[loose[-1] if loose else -1]
        seeds = _seeds(rows[-1].seed + 1, [row.seed for row in rows])
        rows += [SampleRow(next(seeds)) for _ in range(count - len(rows))]
        self.set(replace(self.view, rows=tuple(rows)), f"Show {count} sample{'s' if count > 1 else ''}")

    def pin(self, row: int, pinned: bool) -> None:
        """Keep a row when others are drawn, or not."""
        rows = list(self.view.rows)
        if 0 <= row < len(rows):
            rows[row] = replace(rows[row], pinned=pinned)
            name = f"{'Pin' if pinned else 'Unpin'} seed {rows[row].seed}"
            self.set(replace(self.view, rows=tuple(rows)), name)

    def set(self, view: SamplesView, name: str = "Set the samples", key: str | None = None) -> None:
        """Show other samples; while a slider moves, its ``key`` makes its moves one step."""
        self._shelf.set_samples(view, name, key)

    def set_strip(self, strip: StripView, name: str = "Set the strip", key: str | None = None) -> None:
        """Show another strip."""
        self.set(replace(self.view, strip=strip), name, key)

    def _draw(self, seed: int, name: str) -> None:
        seeds = _seeds(seed, [row.seed for row in self.view.rows if row.pinned])
        rows = tuple(row if row.pinned else SampleRow(next(seeds)) for row in self.view.rows)
        self.set(replace(self.view, rows=rows), name)


def _seeds(first: int, taken: Sequence[int]) -> Iterator[int]:
    """Count seeds from the first on, without those that are taken; after the largest comes 0."""
    seed = first
    while True:
        seed %= LARGEST_SEED + 1
        if seed not in taken:
            yield seed
        seed += 1
