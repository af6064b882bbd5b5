"""What is saved opens again as it was; what must not be saved is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from samples import SAMPLES

from latentlab.checkpoints import load, locate, save
from latentlab.checkpoints.convert import convert
from latentlab.errors import CheckpointError


@pytest.mark.parametrize("fixture", ["tiny_model_folder", "tiny_predictor_folder"])
def test_a_round_trip_keeps_every_bit_and_the_configuration(
    fixture: str, request: pytest.FixtureRequest, tmp_path: Path
):
    first = load(request.getfixturevalue(fixture))
    second = load(save(tmp_path / "copy", first.network, first.config, card="# A card\n"))
    assert second.config == first.config
    assert second.network.state_dict().keys() == first.network.state_dict().keys()
    for name, tensor in first.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name]), name
    assert second.located.sha256() == first.located.sha256()
    assert second.located.card() == "# A card\n"


def test_an_opened_network_gives_the_same_pictures_and_trains_no_more(tiny_model_folder: Path):
    first, second = load(tiny_model_folder).network, load(tiny_model_folder).network
    z = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(first.decode(z), second.decode(z))
    assert not first.training
    assert not any(parameter.requires_grad for parameter in first.parameters())


def test_half_precision_keeps_each_number_to_half_precision(tiny_model_folder: Path, tmp_path: Path):
    full = load(tiny_model_folder)
    half = load(save(tmp_path / "half", full.network, full.config, half=True))
    for name, tensor in full.network.state_dict().items():
        stored = half.network.state_dict()[name]
        assert stored.dtype == torch.float32
        assert torch.equal(stored, tensor.half().float()), name
    assert half.located.weights.stat().st_size < 0.6 * full.located.weights.stat().st_size


@pytest.mark.parametrize("what", ["folder", "config.json", "model.safetensors", "alone.safetensors"])
def test_a_folder_its_config_and_its_weights_all_open(tiny_model_folder: Path, tmp_path: Path, what: str):
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes((tiny_model_folder / "model.safetensors").read_bytes())
    path = {"folder": tiny_model_folder, "alone.safetensors": alone}.get(what, tiny_model_folder / what)
    assert load(path).config == load(tiny_model_folder).config


def test_weights_without_metadata_open_with_the_config_beside_them(tiny_model_folder: Path, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    (tmp_path / "config.json").write_bytes((tiny_model_folder / "config.json").read_bytes())
    save_file(load_file(tiny_model_folder / "model.safetensors"), tmp_path / "model.safetensors")
    assert locate(tmp_path / "model.safetensors").config.name == "tiny-vae"


def test_weights_that_are_not_finite_do_not_replace_a_good_file(tiny_model_folder: Path, tmp_path: Path):
    good = load(tiny_model_folder)
    folder = save(tmp_path / "kept", good.network, good.config)
    before = (folder / "model.safetensors").read_bytes()
    good.network.get_parameter("to_posterior.bias")[0] = float("nan")
    with pytest.raises(CheckpointError, match=r"to_posterior\.bias holds numbers that are not finite"):
        save(folder, good.network, good.config)
    assert (folder / "model.safetensors").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_numbers_too_large_for_half_precision_are_refused(tiny_model_folder: Path, tmp_path: Path):
    network = load(tiny_model_folder)
    network.network.get_parameter("to_posterior.bias")[0] = 1e6
    with pytest.raises(CheckpointError, match="not finite in float16"):
        save(tmp_path / "half", network.network, network.config, half=True)


def test_a_place_that_cannot_be_written_is_named(tiny_model_folder: Path, tmp_path: Path):
    good = load(tiny_model_folder)
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="cannot be written"):
        save(tmp_path / "file" / "folder", good.network, good.config)


def test_weights_may_be_read_by_whoever_may_read_the_configuration(tiny_model_folder: Path, tmp_path: Path):
    good = load(tiny_model_folder)
    folder = save(tmp_path / "model", good.network, good.config)
    modes = {path.name: path.stat().st_mode for path in folder.iterdir()}
    assert modes["model.safetensors"] == modes["config.json"]


def test_a_card_stays_when_weights_are_saved_again(tiny_model_folder: Path, tmp_path: Path):
    good = load(tiny_model_folder)
    save(tmp_path / "model", good.network, good.config, card="# Mine\n")
    folder = save(tmp_path / "model", good.network, good.config)
    assert locate(folder).card() == "# Mine\n"


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_converted_opens_and_is_the_same_model(name: str, tmp_path: Path) -> None:
    path = SAMPLES[name](tmp_path)
    foreign, native = load(path).network, load(convert(path, tmp_path / "native").path).network
    theirs, ours = foreign.state_dict(), native.state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[key], ours[key]) for key in theirs)
