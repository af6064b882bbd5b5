"""The generation study: what it draws, counts, keeps and refuses."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from latentlab.audit.generation import (
    GenerationSettings,
    _every_combination,
    count_generation,
    redraw,
)
from latentlab.audit.reference import Reference, reference_of
from latentlab.audit.report import GROUPS, REPORT, SUMMARY
from latentlab.audit.runs import run_generation
from latentlab.audit.study_folder import IMAGES
from latentlab.checkpoints import save
from latentlab.checkpoints.companion import load_model
from latentlab.cli.main import run
from latentlab.errors import Cancelled, DataError, SettingsError
from latentlab.operations.explore import Explorer
from latentlab.progress import Progress, Reporter


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def tiny(tiny_model_folder: Path, tiny_predictor_folder: Path) -> dict[str, str]:
    return {"model": str(tiny_model_folder), "predictor": str(tiny_predictor_folder)}


def test_every_image_has_a_row_and_every_class_a_share(tiny: dict[str, str], tmp_path: Path) -> None:
    audit = run_generation(
        [tiny["model"]], n=100, seeds=(0, 1), predictor=tiny["predictor"], out=tmp_path / "audit"
    )
    images = table(tmp_path / "audit" / IMAGES)
    assert [(row["seed"], row["image"]) for row in images] == [
        (str(seed), str(k)) for seed in (0, 1) for k in range(100)
    ]
    groups = table(tmp_path / "audit" / GROUPS)
    for row in groups:
        of_seed = [one for one in images if row["seed"] in ("all", one["seed"])]
        predicted = sum(one[row["attribute"]] == row["class"] for one in of_seed)
        assert (int(row["count"]), int(row["n"])) == (predicted, len(of_seed))
        mean = np.mean([float(one[f"{row['attribute']}={row['class']}"]) for one in of_seed])
        assert float(row["mean_probability"]) == pytest.approx(mean, abs=1e-4)
        assert float(row["low"]) <= float(row["share"]) <= float(row["high"])
        assert float(row["reference"]) == pytest.approx(1 / (4 if row["attribute"] == "race" else 2))
        assert row["not_corrected"].startswith("not corrected"), "the tiny predictor tells no errors"
    assert {row["seed"] for row in groups} == {"all", "0", "1"}
    cells = table(tmp_path / "audit" / "cells.csv")
    assert len(cells) == 2 * 4 * 2 * 2
    assert sum(int(row["count"]) for row in cells) == 200
    measures = {
        (row["seed"], row["attribute"], row["measure"]): row
        for row in table(tmp_path / "audit" / "measures.csv")
    }
    shares = [float(row["share"]) for row in groups if row["seed"] == "all" and row["attribute"] == "race"]
    apart = float(measures["all", "race", "largest_deviation"]["value"])
    assert apart == pytest.approx(max(abs(share - 0.25) for share in shares), abs=1e-5)
    record = json.loads((tmp_path / "audit" / REPORT).read_text())
    assert record["metrics"]["share.gender=male"]["n"] == 200
    assert {"fairness_discrepancy.race", "gap.race"} <= record["metrics"].keys()
    assert "seed=1" in " ".join(record["groups"])
    assert audit.report.json() == (tmp_path / "audit" / REPORT).read_text()
    assert "nobody's identity" in (tmp_path / "audit" / SUMMARY).read_text()


def test_an_interrupted_study_goes_on_and_ends_as_one_that_was_not(
    tiny: dict[str, str], tmp_path: Path
) -> None:
    asked = {"n": 200, "seeds": (3, 5), "predictor": tiny["predictor"]}
    whole = run_generation([tiny["model"]], out=tmp_path / "whole", **asked)

    def stop(progress: Progress) -> None:
        if progress.done >= 328:  # in the second seed, after a part that is not full ended the first
            reporter.cancel()

    reporter = Reporter(stop)
    with pytest.raises(Cancelled):
        run_generation([tiny["model"]], out=tmp_path / "twice", reporter=reporter, **asked)
    images = tmp_path / "twice" / IMAGES
    assert 328 <= len(table(images)) < 400
    with images.open("a") as file:
        file.write("tiny-vae,5,128,male,0.")  # as if the power had gone
    again = run_generation([tiny["model"]], out=tmp_path / "twice", **asked)
    assert again.report.json() == whole.report.json()
    for name in (IMAGES, GROUPS, "cells.csv"):
        assert (tmp_path / "twice" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    with pytest.raises(SettingsError, match="other settings: n is"):
        run_generation([tiny["model"]], out=tmp_path / "twice", **(asked | {"n": 199}))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(SettingsError, match="other files"):
        run_generation([tiny["model"]], out=tmp_path / "full", **asked)


def test_a_study_that_was_cut_off_in_its_first_part_begins_again(
    tiny: dict[str, str], tmp_path: Path
) -> None:
    asked = {"n": 70, "predictor": tiny["predictor"]}
    run_generation([tiny["model"]], out=tmp_path / "whole", **asked)
    whole = (tmp_path / "whole" / IMAGES).read_bytes()
    for left in (0, 20, 400):
        out = tmp_path / f"cut-{left}"
        shutil.copytree(tmp_path / "whole", out)
        (out / IMAGES).write_bytes(whole[:left])
        run_generation([tiny["model"]], out=out, **asked)
        assert (out / IMAGES).read_bytes() == whole
    (out / IMAGES).write_text("mine,too\n")
    with pytest.raises(SettingsError, match="other columns"):
        run_generation([tiny["model"]], out=out, **asked)


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: [lines[0], lines[1].replace(b"male,", b"mole,", 1), *lines[2:]],
        lambda lines: [lines[0], lines[1].rpartition(b",")[0] + b"\n", *lines[2:]],
        lambda lines: [lines[0], lines[1].rpartition(b",")[0] + b",much\n", *lines[2:]],
        lambda lines: [lines[0], lines[1].replace(b"male,", b"m\xffle,", 1), *lines[2:]],
    ],
    ids=["order", "class", "cells", "number", "bytes"],
)
def test_a_table_that_was_changed_is_refused(tiny: dict[str, str], tmp_path: Path, damage) -> None:
    asked = {"n": 70, "predictor": tiny["predictor"], "out": tmp_path / "audit"}
    run_generation([tiny["model"]], **asked)
    images = tmp_path / "audit" / IMAGES
    lines = images.read_bytes().splitlines(keepends=True)
    changed = damage(lines)
    assert changed != lines
    images.write_bytes(b"".join(changed))
    with pytest.raises(SettingsError, match=r"images\.csv (was changed|cannot be read)"):
        run_generation([tiny["model"]], **asked)


def test_what_one_sample_shows_is_not_called_certain(tiny: dict[str, str]) -> None:
    audit = run_generation([tiny["model"]], n=1, predictor=tiny["predictor"])
    for row in audit.tables["measures.csv"]:
        assert row["high"] - row["low"] > 0.3, row
    for row in audit.rows:
        assert row["mean_probability_high"] - row["mean_probability_low"] > 0.3, row


def test_rows_are_counted_for_whom_they_were_drawn(
    tiny: dict[str, str], idle_model_folder: Path, tmp_path: Path
) -> None:
    models = [tiny["model"], str(idle_model_folder)]
    asked = {"n": 10, "predictor": tiny["predictor"], "out": tmp_path / "audit"}
    run_generation(models, **asked)
    with pytest.raises(SettingsError, match="other settings: models is"):
        run_generation(models[::-1], **asked)
    images = tmp_path / "audit" / IMAGES
    images.write_text(images.read_text().replace("tiny-vae,0,3,", "tiny-vae,0,4,"))
    with pytest.raises(SettingsError, match="was changed"):
        run_generation(models, **asked)


def test_what_a_dataset_cannot_show_is_not_counted(
    tiny_cinn_folder: Path, tiny_judge_folder: Path, tmp_path: Path
) -> None:
    opened = load_model(tiny_cinn_folder)
    schema = opened.network.spec.condition
    unseen = opened.network.spec.model_copy(update={"cannot_show": {"ink": ("hair",)}})
    config = opened.located.config.model_copy(update={"model": unseen})
    folder = save(tmp_path / "cinn", opened.network, config)
    run_generation([str(folder)], n=60, predictor=str(tiny_judge_folder), out=tmp_path / "audit")
    explorer = Explorer.open(folder, str(tiny_judge_folder))
    told = _every_combination(explorer)
    assert len(told) == 3, "the mode is its default"
    assert told[:, schema.slice("mode")].tolist() == [[0.0, 1.0]] * 3
    images = table(tmp_path / "audit" / IMAGES)
    blank = [row for row in images if row["hair"] == ""]
    assert 0 < len(blank) < 60
    assert all(row["style"] for row in images)
    counted = {row["attribute"]: int(row["n"]) for row in table(tmp_path / "audit" / GROUPS)}
    assert counted == {"hair": 60 - len(blank), "style": 60}


def test_two_models_are_counted_alike_and_compared(
    tiny: dict[str, str], idle_model_folder: Path, tmp_path: Path
) -> None:
    models = [tiny["model"], str(idle_model_folder)]
    run_generation(models, n=64, predictor=tiny["predictor"], out=tmp_path / "audit")
    groups = {
        (row["model"], row["attribute"], row["class"]): float(row["share"])
        for row in table(tmp_path / "audit" / GROUPS)
    }
    compared = table(tmp_path / "audit" / "comparisons.csv")
    assert len(compared) == 10
    for row in compared:
        assert (row["model"], row["against"]) == ("idle-vae", "tiny-vae")
        shares = [groups[model, row["attribute"], row["class"]] for model in ("idle-vae", "tiny-vae")]
        assert float(row["difference"]) == pytest.approx(shares[0] - shares[1], abs=1e-5)
        assert float(row["low"]) <= float(row["difference"]) <= float(row["high"])


def test_the_picture_behind_a_row_can_be_drawn_again(tiny: dict[str, str], tmp_path: Path) -> None:
    run_generation([tiny["model"]], n=70, seeds=(2,), predictor=tiny["predictor"], out=tmp_path / "audit")
    explorer = Explorer.open(tiny["model"], tiny["predictor"])
    settings = GenerationSettings(70, (2,))
    for row in table(tmp_path / "audit" / IMAGES)[60:70:3]:
        picture = redraw(explorer, settings, Reference("uniform"), 2, int(row["image"]))
        said = explorer.judged(picture)["race"]
        races = ("asian", "black", "brown", "white")
        told = [float(row[f"race={label}"]) for label in races]
        np.testing.assert_allclose(said, told, atol=0.01)


def test_a_conditional_models_samples_are_told_what_the_reference_has(
    tiny_cvae_folder: Path, tiny_predictor_folder: Path, tiny_faces
) -> None:
    explorer = Explorer.open(tiny_cvae_folder, tiny_predictor_folder)
    women = tiny_faces.select(np.flatnonzero(tiny_faces.codes("gender") == 0))
    pictures = {
        name: redraw(explorer, settings, reference, 0, 5)
        for name, settings, reference in (
            ("any", GenerationSettings(8), Reference("uniform")),
            ("women", GenerationSettings(8), Reference("women", {}, women)),
            ("men", GenerationSettings(8, condition="gender=male"), Reference("uniform")),
        )
    }
    assert not np.array_equal(pictures["women"], pictures["men"])
    counted = count_generation(
        {"cvae": explorer}, GenerationSettings(10, condition="gender=male"), Reference("uniform")
    )
    assert counted["cvae", 0].n == 10
    with pytest.raises(SettingsError, match="robot"):
        count_generation(
            {"cvae": explorer}, GenerationSettings(10, condition="gender=robot"), Reference("uniform")
        )


def test_truncation_draws_nearer_pictures(tiny: dict[str, str]) -> None:
    explorer = Explorer.open(tiny["model"], tiny["predictor"])

    def spread(truncation: float) -> float:
        settings = GenerationSettings(64, truncation=truncation)
        pictures = [redraw(explorer, settings, Reference("uniform"), 0, k) for k in range(16)]
        return float(np.std(np.stack(pictures).astype(float), axis=0).mean())

    assert spread(0.3) < 0.6 * spread(1.0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"n": 0}, "At least one sample"),
        ({"seeds": (1, 1)}, "different numbers"),
        ({"attributes": ("hat",)}, "no attribute 'hat'"),
        ({"truncation": 0.0}, "truncation"),
        ({"condition": "gender=male"}, "has no condition"),
        ({"reference": "training"}, "does not say what it was trained on"),
        ({"reference": "moon"}, "no image set 'moon'"),
        ({"predictor": ""}, "Nobody judges"),
    ],
)
def test_bad_input_is_refused_before_anything_is_drawn(
    tiny: dict[str, str], tmp_path: Path, wrong: dict[str, object], said: str
) -> None:
    asked: dict[str, object] = {"n": 10, "predictor": tiny["predictor"], "out": tmp_path / "audit"}
    with pytest.raises((SettingsError, DataError), match=said):
        run_generation([tiny["model"]], **(asked | wrong))
    assert not (tmp_path / "audit").exists()


def test_the_reference_is_uniform_the_training_set_or_a_set() -> None:
    explorer = Explorer.open("faces-vae")
    attributes = explorer.predictor_spec.attributes
    uniform, training, test = (
        reference_of(wish, attributes, explorer.located.config, 64)
        for wish in ("uniform", "training", "faces:test")
    )
    np.testing.assert_allclose(uniform.shares["race"], 0.25)
    assert training.name == "faces:train"
    codes = test.images.codes("glasses")
    np.testing.assert_allclose(test.shares["glasses"], np.bincount(codes, minlength=2) / len(codes))
    assert training.shares["gender"].sum() == pytest.approx(1.0)


def test_the_bundled_models_samples_are_corrected_and_compared(capfd: pytest.CaptureFixture[str]) -> None:
    call = ["audit", "generation", "faces-vae", "--n", "128", "--attributes", "gender,glasses"]
    assert run([*call, "--reference", "training", "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    assert record["command"] == "audit generation"
    raw, corrected = (record["metrics"][f"{name}.gender=female"] for name in ("share", "corrected_share"))
    assert abs(raw["value"] - corrected["value"]) < 0.05
    assert corrected["high"] - corrected["low"] > raw["high"] - raw["low"] - 1e-6
    assert record["settings"]["reference"] == "faces:train"
    for seeds in ("0,1.5", "inf", "nan"):
        assert run([*call, "--seeds", seeds]) == 2
        assert "whole numbers" in capfd.readouterr().err
    assert run(call) == 0
    assert "of 128 samples are predicted" in capfd.readouterr().out
