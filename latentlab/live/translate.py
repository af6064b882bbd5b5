"""A network's graph in OpenVINO's operations, number for number.

Every kind of node has a line in one of three tables, by layer, function and method. A node without one, or
with arguments that its line does not know, raises, and the whole network is run by PyTorch as it is; a family
that brings a new operation adds a line.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from latentlab.live.frame_network import Screen
from latentlab.live.graph import Observed, attribute
from latentlab.live.int8 import Rounding
from latentlab.live.runtime import openvino

Value = Any
"""A result in OpenVINO's graph, or a list of them."""


def translate(
    module: fx.GraphModule,
    seen: Mapping[fx.Node, Observed],
    batch: int,
    rounding: Rounding | None = None,
    results: int | None = None,
) -> Any:
    """Return the graph as an ``openvino.Model`` for batches of one size.

    Parameters
    ----------
    module
        A graph of `latentlab.live.graph.trace`.
    seen
        What its nodes give (`latentlab.live.graph.observe`); the shapes are taken for any batch.
    rounding
        Which maps are rounded to 8 bits; None rounds none.
    results
        How many of the first results are wanted; what only the others need is left out. None: all.

    Raises
    ------
    NotImplementedError
        If a node is of a kind that has no translation.
    """
    return _Translator(module, seen, batch, rounding).model(results)


class _Translator:
    def __init__(
        self,
        module: fx.GraphModule,
        seen: Mapping[fx.Node, Observed],
        batch: int,
        rounding: Rounding | None,
    ) -> None:
        self.module, self.seen, self.batch, self.rounding = module, seen, batch, rounding
        self.ops = openvino("openvino.opset13")
        self.values: dict[fx.Node, Value] = {}
        self.rows = next(seen[node].shape[0] for node in module.graph.nodes if node.op == "placeholder")

    def model(self, wanted: int | None) -> Any:
        parameters = []
        for node in self.module.graph.nodes:
            if node.op == "placeholder":
                self.values[node] = self.ops.parameter(self.shape(node), np.float32)
                parameters.append(self.values[node])
            elif node.op == "output":
                results = [self.ops.result(self.values[found]) for found in node.args[0][:wanted]]
                return openvino().Model(results, parameters)
            else:
                self.values[node] = self.of(node)
        raise NotImplementedError("a graph without output")

    def of(self, node: fx.Node) -> Value:
        """Return a node's value; those of its inputs are there."""
        if node.op == "get_attr":
            return self.constant(attribute(self.module, str(node.target)))
        if node.op == "call_module":
            layer = self.module.get_submodule(str(node.target))
            (source,) = node.args
            if getattr(layer, "inplace", False) and len(node.all_input_nodes[0].users) > 1:
                raise NotImplementedError(f"{node.name} overwrites what is read elsewhere")
            return self.line(_LAYERS, type(layer))(self, node, layer, self.value(source))
        table = _FUNCTIONS if node.op == "call_function" else _METHODS
        return self.line(table, node.target)(self, node)

    @staticmethod
    def line(table: Mapping[Any, Any], kind: Any) -> Any:
        if kind not in table:
            raise NotImplementedError(f"no translation for {getattr(kind, '__name__', kind)}")
        return table[kind]

    def value(self, given: Any) -> Value:
        """Return the value of an argument: a node, a number, or several."""
        if isinstance(given, fx.Node):
            return self.values[given]
        if isinstance(given, int | float):
            return self.ops.constant(np.float32(given))
        if isinstance(given, tuple | list):
            return [self.value(one) for one in given]
        raise NotImplementedError(f"no translation for the argument {given!r}")

    def constant(self, tensor: Tensor) -> Value:
        return self.ops.constant(np.ascontiguousarray(tensor.detach().float().numpy()))

    def whole(self, numbers: Any) -> Value:
        return self.ops.constant(np.array(list(numbers), dtype=np.int64))

    def shape(self, node: fx.Node) -> list[int]:
        if node not in self.seen:
            raise NotImplementedError(f"the shape of {node.name} is not known")
        rows, *rest = self.seen[node].shape
        if rows != self.rows:
            raise NotImplementedError(f"{node.name} mixes the batch with other dimensions")
        return [self.batch, *rest]

    def reshaped(self, node: fx.Node) -> Value:
        if not node.args:
            raise NotImplementedError(f"no translation for the arguments of {node.target}")
        return self.ops.reshape(self.value(node.args[0]), self.whole(self.shape(node)), False)

    def permuted(self, node: fx.Node) -> Value:
        _no_more(node, len(node.args))
        axes: Any = node.args[1] if isinstance(node.args[1], tuple | list) else node.args[1:]
        return self.ops.transpose(self.value(node.args[0]), self.whole(axis % len(axes) for axis in axes))

    def swapped(self, node: fx.Node) -> Value:
        _no_more(node, 3)
        order = list(range(len(self.shape(node))))
        first, second = (int(axis) for axis in node.args[1:3])  # type: ignore[arg-type]
        order[first], order[second] = order[second], order[first]
        return self.ops.transpose(self.value(node.args[0]), self.whole(order))

    def bias(self, layer: nn.Module, x: Value, *more: int) -> Value:
        if getattr(layer, "bias", None) is None:
            return x
        return self.ops.add(x, self.constant(layer.bias.reshape(1, -1, *more)))  # type: ignore[operator]

    def linear(self, node: fx.Node, layer: nn.Linear, x: Value) -> Value:
        return self.bias(layer, self.ops.matmul(x, self.constant(layer.weight), False, True))

    def convolution(self, node: fx.Node, layer: nn.Conv2d, x: Value) -> Value:
        before, after = _padding(layer)
        if layer.padding_mode != "zeros":
            mode = self.line(_PADDING, layer.padding_mode)
            x = self.ops.pad(x, self.whole([0, 0, *before]), self.whole([0, 0, *after]), mode)
            before, after = [0, 0], [0, 0]
        geometry = list(layer.stride), before, after, list(layer.dilation)
        source = node.args[0]
        rounded = self.rounding is not None and self.rounding.rounds(node, layer)
        if self.rounding is not None and rounded and isinstance(source, fx.Node):
            x, kernel = self.rounding.pair(self.ops, source, x, layer)
            result = self.ops.convolution(x, kernel, *geometry)
        elif layer.groups == 1:
            result = self.ops.convolution(x, self.constant(layer.weight), *geometry)
        else:
            out, *rest = layer.weight.shape
            kernel = self.constant(layer.weight.reshape(layer.groups, out // layer.groups, *rest))
            result = self.ops.group_convolution(x, kernel, *geometry)
        return self.bias(layer, result, 1, 1)

    def transposed_convolution(self, node: fx.Node, layer: nn.ConvTranspose2d, x: Value) -> Value:
        if layer.groups != 1 or layer.padding_mode != "zeros":
            raise NotImplementedError("a transposed convolution in groups")
        padding = [int(p) for p in layer.padding]
        result = self.ops.convolution_backprop_data(
            x,
            self.constant(layer.weight),
            list(layer.stride),
            pads_begin=padding,
            pads_end=padding,
            dilations=list(layer.dilation),
            output_padding=list(layer.output_padding),
        )
        return self.bias(layer, result, 1, 1)

    def batch_norm(self, node: fx.Node, layer: nn.BatchNorm2d, x: Value) -> Value:
        if layer.training or layer.running_mean is None or layer.running_var is None:
            raise NotImplementedError("a normalisation over the batch")
        scale = (layer.running_var + layer.eps).rsqrt()
        if layer.weight is not None:
            scale = scale * layer.weight
        shift = -layer.running_mean * scale + (0.0 if layer.bias is None else layer.bias)
        scaled = self.ops.multiply(x, self.constant(scale.reshape(1, -1, 1, 1)))
        return self.ops.add(scaled, self.constant(shift.reshape(1, -1, 1, 1)))

    def resized(self, node: fx.Node) -> Value:
        given: dict[str, Any] = dict(node.kwargs)
        _no_more(node, 1, *given)
        (source,) = node.all_input_nodes
        x, sides = self.value(source), self.shape(node)[2:]
        size, factor = self.whole(sides), given.get("scale_factor")
        mode, extra = given.get("mode", "nearest"), given.get("antialias")
        if factor is not None:
            # PyTorch maps by the factor itself, which is the ratio of the sizes only where that is whole.
            factors = factor if isinstance(factor, tuple | list) else [factor] * len(sides)
            before = self.shape(source)[2:]
            extra = extra or any(f * b != s for f, b, s in zip(factors, before, sides, strict=True))
        if mode == "area" and not extra:
            return self.ops.adaptive_avg_pool(x, size)
        kinds = {"nearest": ("nearest", "asymmetric"), "bilinear": ("linear_onnx", "half_pixel")}
        if mode not in kinds or extra or given.get("align_corners"):
            raise NotImplementedError(f"no translation for interpolation {mode}")
        kind, coordinates = kinds[mode]
        none = [0, 0, 0, 0]
        axes = self.whole([2, 3])
        return self.ops.interpolate(
            x, size, kind, "sizes", none, none, coordinates, "floor", False, -0.75, axes
        )

    def pixels(self, node: fx.Node, layer: Screen, x: Value) -> Value:
        ops, (batch, height, width, _) = self.ops, self.shape(node)
        scaled = ops.clamp(ops.round(ops.multiply(x, self.value(255.0)), "half_to_even"), 0.0, 255.0)
        # The fourth byte is joined on while the numbers are floating: bytes are joined one by one.
        full = ops.constant(np.full((batch, 1, height, width), 255, dtype=np.float32))
        order = ops.gather(ops.concat([scaled, full], 1), self.whole([2, 1, 0, 3]), self.whole([1]))
        return ops.convert(ops.transpose(order, self.whole([0, 2, 3, 1])), "u8")

    def joined(self, node: fx.Node) -> Value:
        _no_more(node, 2, "dim")
        axis = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else 0)
        return self.ops.concat(self.value(node.args[0]), axis)

    def split(self, node: fx.Node) -> Value:
        _no_more(node, 3, "dim")
        x, parts = self.value(node.args[0]), int(node.args[1])  # type: ignore[arg-type]
        axis: Any = node.kwargs.get("dim", node.args[2] if len(node.args) > 2 else 0)
        return list(self.ops.split(x, self.ops.constant(np.int64(axis)), parts).outputs())

    def softmax(self, node: fx.Node) -> Value:
        _no_more(node, 2, "dim")
        axis = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else -1)
        return self.ops.softmax(self.value(node.args[0]), axis)

    def indexed(self, node: fx.Node) -> Value:
        values, index = self.value(node.args[0]), node.args[1]
        if isinstance(values, list) and isinstance(index, int):
            return values[index]
        whole = slice(None)
        if isinstance(index, tuple) and index[0] == whole and all(one in (None, whole) for one in index):
            return self.reshaped(node)
        if isinstance(index, tuple) and index[0] == whole and not isinstance(values, list):
            return self.sliced(values, index[1:])
        raise NotImplementedError("no translation for indexing a tensor")

    def sliced(self, x: Value, parts: tuple[Any, ...]) -> Value:
        """Return a part of each row, from one place to another on the axes after the batch."""
        for axis, part in enumerate(parts, start=1):
            if not isinstance(part, slice) or part.step is not None:
                raise NotImplementedError("no translation for indexing a tensor")
            if part == slice(None):
                continue
            begin, end = part.start or 0, _END if part.stop is None else part.stop
            bounds = (self.whole([number]) for number in (begin, end, 1, axis))
            x = self.ops.slice(x, *bounds)
        return x

    def chosen(self, node: fx.Node) -> Value:
        """Return entries in the order of constant places: ``torch.index_select`` on another axis than 0."""
        _no_more(node, 3)
        x, axis, places = node.args
        if not isinstance(axis, int) or axis == 0 or not isinstance(places, fx.Node):
            raise NotImplementedError("no translation for the arguments of index_select")
        if places.op != "get_attr":
            raise NotImplementedError("no translation for places that are computed")
        found = attribute(self.module, str(places.target))
        return self.ops.gather(self.value(x), self.whole(found.tolist()), self.whole([axis]))

    def product(self, node: fx.Node) -> Value:
        """Return the matrix product of two values."""
        _no_more(node, 2)
        first, second = (self.value(one) for one in node.args)
        return self.ops.matmul(first, second, False, False)

    def applied(self, node: fx.Node) -> Value:
        """Return ``F.linear``: a product with a transposed matrix, and an offset where there is one."""
        _no_more(node, 3)
        x, matrix, *offset = (self.value(one) for one in node.args if one is not None)
        found = self.ops.matmul(x, matrix, False, True)
        return self.ops.add(found, offset[0]) if offset else found

    def summed(self, node: fx.Node) -> Value:
        """Return the sum over one axis after the batch."""
        _no_more(node, 2)
        if len(node.args) != 2 or not isinstance(node.args[1], int) or node.args[1] < 1:
            raise NotImplementedError("no translation for the arguments of sum")
        return self.ops.reduce_sum(self.value(node.args[0]), self.whole([node.args[1]]), False)


_END = 1 << 62
"""A place behind the last one of any axis."""


def _pointwise(name: str) -> Callable[[_Translator, fx.Node], Value]:
    """Return a line for a function that OpenVINO has under a name, its arguments tensors and numbers."""

    def line(to: _Translator, node: fx.Node) -> Value:
        _no_more(node, len(node.args))
        return getattr(to.ops, name)(*(to.value(one) for one in node.args))

    return line


def _no_more(node: fx.Node, most: int, *names: str) -> None:
    """Raise if a node has no argument, more than that many, or named ones other than these."""
    if not 1 <= len(node.args) <= most or set(node.kwargs) - set(names):
        raise NotImplementedError(f"no translation for the arguments of {node.target}")


def _activation(name: str) -> Callable[[_Translator, fx.Node, nn.Module, Value], Value]:
    return lambda to, node, layer, x: getattr(to.ops, name)(x)


def _padding(layer: nn.Conv2d) -> tuple[list[int], list[int]]:
    """Return the padding above and left, and below and right."""
    if layer.padding == "valid":
        return [0, 0], [0, 0]
    if layer.padding == "same":
        total = [d * (k - 1) for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
        return [t // 2 for t in total], [t - t // 2 for t in total]
    both = [int(p) for p in layer.padding]
    return both, both


_PADDING = {"reflect": "reflect", "replicate": "edge"}

_LAYERS: Mapping[Any, Callable[..., Value]] = {
    Screen: _Translator.pixels,
    nn.Linear: _Translator.linear,
    nn.Conv2d: _Translator.convolution,
    nn.ConvTranspose2d: _Translator.transposed_convolution,
    nn.BatchNorm2d: _Translator.batch_norm,
    nn.ReLU: _activation("relu"),
    nn.LeakyReLU: lambda to, node, layer, x: to.ops.prelu(x, to.value(layer.negative_slope)),
    nn.SiLU: _activation("swish"),
    nn.Sigmoid: _activation("sigmoid"),
    nn.Tanh: _activation("tanh"),
    nn.Identity: lambda to, node, layer, x: x,
    nn.Dropout: lambda to, node, layer, x: x,
    nn.Flatten: lambda to, node, layer, x: to.reshaped(node),
    nn.Unflatten: lambda to, node, layer, x: to.reshaped(node),
    nn.PixelShuffle: lambda to, node, layer, x: to.ops.depth_to_space(x, "depth_first", layer.upscale_factor),
    nn.PixelUnshuffle: lambda to, node, layer, x: to.ops.space_to_depth(
        x, "depth_first", layer.downscale_factor
    ),
}

_FUNCTIONS: Mapping[Any, Callable[[_Translator, fx.Node], Value]] = {
    operator.add: _pointwise("add"),
    torch.add: _pointwise("add"),
    operator.sub: _pointwise("subtract"),
    operator.mul: _pointwise("multiply"),
    torch.mul: _pointwise("multiply"),
    operator.truediv: _pointwise("divide"),
    operator.neg: _pointwise("negative"),
    torch.sigmoid: _pointwise("sigmoid"),
    torch.tanh: _pointwise("tanh"),
    torch.exp: _pointwise("exp"),
    operator.matmul: _Translator.product,
    torch.matmul: _Translator.product,
    torch.index_select: _Translator.chosen,
    torch.sum: _Translator.summed,
    F.linear: _Translator.applied,
    torch.softmax: _Translator.softmax,
    torch.flatten: _Translator.reshaped,
    torch.cat: _Translator.joined,
    torch.chunk: _Translator.split,
    operator.getitem: _Translator.indexed,
    F.interpolate: _Translator.resized,
    F.silu: lambda to, node: to.ops.swish(to.value(node.args[0])),
}

_RESHAPING = ("flatten", "unflatten", "reshape", "view", "unsqueeze", "squeeze")

_METHODS: Mapping[Any, Callable[[_Translator, fx.Node], Value]] = {
    **dict.fromkeys(_RESHAPING, _Translator.reshaped),
    **dict.fromkeys(("float", "contiguous"), lambda to, node: to.value(node.args[0])),
    "permute": _Translator.permuted,
    "transpose": _Translator.swapped,
    "chunk": _Translator.split,
    "sum": _Translator.summed,
    "sigmoid": _pointwise("sigmoid"),
    "tanh": _pointwise("tanh"),
    "exp": _pointwise("exp"),
}
