"""A network in the ways that are fastest here: one for a single picture, one for many at once.

Many pictures are rendered in parts, between which something more urgent can be done.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn

from latentlab.device import cpu_threads
from latentlab.live.examples import example, typical_and_far
from latentlab.live.frames import DeviceOverride
from latentlab.live.prepare import Forms, Forward
from latentlab.live.trial import Verdict, best, keep, measure, recall, strays
from latentlab.live.ways import Way, candidates, first_guess
from latentlab.operations.render import intra_op_threads
from latentlab.spec import ModelSpec

CHUNK, CHUNK_ON_GPU = 8, 32
"""Pictures of one part of many; a GPU takes about as long for one as for all of a part."""
CHUNK_UNJUDGED = 16
"""The same without attributes, in grids: a processor draws 16 in 1.4 times the time of 8."""
TYPICAL = 128
"""Rows of input from which the int8 form takes its scales."""
COMPARED = 32
"""Pictures on which every way is compared with float32 before it may be used."""

Outputs = tuple[Tensor, ...]
"""Pixels uint8 ``[B, S, S, 4]`` (BGRX), then each attribute's probabilities ``[B, classes]``."""


@dataclass(frozen=True)
class _Many:
    """How many rows are run: in what way, how many at once, by what form."""

    way: Way
    rows: int
    form: Forward


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
        self.chunk = CHUNK if device.type == "cpu" else CHUNK_ON_GPU
        self._forms = Forms(network, typical_and_far(spec, TYPICAL))
        kept = recall(key)
        one, many = (first_guess(device, override, many) for many in (False, True))
        self.verdict = kept or Verdict(one, many)
        self.tuned = kept is not None
        one, self._one = self._form(self.verdict.single, 1)
        self.verdict = replace(self.verdict, single=one)
        self._many: dict[bool, _Many] = {}

    def one(self, given: tuple[Tensor, ...]) -> Outputs:
        """Run the network on one row of latents (and condition), on the CPU in float32."""
        return self.run(self._one, self.verdict.single, given)

    def many(self, given: tuple[Tensor, ...], judged: bool = True) -> Iterator[Outputs]:
        """Run the network on many rows, giving the outputs of each part of them in order.

        Without ``judged`` these are the pixels alone.
        """
        if judged not in self._many:
            self._many[judged] = self._for_many(judged)
            if judged:
                self.verdict = replace(self.verdict, grid=self._many[judged].way)
        found = self._many[judged]
        for start in range(0, len(given[0]), found.rows):
            part = tuple(tensor[start : start + found.rows] for tensor in given)
            yield self.run(found.form, found.way, part)

    def tune(self) -> Iterator[None]:
        """Try all ways in short steps; after the last the best are in use and kept for the next start."""
        # Rows that the int8 form's scales do not come from, every second one as far out as edited latents.
        latents = typical_and_far(self._spec, COMPARED, seed=TYPICAL)
        truth = []
        for row in range(COMPARED):
            with torch.inference_mode():
                truth.append(self._network(*(tensor[row : row + 1] for tensor in latents)))
            yield
        yield from self._forms.watch()
        right = _joined(truth)
        found: dict[str, float] = {}
        chosen: list[tuple[Way, Forward]] = []
        for many in (False, True):
            batch = self.chunk if many else 1
            forms: dict[Way, Forward] = {}
            honest: dict[tuple[str, bool], bool] = {}
            for way in candidates(self.device, self._override, many):
                kind = (way.precision, way.compiled)
                form = self._made(way, batch)
                yield
                if form is not None and kind not in honest:
                    honest[kind] = yield from self._is_honest(form, way, batch, latents, right)
                if form is not None and honest[kind]:
                    forms[way] = form
            if not forms:
                way, form = self._form(Way(), batch)
                forms[way] = form
            part = tuple(tensor[:batch] for tensor in latents)
            calls = {way: partial(self._timed, form, way, part) for way, form in forms.items()}
            times: dict[Way, float] = {}
            for medians in measure(calls):
                times = medians
                yield
            contended = self.device.type == "cpu" and not many
            way = best(times, cpu_threads() if contended else None)
            chosen.append((way, forms[way]))
            for tried, milliseconds in times.items():
                count = f"{batch} pictures" if many else "1 picture"
                found[f"{count}, {tried.label}"] = milliseconds
        (one, self._one), (grid, judging) = chosen
        self.verdict = Verdict(one, grid, found)
        self._many = {True: _Many(grid, self.chunk, judging), False: self._for_many(judged=False)}
        self.tuned = True
        self._forms.forget()
        keep(self._key, self.verdict)

    def _timed(self, form: Forward, way: Way, given: tuple[Tensor, ...]) -> None:
        wait(self.run(form, way, given))

    def run(self, form: Forward, way: Way, given: tuple[Tensor, ...]) -> Outputs:
        """Run a form in its way on rows of latents (and conditions), on the CPU in float32."""
        if way.compiled:  # It has threads of its own; PyTorch's, once woken, would spin in their way.
            return form(*given)
        with intra_op_threads(way.threads), torch.inference_mode():
            return form(*(tensor.to(self.device) for tensor in given))

    def _made(self, way: Way, batch: int, judged: bool = True) -> Forward | None:
        """Return the form of a way, None where it cannot be made here."""
        try:
            form = self._forms.make(way, self.device, batch, judged)
            self.run(form, way, example(self._spec, batch))
        except Exception:  # whatever a runtime may raise for a network it does not know
            return None
        return form

    def _is_honest(
        self, form: Forward, way: Way, batch: int, latents: tuple[Tensor, ...], truth: Outputs
    ) -> Generator[None, None, bool]:
        """Say whether a form's pictures are right, a batch a step."""
        answers = []
        for row in range(0, COMPARED, batch):
            try:
                answers.append(self.run(form, way, tuple(tensor[row : row + batch] for tensor in latents)))
            except Exception:
                return False
            yield
        return not strays(_joined(answers), truth)

    def _for_many(self, judged: bool) -> _Many:
        """Return how many rows are run, as the verdict says."""
        rows = self.chunk if judged else max(self.chunk, CHUNK_UNJUDGED)
        way, form = self._form(self.verdict.grid, rows, judged)
        return _Many(way, rows, form)

    def _form(self, way: Way, batch: int, judged: bool = True) -> tuple[Way, Forward]:
        """Return a way with its form; plain float32 where that cannot be made here."""
        form = self._made(way, batch, judged)
        if form is None:
            way = Way(threads=way.threads)
            form = self._forms.make(way, self.device, batch, judged)
        return way, form


def _joined(parts: list[Outputs]) -> Outputs:
    return tuple(torch.cat(results) for results in zip(*parts, strict=True))


def wait(outputs: Outputs) -> Outputs:
    """Return the outputs when a device has finished."""
    if outputs[0].device.type != "cpu":
        outputs[0].flatten()[:1].cpu()
    return outputs
