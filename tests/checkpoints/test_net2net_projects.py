"""A net2net checkpoint projects as a cINN does: by operations, on the command line and in the window."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from recorded_originals import Recorded

from latentlab.audit.projection_choice import ProjectionSettings, choose_pictures
from latentlab.checkpoints import load, locate
from latentlab.checkpoints.convert import convert
from latentlab.cli.main import run
from latentlab.errors import SettingsError
from latentlab.families.net2net import Net2Net
from latentlab.operations.explore import Explorer
from latentlab.operations.project import guess_dataset, likelihoods, project, project_latent
from latentlab.operations.projection_plan import projection_plan
from latentlab.operations.sample_grid import sample_grid
from latentlab.operations.sample_plan import Blend, draw_samples

DATASETS = ("dataset 0", "dataset 1", "dataset 2")
THEIRS = 128
"""The recorded pictures' pixels of a side; every fourth of a projection's is recorded."""


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded("net2net")


@pytest.fixture(scope="module")
def checkpoint(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("net2net") / "last.ckpt"
    torch.save({"state_dict": recorded.state}, path)
    return path


@pytest.fixture(scope="module")
def explorer(checkpoint: Path) -> Explorer:
    return Explorer.open(checkpoint)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    drawn = np.random.default_rng(5).integers(0, 256, (2, 3, THEIRS, THEIRS), dtype="uint8")
    return np.ascontiguousarray(drawn[0].transpose(1, 2, 0))


def test_the_projection_is_the_originals(explorer: Explorer, picture: np.ndarray, recorded: Recorded) -> None:
    found = project(explorer, picture, source=DATASETS[0])
    assert [item.dataset for item in found.items] == list(DATASETS)
    assert np.abs(found.latent - recorded["z"][0].numpy()).max() < 1e-4 * np.abs(found.latent).max()
    for place, name in ((1, "picture"), (0, "reconstruction")):
        theirs = (recorded[name][0] / 2 + 0.5).permute(1, 2, 0).numpy() * 255
        ours = found.items[place].picture[::4, ::4]
        assert np.abs(ours - theirs).max() < 0.52  # rounded to whole numbers
    assert found.keep == 0.0
    assert found.round_trip < 1e-3


def test_without_a_predictor_the_dataset_is_guessed_by_likelihood(
    explorer: Explorer, picture: np.ndarray
) -> None:
    found = likelihoods(explorer, picture)
    assert tuple(found) == DATASETS
    assert guess_dataset(explorer, picture) == max(found, key=lambda name: found[name])


@pytest.mark.parametrize("name", ["net2net", "net2net_lrelu"])
def test_the_log_determinant_is_that_of_the_map(name: str, tmp_path: Path) -> None:
    torch.save({"state_dict": Recorded(name).state}, tmp_path / "last.ckpt")
    model = load(tmp_path / "last.ckpt").network
    assert isinstance(model, Net2Net)
    assert model.flow is not None
    model.flow.leaky = name.endswith("lrelu")
    flow, told = model.flow.double(), torch.eye(3, dtype=torch.float64)[:1]
    x = torch.randn(1, 108, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    jacobian = torch.autograd.functional.jacobian(lambda one: flow(one[None], told)[0][0], x[0])
    assert float(flow(x, told)[1]) == pytest.approx(float(torch.linalg.slogdet(jacobian).logabsdet), rel=1e-9)


def test_samples_and_blends_are_drawn_on_every_dataset(explorer: Explorer) -> None:
    samples = draw_samples(explorer.spec, (0, 1), 0.5)
    grid = sample_grid(explorer, samples, blend=Blend(DATASETS[0], DATASETS[2], 0.5))
    assert [one.name for one in grid.plan.columns][:3] == list(DATASETS)
    assert grid.plan.keep == 0.0
    drawn = project_latent(explorer, samples[0].latent, DATASETS[1])
    assert np.array_equal(drawn.items[2].picture, grid.picture(0, 2))
    assert not np.array_equal(drawn.items[0].picture, drawn.items[2].picture)


def test_its_plan_tells_the_dataset_alone(explorer: Explorer) -> None:
    plan = projection_plan(explorer.spec.condition, DATASETS[2], keep=0.7)
    assert plan.keep == 0.0
    assert np.array_equal(plan.conditions, np.eye(3, dtype=np.float32))


def test_the_command_projects_a_folder_and_counts_nothing_twice(
    checkpoint: Path, picture: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(picture).save(tmp_path / "face.png")
    native = convert(checkpoint, tmp_path / "native").path
    command = ["project", str(native), str(tmp_path / "face.png"), "--to", "dataset 1,dataset 2"]
    assert run([*command, "--out", str(tmp_path / "out")]) == 0
    assert "follow the dataset" in capsys.readouterr().out
    with (tmp_path / "out" / "projections.csv").open(encoding="utf-8") as file:
        assert {row["dataset"] for row in csv.DictReader(file)} >= {"dataset 1", "dataset 2"}


def test_a_study_of_both_modes_is_refused(explorer: Explorer, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="only follows the dataset"):
        choose_pictures(explorer, "faces:test", ProjectionSettings())


def test_the_autoencoder_alone_does_not_project(recorded: Recorded, tmp_path: Path) -> None:
    prefix = "first_stage_model."
    state = {n.removeprefix(prefix): t for n, t in recorded.state.items() if n.startswith(prefix)}
    torch.save(state, tmp_path / "first.ckpt")
    spec = locate(tmp_path / "first.ckpt").config.model
    assert spec is not None
    assert spec.datasets == ()
