"""``--condition`` and ``--told`` of the commands that draw: what they choose is what is drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.cli.main import run
from latentlab.data.image_set import ImageSet
from latentlab.errors import SettingsError
from latentlab.operations.explore import Explorer
from latentlab.operations.latent_text import latent_text
from latentlab.operations.reconstruct import reconstruct_picture
from latentlab.operations.series import start_from, start_under
from latentlab.session.document import CheckpointRef, Document, Explore, Group, Pin, Shelf
from latentlab.session.saved import session_json

STRIPS = ["directions", "--from", "seed:1", "--to", "seed:2", "--sheet", "strips.png"]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def explorer(tiny_cvae_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_cvae_folder, tiny_predictor_folder)


@pytest.fixture
def options(tiny_cvae_folder: Path, tiny_predictor_folder: Path) -> list[str]:
    return ["--model", str(tiny_cvae_folder), "--predictor", str(tiny_predictor_folder)]


@pytest.fixture
def pixels(tiny_faces: ImageSet) -> np.ndarray:
    return tiny_faces.split("test").pixels([0])[0]


@pytest.fixture
def face(pixels: np.ndarray, tmp_path: Path) -> Path:
    path = tmp_path / "face.png"
    Image.fromarray(pixels).save(path)
    return path


def test_the_decoder_draws_under_the_condition(
    explorer: Explorer, face: Path, pixels: np.ndarray, options: list[str]
) -> None:
    found = reconstruct_picture(options[1], options[3], image=face, condition="race=black:2,glasses=yes")
    seen = explorer.encode(pixels)
    wanted = explorer.condition({"race": {"black": 2.0}, "glasses": "yes"}, seen.condition)
    np.testing.assert_array_equal(found.condition, wanted)
    np.testing.assert_array_equal(found.told, seen.condition)
    np.testing.assert_array_equal(found.edited, explorer.picture(seen.latent, wanted))
    reconstruction = explorer.picture(seen.latent, seen.condition)
    np.testing.assert_array_equal(found.pictures["reconstruction"], reconstruction)
    assert any("race in --condition is an extrapolation" in note for note in found.notes)
    assert not any("glasses in --condition" in note for note in found.notes)


def test_the_encoder_alone_is_told(
    explorer: Explorer, face: Path, pixels: np.ndarray, options: list[str]
) -> None:
    found = reconstruct_picture(options[1], options[3], image=face, told="gender=female:0.5+male:0.5")
    own = explorer.encode(pixels).condition
    told = explorer.condition({"gender": {"female": 0.5, "male": 0.5}}, own)
    np.testing.assert_array_equal(found.condition, own)
    latent = explorer.encode(pixels, told).latent
    np.testing.assert_array_equal(found.latent, latent)
    np.testing.assert_array_equal(found.edited, explorer.picture(latent, own))


def test_a_draw_has_the_first_classes_and_no_encoder(explorer: Explorer, options: list[str]) -> None:
    found = reconstruct_picture(options[1], options[3], seed=4, condition="race=white")
    wanted = explorer.condition({"race": "white"}, explorer.first_condition())
    np.testing.assert_array_equal(found.edited, explorer.picture(explorer.draw(4), wanted))
    assert found.told is None
    with pytest.raises(SettingsError, match="nothing is encoded"):
        reconstruct_picture(options[1], options[3], seed=4, told="race=white")


def test_the_record_has_both(face: Path, options: list[str], capfd: Captured) -> None:
    call = ["reconstruct", str(face), *options, "--condition", "gender=male", "--told", "gender=female"]
    assert run([*call, "--json"]) == 0
    settings = json.loads(capfd.readouterr().out)["settings"]
    assert settings["condition"][:2] == [0.0, 1.0]
    assert settings["told"][:2] == [1.0, 0.0]


def test_a_start_has_its_own_condition(
    explorer: Explorer, face: Path, pixels: np.ndarray, tmp_path: Path
) -> None:
    first, seen = explorer.first_condition(), explorer.encode(pixels)
    for text, own in (("middle", first), ("seed:3", first), (str(face), seen.condition)):
        begin = start_under(explorer, text)
        np.testing.assert_array_equal(begin.condition, own)
        np.testing.assert_array_equal(begin.latent, start_from(explorer, text))
        chosen = start_under(explorer, text, "race=black")
        np.testing.assert_array_equal(chosen.condition, explorer.condition({"race": "black"}, own))
    copied = explorer.condition({"gender": {"male": 2.0}})
    sha256 = explorer.located.sha256()
    path = tmp_path / "latent.json"
    path.write_text(latent_text("tiny-cvae", sha256, seen.latent, copied), encoding="utf-8")
    np.testing.assert_array_equal(start_under(explorer, path).condition, copied)
    path.write_text(latent_text("tiny-cvae", sha256, seen.latent), encoding="utf-8")
    np.testing.assert_array_equal(start_under(explorer, path).condition, first)


def test_a_traversal_holds_the_condition(
    explorer: Explorer, options: list[str], tmp_path: Path, capfd: Captured
) -> None:
    out = tmp_path / "strip.png"
    call = ["traverse", "seed:2", *options, "--dimension", "1", "--steps", "3", "--condition", "race=black"]
    assert run([*call, "--out", str(out), "--json"]) == 0
    settings = json.loads(capfd.readouterr().out)["settings"]
    condition = explorer.condition({"race": "black"}, explorer.first_condition())
    assert settings["condition"] == condition.tolist()
    latents = np.array(settings["latents"], dtype=np.float32)
    with Image.open(out) as image:
        shown = np.array(image)
    np.testing.assert_array_equal(shown[-32:, -32:], explorer.picture(latents[2], condition))
    assert run(["traverse", *options, "--rank", "change", "--steps", "2", "--out", str(out)]) == 0


def test_a_path_holds_one_condition(
    explorer: Explorer, options: list[str], face: Path, pixels: np.ndarray, tmp_path: Path, capfd: Captured
) -> None:
    out = tmp_path / "path.png"
    call = ["interpolate", str(face), "seed:3", *options, "--steps", "2", "--condition", "glasses=yes"]
    assert run([*call, "--out", str(out), "--json"]) == 0
    settings = json.loads(capfd.readouterr().out)["settings"]
    held = explorer.condition({"glasses": "yes"}, explorer.encode(pixels).condition)
    assert settings["condition"] == held.tolist()
    with Image.open(out) as image:
        shown = np.array(image)
    np.testing.assert_array_equal(shown[:32, -32:], explorer.picture(explorer.draw(3), held))


@pytest.mark.parametrize("closed", [False, True])
def test_a_path_goes_evenly_from_one_condition_to_the_next(
    closed: bool, explorer: Explorer, options: list[str], face: Path, tmp_path: Path, capfd: Captured
) -> None:
    own = start_under(explorer, str(face))
    other = explorer.condition({"gender": {"male": 2.0}, "race": "white"})
    copied, out = tmp_path / "latent.json", tmp_path / "path.png"
    text = latent_text("tiny-cvae", explorer.located.sha256(), explorer.draw(3), other)
    copied.write_text(text, encoding="utf-8")
    call = [
        "interpolate",
        str(face),
        str(copied),
        *options,
        "--steps",
        "2",
        *(["--closed"] if closed else []),
    ]
    assert run([*call, "--out", str(out), "--json"]) == 0
    settings = json.loads(capfd.readouterr().out)["settings"]
    half = (own.condition + other) / 2
    wanted = [own.condition, half, other, *([half] if closed else [])]
    np.testing.assert_array_equal(np.array(settings["conditions"], dtype=np.float32), wanted)
    assert "condition" not in settings
    latents = np.array(settings["latents"], dtype=np.float32)
    with Image.open(out) as image:
        shown = np.array(image)
    for k in range(2):
        cell = shown[:32, 34 * k : 34 * k + 32]
        np.testing.assert_array_equal(cell, explorer.picture(latents[k], wanted[k]))


def test_strips_of_directions_are_drawn_under_the_condition_of_where_they_set_out(
    explorer: Explorer, options: list[str], face: Path, pixels: np.ndarray, tmp_path: Path
) -> None:
    sha256, seen = explorer.located.sha256(), explorer.encode(pixels)
    pinned = explorer.condition({"gender": "male", "race": {"white": 2.0}})
    shelf = Shelf((Pin("Mine", explorer.draw(7), pinned),), groups=(Group("Both", explorer.draw(8), 2),))
    reference = CheckpointRef(options[1], "tiny-cvae", sha256, "")
    begun = Explore(explorer.draw(1), explorer.draw(1), explorer.first_condition())
    mine, out = tmp_path / "mine.json", tmp_path / "strips.png"
    mine.write_text(session_json(Document(reference, begun, 1, {sha256: shelf}), {}), encoding="utf-8")
    call = ["directions", *options, "--from", "seed:1", "--to", "seed:2", "--steps", "3"]
    first = explorer.first_condition()
    for start, latent, own in (
        (str(face), seen.latent, seen.condition),
        (f"{mine}:Mine", explorer.draw(7), pinned),
        (f"{mine}:Both", explorer.draw(8), first),
        ("seed:3", explorer.draw(3), first),
    ):
        for chosen, under in (("", own), ("glasses=yes", explorer.condition({"glasses": "yes"}, own))):
            asked = ["--start", start, "--sheet", str(out), "--condition", chosen]
            assert run([*call, *asked]) == 0
            with Image.open(out) as image:
                middle = np.array(image)[-32:, -66:-34]
            np.testing.assert_array_equal(middle, explorer.picture(latent, under))


def test_a_probe_has_the_condition_and_the_scale_of_a_class(options: list[str], capfd: Captured) -> None:
    call = ["probe", "seed:1", *options, "--count", "0", "--condition", "gender=male", "--json"]
    assert run([*call, "--axis", "2", "--axis", "scale:race=black"]) == 0
    record = json.loads(capfd.readouterr().out)
    assert record["settings"]["condition"][:2] == [0.0, 1.0]
    assert any(name.startswith("probability.scale of race=black=") for name in record["metrics"])


@pytest.mark.parametrize(
    "command", [["reconstruct", "--seed", "1"], ["traverse"], ["interpolate", "seed:1", "seed:2"], STRIPS]
)
def test_an_unconditional_model_has_no_condition_to_choose(
    command: list[str], tiny_model_folder: Path, capfd: Captured
) -> None:
    assert run([*command, "--model", str(tiny_model_folder), "--condition", "gender=male"]) == 2
    assert "it is unconditional" in capfd.readouterr().err


def test_a_class_outside_the_schema_is_one_line(options: list[str], capfd: Captured) -> None:
    assert run(["traverse", *options, "--condition", "gender=robot"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "latentlab: Attribute 'gender' has no class 'robot'; it has female, male.\n"
