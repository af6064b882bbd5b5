"""The torch side of the renderer: an opened model in its fast forms, and what is asked of it.

The engine lives on the worker's thread and is used from there only. It renders in a likely way at once, and
tries all ways when nothing is asked of it (`Engine.tune`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.data.image_set import images_to_tensor
from latentlab.data.pictures import square_picture
from latentlab.device import resolve_device
from latentlab.errors import SettingsError
from latentlab.live.examples import example
from latentlab.live.frame_network import FrameNetwork, ResizedPredictor, to_pixels
from latentlab.live.frames import DeviceOverride
from latentlab.live.opening import Loaded, load_pair
from latentlab.live.prepare import Forms, Forward
from latentlab.live.trial import Verdict, best, cache_key, keep, measure, recall, strays
from latentlab.live.ways import Way, candidates, check_override, first_guess
from latentlab.operations.render import intra_op_threads, settled_attributes, settled_pictures
from latentlab.spec import ModelSpec

CHUNK = 8
"""Pictures rendered at once out of many: their features stay in the processor's caches, and a more urgent
request waits for no more than these."""

TYPICAL = 16
"""Rows of typical input from which the int8 form takes its scales."""

Attributes = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Rendered pictures uint8 ``[B, S, S, 4]`` (BGRX) and their attributes ``[B, classes]``."""

    pixels: NDArray[np.uint8]
    attributes: Attributes


class Engine:
    """One opened model, ready to render.

    Parameters
    ----------
    checkpoint, predictor
        As in `latentlab.live.opening.load_pair`.
    override
        Wishes about device, precision and threads.

    Raises
    ------
    CheckpointError, SettingsError
        If a checkpoint cannot be opened, or this machine lacks the device asked for.
    """

    def __init__(self, checkpoint: str, predictor: str | None, override: DeviceOverride) -> None:
        check_override(override)
        self.device = resolve_device(override.device or "auto")
        self.loaded: Loaded = load_pair(checkpoint, predictor)
        self._override = override
        self._network: FrameNetwork = self.loaded.network()
        self._forms = Forms(self._network, example(self.loaded.spec, TYPICAL))
        self._names = [a.name for a in spec.attributes] if (spec := self.loaded.predictor_spec) else []
        self._key = cache_key(self.device, self.loaded.shapes(), repr(override))
        kept = recall(self._key)
        guess = first_guess(self.device, override)
        self.verdict = kept or Verdict(guess, guess)
        self.tuned = kept is not None
        self._single = self._form(self.verdict.single, 1)
        self._grid: Forward | None = None

    @property
    def spec(self) -> ModelSpec:
        """What the model is."""
        return self.loaded.spec

    def live(
        self, latents: NDArray[np.float32], condition: NDArray[np.float32] | None
    ) -> Iterator[Pictures | None]:
        """Render a preview; gives None after each part of a large request, and at last the pictures.

        Parameters
        ----------
        latents
            Float32 ``[B, *latent_shape]``.
        condition
            Float32 ``[B, C]``, or None.
        """
        self._check(latents, condition)
        parts = []
        for start in range(0, len(latents), CHUNK):
            rows = slice(start, start + CHUNK)
            parts.append(self._render(latents[rows], None if condition is None else condition[rows]))
            if start + CHUNK < len(latents):
                yield None
        yield parts[0] if len(parts) == 1 else _joined(parts)

    def settled(
        self, latents: NDArray[np.float32], condition: NDArray[np.float32] | None, threads: int
    ) -> Iterator[Pictures | None]:
        """Render so that the result is the same to the bit; gives None after each picture, at last all."""
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
        self, picture: NDArray[np.uint8], condition: NDArray[np.float32] | None, threads: int = 1
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32] | None, Attributes, Pictures]:
        """Encode a picture uint8 ``[H, W, 3]`` (RGB) in float32.

        Returns
        -------
        tuple
            The picture as the model sees it (uint8 ``[S, S, 3]``), posterior mean and standard deviation
            (float32 ``[*latent_shape]``, or None), the picture's attributes ``[1, classes]``, and the
            reconstruction with its attributes.

        Raises
        ------
        SettingsError
            If the model has no encoder.
        """
        if "encode" in self.spec.cannot:
            raise SettingsError(f"This model cannot encode a picture: {self.spec.cannot['encode']}")
        source = square_picture(picture, self.spec.image_size)
        with intra_op_threads(threads), torch.inference_mode():
            given = None if condition is None else torch.from_numpy(condition[None].copy())
            posterior = self.loaded.model.encode(images_to_tensor(source[None]), given)
            mean = posterior.mean[0].float().numpy().copy()
            std = None if posterior.logvar is None else torch.exp(0.5 * posterior.logvar[0]).numpy().copy()
        attributes = self._judge(source[None], threads)
        (reconstruction,) = self.settled(mean[None], None if condition is None else condition[None], threads)
        assert reconstruction is not None
        return source, mean, std, attributes, reconstruction

    def tune(self) -> Iterator[None]:
        """Try all ways in short steps; after the last the best are in use and kept for the next start."""
        latents = example(self.spec, 2 * CHUNK, seed=1)
        with torch.inference_mode():
            truth = self._network(*latents)
        found: dict[str, float] = {}
        chosen = []
        for batch in (1, CHUNK):
            forms: dict[Way, Forward] = {}
            by_form: dict[tuple[str, bool], Forward | None] = {}
            for way in candidates(self.device, self._override):
                kind = (way.precision, way.packed)
                if kind not in by_form:
                    by_form[kind] = self._honest(way, batch, latents, truth)
                    yield
                form = by_form[kind]
                if form is not None:
                    forms[way] = form
            if not forms:
                way = Way("float32", False, first_guess(self.device, self._override).threads)
                forms[way] = self._form(way, batch)
            given = tuple(tensor[:batch].to(self.device) for tensor in latents)
            times: dict[Way, float] = {}
            for medians in measure(forms, given):
                times = medians
                yield
            way = best(times)
            chosen.append((way, forms[way]))
            count = "1 picture" if batch == 1 else f"{batch} pictures"
            found |= {f"{count}, {tried.label}": ms for tried, ms in times.items()}
        (single, self._single), (grid, self._grid) = chosen
        self.verdict = Verdict(single, grid, found)
        self.tuned = True
        keep(self._key, self.verdict)

    def _honest(
        self, way: Way, batch: int, latents: tuple[Tensor, ...], truth: tuple[Tensor, ...]
    ) -> Forward | None:
        """Return the form of a way if it can be made here and its pictures are right, else None."""
        try:
            form = self._forms.make(way, self.device, batch)
            with intra_op_threads(way.threads), torch.inference_mode():
                answers = [
                    form(*(t[row : row + batch].to(self.device) for t in latents))
                    for row in range(0, len(latents[0]), batch)
                ]
        except (RuntimeError, ValueError, TypeError, NotImplementedError):
            return None
        joined = [torch.cat(parts) for parts in zip(*answers, strict=True)]
        return None if strays(joined, truth) else form

    def _form(self, way: Way, batch: int) -> Forward:
        """Return the form of a way, or the plain float32 network where it cannot be made."""
        try:
            form = self._forms.make(way, self.device, batch)
            with torch.inference_mode():
                form(*(tensor.to(self.device) for tensor in example(self.spec, batch)))
        except (RuntimeError, ValueError, TypeError, NotImplementedError):
            form = self._forms.make(Way(), self.device, batch)
        return form

    def forward(
        self, latents: NDArray[np.float32], condition: NDArray[np.float32] | None = None
    ) -> tuple[Tensor, ...]:
        """Run decoder and predictor on at most `CHUNK` rows, in the way chosen for that many.

        Returns
        -------
        tuple
            Images ``[B, 3, S, S]`` in [0, 1], then each attribute's probabilities ``[B, classes]``, on the
            device and in the precision of the way.
        """
        way = self.verdict.single if len(latents) == 1 else self.verdict.grid
        if len(latents) > 1 and self._grid is None:
            self._grid = self._form(way, CHUNK)
        form = self._single if len(latents) == 1 or self._grid is None else self._grid
        given = [latents] if condition is None else [latents, condition]
        with intra_op_threads(way.threads), torch.inference_mode():
            return form(*(torch.from_numpy(array).to(self.device) for array in given))

    def _render(self, latents: NDArray[np.float32], condition: NDArray[np.float32] | None) -> Pictures:
        images, *probabilities = self.forward(latents, condition)
        with torch.inference_mode():
            pixels = to_pixels(images).cpu().numpy()
            answers = [answer.float().cpu().numpy() for answer in probabilities]
        shape = (*pixels.shape, 4)
        return Pictures(pixels.view(np.uint8).reshape(shape), dict(zip(self._names, answers, strict=True)))

    def _judge(self, pictures: NDArray[np.uint8], threads: int) -> Attributes:
        """Return the attributes ``[B, classes]`` of pictures uint8 ``[B, S, S, 3]``, reproducibly."""
        if self.loaded.predictor is None:
            return {}
        judge = ResizedPredictor(self.loaded.predictor, self.spec.image_size)
        rows = settled_attributes(judge, pictures, threads)
        return {name: np.stack([row[name] for row in rows]) for name in self._names}

    def _check(self, latents: NDArray[np.float32], condition: NDArray[np.float32] | None) -> None:
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
