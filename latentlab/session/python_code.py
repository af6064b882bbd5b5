"""Copy as Python: a program that makes the Explore screen's edited picture again, the same to the bit."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentlab.operations.latent_brush import Strokes
from latentlab.paths import bundled_models
from latentlab.session.document import CheckpointRef, Explore

_WIDTH = 100
_BRUSH = "from latentlab.operations.latent_brush import Ink, LatentStroke, Strokes"


def explore_code(checkpoint: CheckpointRef, state: Explore, threads: int) -> str:
    """Return the program's text.

    It opens the checkpoint and checks its weights, writes down the start as numbers (so that neither the
    picture nor its encoding is needed), changes the dimensions that were changed, and renders as the
    window renders a settled frame. ``picture`` is then uint8 ``[S, S, 3]``.
    """
    lines = opening(checkpoint, state, threads)
    condition = "" if state.condition is None else ", condition"
    lines.append(f"picture = explorer.picture(latent{condition})  # uint8 [S, S, 3], RGB")
    if checkpoint.predictor:
        lines.append("attributes = explorer.attributes(picture)  # probabilities by attribute")
    return "\n".join(lines) + "\n"


def opening(
    checkpoint: CheckpointRef, state: Explore, threads: int, imports: Sequence[str] = ()
) -> list[str]:
    """Return the lines that open the checkpoint and make ``start``, ``latent`` and ``condition``."""
    start, latent = state.start.reshape(-1), state.latent.reshape(-1)
    changed = np.flatnonzero(start != latent)
    changes = {int(k): latent[k] for k in changed}
    said = f"{_origin(state)}, with {len(changes)} of {len(latent)} dimensions changed."
    drawn = state.drawn
    lines = [
        *opened(checkpoint, threads, said, [*imports, *(() if drawn is None else (_BRUSH,))]),
        call("start = explorer.latent(", numbers(start)),
    ]
    if drawn is not None:
        lines += _brush_lines(drawn, start)
    elif len(changes) <= len(latent) // 2:
        written = ", ".join(f"{k}: {v!s}" for k, v in changes.items())
        lines.append(f"latent = explorer.change(start, {{{written}}})")
    else:
        lines.append(call("latent = explorer.latent(", numbers(latent)))
    if state.condition is not None:
        lines.append(call("condition = explorer.condition(", numbers(state.condition)))
    return lines


def opened(checkpoint: CheckpointRef, threads: int, said: str, imports: Sequence[str] = ()) -> list[str]:
    """Return the lines that open the checkpoint as ``explorer``, below a comment that says what it is for."""
    return [
        comment(said),
        *sorted(["from latentlab.operations.explore import Explorer", *imports]),
        "",
        f"explorer = Explorer.open({_name(checkpoint)!r}, predictor={checkpoint.predictor!r},",
        f"                         sha256={checkpoint.sha256!r},",
        f"                         threads={threads})",
    ]


def _name(checkpoint: CheckpointRef) -> str:
    """Return a bundled model's name, which holds on every machine, or the checkpoint's path."""
    bundled = {str(path): name for name, path in bundled_models().items()}
    return bundled.get(checkpoint.path, checkpoint.path)


def _origin(state: Explore) -> str:
    return f"The picture {state.origin}" if state.source is not None else f"The start: {state.origin}"


def _brush_lines(strokes: Strokes, start: NDArray[np.float32]) -> list[str]:
    """Return the lines that make ``latent`` of strokes; ``start`` ``[latent_size]`` is there already."""
    base, lines, on = strokes.base.reshape(-1), [], "start"
    if not np.array_equal(base, start):
        on = "base"
        lines.append(call("base = explorer.latent(", numbers(base)))
    for k, ink in enumerate(strokes.inks):
        values = call("explorer.latent(", numbers(ink.values.reshape(-1)))
        lines.append(f"ink_{k} = Ink({ink.name!r}, {ink.kind!r}, {values})")
    inks = "".join(f"ink_{k}, " for k in range(len(strokes.inks)))
    lines.append(f"strokes = Strokes({on}, side={strokes.side}, inks=({inks}), strokes=(")
    for one in strokes.strokes:
        places = ", ".join(f"({x!r}, {y!r})" for x, y in one.places)
        lines.append(
            f"    LatentStroke({one.ink}, amount={one.amount!r}, radius={one.radius!r}, "
            f"hardness={one.hardness!r}, places=({places},)),"
        )
    return [*lines, "))", "latent = strokes.latent()"]


def comment(text: str) -> str:
    """Return a text as a comment, which it cannot leave: names come from files that strangers send."""
    return "# " + "".join(one if one.isprintable() else " " for one in text)


def numbers(values: NDArray[np.float32]) -> str:
    """Write float32 numbers with as many digits as bring the same bits back."""
    return ", ".join(str(value) for value in values)


def call(head: str, numbers: str) -> str:
    """Return a call with a list of numbers over as many lines as they need."""
    body = textwrap.fill(numbers, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    return f"{head}[\n{body},\n])"
