"""The generation study as a whole, from the names of checkpoints and sets to tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from latentlab.audit import generation_table
from latentlab.audit.carry_out import Work
from latentlab.audit.generation import (
    GenerationSettings,
    Runs,
    common_attributes,
    count_generation,
    redraw,
    sample_ids,
    settings_record,
)
from latentlab.audit.generation_charts import generation_charts
from latentlab.audit.images_behind import Draw, Pictures, Row
from latentlab.audit.opened_models import open_models
from latentlab.audit.own_predictions import Predictions, asked_predictions, check_judge, known_attributes
from latentlab.audit.reference import TRAINING, UNIFORM, Reference, bare_reference, reference_of
from latentlab.audit.report import Audit
from latentlab.audit.request_file import audited_models
from latentlab.audit.study_plan import StudyRequest
from latentlab.errors import SettingsError
from latentlab.metrics.report import Report
from latentlab.operations.explore import Explorer
from latentlab.progress import Reporter
from latentlab.spec import Attribute


def run_generation(
    models: Sequence[str],
    *,
    n: int = 2000,
    seeds: Sequence[int] = (0,),
    attributes: Sequence[str] = (),
    reference: str = UNIFORM,
    truncation: float = 1.0,
    condition: str = "",
    predictor: str | None = None,
    predictions: str | Path | None = None,
    predictions_confusion: str | Path | None = None,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    on_partial: Callable[[Audit], None] | None = None,
) -> Audit:
    """Do the generation study of models by name or path (`latentlab.audit.generation`).

    Parameters
    ----------
    models
        One or more; each is judged by its own predictor unless one is given for all.
    reference
        ``uniform``, ``training`` or a set's name (`latentlab.audit.reference.reference_of`).
    predictions, predictions_confusion
        Tables of what somebody else says of the images (`latentlab.audit.export_images`), in the place of a
        predictor, and of how often they err; without the second nothing is corrected.
    out
        A folder for settings, tables and report; an interrupted study goes on there.
    on_partial
        Told now and then what is counted so far.

    Raises
    ------
    LatentLabError
        If a checkpoint, a setting, the reference, a table or the folder cannot be used, before anything is
        drawn; `Cancelled` on request.
    """
    request = StudyRequest(
        "generation",
        tuple(models),
        reference=reference,
        attributes=tuple(attributes),
        n=n,
        seeds=tuple(seeds),
        condition=condition,
        truncation=truncation,
        predictor=predictor or "",
        predictions=str(predictions or ""),
        predictions_confusion=str(predictions_confusion or ""),
    )
    return WORK.do(request, out, device, reporter, on_partial)


@dataclass(frozen=True)
class Samples:
    """What the study draws and compares with: of a request, opened and checked.

    Parameters
    ----------
    attributes
        What is counted; of an export, what may be told of its images.
    reference
        Of an export without shares: the images alone say what a conditional model is told.
    told
        What somebody else says of the samples; None where the models' predictors judge.
    """

    request: StudyRequest
    opened: Mapping[str, Explorer]
    settings: GenerationSettings
    attributes: tuple[Attribute, ...]
    reference: Reference
    told: Predictions | None = None

    @classmethod
    def of(cls, request: StudyRequest, reporter: Reporter | None = None) -> Samples:
        """Open the models, the reference and what somebody else says, as the study needs them.

        Raises
        ------
        LatentLabError
            If one cannot be used.
        """
        if request.predictions:
            bare = cls.to_judge(request, reporter)
            told = asked_predictions(request, bare.ids(), bare.attributes)
            reference = _reference(request, bare.opened, told.attributes, reporter)
            return replace(bare, attributes=told.attributes, reference=reference, told=told)
        check_judge(request, outside=False)
        settings, opened = _opened(request, request.predictor or None)
        attributes = common_attributes(opened, settings.attributes)
        return cls(request, opened, settings, attributes, _reference(request, opened, attributes, reporter))

    @classmethod
    def to_judge(cls, request: StudyRequest, reporter: Reporter | None = None) -> Samples:
        """Open what somebody else is to judge: the models without their predictors.

        Raises
        ------
        LatentLabError
            If one cannot be used.
        """
        check_judge(request, outside=True)
        settings, opened = _opened(request, "")
        _check_reference(request, opened)
        first = next(iter(opened.values()))
        reference = bare_reference(request.reference, first.located.config, first.spec.image_size, reporter)
        configs = [one.located.config for one in opened.values()]
        return cls(request, opened, settings, known_attributes(configs, reference.images), reference)

    def ids(self) -> list[str]:
        """Return the ids of all images, in order."""
        return sample_ids(self.opened, self.settings, self.reference)


def _opened(request: StudyRequest, predictor: str | None) -> tuple[GenerationSettings, dict[str, Explorer]]:
    opened = open_models(request.models, predictor)
    if not opened:
        raise SettingsError("A study needs at least one model.")
    settings = GenerationSettings(
        request.n, request.seeds, request.attributes, request.truncation, request.condition
    )
    return settings, opened


def _reference(
    request: StudyRequest,
    opened: Mapping[str, Explorer],
    attributes: Sequence[Attribute],
    reporter: Reporter | None,
) -> Reference:
    _check_reference(request, opened)
    first = next(iter(opened.values()))
    return reference_of(request.reference, attributes, first.located.config, first.spec.image_size, reporter)


def _check_reference(request: StudyRequest, opened: Mapping[str, Explorer]) -> None:
    trained_on = {str(one.located.config.training.get("data")) for one in opened.values()}
    if request.reference == TRAINING and len(trained_on) > 1:
        raise SettingsError(
            f"The models were trained on different sets ({', '.join(sorted(trained_on))}). Give --reference "
            "one of them."
        )


def _audit(study: Samples, counted: Runs, device: str) -> Audit:
    """Return the results of what is counted, of all or of a part."""
    attributes, reference, told = study.attributes, study.reference, study.told
    judges: dict[str, generation_table.Judge] = {}
    for name, one in study.opened.items():
        judge = told or one.predictor_spec
        if judge is not None:
            judges[name] = judge
    shares, apart = generation_table.class_shares(counted, attributes, judges, reference)
    record = settings_record(study.opened, study.settings, reference, told)
    found = generation_table.evaluation_of(
        shares, apart, record, () if told is None else (told.note(),), told is not None
    )
    runs: dict[str, int] = {}
    for (name, _), run in counted.items():
        runs[name] = runs.get(name, 0) + run.n
    first = next(iter(study.opened.values())).located
    cells = generation_table.cell_rows(counted, attributes)
    return Audit(
        Report.of(
            "audit generation", first, "samples", max(runs.values()), study.settings.seeds[0], device, found
        ),
        [one.row() for one in shares],
        generation_table.sentences(shares, reference, told is not None),
        {
            "cells.csv": cells,
            "measures.csv": [one.row() for one in apart],
            "comparisons.csv": generation_table.comparison_rows(shares),
        },
        generation_charts(shares, cells, attributes, reference),
    )


def _count(
    study: Samples,
    out: Path | None,
    device: str,
    reporter: Reporter,
    on_part: Callable[[Runs], None],
) -> Runs:
    return count_generation(
        study.opened, study.settings, study.reference, out, device, reporter, study.told, on_part
    )


WORK = Work(lambda request, _out, reporter: Samples.of(request, reporter), _count, _audit)
"""The study of any complete request."""


def pictures_of(folder: Path, request: StudyRequest) -> Draw:
    """Return what draws the pictures behind rows of a study's folder again (`latentlab.audit.images_behind`).

    Raises
    ------
    LatentLabError
        If a model or the reference is not there any more, or is another.
    """
    study = Samples.to_judge(replace(request, predictor="", predictions="", predictions_confusion=""))
    before, opened = audited_models(folder), {}
    if len(before) != len(study.opened):
        raise SettingsError(f"{folder} is of other models than {', '.join(study.opened)}.")
    for explorer, (name, sha256) in zip(study.opened.values(), before, strict=True):
        explorer.located.expect(sha256)
        opened[name] = explorer

    def draw(row: Row) -> Pictures:
        found = row.values
        picture = redraw(
            opened[found["model"]], study.settings, study.reference, int(found["seed"]), int(found["image"])
        )
        return {"sample": picture}

    return draw
