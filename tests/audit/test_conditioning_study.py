"""The conditioning study: its settings, counts, gaps and statements, what it draws again and refuses."""

from __future__ import annotations

import csv
import json
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.audit import carry_out
from latentlab.audit.charts import read_charts
from latentlab.audit.conditioning import Conditioning, redraw
from latentlab.audit.conditioning_count import Outcomes
from latentlab.audit.conditioning_plan import ConditioningSettings
from latentlab.audit.conditioning_statements import sentences, statements_of
from latentlab.audit.conditioning_table import results_of
from latentlab.audit.images_behind import Row, images_behind
from latentlab.audit.partial import Partial
from latentlab.audit.report import GROUPS, REPORT, SUMMARY, Audit
from latentlab.audit.request_file import read_request
from latentlab.audit.run_conditioning import OpenedConditioning, pictures_of
from latentlab.audit.runs import run_conditioning, run_study
from latentlab.audit.study_folder import IMAGES
from latentlab.audit.study_plan import StudyRequest
from latentlab.checkpoints import save
from latentlab.checkpoints.companion import load_predictor
from latentlab.cli.main import run
from latentlab.conditions import with_codes
from latentlab.data.image_set import images_to_tensor
from latentlab.errors import Cancelled, DataError, SettingsError
from latentlab.families.attribute_cnn import AttributeCNN
from latentlab.metrics.labels import conditions
from latentlab.operations.explore import Explorer
from latentlab.progress import Progress, Reporter
from latentlab.spec import CheckpointConfig


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def keen_predictor(tiny_predictor_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny predictor with its answers spread over all classes of faces, so that some are each."""
    from latentlab.data.faces import open_faces

    opened = load_predictor(tiny_predictor_folder)
    faces = open_faces(32).split("test")
    with torch.no_grad():
        features = opened.network.features(images_to_tensor(faces.pixels(slice(0, 200))))
        for head in opened.network.heads.values():
            logits = head(features)
            spread = 3.0 / logits.std(0, keepdim=True).T
            head.weight.mul_(spread)
            head.bias.copy_((head.bias - logits.mean(0)) * spread[:, 0])
    config = opened.located.config.model_copy(update={"name": "keen-faces"})
    return str(save(tmp_path_factory.mktemp("predictors") / "keen-faces", opened.network, config))


@pytest.fixture
def models(tiny_model_folder: Path, tiny_cvae_folder: Path) -> list[str]:
    return [str(tiny_model_folder), str(tiny_cvae_folder)]


def test_what_is_counted_is_what_the_rows_say(models: list[str], keen_predictor: str, tmp_path: Path) -> None:
    out = tmp_path / "audit"
    audit = run_conditioning(models, "faces:test", per_group=12, predictor=keen_predictor, out=out)
    images = table(out / IMAGES)
    assert len(images) == 96
    assert [row["group"] for row in images[:8]] == sorted({row["group"] for row in images}), "in turns"
    assert "facial_hair" not in images[0], "the model is not conditioned on it"
    groups = table(out / GROUPS)
    assert {row["attribute"] for row in groups} == {"gender", "race", "glasses"}
    assert {row["setting"] for row in groups} == {
        "originals",
        "tiny-vae",
        "tiny-cvae",
        "tiny-cvae@2",
        "tiny-cvae@3",
        "tiny-cvae@encoder",
        "tiny-cvae@decoder",
    }
    for row in groups:
        attribute, setting = row["attribute"], row["setting"]
        wanted = dict(part.split("=") for part in row["group"].split(",")) if row["by"] else {}
        of_group = [
            one
            for one in images
            if all((one.get(f"group.{name}") or one[name]) == label for name, label in wanted.items())
        ]
        said = [one[f"{attribute}@{setting}"] for one in of_group]
        beside = {
            "error": [one[attribute] for one in of_group],
            "encoder_flip_effect": [one[f"{attribute}@tiny-cvae"] for one in of_group],
            "effectiveness": [one[f"{attribute}_target@tiny-cvae"] for one in of_group],
        }[row["figure"]]
        same = sum(a == b for a, b in zip(said, beside, strict=True))
        count = same if row["figure"] == "effectiveness" else len(said) - same
        assert (int(row["count"]), int(row["n"])) == (count, len(of_group)), row
        assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
        assert row["small"] == ("yes" if len(of_group) < 30 else "no")
    assert all(one["gender_target@tiny-cvae"] != one["gender"] for one in images)
    assert len({one["race_target@tiny-cvae"] for one in images if one["race"] == "asian"}) == 3
    rates = {(r["setting"], r["attribute"], r["by"], r["group"]): float(r["value"]) for r in groups}
    gaps = table(out / "gaps.csv")
    assert {row["by"] for row in gaps} == {"gender", "race", "glasses", "gender,race"}
    for row in gaps:
        key = (row["setting"], row["attribute"], row["by"])
        body = [value for (*rest, _), value in rates.items() if tuple(rest) == key]
        assert float(row["gap"]) == pytest.approx(max(body) - min(body), abs=1e-5)
        assert float(row["p"]) <= float(row["p_holm"]) <= 1.0
    own = {(r["setting"], r["attribute"]): float(r["gap"]) for r in gaps if r["by"] == r["attribute"]}
    changes = [row for row in table(out / "gap_changes.csv") if row["by"] == row["attribute"]]
    assert len(changes) == 3 * 5
    for row in changes:
        apart = own[row["setting"], row["attribute"]] - own[row["against"], row["attribute"]]
        assert float(row["change"]) == pytest.approx(apart, abs=1e-5)
        assert float(row["low"]) <= float(row["change"]) <= float(row["high"])
    record = json.loads((out / REPORT).read_text())
    assert record["data"] == {"path": "faces:test", "n": 96}
    assert {"error.gender", "gap.race", "gap_p_holm.glasses"} <= record["metrics"].keys()
    flipped = record["groups"]["model=tiny-cvae,setting=decoder flipped,gender=male"]
    assert flipped["effectiveness.gender"]["n"] == 48
    assert audit.report.json() == (out / REPORT).read_text()
    _charts_show_what_is_behind(out)


def _charts_show_what_is_behind(out: Path) -> None:
    charts = {chart.name: chart for chart in read_charts(out)}
    assert {
        "error.gender",
        "gaps.error",
        "gap_change",
        "flips.encoder",
        "flips.decoder",
        "cells.race",
    } <= set(charts)
    for name in ("error.glasses", "flips.encoder", "flips.decoder", "cells.race"):
        for mark in charts[name].marks:
            behind = images_behind(out, charts[name], mark)
            count = int(mark.told.split(" of ")[0])
            assert behind.n == mark.n
            assert behind.wrong == (mark.n - count if name == "flips.decoder" else count)


def test_an_interrupted_study_goes_on_and_ends_as_one_that_was_not(
    models: list[str], keen_predictor: str, tmp_path: Path
) -> None:
    asked = {"per_group": 20, "attributes": ("gender", "glasses"), "predictor": keen_predictor}
    reporter = Reporter(lambda progress: reporter.cancel() if progress.stage.startswith("Judg") else None)
    with pytest.raises(Cancelled):
        run_conditioning(models, "faces:test", out=tmp_path / "twice", reporter=reporter, **asked)
    assert len(table(tmp_path / "twice" / IMAGES)) == 64
    counted: list[Progress] = []
    run_conditioning(models, "faces:test", out=tmp_path / "twice", reporter=Reporter(counted.append), **asked)
    assert [one.done for one in counted][-3:] == [64, 128, 160]
    request = StudyRequest(
        "conditioning",
        tuple(models),
        data="faces:test",
        n=20,
        attributes=("gender", "glasses"),
        predictor=keen_predictor,
    )
    run_study(request, tmp_path / "whole")
    for name in (IMAGES, GROUPS, "gaps.csv", "gap_changes.csv", "statements.csv", REPORT, SUMMARY):
        assert (tmp_path / "twice" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert read_request(tmp_path / "twice") == read_request(tmp_path / "whole")
    with pytest.raises(SettingsError, match="other settings: scales is"):
        run_conditioning(models, "faces:test", out=tmp_path / "twice", scales=(2.0,), **asked)
    images = tmp_path / "twice" / IMAGES
    images.write_text(images.read_text().replace(",female", ",femme", 9))
    with pytest.raises(SettingsError, match="was changed"):
        run_conditioning(models, "faces:test", out=tmp_path / "twice", **asked)


def test_what_is_known_so_far_is_told_and_balanced(
    models: list[str], keen_predictor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carry_out, "Partial", partial(Partial, seconds=0.0))
    told: list[Audit] = []
    asked = {"per_group": 20, "attributes": ("gender",), "predictor": keen_predictor}
    run_conditioning(models, "faces:test", on_partial=told.append, **asked)
    assert told[0].report.data_n == 64
    first = [row for row in told[0].rows if row["by"] == "gender,race" and row["setting"] == "tiny-vae"]
    assert [row["n"] for row in first] == [8] * 8
    told[0].save(tmp_path)
    assert read_charts(tmp_path)


def test_each_setting_makes_the_picture_that_it_says(models: list[str], keen_predictor: str) -> None:
    request = StudyRequest("conditioning", tuple(models), data="faces:test", n=3, predictor=keen_predictor)
    study = OpenedConditioning.of(request).study
    network = study.models["tiny-cvae"].network
    schema, image = network.spec.condition, 7
    pixels = study.chosen.images.pixels(np.array([image]))
    x = images_to_tensor(pixels)
    own = conditions(schema, study.chosen.images)[[image]]
    target = study.targets["tiny-cvae"]["race"][[image]]
    other = with_codes(schema, own, "race", target)
    given, turned, doubled = (torch.from_numpy(np.asarray(c)) for c in (own, other, 2.0 * own))
    with torch.inference_mode():
        z, z_turned = network.encode(x, given).mean, network.encode(x, turned).mean
        wanted = {
            "originals": x,
            "tiny-cvae": network.decode(z, given),
            "tiny-cvae@2": network.decode(z, doubled),
            "tiny-cvae@encoder": network.decode(z_turned, given),
            "tiny-cvae@decoder": network.decode(z, turned),
        }
    pictures = []
    for setting, tensor in wanted.items():
        before, picture = redraw(study, image, setting, "race")
        np.testing.assert_array_equal(before, pixels[0])
        drawn = (255.0 * tensor[0].clamp(0, 1)).permute(1, 2, 0).numpy()
        np.testing.assert_allclose(picture, drawn, atol=0.51)
        pictures.append(picture)
    assert len({picture.tobytes() for picture in pictures}) == len(wanted), "each is another picture"
    for wrong, said in (("moon", "no setting"), ("tiny-cvae@decoder", "one at a time")):
        with pytest.raises(SettingsError, match=said):
            redraw(study, image, wrong, "hat")
    with pytest.raises(SettingsError, match="24 images"):
        redraw(study, 24, "originals")


def test_the_pictures_behind_a_row_are_found_again(
    models: list[str], keen_predictor: str, tmp_path: Path
) -> None:
    out = tmp_path / "audit"
    run_conditioning(
        models, "faces:test", per_group=2, attributes=("gender",), predictor=keen_predictor, out=out
    )
    rows = table(out / IMAGES)
    draw = pictures_of(out, read_request(out))
    found = draw(Row(5, rows[5]))
    assert set(found) == {
        "originals",
        "tiny-vae",
        "tiny-cvae",
        "tiny-cvae@2",
        "tiny-cvae@3",
        "tiny-cvae@encoder gender",
        "tiny-cvae@decoder gender",
    }
    judge = Explorer.open(models[0], keen_predictor)
    for name, picture in found.items():
        said = judge.attributes(picture)["gender"]
        if abs(said[0] - said[1]) > 0.05:
            column = f"gender@{name.removesuffix(' gender')}"
            assert rows[5][column] == ("female", "male")[int(said.argmax())]
    text = (out / "settings.json").read_text()
    (out / "settings.json").write_text(text.replace('"images_sha256": "', '"images_sha256": "0'))
    with pytest.raises(SettingsError, match="other images"):
        pictures_of(out, read_request(out))


def opened(models: list[str], predictor: str, per_group: int = 2) -> Conditioning:
    from latentlab.data.faces import open_faces

    found = {Path(one).name: Explorer.open(one, predictor) for one in models}
    settings = ConditioningSettings(per_group, ("gender",), ("gender",), (2.0,))
    return Conditioning(found, lambda size: open_faces(size).split("test"), settings)


def outcomes(study: Conditioning, rates: dict[str, tuple[float, float]], n: int) -> Outcomes:
    """Return what n women and n men would give who are read wrongly, or flipped, at these rates."""
    settings = [one.name for one in study.settings_of("gender")]
    generator = np.random.default_rng(1)
    counts: Counter[tuple[int, int, tuple[int, ...]]] = Counter()
    for group in (0, 1):
        hits = np.stack([generator.permutation(np.arange(n) < rates[s][group] * n) for s in settings])
        for column in hits.T:
            counts[group, group, tuple(int(hit) for hit in column)] += 1
    return Outcomes(2 * n, {"gender": counts})


BIASED = {
    "originals": (0.01, 0.02),
    "tiny-vae": (0.02, 0.25),
    "tiny-cvae": (0.03, 0.12),
    "tiny-cvae@2": (0.02, 0.03),
    "tiny-cvae@encoder": (0.0, 0.01),
    "tiny-cvae@decoder": (0.99, 0.98),
}


@pytest.mark.parametrize(
    ("changed", "n", "verdicts"),
    [
        ({}, 800, ["holds"] * 5),
        ({}, 20, ["cannot be said from these numbers"] * 5),
        (
            {
                "originals": (0.3, 0.0),
                "tiny-cvae": (0.02, 0.5),
                "tiny-cvae@2": (0.8, 0.1),
                "tiny-cvae@encoder": (0.1, 0.1),
                "tiny-cvae@decoder": (0.8, 0.8),
            },
            800,
            ["does not hold"] * 5,
        ),
    ],
)
def test_statements_hold_or_do_not_or_cannot_be_said(
    models: list[str],
    keen_predictor: str,
    changed: dict[str, tuple[float, float]],
    n: int,
    verdicts: list[str],
) -> None:
    study = opened(models, keen_predictor)
    found = results_of(outcomes(study, BIASED | changed, n), study)
    statements = statements_of(found, study)
    assert [one.number for one in statements] == ["D1", "D2", "D3", "D4", "D5"]
    assert [one.verdict for one in statements] == verdicts
    said = sentences(found, statements, study)
    for one, line in zip(statements, said[1:], strict=False):
        assert line.endswith(f"This {one.verdict}.")
        assert "95%" in line
    assert any("No rate is corrected" in line for line in said)


def test_a_statement_on_several_attributes_is_said_once_with_all_its_numbers(
    models: list[str], keen_predictor: str, tmp_path: Path
) -> None:
    out = tmp_path / "audit"
    asked = {"per_group": 4, "groups": ("gender",), "predictor": keen_predictor, "out": out}
    audit = run_conditioning(models, "faces:test", attributes=("gender", "race"), scales=(2.0,), **asked)
    rows = table(out / "statements.csv")
    assert len(rows) == 10
    said = {line[:3]: line for line in audit.summary if line[:3] in ("D1.", "D2.", "D3.", "D4.", "D5.")}
    assert [line for line in audit.summary if line in said.values()] == list(said.values()), "each once"
    for row in rows:
        line = said[f"{row['number']}."]
        assert line.count(row["attribute"]) == 1
        clause = line.split(f"for {row['attribute']}: ")[1].split(";")[0]
        limits = " to ".join(f"{100 * float(row[end]):.1f}" for end in ("low", "high"))
        assert f"(95%: {limits}" in clause
        assert f"{100 * abs(float(row['value'])):.1f}" in clause or "no difference" in clause
        assert row["n"] in clause
        assert f"This {row['verdict']}" in line.split(f"for {row['attribute']}: ")[0]


def test_without_a_conditional_model_or_a_vae_it_says_what_is_missing(
    models: list[str], keen_predictor: str
) -> None:
    asked = {"per_group": 4, "predictor": keen_predictor}
    audit = run_conditioning(models[:1], "faces:test", **asked)
    assert {row["attribute"] for row in audit.rows} == {"gender", "race", "glasses", "facial_hair"}
    assert {row["number"] for row in audit.tables["statements.csv"]} == {"D1"}
    assert any("no conditional model" in line for line in audit.summary)
    audit = run_conditioning(
        models[1:], "faces:test", scales=(1.0,), attributes=("gender", "facial_hair"), **asked
    )
    assert {row["number"] for row in audit.tables["statements.csv"]} == {"D4", "D5"}
    for said in ("no unconditional model", "No scale above 1", "not conditioned on facial_hair"):
        assert any(said in line for line in audit.summary), said


def test_models_of_several_sizes_have_their_own_originals(
    models: list[str], keen_predictor: str, tmp_path: Path
) -> None:
    out = tmp_path / "audit"
    run_conditioning(
        [models[1], "faces-vae"],
        "faces:test",
        per_group=1,
        attributes=("gender",),
        predictor=keen_predictor,
        out=out,
    )
    rows = table(out / IMAGES)
    assert {"gender@originals@32px", "gender@originals@64px", "gender@faces-vae"} <= rows[0].keys()
    changes = {(r["setting"], r["against"]) for r in table(out / "gap_changes.csv")}
    assert {("tiny-cvae", "originals@32px"), ("faces-vae", "originals@64px")} <= changes
    pictures = pictures_of(out, read_request(out))(Row(0, rows[0]))
    assert pictures["tiny-cvae"].shape == pictures["originals@32px"].shape == (32, 32, 3)
    assert pictures["faces-vae"].shape == pictures["originals@64px"].shape == (64, 64, 3)


def test_a_predictor_that_does_not_know_a_class_is_refused(
    models: list[str], tiny_predictor_folder: Path, tmp_path: Path
) -> None:
    from latentlab.families.attribute_cnn import AttributeCNNConfig

    before = load_predictor(tiny_predictor_folder).located.config
    gender, race, *_ = before.predictor.attributes
    fewer = race.model_copy(update={"classes": ("asian", "black", "brown")})
    spec = before.predictor.model_copy(update={"attributes": (gender, fewer)})
    network = AttributeCNN(AttributeCNNConfig(**before.network), spec)
    config = CheckpointConfig(kind="predictor", name="few", predictor=spec, network=before.network)
    folder = str(save(tmp_path / "few", network, config))
    with pytest.raises(SettingsError, match="does not know the class 'white' of race"):
        run_conditioning(models, "faces:test", attributes=("race",), predictor=folder)
    audit = run_conditioning(models, "faces:test", per_group=2, predictor=folder)
    assert {row["attribute"] for row in audit.rows} == {"gender"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"models": []}, "at least one model"),
        ({"per_group": 0}, "At least one image"),
        ({"attributes": ("hat",)}, "no attribute 'hat'"),
        ({"groups": ("hat",)}, "hat"),
        ({"scales": (-1.0,)}, "0 or more"),
        ({"scales": (float("nan"),)}, "0 or more"),
        ({"scales": (2.0, 2.0000001)}, "first six digits"),
        ({"seed": -1}, "seed"),
        ({"data": "moon"}, "no image set"),
        ({"predictor": ""}, "Nobody judges"),
    ],
)
def test_bad_input_is_refused_before_any_work(
    models: list[str], keen_predictor: str, wrong: dict[str, object], said: str, tmp_path: Path
) -> None:
    asked: dict[str, object] = {
        "models": models,
        "data": "faces:test",
        "predictor": keen_predictor,
        "out": tmp_path / "audit",
    }
    with pytest.raises((SettingsError, DataError), match=said):
        run_conditioning(**(asked | wrong))
    assert not (tmp_path / "audit").exists()


def test_the_command_says_what_was_found(
    models: list[str], keen_predictor: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    call = ["audit", "conditioning", *models, "--data", "faces:test", "--predictor", keen_predictor]
    call += ["--per-group", "6", "--groups", "gender", "--attributes", "gender", "--scales", "2"]
    assert run([*call, "--out", str(tmp_path / "audit")]) == 0
    out = capfd.readouterr().out
    for number in ("D1.", "D2.", "D3.", "D4.", "D5."):
        assert number in out
    assert str(tmp_path / "audit") in out
    assert run([*call, "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    assert record["command"] == "audit conditioning"
    assert record["settings"]["scales"] == [2.0]
    assert run([*call[:-1], "many"]) == 2
    assert "--scales takes numbers" in capfd.readouterr().err
