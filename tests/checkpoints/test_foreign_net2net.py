from pathlib import Path

import numpy as np
import pytest
import torch
from recorded_originals import Recorded
from torch import Tensor

from latentlab.checkpoints import load, locate
from latentlab.checkpoints.foreign import import_foreign
from latentlab.errors import CheckpointError, SettingsError
from latentlab.families.net2net import Net2Net

YAML = """
model:
  base_learning_rate: 4.5e-6
  target: net2net.models.flows.flow.Net2NetFlow
  params:
    flow_config:
      params: {activation: "%s"}
data:
  params:
    train: {target: net2net.data.faces.CCFQTrain}
"""
A, B = torch.eye(3)[[0, 2]], torch.eye(3)[[1, 0]]
"""The datasets of the recording's two pictures, and those onto which they were projected."""


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded("net2net")


@pytest.fixture(scope="module")
def images() -> Tensor:
    drawn = np.random.default_rng(5).integers(0, 256, (2, 3, 128, 128), dtype="uint8")
    return torch.from_numpy(drawn) / 255.0


def ckpt(state: dict[str, Tensor], folder: Path, activation: str = "") -> Path:
    """Write what a training writes: ``checkpoints/last.ckpt``, and its configuration in ``configs/``."""
    (folder / "checkpoints").mkdir(exist_ok=True)
    if activation:
        (folder / "configs").mkdir(exist_ok=True)
        (folder / "configs" / "2020-11-30-project.yaml").write_text(YAML % activation)
    torch.save({"epoch": 1, "state_dict": state}, folder / "checkpoints" / "last.ckpt")
    return folder / "checkpoints" / "last.ckpt"


def opened(path: Path) -> Net2Net:
    network = load(path).network
    assert isinstance(network, Net2Net)
    return network


def close(ours: Tensor, theirs: Tensor) -> bool:
    return float((ours - theirs).abs().max() / theirs.abs().max()) < 1e-4


@pytest.mark.parametrize(("name", "activation"), [("net2net", "none"), ("net2net_lrelu", "lrelu")])
def test_it_encodes_projects_and_draws_as_the_original_does(
    tmp_path: Path, images: Tensor, name: str, activation: str
) -> None:
    recorded = Recorded(name)
    model = opened(ckpt(recorded.state, tmp_path, activation))
    posterior = model.first_stage.encode(images)
    assert close(posterior.mean, recorded["mean"])
    assert posterior.logvar is not None
    assert close(posterior.logvar, recorded["logvar"])
    z = model.encode(images, A).mean
    assert close(z, recorded["z"])
    assert model.flow is not None
    assert close(model.flow.inverse(z, B), recorded["projected"])
    for picture, of in ((model.decode(z, B), "picture"), (model.decode(z, A), "reconstruction")):
        assert close(picture[:, :, ::4, ::4], recorded[of] / 2 + 0.5)


def test_the_datasets_are_called_as_the_configuration_says(recorded: Recorded, tmp_path: Path) -> None:
    path = ckpt(recorded.state, tmp_path, "none")
    spec = locate(path).config.model
    assert spec is not None
    assert spec.condition.attributes[0].classes == ("CelebA", "CelebA-HQ", "FFHQ")
    found = import_foreign(path, {"datasets": "a, b, c"})
    assert found is not None
    assert found.config.model is not None
    assert found.config.model.condition.attributes[0].classes == ("a", "b", "c")
    with pytest.raises(SettingsError, match="names 3 datasets here; it names 2"):
        import_foreign(path, {"datasets": "a,b"})


def test_without_a_configuration_it_opens_and_says_what_is_missing(
    recorded: Recorded, tmp_path: Path
) -> None:
    foreign = locate(ckpt(recorded.state, tmp_path)).foreign
    assert foreign is not None
    assert foreign.config.model is not None
    assert foreign.config.model.condition.attributes[0].classes == ("dataset 0", "dataset 1", "dataset 2")
    assert any("YAML" in line for line in foreign.missing)


def test_the_autoencoder_alone_opens(recorded: Recorded, images: Tensor, tmp_path: Path) -> None:
    prefix = "first_stage_model."
    state = {n.removeprefix(prefix): t for n, t in recorded.state.items() if n.startswith(prefix)}
    model = opened(ckpt(state, tmp_path))
    assert "no simple prior" in model.spec.cannot["sample"]
    assert close(model.encode(images).mean, recorded["mean"])
    assert close(model.decode(recorded["mean"])[:, :, ::4, ::4], recorded["reconstruction"] / 2 + 0.5)


def without(state: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if part not in name}


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("first_stage_model.", "lacks its autoencoder"),
        ("model.layer1.0.conv1.weight", r"lacks its tensor encoder\.model\.layer1\.0\.conv1\.weight"),
        ("model.layer2.1.bn2.scale", r"lacks its tensor encoder\.model\.layer2\.1\.bn2\.scale"),
        ("GBlock.3.HyperBN.bn.running_var", r"lacks its tensor .*HyperBN\.bn\.running_var"),
        ("sub_layers.1.shuffle.forward", "should be a permutation of 108 entries; it is missing"),
        ("sub_layers.1.coupling.t.0.main.2", r"lacks its tensor .*coupling\.t\.0\.main\.2\.weight"),
    ],
)
def test_a_part_of_it_says_what_it_lacks(recorded: Recorded, tmp_path: Path, part: str, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        locate(ckpt(without(recorded.state, part), tmp_path))


def test_what_cannot_be_opened_says_why(recorded: Recorded, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="conditioned on pictures or captions"):
        locate(ckpt(recorded.state | {"cond_stage_model.encoder.weight": torch.zeros(2)}, tmp_path))
    twice = torch.zeros(108, dtype=torch.int64)
    with pytest.raises(CheckpointError, match="missing or stand twice"):
        load(ckpt(recorded.state | {"flow.sub_layers.0.shuffle.forward_shuffle_idx": twice}, tmp_path))
    path = ckpt(recorded.state, tmp_path, "none")
    next((tmp_path / "configs").iterdir()).write_text("net2net.x: !!python/object/apply:os.system [ls]")
    with pytest.raises(CheckpointError, match="is not plain YAML"):
        locate(path)
