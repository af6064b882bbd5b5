"""Checks a lesson: that it has what every lesson has, and that each session step and figure can be done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from latentlab.errors import LatentLabError, SettingsError
from latentlab.paths import bundled_models
from latentlab.session.lesson import LIMITS, Figure, Lesson, LessonStep, SessionStep
from latentlab.session.lesson_file import Fault, Faults, parse_lesson, read_text_of
from latentlab.session.lesson_words.vocabulary import check_need, word_of
from latentlab.session.lesson_words.word import Foreseen


def read_lesson(path: Path) -> Lesson:
    """Return a lesson that can be held.

    Raises
    ------
    SettingsError
        If anything is wrong with it: the message says the first thing, with its line.
    LatentLabError
        If the file cannot be read.
    """
    lesson, faults = check_lesson(path)
    if faults or lesson is None:
        more = f" There are {len(faults) - 1} more faults: latentlab lessons check lists them."
        raise SettingsError(f"{faults[0]}{more if len(faults) > 1 else ''}")
    return lesson


def check_lesson(path: Path) -> tuple[Lesson | None, list[Fault]]:
    """Return a lesson, as far as it can be used, and all that is wrong with it.

    Raises
    ------
    LatentLabError
        If the file cannot be read.
    """
    faults = Faults(path)
    lesson = parse_lesson(path, read_text_of(path), faults)
    if lesson is None:
        return None, faults.found
    _check_whole(lesson, faults)
    foreseen = Foreseen(path.parent)
    steps = tuple(_checked(step, foreseen, faults) for step in lesson.steps)
    _check_needs(lesson, foreseen, faults)
    return replace(lesson, steps=steps), sorted(faults.found, key=lambda one: one.line)


def _check_whole(lesson: Lesson, faults: Faults) -> None:
    """Check that a lesson has what every lesson has."""
    steps = lesson.steps
    if not lesson.introduction:
        faults.say(1, "a paragraph is expected before the first step; found none. Say what it is about")
    if len(steps) < 2:
        faults.say(1, f"a step and '## {LIMITS}' at least are expected; found {len(steps)}. Write '## Title'")
    last = steps[-1] if steps else LessonStep("")
    if last.title != LIMITS:
        found = f"'## {last.title}'" if last.title else "none"
        faults.say(
            last.line or 1, f"'## {LIMITS}' is expected as the last section; found {found}. Write it there"
        )
    elif not last.parts:
        faults.say(last.line, f"honest limits are expected under '## {LIMITS}'; found none. Write them")
    for step in steps[:-1]:
        if step.title == LIMITS:
            faults.say(step.line, f"'## {LIMITS}' is expected as the last section only. Move it to the end")
        if not step.parts:
            faults.say(step.line, "a text is expected in every step; found none. Say what is done and why")
    if not any(step.questions for step in steps):
        faults.say(1, "a question with its answer is expected; found none. Write ```question and ```answer")
    figures = any(isinstance(part, Figure) for step in steps for part in step.parts)
    if not figures and not any(step.session for step in steps):
        faults.say(1, "a session or a figure is expected in a step; found neither. Write ```session")


def _checked(step: LessonStep, foreseen: Foreseen, faults: Faults) -> LessonStep:
    """Return a step with arguments of the right types; what cannot be done is left out and noted."""
    session = []
    for one in step.session:
        try:
            session.append(_checked_session(one, foreseen))
        except LatentLabError as error:
            faults.say(one.line, str(error))
    for part in step.parts:
        if not isinstance(part, Figure):
            continue
        try:
            _check_figure(part)
        except LatentLabError as error:
            faults.say(part.line, f"a figure: {error}")
    return replace(step, session=tuple(session))


def _checked_session(step: SessionStep, foreseen: Foreseen) -> SessionStep:
    word = word_of(step.name)
    given = word.read(step.arguments)
    check_need(foreseen, word)
    word.foresee(foreseen, given)
    return replace(step, arguments=given)


def _check_figure(figure: Figure) -> None:
    from latentlab.audit.experiments.catalog import experiment  # scipy comes with it
    from latentlab.audit.experiments.experiment import MOST_SEED

    experiment(figure.experiment).checked(figure.values)
    if not 0 <= figure.seed <= MOST_SEED:
        raise SettingsError(f"seed should be a whole number from 0 to {MOST_SEED}; found {figure.seed}")


def _check_needs(lesson: Lesson, foreseen: Foreseen, faults: Faults) -> None:
    """Check that the front matter names what is opened, and nothing that is not there."""
    from latentlab.data.catalog import known_sets

    known = (*bundled_models(), *known_sets())
    for name in lesson.needs:
        if name not in known:
            listed = ", ".join(known)
            faults.say(1, f"needs should name bundled models and sets ({listed}); found {name!r}")
    for name in sorted(foreseen.used - set(lesson.needs)):
        faults.say(1, f"needs should name what the steps open; {name} is missing. Write it there")
