"""What is predicted of one sample, beside what it is: its z, its dataset, and what the dataset changes."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from latentlab.ui.theme import Theme

NOTHING_YET = "Point at a picture, or move to it with the arrow keys, to read what is predicted of it."


class SampleCard(QWidget):
    """A title, |z|, and one line an attribute: its class, how sure, and the class in the first column."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[str, str, str, tuple[tuple[str, str, str], ...]] | None = None
        self.title, self.norm, self.lines = QLabel(), QLabel(), QLabel()
        self.title.setProperty("role", "title")
        self.norm.setProperty("role", "caption")
        for label in (self.title, self.norm, self.lines):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.lines.setTextFormat(Qt.TextFormat.RichText)
        self.lines.setAccessibleName("Predicted attributes of the sample")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for label in (self.title, self.norm, self.lines):
            column.addWidget(label)
        theme.changed.connect(self._draw)
        self.show_nothing()

    @property
    def empty(self) -> bool:
        """Whether it shows no sample."""
        return self._shown is None

    def show_sample(self, title: str, norm: str, first: str, lines: tuple[tuple[str, str, str], ...]) -> None:
        """Show a sample.

        Parameters
        ----------
        first
            The dataset with which it is compared.
        lines
            An attribute, what is predicted, and what is predicted on ``first`` where that differs.
        """
        shown = title, norm, first, lines
        if shown != self._shown:
            self._shown = shown
            self._draw()

    def show_nothing(self) -> None:
        """Show no sample."""
        self._shown = None
        self._draw()

    def _draw(self) -> None:
        title, norm, first, lines = self._shown or ("", NOTHING_YET, "", ())
        self.title.setText(title)
        self.title.setVisible(bool(title))
        self.norm.setText(norm)
        muted, accent = (self._theme.colour(name).name() for name in ("muted", "accent"))
        head = f"<td style='color:{accent}'>{escape(f'on {first}')}</td>" if any(d for *_, d in lines) else ""
        rows = [f"<tr><td></td><td></td>{head}</tr>"] if head else []
        rows += [
            f"<tr><td style='color:{muted}; padding-right:10px'>{escape(name)}</td>"
            f"<td style='padding-right:12px'>{escape(now)}</td>"
            f"<td style='color:{accent}'>{escape(was)}</td></tr>"
            for name, now, was in lines
        ]
        self.lines.setText(f"<table cellspacing='0' cellpadding='1'>{''.join(rows)}</table>" if rows else "")
        self.lines.setVisible(bool(rows))
        said = [f"{name}: {now}" + (f", {was} on {first}" if was else "") for name, now, was in lines]
        self.lines.setAccessibleDescription("; ".join(said))
