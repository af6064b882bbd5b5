"""The short trial that chooses how a network is run here, and its memory in the user's cache.

Every way is measured on the network itself, in rounds that go through all of them, so that a machine that
is busy for a moment does not favour one. A way whose pictures stray from float32 is out, however fast.
"""

from __future__ import annotations

import hashlib
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from latentlab.device import cpu_threads
from latentlab.errors import SettingsError
from latentlab.live.runtime import version
from latentlab.live.ways import Way
from latentlab.paths import cache_directory
from latentlab.whole_file import write_whole

MEAN_ERROR, NOISE, PROBABILITY_ERROR = 1.5, 2.55, 0.05
"""How far a way may stray from float32: mean of the pixels' absolute errors (0 to 255), root of the mean of
their squares (40 dB, where differences stop being seen), mean absolute error of attributes' probabilities."""

WORTH = 1.15
"""More threads must be faster by this factor: those not used are left to the window."""

THE_WINDOWS = 1.0
"""Milliseconds that the window needs of a processor for each move, while that move's frame is rendered: a
single picture that takes all processors is shown later by that much."""

_ROUNDS, _RUNS, _LONGEST = 3, 4, 0.25
_VERSION = 10


@dataclass(frozen=True)
class Verdict:
    """What a trial has found: the way for single pictures, the way for many, and all medians in ms."""

    single: Way
    grid: Way
    milliseconds: Mapping[str, float] = field(default_factory=dict)


def strays(answer: Sequence[Tensor], truth: Sequence[Tensor]) -> bool:
    """Whether a way's answer is further from float32's than a preview may be.

    Parameters
    ----------
    answer, truth
        Pixels uint8 ``[B, S, S, 4]`` (BGRX), then each attribute's probabilities ``[B, classes]``.
    """
    errors = (answer[0].cpu().float() - truth[0].cpu().float())[..., :3]
    right = float(errors.abs().mean()) <= MEAN_ERROR and float(errors.square().mean().sqrt()) <= NOISE
    return not right or not all(
        float((found.float().cpu() - sure.float().cpu()).abs().mean()) <= PROBABILITY_ERROR
        for found, sure in zip(answer[1:], truth[1:], strict=True)
    )


def measure(
    calls: Mapping[Way, Callable[[], object]], rounds: int = _ROUNDS, runs: int = _RUNS
) -> Iterator[dict[Way, float]]:
    """Time ways against each other, giving the medians so far in milliseconds after every step.

    One step is a few runs of one way (at most a quarter of a second where a network is slow), so that
    whoever measures can do something else in between.

    Parameters
    ----------
    calls
        What to run for each way; it returns when the work is done.
    """
    times: dict[Way, list[float]] = {way: [] for way in calls}
    for _ in range(rounds):
        for way, call in calls.items():
            call()
            began = time.perf_counter()
            for _ in range(runs):
                start = time.perf_counter()
                call()
                end = time.perf_counter()
                times[way].append(end - start)
                if end - began > _LONGEST:
                    break
            yield {done: 1e3 * statistics.median(found) for done, found in times.items() if found}


def best(milliseconds: Mapping[Way, float], processors: int | None = None) -> Way:
    """Return the way to take: the fastest, or a nearly as fast one with fewer threads.

    Parameters
    ----------
    processors
        Where given, the window is at work meanwhile, on one of that many processors (`THE_WINDOWS`).
    """
    shown = {
        way: time + (THE_WINDOWS if processors is not None and way.threads >= processors else 0.0)
        for way, time in milliseconds.items()
    }
    fastest = min(shown.values())
    good = [way for way, time in shown.items() if time <= WORTH * fastest]
    return min(good, key=lambda way: (way.threads, shown[way]))


def cache_key(device: torch.device, networks: Any, wish: Any) -> str:
    """Return the name under which a verdict is kept: machine, runtimes, device, networks, wishes."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    runtimes = torch.__version__, version()
    parts = [_VERSION, runtimes, str(device), name, cpu_threads(), networks, wish]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]


def recall(key: str) -> Verdict | None:
    """Return the kept verdict of that name; None where there is none or it cannot be read."""
    try:
        data = json.loads(_file(key).read_text(encoding="utf-8"))
        milliseconds = {str(label): float(value) for label, value in data["milliseconds"].items()}
        return Verdict(Way.from_json(data["single"]), Way.from_json(data["grid"]), milliseconds)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def keep(key: str, verdict: Verdict) -> None:
    """Keep a verdict for the next start; a cache that cannot be written costs only time."""
    data = {
        "single": verdict.single.to_json(),
        "grid": verdict.grid.to_json(),
        "milliseconds": dict(verdict.milliseconds),
    }
    with suppress(OSError, SettingsError):
        write_whole(_file(key), json.dumps(data, indent=1))


def _file(key: str) -> Path:
    folder = cache_directory() / "trials"
    folder.mkdir(exist_ok=True)
    return folder / f"{key}.json"


def _processor() -> str:
    """Return the processor's name as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
