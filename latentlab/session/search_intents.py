"""What a person can do on the Search screen: set, draw, and go on with what was found; each a named step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.operations.search_plan import NOTE
from latentlab.session.document import SearchPicture, SearchView
from latentlab.session.search_drawing import resampled
from latentlab.session.search_wanted import factor_of
from latentlab.session.session import Message, Session
from latentlab.session.shelf import ShelfIntents

DRAWN = "drawn"
"""What a drawing is called."""
KEY = "search"


class SearchIntents:
    """Changes how is searched, and for what."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shelf = ShelfIntents(session)

    @property
    def view(self) -> SearchView:
        """How the search is set now."""
        return self._session.document.shelf.search

    def set(self, view: SearchView, name: str = "Set the search", key: str | None = None) -> None:
        """Search otherwise, or show something else; while a control moves, its ``key`` makes one step."""
        self._shelf.set_search(view, name, key)

    def change(self, name: str = "Set the search", **changes: Any) -> None:
        """Change some of it."""
        self.set(replace(self.view, **changes), name)

    def set_factor(self, factor: int, image_size: int) -> None:
        """Reduce by another factor; a drawing is brought to the other size with it."""
        own = self.view.own
        if own is not None and own.small and factor != factor_of(self.view, image_size):
            own = _picture(own.name, resampled(own.pixels, image_size // factor), small=True)
        self.set(replace(self.view, factor=factor, own=own), f"Reduce by {factor}")

    def draw(self, pixels: NDArray[np.uint8], name: str = "Draw a small picture") -> None:
        """Search for a drawing, uint8 ``[side, side, 3]``; a stroke that is on its way is one step."""
        self.set(replace(self.view, own=_picture(DRAWN, pixels, small=True)), name, KEY)

    def begin_stroke(self) -> None:
        """Begin a stroke: what is drawn until `end_stroke` is one step."""
        self._session.begin_gesture("Draw a small picture", KEY)

    def end_stroke(self) -> None:
        """End the stroke."""
        self._session.end_gesture(KEY)

    def bring(self, name: str, pixels: NDArray[np.uint8]) -> None:
        """Search for a picture of its own, uint8 ``[H, W, 3]``: the model need not be able to encode it."""
        self.set(replace(self.view, own=_picture(name, pixels)), f"Search for {name}")

    def forget_own(self) -> None:
        """Search for the picture that is open again."""
        if self.view.own is not None:
            self.set(replace(self.view, own=None), "Search for the open picture")

    def take(self, latent: NDArray[np.float32], condition: NDArray[np.float32] | None, seed: int) -> bool:
        """Let Explore go on with what a restart found; its start stays. Return whether that can be.

        Parameters
        ----------
        latent, condition
            Float32 ``[*latent_shape]`` and ``[C]``.
        seed
            The restart's.
        """
        document = self._session.document
        state = document.explore
        if state is None or state.latent.size != latent.size:
            self._session.message.emit(Message("error", "This was found with another model. Search again."))
            return False
        kept = np.array(latent, dtype=np.float32).reshape(state.latent.shape)
        told = state.condition if condition is None else np.array(condition, dtype=np.float32)
        kept.setflags(write=False)
        if told is not None:
            told.setflags(write=False)
        same = np.array_equal(np.asarray(told), np.asarray(state.condition))
        if not (same and np.array_equal(kept, state.latent)):
            linked = state.linked and same
            taken = replace(state, latent=kept, condition=state.condition if same else told, linked=linked)
            self._session.change(f"Take what seed {seed} found", replace(document, explore=taken))
        self._session.message.emit(Message("note", f"Of a search: {NOTE}."))
        return True


def _picture(name: str, pixels: NDArray[np.uint8], small: bool = False) -> SearchPicture:
    kept = np.array(pixels)
    kept.setflags(write=False)
    return SearchPicture(name, kept, small)
