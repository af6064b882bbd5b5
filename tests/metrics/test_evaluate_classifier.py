"""A predictor's evaluation agrees with its own answers counted by hand; bad input is refused in words."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.checkpoints import load
from latentlab.cli.main import run
from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.errors import Cancelled, DataError, SettingsError
from latentlab.families.resized import resized
from latentlab.metrics.evaluate_classifier import ClassifierEvaluation, evaluate_classifier
from latentlab.metrics.labels import identities
from latentlab.metrics.passes import judge_set
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute

NAMES = ("gender", "race", "glasses", "facial_hair")


@pytest.fixture(scope="module")
def predictor(tiny_predictor_folder: Path):
    return load(tiny_predictor_folder).network


@pytest.fixture(scope="module")
def test_rows(tiny_faces: ImageSet) -> ImageSet:
    return tiny_faces.split("test")


@pytest.fixture(scope="module")
def found(predictor, test_rows: ImageSet) -> ClassifierEvaluation:
    return evaluate_classifier(predictor, test_rows)


@pytest.fixture(scope="module")
def answers(predictor, test_rows: ImageSet) -> dict[str, np.ndarray]:
    with torch.inference_mode():
        p = predictor.predict(images_to_tensor(test_rows.pixels(slice(0, None))))
    return {name: values.numpy() for name, values in p.items()}


def test_accuracy_is_the_mean_recall_of_the_predictors_own_answers(found, test_rows, answers):
    for name in NAMES:
        truth, predicted = test_rows.codes(name), answers[name].argmax(axis=1)
        recalls = [np.mean(predicted[truth == k] == k) for k in np.unique(truth)]
        estimate = found.metrics[f"accuracy.{name}"]
        assert estimate.value == pytest.approx(np.mean(recalls))
        assert estimate.n == len(test_rows)
        assert 0.0 <= estimate.low <= estimate.value <= estimate.high <= 1.0


def test_each_group_has_every_metric_on_its_own_images(found, test_rows, answers):
    members = test_rows.groups(("gender", "race"))
    assert set(found.groups) == {group for group, rows in members.items() if len(rows)}
    for group, metrics in found.groups.items():
        assert set(metrics) == {f"{m}.{name}" for m in ("accuracy", "calibration_error") for name in NAMES}
        rows = members[group]
        truth, predicted = test_rows.codes("gender")[rows], answers["gender"][rows].argmax(axis=1)
        assert metrics["accuracy.gender"].value == pytest.approx(np.mean(truth == predicted))
        assert metrics["accuracy.gender"].n == len(rows)


def test_confusion_matrices_of_the_groups_add_up_to_the_whole(found):
    for name in NAMES:
        whole = found.confusion[name].array()
        assert whole.sum() == 96
        assert (sum(group[name].array() for group in found.group_confusion.values()) == whole).all()


def test_small_groups_are_named(found):
    assert any("Fewer than 30 images in: gender=female,race=asian" in note for note in found.notes)


def test_the_same_seed_gives_the_same_figures(predictor, test_rows, found):
    assert evaluate_classifier(predictor, test_rows).metrics == found.metrics
    other = evaluate_classifier(predictor, test_rows, seed=1, groups=["gender"]).metrics
    assert other != found.metrics
    assert other["accuracy.race"] == found.metrics["accuracy.race"]
    assert other["calibration_error.race"].value == found.metrics["calibration_error.race"].value


def relabelled(data: ImageSet, name: str, classes: tuple[str, ...], codes: np.ndarray) -> ImageSet:
    """Return the set with one attribute's classes and labels replaced, codes for the selected rows."""
    attributes = tuple(
        Attribute(name=name, classes=classes, origin="constructed") if a.name == name else a
        for a in data.info.attributes
    )
    labels = dict(data.labels)
    labels[name] = labels[name].copy()
    labels[name][data.rows] = codes
    return replace(data, info=data.info.model_copy(update={"attributes": attributes}), labels=labels)


def test_classes_are_matched_by_name_not_by_position(predictor, test_rows, found):
    swapped = relabelled(test_rows, "gender", ("male", "female"), 1 - test_rows.codes("gender"))
    again = evaluate_classifier(predictor, swapped, groups=[])
    assert again.metrics["accuracy.gender"] == found.metrics["accuracy.gender"]
    assert again.groups == {}


def test_labels_that_are_unknown_or_not_the_predictors_are_left_out_and_said(predictor, test_rows):
    codes = test_rows.codes("glasses").copy()
    codes[:10] = -1
    codes[10:15] = 2
    some = relabelled(test_rows, "glasses", ("no", "yes", "monocle"), codes)
    again = evaluate_classifier(predictor, some, groups=[])
    assert again.metrics["accuracy.glasses"].n == len(test_rows) - 15
    assert "glasses: 15 images without a label that the predictor knows." in again.notes


def test_a_set_without_any_of_the_attributes_is_refused(predictor, test_rows):
    bare = replace(test_rows, info=test_rows.info.model_copy(update={"attributes": ()}), labels={})
    with pytest.raises(DataError, match="has labels for none of the predictor's attributes"):
        evaluate_classifier(predictor, bare)


def test_a_set_of_another_size_is_refused(predictor, test_rows):
    larger = replace(test_rows, info=test_rows.info.model_copy(update={"image_size": 64}))
    with pytest.raises(SettingsError, match="works at 32 px"):
        evaluate_classifier(predictor, larger)


@pytest.mark.parametrize(
    ("groups", "error", "said"),
    [
        (["age"], DataError, "no attribute 'age'"),
        (["gender", "race", "hair", "skin", "hair_color"], SettingsError, "at most 64"),
    ],
)
def test_groups_that_cannot_be_formed_are_refused(predictor, test_rows, groups, error, said):
    with pytest.raises(error, match=said):
        evaluate_classifier(predictor, test_rows, groups=groups)


def test_identities_are_the_avatars_persons_and_else_the_images(test_rows):
    assert identities(test_rows) is None
    assert identities(test_rows.select(np.array([0, 1, 0, 2]))).tolist() == [0, 1, 0, 2]
    avatars = test_rows.info.model_copy(update={"source": {"kind": "avatars"}})
    names = np.array([f"{k // 2:05d}:{'lorelei' if k % 2 else 'micah'}" for k in range(len(test_rows.names))])
    drawn = replace(test_rows, info=avatars, names=names, rows=np.array([0, 1, 2, 5]))
    assert identities(drawn).tolist() == [0, 0, 1, 2]


def test_progress_is_told_and_cancelling_stops_at_the_next_batch(predictor, test_rows):
    events: list[Progress] = []

    def listen(event: Progress) -> None:
        events.append(event)
        reporter.cancel()

    reporter = Reporter(listen)
    with pytest.raises(Cancelled):
        judge_set(predictor, test_rows, torch.device("cpu"), reporter)
    assert [(event.done, event.total) for event in events] == [(64, 96)]


def test_pictures_of_another_size_are_resized_for_the_predictor():
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert resized(image, 2).flatten().tolist() == [2.5, 4.5, 10.5, 12.5]
    assert resized(image, 4) is image
    assert resized(image, 8).shape == (1, 1, 8, 8)


def test_the_command_prints_exactly_one_json_object(
    tiny_predictor_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    table = tmp_path / "table.csv"
    call = ["evaluate", "classifier", str(tiny_predictor_folder), "--data", "faces:test"]
    assert run([*call, "--json", "--table", str(table), "--device", "cpu"]) == 0
    report = json.loads(capsys.readouterr().out)
    keys = "command version checkpoint data seed device settings metrics groups notes"
    assert list(report) == keys.split()
    assert report["command"] == "evaluate classifier"
    assert report["checkpoint"]["path"] == str(tiny_predictor_folder)
    assert len(report["checkpoint"]["sha256"]) == 64
    assert report["data"] == {"path": "faces:test", "n": 2048}
    assert (report["seed"], report["device"]) == (0, "cpu")
    assert set(report["metrics"]["accuracy.race"]) == {"value", "low", "high", "n"}
    assert report["groups"]["gender=male,race=white"]["accuracy.glasses"]["n"] == 256
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(map(len, [report["metrics"], *report["groups"].values()]))
    assert float(rows[0]["value"]) == report["metrics"][rows[0]["metric"]]["value"]


def test_the_command_prints_a_table_for_people(
    tiny_predictor_folder: Path, capsys: pytest.CaptureFixture[str]
):
    call = ["evaluate", "classifier", str(tiny_predictor_folder), "--data", "faces:test"]
    assert run([*call, "--groups", "gender"]) == 0
    out = capsys.readouterr().out
    assert "calibration_error.facial_hair" in out
    assert "female" in out
    assert "2,048" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "--data", "faces:test"], "There is no checkpoint nowhere"),
        (["MODEL", "--data", "faces:test"], "is a model, not an attribute predictor"),
        (["PREDICTOR", "--data", "nowhere"], "nowhere"),
        (["PREDICTOR", "--data", "faces:test", "--device", "abacus"], "Device 'abacus' is unknown"),
        (["PREDICTOR", "--data", "faces:test", "--groups", "age"], "no attribute 'age'"),
        (["PREDICTOR", "--data", "faces:test", "--seed", "-1"], "The seed must be"),
        (["PREDICTOR"], "Missing option '--data'"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(
    arguments: list[str],
    said: str,
    tiny_model_folder: Path,
    tiny_predictor_folder: Path,
    capfd: pytest.CaptureFixture[str],
):
    paths = {"MODEL": str(tiny_model_folder), "PREDICTOR": str(tiny_predictor_folder)}
    assert run(["evaluate", "classifier", *(paths.get(a, a) for a in arguments), "--json"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err


def test_a_table_that_cannot_be_written_is_named_before_the_work(
    tiny_predictor_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    call = ["evaluate", "classifier", str(tiny_predictor_folder), "--data", "nowhere", "--json"]
    assert run([*call, "--table", str(tmp_path / "no" / "table.csv")]) == 2
    assert "table.csv cannot be written: its folder does not exist" in capfd.readouterr().err
    assert run([*call, "--table", str(tmp_path)]) == 2
    assert "it is a folder" in capfd.readouterr().err


def test_help_needs_no_torch():
    code = (
        "import sys; from latentlab.cli.main import run; "
        "status = run(['evaluate', 'reconstruction', '--help']); "
        "sys.exit(status or ('torch' in sys.modules) * 3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Example: latentlab evaluate reconstruction" in done.stdout
