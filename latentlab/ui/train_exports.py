"""Saves and copies what the screen "Train and debias" shows: a picture, a figure, a table, a program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from latentlab.session.train_code import train_code
from latentlab.session.train_figures import FIGURES, BarsShown, shown_recalls, words_of_group
from latentlab.session.workspace import Workspace
from latentlab.session.writing import FileWriter
from latentlab.ui.screen_exports import ShownExports
from latentlab.ui.screens.train import TrainScreen
from latentlab.ui.widgets.train_chart import Line
from latentlab.whole_file import whole_file, write_table

NOTHING = "Nothing has been trained yet. Set a training on the left, and start it."
NOT_ASKED = "Something is wrong with the settings, so no program can be written."


class TrainExports(ShownExports):
    """Writes and copies; failures become messages. Everything is there already."""

    def __init__(self, workspace: Workspace, screen: TrainScreen, writer: FileWriter) -> None:
        names = "training.png", "training.pdf", "training.csv"
        super().__init__(workspace, writer, "What is shown of the training was", names)
        self._screen = screen

    def figure(self, path: Path) -> None:
        """Save the losses, and the groups where they are known, as a figure for print."""
        results = self._screen.results
        title, lines, log = results.lines()
        if not lines:
            self._refuse(NOTHING)
            return
        bars = shown_recalls(results.found, results.beside)
        self._writer.write(lambda: save_figure(path, title, lines, log, bars), f"Saved as {path}.")

    def table(self, path: Path) -> None:
        """Save all figures over the steps, one row each; and how each group stands."""
        results = self._screen.results
        if not results.shown:
            self._refuse(NOTHING)
            return
        rows: list[tuple[object, ...]] = []
        for letter, one in zip("AB", results.shown, strict=False):
            for member in one.members:
                who = (letter, member.member.arm or member.member.family, member.member.seed)
                for kind, curves in (("train", member.losses), ("held-out", member.held_out)):
                    for name, curve in curves.items():
                        pairs = zip(curve.steps.tolist(), curve.values.tolist(), strict=True)
                        rows += [(*who, kind, name, step, value) for step, value in pairs]
        for arm, figures in results.figures().items():
            rows += [("", arm, "", "now", name, "", figures[name]) for name, *_ in FIGURES if name in figures]
        header = ("training", "arm", "seed", "kind", "figure", "step", "value")
        self._writer.write(lambda: write_table(path, header, rows), f"Saved as {path}.")

    def copy_python(self) -> None:
        """Copy a program that does the training again."""
        settings = self._screen.settings
        if settings is None:
            self._refuse(NOT_ASKED)
            return
        QApplication.clipboard().setText(train_code(settings))
        self._note("A Python program that does this training again was copied.")

    def _image(self) -> QImage | None:
        results = self._screen.results
        if not results.shown:
            self._refuse(NOTHING)
            return None
        return results.grab().toImage()


def save_figure(path: Path, title: str, lines: Sequence[Line], log: bool, bars: BarsShown | None) -> None:
    """Draw the lines, and below them the bars, as one figure in the format that the path's ending names.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    import numpy as np
    from matplotlib.figure import Figure

    from latentlab.audit.chart_figure import INK, LINE, MUTED, SERIES

    figure = Figure(figsize=(7.0, 3.0 if bars is None else 6.0), layout="constrained")
    parts = figure.subplots(1 if bars is None else 2, 1, squeeze=False)[:, 0]
    for axes in parts:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=MUTED, labelsize=8)
        axes.grid(axis="y", color=LINE, linewidth=0.6)
        axes.set_axisbelow(True)
    seen: set[str] = set()
    for one in lines:
        label = one.arm if one.arm not in seen else None
        seen.add(one.arm)
        colour = SERIES[one.place % len(SERIES)]
        parts[0].plot(one.curve.steps, one.curve.values, color=colour, label=label, linewidth=1.2)
    if log:
        parts[0].set_yscale("log")
    parts[0].set_title(title, fontsize=9, color=INK, loc="left")
    parts[0].set_xlabel("step", fontsize=8)
    parts[0].legend(frameon=False, fontsize=8)
    if bars is not None:
        width = 0.8 / len(bars.arms)
        for k, arm in enumerate(bars.arms):
            x = np.arange(len(bars.groups)) + (k - (len(bars.arms) - 1) / 2) * width
            heights = [arm.heights.get(group, 0.0) for group in bars.groups]
            parts[1].bar(x, heights, width * 0.9, color=SERIES[k % len(SERIES)], label=arm.name)
            for place, group in zip(x, bars.groups, strict=True):
                dots = arm.dots.get(group, ())
                parts[1].plot([place] * len(dots), dots, ".", color=INK, markersize=4)
        values = [dot for arm in bars.arms for dots in arm.dots.values() for dot in dots]
        parts[1].set_ylim(max(0.0, min(values, default=0.0) - 8), 101)
        parts[1].set_xticks(np.arange(len(bars.groups)), [words_of_group(one) for one in bars.groups])
        parts[1].set_title(bars.title, fontsize=9, color=INK, loc="left")
        parts[1].set_ylabel("%", fontsize=8)
        parts[1].legend(frameon=False, fontsize=8, ncols=len(bars.arms), loc="lower right")
    with whole_file(path) as part:
        figure.savefig(part, format=path.suffix.lower().removeprefix(".") or "pdf")
