"""How fast a latent search is here: a step, beside the bare forward and backward pass of the same batch.

Both are timed in turns within one run, so that a machine that slows down slows both. The bare pass is the
decoder's alone, from a batch of latents to their gradients, in the same precision, with the same threads and
without gradients of the parameters. A step is all that a search does: pass, reduction, losses, what is kept,
Adam, the sphere, and an event for a listener. No restart is let go meanwhile.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch

from latentlab.checkpoints import Located
from latentlab.checkpoints.companion import load_model
from latentlab.device import cpu_threads, resolve_device
from latentlab.errors import SettingsError
from latentlab.metrics.intervals import Estimate
from latentlab.metrics.report import Evaluation, Report
from latentlab.model import LatentModel
from latentlab.operations.render import intra_op_threads
from latentlab.operations.search_events import SearchStep
from latentlab.operations.search_plan import Observation, Precision, SearchSettings
from latentlab.operations.search_precision import in_precision, resolve_precision
from latentlab.operations.search_run import Search, frozen
from latentlab.operations.search_unknowns import Observer, Unknowns
from latentlab.progress import Progress, Reporter

BAR_STEPS, BAR_RATIO = 25.0, 1.3
"""What is asked for on two cores with 8 restarts at 64 px."""
_ROUNDS, _RUNS, _WARM = 15, 4, 3


@dataclass(frozen=True)
class SearchFigures:
    """Times in milliseconds, a median a round, and the round's ratios of a step to the bare pass."""

    step_ms: tuple[float, ...]
    bare_ms: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """A step over the bare pass, round by round."""
        return tuple(one / other for one, other in zip(self.step_ms, self.bare_ms, strict=True))


def bench_search(
    checkpoint: str = "faces-vae",
    *,
    restarts: int = 8,
    factor: int = 8,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    rounds: int = _ROUNDS,
    reporter: Reporter | None = None,
) -> Report:
    """Measure a search's step and the bare pass of a model by name or path.

    Parameters
    ----------
    threads
        Intra-op threads; as many as there are processors without it.
    rounds
        How often both are measured in turn.

    Raises
    ------
    LatentLabError
        If the checkpoint, the device or a setting cannot be used; `Cancelled` on request.
    """
    opened, where = load_model(checkpoint), resolve_device(device)
    settings = SearchSettings(
        observation=Observation(factor),
        restarts=restarts,
        stop=False,
        precision=resolve_precision(cast(Precision, precision), where),
    )
    threads = cpu_threads() if threads is None else threads
    if threads < 1 or rounds < 1:
        raise SettingsError(f"A thread and a round are needed at least, not {threads} and {rounds}.")
    model = cast(LatentModel, opened.network.to(where))
    with intra_op_threads(threads):
        found = measure_search(model, settings, where, rounds, reporter or Reporter())
    return _report(opened.located, found, settings, str(where), threads)


def measure_search(
    model: LatentModel, settings: SearchSettings, device: torch.device, rounds: int, reporter: Reporter
) -> SearchFigures:
    """Time both in turns; the model is on the device."""
    unknowns = Unknowns(model, Observer(settings.observation, model.spec.image_size))
    side, channels = unknowns.observer.side, settings.observation.channels
    target = torch.rand(1, channels, side, side, generator=torch.Generator().manual_seed(0)).to(device)
    search = Search(unknowns, target, settings, 1e-12)
    starts = np.stack([unknowns.start(settings.seed + k) for k in range(settings.restarts)])
    z = torch.from_numpy(starts[:, : model.spec.latent_size]).to(device).reshape(-1, *model.spec.latent_shape)
    z.requires_grad_()
    condition = unknowns.conditions(torch.from_numpy(starts).to(device))
    seen: list[SearchStep] = []

    def bare() -> None:
        with in_precision(settings.precision, device):
            pictures = model.decode(z, condition)
        torch.autograd.grad(pictures.float().sum(), z)

    def step() -> None:
        search.run(_RUNS, seen.append)

    def bares() -> None:
        for _ in range(_RUNS):
            bare()

    steps_ms, bare_ms = [], []
    with frozen(model):
        for _ in range(_WARM):
            bare()
        step()
        for done in range(rounds):
            reporter.raise_if_cancelled()
            first, second = (step, bares) if done % 2 else (bares, step)
            times = {task: _ms(task, device) / _RUNS for task in (first, second)}
            steps_ms.append(times[step])
            bare_ms.append(times[bares])
            reporter.report(Progress("Measuring a search's step", done + 1, rounds))
    return SearchFigures(tuple(steps_ms), tuple(bare_ms))


def _ms(task: Callable[[], None], device: torch.device) -> float:
    _wait(device)
    began = time.perf_counter()
    task()
    _wait(device)
    return 1e3 * (time.perf_counter() - began)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _report(
    located: Located, found: SearchFigures, settings: SearchSettings, device: str, threads: int
) -> Report:
    n, step = len(found.step_ms), statistics.median(found.step_ms)
    figures = {
        "steps_per_second": 1e3 / step,
        "bare_forward_backward_ratio": statistics.median(found.ratios),
        "step_ms": step,
        "bare_forward_backward_ms": statistics.median(found.bare_ms),
    }
    evaluation = Evaluation(
        {name: Estimate(value, None, None, n) for name, value in figures.items()},
        settings={**settings.record(), "threads": threads, "runs": _RUNS, "rounds": n},
        notes=(
            f"The bars on two cores with 8 restarts at 64 px: {BAR_STEPS:g} steps_per_second at least, and a "
            f"bare_forward_backward_ratio of {BAR_RATIO:g} at most.",
            "The bare pass is the decoder's, of the same batch, measured in turns; figures are medians.",
        ),
    )
    return Report.of("bench search", located, "a random target", n, settings.seed, device, evaluation)
