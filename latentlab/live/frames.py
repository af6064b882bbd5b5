"""What travels between the live renderer and its listeners: frozen records, without torch.

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
    """What a person has fixed of the device, the precision and the threads; None is chosen by trial.

    ``precision`` is ``float32``, ``bfloat16``, ``float16`` or ``int8``; a model that cannot run in it runs
    in float32.
    """

    device: str | None = None
    precision: str | None = None
    threads: int | None = None


@dataclass(frozen=True, eq=False)
class RenderRequest:
    """One state of the controls: everything that a frame depends on.

    Parameters
    ----------
    generation
        Counts the requests of a renderer; a later request has the larger number.
    latents
        Float32 ``[B, *latent_shape]``.
    condition
        Float32 ``[B, C]``, or None for an unconditional model.
    settled
        Whether the frame is rendered so that it comes out the same to the bit: float32, one picture at
        a time, on the CPU with ``threads`` intra-op threads.
    channel
        Which view asks; requests of one channel replace one another, those of ``main`` go first.
    judged
        Whether attributes are wanted. Many pictures come sooner without; a single one has them anyway.
    """

    generation: int
    latents: NDArray[np.float32]
    condition: NDArray[np.float32] | None = None
    settled: bool = False
    threads: int = 1
    channel: str = "main"
    judged: bool = True


@dataclass(frozen=True, eq=False)
class Frame:
    """One rendered answer to one request.

    Parameters
    ----------
    pixels
        Uint8 ``[B, S, S, 4]`` in the order B, G, R, X (X = 255), C-contiguous. The frame owns them: they are
        never written again.
    attributes
        Calibrated probabilities float32 ``[B, classes]`` by attribute; empty without a predictor, and where
        none were wanted of many pictures.
    render_ms, waited_ms
        Time of the worker for this frame, and from the request to its start, in milliseconds.
    """

    generation: int
    pixels: NDArray[np.uint8]
    attributes: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    settled: bool = False
    render_ms: float = 0.0
    waited_ms: float = 0.0
    channel: str = "main"


@dataclass(frozen=True, eq=False)
class Encoded:
    """A picture as the model sees it, its posterior and its reconstruction (float32, reproducible).

    Parameters
    ----------
    source
        Uint8 ``[S, S, 3]``, RGB: the centre square at the model's size.
    mean, std
        The posterior's mean and standard deviation, float32 ``[*latent_shape]``; ``std`` is None where the
        model has no variance.
    source_attributes, reconstruction_attributes
        Calibrated probabilities float32 ``[classes]`` by attribute; empty without a predictor.
    reconstruction
        Uint8 ``[S, S, 4]``, BGRX: encoded and decoded under its own condition, whatever the encoder was told
        of it for the mean.
    condition
        What the encoder was told of it, float32 ``[C]``; None for an unconditional model.
    own
        Its own condition: as it was given, else as the predictor sees it, and without a predictor what the
        encoder was told.
    """

    token: int
    source: NDArray[np.uint8]
    mean: NDArray[np.float32]
    std: NDArray[np.float32] | None
    source_attributes: Mapping[str, NDArray[np.float32]]
    reconstruction: NDArray[np.uint8]
    reconstruction_attributes: Mapping[str, NDArray[np.float32]]
    condition: NDArray[np.float32] | None = None
    own: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Opened:
    """A model (and its attribute predictor) that is ready to render.

    Parameters
    ----------
    choice
        How single pictures are rendered: device, precision, intra-op threads.
    grid_choice
        The same for many pictures at once.
    trial
        Milliseconds of each way that was tried, by its label; empty while the trial has not run yet.
    """

    token: int
    path: str
    name: str
    sha256: str
    spec: ModelSpec
    predictor: PredictorSpec | None
    predictor_name: str
    choice: DeviceChoice
    grid_choice: DeviceChoice = field(default_factory=DeviceChoice)
    trial: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """How far a model's weights have been read: of the request of that token, a share from 0 to 1."""

    token: int
    share: float


@dataclass(frozen=True)
class Failed:
    """A request that could not be answered.

    Parameters
    ----------
    token
        The token or generation of the request.
    task
        ``open``, ``encode`` or ``render``.
    message
        What a person reads.
    expected
        Whether it is a `LatentLabError`, which a person can put right; otherwise it is a fault of ours.
    details
        The traceback of an unexpected fault, else empty.
    channel
        Of which view a frame could not be rendered, as in `RenderRequest`.
    """

    token: int
    task: Task
    message: str
    expected: bool
    details: str = ""
    channel: str = "main"
