"""What a study gives: a report in the form of every evaluation, a table with a row a group, and a summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentlab.audit.charts import CHARTS, Chart, charts_text
from latentlab.audit.files import GROUPS as GROUPS
from latentlab.audit.files import REPORT as REPORT
from latentlab.audit.files import SUMMARY as SUMMARY
from latentlab.metrics.report import Report
from latentlab.whole_file import write_table, write_whole

HOLDS, DOES_NOT, UNSURE = "holds", "does not hold", "cannot be said from these numbers"
"""What becomes of a statement that a study tests."""
PERCEIVED = (
    "The labels are constructed or perceived attributes as a classifier tells them apart, nobody's identity."
)
PERCEIVED_OUTSIDE = PERCEIVED.replace("a classifier tells", "whoever judged them tells")
"""The same where the classes are an outside judge's, who may be people."""


@dataclass(frozen=True)
class Audit:
    """One study's results.

    Parameters
    ----------
    report
        All figures, with what they rest on.
    rows
        The table with a row a group; each row has the same columns.
    summary
        What can and cannot be concluded, in sentences.
    tables
        Further tables by file name.
    charts
        What the figures look like.
    """

    report: Report
    rows: Sequence[Mapping[str, Any]]
    summary: tuple[str, ...]
    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    charts: tuple[Chart, ...] = ()

    def save(self, out: Path) -> None:
        """Write tables, charts, report and summary into a folder.

        Raises
        ------
        SettingsError
            If one cannot be written.
        """
        for name, rows in {GROUPS: self.rows, **self.tables}.items():
            if rows:
                write_table(
                    out / name, list(rows[0]), ([_cell(value) for value in row.values()] for row in rows)
                )
        write_whole(out / CHARTS, charts_text(self.charts))
        write_whole(out / REPORT, self.report.json())
        write_whole(out / SUMMARY, "\n".join([self.report.title(), *self.summary]) + "\n")


def percent(share: float | None) -> str:
    """Write a share, such as ``48.2%``; a dash for none."""
    return "–" if share is None else f"{100.0 * share:.1f}%"


def between(low: float | None, high: float | None) -> str:
    """Write an interval, such as ``46.0 to 50.4``."""
    return "–" if low is None or high is None else f"{100.0 * low:.1f} to {100.0 * high:.1f}"


def words(name: str) -> str:
    """Write a name without underscores."""
    return name.replace("_", " ")


def chance(p: float) -> str:
    """Write a p-value that is adjusted by Holm's method, such as ``p = 0.003 (Holm)``."""
    return f"p = {p:.3f} (Holm)" if p >= 0.001 else "p < 0.001 (Holm)"


def _cell(value: Any) -> Any:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else value
