from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.cli.main import run
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import SetWriter
from latentlab.operations.explore import Explorer
from latentlab.operations.search_plan import NOTE


@pytest.fixture(scope="module")
def portraits(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures: two of the model's own, one of them large and transparent, and a small one."""
    folder = tmp_path_factory.mktemp("portraits")
    explorer = Explorer.open(tiny_model_folder, predictor="")
    for seed in (700, 701):
        Image.fromarray(explorer.picture(explorer.draw(seed))).save(folder / f"{seed}.png")
    large = Image.open(folder / "701.png").resize((100, 80)).convert("RGBA")
    large.putpixel((0, 0), (0, 0, 0, 0))
    large.save(folder / "701.png")
    Image.open(folder / "700.png").resize((8, 8), Image.Resampling.BICUBIC).save(folder / "small.png")
    return folder


def options(model: Path, predictor: Path, out: Path, *more: str) -> list[str]:
    how = ["--factor", "4", "--restarts", "2", "--steps", "40", "--rate", "1", "--eps", "1e-4"]
    return ["--model", str(model), "--predictor", str(predictor), *how, "--out", str(out), *more]


def test_a_folder_is_searched_for_and_gone_on_with(
    portraits: Path,
    tiny_model_folder: Path,
    tiny_predictor_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    out = tmp_path / "found"
    how = options(tiny_model_folder, tiny_predictor_folder, out, "--json")
    first = sorted(portraits.iterdir())[0]
    assert run(["search", str(first), *how]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["n"] == 1
    when = (out / "700" / "restart-0.png").stat().st_mtime_ns

    assert run(["search", str(portraits), *how]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["data"]["n"] == 3
    assert set(record["metrics"]) == {"success_rate", "restart_success_rate"}
    assert record["notes"][0] == NOTE
    told = {one["picture"]: " ".join(one["notes"]) for one in record["pictures"]}
    assert "Transparent parts were put on white" in told["701.png"]
    assert "larger than the model and was reduced to 32 px" in told["701.png"]
    assert "small picture itself" in told["small.png"]
    assert (out / "700" / "restart-0.png").stat().st_mtime_ns == when  # what is done is not done again

    for name in ("700", "701", "small"):
        assert sorted(one.name for one in (out / name).iterdir()) == [
            "restart-0.png",
            "restart-1.png",
            "sheet.png",
            "target.png",
        ]
        with Image.open(out / name / "restart-1.png") as picture:
            assert picture.size == (32, 32)
            assert picture.text["Description"] == NOTE  # type: ignore[attr-defined]
    with (out / "search.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["picture"] for row in rows] == ["700.png"] * 2 + ["701.png"] * 2 + ["small.png"] * 2
    assert {row["status"] for row in rows} <= {"under eps", "not converged"}
    assert {row["note"] for row in rows} == {NOTE}
    assert "race_probability" in rows[0]
    assert json.loads((out / "report.json").read_text())["data"]["n"] == 3

    assert run(["search", str(portraits), *how, "--seed", "5"]) == 2
    said = capsys.readouterr().err
    assert "other settings: seed is 0 there, not 5" in said
    assert "--more" not in said
    assert run(["search", str(portraits), *how, "--steps", "60"]) == 2
    said = capsys.readouterr().err
    assert "other settings: steps is 40 there, not 60" in said
    assert "their --steps, and --more STEPS" in said


def test_what_is_not_converged_is_gone_on_with(
    portraits: Path,
    tiny_model_folder: Path,
    tiny_predictor_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    out = tmp_path / "found"
    how = options(tiny_model_folder, tiny_predictor_folder, out, "--steps", "3")
    face = str(portraits / "700.png")
    assert run(["search", face, *how]) == 0
    assert "Not converged" in capsys.readouterr().out

    def distances() -> list[float]:
        with (out / "search.csv").open(encoding="utf-8") as file:
            return [float(row["distance"]) for row in csv.DictReader(file)]

    before = distances()
    assert run(["search", face, *how, "--more", "100"]) == 0
    after = distances()
    assert all(b <= a for a, b in zip(before, after, strict=True))
    assert min(after) < 0.2 * min(before)
    with (out / "search.csv").open(encoding="utf-8") as file:
        assert all(int(row["steps"]) > 3 for row in csv.DictReader(file))


def test_loops_and_posteriors(
    portraits: Path,
    tiny_model_folder: Path,
    tiny_predictor_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    two = [str(portraits / "700.png"), str(portraits / "701.png")]
    how = options(
        tiny_model_folder, tiny_predictor_folder, tmp_path / "a", "--loop", str(tmp_path / "play.gif")
    )
    assert run(["search", *two, *how]) == 0
    for name in ("700", "701"):
        with Image.open(tmp_path / f"play-{name}.gif") as film:
            assert film.n_frames > 3

    sampled = options(
        tiny_model_folder,
        tiny_predictor_folder,
        tmp_path / "b",
        *("--posterior", "--luminance", "--exposure", "0.2", "--sigma", "0.05", "--leaps", "3"),
    )
    capsys.readouterr()
    assert run(["search", two[0], *sampled]) == 0
    said = capsys.readouterr().out
    assert NOTE in said
    assert "40 draws of 2 chains" in said
    assert "the chains have not met yet" in said
    assert "into another folder" in said
    assert not any(word in said for word in ("under eps", "onverged", "--more"))
    with (tmp_path / "b" / "search.csv").open(encoding="utf-8") as file:
        assert {(row["status"], row["eps"]) for row in csv.DictReader(file)} == {("drawn", "")}
    report = json.loads((tmp_path / "b" / "report.json").read_text())
    assert set(report["metrics"]) == {"chains_met_rate"}
    assert report["pictures"][0]["chains_met"] is False
    line = json.loads((tmp_path / "b" / "done.jsonl").read_text().splitlines()[1])
    assert line["metrics"]["effective_samples_least"]["value"] > 0
    assert line["settings"]["observation"]["kind"] == "luminance"
    assert line["settings"]["sampling"]["leaps"] == 3
    assert "restarts_under_eps" not in line["metrics"]
    rate = report["metrics"]["chains_met_rate"]
    assert (rate["low"], rate["value"], rate["n"]) == (0.0, 0.0, 1)
    assert 0.7 < rate["high"] < 0.9, "one picture says little"
    assert run(["search", two[0], *sampled, "--temperature", "0.5"]) == 2
    assert "first temperature" in capsys.readouterr().err
    assert run(["search", two[0], *sampled, "--more", "5"]) == 2
    assert "more --steps and another folder" in capsys.readouterr().err


def test_a_conditional_model_is_told_a_class_and_the_others_are_searched_for(
    portraits: Path, tiny_cvae_folder: Path, tiny_predictor_folder: Path, tmp_path: Path
):
    how = options(tiny_cvae_folder, tiny_predictor_folder, tmp_path / "c", "--condition", "gender=male")
    assert run(["search", str(portraits / "700.png"), *how]) == 0
    line = json.loads((tmp_path / "c" / "done.jsonl").read_text().splitlines()[1])
    assert line["settings"]["free"] == ["race", "glasses"]
    assert all(one["condition"][:2] == [0.0, 1.0] for one in line["restarts"])


def test_bad_input_is_a_message_and_never_a_crash(
    portraits: Path,
    tiny_model_folder: Path,
    tiny_predictor_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    grey, text = tmp_path / "grey.png", tmp_path / "text.png"
    Image.fromarray(np.full((40, 40, 3), 9, np.uint8)).save(grey)
    text.write_text("not a picture")
    face = str(portraits / "700.png")

    def refused(*arguments: str, out: str = "new") -> str:
        how = options(tiny_model_folder, tiny_predictor_folder, tmp_path / out, *arguments[1:])
        assert run(["search", arguments[0], *how]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        return said

    assert "holds text, not a picture" in refused(str(text))
    assert "one colour only" in refused(str(grey), out="new2")
    assert "choose one of 2, 4, 8, 16, 32" in refused(face, "--factor", "7")
    assert "There is no picture or folder" in refused(str(tmp_path / "nothing.png"))
    assert "ends in none of these" in refused(face, "--loop", str(tmp_path / "film.avi"))
    assert "crop, stretch, pad" in refused(face, "--fit", "squeeze")
    assert "1 to 50 pictures a second" in refused(face, "--loop", str(tmp_path / "a.gif"), "--fps", "0")
    assert "adam or lbfgs" in refused(face, "--optimiser", "sgd")
    assert "unconditional" in refused(face, "--free", "gender", out="new4")
    other = tmp_path / "other"
    other.mkdir()
    (other / "note.txt").write_text("mine")
    assert "holds other files" in refused(face, out="other")

    # One that cannot be used does not stop the others.
    how = options(tiny_model_folder, tiny_predictor_folder, tmp_path / "mixed")
    assert run(["search", face, str(grey), *how]) == 0
    assert "one colour only" in capsys.readouterr().out


def test_eps_is_measured_on_a_set_before(
    portraits: Path,
    tiny_model_folder: Path,
    tiny_predictor_folder: Path,
    tiny_faces: ImageSet,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    six = tiny_faces.select(np.arange(6))
    with SetWriter(tmp_path / "set", 32) as writer:
        writer.add(six.pixels(slice(0, 6)))
        labels = {name: codes[six.rows] for name, codes in six.labels.items()}
        writer.finish(six.info, labels, six.names[six.rows], six.splits[six.rows])
    face = str(portraits / "700.png")
    how = options(
        tiny_model_folder, tiny_predictor_folder, tmp_path / "d", "--eps-data", str(tmp_path / "set")
    )
    assert run(["search", face, *how]) == 2
    assert "not both" in capsys.readouterr().err
    place = how.index("--eps")
    assert run(["search", face, *how[:place], *how[place + 2 :], "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)["settings"]
    assert (
        run(
            [
                "evaluate",
                "search-eps",
                str(tiny_model_folder),
                "--data",
                str(tmp_path / "set"),
                "--factor",
                "4",
                "--device",
                "cpu",
                "--json",
            ]
        )
        == 0
    )
    assert json.loads(capsys.readouterr().out)["metrics"]["eps"]["value"] == pytest.approx(measured["eps"])
    assert "reconstructions" in measured["eps_source"]
