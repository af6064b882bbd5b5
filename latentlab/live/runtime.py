"""The one place that imports OpenVINO, which runs compiled networks on processors (Intel's, AMD's, Arm's).

OpenVINO's package reports its own import over the network where ``openvino_telemetry`` is installed. This
program needs no network and tells nobody that it runs, so that module is kept out before the import;
OpenVINO then uses the silent stand-in that it brings along.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from functools import lru_cache
from typing import Any

_REPORTS = "openvino_telemetry"


def openvino(module: str = "openvino") -> Any:
    """Import OpenVINO, or one of its modules, without its reports.

    Raises
    ------
    ImportError
        If it is not installed, or does not run here.
    """
    if "openvino" not in sys.modules:
        sys.modules[_REPORTS] = None  # type: ignore[assignment]  # the import system's "does not exist"
    return importlib.import_module(module)


@lru_cache(maxsize=1)
def capabilities() -> frozenset[str]:
    """Return what OpenVINO does fast on this processor, such as ``BF16`` and ``INT8``; empty without it."""
    if importlib.util.find_spec("openvino") is None:
        return frozenset()
    try:
        return frozenset(openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    except Exception:
        return frozenset()


def version() -> str:
    """Return OpenVINO's version, the empty string where it is not installed or does not run here."""
    return str(openvino().__version__) if capabilities() else ""


def can_compile(precision: str) -> bool:
    """Whether compiled networks run fast here in a precision of `latentlab.live.ways.PRECISIONS`."""
    name = {"float32": "FP32", "bfloat16": "BF16", "float16": "FP16", "int8": "INT8"}.get(precision)
    return name in capabilities()
