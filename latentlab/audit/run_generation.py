"""The generation study as a whole, from the names of checkpoints and sets to tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from latentlab.audit import generation_table
from latentlab.audit.generation import (
    GenerationSettings,
    common_attributes,
    count_generation,
    settings_record,
)
from latentlab.audit.reference import TRAINING, UNIFORM, reference_of
from latentlab.audit.report import Audit
from latentlab.device import resolve_device
from latentlab.errors import SettingsError
from latentlab.metrics.report import Report
from latentlab.operations.explore import Explorer
from latentlab.progress import Reporter


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
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
) -> Audit:
    """Do the generation study of models by name or path (`latentlab.audit.generation`).

    Parameters
    ----------
    models
        One or more; each is judged by its own predictor unless one is given for all.
    reference
        ``uniform``, ``training`` or a set's name (`latentlab.audit.reference.reference_of`).
    out
        A folder for settings, tables and report; an interrupted study goes on there.

    Raises
    ------
    LatentLabError
        If a checkpoint, a setting, the reference or the folder cannot be used, before anything is drawn;
        `Cancelled` on request.
    """
    reporter, where = reporter or Reporter(), resolve_device(device)
    opened = {short_name(one, models): Explorer.open(one, predictor) for one in dict.fromkeys(models)}
    settings = GenerationSettings(n, tuple(seeds), tuple(attributes), truncation, condition)
    counted_attributes = common_attributes(opened, settings.attributes)
    first = next(iter(opened.values()))
    trained_on = {str(one.located.config.training.get("data")) for one in opened.values()}
    if reference == TRAINING and len(trained_on) > 1:
        raise SettingsError(
            f"The models were trained on different sets ({', '.join(sorted(trained_on))}). Give --reference "
            "one of them."
        )
    wanted = reference_of(
        reference, counted_attributes, first.located.config, first.spec.image_size, reporter
    )
    counted = count_generation(opened, settings, wanted, out, device, reporter)
    judges = {name: one.predictor_spec for name, one in opened.items()}
    shares, apart = generation_table.class_shares(
        counted,
        counted_attributes,
        {name: judge for name, judge in judges.items() if judge is not None},
        wanted,
    )
    record = settings_record(opened, settings, wanted)
    found = generation_table.evaluation_of(shares, apart, record)
    total = n * len(seeds)
    audit = Audit(
        Report.of("audit generation", first.located, "samples", total, seeds[0], str(where), found),
        [one.row() for one in shares],
        generation_table.sentences(shares, wanted),
        {
            "cells.csv": generation_table.cell_rows(counted, counted_attributes),
            "measures.csv": [one.row() for one in apart],
            "comparisons.csv": generation_table.comparison_rows(shares),
        },
    )
    if out is not None:
        audit.save(out)
    return audit


def short_name(model: str, models: Sequence[str]) -> str:
    """Return a model's short name: its folder's, or where two have the same all that was given."""
    names = [Path(one).name or Path(one).resolve().name for one in dict.fromkeys(models)]
    short = Path(model).name or Path(model).resolve().name
    return short if names.count(short) == 1 else model
