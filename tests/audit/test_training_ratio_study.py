"""The training-ratio study: what it trains on, what it says of known truths, what it keeps and refuses."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.audit import training_ratio
from latentlab.audit.charts import CHARTS, read_charts
from latentlab.audit.images_behind import Row, images_behind
from latentlab.audit.readable import Readable, unreadable_words
from latentlab.audit.report import DOES_NOT, GROUPS, HOLDS, REPORT, SUMMARY, UNSURE
from latentlab.audit.run_training_ratio import pictures_of, run_training_ratio
from latentlab.audit.runs import run_study
from latentlab.audit.study_folder import IMAGES
from latentlab.audit.study_plan import StudyRequest
from latentlab.audit.training_ratio import TRAININGS
from latentlab.audit.training_ratio_plan import (
    RatioSettings,
    count_parameters,
    name_of,
    own_seed,
    plan_of,
)
from latentlab.audit.training_ratio_statements import Trained, statements_of
from latentlab.checkpoints import load
from latentlab.cli.main import run
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set
from latentlab.errors import Cancelled, LatentLabError
from latentlab.metrics.correction import corrected_shares
from latentlab.operations.explore import Explorer
from latentlab.progress import Progress, Reporter
from latentlab.spec import Confusion

ALPHAS = (0.95, 0.9)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def data(tiny_faces: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A set of 256 train and 64 validation rows, as ``--data`` takes it."""
    return f"{copy_image_set(tmp_path_factory.mktemp('sets') / 'faces32', tiny_faces)}:train"


@pytest.fixture(scope="module")
def asked(data: str, tiny_predictor_folder: Path) -> dict[str, object]:
    return {
        "data": data,
        "ratios": (0.5, 0.4),
        "seeds": (0, 1),
        "n": 70,
        "steps": 60,
        "image_size": 16,
        "predictor": str(tiny_predictor_folder),
    }


@pytest.fixture(scope="module")
def whole(asked: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that was not interrupted."""
    out = tmp_path_factory.mktemp("studies") / "whole"
    run_training_ratio(out=out, **asked)
    return out


def test_sets_of_all_ratios_are_of_one_size_and_differ_in_nothing_else(tiny_faces: ImageSet) -> None:
    images = tiny_faces.split("train")
    plan = plan_of(images, "tiny", RatioSettings(ratios=(0.6, 0.5, 0.3)))
    for ratio in (0.6, 0.5, 0.3):
        for seed in (0, 1):
            found = plan.resampled(ratio, seed)
            assert len(found) == plan.size
            assert np.mean(found.codes("gender") == 0) == pytest.approx(ratio, abs=1.0 / plan.size)
            assert len(np.unique(found.rows)) == plan.size, "no image stands twice"
    counts = np.bincount(images.codes("gender"))
    assert plan.size == pytest.approx(counts[1] / 0.7, abs=3), "as many as the scarcest class allows"
    assert not np.array_equal(plan.resampled(0.5, 0).rows, plan.resampled(0.5, 1).rows)
    assert len({own_seed(ratio, seed) for ratio in (0.6, 0.5, 0.3) for seed in range(3)}) == 9


def test_the_usual_models_are_small() -> None:
    assert count_parameters(RatioSettings()) <= 300_000
    assert RatioSettings(image_size=64).network().side == 4


def test_all_tables_agree_and_every_training_has_a_checkpoint(whole: Path, asked: dict[str, object]) -> None:
    images = table(whole / IMAGES)
    assert [(row["ratio"], row["seed"]) for row in images[::70]] == [
        ("0.5", "0"),
        ("0.4", "0"),
        ("0.5", "1"),
        ("0.4", "1"),
    ]
    groups = table(whole / GROUPS)
    for row in groups:
        rows = [one for one in images if one["ratio"] == row["ratio"] and row["seed"] in ("all", one["seed"])]
        share = np.mean([one[row["attribute"]] == row["class"] for one in rows])
        assert float(row["share"]) == pytest.approx(share, abs=1e-5)
        if row["attribute"] == "gender" and row["class"] == "female":
            assert float(row["reference"]) == pytest.approx(float(row["ratio"]), abs=0.01)
        if row["seed"] == "all":
            assert float(row["mean"]) == pytest.approx(share, abs=1e-5)
            assert float(row["mean_low"]) <= float(row["mean"]) <= float(row["mean_high"])
    record = json.loads((whole / REPORT).read_text())
    assert {"share.gender=female", "gap.gender", "parity_gain.gender", "confidence.gender"} <= record[
        "metrics"
    ].keys()
    assert {"ratio=0.5", "ratio=0.4,seed=1"} <= record["groups"].keys()
    assert record["settings"]["confusion_source"].endswith("faces32:validation")
    assert np.sum(record["settings"]["confusion"]["gender"]) == 64, "counted on held-out images"
    assert [row["statement"] for row in table(whole / "statements.csv")] == ["A1", "A2"]
    weights = set()
    for ratio, seed in RatioSettings(ratios=(0.5, 0.4), seeds=(0, 1)).runs():
        opened = load(whole / TRAININGS / name_of(ratio, seed))
        assert opened.config.training["resampled"]["distribution"].startswith(f"gender=female:{ratio}")
        assert opened.config.training["predictor"] == asked["predictor"]
        weights.add(opened.located.sha256())
    assert {sha256 for _, sha256 in record["settings"]["models"]} == weights
    assert len(weights) == 4
    confidence = {row["attribute"]: float(row["confidence_samples"]) for row in table(whole / "readable.csv")}
    said = [max(float(row["gender=female"]), float(row["gender=male"])) for row in images]
    assert confidence["gender"] == pytest.approx(np.mean(said), abs=1e-5)
    assert "nobody's identity" in (whole / SUMMARY).read_text()


def test_a_study_that_was_stopped_in_a_training_ends_as_one_that_was_not(
    whole: Path, asked: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "Training, gender=female 40%, seed 0" and progress.values:
            reporter.cancel()

    reporter = Reporter(stop)
    out = tmp_path / "twice"
    with pytest.raises(Cancelled):
        run_training_ratio(out=out, reporter=reporter, **asked)
    assert len(table(out / IMAGES)) == 70
    assert (out / TRAININGS / name_of(0.4, 0) / "run" / "state").is_dir()
    with (out / IMAGES).open("a") as file:
        file.write("0.4,0,0,fem")  # as if the power had gone
    begun: list[Path] = []
    train = training_ratio.train

    def counting(recipe, data, folder, *rest):
        begun.append(folder)
        return train(recipe, data, folder, *rest)

    monkeypatch.setattr(training_ratio, "train", counting)
    told: list[object] = []
    monkeypatch.setattr(
        "latentlab.audit.run_training_ratio.Partial.tell", lambda self, make: told.append(make())
    )
    run_training_ratio(out=out, **asked)
    assert [one.parent.name for one in begun] == [name_of(0.4, 0), name_of(0.5, 1), name_of(0.4, 1)]
    assert [one.report.data_n for one in told] == [70, 140, 210], "what is known is told after each training"
    names = (IMAGES, GROUPS, REPORT, SUMMARY, CHARTS, "statements.csv", "readable.csv", "settings.json")
    for name in names:
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name
    begun.clear()
    run_training_ratio(out=out, **asked)
    assert not begun, "what is finished is not trained again"
    with pytest.raises(LatentLabError, match="other settings: steps is"):
        run_training_ratio(out=out, **(asked | {"steps": 61}))


def test_the_pictures_behind_every_mark_are_there_and_can_be_drawn_again(
    whole: Path, asked: dict[str, object]
) -> None:
    charts = read_charts(whole)
    assert charts[0].kind == "lines"
    assert charts[0].labels == ("0.4", "0.5")
    assert charts[0].series == ("all seeds", "seed 0", "seed 1")
    assert charts[0].references == {"0.4": 0.4, "0.5": 0.5}
    images = table(whole / IMAGES)
    for chart in charts:
        for mark in chart.marks:
            assert images_behind(whole, chart, mark).n == round(mark.value * mark.n)
    request = StudyRequest.of(json.loads((whole / "request.json").read_text()))
    draw = pictures_of(whole, request)
    judge = Explorer.open(whole / TRAININGS / name_of(0.5, 0), str(asked["predictor"]))
    for place in (3, 69, 200):
        said = judge.judged(draw(Row(place, images[place]))["sample"])["race"]
        told = [float(images[place][f"race={label}"]) for label in ("asian", "black", "brown", "white")]
        np.testing.assert_allclose(said, told, atol=0.01)


def _counted(
    truth: dict[float, float],
    seeds: int,
    spread: float,
    generator: np.random.Generator,
    n: int = 2000,
    validated: int = 1000,
) -> tuple[list[Trained], Confusion]:
    """Simulate trainings that are spread about a true share, and a predictor with known error rates."""
    right = [generator.binomial(validated, alpha) for alpha in ALPHAS]
    confusion = Confusion(
        counts=((int(right[0]), validated - int(right[0])), (validated - int(right[1]), int(right[1])))
    )
    trained = []
    for ratio, share in truth.items():
        shares = []
        for own in np.clip(share + spread * generator.standard_normal(seeds), 0.0, 1.0):
            seen = generator.binomial(n, own * ALPHAS[0] + (1.0 - own) * (1.0 - ALPHAS[1]))
            corrected = corrected_shares([seen, n - seen], confusion)[0].share
            assert corrected is not None
            shares.append(corrected)
        trained.append(Trained(ratio, tuple(shares), n))
    return trained, confusion


@pytest.mark.parametrize(
    ("spread", "n", "validated"),
    [(0.0, 2000, 1000), (0.02, 2000, 1000), (0.0, 100_000, 300)],
    ids=["counting", "trainings", "predictor"],
)
def test_intervals_of_known_truths_hold_their_level_whatever_they_are_uncertain_of(
    spread: float, n: int, validated: int
) -> None:
    generator = np.random.default_rng(1)
    truth = {0.52: 0.63, 0.5: 0.6, 0.4: 0.47}
    held = {"A1": 0, "A2": 0}
    for _ in range(300):
        first, second = statements_of(*_counted(truth, 3, spread, generator, n, validated), "female")
        held["A1"] += first.value.low <= 0.1 <= first.value.high
        held["A2"] += second.value.low <= 0.1 - 0.03 <= second.value.high
    assert held["A1"] >= 276, "at least 92% of what are to be 95%"
    assert held["A2"] >= 276


def test_the_best_of_many_equal_ratios_is_seldom_called_better() -> None:
    generator = np.random.default_rng(2)
    truth = {ratio / 100: 0.58 for ratio in (40, 44, 48, 50, 52, 56, 60)}
    called = naive = 0
    for _ in range(200):
        trained, confusion = _counted(truth, 3, 0.02, generator)
        second = statements_of(trained, confusion, "female")[1]
        called += second.verdict == HOLDS
        naive += second.value.value > 0.0
    assert called <= 10
    assert naive > 150, "the best of six is nearly always better in the numbers themselves"


def test_verdicts_follow_the_truth() -> None:
    generator = np.random.default_rng(3)
    biased = _counted({0.52: 0.64, 0.5: 0.62, 0.4: 0.51}, 4, 0.01, generator)
    first, second = statements_of(*biased, "female")
    assert (first.verdict, second.verdict) == (HOLDS, HOLDS)
    assert "At 0.4 the samples are" in second.because
    fair = _counted({0.52: 0.52, 0.5: 0.5, 0.4: 0.4}, 8, 0.002, generator, 40_000, 50_000)
    first, second = statements_of(*fair, "female")
    assert (first.verdict, second.verdict) == (DOES_NOT, DOES_NOT)
    first, second = statements_of(*_counted({0.5: 0.52, 0.4: 0.45}, 2, 0.05, generator), "female")
    assert (first.verdict, second.verdict) == (UNSURE, UNSURE)
    once = _counted({0.5: 0.7, 0.4: 0.5}, 1, 0.0, generator)
    for statement in statements_of(*once, "female"):
        assert statement.verdict == UNSURE
        assert "several seeds" in statement.because
    first, second = statements_of(*_counted({0.6: 0.7, 0.4: 0.5}, 3, 0.0, generator), "female")
    assert (first.value, second.value) == (None, None)
    for statement in statements_of(*biased, "female", "Nobody can read them."):
        assert (statement.verdict, statement.because) == (UNSURE, "Nobody can read them.")


def test_samples_that_are_as_blurred_as_a_guess_are_not_concluded_from() -> None:
    sure = Readable("gender", 2, real=0.99, samples=0.95, n_real=100, n=100)
    assert not unreadable_words(sure)
    assert "cannot be read" in unreadable_words(replace(sure, samples=0.8))
    assert not unreadable_words(replace(sure, classes=5, samples=0.8)), "80% is far from chance among five"


def test_untrained_models_say_nothing_and_the_bundled_predictor_reads_real_images(data: str) -> None:
    audit = run_training_ratio(
        data, ratios=(0.5,), seeds=(0, 1), n=8, steps=2, attributes=("gender",), predictor="faces-attributes"
    )
    readable = {one["attribute"]: one for one in audit.tables["readable.csv"]}
    assert list(readable) == ["gender"]
    assert readable["gender"]["confidence_real"] > 0.95
    assert readable["gender"]["readable"] == "no"
    assert {row["verdict"] for row in audit.tables["statements.csv"]} == {UNSURE}
    assert "cannot be read" in " ".join(audit.summary)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"n": 0}, "At least one sample"),
        ({"seeds": (1, 1)}, "different numbers"),
        ({"seeds": (-1,)}, "0 or more"),
        ({"ratios": ()}, "Ratios are"),
        ({"ratios": (0.5, 0.5)}, "different shares"),
        ({"ratios": (0.5, 1.0)}, "more than 0 and less than 1"),
        ({"ratios": (float("nan"),)}, "more than 0 and less than 1"),
        ({"ratios": (0.999,)}, "not one of .* images of .* would be gender=male"),
        ({"attribute": "hat"}, "hat"),
        ({"attribute": "race"}, "4 classes, not two"),
        ({"attributes": ("hat",)}, "no attribute 'hat'"),
        ({"steps": 0}, "at least one step"),
        ({"image_size": 33}, "multiple"),
        ({"latent": 0}, "latent"),
        ({"data": "moon"}, "moon"),
        ({"predictor": None}, "Nobody judges"),
        ({"predictor": "faces-vae"}, "not an attribute predictor"),
    ],
)
def test_bad_input_is_refused_before_any_work(
    asked: dict[str, object], tmp_path: Path, wrong: dict[str, object], said: str
) -> None:
    with pytest.raises(LatentLabError, match=said):
        run_training_ratio(**(asked | {"out": tmp_path / "audit"} | wrong))
    assert not (tmp_path / "audit").exists()


def test_a_class_without_images_and_an_unusable_folder_are_refused(
    tiny_faces: ImageSet, asked: dict[str, object], tmp_path: Path
) -> None:
    women = tiny_faces.select(tiny_faces.codes("gender") == 0)
    folder = copy_image_set(tmp_path / "women", women)
    with pytest.raises(LatentLabError, match="no image with gender=male"):
        run_training_ratio(**(asked | {"data": f"{folder}:train"}))
    few = copy_image_set(tmp_path / "few", tiny_faces.select(np.arange(70)))
    with pytest.raises(LatentLabError, match="at least 64 are needed"):
        run_training_ratio(**(asked | {"data": f"{few}:train"}))
    (tmp_path / "file").write_text("")
    with pytest.raises(LatentLabError, match="cannot be made"):
        run_training_ratio(**(asked | {"out": tmp_path / "file"}))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(LatentLabError, match="other files"):
        run_training_ratio(**(asked | {"out": tmp_path / "full"}))


def test_a_request_and_the_command_do_the_study(
    asked: dict[str, object], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data, predictor = str(asked["data"]), str(asked["predictor"])
    request = StudyRequest(
        "training-ratio",
        data=data,
        ratios=(0.5,),
        seeds=(3,),
        n=5,
        steps=3,
        image_size=16,
        predictor=predictor,
    )
    audit = run_study(request)
    call = ["audit", "training-ratio", "--data", data, "--ratios", "0.5", "--seeds", "3", "--n", "5"]
    out = ["--steps", "3", "--image-size", "16", "--predictor", predictor, "--out", str(tmp_path / "audit")]
    assert run([*call, *out, "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == audit.report.record()
    assert run([*call, "--seeds", "1.5"]) == 2
    assert "whole numbers" in capfd.readouterr().err
