"""The search study as a whole, from the names of checkpoints and a set to tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from latentlab.audit import search_study_statements
from latentlab.audit.carry_out import Work
from latentlab.audit.images_behind import Draw, Pictures, Row
from latentlab.audit.opened_models import common_set, expect_same, models_record, open_models
from latentlab.audit.report import Audit
from latentlab.audit.search_study import SearchStudy, redraw
from latentlab.audit.search_study_charts import search_study_charts
from latentlab.audit.search_study_count import Answers, count_answers
from latentlab.audit.search_study_eps import Bars, bars_of
from latentlab.audit.search_study_plan import INPUTS, PER_GROUP, RESTARTS, STEPS, SearchStudySettings
from latentlab.audit.search_study_table import results_of
from latentlab.audit.study_folder import expect_free
from latentlab.audit.study_plan import StudyRequest
from latentlab.data.catalog import open_set
from latentlab.device import resolve_device
from latentlab.metrics.report import Report
from latentlab.operations.search_precision import resolve_precision
from latentlab.progress import Reporter


def run_search(
    models: Sequence[str],
    data: str,
    *,
    per_group: int = PER_GROUP,
    groups: Sequence[str] | None = None,
    restarts: int = RESTARTS,
    steps: int = STEPS,
    eps: float | None = None,
    seed: int = 0,
    predictor: str | None = None,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    on_partial: Callable[[Audit], None] | None = None,
) -> Audit:
    """Do the search study of models by name or path (`latentlab.audit.search_study`).

    Parameters
    ----------
    models
        Such as one that was trained on a narrow set and one on a balanced one; differences are the first
        model minus each other.
    restarts, steps
        Of each search.
    eps
        As in `latentlab.audit.search_study_plan.SearchStudySettings`; None for 0.
    out
        A folder for settings, tables and report; an interrupted study goes on there.
    on_partial
        Told now and then what is counted so far.

    Raises
    ------
    LatentLabError
        If a checkpoint, the set, a setting or the folder cannot be used, before anything is searched for;
        `Cancelled` on request.
    """
    SearchStudySettings(per_group, None, seed, restarts, steps, 0.0 if eps is None else eps or -1.0)
    request = StudyRequest(
        "search",
        tuple(models),
        data=data,
        groups=tuple(groups or ()),
        n=per_group,
        seeds=(seed,),
        steps=steps,
        restarts=restarts,
        eps=eps or 0.0,
        predictor=predictor or "",
    )
    return WORK.do(request, out, device, reporter, on_partial)


@dataclass(frozen=True)
class OpenedSearch:
    """What the study is of: of a request, opened, chosen and checked.

    Parameters
    ----------
    data
        The set's name, of one style for models of one.
    """

    request: StudyRequest
    data: str
    study: SearchStudy

    @classmethod
    def of(cls, request: StudyRequest, reporter: Reporter | None = None) -> OpenedSearch:
        """Open the models and the set as the study needs them.

        Raises
        ------
        LatentLabError
            If one cannot be used.
        """
        settings = SearchStudySettings(
            request.n,
            request.groups or None,
            request.seeds[0],
            request.restarts or RESTARTS,
            request.steps or STEPS,
            request.eps,
        )
        models = open_models(request.models, request.predictor or None)
        data = common_set(models, request.data)
        images = partial(open_set, data, reporter=reporter)
        return cls(request, data, SearchStudy(models, images, settings))

    def record(self, bars: Bars, device: str) -> dict[str, Any]:
        """Return all that the study rests on, as plain values."""
        study, asked = self.study, self.study.asked
        sampling = asked.sampling()
        return {
            "study": "search",
            "models": models_record(study.models),
            "predictor": study.first.predictor_sha256(),
            "data": self.data,
            "per_group": self.request.n,
            "groups": list(study.chosen.names),
            "inputs": [
                f"{one.name}, exposure spread {one.exposure_spread:g}" if one.exposure_spread else one.name
                for one in INPUTS
            ],
            "restarts": asked.restarts,
            "steps": asked.steps,
            "sampling": [sampling.approach, sampling.warm_up, sampling.draws, sampling.leaps],
            "precision": resolve_precision("auto", resolve_device(device)),
            "seed": self.request.seeds[0],
            "images_sha256": study.chosen.sha256(),
            **bars.record(),
        }


@dataclass(frozen=True)
class _Begun:
    """An opened study with what its distances are compared with."""

    opened: OpenedSearch
    bars: Bars


def _opened(request: StudyRequest, out: Path | None, reporter: Reporter) -> _Begun:
    opened = OpenedSearch.of(request, reporter)
    if out is not None:
        expect_free(out)  # before an eps is measured, which takes a while
    return _Begun(opened, bars_of(opened.study.models, opened.data, request.eps, out, reporter))


def _audit(begun: _Begun, counted: Answers, device: str) -> Audit:
    """Return the results of what is counted, of all or of a part."""
    opened, bars, seed = begun.opened, begun.bars, begun.opened.request.seeds[0]
    study = opened.study
    found = results_of(counted, study, bars, seed)
    record = opened.record(bars, device)
    evaluation = search_study_statements.evaluation_of(found, study, bars, record)
    return Audit(
        Report.of("audit search", study.first.located, opened.data, counted.n, seed, device, evaluation),
        [one.row() for one in found.rates],
        search_study_statements.sentences(found, study, bars),
        {
            "differences.csv": [one.row() for one in found.differences],
            "shares.csv": [one.row() for one in found.shares],
            "parities.csv": [one.row() for one in found.parities],
        },
        search_study_charts(found, study),
    )


def _count(
    begun: _Begun,
    out: Path | None,
    device: str,
    reporter: Reporter,
    on_part: Callable[[Answers], None],
) -> Answers:
    opened, bars = begun.opened, begun.bars
    record = opened.record(bars, device)
    return count_answers(opened.study, bars, record, out, device, reporter, on_part)


WORK = Work(_opened, _count, _audit)
"""The study of any complete request."""


def pictures_of(folder: Path, request: StudyRequest) -> Draw:
    """Return what draws the pictures behind rows of a study's folder again (`latentlab.audit.images_behind`).

    Raises
    ------
    LatentLabError
        If a model or the set is not there any more, or is another.
    """
    study = OpenedSearch.of(request).study
    expect_same(folder, study.models, study.chosen.sha256())

    def draw(row: Row) -> Pictures:
        return redraw(study, row.place, row.values)

    return draw
