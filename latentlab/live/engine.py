"""An opened model and what is asked of it: previews, settled pictures, encodings.

The engine lives on the renderer's thread and is used from there only, but for `Engine.interrupt`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.conditions import as_condition, from_probabilities
from latentlab.data.image_set import images_to_tensor
from latentlab.data.pictures import square_picture
from latentlab.device import resolve_device
from latentlab.errors import SettingsError
from latentlab.families.resized import ResizedPredictor
from latentlab.live.fast import FastNetwork, Outputs
from latentlab.live.frames import DeviceOverride
from latentlab.live.opening import Loaded, load_pair
from latentlab.live.trial import cache_key
from latentlab.live.ways import check_override
from latentlab.operations.render import intra_op_threads, settled_attributes, settled_pictures
from latentlab.progress import Reporter
from latentlab.spec import ModelSpec

Attributes = Mapping[str, NDArray[np.float32]]
Latents = NDArray[np.float32]
"""Float32 ``[B, *latent_shape]``."""
Conditions = NDArray[np.float32] | None
"""Float32 ``[B, C]``, None for an unconditional model."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Rendered pictures uint8 ``[B, S, S, 4]`` (BGRX) and their attributes ``[B, classes]``."""

    pixels: NDArray[np.uint8]
    attributes: Attributes


@dataclass(frozen=True, eq=False)
class EncodedPicture:
    """What the model makes of a picture.

    Parameters
    ----------
    source
        The picture as the model sees it, uint8 ``[S, S, 3]``, RGB.
    mean, std
        Of the posterior, float32 ``[*latent_shape]``; ``std`` is None where there is none.
    attributes
        The picture's, ``[1, classes]``.
    reconstruction
        The picture encoded and decoded under its own condition, whatever the encoder was told, and its
        attributes.
    condition
        What the encoder was told, float32 ``[C]``; None for an unconditional model.
    own
        The picture's own condition, float32 ``[C]``; None for an unconditional model.
    """

    source: NDArray[np.uint8]
    mean: NDArray[np.float32]
    std: NDArray[np.float32] | None
    attributes: Attributes
    reconstruction: Pictures
    condition: NDArray[np.float32] | None
    own: NDArray[np.float32] | None


@runtime_checkable
class Interruptible(Protocol):
    """A part of a network that can be told from another thread to give up what it computes."""

    def interrupt(self) -> None:
        """Give up; what was asked ends in an error."""


class Engine:
    """One opened model, ready to render.

    Parameters
    ----------
    checkpoint, predictor, sha256, reporter
        As in `latentlab.live.opening.load_pair`.
    override
        Wishes about device, precision and threads.

    Raises
    ------
    CheckpointError, SettingsError
        If a checkpoint cannot be opened, or this machine lacks the device asked for.
    """

    def __init__(
        self,
        checkpoint: str,
        predictor: str | None,
        override: DeviceOverride,
        sha256: str = "",
        reporter: Reporter | None = None,
    ) -> None:
        check_override(override)
        device = resolve_device(override.device or "auto")
        with intra_op_threads(1):
            self.loaded: Loaded = load_pair(checkpoint, predictor, sha256, reporter)
            key = cache_key(device, self.loaded.weights(), repr(override))
            self.fast = FastNetwork(self.loaded.network(), self.loaded.spec, device, override, key)
        judge = self.loaded.predictor_spec
        self._names = [attribute.name for attribute in judge.attributes] if judge else []

    @property
    def spec(self) -> ModelSpec:
        """What the model is."""
        return self.loaded.spec

    def interrupt(self) -> None:
        """End what networks compute elsewhere, such as an ONNX graph in its process; from any thread."""
        loaded = self.loaded
        for checkpoint in (loaded.checkpoint, loaded.predictor_checkpoint):
            for part in () if checkpoint is None else checkpoint.network.modules():
                if isinstance(part, Interruptible):
                    part.interrupt()

    def live(self, latents: Latents, condition: Conditions, judged: bool = True) -> Iterator[Pictures | None]:
        """Render previews; gives None after each part of a large request, and at last the pictures.

        Without ``judged`` many pictures come without attributes, and sooner.

        Raises
        ------
        SettingsError
            If latents or condition do not fit the model.
        """
        self._check(latents, condition)
        given = tuple(torch.from_numpy(array) for array in (latents, condition) if array is not None)
        if len(latents) == 1:
            yield self._pictures(self.fast.one(given))
            return
        parts: list[Pictures] = []
        for outputs in self.fast.many(given, judged):
            parts.append(self._pictures(outputs))
            yield None
        yield _joined(parts)

    def settled(self, latents: Latents, condition: Conditions, threads: int) -> Iterator[Pictures | None]:
        """Render so that it comes out the same to the bit; gives None after each picture, at last all."""
        self._check(latents, condition)
        parts = []
        for row in range(len(latents)):
            one = slice(row, row + 1)
            rgb = settled_pictures(
                self.loaded.model, latents[one], None if condition is None else condition[one], threads
            )
            parts.append(Pictures(_bgrx(rgb), self._judge(rgb, threads)))
            if row + 1 < len(latents):
                yield None
        yield _joined(parts)

    def encode(
        self,
        picture: NDArray[np.uint8],
        condition: NDArray[np.float32] | None,
        threads: int = 1,
        own: NDArray[np.float32] | None = None,
    ) -> EncodedPicture:
        """Encode a picture uint8 ``[H, W, 3]`` (RGB) in float32, under a condition ``[C]``.

        Parameters
        ----------
        condition
            What the encoder is told; without it what the predictor sees in the picture
            (`latentlab.conditions.from_probabilities`).
        own
            The picture's own condition ``[C]``, where it is known; else it is what the predictor sees, and
            without a predictor what the encoder is told.

        Raises
        ------
        SettingsError
            If the model has no encoder, or the condition does not fit it.
        """
        if "encode" in self.spec.cannot:
            raise SettingsError(f"This model cannot encode a picture: {self.spec.cannot['encode']}")
        source = square_picture(picture, self.spec.image_size)
        attributes = self._judge(source[None], threads)
        told = self._told(condition, attributes)
        if own is None and self.loaded.predictor is None:
            own = told
        own = self._told(own, attributes)
        mean, std = self._posterior(source, told, threads)
        same = told is None or own is None or np.array_equal(told, own)
        plain = mean if same else self._posterior(source, own, threads)[0]
        (reconstruction,) = self.settled(plain[None], None if own is None else own[None], threads)
        assert reconstruction is not None
        return EncodedPicture(source, mean, std, attributes, reconstruction, told, own)

    def _posterior(
        self, source: NDArray[np.uint8], told: NDArray[np.float32] | None, threads: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """Return mean and standard deviation of a picture uint8 ``[S, S, 3]``, encoded as told."""
        with intra_op_threads(threads), torch.inference_mode():
            given = None if told is None else torch.from_numpy(np.array(told[None], dtype=np.float32))
            posterior = self.loaded.model.encode(images_to_tensor(source[None]), given)
            std = None if posterior.logvar is None else _array(torch.exp(0.5 * posterior.logvar[0]))
            return _array(posterior.mean[0]), std

    def _told(
        self, condition: NDArray[np.float32] | None, attributes: Attributes
    ) -> NDArray[np.float32] | None:
        """Return what is said of a picture: what was asked for, or else what is seen."""
        schema, judge = self.spec.condition, self.loaded.predictor_spec
        if not schema.size:
            return None
        if condition is not None:
            return as_condition(condition, schema)
        classes = {one.name: one.classes for one in judge.attributes} if judge else {}
        return from_probabilities(schema, {name: rows[0] for name, rows in attributes.items()}, classes)

    def _pictures(self, outputs: Outputs) -> Pictures:
        pixels, *probabilities = outputs
        values = [_array(answer) for answer in probabilities]
        return Pictures(pixels.cpu().numpy(), dict(zip(self._names if values else (), values, strict=True)))

    def _judge(self, pictures: NDArray[np.uint8], threads: int) -> Attributes:
        """Return the attributes ``[B, classes]`` of pictures uint8 ``[B, S, S, 3]``, reproducibly."""
        if self.loaded.predictor is None:
            return {}
        judge = ResizedPredictor(self.loaded.predictor, self.spec.image_size)
        rows = settled_attributes(judge, pictures, threads)
        return {name: np.stack([row[name] for row in rows]) for name in self._names}

    def _check(self, latents: Latents, condition: Conditions) -> None:
        """Refuse what does not fit the model before any network sees it."""
        if latents.shape[1:] != self.spec.latent_shape or not len(latents):
            raise SettingsError(
                f"This model's latents have the shape [B, {', '.join(map(str, self.spec.latent_shape))}]; "
                f"found {list(latents.shape)}."
            )
        size = self.spec.condition.size
        found = None if condition is None else condition.shape
        if found != ((len(latents), size) if size else None):
            raise SettingsError(
                f"This model's condition should be {[len(latents), size] if size else 'absent'}; "
                f"found {list(found) if found else 'none'}."
            )


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.float().cpu().numpy()


def _joined(parts: list[Pictures]) -> Pictures:
    return Pictures(
        np.concatenate([part.pixels for part in parts]),
        {name: np.concatenate([part.attributes[name] for part in parts]) for name in parts[0].attributes},
    )


def _bgrx(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return pictures uint8 ``[B, S, S, 3]``, RGB, as ``[B, S, S, 4]``, BGRX."""
    out = np.full((*rgb.shape[:3], 4), 255, dtype=np.uint8)
    out[..., :3] = rgb[..., ::-1]
    return out
