"""The lessons that are bundled, and how one is found by its name."""

from __future__ import annotations

from pathlib import Path

from latentlab.errors import LatentLabError, SettingsError
from latentlab.paths import bundled
from latentlab.session.lesson import Lesson
from latentlab.session.lesson_file import Faults, parse_lesson, read_text_of
from latentlab.session.lesson_words.word import path_beside


def lesson_paths() -> list[Path]:
    """Return the files of the bundled lessons, by name."""
    try:
        return sorted(bundled("resources", "lessons").glob("*.md"))
    except LatentLabError:
        return []


def bundled_lessons() -> tuple[list[Lesson], list[str]]:
    """Return the bundled lessons in their order, and what is wrong with files that are none.

    Only their form is looked at, which is quick; `latentlab.session.lesson_check` looks at their steps too.
    """
    lessons, problems = [], []
    for path in lesson_paths():
        faults = Faults(path)
        try:
            lesson = parse_lesson(path, read_text_of(path), faults)
        except LatentLabError as error:
            problems.append(str(error))
            continue
        if lesson is None or faults.found:
            problems.append(str(faults.found[0]))
        else:
            lessons.append(lesson)
    return sorted(lessons, key=lambda one: (one.order, one.name)), problems


def find_lesson(name: str) -> Path:
    """Return the file of a lesson: a bundled one by its name, or a file's path.

    Raises
    ------
    SettingsError
        If there is none.
    """
    paths = {path.stem: path for path in lesson_paths()}
    if name in paths:
        return paths[name]
    path = Path(path_beside(Path.cwd(), name))
    if path.is_file():
        return path.resolve()
    known = ", ".join(paths) or "none"
    raise SettingsError(
        f"There is no lesson {name!r}; there are {known}. Give one of them, or a lesson's file."
    )
