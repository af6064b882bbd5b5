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

from latentlab.live.graph import Observed, addends, insert_after, insert_before, layer, only_user, put_layer
from latentlab.live.kernels import Cast, ChannelsLast, PackedConvolution, is_packable

LEAST_CHANNELS = 16
"""A convolution with fewer output channels is not worth rounding."""


def can_quantise() -> bool:
    """Whether this PyTorch and this processor have fast 8-bit convolutions."""
    return hasattr(torch.ops.onednn, "qconv2d_pointwise") and torch.cpu._is_vnni_supported()


class Quantise(nn.Module):
    """Rectify and round: float32 to uint8, ``round(max(x, 0) / scale)``.

    Parameters
    ----------
    largest
        The value that becomes 255; larger ones become 255 too.
    """

    def __init__(self, largest: float) -> None:
        super().__init__()
        self._per_unit = 255.0 / largest
        self._half = torch.tensor(0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Return uint8 of the same shape."""
        scaled = torch.add(self._half, x, alpha=self._per_unit)
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
        The value that 255 stands for in the input.
    relu
        Whether the result is rectified.
    result_largest
        The value that 255 stands for in a uint8 result; None for a float32 result.
    """

    def __init__(
        self,
        layer: nn.Conv2d,
        shape: torch.Size,
        largest: float,
        relu: bool,
        result_largest: float | None = None,
    ) -> None:
        super().__init__()
        weight = layer.weight.detach().float()
        scales = weight.abs().amax((1, 2, 3)).clamp_min(1e-12) / 127.0
        rounded = torch.round(weight / scales[:, None, None, None]).to(torch.int8)
        stride, padding, dilation = list(layer.stride), [int(p) for p in layer.padding], list(layer.dilation)
        scale = largest / 255.0
        kernel = torch.ops.onednn.qconv_prepack(
            rounded, scales, scale, 0, stride, padding, dilation, 1, list(shape)
        )
        zeros = torch.zeros(len(weight), dtype=torch.int64)
        bias = None if layer.bias is None else layer.bias.detach().float()
        self._before = (scale, 0, kernel, scales, zeros)
        self._geometry = (bias, stride, padding, dilation, 1)
        self._relu = "relu" if relu else "none"
        self._out = (1.0, 0, torch.float32)
        if result_largest is not None:
            self._out = (result_largest / 255.0, 0, torch.uint8)

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
        if source in rounded:
            _replace(graph, node, convolution, seen, rounded)
        else:
            step = PackedConvolution(convolution, seen[source].shape, torch.bfloat16)
            cast = insert_before(graph, node, source, Cast(torch.bfloat16))
            ordered = insert_before(graph, node, cast, ChannelsLast())
            new = insert_after(graph, put_layer(graph, node, step, (ordered,)), Cast(torch.float32))
            seen[new] = seen[node]
    for node, value in rounded.items():
        if layer(graph, node, nn.ReLU) is not None and node.users:
            _round_at(graph, node, value)
    graph.graph.eliminate_dead_code()


def _rectifiers(graph: fx.GraphModule, seen: dict[fx.Node, Observed]) -> dict[fx.Node, float]:
    """Return the rectifiers that only convolutions worth rounding read, with their largest values."""
    found = {}
    for node in graph.graph.nodes:
        if layer(graph, node, nn.ReLU) is None or node not in seen or seen[node].largest <= 0.0:
            continue
        readers = [layer(graph, user, nn.Conv2d) for user in node.users]
        if readers and all(isinstance(reader, nn.Conv2d) and _is_worth(reader) for reader in readers):
            found[node] = seen[node].largest
    return found


def _is_worth(convolution: nn.Conv2d) -> bool:
    return convolution.out_channels >= LEAST_CHANNELS and convolution.groups == 1 and is_packable(convolution)


def _replace(
    graph: fx.GraphModule,
    node: fx.Node,
    convolution: nn.Conv2d,
    seen: dict[fx.Node, Observed],
    rounded: dict[fx.Node, float],
) -> None:
    """Put an 8-bit convolution in a node's place, with the sum and the rectifier that follow it alone."""
    source = node.args[0]
    assert isinstance(source, fx.Node)
    scale, shape = rounded[source], seen[source].shape
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


def _round_at(graph: fx.GraphModule, node: fx.Node, largest: float) -> None:
    """Put the rounding in a rectifier's place; before an enlargement, where there is less to round."""
    source = node.args[0]
    assert isinstance(source, fx.Node)
    if source.target is F.interpolate and source.kwargs.get("mode", "nearest") == "nearest":
        small = source.args[0]
        assert isinstance(small, fx.Node)
        few = insert_before(graph, node, small, Quantise(largest), link=False)
        with graph.graph.inserting_before(node):
            many = graph.graph.call_function(F.interpolate, (few, *source.args[1:]), dict(source.kwargs))
        node.replace_all_uses_with(many)
        graph.graph.erase_node(node)
    else:
        put_layer(graph, node, Quantise(largest), (source,))
