"""The study from one command, its resumption and report; trainings in processes that are found again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from job_threads import jobs_in_threads

from latentlab.audit import debiasing_report, debiasing_study
from latentlab.audit.debiasing_plan import BASELINE, DebiasingPlan, lesson
from latentlab.audit.debiasing_study import choose, compare, run_debiasing
from latentlab.cli.main import run
from latentlab.data import not_faces
from latentlab.data.image_set import SPLITS
from latentlab.data.not_faces import open_not_faces_of
from latentlab.data.set_folder import copy_image_set
from latentlab.errors import Cancelled, DataError, SettingsError
from latentlab.jobs import train_job as jobs
from latentlab.jobs.job import Job, JobState
from latentlab.jobs.train_job import TrainSettings, find_train_job, train_job, training_jobs
from latentlab.metrics.detection import WORST
from latentlab.progress import Progress, Reporter
from latentlab.training import detection_evaluation
from latentlab.training.detection_runs import DetectionTraining
from latentlab.training.detection_task import open_fresh

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
    texts = (results["best"], "Logit along each latent", "Drawn most rarely", "Effective sample size")
    texts += ("What this does not show", "Recall on the validation rows", "Recall on the balanced test rows")
    for text in texts:
        assert text in page
    seeds = [results["arms"][arm]["validation"]["seeds"] for arm in (BASELINE, results["best"])]
    differences = results["verdicts"]["validation"]["differences"]
    by_hand = [after[WORST] - before[WORST] for before, after in zip(*seeds, strict=True)]
    assert differences[WORST]["value"] == pytest.approx(np.mean(by_hand))
    assert differences[WORST]["low"] <= differences[WORST]["value"] <= differences[WORST]["high"]
    points = results["arms"][BASELINE]["validation"]["thresholds"]
    (own,) = [one for one in points if one["passing"] == SMALL.losses.false_positives]
    found = results["arms"][BASELINE]["validation"]["metrics"]
    assert own[WORST] == pytest.approx(found[WORST]["value"])  # the threshold of the checkpoints, found anew
    missed = [one[WORST] for one in points]
    assert missed == sorted(missed, reverse=True)
    assert page.count("data:image/svg+xml") == 5
    assert "http" not in page.replace("http-equiv", "")
    with pytest.raises(SettingsError, match="another plan"):
        run_debiasing(replace(PLAN, seeds=1), tmp_path)
    again = run_debiasing(PLAN, tmp_path)
    assert again["trained_now"]["trainings"] == 0
    assert again["arms"] == results["arms"]


def test_the_figures_bear_the_names_of_every_command(
    small_study, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latentlab.audit.debiasing_plan.lesson", lambda: replace(PLAN, seeds=1))
    monkeypatch.setattr(
        debiasing_study, "open_fresh", lambda data, size, reporter: small_study(data, "validation")
    )
    asked = ["audit", "debiasing", "--lesson", "--out", str(tmp_path), "--epochs", "1", "--workers", "1"]
    assert run(asked) == 0
    said = capsys.readouterr().out
    assert "On the validation rows the baseline's gap" in said
    assert "On the balanced test rows the baseline's gap" in said
    assert run([*asked, "--fresh-test", "others:test", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    names = {"command", "version", "checkpoint", "data", "seed", "device", "settings", "metrics"}
    assert set(found) == names | {"groups", "notes"}
    chosen = found["settings"]["chosen"]
    for part in ("baseline.", "debiased.", "validation.debiased.", "fresh.baseline.", "training.baseline."):
        assert set(found["metrics"][f"{part}recall"]) == {"value", "low", "high", "n"}
    (other,) = {"max-0.1", "informative-0.001"} - {chosen}
    assert f"arm.{other}.{WORST}" in found["metrics"]
    assert "fresh.debiased.recall" in found["groups"]["tone=dark,gender=male"]
    # The stand-in for other faces is the validation split: what was judged there must be just that.
    assert found["metrics"]["fresh.debiased.recall"] == found["metrics"]["validation.debiased.recall"]
    assert any("others:test" in note for note in found["notes"])
    assert "fresh test" in (tmp_path / "report.html").read_text()


def test_a_fresh_test_has_masks_of_its_own_faces(
    tiny_faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(not_faces, "DRAWINGS", dict.fromkeys(SPLITS, 14))
    monkeypatch.setattr(not_faces, "TEST_FACES", len(tiny_faces.split("test")))
    monkeypatch.setattr(not_faces, "MASKS", dict.fromkeys(SPLITS, 48))
    data = copy_image_set(tmp_path / "set", tiny_faces)
    fresh = open_fresh(f"{data}:test", 32)
    assert len(fresh.faces) == len(tiny_faces.split("test"))
    assert fresh.groups == ("tone", "gender")
    names = [name for name in fresh.others.names if name.split(":")[0] in ("erased", "turned", "shuffled")]
    masked = {name.partition(":")[2] for name in names}
    assert masked
    assert masked <= set(fresh.faces.names[fresh.faces.rows])
    drawn = [int(name.partition(":")[2]) for name in fresh.others.names if name.startswith("bottts")]
    assert min(drawn) >= 3 * 14  # drawings that the usual negatives do not have
    with pytest.raises(DataError, match="80 faces or more with gender and race"):
        open_not_faces_of(fresh.faces.select(np.arange(10)))


def test_the_rule_is_chosen_on_validation_and_pays_no_price() -> None:
    def arm(worst: float, precision: float = 0.95, accuracy: float = 0.95) -> dict[str, float]:
        return {WORST: worst, "precision": precision, "accuracy": accuracy}

    arms = {BASELINE: arm(0.2), "a": arm(0.1), "b": arm(0.05), "c": arm(0.01, precision=0.93)}
    best, why = choose(arms)
    assert best == "b"
    assert "of 3 arms, 2 had" in why
    best, why = choose({BASELINE: arm(0.2), "a": arm(0.1, 0.9, 0.90), "b": arm(0.1, 0.9, 0.91)})
    assert best == "b"
    assert "every one of 2 arms lost more" in why
    assert "nothing was chosen" in choose({BASELINE: arm(0.2), "a": arm(0.1)})[1]


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


def test_a_training_goes_on_by_itself_is_stopped_found_and_gone_on_with(
    tiny_faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = copy_image_set(tmp_path / "set", tiny_faces)
    shape = {"image_size": 32, "latent": 4, "encoder_widths": [8, 8], "decoder_widths": [8, 8]}
    asked = {"data": f"{data}:train", "network": shape, "losses": {"adversarial": 0.0}}
    loop = {
        "steps": 150,  # enough that the wish to stop comes while it goes on
        "batch": 16,
        "save_every": 25,
        "precision": "32-true",
        "accelerator": "cpu",
        "threads": 1,
    }
    settings = TrainSettings("vae", str(tmp_path / "m"), loop, asked)
    end = time.monotonic() + 240

    def wait(job: Job, until: Callable[[JobState], object]) -> JobState:
        while not until(job.poll()) and not job.poll().over and time.monotonic() < end:
            time.sleep(0.02)
        return job.poll()

    with jobs_in_threads(monkeypatch):
        job = train_job(settings)
        wait(job, lambda state: state.phase == "running" and state.done)
        found = find_train_job(tmp_path / "m")
        assert found is not None
        assert found.poll().phase == "running"
        assert [one.settings["out"] for one in training_jobs()] == [str(tmp_path / "m")]
        job.cancel()
        assert wait(job, lambda state: state.over).phase == "cancelled"
        assert (tmp_path / "m" / "run" / "state" / "state.safetensors").is_file()
        assert not (tmp_path / "m" / "model.safetensors").exists()
        second = train_job(settings)
        assert wait(second, lambda state: state.over).phase == "finished"
    assert (tmp_path / "m" / "model.safetensors").is_file()


def test_a_recipe_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="no recipe"):
        TrainSettings("gan", "x")
    with pytest.raises(SettingsError, match="seeds"):
        TrainSettings("vae", "x", seeds=2)
