"""What the workspace waits for: a checkpoint on its way, a picture that is being encoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentlab.live.frames import Opened
from latentlab.session.explore import cropped
from latentlab.session.saved import Saved

Phase = Literal["empty", "loading", "ready", "failed"]
"""Nothing open; the first checkpoint on its way; one is open; the first one could not be opened."""

Purpose = Literal["open", "return", "restart", "session"]
"""Why a checkpoint is opened: asked for, undo or redo went to it, another renderer, a saved session."""


_LARGE = 100_000_000


def opening_words(checkpoint: str, share: float = 0.0) -> str:
    """Say that a checkpoint is being opened; of one that takes a while, how large it is, and how far read."""
    path = Path(checkpoint)
    try:
        files = [path] if path.is_file() else list(path.iterdir()) if path.is_dir() else []
        size = sum(file.stat().st_size for file in files if file.is_file())
    except OSError:
        size = 0
    read = f", {share:.0%} read" if share else ""
    return f"Opening the model ({size / 1e6:,.0f} MB{read})" if size > _LARGE else "Opening the model"


@dataclass(eq=False)
class Opening:
    """A checkpoint on its way.

    ``saved`` is the session that is opened with it, and ``note`` what is to be said of that. ``share`` of its
    weights has been read, 0 to 1; ``stopped`` is whether a person wants no more of it.
    """

    token: int
    purpose: Purpose
    saved: Saved | None = None
    note: str = ""
    opened: Opened | None = None
    share: float = 0.0
    stopped: bool = False


@dataclass(frozen=True, eq=False)
class Brought:
    """A picture to be encoded: as it was read, uint8 ``[H, W, 3]``, its crop, and the name of the step.

    ``told`` is what the encoder is told of it, float32 ``[C]``; None leaves that to what is seen. ``drawn``
    is what the decoder is told, where that is something else, and ``own`` the picture's own condition, where
    that is not what is seen. ``painted`` is what was painted in the place of the crop, uint8 ``[S, S, 3]``.
    """

    name: str
    pixels: NDArray[np.uint8]
    crop: tuple[int, int, int] | None = None
    step: str = ""
    told: NDArray[np.float32] | None = None
    drawn: NDArray[np.float32] | None = None
    own: NDArray[np.float32] | None = None
    painted: NDArray[np.uint8] | None = None

    @property
    def seen(self) -> NDArray[np.uint8]:
        """What the model is given."""
        return cropped(self.pixels, self.crop) if self.painted is None else self.painted


@dataclass(frozen=True, eq=False)
class Encoding:
    """A picture that is being encoded."""

    token: int
    picture: Brought
