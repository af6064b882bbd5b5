"""One counterfactual looked at closely: before, after and difference, the truth beside it, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.counterfactual_plan import Change, Targets
from latentlab.ui.theme import Theme
from latentlab.ui.widgets.bars_painter import label_of, percent
from latentlab.ui.widgets.picture_view import PictureView, bgrx

SIZE = 108
PICTURES = ("before", "after", "difference", "true", "off")
_TITLES = {
    "before": "Before",
    "after": "After",
    "difference": "Difference",
    "true": "Truth",
    "off": "Off the truth",
}


@dataclass(frozen=True, eq=False)
class Detail:
    """What is looked at.

    Parameters
    ----------
    title
        What it is, in words.
    pictures
        Uint8 ``[S, S, 3]``, RGB, by their names in `PICTURES`; those that are not there are not shown.
    targets, change
        What was asked for, and what changed.
    classes
        The predictor's classes by attribute.
    notes
        More to be said, a line each.
    """

    title: str
    pictures: Mapping[str, NDArray[np.uint8]]
    targets: Targets
    change: Change
    classes: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = field(default=())


class CounterfactualDetail(QWidget):
    """Shows one `Detail`; ``use_asked`` is the wish to go on with it in Explore."""

    use_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.detail: Detail | None = None
        self._title = QLabel()
        self._title.setProperty("role", "title")
        self._title.setWordWrap(True)
        self.use = QPushButton("Use in Explore")
        self.use.setToolTip("Go on with it on the Explore screen")
        self.views = {
            name: PictureView(_TITLES[name], "edited" if name == "after" else "faint", theme)
            for name in PICTURES
        }
        pictures = QGridLayout()
        pictures.setSpacing(8)
        pictures.setColumnStretch(3, 1)
        for place, view in enumerate(self.views.values()):
            view.ground = "surface"
            view.setMinimumSize(SIZE, SIZE + 26)
            view.setMaximumSize(SIZE, SIZE + 26)
            pictures.addWidget(view, place // 3, place % 3)
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.RichText)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(self.use)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addLayout(pictures)
        layout.addWidget(self._words, 1)
        self.use.clicked.connect(self.use_asked)
        theme.changed.connect(self._write)
        self.show_nothing()

    def show_nothing(self) -> None:
        """Show that nothing is looked at."""
        self.detail = None
        self._title.setText("")
        self.use.hide()
        for view in self.views.values():
            view.hide()
        self._words.setText("")

    def show_detail(self, detail: Detail) -> None:
        """Show a counterfactual."""
        self.detail = detail
        self._title.setText(detail.title)
        self.use.show()
        for name, view in self.views.items():
            pixels = detail.pictures.get(name)
            view.setVisible(pixels is not None)
            if pixels is not None:
                view.show_frame(bgrx(pixels))
        self._write()

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels, or show them as squares."""
        for view in self.views.values():
            view.smooth = smooth
            view.update()

    def _write(self) -> None:
        if self.detail is not None:
            paragraphs = (f'<p style="margin: 0 0 5px 0">{line}</p>' for line in self._lines(self.detail))
            self._words.setText("".join(paragraphs))

    def _lines(self, detail: Detail) -> list[str]:
        change, muted = detail.change, self._theme.colour("muted").name()
        lines = []
        for name, label in detail.targets.items():
            if name in change.after and label in detail.classes.get(name, ()):
                k = detail.classes[name].index(label)
                was, now = percent(float(change.before[name][k])), percent(float(change.after[name][k]))
                lines.append(f"Asked for: <b>{_say(name, label)}</b>, predicted at {now} (before: {was})")
            else:
                lines.append(f"Asked for: <b>{_say(name, label)}</b>, which no predictor judges here")
        for name in change.slipped:
            was, now = (_most(said, name, detail.classes) for said in (change.before, change.after))
            wrong = self._theme.colour("error").name()
            said = escape(f"{label_of(name)}: {was} → {now}")
            lines.append(f'<span style="color:{wrong}">Should not have changed: {said}</span>')
        if change.moved and not change.slipped:
            lines.append("No other attribute changed its predicted class.")
        moved = sorted(change.moved.items(), key=lambda one: -one[1])
        if moved:
            parts = ", ".join(f"{label_of(name)} {percent(value)}" for name, value in moved[:4])
            lines.append(f'<span style="color:{muted}">Moved by: {escape(parts)} (total variation)</span>')
        share = (
            f"{percent(change.share)} of the pixels changed; difference: red where lighter, blue where darker"
        )
        lines.append(f'<span style="color:{muted}">{share}</span>')
        lines += [f'<span style="color:{muted}">{escape(note)}</span>' for note in detail.notes]
        return lines


def _say(name: str, label: str) -> str:
    return escape(f"{label_of(name)} {label_of(label).lower()}")


def _most(said: Probabilities, name: str, classes: Mapping[str, tuple[str, ...]]) -> str:
    return label_of(classes[name][int(np.argmax(said[name]))]).lower()
