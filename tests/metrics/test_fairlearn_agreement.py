"""Tables by group say what fairlearn's `MetricFrame` says of the same predictions."""

from __future__ import annotations

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, count, selection_rate

from latentlab.metrics.gaps import difference, group_gap, ratio


@pytest.mark.parametrize("seed", range(3))
def test_rates_gaps_and_ratios_by_group(seed: int):
    rng = np.random.default_rng(seed)
    groups = rng.choice(6, 400, p=[0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
    selected = (rng.random(400) < np.array([0.8, 0.7, 0.75, 0.5, 0.6, 0.9])[groups]).astype(int)
    frame = MetricFrame(
        metrics={"rate": selection_rate, "n": count},
        y_true=np.zeros(400, dtype=int),
        y_pred=selected,
        sensitive_features=groups,
    )
    k, n = np.bincount(groups, weights=selected, minlength=6).astype(int), np.bincount(groups, minlength=6)
    found = group_gap(k, n, rng)
    theirs = frame.by_group["rate"]
    assert (k / n).tolist() == pytest.approx(theirs.tolist())
    assert n.tolist() == frame.by_group["n"].tolist()
    assert found.gap.value == pytest.approx(frame.difference()["rate"])
    assert (found.highest, found.lowest) == (theirs.idxmax(), theirs.idxmin())
    high, low = (int(k[found.highest]), int(n[found.highest])), (int(k[found.lowest]), int(n[found.lowest]))
    assert high[0] / high[1] == pytest.approx(frame.group_max()["rate"])
    assert low[0] / low[1] == pytest.approx(frame.group_min()["rate"])
    assert difference(*high, *low).value == pytest.approx(frame.difference()["rate"])
    assert ratio(*low, *high).value == pytest.approx(frame.ratio()["rate"])
    assert found.small == tuple(frame.by_group["n"] < 30)
