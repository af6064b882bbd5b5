"""The report of ``latentlab bench projection``: one picture onto all datasets, and a stroke to its answer.

The way of the Analogies screen: the picture is encoded as one of its dataset (and judged, and reconstructed),
and its latent decoded and judged as one of every dataset. Beside it, in turns within one run, a plain script
projects with the networks as they are read: PyTorch's default layout, float32, default number of threads.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.data.image_set import images_to_tensor
from latentlab.device import DeviceChoice
from latentlab.errors import SettingsError
from latentlab.live.bench import asked_renderer, median_ratio, plain_pair, times_ms, tune
from latentlab.live.engine import Engine
from latentlab.live.examples import example
from latentlab.live.frames import DeviceOverride, Encoded, Frame
from latentlab.metrics.intervals import Estimate
from latentlab.metrics.report import Evaluation, Report
from latentlab.model import ProjectingModel
from latentlab.operations.projection_plan import ProjectionPlan, no_projection, projection_plan
from latentlab.progress import Progress, Reporter

BAR_MS = 50.0
"""What projecting one picture onto all datasets may take on two cores."""
_ROUNDS, _RUNS = 9, 8
_STROKES = 40
_BRUSH = 0.15  # of a picture's side
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class ProjectionFigures:
    """Times in milliseconds, of every run.

    Parameters
    ----------
    live, plain
        Of the engine and of the plain script: a picture onto all datasets.
    speedup
        Median over the rounds of the script's median over the engine's.
    forward, inverse
        The flow alone, in PyTorch: one latent into z, and z into all datasets.
    strokes
        From a painted stroke to the pictures of all datasets, through the live renderer and without a window.
    datasets
        How many they are.
    """

    live: Sequence[float]
    plain: Sequence[float]
    speedup: float
    forward: Sequence[float]
    inverse: Sequence[float]
    strokes: Sequence[float]
    datasets: int
    choice: DeviceChoice
    plain_threads: int
    predictor: str


def bench_projection(
    checkpoint: str,
    predictor: str | None = None,
    override: DeviceOverride | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Measure how long projecting one picture onto all datasets takes here.

    Parameters
    ----------
    checkpoint, predictor
        As in `latentlab.live.opening.load_pair`; a cINN.
    override
        Wishes about device, precision and threads.

    Raises
    ------
    LatentLabError
        If a checkpoint cannot be opened, it does not project, or the device does not exist.
    """
    override, reporter = override or DeviceOverride(), reporter or Reporter()
    default_threads = torch.get_num_threads()
    reporter.report(Progress("Trying the ways to render"))
    engine = Engine(checkpoint, predictor, override)
    why = no_projection(engine.spec, checkpoint)
    if why:
        raise SettingsError(why)
    tune(engine, reporter)
    found = measure_projection(engine, checkpoint, predictor, override, reporter, default_threads)
    evaluation = Evaluation(
        _metrics(found),
        settings={
            "datasets": found.datasets,
            "many": asdict(found.choice),
            "plain_script": {"precision": "float32", "threads": found.plain_threads},
            "predictor": found.predictor,
            "bar_ms": BAR_MS,
        },
        notes=(
            f"The bar for all_datasets_ms is {BAR_MS:g} ms on two cores. Times count from the picture to the "
            f"pixels and probabilities of its projections onto {found.datasets} datasets; the engine also "
            "judges and reconstructs the picture itself, as the screen shows it.",
            "The plain script judges the picture and projects it in the default layout, float32 and default "
            "threads, under no_grad, measured in turns; the speed-up is the median of the rounds' ratios.",
            "stroke_to_answer_ms goes through the live renderer, without the window: the changed picture is "
            "encoded, and then decoded as one of every dataset.",
        ),
    )
    located, device = engine.loaded.checkpoint.located, found.choice.device
    return Report.of("bench projection", located, "a typical picture", len(found.live), 0, device, evaluation)


def measure_projection(
    engine: Engine,
    checkpoint: str,
    predictor: str | None,
    override: DeviceOverride,
    reporter: Reporter,
    threads: int,
    rounds: int = _ROUNDS,
    strokes: int = _STROKES,
) -> ProjectionFigures:
    """Measure the engine, the plain script and the flow in turns, and then the live renderer.

    Parameters
    ----------
    engine
        Of the same model, predictor and wishes.
    threads
        The plain script's.
    rounds, strokes
        How often each is measured.
    """
    schema = engine.spec.condition
    plan = projection_plan(schema, schema.attributes[0].classes[0])
    picture = _picture(engine, plan)
    latent = engine.encode(picture, plan.told).mean

    def live() -> None:
        z = engine.encode(picture, plan.told).mean
        for _ in engine.live(_repeated(z, plan), plan.conditions):
            pass

    tasks = [live, _script(checkpoint, predictor, picture, plan), *_flow(engine, latent, plan)]
    times: list[list[list[float]]] = [[] for _ in tasks]
    for done in range(rounds):
        for task, found in zip(tasks, times, strict=True):
            reporter.raise_if_cancelled()
            found.append(times_ms(task, _RUNS, threads))
        reporter.report(Progress("Projecting one picture", done + 1, rounds))
    medians = [[statistics.median(one) for one in found] for found in times]
    every = [[one for found in rounds_of for one in found] for rounds_of in times]
    device = str(engine.fast.device)
    return ProjectionFigures(
        live=every[0],
        plain=every[1],
        speedup=median_ratio(medians[1], medians[0]),
        forward=every[2],
        inverse=every[3],
        strokes=_strokes(checkpoint, predictor, override, picture, plan, reporter, strokes),
        datasets=len(plan.datasets),
        choice=engine.fast.verdict.grid.choice(device),
        plain_threads=threads,
        predictor=engine.loaded.predictor_name,
    )


def painted(picture: Picture, stroke: int) -> Picture:
    """Return a picture uint8 ``[S, S, 3]`` with a square of some colour painted somewhere."""
    generator = np.random.default_rng(stroke)
    side = len(picture)
    brush = max(1, round(_BRUSH * side))
    y, x = generator.integers(0, side - brush + 1, 2)
    found = picture.copy()
    found[y : y + brush, x : x + brush] = generator.integers(0, 256, 3)
    return found


def _picture(engine: Engine, plan: ProjectionPlan) -> Picture:
    """Return a picture of the model's own, uint8 ``[S, S, 3]``, RGB."""
    latents = example(engine.spec, 1)[0].numpy()
    (drawn,) = [found for found in engine.live(latents, plan.told[None]) if found is not None]
    return np.ascontiguousarray(drawn.pixels[0, :, :, 2::-1])


def _repeated(latent: NDArray[np.float32], plan: ProjectionPlan) -> NDArray[np.float32]:
    return np.repeat(latent[None], len(plan.datasets), axis=0)


def _script(
    checkpoint: str, predictor: str | None, picture: Picture, plan: ProjectionPlan
) -> Callable[[], object]:
    """Return what a script does: encode, decode as one of each dataset, judge all."""
    network = plain_pair(checkpoint, predictor).network()
    model, judge = network.model, network.judge
    told, onto = torch.from_numpy(plan.told[None]), torch.from_numpy(plan.conditions)

    def script() -> object:
        with torch.no_grad():
            x = images_to_tensor(picture[None]).contiguous()
            z = model.encode(x, told).mean
            images = model.decode(z.repeat(len(onto), 1), onto)
            seen = None if judge is None else (judge.predict(x), judge.predict(images))
            return (images * 255.0).round().clamp(0.0, 255.0).to(torch.uint8), seen

    return script


def _flow(
    engine: Engine, latent: NDArray[np.float32], plan: ProjectionPlan
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return the flow alone: one latent into z, and z into all datasets."""
    model = engine.loaded.checkpoint.network
    assert isinstance(model, ProjectingModel)
    z = torch.from_numpy(np.array(latent[None]))
    told, onto = torch.from_numpy(plan.told[None]), torch.from_numpy(plan.conditions)
    with torch.no_grad():
        x = model.to_inner(z, told)
    every = z.repeat(len(onto), 1)

    def forward() -> object:
        with torch.no_grad():
            return model.to_latent(x, told)

    def inverse() -> object:
        with torch.no_grad():
            return model.to_inner(every, onto)

    return forward, inverse


def _strokes(
    checkpoint: str,
    predictor: str | None,
    override: DeviceOverride,
    picture: Picture,
    plan: ProjectionPlan,
    reporter: Reporter,
    strokes: int,
) -> list[float]:
    """Paint one stroke after another, and wait for the projections of each."""
    found = []
    with asked_renderer(checkpoint, predictor, override) as (renderer, _, answer):
        for stroke in range(strokes + 1):
            reporter.raise_if_cancelled()
            changed = painted(picture, stroke)
            began = time.perf_counter()
            renderer.encode(changed, plan.told)
            encoded = answer()
            assert isinstance(encoded, Encoded)
            renderer.render(_repeated(encoded.mean, plan), plan.conditions, channel="projections")
            frame = answer()
            assert isinstance(frame, Frame)
            found.append(1e3 * (time.perf_counter() - began))
            reporter.report(Progress("Painting", stroke, strokes))
    return found[1:]


def _metrics(found: ProjectionFigures) -> dict[str, Estimate]:
    figures: dict[str, tuple[float, int]] = {}
    for name, times in (("all_datasets_ms", found.live), ("plain_script_all_datasets_ms", found.plain)):
        figures[name] = statistics.median(times), len(times)
        figures[f"{name}_p95"] = float(np.quantile(times, 0.95)), len(times)
    figures["speedup_all_datasets"] = found.speedup, len(found.live)
    for name, times in (("flow_forward_ms", found.forward), ("flow_inverse_ms", found.inverse)):
        figures[name] = statistics.median(times), len(times)
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        figures[f"stroke_to_answer_ms_{name}"] = float(np.quantile(found.strokes, share)), len(found.strokes)
    return {name: Estimate(value, None, None, n) for name, (value, n) in figures.items()}
