"""The loop that every recipe runs in: steps, schedules, averaging, resuming, progress.

A recipe says what one step does; the loop decides when, on which rows, and what is kept. Everything
that changes over training is a function of the step, the order of the rows is a function of the seed and
the epoch, and the noise of a step a function of the seed and the step: so a run that was stopped and
resumed ends with the same bits as one that was not, and several processes draw the batch that one would.

Devices, processes and precision are Lightning Fabric's launch options.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities.seed import seed_everything
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from latentlab.data.image_set import ImageSet
from latentlab.errors import DataError, SettingsError
from latentlab.progress import Progress, Reporter

STATE = "state"


@dataclass(frozen=True)
class LoopSettings:
    """How long and how a recipe is trained.

    Parameters
    ----------
    steps
        Optimiser steps of the whole run; schedules are stretched over them.
    stop
        Where given, the step after which this call stops; schedules keep their length, and a later call
        goes on from there.
    minutes
        Where given, the first run measures its own speed and sets ``steps`` once from it.
    batch
        Images of one step over all processes together.
    seed
        Of initialisation, row order and noise.
    save_every
        Steps between two saved states; 0 saves only at the end.
    ema
        Decay of the exponential moving average of the weights, which is what is evaluated and kept.
    """

    steps: int = 10_000
    stop: int | None = None
    minutes: float | None = None
    batch: int = 64
    seed: int = 0
    save_every: int = 500
    ema: float = 0.998
    devices: int = 1
    nodes: int = 1
    accelerator: str = "auto"
    precision: str = "bf16-mixed"
    threads: int = 0
    strategy: str = "auto"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise SettingsError("A training needs at least one step and a batch of at least one image.")
        if self.devices < 1 or self.nodes < 1:
            raise SettingsError("A training needs at least one device and one node.")
        if self.threads < 0 or self.save_every < 0:
            raise SettingsError("Threads, and the steps between two saved states, are 0 or more.")
        if not 0 <= self.seed < 1 << 32:
            raise SettingsError(f"The seed must be a number from 0 to {(1 << 32) - 1}, not {self.seed}.")
        if self.stop is not None and self.stop < 1:
            raise SettingsError(f"A training cannot stop after step {self.stop}; it begins with step 1.")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise SettingsError(f"The budget must be more than 0 minutes, not {self.minutes}.")
        if self.batch % (self.devices * self.nodes):
            raise SettingsError(
                f"A batch of {self.batch} does not divide among {self.devices * self.nodes} processes."
            )

    def lasting(self) -> dict[str, Any]:
        """Return the settings that a run keeps for good; the others may change when it is resumed."""
        names = ("steps", "minutes", "batch", "seed", "ema", "precision")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Step:
    """What a recipe is given for one step: this process's share of the batch, and the random numbers.

    ``examples`` are images ``[B, 3, S, S]`` in [0, 1], or whatever else the recipe is trained on.
    ``generator`` is seeded by run and step alone, so a recipe draws noise for the whole batch
    (``total`` rows) and takes its own ``share``: then the number of processes changes nothing.
    """

    number: int
    steps: int
    examples: Tensor
    rows: NDArray[np.int64]
    total: int
    share: slice
    generator: torch.Generator

    @property
    def fraction(self) -> float:
        """How much of the training is done, from 0 to 1."""
        return self.number / self.steps

    def noise(self, *shape: int, rows: slice | None = None) -> Tensor:
        """Draw standard normal noise for the whole batch; return this process's rows, or those given."""
        drawn = torch.randn(self.total, *shape, generator=self.generator)
        return drawn[self.share if rows is None else rows].to(self.examples.device)


@dataclass
class Part:
    """A trained network with its optimiser: as the recipe made it, and as Fabric wrapped it."""

    plain: nn.Module
    optimizer: torch.optim.Optimizer
    wrapped: nn.Module


@dataclass(frozen=True)
class Trained:
    """What a call of `train` gives: the averaged network in evaluation mode, and what it took.

    ``step`` is how many steps were done of the planned ``steps``; fewer where the call was told to stop.
    """

    network: nn.Module
    step: int
    steps: int
    seconds: float


class Examples(Protocol):
    """What a recipe is trained on."""

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def tensor(self, rows: NDArray[np.int64], device: torch.device) -> Tensor:
        """Return rows as float32 ``[B, ...]`` on a device."""
        ...


@dataclass(frozen=True)
class Pictures:
    """A set's images as examples: ``[B, 3, S, S]`` in [0, 1]."""

    images: ImageSet

    def __len__(self) -> int:
        return len(self.images)

    def tensor(self, rows: NDArray[np.int64], device: torch.device) -> Tensor:
        """Return images; they travel as bytes."""
        pixels = torch.from_numpy(self.images.pixels(rows)).permute(0, 3, 1, 2)
        return pixels.to(device).float().div_(255.0)


class Recipe(Protocol):
    """What the loop trains. Networks are named, so that states can be saved by name."""

    def parts(self) -> dict[str, tuple[nn.Module, torch.optim.Optimizer]]:
        """Return every trained network with its optimiser; the first one's moving average is kept."""
        ...

    def step(self, fabric: Fabric, parts: Mapping[str, Part], step: Step) -> dict[str, Tensor]:
        """Do one step, optimisers included, and return figures to show."""
        ...

    def snapshot(self, average: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Look at the averaged network now and then: write pictures, return held-out figures."""
        ...


@runtime_checkable
class ChoosesRows(Protocol):
    """A recipe that chooses the rows of its steps itself; others see every row once an epoch."""

    def choose_rows(
        self, parts: Mapping[str, Part], number: int, batch: int, trial: bool
    ) -> NDArray[np.int64]:
        """Return the rows ``[batch]`` of a step; a trial only measures the speed and must leave no trace.

        Like everything else they depend on the seed and on what the run folder holds at that step alone, so
        that a run that was stopped goes on with the same ones.
        """
        ...


def _flat(asked: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """Return nested settings by dotted names, so that the one that differs can be named."""
    found: dict[str, Any] = {}
    for name, value in asked.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{start}{name}.")
        else:
            found[f"{start}{name}"] = value
    return found


def learning_rate(step: int, steps: int, peak: float, warmup: int = 200, floor: float = 0.02) -> float:
    """Return the rate at a step: a linear warm-up, then a cosine down to ``floor * peak``."""
    if step < warmup:
        return peak * (step + 1) / warmup
    along = (step - warmup) / max(1, steps - warmup)
    return peak * (floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * min(1.0, along))))


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of every group of an optimiser."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def clip_gradients(fabric: Fabric, part: Part, norm: float = 1.0) -> None:
    """Scale a part's gradients down to a norm, in whatever precision they were computed."""
    fabric.clip_gradients(part.wrapped, part.optimizer, max_norm=norm, error_if_nonfinite=False)


def descend(fabric: Fabric, parts: Sequence[Part], loss: Tensor, step: Step, peak: float) -> None:
    """Do the parts' step down a loss, at the step's rate and each with gradients of norm 1 at most."""
    fabric.backward(loss)
    for part in parts:
        set_learning_rate(part.optimizer, learning_rate(step.number, step.steps, peak))
        clip_gradients(fabric, part)
        part.optimizer.step()
        part.optimizer.zero_grad()


def rows_of_step(n: int, batch: int, step: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of a step: epochs of seeded permutations laid end to end, cut into batches."""
    wanted = np.arange(step * batch, (step + 1) * batch)
    epochs, places = np.divmod(wanted, n)
    rows = np.empty(batch, dtype=np.int64)
    for epoch in np.unique(epochs):
        order = np.random.default_rng([seed, int(epoch)]).permutation(n)
        here = epochs == epoch
        rows[here] = order[places[here]]
    return rows


def make_fabric(settings: LoopSettings) -> Fabric:
    """Return Fabric with the run's devices, nodes and precision, its other processes launched.

    Raises
    ------
    SettingsError
        If this machine does not have the devices, or Fabric does not know a setting.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
    try:
        fabric = Fabric(
            accelerator=settings.accelerator,
            devices=settings.devices,
            num_nodes=settings.nodes,
            precision=settings.precision,  # type: ignore[arg-type]
            strategy=settings.strategy,
        )
    except (ValueError, TypeError, RuntimeError) as error:
        raise SettingsError(f"No training can run with these launch options: {error}") from None
    fabric.launch()
    return fabric


def train(
    recipe: Recipe,
    data: ImageSet | Examples,
    folder: Path,
    settings: LoopSettings,
    fabric: Fabric,
    reporter: Reporter | None = None,
    asked: Mapping[str, Any] | None = None,
) -> Trained:
    """Train a recipe to its last step, resuming from ``folder`` if a state lies there.

    Parameters
    ----------
    data
        The images to train on, or other examples.
    folder
        The run folder: ``state/`` (resumable), ``events/`` (TensorBoard), ``samples/`` (pictures).
    asked
        What else was asked of this training, as plain values; a run is only resumed when it is the same.

    Returns
    -------
    Trained
        The averaged network, and what it took.

    Raises
    ------
    Cancelled
        If the reporter asked for it; the state is saved first.
    """
    examples = Pictures(data) if isinstance(data, ImageSet) else data
    if len(examples) == 0:
        name = data.info.name if isinstance(data, ImageSet) else ""
        raise DataError(f"The set {name} has no images to train on.")
    run = _Run(recipe, examples, folder, settings, fabric, reporter or Reporter(), asked or {})
    return run.finish()


class _Run:
    """One call of `train`: what is in memory while it lasts."""

    def __init__(
        self,
        recipe: Recipe,
        data: Examples,
        folder: Path,
        settings: LoopSettings,
        fabric: Fabric,
        reporter: Reporter,
        asked: Mapping[str, Any],
    ) -> None:
        self.recipe, self.data, self.folder = recipe, data, folder
        self.settings, self.fabric, self.reporter = settings, fabric, reporter
        self.steps, self.at, self.seconds = settings.steps, 0, 0.0
        seed_everything(settings.seed, verbose=False)
        self.parts: dict[str, Part] = {}
        optimisers: dict[str, str] = {}
        for name, (network, optimizer) in recipe.parts().items():
            optimisers[name] = type(optimizer).__name__
            network.to(memory_format=torch.channels_last)
            wrapped, wrapped_optimizer = fabric.setup(network, optimizer)
            self.parts[name] = Part(network, wrapped_optimizer, wrapped)
        wishes = settings.lasting() | {"optimisers": optimisers} | dict(asked)
        self.asked: dict[str, Any] = json.loads(json.dumps(wishes))
        self.kept = next(iter(self.parts.values())).plain
        self.average = {key: value.detach().clone() for key, value in self.kept.state_dict().items()}
        self._resume()

    def finish(self) -> Trained:
        from torch.utils.tensorboard import SummaryWriter

        writer = None
        try:
            if self.fabric.is_global_zero:
                writer = SummaryWriter(str(self.folder / "events"))
            if self.settings.minutes is not None and self.at == 0:
                self._set_steps_from_budget(self.settings.minutes)
            end = min(self.steps, self.settings.stop or self.steps)
            while self.at < end:
                if self.reporter.cancelled:
                    self._save()
                    self.reporter.raise_if_cancelled()
                figures = self._one_step(self.at)
                self.at += 1
                last = self.at == end
                saving = last or bool(self.settings.save_every and self.at % self.settings.save_every == 0)
                if saving or self.at % 50 == 0:  # a state is only saved after its figures were looked at
                    values = {name: float(value) for name, value in figures.items()}
                    if not all(math.isfinite(value) for value in values.values()):
                        raise SettingsError(
                            f"The loss is not finite at step {self.at}: {values}. Lower the learning rate; "
                            f"the state of the last saved step is in {self.folder / STATE}."
                        )
                    self._log(writer, "train", values)
                    speed = self.settings.batch * self.at / max(self.seconds, 1e-9)
                    shown = values | {"images_per_second": speed}
                    self.reporter.report(Progress("Training", self.at, self.steps, shown))
                if saving:
                    self._save()
                    if self.fabric.is_global_zero:
                        self._log(writer, "held-out", self._look())
                    self.fabric.barrier()
        except OSError as error:
            raise self._unwritten(error) from None
        finally:
            if writer is not None:
                with contextlib.suppress(OSError):
                    writer.close()
        return Trained(self._averaged_network(), self.at, self.steps, self.seconds)

    def _one_step(self, number: int, keep: bool = True) -> dict[str, Tensor]:
        started = time.perf_counter()
        settings, world = self.settings, self.fabric.world_size
        if isinstance(self.recipe, ChoosesRows):
            rows = self.recipe.choose_rows(self.parts, number, settings.batch, trial=not keep)
        else:
            rows = rows_of_step(len(self.data), settings.batch, number, settings.seed)
        size = settings.batch // world
        share = slice(self.fabric.global_rank * size, (self.fabric.global_rank + 1) * size)
        step = Step(
            number=number,
            steps=self.steps,
            examples=self._read(rows[share]),
            rows=rows[share],
            total=settings.batch,
            share=share,
            generator=torch.Generator().manual_seed(settings.seed * 1_000_003 + number),
        )
        figures = self.recipe.step(self.fabric, self.parts, step)
        if keep:
            decay = min(settings.ema, (1.0 + number) / (10.0 + number))
            current = self.kept.state_dict()
            with torch.no_grad():
                for key, value in self.average.items():
                    if value.is_floating_point():
                        value.lerp_(current[key].to(value), 1.0 - decay)
                    else:
                        value.copy_(current[key])
            self.seconds += time.perf_counter() - started
        return figures

    def _read(self, rows: NDArray[np.int64]) -> Tensor:
        try:
            return self.data.tensor(rows, self.fabric.device)
        except OSError as error:
            raise DataError(
                f"The images to train on cannot be read any more at step {self.at}: "
                f"{error.strerror or error}. What was saved before is in {self.folder / STATE}; bring them "
                "back, and give the same command again."
            ) from None

    def _set_steps_from_budget(self, minutes: float) -> None:
        """Time some steps of the start and of the end of the schedule, put everything back, and choose."""
        before = self._state()
        self.steps = 1_000_000
        times = []
        for number in (0, self.steps - 1):
            for k in range(8):
                started = time.perf_counter()
                self._one_step(number, keep=False)
                if k >= 2:
                    times.append(time.perf_counter() - started)
        share = float(getattr(self.recipe, "late_share", 0.0))
        early, late = float(np.median(times[:6])), float(np.median(times[6:]))
        seconds = (1.0 - share) * early + share * late
        steps = torch.tensor(max(1, int(minutes * 60.0 / seconds)))
        self.steps = int(self.fabric.broadcast(steps))
        self._restore(*before)

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors: dict[str, Tensor] = {f"average/{key}": value for key, value in self.average.items()}
        record: dict[str, Any] = {
            "step": self.at,
            "steps": self.steps,
            "seconds": self.seconds,
            "asked": self.asked,
        }
        for name, part in self.parts.items():
            network = part.plain
            tensors |= {f"network/{name}/{key}": value for key, value in network.state_dict().items()}
            for index, slots in part.optimizer.state_dict()["state"].items():
                for slot, value in slots.items():
                    tensors[f"optimizer/{name}/{index}/{slot}"] = torch.as_tensor(value)
        return {key: value.detach().cpu().clone().contiguous() for key, value in tensors.items()}, record

    def _restore(self, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
        self.at, self.seconds = record["step"], record["seconds"]
        for key in self.average:
            self.average[key].copy_(tensors[f"average/{key}"])
        for name, part in self.parts.items():
            network = part.plain
            start = f"network/{name}/"
            network.load_state_dict({k[len(start) :]: v for k, v in tensors.items() if k.startswith(start)})
            start = f"optimizer/{name}/"
            slots: dict[int, dict[str, Tensor]] = {}
            for key, value in tensors.items():
                if key.startswith(start):
                    index, slot = key[len(start) :].split("/")
                    slots.setdefault(int(index), {})[slot] = value.clone()
            optimizer = part.optimizer
            optimizer.load_state_dict(
                {"state": slots, "param_groups": optimizer.state_dict()["param_groups"]}
            )

    def _save(self) -> None:
        if not self.fabric.is_global_zero:
            return
        tensors, record = self._state()
        folder = self.folder / STATE
        part = folder / "state.safetensors.part"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            save_file(tensors, part, metadata={"record": json.dumps(record)})
            part.replace(folder / "state.safetensors")
        except (OSError, SafetensorError) as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise self._unwritten(error) from None

    def _unwritten(self, error: Exception) -> SettingsError:
        """Say that the run folder cannot be written, and what is left of the run."""
        why = getattr(error, "strerror", None) or error
        return SettingsError(
            f"The run in {self.folder} cannot be written at step {self.at}: {why}. What was saved before is "
            f"in {self.folder / STATE}; make room, or bring the folder back, and give the same command again."
        )

    def _resume(self) -> None:
        path = self.folder / STATE / "state.safetensors"
        if not path.is_file():
            return
        from safetensors import safe_open

        with safe_open(path, framework="pt") as file:
            record = json.loads(file.metadata()["record"])
        before, now = _flat(record.get("asked", {})), _flat(self.asked)
        changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        if changed:
            name = changed[0]
            raise SettingsError(
                f"The run in {self.folder} was begun with {name} {before.get(name, 'unknown')}, not "
                f"{now.get(name, 'without it')}. Give the same to resume it, or --fresh to begin anew."
            )
        try:
            self._restore(load_file(path), record)
        except (KeyError, RuntimeError) as error:
            raise SettingsError(
                f"The state in {path} is of another network or recipe ({error}). Choose another folder, or "
                f"delete {path.parent} to begin anew."
            ) from None
        self.steps = record["steps"]

    def _averaged_network(self) -> nn.Module:
        import copy

        network = copy.deepcopy(self.kept)
        network.load_state_dict(self.average)
        return network.eval()

    def _look(self) -> dict[str, float]:
        folder = self.folder / "samples"
        folder.mkdir(parents=True, exist_ok=True)
        return self.recipe.snapshot(self._averaged_network(), folder, self.at)

    def _log(self, writer: Any, kind: str, values: Mapping[str, float]) -> None:
        if writer is None:
            return
        for name, value in values.items():
            writer.add_scalar(f"{kind}/{name}", value, self.at)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": self.at, "kind": kind, **values}) + "\n")
