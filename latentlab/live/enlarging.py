"""A convolution of an enlarged map is four smaller convolutions of the map itself.

Doubling by nearest neighbours repeats every pixel, so of the nine numbers that a 3 x 3 kernel reads at most
four differ: row 2h + i of the result reads rows h - 1 + i and h + i of the map, with the kernel's rows summed
where they read the same one. The four cases (i, j) are one 2 x 2 convolution with four times the channels,
whose results are interleaved (the sub-pixel convolution of Shi et al. 2016): half the multiplications, and
the enlarged map is never written.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from latentlab.live.graph import insert_after, layer, only_user, put_layer

_ROWS = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]], [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
"""[i, tap, row of the kernel]: which rows each of the two taps sums in case i."""


class Interleave(nn.Module):
    """``[B, 4C, H + 1, W + 1]`` with the cases (i, j) outermost in the channels to ``[B, C, 2H, 2W]``.

    Pixel (2h + i, 2w + j) of the result is pixel (h + i, w + j) of case (i, j).
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return the interleaved map, its channels last in memory: one view, one copy."""
        x = x.contiguous(memory_format=torch.channels_last)
        batch, channels, height, width = x.shape
        cases, row = channels // 4, width * channels
        view = x.as_strided(
            (batch, height - 1, 2, width - 1, 2, cases),
            (height * row, row, row + 2 * cases, channels, channels + cases, 1),
        )
        found = view.contiguous().view(batch, 2 * height - 2, 2 * width - 2, cases)
        return found.permute(0, 3, 1, 2)


def smaller(convolution: nn.Conv2d) -> nn.Conv2d:
    """Return the 2 x 2 convolution of a map whose result, interleaved, is that of the doubled map."""
    rows = _ROWS.to(convolution.weight)
    kernel = torch.einsum("iap,ocpq,jbq->ijocab", rows, convolution.weight.detach(), rows)
    with torch.device("meta"):
        found = nn.Conv2d(
            convolution.in_channels,
            4 * convolution.out_channels,
            2,
            padding=1,
            bias=convolution.bias is not None,
        )
    found.weight = nn.Parameter(kernel.reshape(-1, convolution.in_channels, 2, 2), requires_grad=False)
    if convolution.bias is not None:
        found.bias = nn.Parameter(convolution.bias.detach().repeat(4), requires_grad=False)
    return found


def shrink_enlarging(module: fx.GraphModule) -> None:
    """Rewrite a graph's convolutions of doubled maps, and rectify maps before they are doubled."""
    for node in list(module.graph.nodes):
        source = node.args[0] if node.args else None
        if not isinstance(source, fx.Node) or not _doubles(source):
            continue
        small = source.args[0]
        assert isinstance(small, fx.Node)
        if layer(module, node, nn.ReLU) is not None:
            with module.graph.inserting_before(node):
                rectified = module.graph.call_module(str(node.target), (small,))
                doubled = module.graph.call_function(
                    F.interpolate, (rectified, *source.args[1:]), dict(source.kwargs)
                )
            node.replace_all_uses_with(doubled)
            module.graph.erase_node(node)
    for node in list(module.graph.nodes):
        convolution = layer(module, node, nn.Conv2d)
        if not isinstance(convolution, nn.Conv2d) or not _is_usual(convolution):
            continue
        source = node.args[0]
        if isinstance(source, fx.Node) and _doubles(source):
            last, follower = node, only_user(node)
            relu = None if follower is None else layer(module, follower, nn.ReLU)
            if follower is not None and relu is not None:
                last = follower
            few = put_layer(module, last, smaller(convolution), tuple(source.all_input_nodes))
            if relu is not None:
                few = insert_after(module, few, relu)
            insert_after(module, few, Interleave())


def _doubles(node: fx.Node) -> bool:
    given = node.kwargs
    return (
        node.op == "call_function"
        and node.target is F.interpolate
        and len(node.args) == 1
        and (given.get("mode", "nearest"), given.get("size")) == ("nearest", None)
        and given.get("scale_factor") in (2.0, (2.0, 2.0))
    )


def _is_usual(convolution: nn.Conv2d) -> bool:
    return (
        convolution.kernel_size == (3, 3)
        and convolution.stride == convolution.dilation == (1, 1)
        and convolution.padding == (1, 1)
        and convolution.padding_mode == "zeros"
        and convolution.groups == 1
    )
