"""What a person can do on the Explore screen: intents that change the session's document."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from latentlab.conditions import first_classes
from latentlab.errors import SettingsError
from latentlab.live.frames import Encoded
from latentlab.operations import latents
from latentlab.session.document import Explore, Source
from latentlab.session.session import Session
from latentlab.spec import ModelSpec


def start_in_the_middle(spec: ModelSpec) -> Explore:
    """Return the state without a picture: the middle of the prior (or of the data, where that is known)."""
    latent = latents.middle(spec)
    condition = _first_classes(spec)
    return Explore(latent, latent, condition, start_condition=condition)


def start_from_picture(
    spec: ModelSpec,
    name: str,
    picture: NDArray[np.uint8],
    encoded: Encoded,
    crop: tuple[int, int, int] | None = None,
    painted: NDArray[np.uint8] | None = None,
) -> Explore:
    """Return the state that sets out from a picture uint8 ``[H, W, 3]``, encoded as `given`."""
    latent = latents.as_latent(encoded.mean, spec)
    told, own = (None if one is None else _kept(one) for one in (encoded.condition, encoded.own))
    if told is not None and own is not None and np.array_equal(told, own):
        own = told
    source = Source(name, picture, encoded, crop, painted)
    return Explore(latent, latent, told, source, start_condition=own, told=told)


def cropped(picture: NDArray[np.uint8], crop: tuple[int, int, int] | None) -> NDArray[np.uint8]:
    """Return the square of a picture uint8 ``[H, W, 3]`` that the model is given; all of it without a crop.

    Parameters
    ----------
    crop
        Left edge, top edge and side, in pixels.

    Raises
    ------
    SettingsError
        If the square is not inside the picture.
    """
    if crop is None:
        return picture
    left, top, side = crop
    height, width = picture.shape[:2]
    if side < 1 or not 0 <= left <= width - side or not 0 <= top <= height - side:
        raise SettingsError(
            f"The square of {side} pixels at {left}, {top} is not inside the picture, which has "
            f"{width} x {height} pixels."
        )
    return picture[top : top + side, left : left + side]


def given(source: Source) -> NDArray[np.uint8]:
    """Return what the encoder is given of a picture, uint8 ``[H, W, 3]``: its square, or what was painted."""
    return cropped(source.picture, source.crop) if source.painted is None else source.painted


def start_from_draw(
    spec: ModelSpec, seed: int, truncation: float = 1.0, condition: NDArray[np.float32] | None = None
) -> Explore:
    """Return the state that sets out from a random draw (`latentlab.operations.latents.draw`).

    Parameters
    ----------
    condition
        The condition to set out with, ``[C]``; each attribute's first class without one.

    Raises
    ------
    SettingsError
        If the model cannot draw so.
    """
    latent = latents.draw(spec, seed, truncation)
    kept = _first_classes(spec) if condition is None else _kept(condition)
    return Explore(latent, latent, kept, seed=seed, truncation=truncation, start_condition=kept)


class ExploreIntents:
    """The Explore screen's intents. Dimensions are counted from 0 over the flattened latent."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def state(self) -> Explore | None:
        """The screen's part of the document, None while no model is open."""
        return self._session.document.explore

    def begin_move(self, dimension: int) -> None:
        """Begin to drag a slider: until `end_move` the moves are one step."""
        self._session.begin_gesture(f"Move dimension {dimension}", f"dimension {dimension}")

    def end_move(self) -> None:
        """End the drag."""
        self._session.end_gesture()

    def move(self, dimension: int, value: float) -> None:
        """Set one dimension, e.g. as the slider, wheel or spin box is moved."""
        state = self._open_state()
        if np.float32(value) != state.latent.reshape(-1)[dimension]:
            self._set(
                f"Move dimension {dimension}",
                latents.change(state.latent, {dimension: value}),
                key=f"dimension {dimension}",
            )

    def reset(self, dimension: int) -> None:
        """Return one dimension to the start."""
        state = self._open_state()
        if not self.is_at_start(dimension):
            start = float(state.start.reshape(-1)[dimension])
            self._set(f"Reset dimension {dimension}", latents.change(state.latent, {dimension: start}))

    def reset_all(self) -> None:
        """Return to the start and its condition, but for the locked dimensions."""
        state = self._open_state()
        start = self._with_locked(state.start)
        if state.condition_edited or not np.array_equal(start, state.latent):
            explore = replace(state, latent=start, condition=state.start_condition)
            self._session.change("Reset all", replace(self._session.document, explore=explore))

    def is_at_start(self, dimension: int) -> bool:
        """Whether a dimension has the start's value, so that there is nothing to reset."""
        state = self._open_state()
        return bool(state.latent.reshape(-1)[dimension] == state.start.reshape(-1)[dimension])

    def randomise(self, spec: ModelSpec, seed: int, truncation: float = 1.0) -> None:
        """Set out from a random draw; locked dimensions and the condition stay, undo brings all back."""
        explore = start_from_draw(spec, seed, truncation, self._open_state().condition)
        kept = self._with_locked(explore.start)
        if kept is not explore.start:
            count = len(self._session.document.shelf.locked)
            named = f"{count} locked dimension{'s' if count > 1 else ''} kept"
            explore = replace(explore, start=kept, latent=kept, named=named)
        self._set_out(f"Randomise (seed {seed})", explore)

    def set_out_from(
        self,
        spec: ModelSpec,
        latent: NDArray[np.float32],
        named: str,
        condition: NDArray[np.float32] | None = None,
    ) -> None:
        """Set out from a latent that comes from elsewhere (undo brings the former start back).

        Without a condition ``[C]`` the present one stays.
        """
        latent = latents.as_latent(latent, spec)
        kept = self._open_state().condition if condition is None else _kept(condition)
        self._set_out(
            f"Set out from {named}", Explore(latent, latent, kept, named=named, start_condition=kept)
        )

    def mutate(self, spec: ModelSpec, seed: int) -> None:
        """Take a small random step from the latent as it is; the start stays."""
        self._set("Mutate", self._with_locked(latents.mutate(spec, self._open_state().latent, seed)))

    def _set_out(self, name: str, explore: Explore) -> None:
        """Change over to another start; whether encoder and decoder are linked stays."""
        explore = replace(explore, linked=self._open_state().linked)
        self._session.change(name, replace(self._session.document, explore=explore))

    def _with_locked(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a latent with the locked dimensions as they are now."""
        locked, state = self._session.document.shelf.locked, self._open_state()
        if not locked:
            return latent
        now = state.latent.reshape(-1)
        return latents.change(latent, {k: float(now[k]) for k in locked if k < now.size})

    def _set(self, name: str, latent: NDArray[np.float32], key: str | None = None) -> None:
        explore = replace(self._open_state(), latent=latent)
        self._session.change(name, replace(self._session.document, explore=explore), key)

    def _open_state(self) -> Explore:
        state = self.state
        if state is None:
            raise SettingsError("No model is open; open a checkpoint first.")
        return state


def _first_classes(spec: ModelSpec) -> NDArray[np.float32] | None:
    return _kept(first_classes(spec.condition)) if spec.condition.size else None


def _kept(condition: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a condition of its own that nobody writes to."""
    kept = np.array(condition, dtype=np.float32)
    kept.setflags(write=False)
    return kept
