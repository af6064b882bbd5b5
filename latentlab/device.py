"""The one place that chooses devices, precisions and thread counts.

Everything that runs a network asks here: training, evaluation, the live renderer. CUDA, Apple's MPS and
the CPU are the devices; which of the fast precisions pay is measured by the renderer (`latentlab.live`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentlab.errors import SettingsError

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda", "mps")
"""What a ``--device`` option accepts (``cuda:1`` and the like too)."""


@dataclass(frozen=True)
class DeviceChoice:
    """Where and how networks run: device (``cpu``, ``cuda:0``, ``mps``), precision, intra-op threads."""

    device: str = "cpu"
    precision: str = "float32"
    threads: int = 1


def cpu_threads() -> int:
    """Return the number of processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def resolve_device(wish: str = "auto") -> torch.device:
    """Return the torch device for a wish: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises
    ------
    SettingsError
        If the device is unknown or this machine does not have it.
    """
    import torch

    if wish == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(wish)
    except RuntimeError:
        raise SettingsError(f"Device {wish!r} is unknown; choose one of {', '.join(DEVICES)}.") from None
    missing = (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()) or (
        device.type == "mps" and not torch.backends.mps.is_available()
    )
    if missing or device.type not in DEVICES:
        raise SettingsError(f"This machine has no device {wish!r}; choose auto or cpu.")
    return device


def torch_dtype(precision: str) -> torch.dtype:
    """Return the torch type of a precision's name: ``float32``, ``bfloat16`` or ``float16``."""
    import torch

    types = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if precision not in types:
        raise SettingsError(f"Precision {precision!r} is unknown; choose one of {', '.join(types)}.")
    return types[precision]
