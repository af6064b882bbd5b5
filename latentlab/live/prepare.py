"""Fast forms of a network: the same numbers within the precision, several times sooner.

A form is made from the network's graph (`latentlab.live.graph`), whatever its family: kernels are packed, and
rectifiers and residual sums fused into the convolution before them. What is not known stays as it is; a
network that cannot be traced runs as it is, in the precision asked for. The original is never changed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from latentlab.device import torch_dtype
from latentlab.live.graph import (
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
        self._seen: dict[int, list[Observed | None]] = {}

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
        if self._traced is None:
            self._traced = trace(self._network, conditional=len(self._example) > 1)
        graph = fork(self._traced)
        if precision == "int8":
            if not can_quantise():
                raise ValueError("this machine has no fast 8-bit convolutions")
            quantise(graph, self._observed(graph, len(self._example[0]), batch))
        else:
            kind = torch_dtype(precision)
            if not can_pack(kind):
                raise ValueError(f"this machine has no packed operations in {precision}")
            _fuse(graph, self._observed(graph, 1, batch), kind)
            if kind != torch.float32:
                for node in [node for node in graph.graph.nodes if node.op == "placeholder"]:
                    insert_after(graph, node, Cast(kind))
                convert(graph, kind)
        graph.graph.lint()
        graph.delete_all_unused_submodules()
        graph.recompile()
        return graph

    def _observed(self, graph: fx.GraphModule, rows: int, batch: int) -> dict[fx.Node, Observed]:
        """Return what the nodes of a fork give for some rows of the example, as if they were a batch."""
        if rows not in self._seen:
            seen = observe(graph, tuple(tensor[:rows] for tensor in self._example))
            self._seen[rows] = [seen.get(node) for node in graph.graph.nodes]
        return {
            node: Observed(torch.Size([batch, *found.shape[1:]]), found.largest)
            for node, found in zip(graph.graph.nodes, self._seen[rows], strict=True)
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


_LAYOUT_KEEPERS = {F.interpolate, torch.sigmoid}


def _keeps_layout(graph: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node's result has its channels last for sure."""
    if layer(graph, node, PackedConvolution) or layer(graph, node, PackedResidual):
        return True
    if layer(graph, node, nn.ReLU) or node.target in _LAYOUT_KEEPERS:
        source = node.args[0]
        return isinstance(source, fx.Node) and _keeps_layout(graph, source)
    return False
