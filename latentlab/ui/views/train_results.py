"""What a training has come to: losses and pictures, how faces are drawn, groups; and all trainings."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from latentlab.session.train_figures import (
    FIGURES,
    alike,
    arm_names,
    changed_most,
    figures_of,
    histograms,
    loss_names,
    share_bars,
    shown_recalls,
    size_words,
)
from latentlab.session.train_folder import TrainFound
from latentlab.session.train_plan import settings_words, title_of
from latentlab.ui.theme import Theme, numerals
from latentlab.ui.widgets.form import caption, card, choice_box
from latentlab.ui.widgets.train_bars import GroupBars
from latentlab.ui.widgets.train_chart import Line, LossChart
from latentlab.ui.widgets.train_histograms import LatentHistograms
from latentlab.ui.widgets.train_pictures import PictureSheet
from latentlab.ui.widgets.train_runs_page import TrainRunsPage

TABS = ("Progress", "Resampling", "Groups", "Trainings")
NO_BARS = "Recall of each group appears here after the first epoch, on rows that nothing is trained on."
NO_SHARES = "Each group's share, before and after resampling, appears here after the first epoch."
NO_PAIRS = "Reconstructions appear here as soon as a model has been looked at."
NO_SAMPLES = "Samples appear here as soon as a model has been looked at."
NO_FACES = "The faces appear here after the first epoch of a DB-VAE."
GONE = "The set of these faces cannot be opened any more."
NO_RESAMPLING = "This recipe does not resample. Choose a DB-VAE to see how rare faces are drawn more often."


class TrainResults(QWidget):
    """Shows one training, or two side by side.

    ``explore_asked`` and ``audit_asked`` are the wishes to open what was trained, ``folder_asked`` the wish
    for its folder.
    """

    explore_asked = Signal()
    audit_asked = Signal()
    folder_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found: TrainFound | None = None
        self.beside: TrainFound | None = None
        self.title, self.note, self.empty = QLabel(), QLabel(), QLabel()
        self.explore = QPushButton("Open in Explore")
        self.explore.setToolTip("Open the trained model, and go on in Explore")
        self.audit = QPushButton("Audit")
        self.audit.setToolTip("Open the trained model, and see what it does to groups")
        self.folder = QPushButton("Open folder")
        self.folder.setToolTip("Open the folder with checkpoints and run")
        self.tabs = QTabBar()
        self.tabs.setAccessibleName("What is shown of the training")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        for text in TABS:
            self.tabs.addTab(text)
        self.figure = choice_box("Figure over the steps", "Which figure is shown over the steps")
        self.losses = LossChart(theme)
        self.pairs = PictureSheet(theme, "Input and reconstruction", NO_PAIRS, together=2)
        self.samples = PictureSheet(theme, "Samples", NO_SAMPLES)
        self.worth = caption("")
        self.worth.setWordWrap(True)
        self.shares = GroupBars(theme, "Shares of the groups", NO_SHARES, from_zero=True)
        self.histograms = LatentHistograms(theme)
        self.likely = PictureSheet(theme, "Drawn most often", NO_FACES)
        self.unlikely = PictureSheet(theme, "Drawn most rarely", NO_FACES)
        self.groups = GroupBars(theme, "Recall of each group", NO_BARS, from_zero=False)
        self.table = QWidget()
        self.table.setAccessibleName("Figures of the trainings")
        self.runs = TrainRunsPage()
        self._lay_out()
        self._connect()
        self.show_trainings(None, None)

    def _lay_out(self) -> None:
        self.title.setProperty("role", "name")
        self.note.setProperty("role", "caption")
        for label in (self.title, self.note):  # what is too long is cut off, not the window made wider
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setContentsMargins(40, 0, 40, 40)
        self.empty.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        names, controls = QVBoxLayout(), QHBoxLayout()
        names.setSpacing(0)
        names.addWidget(self.title)
        names.addWidget(self.note)
        controls.setSpacing(8)
        for button in (self.folder, self.audit, self.explore):
            controls.addWidget(button)
        self._head = QHBoxLayout()
        self._head.setSpacing(8)
        self._head.addLayout(names, 1)
        self._head.addLayout(controls)
        self._stack = QStackedWidget()
        for page in (self._progress(), self._resampling(), self._groups(), self.runs, self.empty):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._head)
        layout.addWidget(self.tabs)
        layout.addWidget(self._stack, 1)

    def _progress(self) -> QWidget:
        page, column = _page()
        chart = QVBoxLayout()
        chart.setSpacing(4)
        row = QHBoxLayout()
        row.addWidget(caption("Shown", self.figure))
        row.addWidget(self.figure)
        row.addStretch(1)
        chart.addLayout(row)
        chart.addWidget(self.losses, 1)
        below = QHBoxLayout()
        below.setSpacing(12)
        below.addWidget(card(self.pairs), 1)
        below.addWidget(card(self.samples), 1)
        column.addWidget(card(chart), 3)
        column.addLayout(below, 2)
        return page

    def _resampling(self) -> QWidget:
        page, column = _page()
        charts = QHBoxLayout()
        charts.setSpacing(12)
        charts.addWidget(card(self.shares), 1)
        charts.addWidget(card(self.histograms), 1)
        faces = QHBoxLayout()
        faces.setSpacing(12)
        faces.addWidget(card(self.likely), 1)
        faces.addWidget(card(self.unlikely), 1)
        column.addWidget(self.worth)
        column.addLayout(charts, 3)
        column.addLayout(faces, 2)
        return page

    def _groups(self) -> QWidget:
        page, column = _page()
        self._table_grid = QGridLayout(self.table)
        self._table_grid.setContentsMargins(0, 0, 0, 0)
        self._table_grid.setHorizontalSpacing(14)
        self._table_grid.setVerticalSpacing(3)
        column.addWidget(card(self.groups), 1)
        column.addWidget(card(self.table))
        return page

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(lambda _place: self._arrange())
        self.figure.activated.connect(lambda _row: self._show_losses())
        self.explore.clicked.connect(self.explore_asked)
        self.audit.clicked.connect(self.audit_asked)
        self.folder.clicked.connect(self.folder_asked)

    @property
    def controls(self) -> list[QWidget]:
        """All controls in the order of the Tab key."""
        head = [self.folder, self.audit, self.explore, self.tabs]
        return [*head, self.figure, self.histograms, *self.runs.controls]

    @property
    def view(self) -> str:
        """Which tab is shown."""
        return TABS[self.tabs.currentIndex()]

    @property
    def shown(self) -> tuple[TrainFound, ...]:
        """The trainings that are shown, A and B."""
        return tuple(one for one in (self.found, self.beside) if one is not None)

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of the pictures, or show them as squares."""
        for sheet in (self.pairs, self.samples, self.likely, self.unlikely):
            sheet.smooth = smooth
            sheet.update()

    def show_view(self, name: str) -> None:
        """Show a tab."""
        self.tabs.setCurrentIndex(TABS.index(name))

    def show_empty(self, why: str) -> None:
        """Say why no training is shown."""
        self.empty.setText(why)
        self.show_trainings(None, self.beside)

    def show_trainings(self, found: TrainFound | None, beside: TrainFound | None) -> None:
        """Show how far a training has come, and another beside it (None for none)."""
        self.found, self.beside = found, beside
        titles = [title_of(one.settings) for one in self.shown]
        if len(titles) > 1:
            titles = [f"{letter}: {title}" for letter, title in zip("AB", titles, strict=False)]
        self.title.setText("     ".join(titles) or "Train and debias")
        words = [settings_words(one.settings) for one in self.shown]
        self.note.setText(";  ".join(words))
        self.note.setToolTip("\n".join(f"{w}\n{o.out}" for w, o in zip(words, self.shown, strict=True)))
        model = None if found is None else found.model
        for button in (self.explore, self.audit):
            button.setEnabled(model is not None)
        self.folder.setEnabled(found is not None)
        self._offer_figures()
        self._show_losses()
        self._show_pictures()
        self._show_resampling()
        self.groups.show_bars(shown_recalls(found, beside))
        self._show_table()
        self._arrange()

    def _offer_figures(self) -> None:
        names = loss_names(self.shown)
        if [self.figure.itemData(k) for k in range(self.figure.count())] == names:
            return
        now = self.figure.currentData()
        with QSignalBlocker(self.figure):
            self.figure.clear()
            for name in names:
                self.figure.addItem(figure_title(name), name)
            self.figure.setCurrentIndex(max(0, self.figure.findData(now)))

    def lines(self) -> tuple[str, list[Line], bool]:
        """Return the title, the lines, and whether they are of losses, of the figure that is shown."""
        name = self.figure.currentData() or ""
        lines: list[Line] = []
        kinds = set()
        arms: dict[str, int] = {}
        for place, one in enumerate(self.shown):
            letter = "AB"[place] if self.beside is not None else ""
            names = arm_names(one, letter)
            for member in one.members:
                arm = names[member.member.arm]
                arms.setdefault(arm, len(arms) if len(names) > 1 or self.beside is not None else 1)
                curve = member.losses.get(name)
                kinds.add(curve is not None)
                curve = curve or member.held_out.get(name)
                if curve is not None:
                    lines.append(Line(f"{arm}, seed {member.member.seed}", arm, arms[arm], curve))
        return figure_title(name), lines, True in kinds

    def _show_losses(self) -> None:
        title, lines, losses = self.lines()
        self.losses.show_lines(title, lines, losses)

    def _show_pictures(self) -> None:
        member = None if self.found is None else self.found.looked_at
        self.pairs.show_pictures(None if member is None else member.pairs)
        self.samples.show_pictures(None if member is None else member.samples)

    def _show_resampling(self) -> None:
        member = None if self.found is None else self.found.drawing
        epoch = None if member is None else member.epoch
        self.worth.setText(NO_RESAMPLING if member is None else size_words(member))
        self.shares.show_bars(None if epoch is None or not epoch.groups else share_bars(epoch))
        entries = [] if epoch is None else changed_most(epoch).tolist()
        self.histograms.show_histograms(() if epoch is None else histograms(epoch, entries))
        why = NO_FACES if epoch is None else GONE
        self.likely.show_pictures(None if member is None else member.likely, why)
        self.unlikely.show_pictures(None if member is None else member.unlikely, why)

    def _show_table(self) -> None:
        while self._table_grid.count():
            item = self._table_grid.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        rows = self.figures()
        shown = [one for one in FIGURES if any(one[0] in figures for figures in rows.values())]
        for column, (_, label, _, unit) in enumerate(shown, start=1):
            head = caption(f"{label}, {unit}" if unit else f"{label}, points²")
            head.setWordWrap(True)
            head.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
            self._table_grid.addWidget(head, 0, column)
        for row, (arm, figures) in enumerate(rows.items(), start=1):
            name = QLabel(arm)
            name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            name.setToolTip(arm)
            self._table_grid.addWidget(name, row, 0)
            for column, (key, _, _, _) in enumerate(shown, start=1):
                number = QLabel(f"{figures[key]:.1f}" if key in figures else "")
                number.setFont(numerals(number.font()))
                number.setAlignment(Qt.AlignmentFlag.AlignRight)
                self._table_grid.addWidget(number, row, column)
        self._table_grid.setColumnStretch(0, 1)
        self._table_grid.setColumnMinimumWidth(0, 130)
        parent = self.table.parentWidget()
        if parent is not None:
            parent.setVisible(bool(shown))

    def figures(self) -> dict[str, Mapping[str, float]]:
        """Return the figures of all arms that are shown."""
        found: dict[str, Mapping[str, float]] = {}
        shown = () if self.found is None else alike(self.found, self.beside)
        for place, one in enumerate(one for one in shown if one is not None):
            letter = f"{'AB'[place]}: " if self.beside is not None else ""
            found |= {f"{letter}{arm}": figures for arm, figures in figures_of(one).items()}
        return found

    def _arrange(self) -> None:
        place = self.tabs.currentIndex()
        nothing = self.found is None and TABS[place] != "Trainings"
        self._stack.setCurrentIndex(len(TABS) if nothing else place)


def figure_title(name: str) -> str:
    """Return what a figure of a training is called."""
    known = {
        "loss": "Loss",
        "cross_entropy": "Cross-entropy, nats",
        "mae_255": "Mean absolute error, of 255",
        "kl_nats": "KL divergence, nats",
        "recall": "Recall on validation rows",
        "precision": "Precision on validation rows",
        "accuracy": "Accuracy on validation rows",
        "threshold": "Threshold of the logit",
    }
    return known.get(name, name.replace("_", " ").capitalize())


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(10)
    return page, column
