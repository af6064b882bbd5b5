"""Project pictures onto other datasets, as a cINN does: x* = D(tau^-1(tau(E(x)|y)|y*)).

    explorer = Explorer.open("my-cinn")
    found = project(explorer, read_picture("face.png").pixels)
    found.source_dataset, found.items[2].dataset, found.items[2].picture

The picture is encoded as one of its dataset y and decoded as one of the others. ``keep`` says which
projection: 1 keeps the content, so that only style shifts; 0 follows the dataset, so that its composition
shows too; what lies between is between them. The projection onto y itself is the autoencoder's
reconstruction: what is wrong there already is not the other datasets' doing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.data.image_set import images_to_tensor
from latentlab.data.pictures import square_picture
from latentlab.errors import SettingsError
from latentlab.model import ProjectingModel
from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.explore import Explorer
from latentlab.operations.projection_plan import (
    AUTO,
    judged_dataset,
    latent_norm,
    no_projection,
    projection_condition,
    share_of_keep,
)
from latentlab.operations.render import intra_op_threads


@dataclass(frozen=True, eq=False)
class Projection:
    """One picture on one dataset: uint8 ``[S, S, 3]``, RGB, settled, and what the predictor says of it."""

    dataset: str
    picture: NDArray[np.uint8]
    attributes: Probabilities


@dataclass(frozen=True, eq=False)
class Projected:
    """A picture and its projections.

    Parameters
    ----------
    name
        What the picture is called.
    source
        The picture as the model sees it, uint8 ``[S, S, 3]``, RGB.
    source_dataset, guessed
        The dataset as one of which it was encoded, and whether that was guessed.
    keep
        The share of the mode *keep*, 0 to 1.
    latent
        z, float32 ``[D]``.
    norm
        |z| / sqrt(D): about 1 for what the model knows, more for what it does not.
    round_trip
        Largest error of an entry of the autoencoder's latent through the flow and back.
    attributes
        What the predictor says of the source; empty without one.
    items
        The projections; the one onto ``source_dataset`` is the reconstruction.
    drawn
        Whether there was no picture but a latent: the source is its picture on ``source_dataset``.
    reconstructed
        What the predictor says of the projection onto ``source_dataset``, whether it is among the items or
        not: what a dataset changes is counted from there, since the autoencoder's errors are not its doing.
    identity
        Whom the picture shows, where several of the pictures show the same one; else empty.
    cannot_show
        By dataset, the attributes that its pictures never show.
    """

    name: str
    source: NDArray[np.uint8]
    source_dataset: str
    guessed: bool
    keep: float
    latent: NDArray[np.float32]
    norm: float
    round_trip: float
    attributes: Probabilities
    items: tuple[Projection, ...]
    drawn: bool = False
    reconstructed: Probabilities = field(default_factory=dict)
    identity: str = ""
    cannot_show: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def base(self) -> Probabilities:
        """What the predictor says of what the projections are compared with."""
        return self.reconstructed or self.attributes

    def unseen_on(self, dataset: str) -> frozenset[str]:
        """Return the attributes that the picture's own dataset or this one cannot show."""
        own, other = (self.cannot_show.get(name, ()) for name in (self.source_dataset, dataset))
        return frozenset([*own, *other])

    def said_on(self, dataset: str) -> Probabilities | None:
        """Return what the predictor says of the projection onto a dataset; None where there is none."""
        return next((item.attributes for item in self.items if item.dataset == dataset), None)


def projecting_model(explorer: Explorer) -> ProjectingModel:
    """Return the explorer's network, or raise `SettingsError` if it does not project."""
    if why := no_projection(explorer.spec, str(explorer.located.path)):
        raise SettingsError(why)
    network = explorer.network
    if not isinstance(network, ProjectingModel):
        raise SettingsError(
            f"{explorer.located.path} says that it projects onto datasets, and its family "
            f"{explorer.spec.family} cannot. Ask who wrote the package that brings the family."
        )
    return network


def datasets_of(explorer: Explorer) -> tuple[str, ...]:
    """Return the datasets that an explorer's model knows, or raise `SettingsError` if it does not project."""
    projecting_model(explorer)
    return explorer.spec.datasets


def condition_on(explorer: Explorer, dataset: str, keep: float = 1.0) -> NDArray[np.float32]:
    """Return the condition of one dataset, float32 ``[C]``, between the modes by the share of *keep*.

    Raises
    ------
    SettingsError
        If there is no such dataset, or the share is not from 0 to 1.
    """
    return projection_condition(explorer.spec.condition, dataset, keep)


def likelihoods(explorer: Explorer, picture: NDArray[np.uint8]) -> Mapping[str, float]:
    """Return log p(E(x)|y) in nats of a picture uint8 ``[S, S, 3]`` by dataset, in the mode *follow*."""
    model, names = projecting_model(explorer), datasets_of(explorer)
    conditions = np.stack([condition_on(explorer, name, 0.0) for name in names])
    with intra_op_threads(explorer.threads), torch.inference_mode():
        inner = model.inner(images_to_tensor(picture[None])).repeat(len(names), 1)
        z, log_det = model.to_latent(inner, torch.from_numpy(conditions))
        found = log_det - 0.5 * (z.square().sum(1) + z.shape[1] * math.log(2.0 * math.pi))
    return dict(zip(names, found.tolist(), strict=True))


def guess_dataset(explorer: Explorer, picture: NDArray[np.uint8], said: Probabilities | None = None) -> str:
    """Return the dataset that a picture uint8 ``[S, S, 3]`` is probably of.

    ``said`` is what the predictor says of the picture, where that is known already.
    """
    said = explorer.judged(picture) if said is None else said
    judged = judged_dataset(explorer.spec.condition, said, explorer.predictor_spec)
    if judged is not None:
        return judged
    found = likelihoods(explorer, picture)
    return max(found, key=lambda name: found[name])


def project(
    explorer: Explorer,
    picture: NDArray[np.uint8],
    *,
    source: str = AUTO,
    onto: Sequence[str] | None = None,
    keep: float = 1.0,
    name: str = "",
) -> Projected:
    """Project one picture onto datasets.

    Parameters
    ----------
    explorer
        A model that projects, and the predictor that judges.
    picture
        Uint8 ``[H, W, 3]``, RGB, of any size: its centre square is what the model sees.
    source
        The picture's dataset, or `AUTO`.
    onto
        The datasets, in this order; all of the model's if None.
    keep
        Share of the mode *keep*, 0 to 1.

    Raises
    ------
    SettingsError
        If the model does not project, a dataset is unknown, or the share is not from 0 to 1.
    """
    model = projecting_model(explorer)
    keep = share_of_keep(explorer.spec.condition, keep)
    for target in onto or datasets_of(explorer):
        condition_on(explorer, target, keep)  # an unknown one is refused before anything is drawn
    seen = square_picture(picture, explorer.spec.image_size)
    guessed, said = source == AUTO, explorer.judged(seen)
    dataset = guess_dataset(explorer, seen, said) if guessed else source
    told = condition_on(explorer, dataset, keep)
    with intra_op_threads(explorer.threads), torch.inference_mode():
        inner = model.inner(images_to_tensor(seen[None]))
        z, error = _there_and_back(model, inner, told)
    latent = explorer.latent(z[0].numpy())
    items = _drawn(explorer, latent, onto, keep)
    return Projected(
        name=name,
        source=seen,
        source_dataset=dataset,
        guessed=guessed,
        keep=keep,
        latent=latent,
        norm=latent_norm(latent),
        round_trip=error,
        attributes=said,
        items=items,
        reconstructed=_reconstructed(explorer, latent, dataset, items, keep),
        cannot_show=explorer.spec.cannot_show,
    )


def project_latent(
    explorer: Explorer,
    latent: NDArray[np.float32],
    dataset: str,
    *,
    onto: Sequence[str] | None = None,
    keep: float = 1.0,
    name: str = "",
) -> Projected:
    """Draw one latent z, such as a random one, as each dataset has it; there is no input then.

    Parameters
    ----------
    latent
        Float32 ``[D]``.
    dataset
        The dataset whose picture of z stands for the source, with which the others are compared.
    onto, keep
        As in `project`, which also says what is raised.
    """
    model, told = projecting_model(explorer), condition_on(explorer, dataset, keep)
    keep, z = share_of_keep(explorer.spec.condition, keep), explorer.latent(latent)
    with intra_op_threads(explorer.threads), torch.inference_mode():
        inner = model.to_inner(torch.from_numpy(np.array(z[None])), torch.from_numpy(told[None]))
        _, error = _there_and_back(model, inner, told)
    picture = explorer.picture(z, told)
    said = explorer.judged(picture)
    return Projected(
        name=name,
        source=picture,
        source_dataset=dataset,
        guessed=False,
        keep=keep,
        latent=z,
        norm=latent_norm(z),
        round_trip=error,
        attributes=said,
        items=_drawn(explorer, z, onto, keep),
        drawn=True,
        reconstructed=said,
        cannot_show=explorer.spec.cannot_show,
    )


def _there_and_back(model: ProjectingModel, inner: Tensor, told: NDArray[np.float32]) -> tuple[Tensor, float]:
    """Return z ``[1, D]`` of an autoencoder's latent, and the largest error of an entry on the way back."""
    condition = torch.from_numpy(told[None])
    z, _ = model.to_latent(inner, condition)
    return z, float((model.to_inner(z, condition) - inner).abs().max())


def _drawn(
    explorer: Explorer, latent: NDArray[np.float32], onto: Sequence[str] | None, keep: float
) -> tuple[Projection, ...]:
    """Return the pictures of a latent on datasets."""
    items = []
    for dataset in onto or datasets_of(explorer):
        made = explorer.picture(latent, condition_on(explorer, dataset, keep))
        items.append(Projection(dataset, made, explorer.judged(made)))
    return tuple(items)


def _reconstructed(
    explorer: Explorer,
    latent: NDArray[np.float32],
    dataset: str,
    items: Sequence[Projection],
    keep: float,
) -> Probabilities:
    """Return what the predictor says of the projection onto the picture's own dataset."""
    own = next((item for item in items if item.dataset == dataset), None)
    if own is not None or explorer.predictor_spec is None:
        return {} if own is None else own.attributes
    return explorer.attributes(explorer.picture(latent, condition_on(explorer, dataset, keep)))
