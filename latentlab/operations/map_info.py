"""What a map of encoded images is of, as it stands in the map's file; no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from latentlab.spec import Attribute, Record

Layout = Literal["pca", "tsne"]
LAYOUTS: tuple[Layout, ...] = ("pca", "tsne")
LAYOUT_NAMES: Mapping[Layout, str] = {"pca": "principal components", "tsne": "t-SNE"}


class TSNEInfo(Record):
    """How a t-SNE was made, and how far it has come.

    Parameters
    ----------
    iterations, planned
        Done and planned; the first third of those planned is the early exaggeration.
    divergence
        Kullback-Leibler divergence of the layout from the latents' neighbourhoods, in nats, that t-SNE
        makes small; None before the first iterations.
    threads
        The layout is the same to the bit for one thread count.
    """

    perplexity: float
    planned: int
    iterations: int = 0
    divergence: float | None = None
    threads: int = 1

    @property
    def done(self) -> bool:
        """Whether all planned iterations are done."""
        return self.iterations >= self.planned


class MapInfo(Record):
    """What a map is of: model, set, choice of rows.

    Parameters
    ----------
    model, sha256
        The model's name, and the SHA-256 of its weights.
    data
        The set's name with its split, such as ``faces:train``; a folder's absolute path.
    count, seed
        How many rows were asked for at most, and the seed that chose them.
    available
        Images of the set; all are on the map where no more than ``count``.
    fingerprint
        SHA-256 of the chosen rows' names, attributes, labels and pixels: another one, and the latents are
        not theirs.
    attributes
        The set's attributes, of which ``LatentMap.labels`` has the codes.
    tsne
        None where there is no t-SNE yet.
    """

    format: Literal["latentlab-map"] = "latentlab-map"
    version: Literal[1] = 1
    model: str
    sha256: str
    data: str
    count: int = Field(ge=1)
    seed: int = Field(ge=0)
    available: int = Field(ge=1)
    fingerprint: str
    image_size: int
    latent_shape: tuple[int, ...]
    attributes: tuple[Attribute, ...] = ()
    tsne: TSNEInfo | None = None

    def fits(self, sha256: str, data: str, count: int, seed: int) -> bool:
        """Whether this is the map of that model, set, number of rows and seed."""
        same_rows = min(count, self.available) == min(self.count, self.available)
        return (self.sha256, self.data, self.seed) == (sha256, data, seed) and same_rows
