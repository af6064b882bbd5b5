from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from latentlab.operations.downscale import Downscale, bicubic_weights


def pillow(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC), np.float32)


def ours(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    images = torch.from_numpy(picture.astype(np.float32) / 255.0).permute(2, 0, 1)[None]
    found = Downscale(picture.shape[:2], (height, width))(images)
    return found[0].permute(1, 2, 0).numpy() * 255.0


@pytest.mark.parametrize(
    ("size", "side"),
    [((64, 64), (8, 8)), ((64, 64), (4, 4)), ((64, 64), (32, 32)), ((50, 37), (7, 11)), ((16, 24), (16, 3))],
)
def test_it_gives_what_pillow_gives_to_a_255th(size: tuple[int, int], side: tuple[int, int]):
    generator = np.random.default_rng(0)
    smooth = np.add.outer(np.arange(size[0]), 2 * np.arange(size[1]))[..., None] * np.array([1, 2, 3]) % 256
    for picture in (
        generator.integers(0, 256, (*size, 3)).astype(np.uint8),
        (255 * generator.integers(0, 2, (*size, 3))).astype(np.uint8),  # overshoots
        smooth.astype(np.uint8),
    ):
        apart = np.abs(pillow(picture, *side) - ours(picture, *side))
        assert apart.max() <= 1.0 + 1e-3
        assert apart.mean() < 0.5


def test_without_rounding_pillow_and_it_agree():
    grey = np.random.default_rng(1).uniform(80.0, 170.0, (64, 64)).astype(np.float32)
    theirs = np.asarray(Image.fromarray(grey).resize((8, 8), Image.Resampling.BICUBIC))
    found = Downscale(64, 8)(torch.from_numpy(grey / 255.0)[None, None])[0, 0].numpy() * 255.0
    assert np.abs(theirs - found).max() < 1e-3


def test_the_weights_that_fall_outside_are_left_out_and_the_others_sum_to_one():
    weights = bicubic_weights(64, 8)
    assert torch.allclose(weights.sum(1), torch.ones(8, dtype=torch.float64))
    assert torch.allclose(weights.flip(0, 1), weights, atol=1e-12)
    assert float(weights.min()) < 0.0  # the kernel's negative lobes, so no mere average


def test_it_has_a_gradient():
    x = torch.rand(2, 3, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = (0.3 + 0.4 * x).requires_grad_()
    assert torch.autograd.gradcheck(Downscale(12, 4), (x,))
