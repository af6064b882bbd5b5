"""Erasure is LEACE as it is defined: nothing linear is left of the concept, and no smaller change does it."""

from __future__ import annotations

import copy
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
from latentlab.training.erasure import erase_condition, erasure

D = 6


@pytest.fixture(scope="module")
def told() -> tuple[np.ndarray, np.ndarray]:
    """Correlated latents [2000, 6] of unequal scales that tell of one-hot conditions [2000, 3]."""
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 3, 2000)
    c = np.eye(3)[codes]
    spread = generator.normal(size=(D, D)) * np.array([3.0, 1.0, 0.5, 1.0, 2.0, 0.1])
    z = generator.normal(size=(2000, D)) @ spread + c @ generator.normal(size=(3, D)) + 2.0
    return z, c


def covariance(z: np.ndarray, c: np.ndarray) -> np.ndarray:
    return (z - z.mean(0)).T @ (c - c.mean(0)) / len(z)


def test_nothing_linear_is_left_and_the_mean_stays(told) -> None:
    z, c = told
    matrix, offset = erasure(z, c)
    erased = z @ matrix.T + offset
    assert np.abs(covariance(z, c)).max() > 0.1
    np.testing.assert_allclose(covariance(erased, c), 0.0, atol=1e-9)
    np.testing.assert_allclose(erased.mean(0), z.mean(0), atol=1e-9)


def test_no_smaller_change_leaves_nothing(told) -> None:
    """Every other map with the same property, A + E A of any E, moves the latents farther."""
    z, c = told
    matrix, offset = erasure(z, c)
    least = np.square(z @ matrix.T + offset - z).sum(1).mean()
    generator = np.random.default_rng(1)
    for size in (1e-3, 1e-2, 1e-1):
        for _ in range(20):
            other = matrix + size * generator.normal(size=(D, D)) @ matrix
            moved = z @ other.T + z.mean(0) - other @ z.mean(0)
            np.testing.assert_allclose(covariance(moved, c), 0.0, atol=1e-9)
            assert np.square(moved - z).sum(1).mean() > least


def test_as_few_directions_are_lost_as_the_condition_has_degrees(told) -> None:
    matrix, _ = erasure(*told)
    np.testing.assert_allclose(matrix @ matrix, matrix, atol=1e-9)
    assert np.linalg.matrix_rank(matrix) == D - 2, "three classes differ in two ways"


def test_latents_that_tell_nothing_stay() -> None:
    z = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    c = np.array([[1.0], [1.0], [2.0], [2.0]])
    matrix, offset = erasure(z, c)
    np.testing.assert_allclose(z @ matrix.T + offset, z, atol=1e-9)


def test_a_vaes_latent_is_erased_and_its_decoder_told_instead(
    tiny_model_folder: Path, tiny_faces: ImageSet
) -> None:
    vae = load(tiny_model_folder).network
    train, test = tiny_faces.split("train"), tiny_faces.split("test")
    schema = ConditionSchema(
        attributes=(Attribute(name="race", classes=("asian", "black", "brown", "white")),)
    )
    config = CVAEConfig(**vae.config.model_dump())
    cvae = CVAE(config, ModelSpec(family="cvae", image_size=32, latent_shape=(8,), condition=schema)).eval()
    cvae.load_state_dict(vae.state_dict(), strict=False)

    def encoded(data: ImageSet) -> tuple[torch.Tensor, torch.Tensor]:
        x, c = images_to_tensor(data.pixels(slice(None))), torch.from_numpy(conditions(schema, data))
        with torch.inference_mode():
            return cvae.encode(x, c).mean, c

    before, c = encoded(train)
    with torch.inference_mode():
        drawn = vae.decode(before)
    codes = {data: np.asarray(images.codes("race")) for data, images in (("train", train), ("test", test))}
    tried = probe_points(before.numpy(), codes["train"], encoded(test)[0].numpy(), codes["test"], 4)
    told_before = cvae.from_condition.weight.clone()
    alone = copy.deepcopy(cvae)
    erase_condition(cvae, before.numpy(), c.numpy(), hand_over=True)
    after, _ = encoded(train)
    erase_condition(alone, before.numpy(), c.numpy(), hand_over=False)
    assert torch.equal(alone.from_condition.weight, told_before)
    assert torch.equal(alone.to_posterior.weight, cvae.to_posterior.weight)
    assert np.abs(covariance(after.numpy().astype(float), c.numpy().astype(float))).max() < 1e-4
    again = probe_points(after.numpy(), codes["train"], encoded(test)[0].numpy(), codes["test"], 4)
    assert tried["linear"].value > 10.0
    assert again["linear"].value < 0.5 * tried["linear"].value
    on_itself = probe_points(after.numpy(), codes["train"], after.numpy(), codes["train"], 4)
    assert on_itself["linear"].value < 2.0, "no line separates what it was fitted on"
    with torch.inference_mode():
        joined = cvae.from_latent(after) + cvae.from_condition(c)
        for k in range(4):
            wanted = vae.from_latent(before[c[:, k] == 1]).mean(0)
            torch.testing.assert_close(joined[c[:, k] == 1].mean(0), wanted, atol=1e-4, rtol=1e-4)
        told_again, untold = cvae.decode(after, c), vae.decode(after)
    assert (told_again - drawn).abs().mean() < (untold - drawn).abs().mean()
