"""The projection study as a whole, from the names of a checkpoint and a set to tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentlab.audit import projection_study_report as told
from latentlab.audit.carry_out import Work
from latentlab.audit.images_behind import Draw, Pictures, Row
from latentlab.audit.projection_choice import ChosenPictures, ProjectionSettings, choose_pictures
from latentlab.audit.projection_study import BothWays, pictures_behind, project_both_ways
from latentlab.audit.projection_study_charts import charts_of
from latentlab.audit.projection_study_table import results_of
from latentlab.audit.report import Audit
from latentlab.audit.request_file import read_settings
from latentlab.audit.study_plan import StudyRequest
from latentlab.errors import SettingsError
from latentlab.metrics.report import Report
from latentlab.operations.explore import Explorer
from latentlab.operations.projection_plan import AUTO
from latentlab.progress import Reporter


def run_projection(
    checkpoint: str,
    data: str,
    *,
    onto: Sequence[str] = (),
    source: str = AUTO,
    n: int = 512,
    groups: Sequence[str] | None = None,
    attributes: Sequence[str] = (),
    seed: int = 0,
    predictor: str | None = None,
    out: Path | None = None,
    reporter: Reporter | None = None,
    on_partial: Callable[[Audit], None] | None = None,
) -> Audit:
    """Do the projection study of a cINN by name or path (`latentlab.audit.projection_study`).

    It is computed on the CPU, one picture at a time, as `latentlab.operations.project.project` does.

    Parameters
    ----------
    data
        A labelled set, or a folder of pictures, which have no groups then.
    onto, source, n, groups, attributes, seed
        As in `ProjectionSettings`.
    out
        A folder for settings, tables and report; an interrupted study goes on there.
    on_partial
        Is told now and then what is known so far.

    Raises
    ------
    LatentLabError
        If the checkpoint, the set, a setting or the folder cannot be used, before anything is projected;
        `Cancelled` on request.
    """
    request = StudyRequest(
        "projection",
        (checkpoint,),
        data,
        attributes=tuple(attributes),
        groups=tuple(groups or ()),
        n=n,
        seeds=(seed,),
        onto=tuple(onto),
        source="" if source == AUTO else source,
        predictor=predictor or "",
    )
    return do_projection(request, out, "cpu", reporter, on_partial)


@dataclass(frozen=True)
class OpenedProjection:
    """What the study projects: of a request, opened, chosen and checked."""

    request: StudyRequest
    explorer: Explorer
    chosen: ChosenPictures

    @classmethod
    def of(
        cls, request: StudyRequest, out: Path | None, reporter: Reporter | None = None
    ) -> OpenedProjection:
        """Open the model and the images; what lies in the study's own folder is no image of it.

        Raises
        ------
        LatentLabError
            If one cannot be used.
        """
        if not request.data:
            raise SettingsError("The study needs images: a set's name, or a folder.")
        explorer = Explorer.open(request.models[0], request.predictor or None)
        settings = ProjectionSettings(
            request.n,
            request.onto,
            request.source or AUTO,
            request.groups or None,
            request.attributes,
            request.seeds[0],
        )
        chosen = choose_pictures(explorer, request.data, settings, () if out is None else (out,), reporter)
        return cls(request, explorer, chosen)

    def record(self) -> dict[str, Any]:
        """Return all that the study rests on, as plain values."""
        request, chosen = self.request, self.chosen
        return {
            "study": "projection",
            "model": self.explorer.located.sha256(),
            "predictor": self.explorer.predictor_sha256(),
            "data": request.data,
            "n": request.n,
            "onto": list(chosen.onto),
            "source": request.source or AUTO,
            "groups": list(chosen.groups),
            "attributes": [one.name for one in chosen.attributes],
            "seed": request.seeds[0],
            "images_sha256": chosen.sha256,
        }


def _audit(opened: OpenedProjection, found: BothWays, _device: str) -> Audit:
    """Return the results of what is projected, of all or of a part."""
    explorer, chosen, request = opened.explorer, opened.chosen, opened.request
    domain, seed = explorer.spec.condition.attributes[0].name, request.seeds[0]
    results = results_of(found, chosen, domain, seed)
    evaluation = told.evaluation_of(results, chosen.notes, opened.record())
    return Audit(
        Report.of("audit projection", explorer.located, request.data, results.n, seed, "cpu", evaluation),
        told.group_rows(results),
        (*chosen.notes, *told.sentences(results)),
        {"gaps.csv": told.gap_rows(results), "datasets.csv": told.reached_rows(results)},
        charts_of(results),
    )


def _count(
    opened: OpenedProjection,
    out: Path | None,
    _device: str,
    reporter: Reporter,
    on_part: Callable[[BothWays], None],
) -> BothWays:
    return project_both_ways(opened.explorer, opened.chosen, opened.record(), out, reporter, on_part)


WORK = Work(OpenedProjection.of, _count, _audit)
"""The study of any complete request."""


def do_projection(
    request: StudyRequest,
    out: Path | None,
    _device: str,
    reporter: Reporter | None,
    on_partial: Callable[[Audit], None] | None,
) -> Audit:
    """Do the study of a complete request; always on the CPU, whatever device others would take."""
    return WORK.do(request, out, "cpu", reporter, on_partial)


def pictures_of(folder: Path, request: StudyRequest) -> Draw:
    """Return what draws the pictures behind rows of a study's folder again (`latentlab.audit.images_behind`).

    Raises
    ------
    LatentLabError
        If the model or the images are not there any more, or are others.
    """
    opened, settings = OpenedProjection.of(request, folder), read_settings(folder)
    explorer, chosen = opened.explorer, opened.chosen
    explorer.located.expect(str(settings["model"]))
    if settings["images_sha256"] != chosen.sha256:
        raise SettingsError(f"The images of {request.data} are not those that {folder} was made of.")

    def draw(row: Row) -> Pictures:
        found = row.values
        return pictures_behind(explorer, chosen, found["image"], found["dataset"], found["mode"])

    return draw
