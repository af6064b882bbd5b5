"""A figure of an experiment as a file: its charts, its table, or the program that draws it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from latentlab.audit.experiments.code import experiment_code
from latentlab.audit.experiments.experiment import COLUMNS, ExperimentFigure
from latentlab.audit.save_charts import save_charts
from latentlab.errors import SettingsError
from latentlab.whole_file import write_table, write_whole


def save_figure_of(path: Path, figure: ExperimentFigure) -> None:
    """Save a figure in the format that the path's ending names.

    ``.png``, ``.svg`` and ``.pdf`` have the charts, ``.csv`` the table, ``.py`` the program.

    Raises
    ------
    SettingsError
        If the ending is another one, or the file cannot be written.
    """
    writer_of(path)(path, figure)


def writer_of(path: Path) -> Callable[[Path, ExperimentFigure], None]:
    """Return what writes a path of this ending; raises `SettingsError` if nothing does."""
    ending = path.suffix.lower()
    if ending not in _WRITERS:
        raise SettingsError(
            f"{path} has the ending {ending or 'of no format'}; a figure is saved as .png, .svg or .pdf, its "
            "table as .csv, its program as .py."
        )
    return _WRITERS[ending]


def _charts(path: Path, figure: ExperimentFigure) -> None:
    save_charts(path, figure.charts)


def _table(path: Path, figure: ExperimentFigure) -> None:
    cells = ([_cell(row[column]) for column in COLUMNS] for row in figure.rows)
    write_table(path, COLUMNS, cells)


def _program(path: Path, figure: ExperimentFigure) -> None:
    write_whole(path, experiment_code(figure.name, figure.values, figure.seed))


def _cell(value: object) -> object:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else value


_WRITERS: dict[str, Callable[[Path, ExperimentFigure], None]] = {
    ".png": _charts,
    ".svg": _charts,
    ".pdf": _charts,
    ".csv": _table,
    ".py": _program,
}
