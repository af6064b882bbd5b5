"""The reconstruction study: whose attributes survive a model's reconstruction, and what they become.

The images are a balanced choice: as many of each intersection of the groups' attributes. One survives
where the predictor sees the true class in the reconstruction; what it sees in the image itself stands beside
that, since a class that it misses there tells nothing of the model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from latentlab.audit.generation import as_pixels, judged_attributes
from latentlab.audit.own_predictions import Predictions, token_of
from latentlab.audit.study_folder import Parts, StudyFolder, on_device
from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.device import resolve_device
from latentlab.errors import SettingsError
from latentlab.families.resized import resized
from latentlab.metrics.labels import conditions, group_attributes, translate
from latentlab.metrics.passes import BATCH, check_size, evaluation
from latentlab.operations.explore import Explorer
from latentlab.progress import Reporter
from latentlab.spec import Attribute

PART = BATCH
PICTURES = ("original", "reconstruction")
"""What there is of each image."""


@dataclass(frozen=True)
class ReconstructionSettings:
    """Which images are taken, and what is counted.

    Parameters
    ----------
    per_group
        Images of each intersection at most; fewer where the set has fewer.
    groups
        The attributes whose intersections are the groups; None for those that the set is usually told by
        (`latentlab.metrics.labels.group_attributes`).
    attributes
        What is counted; empty for all that the predictor judges and the set has labels of.
    seed
        Of the choice.
    """

    per_group: int = 200
    groups: tuple[str, ...] | None = None
    attributes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.per_group < 1:
            raise SettingsError(f"At least one image of each group is needed; not {self.per_group}.")
        if self.seed < 0:
            raise SettingsError(f"A seed is 0 or more, not {self.seed}.")


@dataclass(frozen=True)
class Chosen:
    """The balanced choice.

    Parameters
    ----------
    images
        The images that were chosen.
    names
        The groups, such as ``gender=female,race=black``.
    group
        Which of them each image is of, ``[n]``.
    attributes
        What is counted, as the predictor has it.
    labels
        The true classes ``[n]`` of each in the predictor's numbering, -1 where unknown.
    by, parts
        The attributes whose intersections are the groups, and each group's class of each; none where all
        images are one group.
    """

    images: ImageSet
    names: tuple[str, ...]
    group: NDArray[np.int64]
    attributes: tuple[Attribute, ...]
    labels: Mapping[str, NDArray[np.int64]]
    by: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]

    def ids(self, model: str) -> list[str]:
        """Return the ids of the pictures: of each image as it is, and reconstructed by a model (its SHA-256).

        They do not depend on what is counted.
        """
        names = self.images.names[self.images.rows].tolist()
        token = token_of({"model": model, "images": names, "groups": [self.names, self.group.tolist()]})
        return [f"{token}-{k:06d}-{what}" for k in range(len(names)) for what in PICTURES]

    def sha256(self) -> str:
        """Return the SHA-256 of the images' names, groups and labels."""
        found = hashlib.sha256("\n".join(self.images.names[self.images.rows].tolist()).encode())
        found.update(self.group.tobytes())
        for name, codes in self.labels.items():
            found.update(name.encode() + codes.tobytes())
        return found.hexdigest()


@dataclass
class Survived:
    """What was counted.

    Parameters
    ----------
    original, reconstructed
        By attribute, how often an image of each group and true class is predicted as each class, as it is and
        reconstructed: ``[G, C, C]``.
    errors
        Of each group, the reconstructions' mean absolute errors in steps of 255, one an image.
    """

    original: dict[str, NDArray[np.int64]]
    reconstructed: dict[str, NDArray[np.int64]]
    errors: list[list[float]] = field(default_factory=list)


def choose_balanced(
    explorer: Explorer,
    data: ImageSet,
    settings: ReconstructionSettings,
    judged: Sequence[Attribute] | None = None,
) -> Chosen:
    """Choose as many images of each group.

    Parameters
    ----------
    judged
        What somebody else judges; None for what the model's predictor does.

    Raises
    ------
    SettingsError
        If nothing can be counted, or a group has no image.
    DataError
        If the set lacks an attribute of the groups.
    """
    known = {one.name: one for one in data.info.attributes if one.kind == "categorical"}
    if judged is None:
        judged = judged_attributes(explorer.predictor_spec, settings.attributes)
    counted = tuple(one for one in judged if one.name in known)
    missing = [name for name in settings.attributes if name not in known]
    if missing or not counted:
        raise SettingsError(
            f"The set {data.info.name} has no classes of {missing[0] if missing else 'what is judged'}; it "
            f"has {', '.join(known) or 'none'}."
        )
    wanted = group_attributes(data, settings.groups)
    cells = data.groups(wanted) if wanted else {"all": np.arange(len(data), dtype=np.int64)}
    empty = [name for name, rows in cells.items() if not len(rows)]
    if empty:
        raise SettingsError(f"The set {data.info.name} has no image of {empty[0]}. Choose other groups.")
    generator = np.random.default_rng([settings.seed, 3])
    rows, group = [], []
    for place, found in enumerate(cells.values()):
        taken = np.sort(generator.permutation(found)[: settings.per_group])
        rows.append(taken)
        group.append(np.full(len(taken), place, dtype=np.int64))
    images = data.select(np.concatenate(rows))
    labels = {one.name: translate(known[one.name], one, images.codes(one.name)) for one in counted}
    parts = tuple(product(*(known[name].classes for name in wanted)))  # in the order of the groups
    return Chosen(images, tuple(cells), np.concatenate(group), counted, labels, tuple(wanted), parts)


def columns_of(attributes: Sequence[Attribute]) -> list[str]:
    """Return the columns of the table of images."""
    told = [[one.name, f"{one.name}_input", f"{one.name}_reconstructed"] for one in attributes]
    return ["image", "group", "error_255", *(name for names in told for name in names)]


def count_survival(
    explorer: Explorer,
    chosen: Chosen,
    record: Mapping[str, Any],
    out: Path | None = None,
    device: str = "auto",
    reporter: Reporter | None = None,
    predictions: Predictions | None = None,
    on_part: Callable[[Survived], None] | None = None,
) -> Survived:
    """Reconstruct and judge the chosen images, and count.

    Parameters
    ----------
    record
        All that the rows rest on, as plain values.
    out
        A folder that keeps a row for each image, and where an interrupted study goes on; None keeps none.
    predictions
        What somebody else says of the pictures (`Chosen.ids`), in place of the predictor.
    on_part
        Told what is counted so far after each part.

    Raises
    ------
    SettingsError
        If the model cannot encode, or the folder holds another study.
    Cancelled
        If the reporter asked for it; what was written stays.
    """
    where, images, attributes = resolve_device(device), chosen.images, chosen.attributes
    _check_encodes(explorer, chosen)
    told = conditions(explorer.spec.condition, images)
    folder = None if out is None else StudyFolder(out, record, columns_of(attributes), len(images), PART)
    shape = {one.name: (len(chosen.names), len(one.classes), len(one.classes)) for one in attributes}
    found = Survived(
        {name: np.zeros(size, dtype=np.int64) for name, size in shape.items()},
        {name: np.zeros(size, dtype=np.int64) for name, size in shape.items()},
        [[] for _ in chosen.names],
    )
    with on_device([explorer], where):
        Parts(folder).count(
            len(images),
            PART,
            partial(_name_of, chosen),
            lambda part: _rows(explorer, chosen, told, part, where, predictions),
            lambda _first, rows: _count(found, chosen, rows),
            "Reconstructing and judging images",
            reporter or Reporter(),
            lambda: None if on_part is None else on_part(found),
        )
    return found


def redraw(explorer: Explorer, chosen: Chosen, image: int) -> dict[str, NDArray[np.uint8]]:
    """Return what is behind a row: `PICTURES`, each uint8 ``[S, S, 3]``, RGB; images are counted from 0."""
    one = slice(image, image + 1)
    told = conditions(explorer.spec.condition, chosen.images.select(np.array([image])))
    with evaluation():
        pair = _again(explorer, chosen, told, one, torch.device("cpu"))
    return dict(zip(PICTURES, (as_pixels(found)[0] for found in pair), strict=True))


def pictures_of_pairs(explorer: Explorer, chosen: Chosen) -> Iterator[list[NDArray[np.uint8]]]:
    """Give all images and their reconstructions part by part, in the order of `Chosen.ids`.

    Raises
    ------
    SettingsError
        If the model cannot encode: when this is called.
    """
    _check_encodes(explorer, chosen)
    told = conditions(explorer.spec.condition, chosen.images)

    def each() -> Iterator[list[NDArray[np.uint8]]]:
        for start in range(0, len(chosen.images), PART):
            part = slice(start, min(len(chosen.images), start + PART))
            with evaluation():
                pair = _again(
                    explorer, chosen, None if told is None else told[part], part, torch.device("cpu")
                )
            yield as_pixels(torch.stack(pair, dim=1).flatten(0, 1))

    return each()


def _check_encodes(explorer: Explorer, chosen: Chosen) -> None:
    if "encode" in explorer.spec.cannot:
        raise SettingsError(f"This model cannot reconstruct: {explorer.spec.cannot['encode']}")
    check_size(chosen.images, explorer.spec.image_size, "model")


def _again(
    explorer: Explorer,
    chosen: Chosen,
    told: NDArray[np.float32] | None,
    part: slice,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a part of the images and their reconstructions, ``[B, 3, S, S]`` in [0, 1]."""
    network = explorer.network
    x = images_to_tensor(chosen.images.pixels(part)).to(device)
    condition = None if told is None else torch.from_numpy(told).to(device)
    again = network.decode(network.encode(x, condition).mean, condition).float().clamp(0.0, 1.0)
    return x, again


def _rows(
    explorer: Explorer,
    chosen: Chosen,
    told: NDArray[np.float32] | None,
    part: slice,
    device: torch.device,
    predictions: Predictions | None,
) -> list[list[str]]:
    """Reconstruct and judge a part of the images, and return their rows."""
    judge = explorer.predictor
    with evaluation():
        x, again = _again(explorer, chosen, None if told is None else told[part], part, device)
        errors = (255.0 * (again - x).abs().mean((1, 2, 3))).cpu().numpy()
        if predictions is None:
            assert judge is not None
            said = [judge.predict(resized(one, judge.spec.image_size)) for one in (x, again)]
            codes = [
                {one.name: s[one.name].argmax(1).cpu().numpy() for one in chosen.attributes} for s in said
            ]
        else:  # of each image the two pictures follow one another
            places = [slice(2 * part.start + k, 2 * part.stop, 2) for k in range(len(PICTURES))]
            codes = [
                {one.name: predictions.codes(one.name)[place] for one in chosen.attributes}
                for place in places
            ]
    return [_row(chosen, part.start + k, float(errors[k]), codes, k) for k in range(len(errors))]


def _name_of(chosen: Chosen, image: int) -> tuple[str, str]:
    """Return what an image and its group are called."""
    name = str(chosen.images.names[chosen.images.rows[image]])
    return name, chosen.names[chosen.group[image]]


def _row(
    chosen: Chosen, image: int, error: float, codes: Sequence[Mapping[str, NDArray[np.int64]]], place: int
) -> list[str]:
    row = [*_name_of(chosen, image), f"{error:.4f}"]
    for one in chosen.attributes:
        label = int(chosen.labels[one.name][image])
        row.append(one.classes[label] if label >= 0 else "")
        row += [one.classes[int(said[one.name][place])] for said in codes]
    return row


def _count(found: Survived, chosen: Chosen, rows: Sequence[Sequence[str]]) -> None:
    for row in rows:
        group = chosen.names.index(row[1])
        found.errors[group].append(float(row[2]))
        for place, one in enumerate(chosen.attributes):
            label, seen, again = row[3 + 3 * place : 6 + 3 * place]
            if label:
                true = one.classes.index(label)
                found.original[one.name][group, true, one.classes.index(seen)] += 1
                found.reconstructed[one.name][group, true, one.classes.index(again)] += 1
