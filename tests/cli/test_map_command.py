"""``latentlab map`` encodes, lays out, and leaves files; what cannot be done is one line and status 2."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.checkpoints import save
from latentlab.checkpoints.companion import load_model
from latentlab.cli.main import run
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set
from latentlab.operations.explore import Explorer
from latentlab.operations.make_map import make_map
from latentlab.operations.map_file import find_map, load_map, map_path
from latentlab.paths import cache_directory

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def data(tiny_faces: ImageSet, tmp_path: Path) -> Path:
    return copy_image_set(tmp_path / "set", tiny_faces.split("validation"))


@pytest.fixture
def command(tiny_model_folder: Path) -> list[str]:
    return ["map", "--model", str(tiny_model_folder)]


def _refused(arguments: list[str], captured: Captured, message: str) -> None:
    assert run(arguments) == 2
    out, err = captured.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_a_map_leaves_picture_table_and_file(
    command: list[str], data: Path, tmp_path: Path, tiny_model_folder: Path, capfd: Captured
) -> None:
    picture, table, out = tmp_path / "map.png", tmp_path / "map.csv", tmp_path / "map.safetensors"
    asked = ["--data", str(data), "--count", "40", "--colour", "glasses", "--seed", "3"]
    files = ["--picture", str(picture), "--table", str(table), "--out", str(out)]
    assert run([*command, *asked, *files]) == 0
    printed = capfd.readouterr()
    assert printed.err == ""
    assert printed.out.startswith(f"40 images of {data}; the first two components hold ")
    assert printed.out.count("\n") == 1
    explorer = Explorer.open(tiny_model_folder, "")
    expected = make_map(explorer, open_set(data, 32), str(data), count=40, seed=3)
    found = load_map(out)
    assert found.info == expected.info
    np.testing.assert_array_equal(found.places["tsne"], expected.places["tsne"])
    with Image.open(picture) as image:
        assert image.size == (900, 900)
    with table.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["name"] for line in lines] == found.names.tolist()
    np.testing.assert_allclose([float(line["x"]) for line in lines], found.places["tsne"][:, 0], rtol=1e-5)


def test_the_record_tells_what_was_done(
    command: list[str], data: Path, tiny_model_folder: Path, capfd: Captured
) -> None:
    assert run([*command, "--data", f"{data}:validation", "--layout", "pca", "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    sha256 = Explorer.open(tiny_model_folder, "").located.sha256()
    assert record["command"] == "map"
    assert record["checkpoint"]["sha256"] == sha256
    assert record["data"] == {"path": f"{data}:validation", "n": 64}
    assert record["settings"]["layout"] == "pca"
    shares = [record["metrics"][f"variance_share.pc{k + 1}"]["value"] for k in range(8)]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0, abs=1e-5)
    path = find_map(sha256, f"{data}:validation", 10_000, 0)
    assert path is not None, "the window finds it"
    assert load_map(path).layouts == ("pca",), "t-SNE was not asked for"


def test_a_map_that_is_there_is_taken(
    command: list[str], data: Path, tmp_path: Path, capfd: Captured
) -> None:
    assert run([*command, "--data", str(data), "--out", str(tmp_path / "a.safetensors")]) == 0
    kept = map_path(load_map(tmp_path / "a.safetensors").info.sha256, str(data), 10_000, 0)
    written = kept.stat()
    assert run([*command, "--data", str(data), "--layout", "pca"]) == 0
    assert kept.stat() == written
    assert "Open the map in the window, or give --picture" in capfd.readouterr().out


def test_a_folder_is_the_same_set_from_wherever_it_is_named(
    command: list[str], data: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.chdir(data.parent)
    assert run([*command, "--data", "./set:validation", "--layout", "pca", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["data"]["path"] == f"{data}:validation"


def test_without_a_set_the_one_the_model_was_trained_on_is_taken(
    tiny_model_folder: Path, data: Path, tmp_path: Path, capfd: Captured
) -> None:
    opened = load_model(tiny_model_folder)
    config = opened.located.config.model_copy(update={"training": {"data": str(data)}})
    save(tmp_path / "trained", opened.network, config)
    assert run(["map", "--model", str(tmp_path / "trained"), "--layout", "pca"]) == 0
    assert f"64 images of {data}" in capfd.readouterr().out


def test_a_model_that_does_not_say_on_what_it_was_trained_needs_a_set(
    command: list[str], capfd: Captured
) -> None:
    _refused(command, capfd, "name a set with --data")


def test_what_cannot_be_done_is_said_before_the_work(command: list[str], data: Path, capfd: Captured) -> None:
    maps = cache_directory() / "maps"
    before = set(maps.iterdir()) if maps.is_dir() else set()
    known = [*command, "--data", str(data)]
    _refused([*known, "--layout", "umap"], capfd, "laid out by pca or tsne, not 'umap'")
    _refused([*known, "--colour", "hat"], capfd, "no attribute 'hat'")
    _refused([*known, "--count", "2"], capfd, "3 images at least")
    _refused([*known, "--seed", "-1"], capfd, "--seed")
    _refused([*command, "--data", "/nowhere/set"], capfd, "There is no image set '/nowhere/set'")
    _refused([*command, "--data", f"{data}:test"], capfd, "no images in its split 'test'")
    assert (set(maps.iterdir()) if maps.is_dir() else set()) == before


def test_three_images_have_no_tsne_and_the_command_says_so(
    command: list[str], tiny_faces: ImageSet, tmp_path: Path, capfd: Captured
) -> None:
    few = copy_image_set(tmp_path / "few", tiny_faces.select(np.arange(3)))
    _refused([*command, "--data", str(few), "--picture", str(tmp_path / "a.png")], capfd, "no layout 'tsne'")
    picture = ["--layout", "pca", "--picture", str(tmp_path / "a.png")]
    assert run([*command, "--data", str(few), *picture]) == 0
    assert (tmp_path / "a.png").is_file()


def test_a_file_that_cannot_be_written_is_named(
    command: list[str], data: Path, tmp_path: Path, capfd: Captured
) -> None:
    known = [*command, "--data", str(data), "--layout", "pca"]
    for option, name in (("--picture", "a.png"), ("--table", "a.csv")):
        path = tmp_path / "missing" / name
        _refused([*known, option, str(path)], capfd, f"{path} cannot be written")
