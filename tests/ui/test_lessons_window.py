"""Lessons by hand: chosen, gone through, presented, left; figures moved, saved and copied."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Driver
from hands import LEFT, error_of
from job_threads import jobs_in_threads
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QSlider

from latentlab.jobs.job import Job
from latentlab.paths import runs_directory
from latentlab.session.lesson_check import read_lesson
from latentlab.session.recents import look
from latentlab.ui.theme import FONT_PIXELS
from latentlab.ui.widgets.latent_panel import CONDITION, DIMENSIONS, PINS

LESSON = """---
title: A small lesson
order: 1
minutes: 2
summary: What a small model does.
needs: []
---
What this is **about**.

## A model

Read [the paper](https://example.org/paper) at leisure.

```session
- open: {model}
- screen: {{name: explore, view: grid}}
- randomise: {{seed: 3}}
```

**Try:** Move a slider.

```question
What moves?
```
```answer
The *picture*.
```

## On paper

A figure whose truth is known.

```figure
experiment: truncation
share: 0.2
```

```question
How many are left?
```
```answer
Few.
```

## Changed

Another screen.

```session
- screen: counterfactuals
- slide: {{dimension: 1, to: 2.0}}
```

## What this does not show

Anything of people.
"""


class Room:
    """A window in which a lesson is held."""

    def __init__(self, driver: Driver, path: Path) -> None:
        self.driver, self.window, self.path = driver, driver.window, path
        self.guide, self.pane = driver.window.guide, driver.window.guide.pane
        self.lessons = self.guide.lessons

    def rest(self) -> None:
        self.driver.wait(lambda: self.guide.at_rest and self.driver.workspace.at_rest)

    def do(self, action: str) -> None:
        assert self.window.actions_table[action].isEnabled(), action
        self.window.actions_table[action].trigger()
        self.rest()

    def click(self, button: QAbstractButton) -> None:
        self.driver.qtbot.mouseClick(button, LEFT)
        self.rest()

    def key(self, key: Qt.Key) -> None:
        self.driver.qtbot.keyClick(self.window, key)
        self.rest()

    @property
    def document(self):
        return self.driver.workspace.session.document


@pytest.fixture
def room(driver: Driver, tiny_cvae_folder: Path, tmp_path: Path) -> Room:
    """The window with the tiny model and a face, and a lesson on the tiny conditional model."""
    path = tmp_path / "small-lesson.md"
    path.write_text(LESSON.format(model=tiny_cvae_folder), encoding="utf-8")
    driver.window.activateWindow()
    driver.wait(driver.window.isActiveWindow)
    return Room(driver, path)


@pytest.fixture
def held(room: Room) -> Room:
    """The lesson is open at its first step."""
    room.guide.open(str(room.path))
    room.rest()
    return room


def test_a_lesson_drives_the_screens_and_what_was_open_comes_back(room: Room) -> None:
    window, before = room.window, room.document
    window.show_screen("lessons")
    window.lessons.show_lessons([read_lesson(room.path)], ["other.md, line 4: nothing"])
    tile = window.lessons.tiles[0]
    assert tile.accessibleName() == "A small lesson, 2 minutes"
    assert "line 4" in window.lessons.faults.text()
    tile.setFocus()
    room.driver.qtbot.keyClick(tile, Qt.Key.Key_Space)
    room.rest()
    assert window.screen_name == "explore"
    assert window.explore.view == "grid"
    assert room.driver.workspace.opened.spec.family == "cvae"
    assert room.document.explore.seed == 3
    assert room.pane.title.text() == "A model"
    assert "Open now" in tile.number.text()
    assert room.pane.steps.text() == "Step 1 of 4"
    assert not room.pane.back.isEnabled()

    room.click(room.pane.next)
    room.click(room.pane.next)
    assert window.screen_name == "counterfactuals"
    assert room.driver.latent[1] == pytest.approx(2.0)
    room.driver.workspace.explore.move(1, -1.0)
    room.do("lesson_again")
    assert room.driver.latent[1] == pytest.approx(2.0)
    room.click(room.pane.next)
    assert room.pane.next.text() == "Finish"
    assert not window.actions_table["lesson_next"].isEnabled()
    room.click(room.pane.next)
    assert room.lessons.lesson is None
    room.rest()
    assert window.screen_name == "lessons", "where it was chosen"
    assert room.document.explore.source is before.explore.source
    assert room.document.checkpoint == before.checkpoint
    assert not room.guide.frame.open
    assert not window.actions_table["lesson_next"].isEnabled()


def test_the_answer_comes_after_the_question_and_is_covered_for_the_next_class(held: Room) -> None:
    question = held.pane.questions[0]
    assert not question.answer.isVisible()
    held.click(question.button)
    assert question.answer.isVisible()
    assert "picture" in question.answer.toPlainText()
    assert question.button.text() == "Hide the answer"
    held.do("lesson_next")
    held.do("lesson_back")
    assert held.pane.questions[0].answer.isVisible(), "it stays as one goes on"
    held.do("lesson_answer")
    assert not held.pane.questions[0].answer.isVisible(), "none is covered, so all are covered again"
    held.do("lesson_answer")
    held.do("lesson_next")
    held.do("lesson_reset")
    assert held.lessons.place == 0
    assert not held.pane.questions[0].answer.isVisible()


def test_a_figure_is_moved_reset_saved_and_copied(held: Room, tmp_path: Path) -> None:
    window, qtbot = held.window, held.driver.qtbot
    held.do("lesson_next")
    assert window.screen_name == "lessons", "a step of a figure alone shows it large"
    view, figure = window.lessons.figure, held.guide.figure
    assert figure.values["share"] == 0.2
    first = figure.made
    row = view.rows.rows["share"]
    row.slider.setFocus()
    qtbot.keyClick(row.slider, Qt.Key.Key_Right)
    held.rest()
    assert 0.2 < figure.values["share"] < 0.3
    assert row.box.value() == pytest.approx(100 * figure.values["share"])
    assert figure.made is not first
    assert [one.shown.chart for one in view.columns.charts] == list(figure.made.charts)
    row.box.setFocus()
    row.box.selectAll()
    qtbot.keyClicks(row.box, "33")
    qtbot.keyClick(row.box, Qt.Key.Key_Return)
    held.rest()
    assert figure.made.values["share"] == pytest.approx(0.33)
    held.click(view.buttons.again)
    assert figure.made.seed == 1

    exports = window.lesson_exports
    for name, write in (("f.png", exports.picture), ("f.svg", exports.figure), ("f.csv", exports.table)):
        write(tmp_path / name)
        held.driver.wait((tmp_path / name).is_file)
    with (tmp_path / "f.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(figure.made.rows)
    assert not error_of(held.driver)
    held.do("copy_python")
    program = QApplication.clipboard().text()
    assert "truncation" in program
    assert "0.33" in program
    compile(program, "copied", "exec")

    held.click(view.buttons.reset)
    assert figure.made.values["share"] == 0.2
    assert not view.buttons.reset.isEnabled()
    held.click(held.pane.figures[0].enlarge)
    card = held.pane.figures[0]
    assert card.chart.isVisible()
    assert not window.lessons.shows_figure
    card.rows.rows["share"].slider.setFocus()
    qtbot.keyClick(card.rows.rows["share"].slider, Qt.Key.Key_Delete)
    held.rest()
    exports.table(tmp_path / "list.csv")
    held.driver.wait((tmp_path / "list.csv").is_file)
    held.do("copy_python")
    assert "lesson_paths()" in QApplication.clipboard().text()


def test_a_class_is_shown_large_letters_by_a_clicker(held: Room) -> None:
    window = held.window
    for shown in (False, True):
        held.do("panels")
        assert window.explore.panel.isVisible() is shown
    held.do("presenter")
    assert not window.menuBar().isVisible()
    assert not window.header.isVisible()
    assert not window.rail.isVisible()
    assert held.pane.next.font().pixelSize() > FONT_PIXELS
    assert window.explore.panel.seed.font().pixelSize() > FONT_PIXELS, "those with a font of their own too"
    text = held.pane.questions[0].text
    assert text.document().defaultFont().pixelSize() > held.pane.next.font().pixelSize()
    assert window.explore.panel.isVisible(), "something is to be tried on it"
    held.key(Qt.Key.Key_PageDown)
    assert held.lessons.place == 0
    assert held.pane.questions[0].answer.isVisible(), "the answer comes before the next step"
    held.key(Qt.Key.Key_PageDown)
    held.key(Qt.Key.Key_PageDown)
    held.key(Qt.Key.Key_PageDown)
    assert held.lessons.place == 2
    assert not window.explore.panel.isVisibleTo(window.explore)
    held.do("panels")
    assert window.explore.panel.isVisibleTo(window.explore)
    held.key(Qt.Key.Key_PageUp)
    assert held.lessons.place == 1
    held.key(Qt.Key.Key_Escape)
    assert window.menuBar().isVisible()
    assert window.rail.isVisible()
    assert held.pane.next.font().pixelSize() == FONT_PIXELS
    assert window.explore.panel.seed.font().pixelSize() == FONT_PIXELS
    held.key(Qt.Key.Key_PageDown)
    assert held.lessons.place == 1, "the page keys belong to the lists again"


def test_a_small_window_lays_the_lesson_over_the_screen_and_folds_it(held: Room) -> None:
    window, frame = held.window, held.guide.frame
    screens = window._stack
    assert frame.beside
    assert screens.width() + held.pane.width() <= frame.width()
    window.resize(960, 620)
    held.driver.wait(lambda: window.width() == 960)
    assert not frame.beside
    assert screens.width() == frame.width()
    assert held.pane.isVisible()
    held.do("lesson_fold")
    assert not held.pane.isVisible()
    assert held.guide.bar.isVisible()
    assert "step 1 of 4: A model" in held.guide.bar.where.accessibleName()
    assert held.guide.bar.geometry().top() >= screens.geometry().bottom()
    held.click(held.guide.bar.buttons[1])
    assert held.lessons.place == 1
    held.do("lesson_fold")
    assert held.pane.isVisible()
    window.resize(1280, 800)


def test_all_of_it_is_reached_by_keys_and_has_a_name(held: Room) -> None:
    window, app = held.window, QApplication.instance()
    for place in range(2):
        for control in held.pane.controls:
            named = control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
            assert named, control
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control
        if not place:
            held.do("lesson_next")
    large = window.lessons.figure
    for control in (*large.rows.controls, *large.buttons.controls):
        assert control.toolTip()
        if isinstance(control, (QAbstractSpinBox, QSlider)):
            assert control.accessibleName()
    held.do("lesson_back")
    wanted = [one for one in held.pane.controls if one.isEnabled()]
    wanted[0].setFocus()
    reached = []
    while app.focusWidget() not in reached:
        reached.append(app.focusWidget())
        held.driver.qtbot.keyClick(app.focusWidget(), Qt.Key.Key_Tab)
    assert [one for one in reached if one in wanted] == wanted


def test_a_lesson_that_is_wrong_says_where_and_leaves_all_as_it_is(room: Room) -> None:
    before = room.document
    room.path.write_text(room.path.read_text().replace("to: 2.0", "to: far"), encoding="utf-8")
    room.guide.open(str(room.path))
    said = error_of(room.driver)
    line = 1 + room.path.read_text().splitlines().index("- slide: {dimension: 1, to: far}")
    assert f"line {line}" in said
    assert room.document is before
    assert not room.guide.frame.open


SEARCH = """---
title: A search
order: 1
minutes: 1
summary: A step that begins something.
needs: []
---
What this is about.

## It searches

Wait.

```session
- open: {model}
- picture: {face}
- screen: search
- search: {{factor: 8, restarts: 2, steps: 4}}
- begin: search
```

```question
Who?
```
```answer
Nobody.
```

## What this does not show

Who it was.
"""


def test_a_step_begins_a_search_and_the_next_class_sees_it_begin_anew(
    room: Room, tiny_model_folder: Path, face: Path
) -> None:
    room.path.write_text(SEARCH.format(model=tiny_model_folder, face=face), encoding="utf-8")
    search, started = room.window.search, []
    start = search.work.start
    search.work.start = lambda *asked: (started.append(asked), start(*asked))
    room.guide.open(str(room.path))
    room.rest()
    assert room.window.screen_name == "search", room.lessons.failure or error_of(room.driver)
    room.driver.wait(lambda: search.found is not None and not search.work.underway)
    assert search.work.wanted.settings.restarts == 2
    room.do("lesson_next")
    room.do("lesson_back")
    assert len(started) == 1, "what is found already is not searched for again"
    room.do("lesson_reset")
    room.driver.wait(lambda: len(started) == 2 and search.found is not None)


def test_a_search_of_ones_own_is_not_the_lessons_and_comes_back(
    room: Room, tiny_model_folder: Path, tmp_path: Path, small_faces
) -> None:
    other = tmp_path / "other face.png"
    Image.fromarray(small_faces[5]).save(other)
    room.path.write_text(SEARCH.format(model=tiny_model_folder, face=other), encoding="utf-8")
    search = room.window.search
    room.window.show_screen("search")
    room.window.explore.intents.search.change("Set it", restarts=3, steps=4, factor=8)
    room.driver.wait(lambda: search.targets.found is not None and not search.targets.waiting)
    search.start()
    room.driver.wait(lambda: search.found is not None and not search.work.underway)
    mine = search.work.found
    room.guide.open(str(room.path))
    room.rest()
    room.driver.wait(lambda: search.found not in (None, mine) and not search.work.underway)
    room.do("lesson_close")
    assert search.work.found is mine
    room.window.show_screen("search")
    room.driver.wait(lambda: search.at_rest)
    assert search.found is mine

    room.path.write_text(LESSON.format(model=tiny_model_folder), encoding="utf-8")
    room.guide.open(str(room.path))
    room.rest()
    room.do("lesson_reset")
    room.do("lesson_close")
    assert search.work.found is mine, "nor is it begun anew with a lesson"


@pytest.fixture
def quick_jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with jobs_in_threads(monkeypatch):
        yield


STUDY = """---
title: A study
order: 1
minutes: 1
summary: A step that begins something long.
needs: []
---
What this is about.

## It counts

Wait.

```session
- open: {model}
- screen: audit
- study: {{name: generation, n: 20000, predictor: {judge}}}
- begin: study
```

```question
How many?
```
```answer
Many.
```

## What this does not show

Anything.

```session
- study: {{name: generation, n: 50, predictor: {judge}}}
```
"""


def test_what_a_lesson_has_begun_ends_with_it_also_when_it_is_not_looked_at(
    room: Room, tiny_model_folder: Path, tiny_predictor_folder: Path, quick_jobs: None
) -> None:
    text = STUDY.format(model=tiny_model_folder, judge=tiny_predictor_folder)
    room.path.write_text(text, encoding="utf-8")
    audit = room.window.audit
    room.guide.open(str(room.path))
    room.rest()
    room.driver.wait(lambda: list(runs_directory().glob("audit-*/settings.json")))
    (folder,) = runs_directory().glob("audit-*")
    assert audit.data.phase == "running"
    room.do("lesson_next")
    assert audit.data.following is not room.guide._begun[0], "another study is looked for"
    assert not Job(folder).poll().over
    room.do("lesson_close")
    room.driver.wait(lambda: Job(folder).poll().over)
    assert Job(folder).poll().phase == "cancelled"


def test_a_lessons_file_is_opened_and_dropped_like_any_other(room: Room) -> None:
    window = room.window
    window.show_screen("start")
    window.open_path(room.path)
    room.rest()
    assert room.lessons.lesson.title == "A small lesson"
    assert window.screen_name == "explore"
    (recent,) = look([str(room.path)])
    assert recent.about == "Lesson"
    room.do("lesson_next")
    figure = room.guide.figure
    broken = room.path.with_name("broken.md")
    broken.write_text("No lesson.", encoding="utf-8")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(broken))])
    how = Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(50, 50), *how))
    QApplication.sendEvent(window, QDropEvent(QPointF(50, 50), *how))
    room.rest()
    assert "broken.md" in error_of(room.driver)
    assert room.lessons.lesson.title == "A small lesson"
    assert room.guide.figure is figure, "what is open stays as it is"
    assert window.lessons.figure.figure is figure


def test_the_class_sees_the_slider_that_has_moved_and_no_hints(
    room: Room, tiny_cvae_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = LESSON.format(model=tiny_cvae_folder)
    scaled = "- screen: explore\n- scale: {attribute: gender, to: 2}"
    room.path.write_text(
        text.replace("- screen: counterfactuals\n- slide: {dimension: 1, to: 2.0}", scaled), encoding="utf-8"
    )
    window, hints = room.window, []
    monkeypatch.setattr(window.sessions, "give_hints", lambda: hints.append(window.screen_name))
    pages = window.explore.panel.tabs
    pages.setCurrentIndex(PINS)
    room.guide.open(str(room.path))
    room.rest()
    assert pages.currentIndex() == DIMENSIONS
    room.guide.lessons.go(2)
    room.rest()
    assert pages.currentIndex() == CONDITION
    assert not hints, "one thing at a time"
    room.do("lesson_close")
    assert hints == ["explore"]
