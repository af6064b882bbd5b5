"""The recipe of the cINN: it begins as Gaussian transport, learns likelihoods, and ties what it is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from latentlab.checkpoints import load
from latentlab.cli.main import run
from latentlab.data.avatars import list_avatars, make_avatars
from latentlab.data.set_folder import open_image_set
from latentlab.errors import DataError, SettingsError
from latentlab.families.cinn import CINN
from latentlab.families.flow import ConditionalFlow, FlowConfig
from latentlab.families.vae import VAE
from latentlab.metrics.transport import Gaussian
from latentlab.spec import Attribute
from latentlab.training.affine_layers import FOLLOW, KEEP, MODES, _not_opposite, begin
from latentlab.training.cinn import CINNLosses, CINNRecipe
from latentlab.training.latent_rows import LatentRows, latent_rows
from latentlab.training.loop import LoopSettings, make_fabric, train

FLOW = FlowConfig(blocks=2, width=32, depth=1, embedding=4)
HAIR = Attribute(name="hair", classes=("short", "long", "none"))
SETTINGS = LoopSettings(
    steps=500, batch=128, save_every=0, ema=0.9, precision="32-true", threads=1, accelerator="cpu"
)


def _rows(n: int = 600, seed: int = 0, pairs: int = 0) -> LatentRows:
    """Two datasets of the same people: in the second the latent is turned, stretched and moved."""
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, 3, n)
    content = 0.5 * generator.normal(size=(n, 6))
    content[:, :3] += 2.0 * np.eye(3)[codes]
    turn = expm(0.8 * (skew := np.random.default_rng(9).normal(size=(6, 6))) - 0.8 * skew.T)
    other = content @ turn.T * [1.0, 2.0, 0.5, 1.0, 1.0, 3.0] + 4.0
    mean = np.concatenate([content, other]).astype(np.float32)
    chosen = np.arange(pairs)
    return LatentRows(
        mean,
        np.full_like(mean, 0.05),
        np.repeat(np.arange(2), n),
        {"hair": np.concatenate([codes, codes])},
        np.stack([chosen, chosen + n], axis=1),
    )


def _projected(flow: ConditionalFlow, rows: LatentRows, mode: int) -> np.ndarray:
    """Return the second dataset's latents that the first one's become."""
    n = len(rows) // 2
    weights = torch.eye(2 * MODES)
    with torch.no_grad():
        z, _ = flow(torch.from_numpy(rows.mean[:n]), weights[[0 * MODES + mode] * n])
        return flow.inverse(z, weights[[1 * MODES + mode] * n]).numpy()


def _error(flow: ConditionalFlow, rows: LatentRows, mode: int) -> float:
    n = len(rows) // 2
    spread = rows.mean[n:].std(axis=0)
    return float((np.abs(_projected(flow, rows, mode) - rows.mean[n:]) / spread).mean())


def test_it_begins_as_gaussian_transport() -> None:
    rows = _rows()
    flow = ConditionalFlow(6, 2 * MODES, FLOW)
    begin(flow, rows, 2, ["hair"])
    for mode in (FOLLOW, KEEP):
        made = Gaussian.of(_projected(flow, rows, mode))
        wanted = Gaussian.of(rows.mean[len(rows) // 2 :])
        np.testing.assert_allclose(made.mean, wanted.mean, atol=1e-2)
        np.testing.assert_allclose(made.covariance, wanted.covariance, atol=5e-2)


@pytest.mark.parametrize("seed", range(6))
def test_a_turn_is_bounded_and_otherwise_kept(seed: int) -> None:
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(7, 7)))[0]
    found = _not_opposite(turn)
    np.testing.assert_allclose(found @ found.T, np.eye(7), atol=1e-9)
    assert np.linalg.svd(np.eye(7) + found, compute_uv=False)[-1] > 0.99, "halfway, half is left"
    angles = np.abs(np.angle(np.linalg.eigvals(turn)))
    if angles.max() < 2.0:
        np.testing.assert_allclose(found, turn, atol=1e-9)
    small = expm(0.3 * (turn - turn.T))
    np.testing.assert_allclose(_not_opposite(small), small, atol=1e-9)


def test_between_the_modes_there_is_always_an_inverse() -> None:
    rows = _rows(pairs=100)
    flow = ConditionalFlow(6, 2 * MODES, FLOW)
    begin(flow, rows, 2, ["hair"])
    for k in range(2):
        both = flow.affine.matrix[k * MODES : (k + 1) * MODES].detach()
        halfway = torch.linalg.svdvals(0.5 * (both[0] + both[1])).min()
        assert float(halfway) > 0.3 * float(torch.linalg.svdvals(both[0]).min())


def test_what_is_tied_lies_together_from_the_beginning() -> None:
    """Three classes say how a plane lies, pairs how everything does."""
    rows, known = _rows(), _rows(pairs=100)
    errors = {}
    for name, given, tied in (("nothing", rows, []), ("classes", rows, ["hair"]), ("pairs", known, ["hair"])):
        flow = ConditionalFlow(6, 2 * MODES, FLOW)
        begin(flow, given, 2, tied)
        errors[name] = _error(flow, rows, KEEP)
    assert errors["classes"] < errors["nothing"] - 0.1
    assert errors["pairs"] < 0.1 < errors["classes"]


def test_training_ties_the_attributes_in_one_mode_only(tmp_path: Path) -> None:
    rows, fresh = _rows(), _rows(seed=5)
    torch.manual_seed(0)
    recipe = CINNRecipe(FLOW, CINNLosses(moments=0.0), rows, 2, [HAIR], fresh)
    before = recipe.snapshot(recipe.flow, tmp_path, 0)
    fabric = make_fabric(SETTINGS)
    found = train(recipe, rows, tmp_path / "run", SETTINGS, fabric).network
    assert isinstance(found, ConditionalFlow)
    after = recipe.snapshot(found, tmp_path, 500)
    assert after["nats_follow"] < before["nats_follow"], "the likelihood rises"
    n, codes = len(fresh) // 2, fresh.attributes["hair"][: len(fresh) // 2]
    centres = np.stack([fresh.mean[n:][codes == k].mean(axis=0) for k in range(3)])
    spread = fresh.mean[n:].std(axis=0)

    def kept(mode: int) -> float:
        made = _projected(found, fresh, mode) / spread
        nearest = ((made[:, None] - centres / spread) ** 2).sum(axis=2).argmin(axis=1)
        return float((nearest == codes).mean())

    assert kept(KEEP) > 0.95
    assert kept(FOLLOW) < kept(KEEP)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    trained = [line for line in lines if line["kind"] == "train"]
    assert trained[-1]["attributes_right"] > 0.9


def test_pairs_are_drawn_together(tmp_path: Path) -> None:
    rows = _rows(pairs=60)
    torch.manual_seed(0)
    recipe = CINNRecipe(FLOW, CINNLosses(tie=0.0), rows, 2)
    found = train(recipe, rows, tmp_path, SETTINGS, make_fabric(SETTINGS)).network
    assert isinstance(found, ConditionalFlow)
    assert _error(found, _rows(seed=5), KEEP) < 0.15


def test_what_a_dataset_cannot_draw_is_left_out_of_the_tie() -> None:
    rows = _rows(40)
    rows.attributes["hair"][:40] = -1
    torch.manual_seed(0)
    recipe = CINNRecipe(FLOW, CINNLosses(), rows, 2, [HAIR])
    logits = torch.zeros(2, 3)
    logits[0, 0] = 50.0
    entropy, right = recipe._misread(logits, np.array([0, 40]))
    own = torch.nn.functional.cross_entropy(logits[1:], torch.tensor([int(rows.attributes["hair"][40])]))
    torch.testing.assert_close(entropy, own)
    assert float(right) in (0.0, 1.0)


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"tie": -1.0}, {"pairs": float("nan")}, {"noise": -0.1}])
def test_weights_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        CINNLosses(**wrong)


def test_a_dataset_of_one_image_is_refused() -> None:
    rows = _rows(2)
    alone = LatentRows(rows.mean[:3], rows.deviation[:3], rows.datasets[:3], {}, rows.pairs)
    with pytest.raises(SettingsError, match="at least two images"):
        begin(ConditionalFlow(6, 2 * MODES, FLOW), alone, 2, [])


@pytest.fixture(scope="module")
def two_styles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "two-styles"
    counts = {"train": 60, "validation": 12, "test": 24}
    return make_avatars(folder, list_avatars(counts, styles=["lorelei", "toon-head"]), 32, workers=1)


def _command(two_styles: Path, tiny_model_folder: Path, out: Path, *more: str) -> list[str]:
    return [
        *("train", "cinn", "--data", f"{two_styles}:train", "--datasets", "style", "--out", str(out)),
        *("--autoencoder", str(tiny_model_folder), "--steps", "6", "--batch", "32", "--blocks", "2"),
        *("--width", "16", "--threads", "1", *more),
    ]


def test_the_command_makes_a_checkpoint_that_opens(
    two_styles: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "cinn"
    assert run(_command(two_styles, tiny_model_folder, out, "--pairs", "20", "--predictor", "p")) == 0
    opened = load(out)
    assert isinstance(opened.network, CINN)
    schema = opened.network.spec.condition
    assert [attribute.name for attribute in schema.attributes] == ["style", "mode"]
    assert schema.attributes[0].classes == ("lorelei", "toon-head")
    assert opened.network.spec.cannot_show == {"lorelei": ("clothes",), "toon-head": ("glasses",)}
    record = opened.config.training
    assert record["pairs"] == 20
    assert record["tie"] == ["skin", "hair_color", "hair", "mouth", "clothes", "glasses", "beard"]
    assert record["predictor"] == "p"
    assert record["autoencoder_sha256"] == load(tiny_model_folder).located.sha256()
    before = load(tiny_model_folder).network
    assert isinstance(before, VAE)
    x = torch.rand(1, 3, 32, 32)
    found = opened.network.autoencoder.encode(x).mean
    torch.testing.assert_close(found, before.encode(x).mean, atol=2e-2, rtol=0)


def test_datasets_can_be_merged_into_one_condition(tiny_model_folder: Path, tmp_path: Path, capfd) -> None:
    sets, out = tmp_path / "three-styles", tmp_path / "cinn"
    people = list_avatars(
        {"train": 30, "validation": 8, "test": 6}, styles=["lorelei", "toon-head", "open-peeps"]
    )
    make_avatars(sets, people, 32, workers=1)
    merge = ["--merge", "lorelei+open-peeps=hand-drawn"]
    assert run(_command(sets, tiny_model_folder, out, "--pairs", "5", *merge)) == 0
    opened = load(out)
    assert isinstance(opened.network, CINN)
    domain = opened.network.spec.condition.attributes[0]
    assert domain.classes == ("hand-drawn", "toon-head")
    assert domain.parts == (("lorelei", "open-peeps"), ("toon-head",))
    assert opened.config.training["merge"] == {"hand-drawn": ["lorelei", "open-peeps"]}
    common = [
        "evaluate",
        "projection",
        str(out),
        "--data",
        f"{sets}:test",
        "--predictor",
        "avatars-attributes",
    ]
    assert run([*common, "--count", "4", "--json"]) == 0
    record = json.loads(capfd.readouterr().out.partition("\n")[2])
    assert record["groups"]["style=hand-drawn"]["truth.target_dataset_share"]["n"] == 12, "of both its parts"
    assert record["groups"]["style=hand-drawn"]["truth.target_dataset_share"]["value"] > 0.7
    for wrong, said in (("lorelei=x", "merges nothing"), ("lorelei+moon=x", "no class 'moon'")):
        assert run(_command(sets, tiny_model_folder, tmp_path / "x", "--merge", wrong)) == 2
        assert said in capfd.readouterr().err


def test_styles_that_are_one_dataset_are_no_pair(two_styles: Path, tiny_model_folder: Path) -> None:
    images = open_image_set(two_styles).split("train")
    vae = load(tiny_model_folder).network
    assert isinstance(vae, VAE)
    alike = replace(images, labels={**images.labels, "style": np.zeros_like(images.labels["style"])})
    assert latent_rows(vae, alike, "style", [], pairs=7).pairs.shape == (0, 2)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--datasets", "planet"], "no attribute 'planet'"),
        (["--tie", "style"], "style cannot be tied"),
        (["--pairs", "61"], "There are 60 identities in all styles"),
        (["--autoencoder", "faces-attributes"], "is no VAE"),
        (["--blocks", "0"], "No such network can be built"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    two_styles: Path, tiny_model_folder: Path, tmp_path: Path, capfd, more: list[str], said: str
) -> None:
    assert run(_command(two_styles, tiny_model_folder, tmp_path / "out", *more)) == 2
    assert said in capfd.readouterr().err


def test_pairs_are_of_the_same_identity(two_styles: Path, tiny_model_folder: Path) -> None:
    images = open_image_set(two_styles).split("train")
    vae = load(tiny_model_folder).network
    assert isinstance(vae, VAE)
    rows = latent_rows(vae, images, "style", ["hair"], pairs=7)
    assert rows.pairs.shape == (7, 2)
    names = images.names[images.rows]
    for one, other in rows.pairs:
        assert names[one].split(":")[0] == names[other].split(":")[0]
        assert rows.datasets[one] != rows.datasets[other]
    again = latent_rows(vae, images, "style", [], pairs=7)
    np.testing.assert_array_equal(rows.pairs, again.pairs)
    with pytest.raises(DataError, match="no pairs"):
        latent_rows(vae, images.select(rows.datasets == 0), "style", [], pairs=7)


def test_an_image_without_its_dataset_and_other_held_out_datasets_are_refused(
    two_styles: Path, tiny_model_folder: Path, tmp_path: Path, capfd
) -> None:
    images = open_image_set(two_styles).split("train")
    vae = load(tiny_model_folder).network
    assert isinstance(vae, VAE)
    codes = np.array(images.labels["style"])
    codes[int(images.rows[3])] = -1
    unknown = replace(images, labels={**images.labels, "style": codes})
    with pytest.raises(SettingsError, match="1 of avatars have no style, such as"):
        latent_rows(vae, unknown, "style", [])
    counts = {"validation": 4, "train": 0, "test": 0}
    other = make_avatars(
        tmp_path / "other", list_avatars(counts, styles=["toon-head", "lorelei"]), 32, workers=1
    )
    assert run(_command(two_styles, tiny_model_folder, tmp_path / "x", "--validation", str(other))) == 2
    assert "has style as toon-head, lorelei" in capfd.readouterr().err
    assert run(_command(two_styles, tiny_model_folder, tmp_path / "x", "--devices", "2")) == 2
    assert "trained in one process" in capfd.readouterr().err


def test_nothing_to_tie_is_refused_and_pairs_are_enough() -> None:
    with pytest.raises(SettingsError, match="--tie ''"):
        CINNRecipe(FLOW, CINNLosses(), _rows(), 2)
    assert CINNRecipe(FLOW, CINNLosses(), _rows(pairs=5), 2).attributes == ()
