"""Compiles each tiny network once for all tests that open it in a session or a window."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from torch import nn
from torch.fx import GraphModule

from latentlab.live.prepare import CompiledNetwork, Forms
from latentlab.live.ways import Way

_KEPT: dict[tuple[str, int, Way, int], tuple[CompiledNetwork, GraphModule]] = {}
_LARGEST = 1_000_000


@contextmanager
def compiled_once() -> Iterator[None]:
    """Give a network that has been compiled before a request of its own, in place of compiling it again."""
    compiled = Forms._compiled

    def remembered(forms: Forms, way: Way, batch: int) -> CompiledNetwork:
        if sum(one.numel() for one in forms._network.parameters()) > _LARGEST:
            return compiled(forms, way, batch)
        key = (_content(forms._network), len(forms._example), way, batch)
        if key not in _KEPT:
            _KEPT[key] = compiled(forms, way, batch), forms._graph()
        kept, graph = _KEPT[key]
        forms._traced = graph if forms._traced is None else forms._traced
        form = copy.copy(kept)
        form._request = form._network.create_infer_request()
        return form

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Forms, "_compiled", remembered)
        yield


def _content(network: nn.Module) -> str:
    """Return the hash of what a network computes: its parts with their settings, and its weights."""
    content = hashlib.sha256(f"{network}{network.model.spec}".encode())
    for name, tensor in network.state_dict().items():
        content.update(name.encode() + tensor.numpy().tobytes())
    return content.hexdigest()
