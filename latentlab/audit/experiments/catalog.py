"""The experiments by name; only the one that is asked for is imported."""

from __future__ import annotations

import importlib
from typing import cast

from latentlab.audit.experiments.experiment import Experiment
from latentlab.errors import SettingsError

NAMES = (
    "majority-collapse",
    "linear-vae",
    "truncation",
    "auditor-error",
    "dilution",
    "training-ratio",
    "noise-is-not-bias",
    "sphere-prior",
    "ill-posed",
)
"""In the order in which they are listed; each lies in the module of its name."""


def experiment(name: str) -> Experiment:
    """Return an experiment by its name.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    if name not in NAMES:
        raise SettingsError(f"There is no experiment {name!r}; there are {', '.join(NAMES)}.")
    module = importlib.import_module(f"latentlab.audit.experiments.{name.replace('-', '_')}")
    return cast(Experiment, module.EXPERIMENT)
