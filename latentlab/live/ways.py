"""The ways in which a network can be run on a device, and which of them are worth trying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from latentlab.device import DeviceChoice, cpu_threads
from latentlab.errors import SettingsError
from latentlab.live.frames import DeviceOverride
from latentlab.live.runtime import can_compile

if TYPE_CHECKING:
    import torch

PRECISIONS = ("float32", "bfloat16", "float16", "int8")
"""What a ``--precision`` option accepts besides ``auto``."""

_MOST_THREADS = 16


@dataclass(frozen=True)
class Way:
    """How a network is run: precision, compiled for the processor or plain, and intra-op threads."""

    precision: str = "float32"
    compiled: bool = False
    threads: int = 1

    @property
    def label(self) -> str:
        """The way in words, as the trial's table shows it."""
        form = "compiled" if self.compiled else "plain"
        return f"{self.precision} {form}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def choice(self, device: str) -> DeviceChoice:
        """Return the way as the record that the window shows."""
        return DeviceChoice(device, self.precision, self.threads)

    def to_json(self) -> dict[str, Any]:
        """Return the way as plain values."""
        return {"precision": self.precision, "compiled": self.compiled, "threads": self.threads}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Way:
        """Read what `to_json` wrote; raises `TypeError` or `ValueError` for anything else."""
        way = cls(str(data["precision"]), bool(data["compiled"]), int(data["threads"]))
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
        unless it is wished for: a single picture is shown large.
    """
    if device.type != "cpu":
        threads = [1]
    elif override.threads is not None:
        threads = [override.threads]
    else:
        threads = [min(cpu_threads(), _MOST_THREADS)] if many else _thread_counts()
    wishes = [override.precision] if override.precision else _precisions(device, many)
    # A precision that is wished for and is not there gives way to float32.
    return _ways(device, wishes, threads) or _ways(device, ["float32"], threads)


def first_guess(device: torch.device, override: DeviceOverride, many: bool) -> Way:
    """Return the way in which the first frames are rendered, before anything has been measured."""
    if override.precision == "int8":
        override = replace(override, precision="float32")
    return candidates(device, override, many)[0]


def _ways(device: torch.device, precisions: list[str], threads: list[int]) -> list[Way]:
    return [
        Way(precision, compiled, count)
        for precision in precisions
        for compiled in (True, False)
        if _exists(device, precision, compiled)
        for count in threads
    ]


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
    fast = [precision for precision in ("bfloat16", "float16") if can_compile(precision)]
    return [*fast, "float32", *(("int8",) if many else ())]


def _exists(device: torch.device, precision: str, compiled: bool) -> bool:
    if device.type != "cpu":
        return not compiled and precision != "int8"
    return can_compile(precision) if compiled else precision == "float32"
