"""What travels between the live worker and its listeners: frozen records without torch.

A listener never shares memory with the worker: every array in an answer belongs to that answer and is
not written again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latentlab.device import DeviceChoice
from latentlab.spec import ModelSpec, PredictorSpec

Task = Literal["open", "encode", "render"]
"""The three things a listener can ask the worker for."""


@dataclass(frozen=True)
class DeviceOverride:
    """A person's wish about where and how networks run; None leaves the choice to the trial."""

    device: str | None = None
    precision: str | None = None
    threads: int | None = None


@dataclass(frozen=True, eq=False)
class RenderRequest:
    """One state of the controls, to be rendered.

    Parameters
    ----------
    generation
        The number that the renderer gave the request; later requests have larger ones.
    latents
        Float32 ``[B, *latent_shape]``.
    condition
        Float32 ``[B, C]``, None for an unconditional model.
    settled
        Whether to render in float32 at batch 1 with the session's thread count, repeatable to the bit.
    """

    generation: int
    latents: NDArray[np.float32]
    condition: NDArray[np.float32] | None = None
    settled: bool = False


@dataclass(frozen=True, eq=False)
class Frame:
    """One rendered answer to one state of the controls.

    Parameters
    ----------
    generation
        The number of the request it answers.
    pixels
        Uint8 ``[B, S, S, 4]`` in the order blue, green, red, unused; C-contiguous, owned by the frame.
    attributes
        Probabilities float32 ``[B, classes]`` by attribute; empty without a predictor.
    settled
        Whether it was rendered to be repeatable to the bit.
    render_ms
        Milliseconds that the worker spent on it.
    waited_ms
        Milliseconds from the request to the start of that work.
    """

    generation: int
    pixels: NDArray[np.uint8]
    attributes: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    settled: bool = False
    render_ms: float = 0.0
    waited_ms: float = 0.0


@dataclass(frozen=True, eq=False)
class Encoded:
    """A picture as the model sees it, its latent, and its reconstruction.

    Parameters
    ----------
    token
        The number of the request it answers.
    source
        The picture at the model's size, uint8 ``[S, S, 3]``, RGB.
    mean, std
        The posterior, float32 ``[*latent_shape]``; ``std`` is None where the model gives no variance.
    source_attributes, reconstruction_attributes
        Probabilities float32 ``[classes]`` by attribute.
    reconstruction
        The decoded mean, uint8 ``[S, S, 4]``, BGRX.
    """

    token: int
    source: NDArray[np.uint8]
    mean: NDArray[np.float32]
    std: NDArray[np.float32] | None
    source_attributes: Mapping[str, NDArray[np.float32]]
    reconstruction: NDArray[np.uint8]
    reconstruction_attributes: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Opened:
    """A checkpoint that has been opened and prepared.

    Parameters
    ----------
    token
        The number of the request it answers.
    path, name, sha256
        Where it lies, what it is called, and the SHA-256 of its weights.
    spec, predictor
        What the model is, and what the predictor beside it predicts (None without one).
    predictor_name
        The predictor's bundled name or path, empty without one.
    choice
        Device, precision and threads that won the trial (or were wished for).
    trial
        Milliseconds of each candidate that was tried, by label.
    """

    token: int
    path: str
    name: str
    sha256: str
    spec: ModelSpec
    predictor: PredictorSpec | None
    predictor_name: str
    choice: DeviceChoice
    trial: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """A request that could not be answered.

    Parameters
    ----------
    token
        The number of the request (a render's generation).
    task
        What was asked for.
    message
        What went wrong, as a person should read it.
    expected
        Whether it is an error that LatentLab raises on purpose, not a fault of ours.
    details
        The traceback where it was not expected, else empty.
    """

    token: int
    task: Task
    message: str
    expected: bool
    details: str = ""
