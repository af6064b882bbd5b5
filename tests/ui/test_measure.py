from __future__ import annotations

from pathlib import Path

import pytest

from latentlab.errors import LatentLabError
from latentlab.live.bench import ForwardFigures
from latentlab.live.frames import DeviceOverride
from latentlab.ui import bench_report
from latentlab.ui.measure import WindowFigures, measure_window

WISH = DeviceOverride("cpu", "float32", 1)


def test_the_real_window_is_measured_in_processes_of_its_own(
    tiny_model_folder: Path, tiny_predictor_folder: Path
):
    figures = measure_window(str(tiny_model_folder), str(tiny_predictor_folder), WISH, moves=40, starts=1)
    assert figures.moves == 40
    assert 0 < len(figures.painted_ms) <= 40
    assert all(time > 0 for time in figures.painted_ms)
    assert figures.percentile(0.5) <= figures.percentile(0.95) <= max(figures.painted_ms)
    assert figures.stale == 0
    assert figures.first_paint_ms > 0
    assert figures.first_frame_ms > 0
    assert not figures.torch_before_paint


def test_a_model_that_cannot_be_opened_is_told(tmp_path: Path):
    with pytest.raises(LatentLabError, match="nowhere"):
        measure_window(str(tmp_path / "nowhere"), "", WISH, moves=1, starts=1)


def test_the_report_has_every_figure_by_its_name(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch):
    from latentlab.device import DeviceChoice

    choice = DeviceChoice("cpu", "bfloat16", 1)
    forward = ForwardFigures(
        bare_ms=3.0,
        plain_ms=10.0,
        bare_64_ms=40.0,
        plain_64_ms=180.0,
        speedup=3.3,
        speedup_64=4.5,
        grid64_fps=20.0,
        choice=choice,
        grid_choice=DeviceChoice("cpu", "int8", 2),
        plain_threads=2,
        predictor="",
        rounds=9,
        grids=8,
    )
    painted = tuple(float(time) for time in range(1, 21))
    window = WindowFigures(painted, 24, 0, 400.0, 2000.0, False, 3, 12.5)
    monkeypatch.setattr(bench_report, "measure_forward", lambda *_arguments: forward)
    monkeypatch.setattr(bench_report, "measure_window", lambda *_arguments: window)
    record = bench_report.bench_live(str(tiny_model_folder), "", WISH).record()
    values = {name: metric["value"] for name, metric in record["metrics"].items()}
    assert values == {
        "slider_to_painted_ms_p50": 10.0,
        "slider_to_painted_ms_p95": 19.0,
        "bare_forward_ms": 3.0,
        "plain_script_forward_ms": 10.0,
        "bare_forward_ms_b64": 40.0,
        "plain_script_forward_ms_b64": 180.0,
        "overhead_ratio": pytest.approx(8.0 / 3.0),
        "speedup_b1": 3.3,
        "speedup_b64": 4.5,
        "grid64_fps": 20.0,
        "window_grid64_fps": 12.5,
        "window_first_paint_ms": 400.0,
        "first_frame_ms": 2000.0,
        "stale_frames_painted": 0.0,
    }
    assert record["command"] == "bench live"
    assert record["settings"]["single"] == {"device": "cpu", "precision": "bfloat16", "threads": 1}
    assert record["settings"]["plain_script"]["threads"] == 2
    assert any("Of 24 slider moves 20 were painted" in note for note in record["notes"])
