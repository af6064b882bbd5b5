"""Look at an ONNX graph's bytes before anything reads it: it must be whole, and not unfold without end."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from latentlab.errors import CheckpointError

MOST_NODES = 1_000_000
"""The most operations that a graph may have when the functions in it are written out."""
# A field of a tensor in another file begins to say where; its tag and length can be written in several ways.
_OUTSIDE = re.compile(rb"(\x0a|\x8a\x80*\x00)(\x08|\x88\x80*\x00)location")
_FUNCTIONS = 25
"""The number of the field that holds a graph's own functions."""


def look_at_graph(where: Path, graph: bytes) -> None:
    """Raise `CheckpointError` if a graph names another file, or its functions unfold to too much.

    Parameters
    ----------
    where
        Its file, for messages.
    """
    if _OUTSIDE.search(graph):
        raise CheckpointError(
            f"{where} keeps its weights in another file, which is not followed. Export it whole in one file "
            "(torch.onnx.export: external_data=False)."
        )
    if _has_functions(graph) and _unfolded(where, graph) > MOST_NODES:
        raise CheckpointError(
            f"{where} should be a graph of at most {MOST_NODES:,} operations; its functions, which call each "
            "other, make more. Export it again without functions."
        )


def _has_functions(graph: bytes) -> bool:
    """Say whether there are functions, from the fields of the outermost message (protobuf's encoding)."""
    at = 0
    while at < len(graph):
        tag, at = _whole(graph, at)
        if tag >> 3 == _FUNCTIONS:
            return True
        kind = tag & 7
        size, after = _whole(graph, at) if kind in (0, 2) else (0, at)
        at = {0: after, 1: at + 8, 2: after + size, 5: at + 4}.get(kind, len(graph))
    return False


def _whole(content: bytes, at: int) -> tuple[int, int]:
    """Return the number of variable length at a place, and the place after it."""
    found = 0
    for place, byte in enumerate(content[at : at + 10]):
        found |= (byte & 127) << (7 * place)
        if byte < 128:
            return found, at + place + 1
    return 0, len(content)


def _unfolded(where: Path, graph: bytes) -> float:
    """Return how many operations a graph has, its functions written out; infinite where one calls itself."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        import onnx
    except ImportError:
        raise CheckpointError(
            f"{where} is a graph with functions, which the package onnx is needed for. Install it."
        ) from None
    try:
        model = onnx.load_model_from_string(graph)
    except DecodeError:
        raise CheckpointError(f"{where} is damaged: it is no ONNX graph. Copy or export it again.") from None
    functions = {(one.domain, one.name): one.node for one in model.functions}
    sizes: dict[tuple[str, str], float] = {}

    def size(nodes: Iterable[Any]) -> float:
        total = 0.0
        for node in nodes:
            name = (node.domain, node.op_type)
            if name in functions and name not in sizes:
                sizes[name] = float("inf")  # until it is known: for one that calls itself
                sizes[name] = size(functions[name])
            total += sizes.get(name, 1.0)
            for one in node.attribute:
                total += sum(size(inner.node) for inner in (one.g, *one.graphs))
        return total

    try:
        return size(model.graph.node)
    except RecursionError:
        return float("inf")
