"""The affine layers of a cINN's flow in closed form: the first before training, the last after it.

The flow begins as Gaussian transport between the datasets (`begin`), turned so that the datasets' means of
each class, and the pairs where there are any, lie on one another: likelihood leaves every dataset free to be
turned on its own, and says nothing of which turn is wanted. In *follow* mode that is all that the labels do;
there z is standard normal under each dataset whatever it shows. A trained flow gets a last layer
(`whitened`).

Without the turn one z for all of six styles is no optimal transport between each two: at the beginning
*follow* kept .010 less of the attributes than Gaussian transport from style to style does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.linalg import schur
from torch import Tensor

from latentlab.errors import SettingsError
from latentlab.families.flow import ConditionalFlow
from latentlab.metrics.transport import Array, Gaussian, from_standard, nearest_rotation, root, rotation
from latentlab.spec import MODE
from latentlab.training.latent_rows import LatentRows

FOLLOW, KEEP = (MODE.classes.index(name) for name in MODE.classes)
MODES = len(MODE.classes)
WIDEST = 2.0 * math.pi / 3.0
"""How far a plane may be turned at the beginning: half of such a turn and half of none leave half of it."""
INITIAL_ROWS = 4096
"""Latents that the activation normalisation is initialised on."""


def flow_weights(codes: Tensor, mode: int, datasets: int) -> Tensor:
    """Return the flow's weights ``[B, 2 K]`` of dataset codes ``[B]`` in a mode, one-hot."""
    return F.one_hot(codes * MODES + mode, datasets * MODES).float()


def begin(flow: ConditionalFlow, rows: LatentRows, datasets: int, tied: Sequence[str]) -> None:
    """Set a flow's first layer to Gaussian transport between the datasets, and initialise its normalisation.

    Each dataset is turned so that what is tied lies where it lies in all.

    Raises
    ------
    SettingsError
        If a dataset has fewer than two rows.
    """
    parts = [rows.mean[rows.datasets == k] for k in range(datasets)]
    if min(len(part) for part in parts) < 2:
        raise SettingsError("Each dataset of a cINN needs at least two images.")
    bodies = [Gaussian.of(part) for part in parts]
    matrices = from_standard(bodies)
    turns = _turns(rows, bodies, matrices, tied)
    with torch.no_grad():
        for k, (body, matrix, turn) in enumerate(zip(bodies, matrices, turns, strict=True)):
            for mode in (FOLLOW, KEEP):
                flow.affine.matrix[k * MODES + mode].copy_(torch.from_numpy(matrix @ turn.T))
                flow.affine.offset[k * MODES + mode].copy_(torch.from_numpy(body.mean))
    some = np.random.default_rng(0).permutation(len(rows))[:INITIAL_ROWS]
    x = torch.from_numpy(rows.mean[some]).repeat(MODES, 1)
    codes = torch.from_numpy(rows.datasets[some])
    weights = torch.cat([flow_weights(codes, mode, datasets) for mode in (FOLLOW, KEEP)])
    flow.initialise(x, weights)


def whitened(flow: ConditionalFlow, rows: LatentRows, datasets: int, alike: bool = True) -> ConditionalFlow:
    """Return a trained flow with a last layer under which rows have the mean 0 and the covariance I.

    They have so under each dataset and mode; likelihood alone brings them near. The flow stays as it is.

    Parameters
    ----------
    alike
        Whether all datasets show the same: if not, they have the mean 0 and the covariance I in the mode
        *keep* only all together, each dataset counting as much. Else the last layer would move what one
        dataset has more of to where the others have little, which is what *keep* is not to do.
    """
    found = ConditionalFlow(flow.size, datasets * MODES, flow.config.model_copy(update={"whitened": True}))
    found.load_state_dict(flow.state_dict(), strict=False)
    assert found.whitening is not None
    for mode in range(MODES):
        bodies = [_body_of_z(flow, rows, k, mode, datasets) for k in range(datasets)]
        if mode == KEEP and not alike:
            bodies = [_together(bodies)] * datasets
        for k, body in enumerate(bodies):
            with torch.no_grad():
                found.whitening.matrix[k * MODES + mode].copy_(torch.from_numpy(root(body.covariance)))
                found.whitening.offset[k * MODES + mode].copy_(torch.from_numpy(body.mean))
    return found


def _body_of_z(flow: ConditionalFlow, rows: LatentRows, dataset: int, mode: int, datasets: int) -> Gaussian:
    """Return mean and covariance of the z of a dataset's rows in a mode."""
    x = torch.from_numpy(rows.mean[rows.datasets == dataset])
    weights = flow_weights(torch.full((len(x),), dataset), mode, datasets)
    starts = range(0, len(x), INITIAL_ROWS)  # a matrix a row is solved with at once
    parts = [slice(start, start + INITIAL_ROWS) for start in starts]
    with torch.no_grad():
        return Gaussian.of(torch.cat([flow(x[part], weights[part])[0] for part in parts]).numpy())


def _together(bodies: Sequence[Gaussian]) -> Gaussian:
    """Return mean and covariance of several bodies as one, each counting as much."""
    mean = np.mean([body.mean for body in bodies], axis=0)
    apart = [np.outer(body.mean - mean, body.mean - mean) for body in bodies]
    return Gaussian(mean, np.mean([b.covariance + a for b, a in zip(bodies, apart, strict=True)], axis=0))


def _turns(
    rows: LatentRows, bodies: Sequence[Gaussian], matrices: Sequence[Array], tied: Sequence[str]
) -> list[Array]:
    """Return each dataset's rotation R of its standard space, u -> R u, that lays what is tied together."""
    size = rows.mean.shape[1]
    standard = np.zeros((len(rows), size))
    for k, (body, matrix) in enumerate(zip(bodies, matrices, strict=True)):
        here = rows.datasets == k
        standard[here] = np.linalg.solve(matrix, (rows.mean[here] - body.mean).T).T
    means, known = _class_means(rows, standard, len(bodies), tied)
    turns = [np.eye(size)] * len(bodies)
    if not len(rows.pairs) and not known.any():
        return turns
    for _ in range(10):
        for k in range(len(bodies)):  # one after the other: two that are turned at once may swap for ever
            turned = np.stack([mean @ turn.T for mean, turn in zip(means, turns, strict=True)])
            others = known & (np.arange(len(bodies)) != k)[:, None]
            usable = known[k] & others.any(axis=0)
            middle = (turned * others[:, :, None]).sum(axis=0) / np.maximum(others.sum(axis=0), 1)[:, None]
            x, y = _pair_sides(rows, standard, turns, k)
            own = np.concatenate([means[k, usable], x])
            turns[k] = rotation(own, np.concatenate([middle[usable], y]), pull=1e-3 * len(own))
    # A rotation that all share changes no projection; with it each is as near to none as can be. A condition
    # between modes or datasets mixes the matrices, and a mixture of opposites has no inverse.
    together = nearest_rotation(np.mean(turns, axis=0)).T
    return [_not_opposite(together @ turn) for turn in turns]


def _not_opposite(turn: Array) -> Array:
    """Return the rotation with no plane turned by more than `WIDEST`, and mirrored directions turned back."""
    blocks, basis = schur(turn, output="real")
    found, place, size = np.eye(len(turn)), 0, len(turn)
    mirrored: list[int] = []
    while place < size:
        if place + 1 < size and abs(blocks[place + 1, place]) > 1e-9:
            angle = math.atan2(blocks[place + 1, place], blocks[place, place])
            found[place : place + 2, place : place + 2] = _plane(float(np.clip(angle, -WIDEST, WIDEST)))
            place += 2
            continue
        if blocks[place, place] < 0.0:
            mirrored.append(place)
        place += 1
    for one, other in zip(mirrored[::2], mirrored[1::2], strict=False):  # two make half a turn
        found[np.ix_([one, other], [one, other])] = _plane(WIDEST)
    return np.asarray(basis @ found @ basis.T, dtype=np.float64)


def _plane(angle: float) -> Array:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def _class_means(
    rows: LatentRows, standard: Array, datasets: int, tied: Sequence[str]
) -> tuple[Array, NDArray[np.bool_]]:
    """Return each class's mean in each standard space, ``[K, classes, D]``, and where there is one."""
    chosen = [
        [(rows.datasets == k) & (rows.attributes[name] == code) for k in range(datasets)]
        for name in tied
        for code in range(int(rows.attributes[name].max(initial=-1)) + 1)
    ]
    known = np.array([[here.sum() > 1 for here in one] for one in chosen], dtype=bool).reshape(-1, datasets).T
    means = np.zeros((datasets, len(chosen), standard.shape[1]))
    for place, one in enumerate(chosen):
        for k, here in enumerate(one):
            if known[k, place]:
                means[k, place] = standard[here].mean(axis=0)
    return means, known


def _pair_sides(rows: LatentRows, standard: Array, turns: Sequence[Array], k: int) -> tuple[Array, Array]:
    """Return one dataset's sides of the pairs ``[P, D]``, and their partners as they are turned."""
    own, others = [np.zeros((0, standard.shape[1]))], [np.zeros((0, standard.shape[1]))]
    for mine, other in ((0, 1), (1, 0)):
        chosen = rows.pairs[rows.datasets[rows.pairs[:, mine]] == k]
        for m, turn in enumerate(turns):
            there = chosen[rows.datasets[chosen[:, other]] == m]
            own.append(standard[there[:, mine]])
            others.append(standard[there[:, other]] @ turn.T)
    return np.concatenate(own), np.concatenate(others)
