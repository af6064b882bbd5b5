"""VAEs of AntixK/PyTorch-VAE and of pythae open and give what the originals' own code gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from recorded_originals import Recorded
from torch import Tensor

from latentlab.checkpoints import describe, load, locate
from latentlab.checkpoints.convert import convert
from latentlab.checkpoints.native import CARD, Located
from latentlab.cli.main import run
from latentlab.errors import CheckpointError, SettingsError


@pytest.fixture(scope="module")
def vanilla() -> Recorded:
    return Recorded("vanilla_vae")


@pytest.fixture(scope="module")
def conditional() -> Recorded:
    return Recorded("conditional_vae")


@pytest.fixture(scope="module")
def pythae() -> Recorded:
    return Recorded("pythae_vae")


def lightning(state: dict[str, Tensor], path: Path, prefix: str = "model.") -> Path:
    """Write what the project's trainer writes."""
    named = {f"{prefix}{name}": tensor for name, tensor in state.items()}
    optimiser = {"state": {0: {"step": 7, "exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.005}]}
    torch.save({"epoch": 2, "state_dict": named, "optimizer_states": [optimiser], "callbacks": {}}, path)
    return path


def folder(recorded: Recorded, where: Path, **changes: Any) -> Path:
    """Write what pythae's ``save`` writes."""
    where.mkdir()
    (where / "model_config.json").write_text(json.dumps(json.loads(recorded.metadata["config"]) | changes))
    torch.save({"model_state_dict": recorded.state}, where / "model.pt")
    return where


def close(ours: Tensor, theirs: Tensor) -> bool:
    return float((ours - theirs).abs().max() / theirs.abs().max()) < 1e-4


def agrees(located_at: Path, recorded: Recorded, condition: Tensor | None = None, step: int = 4) -> None:
    model: Any = load(located_at).network
    pictures = recorded["x"].float() / 255
    posterior = model.encode(pictures.expand(-1, 3, -1, -1), condition)
    assert close(posterior.mean, recorded["mean"])
    if "logvar" in recorded.tensors:
        assert close(posterior.logvar, recorded["logvar"])
    else:
        assert posterior.logvar is None
    picture = model.decode(recorded["z"], condition)[..., ::step, ::step]
    assert close(picture, recorded["picture"].clamp(0, 1).expand(-1, 3, -1, -1))


def imported(path: Path) -> Any:
    foreign = locate(path).foreign
    assert foreign is not None
    return foreign


def test_a_vanilla_vae_gives_what_the_original_gave(vanilla: Recorded, tmp_path: Path) -> None:
    path = lightning(vanilla.state, tmp_path / "last.ckpt")
    agrees(path, vanilla)
    spec = load(path).network.spec
    assert (spec.image_size, spec.latent_shape, spec.prior) == (64, (6,), "standard_normal")


def test_a_conditional_vae_gives_what_the_original_gave(conditional: Recorded, tmp_path: Path) -> None:
    path = lightning(conditional.state, tmp_path / "any name at all")
    agrees(path, conditional, conditional["y"])
    names = [attribute.name for attribute in load(path).network.spec.condition.attributes]
    assert (len(names), names[20], names[31]) == (40, "Male", "Smiling")


@pytest.mark.parametrize("prefix", ["", "module.", "module.model.", "_orig_mod.model."])
def test_wrappers_prefixes_are_taken_off_and_said(vanilla: Recorded, tmp_path: Path, prefix: str) -> None:
    path = lightning(vanilla.state, tmp_path / "m.ckpt", prefix)
    agrees(path, vanilla)
    said = " ".join(imported(path).recognised)
    assert all(f"{part}." in said for part in prefix.split(".")[:-1])


def test_averaged_copies_are_preferred_and_said(vanilla: Recorded, tmp_path: Path) -> None:
    worse = {name: torch.zeros_like(tensor) for name, tensor in vanilla.state.items()}
    averaged = {f"ema.{name}": tensor for name, tensor in vanilla.state.items()}
    path = tmp_path / "m.pt"
    torch.save({"state_dict": {**worse, **averaged}}, path)
    agrees(path, vanilla)
    assert any("EMA" in line for line in imported(path).recognised)
    torch.save({"state_dict": worse, "ema_state_dict": dict(vanilla.state)}, path)
    agrees(path, vanilla)
    assert "state_dict.fc_mu.weight" in imported(path).ignored


def test_averaged_copies_without_dots_are_preferred(vanilla: Recorded, tmp_path: Path) -> None:
    worse = {name: torch.zeros_like(tensor) for name, tensor in vanilla.state.items()}
    averaged = {f"model_ema.{name.replace('.', '')}": tensor for name, tensor in vanilla.state.items()}
    path = lightning(worse | averaged | {"model_ema.decay": torch.tensor(0.99)}, tmp_path / "m.ckpt", "")
    agrees(path, vanilla)


def test_the_format_of_before_torch_1_6_opens(vanilla: Recorded, tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save({"state_dict": vanilla.state}, path, _use_new_zipfile_serialization=False)
    agrees(path, vanilla)


def test_tensors_that_are_views_are_read_as_they_are(vanilla: Recorded, tmp_path: Path) -> None:
    views = {
        name: tensor.transpose(0, 1).contiguous().transpose(0, 1) if tensor.ndim > 1 else tensor
        for name, tensor in vanilla.state.items()
    }
    torch.save(views, tmp_path / "m.pt")
    agrees(tmp_path / "m.pt", vanilla)
    torch.save(views, tmp_path / "m.pth", _use_new_zipfile_serialization=False)
    agrees(tmp_path / "m.pth", vanilla)


def test_pictures_of_minus_one_to_one_are_told_by_their_mean(vanilla: Recorded, tmp_path: Path) -> None:
    state = dict(vanilla.state)
    kernel = state["encoder.0.0.weight"].sum((2, 3))
    for colour, values in ((0.4, "unit"), (-0.3, "signed")):
        state["encoder.0.1.running_mean"] = kernel @ torch.full((3,), colour) + state["encoder.0.0.bias"]
        path = lightning(state, tmp_path / "m.ckpt")
        assert locate(path).config.network["values"] == values
    assert locate(path, {"values": "unit"}).config.network["values"] == "unit"
    with pytest.raises(SettingsError, match="no option range"):
        locate(path, {"range": "unit"})
    signed: Any = load(path).network
    picture = signed.decode(vanilla["z"])[..., ::4, ::4]
    assert close(picture, (vanilla["picture"] + 1) / 2)


def test_a_part_or_another_version_is_named(vanilla: Recorded, tmp_path: Path) -> None:
    state = {name: tensor for name, tensor in vanilla.state.items() if name != "fc_mu.bias"}
    with pytest.raises(CheckpointError, match=r"m\.ckpt looks like .* lacks its tensor fc_mu\.bias"):
        locate(lightning(state, tmp_path / "m.ckpt"))
    state = {**vanilla.state, "fc_mu.bias": torch.zeros(5)}
    with pytest.raises(CheckpointError, match=r"fc_mu\.bias should have the shape \[6\]; it has \[5\]"):
        locate(lightning(state, tmp_path / "m.ckpt"))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(vanilla: Recorded, tmp_path: Path, bad: float) -> None:
    state = {**vanilla.state, "fc_mu.bias": torch.full((6,), bad)}
    path = lightning(state, tmp_path / "m.ckpt")
    for use in (load, describe):
        with pytest.raises(CheckpointError, match=r"m\.ckpt: tensor fc_mu\.bias should hold finite numbers"):
            use(path)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_the_precision_of_a_file_is_kept(vanilla: Recorded, tmp_path: Path, kind: torch.dtype) -> None:
    state = {n: t.to(kind) if t.is_floating_point() else t for n, t in vanilla.state.items()}
    path = lightning(state, tmp_path / "m.ckpt")
    expected = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F32"}[kind]
    native = convert(path, tmp_path / "native")
    assert {e.dtype for e in native.header.tensors.values()} == {expected, "I64"}
    before, after = load(path).network.state_dict(), load(native.path).network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert before["fc_mu.weight"].dtype == torch.float32


def test_a_converted_checkpoint_says_where_it_came_from(conditional: Recorded, tmp_path: Path) -> None:
    path = lightning(conditional.state, tmp_path / "mine.ckpt")
    assert run(["convert", str(path), str(tmp_path / "native"), "--set", "values=unit"]) == 0
    native = locate(tmp_path / "native")
    assert native.foreign is None
    agrees(native.path, conditional, conditional["y"])
    assert native.name == "mine"
    assert native.config.training["converted_from"] == "mine.ckpt"
    assert native.config.training["sha256"] == locate(path).sha256()
    card = (native.path / CARD).read_text()
    assert "PyTorch-VAE (AntixK)" in card
    assert "CelebA" in card


@pytest.mark.parametrize("place", ["full", "file"])
def test_what_lies_in_the_way_stays(vanilla: Recorded, tmp_path: Path, place: str) -> None:
    path = lightning(vanilla.state, tmp_path / "m.ckpt")
    out = tmp_path / "out"
    other = out / "other.txt" if place == "full" else out
    other.parent.mkdir(exist_ok=True)
    other.write_text("mine")
    with pytest.raises(SettingsError, match="should be a new or an empty folder"):
        convert(path, out)
    assert other.read_text() == "mine"


def test_a_native_checkpoint_has_nothing_to_convert(tiny_model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LatentLab already"):
        convert(tiny_model_folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_info_tells_what_was_recognised_ignored_and_missing(
    vanilla: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = {**vanilla.state, "embed_pseudo.0.weight": torch.zeros(9, 9), "pseudo_input": torch.eye(9)}
    path = lightning(state, tmp_path / "m.ckpt")
    assert run(["info", str(path), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["format"] == "PyTorch-VAE (AntixK)"
    assert "prefix model. removed" in printed["recognised"]
    assert "embed_pseudo.0.weight" in printed["ignored"]
    assert "pseudo-inputs" in printed["missing"][0]
    assert printed["prior"] == "other"
    assert set(printed["cannot"]) == {"condition", "project"}
    assert run(["info", str(path)]) == 0
    assert "recognised" in capsys.readouterr().out


def test_a_folder_of_pythae_gives_what_the_original_gave(pythae: Recorded, tmp_path: Path) -> None:
    path = folder(pythae, tmp_path / "final_model")
    agrees(path, pythae, step=1)
    located: Located = locate(path)
    assert located.weights == path / "model.pt"
    assert located.config.network["hidden"] == 512


def test_an_autoencoder_of_pythae_has_no_variance_and_no_samples(tmp_path: Path) -> None:
    recorded = Recorded("pythae_rae")
    path = folder(recorded, tmp_path / "m")
    agrees(path, recorded, step=1)
    spec = load(path).network.spec
    assert (spec.image_size, spec.prior) == (28, "other")
    assert "without a prior" in spec.cannot["sample"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "SVAEConfig"}, "lie on a sphere"),
        ({"name": "NewConfig"}, "is not known"),
        ({"input_dim": [3, 16, 8]}, r"input_dim should be .* found \[3, 16, 8\]"),
        ({"input_dim": [3, 16, 10**12]}, "input_dim should be"),
        ({"input_dim": "many"}, "found many"),
        ({"input_dim": [1, 16, 16]}, r"should have the shape \[512, 256\]"),
        ({"uses_default_encoder": False}, "pickled code"),
        ({"name": "RAE_L2_Config"}, None),
    ],
)
def test_other_settings_of_pythae_are_named(
    pythae: Recorded, tmp_path: Path, changes: dict[str, Any], said: str | None
) -> None:
    path = folder(pythae, tmp_path / "m", **changes)
    if said is None:
        assert load(path).network.spec.prior == "other"
        return
    with pytest.raises(CheckpointError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_pickled_networks_of_pythae_are_never_opened(pythae: Recorded, tmp_path: Path) -> None:
    path = folder(pythae, tmp_path / "m")
    (path / "decoder.pkl").write_bytes(b"cos\nsystem\n(S'touch harm'\ntR.")
    with pytest.raises(CheckpointError, match=r"decoder\.pkl, which is pickled code and was not opened"):
        load(path)


def test_a_folder_of_pythae_without_weights_is_named(pythae: Recorded, tmp_path: Path) -> None:
    path = folder(pythae, tmp_path / "m")
    (path / "model.pt").unlink()
    with pytest.raises(CheckpointError, match=r"lacks model\.pt"):
        load(path)
