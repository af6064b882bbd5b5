"""Whole studies, from the names of checkpoints and sets to tables: what the command line and scripts call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latentlab.audit import generation_table, reconstruction_table
from latentlab.audit.generation import (
    GenerationSettings,
    common_attributes,
    count_generation,
    settings_record,
)
from latentlab.audit.reconstruction import (
    ReconstructionSettings,
    choose_balanced,
    count_survival,
)
from latentlab.audit.reference import TRAINING, UNIFORM, reference_of
from latentlab.audit.report import Audit
from latentlab.data.catalog import open_set
from latentlab.device import resolve_device
from latentlab.errors import SettingsError
from latentlab.metrics.report import Report
from latentlab.metrics.runs import own_style
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
    opened = {_name(one, models): Explorer.open(one, predictor) for one in dict.fromkeys(models)}
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


def run_reconstruction(
    checkpoint: str,
    data: str,
    *,
    per_group: int = 200,
    groups: Sequence[str] | None = None,
    attributes: Sequence[str] = (),
    seed: int = 0,
    predictor: str | None = None,
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
) -> Audit:
    """Do the reconstruction study of a model by name or path (`latentlab.audit.reconstruction`).

    Raises
    ------
    LatentLabError
        If the checkpoint, the set, a setting or the folder cannot be used, before anything is reconstructed;
        `Cancelled` on request.
    """
    reporter, where = reporter or Reporter(), resolve_device(device)
    explorer = Explorer.open(checkpoint, predictor)
    settings = ReconstructionSettings(
        per_group, None if groups is None else tuple(groups), tuple(attributes), seed
    )
    data = own_style(explorer.located.config, data)
    images = open_set(data, explorer.spec.image_size, reporter)
    chosen = choose_balanced(explorer, images, settings)
    record: dict[str, Any] = {
        "study": "reconstruction",
        "model": explorer.located.sha256(),
        "predictor": explorer.predictor_sha256(),
        "data": data,
        "per_group": per_group,
        "groups": list(chosen.names),
        "attributes": [one.name for one in chosen.attributes],
        "seed": seed,
        "images_sha256": chosen.sha256(),
    }
    counted = count_survival(explorer, chosen, record, out, device, reporter)
    found = reconstruction_table.results_of(counted, chosen, seed)
    evaluation = reconstruction_table.evaluation_of(found, record)
    audit = Audit(
        Report.of(
            "audit reconstruction",
            explorer.located,
            data,
            len(chosen.images),
            seed,
            str(where),
            evaluation,
        ),
        reconstruction_table.group_rows(found),
        reconstruction_table.sentences(found),
        {
            "gaps.csv": reconstruction_table.gap_rows(found),
            "confusion.csv": reconstruction_table.confusion_rows(counted, chosen),
            "bias_amplification.csv": reconstruction_table.amplification_rows(counted, chosen, seed),
        },
    )
    if out is not None:
        audit.save(out)
    return audit


def _name(model: str, models: Sequence[str]) -> str:
    """Return a model's short name: its folder's, or where two have the same all that was given."""
    names = [Path(one).name or Path(one).resolve().name for one in dict.fromkeys(models)]
    short = Path(model).name or Path(model).resolve().name
    return short if names.count(short) == 1 else model
