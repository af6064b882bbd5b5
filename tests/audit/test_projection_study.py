"""The projection study: its rows, its split of shifts, its groups, what it keeps and what it refuses."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.audit.charts import CHARTS, read_charts
from latentlab.audit.images_behind import Row, images_behind
from latentlab.audit.projection_choice import ChosenPictures, ProjectionSettings, choose_pictures
from latentlab.audit.projection_study import BothWays
from latentlab.audit.projection_study_table import results_of
from latentlab.audit.report import GROUPS, REPORT, SUMMARY
from latentlab.audit.run_projection import pictures_of, run_projection
from latentlab.audit.runs import run_study
from latentlab.audit.study_folder import IMAGES
from latentlab.audit.study_plan import StudyRequest
from latentlab.checkpoints import save
from latentlab.checkpoints.companion import load_model
from latentlab.cli.main import run
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set
from latentlab.errors import Cancelled, LatentLabError
from latentlab.operations.explore import Explorer
from latentlab.operations.project import Projected, Projection
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute, Confusion, PredictorSpec


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def tiny(tiny_cinn_folder: Path, keen_judge_folder: Path) -> dict[str, str]:
    return {"checkpoint": str(tiny_cinn_folder), "predictor": str(keen_judge_folder)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty-six pictures of coloured noise."""
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0)
    for k in range(36):
        base = noise.integers(0, 256, (1, 1, 3)) + noise.integers(-60, 60, (32, 32, 3))
        Image.fromarray(np.clip(base, 0, 255).astype(np.uint8)).save(folder / f"picture-{k:02}.png")
    return folder


def test_every_image_has_a_row_a_dataset_and_a_mode_and_all_tables_agree(
    tiny: dict[str, str], pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "audit"
    audit = run_projection(tiny["checkpoint"], str(pictures), predictor=tiny["predictor"], out=out)
    images = table(out / IMAGES)
    assert len(images) == 36 * 3 * 2
    assert len({(row["image"], row["dataset"], row["mode"]) for row in images}) == len(images)
    seen = {row["hair_after"] for row in images}
    assert seen == {"short", "long"}, "the judge sees both, or nothing below is told apart"
    groups = table(out / GROUPS)
    assert {row["group"] for row in groups} == {"all"}
    assert {row["attribute"] for row in groups} == {"hair"}, "the dataset itself is no attribute"
    for row in groups:
        rows = [
            one
            for one in images
            if one["dataset"] == row["dataset"] and one["source_dataset"] != row["dataset"]
        ]
        of = {mode: [one for one in rows if one["mode"] == mode] for mode in ("keep", "follow")}
        share = {mode: np.mean([one["hair_after"] == row["class"] for one in of[mode]]) for mode in of}
        before = np.mean([one["hair_before"] == row["class"] for one in of["keep"]])
        survived = {mode: np.mean([r["hair_after"] == r["hair_before"] for r in of[mode]]) for mode in of}
        assert int(row["n"]) == len(of["keep"])
        for mode in of:
            assert float(row[f"share_{mode}"]) == pytest.approx(share[mode], abs=1e-5)
            assert float(row[f"survival_{mode}"]) == pytest.approx(survived[mode], abs=1e-5)
        assert float(row["style"]) == pytest.approx(share["keep"] - before, abs=1e-5)
        assert float(row["composition"]) == pytest.approx(share["follow"] - share["keep"], abs=1e-5)
        for part in ("style", "composition", "shift"):
            assert float(row[f"{part}_low"]) < float(row[part]) < float(row[f"{part}_high"]) or abs(
                float(row[part])
            ) in (0.0, 1.0)
        parts = float(row["style"]) + float(row["composition"])
        assert parts == pytest.approx(float(row["shift"]), abs=1e-5)
    record = json.loads((out / REPORT).read_text())
    assert {"survival.hair", "follow.survival.hair"} <= record["metrics"].keys()
    assert {"share.hair=long", "entropy_after.hair"} <= record["groups"]["dataset=ink,mode=follow"].keys()
    assert "nobody's identity" in (out / SUMMARY).read_text()
    assert (out / "datasets.csv").exists()
    assert audit.report.json() == (out / REPORT).read_text()


def test_the_pictures_behind_every_mark_are_there_and_can_be_drawn_again(
    tiny: dict[str, str], pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "audit"
    run_projection(tiny["checkpoint"], str(pictures), n=9, predictor=tiny["predictor"], out=out)
    charts = read_charts(out)
    assert {chart.name for chart in charts} >= {"survival.keep", "shift.hair", "share.hair.ink"}
    for chart in charts:
        for mark in chart.marks:
            behind = images_behind(out, chart, mark)
            if chart.name == "share.hair.ink":
                assert behind.n == sum(
                    all(row[k] == v for k, v in mark.images.items()) for row in table(out / IMAGES)
                )
    survival = next(chart for chart in charts if chart.name == "survival.keep")
    lost = images_behind(out, survival, survival.marks[0])
    assert lost.wrong == sum(
        row["hair_after"] != row["hair_before"]
        for row in table(out / IMAGES)
        if row["dataset"] == survival.marks[0].label and row["mode"] == "keep"
    )
    request = StudyRequest.of(json.loads((out / "request.json").read_text()))
    draw, explorer = pictures_of(out, request), Explorer.open(tiny["checkpoint"], tiny["predictor"])
    for place in (0, 20, 53):
        row = table(out / IMAGES)[place]
        found = draw(Row(place, row))
        assert set(found) == {"input", "reconstruction", "projection"}
        for picture, column in (("input", "input"), ("reconstruction", "before"), ("projection", "after")):
            said = explorer.judged(found[picture])["hair"]
            assert ("short", "long")[int(said.argmax())] == row[f"hair_{column}"]


def test_an_interrupted_study_goes_on_and_ends_as_one_that_was_not(
    tiny: dict[str, str], pictures: Path, tmp_path: Path
) -> None:
    asked = {"data": str(pictures), "predictor": tiny["predictor"]}
    told: list[int] = []
    run_projection(tiny["checkpoint"], out=tmp_path / "whole", **asked)

    def stop(progress: Progress) -> None:
        if progress.stage.startswith("Projecting") and progress.done == 16:
            reporter.cancel()

    reporter = Reporter(stop)
    with pytest.raises(Cancelled):
        run_projection(tiny["checkpoint"], out=tmp_path / "twice", reporter=reporter, **asked)
    images = tmp_path / "twice" / IMAGES
    assert len(table(images)) == 16 * 6
    with images.open("a") as file:
        file.write("picture-16,,ink,fol")  # as if the power had gone
    run_projection(
        tiny["checkpoint"], out=tmp_path / "twice", on_partial=lambda audit: told.append(1), **asked
    )
    for name in (IMAGES, GROUPS, REPORT, SUMMARY, CHARTS, "datasets.csv", "settings.json"):
        assert (tmp_path / "twice" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    with pytest.raises(LatentLabError, match="other settings: onto is"):
        run_projection(tiny["checkpoint"], onto=("ink",), out=tmp_path / "twice", **asked)


def test_what_is_known_is_told_while_it_goes_on(
    tiny: dict[str, str], pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latentlab.audit.carry_out.Partial.tell", lambda self, make: told.append(make()))
    told: list[object] = []
    audit = run_projection(tiny["checkpoint"], str(pictures), predictor=tiny["predictor"])
    assert [one.report.data_n for one in told] == [16, 32]
    assert audit.report.data_n == 36
    assert [len(one.rows) for one in told] == [len(audit.rows)] * 2


def test_what_a_dataset_cannot_show_is_neither_told_nor_counted(
    tiny: dict[str, str], pictures: Path, tmp_path: Path
) -> None:
    opened = load_model(tiny["checkpoint"])
    unseen = opened.network.spec.model_copy(update={"cannot_show": {"ink": ("hair",)}})
    config = opened.located.config.model_copy(update={"model": unseen})
    folder = save(tmp_path / "cinn", opened.network, config)
    run_projection(str(folder), str(pictures), predictor=tiny["predictor"], out=tmp_path / "audit")
    images = table(tmp_path / "audit" / IMAGES)
    assert all(
        (row["hair_after"] == "") == ("ink" in (row["dataset"], row["source_dataset"])) for row in images
    )
    assert "ink" not in {row["dataset"] for row in table(tmp_path / "audit" / GROUPS)}


def _projected(name: str, before: int, after: int, keep: float) -> Projected:
    nothing = np.zeros((0, 0, 3), dtype=np.uint8)
    said = [{"glasses": np.eye(2, dtype=np.float32)[k]} for k in (before, after)]
    return Projected(
        name=name,
        source=nothing,
        source_dataset="home",
        guessed=False,
        keep=keep,
        latent=np.zeros(1, dtype=np.float32),
        norm=1.0,
        round_trip=0.0,
        attributes=said[0],
        items=(Projection("away", nothing, said[1]),),
        reconstructed=said[0],
    )


def _chosen(groups: tuple[str, ...], group: tuple[str, ...]) -> ChosenPictures:
    glasses = Attribute(name="glasses", classes=("no", "yes"), origin="constructed")
    judge = PredictorSpec(
        family="attribute_cnn",
        image_size=32,
        attributes=(glasses,),
        confusion={"glasses": Confusion(counts=((900, 100), (50, 950)))},
    )
    names = tuple(str(k) for k in range(len(group)))
    return ChosenPictures((), names, (), group, groups, ("away",), judge, (glasses,), (), "")


def test_known_shifts_are_split_corrected_and_found_in_the_group_that_has_them() -> None:
    # 40 women keep their glasses; of 40 men 30 lose them in follow, and 10 of these in keep too
    group = ("gender=female",) * 40 + ("gender=male",) * 40
    keep = [_projected(str(k), 1, 0 if 40 <= k < 50 else 1, 1.0) for k in range(80)]
    follow = [_projected(str(k), 1, 0 if 40 <= k < 70 else 1, 0.0) for k in range(80)]
    found = BothWays(tuple(follow), tuple(keep), group)
    results = results_of(found, _chosen(("gender=female", "gender=male"), group), "dataset")
    yes = {one.group: one for one in results.changes if one.label == "yes"}
    assert yes["all"].style.value == pytest.approx(-10 / 80)
    assert yes["all"].composition.value == pytest.approx(-20 / 80)
    assert yes["all"].shift.value == pytest.approx(-30 / 80)
    for part in (yes["all"].style, yes["all"].composition, yes["all"].shift):
        assert part.high < 0.0, "clearly so"
    assert yes["gender=male"].shift.value == pytest.approx(-30 / 40)
    women = yes["gender=female"].shift
    assert women.value == 0.0
    assert women.low < -0.02 < 0.02 < women.high, "forty images in which nothing changed are not proof"
    follow_share = yes["all"].corrected["follow"]
    assert follow_share.share == pytest.approx((50 / 80 - 0.1) / 0.85, abs=0.01)
    gaps = {(one.mode, one.attribute): one for one in results.gaps}
    assert gaps["follow", "glasses"].gap.value == pytest.approx(30 / 40)
    assert gaps["follow", "glasses"].lowest == "gender=male"
    assert gaps["follow", "glasses"].adjusted < 0.01
    assert results.overall["keep", "glasses"].value == pytest.approx(70 / 80)


def test_intervals_of_shifts_hold_their_level() -> None:
    """Of samples in which 3% gain and 6% lose a class, nearly all intervals hold the difference."""
    generator = np.random.default_rng(0)
    group, held = ("",) * 60, 0
    for _ in range(120):
        change = generator.choice(3, 60, p=(0.91, 0.03, 0.06))
        before = np.where(change == 1, 0, 1)
        after = np.where(change == 0, before, 1 - before)
        cases = [_projected(str(k), int(before[k]), int(after[k]), 1.0) for k in range(60)]
        found = BothWays(tuple(cases), tuple(cases), group)
        style = next(
            one for one in results_of(found, _chosen((), group), "dataset").changes if one.label == "yes"
        )
        held += style.style.low <= -0.03 <= style.style.high
    assert held >= 110


def test_labelled_images_have_groups_and_a_known_dataset(
    tiny: dict[str, str], tiny_faces: ImageSet, tmp_path: Path
) -> None:
    style = Attribute(name="style", classes=("clay", "wood", "ink"), origin="constructed")
    codes = np.full(len(tiny_faces.names), 0, dtype=np.int64)
    codes[tiny_faces.rows] = np.arange(len(tiny_faces)) % 4 - 1
    labelled = replace(
        tiny_faces,
        info=tiny_faces.info.model_copy(update={"attributes": (*tiny_faces.info.attributes, style)}),
        labels={**tiny_faces.labels, "style": codes},
    )
    data = f"{copy_image_set(tmp_path / 'set', labelled)}:test"
    explorer = Explorer.open(tiny["checkpoint"], tiny["predictor"])
    settings = ProjectionSettings(n=80, groups=("gender",))
    chosen = choose_pictures(explorer, data, settings)
    assert set(chosen.groups) == set(chosen.group) == {"gender=female", "gender=male"}
    assert set(chosen.sources) == {"clay", "ink", "auto"}, "labels say it; only what has none is guessed"
    left_out = 80 - len(chosen.pictures)
    assert 0 < left_out < 40
    assert chosen.notes == (f"{left_out} images of a style that the model does not know were left out.",)
    again = choose_pictures(explorer, data, settings)
    other = choose_pictures(explorer, data, replace(settings, seed=1))
    assert chosen.sha256 == again.sha256 != other.sha256
    told = choose_pictures(explorer, data, replace(settings, source="tiles"))
    assert set(told.sources) == {"tiles"}
    run_projection(tiny["checkpoint"], data, n=30, predictor=tiny["predictor"], out=tmp_path / "audit")
    guessed = {row["image"]: row["guessed"] for row in table(tmp_path / "audit" / IMAGES)}
    assert set(guessed.values()) == {"yes", "no"}
    groups = {row["group"] for row in table(tmp_path / "audit" / GROUPS)}
    assert len(groups) > 4, "the usual groups of the set: gender and race"
    assert (tmp_path / "audit" / "gaps.csv").exists()


def test_a_picture_that_cannot_be_read_is_left_out_and_named(
    tiny: dict[str, str], pictures: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for name in ("picture-00.png", "picture-01.png"):
        (folder / name).write_bytes((pictures / name).read_bytes())
    (folder / "broken.png").write_text("no picture")
    audit = run_projection(tiny["checkpoint"], str(folder), predictor=tiny["predictor"])
    assert audit.report.data_n == 2
    assert "broken.png could not be read" in audit.summary[0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"n": 0}, "At least one image"),
        ({"seed": -1}, "seed"),
        ({"onto": ("moon",)}, "knows no dataset 'moon'"),
        ({"source": "moon"}, "knows no dataset 'moon'"),
        ({"attributes": ("hat",)}, "no attribute 'hat'"),
        ({"attributes": ("style",)}, "cannot be counted"),
        ({"groups": ("gender",)}, "no labels"),
        ({"predictor": ""}, "Nobody judges"),
        ({"data": "moon"}, "moon"),
        ({"data": ""}, "needs images"),
        ({"checkpoint": "faces-vae"}, "does not project"),
    ],
)
def test_bad_input_is_refused_before_any_work(
    tiny: dict[str, str], pictures: Path, tmp_path: Path, wrong: dict[str, object], said: str
) -> None:
    asked: dict[str, object] = {**tiny, "data": str(pictures), "out": tmp_path / "audit"}
    with pytest.raises(LatentLabError, match=said):
        run_projection(**(asked | wrong))
    assert not (tmp_path / "audit").exists()
    if wrong == {"n": 0}:
        (tmp_path / "file").write_text("")
        with pytest.raises(LatentLabError, match="cannot be made"):
            run_projection(**(asked | {"out": tmp_path / "file"}))


def test_a_request_and_the_command_do_the_study(
    tiny: dict[str, str], pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    request = StudyRequest(
        "projection",
        (tiny["checkpoint"],),
        str(pictures),
        n=5,
        onto=("ink",),
        predictor=tiny["predictor"],
    )
    audit = run_study(request, tmp_path / "asked")
    call = ["audit", "projection", tiny["checkpoint"], "--data", str(pictures), "--n", "5", "--to", "ink"]
    assert run([*call, "--predictor", tiny["predictor"], "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == audit.report.record()
    assert run([*call[:-1], "moon", "--predictor", tiny["predictor"]]) == 2
    assert "moon" in capfd.readouterr().err
