"""Reads a lesson: a Markdown file with a front matter, its steps under headings, and fenced blocks in them.

Everything that is wrong with a file is noted with its line, so that a teacher can put it right at once; what
each session step and figure is given is looked at by `latentlab.session.lesson_check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latentlab.errors import LatentLabError
from latentlab.session.lesson import (
    Figure,
    Hint,
    Lesson,
    LessonStep,
    Part,
    Question,
    SessionStep,
    Text,
    Value,
)
from latentlab.session.lesson_yaml import Item, YamlFaultError, read_fields, read_list

LARGEST_LESSON = 200_000
"""Bytes of a lesson's file, at most; its text is read in two minutes."""
MOST_MINUTES = 60
LARGEST_NUMBER = 1e15
"""Of a figure's values; each has a range of its own besides."""
BLOCKS = ("session", "question", "answer", "figure")
"""What a fenced block can be besides code."""
HINTS = {"**Try:**": "try", "**Look for:**": "look"}
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})\s*([\w-]*)")
_FIELDS = {"title": str, "order": int, "minutes": int, "summary": str, "needs": list}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a lesson: where, what was expected and found, and what to do."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}: {self.text}"


@dataclass(eq=False)
class Faults:
    """The faults that have been found in a file."""

    path: Path
    found: list[Fault] = field(default_factory=list)

    def say(self, line: int, text: str) -> None:
        """Note a fault."""
        self.found.append(Fault(self.path, line, text if text.endswith((".", "?")) else f"{text}."))


@dataclass(frozen=True)
class _Line:
    number: int
    text: str


@dataclass(frozen=True)
class _Block:
    """A fenced block: its kind, the line of its fence, and what is in it."""

    kind: str
    line: int
    text: str


def read_text_of(path: Path) -> str:
    """Return a lesson's text.

    Raises
    ------
    LatentLabError
        If it cannot be read, is no text, or too large.
    """
    try:
        with path.open("rb") as file:
            found = file.read(LARGEST_LESSON + 1)
        if len(found) > LARGEST_LESSON:
            raise LatentLabError(
                f"{path} should be a lesson of at most {LARGEST_LESSON:,} bytes; it has more. Shorten it."
            )
        return found.decode("utf-8").removeprefix("\ufeff")
    except OSError as error:
        raise LatentLabError(
            f"{path} cannot be read: {error.strerror}. Give the Markdown file of a lesson."
        ) from None
    except UnicodeDecodeError:
        raise LatentLabError(f"{path} is no text in UTF-8. Save it as UTF-8 in your editor.") from None


def parse_lesson(path: Path, text: str, faults: Faults) -> Lesson | None:
    """Return a lesson as it stands in its file; what is wrong with its form is noted.

    What cannot be used is left out; None where there is no front matter to go by.
    """
    lines = [_Line(number, one.rstrip()) for number, one in enumerate(text.splitlines(), start=1)]
    if not _NAME.fullmatch(path.stem) or path.suffix != ".md":
        faults.say(
            1,
            f"the file's name should be lower-case words with hyphens and .md, such as my-lesson.md; found "
            f"{path.name}. Rename it",
        )
    end = _end_of_front(lines, faults)
    if end is None:
        return None
    front = _front("\n".join(one.text for one in lines[1:end]), faults)
    sections = list(_sections(lines[end + 1 :]))
    introduction, steps = "", []
    for title, heading, body in sections:
        if heading == 0:
            introduction = _introduction(body, faults)
            continue
        if not title:
            faults.say(heading, "a title is expected after '##'; found none. Name the step")
        parts, session = _parts(body, faults)
        steps.append(LessonStep(title, tuple(parts), tuple(session), heading))
    return Lesson(
        path.stem,
        path,
        front.get("title", ""),
        front.get("order", 0),
        front.get("minutes", 0),
        front.get("summary", ""),
        tuple(front.get("needs", ())),
        introduction,
        tuple(steps),
    )


def _end_of_front(lines: Sequence[_Line], faults: Faults) -> int | None:
    """Return the place of the line that ends the front matter."""
    if not lines or lines[0].text != "---":
        found = repr(lines[0].text[:40]) if lines else "nothing"
        faults.say(
            1, f"a line '---' is expected, with which the front matter begins; found {found}. Write it first"
        )
        return None
    for place, line in enumerate(lines[1:], start=1):
        if line.text == "---":
            return place
    faults.say(1, "a second line '---' is expected, with which the front matter ends; found none. Write it")
    return None


def _front(text: str, faults: Faults) -> dict[str, Any]:
    try:
        items = read_fields(text, 2)
    except YamlFaultError as error:
        faults.say(error.line, f"the front matter: {error}")
        return {}
    found: dict[str, Any] = {}
    for item in items:
        said = _front_fault(item)
        if said:
            faults.say(item.line, said)
        else:
            found[item.name] = item.value
    there = {item.name for item in items}
    for name in _FIELDS:
        if name not in there and name != "needs":
            known = ", ".join(_FIELDS)
            faults.say(1, f"the front matter should have {known}; {name} is missing. Write it")
    return found


def _front_fault(item: Item) -> str:
    name, value = item.name, item.value
    if name not in _FIELDS:
        return f"the front matter has {', '.join(_FIELDS)}; found {name!r}. Leave it out"
    if name in ("title", "summary") and not (isinstance(value, str) and value.strip()):
        return f"{name} should be a text; found {value!r}. Write one"
    if name in ("order", "minutes") and not (type(value) is int and value >= 1):
        return f"{name} should be a whole number from 1; found {value!r}. Write one"
    if name == "minutes" and value > MOST_MINUTES:
        return f"minutes should be {MOST_MINUTES} at most; found {value}. Make lessons of a minute or two"
    if name == "needs" and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        return f"needs should be a list of names, such as [faces-vae]; found {value!r}. Write it so"
    return ""


def _sections(lines: Sequence[_Line]) -> Iterator[tuple[str, int, list[_Line]]]:
    """Give title, line and body of each section; what stands before the first heading has the line 0."""
    title, heading, fence = "", 0, ""
    body: list[_Line] = []
    for line in lines:
        opening = _FENCE.match(line.text)
        if fence:
            if _closes(line.text, fence):
                fence = ""
        elif opening:
            fence = opening[1]
        elif line.text.startswith("## ") or line.text == "##":
            yield title, heading, body
            title, heading, body = line.text[2:].strip(), line.number, []
            continue
        body.append(line)
    yield title, heading, body


def _closes(text: str, fence: str) -> bool:
    """Whether a line closes a block that was opened by this fence."""
    bare = text.strip()
    return len(bare) >= len(fence) and set(bare) == {fence[0]}


def _pieces(lines: Sequence[_Line], faults: Faults) -> Iterator[str | _Block]:
    """Give stretches of text and fenced blocks, in order; blocks that are none of ours are text."""
    text: list[str] = []
    place = 0
    while place < len(lines):
        line = lines[place]
        opening = _FENCE.match(line.text)
        if opening is None:
            text.append(line.text)
            place += 1
            continue
        kind, fence = opening[2], opening[1]
        end = next((k for k in range(place + 1, len(lines)) if _closes(lines[k].text, fence)), None)
        if end is None:
            faults.say(line.number, f"the block that {fence}{kind} begins has no end. Write {fence} after it")
            end = len(lines)
        inner = [one.text for one in lines[place + 1 : end]]
        if kind in BLOCKS:
            yield "\n".join(text)
            text = []
            yield _Block(kind, line.number, "\n".join(inner))
        else:
            text += [one.text for one in lines[place : end + 1]]
        place = end + 1
    yield "\n".join(text)


def _introduction(lines: Sequence[_Line], faults: Faults) -> str:
    said = []
    for piece in _pieces(lines, faults):
        if isinstance(piece, _Block):
            faults.say(
                piece.line,
                f"a step's heading '## ...' is expected before a {piece.kind}; found none. Begin a step",
            )
        else:
            said.append(piece)
    return "\n".join(said).strip()


def _parts(lines: Sequence[_Line], faults: Faults) -> tuple[list[Part], list[SessionStep]]:
    """Return what a step says, and how it sets the session."""
    parts: list[Part] = []
    session: list[SessionStep] = []
    asked: _Block | None = None
    for piece in _pieces(lines, faults):
        if isinstance(piece, str):
            if piece.strip() and asked is not None:
                _miss_answer(asked, faults)
                asked = None
            parts += _texts(piece)
            continue
        if asked is not None and piece.kind != "answer":
            _miss_answer(asked, faults)
            asked = None
        if not piece.text.strip():
            faults.say(piece.line, f"something is expected in a {piece.kind}; found nothing. Write it")
        if piece.kind == "question":
            asked = piece
        elif piece.kind == "session":
            session += _session(piece, faults)
        elif piece.kind == "figure":
            parts += _figure(piece, faults)
        elif asked is None:
            faults.say(
                piece.line, "a question is expected right before an answer; found none. Write the question"
            )
        else:
            parts.append(Question(asked.text.strip(), piece.text.strip()))
            asked = None
    if asked is not None:
        _miss_answer(asked, faults)
    return parts, session


def _miss_answer(asked: _Block, faults: Faults) -> None:
    faults.say(asked.line, "an answer is expected right after a question; found none. Write one after it")


def _texts(text: str) -> Iterator[Part]:
    """Give a stretch of text as it is, but for the paragraphs that say what to try or to look for."""
    kept: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        start = next((one for one in HINTS if paragraph.strip().startswith(one)), "")
        if not start:
            kept.append(paragraph)
            continue
        if "".join(kept).strip():
            yield Text("\n\n".join(kept).strip())
        kept = []
        kind = HINTS[start]
        yield Hint("try" if kind == "try" else "look", paragraph.strip().removeprefix(start).strip())
    if "".join(kept).strip():
        yield Text("\n\n".join(kept).strip())


def _session(block: _Block, faults: Faults) -> Iterator[SessionStep]:
    try:
        items = read_list(block.text, block.line + 1)
    except YamlFaultError as error:
        faults.say(error.line, f"a session block: {error}")
        return
    for item in items:
        value = item.value
        if isinstance(value, str):
            yield SessionStep(value, {}, item.line)
        elif isinstance(value, dict) and len(value) == 1:
            (name, given) = next(iter(value.items()))
            arguments = given if isinstance(given, dict) else {"": given}
            yield SessionStep(name, {key: _plain(one) for key, one in arguments.items()}, item.line)
        else:
            faults.say(
                item.line,
                "one session step is expected, such as '- open: faces-vae' or '- reset'; found "
                f"{_short(value)}. Begin each with '- '",
            )


def _figure(block: _Block, faults: Faults) -> Iterator[Figure]:
    try:
        items = read_fields(block.text, block.line + 1)
    except YamlFaultError as error:
        faults.say(error.line, f"a figure: {error}")
        return
    values = {item.name: item.value for item in items}
    experiment, seed = values.pop("experiment", ""), values.pop("seed", 0)
    if not isinstance(experiment, str) or not experiment:
        faults.say(
            block.line, "a figure should have a line 'experiment: NAME'; found none. Write which one it is"
        )
        return
    for item in items:
        number = item.value if item.name != "experiment" else 0
        fits = isinstance(number, int if item.name == "seed" else (int, float))
        if not fits or isinstance(number, bool) or abs(number) > LARGEST_NUMBER:
            kind = "a whole number" if item.name == "seed" else "a number"
            faults.say(item.line, f"{item.name} should be {kind}; found {_short(number)}. Write one")
            return
    yield Figure(experiment, values, seed, block.line)


def _plain(value: object) -> Value:
    """Return a value of YAML as a lesson holds it: lists as tuples, mappings as tuples of pairs."""
    if isinstance(value, list):
        return tuple(map(_plain, value))
    if isinstance(value, dict):
        return tuple((name, _plain(one)) for name, one in value.items())
    if isinstance(value, (str, int, float, bool)):
        return value
    return "" if value is None else str(value)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
