from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from latentlab.cli.main import run
from latentlab.live.frames import DeviceOverride
from latentlab.ui import bench_report


class _Report:
    command = "bench live"
    evaluation = SimpleNamespace(notes=("A note.",))

    def json(self) -> str:
        return json.dumps({"command": self.command})

    def texts(self) -> list[tuple[str, str, str, str]]:
        return [("bare_forward_ms", "3.2", "", "9")]


def test_the_options_reach_the_measurement_and_json_is_one_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    asked: list[tuple[object, ...]] = []

    def bench_live(model: str, predictor: str | None, override: DeviceOverride, _reporter: object) -> _Report:
        asked.append((model, predictor, override))
        return _Report()

    monkeypatch.setattr(bench_report, "bench_live", bench_live)
    options = ["--model", "m", "--predictor", "p", "--precision", "float32", "--threads", "2", "--json"]
    assert run(["bench", "live", *options]) == 0
    assert asked == [("m", "p", DeviceOverride(None, "float32", 2))]
    assert json.loads(capsys.readouterr().out) == {"command": "bench live"}
    assert run(["bench", "live"]) == 0
    assert asked[1] == ("faces-vae", None, DeviceOverride())
    assert "bare_forward_ms" in capsys.readouterr().out


def test_a_model_that_is_not_there_ends_with_status_2(capsys: pytest.CaptureFixture[str]):
    assert run(["bench", "live", "--model", "nowhere-to-be-found"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "nowhere-to-be-found" in error
