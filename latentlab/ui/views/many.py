"""The view of many pictures: projected in the background, and what each dataset does to them, counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMimeData, QSignalBlocker, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from latentlab.live.frames import Opened
from latentlab.operations.projection_plan import NOTE
from latentlab.operations.training_sets import held_out_sets
from latentlab.session.document import Document, ManyView
from latentlab.session.intents import Intents
from latentlab.session.many import ExampleMaker, ManyData, ManyFound
from latentlab.session.many_table import ShiftCell, ShiftTable, points, table_of
from latentlab.session.pace import time_words
from latentlab.session.session import Change, Message
from latentlab.session.workspace import Workspace
from latentlab.ui import dialogs
from latentlab.ui.theme import Theme
from latentlab.ui.views.analogy_page import AnalogyPage, judged_by
from latentlab.ui.widgets.bars_painter import label_of
from latentlab.ui.widgets.boxes import ComboBox
from latentlab.ui.widgets.example_strip import ExampleStrip
from latentlab.ui.widgets.many_form import ManyForm
from latentlab.ui.widgets.shift_table import ShiftTableView

if TYPE_CHECKING:
    from latentlab.operations.projection_examples import Example

SHOWN = (("bias", "Composition bias"), ("follow", "Follow the dataset"), ("keep", "Keep the content"))
SORTS = (("attribute", "By attribute"), ("shift", "Largest shift first"))
ALL = "All datasets"
EXAMPLES = 12
"""Examples that are drawn of a cell."""
NO_PICTURES = (
    "What does each dataset do to people?\n\nChoose a set, a folder or pictures on the left, or drop a "
    "folder here. They are projected onto every dataset in the background, and what changes is counted."
)
NOTHING_YET = "Nothing has been projected of these pictures yet. Press Project to begin."
NO_JUDGE = (
    "No attribute predictor fits this model, so nothing can be counted. The projections are in the folder."
)
NO_PAIRS = "Nothing can be counted yet: no picture was projected onto another dataset than its own."
RUNNING = "The pictures are being projected. The table is here as soon as that is done, or stopped."
LEGEND = {
    "all": "In points of each class's share. Bold: the 95% interval leaves out 0. In brackets: few pictures.",
    "one": "Filled: the 95% interval (the line) leaves out 0. Pale, in brackets: few pictures.",
}
BIAS = "Shift with follow minus that with keep, of the same pictures."
EXAMPLE_LATER = 150
"""Milliseconds after which the examples of a cell are drawn: arrow keys pass over many."""


class ManyPage(AnalogyPage):
    """Shows how the work stands and what has come of it, and sends what a person does with it."""

    name = "many"
    title = "Many pictures"

    def __init__(
        self, workspace: Workspace, intents: Intents, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(workspace, intents, parent)
        self._shown: tuple[object, ...] = ()
        self.table: ShiftTable | None = None
        self.data = ManyData(workspace)
        self.maker = ExampleMaker(workspace)
        self.examples_waiting = False
        self.form = ManyForm(theme)
        self.shifts = ShiftTableView(theme)
        self.strip = ExampleStrip(theme)
        self.summary, self.legend, self.cell_said, self.note = QLabel(), QLabel(), QLabel(), QLabel(NOTE)
        self.empty = QLabel()
        self.shown = _box("What is shown", "The shifts of a mode, or what differs between both", SHOWN)
        self.target = _box("Target dataset", "All datasets side by side, or one with its shares", ())
        self.sort = _box("Order of the rows", "By attribute, or the largest shift first", SORTS)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(EXAMPLE_LATER)
        self.setAcceptDrops(True)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        for label in (self.summary, self.legend, self.note):
            label.setProperty("role", "caption")
            label.setWordWrap(True)
        self.cell_said.setWordWrap(True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setContentsMargins(40, 0, 40, 40)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.summary, 1)
        for box in (self.shown, self.target, self.sort):
            head.addWidget(box)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.shifts, 3)
        column.addWidget(self.legend)
        column.addWidget(self.cell_said)
        column.addWidget(self.strip, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(whole)
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(self._stack, 1)
        right.addWidget(self.note)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(16)
        layout.addWidget(self.form)
        layout.addLayout(right, 1)

    def _connect(self) -> None:
        form, data = self.form, self.data
        form.wished.connect(self._intents.shelf.set_many)
        form.folder_asked.connect(self._choose_folder)
        form.pictures_asked.connect(self._choose_pictures)
        form.out_asked.connect(self._choose_out)
        form.start_asked.connect(data.start)
        form.stop_asked.connect(data.cancel)
        form.show_asked.connect(self._show_folder)
        for box, name in ((self.shown, "shown"), (self.target, "target"), (self.sort, "sort")):
            box.activated.connect(lambda _index, box=box, name=name: self._change(name, box.currentData()))
        self.shifts.chosen.connect(self._choose_cell)
        self.shifts.sort_asked.connect(lambda sort: self._change("sort", sort))
        self._later.timeout.connect(self._draw_examples)
        data.changed.connect(self._show_phase)
        data.found_many.connect(self._show_found)
        self._listen()

    # What the screen asks

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is shown; what a job does in the background may take hours."""
        return self.data.phase != "looking" and not self.examples_waiting

    @property
    def view(self) -> ManyView:
        """How it is set, in a mode that the model has."""
        return self.data.view

    @property
    def _wished(self) -> ManyView:
        return self._workspace.session.document.shelf.many

    @property
    def example(self) -> Example | None:
        """The example that is chosen."""
        place = self.strip.current
        return None if place is None else self.strip.pairs[place].example

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of all pictures, or show them as squares."""
        self.strip.set_smooth(smooth)

    def close_threads(self) -> None:
        """Stop following and drawing; a job that is running goes on."""
        self._later.stop()
        self.maker.close()
        self.data.close()

    # Showing

    def _set_model(self, opened: Opened) -> None:
        from latentlab.data.catalog import known_sets

        self._shown = ()
        names = [*held_out_sets(Path(opened.path)), *(f"{name}:test" for name in known_sets())]
        has_mode = opened.spec.condition.has_mode
        self.form.set_model(opened.spec.datasets, list(dict.fromkeys(names)), has_mode)
        self.form.judge.setText(judged_by(opened, "Classes as {} predicts them", "nothing is counted"))

    def _follow(self, change: Change) -> None:
        if not self._active or self._model is None or not self._workspace.in_step:
            return
        if change.before.shelf.many != change.after.shelf.many:
            self._show_view(change.after)

    def _show_view(self, document: Document) -> None:
        self.form.show_view(document.shelf.many)
        self.data.need()
        self._show_phase()
        self._show_found(self.data.found)

    def _show_phase(self) -> None:
        data, form, view = self.data, self.form, self.view
        running = data.phase == "running"
        form.start.setVisible(not running)
        form.stop.setVisible(running)
        form.start.setEnabled(data.phase not in ("none", "looking"))
        form.show_folder.setVisible(data.found is not None and not running)
        begun = data.found is not None
        form.start.setText("Resume" if begun and data.phase in ("stopped", "failed") else "Project")
        if data.phase == "ready":
            form.start.setText("Bring up to date")
        form.start.setToolTip(_START_TIPS.get(form.start.text(), ""))
        form.show_progress(self._said(view), data.done, data.total, running or data.phase == "looking")
        if self.table is None:
            self._show_why()

    def _said(self, view: ManyView) -> str:
        """Say in words how the work stands."""
        data, found = self.data, self.data.found
        if data.phase == "running":
            parts = [data.message]
            if data.total:
                both = " in both modes" if view.mode == "both" else ""
                parts = [f"{data.message}: {data.done:,} of {data.total:,}{both}"]
                rate = data.pace.rate
                if rate is not None:
                    left = time_words((data.total - data.done) / rate)
                    parts.append(f"{rate:.1f} a second, {left} left")
            return ", ".join(parts)
        if data.phase == "failed":
            return "" if self.table is None else data.message  # else the middle says it
        if data.phase == "stopped":
            count = 0 if found is None else found.count
            lacks = [] if found is None else [one for one in _modes(view) if one not in found.folders]
            modes = {"follow": "follow the dataset", "keep": "keep the content"}
            still = f" Still to come: {' and '.join(modes[one] for one in lacks)}." if found and lacks else ""
            return f"Not finished. {count:,} pictures are projected and kept.{still}"
        return ""

    def _show_why(self) -> None:
        data = self.data
        self._stack.setCurrentIndex(0)
        if data.phase == "none":
            text = NO_PICTURES
        elif data.phase == "looking":
            text = ""
        elif data.phase == "running":
            text = RUNNING
        elif data.found is not None:
            judged = self._model is not None and self._model.predictor is not None
            text = NO_PAIRS if judged else NO_JUDGE
        else:
            text = data.message if data.phase == "failed" else NOTHING_YET
        self.empty.setText(text)

    def _show_found(self, found: ManyFound | None) -> None:
        opened = self._model
        if not self._active or opened is None:
            return
        view = self.view
        shown = "" if found is None else found.shown(view)
        now = (found, shown, view.target, view.sort)
        self._show_boxes(found, view, shown)
        if now == self._shown:
            return
        other = self._shown[:2] != now[:2]
        self._shown = now
        if other:
            self._forget_examples()
            judge = opened.predictor
            self.table = None
            if found is not None and judge is not None:
                self.table = table_of(found, shown, judge, opened.spec)
        target = view.target if self.table is not None and view.target in self.table.datasets else ""
        self.shifts.show_table(self.table, target, view.sort)
        self._show_boxes(found, view, shown)
        if self.table is None:
            self._show_why()
            return
        self._stack.setCurrentIndex(1)
        self.summary.setText(self._summary(found, target) if found is not None else "")
        legend = LEGEND["one" if target else "all"]
        self.legend.setText(f"{BIAS} {legend}" if shown == "bias" else legend)
        cell = self.shifts.current
        if cell is None:
            self._choose_largest(target)
        else:
            self._choose_cell(cell)

    def _show_boxes(self, found: ManyFound | None, view: ManyView, shown: str) -> None:
        with QSignalBlocker(self.shown), QSignalBlocker(self.target), QSignalBlocker(self.sort):
            self.shown.setVisible(view.mode == "both")
            self.shown.setCurrentIndex(max(0, self.shown.findData(shown)))
            names = ["", *(() if self.table is None else self.table.datasets)]
            if [self.target.itemData(k) for k in range(self.target.count())] != names:
                self.target.clear()
                for name in names:
                    self.target.addItem(name or ALL, name)
            self.target.setCurrentIndex(max(0, self.target.findData(view.target)))
            self.sort.setCurrentIndex(max(0, self.sort.findData(view.sort)))

    def _summary(self, found: ManyFound, target: str) -> str:
        """Say how many pictures are counted, which could not be read, and what is predicted as the target."""
        parts = [f"{found.count:,} pictures"]
        if found.unreadable:
            parts.append(f"{len(found.unreadable):,} could not be read")
        tips = ["Could not be read:", *found.unreadable[:30]] if found.unreadable else []
        reached = None if self.table is None else self.table.reached.get(target)
        if reached is not None:
            parts.append(f"{100 * reached.value:.1f}% become {target}")
            interval = f"95%: {100 * reached.low:.1f}% to {100 * reached.high:.1f}%"
            share = f"{100 * reached.value:.1f}% ({interval})"
            tips.insert(0, f"Of {reached.n:,} projections {share} are predicted as {target}")
        self.summary.setToolTip("\n".join(tips))
        return ", ".join(parts)

    # Cells and their examples

    def _choose_largest(self, target: str) -> None:
        """Choose the largest shift that is clear, so that there are examples to see at once."""
        assert self.table is not None
        cells = [one for one in self.table.cells.values() if not target or one.dataset == target]
        if cells:
            best = max(cells, key=lambda one: (one.clear and not one.small, abs(one.difference)))
            self.shifts.choose(best.dataset, best.attribute, best.label)
            self.shifts.scrollToTop()

    def _choose_cell(self, cell: ShiftCell) -> None:
        what = f"{label_of(cell.attribute)} {label_of(cell.label).lower()} on {cell.dataset}"
        interval = f"95%: {points(cell.low)} to {points(cell.high)}"
        self.cell_said.setText(f"{what}: {points(cell.difference)} points ({interval})")
        self.maker.drop()
        self.strip.show_examples([])
        self.examples_waiting = True
        self._later.start()

    def _draw_examples(self) -> None:
        cell, found, opened = self.shifts.current, self.data.found, self._model
        if cell is None or found is None or opened is None or opened.predictor is None:
            self.examples_waiting = False
            return
        key = (cell.dataset, cell.attribute, cell.label)
        said = self.cell_said.text()

        def have(made: tuple[int, list[Example]] | Message) -> None:
            self.examples_waiting = False
            if isinstance(made, Message):
                self._workspace.session.message.emit(made)
                return
            count, examples = made
            what = "differ between the modes" if found.shown(self.view) == "bias" else "changed"
            self.cell_said.setText(f"{said}. {count:,} of {cell.n:,} pictures {what}.")
            self.strip.show_examples(examples)

        self.maker.make(found, opened.predictor, found.shown(self.view), key, EXAMPLES, have)

    def _forget_examples(self) -> None:
        self._later.stop()
        self.maker.drop()
        self.examples_waiting = False
        self.cell_said.clear()
        self.strip.show_examples([])

    # Doing

    def _change(self, name: str, value: Any) -> None:
        self._intents.shelf.set_many(replace(self._wished, **{name: value}))

    def _choose_folder(self) -> None:
        path = dialogs.ask_folder(self, "Project a folder")
        if path is not None:
            self.take_paths([path])

    def _choose_pictures(self) -> None:
        paths = dialogs.ask_pictures(self)
        if paths:
            self.take_paths(paths)

    def _choose_out(self) -> None:
        path = dialogs.ask_folder(self, "Folder for the results")
        if path is not None:
            self._change("out", str(path))

    def take_paths(self, paths: list[Path]) -> None:
        """Choose a folder, or pictures."""
        if len(paths) == 1 and paths[0].is_dir():
            view = replace(self._wished, data=str(paths[0]), pictures=())
        else:
            view = replace(self._wished, data="", pictures=tuple(map(str, paths)))
        self._intents.shelf.set_many(view)

    def _show_folder(self) -> None:
        found = self.data.found
        if found is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(found.results)))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept a folder of pictures, and several pictures; all else is the window's."""
        if dropped_pictures(event.mimeData()):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose what was dropped."""
        paths = dropped_pictures(event.mimeData())
        if paths and self._model is not None and self._workspace.in_step:
            self.take_paths(paths)
            event.acceptProposedAction()


def dropped_pictures(data: QMimeData) -> list[Path]:
    """Return a folder that is no checkpoint, or several pictures, among what is dropped; else nothing."""
    from latentlab.data.pictures import PICTURE_SUFFIXES

    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if len(paths) == 1:
        folder = paths[0]
        return paths if folder.is_dir() and not (folder / "config.json").is_file() else []
    pictures = [path for path in paths if path.is_dir() or path.suffix.lower() in PICTURE_SUFFIXES]
    return pictures if len(pictures) == len(paths) else []


_START_TIPS = {
    "Project": "Project the pictures in the background; the window may be closed meanwhile",
    "Resume": "Go on where it stopped; what is done is not done again",
    "Bring up to date": "Project what has been added to the pictures since; what is done is not done again",
}


def _modes(view: ManyView) -> tuple[str, ...]:
    return ("follow", "keep") if view.mode == "both" else (view.mode,)


def _box(name: str, tip: str, choices: tuple[tuple[str, str], ...]) -> QComboBox:
    box = ComboBox()
    box.setAccessibleName(name)
    box.setToolTip(tip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    for value, text in choices:
        box.addItem(text, value)
    return box
