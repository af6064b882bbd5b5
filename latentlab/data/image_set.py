"""`ImageSet`: a body of images with attributes, kept as one uint8 memory map and a table.

Splits, subsets, groups and resampled sets are all selections of rows; the pixels are never copied. How
a set lies on disk is told in `latentlab.data.set_folder`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from latentlab.errors import DataError, NoSplitError
from latentlab.spec import Attribute, Record

if TYPE_CHECKING:
    from torch import Tensor

SPLITS = ("train", "validation", "test")
UNKNOWN = -1
"""The class code of a label that is not known."""
_PAIRED_BY = {"avatars": "style", "robots": "quality"}


class SetInfo(Record):
    """What a set is: its name, attributes, size of its images, origin, licence and credit."""

    name: str
    image_size: int
    attributes: tuple[Attribute, ...] = ()
    licence: str = ""
    credit: str = ""
    source: Mapping[str, Any] = Field(default_factory=dict)
    unreadable: tuple[str, ...] = ()

    @property
    def paired_by(self) -> str | None:
        """The attribute over whose classes the same identities are drawn, None in sets of other kinds.

        Images of a set that has one are named ``IDENTITY:CLASS``.
        """
        return _PAIRED_BY.get(str(self.source.get("kind")))


@dataclass(frozen=True)
class ImageSet:
    """A selection of rows of one body of images.

    Parameters
    ----------
    info
        What the set is.
    images
        All images of the body, uint8 ``[N, S, S, 3]``, RGB, usually a memory map.
    labels
        Class codes by attribute, int64 ``[N]`` (`UNKNOWN` where not known); float32 for continuous ones.
    names
        A name for each image, ``[N]``.
    splits
        The split of each image as a position in `SPLITS`, int8 ``[N]``.
    rows
        The selected rows, int64 ``[n]``; a row may stand more than once in a resampled set.
    """

    info: SetInfo
    images: NDArray[np.uint8]
    labels: Mapping[str, NDArray[Any]]
    names: NDArray[np.str_]
    splits: NDArray[np.int8]
    rows: NDArray[np.int64]

    @classmethod
    def without_pictures(
        cls,
        info: SetInfo,
        labels: Mapping[str, NDArray[Any]],
        names: NDArray[np.str_],
        splits: NDArray[np.int8],
    ) -> ImageSet:
        """Return a set of which only the table is known, so that rows can be chosen before any work."""
        nothing = np.broadcast_to(np.uint8(255), (len(names), 1, 1, 3))
        return cls(info, nothing, labels, names, splits, np.arange(len(names)))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def image_size(self) -> int:
        """Height and width of the images in pixels."""
        return self.info.image_size

    def attribute(self, name: str) -> Attribute:
        """Return the attribute of that name, or raise `DataError` naming the ones there are."""
        for attribute in self.info.attributes:
            if attribute.name == name:
                return attribute
        known = ", ".join(attribute.name for attribute in self.info.attributes) or "none"
        raise DataError(f"The set {self.info.name} has no attribute {name!r}; it has {known}.")

    def codes(self, name: str) -> NDArray[Any]:
        """Return the selected rows' class codes (or values) of an attribute, ``[n]``."""
        self.attribute(name)
        return np.asarray(self.labels[name][self.rows])

    def pixels(self, positions: Sequence[int] | NDArray[np.int64] | slice) -> NDArray[np.uint8]:
        """Return the images at positions within the selection, uint8 ``[B, S, S, 3]``."""
        wanted = self.rows[positions]
        order = np.argsort(wanted, kind="stable")
        batch = np.empty((len(wanted), *self.images.shape[1:]), dtype=np.uint8)
        batch[order] = self.images[wanted[order]]
        return batch

    def select(self, positions: NDArray[Any]) -> ImageSet:
        """Return the set of the rows at positions (or under a boolean mask) of the selection."""
        return ImageSet(self.info, self.images, self.labels, self.names, self.splits, self.rows[positions])

    def split(self, name: str) -> ImageSet:
        """Return the rows of one split: ``train``, ``validation`` or ``test``.

        Raises
        ------
        DataError
            If the split is unknown; `NoSplitError` if it holds no image.
        """
        if name not in SPLITS:
            raise DataError(f"Split {name!r} is unknown; choose one of {', '.join(SPLITS)}.")
        chosen = self.select(self.splits[self.rows] == SPLITS.index(name))
        if not len(chosen):
            raise NoSplitError(f"The set {self.info.name} has no images in its split {name!r}.")
        return chosen

    def groups(self, attributes: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        """Return the positions of each intersectional group, keyed ``"gender=female,race=black"``.

        Every combination of classes has an entry, also one without images; rows with an unknown label
        are in none.
        """
        codes = [self.codes(name) for name in attributes]
        found = {}
        for combination in product(*(range(len(self.attribute(name).classes)) for name in attributes)):
            mask = np.logical_and.reduce([c == k for c, k in zip(codes, combination, strict=True)])
            key = ",".join(
                f"{name}={self.attribute(name).classes[k]}"
                for name, k in zip(attributes, combination, strict=True)
            )
            found[key] = np.flatnonzero(mask)
        return found


def images_to_tensor(pixels: NDArray[np.uint8], like: Tensor | None = None) -> Tensor:
    """Turn uint8 ``[B, S, S, 3]`` into float ``[B, 3, S, S]`` in [0, 1], `channels_last` in memory.

    The result has the type and device of ``like``, float32 on the CPU without it.
    """
    import torch

    tensor = torch.from_numpy(np.require(pixels, requirements=("C", "W"))).permute(0, 3, 1, 2)
    if like is not None:
        return tensor.to(device=like.device, dtype=like.dtype).div_(255.0)
    return tensor.to(torch.float32).div_(255.0)
