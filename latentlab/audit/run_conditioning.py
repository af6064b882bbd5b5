"""The conditioning study as a whole, from the names of checkpoints and a set to tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from latentlab.audit import conditioning_statements, conditioning_table
from latentlab.audit.carry_out import Work
from latentlab.audit.conditioning import Conditioning, redraw_all
from latentlab.audit.conditioning_charts import conditioning_charts
from latentlab.audit.conditioning_count import Outcomes, count_outcomes
from latentlab.audit.conditioning_plan import SCALES, ConditioningSettings
from latentlab.audit.images_behind import Draw, Pictures, Row
from latentlab.audit.opened_models import common_set, expect_same, models_record, open_models
from latentlab.audit.report import Audit
from latentlab.audit.study_plan import StudyRequest
from latentlab.data.catalog import open_set
from latentlab.metrics.report import Report
from latentlab.progress import Reporter


def run_conditioning(
    models: Sequence[str],
    data: str,
    *,
    per_group: int = 200,
    groups: Sequence[str] | None = None,
    attributes: Sequence[str] = (),
    scales: Sequence[float] = SCALES,
    seed: int = 0,
    predictor: str | None = None,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    on_partial: Callable[[Audit], None] | None = None,
) -> Audit:
    """Do the conditioning study of models by name or path (`latentlab.audit.conditioning`).

    Parameters
    ----------
    models
        A VAE and a CVAE, or others that encode; one is enough, and the summary says what it cannot tell.
    out
        A folder for settings, tables and report; an interrupted study goes on there.
    on_partial
        Told now and then what is counted so far.

    Raises
    ------
    LatentLabError
        If a checkpoint, the set, a setting or the folder cannot be used, before anything is reconstructed;
        `Cancelled` on request.
    """
    request = StudyRequest(
        "conditioning",
        tuple(models),
        data=data,
        attributes=tuple(attributes),
        groups=tuple(groups or ()),
        n=per_group,
        scales=tuple(scales),
        seeds=(seed,),
        predictor=predictor or "",
    )
    return WORK.do(request, out, device, reporter, on_partial)


@dataclass(frozen=True)
class OpenedConditioning:
    """What the study is of: of a request, opened, chosen and checked.

    Parameters
    ----------
    data
        The set's name, of one style for models of one.
    study
        What can begin, or of which pictures can be drawn again (`latentlab.audit.conditioning.redraw`).
    """

    request: StudyRequest
    data: str
    study: Conditioning

    @classmethod
    def of(cls, request: StudyRequest, reporter: Reporter | None = None) -> OpenedConditioning:
        """Open the models and the set as the study needs them.

        Raises
        ------
        LatentLabError
            If one cannot be used.
        """
        settings = ConditioningSettings(
            request.n, request.groups or None, request.attributes, request.scales, request.seeds[0]
        )
        models = open_models(request.models, request.predictor or None)
        data = common_set(models, request.data)
        images = partial(open_set, data, reporter=reporter)
        return cls(request, data, Conditioning(models, images, settings))

    def record(self) -> dict[str, Any]:
        """Return all that the study rests on, as plain values."""
        study = self.study
        return {
            "study": "conditioning",
            "models": models_record(study.models),
            "predictor": study.first.predictor_sha256(),
            "data": self.data,
            "per_group": self.request.n,
            "groups": list(study.chosen.names),
            "attributes": [one.name for one in study.chosen.attributes],
            "scales": list(self.request.scales),
            "seed": self.request.seeds[0],
            "images_sha256": study.chosen.sha256(),
        }


def _audit(opened: OpenedConditioning, counted: Outcomes, device: str) -> Audit:
    """Return the results of what is counted, of all or of a part."""
    study, seed = opened.study, opened.request.seeds[0]
    found = conditioning_table.results_of(counted, study, seed)
    statements = conditioning_statements.statements_of(found, study)
    evaluation = conditioning_table.evaluation_of(found, study, opened.record())
    return Audit(
        Report.of(
            "audit conditioning", study.first.located, opened.data, counted.n, seed, device, evaluation
        ),
        [one.row() for one in found.rates],
        conditioning_statements.sentences(found, statements, study),
        {
            "gaps.csv": [one.row() for one in found.gaps],
            "gap_changes.csv": [one.row() for one in found.changes],
            "statements.csv": [one.row() for one in statements],
        },
        conditioning_charts(found, statements, study),
    )


def _count(
    opened: OpenedConditioning,
    out: Path | None,
    device: str,
    reporter: Reporter,
    on_part: Callable[[Outcomes], None],
) -> Outcomes:
    return count_outcomes(opened.study, opened.record(), out, device, reporter, on_part)


WORK = Work(lambda request, _out, reporter: OpenedConditioning.of(request, reporter), _count, _audit)
"""The study of any complete request."""


def pictures_of(folder: Path, request: StudyRequest) -> Draw:
    """Return what draws the pictures behind rows of a study's folder again (`latentlab.audit.images_behind`).

    Raises
    ------
    LatentLabError
        If a model or the set is not there any more, or is another.
    """
    study = OpenedConditioning.of(request).study
    expect_same(folder, study.models, study.chosen.sha256())

    def draw(row: Row) -> Pictures:
        return redraw_all(study, row.place)

    return draw
