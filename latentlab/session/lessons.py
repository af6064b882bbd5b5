"""A lesson that is held: which step, how the session comes to be as it needs it, and what comes back after.

A step is entered as if all steps before it had just been done: what a person tried meanwhile does not change
what the next step shows. The documents that steps have led to are kept, so that going back and forth, or
beginning anew with the next class, takes no longer than an undo.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

from psygnal import Signal

from latentlab.errors import LatentLabError, SettingsError
from latentlab.session.document import CheckpointRef, Document
from latentlab.session.explore import start_in_the_middle
from latentlab.session.intents import Intents
from latentlab.session.lesson import Lesson, LessonStep, SessionStep
from latentlab.session.lesson_check import read_lesson
from latentlab.session.lesson_list import find_lesson
from latentlab.session.lesson_words.foresight import place_of_model
from latentlab.session.lesson_words.vocabulary import word_of
from latentlab.session.lesson_words.word import Stage
from latentlab.session.session import Change, Message
from latentlab.session.workspace import Workspace

NOT_OPENED = "The picture was not opened."
SCREEN, BEGIN = "screen", "begin"
"""The words that are the window's."""
NO_MODEL = "The model was not opened."
STAYS = "What you have worked on during the lesson stays. Undo leads back to what was open before it."
AWAITED = {"open": NO_MODEL, "sample": NOT_OPENED, "picture": NOT_OPENED}
"""The words whose answer comes later, and what is said where none came."""


class Lessons:
    """The lesson that is open on a workspace, if one is.

    Attributes
    ----------
    changed
        Another lesson or step, or whether the session is being set, or an answer is shown.
    look
        Show a screen (`str`) and a view of it (`str`, empty for the one that it shows).
    begin
        Begin what that screen's own button begins, as it is set: ``search``, ``study`` or ``many``. What is
        there or on its way already is left.
    lesson, place
        None where none is open; the place of its step, from 0.
    underway
        Whether the session is still being set.
    failure
        Why it could not be set as the step needs it; empty otherwise.
    moved_on
        Whether a person works on something else since, which stays when the lesson is closed.
    """

    changed = Signal()
    look = Signal(str, str)
    begin = Signal(str)

    def __init__(self, workspace: Workspace, intents: Intents) -> None:
        self._workspace, self._intents = workspace, intents
        self.lesson: Lesson | None = None
        self.place = 0
        self.underway = False
        self.failure = ""
        self.moved_on = False
        self._models: frozenset[Path] = frozenset()
        self._outside = False  # undone as far as what was open before the lesson
        self._shown: set[tuple[int, int]] = set()
        self._begun: set[int] = set()
        self._kept: Document | None = None
        self._keeps = False
        self._before: Document | None = None
        self._made: dict[int, Document] = {}
        self._plan: deque[Callable[[], None]] = deque()
        self._errors: list[str] | None = None  # of what is being done; None while that is nothing
        self._called = False
        workspace.rested.connect(self._call)
        workspace.session.message.connect(self._hear)
        workspace.session.changed.connect(self._follow)
        workspace.session_opened.connect(lambda _saved: self._move_on())

    @property
    def step(self) -> LessonStep | None:
        """The step that is shown, None where no lesson is open."""
        return None if self.lesson is None else self.lesson.steps[self.place]

    @property
    def is_first(self) -> bool:
        """Whether there is no step before this one."""
        return self.place == 0

    @property
    def is_last(self) -> bool:
        """Whether there is no step after this one."""
        return self.lesson is None or self.place == len(self.lesson.steps) - 1

    # What a person asks

    def open(self, lesson: Lesson | str, place: int = 0) -> bool:
        """Open a lesson at a step; return whether it can be held, else a message says what is wrong with it.

        Parameters
        ----------
        lesson
            One of the list, or a bundled one's name, or the path of its file, which is read anew.
        place
            The step's, from 0; one that is too large is the last.
        """
        try:
            found = read_lesson(lesson.path if isinstance(lesson, Lesson) else find_lesson(lesson))
        except LatentLabError as error:
            self._workspace.session.message.emit(Message("error", str(error)))
            return False
        self.lesson, self._models = found, _models_of(found)
        self._made.clear()
        self._shown.clear()
        self._begun.clear()
        self._enter(min(max(0, place), len(found.steps) - 1))
        return True

    def next(self) -> None:
        """Go on to the next step."""
        if not self.is_last:
            self.go(self.place + 1)

    def back(self) -> None:
        """Go back to the step before."""
        if not self.is_first:
            self.go(self.place - 1)

    def go(self, place: int) -> None:
        """Enter a step, as if the steps before it had just been done."""
        if self.lesson is not None and 0 <= place < len(self.lesson.steps):
            self._enter(place)

    def again(self) -> None:
        """Set the session once more as this step has it."""
        self.go(self.place)

    def reset(self) -> None:
        """Begin anew, as for the next class: the first step, no answer shown."""
        self._shown.clear()
        self._begun.clear()
        self.go(0)

    def close(self) -> None:
        """Close the lesson: what was open before it comes back, unless a person has moved on."""
        if self.lesson is None:
            return
        title, self.lesson, self.place, self.failure = self.lesson.title, None, 0, ""
        if self.moved_on:
            self._workspace.session.message.emit(Message("note", STAYS))
        self._made.clear()
        self._begin_plan([partial(self._return, f"Close the lesson {title}"), self._end])

    # Answers

    def is_shown(self, number: int) -> bool:
        """Whether the answer to the step's question of that number, from 0, is shown."""
        return (self.place, number) in self._shown

    def show_answer(self, number: int, shown: bool = True) -> None:
        """Show an answer, or hide it again."""
        key = (self.place, number)
        if shown != (key in self._shown):
            (self._shown.add if shown else self._shown.discard)(key)
            self.changed.emit()

    # Setting the session

    def _enter(self, place: int) -> None:
        """Plan how the session comes to be as a step has it, and begin with that."""
        assert self.lesson is not None
        steps = self.lesson.steps
        self.place, self.failure = place, ""
        known = max((k for k in self._made if k <= place), default=-1)
        plan: list[Callable[[], None]] = [self._keep]
        if known >= 0:
            plan.append(partial(self._put_back, known))
        elif any(one.session for one in steps[: place + 1]):
            plan.append(self._clear)
        else:  # nothing is set yet
            plan.append(partial(self._return, self._name))
        stage = Stage(self._workspace, self._intents, Path(self.lesson.path.parent))
        for k in range(known + 1, place + 1):
            plan.extend(partial(self._do, stage, one) for one in steps[k].session)
            plan.append(partial(self._note, k))
        self._begin_plan([*plan, self._arrive])

    def _begin_plan(self, plan: list[Callable[[], None]]) -> None:
        self._plan = deque(plan)
        self._errors = None
        self.underway = True
        self.changed.emit()
        self._call()

    def _call(self) -> None:
        """Go on soon: what has just come is then told to everybody."""
        if self._plan and not self._called:
            self._called = True
            self._workspace.rendering.post(self._go_on)

    def _go_on(self) -> None:
        """Do what comes next, as long as nothing has to be waited for."""
        self._called = False
        while self._plan and self._workspace.at_rest:
            step = self._plan.popleft()
            try:
                step()
            except LatentLabError as error:
                self._fail(str(error))
                return

    def _hear(self, message: Message) -> None:
        if message.kind == "error" and self._errors is not None:
            self._errors.append(message.text)

    def _fail(self, why: str) -> None:
        self._plan.clear()
        self._errors = None
        if self.lesson is None:
            self._end()
            return
        self._fold()
        self.failure = f"The session could not be set as this step needs it. {why}"
        self._show()

    # Each within the plan

    def _keep(self) -> None:
        """Keep what was open before the lesson: it comes back when that is closed."""
        document, self._outside = self._workspace.session.document, False
        if self._before is None:  # else a step that was not waited for is part of this one
            self._before = document
        if not self._keeps:
            self.moved_on = False
            self._keeps, self._kept = True, document if document.checkpoint is not None else None
            # What nobody has worked on yet must not replace the last session.
            worked = len(self._workspace.session.history) > 0
            self._workspace.keep(document if worked else Document())

    def _put_back(self, place: int) -> None:
        self._return_to(self._made[place], self._name)

    def _return(self, name: str) -> None:
        if self._kept is not None:
            self._return_to(self._kept, name)

    def _return_to(self, document: Document, name: str) -> None:
        self._errors = []
        self._workspace.put_back(document, name)
        self._plan.appendleft(partial(self._expect_model, document))

    def _clear(self) -> None:
        """Let a lesson begin alike, whatever was open: nothing put aside, no picture, nothing set."""
        session, opened = self._workspace.session, self._workspace.opened
        if opened is not None and self._workspace.in_step:
            document = session.document
            explore = start_in_the_middle(opened.spec)
            session.change(self._name, Document(document.checkpoint, explore, document.threads))

    def _do(self, stage: Stage, step: SessionStep) -> None:
        word = word_of(step.name)
        self._errors = []
        if word.do is not None:
            word.do(stage, step.arguments)
        awaited = AWAITED.get(word.name) if not self._workspace.at_rest else None
        if awaited is None:
            self._plan.appendleft(self._expect_no_error)
        else:
            self._plan.appendleft(partial(self._expect, awaited, self._workspace.session.document))

    def _expect_no_error(self) -> None:
        errors, self._errors = self._errors, None
        if errors:
            raise SettingsError(errors[0])

    def _expect(self, missing: str, before: Document) -> None:
        """Make sure that what was asked for has come: a person may have stopped it."""
        errors, self._errors = self._errors, None
        if self._workspace.session.document is before:
            raise SettingsError(errors[0] if errors else missing)

    def _expect_model(self, document: Document) -> None:
        """Make sure that the model of a document that was put back is open again."""
        errors, self._errors = self._errors, None
        if self._workspace.session.document.checkpoint != document.checkpoint:
            raise SettingsError(errors[0] if errors else NO_MODEL)

    def _note(self, place: int) -> None:
        self._made[place] = self._workspace.session.document

    def _arrive(self) -> None:
        self._fold()
        self._show()

    def _fold(self) -> None:
        """Make one step for undo of all that was done."""
        if self._before is not None:
            self._workspace.session.fold(self._before, self._name)
            self._before = None

    def _show(self) -> None:
        """Tell that the step is there, and let the window show and begin what belongs to it."""
        self.underway = False
        self.changed.emit()
        assert self.lesson is not None
        steps = self.lesson.steps[: self.place + 1]
        done = [(place, one) for place, step in enumerate(steps) for one in step.session]
        screens = [one.arguments for _, one in done if one.name == SCREEN]
        if screens:
            self.look.emit(str(screens[-1]["name"]), str(screens[-1].get("view", "")))
        place, last = next((one for one in reversed(done) if one[1].name != SCREEN), (0, None))
        # What a person has stopped is not begun again by going on, only by coming back to the step itself.
        if (
            last is None
            or last.name != BEGIN
            or self.failure
            or (place < self.place and place in self._begun)
        ):
            return
        self._begun.add(place)
        self.begin.emit(str(last.arguments["what"]))

    def _end(self) -> None:
        self._before, self._kept, self._keeps, self.underway = None, None, False, False
        self.moved_on = False
        self.changed.emit()

    def _follow(self, change: Change) -> None:
        """Keep what a person works on for the case of a crash, from the first change after a lesson on."""
        if change.way == "restart" and self._before is not None:
            self._before = change.after  # the first model that is opened leaves no step behind it
        if self.underway:
            return
        if self.lesson is None:
            self._workspace.keep(None)
        elif change.way in ("undo", "redo"):
            if change.after is self._kept or change.before is self._kept:
                self._outside = change.after is self._kept or change.way == "undo"
        elif self._outside or not self._opens(change.after.checkpoint):
            self._move_on()

    def _move_on(self) -> None:
        """Let what a person works on beside a lesson stay: it is the session now, also for a crash."""
        if self.lesson is not None and not self.underway:
            self._kept, self._keeps, self.moved_on, self._outside = None, False, True, False
            self._workspace.keep(None)

    def _opens(self, reference: CheckpointRef | None) -> bool:
        """Whether a model is one that the lesson opens itself: trying that is part of the lesson."""
        return reference is None or Path(reference.path).resolve() in self._models

    @property
    def _name(self) -> str:
        """What a step is called for undo."""
        assert self.lesson is not None
        return f"Lesson {self.lesson.title}, step {self.place + 1}"


def _models_of(lesson: Lesson) -> frozenset[Path]:
    """Return where the models lie that a lesson opens."""
    sessions = [one for step in lesson.steps for one in step.session]
    names = [str(one.arguments["model"]) for one in sessions if one.name == "open"]
    return frozenset(Path(place_of_model(lesson.path.parent, name)).resolve() for name in names)
