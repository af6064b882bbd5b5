"""In which precision a search moves: bfloat16 where the processor multiplies in it, else float32.

Half as many bits take about half the time there, and the numbers that matter are float32 in either case:
distances near eps are taken again in float32 before a restart stops, and what is found is decoded in it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

from latentlab.operations.search_plan import Precision


def resolve_precision(wish: Precision, device: torch.device | str) -> Literal["float32", "bfloat16"]:
    """Return the precision of a search on a device: what is wished for, or of *auto* the faster one."""
    if wish != "auto":
        return wish
    return "bfloat16" if torch.device(device).type == "cpu" and _multiplies_bfloat16() else "float32"


def in_precision(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which a search's own pictures are drawn."""
    if resolve_precision(precision, device) == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


def _multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for it; without them it is slower than float32."""
    known = torch.cpu.get_capabilities()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16") or known.get("bf16"))
