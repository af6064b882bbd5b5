"""Checkpoints whose parts do not fit each other, or this program: each is refused with its own reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from spoiling import CONFIG, change_config, change_weights

from latentlab.checkpoints import load
from latentlab.cli.main import run
from latentlab.errors import CheckpointError


def other_version(folder: Path) -> Path:
    return change_config(folder, latentlab=2)


def no_version(folder: Path) -> Path:
    return change_config(folder, latentlab=None, _class_name="UNet2DModel")


def unknown_field(folder: Path) -> Path:
    return change_config(folder, model__colour="red")


def wrong_type(folder: Path) -> Path:
    return change_config(folder, model__image_size="large")


def no_specification(folder: Path) -> Path:
    return change_config(folder, model=None)


def nan_weights(folder: Path) -> Path:
    return change_weights(folder, lambda t: t["to_posterior.bias"].fill_(float("nan")))


def infinite_half_weights(folder: Path) -> Path:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["to_posterior.bias"] = torch.full_like(tensors["to_posterior.bias"], torch.inf).half()

    return change_weights(folder, change)


def nan_brain_weights(folder: Path) -> Path:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["to_posterior.bias"] = torch.full_like(tensors["to_posterior.bias"], torch.nan).bfloat16()

    return change_weights(folder, change)


def integer_weights(folder: Path) -> Path:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["to_posterior.bias"] = torch.zeros_like(tensors["to_posterior.bias"], dtype=torch.int64)

    return change_weights(folder, change)


SEEN_WITHOUT_TORCH: dict[Callable[[Path], Path], str] = {
    other_version: "configuration version 2; this program reads version 1",
    no_version: "it is of UNet2DModel",
    unknown_field: "field model.colour",
    wrong_type: "field model.image_size",
    no_specification: "needs exactly the field 'model'",
    nan_weights: "to_posterior.bias holds NaN",
    infinite_half_weights: "to_posterior.bias holds NaN or infinite",
    nan_brain_weights: "to_posterior.bias holds NaN",
    integer_weights: "holds I64",
}


def wrong_shape(folder: Path) -> Path:
    def change(tensors: dict[str, torch.Tensor]) -> None:
        tensors["to_posterior.bias"] = torch.zeros(3)

    return change_weights(folder, change)


def missing_tensor(folder: Path) -> Path:
    return change_weights(folder, lambda tensors: tensors.pop("from_latent.weight"))


def extra_tensor(folder: Path) -> Path:
    return change_weights(folder, lambda tensors: tensors.update({"optimizer.step": torch.zeros(1)}))


def of_another_size(folder: Path) -> Path:
    return change_config(folder, network__latent=9, model__latent_shape=[9])


def future_family(folder: Path) -> Path:
    return change_config(folder, model__family="diffusion-9")


def unknown_network_field(folder: Path) -> Path:
    return change_config(folder, network__attention=True)


def unending_blocks(folder: Path) -> Path:
    return change_config(folder, network__decoder_blocks=[1, 1, 1_000_000_000])


def network_of_another_size_than_its_specification(folder: Path) -> Path:
    return change_config(folder, model__image_size=64)


def latent_of_another_size_than_its_specification(folder: Path) -> Path:
    return change_config(folder, model__latent_shape=[7])


SEEN_BY_LOADING: dict[Callable[[Path], Path], str] = {
    wrong_shape: "to_posterior.bias should have the shape [16]; it has [3]",
    missing_tensor: "missing from_latent.weight",
    extra_tensor: "not expected optimizer.step",
    of_another_size: "different checkpoints",
    future_family: "family 'diffusion-9' is unknown to this program; it knows vae",
    unknown_network_field: "field network.attention",
    unending_blocks: "field network.decoder_blocks.2",
    network_of_another_size_than_its_specification: "does not fit its specification",
    latent_of_another_size_than_its_specification: "does not fit its specification",
}

ALL = SEEN_WITHOUT_TORCH | SEEN_BY_LOADING


@pytest.fixture
def folder(tiny_model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "checkpoint"))


@pytest.mark.parametrize("spoil", ALL, ids=lambda spoil: spoil.__name__)
def test_loading_says_what_is_wrong_in_one_line(folder: Path, spoil: Callable[[Path], Path]):
    path = spoil(folder)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    assert ALL[spoil] in message
    assert str(path) in message or path.name in message
    assert "\n" not in message


@pytest.mark.parametrize("spoil", SEEN_WITHOUT_TORCH, ids=lambda spoil: spoil.__name__)
def test_info_exits_with_2_and_one_line(
    folder: Path, spoil: Callable[[Path], Path], capfd: pytest.CaptureFixture[str]
):
    path = spoil(folder)
    assert run(["info", str(path)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert err.startswith("latentlab: ")
    assert SEEN_WITHOUT_TORCH[spoil] in err


def test_a_predictor_whose_heads_differ_from_its_attributes_is_refused(
    tiny_predictor_folder: Path, tmp_path: Path
):
    folder = Path(shutil.copytree(tiny_predictor_folder, tmp_path / "predictor"))
    config = json.loads((folder / CONFIG).read_text())
    config["predictor"]["attributes"][0]["classes"] = ["a", "b", "c"]
    (folder / CONFIG).write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"heads\.gender"):
        load(folder)


def test_finite_weights_of_every_precision_open(folder: Path):
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        change_weights(folder, lambda t, dtype=dtype: t.update({k: v.to(dtype) for k, v in t.items()}))
        network = load(folder).network
        assert {p.dtype for p in network.parameters()} == {torch.float32}
        assert all(torch.isfinite(p).all() for p in network.parameters())
