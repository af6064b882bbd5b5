"""The conditional VAE is the VAE until its condition has learnt something, and linear in it from then on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from latentlab.checkpoints import load, save
from latentlab.families.cvae import CVAE, CVAEConfig
from latentlab.families.vae import VAE
from latentlab.spec import Attribute, ConditionSchema, ModelSpec

SCHEMA = ConditionSchema(attributes=(Attribute(name="hat", classes=("no", "yes", "big")),))
C = torch.tensor([[0.0, 1.0, 0.0], [0.5, -2.0, 3.0]])


def picture(n: int = 2) -> torch.Tensor:
    return torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def vae(tiny_model_folder: Path) -> VAE:
    network = load(tiny_model_folder).network
    assert isinstance(network, VAE)
    return network


def beside(vae: VAE, injection: str, random: bool = False) -> CVAE:
    """A CVAE with the weights of a VAE; what the condition does is zero, or random."""
    config = CVAEConfig(**vae.config.model_dump(), injection=injection)
    spec = ModelSpec(family="cvae", image_size=32, latent_shape=(8,), condition=SCHEMA)
    cvae = CVAE(config, spec)
    missing, unexpected = cvae.load_state_dict(vae.state_dict(), strict=False)
    assert not unexpected
    generator = torch.Generator().manual_seed(1)
    for name, parameter in cvae.named_parameters():
        if random and name in missing:
            torch.nn.init.normal_(parameter, std=0.3, generator=generator)
    return cvae.eval()


@pytest.mark.parametrize("injection", ["spatial", "concat"])
def test_without_weights_for_the_condition_it_is_the_vae_to_the_bit(vae: VAE, injection: str) -> None:
    cvae, x, z = beside(vae, injection), picture(), torch.randn(2, 8)
    with torch.inference_mode():
        assert torch.equal(cvae.encode(x, C).mean, vae.encode(x).mean)
        assert torch.equal(cvae.encode(x, C).logvar, vae.encode(x).logvar)
        assert torch.equal(cvae.decode(z, C), vae.decode(z))


@pytest.mark.parametrize("injection", ["spatial", "concat"])
def test_the_condition_acts_at_either_side(vae: VAE, injection: str) -> None:
    cvae, x, z = beside(vae, injection, random=True), picture(1), torch.randn(1, 8)
    with torch.inference_mode():
        for act in (lambda c: cvae.encode(x, c).mean, lambda c: cvae.decode(z, c)):
            assert not torch.allclose(act(C[:1]), act(C[1:]))
            torch.testing.assert_close(act(C[:1]), act(C[:1].clone()))


def test_all_that_the_condition_adds_is_linear_in_it(vae: VAE) -> None:
    cvae = beside(vae, "spatial", random=True)
    layers = (cvae.condition_to_posterior, cvae.from_condition)
    with torch.inference_mode():
        for layer in layers:
            torch.testing.assert_close(layer(3.0 * C - C.flip(0)), 3.0 * layer(C) - layer(C.flip(0)))
        for maps in (cvae.encoder_maps, cvae.decoder_maps):
            for whole, one, other in zip(maps(3.0 * C - C.flip(0)), maps(C), maps(C.flip(0)), strict=True):
                torch.testing.assert_close(whole, 3.0 * one - other, atol=1e-5, rtol=1e-4)


def test_joined_to_the_last_features_it_moves_the_mean_in_proportion(vae: VAE) -> None:
    cvae, x = beside(vae, "concat", random=True), picture(1)
    with torch.inference_mode():
        at = [cvae.encode(x, s * C[:1]).mean for s in (0.0, 1.0, 2.5)]
    torch.testing.assert_close(at[2] - at[0], 2.5 * (at[1] - at[0]), atol=1e-5, rtol=1e-4)


def test_a_picture_does_not_depend_on_its_neighbours_condition(vae: VAE) -> None:
    cvae, z = beside(vae, "spatial", random=True), torch.randn(2, 8)
    with torch.inference_mode():
        torch.testing.assert_close(cvae.decode(z, C)[:1], cvae.decode(z[:1], C[:1]), atol=1e-5, rtol=1e-4)


def test_the_training_pass_decodes_the_latents_as_its_conditions_say(vae: VAE) -> None:
    cvae, x, others = beside(vae, "spatial", random=True), picture(), torch.randn(1, 8)
    eps, again = torch.randn(2, 8), C.flip(0)[:1]
    with torch.inference_mode():
        told = torch.cat([C, again, C[:1]])
        pictures, mean, logvar = cvae(x, C, eps, told, others)
        z = mean + torch.exp(0.5 * logvar) * eps
        wanted = cvae.decode(torch.cat([z, z[:1], others]), torch.cat([C, again, C[:1]]))
    torch.testing.assert_close(mean, cvae.encode(x, C).mean)
    torch.testing.assert_close(pictures, wanted)


@pytest.mark.parametrize("injection", ["spatial", "concat"])
def test_it_is_saved_and_opens_as_it_was(vae: VAE, injection: str, tmp_path: Path) -> None:
    from latentlab.spec import CheckpointConfig

    cvae = beside(vae, injection, random=True)
    config = CheckpointConfig(kind="model", model=cvae.spec, network=cvae.config.model_dump(mode="json"))
    opened = load(save(tmp_path / "cvae", cvae, config))
    assert isinstance(opened.network, CVAE)
    assert opened.config.model == cvae.spec
    assert opened.network.config.injection == injection
    z = torch.randn(2, 8)
    with torch.inference_mode():
        assert torch.equal(opened.network.decode(z, C), cvae.decode(z, C))


def test_it_needs_a_condition(vae: VAE) -> None:
    cvae = beside(vae, "spatial")
    with pytest.raises(ValueError, match="needs a condition"):
        cvae.decode(torch.zeros(1, 8))
    spec = ModelSpec(family="cvae", image_size=32, latent_shape=(8,))
    with pytest.raises(ValueError, match="at least one attribute"):
        CVAE(cvae.config, spec)


def test_the_prior_is_the_same_for_every_condition(vae: VAE) -> None:
    cvae = beside(vae, "spatial", random=True)
    draws = [cvae.sample(3, c, torch.Generator().manual_seed(5)) for c in (C[:1], C[1:], None)]
    assert torch.equal(draws[0], draws[1])
    assert torch.equal(draws[0], draws[2])
    assert draws[0].shape == (3, 8)
