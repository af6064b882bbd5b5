"""Whole studies, from names to tables: what the command line, jobs and scripts call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from latentlab.audit.report import Audit
from latentlab.audit.report_files import write_reports
from latentlab.audit.run_conditioning import WORK as CONDITIONING
from latentlab.audit.run_conditioning import run_conditioning
from latentlab.audit.run_generation import WORK as GENERATION
from latentlab.audit.run_generation import run_generation
from latentlab.audit.run_projection import do_projection, run_projection
from latentlab.audit.run_reconstruction import WORK as RECONSTRUCTION
from latentlab.audit.run_reconstruction import run_reconstruction
from latentlab.audit.run_search import WORK as SEARCH
from latentlab.audit.run_search import run_search
from latentlab.audit.run_training_ratio import do_training_ratio, run_training_ratio
from latentlab.audit.run_truncation import WORK as TRUNCATION
from latentlab.audit.run_truncation import run_truncation
from latentlab.audit.search_study_plan import RESTARTS, STEPS
from latentlab.audit.study_plan import OUTSIDE, Study, StudyRequest, study_of
from latentlab.audit.training_ratio_plan import DATA, RatioSettings
from latentlab.checkpoints.companion import usual_predictor
from latentlab.errors import SettingsError
from latentlab.operations.projection_plan import AUTO
from latentlab.progress import Reporter

__all__ = [
    "run_conditioning",
    "run_generation",
    "run_projection",
    "run_reconstruction",
    "run_search",
    "run_study",
    "run_training_ratio",
    "run_truncation",
]


def run_study(
    request: StudyRequest,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    on_partial: Callable[[Audit], None] | None = None,
) -> Audit:
    """Do a study as it is asked for (`latentlab.audit.study_plan.STUDIES`).

    Parameters
    ----------
    out
        A folder for settings, tables, charts and reports (JSON, HTML, PDF); an interrupted study goes on
        there.
    on_partial
        Told now and then what is known so far.

    Raises
    ------
    LatentLabError
        If something that is asked for cannot be used, before any work starts; `Cancelled` on request.
    """
    study = study_of(request.study)
    if request.predictions and "predictions" not in _OWN[request.study]:
        raise SettingsError(
            f"The {study.title.lower()} study takes no predictions from elsewhere; generation and "
            "reconstruction do."
        )
    found = _DOERS[request.study](_complete(request, study), out, device, reporter, on_partial)
    if out is not None:
        write_reports(out, reporter, again=False)
    return found


def _complete(request: StudyRequest, study: Study) -> StudyRequest:
    """Return a request with what was left open filled in, and without what the study knows nothing of."""
    if not study.several_models and len(request.models) > 1:
        raise SettingsError(f"The {study.title.lower()} study takes one model, not {len(request.models)}.")
    if not study.several_models and not request.models and "models" in study.fields:
        raise SettingsError("The study needs a model.")
    of_others = {name: type(getattr(request, name))() for name in OUTSIDE if name not in _OWN[request.study]}
    request = replace(request, n=request.n or study.n, **of_others)
    if request.study in _ONE_SEED:
        request = replace(request, seeds=request.seeds[:1])
    if request.study == "projection" and request.source == AUTO:
        request = replace(request, source="")
    if request.study == "search":
        request = replace(request, steps=request.steps or STEPS, restarts=request.restarts or RESTARTS)
    if request.study == "training-ratio":
        data = request.data or DATA
        request = replace(
            request,
            data=data,
            predictor=request.predictor or usual_predictor(data),
            steps=request.steps or RatioSettings.steps,
            image_size=request.image_size or RatioSettings.image_size,
            latent=request.latent or RatioSettings.latent,
        )
    return request


_JUDGED_OUTSIDE = ("predictions", "predictions_confusion")
_OWN: Mapping[str, tuple[str, ...]] = {
    "generation": _JUDGED_OUTSIDE,
    "reconstruction": _JUDGED_OUTSIDE,
    "conditioning": (),
    "truncation": (),
    "projection": ("source",),
    "search": ("steps", "restarts", "eps"),
    "training-ratio": ("steps", "image_size", "latent"),
}
"""Which of `OUTSIDE` each study knows of."""
_ONE_SEED = ("reconstruction", "conditioning", "projection", "search")
_Doer = Callable[[StudyRequest, Path | None, str, Reporter | None, Callable[[Audit], None] | None], Audit]
_DOERS: Mapping[str, _Doer] = {
    "generation": GENERATION.do,
    "reconstruction": RECONSTRUCTION.do,
    "conditioning": CONDITIONING.do,
    "truncation": TRUNCATION.do,
    "projection": do_projection,
    "search": SEARCH.do,
    "training-ratio": do_training_ratio,
}
