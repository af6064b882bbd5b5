"""The recipes: what the losses and the calibration promise, and whole trainings from the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from latentlab.checkpoints import load
from latentlab.data.image_set import images_to_tensor
from latentlab.families.vae import VAE, VAEConfig
from latentlab.model import Posterior
from latentlab.training.classifier import confusion, fit_temperature
from latentlab.training.perceptual import FeatureDistance, PatchDiscriminator, hinge_loss
from latentlab.training.vae import summarise_latents


def test_kl_agrees_with_torch_distributions():
    generator = torch.Generator().manual_seed(0)
    mean, logvar = torch.randn(5, 3, generator=generator), torch.randn(5, 3, generator=generator)
    normal = torch.distributions.Normal
    wanted = torch.distributions.kl_divergence(normal(mean, (0.5 * logvar).exp()), normal(0.0, 1.0))
    torch.testing.assert_close(Posterior(mean, logvar).kl(), wanted)


def test_the_reparameterisation_uses_the_standard_deviation():
    posterior = Posterior(torch.zeros(20_000, 1), torch.full((20_000, 1), np.log(4.0)))
    assert posterior.sample(torch.Generator().manual_seed(0)).std() == pytest.approx(2.0, rel=0.03)


def test_feature_distance_is_zero_for_equal_pictures_and_leaves_its_network_alone(
    tiny_predictor_folder, tiny_faces
):
    distance = FeatureDistance(load(tiny_predictor_folder).network)
    x = images_to_tensor(tiny_faces.pixels(slice(0, 4)))
    y = x.flip(0).clone().requires_grad_(True)
    assert float(distance(x, x)) == pytest.approx(0.0, abs=1e-7)
    found = distance(y, x)
    found.backward()
    assert found.item() > 1e-3
    assert float(y.grad.abs().sum()) > 0
    assert all(parameter.grad is None for parameter in distance.parameters())


def test_the_discriminator_learns_to_tell_noise_from_faces(tiny_faces):
    torch.manual_seed(0)
    judge = PatchDiscriminator(8)
    real = images_to_tensor(tiny_faces.pixels(slice(0, 16)))
    fake = torch.rand(real.shape, generator=torch.Generator().manual_seed(1))
    optimizer = torch.optim.Adam(judge.parameters(), lr=5e-3)
    for _ in range(30):
        loss = hinge_loss(judge(real), judge(fake))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        assert judge(real).mean() > judge(fake).mean() + 0.5


def test_the_fitted_temperature_undoes_a_known_one():
    generator = torch.Generator().manual_seed(0)
    honest = torch.randn(20_000, 3, generator=generator)
    codes = torch.multinomial(honest.softmax(1), 1, generator=generator)[:, 0].numpy()
    assert fit_temperature(honest * 3.0, codes) == pytest.approx(3.0, rel=0.05)


def test_confusion_has_truth_in_its_rows_and_leaves_out_the_unknown():
    found = confusion(np.array([0, 1, 1, 1]), np.array([0, 0, 1, -1]), 2)
    assert found.counts == ((1, 1), (0, 1))


def test_the_latent_summary_is_measured(tiny_model_folder, tiny_faces):
    vae = load(tiny_model_folder).network
    assert isinstance(vae, VAE)
    summary = summarise_latents(vae, tiny_faces, batch=50)
    posterior = vae.encode(images_to_tensor(tiny_faces.pixels(slice(None))))
    np.testing.assert_allclose(summary.mean, posterior.mean.mean(0).numpy(), atol=1e-4)
    np.testing.assert_allclose(summary.kl, posterior.kl().mean(0).numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_every_picture_size_encodes_and_decodes(size):
    vae = VAE(VAEConfig(image_size=size, latent=6))
    images = torch.rand(2, 3, size, size)
    posterior = vae.encode(images)
    assert posterior.mean.shape == (2, 6)
    assert vae.decode(posterior.mean).shape == images.shape


def test_a_picture_does_not_depend_on_its_neighbours(tiny_model_folder):
    vae = load(tiny_model_folder).network
    z = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(vae.decode(z)[:1], vae.decode(z[:1]), atol=1e-5, rtol=1e-4)


def test_trainings_from_the_command_line_give_checkpoints_that_open(tmp_path, capsys):
    from latentlab.cli.main import run

    common = ["--data", "faces:train", "--image-size", "32", "--steps", "3", "--batch", "8", "--threads", "1"]
    predictor = tmp_path / "attributes"
    arguments = ["--attributes", "gender,glasses", "--groups", "gender", "--out", str(predictor)]
    assert run(["train", "classifier", *common, *arguments]) == 0
    opened = load(predictor)
    assert [a.name for a in opened.config.predictor.attributes] == ["gender", "glasses"]
    assert set(opened.config.predictor.group_confusion) == {"gender=female", "gender=male"}
    assert opened.config.predictor.confusion["gender"].array().sum() == 2048

    model = tmp_path / "vae"
    arguments = ["--features", str(predictor), "--latent", "8", "--out", str(model)]
    assert run(["train", "vae", *common, *arguments]) == 0
    opened = load(model)
    assert opened.config.model.latent_shape == (8,)
    assert len(opened.config.model.latent_summary.kl) == 8
    record = json.loads((model / "config.json").read_text())["training"]
    assert record["data"] == "faces:train"
    assert str(model) in capsys.readouterr().out


def test_a_feature_network_of_another_size_is_a_clear_error(tmp_path, tiny_predictor_folder, capsys):
    from latentlab.cli.main import run

    arguments = ["--data", "faces:train", "--steps", "1", "--features", str(tiny_predictor_folder)]
    assert run(["train", "vae", *arguments, "--out", str(tmp_path / "vae")]) == 2
    assert "64 px" in capsys.readouterr().err
