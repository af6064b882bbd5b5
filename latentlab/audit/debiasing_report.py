"""The debiasing study as one HTML file that needs nothing else: verdict, tables, lesson figures, pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

import latentlab
from latentlab.audit import debiasing_figures as figures
from latentlab.audit.debiasing_plan import BASELINE
from latentlab.audit.html_report import png
from latentlab.metrics.detection import VARIANCE, WORST
from latentlab.metrics.report import group_words
from latentlab.paths import bundled
from latentlab.progress import Reporter
from latentlab.training.debiasing_record import last_epoch
from latentlab.training.detection_evaluation import open_detectors
from latentlab.training.detection_task import open_detection
from latentlab.whole_file import write_whole

if TYPE_CHECKING:
    from latentlab.audit.debiasing_plan import DebiasingPlan

REPORT = "report.html"
_COLUMNS = (
    ("recall", "recall", 100.0),
    ("precision", "precision", 100.0),
    ("accuracy", "accuracy", 100.0),
    ("false_positive_rate", "false positives", 100.0),
    (VARIANCE, "variance over groups", 1.0),
    (WORST, "worst group missed", 100.0),
)


def write_report(
    plan: DebiasingPlan, results: Mapping[str, Any], out: Path, reporter: Reporter | None = None
) -> Path:
    """Write ``report.html`` into the study's folder.

    Raises
    ------
    LatentLabError
        If a checkpoint of the study cannot be opened, or the file cannot be written.
    """
    arms, best = results["arms"], str(results["best"])
    baseline = open_detectors([out / BASELINE / "seed-0"])[0]
    model = open_detectors([out / best / "seed-0"])[0]
    both = {BASELINE: baseline, best: model}
    asked = plan.training
    test = open_detection(asked.data, "test", asked.image_size, reporter=reporter)
    train = open_detection(asked.data, "train", asked.image_size, asked.bias, asked.count, 0, reporter)
    epoch = last_epoch(out / best / "seed-0" / "run")
    strips: list[tuple[str, str]] = []
    if epoch is not None and len(epoch.p) == len(train.faces):
        strips = [
            ("Drawn most often", _strip(figures.pictures(train, epoch.most_likely(16)))),
            ("Drawn most rarely", _strip(figures.pictures(train, epoch.least_likely(16)))),
        ]
    strips.append(("Random samples", _strip(figures.samples(model, 16))))
    shown = list(dict.fromkeys([BASELINE, *([f"max-{0.001:g}"] if "max-0.001" in arms else []), best]))
    curves = figures.logit_curves(model, both, test)
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = bundled("resources", "audit", "debiasing.html.jinja").read_text(encoding="utf-8")
    page = environment.from_string(template).render(
        version=latentlab.__version__,
        seeds=plan.seeds,
        epochs=asked.epochs,
        bias=", ".join(asked.bias) or "as in the set",
        counts=(len(train.faces), len(train.others), len(test.faces), len(test.others)),
        false_positives=f"{100 * asked.losses.false_positives:g}%",
        verdict=results["verdict"],
        best=best,
        columns=[label for _, label, _ in _COLUMNS],
        tables=[(of, _rows(arms, of)) for of in ("test", "validation", "training")],
        group_names=[group_words(name) for name in _groups(arms)],
        group_rows=_group_rows(arms),
        shares=[]
        if epoch is None
        else [(group_words(name), f"{a:.1%}", f"{b:.1%}") for name, (a, b) in epoch.groups.items()],
        effective="" if epoch is None else f"{epoch.effective_size:,.0f} of {len(epoch.p):,}",
        strips=strips,
        slopes=[(curve.entry, *(f"{curve.slope[name]:+.2f}" for name in both)) for curve in curves],
        detectors=list(both),
        groups=_svg(figures.group_figure(arms, shown)),
        alphas=_svg(figures.alpha_figure(arms, plan.plain()["rules"], BASELINE)),
        deciles=_svg(figures.decile_figure(figures.density_deciles(model, both, test))),
        logits=_svg(figures.logit_figure(curves)),
    )
    write_whole(out / REPORT, page)
    return out / REPORT


def _rows(arms: Mapping[str, Any], of: str) -> list[tuple[str, list[str]]]:
    found = []
    for name, arm in arms.items():
        metrics = arm[of]["metrics"]
        found.append((name, [_cell(metrics.get(key), scale) for key, _, scale in _COLUMNS]))
    return found


def _cell(estimate: Mapping[str, Any] | None, scale: float) -> str:
    if estimate is None:
        return "–"
    text = f"{scale * estimate['value']:.1f}"
    if estimate["low"] is None:
        return text
    return f"{text} [{scale * estimate['low']:.1f}, {scale * estimate['high']:.1f}]"


def _groups(arms: Mapping[str, Any]) -> list[str]:
    return list(next(iter(arms.values()))["test"]["groups"])


def _group_rows(arms: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    return [
        (name, [_cell(arm["test"]["groups"][group]["recall"], 100.0) for group in _groups(arms)])
        for name, arm in arms.items()
    ]


def _svg(figure: Figure) -> Markup:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    encoded = base64.b64encode(text[text.index("<svg") :].encode()).decode()
    return Markup(f"data:image/svg+xml;base64,{encoded}")


def _strip(found: NDArray[np.uint8]) -> str:
    row = np.concatenate(list(found), axis=1)
    image = Image.fromarray(row)
    return f"data:image/png;base64,{base64.b64encode(png(np.asarray(image))).decode()}"
