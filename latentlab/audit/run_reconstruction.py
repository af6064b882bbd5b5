"""The reconstruction study as a whole, from the names of a checkpoint and a set to tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from latentlab.audit import reconstruction_table
from latentlab.audit.reconstruction import (
    ReconstructionSettings,
    choose_balanced,
    count_survival,
)
from latentlab.audit.report import Audit
from latentlab.data.catalog import open_set
from latentlab.device import resolve_device
from latentlab.metrics.report import Report
from latentlab.metrics.runs import own_style
from latentlab.operations.explore import Explorer
from latentlab.progress import Reporter


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
