"""``latentlab audit conditioning``: what a condition does to the errors of groups."""

from __future__ import annotations

from typing import Annotated

import typer

from latentlab.cli.audit_options import Attributes, Judge, Models, Out, PerGroup, show
from latentlab.cli.options import AsJson, Data, Device, Groups, numbers, split_names


def register(group: typer.Typer) -> None:
    """Add the command to the group ``audit``."""
    group.command("conditioning")(conditioning)


def conditioning(
    models: Models,
    data: Data,
    per_group: PerGroup = 200,
    groups: Groups = None,
    attributes: Attributes = None,
    scales: Annotated[
        str, typer.Option(help="Of the condition, by commas: the decoder is told the scale x one-hot.")
    ] = "1,2,3",
    seed: Annotated[int, typer.Option(help="Of the choice of images, the flips and the intervals.")] = 0,
    predictor: Judge = None,
    out: Out = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Count how often each group is read wrongly: in originals, reconstructions, and under each condition.

    Give a VAE and a CVAE. Without --attributes what the conditional models are conditioned on is counted.

    Example: latentlab audit conditioning faces-weak-vae faces-weak-cvae --data faces:test --out audit
    """
    from latentlab.audit.runs import run_conditioning
    from latentlab.cli.progress import show_progress

    chosen, wanted = numbers(scales, "--scales"), split_names(groups)
    with show_progress() as reporter:
        found = run_conditioning(
            models,
            data,
            per_group=per_group,
            groups=None if wanted is None else tuple(wanted),
            attributes=split_names(attributes) or (),
            scales=chosen,
            seed=seed,
            predictor=predictor,
            out=out,
            device=device,
            reporter=reporter,
        )
    show(found, out, as_json)
