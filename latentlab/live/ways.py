"""The ways in which a network can be run on a device, and which of them are worth trying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from latentlab.device import DeviceChoice, cpu_threads
from latentlab.errors import SettingsError
from latentlab.live.frames import DeviceOverride

if TYPE_CHECKING:
    import torch

PRECISIONS = ("float32", "bfloat16", "float16", "int8")
"""What a ``--precision`` option accepts besides ``auto``."""

_MOST_THREADS = 16


@dataclass(frozen=True)
class Way:
    """How a network is run: precision, packed for the CPU or plain, and intra-op threads."""

    precision: str = "float32"
    packed: bool = False
    threads: int = 1

    @property
    def label(self) -> str:
        """The way in words, as the trial's table shows it."""
        form = "packed" if self.packed else "plain"
        return f"{self.precision} {form}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def choice(self, device: str) -> DeviceChoice:
        """Return the way as the record that the window shows."""
        return DeviceChoice(device, self.precision, self.threads)

    def to_json(self) -> dict[str, Any]:
        """Return the way as plain values."""
        return {"precision": self.precision, "packed": self.packed, "threads": self.threads}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Way:
        """Read what `to_json` wrote; raises `TypeError` or `ValueError` for anything else."""
        way = cls(str(data["precision"]), bool(data["packed"]), int(data["threads"]))
        if way.precision not in PRECISIONS or way.threads < 1:
            raise ValueError(f"no such way: {data}")
        return way


def check_override(override: DeviceOverride) -> None:
    """Raise `SettingsError` if a wish is outside what there is."""
    if override.precision is not None and override.precision not in PRECISIONS:
        raise SettingsError(
            f"Precision {override.precision!r} is unknown; choose auto or one of {', '.join(PRECISIONS)}."
        )
    if override.threads is not None and not 1 <= override.threads <= 1024:
        raise SettingsError(f"Threads must be between 1 and 1024, not {override.threads}.")


def candidates(device: torch.device, override: DeviceOverride, many: bool) -> list[Way]:
    """Return the ways to try on a device, the likeliest first; wishes leave out what they exclude.

    Parameters
    ----------
    many
        Whether many pictures are rendered at once, as small ones in a grid. Only those are tried in int8,
        unless it is wished for: a single picture is shown large. Their threads are parts rendered at once.
    """
    if device.type != "cpu":
        threads = [1]
    elif override.threads is not None:
        threads = [override.threads]
    else:
        threads = [min(cpu_threads(), _MOST_THREADS)] if many else _thread_counts()
    wishes = [override.precision] if override.precision else _precisions(device, many)
    ways = []
    for precision in wishes:
        for packed in (True, False):
            if _exists(device, precision, packed):
                ways += [Way(precision, packed, count) for count in threads]
    return ways or [Way("float32", False, threads[0])]


def first_guess(device: torch.device, override: DeviceOverride, many: bool) -> Way:
    """Return the way in which the first frames are rendered, before anything has been measured."""
    ways = [way for way in candidates(device, override, many) if way.precision != "int8"]
    return ways[0] if ways else Way(threads=override.threads or 1)


def _thread_counts() -> list[int]:
    """1, then doubling up to the processors there are: a few tries cover a large machine."""
    processors = cpu_threads()
    counts = [1]
    while counts[-1] * 2 < processors and counts[-1] < 8:
        counts.append(counts[-1] * 2)
    return sorted({*counts, min(processors, _MOST_THREADS)})


def _precisions(device: torch.device, many: bool) -> list[str]:
    import torch

    if device.type == "cuda":
        return ["bfloat16" if torch.cuda.is_bf16_supported() else "float16", "float32"]
    if device.type == "mps":
        return ["float16", "float32"]
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return [*(("bfloat16", "float32") if fast else ("float32", "bfloat16")), *(("int8",) if many else ())]


def _exists(device: torch.device, precision: str, packed: bool) -> bool:
    import torch

    from latentlab.device import torch_dtype
    from latentlab.live.int8 import can_quantise
    from latentlab.live.kernels import can_pack

    if device.type != "cpu":
        return not packed and precision != "int8"
    if not packed:
        return precision == "float32"
    if precision == "int8":
        return can_quantise() and can_pack(torch.bfloat16)
    return precision in ("float32", "bfloat16") and can_pack(torch_dtype(precision))
