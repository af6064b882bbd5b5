"""Whole studies, from names to tables: what the command line, jobs and scripts call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from latentlab.audit.report import Audit
from latentlab.audit.report_files import write_reports
from latentlab.audit.run_conditioning import run_conditioning
from latentlab.audit.run_generation import run_generation
from latentlab.audit.run_projection import run_projection
from latentlab.audit.run_reconstruction import run_reconstruction
from latentlab.audit.run_training_ratio import run_training_ratio
from latentlab.audit.run_truncation import run_truncation
from latentlab.audit.study_plan import Study, StudyRequest, study_of
from latentlab.audit.training_ratio_plan import DATA, RatioSettings
from latentlab.errors import SettingsError
from latentlab.operations.projection_plan import AUTO
from latentlab.progress import Reporter

__all__ = [
    "run_conditioning",
    "run_generation",
    "run_projection",
    "run_reconstruction",
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
    if request.predictions and request.study not in ("generation", "reconstruction"):
        raise SettingsError(
            f"The {study.title.lower()} study takes no predictions from elsewhere; generation and "
            "reconstruction do."
        )
    found = _done(request, study, out, device, reporter, on_partial)
    if out is not None:
        write_reports(out, reporter, again=False)
    return found


def _done(
    request: StudyRequest,
    study: Study,
    out: Path | None,
    device: str,
    reporter: Reporter | None,
    on_partial: Callable[[Audit], None] | None,
) -> Audit:
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
                predictions=request.predictions or None,
                predictions_confusion=request.predictions_confusion or None,
                out=out,
                device=device,
                reporter=reporter,
                on_partial=on_partial,
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
                predictions=request.predictions or None,
                predictions_confusion=request.predictions_confusion or None,
                out=out,
                device=device,
                reporter=reporter,
                on_partial=on_partial,
            )
        case "conditioning":
            return run_conditioning(
                request.models,
                request.data,
                per_group=n,
                groups=request.groups or None,
                attributes=request.attributes,
                scales=request.scales,
                seed=request.seeds[0],
                predictor=request.predictor or None,
                out=out,
                device=device,
                reporter=reporter,
                on_partial=on_partial,
            )
        case "truncation":
            return run_truncation(
                _only(request),
                truncations=request.truncations,
                n=n,
                seeds=request.seeds,
                attributes=request.attributes,
                reference=request.reference,
                condition=request.condition,
                predictor=request.predictor or None,
                out=out,
                device=device,
                reporter=reporter,
                on_partial=on_partial,
            )
        case "projection":
            return run_projection(
                _only(request),
                request.data,
                onto=request.onto,
                source=request.source or AUTO,
                n=n,
                groups=request.groups or None,
                attributes=request.attributes,
                seed=request.seeds[0],
                predictor=request.predictor or None,
                out=out,
                reporter=reporter,
                on_partial=on_partial,
            )
        case "training-ratio":
            return run_training_ratio(
                request.data or DATA,
                attribute=request.ratio_attribute,
                ratios=request.ratios,
                seeds=request.seeds,
                n=n,
                attributes=request.attributes,
                steps=request.steps or RatioSettings.steps,
                image_size=request.image_size or RatioSettings.image_size,
                latent=request.latent or RatioSettings.latent,
                predictor=request.predictor or None,
                out=out,
                device=device,
                reporter=reporter,
                on_partial=on_partial,
            )
    raise SettingsError(f"The {study.title.lower()} study cannot be done yet.")


def _only(request: StudyRequest) -> str:
    if not request.models:
        raise SettingsError("The study needs a model.")
    return request.models[0]
