"""The truncation study as a whole, from the names of a checkpoint and a set to tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from latentlab.audit import generation_table, truncation_table
from latentlab.audit.carry_out import Work
from latentlab.audit.generation import GenerationSettings, Runs, common_attributes
from latentlab.audit.images_behind import Draw, Pictures, Row
from latentlab.audit.opened_models import short_name
from latentlab.audit.reference import UNIFORM, Reference, reference_of
from latentlab.audit.report import Audit
from latentlab.audit.request_file import audited_models, read_settings
from latentlab.audit.study_plan import StudyRequest
from latentlab.audit.truncation import (
    TRUNCATIONS,
    count_truncations,
    in_order,
    name_of,
    redraw_truncated,
    truncation_record,
)
from latentlab.audit.truncation_charts import truncation_charts
from latentlab.errors import SettingsError
from latentlab.metrics.report import Report
from latentlab.operations.explore import Explorer
from latentlab.progress import Reporter
from latentlab.spec import Attribute


def run_truncation(
    checkpoint: str,
    *,
    truncations: Sequence[float] = TRUNCATIONS,
    n: int = 2000,
    seeds: Sequence[int] = (0,),
    attributes: Sequence[str] = (),
    reference: str = UNIFORM,
    condition: str = "",
    predictor: str | None = None,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    on_partial: Callable[[Audit], None] | None = None,
) -> Audit:
    """Do the truncation study of a model by name or path (`latentlab.audit.truncation`).

    Parameters
    ----------
    truncations
        What every drawn z is multiplied by; 1 is always among them.
    n
        Samples of each truncation and seed.
    reference
        ``uniform``, ``training`` or a set's name (`latentlab.audit.reference.reference_of`).
    out
        A folder for settings, tables and report; an interrupted study goes on there.
    on_partial
        Told now and then what is counted so far.

    Raises
    ------
    LatentLabError
        If the checkpoint, a setting, the reference or the folder cannot be used, before anything is drawn;
        `Cancelled` on request.
    """
    request = StudyRequest(
        "truncation",
        (checkpoint,),
        reference=reference,
        attributes=tuple(attributes),
        n=n,
        seeds=tuple(seeds),
        condition=condition,
        truncations=tuple(truncations),
        predictor=predictor or "",
    )
    return WORK.do(request, out, device, reporter, on_partial)


@dataclass(frozen=True)
class OpenedTruncation:
    """What the study draws and compares with: of a request, opened and checked.

    Parameters
    ----------
    name
        The model's.
    truncations
        As `latentlab.audit.truncation.in_order` gives them.
    """

    name: str
    explorer: Explorer
    truncations: tuple[float, ...]
    settings: GenerationSettings
    attributes: tuple[Attribute, ...]
    reference: Reference

    @classmethod
    def of(cls, request: StudyRequest, reporter: Reporter | None = None) -> OpenedTruncation:
        """Open the model and the reference as the study needs them.

        Raises
        ------
        LatentLabError
            If one cannot be used.
        """
        truncations = in_order(request.truncations)
        settings = GenerationSettings(
            request.n, request.seeds, request.attributes, condition=request.condition
        )
        model = request.models[0]
        explorer = Explorer.open(model, request.predictor or None)
        name = short_name(model, request.models)
        attributes = common_attributes({name: explorer}, settings.attributes)
        found = reference_of(
            request.reference, attributes, explorer.located.config, explorer.spec.image_size, reporter
        )
        return cls(name, explorer, truncations, settings, attributes, found)


def _audit(opened: OpenedTruncation, counted: Runs, device: str) -> Audit:
    """Return the results of what is counted, of all or of a part."""
    attributes, reference, settings = opened.attributes, opened.reference, opened.settings
    judge = opened.explorer.predictor_spec
    assert judge is not None
    judges = {name_of(one): judge for one in opened.truncations}
    shares, apart = generation_table.class_shares(counted, attributes, judges, reference)
    shifts = truncation_table.shifts_of(shares)
    record = truncation_record(opened.name, opened.explorer, opened.truncations, settings, reference)
    found = truncation_table.evaluation_of(shares, apart, shifts, record)
    total = sum(one.n for one in counted.values())
    return Audit(
        Report.of(
            "audit truncation", opened.explorer.located, "samples", total, settings.seeds[0], device, found
        ),
        [truncation_table.with_truncation(one.row()) for one in shares],
        truncation_table.sentences(shares, apart, shifts, reference),
        {
            "measures.csv": [truncation_table.with_truncation(one.row()) for one in apart],
            "differences.csv": [one.row() for one in shifts],
        },
        truncation_charts(shares, apart, shifts, attributes),
    )


def _count(
    opened: OpenedTruncation,
    out: Path | None,
    device: str,
    reporter: Reporter,
    on_part: Callable[[Runs], None],
) -> Runs:
    return count_truncations(
        opened.name,
        opened.explorer,
        opened.truncations,
        opened.settings,
        opened.reference,
        out,
        device,
        reporter,
        on_part,
    )


WORK = Work(lambda request, _out, reporter: OpenedTruncation.of(request, reporter), _count, _audit)
"""The study of any complete request."""


def pictures_of(folder: Path, request: StudyRequest) -> Draw:
    """Return what draws the pictures behind rows of a study's folder again (`latentlab.audit.images_behind`).

    Raises
    ------
    LatentLabError
        If the model or the reference is not there any more, or is another.
    """
    opened = OpenedTruncation.of(request)
    for _, sha256 in audited_models(folder):
        opened.explorer.located.expect(sha256)
    if read_settings(folder).get("reference_sha256") != opened.reference.sha256():
        raise SettingsError(f"{folder} is of another reference than is found now. Do the study again.")

    def draw(row: Row) -> Pictures:
        found = row.values
        picture = redraw_truncated(
            opened.explorer,
            opened.settings,
            opened.reference,
            float(found["truncation"]),
            int(found["seed"]),
            int(found["image"]),
        )
        return {"sample": picture}

    return draw
