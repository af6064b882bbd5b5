"""Lets lessons drive the window: the list, the pane beside the screens, what a step shows and begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from latentlab.session.background import Background
from latentlab.session.followed import Followed
from latentlab.session.job_follower import Following
from latentlab.session.lesson import Figure, Hint, Lesson, LessonStep
from latentlab.session.lesson_figure import LessonFigure
from latentlab.session.lesson_list import bundled_lessons
from latentlab.session.lesson_words import condition
from latentlab.session.lessons import Lessons
from latentlab.session.search_wanted import SearchWanted
from latentlab.session.search_work import SearchAside
from latentlab.ui.presenter import Presenter
from latentlab.ui.widgets.latent_panel import CONDITION, DIMENSIONS, DIRECTIONS
from latentlab.ui.widgets.lesson_frame import LessonFrame
from latentlab.ui.widgets.lesson_pane import LessonBar, LessonPane

if TYPE_CHECKING:
    from latentlab.ui.main_window import MainWindow

PREPARED = 1000
"""Milliseconds after the first painting until what figures need is imported."""
POLL, MOST_TRIES = 50, 100
"""Milliseconds between looks whether a screen is ready for what a step begins, and how often one that is at
rest is asked."""
NO_LESSON, NO_QUESTION = "No lesson is open.", "This step asks no question."
FIRST, LAST = "This is the first step.", "This is the last step."


class LessonGuide(QObject):
    """What the window and the lessons know of one another.

    ``taken_changed`` tells that the screens have another width than before.

    Parameters
    ----------
    screens
        What shows the screens; the guide's ``frame`` holds it and the pane.
    """

    taken_changed = Signal()

    def __init__(self, window: MainWindow, screens: QWidget) -> None:
        super().__init__(window)
        self._window = window
        workspace, actions = window.workspace, window.actions_table
        self.lessons = Lessons(workspace, window.explore.intents)
        self._background = Background(workspace.rendering.post, "lesson-figure")
        self._figures: dict[tuple[Path, int, int], LessonFigure] = {}
        self._entered: tuple[Lesson, int] | None = None
        self._large = False
        self._folded = False
        self._before = ("", "")
        self._looked: tuple[str, str] | None = None
        self._begin_later: Callable[[], bool] | None = None
        self._tries = 0
        self._begun: list[Following] = []  # by the lesson, not by a person
        self._searched: SearchWanted | None = None  # by the lesson too
        self._aside: SearchAside | None = None  # what was found before the lesson
        names = ("lesson_next", "lesson_back", "lesson_again", "lesson_fold", "lesson_close", "presenter")
        chosen = {name: actions[name] for name in names}
        self.pane = LessonPane(chosen, window.theme)
        self.bar = LessonBar(chosen)
        self.frame = LessonFrame(screens, self.pane, self.bar)
        self.presenter = Presenter(window)
        self._poll = QTimer(self)
        self._poll.setInterval(POLL)
        self._poll.timeout.connect(self._try_to_begin)
        self._preparing = QTimer(self)
        self._preparing.setSingleShot(True)
        self._preparing.setInterval(PREPARED)
        self._preparing.timeout.connect(self._prepare)
        self.screen = window.lessons
        self.screen.show_lessons(*bundled_lessons())
        self.screen.lesson_chosen.connect(self.open)
        self.screen.figure.list_asked.connect(lambda: self.enlarge(False))
        self.pane.step_asked.connect(self.lessons.go)
        self.pane.answer_asked.connect(self.lessons.show_answer)
        self.pane.enlarge_asked.connect(self.enlarge)
        self.lessons.changed.connect(self._show)
        self.lessons.look.connect(self._look)
        self.lessons.begin.connect(self._begin)
        self._show()

    @property
    def at_rest(self) -> bool:
        """Whether the step's screen is set, what it begins has been begun, and its figures are drawn."""
        step = self.lessons.step
        figures = self._figures_of(step).values() if step is not None else ()
        return not self.lessons.underway and self._begin_later is None and all(one.at_rest for one in figures)

    @property
    def figure(self) -> LessonFigure | None:
        """The first figure of the step, None where it has none."""
        step = self.lessons.step
        return None if step is None else next(iter(self._figures_of(step).values()), None)

    @property
    def needs_panels(self) -> bool:
        """Whether the panels are wanted while one presents: there is room, and something is to be tried."""
        step = self.lessons.step
        if step is None:
            return True
        return self.frame.beside and any(isinstance(part, Hint) and part.kind == "try" for part in step.parts)

    # What a person asks

    def open(self, lesson: Lesson | str, place: int = 0) -> None:
        """Open a lesson (also by its name or file) at a step; the one that is open goes on."""
        now = self.lessons.lesson
        same = now is not None and isinstance(lesson, Lesson) and lesson.path == now.path
        if same and not place:
            self._look_again()
            return
        former = self._figures, self._entered, self._folded, self._before
        if now is None:
            self._before = self._window.screen_name, self._window.explore.view
        self._figures, self._entered, self._folded = {}, None, False
        if not self.lessons.open(lesson, place):
            self._figures, self._entered, self._folded, self._before = former
        elif now is None:
            work = self._window.search.work
            self._aside = None if work.underway or work.found is None else work.aside()
        elif self.lessons.lesson is None or self.lessons.lesson.path != now.path:
            self._end_begun()

    def open_file(self) -> None:
        """Open a lesson's file."""
        path, _ = QFileDialog.getOpenFileName(
            self._window, "Open lesson", "", "Lessons (*.md);;All files (*)"
        )
        if path:
            self.open(path)

    def next(self) -> None:
        """Go on; while one presents, an answer that is covered is uncovered first."""
        hidden = self._covered()
        if self.presenter.on and hidden is not None:
            self.lessons.show_answer(hidden)
        else:
            self.lessons.next()

    def answer(self) -> None:
        """Uncover the first answer that is covered; cover all again where none is."""
        hidden, step = self._covered(), self.lessons.step
        if hidden is not None:
            self.lessons.show_answer(hidden)
        elif step is not None:
            for number in range(len(step.questions)):
                self.lessons.show_answer(number, False)

    def reset(self) -> None:
        """Begin anew, as for the next class; figures as the lesson sets them."""
        for figure in self._figures.values():
            figure.reset()
        self._drop_search()  # the next class sees it search, too
        self.lessons.reset()

    def fold(self, folded: bool) -> None:
        """Fold the lesson away, or show it in full."""
        self._folded = folded
        self._show()

    def enlarge(self, large: bool) -> None:
        """Show the step's figure large on the Lessons screen, or not."""
        self._large = large and self.figure is not None
        self.screen.show_figure(self.figure if self._large else None)
        if self._large:
            self._folded = self._folded or not self.frame.beside
            self._window.show_screen(self.screen.name)
        self._show()

    def close(self) -> None:
        """Stop what works in the background, also what a lesson has begun."""
        self._poll.stop()
        self._preparing.stop()
        self._end_begun()
        self._background.close(drop=True)

    def prepare_later(self) -> None:
        """Have imported what figures need, soon, before anybody opens a lesson."""
        self._preparing.start()

    def _prepare(self) -> None:
        self._background.do(_import_experiments, lambda _done: None, "Figures could not be prepared")

    # Showing

    def _show(self) -> None:
        lesson, place = self.lessons.lesson, self.lessons.place
        actions, step = self._window.actions_table, self.lessons.step
        first, last = self.lessons.is_first, self.lessons.is_last
        asks = step is not None and bool(step.questions)
        actions.hinder(
            {
                "lesson_next": NO_LESSON if lesson is None else LAST if last and not self._is_covered else "",
                "lesson_back": NO_LESSON if lesson is None else FIRST if first else "",
                "lesson_answer": NO_LESSON if lesson is None else "" if asks else NO_QUESTION,
                **dict.fromkeys(_OF_A_LESSON, "" if lesson is not None else NO_LESSON),
            }
        )
        actions["lesson_fold"].setChecked(self._folded)
        if lesson is None or step is None:
            if self._entered is not None:
                self._leave()
            if self._aside is not None and not self.lessons.underway:
                search, aside, self._aside = self._window.search, self._aside, None
                if search.work.found is None and not search.work.underway:
                    search.put_back(aside)
            self.frame.show_lesson(False)
            self.taken_changed.emit()
            return
        if self._entered != (lesson, place):
            self._enter(lesson, place, step)
        shown = frozenset(k for k in range(len(step.questions)) if self.lessons.is_shown(k))
        self.pane.show_state(self.lessons.underway, self.lessons.failure, shown, self._large)
        self.frame.show_lesson(True, self._folded)
        self.taken_changed.emit()

    def _enter(self, lesson: Lesson, place: int, step: LessonStep) -> None:
        """Show another step, before the session is as it needs it."""
        other = self._entered is None or self._entered[0] != lesson
        self._entered = lesson, place
        self._begin_later = None
        self._poll.stop()
        figures = self._figures_of(step)
        for figure in figures.values():
            figure.need()
        self.pane.show_step(lesson, place, figures)
        self.bar.show_step(lesson, place)
        if other:
            self.screen.show_current(lesson)
        large = bool(figures) and not step.session and self.frame.beside
        if self._large or large:
            self.enlarge(large)
        if self.presenter.on:
            self.presenter.show_panels(self.needs_panels)
            self.presenter.arrange()

    def _leave(self) -> None:
        """Show what was looked at before the lesson."""
        self._entered = self._looked = None
        self._large = self._folded = False
        self._begin_later = None
        self._poll.stop()
        self._figures.clear()
        self.pane.show_nothing()
        self.screen.show_figure(None)
        self.screen.show_current(None)
        self._end_begun()
        screen, view = self._before
        on_list = self._window.screen_name == screen == self.screen.name
        if not on_list and not self.lessons.moved_on:
            self._window.show_screen(screen)
            self._window.explore.show_view(view)
        self.presenter.arrange()

    def _look(self, screen: str, view: str) -> None:
        self._looked = screen, view
        if self._large:
            return  # the figure is what the step is about
        window = self._window
        window.show_screen(screen)
        if screen == window.explore.name:
            self._show_what_is_set()
        if view and screen == window.explore.name:
            window.explore.show_view(view)
        elif view and screen == window.analogies.name:
            window.analogies.show_view(view)

    def _show_what_is_set(self) -> None:
        """Bring to the front what was set last: the class sees the slider that has moved."""
        lesson = self.lessons.lesson
        steps = () if lesson is None else lesson.steps[: self.lessons.place + 1]
        names = [one.name for step in steps for one in step.session]
        page = next((_PAGES[name] for name in reversed(names) if name in _PAGES), None)
        if page is not None:
            self._window.explore.panel.show_page(page)

    def _look_again(self) -> None:
        """Show the screen of the step that is open."""
        if self._large:
            self.enlarge(True)
        elif self._looked is not None:
            self._look(*self._looked)

    def _figures_of(self, step: LessonStep) -> dict[int, LessonFigure]:
        lesson, place = self.lessons.lesson, self.lessons.place
        assert lesson is not None
        found = {}
        for number, part in enumerate(step.parts):
            if isinstance(part, Figure):
                key = lesson.path, place, number
                if key not in self._figures:
                    self._figures[key] = LessonFigure(part, self._background)
                found[number] = self._figures[key]
        return found

    @property
    def _is_covered(self) -> bool:
        return self.presenter.on and self._covered() is not None

    def _covered(self) -> int | None:
        """Return the number of the first question of the step whose answer is covered."""
        step = self.lessons.step
        asked = range(len(step.questions)) if step is not None else ()
        return next((k for k in asked if not self.lessons.is_shown(k)), None)

    # Beginning what a step begins

    def _begin(self, what: str) -> None:
        """Begin a search, a study or a projection of many, as soon as its screen is ready for it."""
        self._begin_later = {"search": self._search, "study": self._study, "many": self._many}[what]
        self._tries = 0
        self._poll.start()

    def _try_to_begin(self) -> None:
        window, begin = self._window, self._begin_later
        if begin is None or not (window.workspace.at_rest and window.screens[window.screen_name].at_rest):
            return
        self._tries += 1
        if begin() or self._tries >= MOST_TRIES:
            self._begin_later = None
            self._poll.stop()

    def _search(self) -> bool:
        search = self._window.search
        if search.work.underway or search.found is not None:
            return True
        before = search.work.wanted
        search.start()
        begun = search.work.wanted is not before
        if begun:
            self._searched = search.work.wanted
        return begun

    def _study(self) -> bool:
        audit = self._window.audit
        if audit.data.phase in ("idle", "stopped", "failed") and audit.study is None:
            audit.start()
            self._note_begun(audit.data)
        return True

    def _many(self) -> bool:
        many = self._window.analogies.many
        if many.data.phase in ("idle", "stopped", "failed"):
            many.data.start()
            self._note_begun(many.data)
        return True

    def _note_begun(self, work: Followed) -> None:
        if work.phase == "running" and work.following is not None:
            self._begun.append(work.following)

    def _end_begun(self) -> None:
        """Stop what a lesson has begun; what a person had begun before goes on."""
        for following in self._begun:
            if not following.cancelled:
                following.cancel()
        self._begun.clear()
        self._drop_search()

    def _drop_search(self) -> None:
        """Forget the search if it is the lesson's, not a person's."""
        work = self._window.search.work
        if self._searched is not None and work.wanted is self._searched:
            work.drop()
        self._searched = None


def _import_experiments() -> None:
    from latentlab.audit.experiments.catalog import NAMES, experiment  # scipy comes with them

    for name in NAMES:
        experiment(name)


_PAGES = {
    "open": DIMENSIONS,
    "slide": DIMENSIONS,
    "direction": DIRECTIONS,
    "along": DIRECTIONS,
    **{word.name: CONDITION for word in condition.WORDS},
}
"""The page of Explore's panel that shows what a word sets."""
_OF_A_LESSON = ("lesson_again", "lesson_reset", "lesson_fold", "lesson_close")
