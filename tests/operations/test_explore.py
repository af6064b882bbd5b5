from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.cli.main import run
from latentlab.data.pictures import read_picture, square_picture
from latentlab.errors import CheckpointError, SettingsError
from latentlab.operations.explore import Explorer
from latentlab.operations.reconstruct import reconstruct_picture
from latentlab.paths import bundled


@pytest.fixture
def explorer(tiny_model_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, tiny_predictor_folder)


@pytest.fixture
def pixels() -> np.ndarray:
    """A sample face at the tiny model's size, uint8 [32, 32, 3]."""
    return square_picture(read_picture(bundled("resources", "samples", "face-0020.png")).pixels, 32)


@pytest.fixture
def face(tmp_path: Path, pixels: np.ndarray) -> Path:
    path = tmp_path / "face.png"
    Image.fromarray(pixels).save(path)
    return path


def pixels_of(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.array(picture)


def test_encoding_gives_the_posterior_of_the_square_the_model_sees(
    explorer: Explorer, pixels: np.ndarray
) -> None:
    from latentlab.data.image_set import images_to_tensor

    seen = explorer.encode(pixels)
    np.testing.assert_array_equal(seen.source, pixels)
    posterior = explorer._model.encode(images_to_tensor(pixels[None]))
    np.testing.assert_array_equal(seen.latent, posterior.mean[0].numpy())
    assert (seen.std > 0).all()
    wide = np.concatenate([pixels[:, :4] * 0, pixels, pixels[:, :4] * 0], axis=1)
    np.testing.assert_array_equal(explorer.encode(wide).source, pixels)


def test_pictures_are_the_same_every_time_and_follow_the_latent(explorer: Explorer) -> None:
    latent = explorer.draw(1)
    np.testing.assert_array_equal(explorer.picture(latent), explorer.picture(latent.copy()))
    changed = explorer.change(latent, {0: latent[0] + 3.0})
    assert not np.array_equal(explorer.picture(latent), explorer.picture(changed))


def test_attributes_are_probabilities_at_any_size(explorer: Explorer) -> None:
    picture = explorer.picture(explorer.draw(1))
    for given in (picture, picture.repeat(2, axis=0).repeat(2, axis=1), picture[::2, ::2]):
        found = explorer.attributes(given)
        assert list(found) == ["gender", "race", "glasses", "facial_hair"]
        for values in found.values():
            assert values.sum() == pytest.approx(1.0, abs=1e-5)


def test_other_weights_than_expected_are_refused(tiny_model_folder: Path) -> None:
    sha256 = Explorer.open(tiny_model_folder, "").located.sha256()
    Explorer.open(tiny_model_folder, "", sha256=sha256)
    with pytest.raises(CheckpointError, match="other weights"):
        Explorer.open(tiny_model_folder, "", sha256="0" * 64)


def test_without_a_predictor_attributes_say_so(tiny_model_folder: Path) -> None:
    explorer = Explorer.open(tiny_model_folder, "")
    assert explorer.predictor_spec is None
    with pytest.raises(SettingsError, match="No attribute predictor"):
        explorer.attributes(np.zeros((32, 32, 3), np.uint8))


def test_a_predictor_is_no_model(tiny_predictor_folder: Path) -> None:
    with pytest.raises(CheckpointError, match="not a model"):
        Explorer.open(tiny_predictor_folder)


def test_a_condition_must_fit(explorer: Explorer) -> None:
    with pytest.raises(SettingsError, match="0 numbers"):
        explorer.condition([1.0])


def test_reconstruct_measures_what_the_explorer_does(
    explorer: Explorer, tiny_model_folder: Path, tiny_predictor_folder: Path, face: Path
) -> None:
    found = reconstruct_picture(tiny_model_folder, tiny_predictor_folder, image=face, changes={2: 1.5})
    seen = explorer.encode(pixels_of(face))
    np.testing.assert_array_equal(found.edited, explorer.picture(explorer.change(seen.latent, {2: 1.5})))
    reconstruction = explorer.picture(seen.latent)
    expected = np.abs(reconstruction.astype(int) - seen.source).mean()
    assert found.mae_255() == pytest.approx(expected)


def test_the_command_writes_picture_table_and_json(
    tiny_model_folder: Path, tiny_predictor_folder: Path, face: Path, tmp_path: Path, capsys
) -> None:
    out, table = tmp_path / "out.png", tmp_path / "out.csv"
    options = ["--model", str(tiny_model_folder), "--predictor", str(tiny_predictor_folder)]
    options += ["--set", "3=1.5", "--set", "0=-1", "--out", str(out), "--table", str(table), "--json"]
    assert run(["reconstruct", str(face), *options]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["command"] == "reconstruct"
    assert record["settings"]["set"] == {"3": 1.5, "0": -1.0}
    assert record["settings"]["latent"][3] == 1.5
    assert record["metrics"]["mae_255"]["n"] == 1
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert {row["picture"] for row in rows} == {"input", "reconstruction", "edited"}
    assert len(rows) == 3 * (2 + 4 + 2 + 2)
    found = reconstruct_picture(
        tiny_model_folder, tiny_predictor_folder, image=face, changes={3: 1.5, 0: -1.0}
    )
    np.testing.assert_array_equal(pixels_of(out), found.edited)


def test_the_command_sets_out_from_a_seed_and_prints_a_table(
    tiny_model_folder: Path, tiny_predictor_folder: Path, capsys
) -> None:
    options = ["--model", str(tiny_model_folder), "--predictor", str(tiny_predictor_folder)]
    assert run(["reconstruct", "--seed", "4", *options]) == 0
    text = capsys.readouterr().out
    assert "start" in text
    assert "facial_hair: yes" in text
    assert "mean absolute error" not in text


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["face.png", "--seed", "1"], "not both"),
        ([], "either a picture or --seed"),
        (["nothing.png"], "nothing.png"),
        (["--seed", "1", "--set", "99=1"], "0 to 7"),
        (["--seed", "1", "--table", "t.csv", "--predictor", "none"], "--predictor"),
        (["--seed", "1", "--out", "no/such/folder.png"], "cannot be written"),
        (["--seed", "-3"], "0 or larger"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    tiny_model_folder: Path, arguments: list[str], part: str, capsys
) -> None:
    assert run(["reconstruct", *arguments, "--model", str(tiny_model_folder)]) == 2
    error = capsys.readouterr().err.strip()
    assert part in error
    assert "\n" not in error


def test_a_truncated_start_and_mutations_are_those_of_the_window(
    tiny_model_folder: Path, explorer: Explorer, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = [
        "--seed",
        "2",
        "--truncation",
        "0.5",
        "--mutate",
        "1",
        "--mutate",
        "2",
        "--set",
        "3=1.5",
        "--json",
    ]
    assert run(["reconstruct", "--json", "--model", str(tiny_model_folder), *asked]) == 0
    settings = json.loads(capfd.readouterr().out)["settings"]
    latent = explorer.mutate(explorer.mutate(explorer.draw(2, 0.5), 1), 2)
    np.testing.assert_array_equal(
        np.array(settings["latent"], dtype=np.float32), explorer.change(latent, {3: 1.5})
    )
    assert (settings["truncation"], settings["mutations"]) == (0.5, [1, 2])
