import pickle
from pathlib import Path

import pytest
import torch
from recorded_originals import Recorded

from latentlab.checkpoints import load, locate
from latentlab.checkpoints.fit import build
from latentlab.checkpoints.foreign import import_foreign
from latentlab.checkpoints.foreign.fill import tensors_of
from latentlab.errors import CheckpointError, SettingsError
from latentlab.families.stylegan2 import StyleGAN2
from latentlab.operations.search_plan import Observation
from latentlab.operations.search_unknowns import Observer, Unknowns


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded("stylegan2")


def saved(recorded: Recorded, folder: Path, **changes: object) -> Path:
    """Write what the project's own training or conversion writes."""
    tree = {"g_ema": recorded.state, "latent_avg": recorded["latent_avg"]} | changes
    torch.save({key: value for key, value in tree.items() if value is not None}, folder / "face.pt")
    return folder / "face.pt"


def opened(path: Path, **options: str) -> StyleGAN2:
    found = import_foreign(path, options)
    assert found is not None
    network = build(found.config, path)
    network.load_state_dict(dict(tensors_of(found, path)), assign=True)
    assert isinstance(network, StyleGAN2)
    return network.requires_grad_(False).eval()


def close(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    return float((ours - theirs).abs().max() / theirs.abs().max()) < 1e-4


def test_it_draws_what_the_original_drew(recorded: Recorded, tmp_path: Path) -> None:
    model = load(saved(recorded, tmp_path)).network
    assert isinstance(model, StyleGAN2)
    assert model.spec.latent_shape == (12,)
    z = recorded["z"]
    assert close(model.style(z), recorded["w"])
    assert close(model.synthesise(model.style(z)[:, None].expand(-1, 6, -1)), recorded["plain"])
    assert close(model.decode(z), (recorded["plain"] / 2 + 0.5).clamp(0, 1))


def test_rows_of_w_give_the_picture_that_the_original_gave_for_them(
    recorded: Recorded, tmp_path: Path
) -> None:
    model = opened(saved(recorded, tmp_path), space="w")
    assert model.spec.latent_shape == (6, 12)
    assert close(model.synthesise(recorded["rows"]), recorded["of_rows"])


def test_truncation_moves_towards_the_mean_of_the_file(recorded: Recorded, tmp_path: Path) -> None:
    model = opened(saved(recorded, tmp_path), truncation="0.6")
    assert torch.equal(model.latent_avg, recorded["latent_avg"])
    assert close(model.decode(recorded["z"]), (recorded["truncated"] / 2 + 0.5).clamp(0, 1))


def test_without_a_mean_it_is_that_of_many_latents(recorded: Recorded, tmp_path: Path) -> None:
    path = saved(recorded, tmp_path, latent_avg=None)
    found = import_foreign(path)
    assert found is not None
    assert "latent_avg" in found.missing[0]
    model = opened(path)
    with torch.no_grad():
        w = model.style(torch.randn(20000, 12, generator=torch.Generator().manual_seed(3)))
    assert torch.allclose(model.latent_avg, w.mean(0), atol=0.04)


def test_rows_are_standard_normal_where_latents_are(recorded: Recorded, tmp_path: Path) -> None:
    model = opened(saved(recorded, tmp_path), space="w")
    with torch.no_grad():
        rows = model.sample(8000, None, torch.Generator().manual_seed(1))
    assert rows.shape == (8000, 6, 12)
    assert torch.equal(rows[:, 0], rows[:, 5])
    assert rows[:, 0].mean(0).abs().max() < 0.05
    assert (rows[:, 0].std(0) - 1).abs().max() < 0.05
    # and the picture of such a row is that of the z that it was drawn from
    z = torch.randn(8000, 12, generator=torch.Generator().manual_seed(1))[:2]
    plain = opened(saved(recorded, tmp_path))
    assert torch.allclose(model.decode(rows[:2]), plain.decode(z), atol=1e-4)


def test_it_can_be_searched_by_rows(recorded: Recorded, tmp_path: Path) -> None:
    model = opened(saved(recorded, tmp_path), space="w")
    unknowns = Unknowns(model, Observer(Observation(factor=4), 16))
    v = torch.from_numpy(unknowns.start(0))[None].requires_grad_()
    assert unknowns.rows(v).shape == (1, 6, 12)
    unknowns.draw(v).observed.square().sum().backward()
    assert v.grad is not None
    assert (v.grad.reshape(6, 12).abs().sum(1) > 0).all()


def test_the_latest_training_checkpoint_opens_by_its_averaged_generator(
    recorded: Recorded, tmp_path: Path
) -> None:
    other = {name: torch.zeros_like(tensor) for name, tensor in recorded.state.items()}
    path = saved(recorded, tmp_path, g=other, d={"final_linear.0.weight": torch.zeros(2, 2)}, ada_aug_p=0.0)
    located = locate(path)
    assert located.foreign is not None
    assert any("g_ema" in line for line in located.foreign.recognised)
    model = load(path).network
    assert close(model.decode(recorded["z"]), (recorded["plain"] / 2 + 0.5).clamp(0, 1))


def test_a_part_of_a_generator_says_what_it_lacks(recorded: Recorded, tmp_path: Path) -> None:
    state = dict(recorded.state)
    del state["convs.1.activate.bias"]
    with pytest.raises(CheckpointError, match=r"lacks its tensor convs\.1\.activate\.bias"):
        locate(saved(recorded, tmp_path, g_ema=state))


def test_a_tensor_of_another_shape_is_named(recorded: Recorded, tmp_path: Path) -> None:
    state = dict(recorded.state) | {"convs.0.conv.modulation.weight": torch.zeros(8, 5)}
    with pytest.raises(CheckpointError, match=r"should have the shape \[8, 12\]; it has \[8, 5\]"):
        locate(saved(recorded, tmp_path, g_ema=state))


def test_wavelet_generators_are_refused(recorded: Recorded, tmp_path: Path) -> None:
    state = dict(recorded.state) | {"to_rgb1.conv.weight": torch.zeros(1, 12, 8, 1, 1)}
    with pytest.raises(CheckpointError, match="12 channels instead of 3"):
        locate(saved(recorded, tmp_path, g_ema=state))


def test_the_pickle_of_nvidia_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "ffhq.pkl"
    path.write_bytes(pickle.dumps({"kwargs": "dnnlib.util.EasyDict"}, protocol=4))
    with pytest.raises(CheckpointError, match=r"convert_weight\.py"):
        locate(path)


def test_an_option_that_there_is_not_is_refused(recorded: Recorded, tmp_path: Path) -> None:
    path = saved(recorded, tmp_path)
    with pytest.raises(SettingsError, match="one of z, w"):
        import_foreign(path, {"space": "x"})
    with pytest.raises(SettingsError, match="from 0 to 1"):
        import_foreign(path, {"truncation": "much"})
