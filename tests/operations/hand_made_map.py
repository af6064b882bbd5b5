"""A map that no model made: 40 latents of the shape [2, 3] with known axes, a t-SNE of a kind, and labels."""

from __future__ import annotations

import numpy as np

from latentlab.operations.latent_map import LatentMap
from latentlab.operations.map_info import MapInfo, TSNEInfo
from latentlab.spec import Attribute

COUNT, SIZE = 40, 6


def hand_made_map(tsne: bool = True) -> LatentMap:
    """Return the map; every call makes the same."""
    generator = np.random.default_rng(7)
    components = np.linalg.qr(generator.standard_normal((SIZE, SIZE)))[0][:3].astype(np.float32)
    mean = generator.standard_normal(SIZE).astype(np.float32)
    latents = (mean + generator.standard_normal((COUNT, SIZE)) * 2).astype(np.float32)
    places = {"pca": ((latents - mean) @ components[:2].T).astype(np.float32)}
    if tsne:
        places["tsne"] = (generator.standard_normal((COUNT, 2)) * 30).astype(np.float32)
    ages = generator.random(COUNT).astype(np.float32) * 80
    ages[3] = np.nan
    return LatentMap(
        info=MapInfo(
            model="hand",
            sha256="a" * 64,
            data="hands:train",
            count=COUNT,
            seed=3,
            available=50,
            fingerprint="f" * 64,
            image_size=32,
            latent_shape=(2, 3),
            attributes=(
                Attribute(name="glasses", classes=("no", "yes"), origin="constructed"),
                Attribute(name="age", kind="continuous"),
            ),
            tsne=TSNEInfo(perplexity=5.0, planned=100, iterations=100, divergence=0.5) if tsne else None,
        ),
        rows=np.sort(generator.permutation(50)[:COUNT]).astype(np.int64),
        names=np.array([f"hand {k}.png" for k in range(COUNT - 1)] + ["Hände, zwei"]),
        latents=latents,
        labels={"glasses": np.arange(COUNT) % 3 - 1, "age": ages},
        places=places,
        mean=mean,
        components=components,
        shares=np.array([0.5, 0.3, 0.1], dtype=np.float32),
    )
