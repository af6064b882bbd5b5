from __future__ import annotations

from pathlib import Path

import pytest

from latentlab.errors import Cancelled
from latentlab.live.bench import measure_forward
from latentlab.live.frames import DeviceOverride
from latentlab.progress import Progress, Reporter

WISH = DeviceOverride("cpu", "float32", 1)


def test_the_forward_pass_is_measured_beside_a_plain_script(
    tiny_model_folder: Path, tiny_predictor_folder: Path
):
    seen: list[Progress] = []
    figures = measure_forward(
        str(tiny_model_folder), str(tiny_predictor_folder), WISH, Reporter(seen.append), rounds=2
    )
    assert 0 < figures.bare_ms < figures.bare_64_ms
    assert 0 < figures.plain_ms < figures.plain_64_ms
    assert figures.speedup > 0
    assert figures.speedup_64 > 0
    assert 0 < figures.grid64_fps < 1e4
    assert (figures.choice.device, figures.choice.precision, figures.choice.threads) == ("cpu", "float32", 1)
    assert figures.predictor == str(tiny_predictor_folder)
    assert seen[-1].done == seen[-1].total == 2


def test_a_measurement_can_be_cancelled(tiny_model_folder: Path):
    reporter = Reporter()
    reporter.cancel()
    with pytest.raises(Cancelled):
        measure_forward(str(tiny_model_folder), "", WISH, reporter, rounds=1)
