"""``latentlab audit images``: a study's images with ids, for somebody else to judge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentlab.cli.audit_options import Attributes, Models, PerGroup, SampleCount, SampleSeeds, Truncation
from latentlab.cli.options import Checkpoint, Data, split_names, whole_numbers

Folder = Annotated[Path, typer.Option(help="A new folder for the images, the template and the classes.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``audit``."""
    images = typer.Typer(
        help="Export a study's images with ids, for somebody else to judge; the study then takes the table "
        "back with --predictions.",
        no_args_is_help=True,
    )
    images.command("generation")(generation)
    images.command("reconstruction")(reconstruction)
    group.add_typer(images, name="images")


def generation(
    models: Models,
    out: Folder,
    n: SampleCount = 2000,
    seeds: SampleSeeds = "0",
    attributes: Attributes = None,
    reference: Annotated[
        str,
        typer.Option(help="As for the study: a conditional model is told the labels of this set's images."),
    ] = "uniform",
    truncation: Truncation = 1.0,
    condition: Annotated[str, typer.Option(help="What a conditional model is told.")] = "",
) -> None:
    """Export random samples as PNG files with ids, and a table to fill in.

    Example: latentlab audit images generation faces-vae --n 200 --out to-judge
    """
    from latentlab.audit.study_plan import StudyRequest

    _export(
        StudyRequest(
            "generation",
            tuple(models),
            reference=reference,
            attributes=tuple(split_names(attributes) or ()),
            n=n,
            seeds=whole_numbers(seeds, "--seeds"),
            truncation=truncation,
            condition=condition,
        ),
        out,
    )


def reconstruction(
    checkpoint: Checkpoint,
    data: Data,
    out: Folder,
    per_group: PerGroup = 200,
    groups: Annotated[
        str | None, typer.Option(help="Attributes whose intersections are the groups, by commas.")
    ] = None,
    attributes: Attributes = None,
    seed: Annotated[int, typer.Option(help="Of the choice of images.")] = 0,
) -> None:
    """Export images and their reconstructions as PNG files with ids, and a table to fill in.

    Example: latentlab audit images reconstruction faces-vae --data faces:test --per-group 10 --out to-judge
    """
    from latentlab.audit.study_plan import StudyRequest

    _export(
        StudyRequest(
            "reconstruction",
            (checkpoint,),
            data=data,
            attributes=tuple(split_names(attributes) or ()),
            groups=tuple(split_names(groups) or ()),
            n=per_group,
            seeds=(seed,),
        ),
        out,
    )


def _export(request: object, out: Path) -> None:
    from latentlab.audit.export_images import export_images
    from latentlab.audit.study_plan import StudyRequest
    from latentlab.cli.progress import show_progress

    assert isinstance(request, StudyRequest)
    with show_progress() as reporter:
        found = export_images(request, out, reporter=reporter)
    print(
        f"{found.n:,} images are in {found.images}. Fill in {found.template} with the classes of "
        f"{found.classes}, and give it to the same study with --predictions."
    )
