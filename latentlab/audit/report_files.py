"""Write a study's reports from its folder: of any study, also of one that was done long ago."""

from __future__ import annotations

from pathlib import Path

from latentlab.audit.files import HTML, PDF
from latentlab.audit.folder_results import digest_of, read_folder
from latentlab.progress import Progress, Reporter


def write_reports(folder: Path, reporter: Reporter | None = None, again: bool = True) -> tuple[Path, Path]:
    """Write `HTML` and `PDF` into a study's folder.

    Parameters
    ----------
    again
        Whether they are written although they are of these results already.

    Returns
    -------
    tuple of Path
        Both files.

    Raises
    ------
    SettingsError
        If the folder holds no finished study, or cannot be written.
    """
    from latentlab.audit.example_images import example_images
    from latentlab.audit.html_report import SOURCE, write_html
    from latentlab.audit.pdf_report import write_pdf

    reporter = reporter or Reporter()
    found, digest = read_folder(folder), digest_of(folder)
    page, sheet = folder / HTML, folder / PDF
    if not again and page.exists() and sheet.exists():
        former = SOURCE.search(page.read_text(encoding="utf-8", errors="replace")[:2000])
        if former is not None and former[1] == digest:
            return page, sheet
    examples, why = example_images(folder, found.charts)
    reporter.raise_if_cancelled()
    reporter.report(Progress("Writing the report", 1, 2))
    write_pdf(found, examples, why)
    reporter.report(Progress("Writing the report", 2, 2))
    write_html(found, digest, examples, why)
    return page, sheet
