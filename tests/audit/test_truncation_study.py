"""The truncation study: what it draws, counts, compares, keeps and refuses."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from latentlab.audit import carry_out
from latentlab.audit.charts import read_charts
from latentlab.audit.generation import GenerationSettings
from latentlab.audit.generation_table import class_shares
from latentlab.audit.images_behind import Row, images_behind
from latentlab.audit.partial import Partial
from latentlab.audit.reference import UNIFORM, reference_of
from latentlab.audit.report import GROUPS, REPORT, SUMMARY, Audit
from latentlab.audit.request_file import read_request
from latentlab.audit.run_truncation import pictures_of
from latentlab.audit.runs import run_generation, run_study, run_truncation
from latentlab.audit.study_folder import IMAGES
from latentlab.audit.study_plan import StudyRequest
from latentlab.audit.truncation import count_truncations, in_order
from latentlab.audit.truncation_table import sentences, shifts_of
from latentlab.checkpoints.companion import load_model, load_predictor
from latentlab.cli.main import run
from latentlab.errors import Cancelled, DataError, SettingsError
from latentlab.metrics.gaps import difference
from latentlab.operations.explore import Explorer
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute, ModelSpec, PredictorSpec


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def tiny(tiny_model_folder: Path, tiny_predictor_folder: Path) -> dict[str, str]:
    return {"model": str(tiny_model_folder), "predictor": str(tiny_predictor_folder)}


def test_its_samples_are_those_of_the_generation_study(tiny: dict[str, str], tmp_path: Path) -> None:
    asked = {"n": 70, "seeds": (2, 4), "predictor": tiny["predictor"]}
    run_truncation(tiny["model"], truncations=(0.5, 0.8), out=tmp_path / "audit", **asked)
    images = table(tmp_path / "audit" / IMAGES)
    assert [row["truncation"] for row in images[::140]] == ["1", "0.8", "0.5"], "1 is added, and comes first"
    for truncation in ("1", "0.5"):
        out = tmp_path / truncation
        run_generation([tiny["model"]], truncation=float(truncation), out=out, **asked)
        same = [
            {name: value for name, value in row.items() if name != "truncation"}
            for row in images
            if row["truncation"] == truncation
        ]
        assert same == [
            {name: value for name, value in row.items() if name != "model"} for row in table(out / IMAGES)
        ]
        counted = [row | {"truncation": truncation} for row in table(out / GROUPS)]
        mine = [row for row in table(tmp_path / "audit" / GROUPS) if row["truncation"] == truncation]
        for one, other in zip(mine, counted, strict=True):
            assert one == {name: other[name] for name in one}


def test_rows_differences_and_charts_agree(tiny: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "audit"
    audit = run_truncation(tiny["model"], n=100, predictor=tiny["predictor"], out=out)
    counts = {
        (row["truncation"], row["attribute"], row["class"]): int(row["count"]) for row in table(out / GROUPS)
    }
    differences = table(out / "differences.csv")
    assert len(differences) == 2 * 10
    for row in differences:
        key = row["attribute"], row["class"]
        wanted = difference(counts[row["truncation"], *key], 100, counts["1", *key], 100)
        assert float(row["difference"]) == pytest.approx(wanted.value, abs=1e-5)
        assert float(row["low"]) == pytest.approx(wanted.low, abs=1e-5)
        assert float(row["p"]) <= float(row["p_holm"]) <= 1.0
    measures = {row["measure"] for row in table(out / "measures.csv")}
    assert {"fairness_discrepancy", "entropy"} <= measures
    record = json.loads((out / REPORT).read_text())
    assert record["settings"]["truncations"] == [1.0, 0.7, 0.5]
    assert "truncation" not in record["settings"]
    at_half = record["groups"]["truncation=0.5"]
    assert {"share.gender=male", "shift.gender=male", "fairness_discrepancy.race", "entropy.race"} <= set(
        at_half
    )
    assert record["metrics"]["share.gender=male"] == record["groups"]["truncation=1"]["share.gender=male"]
    assert audit.report.json() == (out / REPORT).read_text()
    charts = {chart.name: chart for chart in read_charts(out)}
    shares = charts["share.race"]
    assert (shares.kind, shares.axis, shares.labels) == ("lines", "truncation", ("1", "0.7", "0.5"))
    for mark in shares.marks:
        assert images_behind(out, shares, mark).n == counts[mark.label, "race", mark.series]
    assert {charts[name].kind for name in ("fairness_discrepancy", "entropy")} == {"lines"}
    draw, rows = pictures_of(out, read_request(out)), table(out / IMAGES)
    explorer = Explorer.open(tiny["model"], tiny["predictor"])
    for place in (3, 180, 299):
        said = explorer.judged(draw(Row(place, rows[place]))["sample"])["race"]
        told = [float(rows[place][f"race={label}"]) for label in ("asian", "black", "brown", "white")]
        np.testing.assert_allclose(said, told, atol=0.01)


class Grey(nn.Module):
    """A model whose pictures are as bright as the first of two latents says."""

    spec = ModelSpec(family="grey", image_size=8, latent_shape=(2,))

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        return torch.randn(n, 2, generator=generator)

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        return torch.sigmoid(latents[:, :1, None, None]).expand(-1, 3, 8, 8)


class Bright(nn.Module):
    """A predictor that never errs: light where the latent is above a threshold."""

    spec = PredictorSpec(
        family="bright", image_size=8, attributes=(Attribute(name="tone", classes=("dark", "light")),)
    )
    threshold = 1.2815516

    def predict(self, images: Tensor) -> dict[str, Tensor]:
        light = (torch.logit(images.mean((1, 2, 3))) > self.threshold).float()
        return {"tone": torch.stack([1.0 - light, light], dim=1)}


def test_a_minority_beyond_a_threshold_is_lost_as_it_must_be(tiny: dict[str, str]) -> None:
    model, judge = load_model(tiny["model"]), load_predictor(tiny["predictor"])
    explorer = Explorer(replace(model, network=Grey()), replace(judge, network=Bright()))
    reference = reference_of(UNIFORM, Bright.spec.attributes, model.located.config, 8)
    truncations = in_order((1.0, 0.7, 0.5))
    counted = count_truncations("grey", explorer, truncations, GenerationSettings(5000), reference)
    judges = dict.fromkeys(("1", "0.7", "0.5"), Bright.spec)
    shares, apart = class_shares(counted, Bright.spec.attributes, judges, reference)
    light = {one.model: one.share for one in shares if one.label == "light"}
    for truncation, truth in (("1", 0.1), ("0.7", 0.0336), ("0.5", 0.0052)):
        assert light[truncation].low <= truth <= light[truncation].high
    shifts = shifts_of(shares)
    of_light = {one.share.model: one for one in shifts if one.share.label == "light"}
    assert of_light["0.5"].difference.low <= 0.0052 - 0.1 <= of_light["0.5"].difference.high
    assert of_light["0.5"].adjusted < 0.01
    entropy = [one.value.value for one in apart if one.name == "entropy"]
    assert entropy == sorted(entropy, reverse=True)
    far = [one.value.value for one in apart if one.name == "fairness_discrepancy"]
    assert far == sorted(far)
    said = sentences(shares, apart, shifts, reference)
    assert "rarest class is light" in said[0]
    assert said[0].count("more than chance") == 2
    assert said[0].count("points less") == 2
    assert f"adjusted for all {len(shifts)} comparisons" in said[-2]
    assert not any("adjusted for all" in line for line in sentences(shares, apart, (), reference))


def test_an_interrupted_study_goes_on_and_ends_as_one_that_was_not(
    tiny: dict[str, str], tmp_path: Path
) -> None:
    asked = {"n": 100, "truncations": (1.0, 0.4), "predictor": tiny["predictor"]}

    def stop(progress: Progress) -> None:
        if progress.done >= 164:  # in the second truncation
            reporter.cancel()

    reporter = Reporter(stop)
    with pytest.raises(Cancelled):
        run_truncation(tiny["model"], out=tmp_path / "twice", reporter=reporter, **asked)
    assert len(table(tmp_path / "twice" / IMAGES)) == 164
    run_truncation(tiny["model"], out=tmp_path / "twice", **asked)
    request = StudyRequest(
        "truncation", (tiny["model"],), n=100, truncations=(1.0, 0.4), predictor=tiny["predictor"]
    )
    run_study(request, tmp_path / "whole")
    for name in (IMAGES, GROUPS, "measures.csv", "differences.csv", REPORT, SUMMARY):
        assert (tmp_path / "twice" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    with pytest.raises(SettingsError, match="other settings: truncations is"):
        run_truncation(tiny["model"], out=tmp_path / "twice", **(asked | {"truncations": (0.5,)}))


def test_what_is_known_so_far_is_told(tiny: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carry_out, "Partial", partial(Partial, seconds=0.0))
    told: list[Audit] = []
    run_truncation(tiny["model"], n=70, predictor=tiny["predictor"], on_partial=told.append)
    assert told[0].report.data_n == 64
    assert {row["truncation"] for row in told[0].rows} == {"1"}
    assert told[0].charts


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"n": 0}, "At least one sample"),
        ({"truncations": (1.0, 0.0)}, "more than 0 and at most 1"),
        ({"truncations": (1.5,)}, "more than 0 and at most 1"),
        ({"truncations": (float("nan"),)}, "more than 0 and at most 1"),
        ({"truncations": (1.0,)}, "below 1"),
        ({"seeds": (1, 1)}, "different numbers"),
        ({"attributes": ("hat",)}, "no attribute 'hat'"),
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
        run_truncation(tiny["model"], **(asked | wrong))
    assert not (tmp_path / "audit").exists()


def test_the_command_says_what_was_found(
    tiny: dict[str, str], capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    call = ["audit", "truncation", tiny["model"], "--predictor", tiny["predictor"], "--n", "64"]
    assert run([*call, "--truncations", "1,0.6", "--out", str(tmp_path / "audit")]) == 0
    out = capfd.readouterr().out
    assert "the rarest class is" in out
    assert str(tmp_path / "audit") in out
    assert run([*call, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["command"] == "audit truncation"
    for option, value in (("--truncations", "half"), ("--truncations", "2"), ("--seeds", "0.5")):
        assert run([*call, option, value]) == 2
        assert capfd.readouterr().err.strip()
