"""A study's section of a model card, in the fields of Hugging Face's template (Mitchell et al. 2019).

It stands between marks (`latentlab.operations.card_parts`): written again it takes its own place, and the
rest of the card, its front matter included, stays as it is.
"""

from __future__ import annotations

import re
from pathlib import Path

from latentlab.audit.charts import Chart, told, told_interval, unit_name
from latentlab.audit.folder_results import FolderResults
from latentlab.audit.html_report import perceived
from latentlab.audit.report import PERCEIVED, PERCEIVED_OUTSIDE
from latentlab.audit.study_plan import STUDIES
from latentlab.checkpoints import Located, locate
from latentlab.checkpoints.native import CARD
from latentlab.errors import SettingsError
from latentlab.operations.card_parts import with_part
from latentlab.operations.card_tables import confusions, table
from latentlab.whole_file import write_whole

_METRICS = {
    "share": "shares and rates, with 95% intervals (Wilson); corrected for the predictor's errors on "
    "held-out images by its confusion matrix, with delta-method intervals (Rogan & Gladen 1978; CLEAM, "
    "Teo et al. 2023)",
    "points": "differences, in points, with 95% intervals",
    "steps": "mean absolute error, in steps of 255, with bootstrapped 95% intervals",
    "number": "other figures, as their tables say",
}


def check_card(found: FolderResults, checkpoint: str | Path) -> Located:
    """Return the checkpoint whose card a study's section can be written into.

    Raises
    ------
    CheckpointError
        If there is none.
    SettingsError
        If it is not one that was audited, or is a single file, which has no card.
    """
    located = locate(checkpoint)
    if not located.path.is_dir():
        raise SettingsError(f"{located.path} is a single file; a card lies in a checkpoint's folder.")
    audited = found.weights()
    if located.sha256() not in audited.values():
        known = ", ".join(f"{name} ({sha256[:12]})" for name, sha256 in audited.items())
        raise SettingsError(
            f"{located.path} was not audited in {found.folder}: its weights' SHA-256 begins with "
            f"{located.sha256()[:12]}; audited were {known or 'only models that the study trained itself'}. "
            "Name one of these, or do the study for this checkpoint."
        )
    return located


def write_card_section(found: FolderResults, checkpoint: str | Path) -> Path:
    """Write a study's section into a checkpoint's card, in the place of the study's former one.

    Returns
    -------
    pathlib.Path
        The card.

    Raises
    ------
    LatentLabError
        As `check_card`; if a part of the card does not end; if it cannot be written.
    """
    located = check_card(found, checkpoint)
    path = located.path / CARD
    try:
        former = path.read_bytes().decode("utf-8") if path.exists() else f"# {located.name}\n"
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from None
    write_whole(path, with_part(former, f"audit-{found.study}", card_section(found)))
    return path


def card_section(found: FolderResults) -> str:
    """Return the section's Markdown."""
    record, known = found.record, STUDIES.get(found.study)
    data = record["data"]
    conclusions = [one for one in found.summary if one not in (PERCEIVED, PERCEIVED_OUTSIDE)]
    judged = [
        line
        for name, spec in found.judges().items()
        for line in ("", f"The judge is `{name}`.", *confusions(spec))
    ]
    sections = [
        [
            f"## Audit: {known.title.lower() if known else found.study}",
            "",
            *([known.purpose] if known else []),
            f"Measured with LatentLab {record['version']} on {record['device']}; seed {record['seed']}.",
        ],
        ["### Bias, risks and limitations", "", *(f"- {_plain(one)}" for one in conclusions)],
        ["### Recommendations", "", *(f"- {one}" for one in _recommendations(found))],
        [
            "### Out-of-scope use",
            "",
            "- Any statement about a real person's gender, race or other trait, identification, and "
            f"decisions about people. {perceived(found)}",
            "- Conclusions about other data, other settings or other weights than those that are named here.",
        ],
        ["### Testing data", "", f"`{data['path']}`: {data['n']:,} images."],
        ["### Factors", "", *_factors(found)],
        [
            "### Metrics",
            "",
            *(f"- {_METRICS[unit]}." for unit in dict.fromkeys(chart.unit for chart in found.charts)),
        ],
        ["### Results", "", *_results(found), *judged],
        ["### How to repeat it", "", "```", found.repeat() or "See the settings of the study.", "```", ""]
        + [f"- weights of {name}: SHA-256 `{sha256}`" for name, sha256 in found.weights().items()],
    ]
    return "\n\n".join("\n".join(lines).strip() for lines in sections)


def _recommendations(found: FolderResults) -> list[str]:
    lines = [
        "Read the intervals before calling a difference a bias; where one holds no difference, these images "
        "do not show one, which does not show that there is none.",
        "Hand-label some of the images before relying on a small difference: the judge's error on generated "
        "images can differ from its error on held-out ones.",
    ]
    small = sum(mark.small for chart in found.charts for mark in chart.marks)
    if small:
        lines.append(
            f"{small} of the figures rest on few images; repeat the study with more before citing them."
        )
    return lines


def _factors(found: FolderResults) -> list[str]:
    settings = found.record["settings"]
    lines = []
    for name in ("attributes", "groups", "reference", "seeds"):
        value = settings.get(name)
        if value:
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(f"- {name}: {_plain(text)}")
    return lines or ["- As the study's settings say."]


def _results(found: FolderResults) -> list[str]:
    lines: list[str] = []
    for chart in found.charts:
        if chart.kind != "cells":
            unit = unit_name(chart.unit)
            lines += ["", f"**{_plain(chart.title)}{f' ({unit})' if unit else ''}**", "", *_table(chart)]
    return lines or [f"- `{name}`: {one['value']:.4g}" for name, one in found.record["metrics"].items()]


def _table(chart: Chart) -> list[str]:
    heads = ["what", *(["of"] if len(chart.series) > 1 else []), "value", "95% interval", "n"]
    corrected = any(mark.corrected is not None for mark in chart.marks)
    heads += ["corrected", "95% interval"] if corrected else []
    heads += [f"reference ({chart.reference_name})"] if chart.references else []
    heads += ["note"] if any(mark.told for mark in chart.marks) else []
    rows = []
    for mark in chart.marks:
        row = [mark.label, *([mark.series] if len(chart.series) > 1 else [])]
        row += [
            told(mark.value, chart.unit, chart.kind == "gaps"),
            told_interval(mark.low, mark.high, chart.unit),
            f"{mark.n:,}" + (" (few)" if mark.small else ""),
        ]
        if corrected:
            row.append(told(mark.corrected, chart.unit))
            row.append(told_interval(mark.corrected_low, mark.corrected_high, chart.unit))
        if chart.references:
            row.append(told(chart.references.get(mark.label), chart.unit))
        if heads[-1] == "note":
            row.append(mark.told)
        rows.append([_plain(cell) for cell in row])
    return table(heads, rows)


def _plain(text: str) -> str:
    """Write a text so that Markdown takes none of it for its own, nor for a mark of a part."""
    return re.sub(r"([_*`\[\]])", r"\\\1", text.replace("<", "&lt;"))
