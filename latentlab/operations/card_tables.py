"""The tables of a model card: figures overall and by group, confusion matrices, and the extremes."""

from __future__ import annotations

from collections.abc import Sequence

from latentlab.metrics.intervals import Estimate
from latentlab.metrics.report import Evaluation, group_words, interval, number
from latentlab.operations.attribute_table import held_out_error
from latentlab.spec import PredictorSpec


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table's lines."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(heads), "|" + "---|" * len(heads), *map(line, rows)]


def figures(found: Evaluation) -> list[str]:
    """Return an evaluation as tables: all figures overall, then one table a kind of metric by group."""
    rows = [(f"`{n}`", number(e.value), interval(e), f"{e.n:,}") for n, e in found.metrics.items()]
    lines = table(("metric", "value", "95% interval", "n"), rows)
    kinds: dict[str, list[str]] = {}
    for name in found.metrics:
        if "@" not in name and any(name in metrics for metrics in found.groups.values()):
            kinds.setdefault(name.partition(".")[0], []).append(name)
    for kind, names in kinds.items():
        heads = ("group", "n", *(name.partition(".")[2] or name for name in names))
        body = [
            (
                group_words(group),
                f"{max(estimate.n for estimate in metrics.values()):,}",
                *(cell(metrics.get(name)) for name in names),
            )
            for group, metrics in found.groups.items()
            if any(name in metrics for name in names)
        ]
        lines += ["", f"`{kind}` by group:", "", *table(heads, body)]
    return lines


def judges_error(name: str, spec: PredictorSpec) -> str:
    """Say how often the judging predictor errs itself, from its own record."""
    errors = [(a.name, held_out_error(spec, a)) for a in spec.attributes]
    known = [f"{attribute} {100.0 * error:.2f}%" for attribute, error in errors if error is not None]
    if not known:
        return f"The judge is `{name}`; its own error is not recorded."
    return f"The judge is `{name}`; its own balanced error on `{spec.confusion_source}`: {', '.join(known)}."


def confusions(spec: PredictorSpec) -> list[str]:
    """Return the confusion matrices that are stored with a predictor, one table an attribute."""
    lines: list[str] = []
    for attribute in spec.attributes:
        if attribute.name in spec.confusion:
            counts = spec.confusion[attribute.name].counts
            heads = ("truth", *(f"says {label}" for label in attribute.classes))
            rows = [(label, *map(str, row)) for label, row in zip(attribute.classes, counts, strict=True)]
            title = f"Confusion of {attribute.name} on `{spec.confusion_source}` (stored with the weights):"
            lines += ["", title, "", *table(heads, rows)]
    return lines


def extremes(found: Evaluation) -> list[str]:
    """Say for each metric by group where it is smallest and where largest, with intervals."""
    lines = []
    for name in found.metrics:
        by_group = {group: metrics[name] for group, metrics in found.groups.items() if name in metrics}
        if len(by_group) < 2 or "@" in name or name.startswith("calibration_error"):
            continue
        least = min(by_group, key=lambda group: by_group[group].value)
        most = max(by_group, key=lambda group: by_group[group].value)
        if by_group[least].value == by_group[most].value:
            lines.append(f"`{name}` is {number(by_group[least].value)} in every group.")
        else:
            lines.append(
                f"`{name}` is smallest for {group_words(least)} ({cell(by_group[least])}) and largest for "
                f"{group_words(most)} ({cell(by_group[most])})."
            )
    return lines


def cell(estimate: Estimate | None) -> str:
    """Return a figure with its interval as it stands in a table's cell."""
    return "-" if estimate is None else f"{number(estimate.value)} {interval(estimate)}".rstrip()
