"""Copy as Python: a program that makes the Explore screen's edited picture again, the same to the bit."""

from __future__ import annotations

import textwrap

import numpy as np
from numpy.typing import NDArray

from latentlab.paths import bundled_models
from latentlab.session.document import CheckpointRef, Explore

_WIDTH = 100


def explore_code(checkpoint: CheckpointRef, state: Explore, threads: int) -> str:
    """Return the program's text.

    It opens the checkpoint and checks its weights, writes down the start as numbers (so that neither the
    picture nor its encoding is needed), changes the dimensions that were changed, and renders as the
    window renders a settled frame. ``picture`` is then uint8 ``[S, S, 3]``.
    """
    start, latent = state.start.reshape(-1), state.latent.reshape(-1)
    changed = np.flatnonzero(start != latent)
    changes = {int(k): latent[k] for k in changed}
    lines = [
        f"# {_origin(state)}, with {len(changes)} of {len(latent)} dimensions changed.",
        "from latentlab.operations.explore import Explorer",
        "",
        f"explorer = Explorer.open({_name(checkpoint)!r}, predictor={checkpoint.predictor!r},",
        f"                         sha256={checkpoint.sha256!r},",
        f"                         threads={threads})",
        _call("start = explorer.latent(", _numbers(start)),
        f"latent = explorer.change(start, {{{', '.join(f'{k}: {v!s}' for k, v in changes.items())}}})",
    ]
    condition = ""
    if state.condition is not None:
        lines.append(_call("condition = explorer.condition(", _numbers(state.condition)))
        condition = ", condition"
    lines.append(f"picture = explorer.picture(latent{condition})  # uint8 [S, S, 3], RGB")
    if checkpoint.predictor:
        lines.append("attributes = explorer.attributes(picture)  # probabilities by attribute")
    return "\n".join(lines) + "\n"


def _name(checkpoint: CheckpointRef) -> str:
    """Return a bundled model's name, which holds on every machine, or the checkpoint's path."""
    bundled = {str(path): name for name, path in bundled_models().items()}
    return bundled.get(checkpoint.path, checkpoint.path)


def _origin(state: Explore) -> str:
    if state.source is not None:
        return "The picture " + " ".join(state.source.name.split())
    return f"The start: {state.origin}"


def _numbers(values: NDArray[np.float32]) -> str:
    """Write float32 numbers with as many digits as bring the same bits back."""
    return ", ".join(str(value) for value in values)


def _call(head: str, numbers: str) -> str:
    body = textwrap.fill(numbers, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    return f"{head}[\n{body},\n])"
