"""The conditioning study: how often a group is read wrongly, in originals and under every condition.

One balanced choice of images is judged as it is, reconstructed by each model, and, of a conditional model, at
each scale of the condition and with the condition flipped on either side. The latent is the posterior's mean.
At the scale s the decoder is told s x one-hot, all attributes at once. A flip gives another class of one
attribute, drawn at random for each image (as `latentlab.metrics.evaluate_counterfactual` does): to the
encoder alone, of which no effect is expected, or to the decoder alone, which makes a counterfactual. All
pictures are judged by one predictor, for a difference between two would count as the models'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentlab.audit.conditioning_choice import counted_names, expect_known, flippable, in_turns, same_rows
from latentlab.audit.conditioning_plan import ConditioningSettings, Setting, column, target_column
from latentlab.audit.generation import common_attributes
from latentlab.audit.reconstruction import choose_balanced
from latentlab.conditions import with_codes
from latentlab.data.image_set import UNKNOWN, ImageSet, images_to_tensor
from latentlab.errors import SettingsError
from latentlab.families.resized import resized
from latentlab.metrics.labels import conditions, identities, translate
from latentlab.metrics.passes import evaluation
from latentlab.model import AttributePredictor
from latentlab.operations.explore import Explorer
from latentlab.spec import MODE, ModelSpec, PredictorSpec

Codes = NDArray[np.int64]


class Conditioning:
    """A conditioning study that has been looked through and can begin.

    Parameters
    ----------
    models
        By name. The first one's predictor judges all pictures.
    open_images
        Opens the labelled set at a size.
    settings
        What is asked.

    Attributes
    ----------
    chosen
        The images, group by group in turns, at the first model's size.
    settings
        What becomes of each image.
    targets
        By model and attribute, the class that each image is flipped to, in the condition's numbering;
        -1 where its own class is not known.

    Raises
    ------
    LatentLabError
        If anything that is asked for cannot be done.
    """

    def __init__(
        self,
        models: Mapping[str, Explorer],
        open_images: Callable[[int], ImageSet],
        settings: ConditioningSettings,
    ) -> None:
        common_attributes(models, settings.attributes)
        for name, one in models.items():
            if "encode" in one.spec.cannot:
                raise SettingsError(f"{name} cannot reconstruct: {one.spec.cannot['encode']}")
        self.models, self.asked = models, settings
        self.first = next(iter(models.values()))
        size = self.first.spec.image_size
        whole = {size: open_images(size)}
        names = counted_names(models, whole[size], settings)
        found = in_turns(
            choose_balanced(self.first, whole[size], replace(settings.choice(), attributes=names))
        )
        expect_known(found, whole[size])
        self.chosen = found
        self.images = {size: found.images}
        for one in models.values():
            other = one.spec.image_size
            if other not in self.images:
                self.images[other] = same_rows(open_images(other), found.images)
        self.conditions = {
            name: conditions(one.spec.condition, self.images[one.spec.image_size])
            for name, one in models.items()
        }
        self.targets = {name: self._targets(one.spec) for name, one in models.items()}
        self.settings = tuple(self._settings())

    @property
    def judge(self) -> PredictorSpec:
        """Who judges."""
        found = self.first.predictor_spec
        assert found is not None
        return found

    @property
    def conditional(self) -> tuple[str, ...]:
        """The names of the models that have a condition."""
        return tuple(name for name, told in self.conditions.items() if told is not None)

    @property
    def several_images_of_one(self) -> bool:
        """Whether some of the images show the same identity."""
        return identities(self.chosen.images) is not None

    def settings_of(self, attribute: str) -> tuple[Setting, ...]:
        """Return the settings in which an attribute is judged: flips only where it can be flipped."""
        return tuple(s for s in self.settings if not s.flips or attribute in self.targets[s.model])

    def originals(self, model: str) -> Setting:
        """Return the originals as a model sees them."""
        size = self.models[model].spec.image_size if len(self.images) > 1 else 0
        return Setting("original", size=size)

    def columns(self) -> list[str]:
        """Return the columns of the table of images.

        ``group.ATTR`` is an image's class of one of the groups' attributes, ``ATTR`` its true class of what
        is counted, ``ATTR@SETTING`` the predicted one, ``ATTR_target@MODEL`` the one that it is flipped to.
        """
        columns = ["image", "group", *(f"group.{name}" for name in self.chosen.by)]
        for one in self.chosen.attributes:
            columns.append(one.name)
            columns += [target_column(one.name, name) for name in self.flipping(one.name)]
            columns += [column(one.name, setting) for setting in self.settings_of(one.name)]
        return columns

    def rows(self, part: slice, device: torch.device) -> list[list[str]]:
        """Judge a part of the images under every setting, and return their rows."""
        with evaluation():
            said = dict(self._said(part, device))
        rows = []
        for place, image in enumerate(range(part.start, part.stop)):
            row = self.head(image)
            for one in self.chosen.attributes:
                label = int(self.chosen.labels[one.name][image])
                row.append(one.classes[label] if label >= 0 else "")
                row += [self._target(name, one.name, image) for name in self.flipping(one.name)]
                row += [
                    one.classes[int(said[setting.name, one.name][place])]
                    for setting in self.settings_of(one.name)
                ]
            rows.append(row)
        return rows

    def head(self, image: int) -> list[str]:
        """Return what a row begins with: what an image and its group are called."""
        chosen, group = self.chosen, self.chosen.group[image]
        name = str(chosen.images.names[chosen.images.rows[image]])
        return [name, chosen.names[group], *chosen.parts[group]]

    def render(
        self,
        setting: Setting,
        attribute: str,
        x: Tensor,
        images: NDArray[np.int64],
        z: Tensor | None = None,
    ) -> Tensor:
        """Return what a setting makes of images.

        Parameters
        ----------
        attribute
            What is flipped; of no meaning where nothing is.
        x
            The images at the setting's size, ``[B, 3, S, S]`` in [0, 1].
        images
            Their places among those chosen, ``[B]``.
        z
            Their latents where they are known.
        """
        if setting.kind == "original":
            return x
        network, told = self.models[setting.model].network, self.conditions[setting.model]
        if told is None:
            return (
                network.decode(network.encode(x, None).mean if z is None else z, None).float().clamp(0.0, 1.0)
            )
        c = told[images]
        own = torch.from_numpy(c).to(x.device)
        before = after = own
        if setting.kind == "scale":
            after = torch.from_numpy(_scaled(self.models[setting.model].spec, c, setting.scale)).to(x.device)
        elif setting.flips:
            target = np.maximum(self.targets[setting.model][attribute][images], 0)  # without one: not counted
            schema = self.models[setting.model].spec.condition
            other = torch.from_numpy(with_codes(schema, c, attribute, target)).to(x.device)
            before, after = (other, own) if setting.kind == "encoder" else (own, other)
        if z is None or setting.kind == "encoder":
            z = network.encode(x, before).mean
        return network.decode(z, after).float().clamp(0.0, 1.0)

    def shown(self, part: slice, device: torch.device) -> Iterator[tuple[Setting, str, Tensor]]:
        """Give what every setting makes of a part of the images, and which attribute a flip is of."""
        images = np.arange(part.start, part.stop)
        pixels = {size: images_to_tensor(one.pixels(part)).to(device) for size, one in self.images.items()}
        latents: dict[str, Tensor] = {}
        for name, one in self.models.items():
            told, x = self.conditions[name], pixels[one.spec.image_size]
            given = None if told is None else torch.from_numpy(told[images]).to(device)
            latents[name] = one.network.encode(x, given).mean
        for setting in self.settings:
            x, z = pixels[self.size_of(setting)], latents.get(setting.model)
            for attribute in self.targets[setting.model] if setting.flips else ("",):
                yield setting, attribute, self.render(setting, attribute, x, images, z)

    def _said(self, part: slice, device: torch.device) -> Iterator[tuple[tuple[str, str], Codes]]:
        """Give the predicted classes ``[B]`` by setting and attribute."""
        judge = cast(AttributePredictor, self.first.predictor)
        names = [one.name for one in self.chosen.attributes]
        for setting, attribute, pictures in self.shown(part, device):
            said = judge.predict(resized(pictures, judge.spec.image_size))
            for name in [attribute] if attribute else names:
                yield (setting.name, name), said[name].argmax(1).cpu().numpy()

    def size_of(self, setting: Setting) -> int:
        """Return the size of the pictures that a setting makes, in pixels."""
        if setting.kind == "original":
            return setting.size or self.first.spec.image_size
        return self.models[setting.model].spec.image_size

    def _settings(self) -> Iterator[Setting]:
        for size in self.images:
            yield Setting("original", size=size if len(self.images) > 1 else 0)
        for name in self.models:
            yield Setting("reconstruction", name)
            if self.conditions[name] is not None:
                for scale in dict.fromkeys(self.asked.scales):
                    if scale != 1.0:
                        yield Setting("scale", name, scale)
                if self.targets[name]:
                    yield Setting("encoder", name)
                    yield Setting("decoder", name)

    def _targets(self, spec: ModelSpec) -> dict[str, Codes]:
        found = {}
        for place, one in enumerate(self.chosen.attributes):
            if one.name in flippable(spec, self.judge):
                attribute = spec.condition.attribute(one.name)
                images = self.chosen.images
                own = translate(images.attribute(one.name), attribute, images.codes(one.name))
                generator = np.random.default_rng([self.asked.seed, 11, place])
                shift = generator.integers(1, len(attribute.classes), len(images))
                found[one.name] = np.where(own >= 0, (own + shift) % len(attribute.classes), UNKNOWN)
        return found

    def flipping(self, attribute: str) -> list[str]:
        """Return the models that flip an attribute."""
        return [name for name, targets in self.targets.items() if attribute in targets]

    def _target(self, model: str, attribute: str, image: int) -> str:
        code = int(self.targets[model][attribute][image])
        return self.models[model].spec.condition.attribute(attribute).classes[code] if code >= 0 else ""


def redraw(
    study: Conditioning, image: int, setting: str, attribute: str = ""
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return an image and what a setting makes of it, uint8 ``[S, S, 3]``, RGB.

    Parameters
    ----------
    image
        Its place among those chosen, which is that of its row, from 0.
    setting
        As the columns name it (`Setting.name`).
    attribute
        What is flipped, of a flip.

    Raises
    ------
    SettingsError
        If there is no such image or setting, or the attribute is not flipped there.
    """
    found = {one.name: one for one in study.settings}.get(setting)
    if found is None:
        raise SettingsError(
            f"There is no setting {setting!r}; there is {', '.join(one.name for one in study.settings)}."
        )
    if found.flips and attribute not in study.targets[found.model]:
        raise SettingsError(
            f"{setting} flips {', '.join(study.targets[found.model])}, one at a time; not {attribute!r}."
        )
    if not 0 <= image < len(study.chosen.images):
        raise SettingsError(f"There are {len(study.chosen.images):,} images; number {image} is none of them.")
    pixels = study.images[study.size_of(found)].pixels(np.array([image]))
    with evaluation():
        shown = study.render(found, attribute, images_to_tensor(pixels), np.array([image]))[0]
    return pixels[0], _picture(shown)


def redraw_all(study: Conditioning, image: int) -> dict[str, NDArray[np.uint8]]:
    """Return what every setting makes of an image, uint8 ``[S, S, 3]``, RGB, by the setting's name.

    Of a flip the attribute stands after the name: ``faces-cvae@decoder gender``.
    """
    with evaluation():
        found = study.shown(slice(image, image + 1), torch.device("cpu"))
        return {
            f"{setting.name} {attribute}".strip(): _picture(shown[0]) for setting, attribute, shown in found
        }


def _picture(shown: Tensor) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = (shown.permute(1, 2, 0) * 255.0).round().clamp(0, 255).to(torch.uint8).numpy()
    return found


def _scaled(spec: ModelSpec, c: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Return conditions ``[B, C]`` times a scale; how a cINN projects (the mode) is no class to be scaled."""
    found = (c * np.float32(scale)).astype(np.float32)
    if any(one.name == MODE.name for one in spec.condition.attributes):
        where = spec.condition.slice(MODE.name)
        found[:, where] = c[:, where]
    return found
