"""Panels that begin work in the background: start and stop, how far it has come, where results go."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QProgressBar, QPushButton, QVBoxLayout, QWidget

from latentlab.ui.widgets.form import WIDTH, caption, scrolled


class StartForm(QFrame):
    """What the forms of such work have in common; what is asked is theirs.

    ``start_asked`` and ``stop_asked`` are the wishes to begin and to end it.
    """

    start_asked = Signal()
    stop_asked = Signal()

    def __init__(self, begin: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setFixedWidth(WIDTH)
        self.start = QPushButton(begin)
        self.start.setProperty("role", "primary")
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Stop the work; what is done is kept, and it can go on later")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(4)
        self.progress.setAccessibleName(f"Progress of the {name}")
        self.status = caption("")
        self.status.setWordWrap(True)
        self.start.clicked.connect(self.start_asked)
        self.stop.clicked.connect(self.stop_asked)

    def show_progress(self, text: str, done: int = 0, total: int = 0, running: bool = False) -> None:
        """Say how the work stands; a bar shows how far it has come while it is running."""
        self.status.setText(text)
        self.status.setVisible(bool(text))
        self.progress.setVisible(running)
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def _put_together(self, inner: QWidget, buttons: QHBoxLayout, *further: QWidget) -> None:
        """Lay out what is asked, in an area that scrolls; progress, buttons and the rest below it."""
        foot = QVBoxLayout()
        foot.setContentsMargins(0, 0, 8, 0)
        foot.setSpacing(6)
        foot.addWidget(self.status)
        foot.addWidget(self.progress)
        buttons.setSpacing(8)
        foot.addLayout(buttons)
        for widget in further:
            foot.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 10, 8, 12)
        layout.setSpacing(8)
        self.area = scrolled(inner)
        layout.addWidget(self.area, 1)
        layout.addLayout(foot)


class WorkForm(StartForm):
    """A panel of work whose results go into a folder; ``out_wished`` is another one."""

    out_wished = Signal(str)

    def __init__(self, begin: str, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(begin, name, parent)
        self._out = ""
        self.out = QLineEdit()
        self.out.setPlaceholderText("the program's own folder")
        self.out.setAccessibleName("Folder for the results")
        self.out.setToolTip(tip)
        self.out.setAcceptDrops(False)
        self.browse = QPushButton("…")
        self.browse.setAccessibleName("Choose the folder for the results")
        self.browse.setToolTip("Choose the folder for the results")
        self.browse.setFixedWidth(38)
        self.out.editingFinished.connect(self._take_out)

    def show_out(self, out: str) -> None:
        """Show where the results go; what is being typed stays."""
        self._out = out
        if not (self.out.hasFocus() and self.out.isModified()):
            self.out.setText(out)

    def _add_results(self, column: QVBoxLayout) -> None:
        """Add where the results go."""
        column.addWidget(caption("Results", self.out))
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.out, 1)
        row.addWidget(self.browse)
        column.addLayout(row)

    def _buttons(self, *further: QPushButton) -> QHBoxLayout:
        """Return start and stop in a row, and further buttons behind them."""
        row = QHBoxLayout()
        row.addWidget(self.start, 1)
        row.addWidget(self.stop, 1)
        for button in further:
            row.addWidget(button)
        return row

    def _take_out(self) -> None:
        self.out.setModified(False)
        if self.out.text().strip() != self._out:
            self.out_wished.emit(self.out.text().strip())
