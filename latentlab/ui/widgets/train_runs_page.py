"""The list of trainings: their settings and figures; shown, put beside, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from latentlab.session.train_figures import WORST
from latentlab.session.train_plan import settings_words
from latentlab.session.train_runs import TrainRun
from latentlab.ui.theme import numerals
from latentlab.ui.widgets.audit_runs_dialog import PHASES, when_words

COLUMNS = ("Training", "When", "", "Recall", "Accuracy", "Worst missed")
FIGURES = ("recall", "accuracy", WORST)
NOTHING = "No training has been begun yet. Those that you start are listed here, with what they came to."
TIP = "Rates in percent, on the test rows where a pair was judged, else on validation rows"


class TrainRunsPage(QWidget):
    """Lists trainings; ``show_asked``, ``beside_asked`` and ``delete_asked`` tell which one is meant."""

    show_asked = Signal(str)
    beside_asked = Signal(str)
    delete_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QTreeWidget()
        self.list.setAccessibleName("Trainings")
        self.list.setToolTip(TIP)
        self.list.setRootIsDecorated(False)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setHeaderLabels(list(COLUMNS))
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.empty = QLabel(NOTHING)
        self.empty.setWordWrap(True)
        self.show_button = QPushButton("Show")
        self.show_button.setToolTip("Show this training, and follow it where it goes on (Enter)")
        self.beside = QPushButton("Compare")
        self.beside.setToolTip("Show it as B beside the training that is shown")
        self.nothing_beside = QPushButton("Compare nothing")
        self.nothing_beside.setToolTip("Show the one training alone again")
        self.delete = QPushButton("Delete…")
        self.delete.setToolTip("Take it off this list; what it wrote into your own folder stays")
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.show_button, self.beside, self.nothing_beside, self.delete):
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.empty)
        layout.addWidget(self.list, 1)
        layout.addLayout(row)
        self.list.currentItemChanged.connect(lambda _now, _before: self._enable())
        self.list.itemActivated.connect(lambda _item, _column: self._tell(self.show_asked))
        self.show_button.clicked.connect(lambda: self._tell(self.show_asked))
        self.beside.clicked.connect(lambda: self._tell(self.beside_asked))
        self.nothing_beside.clicked.connect(lambda: self.beside_asked.emit(""))
        self.delete.clicked.connect(self._delete)
        self._shown = self._beside = ""

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        return [self.list, self.show_button, self.beside, self.nothing_beside, self.delete]

    @property
    def current(self) -> TrainRun | None:
        """The training that is chosen."""
        item = self.list.currentItem()
        return None if item is None else item.data(0, int(Qt.ItemDataRole.UserRole))

    def show_runs(self, runs: Sequence[TrainRun], shown: str, beside: str) -> None:
        """List trainings; the one that is shown is A, the one beside it B."""
        now = self.current
        self._shown, self._beside = shown, beside
        self.list.clear()
        for run in runs:
            letter = {shown: "A  ", beside: "B  "}.get(run.out, "") if beside else ""
            arms: list[tuple[str, Mapping[str, float]]] = list(run.figures.items())
            if len(arms) != 1:  # the arms stand below what they belong to
                arms = [("", {}), *arms]
            for place, (arm, figures) in enumerate(arms):
                first = place == 0
                called = f"{letter}{run.title}" if first else f"      {arm}"
                numbers = [f"{figures[key]:.1f}" if key in figures else "" for key in FIGURES]
                texts = [
                    called,
                    when_words(run.when) if first else "",
                    PHASES.get(run.phase, run.phase) if first else "",
                    *numbers,
                ]
                item = QTreeWidgetItem(texts)
                item.setData(0, int(Qt.ItemDataRole.UserRole), run)
                item.setToolTip(0, f"{run.title}\n{settings_words(run.settings)}\n{run.out}")
                for column in range(3, len(COLUMNS)):
                    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    item.setTextAlignment(column, right)
                    item.setFont(column, numerals(self.list.font()))
                self.list.addTopLevelItem(item)
                if first and now is not None and now.folder == run.folder:
                    self.list.setCurrentItem(item)
        top = self.list.topLevelItem(0)
        if self.list.currentItem() is None and top is not None:
            self.list.setCurrentItem(top)
        self.empty.setVisible(not runs)
        self.list.setVisible(bool(runs))
        self._enable()

    def _enable(self) -> None:
        run = self.current
        self.show_button.setEnabled(run is not None)
        self.beside.setEnabled(run is not None and run.out != self._shown)
        self.nothing_beside.setEnabled(bool(self._beside))
        self.delete.setEnabled(run is not None and not run.running)

    def _tell(self, signal: object) -> None:
        if self.current is not None:
            signal.emit(self.current.out)  # type: ignore[attr-defined]  # a bound signal

    def _delete(self) -> None:
        if self.current is not None:
            self.delete_asked.emit(self.current)
