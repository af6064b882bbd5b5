"""The training-ratio study as a whole, from the name of a set to trained models and tables."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from latentlab.audit import training_ratio_table as table
from latentlab.audit.generation import (
    PART,
    Counted,
    GenerationSettings,
    columns_of,
    count_generation,
    judged_attributes,
)
from latentlab.audit.images_behind import Draw, Pictures, Row
from latentlab.audit.partial import Partial
from latentlab.audit.readable import Confidence
from latentlab.audit.real_images import RealImages, look_at_real
from latentlab.audit.reference import UNIFORM, Reference
from latentlab.audit.report import Audit
from latentlab.audit.request_file import kept
from latentlab.audit.stage_part import StagePart
from latentlab.audit.study_folder import Parts, StudyFolder
from latentlab.audit.study_plan import StudyRequest
from latentlab.audit.training_ratio import SAMPLES, opened_model, redraw_sample, sample_rows, train_at
from latentlab.audit.training_ratio_charts import charts_of
from latentlab.audit.training_ratio_plan import (
    DATA,
    RatioPlan,
    RatioSettings,
    as_record,
    name_of,
    plan_of,
)
from latentlab.checkpoints import Checkpoint
from latentlab.checkpoints.companion import load_predictor, usual_predictor
from latentlab.data.catalog import open_set
from latentlab.device import resolve_device
from latentlab.errors import SettingsError
from latentlab.metrics.report import Report
from latentlab.model import AttributePredictor
from latentlab.operations.explore import Explorer
from latentlab.progress import Reporter
from latentlab.spec import Attribute, PredictorSpec

_TRAINING = 0.9
"""The share of the time of a training and its samples that the training takes, about."""


def run_training_ratio(
    data: str = DATA,
    *,
    attribute: str = "gender",
    ratios: Sequence[float] = (0.52, 0.5, 0.4),
    seeds: Sequence[int] = (0, 1, 2),
    n: int = 2000,
    attributes: Sequence[str] = (),
    steps: int = 1500,
    image_size: int = 32,
    latent: int = 16,
    predictor: str | None = None,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    on_partial: Callable[[Audit], None] | None = None,
) -> Audit:
    """Do the training-ratio study on a labelled set (`latentlab.audit.training_ratio`).

    Parameters
    ----------
    attribute, ratios, seeds, n, attributes, steps, image_size, latent
        As in `RatioSettings`.
    predictor
        The judging predictor; the usual one of the set by default.
    out
        A folder for settings, checkpoints, tables and report, where an interrupted study goes on, also in the
        middle of a training; without it the models are thrown away.
    on_partial
        Is told now and then what is known so far.

    Raises
    ------
    LatentLabError
        If the set, a setting, the predictor or the folder cannot be used, before anything is trained;
        `Cancelled` on request.
    """
    request = StudyRequest(
        "training-ratio",
        data=data,
        attributes=tuple(attributes),
        n=n,
        seeds=tuple(seeds),
        ratio_attribute=attribute,
        ratios=tuple(ratios),
        predictor=predictor or usual_predictor(data),
        steps=steps,
        image_size=image_size,
        latent=latent,
    )
    return do_training_ratio(request, out, device, reporter, on_partial)


def do_training_ratio(
    request: StudyRequest,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    on_partial: Callable[[Audit], None] | None = None,
) -> Audit:
    """Do the training-ratio study of a complete request; otherwise as `run_training_ratio`."""
    with kept(out, request):
        reporter, where = reporter or Reporter(), resolve_device(device)
        settings = RatioSettings(
            request.ratio_attribute,
            request.ratios,
            request.seeds,
            request.n,
            request.attributes,
            request.steps,
            request.image_size,
            request.latent,
        )
        judge = _opened(request.predictor, request.data)
        counted = _counted(judge.spec, settings)
        plan = plan_of(open_set(request.data, request.image_size, reporter), request.data, settings)
        _check_classes(plan, counted)
        record = {
            "study": "training-ratio",
            "predictor": judge.sha256,
            "attributes": [one.name for one in counted],
            **as_record(plan),
        }
        with _folder(out) as folder:
            study = StudyFolder(folder, record, ["ratio", *columns_of(counted)[1:]], request.n, PART)
            real = look_at_real(judge.network, plan.images, request.data, counted, where, reporter)
            work = _Work(plan, judge, counted, folder, where, reporter)
            so_far, parts = Partial(on_partial), Parts(study)
            for place, (ratio, seed) in enumerate(settings.runs()):
                work.do(place, ratio, seed, parts)
                if place + 1 < len(settings.runs()):
                    so_far.tell(lambda: _audit(work, real, record, str(where)))
            audit = _audit(work, real, record, str(where))
            if out is not None:
                audit.save(out)
    return audit


def pictures_of(folder: Path, request: StudyRequest) -> Draw:
    """Return what draws the pictures behind rows of a study's folder again (`latentlab.audit.images_behind`).

    A model is opened when a picture of it is asked for first.
    """
    opened = cache(partial(opened_model, folder))

    def draw(row: Row) -> Pictures:
        ratio, seed = float(row.values["ratio"]), int(row.values["seed"])
        explorer = opened(ratio, seed)
        return {"sample": redraw_sample(explorer, request.n, seed, int(row.values["image"]))}

    return draw


@dataclass(frozen=True)
class _Judge:
    """The predictor, under the name that it was asked for by."""

    name: str
    opened: Checkpoint

    @property
    def network(self) -> AttributePredictor:
        return cast(AttributePredictor, self.opened.network)

    @property
    def spec(self) -> PredictorSpec:
        return self.network.spec

    @property
    def sha256(self) -> str:
        return self.opened.located.sha256()


class _Work:
    """Trains, draws and counts one training after another."""

    def __init__(
        self,
        plan: RatioPlan,
        judge: _Judge,
        attributes: tuple[Attribute, ...],
        folder: Path,
        device: torch.device,
        reporter: Reporter,
    ) -> None:
        self.plan, self.judge, self.attributes = plan, judge, attributes
        self.counted: dict[tuple[float, int], Counted] = {}
        self.confidence = Confidence(attributes)
        self.references: dict[float, Reference] = {}
        self.models: list[list[str]] = []
        self._folder, self._device, self._reporter = folder, device, reporter

    def do(self, place: int, ratio: float, seed: int, parts: Parts) -> None:
        """Train and count what comes in that place."""
        plan, n = self.plan, self.plan.settings.n
        self._reporter.raise_if_cancelled()
        words = f"{plan.varied.name}={plan.varied.classes[0]} {100.0 * ratio:g}%, seed {seed}"
        total = len(plan.settings.runs())
        training = StagePart(self._reporter, f"Training, {words}", place, place + _TRAINING, total)
        sampling = StagePart(self._reporter, f"Samples, {words}", place + _TRAINING, place + 1, total)
        at = train_at(plan, ratio, seed, self._folder, self._device, self.judge.name, training)
        explorer = Explorer.open(at, self.judge.opened.located.path)
        found = count_generation(
            {repr(ratio): explorer},
            GenerationSettings(n, (seed,), tuple(one.name for one in self.attributes)),
            Reference(UNIFORM),
            self._folder / SAMPLES / name_of(ratio, seed),
            str(self._device),
            sampling,
        )
        self.counted[ratio, seed] = found[repr(ratio), seed]
        self.models.append([name_of(ratio, seed), explorer.located.sha256()])
        if ratio not in self.references:
            self.references[ratio] = plan.reference(ratio, self.attributes)
        rows = sample_rows(self._folder, ratio, seed)
        for start in range(0, n, PART):
            size = min(PART, n - start)
            names = [(repr(ratio), str(seed), str(start + k)) for k in range(size)]
            made = list(islice(rows, size))
            parts.next(names, partial(list, made))
            self._read(made)

    def _read(self, rows: Sequence[Sequence[str]]) -> None:
        columns = columns_of(self.attributes)
        said = {}
        for one in self.attributes:
            places = [columns.index(f"{one.name}={label}") for label in one.classes]
            said[one.name] = np.array([[float(row[k] or 0.0) for k in places] for row in rows])
        self.confidence.add(said)


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    if out is not None:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="latentlab-ratios-") as place:
        yield Path(place) / "study"


def _opened(name: str, data: str) -> _Judge:
    if not name:
        raise SettingsError(f"Nobody judges models of {data}. Give --predictor an attribute predictor.")
    return _Judge(name, load_predictor(name))


def _counted(judge: PredictorSpec, settings: RatioSettings) -> tuple[Attribute, ...]:
    """Return what is counted: the varied attribute always, and first."""
    wish = (settings.attribute, *settings.attributes) if settings.attributes else ()
    varied = judge.attribute(settings.attribute)
    others = tuple(one for one in judged_attributes(judge, wish) if one.name != varied.name)
    return (varied, *others)


def _check_classes(plan: RatioPlan, counted: Sequence[Attribute]) -> None:
    """Make sure that the predictor tells the varied attribute's two classes apart."""
    judged = counted[0]
    places = {judged.place_of(label) for label in plan.varied.classes}
    if len(judged.classes) != 2 or places != {0, 1}:
        raise SettingsError(
            f"The predictor judges {judged.name} as {', '.join(judged.classes)}; the set {plan.name} has "
            f"{', '.join(plan.varied.classes)}. Give --predictor one that knows these two."
        )


def _audit(work: _Work, real: RealImages, record: Mapping[str, Any], device: str) -> Audit:
    plan, judge = work.plan, work.judge
    varied = work.attributes[0]
    place = varied.place_of(plan.varied.classes[0])
    assert place is not None
    found = table.results_of(
        work.counted,
        work.attributes,
        judge.spec.model_copy(update={"confusion": dict(real.confusion)}),
        work.references,
        varied.name,
        varied.classes[place],
        work.confidence.beside(real.confidence),
    )
    told = dict(record) | {
        "models": work.models,
        "confusion_source": real.source,
        "confusion": {name: one.array().tolist() for name, one in real.confusion.items()},
    }
    notes = (
        real.note,
        f"Each model has {record['parameters']:,} parameters. The checkpoint that is named is the predictor "
        "that judges; the models were trained by this study.",
    )
    total = sum(one.n for one in work.counted.values())
    seed = plan.settings.seeds[0]
    evaluation = table.evaluation_of(found, told, notes)
    return Audit(
        Report.of("audit training-ratio", judge.opened.located, plan.name, total, seed, device, evaluation),
        table.group_rows(found),
        table.sentences(found),
        {
            "statements.csv": [one.row() for one in found.statements],
            "readable.csv": [one.row() for one in found.readable],
        },
        charts_of(found),
    )
