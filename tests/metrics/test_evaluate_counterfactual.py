"""Counterfactual figures of models whose truth is known: one obeys, one does not, one leaks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from latentlab.cli.main import run
from latentlab.data.avatars import list_avatars, make_avatars
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet, SetInfo, images_to_tensor
from latentlab.data.set_folder import copy_image_set, open_image_set
from latentlab.data.true_counterfactuals import true_counterfactual
from latentlab.errors import Cancelled, DataError, SettingsError
from latentlab.metrics.evaluate_counterfactual import evaluate_counterfactual
from latentlab.metrics.report import Evaluation
from latentlab.metrics.runs import run_counterfactual
from latentlab.model import Posterior
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute, ConditionSchema, ModelSpec, PredictorSpec

HAT = Attribute(name="hat", classes=("no", "yes"), origin="constructed")
COAT = Attribute(name="coat", classes=("red", "green", "blue"), origin="constructed")
SCHEMA = ConditionSchema(attributes=(HAT, COAT))
N = 120


@pytest.fixture(scope="module")
def people() -> ImageSet:
    """Pictures whose first two pixels say the hat and the coat, and whose last one is the person's own."""
    generator = np.random.default_rng(0)
    hats, coats = generator.integers(0, 2, N), generator.integers(0, 3, N)
    images = np.zeros((N, 32, 32, 3), dtype=np.uint8)
    images[np.arange(N), 0, 0, hats] = 255
    images[np.arange(N), 0, 1, coats] = 255
    images[:, -1, -1] = generator.integers(0, 256, (N, 3))
    info = SetInfo(name="people", image_size=32, attributes=(HAT, COAT))
    names, splits = np.array([str(k) for k in range(N)]), np.full(N, 2, dtype=np.int8)
    return ImageSet(info, images, {"hat": hats, "coat": coats}, names, splits, np.arange(N))


class Reads(nn.Module):
    """A predictor that reads the two pixels: certain of a full channel, without an idea of a black pixel."""

    def __init__(self, attributes: tuple[Attribute, ...] = (HAT, COAT)) -> None:
        super().__init__()
        self.spec = PredictorSpec(family="reads", image_size=32, attributes=attributes)

    def predict(self, images: Tensor) -> dict[str, Tensor]:
        return self.probabilities(images)

    def features(self, images: Tensor) -> Tensor:
        return images

    def probabilities(self, features: Tensor) -> dict[str, Tensor]:
        found = {}
        for attribute in self.spec.attributes:
            place = ("hat", "coat").index(attribute.name)
            seen = features[:, : len(attribute.classes), 0, place] + 0.01
            found[attribute.name] = seen / seen.sum(1, keepdim=True)
        return found


class Draws(nn.Module):
    """A model that draws what the condition says; its latent is the rest of the picture.

    Parameters
    ----------
    obeys
        Without it the picture is all in the latent, and the condition does nothing.
    leaks
        The coat turns with the hat.
    listens
        The encoder writes what it is told into the latent, and the decoder draws that.
    """

    def __init__(self, obeys: bool = True, leaks: bool = False, listens: bool = False) -> None:
        super().__init__()
        self.spec = ModelSpec(family="draws", image_size=32, latent_shape=(3, 32, 32), condition=SCHEMA)
        self.obeys, self.leaks, self.listens = obeys, leaks, listens

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        assert condition is not None
        if not self.obeys:
            return Posterior(images.clone())
        return Posterior(self._with(images, condition if self.listens else 0.0 * condition))

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        assert condition is not None
        return self._with(latents, condition) if self.obeys and not self.listens else latents

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        return torch.rand(n, 3, 32, 32, generator=generator)

    def _with(self, images: Tensor, condition: Tensor) -> Tensor:
        drawn, c = images.clone(), condition.clamp(0.0, 1.0)
        if self.leaks:
            c = torch.cat([c[:, :2], c[:, 2:].roll(1, dims=1) * c[:, 1:2] + c[:, 2:] * (1.0 - c[:, 1:2])], 1)
        drawn[:, :, 0, :2] = 0.0
        drawn[:, :2, 0, 0] = c[:, :2]
        drawn[:, :, 0, 1] = c[:, 2:]
        return drawn


def judged(model: nn.Module, people: ImageSet, **options) -> Evaluation:
    return evaluate_counterfactual(model, Reads(), people, **options)


def values(found: Evaluation) -> dict[str, float]:
    return {name: estimate.value for name, estimate in found.metrics.items()}


def test_a_model_that_draws_what_it_is_told_has_the_best_of_everything(people: ImageSet) -> None:
    found = judged(Draws(), people)
    value = values(found)
    for name in ("hat", "coat"):
        assert value[f"effectiveness.{name}"] == 1.0
        assert value[f"effectiveness.{name}@both"] == 1.0
        assert value[f"effectiveness.{name}@3"] == 1.0
        assert value[f"effectiveness.{name}@both@3"] == 1.0
        assert value[f"leakage_points.{name}@both@3"] == 0.0
        assert value[f"leakage_points.{name}@encoder"] == 0.0
        assert value[f"leakage_points.{name}"] == 0.0
        assert value[f"encoder_flip_effect.{name}"] == 0.0
        assert value[f"monotone_share.{name}"] == 1.0
    # From no idea (1 of 2, 1 of 3) to certainty.
    assert value["scale_rise.hat"] == pytest.approx(0.5, abs=0.02)
    assert value["scale_rise.coat"] == pytest.approx(2 / 3, abs=0.02)
    assert value["composition_mae_255"] == pytest.approx(0.0, abs=1e-4)
    assert value["reversibility_mae_255"] == pytest.approx(0.0, abs=1e-4)
    assert found.metrics["effectiveness.hat"].n == N
    assert found.metrics["effectiveness.hat"].low > 0.95
    assert found.settings["scales"] == [1.0, 1.5, 2.0, 3.0]


def test_a_model_that_ignores_the_condition_has_no_effect_and_tells_all(people: ImageSet) -> None:
    found = judged(Draws(obeys=False), people, probe_data=people)
    value = values(found)
    for name, most in (("hat", 50.0), ("coat", 100.0 * 2 / 3)):
        assert value[f"effectiveness.{name}"] == 0.0
        assert value[f"leakage_points.{name}"] == 0.0
        assert value[f"scale_rise.{name}"] == 0.0
        assert value[f"monotone_share.{name}"] == 1.0, "what never changes never falls"
        assert value[f"condition_probe_points.{name}"] == pytest.approx(most, abs=1e-6)
    assert value["condition_probe_points"] == value["condition_probe_points.coat"]


def test_a_latent_without_the_condition_is_not_read(people: ImageSet) -> None:
    found = judged(Draws(), people, probe_data=people.select(np.arange(0, N, 2)))
    assert found.metrics["condition_probe_points"].value < 20.0


def test_a_flip_that_turns_something_else_leaks(people: ImageSet) -> None:
    value = values(judged(Draws(leaks=True), people))
    assert value["effectiveness.hat"] == 1.0
    # Reconstruction already turns the coat of those with a hat, and their flip turns it back; the others'
    # flip turns it: as many as have no hat, less as many as have one.
    hats = people.codes("hat") == 1
    assert value["leakage_points.hat"] == pytest.approx(100.0 * ((~hats).mean() - hats.mean()), abs=1e-6)
    assert value["leakage_points.coat"] == 0.0


def test_a_model_whose_encoder_decides_is_found_out(people: ImageSet) -> None:
    value = values(judged(Draws(listens=True), people))
    for name in ("hat", "coat"):
        assert value[f"encoder_flip_effect.{name}"] == 1.0
        assert value[f"effectiveness.{name}"] == 0.0
        assert value[f"effectiveness.{name}@both"] == 1.0


def test_an_encoder_that_leaks_when_it_is_told_is_found_out(people: ImageSet) -> None:
    class Turns(Draws):
        """Its encoder notes the hat that it is told, and its decoder turns the coat by that."""

        def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
            assert condition is not None
            z = images.clone()
            z[:, 0, 0, 0] = condition[:, 1]
            return Posterior(z)

        def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
            assert condition is not None
            hat, coat = latents[:, 0, 0, 0, None], condition[:, 2:]
            turned = torch.where(hat > 0.5, coat.roll(1, dims=1), coat)
            return self._with(latents, torch.cat([condition[:, :2], turned], 1))

    value = values(judged(Turns(), people, scales=(2.0,)))
    hats = people.codes("hat") == 1
    points = 100.0 * ((~hats).mean() - hats.mean())
    assert value["leakage_points.hat"] == 0.0, "the decoder's flip does nothing to the coat"
    for setting in ("@encoder", "@both", "@both@2"):
        assert value[f"leakage_points.hat{setting}"] == pytest.approx(points, abs=1e-6)


def test_what_falls_with_the_scale_is_not_monotone(people: ImageSet) -> None:
    class Turns(Draws):
        def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
            assert condition is not None
            return super().decode(latents, torch.where(condition > 1.6, 0.0 * condition, condition))

    value = values(judged(Turns(), people, scales=(2.0,)))
    assert value["monotone_share.hat"] == 0.0
    assert value["scale_rise.hat"] == pytest.approx(0.0, abs=1e-6)
    assert value["effectiveness.coat"] == 1.0
    assert value["effectiveness.coat@2"] < 0.6
    assert value["effectiveness.coat@both"] == 1.0
    assert value["effectiveness.coat@both@2"] < 0.6
    assert "effectiveness.coat@3" not in value
    assert "effectiveness.coat@both@3" not in value


def test_groups_are_judged_alone(people: ImageSet) -> None:
    found = judged(Draws(), people, groups=["hat", "coat"])
    assert len(found.groups) == 6
    assert sum(one["effectiveness.hat"].n for one in found.groups.values()) == N
    assert "condition_probe_points" not in found.groups["hat=no,coat=red"]


def test_unknown_labels_have_no_target(people: ImageSet) -> None:
    labels = {**people.labels, "hat": np.where(np.arange(N) < 20, -1, people.labels["hat"])}
    some = ImageSet(people.info, people.images, labels, people.names, people.splits, people.rows)
    found = judged(Draws(), some)
    assert found.metrics["effectiveness.hat"].n == N - 20
    assert found.metrics["effectiveness.coat"].n == N


def test_there_and_back_is_of_images_with_a_class_to_go_back_to(people: ImageSet) -> None:
    unknown = np.arange(N) < 20

    def some(**which: np.ndarray) -> ImageSet:
        labels = {**people.labels, **{k: np.where(v, -1, people.labels[k]) for k, v in which.items()}}
        return ImageSet(people.info, people.images, labels, people.names, people.splits, people.rows)

    class Fades(Draws):
        """Reconstructs what it is told everything of; of the others it makes a white picture."""

        def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
            assert condition is not None
            told = (condition.sum(1) > 1.5)[:, None, None, None]
            return torch.where(told, super().decode(latents, condition), torch.ones(()))

    found = judged(Fades(), some(hat=unknown, coat=unknown)).metrics
    assert found["composition_mae_255"].n == N
    assert found["composition_mae_255"].value > 1.0
    assert found["reversibility_mae_255"].n == N - 20
    assert found["reversibility_mae_255"].value == pytest.approx(0.0, abs=1e-4)
    # One class is enough to be flipped, and then only that flip counts.
    assert judged(Draws(), some(hat=unknown)).metrics["reversibility_mae_255"].n == N
    none = np.ones(N, dtype=bool)
    assert "reversibility_mae_255" not in judged(Draws(), some(hat=none, coat=none)).metrics


def test_it_repeats_by_seed(people: ImageSet) -> None:
    model = Draws(leaks=True)
    assert judged(model, people) == judged(model, people)
    assert judged(model, people).metrics["leakage_points.hat"].low is not None


class Knows(nn.Module):
    """A model of avatars that draws the true counterfactual from the set itself, by a picture's position."""

    def __init__(self, data: ImageSet, true: bool) -> None:
        super().__init__()
        glasses = Attribute(name="glasses", classes=("no", "yes"), origin="constructed")
        schema = ConditionSchema(attributes=(glasses,))
        self.spec = ModelSpec(family="knows", image_size=32, latent_shape=(1,), condition=schema)
        self.data, self.true = data, true
        self.pictures = images_to_tensor(data.pixels(slice(None)))

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        apart = (images[:, None] - self.pictures[None]).abs().sum((2, 3, 4))
        return Posterior(apart.argmin(1, keepdim=True).float())

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        assert condition is not None
        drawn = []
        for position, c in zip(latents[:, 0].long().tolist(), condition, strict=True):
            label = ("no", "yes")[int(c.argmax())]
            other = true_counterfactual(self.data, position, "glasses", label) if self.true else None
            drawn.append(self.data.pixels([position])[0] if other is None else other)
        return images_to_tensor(np.stack(drawn))

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        return torch.zeros(n, 1)


@pytest.mark.parametrize(("true", "ratio"), [(True, 0.0), (False, 1.0)])
def test_the_error_to_the_truth_is_none_for_the_truth_and_all_for_the_unflipped(
    true: bool, ratio: float, tmp_path: Path
) -> None:
    listed = list_avatars({"test": 6}, seed=4, styles=("lorelei",))
    avatars = open_image_set(make_avatars(tmp_path / "set", listed, 32, workers=1))

    class Judge(Reads):
        def __init__(self) -> None:
            nn.Module.__init__(self)
            glasses = Knows(avatars, true).spec.condition.attributes
            self.spec = PredictorSpec(family="reads", image_size=32, attributes=glasses)

        def probabilities(self, features: Tensor) -> dict[str, Tensor]:
            return {"glasses": torch.full((len(features), 2), 0.5)}

    found = evaluate_counterfactual(Knows(avatars, true), Judge(), avatars, scales=(1.0,))
    estimate = found.metrics["true_counterfactual_ratio.glasses"]
    assert estimate.value == pytest.approx(ratio, abs=1e-6)
    assert estimate.n == 6
    assert "leakage_points.glasses" not in found.metrics, "there is no other attribute"


def test_what_cannot_be_judged_is_said(people: ImageSet) -> None:
    other = PredictorSpec(
        family="reads", image_size=32, attributes=(HAT.model_copy(update={"classes": ("a", "b")}),)
    )
    judge = Reads()
    judge.spec = other
    with pytest.raises(SettingsError, match="judges none of the condition's attributes"):
        evaluate_counterfactual(Draws(), judge, people)
    found = evaluate_counterfactual(Draws(), Reads((HAT,)), people)
    assert any(note.startswith("coat was not judged") for note in found.notes)
    assert "effectiveness.coat" not in found.metrics


def test_what_cannot_be_flipped_is_refused(people: ImageSet, tiny_faces: ImageSet) -> None:
    blind, plain = Draws(), Draws()
    blind.spec = blind.spec.model_copy(update={"cannot": {"encode": "it has no encoder."}})
    plain.spec = plain.spec.model_copy(update={"condition": ConditionSchema()})
    for model, data, error, said in (
        (blind, people, SettingsError, "cannot encode images: it has no encoder"),
        (plain, people, SettingsError, "unconditional"),
        (Draws(), tiny_faces, DataError, "no attribute 'hat'"),
    ):
        with pytest.raises(error, match=said):
            judged(model, data)
    with pytest.raises(SettingsError, match="finite"):
        judged(Draws(), people, scales=(float("inf"),))


def test_flipping_can_be_cancelled(people: ImageSet) -> None:
    def listen(event: Progress) -> None:
        if event.stage == "Flipping":
            reporter.cancel()

    reporter = Reporter(listen)
    with pytest.raises(Cancelled):
        judged(Draws(), people, reporter=reporter)


def test_the_command_prints_one_json_object(
    tiny_cvae_folder: Path,
    tiny_predictor_folder: Path,
    tiny_faces: ImageSet,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    data = copy_image_set(tmp_path / "set", tiny_faces)
    call = ["evaluate", "counterfactual", str(tiny_cvae_folder), "--data", f"{data}:test", "--scales", "1,2"]
    assert run([*call, "--predictor", str(tiny_predictor_folder), "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["command"] == "evaluate counterfactual"
    assert report["data"]["n"] == 96
    assert set(report["metrics"]) >= {
        "effectiveness.gender",
        "leakage_points.race",
        "encoder_flip_effect.glasses",
        "monotone_share.race",
        "scale_rise.gender",
        "effectiveness.glasses@2",
        "composition_mae_255",
        "reversibility_mae_255",
    }
    assert len(report["groups"]) == 8
    assert run([*call, "--predictor", str(tiny_predictor_folder), "--scales", "1,x"]) == 2
    assert "--scales takes numbers" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("split", "why"),
    [
        (":test", "the set {data} has no training rows to fit probes on"),
        (":train", "{data}:train are the training rows"),
        ("", "{data} is no split of a set"),
    ],
)
def test_a_note_says_why_there_is_no_probe(
    split: str,
    why: str,
    tiny_cvae_folder: Path,
    tiny_predictor_folder: Path,
    tiny_faces: ImageSet,
    tmp_path: Path,
) -> None:
    rows = tiny_faces.split(split.lstrip(":") or "test").select(np.arange(8))
    data = copy_image_set(tmp_path / "set", rows)
    judge, name = str(tiny_predictor_folder), f"{data}{split}"
    found = run_counterfactual(str(tiny_cvae_folder), name, predictor=judge, scales=(1.0,), groups=[])
    assert any(note.startswith("condition_probe_points was not measured") for note in found.evaluation.notes)
    assert any(why.format(data=data) in note for note in found.evaluation.notes)


def test_a_damaged_set_is_no_missing_split(
    tiny_cvae_folder: Path,
    tiny_predictor_folder: Path,
    tiny_faces: ImageSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = copy_image_set(tmp_path / "set", tiny_faces)

    def opened(name: str, *rest: object) -> ImageSet:
        if name.endswith(":train"):
            raise DataError("The image set is damaged.")
        return open_set(name, *rest)

    monkeypatch.setattr("latentlab.metrics.runs.open_set", opened)
    with pytest.raises(DataError, match="damaged"):
        run_counterfactual(str(tiny_cvae_folder), f"{data}:test", predictor=str(tiny_predictor_folder))
