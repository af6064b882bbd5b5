"""The earlier studies: opened, put beside, named, deleted."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from latentlab.audit.study_plan import STUDIES
from latentlab.session.audit_folder import models_text
from latentlab.session.audit_runs import AuditRun, AuditRuns
from latentlab.ui import dialogs

PHASES = {
    "finished": "",
    "running": "running",
    "waiting": "running",
    "cancelled": "stopped",
    "failed": "failed",
    "lost": "not finished",
}
NOTHING = "No study has been done yet. Those that you start here are listed, and kept until you delete them."


class AuditRunsDialog(QDialog):
    """Lists the studies; ``show_asked`` and ``beside_asked`` tell the folder that is wished for."""

    show_asked = Signal(str)
    beside_asked = Signal(str)

    def __init__(self, runs: AuditRuns, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Earlier studies")
        self.resize(720, 420)
        self._runs = runs
        self.list = QTreeWidget()
        self.list.setAccessibleName("Earlier studies")
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setHeaderLabels(["Study", "Of", "Images", "When", ""])
        self.empty = QLabel(NOTHING)
        self.empty.setWordWrap(True)
        self.show_button = _button("Show", "Show its results, and set the form as it was asked")
        self.beside = _button("Beside", "Show it beside the study that is shown")
        self.rename = _button("Rename…", "Call it otherwise")
        self.delete = _button("Delete…", "Delete its results")
        self.folder = _button("Open a folder…", "Show the results that a command wrote into a folder")
        self.close_button = _button("Close", "Close this list")
        self._lay_out()
        self.list.currentItemChanged.connect(lambda _now, _before: self._enable())
        self.list.itemDoubleClicked.connect(lambda _item, _column: self._show())
        self.show_button.clicked.connect(self._show)
        self.beside.clicked.connect(self._beside)
        self.rename.clicked.connect(self._rename)
        self.delete.clicked.connect(self._delete)
        self.folder.clicked.connect(self._open_folder)
        self.close_button.clicked.connect(self.reject)
        runs.changed.connect(self._fill)
        self._fill()

    def done(self, result: int) -> None:
        """Follow the list no longer."""
        self._runs.changed.disconnect(self._fill)
        super().done(result)

    @property
    def current(self) -> AuditRun | None:
        """The study that is chosen."""
        item = self.list.currentItem()
        return None if item is None else item.data(0, int(Qt.ItemDataRole.UserRole))

    def _lay_out(self) -> None:
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.show_button, self.beside, self.rename, self.delete):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.folder)
        row.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self.empty)
        layout.addWidget(self.list, 1)
        layout.addLayout(row)

    def _fill(self) -> None:
        now = self.current
        self.list.clear()
        for run in self._runs.runs:
            kind = STUDIES[run.request.study]
            texts = [
                run.name or kind.title,
                models_text(run.request),
                f"{run.request.n:,}" if run.request.n else "",
                when_words(run.when),
                PHASES.get(run.phase, run.phase),
            ]
            item = QTreeWidgetItem(texts)
            item.setData(0, int(Qt.ItemDataRole.UserRole), run)
            item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(0, f"{kind.title}\n{run.results}")
            self.list.addTopLevelItem(item)
            if now is not None and now.folder == run.folder:
                self.list.setCurrentItem(item)
        first = self.list.topLevelItem(0)
        if self.list.currentItem() is None and first is not None:
            self.list.setCurrentItem(first)
        self.empty.setVisible(not self._runs.runs)
        self._enable()

    def _enable(self) -> None:
        run = self.current
        self.show_button.setEnabled(run is not None)
        self.beside.setEnabled(run is not None and run.finished)
        self.rename.setEnabled(run is not None)
        self.delete.setEnabled(run is not None and run.phase not in ("running", "waiting"))

    def _show(self) -> None:
        if self.current is not None:
            self.show_asked.emit(str(self.current.results))
            self.accept()

    def _beside(self) -> None:
        if self.current is not None:
            self.beside_asked.emit(str(self.current.results))
            self.accept()

    def _rename(self) -> None:
        run = self.current
        if run is not None:
            name, told = QInputDialog.getText(self, "Rename", "Name of the study:", text=run.title)
            if told:
                self._runs.rename(run, name)

    def _delete(self) -> None:
        run = self.current
        if run is None:
            return
        text = f"Delete “{run.title}”? Its results are deleted from the disk."
        if run.results.parent != run.folder:
            text = f"Delete “{run.title}” from this list? Its results in {run.results} stay."
        if QMessageBox.question(self, "Delete", text) == QMessageBox.StandardButton.Yes:
            self._runs.delete(run, lambda: None)

    def _open_folder(self) -> None:
        path = dialogs.ask_folder(self, "Folder of a study's results")
        if path is not None:
            self.show_asked.emit(str(path))
            self.accept()


def when_words(seconds: float, clock: Callable[[], float] = time.time) -> str:
    """Return when something was, as people say it: ``today 14:32``, ``3 March 2026``."""
    then, now = time.localtime(seconds), time.localtime(clock())
    if then[:3] == now[:3]:
        return f"today {then.tm_hour:02d}:{then.tm_min:02d}"
    year = "" if then.tm_year == now.tm_year else f" {then.tm_year}"
    return f"{then.tm_mday} {time.strftime('%B', then)}{year} {then.tm_hour:02d}:{then.tm_min:02d}"


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    return button
