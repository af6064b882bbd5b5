"""Build the network that a configuration describes, and make sure that everything fits everything.

Networks are built on torch's meta device: their tensors have shapes and no numbers, so that building one
costs next to nothing however large it says it is. It is tried out once its numbers are there: running it on
the meta device would load torch's compiler, which takes longer than opening the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from latentlab.checkpoints.header import FLOATS, WHOLE, Header
from latentlab.checkpoints.recognise import first_fault
from latentlab.conditions import first_classes
from latentlab.errors import CheckpointError
from latentlab.families import MODEL_FAMILIES, PREDICTOR_FAMILIES
from latentlab.families.cinn import CINN
from latentlab.families.installed import installed_family
from latentlab.spec import CheckpointConfig, ModelSpec, PredictorSpec

_FAULTS = (ValueError, TypeError, KeyError, IndexError, RuntimeError)


def build(config: CheckpointConfig, where: Path) -> nn.Module:
    """Build a configuration's network on the meta device.

    Parameters
    ----------
    where
        The checkpoint, for messages.

    Raises
    ------
    CheckpointError
        If the family is unknown or the network's settings are not its own.
    """
    family = config.spec.family
    make = _builder(config.kind, family, where)
    with torch.device("meta"):
        try:
            network: nn.Module = make(config.network, config.spec)
        except ValidationError as error:
            raise CheckpointError(first_fault(error, where, "network")) from None
        except _FAULTS as error:
            raise CheckpointError(
                f"{where}: no network can be built from its configuration ({_line(error)})."
            ) from None
    return network


def _builder(kind: str, family: str, where: Path) -> Callable[[Any, Any], nn.Module]:
    """Return what builds a family's networks: the program's own, or an installed package's."""
    known: Mapping[str, Any] = MODEL_FAMILIES if kind == "model" else PREDICTOR_FAMILIES
    if family in known:
        own: Callable[[Any, Any], nn.Module] = known[family]
        return own
    try:
        brought = installed_family(kind, family)
    except ImportError as error:
        raise CheckpointError(f"{where}: its family {family!r} is not to be had: {_line(error)}.") from None
    if brought is None:
        raise CheckpointError(
            f"{where}: {kind} family {family!r} is unknown to this program; it knows {', '.join(known)}. "
            "Update LatentLab if a newer version wrote it, or install the package that brings it."
        )
    return brought


def try_out(network: nn.Module, config: CheckpointConfig, where: Path) -> None:
    """Run a network once, and make sure that it gives what its specification says.

    Parameters
    ----------
    network
        In evaluation mode, with its numbers, on the CPU. One whose constructor makes sure that it fits its
        specification, and that takes longer to run than to read, is not run: it says so by
        ``needs_no_trial``.
    where
        The checkpoint, for messages.

    Raises
    ------
    CheckpointError
        If what it gives does not have the shapes of the specification, or is not finite.
    """
    if getattr(network, "needs_no_trial", False):
        return
    with torch.inference_mode():
        if isinstance(network, CINN):
            try:
                network.verify()
            except _FAULTS as error:
                raise CheckpointError(
                    f"{where}: its flow cannot be turned back: {_line(error)}. Copy or download it again."
                ) from None
        for call, run, expected in _trials(network, config.spec):
            try:
                given = run()
                found = f"the shape {list(given.shape)}"
                if not torch.isfinite(given).all():
                    found = "NaN or infinite numbers"
            except CheckpointError as error:
                raise CheckpointError(f"{where}: {error}") from None
            except _FAULTS as error:
                found = _line(error)
            if found != f"the shape {expected}":
                raise CheckpointError(
                    f"{where}: its network does not fit its specification: {call} should give the shape "
                    f"{expected}; found {found}. Copy or download the configuration again."
                )


def check_tensors(network: nn.Module, header: Header, weights: Path) -> None:
    """Compare a file's header with a network's tensors: names, shapes and types.

    Raises
    ------
    CheckpointError
        Naming the first tensors that are missing, not expected, or of another shape or type.
    """
    expected, found = network.state_dict(), header.tensors
    missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or extra:
        parts = [f"missing {', '.join(missing[:3])}"] if missing else []
        parts += [f"not expected {', '.join(extra[:3])}"] if extra else []
        raise CheckpointError(
            f"{weights} does not fit its configuration: {len(missing)} tensors missing and {len(extra)} not "
            f"expected ({'; '.join(parts)}). Weights and configuration are from different checkpoints."
        )
    for name, entry in found.items():
        shape = tuple(expected[name].shape)
        if entry.shape != shape:
            raise CheckpointError(
                f"{weights}: tensor {name} should have the shape {list(shape)}; it has {list(entry.shape)}. "
                f"Weights and configuration are from different checkpoints."
            )
        wanted = FLOATS if expected[name].is_floating_point() else WHOLE
        if entry.dtype not in wanted:
            kind = "floating-point" if wanted is FLOATS else "whole"
            raise CheckpointError(
                f"{weights}: tensor {name} should hold {kind} numbers ({', '.join(wanted)}); it holds "
                f"{entry.dtype}."
            )


def _trials(
    network: nn.Module, spec: ModelSpec | PredictorSpec
) -> Iterator[tuple[str, Callable[[], Tensor], list[int]]]:
    """Give what the network must be able to do, as calls, with the shape each must return."""
    size = [1, 3, spec.image_size, spec.image_size]
    machine: Any = network
    if isinstance(spec, ModelSpec):
        latent = [1, *spec.latent_shape]
        c = torch.from_numpy(first_classes(spec.condition)).unsqueeze(0) if spec.condition.size else None
        yield "decode", lambda: machine.decode(torch.zeros(latent), c), size
        if "encode" not in spec.cannot:
            yield "encode", lambda: machine.encode(torch.zeros(size), c).mean, latent
        return
    for attribute in spec.attributes:
        yield (
            f"predict({attribute.name})",
            partial(_predict, machine, size, attribute.name),
            [1, attribute.width],
        )


def _predict(machine: Any, size: list[int], name: str) -> Tensor:
    probabilities: Tensor = machine.predict(torch.zeros(size))[name]
    return probabilities


def _line(error: Exception) -> str:
    """Return an error's text on one line, not too long."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) < 160 else f"{text[:157]}..."
