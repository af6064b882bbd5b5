"""The search study: what it finds, counts and compares, what it keeps, draws again and refuses."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.audit import carry_out, search_study_plan
from latentlab.audit.charts import read_charts
from latentlab.audit.folder_results import read_folder
from latentlab.audit.images_behind import Row, drawer, images_behind
from latentlab.audit.partial import Partial
from latentlab.audit.report import GROUPS, REPORT, SUMMARY, Audit
from latentlab.audit.request_file import read_request
from latentlab.audit.run_search import OpenedSearch
from latentlab.audit.runs import run_search, run_study
from latentlab.audit.search_study_table import joint_confusion
from latentlab.audit.study_folder import IMAGES
from latentlab.audit.study_plan import StudyRequest
from latentlab.checkpoints import save
from latentlab.checkpoints.companion import load_model, load_predictor
from latentlab.cli.main import run
from latentlab.data.image_set import images_to_tensor
from latentlab.errors import Cancelled, SettingsError
from latentlab.metrics.correction import corrected_shares
from latentlab.metrics.gaps import difference
from latentlab.metrics.paired import correlation, mcnemar_p, paired_difference
from latentlab.operations.downscale import Downscale
from latentlab.progress import Progress, Reporter
from latentlab.spec import Confusion

SETTINGS_OF = "@8x8 colour@search"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def keen_judge(tiny_predictor_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny predictor with its answers spread over all classes, and known to err."""
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
    config = opened.located.config
    errs = {
        one.name: Confusion(counts=tuple(map(tuple, (60 * np.eye(len(one.classes), dtype=int) + 4).tolist())))
        for one in config.predictor.attributes
    }
    spec = config.predictor.model_copy(update={"confusion": errs})
    config = config.model_copy(update={"name": "keen-judge", "predictor": spec})
    return str(save(tmp_path_factory.mktemp("predictors") / "keen-judge", opened.network, config))


@pytest.fixture(scope="module", autouse=True)
def short_chains() -> Iterator[None]:
    """Let each chain take a few steps only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_study_plan, "APPROACH", 8)
        patch.setattr(search_study_plan, "WARM_UP", 2)
        patch.setattr(search_study_plan, "DRAWS", 4)
        patch.setattr(search_study_plan, "LEAPS", 2)
        yield


@pytest.fixture(scope="module")
def asked(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory, keen_judge: str) -> StudyRequest:
    """A study of the tiny model and of one with a smaller latent, each with an eps of its own on its card."""
    from latentlab.families.vae import VAE, VAEConfig

    opened = load_model(tiny_model_folder)
    config = VAEConfig.model_validate({**opened.located.config.network, "latent": 5})
    torch.manual_seed(3)
    small = VAE(config)
    names = []
    for name, network, eps in (("narrow", small, 0.09), ("wide", opened.network, 0.1)):
        kept = opened.located.config.model_copy(
            update={
                "name": name,
                "model": network.spec,
                "network": network.config.model_dump(mode="json"),
                "training": {"search_eps": {"4 colour": eps, "8 luminance": eps / 2}},
            }
        )
        names.append(str(save(tmp_path_factory.mktemp("models") / name, network, kept)))
    return StudyRequest(
        "search", tuple(names), data="faces:test", n=2, steps=6, restarts=2, predictor=keen_judge
    )


@pytest.fixture(scope="module")
def done(asked: StudyRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Audit]:
    out = tmp_path_factory.mktemp("studies") / "search"
    how = {"per_group": asked.n, "steps": asked.steps, "restarts": asked.restarts}
    return out, run_search(asked.models, asked.data, predictor=asked.predictor, out=out, **how)


def test_what_is_counted_is_what_the_rows_say(done: tuple[Path, Audit]) -> None:
    out, audit = done
    images = table(out / IMAGES)
    assert len(images) == 16
    assert [row["group"] for row in images[:8]] == sorted({row["group"] for row in images}), "in turns"
    rates = table(out / GROUPS)
    assert {(row["input"], row["model"], row["method"]) for row in rates} == {
        (given, model, method)
        for given in ("8x8 colour", "4x4 luminance")
        for model in ("narrow", "wide")
        for method in ("search", "posterior")
    }
    bars = json.loads((out / REPORT).read_text())["settings"]
    assert bars["eps"] == {"8x8 colour": 0.09, "4x4 luminance": 0.045}, "the smallest of the models' own"
    own = {(model, given): eps for model, given, eps in bars["own_eps"]}
    assert own["wide", "4x4 luminance"] == 0.05
    for row in rates:
        setting = f"{row['model']}@{row['input']}@{row['method']}"
        body = images if row["group"] == "all" else [one for one in images if _is_in(one, row["group"])]
        eps = bars["eps"][row["input"]]
        if row["figure"] == "own_success_rate":
            eps = own[row["model"], row["input"]]
        if row["of"]:
            column, truth = ("group", "group") if "," in row["of"] else (row["of"], f"group.{row['of']}")
            hits = [one[f"{column}@{setting}"] == one[truth] for one in body]
        else:
            hits = [float(one[f"distance@{setting}"]) <= eps for one in body]
        assert (int(row["count"]), int(row["n"])) == (sum(hits), len(body)), row
        assert float(row["low"]) <= float(row["value"]) <= float(row["high"])
        assert bool(row["corrected"]) == bool(row["of"])
    kept = [row for row in rates if row["of"] == "gender" and row["group"] == "gender=male"]
    for row in kept:
        counts = (int(row["n"]) - int(row["count"]), int(row["count"]))
        wanted = corrected_shares(counts, [[64, 4], [4, 64]])[1]
        assert float(row["corrected"]) == pytest.approx(wanted.share, abs=1e-5)
        assert float(row["corrected_high"]) == pytest.approx(wanted.high, abs=1e-5)
    assert audit.report.json() == (out / REPORT).read_text()
    assert audit.report.evaluation.metrics["group_kept_rate"].n == 16
    assert "imaginary people; this identifies no one" in (out / SUMMARY).read_text()


def _is_in(row: dict[str, str], group: str) -> bool:
    if "," in group:
        return row["group"] == group
    name, _, label = group.partition("=")
    return row[f"group.{name}"] == label


def test_differences_are_of_the_same_images(done: tuple[Path, Audit]) -> None:
    out, _ = done
    images, rows = table(out / IMAGES), table(out / "differences.csv")
    assert {row["difference"] for row in rows} == {"narrow minus wide", "search minus posterior"}
    for row in rows:
        if row["of"] != "gender" or row["group"] != "all":
            continue
        models = ("narrow", "wide") if row["at"] in ("search", "posterior") else (row["at"],) * 2
        methods = (row["at"],) * 2 if row["at"] in ("search", "posterior") else ("search", "posterior")
        names = [f"gender@{m}@{row['input']}@{how}" for m, how in zip(models, methods, strict=True)]
        first, second = ([one[name] == one["group.gender"] for one in images] for name in names)
        both = sum(a and b for a, b in zip(first, second, strict=True))
        wanted = paired_difference(both, sum(first), sum(second), len(images))
        assert float(row["value"]) == pytest.approx(wanted.value, abs=1e-5)
        assert float(row["low"]) == pytest.approx(wanted.low, abs=1e-5)
        assert float(row["p"]) == pytest.approx(mcnemar_p(sum(first) - both, sum(second) - both), abs=1e-5)
        assert float(row["p"]) <= float(row["p_holm"]) <= 1.0
        assert float(row["corrected_low"]) <= float(row["corrected"]) <= float(row["corrected_high"])
        widths = [float(row[f"{of}high"]) - float(row[f"{of}low"]) for of in ("", "corrected_")]
        assert widths[1] >= 0.99 * widths[0], "what is not known of the predictor is added"


def test_parities_and_shares_are_those_of_the_answers(done: tuple[Path, Audit]) -> None:
    out, _ = done
    images = table(out / IMAGES)
    shares = [row for row in table(out / "shares.csv") if row["of"] == "race"]
    for row in shares:
        column = f"race@{row['model']}@{row['input']}@{row['method']}"
        label = row["class"].partition("=")[2]
        assert int(row["count"]) == sum(one[column] == label for one in images)
        assert float(row["reference"]) == 0.25
    rates = {
        (row["input"], row["model"], row["method"], row["of"], row["group"]): float(row["value"])
        for row in table(out / GROUPS)
        if row["figure"] == "group_kept_rate"
    }
    for row in table(out / "parities.csv"):
        key = (row["input"], row["model"], row["method"], row["of"])
        body = [value for (*rest, group), value in rates.items() if tuple(rest) == key and group != "all"]
        assert float(row["rdp_gap"]) == pytest.approx(max(body) - min(body), abs=1e-5)
        if row["of"] == "race":
            own = [one for one in shares if (one["input"], one["model"], one["method"]) == key[:3]]
            apart = sum((float(one["share"]) - 0.25) ** 2 for one in own) ** 0.5
            assert float(row["pr_discrepancy"]) == pytest.approx(apart, abs=1e-5)


def test_answers_are_drawn_again_as_near_as_they_were(done: tuple[Path, Audit], asked: StudyRequest) -> None:
    out, _ = done
    draw, rows = drawer(out), table(out / IMAGES)
    study = OpenedSearch.of(asked).study
    for place in (0, 9):
        pictures = draw(Row(place, rows[place]))
        assert list(pictures)[:2] == ["original", "8x8 colour"]
        assert len(pictures) == 1 + 2 + 8
        x = images_to_tensor(study.chosen.images.pixels(np.array([place])))
        small = Downscale(32, 8)(x)
        for model in ("narrow", "wide"):
            again = Downscale(32, 8)(images_to_tensor(pictures[f"{model}{SETTINGS_OF}"][None]))
            told = float(rows[place][f"distance@{model}{SETTINGS_OF}"])
            assert float((again - small).square().mean()) == pytest.approx(told, rel=0.02, abs=1e-5)
    exposures = [float(row["exposure@4x4 luminance"]) for row in rows]
    assert len(set(exposures)) == len(rows)
    assert np.std(np.log(exposures)) == pytest.approx(0.3, abs=0.15)


def test_charts_show_what_is_behind(done: tuple[Path, Audit]) -> None:
    out, _ = done
    charts = {chart.name: chart for chart in read_charts(out)}
    assert {"differences.model", "differences.method", "rdp", "share.race.4x4 luminance"} <= set(charts)
    names = ("success_rate.8x8 colour", "group_kept_rate.race.8x8 colour")
    cells = ("cells.group_kept_rate.4x4 luminance", "cells.success_rate.8x8 colour")
    for name in (*names, *cells):
        for mark in charts[name].marks:
            behind = images_behind(out, charts[name], mark)
            assert behind.n == mark.n
            assert behind.wrong == mark.n - int(mark.told.split(" of ")[0])
    assert [mark.label for mark in charts["group_kept_rate.race.8x8 colour"].marks[:5]] == [
        *["all images"] * 4,
        "asian",
    ]


def test_what_is_known_half_way_is_told_and_a_killed_study_goes_on_to_the_bit(
    asked: StudyRequest, done: tuple[Path, Audit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carry_out, "Partial", partial(Partial, seconds=0.0))
    out, folder = done[0], tmp_path / "killed"
    how = {"per_group": asked.n, "steps": asked.steps, "restarts": asked.restarts}
    heard: list[Progress] = []
    told: list[Audit] = []
    reporter = Reporter(heard.append)

    def stop(audit: Audit) -> None:
        told.append(audit)
        reporter.cancel()

    given = (asked.models, asked.data)
    with pytest.raises(Cancelled):
        run_search(*given, predictor=asked.predictor, out=folder, reporter=reporter, on_partial=stop, **how)
    assert told[0].report.data_n == 8
    (tmp_path / "so-far").mkdir()
    told[0].save(tmp_path / "so-far")
    assert read_charts(tmp_path / "so-far")
    shares = [one.done / one.total for one in heard if one.stage in ("Searching", "Approaching", "Sampling")]
    assert shares == sorted(shares)
    assert 0.0 < shares[0] < shares[-1] <= 0.5
    assert read_request(folder).models == asked.models
    with (folder / IMAGES).open("a", encoding="utf-8") as file:
        file.write("a row that was cut o")
    run_search(*given, predictor=asked.predictor, out=folder, **how)
    for name in (IMAGES, GROUPS, "differences.csv", "shares.csv", "parities.csv", REPORT, SUMMARY):
        assert (folder / name).read_bytes() == (out / name).read_bytes(), name
    with pytest.raises(SettingsError, match="other settings"):
        run_search(*given, predictor=asked.predictor, out=folder, **{**how, "restarts": 3})


def test_the_command_prints_one_object(
    asked: StudyRequest, done: tuple[Path, Audit], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "again"
    shutil.copytree(done[0], folder)
    call = ["audit", "search", *asked.models, "--data", "faces:test", "--predictor", asked.predictor]
    call += ["--per-group", "2", "--steps", "6", "--restarts", "2", "--out", str(folder), "--json"]
    assert run(call) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["command"] == "audit search"
    assert "imaginary people; this identifies no one" in (folder / "report.html").read_text()
    assert record["data"]["n"] == 16
    again = read_folder(folder).repeat()
    assert again.startswith("latentlab audit search ")
    assert "--per-group 2" in again
    assert "--restarts 2 --steps 6" in again
    key = "difference=search minus posterior,at=wide,input=8x8 colour"
    assert {"success_rate", "group_kept_rate", "corrected_group_kept_rate"} <= set(record["groups"][key])
    assert {"gap.race", "fairness_discrepancy.gender", "share.gender=male"} <= set(record["metrics"])


def test_it_says_before_any_work_what_cannot_be_done(asked: StudyRequest, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SettingsError, match="holds other files"):
        run_search(asked.models, asked.data, predictor=asked.predictor, out=tmp_path)
    with pytest.raises(SettingsError, match="eps lies between"):
        run_study(replace(asked, eps=2.0))
    with pytest.raises(SettingsError, match="Restarts"):
        run_search(asked.models, asked.data, restarts=0, predictor=asked.predictor)
    with pytest.raises(SettingsError, match="eps lies between"):
        run_search(asked.models, asked.data, eps=0.0, predictor=asked.predictor)
    with pytest.raises(SettingsError, match="hair"):
        run_search(asked.models, asked.data, groups=["hair"], predictor=asked.predictor)


# What the intervals rest on


def test_a_paired_difference_knows_that_the_images_are_the_same() -> None:
    # Newcombe (1998b), table III: 36, 12, 2 and 0 images that succeed in both, the first, the second, none.
    found = paired_difference(36, 48, 38, 50)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0569, 0.3404), abs=5e-4)
    alike = paired_difference(40, 40, 40, 50)
    assert alike.high < difference(40, 50, 40, 50).high, "what both have in common is no chance"
    every = paired_difference(30, 30, 30, 30)
    assert every.low < 0.0 < every.high, "nothing collapses where all succeed"
    assert correlation(30, 30, 30, 30) == 0.0
    assert mcnemar_p(0, 0) == 1.0
    assert mcnemar_p(1, 9) == pytest.approx(22 / 1024)
    with pytest.raises(ValueError, match="no answers"):
        paired_difference(5, 4, 6, 10)


def test_its_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    cells = np.array([0.5, 0.2, 0.1, 0.2])
    drawn = generator.multinomial(48, cells, 1500)
    held = [
        one.low <= 0.1 <= one.high
        for both, first, second, _ in drawn.tolist()
        for one in [paired_difference(both, both + first, both + second, 48)]
    ]
    assert 0.93 < np.mean(held) < 0.98


def test_errors_about_an_intersection_are_those_of_its_attributes() -> None:
    gender = Confusion(counts=((90, 10), (0, 100)))
    race = Confusion(counts=((40, 10, 0), (0, 50, 0), (5, 0, 45)))
    found = joint_confusion([gender, race])
    assert found.shape == (6, 6)
    rates = found / found.sum(axis=1, keepdims=True)
    assert rates[0, 0] == pytest.approx(0.9 * 0.8, abs=0.03)
    assert rates[0, 3] == pytest.approx(0.1 * 0.8, abs=0.03)
    assert rates[5, 5] == pytest.approx(0.9, abs=0.03)
    assert found.sum(axis=1).max() <= 200 // 6 + 1
