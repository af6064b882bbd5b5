"""The study from one command, its resumption and report; trainings in processes that are found again."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.audit import debiasing_report, debiasing_study
from latentlab.audit.debiasing_plan import BASELINE, DebiasingPlan, lesson
from latentlab.audit.debiasing_study import choose, compare, run_debiasing
from latentlab.cli.main import run
from latentlab.data.set_folder import copy_image_set
from latentlab.errors import Cancelled, SettingsError
from latentlab.jobs import train_job as jobs
from latentlab.jobs.train_job import TrainSettings, find_train_job, train_job, training_jobs
from latentlab.metrics.detection import WORST
from latentlab.progress import Progress, Reporter
from latentlab.training import detection_evaluation
from latentlab.training.detection_runs import DetectionTraining

pytest_plugins = ["debiasing_parts"]

SMALL = DetectionTraining(count=48, epochs=2, latent=4, filters=4, image_size=32)
PLAN = DebiasingPlan(SMALL, (("max", 0.1), ("informative", 0.001)), seeds=2, batch=32)


@pytest.fixture
def small_study(small_task, monkeypatch: pytest.MonkeyPatch):
    """Let the study and its report open the small sets too."""
    for module in (debiasing_study, debiasing_report, detection_evaluation):
        monkeypatch.setattr(module, "open_detection", small_task)
    return small_task


def test_a_study_is_done_told_and_gone_on_with(small_study, tmp_path: Path) -> None:
    reporter = Reporter(lambda progress: reporter.cancel() if "seed 1" in progress.stage else None)
    with pytest.raises(Cancelled):
        run_debiasing(PLAN, tmp_path, 1, reporter)
    first = (tmp_path / BASELINE / "seed-0" / "config.json").stat().st_mtime_ns
    assert not (tmp_path / BASELINE / "seed-1" / "config.json").exists()
    seen: list[Progress] = []
    results = run_debiasing(PLAN, tmp_path, 1, Reporter(seen.append))
    assert (tmp_path / BASELINE / "seed-0" / "config.json").stat().st_mtime_ns == first
    assert list(results["arms"]) == [BASELINE, "max-0.1", "informative-0.001"]
    test = results["arms"]["max-0.1"]["test"]
    assert len(test["seeds"]) == 2
    assert test["metrics"]["accuracy"]["value"] == pytest.approx(
        np.mean([s["accuracy"] for s in test["seeds"]])
    )
    assert {"tone=dark", "gender=male", "tone=light,gender=female"} <= set(test["groups"])
    assert results == json.loads((tmp_path / "results.json").read_text())
    page = (tmp_path / "report.html").read_text()
    for text in (results["best"], "Logit along each latent", "Drawn most rarely", "Effective sample size"):
        assert text in page
    assert page.count("data:image/svg+xml") == 4
    assert "http" not in page.replace("http-equiv", "")
    with pytest.raises(SettingsError, match="another plan"):
        run_debiasing(replace(PLAN, seeds=1), tmp_path)
    again = run_debiasing(PLAN, tmp_path)
    assert again["trained_now"]["trainings"] == 0
    assert again["arms"] == results["arms"]


def test_the_rule_is_chosen_on_validation_and_pays_no_price() -> None:
    def arm(worst: float, precision: float = 0.95, accuracy: float = 0.95) -> dict[str, float]:
        return {WORST: worst, "precision": precision, "accuracy": accuracy}

    arms = {BASELINE: arm(0.2), "a": arm(0.1), "b": arm(0.05), "c": arm(0.01, precision=0.93)}
    assert choose(arms) == "b"
    assert choose({BASELINE: arm(0.2), "a": arm(0.1, 0.9, 0.90), "b": arm(0.1, 0.9, 0.91)}) == "b"


def test_the_verdict_measures_what_is_asked_for() -> None:
    before = {"recall_variance_points2": 60.0, WORST: 0.2, "precision": 0.95, "accuracy": 0.94}
    after = {"recall_variance_points2": 15.0, WORST: 0.08, "precision": 0.945, "accuracy": 0.96}
    found = compare("b", before, after, [0.99, 0.8, 0.9])
    assert found.baseline_gap_points == pytest.approx(19.0)
    assert found.variance_cut == pytest.approx(0.75)
    assert found.miss_cut == pytest.approx(0.6)
    assert found.precision_points == pytest.approx(-0.5)
    assert found.met
    assert not compare("b", before, after | {"precision": 0.93}, [0.99, 0.8]).met
    assert not compare("b", before, after | {WORST: 0.11}, [0.99, 0.8]).met


def test_plans_are_kept_whole(tmp_path: Path) -> None:
    for plan in (PLAN, lesson(), DebiasingPlan()):
        assert DebiasingPlan.of(json.loads(json.dumps(plan.plain()))) == plan
    with pytest.raises(SettingsError, match="cannot be read"):
        DebiasingPlan.of({"rules": []})


def test_commands_train_and_evaluate(small_study, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shape = ["--count", "48", "--epochs", "1", "--filters", "4", "--image-size", "32", "--batch", "32"]
    shape += ["--threads", "1", "--accelerator", "cpu"]
    base, debiased = str(tmp_path / "base"), str(tmp_path / "debiased")
    assert run(["train", "cnn", "--out", base, "--seeds", "2", *shape]) == 0
    arguments = ["--rule", "product", "--smoothing", "0.01", "--latent", "4"]
    assert run(["train", "dbvae", "--out", debiased, "--seeds", "2", *arguments, *shape]) == 0
    capsys.readouterr()
    asked = ["evaluate", "detection", debiased, "--baseline", base, "--json"]
    for data in ("faces:test", "training"):
        assert run([*asked, "--data", data]) == 0
        found = json.loads(capsys.readouterr().out)
        names = ("recall", "precision", "accuracy", "false_positive_rate", WORST, "recall_variance_points2")
        assert {f"{part}.{name}" for part in ("baseline", "debiased") for name in names} >= set(
            found["metrics"]
        )
        assert "baseline.recall" in found["groups"]["tone=dark,gender=female"]
        assert found["settings"]["training"]["resampling"] == {
            "rule": "product",
            "smoothing": 0.01,
            "keep": 0.0,
        }
    assert run([*asked, "--data", "faces"]) == 2
    assert run(["train", "dbvae", "--out", debiased, "--rule", "most"]) == 2
    assert "no resampling rule" in capsys.readouterr().err


def test_the_work_of_a_job_trains_a_dbvae(small_study, tmp_path: Path) -> None:
    asked = {"count": 48, "epochs": 1, "latent": 4, "filters": 4, "image_size": 32}
    settings = TrainSettings(
        "dbvae", str(tmp_path / "m"), {"batch": 32, "accelerator": "cpu"}, asked, seeds=2
    )
    jobs.run(json.loads(json.dumps(asdict(settings))), Reporter())
    assert (tmp_path / "m" / "seed-1" / "detector" / "config.json").is_file()
    with pytest.raises(SettingsError, match=r"cannot be (used|read)"):
        jobs.run(asdict(replace(settings, asked={"epoch": 1})), Reporter())


def test_a_training_goes_on_in_a_process_is_stopped_found_and_gone_on_with(
    tiny_faces, tmp_path: Path
) -> None:
    data = copy_image_set(tmp_path / "set", tiny_faces)
    shape = {"image_size": 32, "latent": 4, "encoder_widths": [8, 8], "decoder_widths": [8, 8]}
    asked = {"data": f"{data}:train", "network": shape, "losses": {"adversarial": 0.0}}
    loop = {
        "steps": 40,
        "batch": 16,
        "save_every": 5,
        "precision": "32-true",
        "accelerator": "cpu",
        "threads": 1,
    }
    settings = TrainSettings("vae", str(tmp_path / "m"), loop, asked)
    job = train_job(settings)
    state = job.poll()
    end = time.monotonic() + 300
    while not (state.phase == "running" and state.done) and not state.over and time.monotonic() < end:
        time.sleep(0.05)
        state = job.poll()
    assert state.phase == "running", state
    assert find_train_job(tmp_path / "m").poll().phase == "running"
    assert [one.settings["out"] for one in training_jobs()] == [str(tmp_path / "m")]
    job.cancel()
    while not state.over and time.monotonic() < end:
        time.sleep(0.05)
        state = job.poll()
    assert state.phase == "cancelled"
    assert (tmp_path / "m" / "run" / "state" / "state.safetensors").is_file()
    second = train_job(settings)
    state = second.poll()
    while not state.over and time.monotonic() < end:
        time.sleep(0.05)
        state = second.poll()
    assert state.phase == "finished", state
    assert (tmp_path / "m" / "model.safetensors").is_file()


def test_a_recipe_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="no recipe"):
        TrainSettings("gan", "x")
    with pytest.raises(SettingsError, match="seeds"):
        TrainSettings("vae", "x", seeds=2)
