"""A small lesson for tests, written with models of the test's own."""

from __future__ import annotations

from pathlib import Path

FRONT = """\
---
title: A small lesson
order: 3
minutes: 2
summary: Two models, one after the other.
---
"""
ABOUT = "What it is about.\n"
LIMITS = "\n## What this does not show\n\nAnything about people.\n"
ASKED = """
```question
What happens?
```

```answer
This.
```
"""


def block(*steps: str) -> str:
    """Return a session block."""
    return "\n".join(["", "```session", *(f"- {step}" for step in steps), "```", ""])


def step(title: str, *session: str, text: str = "A text.\n") -> str:
    """Return a step of a lesson, which sets the session so."""
    return f"\n## {title}\n\n{text}{block(*session) if session else ''}"


def write_lesson(
    folder: Path,
    *steps: str,
    front: str = FRONT,
    about: str = ABOUT,
    asked: str = ASKED,
    limits: str = LIMITS,
    name: str = "a-lesson.md",
) -> Path:
    """Write a lesson whose first step asks something, and return its file."""
    first, *others = steps or ("\n## Look\n\nA text.\n",)
    path = folder / name
    path.write_text(front + about + first + asked + "".join(others) + limits, encoding="utf-8")
    return path
