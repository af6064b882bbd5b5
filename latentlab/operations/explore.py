"""Exploring a model from Python: the twin of the Explore screen.

    explorer = Explorer.open("faces-vae")
    seen = explorer.encode(read_picture("face.png").pixels)
    latent = explorer.change(seen.latent, {3: 1.5})
    picture = explorer.picture(latent)
    explorer.attributes(picture)["glasses"]

Everything runs on the CPU in float32, one picture at a time, and gives the same to the bit as the
window's settled frame with as many threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from latentlab.checkpoints import Checkpoint, Located, locate
from latentlab.checkpoints.companion import load_model, load_predictor, shown_predictor
from latentlab.conditions import Choices, as_condition, choose, first_classes, from_probabilities
from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.data.pictures import square_picture
from latentlab.errors import SettingsError
from latentlab.families.resized import ResizedPredictor
from latentlab.metrics.labels import conditions
from latentlab.metrics.passes import batches, check_size, evaluation
from latentlab.model import AttributePredictor, LatentModel
from latentlab.operations import latents
from latentlab.operations.attribute_table import AttributeRow, Probabilities, attribute_rows
from latentlab.operations.render import intra_op_threads, settled_attributes, settled_pictures
from latentlab.progress import Reporter
from latentlab.spec import ModelSpec, PredictorSpec


@dataclass(frozen=True, eq=False)
class EncodedPicture:
    """What a model makes of a picture.

    Parameters
    ----------
    source
        The picture at the model's size, uint8 ``[S, S, 3]``, RGB.
    latent
        The mean of its posterior, float32 of the latent shape.
    std
        The posterior's standard deviation, of the same shape; None where the model gives none.
    condition
        What the encoder was told, float32 ``[C]``; None for an unconditional model.
    """

    source: NDArray[np.uint8]
    latent: NDArray[np.float32]
    std: NDArray[np.float32] | None
    condition: NDArray[np.float32] | None = None


class Explorer:
    """One model, and the predictor that judges its pictures.

    Parameters
    ----------
    model, predictor
        Opened checkpoints; no attributes are predicted without a predictor.
    threads
        Intra-op threads; part of what makes pictures repeatable.
    """

    def __init__(self, model: Checkpoint, predictor: Checkpoint | None = None, threads: int = 1) -> None:
        self.located: Located = model.located
        self.threads = threads
        self._model = cast(LatentModel, model.network)
        self._predictor_at = None if predictor is None else predictor.located
        self._predictor = None if predictor is None else cast(AttributePredictor, predictor.network)

    @classmethod
    def open(
        cls, model: str | Path, predictor: str | Path | None = None, sha256: str = "", threads: int = 1
    ) -> Explorer:
        """Open a model by bundled name or path.

        Parameters
        ----------
        predictor
            A predictor's bundled name or path; None for the one that goes with the model, "" for none.
        sha256
            What the SHA-256 of the model's weights must be; not looked at if empty.
        threads
            Intra-op threads, at least 1.

        Raises
        ------
        CheckpointError
            If a checkpoint cannot be opened or has other weights.
        SettingsError
            If ``threads`` is less than 1.
        """
        if threads < 1:
            raise SettingsError(f"At least one thread is needed; {threads} were given.")
        located = locate(model)
        located.expect(sha256)
        name = shown_predictor(located) if predictor is None else str(predictor)
        return cls(load_model(model), load_predictor(name) if name else None, threads)

    @property
    def network(self) -> LatentModel:
        """The model itself, in evaluation mode, on the CPU in float32."""
        return self._model

    @property
    def predictor(self) -> AttributePredictor | None:
        """The predictor itself, in evaluation mode; None without one."""
        return self._predictor

    @property
    def spec(self) -> ModelSpec:
        """What the model is."""
        return self._model.spec

    def predictor_sha256(self) -> str:
        """Return the SHA-256 of the predictor's weights, empty without one."""
        return "" if self._predictor_at is None else self._predictor_at.sha256()

    @property
    def predictor_spec(self) -> PredictorSpec | None:
        """What the predictor predicts, None without one."""
        return None if self._predictor is None else self._predictor.spec

    def encode(
        self, picture: NDArray[np.uint8], condition: NDArray[np.float32] | None = None
    ) -> EncodedPicture:
        """Encode a picture uint8 ``[H, W, 3]``, RGB, of any size: its centre square is what the model sees.

        Parameters
        ----------
        condition
            What a conditional model's encoder is told, float32 ``[C]``; without it the classes that the
            predictor sees in the picture (zeros, "not told", for what it does not judge).

        Raises
        ------
        SettingsError
            If the model has no encoder, or the condition does not fit it.
        """
        if "encode" in self.spec.cannot:
            raise SettingsError(f"This model cannot encode a picture: {self.spec.cannot['encode']}")
        source = square_picture(picture, self.spec.image_size)
        told = self.predicted_condition(source) if condition is None else self.condition(condition)
        with intra_op_threads(self.threads), torch.inference_mode():
            given = None if told is None else torch.from_numpy(told[None])
            posterior = self._model.encode(images_to_tensor(source[None]), given)
            logvar = posterior.logvar
            std = None if logvar is None else torch.exp(0.5 * logvar[0]).numpy().copy()
        return EncodedPicture(source, self.latent(posterior.mean[0].numpy()), std, told)

    def encode_set(self, data: ImageSet, reporter: Reporter | None = None) -> NDArray[np.float32]:
        """Return the posterior means of all images of a set, float32 ``[n, *latent_shape]``.

        The set must have the model's image size; a conditional model encodes each image under its labels.

        Raises
        ------
        LatentLabError
            If the model has no encoder, the set another size, or labels are missing.
        Cancelled
            If the reporter asked for it.
        """
        if "encode" in self.spec.cannot:
            raise SettingsError(f"This model cannot encode pictures: {self.spec.cannot['encode']}")
        check_size(data, self.spec.image_size, "model")
        c = conditions(self.spec.condition, data)
        means = []
        with intra_op_threads(self.threads), evaluation():
            for where, images in batches(data, torch.device("cpu"), reporter or Reporter(), "Encoding"):
                given = None if c is None else torch.from_numpy(c[where])
                means.append(self._model.encode(images, given).mean.numpy().copy())
        return np.concatenate(means)

    def draw(self, seed: int, truncation: float = 1.0) -> NDArray[np.float32]:
        """Draw one latent from the prior, as Randomise does (`latents.draw`); float32 of the latent shape."""
        return latents.draw(self.spec, seed, truncation)

    def mutate(
        self, latent: NDArray[np.float32], seed: int, amount: float = latents.MUTATION
    ) -> NDArray[np.float32]:
        """Take a small random step from a latent, as Mutate does (`latents.mutate`)."""
        return latents.mutate(self.spec, latent, seed, amount)

    def latent(self, values: ArrayLike) -> NDArray[np.float32]:
        """Return one latent, float32 of the latent shape, from its numbers."""
        return latents.as_latent(values, self.spec)

    def condition(self, values: ArrayLike | Choices, base: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return one condition, float32 ``[C]``, from its numbers or from what is chosen of each attribute.

        Parameters
        ----------
        values
            C numbers; or choices by attribute (`latentlab.conditions.choose`), such as
            ``{"gender": "female", "glasses": {"no": 0.5, "yes": 0.5}}``.
        base
            The condition whose other attributes are kept where choices are given; zeros by default.

        Raises
        ------
        SettingsError
            If the numbers do not fit the model, or it does not know an attribute or class.
        """
        schema = self.spec.condition
        return choose(schema, values, base) if isinstance(values, Mapping) else as_condition(values, schema)

    def first_condition(self) -> NDArray[np.float32] | None:
        """Return the condition that one sets out with where there is no picture, float32 ``[C]``.

        The first class of every attribute, 0 of a continuous one; None for an unconditional model.
        """
        return first_classes(self.spec.condition) if self.spec.condition.size else None

    def predicted_condition(self, picture: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """Return the condition that the predictor sees in a picture uint8 ``[S, S, 3]``, float32 ``[C]``.

        Attributes that it does not judge, all of them without a predictor, are zeros: not told. None for an
        unconditional model.
        """
        schema, judge = self.spec.condition, self.predictor_spec
        if not schema.size:
            return None
        seen = self.judged(picture)
        classes = {} if judge is None else {one.name: one.classes for one in judge.attributes}
        return from_probabilities(schema, seen, classes)

    def change(self, latent: NDArray[np.float32], values: Mapping[int, float]) -> NDArray[np.float32]:
        """Return a copy of a latent with some dimensions (counted from 0, flattened) set."""
        return latents.change(latent, values)

    def picture(
        self, latent: NDArray[np.float32], condition: NDArray[np.float32] | None = None
    ) -> NDArray[np.uint8]:
        """Decode one latent, the same to the bit every time: uint8 ``[S, S, 3]``, RGB.

        Raises
        ------
        SettingsError
            If the model is conditional and there is no condition, or the latter does not fit it.
        """
        if condition is None and self.spec.condition.size:
            names = ", ".join(attribute.name for attribute in self.spec.condition.attributes)
            raise SettingsError(
                f"This model draws under a condition of {names}, and none was given. Give what the picture "
                "was encoded under (seen.condition), first_condition(), or one of your own choice."
            )
        given = None if condition is None else self.condition(condition)[None]
        batch = settled_pictures(self._model, self.latent(latent)[None], given, self.threads)
        picture: NDArray[np.uint8] = batch[0]
        return picture

    def attributes(self, picture: NDArray[np.uint8]) -> Probabilities:
        """Predict the attributes of a picture uint8 ``[S, S, 3]`` of any size S: ``[classes]`` each.

        Raises
        ------
        SettingsError
            If no predictor is open.
        """
        if self._predictor is None:
            raise SettingsError("No attribute predictor is open. Name one when opening: predictor=...")
        judge = ResizedPredictor(self._predictor, picture.shape[0])
        return settled_attributes(judge, picture[None], self.threads)[0]

    def judged(self, picture: NDArray[np.uint8]) -> Probabilities:
        """Return what the predictor says of a picture (`attributes`); empty without one."""
        return {} if self._predictor is None else self.attributes(picture)

    def table(self, pictures: Mapping[str, NDArray[np.uint8]]) -> list[AttributeRow]:
        """Predict the attributes of named pictures, as rows of a table."""
        found = {name: self.attributes(picture) for name, picture in pictures.items()}
        assert self._predictor is not None
        return attribute_rows(self._predictor.spec, found)
