"""A lesson's figure without a window: its sliders, the newest wish first, and what cannot be drawn."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator

import pytest

from latentlab.session.background import Background
from latentlab.session.lesson import Figure
from latentlab.session.lesson_code import lessons_code
from latentlab.session.lesson_figure import LessonFigure

Post = Callable[[], None]


class Desk:
    """A thread that works in the background, and this one, which takes its answers."""

    def __init__(self) -> None:
        self.posted: queue.Queue[Post] = queue.Queue()
        self.background = Background(self.posted.put, "test-figure")

    def rest(self, figure: LessonFigure) -> int:
        """Take answers until what is shown belongs to what is set; return how many there were."""
        answers = 0
        while not figure.at_rest:
            self.posted.get(timeout=60)()
            answers += 1
        return answers


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.background.close(drop=True)


def test_a_figure_follows_its_sliders_and_returns_to_what_the_lesson_sets(desk: Desk) -> None:
    figure = LessonFigure(Figure("auditor-error", {"share": 0.2}, seed=3), desk.background)
    assert not figure.at_rest
    figure.need()
    desk.rest(figure)
    assert figure.made is not None
    assert (figure.made.values["share"], figure.made.seed) == (0.2, 3)
    assert not figure.edited
    heard: list[float] = []
    figure.changed.connect(lambda: heard.append(figure.values["share"]))
    for share in (0.25, 0.3, 0.35, 0.4):
        figure.set("share", share)
    assert heard == [0.25, 0.3, 0.35, 0.4]
    assert desk.rest(figure) == 2, "what lies between the first wish and the newest is not drawn"
    assert figure.made.values["share"] == 0.4
    figure.draw_again()
    desk.rest(figure)
    assert figure.made.seed == 4
    assert figure.edited
    figure.reset()
    desk.rest(figure)
    assert (figure.made.values["share"], figure.made.seed) == (0.2, 3)


def test_what_cannot_be_drawn_says_why(desk: Desk) -> None:
    unknown = LessonFigure(Figure("no-such-experiment"), desk.background)
    assert "no-such-experiment" in unknown.failure
    assert unknown.at_rest
    unknown.need()
    assert unknown.at_rest
    figure = LessonFigure(Figure("auditor-error"), desk.background)
    figure.set("share", 7.0)
    desk.rest(figure)
    assert "share" in figure.failure
    assert figure.made is None
    figure.reset()
    desk.rest(figure)
    assert not figure.failure


def test_the_copied_program_reads_every_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    from latentlab.session.lesson_list import lesson_paths

    exec(compile(lessons_code(), "copied", "exec"), {})
    printed = capsys.readouterr().out
    assert printed.count(" min): ") == len(lesson_paths())
