"""Copy as Python for the list of lessons: a program that reads and checks them, and says what they ask."""

from __future__ import annotations

from latentlab.session.python_code import comment


def lessons_code() -> str:
    """Return the program's text."""
    lines = [
        comment("All lessons that are bundled: each is read and checked, and its questions are printed."),
        "from latentlab.session.lesson_check import read_lesson",
        "from latentlab.session.lesson_list import lesson_paths",
        "",
        "for path in lesson_paths():",
        "    lesson = read_lesson(path)  # an error names the file, the line and what to do",
        '    print(f"{lesson.order}. {lesson.title} ({lesson.minutes} min): {lesson.summary}")',
        "    for step in lesson.steps:",
        "        for asked in step.questions:",
        '            print(f"   {step.title}: {asked.question}")',
    ]
    return "\n".join(lines) + "\n"
