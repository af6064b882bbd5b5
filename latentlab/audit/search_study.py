"""The search study: whose group survives where a generator finds a picture for a few pixels.

A balanced choice of images is reduced (`latentlab.audit.search_study_plan.INPUTS`), and each small picture is
looked for in each model by two methods:

- *search*, whose answer is the nearest of its restarts (Menon et al. 2020). It returns one of the likeliest
  pictures, and so may show what most people of the training set are.
- *posterior* sampling, whose answer is one draw, so that it keeps the proportions (Jalal et al. 2021): the
  last one of one of a few short chains. Each begins where randomised maximum likelihood brings a draw of the
  prior (`latentlab.operations.search_posterior`), and is taken in proportion to its mean density.

So each setting has one answer for each image. What is counted is whether the answer, reduced, is as near as
eps, and whether the predictor sees the image's own group in it.

Starts and exposures are each image's own, so that images stay independent. All models are held to one eps,
and all answers are judged by one predictor, for a difference between two would count as the models'.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.audit.conditioning_choice import expect_known, in_turns, same_rows
from latentlab.audit.generation import common_attributes
from latentlab.audit.reconstruction import choose_balanced
from latentlab.audit.search_study_eps import Bars
from latentlab.audit.search_study_plan import (
    CHAINS,
    INPUTS,
    METHODS,
    Input,
    SearchStudySettings,
    Setting,
    column,
)
from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.errors import SettingsError
from latentlab.families.resized import resized
from latentlab.metrics.labels import group_attributes, identities
from latentlab.metrics.passes import evaluation
from latentlab.model import AttributePredictor
from latentlab.operations.explore import Explorer
from latentlab.operations.render import to_uint8
from latentlab.operations.search_plan import UNDER
from latentlab.operations.search_posterior import sample_posterior
from latentlab.operations.search_run import FoundRow, Search, found_row
from latentlab.operations.search_target import small_picture
from latentlab.operations.search_unknowns import Observer, Unknowns, free_attributes
from latentlab.progress import PartOf, Reporter
from latentlab.spec import PredictorSpec

ORIGINAL = "original"
"""What stands in the place of a setting's name in the columns of what is seen in the image itself."""
_EXPOSURES, _STARTS, _CHAINS = 21, 22, 23  # streams of random numbers
_LATENT = "latent=float32"  # a column with = is data, which no list of what is known of an image shows


class SearchStudy:
    """A search study that has been looked through and can begin.

    Parameters
    ----------
    models
        By name. The first one's predictor judges all answers.
    open_images
        Opens the labelled set at a size.
    settings
        What is asked.

    Attributes
    ----------
    chosen
        The images, group by group in turns, at the first model's size.
    settings
        What answers for each image.

    Raises
    ------
    LatentLabError
        If anything that is asked for cannot be done.
    """

    def __init__(
        self,
        models: Mapping[str, Explorer],
        open_images: Callable[[int], ImageSet],
        settings: SearchStudySettings,
    ) -> None:
        common_attributes(models, ())
        self.models, self.asked = models, settings
        self.first = next(iter(models.values()))
        size = self.first.spec.image_size
        whole = open_images(size)
        names = group_attributes(whole, settings.groups)
        if not names:
            raise SettingsError(
                f"The set {whole.info.name} has no attribute whose classes are the groups. Give --groups."
            )
        choice = replace(settings.choice(), groups=names, attributes=names)
        self.chosen = in_turns(choose_balanced(self.first, whole, choice))
        expect_known(self.chosen, whole)
        self.images = {size: self.chosen.images}
        self.unknowns: dict[tuple[str, str], Unknowns] = {}
        for name, one in models.items():
            other = one.spec.image_size
            if other not in self.images:
                self.images[other] = same_rows(open_images(other), self.chosen.images)
            for given in INPUTS:
                observer = Observer(given.observation(other), other)
                free = free_attributes(one.spec)
                try:
                    self.unknowns[name, given.name] = Unknowns(one.network, observer, None, free)
                except SettingsError as error:
                    raise SettingsError(f"{name}: {error}") from None
        self.settings = tuple(
            Setting(given, name, method) for given in INPUTS for name in models for method in METHODS
        )

    @property
    def judge(self) -> PredictorSpec:
        """Who judges."""
        found = self.first.predictor_spec
        assert found is not None
        return found

    @property
    def by(self) -> tuple[str, ...]:
        """The attributes whose intersections are the groups."""
        return self.chosen.by

    @property
    def several_images_of_one(self) -> bool:
        """Whether some of the images show the same identity."""
        return identities(self.chosen.images) is not None

    def columns(self) -> list[str]:
        """Return the columns of the table of images.

        ``group.ATTR`` is an image's class of one of the groups' attributes; of each setting there are
        ``ATTR@SETTING`` and ``group@SETTING``, what is seen in its answer, ``distance@SETTING``,
        ``reached@SETTING``, and the answer itself, so that it can be drawn again.
        """
        columns = ["image", "group", *(f"group.{name}" for name in self.by)]
        columns += [f"exposure@{one.name}" for one in INPUTS if one.exposure_spread]
        columns += [f"{name}@{ORIGINAL}" for name in (*self.by, "group")]
        for setting in self.settings:
            columns += [column(name, setting) for name in (*self.by, "group", "distance", "reached")]
            columns.append(column(_LATENT, setting))
        return columns

    def head(self, image: int) -> list[str]:
        """Return what a row begins with: what an image and its group are called."""
        chosen, group = self.chosen, self.chosen.group[image]
        name = str(chosen.images.names[chosen.images.rows[image]])
        return [name, chosen.names[group], *chosen.parts[group]]

    def rows(self, part: slice, bars: Bars, device: torch.device, reporter: Reporter) -> list[list[str]]:
        """Find and judge the answers for a part of the images, and return their rows."""
        images = range(part.start, part.stop)
        pixels = {size: images_to_tensor(one.pixels(part)).to(device) for size, one in self.images.items()}
        rows = [self.head(image) for image in images]
        for row, image in zip(rows, images, strict=True):
            row += [f"{self.exposure(one, image):.6g}" for one in INPUTS if one.exposure_spread]
        self._tell(rows, pixels[self.first.spec.image_size])
        for place, setting in enumerate(self.settings):
            inner = PartOf(reporter, place, len(self.settings))
            small = self.observed(setting, pixels[self.models[setting.model].spec.image_size], images)
            answers = self._answers(setting, small, images, bars.eps[setting.input.name], inner)
            pictures = torch.from_numpy(np.stack([one.picture for one in answers]))
            self._tell(rows, pictures.permute(0, 3, 1, 2).to(device))
            for row, one in zip(rows, answers, strict=True):
                row += [f"{one.distance:.9g}", "yes" if one.status == UNDER else "no"]
                row.append(base64.b64encode(one.v.astype("<f4").tobytes()).decode())
        return rows

    def exposure(self, given: Input, image: int) -> float:
        """Return the exposure that an image is under."""
        drawn = np.random.default_rng([self.asked.seed, _EXPOSURES, image]).standard_normal()
        return float(np.exp(given.exposure_spread * drawn))

    def observed(self, setting: Setting, x: Tensor, images: range) -> Tensor:
        """Return the small pictures ``[B, channels, side, side]`` of images ``[B, 3, S, S]``."""
        small = self.unknowns[setting.model, setting.input.name].observer(x)
        exposures = small.new_tensor([self.exposure(setting.input, image) for image in images])
        return small * exposures[:, None, None, None]

    def _answers(
        self, setting: Setting, small: Tensor, images: range, eps: float, reporter: Reporter
    ) -> list[FoundRow]:
        """Return the answers of a setting for small pictures."""
        unknowns = self.unknowns[setting.model, setting.input.name]
        search = self.asked.search(unknowns.observer.observation)
        if setting.method == "search":
            count = search.restarts
            starts = [self._start(unknowns, image, k) for image in images for k in range(count)]
            found = Search(unknowns, small, search, eps, np.stack(starts))
            found.run(reporter=reporter)
            best, scores = found.best_rows()
            nearest = scores.reshape(-1, count).argmin(axis=1) + count * np.arange(len(images))
            rows = best[nearest]
        else:
            starts = [self._start(unknowns, image, k) for image in images for k in range(CHAINS)]
            generator = np.random.default_rng([self.asked.seed, _CHAINS, images.start])
            sampled = sample_posterior(
                unknowns,
                small,
                eps**0.5,
                self.asked.sampling(),
                chains=CHAINS,
                seed=int(generator.integers(2**31)),
                starts=np.stack(starts),
                reporter=reporter,
            )
            # Chains this short stay where they began: each counts by how probable it is there.
            log_density = sampled.log_density.mean(1).reshape(-1, CHAINS).astype(np.float64)
            weights = np.exp(log_density - log_density.max(1, keepdims=True)).cumsum(1)
            taken = (generator.random((len(images), 1)) * weights[:, -1:] >= weights).sum(1)
            rows = sampled.draws[np.arange(len(images)) * CHAINS + taken, -1]
        return [
            found_row(unknowns, torch.from_numpy(v.copy()).to(small.device), one, eps, 0)
            for v, one in zip(rows, small, strict=True)
        ]

    def _start(self, unknowns: Unknowns, image: int, k: int) -> NDArray[np.float32]:
        seed = np.random.default_rng([self.asked.seed, _STARTS, image, k]).integers(2**31)
        return unknowns.start(int(seed))

    def _tell(self, rows: list[list[str]], pictures: Tensor) -> None:
        """Add to rows what the predictor sees in pictures ``[B, 3, S, S]``: each attribute, and the group."""
        judge = cast(AttributePredictor, self.first.predictor)
        with evaluation():
            said = judge.predict(resized(pictures, judge.spec.image_size))
            codes = {one.name: said[one.name].argmax(1).cpu().numpy() for one in self.chosen.attributes}
        classes = {one.name: one.classes for one in self.chosen.attributes}
        for place, row in enumerate(rows):
            seen = [classes[name][int(codes[name][place])] for name in self.by]
            row += [
                *seen,
                ",".join(f"{name}={label}" for name, label in zip(self.by, seen, strict=True)),
            ]


def redraw(study: SearchStudy, image: int, values: Mapping[str, str]) -> dict[str, NDArray[np.uint8]]:
    """Return an image, its small pictures and all answers, uint8 ``[S, S, 3]``, RGB, by name.

    Parameters
    ----------
    values
        The image's row of the table.
    """
    first = study.first.spec.image_size
    found = {ORIGINAL: study.images[first].pixels(np.array([image]))[0]}
    for given in INPUTS:
        for setting in (one for one in study.settings if one.input == given):
            spec = study.models[setting.model].spec
            unknowns = study.unknowns[setting.model, given.name]
            if given.name not in found:
                x = images_to_tensor(study.images[spec.image_size].pixels(np.array([image])))
                small = study.observed(setting, x, range(image, image + 1))[0].permute(1, 2, 0).numpy()
                times = spec.image_size // given.side
                found[given.name] = small_picture(small).repeat(times, axis=0).repeat(times, axis=1)
            v = np.frombuffer(base64.b64decode(values[column(_LATENT, setting)]), dtype="<f4")
            with torch.no_grad():
                drawn = unknowns.draw(torch.from_numpy(v.astype(np.float32))[None])
            found[setting.name] = to_uint8(drawn.pictures)[0]
    return found
