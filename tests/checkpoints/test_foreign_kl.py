import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from recorded_originals import Recorded
from safetensors.torch import save_file
from torch import Tensor

from latentlab.checkpoints import load, locate
from latentlab.errors import CheckpointError
from latentlab.families.autoencoder_kl import AutoencoderKL


@pytest.fixture(scope="module")
def diffusers() -> Recorded:
    return Recorded("diffusers_kl")


@pytest.fixture(scope="module")
def compvis() -> Recorded:
    return Recorded("compvis_kl")


def folder(
    recorded: Recorded,
    where: Path,
    state: dict[str, Tensor] | None = None,
    half: bool = False,
    **changes: Any,
) -> Path:
    """Write what ``save_pretrained`` writes."""
    where.mkdir(parents=True, exist_ok=True)
    config = json.loads(recorded.metadata["config"]) | changes
    (where / "config.json").write_text(json.dumps(config))
    tensors = {k: v.half() if half else v for k, v in (state or recorded.state).items()}
    save_file(tensors, where / f"diffusion_pytorch_model{'.fp16' if half else ''}.safetensors")
    return where


def ckpt(state: dict[str, Tensor], where: Path, **beside: Any) -> Path:
    """Write what Lightning writes."""
    torch.save({"epoch": 3, "global_step": 70, "state_dict": state} | beside, where / "model.ckpt")
    return where / "model.ckpt"


def opened(path: Path) -> AutoencoderKL:
    model = load(path).network
    assert isinstance(model, AutoencoderKL)
    return model


def close(ours: Tensor, theirs: Tensor, within: float = 1e-4) -> bool:
    return float((ours - theirs).abs().max() / theirs.abs().max()) < within


def test_a_folder_of_diffusers_gives_what_the_original_gave(diffusers: Recorded, tmp_path: Path) -> None:
    model = opened(folder(diffusers, tmp_path))
    assert model.spec.latent_shape == (3, 8, 8)
    scale, shift = 0.5, 0.1  # those of its configuration
    posterior = model.encode(diffusers["x"])
    assert close(posterior.mean, scale * (diffusers["mean"] - shift))
    assert posterior.logvar is not None
    assert close(posterior.logvar.exp(), diffusers["logvar"].exp() * scale**2)
    picture = model.decode(scale * (diffusers["z"] - shift))
    assert close(picture, (diffusers["picture"] / 2 + 0.5).clamp(0, 1))


def test_an_autoencoder_of_compvis_gives_what_the_original_gave(compvis: Recorded, tmp_path: Path) -> None:
    model = opened(ckpt(compvis.state, tmp_path))
    assert model.spec.latent_shape == (2, 64, 64)  # larger, its attention takes a processor many seconds
    posterior = model.encode(compvis["x"])
    assert close(posterior.mean, compvis["mean"])
    assert posterior.logvar is not None
    assert close(posterior.logvar, compvis["logvar"])
    assert close(model.decode(compvis["z"]), (compvis["picture"] / 2 + 0.5).clamp(0, 1))


def test_the_autoencoder_within_a_diffusion_model_is_found_with_its_scale(
    compvis: Recorded, tmp_path: Path
) -> None:
    state = {f"first_stage_model.{name}": tensor for name, tensor in compvis.state.items()}
    others = {"model.diffusion_model.out.2.bias": torch.zeros(4), "scale_factor": torch.tensor(0.25)}
    path = ckpt(state | others, tmp_path)
    posterior = opened(path).encode(compvis["x"])
    assert close(posterior.mean, 0.25 * compvis["mean"])
    foreign = locate(path).foreign
    assert foreign is not None
    assert "model.diffusion_model.out.2.bias" in foreign.ignored


def test_a_pipeline_opens_by_its_autoencoder(diffusers: Recorded, tmp_path: Path) -> None:
    folder(diffusers, tmp_path / "vae")
    (tmp_path / "model_index.json").write_text("{}")
    assert opened(tmp_path).spec.latent_shape == (3, 8, 8)


def test_half_precision_and_the_old_names_of_attention_open(diffusers: Recorded, tmp_path: Path) -> None:
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def renamed(name: str) -> str:
        for new, before in old.items():
            name = name.replace(f".{new}.", f".{before}.")
        return name

    state = {renamed(name): tensor for name, tensor in diffusers.state.items()}
    assert state.keys() != diffusers.state.keys()
    model = opened(folder(diffusers, tmp_path, state, half=True))
    assert close(model.encode(diffusers["x"]).mean, 0.5 * (diffusers["mean"] - 0.1), within=1e-2)


def test_it_cannot_be_drawn_from_and_says_why(diffusers: Recorded, tmp_path: Path) -> None:
    config = locate(folder(diffusers, tmp_path)).config
    assert config.model is not None
    assert config.model.prior == "other"
    assert "diffusion model" in config.model.cannot["sample"]


def without_weights(path: Path) -> None:
    next(path.glob("*.safetensors")).unlink()


def of_another_activation(path: Path) -> None:
    rewrite(path, act_fn="relu")


def of_other_blocks(path: Path) -> None:
    rewrite(path, down_block_types=["DownEncoderBlock2D", "KDownBlock2D"])


def of_no_scale(path: Path) -> None:
    rewrite(path, scaling_factor="much")


def of_too_many_groups(path: Path) -> None:
    rewrite(path, norm_num_groups=5)


def rewrite(path: Path, **changes: Any) -> None:
    config = json.loads((path / "config.json").read_text()) | changes
    (path / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without_weights, "lacks its weights: diffusion_pytorch_model.safetensors was expected"),
        (of_another_activation, "act_fn should be 'silu'; it is 'relu'"),
        (of_other_blocks, "it names 'KDownBlock2D'"),
        (of_no_scale, "scaling_factor should be a number"),
        (of_too_many_groups, "multiple of the 5 groups"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(
    diffusers: Recorded, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    path = folder(diffusers, tmp_path)
    spoil(path)
    with pytest.raises(CheckpointError, match=message):
        load(path)


def test_a_tensor_that_is_missing_is_named(diffusers: Recorded, compvis: Recorded, tmp_path: Path) -> None:
    state = dict(diffusers.state)
    del state["decoder.mid_block.resnets.1.conv2.bias"]
    with pytest.raises(CheckpointError, match=r"decoder\.mid_block\.resnets\.1\.conv2\.bias"):
        load(folder(diffusers, tmp_path, state))
    state = dict(compvis.state)
    del state["quant_conv.weight"]
    with pytest.raises(CheckpointError, match=r"lacks quant_conv\.weight"):
        load(ckpt(state, tmp_path))


def test_a_codebook_is_refused(compvis: Recorded, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is a VQGAN"):
        locate(ckpt(compvis.state | {"quantize.embedding.weight": torch.zeros(4, 2)}, tmp_path))
