"""A network as a graph of few kinds of nodes, so that fast forms can be made of any family.

`trace` runs the network once with symbols (`torch.fx`), keeps every ``torch.nn`` layer as one node, and
rewrites what means the same into one spelling: a convolution is always an ``nn.Conv2d`` node, a rectifier an
``nn.ReLU`` node, whatever is computed from weights alone has been computed. A network that cannot be traced
(its way depends on its numbers) raises, and the caller uses the plain module.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from latentlab.live.frame_network import Screen

_RELUS = {F.relu, torch.relu}
_POINTWISE = {torch.sigmoid, torch.tanh, operator.mul, operator.add, operator.sub, operator.truediv}
"""Functions that treat every number alike, given one tensor and plain numbers."""


def trace(network: nn.Module, conditional: bool) -> fx.GraphModule:
    """Return the network's graph with one spelling for each operation.

    The graph holds references to the network's own layers and weights and changes none of them.

    Parameters
    ----------
    conditional
        Whether the network takes a second argument; without it that argument is None.

    Raises
    ------
    Exception
        Whatever tracing raises where the network's way depends on its numbers.
    """
    tracer = _Tracer()
    graph = tracer.trace(network, concrete_args=None if conditional else {"condition": None})
    module = fx.GraphModule(tracer.root, graph)
    _fold_constants(module)
    _spell(module)
    _cancel_shuffles(module)
    tidy(module)
    return module


class _Tracer(fx.Tracer):
    """Keeps the conversion to pixels in one piece: every runtime has a way of its own for that.

    While a network is traced, torch.fx stands in the way of the calls and attributes of *all* modules, those
    that other threads run included; these go on as if nothing were traced.
    """

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        if threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, Screen) or super().is_leaf_module(m, module_qualified_name)


def tidy(module: fx.GraphModule) -> None:
    """Take out what nothing uses, check the graph and make it runnable."""
    module.graph.eliminate_dead_code()
    for node in [node for node in module.graph.nodes if node.op == "placeholder" and not node.users]:
        module.graph.erase_node(node)
    module.delete_all_unused_submodules()
    module.graph.lint()
    module.recompile()


def layer(module: fx.GraphModule, node: object, kind: type[nn.Module]) -> nn.Module | None:
    """Return the layer that a node calls if it is of that kind, else None."""
    if isinstance(node, fx.Node) and node.op == "call_module":
        found = module.get_submodule(str(node.target))
        if type(found) is kind:
            return found
    return None


def put_layer(
    module: fx.GraphModule, node: fx.Node, layer: nn.Module, inputs: tuple[fx.Node, ...]
) -> fx.Node:
    """Replace a node by a call of a layer with the inputs given, and return the new node."""
    name = f"step_{len(module.graph.nodes)}_{node.name}"
    module.add_submodule(name, layer)
    with module.graph.inserting_before(node):
        new = module.graph.call_module(name, inputs)
    node.replace_all_uses_with(new)
    module.graph.erase_node(node)
    return new


MOST = 16
"""How many of a channel's largest values are kept."""


@dataclass(frozen=True, eq=False)
class Observed:
    """What a node's result was.

    Parameters
    ----------
    shape
        Its shape.
    largest
        The largest values of each channel (its second dimension), descending, ``[C, up to MOST]``.
    count
        How many values each channel had.
    """

    shape: torch.Size
    largest: Tensor
    count: int

    def with_more(self, other: Observed) -> Observed:
        """Return what both results were together."""
        both = torch.cat([self.largest, other.largest], 1)
        return Observed(self.shape, both.topk(min(MOST, both.shape[1]), 1).values, self.count + other.count)


def observe(module: fx.GraphModule, example: tuple[Tensor, ...]) -> dict[fx.Node, Observed]:
    """Run a graph and note what every node gives."""
    found: dict[fx.Node, Observed] = {}

    class Observer(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            result = super().run_node(n)
            if isinstance(result, Tensor) and result.ndim > 1:
                values = result.transpose(0, 1).flatten(1)
                count = values.shape[1]
                found[n] = Observed(result.shape, values.topk(min(MOST, count), 1).values, count)
            return result

    with torch.inference_mode():
        Observer(module).run(*example)
    return found


def _fold_constants(module: fx.GraphModule) -> None:
    """Compute once what depends on weights only, such as a residual block's gain times its kernel."""
    for count, node in enumerate(list(module.graph.nodes)):
        inputs = node.all_input_nodes
        if node.op not in ("call_function", "call_method") or not inputs:
            continue
        if any(source.op != "get_attr" for source in inputs):
            continue
        values = {source: attribute(module, str(source.target)) for source in inputs}
        args = fx.node.map_arg(node.args, values.__getitem__)
        kwargs = fx.node.map_arg(node.kwargs, values.__getitem__)
        with torch.no_grad():
            if node.op == "call_function":
                value = node.target(*args, **kwargs)
            else:
                value = getattr(args[0], str(node.target))(*args[1:], **kwargs)
        if isinstance(value, Tensor):
            module.register_buffer(f"constant_{count}", value)
            with module.graph.inserting_before(node):
                new = module.graph.get_attr(f"constant_{count}")
            node.replace_all_uses_with(new)
            module.graph.erase_node(node)


def attribute(module: nn.Module, path: str) -> Any:
    """Return what a ``get_attr`` node reads."""
    value: Any = module
    for part in path.split("."):
        value = getattr(value, part)
    return value


def _spell(module: fx.GraphModule) -> None:
    """Write functional rectifiers and convolutions as layers."""
    for node in list(module.graph.nodes):
        is_relu = (node.op == "call_function" and node.target in _RELUS) or (
            node.op == "call_method" and node.target == "relu"
        )
        if is_relu and isinstance(node.args[0], fx.Node) and len(node.args) == 1 and not _in_place(node):
            put_layer(module, node, nn.ReLU(), (node.args[0],))
        elif node.op == "call_function" and node.target is F.conv2d:
            convolution = _convolution(module, node)
            if convolution is not None:
                put_layer(module, node, convolution, (node.args[0],))


def _in_place(node: fx.Node) -> bool:
    return bool(node.kwargs.get("inplace", False))


def _cancel_shuffles(module: fx.GraphModule) -> None:
    """Let a decoder's last pixel shuffle and a predictor's first unshuffling cancel.

    A pointwise operation is the same before and after a shuffle, so shuffles are moved behind such
    operations until they meet their inverse.
    """
    graph = module.graph
    for node in list(graph.nodes):
        shuffled = next(iter(node.all_input_nodes), None)
        shuffle = layer(module, shuffled, nn.PixelShuffle)
        if shuffled is None or not isinstance(shuffle, nn.PixelShuffle) or len(node.all_input_nodes) > 1:
            continue
        inverse = layer(module, node, nn.PixelUnshuffle)
        if isinstance(inverse, nn.PixelUnshuffle):
            if inverse.downscale_factor == shuffle.upscale_factor:
                node.replace_all_uses_with(shuffled.all_input_nodes[0])
                graph.erase_node(node)
        elif node.op == "call_function" and node.target in _POINTWISE:
            before = shuffled.all_input_nodes[0]
            with graph.inserting_before(node):
                args = fx.node.map_arg(node.args, {shuffled: before}.__getitem__)
                early = graph.call_function(node.target, args, dict(node.kwargs))
                late = graph.call_module(str(shuffled.target), (early,))
            node.replace_all_uses_with(late)
            graph.erase_node(node)


def _convolution(module: fx.GraphModule, node: fx.Node) -> nn.Conv2d | None:
    """Return the layer for a call of ``F.conv2d`` whose kernel is constant, else None."""
    names = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
    given = dict(zip(names, node.args, strict=False)) | node.kwargs
    weight, bias = given.get("weight"), given.get("bias")
    if not isinstance(weight, fx.Node) or weight.op != "get_attr" or not isinstance(node.args[0], fx.Node):
        return None
    if bias is not None and not (isinstance(bias, fx.Node) and bias.op == "get_attr"):
        return None
    kernel = attribute(module, str(weight.target))
    groups: Any = given.get("groups", 1)
    padding: Any = given.get("padding", 0)
    stride: Any = given.get("stride", 1)
    dilation: Any = given.get("dilation", 1)
    with torch.device("meta"):
        layer = nn.Conv2d(
            kernel.shape[1] * groups,
            kernel.shape[0],
            tuple(kernel.shape[2:]),
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias is not None,
        )
    layer.weight = nn.Parameter(kernel.detach(), requires_grad=False)
    if isinstance(bias, fx.Node):
        layer.bias = nn.Parameter(attribute(module, str(bias.target)).detach(), requires_grad=False)
    return layer
