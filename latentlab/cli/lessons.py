"""``latentlab lessons``: the lessons that there are, what they can do, and whether a file is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from latentlab.cli.options import AsJson

if TYPE_CHECKING:
    from latentlab.session.lesson import Lesson

Name = Annotated[str, typer.Argument(help="A bundled lesson's name, or a lesson's file.")]


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(help="Lessons: guided tours that set the real screens, each a Markdown file.")
    group.command("list")(list_lessons)
    group.command("show")(show)
    group.command("check")(check)
    group.command("steps")(steps)
    group.command("guide")(guide)
    app.add_typer(group, name="lessons")


def list_lessons(as_json: AsJson = False) -> None:
    """List the bundled lessons.

    Example: latentlab lessons list
    """
    from latentlab.session.lesson_list import bundled_lessons

    lessons, problems = bundled_lessons()
    if as_json:
        print(json.dumps({"lessons": list(map(_record, lessons)), "problems": problems}, indent=1))
        return
    for one in lessons:
        print(f"{one.name:32}{one.minutes:3} min  {one.title}: {one.summary}")
    for problem in problems:
        print(f"left out: {problem}")
    if not lessons and not problems:
        print("No lessons are bundled.")


def show(
    name: Name,
    text: Annotated[bool, typer.Option("--text", help="Print the file, to write one like it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what a lesson's steps are and how each sets the session.

    Example: latentlab lessons show composition-bias

    Example: latentlab lessons show composition-bias --text > my-lesson.md
    """
    from latentlab.session.lesson_check import read_lesson
    from latentlab.session.lesson_file import read_text_of
    from latentlab.session.lesson_list import find_lesson

    path = find_lesson(name)
    if text:
        print(read_text_of(path), end="")
        return
    lesson = read_lesson(path)
    if as_json:
        print(json.dumps(_record(lesson) | {"steps": _steps(lesson)}, indent=1))
        return
    print(f"{lesson.title} ({lesson.minutes} min)\n{lesson.summary}\n")
    for number, step in enumerate(_steps(lesson), start=1):
        print(f"{number}. {step['title']}")
        for one in step["session"]:
            print(f"   - {one}")
    print(f"\nOpen it: latentlab open --lesson {name}")


def check(
    files: Annotated[list[str], typer.Argument(help="Lessons' files, or bundled names.")],
    enter: Annotated[
        bool, typer.Option("--enter", help="Enter every step too, with the real models; a few seconds each.")
    ] = False,
) -> None:
    """Say what is wrong with lessons, each fault with its line; the exit status is 2 if anything is.

    Example: latentlab lessons check my-lesson.md --enter
    """
    from latentlab.session.lesson_check import check_lesson
    from latentlab.session.lesson_list import find_lesson

    wrong = 0
    for name in files:
        path = Path(name) if Path(name).is_file() else find_lesson(name)
        lesson, faults = check_lesson(path)
        for fault in faults:
            print(fault)
        wrong += len(faults)
        if lesson is None or faults:
            continue
        count, questions = len(lesson.steps), sum(len(step.questions) for step in lesson.steps)
        print(f"{path}: {count} steps, {questions} question{'s' if questions != 1 else ''}, no faults.")
        if enter:
            wrong += _enter(path)
    if wrong:
        raise typer.Exit(2)


def _enter(path: Path) -> int:
    """Enter a lesson's steps and say how it went; return how many failed."""
    from latentlab.cli.progress import show_progress
    from latentlab.session.lesson_trial import try_lesson

    with show_progress() as reporter:
        tried = try_lesson(path, reporter)
    for number, one in enumerate(tried, start=1):
        where = " > ".join(filter(None, (one.screen, one.view))) or "as it was"
        begun = f", begins a {one.begun}" if one.begun else ""
        said = f", {one.model}, {one.origin}" if one.model else ""
        print(f"  {number}. {one.title}: {one.failure or f'{where}{said}{begun}'} ({one.seconds:.1f} s)")
    return sum(bool(one.failure) for one in tried)


def steps(as_json: AsJson = False) -> None:
    """List what a lesson's session blocks can do; what stands in brackets may be left out.

    Example: latentlab lessons steps
    """
    from latentlab.session.lesson_words.vocabulary import VOCABULARY

    if as_json:
        found = {word.name: word.record() for word in VOCABULARY.values()}
        print(json.dumps(found, indent=1))
        return
    for screen in dict.fromkeys(word.screen for word in VOCABULARY.values()):
        print(f"\n{screen.capitalize()}")
        for word in VOCABULARY.values():
            if word.screen == screen:
                print(f"  {word.name:17}{word.purpose}")
                for one in word.arguments:
                    needed = "" if one.required else "; may be left out"
                    print(f"  {'':17}  {one.name}: {one.tip} ({one.expected}{needed})")
                if word.more_named:
                    print(f"  {'':17}  {word.more_named}")
    print("\nA lone value stands for the first argument: 'open: faces-vae' is 'open: {model: faces-vae}'.")


def guide() -> None:
    """Print how a lesson is written, in Markdown.

    Example: latentlab lessons guide
    """
    from latentlab.session.lesson_guide import writing_text

    print(writing_text(), end="")


def _record(lesson: Lesson) -> dict[str, Any]:
    return {
        "name": lesson.name,
        "title": lesson.title,
        "minutes": lesson.minutes,
        "summary": lesson.summary,
        "needs": list(lesson.needs),
        "path": str(lesson.path),
    }


def _steps(lesson: Lesson) -> list[dict[str, Any]]:
    return [{"title": one.title, "session": [step.words for step in one.session]} for one in lesson.steps]
