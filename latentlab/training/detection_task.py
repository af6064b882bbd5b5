"""The task of the debiasing study: is it a face or not, from faces with a bias and from what is no face.

Rows of the examples are the faces first, then the others. Batches are half faces and half others; which
faces stand in them is the recipe's choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.data.catalog import open_set
from latentlab.data.distribution import Distribution
from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.data.not_faces import open_not_faces_of
from latentlab.data.resample import resample
from latentlab.errors import DataError, SettingsError
from latentlab.progress import Reporter
from latentlab.spec import Attribute
from latentlab.training.degrade import Degradation

BIAS = ("race=asian+white:0.9,black+brown:0.1", "gender=female:0.2,male:0.8")
"""The bundled faces' default bias: 90% light, 80% male."""
HELD_OUT_SEED = 7
"""Of the degradation of held-out pictures: the same for every model and run."""


@dataclass(frozen=True)
class Detection:
    """Faces and others of one split: what is trained on, or judged on.

    Parameters
    ----------
    faces, others
        The two halves of the task.
    groups
        Attributes of the faces whose intersections are the groups; none in a set without labels.
    """

    faces: ImageSet
    others: ImageSet
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for part, name in ((self.faces, "faces"), (self.others, "others")):
            if not len(part):
                raise DataError(f"The {name} of a detection task are none: {part.info.name} has no rows.")
        if self.faces.image_size != self.others.image_size:
            raise DataError(
                f"Faces of {self.faces.image_size} px and others of {self.others.image_size} px are no task."
            )

    def __len__(self) -> int:
        return len(self.faces) + len(self.others)

    def is_face(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for rows ``[B]`` whether each is a face."""
        return np.asarray(rows < len(self.faces))

    def tensor(self, rows: NDArray[np.int64], device: torch.device) -> Tensor:
        """Return rows as float32 ``[B, 3, S, S]`` in [0, 1], as drawn: no picture is degraded here."""
        size = self.faces.image_size
        pixels = np.empty((len(rows), size, size, 3), dtype=np.uint8)
        face = self.is_face(rows)
        pixels[face] = self.faces.pixels(rows[face])
        pixels[~face] = self.others.pixels(rows[~face] - len(self.faces))
        return images_to_tensor(pixels).to(device)

    def thinned(self, each: int) -> Detection:
        """Return the task with one of so many rows of either half, for a quick look."""
        faces, others = (part.select(np.arange(0, len(part), each)) for part in (self.faces, self.others))
        return replace(self, faces=faces, others=others)

    def group_rows(self) -> dict[str, NDArray[np.int64]]:
        """Return the positions of each group's faces, also of those without any."""
        return self.faces.groups(self.groups) if self.groups else {}


def open_detection(
    data: str,
    split: str,
    image_size: int = 64,
    bias: tuple[str, ...] = (),
    count: int | None = None,
    seed: int = 0,
    reporter: Reporter | None = None,
) -> Detection:
    """Open one split of the task.

    Parameters
    ----------
    data
        A set of faces by name (`latentlab.data.catalog`), without its split.
    split
        ``train``, ``validation`` or ``test``.
    bias
        Ratios as text (`latentlab.data.distribution`); as in the set where there are none.
    count, seed
        How many faces are chosen so, and which; as many as there can be if None.

    Raises
    ------
    LatentLabError
        If there is no such set or the ratios cannot be had from it.
    """
    faces = with_tones(open_set(f"{data}:{split}", image_size, reporter))
    others = open_set(f"not-faces:{split}", image_size, reporter)
    if bias or count:
        faces = resample(faces, Distribution.parse(bias), count, seed)
    return Detection(faces, others, _groups(faces))


def open_fresh(data: str, image_size: int = 64, reporter: Reporter | None = None) -> Detection:
    """Open other faces as a test on which nothing was ever chosen, with negatives made for it.

    Parameters
    ----------
    data
        A set of faces by name, with its split or as a whole.

    Raises
    ------
    LatentLabError
        If there is no such set, or it has no groups.
    """
    faces = open_set(data, image_size, reporter)
    others = open_not_faces_of(faces, reporter).split("test")
    faces = with_tones(faces)
    return Detection(faces, others, _groups(faces))


def _groups(faces: ImageSet) -> tuple[str, ...]:
    known = {attribute.name for attribute in faces.info.attributes}
    return next((names for names in (("tone", "gender"), ("gender",)) if set(names) <= known), ())


def with_tones(faces: ImageSet) -> ImageSet:
    """Give faces with the bundled faces' ``race`` the attribute ``tone``: dark or light, as drawn."""
    known = {attribute.name: attribute for attribute in faces.info.attributes}
    race = known.get("race")
    if race is None or "tone" in known or set(race.classes) != {"asian", "black", "brown", "white"}:
        return faces
    light = [race.index("asian"), race.index("white")]
    tone = Attribute(name="tone", classes=("dark", "light"), origin=race.origin)
    codes = np.isin(faces.labels["race"], light).astype(np.int64)
    info = faces.info.model_copy(update={"attributes": (*faces.info.attributes, tone)})
    return replace(faces, info=info, labels={**faces.labels, "tone": codes})


def held_out(task: Detection, degradation: Degradation, batch: int = 256) -> Iterator[Tensor]:
    """Yield a split's pictures in order, faces first, degraded by `HELD_OUT_SEED`."""
    generator = torch.Generator().manual_seed(HELD_OUT_SEED)
    for start in range(0, len(task), batch):
        rows = np.arange(start, min(start + batch, len(task)))
        yield degradation.apply(task.tensor(rows, torch.device("cpu")), generator)


def logits_of(
    logit: Callable[[Tensor], Tensor], task: Detection, degradation: Degradation
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a detector's logits of a split's faces ``[n]`` and of its others ``[m]``."""
    found = []
    with torch.inference_mode():
        for images in held_out(task, degradation):
            found.append(logit(images).float().cpu().numpy())
    every = np.concatenate(found).astype(np.float64)
    return every[: len(task.faces)], every[len(task.faces) :]


def threshold_at(others: NDArray[np.float64], false_positive_rate: float) -> float:
    """Return the logit that the given share of what is no face exceeds: the threshold, on validation rows."""
    if not 0.0 < false_positive_rate < 1.0:
        raise SettingsError(f"The rate of false positives is between 0 and 1, not {false_positive_rate}.")
    return float(np.quantile(others, 1.0 - false_positive_rate))
