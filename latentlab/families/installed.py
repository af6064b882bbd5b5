"""Families that installed packages bring: the only way in which code comes into the program.

A package names them in its ``pyproject.toml``, by the family that a checkpoint's configuration names:

    [project.entry-points."latentlab.families"]
    our_vae = "our_package.vae:build"

``build(network, spec)`` is given the configuration's ``network`` and the `ModelSpec`, and returns a
``torch.nn.Module`` that is a `LatentModel`; ``latentlab.predictors`` names attribute predictors in the same
way. A package is imported when a checkpoint of its family is opened, never before.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from torch import nn

GROUPS = {"model": "latentlab.families", "predictor": "latentlab.predictors"}
"""The entry points' groups by the kind of checkpoint."""

Build = Callable[[Any, Any], nn.Module]


def installed_family(kind: str, family: str) -> Build | None:
    """Return what builds a family's networks, of an installed package; None where none brings it.

    Raises
    ------
    ImportError
        If its package cannot be imported, or what it names is not there; the message names the package.
    """
    for entry in entry_points(group=GROUPS[kind], name=family):
        package = entry.dist.name if entry.dist else entry.module
        try:
            build: Build = entry.load()
        except Exception as error:  # the package's own code runs
            raise ImportError(f"the package {package} cannot be imported: {error}") from error
        if not callable(build):
            raise ImportError(f"{entry.value} of the package {package} is nothing that can be called")
        return build
    return None
