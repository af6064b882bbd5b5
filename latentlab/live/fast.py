"""A network in the ways that are fastest here: one for a single picture, one for many at once.

Many pictures are rendered in parts, each part on a thread of its own that is used by nothing else: their
features stay in a core's cache, and no thread waits for another within a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn

from latentlab.live.examples import example, typical_and_far
from latentlab.live.frames import DeviceOverride
from latentlab.live.prepare import Forms, Forward
from latentlab.live.trial import Verdict, best, keep, measure, recall, strays
from latentlab.live.ways import Way, candidates, first_guess
from latentlab.operations.render import intra_op_threads
from latentlab.spec import ModelSpec

CHUNK = 8
"""Pictures of one part of many."""
TYPICAL = 128
"""Rows of input from which the int8 form takes its scales."""
COMPARED = 32
"""Pictures on which every way is compared with float32 before it may be used."""

Outputs = tuple[Tensor, ...]
"""Images ``[B, 3, S, S]`` in [0, 1], then each attribute's probabilities ``[B, classes]``."""
Result = TypeVar("Result")

_CANNOT = (RuntimeError, ValueError, TypeError, NotImplementedError, KeyError)


class FastNetwork:
    """Runs a network on a device, at once in a likely way, after `tune` in the best ones.

    Parameters
    ----------
    network
        A `latentlab.live.frame_network.FrameNetwork` in float32 on the CPU; it is not changed.
    spec
        The model's specification.
    key
        The name under which the trial's verdict is kept (`latentlab.live.trial.cache_key`).
    """

    def __init__(
        self, network: nn.Module, spec: ModelSpec, device: torch.device, override: DeviceOverride, key: str
    ) -> None:
        self._network, self._spec, self._override, self._key = network, spec, override, key
        self.device = device
        self._forms = Forms(network, typical_and_far(spec, TYPICAL))
        kept = recall(key)
        one, many = (first_guess(device, override, many) for many in (False, True))
        self.verdict = kept or Verdict(one, many)
        self.tuned = kept is not None
        self._one = self._form(self.verdict.single, 1)
        self._many: Forward | None = None
        self._workers: ThreadPoolExecutor | None = None

    def one(self, given: tuple[Tensor, ...]) -> Outputs:
        """Run the network on one row of latents (and condition), on the CPU in float32."""
        return self._run(self._one, self.verdict.single.threads, given)

    def many(self, given: tuple[Tensor, ...], finish: Callable[[Outputs], Result]) -> Iterator[list[Result]]:
        """Run the network on many rows, giving parts of the result in order as they come.

        Parameters
        ----------
        finish
            What is made of the outputs of each `CHUNK` rows, on the thread that computed them.
        """
        if self._many is None:
            self._many = self._form(self.verdict.grid, CHUNK)
        parts = [
            tuple(tensor[start : start + CHUNK] for tensor in given)
            for start in range(0, len(given[0]), CHUNK)
        ]
        work = partial(self._part, self._many, finish)
        at_once = self._at_once(self.verdict.grid)
        for start in range(0, len(parts), at_once):
            yield self._in_parallel(work, parts[start : start + at_once])

    def close(self) -> None:
        """End the threads for many pictures; `many` starts them again."""
        if self._workers is not None:
            self._workers.shutdown()
            self._workers = None

    def tune(self) -> Iterator[None]:
        """Try all ways in short steps; after the last the best are in use and kept for the next start."""
        latents = example(self._spec, COMPARED, seed=1)
        with torch.inference_mode():
            truth = self._network(*latents)
        yield from self._forms.watch()
        found: dict[str, float] = {}
        chosen: list[tuple[Way, Forward]] = []
        for many in (False, True):
            forms: dict[Way, Forward] = {}
            made: dict[tuple[str, bool], Forward | None] = {}
            for way in candidates(self.device, self._override, many):
                kind = (way.precision, way.packed)
                if kind not in made:
                    made[kind] = self._honest(way, CHUNK if many else 1, latents, truth)
                    yield
                if (form := made[kind]) is not None:
                    forms[way] = form
            if not forms:
                way = Way("float32", False, 1)
                forms[way] = self._form(way, 1)
            times: dict[Way, float] = {}
            for medians in measure(self._calls(forms, many, latents)):
                times = medians
                yield
            way = best(times)
            chosen.append((way, forms[way]))
            for tried, milliseconds in times.items():
                count = f"{CHUNK * self._at_once(tried)} pictures" if many else "1 picture"
                found[f"{count}, {tried.label}"] = milliseconds
        (one, self._one), (grid, self._many) = chosen
        self.verdict = Verdict(one, grid, found)
        self.tuned = True
        keep(self._key, self.verdict)

    def _calls(
        self, forms: dict[Way, Forward], many: bool, latents: tuple[Tensor, ...]
    ) -> dict[Way, Callable[[], object]]:
        """Return what the trial measures of each way: one picture, or as many as run at once."""
        part = tuple(tensor[: CHUNK if many else 1] for tensor in latents)
        calls: dict[Way, Callable[[], object]] = {}
        for way, form in forms.items():
            if many:
                work = partial(self._part, form, wait)
                calls[way] = partial(self._in_parallel, work, [part] * self._at_once(way))
            else:
                calls[way] = partial(self._timed_one, form, way.threads, part)
        return calls

    def _timed_one(self, form: Forward, threads: int, given: tuple[Tensor, ...]) -> None:
        wait(self._run(form, threads, given))

    def _at_once(self, way: Way) -> int:
        return way.threads if self.device.type == "cpu" else 1

    def _run(self, form: Forward, threads: int, given: tuple[Tensor, ...]) -> Outputs:
        with intra_op_threads(threads), torch.inference_mode():
            return form(*(tensor.to(self.device) for tensor in given))

    def _part(self, form: Forward, finish: Callable[[Outputs], Result], given: tuple[Tensor, ...]) -> Result:
        outputs = self._run(form, 1, given)
        with torch.inference_mode():
            return finish(outputs)

    def _in_parallel(
        self, work: Callable[[tuple[Tensor, ...]], Result], parts: list[tuple[Tensor, ...]]
    ) -> list[Result]:
        if len(parts) == 1:
            return [work(parts[0])]
        if self._workers is None:
            self._workers = ThreadPoolExecutor(
                max(self._at_once(way) for way in candidates(self.device, self._override, many=True)),
                thread_name_prefix="latentlab-grid",
            )
        return list(self._workers.map(work, parts))

    def _honest(self, way: Way, batch: int, latents: tuple[Tensor, ...], truth: Outputs) -> Forward | None:
        """Return the form of a way if it can be made here and its pictures are right, else None."""
        try:
            form = self._forms.make(way, self.device, batch)
            answers = [
                self._run(form, 1, tuple(tensor[row : row + batch] for tensor in latents))
                for row in range(0, len(latents[0]), batch)
            ]
        except _CANNOT:
            return None
        joined = [torch.cat(parts) for parts in zip(*answers, strict=True)]
        return None if strays(joined, truth) else form

    def _form(self, way: Way, batch: int) -> Forward:
        """Return the form of a way, or the plain float32 network where it cannot be made."""
        try:
            form = self._forms.make(way, self.device, batch)
            self._run(form, way.threads, example(self._spec, batch))
        except _CANNOT:
            form = self._forms.make(Way(), self.device, batch)
        return form


def wait(outputs: Outputs) -> None:
    """Return when a device has finished."""
    if outputs[0].device.type != "cpu":
        outputs[0].flatten()[:1].cpu()
