"""``latentlab counterfactual`` draws, measures and leaves files; what cannot be is one line and status 2."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.cli.main import run
from latentlab.data.avatars import list_avatars, make_avatars
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set
from latentlab.operations.counterfactual import counterfactuals, counterfactuals_of_latent, page_positions
from latentlab.operations.counterfactual_figure import figure
from latentlab.operations.explore import Explorer
from latentlab.operations.latent_text import latent_text

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def face(tiny_faces: ImageSet, tmp_path: Path) -> Path:
    path = tmp_path / "face.png"
    Image.fromarray(tiny_faces.split("test").pixels([0])[0]).save(path)
    return path


@pytest.fixture
def options(tiny_cvae_folder: Path, tiny_predictor_folder: Path) -> list[str]:
    return ["--model", str(tiny_cvae_folder), "--predictor", str(tiny_predictor_folder)]


@pytest.fixture
def data(tiny_faces: ImageSet, tmp_path: Path) -> Path:
    return copy_image_set(tmp_path / "set", tiny_faces.split("test"))


def test_a_picture_gives_a_figure_a_table_and_a_record(
    face: Path, options: list[str], tmp_path: Path, capfd: Captured
) -> None:
    sheet, table = tmp_path / "sheet.png", tmp_path / "table.csv"
    asked = ["--attribute", "gender", "--second", "glasses", "--scale", "1.5", "--condition", "race=black"]
    files = ["--sheet", str(sheet), "--table", str(table)]
    assert run(["counterfactual", str(face), *options, *asked, *files, "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    explorer = Explorer.open(options[1], options[3])
    with Image.open(face) as picture:
        wanted = counterfactuals(
            explorer, np.array(picture), "gender", "glasses", scale=1.5, condition={"race": "black"}
        )
    assert record["command"] == "counterfactual"
    assert record["checkpoint"]["sha256"] == explorer.located.sha256()
    assert record["settings"]["condition"] == wanted.condition.tolist()
    assert record["settings"]["choices"] == {"race": "black"}
    name = "gender=male,glasses=yes x1.5"
    assert record["metrics"][f"effect.{name}"]["value"] == pytest.approx(wanted.items[3].change.effect)
    assert any("extrapolation" in note for note in record["notes"])
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 10
    assert {row["picture"] for row in rows} == {"face.png"}
    with Image.open(sheet) as image:
        assert image.width > 4 * 128


@pytest.mark.parametrize("start", ["seed:4", "latent.json"])
def test_a_latent_has_counterfactuals_and_no_input(
    start: str, options: list[str], tmp_path: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    explorer = Explorer.open(options[1], options[3])
    own, latent = explorer.first_condition(), explorer.draw(4)
    if start.endswith(".json"):
        own = explorer.condition({"gender": {"male": 2.0}, "race": "white"})
        text = latent_text("tiny-cvae", explorer.located.sha256(), latent, own)
        Path(start).write_text(text, encoding="utf-8")
    own = explorer.condition({"glasses": "yes"}, own)
    call = ["counterfactual", start, *options, "--attribute", "race", "--condition", "glasses=yes"]
    assert run([*call, "--sheet", "sheet.png", "--table", "table.csv", "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    assert record["settings"]["condition"] == own.tolist()
    assert record["settings"]["latent"] == latent.tolist()
    assert record["data"] == {"path": start, "n": 1}
    wanted = counterfactuals_of_latent(explorer, latent, own, "race", name=start, again="start")
    with Image.open("sheet.png") as image:
        np.testing.assert_array_equal(np.array(image), np.array(figure(wanted)))
    with Path("table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["picture"], row["input"]) for row in rows} == {(start, "")}
    assert run([*call, "--side", "both"]) == 2
    assert "--side can only be decoder" in capfd.readouterr().err


def test_a_set_gives_a_sorted_page(
    data: Path, options: list[str], tiny_faces: ImageSet, tmp_path: Path, capfd: Captured
) -> None:
    asked = [
        "--data",
        str(data),
        "--attribute",
        "glasses",
        "--count",
        "5",
        "--seed",
        "2",
        "--sort",
        "leakage",
    ]
    sheet = tmp_path / "page.png"
    assert run(["counterfactual", *options, *asked, "--sheet", str(sheet), "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    test = tiny_faces.split("test")
    chosen = test.names[test.rows[page_positions(test, "glasses", count=5, seed=2)]]
    assert set(record["groups"]) == set(chosen.tolist())
    leakages = [one["leakage"]["value"] for one in record["groups"].values()]
    assert leakages == sorted(leakages, reverse=True)
    assert record["metrics"]["leakage.glasses"]["value"] == pytest.approx(np.mean(leakages))
    assert record["data"] == {"path": str(data), "n": 5}
    assert sheet.is_file()
    assert run(["counterfactual", *options, *asked, "--target", "yes"]) == 0
    out = capfd.readouterr().out
    assert out.count("glasses=yes:") == 5
    assert "effect.glasses: " in out


def test_avatars_are_shown_beside_the_truth(tiny_cvae_folder: Path, tmp_path: Path, capfd: Captured) -> None:
    from latentlab.checkpoints import save
    from latentlab.checkpoints.companion import load_model
    from latentlab.spec import Attribute, ConditionSchema

    opened = load_model(tiny_cvae_folder)
    names = {"glasses": ("no", "yes"), "beard": ("no", "yes"), "skin": ("1", "2", "3", "4")}
    schema = ConditionSchema(attributes=tuple(Attribute(name=k, classes=v) for k, v in names.items()))
    spec = opened.network.spec.model_copy(update={"condition": schema})
    model = save(tmp_path / "model", opened.network, opened.located.config.model_copy(update={"model": spec}))
    made = make_avatars(
        tmp_path / "avatars", list_avatars({"test": 3}, seed=4, styles=("lorelei",)), 32, workers=1
    )
    call = ["counterfactual", "--model", str(model), "--predictor", "none", "--data", str(made)]
    assert run([*call, "--attribute", "beard"]) == 0
    assert "true_counterfactual_ratio.beard" in capfd.readouterr().out
    assert run([*call, "--attribute", "beard", "--second", "glasses", "--position", "1"]) == 0
    assert capfd.readouterr().out.count("error to the truth") == 3, "all but its own classes"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--attribute", "hat"], "no attribute 'hat'; it has gender, race, glasses"),
        (["--condition", "gender=robot"], "no class 'robot'; it has female, male"),
        (["--condition", "gender"], "chooses nothing"),
        (["--side", "left"], "decoder, encoder or both"),
        (["--second", "gender"], "given twice"),
        (["--scale", "nan"], "finite"),
        (["--data", "faces:test"], "either a picture or a set"),
        (["--threshold", "300"], "from 0 to 255"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str], said: str, face: Path, options: list[str], capfd: Captured
) -> None:
    assert run(["counterfactual", str(face), *options, *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sort", "size"], "effect, leakage or set"),
        (["--target", "robot"], "no class 'robot'"),
        (["--second", "race"], "name one picture of the set with --position"),
        (["--position", "96"], "the set has 0 to 95"),
    ],
)
def test_what_no_page_can_be_is_one_line(
    arguments: list[str], said: str, data: Path, options: list[str], capfd: Captured
) -> None:
    assert run(["counterfactual", *options, "--data", str(data), *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert said in err


def test_an_unconditional_model_has_nothing_to_flip(
    face: Path, tiny_model_folder: Path, capfd: Captured
) -> None:
    for start in (str(face), "seed:1"):
        assert run(["counterfactual", start, "--model", str(tiny_model_folder)]) == 2
        assert "there is no condition to flip" in capfd.readouterr().err
