"""The int8 form: convolutions on 8-bit numbers, everything between them in float32.

A rectified feature map is never negative, so it is stored as uint8 with one scale per map; a kernel as
int8 with one scale per output channel (Jacob et al. 2018, section 2). Processors with VNNI multiply four
such pairs at once, twice as many as in bfloat16. The residual sums stay in float32: only what a convolution
reads is rounded, not what is carried on.

What is not read from a rectifier, and what has few output channels (the picture's last layer, where
rounding would show and little would be gained), runs in bfloat16. The scales come from typical input; whether
the pictures are right is measured by the trial, which leaves the form out if they are not.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from latentlab.live.enlarging import Interleave
from latentlab.live.graph import Observed, addends, insert_after, insert_before, layer, only_user, put_layer
from latentlab.live.kernels import Cast, ChannelsLast, PackedConvolution, is_packable

LEAST_CHANNELS = 16
"""A convolution with fewer output channels is not worth rounding."""


def can_quantise() -> bool:
    """Whether this PyTorch and this processor have fast 8-bit convolutions."""
    return hasattr(torch.ops.onednn, "qconv2d_pointwise") and torch.cpu._is_vnni_supported()


class Quantise(nn.Module):
    """Rectify and round: float32 ``[B, C, H, W]`` to uint8, ``round(255 max(x, 0) / largest)``.

    Parameters
    ----------
    largest
        The value of each channel that becomes 255, ``[C]``; larger ones become 255 too.
    """

    def __init__(self, largest: Tensor) -> None:
        super().__init__()
        self._per_unit = (255.0 / largest)[:, None, None]
        self._half = torch.tensor(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Return uint8 of the same shape."""
        scaled = torch.addcmul(self._half, x, self._per_unit)
        # By way of int32: PyTorch converts float32 to uint8 one number at a time.
        return scaled.clamp_(0.0, 255.0).to(torch.int32).to(torch.uint8)


class QuantisedConvolution(nn.Module):
    """A convolution of uint8 with an int8 kernel.

    Parameters
    ----------
    layer
        The convolution; it is read, not changed.
    shape
        Shape of the input ``[B, C, H, W]`` for which the kernel's layout is chosen.
    largest
        The value of each channel that 255 stands for in the input, ``[C]``.
    relu
        Whether the result is rectified.
    result_largest
        The same for a uint8 result; None for a float32 result.
    """

    def __init__(
        self,
        layer: nn.Conv2d,
        shape: torch.Size,
        largest: Tensor,
        relu: bool,
        result_largest: Tensor | None = None,
    ) -> None:
        super().__init__()
        # What 255 stands for goes into the kernels on both sides, so that every channel has its own scale.
        weight = layer.weight.detach().float() * largest[:, None, None]
        bias = None if layer.bias is None else layer.bias.detach().float()
        if result_largest is not None:
            weight = weight / result_largest[:, None, None, None]
            bias = None if bias is None else bias / result_largest
        scales = weight.abs().amax((1, 2, 3)).clamp_min(1e-12) / 127.0
        rounded = torch.round(weight / scales[:, None, None, None]).to(torch.int8)
        stride, padding, dilation = list(layer.stride), [int(p) for p in layer.padding], list(layer.dilation)
        kernel = torch.ops.onednn.qconv_prepack(
            rounded, scales, 1.0 / 255.0, 0, stride, padding, dilation, 1, list(shape)
        )
        zeros = torch.zeros(len(weight), dtype=torch.int64)
        self._before = (1.0 / 255.0, 0, kernel, scales, zeros)
        self._geometry = (bias, stride, padding, dilation, 1)
        self._relu = "relu" if relu else "none"
        self._out = (1.0, 0, torch.float32)
        if result_largest is not None:
            self._out = (1.0 / 255.0, 0, torch.uint8)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of uint8 ``[B, C, H, W]``."""
        out: Tensor = torch.ops.onednn.qconv2d_pointwise.default(
            x, *self._before, *self._geometry, *self._out, self._relu, [], ""
        )
        return out


class QuantisedResidual(QuantisedConvolution):
    """conv(x) + other in float32, rectified or not; ``other`` is overwritten with the result."""

    def forward(self, x: Tensor, other: Tensor) -> Tensor:  # type: ignore[override]
        """Return the sum for uint8 x ``[B, C, H, W]`` and float32 ``other`` with its channels last."""
        out: Tensor = torch.ops.onednn.qconv2d_pointwise.binary(
            x, *self._before, other, *self._geometry, *self._out, 1.0, 0, "sum", 1.0, self._relu, [], ""
        )
        return out


def quantise(graph: fx.GraphModule, seen: dict[fx.Node, Observed]) -> None:
    """Replace convolutions that read a rectifier by 8-bit ones, and pack the others in bfloat16.

    Parameters
    ----------
    seen
        What every node gives for typical input.
    """
    rounded = _rectifiers(graph, seen)
    for node in list(graph.graph.nodes):
        convolution = layer(graph, node, nn.Conv2d)
        if not isinstance(convolution, nn.Conv2d) or not is_packable(convolution):
            continue
        source = node.args[0]
        if (origin := _origin(graph, source)) in rounded:
            _replace(graph, node, convolution, seen, rounded, rounded[origin])
        else:
            step = PackedConvolution(convolution, seen[source].shape, torch.bfloat16)
            cast = insert_before(graph, node, source, Cast(torch.bfloat16))
            ordered = insert_before(graph, node, cast, ChannelsLast())
            new = insert_after(graph, put_layer(graph, node, step, (ordered,)), Cast(torch.float32))
            seen[new] = seen[node]
    for node, value in rounded.items():
        if layer(graph, node, nn.ReLU) is not None and node.users:
            put_layer(graph, node, Quantise(value), tuple(node.all_input_nodes))
    graph.graph.eliminate_dead_code()


def _rectifiers(graph: fx.GraphModule, seen: dict[fx.Node, Observed]) -> dict[fx.Node, Tensor]:
    """Return the rectifiers that only convolutions worth rounding read, with what 255 stands for."""
    rounded = {}
    for node in graph.graph.nodes:
        if layer(graph, node, nn.ReLU) is None or node not in seen:
            continue
        users = _readers(graph, node)
        readers = [found for user in users if isinstance(found := layer(graph, user, nn.Conv2d), nn.Conv2d)]
        channels = {reader.in_channels for reader in readers}
        if len(readers) == len(users) and len(channels) == 1 and all(map(_is_worth, readers)):
            rounded[node] = _scales(seen[node].largest, channels.pop())
    return rounded


def _readers(graph: fx.GraphModule, node: fx.Node) -> list[fx.Node]:
    """Return the nodes that read a result, directly or after it has been rearranged."""
    found = []
    for user in node.users:
        found += _readers(graph, user) if _rearranges(graph, user) else [user]
    return found


def _rearranges(graph: fx.GraphModule, node: fx.Node) -> bool:
    if node.target is F.interpolate:
        return bool(node.kwargs.get("mode", "nearest") == "nearest")
    return layer(graph, node, Interleave) is not None


def _scales(largest: Tensor, channels: int) -> Tensor:
    """Return what 255 stands for in each channel of a map, given the channels' largest values.

    The channels' ranges are evened out half the way (as in Xiao et al. 2023, SmoothQuant): wholly even ones
    would leave the kernels uneven, and a channel that was small by chance without room. Channels that
    stand side by side after an interleaving share their value.
    """
    shared = largest.reshape(-1, channels).amax(0)
    top = float(shared.max().clamp_min(1e-6))
    return (shared.clamp_min(0.01 * top) * top).sqrt().repeat(len(largest) // len(shared))


def _is_worth(convolution: nn.Conv2d) -> bool:
    return convolution.out_channels >= LEAST_CHANNELS and convolution.groups == 1 and is_packable(convolution)


def _origin(graph: fx.GraphModule, node: fx.Node) -> fx.Node:
    """Return the node that gave a result before it was rearranged."""
    while _rearranges(graph, node):
        (node,) = node.all_input_nodes
    return node


def _replace(
    graph: fx.GraphModule,
    node: fx.Node,
    convolution: nn.Conv2d,
    seen: dict[fx.Node, Observed],
    rounded: dict[fx.Node, Tensor],
    scale: Tensor,
) -> None:
    """Put an 8-bit convolution in a node's place, with the sum and the rectifier that follow it alone."""
    source = node.args[0]
    assert isinstance(source, fx.Node)
    shape, scale = seen[source].shape, scale[: convolution.in_channels]
    last, follower = node, only_user(node)
    other = None
    if follower is not None and (summands := addends(follower)) is not None:
        other = summands[1] if summands[0] is node else summands[0]
        if other is node or not _may_overwrite(graph, other, follower):
            other = None
        else:
            last, follower = follower, only_user(follower)
    relu = follower is not None and layer(graph, follower, nn.ReLU) is not None
    result = None
    if relu and follower is not None:
        if other is None:
            last, result = follower, rounded.pop(follower, None)
        elif follower in rounded:
            relu = False
        else:
            last = follower
    if other is None:
        step = QuantisedConvolution(convolution, shape, scale, relu, result)
        new = put_layer(graph, last, step, (source,))
    else:
        step = QuantisedResidual(convolution, shape, scale, relu)
        new = put_layer(graph, last, step, (source, other))
    seen[new] = seen[last]
    if result is not None:
        rounded[new] = result


def _may_overwrite(graph: fx.GraphModule, node: fx.Node, by: fx.Node) -> bool:
    """Whether a result is a tensor of its own that nothing reads after ``by``, or through a view."""
    order = {found: position for position, found in enumerate(graph.graph.nodes)}
    kinds = (QuantisedConvolution, QuantisedResidual, Cast, nn.Conv2d)
    fresh = node.target is F.interpolate or any(layer(graph, node, kind) is not None for kind in kinds)
    return fresh and all(
        user is by
        or (
            order[user] < order[by]
            and (user.target is F.interpolate or layer(graph, user, nn.ReLU) is not None)
        )
        for user in node.users
    )
