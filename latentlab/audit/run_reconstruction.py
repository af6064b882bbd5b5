"""The reconstruction study as a whole, from the names of a checkpoint and a set to tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from latentlab.audit import reconstruction_table
from latentlab.audit.carry_out import Work
from latentlab.audit.images_behind import Draw, Pictures, Row
from latentlab.audit.own_predictions import Predictions, asked_predictions, check_judge, known_attributes
from latentlab.audit.reconstruction import (
    Chosen,
    ReconstructionSettings,
    Survived,
    choose_balanced,
    count_survival,
    redraw,
)
from latentlab.audit.reconstruction_charts import reconstruction_charts
from latentlab.audit.report import Audit
from latentlab.audit.request_file import read_settings
from latentlab.audit.study_plan import StudyRequest
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.errors import SettingsError
from latentlab.metrics.report import Report
from latentlab.metrics.runs import own_style
from latentlab.operations.explore import Explorer
from latentlab.progress import Reporter
from latentlab.spec import Attribute


def run_reconstruction(
    checkpoint: str,
    data: str,
    *,
    per_group: int = 200,
    groups: Sequence[str] | None = None,
    attributes: Sequence[str] = (),
    seed: int = 0,
    predictor: str | None = None,
    predictions: str | Path | None = None,
    predictions_confusion: str | Path | None = None,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    on_partial: Callable[[Audit], None] | None = None,
) -> Audit:
    """Do the reconstruction study of a model by name or path (`latentlab.audit.reconstruction`).

    Parameters
    ----------
    predictions
        A table of what somebody else says of the images and their reconstructions
        (`latentlab.audit.export_images`), in the place of a predictor.
    predictions_confusion
        A table of how often they err: this study corrects nothing, and keeps it for the report.
    out
        A folder for settings, tables and report; an interrupted study goes on there.
    on_partial
        Told now and then what is counted so far.

    Raises
    ------
    LatentLabError
        If the checkpoint, the set, a setting, a table or the folder cannot be used, before anything is
        reconstructed; `Cancelled` on request.
    """
    request = StudyRequest(
        "reconstruction",
        (checkpoint,),
        data=data,
        attributes=tuple(attributes),
        groups=tuple(groups or ()),
        n=per_group,
        seeds=(seed,),
        predictor=predictor or "",
        predictions=str(predictions or ""),
        predictions_confusion=str(predictions_confusion or ""),
    )
    return WORK.do(request, out, device, reporter, on_partial)


@dataclass(frozen=True)
class Pairs:
    """What the study reconstructs: of a request, opened, chosen and checked.

    Parameters
    ----------
    data
        The set's name, of one style for a model of one.
    known
        What may be told of the images; empty where the predictor judges.
    told
        What somebody else says of the images; None where the predictor judges.
    """

    request: StudyRequest
    explorer: Explorer
    data: str
    chosen: Chosen
    known: tuple[Attribute, ...] = ()
    told: Predictions | None = None

    @classmethod
    def of(cls, request: StudyRequest, reporter: Reporter | None = None) -> Pairs:
        """Open the model, the set and what somebody else says, as the study needs them.

        Raises
        ------
        LatentLabError
            If one cannot be used.
        """
        if request.predictions:
            bare = cls.to_judge(request, reporter)
            told = asked_predictions(request, bare.ids(), bare.known)
            chosen = choose_balanced(
                bare.explorer, bare.images(reporter), _settings(request), told.attributes
            )
            return cls(request, bare.explorer, bare.data, chosen, bare.known, told)
        check_judge(request, outside=False)
        explorer = Explorer.open(request.models[0], request.predictor or None)
        settings = _settings(request)
        data = own_style(explorer.located.config, request.data)
        images = open_set(data, explorer.spec.image_size, reporter)
        return cls(request, explorer, data, choose_balanced(explorer, images, settings))

    @classmethod
    def to_judge(cls, request: StudyRequest, reporter: Reporter | None = None) -> Pairs:
        """Open what somebody else is to judge: the model without its predictor.

        Raises
        ------
        LatentLabError
            If one cannot be used.
        """
        check_judge(request, outside=True)
        explorer = Explorer.open(request.models[0], "")
        settings = _settings(request)
        config = explorer.located.config
        data = own_style(config, request.data)
        images = open_set(data, explorer.spec.image_size, reporter)
        labelled = known_attributes((), images)
        names = {one.name for one in labelled}
        known = tuple(one for one in known_attributes((config,), images) if one.name in names)
        return cls(request, explorer, data, choose_balanced(explorer, images, settings, known), known)

    def images(self, reporter: Reporter | None = None) -> ImageSet:
        """Return the set that the images are chosen from."""
        return open_set(self.data, self.explorer.spec.image_size, reporter)

    def ids(self) -> list[str]:
        """Return the ids of all pictures, in order."""
        return self.chosen.ids(self.explorer.located.sha256())

    def record(self) -> dict[str, Any]:
        """Return all that the study rests on, as plain values."""
        return {
            "study": "reconstruction",
            "model": self.explorer.located.sha256(),
            "predictor": self.explorer.predictor_sha256(),
            "data": self.data,
            "per_group": self.request.n,
            "groups": list(self.chosen.names),
            "attributes": [one.name for one in self.chosen.attributes],
            "seed": self.request.seeds[0],
            "images_sha256": self.chosen.sha256(),
            **({} if self.told is None else self.told.record()),
        }


def _settings(request: StudyRequest) -> ReconstructionSettings:
    return ReconstructionSettings(request.n, request.groups or None, request.attributes, request.seeds[0])


def _audit(study: Pairs, counted: Survived, device: str) -> Audit:
    """Return the results of what is counted, of all or of a part."""
    chosen, told, seed = study.chosen, study.told, study.request.seeds[0]
    found = reconstruction_table.results_of(counted, chosen, seed)
    notes = () if told is None else (told.note(),)
    evaluation = reconstruction_table.evaluation_of(found, study.record(), notes, told is not None)
    confusion = reconstruction_table.confusion_rows(counted, chosen)
    amplification = reconstruction_table.amplification_rows(counted, chosen, seed)
    return Audit(
        Report.of(
            "audit reconstruction",
            study.explorer.located,
            study.data,
            sum(len(one) for one in counted.errors),
            seed,
            device,
            evaluation,
        ),
        reconstruction_table.group_rows(found),
        reconstruction_table.sentences(found, told is not None),
        {
            "gaps.csv": reconstruction_table.gap_rows(found),
            "statements.csv": reconstruction_table.statement_rows(found),
            "confusion.csv": confusion,
            "bias_amplification.csv": amplification,
        },
        reconstruction_charts(found, confusion, amplification),
    )


def _count(
    study: Pairs,
    out: Path | None,
    device: str,
    reporter: Reporter,
    on_part: Callable[[Survived], None],
) -> Survived:
    return count_survival(
        study.explorer, study.chosen, study.record(), out, device, reporter, study.told, on_part
    )


WORK = Work(lambda request, _out, reporter: Pairs.of(request, reporter), _count, _audit)
"""The study of any complete request."""


def pictures_of(folder: Path, request: StudyRequest) -> Draw:
    """Return what draws the pictures behind rows of a study's folder again (`latentlab.audit.images_behind`).

    Raises
    ------
    LatentLabError
        If the model or the set is not there any more, or is another.
    """
    study = Pairs.to_judge(replace(request, predictor="", predictions="", predictions_confusion=""))
    study.explorer.located.expect(str(read_settings(folder).get("model")))
    names = study.chosen.images.names[study.chosen.images.rows].tolist()

    def draw(row: Row) -> Pictures:
        if row.place >= len(names) or names[row.place] != row.values["image"]:
            raise SettingsError(
                f"{study.data} has other images than when the study was done: there is no "
                f"{row.values['image']} in that place. Do the study again."
            )
        return redraw(study.explorer, study.chosen, row.place)

    return draw
