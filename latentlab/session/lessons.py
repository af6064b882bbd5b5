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
from latentlab.session.document import Document
from latentlab.session.explore import start_in_the_middle
from latentlab.session.intents import Intents
from latentlab.session.lesson import Lesson, LessonStep, SessionStep
from latentlab.session.lesson_check import read_lesson
from latentlab.session.lesson_list import find_lesson
from latentlab.session.lesson_words.vocabulary import word_of
from latentlab.session.lesson_words.word import Stage
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace

NOT_OPENED = "The picture was not opened."
SCREEN, BEGIN = "screen", "begin"
"""The words that are the window's."""
AWAITED = {"open": "The model was not opened.", "sample": NOT_OPENED, "picture": NOT_OPENED}
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
        self._shown: set[tuple[int, int]] = set()
        self._begun: set[int] = set()
        self._kept: Document | None = None
        self._keeps = False
        self._before = workspace.session.document
        self._made: dict[int, Document] = {}
        self._plan: deque[Callable[[], None]] = deque()
        self._errors: list[str] = []
        self._called = False
        workspace.rested.connect(self._call)
        workspace.session.message.connect(self._hear)

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
        self.lesson = found
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
        self.go(0)

    def close(self) -> None:
        """Close the lesson: what was open before it comes back."""
        if self.lesson is None:
            return
        title, self.lesson, self.place, self.failure = self.lesson.title, None, 0, ""
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
        self._errors.clear()
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
            if self._errors and self.lesson is not None:
                self._fail(self._errors[0])
                return
            step = self._plan.popleft()
            try:
                step()
            except LatentLabError as error:
                self._fail(str(error))
                return

    def _hear(self, message: Message) -> None:
        if message.kind == "error" and self.underway:
            self._errors.append(message.text)

    def _fail(self, why: str) -> None:
        self._plan.clear()
        if self.lesson is None:
            self._end()
            return
        self.failure = f"The session could not be set as this step needs it. {why}"
        self._show()

    # Each within the plan

    def _keep(self) -> None:
        """Keep what was open before the lesson: it comes back when that is closed."""
        document = self._before = self._workspace.session.document
        if not self._keeps:
            self._keeps, self._kept = True, document if document.checkpoint is not None else None
            self._workspace.keep(self._kept)

    def _put_back(self, place: int) -> None:
        self._workspace.put_back(self._made[place], self._name)

    def _return(self, name: str) -> None:
        if self._kept is not None:
            self._workspace.put_back(self._kept, name)

    def _clear(self) -> None:
        """Let a lesson begin alike, whatever was open: nothing put aside, no picture, nothing set."""
        session, opened = self._workspace.session, self._workspace.opened
        if opened is not None and self._workspace.in_step:
            document = session.document
            explore = start_in_the_middle(opened.spec)
            session.change(self._name, Document(document.checkpoint, explore, document.threads))

    def _do(self, stage: Stage, step: SessionStep) -> None:
        word = word_of(step.name)
        if word.do is not None:
            word.do(stage, step.arguments)
        if word.name in AWAITED and not self._workspace.at_rest:
            self._plan.appendleft(partial(self._await, word.name, self._workspace.session.document))

    def _await(self, word: str, before: Document) -> None:
        """Make sure that what was asked for has come: a person may have stopped it."""
        if self._workspace.session.document is before:
            raise SettingsError(AWAITED[word])

    def _note(self, place: int) -> None:
        self._made[place] = self._workspace.session.document

    def _arrive(self) -> None:
        self._workspace.session.fold(self._before, self._name)
        self._show()

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
        self._kept, self._keeps, self.underway = None, False, False
        self._workspace.keep(None)
        self.changed.emit()

    @property
    def _name(self) -> str:
        """What a step is called for undo."""
        assert self.lesson is not None
        return f"Lesson {self.lesson.title}, step {self.place + 1}"
