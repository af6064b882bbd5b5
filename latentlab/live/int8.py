"""The int8 form: convolutions on 8-bit numbers, everything between them in a finer precision.

A rectified feature map is never negative, so it is stored as uint8 with one scale per channel; a kernel as
int8 with one scale per output channel (Jacob et al. 2018, section 2). Processors with VNNI multiply four
such pairs at once, twice as many as in bfloat16. The residual sums stay as they are: only what a convolution
reads is rounded, not what is carried on.

What is not read from a rectifier, and what has few output channels (the picture's last layer, where
rounding would show and little would be gained), is not rounded; nor is a convolution on a small map around
which no sum leads, since its error is carried through all that follows. The scales come from typical input;
whether the pictures are right is measured by the trial, which leaves the form out if they are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch.nn.functional as F
from torch import Tensor, fx, nn

from latentlab.live.graph import Observed, layer

LEAST_CHANNELS = 16
"""A convolution with fewer output channels is not worth rounding."""
SMALL = 64
"""Positions of a map on which sparing a convolution costs little."""
BEYOND = 1e-4
"""Share of a channel's values in typical and far latents that are cut: those few would make the steps coarse
for all others."""
EVENNESS = 0.65
"""How far the channels' ranges are evened out, from 0 (one range for all) to 1 (each its own). Chosen with
`BEYOND` on the faces, where the noise is 2.4 of 255 so, and 2.8 with all values and half the way."""


class Rounding:
    """Which maps of a graph are rounded, what 255 stands for in them, and how that is written for OpenVINO.

    Parameters
    ----------
    module
        A graph of `latentlab.live.graph.trace`.
    seen
        What its nodes give for typical input.
    """

    def __init__(self, module: fx.GraphModule, seen: Mapping[fx.Node, Observed]) -> None:
        self._tops: dict[fx.Node, Tensor] = {}
        self._maps: dict[fx.Node, Any] = {}
        self._spared: set[fx.Node] = set()
        (output,) = (node for node in module.graph.nodes if node.op == "output")
        pictured = _behind(output.args[0][0])  # the first result is the picture
        for node in module.graph.nodes:
            if layer(module, node, nn.ReLU) is not None and node in seen and len(seen[node].shape) == 4:
                self._tops[node] = _tops(seen[node])
            small = node in pictured and node in seen and seen[node].shape[2:].numel() <= SMALL
            if small and layer(module, node, nn.Conv2d) is not None and _goes_on(node):
                self._spared.add(node)

    def rounds(self, node: fx.Node, convolution: nn.Conv2d) -> bool:
        """Whether a node, which calls a convolution, reads its source in 8 bits."""
        worth = convolution.out_channels >= LEAST_CHANNELS and convolution.groups == 1
        there = node.args[0] in self._tops and node not in self._spared
        return worth and there and convolution.padding_mode == "zeros"

    def pair(self, ops: Any, source: fx.Node, x: Any, convolution: nn.Conv2d) -> tuple[Any, Any]:
        """Return a map rounded to 0..255 and the kernel that multiplies it, in OpenVINO's operations.

        What 255 stands for goes into the kernel, so that every channel of the map has its own scale.

        Parameters
        ----------
        ops
            OpenVINO's operations.
        source, x
            The rectifier, and its map ``[B, C, H, W]``.
        """
        tops = self._tops[source]
        if source not in self._maps:
            zero, full = (ops.constant(np.full((1, 1, 1, 1), end, np.float32)) for end in (0.0, 255.0))
            high = ops.constant(tops.reshape(1, -1, 1, 1).numpy())
            self._maps[source] = ops.fake_quantize(x, zero, high, zero, full, 256)
        weight = convolution.weight.detach().float() * (tops / 255.0)[:, None, None]
        scales = weight.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-12) / 127.0
        rounded = (weight / scales).round().numpy().astype(np.int8)
        kernel = ops.multiply(ops.convert(ops.constant(rounded), "f32"), ops.constant(scales.numpy()))
        return self._maps[source], kernel


def _behind(node: fx.Node) -> set[fx.Node]:
    """Return a node and all on which it rests."""
    found = {node}
    todo = [node]
    while todo:
        for source in todo.pop().all_input_nodes:
            if source not in found:
                found.add(source)
                todo.append(source)
    return found


def _goes_on(node: fx.Node) -> bool:
    """Whether a result, enlarged or not, is read by what follows and by the sum around that."""
    while len(node.users) == 1 and (user := next(iter(node.users))).target is F.interpolate:
        node = user
    return len(node.users) > 1


def _tops(seen: Observed) -> Tensor:
    """Return what 255 stands for in each channel of a map, given its largest values.

    The channels' ranges are evened out part of the way (as in Xiao et al. 2023, SmoothQuant): wholly even
    ones would leave the kernels uneven, and a channel that was small by chance without room.
    """
    place = min(int(BEYOND * seen.count), seen.largest.shape[1] - 1)
    largest = seen.largest[:, place]
    top = float(largest.max().clamp_min(1e-6))
    return top * (largest / top).clamp_min(0.01) ** EVENNESS
