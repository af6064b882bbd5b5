"""A map of encoded images: their latents, where they lie in two dimensions, and what is known of them.

    found = load_map(Path("faces.map.safetensors"))
    found.places["pca"]                              # float32 [n, 2]
    latent = found.walk("pca", latent, (1.5, -0.5))  # the same latent, moved to that place
    chosen = found.inside("tsne", lasso)             # bool [n]

The first layout is the plane of the two first principal components (``pca``): straight lines stay straight,
and a place has one latent once the other directions are given. The second (``tsne``: van der Maaten & Hinton
2008) keeps neighbours together, bends everything else, and has no inverse. Making a map is in
`latentlab.operations.make_map`, its file in `latentlab.operations.map_file`. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import SettingsError
from latentlab.metrics.labels import write_labels
from latentlab.operations.map_info import LAYOUTS, Layout, MapInfo
from latentlab.operations.plane import Density, inside_polygon, nearest_weights, smooth_density
from latentlab.spec import Attribute, ConditionSchema

COMPONENTS = 8
"""Principal components that a map keeps, where there are as many."""
NEIGHBOURS = 8
"""Neighbours that stand for a place or a latent in a layout without an inverse."""


@dataclass(frozen=True, eq=False)
class LatentMap:
    """n encoded images, laid out in two dimensions.

    Parameters
    ----------
    info
        What the map is of.
    rows
        Positions within the set that ``info.data`` names, ascending, int64 ``[n]``.
    names
        The images' names, ``[n]``.
    latents
        Means of the posteriors, flattened, float32 ``[n, D]``.
    labels
        By attribute: class codes int64 ``[n]``, -1 where not known, or values float32 ``[n]``, NaN where not.
    places
        By layout: float32 ``[n, 2]``. ``pca`` is always there; ``tsne`` may still be growing
        (``info.tsne.done``).
    mean
        The latents' mean, float32 ``[D]``: where the PCA plane has its origin.
    components
        Principal components of length 1, those of most variance first, float32 ``[k, D]``, k >= 2.
    shares
        Share of the variance along each, float32 ``[k]``, 0 to 1.
    """

    info: MapInfo
    rows: NDArray[np.int64]
    names: NDArray[np.str_]
    latents: NDArray[np.float32]
    labels: Mapping[str, NDArray[Any]]
    places: Mapping[Layout, NDArray[np.float32]]
    mean: NDArray[np.float32]
    components: NDArray[np.float32]
    shares: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """The layouts that the map has."""
        return tuple(layout for layout in LAYOUTS if layout in self.places)

    @property
    def has_tsne(self) -> bool:
        """Whether the map has a t-SNE that is finished."""
        return self.info.tsne is not None and self.info.tsne.done

    def layout(self, layout: Layout) -> NDArray[np.float32]:
        """Return where the images lie, float32 ``[n, 2]``.

        Raises
        ------
        SettingsError
            If the map does not have that layout.
        """
        if layout not in self.places:
            known = ", ".join(self.layouts)
            raise SettingsError(f"This map has no layout {layout!r}; it has {known}. Make the map with it.")
        return self.places[layout]

    def attribute(self, name: str) -> Attribute:
        """Return the attribute of that name, or raise `SettingsError` naming the ones there are."""
        for attribute in self.info.attributes:
            if attribute.name == name:
                return attribute
        known = ", ".join(attribute.name for attribute in self.info.attributes) or "none"
        raise SettingsError(f"The images of this map have no attribute {name!r}; they have {known}.")

    def conditions(self, schema: ConditionSchema) -> NDArray[np.float32] | None:
        """Return the images' conditions by their labels, float32 ``[n, C]``; unknown ones are zeros.

        None for an unconditional model, and where the images have not all of its attributes.
        """
        if not schema.size or any(one.name not in self.labels for one in schema.attributes):
            return None
        vectors = np.zeros((len(self), schema.size), dtype=np.float32)
        for one in schema.attributes:
            write_labels(vectors, schema, one, self.attribute(one.name), self.labels[one.name])
        return vectors

    def latent(self, index: int) -> NDArray[np.float32]:
        """Return the latent of the image at an index of the map, float32 of the latent shape."""
        latent: NDArray[np.float32] = self.latents[index].reshape(self.info.latent_shape)
        return latent

    def project(self, latent: ArrayLike) -> NDArray[np.float32]:
        """Return where latents lie in the plane of the two first components.

        Parameters
        ----------
        latent
            One latent of any shape with D numbers, or several, ``[m, D]``.

        Returns
        -------
        numpy.ndarray
            Float32 ``[2]``, or ``[m, 2]`` for several.

        Raises
        ------
        SettingsError
            If a latent has another size.
        """
        numbers = np.asarray(latent, dtype=np.float64)
        several = numbers.ndim == 2 and numbers.shape[1] == len(self.mean)
        flat = numbers if several else self._flat(numbers)
        return ((flat - self.mean) @ self.components[:2].T).astype(np.float32)

    def walk(self, layout: Layout, base: ArrayLike, point: ArrayLike) -> NDArray[np.float32]:
        """Return the latent that a place on the map stands for.

        In the PCA plane it is ``base`` moved so that it lies at ``point``, with everything outside the plane
        as it is. A t-SNE has no inverse: there it is the mean of the latents of the 8 points nearest to the
        place, weighted by inverse distance, whatever the base; at a point of the map it is that point's
        latent. Far from all points, or between two clusters, that mean is a rough guess.

        Parameters
        ----------
        base
            The latent to move, D numbers in any shape.
        point
            The place, ``[2]``.

        Returns
        -------
        numpy.ndarray
            Float32 of the latent shape.

        Raises
        ------
        SettingsError
            If the map lacks the layout, or the base has another size.
        """
        places, flat = self.layout(layout), self._flat(base)
        target = np.asarray(point, dtype=np.float64)
        if layout == "pca":
            step = target - self.project(flat)
            found = flat + step @ self.components[:2]
        else:
            where, weights = nearest_weights(places, target, NEIGHBOURS)
            found = weights @ self.latents[where]
        return found.astype(np.float32).reshape(self.info.latent_shape)

    def place_of(self, layout: Layout, latent: ArrayLike) -> NDArray[np.float32]:
        """Return where a latent lies on the map, float32 ``[2]``.

        In the PCA plane that is its projection; in a t-SNE, which places only what it was made of, the mean
        place of the 8 nearest latents, weighted by inverse distance.

        Raises
        ------
        SettingsError
            If the map lacks the layout, or the latent has another size.
        """
        places, flat = self.layout(layout), self._flat(latent)
        if layout == "pca":
            return self.project(flat)
        where, weights = nearest_weights(self.latents, flat, NEIGHBOURS)
        return (weights @ places[where]).astype(np.float32)

    def inside(self, layout: Layout, polygon: ArrayLike) -> NDArray[np.bool_]:
        """Return which images lie inside a polygon ``[m, 2]`` (closed by itself): bool ``[n]``.

        Where the polygon crosses itself the even-odd rule decides, as in the window's painting.
        """
        return inside_polygon(self.layout(layout), np.asarray(polygon, dtype=np.float64).reshape(-1, 2))

    def density(
        self, layout: Layout, bins: int = 128, sigma: float = 2.0, chosen: NDArray[Any] | None = None
    ) -> Density:
        """Return how densely images lie, for drawing.

        Parameters
        ----------
        bins
            Cells along each side of the square around all images.
        sigma
            Standard deviation of the Gaussian that smooths, in cells.
        chosen
            Which images count, as indices or a mask; all without it.
        """
        places = self.layout(layout)
        return smooth_density(places, places if chosen is None else places[chosen], bins, sigma)

    def same_latents(self, other: LatentMap) -> bool:
        """Whether another map holds the same images' latents of the same model."""
        mine, its = self.info, other.info
        return (mine.sha256, mine.fingerprint) == (its.sha256, its.fingerprint)

    @cached_property
    def label_texts(self) -> Mapping[str, tuple[str, ...]]:
        """The labels in words by attribute, n of each; empty where not known."""
        found = {}
        for attribute in self.info.attributes:
            values = self.labels[attribute.name].tolist()
            if attribute.kind == "continuous":
                found[attribute.name] = tuple("" if value != value else f"{value:g}" for value in values)
            else:
                found[attribute.name] = tuple(attribute.classes[code] if code >= 0 else "" for code in values)
        return found

    def _flat(self, latent: ArrayLike) -> NDArray[np.float64]:
        """Return one latent as float64 ``[D]``."""
        numbers, size = np.asarray(latent, dtype=np.float64), len(self.mean)
        if numbers.size != size:
            raise SettingsError(
                f"A latent of this map has {size} numbers; {list(numbers.shape)} were given. It belongs to "
                "another model."
            )
        return numbers.reshape(size)
