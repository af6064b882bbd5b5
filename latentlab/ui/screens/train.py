"""The screen "Train and debias": a training on the left, what it has come to on the right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QMessageBox, QWidget

from latentlab.jobs.train_job import TrainSettings
from latentlab.session.background import Background
from latentlab.session.document import TrainView
from latentlab.session.intents import Intents
from latentlab.session.pace import time_words
from latentlab.session.session import Change, Message
from latentlab.session.train_faces import FaceCounts, FacesWanted
from latentlab.session.train_folder import TrainFound
from latentlab.session.train_plan import DETECTION, RECIPES, problems, settings_of, title_of, values_of
from latentlab.session.train_runs import TrainRun, TrainRuns, going_on, is_own
from latentlab.session.train_work import TrainWork
from latentlab.session.workspace import Workspace
from latentlab.ui import dialogs
from latentlab.ui.theme import Theme
from latentlab.ui.views.train_results import TrainResults
from latentlab.ui.widgets.form import controls_in_order
from latentlab.ui.widgets.train_form import TrainForm

NOTHING_YET = "{purpose}\n\nSet it on the left, and press Start: it goes on in the background."
RUNNING = "The training is being prepared; its first figures are here in a moment."
STOPPED = "The training was paused before its first steps. Press Resume to go on."
OTHER = "This folder holds another training. Start begins anew in it, after a question."
ANEW = "{out} holds an unfinished or finished training with other settings. Delete its run, and begin anew?"
GIVE_UP = "Stop this training, and delete what is not finished of it? Finished checkpoints stay."
GOING_ON = "A training goes on: {title}. The screen Train shows it."
WITHOUT_OUT = "Delete “{title}” and its checkpoints in {out}?"
FROM_LIST = "Take “{title}” off this list? What it wrote into {out} stays."
_START_TIPS = {
    "Start": "Begin the training in the background",
    "Resume": "Go on from the last state that was saved",
    "Done": "It is done; change a setting to train another",
    "Begin anew": "Begin anew in a folder that holds another training",
}


class TrainScreen(QWidget):
    """Shows how the training stands and what it has come to, and sends what a person does with it.

    ``explore_asked`` and ``audit_asked`` are the wishes to go on there, ``model_asked`` the folder of the
    model that is to be opened.
    """

    name = "train"
    title = "Train"
    explore_asked = Signal()
    audit_asked = Signal()
    model_asked = Signal(str)

    def __init__(
        self, workspace: Workspace, intents: Intents, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._workspace, self._intents = workspace, intents.train
        self._active = False
        self._beside: dict[str, TrainFound | str] = {}
        self._reading: set[str] = set()
        self._offered = False
        self._models: dict[str, str] = {}
        self._predictors: dict[str, str] = {}
        self._running_out = ""  # a training that was found to go on, and is not shown yet
        self.work = TrainWork(workspace)
        self.runs = TrainRuns(workspace)
        self.faces = FaceCounts(workspace)
        self._background = Background(workspace.rendering.post, "train-choices")
        self.form = TrainForm(theme)
        self.results = TrainResults(theme)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 4, 16, 12)
        layout.setSpacing(16)
        layout.addWidget(self.form)
        layout.addWidget(self.results, 1)
        controls_in_order([self.form.give_up, *self.results.controls])
        self._connect()

    def _connect(self) -> None:
        form, results, work, intents = self.form, self.results, self.work, self._intents
        form.recipe_chosen.connect(intents.choose_recipe)
        form.wished.connect(self._take)
        form.out_wished.connect(self._take_out)
        form.folder_asked.connect(self._choose_folder)
        form.start_asked.connect(self.start)
        form.stop_asked.connect(work.cancel)
        form.give_up_asked.connect(self.give_up)
        results.folder_asked.connect(self._open_folder)
        results.explore_asked.connect(lambda: self._open(self.explore_asked))
        results.audit_asked.connect(lambda: self._open(self.audit_asked))
        results.runs.show_asked.connect(self.show_training)
        results.runs.beside_asked.connect(intents.put_beside)
        results.runs.delete_asked.connect(self._delete)
        work.changed.connect(self._show_phase)
        work.found_training.connect(self._found)
        work.ended.connect(self._ended)
        self.runs.changed.connect(self._show_runs)
        self.faces.changed.connect(self._show_faces)
        self._workspace.session.changed.connect(self._follow)

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
    def view(self) -> TrainView:
        """How it is set."""
        return self._workspace.session.document.train

    @property
    def at_rest(self) -> bool:
        """Whether all that was asked for is shown; what a job does in the background may take hours."""
        still = self.work.phase != "looking" and not self.runs.busy and not self._reading
        return still and not self.faces.waiting and self._offered

    @property
    def going_on(self) -> bool:
        """Whether a training that is followed goes on."""
        return self.work.phase == "running"

    @property
    def settings(self) -> TrainSettings | None:
        """What the training that is shown was asked, else what is asked for."""
        if self.work.found is not None:
            return self.work.found.settings
        wanted = self.work.wish()
        return None if wanted is None else wanted.settings

    def set_smooth(self, smooth: bool) -> None:
        """Smooth between the pixels of all pictures, or show them as squares."""
        self.results.set_smooth(smooth)

    def close_threads(self) -> None:
        """Stop following and reading; a training that is running goes on."""
        self._background.close(drop=True)
        self.faces.close()
        self.runs.close()
        self.work.close()

    def stop_and_leave(self) -> None:
        """Ask the training that goes on to save its state and stop, without waiting for it."""
        wanted = self.work.wanted
        if wanted is not None:
            from latentlab.jobs.train_job import find_train_job

            job = find_train_job(Path(wanted.out))
            if job is not None:
                job.cancel()

    def look_for_running(self) -> None:
        """Look whether a training goes on that was begun earlier; if so say it, and show it here."""

        def have(found: list[TrainRun] | Message) -> None:
            if isinstance(found, Message) or not found or self.going_on:
                return
            text = GOING_ON.format(title=found[0].title)
            self._workspace.session.message.emit(Message("note", text))
            self._running_out = found[0].out
            if self._active:
                self._show_running()

        self._background.do(going_on, have, "Running trainings could not be looked for")

    def _show_running(self) -> None:
        """Show the training that was found to go on, unless it is what is asked for."""
        out, self._running_out = self._running_out, ""
        wanted = self.work.wish()
        if out and (wanted is None or wanted.out != out):
            self._intents.show(out)

    def show_document(self) -> None:
        """Show everything anew, if the screen is looked at."""
        if not self._active:
            return
        if self._running_out:
            self._show_running()
        if not self._offered:
            self._offer()
        self.work.need()
        self._show_form()
        self._show_phase()
        self._show_results()

    def show_training(self, out: str) -> None:
        """Show the training that writes into a folder."""
        wanted = settings_of(self.view)
        self._intents.show("" if out == wanted.out and not problems(self.view) else out)
        self.results.show_view("Progress")

    def start(self) -> None:
        """Begin the training that is asked for, or go on with it."""
        if not self.form.start.isEnabled():
            return
        fresh = False
        if self.work.other and not self.view.shown:
            wanted = self.work.wanted
            text = ANEW.format(out="" if wanted is None else wanted.out)
            if not dialogs.may_go_on(self, "Begin anew", text):
                return
            fresh = True
        self.work.start(fresh)
        if self.results.view == "Trainings":
            self.results.show_view("Progress")

    def give_up(self) -> None:
        """Stop the training for good, after a question."""
        if dialogs.may_go_on(self, "Cancel the training", GIVE_UP):
            self.work.give_up()

    # Showing

    def _follow(self, change: Change) -> None:
        if self._active and change.before.train != change.after.train:
            self.show_document()

    def _show_form(self) -> None:
        view = self.view
        self.form.show_view(view)
        if RECIPES[view.recipe].scope == DETECTION and "data" not in problems(view):
            values = values_of(view)
            self.faces.want(
                FacesWanted(
                    values["data"],
                    tuple(values["ratios"]),
                    values["count"],
                    values["seed"],
                    values["image_size"],
                )
            )
        else:
            self.faces.want(None)
        self._offer_sets()
        self._show_faces()

    def _show_faces(self) -> None:
        self.form.show_faces(self.faces.found, self.faces.waiting)
        self.form.show_problems(problems(self.view))
        self._show_phase()

    def _offer(self) -> None:
        """Offer what there is to choose from; configurations are read elsewhere."""

        def have(found: tuple[dict[str, str], dict[str, str]] | Message) -> None:
            self._offered = True
            if not isinstance(found, Message):
                self._models, self._predictors = found
                self._offer_sets()

        self._background.do(_checkpoints, have, "The bundled checkpoints could not be read")

    def _offer_sets(self) -> None:
        from latentlab.data.catalog import known_sets

        detection = RECIPES[self.view.recipe].scope == DETECTION
        names = ["faces"] if detection else [f"{name}:train" for name in known_sets()]
        self.form.offer({name: name for name in names}, self._models, self._predictors)

    def _show_phase(self) -> None:
        if not self._active:
            return
        work, form = self.work, self.form
        running = work.phase == "running"
        form.start.setVisible(not running)
        form.stop.setVisible(running)
        form.give_up.setVisible(running or (work.phase in ("stopped", "failed") and not work.other))
        text = {"stopped": "Resume", "failed": "Resume", "ready": "Done"}.get(work.phase, "Start")
        if work.other and not self.view.shown:
            text = "Begin anew"
        fit = (not problems(self.view) and not form.unread) or bool(self.view.shown)
        form.start.setEnabled(fit and text != "Done" and work.phase not in ("looking", "none"))
        form.start.setText(text)
        form.start.setToolTip(_START_TIPS[text])
        form.show_progress(self._said(), work.done, work.total, running or work.phase == "looking")
        if self.results.found is None:
            self.results.show_empty(self._why())

    def _said(self) -> str:
        """Say in words how the work stands."""
        work = self.work
        if work.phase == "running":
            parts = [work.message or "Starting"]
            if work.total:
                parts.append(f"{work.done / work.total:.0%}")
                rate = work.pace.rate
                if rate is not None:
                    parts.append(f"{time_words((work.total - work.done) / rate)} left")
            return ", ".join(parts)
        if work.other and not self.view.shown:
            return OTHER
        if work.phase == "failed":
            return work.message
        if work.phase == "stopped":
            return "Paused. Its state is saved, and it can go on."
        return work.message if work.phase == "idle" else ""

    def _why(self) -> str:
        """Say why nothing is shown."""
        work = self.work
        if work.phase in ("looking", "running"):
            return RUNNING if work.phase == "running" else ""
        if work.phase == "failed":
            return work.message
        return STOPPED if work.phase == "stopped" else self._purpose()

    def _purpose(self) -> str:
        return NOTHING_YET.format(purpose=RECIPES[self.view.recipe].purpose)

    def _found(self, _found: TrainFound | None) -> None:
        self._show_results()

    def _ended(self, text: str) -> None:
        self.runs.refresh()
        done = self.work.phase == "ready"
        if not self._active:
            kind = "error" if self.work.phase == "failed" else "note"
            self._workspace.session.message.emit(Message(kind, text))  # type: ignore[arg-type]
        if done:
            self._beside.clear()

    def _show_results(self) -> None:
        if not self._active:
            return
        found = self.work.found
        beside = self._read(self.view.beside) if self.view.beside else None
        if isinstance(beside, str):
            self._workspace.session.message.emit(Message("error", beside))
            self._intents.put_beside("")
            return
        if found is not None and beside is not None and beside.out == found.out:
            beside = None
        if found is None:
            self.results.beside = beside
            self.results.show_empty(self._why())
        else:
            self.results.show_trainings(found, beside)
        self._show_runs()

    def _read(self, out: str) -> TrainFound | str | None:
        """Return the training beside, or why it cannot be read; None while it is being read."""
        if out not in self._beside and out not in self._reading:
            self._reading.add(out)

            def have(found: TrainFound | str) -> None:
                self._reading.discard(out)
                self._beside[out] = found
                self._show_results()

            self.runs.read(out, have)
        return self._beside.get(out)

    def _show_runs(self) -> None:
        found = self.work.found
        shown = "" if found is None else found.out
        self.results.runs.show_runs(self.runs.runs, shown, self.view.beside)

    # Doing

    def _take(self, name: str, value: Any) -> None:
        dragged = name in ("ratios", "smoothing")
        self._intents.ask(name, value, f"train.{name}" if dragged else None)
        self._show_phase()

    def _take_out(self, out: str) -> None:
        self._intents.set(replace(self.view, out=out, shown=""), "Set where it is written")

    def _choose_folder(self, name: str) -> None:
        title = "Where it is written" if name == "out" else RECIPES[self.view.recipe].field(name).title
        path = dialogs.ask_folder(self, title)
        if path is None:
            return
        if name == "out":
            self._take_out(str(path))
        else:
            self._take(name, str(path))

    def _open_folder(self) -> None:
        if self.work.found is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self.work.found.out))

    def _open(self, asked: Any) -> None:
        """Open the trained model, and go on elsewhere."""
        model = None if self.work.found is None else self.work.found.model
        if model is not None:
            self.model_asked.emit(str(model))
            asked.emit()

    def _delete(self, run: TrainRun) -> None:
        text = (WITHOUT_OUT if is_own(run) else FROM_LIST).format(title=run.title, out=run.out)
        if dialogs.may_go_on(self, "Delete", text):
            if self.view.beside == run.out:
                self._intents.put_beside("")
            self._beside.pop(run.out, None)
            self.runs.delete(run, self.work.look_again)


def _checkpoints() -> tuple[dict[str, str], dict[str, str]]:
    """Return the bundled models that a training can set out from, and the bundled predictors."""
    from latentlab.checkpoints import locate
    from latentlab.errors import LatentLabError
    from latentlab.paths import bundled_models

    models: dict[str, str] = {}
    predictors: dict[str, str] = {}
    for name in bundled_models():
        try:
            kind = locate(name).config.kind
        except LatentLabError:
            continue
        (predictors if kind == "predictor" else models)[name] = name
    return models, predictors


def ask_to_leave_training(parent: QWidget, title: str) -> QMessageBox:
    """Return the question what becomes of a training when the window closes; it is not yet shown."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("LatentLab")
    box.setText(f"A training goes on: {title}.")
    box.setInformativeText("It can go on without the window, which finds it again at the next start.")
    box.addButton(QMessageBox.StandardButton.Yes).setText("Leave it running")
    box.addButton(QMessageBox.StandardButton.No).setText("Pause it")
    box.addButton(QMessageBox.StandardButton.Cancel).setText("Keep the window open")
    return box


def title_of_work(work: TrainWork) -> str:
    """Return what the training is called that is followed."""
    return title_of(work.found.settings) if work.found is not None else "it is being prepared"
