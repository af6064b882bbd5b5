"""Project pictures onto other datasets with a cINN: x* = D(tau^-1(tau(E(x)|y)|y*)).

    explorer = Explorer.open("styles-cinn")
    found = project(explorer, read_picture("face.png").pixels)
    found.source_dataset, found.items[2].dataset, found.items[2].picture

The picture is encoded as one of its dataset y and decoded as one of the others. ``keep`` says which
projection: 1 keeps the content, so that only style shifts; 0 follows the dataset, so that its composition
shows too; what lies between is between them. The projection onto y itself is the autoencoder's
reconstruction: what is wrong there already is not the other datasets' doing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.conditions import Choices, choose
from latentlab.data.image_set import images_to_tensor
from latentlab.data.pictures import square_picture
from latentlab.errors import SettingsError
from latentlab.families.cinn import CINN, MODE
from latentlab.operations.attribute_table import Probabilities
from latentlab.operations.explore import Explorer
from latentlab.operations.render import intra_op_threads

AUTO = "auto"
"""The dataset is guessed: by the predictor, where it judges that attribute, else by likelihood."""


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


def cinn_of(explorer: Explorer) -> CINN:
    """Return the explorer's network, or raise `SettingsError` if it does not project."""
    if not isinstance(explorer.network, CINN):
        raise SettingsError(
            f"{explorer.located.path} does not project onto datasets: it is of the family "
            f"{explorer.spec.family}, and a cinn does. Open one, such as styles-cinn."
        )
    return explorer.network


def datasets_of(explorer: Explorer) -> tuple[str, ...]:
    """Return the datasets that an explorer's cINN knows."""
    cinn_of(explorer)
    return explorer.spec.condition.attributes[0].classes


def condition_on(explorer: Explorer, dataset: str, keep: float = 1.0) -> NDArray[np.float32]:
    """Return the condition of one dataset, float32 ``[C]``, between the modes by the share of *keep*.

    Raises
    ------
    SettingsError
        If there is no such dataset, or the share is not from 0 to 1.
    """
    if not 0.0 <= keep <= 1.0:
        raise SettingsError(f"The share of the mode keep lies between 0 (follow) and 1 (keep), not {keep:g}.")
    domain = explorer.spec.condition.attributes[0]
    if dataset not in domain.classes:
        raise SettingsError(f"The model knows no dataset {dataset!r}; it knows {', '.join(domain.classes)}.")
    chosen: Choices = {domain.name: dataset, MODE.name: {"follow": 1.0 - keep, "keep": keep}}
    return choose(explorer.spec.condition, chosen)


def likelihoods(explorer: Explorer, picture: NDArray[np.uint8]) -> Mapping[str, float]:
    """Return log p(E(x)|y) in nats of a picture uint8 ``[S, S, 3]`` by dataset, in the mode *follow*."""
    model, names = cinn_of(explorer), datasets_of(explorer)
    conditions = np.stack([condition_on(explorer, name, 0.0) for name in names])
    with intra_op_threads(explorer.threads), torch.inference_mode():
        mean = model.autoencoder.encode(images_to_tensor(picture[None])).mean.repeat(len(names), 1)
        found = model.flow.log_likelihood(mean, model.weights(torch.from_numpy(conditions)))
    return dict(zip(names, found.tolist(), strict=True))


def guess_dataset(explorer: Explorer, picture: NDArray[np.uint8]) -> str:
    """Return the dataset that a picture uint8 ``[S, S, 3]`` is probably of."""
    domain, judge = explorer.spec.condition.attributes[0], explorer.predictor_spec
    for attribute in () if judge is None else judge.attributes:
        if attribute.name == domain.name:
            said = explorer.attributes(picture)[attribute.name]
            known = [k for k, label in enumerate(attribute.classes) if label in domain.classes]
            if known:
                return attribute.classes[max(known, key=lambda k: float(said[k]))]
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
        A cINN, and the predictor that judges.
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
        If the model is no cINN, a dataset is unknown, or the share is not from 0 to 1.
    """
    model = cinn_of(explorer)
    targets = [condition_on(explorer, dataset, keep) for dataset in onto or datasets_of(explorer)]
    seen = square_picture(picture, explorer.spec.image_size)
    guessed = source == AUTO
    dataset = guess_dataset(explorer, seen) if guessed else source
    told = condition_on(explorer, dataset, keep)
    with intra_op_threads(explorer.threads), torch.inference_mode():
        mean = model.autoencoder.encode(images_to_tensor(seen[None])).mean
        weights = model.weights(torch.from_numpy(told[None]))
        z, _ = model.flow(mean, weights)
        error = float(model.round_trip(mean, weights)[0])
    latent = explorer.latent(z[0].numpy())
    judged = explorer.predictor_spec is not None
    items = []
    for target, condition in zip(onto or datasets_of(explorer), targets, strict=True):
        made = explorer.picture(latent, condition)
        items.append(Projection(target, made, explorer.attributes(made) if judged else {}))
    return Projected(
        name=name,
        source=seen,
        source_dataset=dataset,
        guessed=guessed,
        keep=keep,
        latent=latent,
        norm=float(np.linalg.norm(latent)) / float(np.sqrt(latent.size)),
        round_trip=error,
        attributes=explorer.attributes(seen) if judged else {},
        items=tuple(items),
    )
