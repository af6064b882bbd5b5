"""How long the bare forward pass takes here, side by side with a plain script's, and how fast grids come.

Both are measured in turns within one run, so that a machine that slows down slows both; a figure is the
median over rounds of the rounds' medians. The plain script is the same two networks as they are read from
their checkpoints, in PyTorch's default layout, float32 and default number of threads, under ``no_grad``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue

import torch

from latentlab.device import DeviceChoice
from latentlab.errors import LatentLabError
from latentlab.live.engine import Engine
from latentlab.live.examples import example, typical_and_far
from latentlab.live.fast import TYPICAL, wait
from latentlab.live.frames import DeviceOverride, Encoded, Failed, Frame, Opened
from latentlab.live.opening import Loaded, load_pair
from latentlab.live.prepare import Forms
from latentlab.live.renderer import LiveRenderer
from latentlab.operations.render import intra_op_threads
from latentlab.progress import Progress, Reporter

MANY = 64
_ROUNDS = 9
_RUNS, _RUNS_MANY = 12, 2
_GRIDS = 8


@dataclass(frozen=True)
class ForwardFigures:
    """Times in milliseconds of decoder and classifier for 1 and for 64 pictures, and what they rest on.

    The speed-ups are medians over rounds of the plain script's time over the bare forward's.
    """

    bare_ms: float
    plain_ms: float
    bare_64_ms: float
    plain_64_ms: float
    speedup: float
    speedup_64: float
    grid64_fps: float
    choice: DeviceChoice
    grid_choice: DeviceChoice
    plain_threads: int
    predictor: str
    rounds: int
    grids: int


def measure_forward(
    checkpoint: str,
    predictor: str | None = None,
    override: DeviceOverride | None = None,
    reporter: Reporter | None = None,
    rounds: int = _ROUNDS,
) -> ForwardFigures:
    """Measure the bare forward pass in the ways that the renderer chooses here, and a plain script's.

    Parameters
    ----------
    checkpoint, predictor
        As in `latentlab.live.opening.load_pair`.
    override
        Wishes about device, precision and threads.
    rounds
        How often all four are measured in turn.

    Raises
    ------
    CheckpointError, SettingsError
        If a checkpoint cannot be opened, or this machine lacks the device asked for.
    """
    override, reporter = override or DeviceOverride(), reporter or Reporter()
    default_threads = torch.get_num_threads()
    reporter.report(Progress("Trying the ways to render"))
    engine = Engine(checkpoint, predictor, override)
    return _measure(engine, checkpoint, predictor, override, reporter, rounds, default_threads)


def _measure(
    engine: Engine,
    checkpoint: str,
    predictor: str | None,
    override: DeviceOverride,
    reporter: Reporter,
    rounds: int,
    default_threads: int,
) -> ForwardFigures:
    tune(engine, reporter)
    script, fast = _plain_script(checkpoint, predictor), engine.fast
    single, grid = fast.verdict.single, fast.verdict.grid
    forms = Forms(engine.loaded.network(screen=False), typical_and_far(engine.spec, TYPICAL))
    bare, bare_many = forms.make(single, fast.device, 1), forms.make(grid, fast.device, fast.chunk)
    one, many = example(engine.spec, 1), example(engine.spec, MANY)
    parts = [tuple(tensor[k : k + fast.chunk] for tensor in many) for k in range(0, MANY, fast.chunk)]
    tasks: list[tuple[Callable[[], object], int]] = [
        (lambda: wait(fast.run(bare, single, one)), _RUNS),
        (lambda: script(*one), _RUNS),
        (lambda: [wait(fast.run(bare_many, grid, part)) for part in parts], _RUNS_MANY),
        (lambda: script(*many), _RUNS_MANY),
    ]
    times: list[list[float]] = [[] for _ in tasks]
    for done in range(rounds):
        for (task, runs), found in zip(tasks, times, strict=True):
            reporter.raise_if_cancelled()
            found.append(_median_ms(task, runs, default_threads))
        reporter.report(Progress("Measuring the forward pass", done + 1, rounds))
    one_ms, plain, bare_64, plain_64 = times
    device = str(engine.fast.device)
    return ForwardFigures(
        bare_ms=statistics.median(one_ms),
        plain_ms=statistics.median(plain),
        bare_64_ms=statistics.median(bare_64),
        plain_64_ms=statistics.median(plain_64),
        speedup=median_ratio(plain, one_ms),
        speedup_64=median_ratio(plain_64, bare_64),
        grid64_fps=_grids_per_second(checkpoint, predictor, override),
        choice=engine.fast.verdict.single.choice(device),
        grid_choice=engine.fast.verdict.grid.choice(device),
        plain_threads=default_threads,
        predictor=engine.loaded.predictor_name,
        rounds=rounds,
        grids=_GRIDS,
    )


def tune(engine: Engine, reporter: Reporter) -> None:
    """Find the fastest ways to render, unless they are known already."""
    if not engine.fast.tuned:
        for _ in engine.fast.tune():
            reporter.raise_if_cancelled()


def _plain_script(checkpoint: str, predictor: str | None) -> Callable[..., object]:
    loaded = plain_pair(checkpoint, predictor)
    model, judge = loaded.network().model, loaded.network().judge

    def script(latents: torch.Tensor, condition: torch.Tensor | None = None) -> object:
        with torch.no_grad():
            images = model.decode(latents, condition)
            return images, None if judge is None else judge.predict(images)

    return script


def plain_pair(checkpoint: str, predictor: str | None) -> Loaded:
    """Open a model and its predictor as a script would: in PyTorch's default layout."""
    loaded = load_pair(checkpoint, predictor)
    for found in (loaded.checkpoint, loaded.predictor_checkpoint):
        if found is not None:
            found.network.to(memory_format=torch.contiguous_format)
    return loaded


def _median_ms(task: Callable[[], object], runs: int, threads: int) -> float:
    return statistics.median(times_ms(task, runs, threads))


def times_ms(task: Callable[[], object], runs: int, threads: int) -> list[float]:
    """Return how long each run of a task took, in milliseconds, after one that is not counted."""
    found = []
    with intra_op_threads(threads):
        task()
        for _ in range(runs):
            began = time.perf_counter()
            task()
            found.append(1e3 * (time.perf_counter() - began))
    return found


def median_ratio(over: Sequence[float], under: Sequence[float]) -> float:
    """Return the median of the ratios of figures that were measured in turns."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def _grids_per_second(checkpoint: str, predictor: str | None, override: DeviceOverride) -> float:
    """Ask a renderer for grids of 64 pictures one after another, as a screen would."""
    times = []
    with asked_renderer(checkpoint, predictor, override) as (renderer, opened, answer):
        given = [tensor.numpy() for tensor in example(opened.spec, MANY)]
        for _ in range(_GRIDS + 1):
            began = time.perf_counter()
            renderer.render(given[0], given[1] if len(given) > 1 else None, channel="grid", judged=False)
            answer()
            times.append(time.perf_counter() - began)
    return 1.0 / statistics.median(times[1:])


Answer = Callable[[], Frame | Encoded]
"""Waits for a renderer's next answer; raises `LatentLabError` where it failed."""


@contextmanager
def asked_renderer(
    checkpoint: str, predictor: str | None, override: DeviceOverride
) -> Iterator[tuple[LiveRenderer, Opened, Answer]]:
    """Give a live renderer with an opened model, and a way to wait for its answers; close it afterwards."""
    renderer = LiveRenderer(override)
    answers: SimpleQueue[Opened | Frame | Encoded | Failed] = SimpleQueue()
    for signal in (renderer.opened, renderer.frame, renderer.encoded, renderer.failed):
        signal.connect(answers.put)

    def next_one() -> Opened | Frame | Encoded:
        found = answers.get()
        if isinstance(found, Failed):
            raise LatentLabError(found.message)
        return found

    def answer() -> Frame | Encoded:
        found = next_one()
        assert not isinstance(found, Opened)
        return found

    try:
        renderer.start()
        renderer.open(checkpoint, predictor)
        opened = next_one()
        assert isinstance(opened, Opened)
        yield renderer, opened, answer
    finally:
        renderer.close()
