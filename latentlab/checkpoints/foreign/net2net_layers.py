"""Layers of net2net as plain ones: their normalisations and spectral norms folded in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.checkpoints.foreign.expect import Expected
from latentlab.checkpoints.foreign.stored import Derived, StoredTensor

Tensors = dict[str, StoredTensor | Derived]
Array = NDArray[Any]

_BATCH_NORM = ("weight", "running_var", "running_mean", "bias")
_BATCH_EPS, _CONDITIONAL_EPS, _SPECTRAL_EPS = 1e-5, 1e-4, 1e-4


def plain_layer(found: Expected, theirs: str, ours: str, shape: tuple[int, int]) -> Tensors:
    """Return a linear layer as it is."""
    return {
        f"{ours}.weight": found.tensor(f"{theirs}.weight", *shape),
        f"{ours}.bias": found.tensor(f"{theirs}.bias", shape[0]),
    }


def conv_with_actnorm(found: Expected, conv: str, norm: str, ours: str) -> Tensors:
    """Return a convolution without bias and the activation normalisation after it, s (x + l), as one."""
    weight = found.tensor(f"{conv}.weight", None, None, None, None)
    width = weight.shape[0]
    loc, scale = (found.tensor(f"{norm}.{name}", 1, width, 1, 1) for name in ("loc", "scale"))
    return {
        f"{ours}.weight": Derived("F32", weight.shape, (weight, scale), _scaled_rows),
        f"{ours}.bias": Derived("F32", (width,), (loc, scale), _offsets),
    }


def last_norm(found: Expected, name: str, width: int) -> Tensors:
    """Return the last normalisation as a factor and an offset: an activation or a batch normalisation."""
    if f"{name}.loc" in found.tensors:
        loc, scale = (found.tensor(f"{name}.{part}", 1, width, 1, 1) for part in ("loc", "scale"))
        return {
            "last_scale": scale.axes(1, 2),
            "last_shift": Derived("F32", (width,), (loc, scale), _offsets),
        }
    gain, variance, mean, offset = (found.tensor(f"{name}.{part}", width) for part in _BATCH_NORM)

    def factor(g: Array, v: Array) -> Array:
        return np.asarray(g / np.sqrt(v + _CONDITIONAL_EPS))

    return {
        "last_scale": Derived("F32", (width,), (gain, variance), factor),
        "last_shift": Derived(
            "F32", (width,), (gain, variance, mean, offset), lambda g, v, m, o: o - m * factor(g, v)
        ),
    }


def _offsets(loc: Array, scale: Array) -> Array:
    return np.asarray((loc * scale).reshape(-1))


def _scaled_rows(weight: Array, scale: Array) -> Array:
    return np.asarray(weight * scale.reshape(-1, *[1] * (weight.ndim - 1)))


def linear_with_norm(found: Expected, linear: str, norm: str, ours: str, shape: tuple[int, int]) -> Tensors:
    """Return a linear layer with the batch or activation normalisation that may follow it, as one."""
    width = shape[0]
    weight, bias = found.tensor(f"{linear}.weight", *shape), found.tensor(f"{linear}.bias", width)
    if f"{norm}.running_var" in found.tensors:
        gain, variance, mean, offset = (found.tensor(f"{norm}.{name}", width) for name in _BATCH_NORM)

        def factor(g: Array, v: Array) -> Array:
            return np.asarray(g / np.sqrt(v + _BATCH_EPS))

        return {
            f"{ours}.weight": Derived(
                "F32", shape, (weight, gain, variance), lambda w, g, v: w * factor(g, v)[:, None]
            ),
            f"{ours}.bias": Derived(
                "F32",
                (width,),
                (bias, gain, variance, mean, offset),
                lambda b, g, v, m, o: (b - m) * factor(g, v) + o,
            ),
        }
    if f"{norm}.loc" in found.tensors:
        loc, scale = (found.tensor(f"{norm}.{name}", 1, width, 1, 1) for name in ("loc", "scale"))
        return {
            f"{ours}.weight": Derived("F32", shape, (weight, scale), _scaled_rows),
            f"{ours}.bias": Derived(
                "F32", (width,), (bias, loc, scale), lambda b, a, s: (b + a.reshape(-1)) * s.reshape(-1)
            ),
        }
    return {f"{ours}.weight": weight, f"{ours}.bias": bias}


def spectral_layer(found: Expected, theirs: str, ours: str) -> Tensors:
    """Return a layer under spectral normalisation, divided by its norm, and its bias if it has one."""
    name = f"{theirs}.module"
    stored = found.tensors.get(f"{name}.weight_bar")
    weight = found.tensor(f"{name}.weight_bar", *[None] * (2 if stored and len(stored.shape) == 2 else 4))
    u = found.tensor(f"{name}.weight_u", weight.shape[0])
    tensors: Tensors = {f"{ours}.weight": Derived("F32", weight.shape, (weight, u), _divided)}
    if f"{name}.bias" in found.tensors:
        tensors[f"{ours}.bias"] = found.tensor(f"{name}.bias", weight.shape[0])
    return tensors


def _divided(weight: Array, u: Array) -> Array:
    """Return a weight over its spectral norm, after the one step of power iteration of the original."""
    matrix = weight.reshape(weight.shape[0], -1).astype(np.float64)
    v = _unit(matrix.T @ u)
    return np.asarray(weight / (_unit(matrix @ v) @ matrix @ v))


def _unit(x: Array) -> Array:
    return np.asarray(x / (np.linalg.norm(x) + _SPECTRAL_EPS))


def conditional_norm(found: Expected, theirs: str, ours: str, condition: int) -> Tensors:
    """Return a conditional batch normalisation as x scale(c) + shift(c).

    (x - m) / d * (G c + 1) + B c with d the deviation: scale(c) = (G c + 1) / d, shift(c) = B c - m scale(c).
    """
    gains, shifts = (f"{theirs}.{name}_embed.module" for name in ("gamma", "beta"))
    width = found.size(f"{gains}.weight_bar", 0, 2)
    gain = [found.tensor(f"{gains}.weight_bar", width, condition), found.tensor(f"{gains}.weight_u", width)]
    shift = [
        found.tensor(f"{shifts}.weight_bar", width, condition),
        found.tensor(f"{shifts}.weight_u", width),
    ]
    variance = found.tensor(f"{theirs}.bn.running_var", width)
    mean = found.tensor(f"{theirs}.bn.running_mean", width)

    def inverse(v: Array) -> Array:
        return np.asarray(1.0 / np.sqrt(v + _CONDITIONAL_EPS))

    return {
        f"{ours}.scale.weight": Derived(
            "F32", (width, condition), (*gain, variance), lambda w, u, v: _divided(w, u) * inverse(v)[:, None]
        ),
        f"{ours}.scale.bias": Derived("F32", (width,), (variance,), inverse),
        f"{ours}.shift.weight": Derived(
            "F32",
            (width, condition),
            (*shift, *gain, variance, mean),
            lambda b, p, w, u, v, m: _divided(b, p) - _divided(w, u) * (m * inverse(v))[:, None],
        ),
        f"{ours}.shift.bias": Derived("F32", (width,), (variance, mean), lambda v, m: -m * inverse(v)),
    }
