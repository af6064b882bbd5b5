"""The recipe of the conditional VAE: a VAE's losses, a latent without the condition, obedient flips.

    L = mean|x - x^| + w_f * d_f(x, x^) + beta * KL(q(z|x, c') || N(0, I)) + w_i * I(z, c)
        + w_g * CE(guide(p(z, c*)), c*) + lambda * g * L_adv

z begins, where the training goes on from a VAE, and ends without what a line reads of the condition
(`latentlab.training.centring`). x^ = p(z, c) is drawn under the true condition c. The encoder is told c' :
mostly c, sometimes another class or nothing, so that what it is told decides nothing that it can see for
itself. I(z, c) is one of the penalties of `latentlab.training.independence`. c* is c with one attribute set
to a random class at a random scale from 0 to 2; the *guide*, a classifier of its own that judges nothing
later, says what the picture under c* shows: in the changed attribute min(s, 1) of the class and the rest
uniform, in all others what c says. The discriminator takes part at the end, as in the recipe of the VAE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.errors import SettingsError
from latentlab.families.attribute_cnn import AttributeCNN
from latentlab.families.cvae import CVAE, CVAEConfig
from latentlab.metrics.labels import conditions
from latentlab.model import Posterior
from latentlab.spec import ConditionSchema, ModelSpec
from latentlab.training.independence import Reader, dependence, errors_of, reading_error, shares
from latentlab.training.loop import Part, Step, descend
from latentlab.training.muon import Muon
from latentlab.training.perceptual import FeatureDistance, PatchDiscriminator, teach_judge, with_judgement
from latentlab.training.pictures import save_grid
from latentlab.training.vae import VAELosses

LESSONS, RECALLED = 2, 256
"""Steps of the reader for one of the CVAE, and latents of each."""

Independence = Literal["linear", "adversarial", "hsic", "none"]
"""The penalties on what the latent tells of the condition."""
Trained = Literal["all", "condition"]
"""What is trained: all, or only what the decoder's condition does, beside a network that stays as it is."""
_OF_THE_CONDITION = ("from_condition.", "decoder_maps.")


@dataclass(frozen=True)
class CVAELosses(VAELosses):
    """Weights and schedule of the recipe's losses: those of the VAE, and the condition's.

    Parameters
    ----------
    independence
        Which penalty keeps the condition out of the latent.
    independence_weight
        Its weight w_i.
    guide
        Weight w_g of the guide's cross-entropy on flips, in place of the VAE's guide; needs a guide.
    told_another, told_nothing
        Shares of the images whose encoder is told another class of one attribute, or no condition at all.
    trained
        What is trained. The guide's gradient costs the other weights more in their reconstructions than it
        gains in flips.
    """

    independence: Independence = "none"
    independence_weight: float = 0.02
    guide: float = 0.02
    told_another: float = 0.25
    told_nothing: float = 0.1
    trained: Trained = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.independence not in get_args(Independence):
            raise SettingsError(
                f"There is no penalty {self.independence!r}; there are {', '.join(get_args(Independence))}."
            )
        if self.trained not in get_args(Trained):
            known = ", ".join(get_args(Trained))
            raise SettingsError(f"{self.trained!r} is nothing that can be trained; there are {known}.")
        if self.independence_weight < 0:
            raise SettingsError("The weight of the penalty is 0 or more.")
        if min(self.told_another, self.told_nothing) < 0 or self.told_another + self.told_nothing > 1:
            raise SettingsError("The shares of images whose encoder is told otherwise lie between 0 and 1.")


class CVAERecipe:
    """Trains a `CVAE` on a labelled set.

    Parameters
    ----------
    schema
        The condition; the set must have its attributes.
    guide
        A predictor of the condition's categorical attributes, for the flips; not the later judge.

    Raises
    ------
    LatentLabError
        If the set lacks an attribute of the condition, or the guide knows other classes of one.
    """

    def __init__(
        self,
        config: CVAEConfig,
        schema: ConditionSchema,
        losses: CVAELosses,
        data: ImageSet,
        validation: ImageSet | None,
        feature_network: FeatureDistance | None = None,
        guide: AttributeCNN | None = None,
    ) -> None:
        self.losses, self.schema, self.validation = losses, schema, validation
        self.features = feature_network
        spec = ModelSpec(
            family="cvae",
            image_size=config.image_size,
            latent_shape=(config.latent,),
            condition=schema,
        )
        self.cvae = CVAE(config, spec)
        if losses.trained == "condition":
            for name, parameter in self.cvae.named_parameters():
                parameter.requires_grad_(name.startswith(_OF_THE_CONDITION))
        found = conditions(schema, data)
        assert found is not None
        self.conditions = torch.from_numpy(found)
        self.shares = shares(schema, self.conditions)
        self.spread = self.conditions.std(dim=0)
        self.reader = Reader(config.latent, schema.size)
        self.discriminator = PatchDiscriminator()
        self.guide = None if guide is None else guide.requires_grad_(False).eval()
        self.guided = () if guide is None else _guided(schema, guide)
        self.late_share = 1.0 - losses.adversarial_from if losses.adversarial else 0.0

    def parts(self) -> dict[str, tuple[nn.Module, torch.optim.Optimizer]]:
        """Return the CVAE with Muon, its reader with Adam and, where it takes part, the discriminator too."""
        found: dict[str, tuple[nn.Module, torch.optim.Optimizer]] = {
            "cvae": (self.cvae, Muon(self.cvae.parameters(), self.losses.rate)),
            "reader": (self.reader, torch.optim.Adam(self.reader.parameters(), lr=1e-3)),
        }
        if self.losses.adversarial:
            judge = self.discriminator
            found["discriminator"] = (judge, torch.optim.Adam(judge.parameters(), lr=2e-4, betas=(0.5, 0.99)))
        return found

    def step(self, fabric: Fabric, parts: Mapping[str, Part], step: Step) -> dict[str, Tensor]:
        """Do one step of the CVAE, one of the reader and, late, one of the discriminator."""
        losses, part, x = self.losses, parts["cvae"], step.examples
        late = losses.is_late(step.fraction)
        eps = step.noise(self.cvae.config.latent)
        half = slice(step.share.start // 2, step.share.stop // 2)
        c, seen_as, changed, wanted = (t.to(x.device) for t in self._draw_conditions(step))
        n, again = len(x), (half.stop - half.start if self.guide is not None and losses.guide else 0)
        others = step.noise(self.cvae.config.latent, rows=half) if late else x.new_zeros(0, eps.shape[1])
        drawn_as = torch.cat([c, changed[:again], c[: len(others)]])
        pictures, mean, logvar = part.wrapped(x, seen_as, eps, drawn_as, others)
        pictures = pictures.view_as(pictures)  # whose own gradient Fabric lets one ask for
        mae = (pictures[:n] - x).abs().mean()
        kl = Posterior(mean, logvar).kl().sum(dim=1).mean()
        figures = {"mae_255": mae.detach() * 255.0, "kl_nats": kl.detach()}
        looks = mae
        if self.features is not None and losses.features and losses.with_features(step.fraction):
            with fabric.autocast():
                distance = self.features(pictures[:n], x)
            figures["feature_distance"] = distance.detach()
            looks = looks + losses.features * distance
        if again:
            with fabric.autocast():
                misread = self._misread(pictures[n : n + again], wanted[:again])
            figures["guide"] = misread.detach()
            looks = looks + losses.guide * misread
        if late:
            looks = with_judgement(fabric, self.discriminator, looks, pictures, n, losses.adversarial)
        loss = looks + losses.beta_at(step.fraction) * kl
        told = self.reader.told_by_a_line(mean, c)
        figures["told_by_a_line"] = told.detach()
        if losses.independence == "linear":
            loss = loss + losses.independence_weight * told
        elif losses.independence != "none" and losses.independence_weight:
            penalty, figure = self._dependence(fabric, parts, mean, c, step.generator)
            figures |= figure
            loss = loss + losses.independence_weight * penalty
        self.reader.remember(mean, c)
        descend(fabric, [part], loss, step, losses.rate)
        if late:
            figures |= teach_judge(fabric, parts["discriminator"], x, pictures.detach())
        return figures

    def _dependence(
        self,
        fabric: Fabric,
        parts: Mapping[str, Part],
        mean: Tensor,
        c: Tensor,
        generator: torch.Generator,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the penalty, and what is shown of it; the reader first does its own step."""
        if self.losses.independence == "hsic":
            found = dependence(mean, c)
            return found, {"hsic": found.detach()}
        reader = parts["reader"]
        error: Tensor | None = None
        for _ in range(LESSONS if int(self.reader.seen) else 0):
            latents, conditions = self.reader.recall(RECALLED, generator)
            error = reading_error(self.schema, reader.wrapped(latents), conditions)
            fabric.backward(error)
            reader.optimizer.step()
            reader.optimizer.zero_grad()
        self.reader.requires_grad_(False)
        guess = reading_error(self.schema, self.reader(mean.float()), self.shares.to(c).expand_as(c))
        self.reader.requires_grad_(True)
        return guess, {"reader": guess.detach() if error is None else error.detach()}

    def _draw_conditions(self, step: Step) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return this process's rows of c, of what the encoder is told, of c*, and of what c* should show."""
        c = self.conditions[torch.from_numpy(step.rows)]
        chance = torch.rand(step.total, 8, generator=step.generator)[step.share]
        told, changed, wanted = c.clone(), c.clone(), c.clone()
        for row, u in enumerate(chance.tolist()):
            if u[0] < self.losses.told_another:
                self._set(told[row], u[1], u[2], 1.0)
            elif u[0] > 1.0 - self.losses.told_nothing:
                told[row] = 0.0
            scale = 1.0 if u[3] < 0.4 else 2.0 * u[4]
            where = self._set(changed[row], u[5], u[6], scale)
            self._set(wanted[row], u[5], u[6], 1.0)
            if where is not None:
                share = min(scale, 1.0)
                wanted[row, where] = share * wanted[row, where] + (1.0 - share) / (where.stop - where.start)
        return c, told, changed, wanted

    def _set(self, condition: Tensor, which: float, choice: float, scale: float) -> slice | None:
        """Set a random attribute of a condition ``[C]`` to a random class or value, by two numbers in [0, 1).

        Returns the entries of a categorical attribute, None for a continuous one.
        """
        attribute = self.schema.attributes[int(which * len(self.schema.attributes))]
        where = self.schema.slice(attribute.name)
        if attribute.kind == "continuous":
            place = where.start
            condition[place] = scale * (self.shares[place] + (4.0 * choice - 2.0) * self.spread[place])
            return None
        condition[where] = 0.0
        condition[where.start + int(choice * attribute.width)] = scale
        return where

    def _misread(self, pictures: Tensor, wanted: Tensor) -> Tensor:
        """Return the guide's cross-entropy on pictures, averaged over them and summed over attributes."""
        assert self.guide is not None
        logits = self.guide(pictures)
        total = pictures.new_zeros((), dtype=torch.float32)
        for name in self.guided:
            errors = errors_of(self.schema.attribute(name), logits[name], wanted[:, self.schema.slice(name)])
            total = total + errors.mean()
        return total

    def snapshot(self, average: nn.Module, folder: Path, step: int) -> dict[str, float]:
        """Write grids of samples, reconstructions and flips; return the held-out error."""
        assert isinstance(average, CVAE)
        data = self.validation
        if data is None:
            return {}
        count = min(256, len(data))
        found = conditions(self.schema, data.select(np.arange(count)))
        assert found is not None
        generator = torch.Generator().manual_seed(0)
        with torch.inference_mode():
            like = average.from_latent.weight
            c = torch.from_numpy(found).to(like)
            x = images_to_tensor(data.pixels(slice(0, count)), like=like)
            save_grid(
                folder / f"samples_{step:06d}.png",
                average.decode(average.sample(min(64, count), None, generator), c[:64]),
            )
            z = average.encode(x, c).mean
            again = average.decode(z, c)
            pairs = torch.stack([x[:32], again[:32]], dim=1).flatten(0, 1)
            save_grid(folder / f"reconstructions_{step:06d}.png", pairs)
            rows = [torch.stack([x[:12], again[:12]], dim=1)]
            for attribute in self.schema.attributes:
                where = self.schema.slice(attribute.name)
                for entry in range(where.start, where.stop):
                    other = c[:12].clone()
                    other[:, where] = 0.0
                    other[:, entry] = 1.0
                    rows.append(average.decode(z[:12], other)[:, None])
            flips = torch.cat(rows, dim=1)
            save_grid(folder / f"flips_{step:06d}.png", flips.flatten(0, 1), columns=flips.shape[1])
        return {"mae_255": float((again - x).abs().mean()) * 255.0}


def _guided(schema: ConditionSchema, guide: AttributeCNN) -> tuple[str, ...]:
    """Return the condition's attributes that a guide can judge: all categorical ones, in the same classes."""
    known = {attribute.name: attribute for attribute in guide.spec.attributes}
    names = tuple(a.name for a in schema.attributes if a.kind == "categorical")
    for name in names:
        if name not in known or known[name].classes != schema.attribute(name).classes:
            raise SettingsError(
                f"The guide does not know {name!r} in the classes "
                f"{', '.join(schema.attribute(name).classes)}. Train it on the same set, with at least the "
                "attributes of the condition."
            )
    return names
