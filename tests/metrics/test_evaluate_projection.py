"""Projections are judged by what they are: a perfect one scores as the truth does, identity as nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.checkpoints import load, save
from latentlab.cli.main import run
from latentlab.data.avatars import list_avatars, make_avatars
from latentlab.data.set_folder import open_image_set
from latentlab.errors import DataError, SettingsError
from latentlab.families.cinn import CINN, CINNConfig
from latentlab.families.flow import FlowConfig
from latentlab.families.vae import VAE
from latentlab.metrics.evaluate_projection import _drawn_alike, _ranks, evaluate_projection
from latentlab.metrics.projecting import entropy
from latentlab.spec import MODE, CheckpointConfig, ConditionSchema, ModelSpec
from latentlab.training.affine_layers import begin
from latentlab.training.latent_rows import latent_rows

TIED = ["skin", "hair", "hair_color", "glasses", "beard"]


@pytest.fixture(scope="module")
def styles(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("sets") / "styles"
    counts = {"train": 80, "validation": 0, "test": 30}
    make_avatars(folder, list_avatars(counts, styles=["lorelei", "toon-head"]), 32, workers=1)
    return open_image_set(folder)


@pytest.fixture(scope="module")
def cinn(styles, tiny_model_folder: Path) -> CINN:
    """A cINN that is nothing but its beginning: Gaussian transport, turned in *keep*."""
    vae = load(tiny_model_folder).network
    assert isinstance(vae, VAE)
    domain = styles.attribute("style")
    spec = ModelSpec(
        family="cinn",
        image_size=32,
        latent_shape=(8,),
        condition=ConditionSchema(attributes=(domain, MODE)),
    )
    torch.manual_seed(0)
    config = CINNConfig(autoencoder=vae.config, flow=FlowConfig(blocks=1, width=8, embedding=2))
    found = CINN(config, spec)
    found.autoencoder.load_state_dict(vae.state_dict())
    begin(found.flow, latent_rows(vae, styles.split("train"), "style", TIED), 2, TIED)
    return found.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def judge():
    """The bundled judge of the avatars, which takes pictures of any size."""
    return load("avatars-attributes").network


def test_the_truth_scores_itself_and_untrained_follow_is_gaussian_transport(styles, cinn, judge) -> None:
    found = evaluate_projection(
        cinn, judge, styles.split("test"), train=styles.split("train"), pairs=40, mode="follow", count=20
    )
    metrics = found.metrics
    assert metrics["truth.top1"].value == 1.0
    assert metrics["truth.attributes_kept"].value > 0.5
    for figure in ("attributes_kept", "top1", "top10", "target_dataset_share"):
        assert metrics[figure].value == pytest.approx(
            metrics[f"baseline.gaussian_transport.{figure}"].value, abs=0.1
        )
    lead = metrics["lead.gaussian_transport.attributes_kept"]
    assert lead.low <= 0.0 <= lead.high
    ratio = metrics["attributes_kept_of_truth"]
    kept, truth = metrics["attributes_kept"].value, metrics["truth.attributes_kept"].value
    assert ratio.value == pytest.approx(kept / truth)
    assert ratio.low <= ratio.value <= ratio.high
    assert metrics["round_trip_max"].value < 1e-4
    assert 0.0 < metrics["blend_stretch"].value <= 1.0
    assert metrics["truth.target_dataset_share"].value > 0.9
    assert set(found.groups) == {"style=lorelei", "style=toon-head"}
    bias = metrics["composition_bias.hair"]
    assert 0.0 <= bias.low <= bias.value <= bias.high <= 100.0
    assert "composition_bias.hair" in found.groups["style=lorelei"]
    assert {"attributes_kept.skin", "attributes_kept.hair", "entropy_ratio.skin"} <= set(metrics)
    assert "attributes_kept.glasses" not in metrics, "toon-head cannot draw any"
    for name in ("identity", "mean_shift", "ridge_pairs"):
        assert 0.0 <= metrics[f"baseline.{name}.top10"].value <= 1.0
    assert any("at least 2,000" in note for note in found.notes)


def test_without_training_rows_there_are_no_baselines(styles, cinn, judge) -> None:
    found = evaluate_projection(cinn, judge, styles.split("test"), count=6)
    assert not any(name.startswith(("baseline.", "lead.", "dataset_probe")) for name in found.metrics)
    assert any("No baselines" in note for note in found.notes)
    assert found.settings["mode"] == "keep"


def test_a_set_without_the_models_datasets_is_refused(styles, cinn, judge) -> None:
    one = styles.select(np.asarray(styles.codes("style")) == 0)
    with pytest.raises(DataError, match="no pairs"):
        evaluate_projection(cinn, judge, one)
    with pytest.raises(SettingsError, match="at least two identities"):
        evaluate_projection(cinn, judge, styles.split("test"), count=1)


def test_ranks_count_the_nearer_ones() -> None:
    true = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0]], dtype=np.float32)
    found = np.array([[0.1, 0.0], [0.2, 0.0], [0.9, 0.0]], dtype=np.float32)
    assert _ranks(found, true).tolist() == [0.0, 1.0, 2.0]


def test_alike_are_those_that_all_datasets_know_or_none() -> None:
    one, other = np.array([[0, 1], [0, -1], [0, -1]]), np.array([[1, 0], [1, 0], [2, -1]])
    assert _drawn_alike([one, other]).tolist() == [True, False, True]


def test_entropy_is_in_nats() -> None:
    assert entropy(np.array([0, 0, 1, 1]), 3) == pytest.approx(np.log(2.0))
    assert entropy(np.array([1, 1]), 3) == 0.0


def test_the_command(styles, cinn, tmp_path: Path, capfd) -> None:
    described = CheckpointConfig(
        kind="model",
        name="begun",
        model=cinn.spec,
        network=cinn.config.model_dump(mode="json"),
        training={"predictor": "avatars-attributes", "pairs": 10},
    )
    folder = save(tmp_path / "begun", cinn, described)
    sets = str(Path(styles.images.filename).parent)
    common = ["evaluate", "projection", str(folder), "--pairs", f"{sets}:test", "--identities", "5"]
    assert run([*common, "--json", "--table", str(tmp_path / "t.csv")]) == 0
    record = json.loads(capfd.readouterr().out)
    assert record["command"] == "evaluate projection"
    assert record["settings"]["pairs"] == 10, "as many as it was trained with"
    assert record["settings"]["mode"] == "keep"
    assert record["metrics"]["attributes_kept"]["n"] == 5
    assert (tmp_path / "t.csv").is_file()
    for wrong, said in (
        (["--mode", "sideways"], "keep or follow"),
        (["--pairs", "faces:test"], "no attribute 'style'"),
    ):
        assert run([*common, *wrong]) == 2
        assert said in capfd.readouterr().err
    assert run(["evaluate", "projection", "faces-vae", "--pairs", f"{sets}:test"]) == 2
    assert "is no cINN" in capfd.readouterr().err


def test_its_card_shows_both_modes(styles, cinn, tmp_path: Path) -> None:
    described = CheckpointConfig(
        kind="model",
        name="begun",
        model=cinn.spec,
        network=cinn.config.model_dump(mode="json"),
        training={"predictor": "avatars-attributes"},
    )
    folder = save(tmp_path / "begun", cinn, described)
    sets = str(Path(styles.images.filename).parent)
    assert run(["card", str(folder), "--data", f"{sets}:test"]) == 0
    card = (folder / "README.md").read_text()
    assert "a conditional invertible network" in card
    for figure in ("attributes_kept", "follow.attributes_kept", "follow.frechet_target_ratio", "mae_255"):
        assert f'type: "{figure}"' in card
    assert "- `top1`: share of projections" in card
    assert "- `follow`" not in card
    assert {path.name for path in folder.glob("*.png")} == {"samples.png", "reconstructions.png", "flips.png"}
