"""Whole studies, from names to tables: what the command line, jobs and scripts call."""

from __future__ import annotations

from pathlib import Path

from latentlab.audit.report import Audit
from latentlab.audit.run_generation import run_generation
from latentlab.audit.run_reconstruction import run_reconstruction
from latentlab.audit.study_plan import StudyRequest, study_of
from latentlab.errors import SettingsError
from latentlab.progress import Reporter

__all__ = ["run_generation", "run_reconstruction", "run_study"]


def run_study(
    request: StudyRequest,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
) -> Audit:
    """Do a study as it is asked for (`latentlab.audit.study_plan.STUDIES`).

    Parameters
    ----------
    out
        A folder for settings, tables, charts and report; an interrupted study goes on there.

    Raises
    ------
    LatentLabError
        If something that is asked for cannot be used, before any work starts; `Cancelled` on request.
    """
    study = study_of(request.study)
    n = request.n or study.n
    if not study.several_models and len(request.models) > 1:
        raise SettingsError(f"The {study.title.lower()} study takes one model, not {len(request.models)}.")
    match request.study:
        case "generation":
            return run_generation(
                request.models,
                n=n,
                seeds=request.seeds,
                attributes=request.attributes,
                reference=request.reference,
                truncation=request.truncation,
                condition=request.condition,
                predictor=request.predictor or None,
                out=out,
                device=device,
                reporter=reporter,
            )
        case "reconstruction":
            return run_reconstruction(
                _only(request),
                request.data,
                per_group=n,
                groups=request.groups or None,
                attributes=request.attributes,
                seed=request.seeds[0],
                predictor=request.predictor or None,
                out=out,
                device=device,
                reporter=reporter,
            )
    raise SettingsError(f"The {study.title.lower()} study cannot be done yet.")


def _only(request: StudyRequest) -> str:
    if not request.models:
        raise SettingsError("The study needs a model.")
    return request.models[0]
