"""Fast forms of a network: the same numbers within the precision, several times sooner.

A form is made from the network's graph (`latentlab.live.graph`), whatever its family: kernels are packed, and
rectifiers and residual sums fused into the convolution before them. What is not known stays as it is; a
network that cannot be traced runs as it is, in the precision asked for. The original is never changed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from latentlab.device import torch_dtype
from latentlab.live.enlarging import Interleave, shrink_enlarging
from latentlab.live.graph import (
    POINTWISE,
    Observed,
    addends,
    convert,
    fork,
    insert_after,
    insert_before,
    layer,
    observe,
    only_user,
    put_layer,
    tidy,
    trace,
)
from latentlab.live.int8 import can_quantise, quantise
from latentlab.live.kernels import (
    Cast,
    ChannelsLast,
    PackedConvolution,
    PackedResidual,
    can_pack,
    is_packable,
)
from latentlab.live.ways import Way

_WATCHED = 8
"""Rows of the example that are looked at in one step."""

Forward = Callable[..., tuple[Tensor, ...]]
"""Latents ``[B, *latent_shape]`` (and condition ``[B, C]``) in float32 on the form's device to images and
probabilities."""


class Forms:
    """Makes the forms of one network, which is traced once and never changed.

    Parameters
    ----------
    network
        A `latentlab.live.frame_network.FrameNetwork` in float32 on the CPU.
    example
        Typical latents (and condition) on the CPU, a few rows; the int8 form takes its scales from them.
    """

    def __init__(self, network: nn.Module, example: tuple[Tensor, ...]) -> None:
        self._network = network
        self._example = example
        self._traced: fx.GraphModule | None = None
        self._shapes: list[Observed | None] = []
        self._seen: list[Observed | None] = []

    def watch(self) -> Iterator[None]:
        """Look at what the example does in the network, some rows a step; the int8 form rests on it.

        It is looked at when that form is made, if it has not been before. A network that cannot be traced
        is not looked at.
        """
        try:
            graph = self._graph()
        except Exception:
            return
        seen: list[Observed | None] = []
        for start in range(0, len(self._example[0]), _WATCHED):
            found = observe(graph, tuple(tensor[start : start + _WATCHED] for tensor in self._example))
            part = [found.get(node) for node in graph.graph.nodes]
            seen = part if not seen else [_larger(a, b) for a, b in zip(seen, part, strict=True)]
            yield
        self._seen = seen

    def make(self, way: Way, device: torch.device, batch: int) -> Forward:
        """Return the network's form for a way and a device.

        Parameters
        ----------
        batch
            The batch size that the form is laid out for; other sizes work too.

        Raises
        ------
        Exception
            If the way does not exist here, or the network cannot be traced or brought into it.
        """
        if way.packed:
            return self._packed(way.precision, batch)
        return self._plain(device, torch_dtype(way.precision))

    def _plain(self, device: torch.device, precision: torch.dtype) -> Forward:
        clone = copy.deepcopy(self._network).requires_grad_(False).eval()
        clone.to(device=device, dtype=precision).to(memory_format=torch.channels_last)
        if precision == torch.float32:
            return clone

        def forward(latents: Tensor, condition: Tensor | None = None) -> tuple[Tensor, ...]:
            given = None if condition is None else condition.to(precision)
            answer: tuple[Tensor, ...] = clone(latents.to(precision), given)
            return answer

        return forward

    def _packed(self, precision: str, batch: int) -> Forward:
        graph = fork(self._graph())
        if precision == "int8":
            if not can_quantise():
                raise ValueError("this machine has no fast 8-bit convolutions")
            if not self._seen:
                for _ in self.watch():
                    pass
            quantise(graph, _as_batch(graph, self._seen, batch))
        else:
            kind = torch_dtype(precision)
            if not can_pack(kind):
                raise ValueError(f"this machine has no packed operations in {precision}")
            if not self._shapes:
                found = observe(graph, tuple(tensor[:1] for tensor in self._example))
                self._shapes = [found.get(node) for node in graph.graph.nodes]
            _fuse(graph, _as_batch(graph, self._shapes, batch), kind)
            if kind != torch.float32:
                for node in [node for node in graph.graph.nodes if node.op == "placeholder"]:
                    insert_after(graph, node, Cast(kind))
                convert(graph, kind)
        tidy(graph)
        return graph

    def _graph(self) -> fx.GraphModule:
        if self._traced is None:
            self._traced = trace(self._network, conditional=len(self._example) > 1)
            shrink_enlarging(self._traced)
            tidy(self._traced)
        return self._traced


def _larger(first: Observed | None, second: Observed | None) -> Observed | None:
    if first is None or second is None:
        return first
    return Observed(first.shape, torch.maximum(first.largest, second.largest))


def _as_batch(graph: fx.GraphModule, seen: list[Observed | None], batch: int) -> dict[fx.Node, Observed]:
    """Return what the nodes of a fork give, as if in a batch of that size."""
    return {
        node: Observed(torch.Size([batch, *found.shape[1:]]), found.largest)
        for node, found in zip(graph.graph.nodes, seen, strict=True)
        if found is not None
    }


def _fuse(graph: fx.GraphModule, seen: dict[fx.Node, Observed], precision: torch.dtype) -> None:
    """Pack every convolution, with the residual sum and the rectifier that follow it alone."""
    for node in list(graph.graph.nodes):
        convolution = layer(graph, node, nn.Conv2d)
        if not isinstance(convolution, nn.Conv2d) or not is_packable(convolution):
            continue
        source = node.args[0]
        last, other = node, None
        follower = only_user(last)
        summands = addends(follower) if follower is not None else None
        if summands is not None and follower is not None:
            other = summands[1] if summands[0] is node else summands[0]
            if other is node or other not in seen or seen[other].shape != seen[node].shape:
                other = None
            else:
                last, follower = follower, only_user(follower)
        relu = follower is not None and layer(graph, follower, nn.ReLU) is not None
        if relu and follower is not None:
            last = follower
        kind = PackedConvolution if other is None else PackedResidual
        step = kind(convolution, seen[source].shape, precision, relu)
        new = put_layer(graph, last, step, (source,) if other is None else (source, other))
        seen[new] = seen[node]
    graph.graph.eliminate_dead_code()
    for node in list(graph.graph.nodes):
        if layer(graph, node, PackedConvolution) or layer(graph, node, PackedResidual):
            for source in node.args:
                if not _keeps_layout(graph, source):
                    insert_before(graph, node, source, ChannelsLast())


_LAYOUT_KEEPERS = {F.interpolate, *POINTWISE}


def _keeps_layout(graph: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node's result has its channels last for sure."""
    if any(layer(graph, node, kind) for kind in (PackedConvolution, PackedResidual, Interleave)):
        return True
    if layer(graph, node, nn.ReLU) or node.target in _LAYOUT_KEEPERS:
        return all(_keeps_layout(graph, source) for source in node.all_input_nodes)
    return False
