"""``latentlab samples`` draws what the API draws; what cannot be is one line and status 2."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.cli.main import run
from latentlab.operations.explore import Explorer
from latentlab.operations.sample_figure import sample_figure, sample_rows
from latentlab.operations.sample_grid import blend_series, input_sample, sample_grid, way_series
from latentlab.operations.sample_plan import Blend, draw_samples

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def explorer(tiny_cinn_folder: Path, tiny_judge_folder: Path) -> Explorer:
    return Explorer.open(tiny_cinn_folder, tiny_judge_folder)


@pytest.fixture
def command(tiny_cinn_folder: Path, tiny_judge_folder: Path) -> list[str]:
    return ["samples", str(tiny_cinn_folder), "--predictor", str(tiny_judge_folder)]


@pytest.fixture
def face(tmp_path: Path) -> Path:
    path = tmp_path / "face.png"
    pixels = np.random.default_rng(3).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_a_sheet_a_table_a_strip_and_a_record(
    command: list[str], explorer: Explorer, face: Path, tmp_path: Path, capfd: Captured
) -> None:
    sheet, table, strip = tmp_path / "sheet.png", tmp_path / "samples.csv", tmp_path / "strip.png"
    asked = ["--rows", "2", "--seed", "5", "--truncation", "0.7", "--mode", "0.5", "--to", "tiles,ink"]
    asked += ["--input", str(face), "--from", "clay", "--blend", "ink:clay:0.25", "--row", "2"]
    files = ["--out", str(sheet), "--table", str(table), "--strip", str(strip)]
    assert run([*command, *asked, *files, "--json"]) == 0
    record = json.loads(capfd.readouterr().out)
    with Image.open(face) as picture:
        first = input_sample(explorer, np.array(picture), source="clay", keep=0.5, name="face.png")
    samples = (first, *draw_samples(explorer.spec, [5, 6], 0.7))
    grid = sample_grid(explorer, samples, onto=["tiles", "ink"], keep=0.5, blend=Blend("ink", "clay", 0.25))
    with Image.open(sheet) as shown:
        np.testing.assert_array_equal(np.array(shown.convert("RGB")), np.array(sample_figure(grid)))
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{name: str(value) for name, value in row.items()} for row in sample_rows(grid)]
    blend_series(explorer, samples[1], "ink", "clay", keep=0.5).save_sheet(tmp_path / "expected.png")
    assert strip.read_bytes() == (tmp_path / "expected.png").read_bytes()
    assert record["command"] == "samples"
    assert record["checkpoint"]["sha256"] == explorer.located.sha256()
    assert [one["seed"] for one in record["settings"]["rows"]] == [None, 5, 6]
    assert [one["name"] for one in record["settings"]["columns"]] == ["tiles", "ink", "75% ink + 25% clay"]
    key = "probability.seed 5.ink.hair=long"
    assert record["metrics"][key]["value"] == pytest.approx(float(grid.said(1, 1)["hair"][1]))


def test_a_way_goes_between_two_rows(
    command: list[str], explorer: Explorer, tmp_path: Path, capfd: Captured
) -> None:
    strip, loop = tmp_path / "strip.png", tmp_path / "way.gif"
    asked = ["--rows", "3", "--way", "1:3", "--on", "clay", "--steps", "4", "--kind", "linear"]
    assert run([*command, *asked, "--strip", str(strip), "--loop", str(loop)]) == 0
    assert capfd.readouterr().out == "3 rows of one z each, on ink, clay, tiles\n"
    samples = draw_samples(explorer.spec, range(3))
    way_series(explorer, samples[0], samples[2], "clay", steps=4, kind="linear").save_sheet(
        tmp_path / "expected.png"
    )
    assert strip.read_bytes() == (tmp_path / "expected.png").read_bytes()
    with Image.open(loop) as film:
        assert film.n_frames == 6, "to and fro, each end once"


def test_without_a_file_it_says_that_nothing_was_saved(command: list[str], capfd: Captured) -> None:
    assert run([*command, "--rows", "1"]) == 0
    assert "Nothing was saved; give --out FILE" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--blend", "ink"], "names no two datasets"),
        (["--strip", "a.png"], "needs --way 1:2 or --blend A:B"),
        (["--way", "1:9", "--strip", "a.png"], "There is no row 9; there are 6."),
        (["--way", "x", "--strip", "a.png"], "names no two rows"),
        (["--row", "7"], "There is no row 7"),
        (["--to", "wool"], "no dataset 'wool'"),
        (["--mode", "some"], "not 'some'"),
        (["--truncation", "2"], "between 0 and 1"),
        (["--way", "1:2", "--kind", "round", "--strip", "a.png"], "not 'round'"),
    ],
)
def test_what_cannot_be_is_one_line(
    command: list[str], asked: list[str], said: str, tmp_path: Path, monkeypatch, capfd: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([*command, *asked]) == 2
    errors = capfd.readouterr().err.splitlines()
    assert said in errors[-1]
    assert errors[-1].startswith("latentlab: ")
    assert not list(tmp_path.glob("*.png"))
