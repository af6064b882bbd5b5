"""Layers with their weights packed for oneDNN and with what follows them fused in.

A plain ``nn.Conv2d`` reorders its kernel at every call and leaves the rectifier and the residual sum to
passes of their own over memory. Here the kernel is reordered once, and both are done while the result is
still in registers. These are the operations that PyTorch's own compiler uses; they need no compiler at run
time. Only the CPU has them.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def can_pack(precision: torch.dtype) -> bool:
    """Whether this PyTorch and this processor have the packed operations in a precision."""
    found = torch.backends.mkldnn.is_available() and hasattr(  # type: ignore[no-untyped-call]
        torch.ops.mkldnn, "_convolution_pointwise"
    )
    if precision == torch.bfloat16:
        return bool(found and torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return bool(found and precision == torch.float32)


def is_packable(layer: nn.Conv2d) -> bool:
    """Whether a convolution's padding is of the kind that packed kernels have."""
    return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)


class PackedConvolution(nn.Module):
    """conv(x), relu(conv(x)) or conv(x) + other, or relu of that, in one call.

    Parameters
    ----------
    layer
        A convolution that `is_packable`; it is read, not changed.
    shape
        Shape of the input ``[B, C, H, W]`` for which the kernel's layout is chosen; other batches work too.
    precision
        ``torch.float32`` or ``torch.bfloat16``: of the input, the kernel and the result.
    relu
        Whether the result is rectified.
    """

    def __init__(
        self, layer: nn.Conv2d, shape: torch.Size, precision: torch.dtype, relu: bool = False
    ) -> None:
        super().__init__()
        self._padding, self._stride = [int(p) for p in layer.padding], list(layer.stride)
        self._dilation, self._groups = list(layer.dilation), layer.groups
        self._kernel = torch._C._nn.mkldnn_reorder_conv2d_weight(  # type: ignore[call-arg]
            layer.weight.detach().to(precision).to_mkldnn(),
            self._padding,
            self._stride,
            self._dilation,
            self._groups,
            list(shape),
        )
        self._bias = None if layer.bias is None else layer.bias.detach().to(precision)
        self._relu = relu
        self._call = torch.ops.mkldnn._convolution_pointwise.default

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution of ``[B, C, H, W]``, `channels_last` in memory."""
        out: Tensor = self._call(
            x,
            self._kernel,
            self._bias,
            self._padding,
            self._stride,
            self._dilation,
            self._groups,
            "relu" if self._relu else "none",
            [],
            "",
        )
        return out


class PackedResidual(PackedConvolution):
    """conv(x) + other, rectified or not, in one call."""

    def __init__(
        self, layer: nn.Conv2d, shape: torch.Size, precision: torch.dtype, relu: bool = False
    ) -> None:
        super().__init__(layer, shape, precision, relu)
        self._call = torch.ops.mkldnn._convolution_pointwise.binary

    def forward(self, x: Tensor, other: Tensor) -> Tensor:  # type: ignore[override]
        """Return the convolution of x plus ``other``, both `channels_last` in memory."""
        out: Tensor = self._call(
            x,
            other,
            self._kernel,
            self._bias,
            self._padding,
            self._stride,
            self._dilation,
            self._groups,
            "add",
            1.0,
            "relu" if self._relu else None,
            [],
            None,
        )
        return out


class ChannelsLast(nn.Module):
    """The same tensor with its channels last in memory, which is what the packed kernels run on."""

    def forward(self, x: Tensor) -> Tensor:
        """Return x, copied only if it lies differently."""
        return x.contiguous(memory_format=torch.channels_last)


class Cast(nn.Module):
    """The same tensor in another precision."""

    def __init__(self, precision: torch.dtype) -> None:
        super().__init__()
        self._precision = precision

    def forward(self, x: Tensor) -> Tensor:
        """Return x in the precision."""
        return x.to(self._precision)
