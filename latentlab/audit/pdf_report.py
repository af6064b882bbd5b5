"""A study's report as a PDF on A4: summary, charts, images, who judged, settings."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from latentlab.audit.chart_figure import INK, LINE, MUTED, draw_chart
from latentlab.audit.chart_layout import height_of, split
from latentlab.audit.charts import Chart
from latentlab.audit.example_images import Example
from latentlab.audit.files import PDF
from latentlab.audit.folder_results import FolderResults
from latentlab.audit.html_report import facts, no_judge, perceived
from latentlab.audit.report import PERCEIVED, PERCEIVED_OUTSIDE
from latentlab.metrics.report import group_words
from latentlab.spec import PredictorSpec
from latentlab.whole_file import whole_file

PAGE = (8.27, 11.69)
_LEFT, _TOP, _BOTTOM = 0.7, 0.75, 0.8
_WIDTH = PAGE[0] - 2 * _LEFT
_CHARACTER = 0.0075  # inches of one on average, by points of its size
_PICTURE = 0.78
_CAPTION_LINES = 4


def write_pdf(found: FolderResults, examples: Sequence[Example], no_examples: str = "") -> None:
    """Write `PDF` into the study's folder.

    Parameters
    ----------
    examples, no_examples
        As for `latentlab.audit.html_report.write_html`.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    pages = _Pages(f"{found.title} · LatentLab {found.record['version']}")
    pages.text(found.title, 17, weight="bold")
    pages.text(f"{found.line} · LatentLab {found.record['version']}", 9, MUTED)
    pages.heading("What can and cannot be concluded")
    for sentence in found.summary:
        if sentence not in (PERCEIVED, PERCEIVED_OUTSIDE):
            pages.text(sentence, 9.5, bullet=True)
    pages.space(0.1)
    pages.text(f"Perceived, not identity. {perceived(found)}", 9.5, weight="bold")
    for note in found.record["notes"]:
        if note not in (PERCEIVED, PERCEIVED_OUTSIDE):
            pages.text(note, 8.5, MUTED, bullet=True)
    for k, chart in enumerate(found.charts):
        pages.chart(chart, "Charts" if not k else "")
    if examples or no_examples:
        keep = 0.6 if no_examples or not examples else example_height(examples[0])
        pages.heading("Images behind what stands out most", keep)
        if no_examples:
            pages.text(no_examples, 9, MUTED)
        for example in examples:
            pages.example(example)
    pages.heading("Who judged, and how often they err")
    judges = found.judges()
    if not judges:
        pages.text(no_judge(found), 9)
    for name, spec in judges.items():
        pages.judge(name, spec)
    pages.heading("How to repeat it")
    pages.text(
        found.repeat() or "What was asked for is not in the folder; the settings tell it.", 8.5, mono=True
    )
    for name, value in facts(found):
        pages.pair(name, value)
    with whole_file(found.folder / PDF) as part:
        metadata = {"CreationDate": None, "Title": found.title, "Creator": "LatentLab"}
        with PdfPages(part, metadata=metadata) as file:
            for figure in pages.finished():
                file.savefig(figure)


def example_height(example: Example) -> float:
    """Return how many inches an example takes at most."""
    rows = max(len(one.pictures) for one in example.shown)
    return 0.75 + rows * (_PICTURE + 0.05) + 0.13 * _CAPTION_LINES


class _Pages:
    """Pages that are filled from the top."""

    def __init__(self, foot: str) -> None:
        self._foot = foot
        self._pages: list[Figure] = []
        self._top = 0.0
        self._turn()

    def finished(self) -> list[Figure]:
        """Return all pages, with their numbers at the foot."""
        for k, page in enumerate(self._pages):
            y = 0.45 / PAGE[1]
            page.text(_LEFT / PAGE[0], y, self._foot, size=7, color=MUTED)
            page.text(
                1.0 - _LEFT / PAGE[0], y, f"{k + 1} / {len(self._pages)}", size=7, color=MUTED, ha="right"
            )
        return self._pages

    def space(self, inches: float) -> None:
        self._top += inches

    def heading(self, text: str, keep: float = 0.6) -> None:
        """Write a heading, with at least so much of what follows on the same page."""
        self._need(0.55 + keep)
        if self._top > _TOP:
            self.space(0.22)
        self.text(text, 13, weight="bold")
        self.space(0.04)

    def text(
        self,
        text: str,
        size: float,
        colour: str = INK,
        weight: str = "normal",
        bullet: bool = False,
        mono: bool = False,
        left: float = 0.0,
    ) -> None:
        indent = left + (0.16 if bullet else 0.0)
        wide = _CHARACTER * size * (1.13 if mono else 1.12 if weight == "bold" else 1.0)
        lines = [
            line
            for part in text.split("\n")
            for line in textwrap.wrap(part, max(12, int((_WIDTH - indent) / wide)), break_on_hyphens=False)
            or [""]
        ]
        for k, line in enumerate(lines):
            self._need(size / 52.0)
            if bullet and not k:
                self._put("•", left, size, colour)
            self._put(line, indent, size, colour, weight, mono)
            self._top += size / 52.0
        self._top += 0.04

    def pair(self, name: str, value: str) -> None:
        """Write a setting: its name, and its value in lines of their own width."""
        heads = textwrap.wrap(name, 30)
        lines = textwrap.wrap(value, 76) or [""]
        self._need(0.15 * max(len(heads), len(lines)) + 0.06)
        for k, head in enumerate(heads):
            self._put(head, 0.0, 7.5, MUTED, top=self._top + 0.15 * k)
        for k, line in enumerate(lines):
            self._put(line, 2.0, 7.5, INK, top=self._top + 0.15 * k)
        self._top += 0.15 * max(len(heads), len(lines)) + 0.03
        self._rule()

    def chart(self, chart: Chart, heading: str = "") -> None:
        usable = PAGE[1] - _TOP - _BOTTOM
        for part in split(chart, usable - 0.8, _WIDTH):
            height = height_of(part, _WIDTH, note=True)
            if heading:
                self.heading(heading, height)
                heading = ""
            self._need(height)
            draw_chart(self._pages[-1], part, _LEFT, self._top, _WIDTH, note=True)
            self._top += height + 0.28

    def example(self, example: Example) -> None:
        rows, lines = max(len(one.pictures) for one in example.shown), _CAPTION_LINES
        self._need(example_height(example))
        self.text(example.title, 9.5, weight="bold")
        self.text(example.told, 8, MUTED)
        step = _WIDTH / max(6, len(example.shown))
        for k, one in enumerate(example.shown):
            for row, picture in enumerate(one.pictures.values()):
                top = self._top + row * (_PICTURE + 0.05)
                box = (
                    (_LEFT + k * step) / PAGE[0],
                    1.0 - (top + _PICTURE) / PAGE[1],
                    _PICTURE / PAGE[0],
                    _PICTURE / PAGE[1],
                )
                axes = self._pages[-1].add_axes(box)
                axes.imshow(picture, interpolation="nearest")
                axes.set_axis_off()
            below = self._top + rows * (_PICTURE + 0.05)
            for line, text in enumerate(textwrap.wrap(one.caption, 19)[:lines]):
                self._put(text, k * step, 6.2, MUTED, top=below + 0.115 * line)
        self._top += rows * (_PICTURE + 0.05) + 0.115 * lines + 0.15

    def judge(self, name: str, spec: PredictorSpec) -> None:
        source = f" ({spec.confusion_source})" if spec.confusion_source else ""
        self.text(name, 10, weight="bold")
        self.text(
            f"Counts on held-out images{source}: a row is the truth, a column what is said. Whether it errs "
            "as often on generated images is not known.",
            8,
            MUTED,
        )
        for group, matrices in ({"": spec.confusion} | dict(spec.group_confusion)).items():
            if group:
                self._need(1.2)
                self.text(group_words(group), 8.5, weight="bold")
            tables = [
                (one.name.replace("_", " "), one.classes, matrices[one.name].counts)
                for one in spec.attributes
                if one.name in matrices
            ]
            self._matrices(tables)

    def _matrices(self, tables: Sequence[tuple[str, Sequence[str], Any]]) -> None:
        """Write confusion matrices side by side as far as they fit."""
        place, deepest = 0.0, 0.0
        for name, classes, counts in tables:
            head = 0.2 + 0.056 * max(len(label) for label in classes)
            step = max(0.38, 0.14 + 0.056 * max(len(label) for label in classes))
            wide, deep = head + step * len(classes) + 0.12, 0.14 * (len(classes) + 2) + 0.1
            if place and place + wide > _WIDTH:
                self._top += deepest
                place, deepest = 0.0, 0.0
            self._need(deep)
            self._put(name, place, 7.5, INK, "bold")
            for k, label in enumerate(classes):
                at = place + head + step * (k + 1) - 0.12
                self._put(label, at, 7, MUTED, top=self._top + 0.15, right=True)
                self._put(label, place, 7, MUTED, top=self._top + 0.15 + 0.14 * (k + 1))
                for row, of_row in enumerate(counts):
                    top = self._top + 0.15 + 0.14 * (row + 1)
                    self._put(f"{of_row[k]:,}", at, 7, INK, top=top, right=True)
            place, deepest = place + wide, max(deepest, deep)
        self._top += deepest + 0.06

    def _put(
        self,
        text: str,
        left: float,
        size: float,
        colour: str,
        weight: str = "normal",
        mono: bool = False,
        top: float | None = None,
        right: bool = False,
    ) -> None:
        self._pages[-1].text(
            (_LEFT + left) / PAGE[0],
            1.0 - (self._top if top is None else top) / PAGE[1],
            text,
            size=size,
            color=colour,
            weight=weight,
            family="monospace" if mono else "sans-serif",
            va="top",
            ha="right" if right else "left",
            parse_math=False,
        )

    def _rule(self) -> None:
        y = 1.0 - self._top / PAGE[1]
        ends = (_LEFT / PAGE[0], 1.0 - _LEFT / PAGE[0])
        self._pages[-1].add_artist(Line2D(ends, (y, y), color=LINE, linewidth=0.5))
        self._top += 0.05

    def _need(self, inches: float) -> None:
        if self._top + inches > PAGE[1] - _BOTTOM and self._top > _TOP:
            self._turn()

    def _turn(self) -> None:
        self._pages.append(Figure(figsize=PAGE))
        self._top = _TOP
