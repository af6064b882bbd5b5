"""The projection study as a whole, from the names of a checkpoint and a set to tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from latentlab.audit import projection_study_report as told
from latentlab.audit.images_behind import Draw, Pictures, Row
from latentlab.audit.partial import Partial
from latentlab.audit.projection_choice import ChosenPictures, ProjectionSettings, choose_pictures
from latentlab.audit.projection_study import BothWays, pictures_behind, project_both_ways
from latentlab.audit.projection_study_charts import charts_of
from latentlab.audit.projection_study_table import results_of
from latentlab.audit.report import Audit
from latentlab.audit.request_file import kept, read_settings
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
    with kept(out, request):
        explorer, chosen = _opened(request, out, reporter)
        record: dict[str, Any] = {
            "study": "projection",
            "model": explorer.located.sha256(),
            "predictor": explorer.predictor_sha256(),
            "data": data,
            "n": n,
            "onto": list(chosen.onto),
            "source": source,
            "groups": list(chosen.groups),
            "attributes": [one.name for one in chosen.attributes],
            "seed": seed,
            "images_sha256": chosen.sha256,
        }
        partial = Partial(on_partial)
        found = project_both_ways(
            explorer,
            chosen,
            record,
            out,
            reporter,
            lambda so_far: partial.tell(lambda: _audit(explorer, chosen, so_far, data, record)),
        )
        audit = _audit(explorer, chosen, found, data, record)
        if out is not None:
            audit.save(out)
    return audit


def pictures_of(folder: Path, request: StudyRequest) -> Draw:
    """Return what draws the pictures behind rows of a study's folder again (`latentlab.audit.images_behind`).

    Raises
    ------
    LatentLabError
        If the model or the images are not there any more, or are others.
    """
    explorer, chosen = _opened(request, folder, None)
    settings = read_settings(folder)
    explorer.located.expect(str(settings["model"]))
    if settings["images_sha256"] != chosen.sha256:
        raise SettingsError(f"The images of {request.data} are not those that {folder} was made of.")

    def draw(row: Row) -> Pictures:
        found = row.values
        return pictures_behind(explorer, chosen, found["image"], found["dataset"], found["mode"])

    return draw


def _opened(
    request: StudyRequest, out: Path | None, reporter: Reporter | None
) -> tuple[Explorer, ChosenPictures]:
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
    return explorer, choose_pictures(
        explorer, request.data, settings, () if out is None else (out,), reporter
    )


def _audit(
    explorer: Explorer, chosen: ChosenPictures, found: BothWays, data: str, record: dict[str, Any]
) -> Audit:
    domain, seed = explorer.spec.condition.attributes[0].name, int(record["seed"])
    results = results_of(found, chosen, domain, seed)
    evaluation = told.evaluation_of(results, chosen.notes, record)
    return Audit(
        Report.of("audit projection", explorer.located, data, results.n, seed, "cpu", evaluation),
        told.group_rows(results),
        (*chosen.notes, *told.sentences(results)),
        {"gaps.csv": told.gap_rows(results), "datasets.csv": told.reached_rows(results)},
        charts_of(results),
    )
