"""``latentlab audit report``: a study's reports and model card section, from its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(group: typer.Typer) -> None:
    """Add the command to the group ``audit``."""
    group.command("report")(report)


def report(
    folder: Annotated[Path, typer.Argument(help="The folder that was given to a study with --out.")],
    card: Annotated[
        str | None,
        typer.Option(
            help="Write the study's section into this checkpoint's model card (a folder, or a bundled name); "
            "it must be one that was audited."
        ),
    ] = None,
) -> None:
    """Write a study's report again as HTML and PDF, and its section of a model card.

    Example: latentlab audit report audited --card my-vae
    """
    from latentlab.audit.card_sections import check_card, write_card_section
    from latentlab.audit.folder_results import read_folder
    from latentlab.audit.report_files import write_reports
    from latentlab.cli.progress import show_progress

    if card is not None:
        check_card(read_folder(folder), card)
    with show_progress() as reporter:
        page, sheet = write_reports(folder, reporter)
    print(f"The report is {page} and {sheet}.")
    if card is not None:
        print(f"The study's section is in {write_card_section(read_folder(folder), card)}.")
