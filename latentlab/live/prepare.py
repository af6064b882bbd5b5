"""Fast forms of a network: the same numbers within the precision, several times sooner.

On a processor the network's graph (`latentlab.live.graph`), whatever its family, is translated and compiled
by OpenVINO: weights are laid out once, what follows a convolution is done while its result is at hand,
and no Python stands between the layers. Elsewhere, and where a network cannot be translated, PyTorch runs it
as it is, in the precision asked for. The original is never changed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from latentlab.device import torch_dtype
from latentlab.live.frame_network import FrameNetwork, Screen
from latentlab.live.graph import Observed, observe, trace
from latentlab.live.int8 import Rounding
from latentlab.live.runtime import can_compile, openvino
from latentlab.live.translate import translate
from latentlab.live.ways import Way

_WATCHED = 8
"""Rows of the example that are looked at in one step."""
_ROWS = 3

Forward = Callable[..., tuple[Tensor, ...]]
"""Latents ``[B, *latent_shape]`` (and condition ``[B, C]``) in float32 on the form's device to pixels and
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
        self._shapes: dict[fx.Node, Observed] = {}
        self._seen: dict[fx.Node, Observed] = {}
        self._models: dict[tuple[bool, int, bool], Any] = {}

    def watch(self) -> Iterator[None]:
        """Look at what the example does in the network, some rows a step; the int8 form rests on it.

        It is looked at when that form is made, if it has not been before. A network that cannot be traced
        is not looked at.
        """
        try:
            graph = self._graph()
        except Exception:
            return
        seen: dict[fx.Node, Observed] = {}
        for start in range(0, len(self._example[0]), _WATCHED):
            found = observe(graph, tuple(tensor[start : start + _WATCHED] for tensor in self._example))
            seen = {
                node: part if node not in seen else seen[node].with_more(part) for node, part in found.items()
            }
            yield
        self._seen = seen

    def make(self, way: Way, device: torch.device, batch: int, judged: bool = True) -> Forward:
        """Return the network's form for a way and a device.

        Parameters
        ----------
        batch
            The batch size that the form is laid out for; other sizes work too.
        judged
            Whether the form gives the attributes' probabilities beside the pixels.

        Raises
        ------
        Exception
            If the way does not exist here, or the network cannot be traced or brought into it.
        """
        if way.compiled:
            return self._compiled(way, batch, judged)
        return self._plain(device, torch_dtype(way.precision), judged)

    def _plain(self, device: torch.device, precision: torch.dtype, judged: bool) -> Forward:
        network = self._network
        if not judged and isinstance(network, FrameNetwork):
            network = FrameNetwork(network.model, screen=isinstance(network.screen, Screen))
        clone = copy.deepcopy(network).requires_grad_(False).eval()
        clone.to(device=device, dtype=precision).to(memory_format=torch.channels_last)
        if precision == torch.float32:
            return clone

        def forward(latents: Tensor, condition: Tensor | None = None) -> tuple[Tensor, ...]:
            given = None if condition is None else condition.to(precision)
            answer: tuple[Tensor, ...] = clone(latents.to(precision), given)
            return answer

        return forward

    def _compiled(self, way: Way, batch: int, judged: bool) -> Forward:
        if not can_compile(way.precision):
            raise ValueError(f"this machine cannot compile networks in {way.precision}")
        graph, rounded = self._graph(), way.precision == "int8"
        kind = (rounded, batch, judged)
        if kind not in self._models:
            if not self._shapes:
                # Several rows, so that a dimension that is the batch can be told from one of length 1.
                rows = tuple(tensor[:_ROWS] for tensor in self._example)
                if len(rows[0]) < _ROWS:
                    rows = tuple(tensor[:1].repeat(_ROWS, *[1] * (tensor.ndim - 1)) for tensor in rows)
                self._shapes = observe(graph, rows)
            if rounded and not self._seen:
                for _ in self.watch():
                    pass
            rounding = Rounding(graph, self._seen) if rounded else None
            results = None if judged else 1
            self._models[kind] = translate(graph, self._shapes, batch, rounding, results)
        finer = "bfloat16" if rounded and can_compile("bfloat16") else "float32"
        return CompiledNetwork(self._models[kind], batch, finer if rounded else way.precision, way.threads)

    def forget(self) -> None:
        """Let go of what was only needed to make forms; it is made again if another is asked for."""
        self._models.clear()

    def _graph(self) -> fx.GraphModule:
        if self._traced is None:
            self._traced = trace(self._network, conditional=len(self._example) > 1)
        return self._traced


class CompiledNetwork:
    """A network that OpenVINO runs, for batches of one size; called by one thread at a time.

    Parameters
    ----------
    model
        An ``openvino.Model`` whose inputs and outputs begin with the batch.
    precision
        ``float32``, ``bfloat16`` or ``float16``.
    """

    def __init__(self, model: Any, batch: int, precision: str, threads: int) -> None:
        self._batch = batch
        hint = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}[precision]
        settings = {
            "INFERENCE_PRECISION_HINT": hint,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,
        }
        self._network = openvino().Core().compile_model(model, "CPU", settings)
        self._request = self._network.create_infer_request()

    def __call__(self, latents: Tensor, condition: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return the results ``[B, ...]`` for float32 rows on the CPU, batch by batch."""
        # A network that ignores its condition has no input for it.
        given = [tensor.numpy() for tensor in (latents, condition) if tensor is not None]
        given = given[: len(self._network.inputs)]
        parts = [
            self._run([rows[start : start + self._batch] for rows in given])
            for start in range(0, len(latents), self._batch)
        ]
        if len(parts) == 1:
            return parts[0]
        return tuple(torch.cat(results) for results in zip(*parts, strict=True))

    def _run(self, given: list[np.ndarray[Any, np.dtype[np.float32]]]) -> tuple[Tensor, ...]:
        count = len(given[0])
        if count < self._batch:
            given = [np.concatenate([rows, np.repeat(rows[-1:], self._batch - count, 0)]) for rows in given]
        inputs = {place: np.ascontiguousarray(rows) for place, rows in enumerate(given)}
        self._request.infer(inputs, share_inputs=True, share_outputs=True)
        # The request writes into the same memory again the next time.
        return tuple(
            torch.from_numpy(np.array(self._request.get_output_tensor(k).data[:count]))
            for k in range(len(self._network.outputs))
        )
