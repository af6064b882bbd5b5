"""The debiasing study as one HTML file that needs nothing else: verdict, tables, lesson figures, pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray

import latentlab
from latentlab.audit import debiasing_figures as figures
from latentlab.audit.debiasing_plan import BASELINE, DebiasingPlan, arm_name
from latentlab.audit.html_report import data_url, page_of
from latentlab.metrics.detection import VARIANCE, WORST
from latentlab.metrics.report import group_words
from latentlab.progress import Reporter
from latentlab.training.debiasing_record import last_epoch
from latentlab.training.detection_evaluation import open_detectors
from latentlab.training.detection_task import open_detection
from latentlab.whole_file import write_whole

REPORT = "report.html"
BUNDLED = "faces"
"""The set with which the task was made."""
_COLUMNS = (
    ("recall", "recall", 100.0),
    ("precision", "precision", 100.0),
    ("accuracy", "accuracy", 100.0),
    ("false_positive_rate", "false positives", 100.0),
    (VARIANCE, "variance over groups", 1.0),
    (WORST, "worst group missed", 100.0),
)
SETS = {
    "validation": "validation rows",
    "test": "balanced test rows",
    "fresh": "fresh test",
    "training": "rows trained on",
}
"""The sets in the order of the report, as it calls them."""


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
    train = asked.task(0, reporter)
    epoch = last_epoch(out / best / "seed-0" / "run")
    strips: list[tuple[str, str]] = []
    if epoch is not None and len(epoch.p) == len(train.faces):
        strips = [
            ("Drawn most often", _strip(train.faces.pixels(epoch.most_likely(16)))),
            ("Drawn most rarely", _strip(train.faces.pixels(epoch.least_likely(16)))),
        ]
    strips.append(("Random samples", _strip(figures.samples(model, 16))))
    shown = [name for name in dict.fromkeys([BASELINE, arm_name("max", 0.001), best]) if name in arms]
    seen = figures.look(model, both, test)
    curves = figures.logit_curves(seen)
    sets = {of: words for of, words in SETS.items() if of in results["verdicts"]}
    held_out = {of: words for of, words in sets.items() if of != "training"}
    page = page_of(
        "debiasing.html.jinja",
        version=latentlab.__version__,
        seeds=plan.seeds,
        epochs=asked.epochs,
        bias=", ".join(asked.bias) or "as in the set",
        counts=(len(train.faces), len(train.others), len(test.faces), len(test.others)),
        false_positives=f"{100 * asked.losses.false_positives:g}%",
        verdict=results["verdict"],
        verdicts=[
            (words, results["verdicts"][of], _differences(results["verdicts"][of]))
            for of, words in sets.items()
        ],
        chosen=results["chosen"],
        caveats=caveats(plan, results),
        best=best,
        columns=[label for _, label, _ in _COLUMNS],
        tables=[(words, _rows(arms, of)) for of, words in sets.items()],
        group_names=[group_words(name) for name in _groups(arms)],
        group_tables=[(words, _group_rows(arms, of)) for of, words in held_out.items()],
        shares=[]
        if epoch is None
        else [(group_words(name), f"{a:.1%}", f"{b:.1%}") for name, (a, b) in epoch.groups.items()],
        effective="" if epoch is None else f"{epoch.effective_size:,.0f} of {len(epoch.p):,}",
        strips=strips,
        slopes=[(curve.entry, *(f"{curve.slope[name]:+.2f}" for name in both)) for curve in curves],
        steepness=[
            (name, f"{np.sqrt(np.mean([curve.slope[name] ** 2 for curve in curves])):.2f}") for name in both
        ],
        detectors=list(both),
        groups=_svg(figures.group_figure(arms, shown)),
        thresholds=_svg(figures.threshold_figure(arms, shown, held_out)),
        alphas=_svg(figures.alpha_figure(arms, plan.plain()["rules"], BASELINE)),
        deciles=_svg(figures.decile_figure(figures.density_deciles(seen, test))),
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


def _cell(estimate: Mapping[str, Any] | None, scale: float, form: str = ".1f") -> str:
    if estimate is None:
        return "–"
    value, low, high = (
        None if estimate[key] is None else round(scale * estimate[key], 1) + 0.0
        for key in ("value", "low", "high")
    )
    return f"{value:{form}}" if low is None else f"{value:{form}} [{low:{form}}, {high:{form}}]"


def _groups(arms: Mapping[str, Any]) -> list[str]:
    return list(next(iter(arms.values()))["test"]["groups"])


def _group_rows(arms: Mapping[str, Any], of: str) -> list[tuple[str, list[str]]]:
    groups = _groups(arms)
    found = []
    for name, arm in arms.items():
        known = arm[of]["groups"]
        found.append((name, [_cell(known.get(group, {}).get("recall"), 100.0) for group in groups]))
    return found


def _differences(verdict: Mapping[str, Any]) -> list[str]:
    return [_cell(verdict["differences"].get(key), scale, "+.1f") for key, _, scale in _COLUMNS]


def caveats(plan: DebiasingPlan, results: Mapping[str, Any]) -> list[str]:
    """Return what the study does not show, as sentences; they follow from how it was done and came out."""
    verdict, best = results["verdict"], results["best"]
    differences = verdict["differences"]
    several = len(plan.rules) > 1
    validation = (
        "The arm was chosen on the validation rows. There its own figures are a little too good, as those of "
        "the best of several always are, while the baseline's are not; and each threshold was set there, so "
        "that false positives are alike by construction."
        if several
        else "Each threshold was set on the validation rows, so that false positives are alike there by "
        "construction."
    )
    fresh = (
        f"The fresh test ({results['fresh_test']}) holds other faces, on which nothing was chosen."
        if results.get("fresh_test")
        else "Neither set is therefore quite untouched; --fresh-test takes faces that nobody has seen."
    )
    found = [validation]
    if plan.training.data == BUNDLED:
        found.append(
            "The task's difficulty and the form of the informative rule were settled while figures on the "
            "bundled test rows could be seen, and without those on the validation rows; the share that the "
            f"threshold lets pass was settled on the validation rows. {fresh}"
        )
    if plan.seeds == 1:
        found.append(
            "It is one seed: the intervals are of other pictures. Another seed's variance over groups may "
            "well differ by as much as two rules do."
        )
    else:
        unsure = [
            label
            for key, label, _ in _COLUMNS
            if (one := differences.get(key)) is not None
            and one["low"] is not None
            and one["low"] <= 0.0 <= one["high"]
        ]
        text = f"Intervals are of {plan.seeds} seeds, judged on the same pictures."
        if unsure:
            text += (
                f" Between {best} and the baseline they leave open, on the test rows, the sign of the "
                f"difference in {', '.join(unsure)}."
            )
        found.append(text)
    found += [
        "What is no face belongs to no group, so nothing is said of whether false positives fall more on "
        "what looks like one group.",
        "Groups are the drawing program's. Such pictures show how a mechanism works, and are no finding "
        "about people, nor about detectors of real faces.",
    ]
    return found


def _svg(figure: Figure) -> Markup:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    encoded = base64.b64encode(text[text.index("<svg") :].encode()).decode()
    return Markup(f"data:image/svg+xml;base64,{encoded}")


def _strip(found: NDArray[np.uint8]) -> str:
    return data_url(np.concatenate(list(found), axis=1))
