"""The document: everything a person has set, as one frozen tree.

An edit makes a new document that shares what it did not touch with the one before, so keeping every
step for undo costs little, and saving a session is writing one document. What follows from the
document (pictures, predictions, timings) is not in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentlab.live.frames import Encoded, Opened


@dataclass(frozen=True)
class CheckpointRef:
    """Which checkpoint is open: its path, its name, the SHA-256 of its weights, its predictor."""

    path: str
    name: str
    sha256: str
    predictor: str

    @classmethod
    def of(cls, opened: Opened) -> CheckpointRef:
        """Return the reference to what the renderer has opened."""
        return cls(opened.path, opened.name, opened.sha256, opened.predictor_name)


@dataclass(frozen=True, eq=False)
class Source:
    """A picture that was brought in, and what the open model makes of it.

    Parameters
    ----------
    name
        What it is called: a file's name, a sample's, "pasted picture".
    picture
        As it was read, uint8 ``[H, W, 3]``, RGB; kept so that another model can encode it again.
    encoded
        Its latent, reconstruction and attributes under the model of the document.
    """

    name: str
    picture: NDArray[np.uint8]
    encoded: Encoded


@dataclass(frozen=True, eq=False)
class Explore:
    """The state of the Explore screen.

    Parameters
    ----------
    start
        The latent from which one sets out and to which Reset returns, float32 ``[*latent_shape]``: the
        encoded picture, a random draw, or the middle of the prior.
    latent
        The latent as edited, of the same shape.
    condition
        The condition vector, float32 ``[C]``; None for an unconditional model.
    source
        The picture that ``start`` encodes, None where there is none.
    seed
        The seed with which ``start`` was drawn, None where it was not.
    truncation
        By what the draw was multiplied, from 0 to 1.
    named
        What the start is called where it is neither a picture nor a draw, such as "a pasted latent".
    """

    start: NDArray[np.float32]
    latent: NDArray[np.float32]
    condition: NDArray[np.float32] | None = None
    source: Source | None = None
    seed: int | None = None
    truncation: float = 1.0
    named: str = ""

    @property
    def origin(self) -> str:
        """Where the start comes from, in words that go on after a colon."""
        if self.source is not None:
            return " ".join(self.source.name.split())
        if self.seed is None:
            return self.named or "prior mean"
        return f"random, seed {self.seed}" + (
            f", truncation {self.truncation:g}" if self.truncation != 1.0 else ""
        )

    @property
    def edited(self) -> bool:
        """Whether any dimension differs from the start."""
        return not np.array_equal(self.start, self.latent)


@dataclass(frozen=True, eq=False)
class Document:
    """All that a session holds: the checkpoint and the state of each screen (None while none is open).

    ``threads`` is the number of threads with which settled pictures are rendered; it is part of what
    makes them come out the same to the bit.
    """

    checkpoint: CheckpointRef | None = None
    explore: Explore | None = None
    threads: int = 1
