"""Charts as one figure for print, below one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from latentlab.audit.charts import Chart
from latentlab.whole_file import whole_file

DPI = 150
"""Of a figure that is made of pixels."""
_BETWEEN, _MARGIN = 0.3, 0.2  # inches


def save_charts(path: Path, charts: Sequence[Chart]) -> None:
    """Draw charts below one another as one figure, in the format that the path's ending names.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    from matplotlib.figure import Figure

    from latentlab.audit.chart_figure import WIDTH, draw_chart, height_of

    heights = [height_of(chart, note=True) for chart in charts]
    height = sum(heights) + _BETWEEN * (len(charts) - 1) + 2 * _MARGIN
    figure = Figure(figsize=(WIDTH + 2 * _MARGIN, height))
    top = _MARGIN
    for chart, own in zip(charts, heights, strict=True):
        draw_chart(figure, chart, _MARGIN, top, note=True)
        top += own + _BETWEEN
    with whole_file(path) as part:
        figure.savefig(part, format=path.suffix.lower().removeprefix(".") or "pdf", dpi=DPI)
