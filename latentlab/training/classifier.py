"""The recipe of the attribute predictor: cross-entropy over all heads, then calibration.

Rows whose label is unknown (code -1) count for nothing in that head. After training, one temperature per
attribute is fitted on the validation rows by likelihood (Guo et al. 2017), and the confusion matrices of
these rows, overall and per group, are stored with the predictor for later correction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.errors import SettingsError
from latentlab.families.attribute_cnn import AttributeCNN, AttributeCNNConfig
from latentlab.metrics.classification import confusion_matrix
from latentlab.metrics.labels import translate
from latentlab.spec import Confusion, PredictorSpec
from latentlab.training.loop import Part, Step, descend


class ClassifierRecipe:
    """Trains an `AttributeCNN` on some attributes of a set, with small random changes of its pictures.

    Raises
    ------
    LatentLabError
        If there is no attribute, the set (or the held-out one) lacks one, or one has no classes.
    """

    def __init__(
        self,
        config: AttributeCNNConfig,
        data: ImageSet,
        attributes: Sequence[str],
        validation: ImageSet | None,
        rate: float = 1e-3,
        smoothing: float = 0.02,
    ) -> None:
        attributes = tuple(dict.fromkeys(attributes))
        if not attributes:
            raise SettingsError(f"The set {data.info.name} has no attribute with classes to predict.")
        for name in attributes:
            if data.attribute(name).kind != "categorical":
                raise SettingsError(f"A predictor needs attributes with classes; {name!r} is continuous.")
            if validation is not None:
                validation.attribute(name)
        spec = PredictorSpec(
            family="attribute_cnn",
            image_size=config.image_size,
            attributes=tuple(data.attribute(name) for name in attributes),
        )
        self.labels = {name: torch.from_numpy(data.codes(name)) for name in attributes}
        self.validation = validation
        self.rate = rate
        self.smoothing = smoothing
        self.network = AttributeCNN(config, spec)

    def parts(self) -> dict[str, tuple[nn.Module, torch.optim.Optimizer]]:
        """Return the network with AdamW."""
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=self.rate, weight_decay=0.02)
        return {"predictor": (self.network, optimizer)}

    def step(self, fabric: Fabric, parts: Mapping[str, Part], step: Step) -> dict[str, Tensor]:
        """Do one step on augmented pictures."""
        part = parts["predictor"]
        logits = part.wrapped(augment(step.examples, step))
        losses = []
        for name, scores in logits.items():
            target = self.labels[name][step.rows]
            if not (target >= 0).any():  # the mean over no label is NaN; the head must still be in the graph
                losses.append(0.0 * scores.float().sum())
                continue
            target = target.to(scores.device)
            losses.append(
                F.cross_entropy(scores.float(), target, ignore_index=-1, label_smoothing=self.smoothing)
            )
        loss = torch.stack(losses).sum()
        descend(fabric, [part], loss, step, self.rate)
        return {"cross_entropy": loss.detach()}

    def snapshot(self, average: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Return the accuracy of each attribute on up to 512 validation rows."""
        assert isinstance(average, AttributeCNN)
        if self.validation is None:
            return {}
        some = self.validation.select(np.arange(min(512, len(self.validation))))
        logits = all_logits(average, some)
        figures = {}
        for name, scores in logits.items():
            codes = held_out_codes(average, some, name)
            known = codes >= 0
            if known.any():
                figures[f"accuracy.{name}"] = float((scores.argmax(1).numpy() == codes)[known].mean())
        return figures


def augment(images: Tensor, step: Step) -> Tensor:
    """Shift by up to 2 pixels, mirror, and change light and noise a little, each picture for itself."""
    n, generator = step.total, step.generator
    shift = torch.randint(-2, 3, (n, 2), generator=generator)[step.share]
    mirror = torch.rand(n, generator=generator)[step.share] < 0.5
    light = 1.0 + 0.06 * step.noise(1, 1, 1)
    size = images.shape[-1]
    padded = F.pad(images, (2, 2, 2, 2), mode="replicate")
    moved = torch.stack(
        [
            picture[:, 2 + dy : 2 + dy + size, 2 + dx : 2 + dx + size].flip(2 if flip else 0)
            if flip
            else picture[:, 2 + dy : 2 + dy + size, 2 + dx : 2 + dx + size]
            for picture, (dy, dx), flip in zip(padded, shift.tolist(), mirror.tolist(), strict=True)
        ]
    )
    noise = 0.015 * step.noise(*images.shape[1:])
    return (moved * light + noise).clamp(0.0, 1.0).contiguous(memory_format=torch.channels_last)


def all_logits(network: AttributeCNN, data: ImageSet, batch: int = 128) -> dict[str, Tensor]:
    """Return the uncalibrated logits of a whole set by attribute, float32 ``[n, classes]`` on the CPU."""
    found: dict[str, list[Tensor]] = {attribute.name: [] for attribute in network.spec.attributes}
    with torch.inference_mode():
        for start in range(0, len(data), batch):
            pixels = data.pixels(slice(start, start + batch))
            for name, scores in network(images_to_tensor(pixels, like=network.hidden.weight)).items():
                found[name].append(scores.float().cpu())
    return {name: torch.cat(parts) for name, parts in found.items()}


def fit_temperature(logits: Tensor, codes: NDArray[np.int64]) -> float:
    """Return the temperature that maximises the likelihood of codes under softmax(logits / T).

    Rows with code -1 are left out; without any other the temperature is 1.
    """
    known = torch.from_numpy(codes >= 0)
    if not known.any():
        return 1.0
    scores, target = logits[known], torch.from_numpy(codes)[known]

    def loss(log_temperature: float) -> float:
        return float(F.cross_entropy(scores / float(np.exp(log_temperature)), target))

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return float(np.exp(found.x))


def held_out_codes(network: AttributeCNN, data: ImageSet, name: str) -> NDArray[np.int64]:
    """Return the true classes of a set in the network's numbering, -1 where it does not know them."""
    return translate(data.attribute(name), network.spec.attribute(name), data.codes(name))


def calibrated_spec(
    network: AttributeCNN, validation: ImageSet, groups: Sequence[str], source: str
) -> PredictorSpec:
    """Return the predictor's specification with temperatures and confusion matrices from held-out rows.

    Parameters
    ----------
    groups
        Attributes whose intersections are the groups, e.g. ``("gender", "race")``; may be empty.
    source
        What the rows are, e.g. ``faces:validation``.
    """
    logits = all_logits(network, validation)
    codes = {name: held_out_codes(network, validation, name) for name in logits}
    predicted = {name: scores.argmax(dim=1).numpy() for name, scores in logits.items()}
    width = {name: scores.shape[1] for name, scores in logits.items()}

    def confusion(name: str, rows: NDArray[np.int64] | slice) -> Confusion:
        matrix = confusion_matrix(codes[name][rows], predicted[name][rows], width[name])
        return Confusion(counts=tuple(tuple(row) for row in matrix.tolist()))

    members = validation.groups(groups) if groups else {}
    return network.spec.model_copy(
        update={
            "temperature": {name: fit_temperature(logits[name], codes[name]) for name in logits},
            "confusion": {name: confusion(name, slice(None)) for name in logits},
            "group_confusion": {
                group: {name: confusion(name, rows) for name in logits} for group, rows in members.items()
            },
            "confusion_source": source,
        }
    )
