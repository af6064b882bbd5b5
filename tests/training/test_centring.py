"""Centring: nothing linear is left of the condition, and nothing that differs within a class is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.checkpoints import load
from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.families.cvae import CVAE, CVAEConfig
from latentlab.metrics.condition_probe import probe_points
from latentlab.metrics.labels import conditions
from latentlab.spec import Attribute, ConditionSchema, ModelSpec
from latentlab.training.centring import centre_condition, centring

GENDER = Attribute(name="gender", classes=("female", "male"))
SCHEMA = ConditionSchema(attributes=(GENDER,))


def covariance(z: np.ndarray, c: np.ndarray) -> np.ndarray:
    return (z - z.mean(0)).T @ (c - c.mean(0)) / len(z)


@pytest.fixture(scope="module")
def told() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features [2000, 12] that show a class of three, latents [2000, 5] of them, conditions, own content."""
    generator = np.random.default_rng(0)
    c = np.eye(3)[generator.integers(0, 3, 2000)]
    own = generator.normal(size=(2000, 5))
    noise = 0.1 * generator.normal(size=(2000, 12))
    features = np.hstack([own, c, own[:, :4]]) @ generator.normal(size=(12, 12)) + noise
    latents = own + 2.0 * c @ generator.normal(size=(3, 5)) + 1.0
    return features.astype(np.float32), latents.astype(np.float32), c, own


def test_nothing_linear_is_left_of_other_images_either(told) -> None:
    features, latents, c, _ = told
    reading, telling = centring(features[:1000], latents[:1000], c[:1000])
    for rows, most in ((slice(0, 1000), 0.02), (slice(1000, None), 0.06)):
        left = latents[rows] - (features[rows] - features[:1000].mean(0)) @ reading @ telling.T
        before = np.abs(covariance(latents[rows], c[rows])).max()
        assert np.abs(covariance(left, c[rows])).max() < most * before


def test_what_differs_within_a_class_stays(told) -> None:
    """A projection would lose two of the five directions, a whole class's difference wide."""
    features, latents, c, own = told
    reading, telling = centring(features, latents, c)
    left = latents - (features - features.mean(0)) @ reading @ telling.T
    rest = left - left.mean(0) - (own - own.mean(0))
    assert np.square(rest).mean() < 0.05 * np.square(own).mean()


def test_latents_that_tell_nothing_stay(told) -> None:
    features, _, c, _ = told
    z = np.random.default_rng(3).normal(size=(2000, 5)).astype(np.float32)
    reading, telling = centring(features, z, c)
    moved = (features - features.mean(0)) @ reading @ telling.T
    assert np.square(moved).mean() < 0.02


def test_what_cannot_be_read_is_left_alone(told) -> None:
    """Features of noise say nothing: any correction by them would only add noise."""
    _, latents, c, _ = told
    noise = np.random.default_rng(1).normal(size=(60, 200)).astype(np.float32)
    reading, telling = centring(noise, latents[:60], c[:60])
    assert not (reading @ telling.T).any()


def test_fewer_images_than_features_do(told) -> None:
    features, latents, c, _ = told
    wide = np.hstack([features, 0.1 * np.random.default_rng(1).normal(size=(2000, 400)).astype(np.float32)])
    reading, telling = centring(wide[:300], latents[:300], c[:300])
    left = latents[300:] - (wide[300:] - wide[:300].mean(0)) @ reading @ telling.T
    assert np.abs(covariance(left, c[300:])).max() < 0.2 * np.abs(covariance(latents, c)).max()


def test_a_vaes_latent_is_centred_and_its_decoder_told_instead(
    tiny_model_folder: Path, tiny_faces: ImageSet
) -> None:
    vae = load(tiny_model_folder).network
    train, test = tiny_faces.split("train"), tiny_faces.split("test")
    config = CVAEConfig(**vae.config.model_dump())
    cvae = CVAE(config, ModelSpec(family="cvae", image_size=32, latent_shape=(8,), condition=SCHEMA)).eval()
    cvae.load_state_dict(vae.state_dict(), strict=False)

    def encoded(data: ImageSet) -> tuple[torch.Tensor, torch.Tensor]:
        x, c = images_to_tensor(data.pixels(slice(None))), torch.from_numpy(conditions(SCHEMA, data))
        with torch.inference_mode():
            return cvae.encode(x, c).mean, c

    before, c = encoded(train)
    with torch.inference_mode():
        drawn = vae.decode(before)
    codes = {data: np.asarray(images.codes("gender")) for data, images in (("train", train), ("test", test))}
    tried = probe_points(before.numpy(), codes["train"], encoded(test)[0].numpy(), codes["test"], 2)
    centre_condition(cvae, train, c.numpy())
    after, _ = encoded(train)
    left, there = (np.abs(covariance(z.numpy(), c.numpy())).max() for z in (after, before))
    assert left < 0.4 * there
    again = probe_points(after.numpy(), codes["train"], encoded(test)[0].numpy(), codes["test"], 2)
    assert tried["linear"].value > 10.0
    assert again["linear"].value < 0.5 * tried["linear"].value
    with torch.inference_mode():
        told_again, untold = cvae.decode(after, c), vae.decode(after)
    assert (told_again - drawn).abs().mean() < 0.7 * (untold - drawn).abs().mean()
    x = images_to_tensor(test.pixels(slice(None)))
    with torch.inference_mode():
        one, other = (cvae.encode(x, torch.eye(2)[k].expand(len(x), -1)).mean for k in (0, 1))
    assert torch.equal(one, other), "what the encoder is told decides nothing"
