from __future__ import annotations

import json
from pathlib import Path

import pytest

from latentlab.audit.experiments.catalog import NAMES, experiment
from latentlab.cli.main import run


def test_the_list_names_every_experiment_with_its_parameters(capsys: pytest.CaptureFixture[str]):
    assert run(["experiment", "list"]) == 0
    told = capsys.readouterr().out
    for name in NAMES:
        assert f"{name}: {experiment(name).question}" in told
    assert "--sensitivity" in told
    assert run(["experiment", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found] == list(NAMES)
    assert [one["name"] for one in found[0]["parameters"]] == ["share", "distance", "pictures"]


def test_an_experiment_says_what_it_found_and_writes_what_is_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    charts, table = tmp_path / "vae.svg", tmp_path / "vae.csv"
    wanted = ["experiment", "linear-vae", "--share", "0.2", "--images", "500", "--seed", "4"]
    assert run([*wanted, "--out", str(charts), "--out", str(table)]) == 0
    told = capsys.readouterr().out
    figure = experiment("linear-vae").figure({"share": 0.2, "images": 500}, 4)
    assert told.splitlines()[1:-2] == list(figure.statements)
    assert f"What this does not show: {figure.not_shown}" in told
    assert charts.is_file()
    assert len(table.read_text(encoding="utf-8").splitlines()) == 1 + len(figure.rows)

    assert run([*wanted, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads(json.dumps(figure.record()))
    assert record["command"] == "experiment linear-vae"
    assert record["settings"]["share"] == 0.2
    assert record["metrics"]["kept.minority.counted"]["n"] == 4000
    assert record["metrics"]["reference.bias.minority.measured"]["value"] == pytest.approx(
        16 * record["metrics"]["reference.bias.majority.measured"]["value"]
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["linear-vae", "--share", "0.9"], "from 0.01 to 0.5, not 0.9"),
        (["linear-vae", "--seed", "-1"], "The seed is a whole number"),
        (["linear-vae", "--images", "10.5"], "--images"),
        (["linear-vae", "--out", "vae.doc"], "saved as .png, .svg or .pdf"),
        (["linear"], "No such command 'linear'"),
    ],
)
def test_what_cannot_be_done_ends_in_one_line(
    wrong: list[str], said: str, capsys: pytest.CaptureFixture[str]
):
    assert run(["experiment", *wrong]) == 2
    errors = capsys.readouterr().err
    assert said in errors
    assert len(errors.splitlines()) == 1
