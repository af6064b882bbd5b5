"""A study's report as one HTML file that needs nothing else: no network, no other file, no script."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from latentlab.audit.chart_figure import SERIES, svg
from latentlab.audit.charts import Chart, Mark, told, told_interval, unit_name
from latentlab.audit.example_images import Example
from latentlab.audit.files import HTML
from latentlab.audit.folder_results import FolderResults, settings_rows
from latentlab.audit.report import PERCEIVED, PERCEIVED_OUTSIDE
from latentlab.metrics.report import group_words
from latentlab.paths import bundled
from latentlab.spec import PredictorSpec
from latentlab.whole_file import write_whole

DARK = ("#8f98ff", "#45bdb4", "#e39a5a", "#e07fb4", "#a9bd58", "#8fb3d6", "#c79680", "#b59be8")
"""The series' colours on a dark page."""
_HEADS = ("what", "of", "value", "95% interval", "n", "corrected", "95% interval", "note")
SOURCE = re.compile(r'<meta name="latentlab-source" content="([0-9a-f]+)">')


@dataclass(frozen=True)
class ChartRow:
    """A mark as a row of a table: its label, and its cells under all heads but the first."""

    label: str
    cells: tuple[str, ...]
    small: bool


def write_html(found: FolderResults, digest: str, examples: Sequence[Example], no_examples: str = "") -> None:
    """Write `HTML` into the study's folder.

    Parameters
    ----------
    digest
        What tells these results from others, which the page keeps.
    examples
        Images behind what stands out most.
    no_examples
        Why there are none; empty for nothing.

    Raises
    ------
    SettingsError
        If it cannot be written.
    """
    write_whole(found.folder / HTML, html(found, digest, examples, no_examples))


def html(found: FolderResults, digest: str, examples: Sequence[Example], no_examples: str = "") -> str:
    """Return the page."""
    judges = found.judges()
    return page_of(
        "report.html.jinja",
        title=found.title,
        line=found.line,
        version=str(found.record["version"]),
        digest=digest,
        light=SERIES,
        dark=DARK,
        summary=[one for one in found.summary if one not in (PERCEIVED, PERCEIVED_OUTSIDE)],
        perceived=perceived(found),
        whose="judge's" if outside(found) else "predictor's",
        notes=[one for one in found.record["notes"] if one not in (PERCEIVED, PERCEIVED_OUTSIDE)],
        charts=[_chart(chart, k) for k, chart in enumerate(found.charts)],
        examples=[_example(one) for one in examples],
        no_examples=no_examples,
        judges=[_judge(name, spec) for name, spec in judges.items()],
        no_judge=no_judge(found),
        tables=found.tables,
        repeat=found.repeat(),
        settings=facts(found),
    )


def page_of(template: str, **values: Any) -> str:
    """Return the page that a template of ``resources/audit`` makes of values."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = bundled("resources", "audit", template).read_text(encoding="utf-8")
    return environment.from_string(text).render(**values)


def facts(found: FolderResults) -> list[tuple[str, str]]:
    """Return settings, seeds and weights as names and texts."""
    record = found.record
    weights = [(f"weights of {name} (SHA-256)", sha256) for name, sha256 in found.weights().items()]
    return [
        *weights,
        ("seed", str(record["seed"])),
        ("device", str(record["device"])),
        ("LatentLab", str(record["version"])),
        *settings_rows(record["settings"]),
    ]


def outside(found: FolderResults) -> bool:
    """Return whether the classes are those of a table of predictions from elsewhere."""
    return found.request is not None and bool(found.request.predictions)


def perceived(found: FolderResults) -> str:
    """Say whose classes they are, and that they are nobody's identity."""
    return PERCEIVED_OUTSIDE if outside(found) else PERCEIVED


def no_judge(found: FolderResults) -> str:
    """Say why no predictor's confusion matrices are shown."""
    if outside(found):
        return (
            "The classes are those of a table of predictions from elsewhere; its SHA-256 stands below. How "
            "often they err is known here only as far as a table of it was given."
        )
    return "The predictor that judged is not where it was, so that its confusion matrices cannot be shown."


def chart_rows(chart: Chart) -> tuple[tuple[str, ...], list[ChartRow]]:
    """Return a chart as a table: its columns, of which those that are empty are left out, and its rows."""
    rows = [(mark, _cells(chart, mark)) for mark in chart.marks]
    kept = [k for k in range(len(_HEADS) - 1) if any(cells[k] for _, cells in rows)]
    heads = (chart.axis or _HEADS[0], *(_HEADS[k + 1] for k in kept))
    return heads, [ChartRow(mark.label, tuple(cells[k] for k in kept), mark.small) for mark, cells in rows]


def alt_of(chart: Chart) -> str:
    """Say in words what a chart shows, for those who do not see it."""
    unit = unit_name(chart.unit)
    values = "; ".join(
        f"{mark.label}{', ' + mark.series if len(chart.series) > 1 else ''}: "
        f"{told(mark.value, chart.unit, chart.kind == 'gaps')}{' ' + unit if unit else ''}"
        for mark in chart.marks[:12]
    )
    more = f"; and {len(chart.marks) - 12} more in the table below" if len(chart.marks) > 12 else ""
    return f"{chart.title}. {values}{more}."


def data_url(picture: NDArray[np.uint8]) -> str:
    """Return a picture, uint8 ``[H, W, 3]``, RGB, as the address of a PNG file that it holds itself."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, format="PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"


def _cells(chart: Chart, mark: Mark) -> tuple[str, ...]:
    unit = chart.unit
    fixed = "" if mark.corrected is None else told(mark.corrected, unit)
    return (
        mark.series if len(chart.series) > 1 else "",
        told(mark.value, unit, chart.kind == "gaps"),
        told_interval(mark.low, mark.high, unit),
        f"{mark.n:,}" + (" (few)" if mark.small else ""),
        fixed,
        told_interval(mark.corrected_low, mark.corrected_high, unit),
        mark.told,
    )


def _chart(chart: Chart, k: int) -> dict[str, Any]:
    heads, rows = chart_rows(chart)
    name = f"chart-{k}"
    picture = svg(chart, f"c{k}")
    label = Markup('<svg role="img" aria-label="{}"').format(alt_of(chart))
    references = ""
    if chart.references:
        values = ", ".join(f"{label} {told(value, chart.unit)}" for label, value in chart.references.items())
        references = f" Reference ({chart.reference_name}): {values}."
    unit = unit_name(chart.unit)
    return {
        "id": name,
        "title": chart.title,
        "svg": Markup(picture.replace("<svg", str(label), 1)),
        "caption": f"{chart.title}{f' ({unit})' if unit else ''}.{references} {chart.note}".strip(),
        "heads": heads,
        "rows": rows,
    }


def _example(one: Example) -> dict[str, Any]:
    return {
        "title": one.title,
        "told": one.told,
        "pictures": [
            {
                "caption": shown.caption,
                "images": [
                    {
                        "data": data_url(picture),
                        "alt": f"{name}: {shown.caption}",
                    }
                    for name, picture in shown.pictures.items()
                ],
            }
            for shown in one.shown
        ],
    }


def _judge(name: str, spec: PredictorSpec) -> dict[str, Any]:
    groups: list[dict[str, Any]] = []
    for group, matrices in ({"": spec.confusion} | dict(spec.group_confusion)).items():
        tables = [
            {
                "attribute": one.name.replace("_", " "),
                "classes": one.classes,
                "rows": [
                    {"label": label, "counts": counts}
                    for label, counts in zip(one.classes, matrices[one.name].counts, strict=True)
                ],
            }
            for one in spec.attributes
            if one.name in matrices
        ]
        if tables:
            groups.append({"name": group_words(group), "folded": bool(group), "tables": tables})
    return {"name": name, "source": spec.confusion_source, "groups": groups}
