"""The Audit screen: what a model does to groups; a study on the left, what has come of it on the right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from latentlab.audit.study_plan import STUDIES, StudyRequest
from latentlab.session.audit import AuditData
from latentlab.session.audit_choices import Choices, choices_of, problems
from latentlab.session.audit_folder import StudyFound
from latentlab.session.audit_images import BehindImage
from latentlab.session.audit_runs import AuditRuns
from latentlab.session.background import Background
from latentlab.session.document import AuditView
from latentlab.session.intents import Intents
from latentlab.session.pace import time_words
from latentlab.session.session import Change, Message
from latentlab.session.workspace import Workspace
from latentlab.ui import dialogs
from latentlab.ui.theme import Theme
from latentlab.ui.views.audit_results import AuditResults
from latentlab.ui.widgets.audit_form import AuditForm
from latentlab.ui.widgets.audit_runs_dialog import AuditRunsDialog, when_words

NOTHING_YET = "{purpose}\n\nNothing has been done of this study yet. Press Start to begin."
RUNNING = "The study is going on in the background. The first figures are here in a moment."
LOOKING = ""
STOPPED = "The study was stopped before anything was counted. Press Resume to go on."
TITLES = {"models": "Choose a checkpoint's folder", "predictor": "Choose a predictor's folder"}


class AuditScreen(QWidget):
    """Shows how the study stands and what has come of it, and sends what a person does with it.

    ``explore_asked`` is the wish to go on in Explore.
    """

    name = "audit"
    title = "Audit"
    explore_asked = Signal()

    def __init__(
        self, workspace: Workspace, intents: Intents, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._intents = workspace, intents
        self._active = False
        self._choices = Choices()
        self._asked: StudyRequest | None = None
        self._chosen: tuple[object, ...] = ()  # what the choices depend on
        self._choosing = 0
        self._waiting = False
        self._read: dict[str, StudyFound | str] = {}  # folders that were read, or why they were not
        self._reading: set[str] = set()
        self._told: set[str] = set()  # of those beside, which were said to be unreadable
        self.data = AuditData(workspace)
        self.runs = AuditRuns(workspace)
        self._background = Background(workspace.rendering.post, "audit-choices")
        self.form = AuditForm()
        self.results = AuditResults(workspace, theme)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 4, 16, 12)
        layout.setSpacing(16)
        layout.addWidget(self.form)
        layout.addWidget(self.results, 1)
        self._connect()

    def _connect(self) -> None:
        form, data, results, audit = self.form, self.data, self.results, self._intents.audit
        form.study_chosen.connect(audit.choose_study)
        form.wished.connect(self._take)
        form.out_wished.connect(lambda out: audit.set(replace(self.view, out=out, shown="")))
        form.folder_asked.connect(self._choose_folder)
        form.start_asked.connect(self.start)
        form.stop_asked.connect(data.cancel)
        results.beside_chosen.connect(audit.put_beside)
        results.runs_asked.connect(self.list_runs)
        results.folder_asked.connect(self._open_folder)
        results.explore_asked.connect(self._bring)
        data.changed.connect(self._show_phase)
        data.found_study.connect(self._found)
        self.runs.changed.connect(self._show_runs)
        workspace = self._workspace
        workspace.session.changed.connect(self._follow)
        workspace.model_changed.connect(self.show_document)
        workspace.busy_changed.connect(lambda _busy: self.setEnabled(workspace.in_step))

    # What the window asks

    @property
    def active(self) -> bool:
        """Whether the screen is looked at."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        was, self._active = self._active, active
        if active:
            if not was:
                self.runs.refresh()
            self.show_document()

    @property
    def view(self) -> AuditView:
        """How it is set."""
        return self._workspace.session.document.audit

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is shown; what a job does in the background may take hours."""
        still = self.data.phase != "looking" and not self.runs.busy and not self._reading
        return still and not self._waiting and self.results.at_rest

    @property
    def study(self) -> StudyFound | None:
        """The study that is shown."""
        return self.results.studies[0] if self.results.studies else None

    @property
    def request(self) -> StudyRequest | None:
        """What the study that is shown was asked, else what is asked for."""
        if self.study is not None and self.study.request is not None:
            return self.study.request
        wanted = self.data.wish()
        return None if wanted is None else wanted.request

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of all pictures, or show them as squares."""
        self.results.strip.set_smooth(smooth)

    def close_threads(self) -> None:
        """Stop following, reading and drawing; a job that is running goes on."""
        self.results.close_threads()
        self._background.close(drop=True)
        self.runs.close()
        self.data.close()

    def show_document(self) -> None:
        """Show everything anew, if the screen is looked at."""
        if not self._active or not self._workspace.in_step:
            return
        self.data.need()
        self._show_form()
        self._show_phase()
        self._show_results()

    def show_folder(self, path: Path) -> None:
        """Show the results that a study's folder holds, and set the form as it was asked."""
        folder = str(path.resolve())
        run = self.runs.of_folder(folder)
        if run is not None and not run.finished:
            view = replace(self.view, asked=run.request, shown="")
            self._intents.audit.set(view, "Show another study")
            return

        def have(found: StudyFound | str) -> None:
            if isinstance(found, str):
                self._workspace.session.message.emit(Message("error", found))
                return
            self._read[folder] = found
            self._intents.audit.show(folder, found.request)

        self.runs.read(folder, have)

    def list_runs(self) -> None:
        """List the earlier studies."""
        self.runs.refresh()
        dialog = AuditRunsDialog(self.runs, self.window())
        dialog.show_asked.connect(lambda folder: self.show_folder(Path(folder)))
        dialog.beside_asked.connect(self._intents.audit.put_beside)
        try:
            dialog.exec()
        finally:
            dialog.deleteLater()
        self._read.clear()  # what was deleted is not shown any longer
        self._told.clear()
        self.data.look_again()
        self._show_results()

    def start(self) -> None:
        """Begin the study that is asked for, and show what comes of it."""
        if self.view.shown:
            self._intents.audit.set(replace(self.view, shown=""), "Show the study")
        if not self.form.unread and not self._problems():
            self.data.start()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Give the charts all the room by Escape."""
        if event.key() == Qt.Key.Key_Escape and not self.results.images.isHidden():
            self.results.forget_images()
        else:
            super().keyPressEvent(event)

    # Showing

    def _follow(self, change: Change) -> None:
        if self._active and change.before.audit != change.after.audit and self._workspace.in_step:
            self.show_document()

    def _show_form(self) -> None:
        asked = self._effective()
        chosen = asked.study, asked.models, asked.data, asked.predictor
        self._asked = asked
        if chosen != self._chosen:
            self._chosen = chosen
            self._choose(asked)
        self.form.show_view(self.view, asked, self._choices)
        self._show_problems()

    def _effective(self) -> StudyRequest:
        """Return what is asked for, with the open model and the usual number in their places."""
        wanted = self.data.wish()
        asked = self.view.asked
        if wanted is None:
            return replace(asked, n=asked.n or STUDIES[asked.study].n)
        return wanted.request

    def _choose(self, asked: StudyRequest) -> None:
        """Look what there is to choose from; configurations are read elsewhere."""
        self._choosing += 1
        number, self._waiting = self._choosing, True

        def have(found: Choices | Message) -> None:
            if number != self._choosing:
                return
            self._waiting = False
            if isinstance(found, Message):
                self._workspace.session.message.emit(found)
                return
            self._choices = found
            if self._active and self._asked is not None:
                self.form.show_view(self.view, self._asked, found)
                self._show_problems()
                self._show_phase()

        self._background.do(lambda: choices_of(asked), have, "What a study can be asked could not be read")

    def _problems(self) -> dict[str, str]:
        return {} if self._asked is None else problems(self._asked, self._choices)

    def _show_problems(self) -> None:
        self.form.show_problems({} if self._waiting else self._problems())

    def _show_phase(self) -> None:
        data, form = self.data, self.form
        running = data.phase == "running"
        form.start.setVisible(not running)
        form.stop.setVisible(running)
        fit = not self._waiting and not self._problems() and not form.unread
        form.start.setEnabled(fit and data.phase != "looking" and data.wanted is not None)
        text = {"stopped": "Resume", "failed": "Try again"}.get(data.phase, "Start")
        if data.phase == "ready":
            form.start.setEnabled(False)
            text = "Done"
        form.start.setText(text)
        form.start.setToolTip(_START_TIPS[text])
        form.show_progress(self._said(), data.done, data.total, running or data.phase == "looking")
        if not self.results.studies:
            self._show_results()

    def _said(self) -> str:
        """Say in words how the work stands."""
        data = self.data
        if data.phase == "running":
            parts = [data.message]
            if data.total:
                parts = [f"{data.message}: {data.done:,} of {data.total:,}"]
                rate = data.pace.rate
                if rate is not None:
                    parts.append(f"{time_words((data.total - data.done) / rate)} left")
            return ", ".join(parts)
        if data.phase == "failed":
            return data.message if self.results.studies else ""  # else the middle says it
        return "Stopped. What was done is kept, and it can go on." if data.phase == "stopped" else ""

    def _found(self, found: StudyFound | None) -> None:
        if found is not None and found.whole:
            self.runs.refresh()
        self._show_results()

    def _show_results(self) -> None:
        if not self._active:
            return
        view = self.view
        first: StudyFound | str | None = self._folder(view.shown) if view.shown else self.data.found
        second = self._folder(view.beside) if view.beside else None
        if isinstance(second, str):
            if view.beside not in self._told:
                self._told.add(view.beside)
                self._workspace.session.message.emit(Message("error", second))
            second = None
        if isinstance(first, StudyFound):
            same = second is not None and second.folder == first.folder
            self.results.show_studies(first, None if same else second)
        else:
            self.results.show_empty(first or self._why())
        self._show_runs()

    def _folder(self, folder: str) -> StudyFound | str | None:
        """Return what a folder holds, or why it cannot be read; None while it is being read."""
        if folder not in self._read and folder not in self._reading:
            self._reading.add(folder)

            def have(found: StudyFound | str) -> None:
                self._reading.discard(folder)
                self._read[folder] = found
                self._show_results()

            self.runs.read(folder, have)
        return self._read.get(folder)

    def _why(self) -> str:
        """Say why no results are shown."""
        if self.view.shown or self.data.phase == "looking":
            return LOOKING
        if self.data.phase == "running":
            return RUNNING
        if self.data.phase == "failed":
            return self.data.message
        if self.data.phase == "stopped":
            return STOPPED
        return NOTHING_YET.format(purpose=STUDIES[self.view.asked.study].purpose)

    def _show_runs(self) -> None:
        here = self.study
        runs = {
            str(run.results): f"{run.title}, {when_words(run.when)}"
            for run in self.runs.runs
            if run.finished and (here is None or run.results != here.folder)
        }
        self.results.show_runs(runs, self.view.beside)

    # Doing

    def _take(self, name: str, value: Any) -> None:
        if name == "n" and value == STUDIES[self.view.asked.study].n:
            value = 0
        self._intents.audit.ask(**{name: value})
        self._show_problems()
        self._show_phase()

    def _choose_folder(self, name: str) -> None:
        path = dialogs.ask_folder(self, TITLES.get(name, "Choose a folder"))
        if path is None:
            return
        if name == "out":
            self._intents.audit.set(replace(self.view, out=str(path), shown=""))
        elif name == "models" and STUDIES[self.view.asked.study].several_models:
            asked = self._effective().models
            self._take(name, tuple(dict.fromkeys([*asked, str(path)])))
        else:
            self._take(name, (str(path),) if name == "models" else str(path))

    def _open_folder(self) -> None:
        if self.study is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.study.tables)))

    def _bring(self, image: BehindImage) -> None:
        """Go on in Explore with an image."""
        if self._workspace.in_step:
            self._workspace.bring_pixels(image.pictures[0][1], image.name)
            self.explore_asked.emit()


_START_TIPS = {
    "Start": "Do the study in the background; the window may be closed meanwhile",
    "Resume": "Go on where it stopped; what is done is not done again",
    "Try again": "Do the study again; what is done is not done again",
    "Done": "This study is done. Other settings make another one",
}
