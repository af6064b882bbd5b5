"""How long one picture takes onto all datasets, and a stroke to its answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from latentlab.cli.main import run
from latentlab.errors import Cancelled, SettingsError
from latentlab.live import bench_projection as bench
from latentlab.live.bench_projection import bench_projection, measure_projection, painted
from latentlab.live.engine import Engine
from latentlab.live.frames import DeviceOverride
from latentlab.progress import Progress, Reporter

WISH = DeviceOverride("cpu", "float32", 1)


def test_engine_script_flow_and_renderer_are_measured(
    tiny_cinn_folder: Path, tiny_judge_folder: Path
) -> None:
    names = str(tiny_cinn_folder), str(tiny_judge_folder)
    seen: list[Progress] = []
    engine = Engine(*names, WISH)
    found = measure_projection(engine, *names, WISH, Reporter(seen.append), 1, rounds=2, strokes=3)
    assert found.datasets == 3
    assert len(found.live) == len(found.plain) == 2 * bench._RUNS
    assert len(found.strokes) == 3
    assert min(*found.live, *found.plain, *found.forward, *found.inverse, *found.strokes) > 0.0
    assert min(found.forward) < min(found.plain), "the flow is a part of it"
    assert found.speedup > 0.0
    assert (found.choice.device, found.choice.precision) == ("cpu", "float32")
    assert (seen[-1].stage, seen[-1].done, seen[-1].total) == ("Painting", 3, 3)


def test_a_stroke_changes_a_square_of_the_picture() -> None:
    picture = np.full((32, 32, 3), 7, dtype=np.uint8)
    one = painted(picture, 1)
    changed = (one != picture).any(axis=2)
    assert 0 < changed.sum() <= 5 * 5
    assert (picture == 7).all()
    assert (painted(picture, 2) != one).any()


def test_the_command_prints_one_object(
    tiny_cinn_folder: Path, tiny_judge_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    whole = measure_projection
    monkeypatch.setattr(bench, "measure_projection", lambda *given: whole(*given, rounds=1, strokes=2))
    command = ["bench", "projection", str(tiny_cinn_folder), "--predictor", str(tiny_judge_folder)]
    command += ["--device", "cpu", "--precision", "float32", "--threads", "1"]
    assert run([*command, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["command"] == "bench projection"
    assert record["settings"]["datasets"] == 3
    assert set(record["metrics"]) == {
        *("all_datasets_ms", "all_datasets_ms_p95", "flow_forward_ms", "flow_inverse_ms"),
        *("plain_script_all_datasets_ms", "plain_script_all_datasets_ms_p95", "speedup_all_datasets"),
        *("stroke_to_answer_ms_p50", "stroke_to_answer_ms_p95"),
    }
    assert record["metrics"]["all_datasets_ms"]["value"] <= record["metrics"]["all_datasets_ms_p95"]["value"]
    assert run(command) == 0
    assert "speedup_all_datasets" in capsys.readouterr().out


def test_what_does_not_project_is_refused_and_it_can_be_cancelled(
    tiny_model_folder: Path, tiny_cinn_folder: Path
) -> None:
    with pytest.raises(SettingsError, match="does not project onto datasets"):
        bench_projection(str(tiny_model_folder), "", WISH)
    reporter = Reporter()
    reporter.cancel()
    with pytest.raises(Cancelled):
        bench_projection(str(tiny_cinn_folder), "", WISH, reporter)
