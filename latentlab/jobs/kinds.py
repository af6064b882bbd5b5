"""The kinds of work that can be done in a process of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from latentlab.errors import SettingsError
from latentlab.progress import Reporter

Work = Callable[[Mapping[str, Any], Reporter], object]

KINDS = {
    "map": "latentlab.jobs.map_job",
    "project": "latentlab.jobs.project_job",
    "audit": "latentlab.jobs.audit_job",
    "train": "latentlab.jobs.train_job",
}
"""By kind, the module whose ``run`` does it; imported when it is needed."""


def work_of(kind: str) -> Work:
    """Return what does the work of a kind.

    Raises
    ------
    SettingsError
        If the kind is unknown.
    """
    if kind not in KINDS:
        raise SettingsError(f"There is no work of the kind {kind!r}; there is {', '.join(KINDS)}.")
    work: Work = import_module(KINDS[kind]).run
    return work
