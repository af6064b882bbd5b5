"""The reconstruction study: its balanced choice, its counts, its gaps, and what it refuses."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.audit.reconstruction import (
    ReconstructionSettings,
    Survived,
    choose_balanced,
)
from latentlab.audit.reconstruction_table import results_of, sentences, statement_rows
from latentlab.audit.report import DOES_NOT, GROUPS, HOLDS, REPORT, UNSURE
from latentlab.audit.runs import run_reconstruction
from latentlab.audit.study_folder import IMAGES
from latentlab.cli.main import run
from latentlab.errors import Cancelled, DataError, SettingsError
from latentlab.operations.explore import Explorer
from latentlab.progress import Progress, Reporter


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return Explorer.open("faces-vae")


def test_as_many_images_of_each_group_are_chosen(explorer: Explorer) -> None:
    from latentlab.data.faces import open_faces

    faces = open_faces(64).split("test")
    chosen = choose_balanced(explorer, faces, ReconstructionSettings(7))
    assert len(chosen.names) == 8
    assert np.bincount(chosen.group).tolist() == [7] * 8
    for place, name in enumerate(chosen.names):
        rows = np.flatnonzero(chosen.group == place)
        for part in name.split(","):
            attribute, _, label = part.partition("=")
            classes = next(one.classes for one in chosen.attributes if one.name == attribute)
            assert {classes[k] for k in chosen.labels[attribute][rows]} == {label}
    again = choose_balanced(explorer, faces, ReconstructionSettings(7))
    other = choose_balanced(explorer, faces, ReconstructionSettings(7, seed=1))
    assert np.array_equal(chosen.images.rows, again.images.rows)
    assert not np.array_equal(chosen.images.rows, other.images.rows)


def test_a_group_that_suffers_is_found_and_equal_ones_are_not(explorer: Explorer) -> None:
    from latentlab.data.faces import open_faces

    faces = open_faces(64).split("test")
    chosen = choose_balanced(
        explorer, faces, ReconstructionSettings(60, groups=("gender",), attributes=("glasses", "facial_hair"))
    )
    n = len(chosen.images) // 2
    alike, worse = np.diag([40, 20]), np.array([[40, 0], [14, 6]])
    found = Survived(
        {name: np.stack([alike, alike]) for name in ("glasses", "facial_hair")},
        {"glasses": np.stack([alike, worse]), "facial_hair": np.stack([alike, alike])},
        [list(np.random.default_rng(g).normal(5.0, 1.0, n)) for g in (0, 1)],
    )
    results = results_of(found, chosen)
    glasses, hair, error = results.gaps
    assert (glasses.attribute, glasses.highest, glasses.lowest) == (
        "glasses",
        "gender=female",
        "gender=male",
    )
    assert glasses.gap.value == pytest.approx(14 / 60)
    assert glasses.adjusted < 0.01
    assert glasses.gap.low > 0.0
    assert glasses.ratio.value == pytest.approx(46 / 60)
    assert glasses.ratio.high < 0.95
    assert hair.gap.value == 0.0
    assert hair.adjusted == 1.0
    assert error.adjusted > 0.05
    assert [one.verdict for one in (glasses, hair)] == [HOLDS, UNSURE], "so few images do not show likeness"
    stated = {row["attribute"]: row for row in statement_rows(results)}
    assert (stated["glasses"]["verdict"], stated["glasses"]["low"]) == (HOLDS, glasses.gap.low)
    assert replace(hair, gap=replace(hair.gap, high=0.015)).verdict == DOES_NOT
    said = sentences(results)
    assert said[0].endswith("this holds for glasses; cannot be said for facial hair.")
    assert "more than chance" in said[1]
    assert "as often in every group: 100.0%" in said[2]
    assert "chance may explain it" in said[3]
    assert said[4].startswith("Whether the predictor sees")
    assert "adjusted for all gaps told here (3)" in said[5]
    assert "Whether the judge sees" in sentences(results, outside=True)[4]
    assert "as whoever judged them tells them apart" in sentences(results, outside=True)[-1]


def test_rows_groups_confusions_and_gaps_agree_and_it_resumes(explorer: Explorer, tmp_path: Path) -> None:
    asked = {"per_group": 9, "groups": ("race",), "attributes": ("race", "glasses")}
    whole = run_reconstruction("faces-vae", "faces:test", out=tmp_path / "whole", **asked)
    images = table(tmp_path / "whole" / IMAGES)
    assert len(images) == 36
    groups = {(row["group"], row["figure"]): row for row in table(tmp_path / "whole" / GROUPS)}
    for label in ("asian", "black", "brown", "white"):
        rows = [row for row in images if row["group"] == f"race={label}"]
        assert {row["race"] for row in rows} == {label}
        survived = sum(row["glasses_reconstructed"] == row["glasses"] for row in rows)
        assert float(groups[f"race={label}", "survival.glasses"]["value"]) == pytest.approx(survived / 9)
        error = np.mean([float(row["error_255"]) for row in rows])
        assert float(groups[f"race={label}", "error_255"]["value"]) == pytest.approx(error, rel=1e-5)
    confusion = table(tmp_path / "whole" / "confusion.csv")
    assert sum(int(row["of_reconstructions"]) for row in confusion if row["attribute"] == "race") == 36
    amplified = {row["to"]: row for row in table(tmp_path / "whole" / "bias_amplification.csv")}
    assert float(amplified["race"]["original"]) == 0.0, "the judge is right of all of them"
    record = json.loads((tmp_path / "whole" / REPORT).read_text())
    assert {"survival.race", "original.glasses", "error_255", "gap.race", "gap_p_holm.error_255"} <= record[
        "metrics"
    ].keys()
    assert 2.0 < record["metrics"]["error_255"]["value"] < 9.0
    assert record["groups"]["race=asian"]["survival.race"]["n"] == 9
    assert any("fewer than 30" in note for note in record["notes"])
    few = next(line for line in whole.summary if "fewer than 30" in line)
    assert few == (
        "Of 4 groups there are fewer than 30 images: asian; black; brown; and 1 more; "
        "their figures say little."
    )
    assert whole.summary[whole.summary.index(few) + 1].startswith("Whether the predictor")
    # one that was stopped
    reporter = Reporter(lambda progress: reporter.cancel() if progress.stage.startswith("Recon") else None)
    big = asked | {"per_group": 40}
    with pytest.raises(Cancelled):
        run_reconstruction("faces-vae", "faces:test", out=tmp_path / "twice", reporter=reporter, **big)
    assert len(table(tmp_path / "twice" / IMAGES)) == 64
    counted: list[Progress] = []
    run_reconstruction(
        "faces-vae", "faces:test", out=tmp_path / "twice", reporter=Reporter(counted.append), **big
    )
    assert counted[0].done == 64
    run_reconstruction("faces-vae", "faces:test", out=tmp_path / "at-once", **big)
    for name in (IMAGES, GROUPS, "gaps.csv", "confusion.csv", "bias_amplification.csv", REPORT):
        assert (tmp_path / "twice" / name).read_bytes() == (tmp_path / "at-once" / name).read_bytes(), name
    assert whole.report.data_n == 36


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"per_group": 0}, "At least one image"),
        ({"attributes": ("hat",)}, "no attribute 'hat'"),
        ({"groups": ("hat",)}, "hat"),
        ({"seed": -1}, "seed"),
        ({"data": "moon"}, "no image set"),
    ],
)
def test_bad_input_is_refused_before_any_work(wrong: dict[str, object], said: str, tmp_path: Path) -> None:
    asked: dict[str, object] = {"data": "faces:test", "out": tmp_path / "audit"}
    with pytest.raises((SettingsError, DataError), match=said):
        run_reconstruction("faces-vae", **(asked | wrong))
    assert not (tmp_path / "audit").exists()


def test_the_command_says_what_was_found(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    call = ["audit", "reconstruction", "faces-vae", "--data", "faces:test", "--per-group", "8"]
    assert run([*call, "--groups", "gender", "--out", str(tmp_path / "audit")]) == 0
    out = capfd.readouterr().out
    assert "the error is" in out
    assert str(tmp_path / "audit") in out
    assert (tmp_path / "audit" / "gaps.csv").exists()
