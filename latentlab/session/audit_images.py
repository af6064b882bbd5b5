"""The images behind a mark of a study's chart: found and drawn on a thread of its own, the worst first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from latentlab.audit.charts import Chart, Mark
from latentlab.session.audit_folder import StudyFound
from latentlab.session.background import Background
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace

if TYPE_CHECKING:
    from latentlab.audit.images_behind import Draw, Row


@dataclass(frozen=True, eq=False)
class BehindImage:
    """One image behind a mark.

    Parameters
    ----------
    name
        Which image it is, in words.
    pictures
        What it is and what became of it, uint8 ``[S, S, 3]``, RGB, by what each is called.
    words
        What the mark tells of it, such as what was predicted; short lines.
    known
        All else that is known of it, a line each.
    """

    name: str
    pictures: tuple[tuple[str, NDArray[np.uint8]], ...]
    words: tuple[str, ...]
    known: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class BehindMark:
    """The images behind a mark: how many there are, how many are wrong (None: not told), the worst drawn."""

    n: int
    wrong: int | None
    images: tuple[BehindImage, ...]


class BehindMaker:
    """Draws the images behind a mark; only the newest wish is answered."""

    def __init__(self, workspace: Workspace) -> None:
        self._background = Background(workspace.rendering.post, "audit-images")
        self._newest = 0
        self._kept: tuple[Path, float, Draw] | None = None

    def make(
        self,
        found: StudyFound,
        chart: Chart,
        mark: Mark,
        most: int,
        then: Callable[[BehindMark | Message], None],
    ) -> None:
        """Draw the images behind a mark; ``then`` gets at most ``most`` of them, or why there are none."""
        self._newest += 1
        number = self._newest

        def make() -> BehindMark:
            from latentlab.audit.images_behind import images_behind

            if number != self._newest:
                return BehindMark(0, None, ())  # another mark is looked at by now
            behind = images_behind(found.tables, chart, mark, most)
            draw = self._drawer(found) if behind.rows else None
            images: list[BehindImage] = []
            for row in behind.rows:
                if number != self._newest or draw is None:
                    break
                pictures = tuple(draw(row).items())
                words, known = row_words(row, chart, mark)
                images.append(BehindImage(row_name(row), pictures, words, known))
            return BehindMark(behind.n, behind.wrong, tuple(images))

        def answer(made: BehindMark | Message) -> None:
            if number == self._newest:
                then(made)

        self._background.do(make, answer, "The images could not be drawn")

    def drop(self) -> None:
        """Forget the wish."""
        self._newest += 1

    def close(self) -> None:
        """Stop the work and its thread."""
        self.drop()
        self._background.close(drop=True)

    def _drawer(self, found: StudyFound) -> Draw:
        """Return what draws a study's images; the last one is kept, since it holds its models."""
        from latentlab.audit.images_behind import drawer

        if self._kept is None or self._kept[:2] != (found.tables, found.when):
            self._kept = None  # before another is opened: two may be too much for the memory
            self._kept = found.tables, found.when, drawer(found.tables)
        return self._kept[2]


def row_name(row: Row) -> str:
    """Return which image a row is, such as ``faces-vae, seed 0, image 12``."""
    values = row.values
    parts = [values[name] for name in ("model", "dataset", "mode") if values.get(name)]
    parts += [f"{name} {values[name]}" for name in ("ratio", "truncation", "seed") if values.get(name)]
    image = values.get("image", str(row.place))
    return ", ".join([*parts, f"image {image}" if image.isdigit() else image])


def row_words(row: Row, chart: Chart, mark: Mark) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a mark tells of a row, in short lines, and all else that is known of it."""
    values, said = row.values, []
    if mark.wrong:
        column, value = mark.wrong
        of = value.removeprefix("@") if value.startswith("@") else ""
        seen, truth = values[column], values[of] if of else value
        wrong = "" if seen == truth else f", is {truth or 'not known'}"
        said.append(f"seen as {_class(of or column, seen)}{wrong}")
    order = (mark.worst or chart.worst).removeprefix("-")
    number = _number(values.get(order, ""))
    if order and number is not None:
        name, _, label = order.partition("=")
        if label:
            said.append(f"{_class(name, label)}: {100 * number:.0f}% sure")
        else:
            said.append(f"{_words(name).removesuffix(' 255')} {number:.1f}")
    known = [
        f"{_words(name)}: {value}"
        for name, value in values.items()
        if "=" not in name and value and name not in ("image", "model", "seed")
    ]
    return tuple(said), tuple(known)


def _class(attribute: str, label: str) -> str:
    """Return a class so that it is clear without its attribute."""
    return f"{_words(attribute)} {label}" if label in ("yes", "no") else _words(label)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
