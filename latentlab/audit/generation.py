"""The generation study: which attributes a model's random samples show, beside what they ought to show.

Samples are drawn, decoded and judged a part at a time, and only counts stay in memory, so that 100,000 images
take no more of it than a thousand. What part k of a seed holds depends on the seed and k alone: a study that
was interrupted goes on with the same pictures, and any of them can be drawn again (`redraw`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.audit.opened_models import models_record
from latentlab.audit.own_predictions import Predictions, token_of
from latentlab.audit.reference import Reference
from latentlab.audit.study_folder import Parts, StudyFolder, on_device
from latentlab.conditions import parse_choices
from latentlab.data.image_set import UNKNOWN
from latentlab.device import resolve_device
from latentlab.errors import SettingsError
from latentlab.families.resized import resized
from latentlab.metrics.labels import conditions
from latentlab.metrics.passes import BATCH, evaluation
from latentlab.operations.explore import Explorer
from latentlab.progress import Progress, Reporter
from latentlab.spec import MODE, Attribute, PredictorSpec

PART = BATCH
"""Samples that are drawn, judged and written together."""
CPU = torch.device("cpu")
MOST_CELLS = 64
"""Intersections that are told apart at most."""


@dataclass(frozen=True)
class GenerationSettings:
    """What is drawn and counted.

    Parameters
    ----------
    n
        Samples of each model and seed.
    seeds
        Of the samples, one run each.
    attributes
        What is counted; empty for all that the predictor judges.
    truncation
        What every drawn z is multiplied by, 0 to 1.
    condition
        What a conditional model is told, in words (`latentlab.conditions.parse_choices`). Without it each
        sample is told the labels of an image of the reference set; without such a set, each class as often.
    """

    n: int = 2000
    seeds: tuple[int, ...] = (0,)
    attributes: tuple[str, ...] = ()
    truncation: float = 1.0
    condition: str = ""

    def __post_init__(self) -> None:
        if self.n < 1:
            raise SettingsError(f"At least one sample is needed; {self.n} were asked for.")
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise SettingsError("Seeds are one or more different numbers, each 0 or more.")
        if not 0.0 < self.truncation <= 1.0:
            raise SettingsError(f"The truncation is more than 0 and at most 1, not {self.truncation}.")


@dataclass
class Counted:
    """What was counted of one model and seed.

    Parameters
    ----------
    classes
        By attribute, how many samples are predicted as each class, ``[C]``.
    sums, squares
        By attribute, the sums of the probabilities, ``[C]``, and of their products, ``[C, C]``.
    cells
        How many samples are predicted as each intersection, ``[C1, C2, ...]``; None where only one attribute,
        or too many intersections, are counted.
    """

    n: int
    classes: dict[str, NDArray[np.int64]]
    sums: dict[str, NDArray[np.float64]]
    squares: dict[str, NDArray[np.float64]]
    cells: NDArray[np.int64] | None

    @classmethod
    def empty(cls, attributes: Sequence[Attribute]) -> Counted:
        """Return what is counted before the first sample."""
        shape = tuple(len(one.classes) for one in attributes)
        wanted = len(shape) > 1 and int(np.prod(shape)) <= MOST_CELLS
        return cls(
            0,
            {one.name: np.zeros(len(one.classes), dtype=np.int64) for one in attributes},
            {one.name: np.zeros(len(one.classes)) for one in attributes},
            {one.name: np.zeros((len(one.classes),) * 2) for one in attributes},
            np.zeros(shape, dtype=np.int64) if wanted else None,
        )

    def add(
        self, codes: Mapping[str, NDArray[np.int64]], probabilities: Mapping[str, NDArray[np.float64]]
    ) -> None:
        """Take one part into account: its predicted classes ``[B]`` and probabilities ``[B, C]``.

        What a sample's dataset cannot show has the class `UNKNOWN`, probabilities of 0, and does not count.
        """
        self.n += len(next(iter(codes.values())))
        for name, counts in self.classes.items():
            np.add.at(counts, codes[name][codes[name] != UNKNOWN], 1)
            self.sums[name] += probabilities[name].sum(axis=0)
            self.squares[name] += probabilities[name].T @ probabilities[name]
        if self.cells is not None:
            every = np.stack([codes[name] for name in self.classes])
            np.add.at(self.cells, tuple(every[:, (every != UNKNOWN).all(axis=0)]), 1)


Runs = Mapping[tuple[str, int], Counted]
"""What was counted of each model and seed."""


def judged_attributes(judge: PredictorSpec | None, wish: Sequence[str] = ()) -> tuple[Attribute, ...]:
    """Return the attributes with classes that are counted.

    Raises
    ------
    SettingsError
        If there is no predictor, or it does not know one of those asked for.
    """
    if judge is None:
        raise SettingsError("Nobody judges this model's pictures. Give --predictor an attribute predictor.")
    found = tuple(judge.attribute(name) for name in dict.fromkeys(wish)) if wish else judge.attributes
    continuous = [one.name for one in found if one.kind != "categorical"]
    if wish and continuous:
        raise SettingsError(f"{continuous[0]} has no classes to count.")
    return tuple(one for one in found if one.kind == "categorical")


def columns_of(attributes: Sequence[Attribute], body: str = "model") -> list[str]:
    """Return the columns of the table of images; ``body`` is what tells bodies of samples apart."""
    told = [[one.name, *(f"{one.name}={label}" for label in one.classes)] for one in attributes]
    return [body, "seed", "image", *(name for names in told for name in names)]


def count_generation(
    models: Mapping[str, Explorer],
    settings: GenerationSettings,
    reference: Reference,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    predictions: Predictions | None = None,
    on_part: Callable[[Runs], None] | None = None,
) -> dict[tuple[str, int], Counted]:
    """Draw and judge the samples of every model and seed, and count.

    Parameters
    ----------
    models
        By name; all are judged in the same attributes.
    out
        A folder that keeps a row for each image, and where an interrupted study goes on; None keeps none.
    predictions
        What somebody else says of these samples, model by model and seed by seed; then nothing is drawn.
    on_part
        Told what is counted so far after each part, of every model and seed that has begun.

    Raises
    ------
    SettingsError
        If something does not fit: before anything is drawn.
    Cancelled
        If the reporter asked for it; what was written stays.
    """
    reporter, where = reporter or Reporter(), resolve_device(device)
    attributes = _counted_attributes(models, settings, predictions)
    drawn = {name: Drawn(name, explorer, settings, reference) for name, explorer in models.items()}
    folder = None
    if out is not None:
        plain = settings_record(models, settings, reference, predictions)
        folder = StudyFolder(out, plain, columns_of(attributes), settings.n, PART)
    return count_drawn(drawn, settings, attributes, folder, where, reporter, predictions, on_part)


def count_drawn(
    drawn: Mapping[str, Drawn],
    settings: GenerationSettings,
    attributes: Sequence[Attribute],
    folder: StudyFolder | None,
    device: torch.device,
    reporter: Reporter,
    predictions: Predictions | None = None,
    on_part: Callable[[Runs], None] | None = None,
) -> dict[tuple[str, int], Counted]:
    """Judge and count bodies of samples by name, as `count_generation` does those of its models."""
    counted: dict[tuple[str, int], Counted] = {}
    parts = Parts(folder)
    total, done = len(drawn) * len(settings.seeds) * settings.n, 0
    for name, source in drawn.items():
        with on_device([source.explorer], device) if predictions is None else nullcontext():
            for seed in settings.seeds:
                found = counted[name, seed] = Counted.empty(attributes)
                for part, start in enumerate(range(0, settings.n, PART)):
                    reporter.raise_if_cancelled()
                    size = min(PART, settings.n - start)
                    names = [(name, str(seed), str(start + k)) for k in range(size)]
                    make = partial(source.rows, seed, part, size, attributes, device)
                    if predictions is not None:
                        make = partial(source.told_rows, seed, part, size, predictions, done)
                    rows = parts.next(names, make)
                    with parts.counting():
                        found.add(*_read(rows, attributes))
                    done += size
                    if on_part is not None:
                        on_part(counted)
                    reporter.report(Progress("Drawing and judging samples", done, total))
    return counted


def _counted_attributes(
    models: Mapping[str, Explorer], settings: GenerationSettings, predictions: Predictions | None
) -> tuple[Attribute, ...]:
    return common_attributes(models, settings.attributes) if predictions is None else predictions.attributes


def settings_record(
    models: Mapping[str, Explorer],
    settings: GenerationSettings,
    reference: Reference,
    predictions: Predictions | None = None,
) -> dict[str, Any]:
    """Return all that a study rests on, as plain values."""
    return {
        "study": "generation",
        "models": models_record(models),
        "n": settings.n,
        "seeds": list(settings.seeds),
        "attributes": [one.name for one in _counted_attributes(models, settings, predictions)],
        "truncation": settings.truncation,
        "condition": settings.condition,
        "reference": reference.name,
        "reference_sha256": reference.sha256(),
        **({} if predictions is None else predictions.record()),
    }


def sample_ids(
    models: Mapping[str, Explorer], settings: GenerationSettings, reference: Reference
) -> list[str]:
    """Return the ids of all samples, model by model and seed by seed; they do not tell the model.

    They do not depend on what is counted, nor on a reference whose labels no model is told.
    """
    told = any(one.spec.condition.size for one in models.values()) and not settings.condition
    record = {
        "models": [one.located.sha256() for one in models.values()],
        "n": settings.n,
        "seeds": list(settings.seeds),
        "truncation": settings.truncation,
        "condition": settings.condition,
        "told": Reference(reference.name, {}, reference.images).sha256() if told else "",
    }
    count = len(models) * len(settings.seeds) * settings.n
    token = token_of(record)
    return [f"{token}-{k:06d}" for k in range(count)]


def redraw(
    explorer: Explorer, settings: GenerationSettings, reference: Reference, seed: int, image: int
) -> NDArray[np.uint8]:
    """Return the picture behind a row, uint8 ``[S, S, 3]``, RGB; images of a seed are counted from 0."""
    part, place = divmod(image, PART)
    size = min(PART, settings.n - part * PART)
    source = Drawn("", explorer, settings, reference)
    with evaluation():
        return as_pixels(source.pictures(seed, part, size, only=slice(place, place + 1)))[0]


def pictures_of_samples(
    models: Mapping[str, Explorer], settings: GenerationSettings, reference: Reference
) -> Iterator[list[NDArray[np.uint8]]]:
    """Give all samples part by part, in the order of `sample_ids`, each uint8 ``[S, S, 3]``, RGB.

    Raises
    ------
    SettingsError
        If something does not fit: when this is called.
    """
    sources = [Drawn(name, explorer, settings, reference) for name, explorer in models.items()]

    def each() -> Iterator[list[NDArray[np.uint8]]]:
        for source in sources:
            for seed in settings.seeds:
                for part, start in enumerate(range(0, settings.n, PART)):
                    with evaluation():
                        yield as_pixels(source.pictures(seed, part, min(PART, settings.n - start)))

    return each()


def as_pixels(pictures: torch.Tensor) -> list[NDArray[np.uint8]]:
    """Return pictures ``[B, 3, S, S]`` in [0, 1] as uint8 ``[S, S, 3]``, RGB."""
    found = (pictures.permute(0, 2, 3, 1) * 255.0).round().clamp(0, 255).to(torch.uint8)
    return list(found.cpu().numpy())


class Drawn:
    """One model's samples, a part at a time."""

    def __init__(
        self, name: str, explorer: Explorer, settings: GenerationSettings, reference: Reference
    ) -> None:
        spec = explorer.spec
        if "sample" in spec.cannot:
            raise SettingsError(f"{name} cannot draw samples: {spec.cannot['sample']}")
        self.name, self.explorer, self.settings = name, explorer, settings
        self.told: NDArray[np.float32] | None = None
        self.datasets = spec.condition.attributes[0].classes if spec.cannot_show else ()
        if not spec.condition.size:
            if settings.condition:
                raise SettingsError(f"{name} has no condition to be told {settings.condition!r}.")
            return
        if settings.condition:
            choices = parse_choices(spec.condition, settings.condition)
            self.told = explorer.condition(choices, explorer.first_condition())[None]
        elif reference.images is not None:
            self.told = conditions(spec.condition, reference.images)
        else:
            self.told = _every_combination(explorer)

    def conditions(self, seed: int, part: int, size: int) -> NDArray[np.float32] | None:
        """Return what the model is told of each image of a part, ``[size, C]``; None where it is not."""
        if self.told is None:
            return None
        words = np.random.SeedSequence([seed, part]).generate_state(2, np.uint64)
        chosen = np.random.default_rng(int(words[1])).integers(0, len(self.told), size)
        return self.told[chosen]

    def unseen(self, seed: int, part: int, size: int) -> list[frozenset[str]]:
        """Return for each image the attributes that its dataset cannot show, which nobody is to guess at."""
        told = self.conditions(seed, part, size)
        if told is None or not self.datasets:
            return [frozenset()] * size
        places = told[:, : len(self.datasets)].argmax(axis=1)
        cannot = self.explorer.spec.cannot_show
        return [frozenset(cannot.get(self.datasets[place], ())) for place in places]

    def pictures(
        self,
        seed: int,
        part: int,
        size: int,
        device: torch.device = CPU,
        only: slice = slice(None),
    ) -> torch.Tensor:
        """Return the images ``[size, 3, S, S]`` in [0, 1] of a part, or only some of them."""
        words = np.random.SeedSequence([seed, part]).generate_state(2, np.uint64)
        generator = torch.Generator().manual_seed(int(words[0] >> np.uint64(1)))
        drawn = self.conditions(seed, part, size)
        condition = None if drawn is None else torch.from_numpy(drawn)
        network = self.explorer.network
        z = network.sample(size, condition, generator)[only].to(device) * self.settings.truncation
        told = None if condition is None else condition[only].to(device)
        return network.decode(z, told).float().clamp(0.0, 1.0)

    def rows(
        self, seed: int, part: int, size: int, attributes: Sequence[Attribute], device: torch.device
    ) -> list[list[str]]:
        """Return the rows of a part: what is predicted of each image."""
        judge = self.explorer.predictor
        assert judge is not None
        with evaluation():
            pictures = resized(self.pictures(seed, part, size, device), judge.spec.image_size)
            said = {name: found.float().cpu().numpy() for name, found in judge.predict(pictures).items()}
        return self._told(seed, part, size, attributes, said)

    def told_rows(
        self, seed: int, part: int, size: int, predictions: Predictions, start: int
    ) -> list[list[str]]:
        """Return the rows of a part as somebody else says, whose first image is number ``start``."""
        said = {name: found[start : start + size] for name, found in predictions.said.items()}
        return self._told(seed, part, size, predictions.attributes, said)

    def _told(
        self,
        seed: int,
        part: int,
        size: int,
        attributes: Sequence[Attribute],
        said: Mapping[str, NDArray[np.float32]],
    ) -> list[list[str]]:
        rows = []
        for place, unseen in enumerate(self.unseen(seed, part, size)):
            row = [self.name, str(seed), str(part * PART + place)]
            for one in attributes:
                if one.name in unseen:
                    row += [""] * (1 + len(one.classes))
                    continue
                probabilities = said[one.name][place]
                row += [one.classes[int(probabilities.argmax())], *(f"{p:.5f}" for p in probabilities)]
            rows.append(row)
        return rows


def _read(
    rows: Sequence[Sequence[str]], attributes: Sequence[Attribute]
) -> tuple[dict[str, NDArray[np.int64]], dict[str, NDArray[np.float64]]]:
    """Return the predicted classes ``[B]`` and the probabilities ``[B, C]`` of rows of the table."""
    codes: dict[str, NDArray[np.int64]] = {}
    said: dict[str, NDArray[np.float64]] = {}
    place = 3
    for one in attributes:
        places = {label: k for k, label in enumerate(one.classes)} | {"": UNKNOWN}
        codes[one.name] = np.array([places[row[place]] for row in rows], dtype=np.int64)
        width = len(one.classes)
        told = [[value or 0.0 for value in row[place + 1 : place + 1 + width]] for row in rows]
        said[one.name] = np.array(told, dtype=np.float64)
        place += 1 + width
    return codes, said


def common_attributes(models: Mapping[str, Explorer], wish: Sequence[str]) -> tuple[Attribute, ...]:
    """Return the attributes that all models' predictors judge alike."""
    if not models:
        raise SettingsError("A study needs at least one model.")
    found = [judged_attributes(one.predictor_spec, wish) for one in models.values()]
    alike = tuple(one for one in found[0] if all(one in other for other in found))
    lost = [one.name for one in found[0] if one not in alike]
    if wish and lost:
        raise SettingsError(
            f"The predictors of {', '.join(models)} have other classes of {lost[0]}. Give --predictor one "
            "for all."
        )
    if not alike:
        raise SettingsError(
            f"The predictors of {', '.join(models)} judge no attribute alike. Give --predictor one for all."
        )
    return alike


def _every_combination(explorer: Explorer) -> NDArray[np.float32]:
    """Return the conditions of all combinations of classes; a continuous attribute is 0.

    How a cINN projects (the mode) is no class of the pictures, and stays at its default.
    """
    schema = explorer.spec.condition
    named = [one for one in schema.attributes if one.kind == "categorical"]
    choices: Iterator[tuple[str, ...]] = product(
        *((one.default or one.classes[0],) if one.name == MODE.name else one.classes for one in named)
    )
    return np.stack(
        [
            explorer.condition({a.name: label for a, label in zip(named, labels, strict=True)})
            for labels in choices
        ]
    )
