"""What shares are compared with: all classes alike, or the labels of a set, such as the one trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.errors import SettingsError
from latentlab.metrics.labels import translate
from latentlab.progress import Reporter
from latentlab.spec import Attribute, CheckpointConfig

UNIFORM, TRAINING = "uniform", "training"


@dataclass(frozen=True)
class Reference:
    """Shares ``[classes]`` by attribute, which sum to 1; an attribute that nothing is known of has none.

    Parameters
    ----------
    name
        ``uniform``, or the set's.
    images
        The set; None for `UNIFORM`.
    """

    name: str
    shares: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    images: ImageSet | None = None

    def sha256(self) -> str:
        """Return the SHA-256 of what is known of it: of its shares, and of its images' labels."""
        found = hashlib.sha256()
        for name, shares in sorted(self.shares.items()):
            found.update(name.encode() + shares.tobytes())
        if self.images is not None:
            for one in self.images.info.attributes:
                found.update(one.name.encode() + np.ascontiguousarray(self.images.codes(one.name)).tobytes())
        return found.hexdigest()


def reference_of(
    wish: str,
    attributes: Sequence[Attribute],
    config: CheckpointConfig,
    image_size: int,
    reporter: Reporter | None = None,
) -> Reference:
    """Return the reference of a wish.

    Parameters
    ----------
    wish
        `UNIFORM`; `TRAINING` for the set that the checkpoint says it was trained on; or the name of a set.
    attributes
        As the predictor has them.
    config
        The checkpoint's.

    Raises
    ------
    DataError
        If there is no such set.
    SettingsError
        If the checkpoint does not say what it was trained on, or the set has none of the attributes.
    """
    if wish == UNIFORM:
        return Reference(UNIFORM, {a.name: np.full(len(a.classes), 1.0 / len(a.classes)) for a in attributes})
    bare = bare_reference(wish, config, image_size, reporter)
    images = bare.images
    assert images is not None
    known = {a.name: a for a in images.info.attributes if a.kind == "categorical"}
    shares = {}
    for attribute in attributes:
        if attribute.name in known:
            codes = translate(known[attribute.name], attribute, images.codes(attribute.name))
            counts = np.bincount(codes[codes >= 0], minlength=len(attribute.classes)).astype(np.float64)
            if counts.sum():
                shares[attribute.name] = counts / counts.sum()
    if not shares:
        raise SettingsError(
            f"The set {images.info.name} has labels for none of {', '.join(a.name for a in attributes)}. "
            "Choose another reference."
        )
    return Reference(bare.name, shares, images)


def bare_reference(
    wish: str, config: CheckpointConfig, image_size: int, reporter: Reporter | None = None
) -> Reference:
    """Return the reference of a wish as far as it is known without attributes: its images.

    Raises
    ------
    DataError
        If there is no such set.
    SettingsError
        If the checkpoint does not say what it was trained on.
    """
    if wish == UNIFORM:
        return Reference(UNIFORM)
    name = wish
    if wish == TRAINING:
        data = config.training.get("data")
        if not isinstance(data, str) or not data:
            raise SettingsError(
                f"{config.name or 'The checkpoint'} does not say what it was trained on. Give --reference a "
                f"set's name, or {UNIFORM}."
            )
        name = data
    return Reference(name, {}, open_set(name, image_size, reporter))
