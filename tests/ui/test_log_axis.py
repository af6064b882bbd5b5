from __future__ import annotations

import pytest

from latentlab.audit.charts import Chart, Mark
from latentlab.ui.widgets.audit_plot import line_places


def lines(*labels: str, log: bool) -> Chart:
    marks = tuple(Mark(label, "one", 0.5, None, None, 1) for label in labels)
    return Chart("chart", "Chart", "lines", "share", marks, log=log)


def test_labels_stand_by_their_numbers_or_by_their_ratios():
    assert line_places(lines("1", "10", "100", log=True)) == pytest.approx({"1": 0.0, "10": 0.5, "100": 1.0})
    assert line_places(lines("1", "51", "101", log=False)) == pytest.approx({"1": 0.0, "51": 0.5, "101": 1.0})


def test_labels_that_are_no_numbers_or_have_no_logarithm_stand_evenly():
    for labels in (("a", "b", "c"), ("0", "10", "100")):
        assert list(line_places(lines(*labels, log=True)).values()) == [0.0, 0.5, 1.0]
