"""A model's evaluation agrees with its own pictures measured by hand, for real and for extreme models."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from latentlab.checkpoints import load
from latentlab.cli.main import run
from latentlab.data.image_set import ImageSet, images_to_tensor
from latentlab.errors import Cancelled, SettingsError
from latentlab.metrics.evaluate_reconstruction import evaluate_reconstruction, other_held_out
from latentlab.metrics.frechet import frechet_distance
from latentlab.metrics.report import Evaluation
from latentlab.model import Posterior
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute, ConditionSchema, ModelSpec


@pytest.fixture(scope="module")
def predictor(tiny_predictor_folder: Path):
    return load(tiny_predictor_folder).network


@pytest.fixture(scope="module")
def model(tiny_model_folder: Path):
    return load(tiny_model_folder).network


@pytest.fixture(scope="module")
def test_rows(tiny_faces: ImageSet) -> ImageSet:
    return tiny_faces.split("test")


@pytest.fixture(scope="module")
def found(model, predictor, test_rows: ImageSet, tiny_faces: ImageSet) -> Evaluation:
    reference = tiny_faces.split("validation")
    return evaluate_reconstruction(model, predictor, test_rows, reference=reference, samples=100)


class Perfect(nn.Module):
    """A model whose latent is the picture itself; it serves for known answers."""

    def __init__(self, spec: ModelSpec | None = None, brightness: float = 0.0) -> None:
        super().__init__()
        self.spec = spec or ModelSpec(family="perfect", image_size=32, latent_shape=(3, 32, 32))
        self.brightness = brightness
        self.conditions: list[Tensor | None] = []

    def encode(self, images: Tensor, condition: Tensor | None = None) -> Posterior:
        self.conditions.append(condition)
        return Posterior(images)

    def decode(self, latents: Tensor, condition: Tensor | None = None) -> Tensor:
        return latents + self.brightness

    def sample(self, n: int, condition: Tensor | None, generator: torch.Generator) -> Tensor:
        self.conditions.append(condition)
        return torch.rand(n, 3, 32, 32, generator=generator)


def test_the_error_is_the_mean_over_pixels_of_the_decoded_posterior_mean(found, model, test_rows):
    x = images_to_tensor(test_rows.pixels(slice(0, None)))
    with torch.inference_mode():
        expected = (model.decode(model.encode(x).mean) - x).abs().mean() * 255.0
    estimate = found.metrics["mae_255"]
    assert estimate.value == pytest.approx(float(expected), rel=1e-5)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.n == 96


def test_agreement_compares_the_predictors_answers_before_and_after(found, model, predictor, test_rows):
    x = images_to_tensor(test_rows.pixels(slice(0, None)))
    with torch.inference_mode():
        before, after = predictor.predict(x), predictor.predict(model.decode(model.encode(x).mean))
    truth = test_rows.codes("gender")

    def balanced(p: Tensor) -> float:
        return float(np.mean([np.mean(p.argmax(1).numpy()[truth == k] == k) for k in (0, 1)]))

    estimate = found.metrics["agreement.gender"]
    assert estimate.value == pytest.approx(balanced(after["gender"]) / balanced(before["gender"]))
    assert set(found.groups["gender=male,race=white"]) >= {"mae_255"}


def test_frechet_distances_are_of_the_stated_features(found, model, predictor, test_rows, tiny_faces):
    x = images_to_tensor(test_rows.pixels(slice(0, None)))
    y = images_to_tensor(tiny_faces.split("validation").pixels(slice(0, None)))
    with torch.inference_mode():
        reconstructions = predictor.features(model.decode(model.encode(x).mean)).numpy()
        others = predictor.features(y).numpy()
    estimate = found.metrics["frechet_reconstruction"]
    assert estimate.value == pytest.approx(frechet_distance(reconstructions, others), rel=1e-4)
    assert (estimate.low, estimate.high, estimate.n) == (None, None, 64)
    assert found.metrics["frechet_sample"].n == 96
    assert any(
        "96 reconstructions against 64 originals of the reference rows" in note for note in found.notes
    )
    assert any("fewer than 2000 images a side" in note for note in found.notes)


def test_active_dimensions_are_those_whose_mean_varies(found, model, test_rows):
    with torch.inference_mode():
        mean = model.encode(images_to_tensor(test_rows.pixels(slice(0, None)))).mean
    assert found.metrics["active_dimensions"].value == int((mean.numpy().var(axis=0) > 0.01).sum())


def test_a_perfect_model_loses_nothing(predictor, test_rows):
    again = evaluate_reconstruction(Perfect(), predictor, test_rows, samples=64)
    assert again.metrics["mae_255"].value == 0.0
    agreements = {name: e.value for name, e in again.metrics.items() if name.startswith("agreement")}
    assert agreements == dict.fromkeys(agreements, 1.0)
    floor = next(note for note in again.notes if note.startswith("frechet_reconstruction"))
    assert f"are {again.metrics['frechet_reconstruction'].value:.4g} away" in floor
    assert "48 reconstructions against 48 originals of the set's other half" in floor


def test_a_known_change_has_its_known_error(predictor, test_rows):
    again = evaluate_reconstruction(Perfect(brightness=0.1), predictor, test_rows, samples=64)
    assert again.metrics["mae_255"].value == pytest.approx(25.5, rel=1e-4)
    assert again.groups["gender=female,race=asian"]["mae_255"].value == pytest.approx(25.5, rel=1e-4)


def test_halves_share_no_image_even_in_a_resampled_set(predictor, test_rows):
    twice = test_rows.select(np.repeat(np.arange(40), 3))
    again = evaluate_reconstruction(Perfect(), predictor, twice, samples=8, groups=[])
    assert any("60 reconstructions against 60 originals" in note for note in again.notes)


def test_a_model_that_cannot_sample_is_measured_otherwise(predictor, test_rows):
    spec = Perfect().spec.model_copy(update={"cannot": {"sample": "it has no prior."}})
    again = evaluate_reconstruction(Perfect(spec), predictor, test_rows)
    assert "frechet_sample" not in again.metrics
    assert "frechet_sample was not measured: it has no prior." in again.notes


def test_a_model_that_cannot_encode_is_refused_with_its_reason(predictor, test_rows):
    spec = Perfect().spec.model_copy(update={"cannot": {"encode": "it has no encoder."}})
    with pytest.raises(SettingsError, match="cannot encode images: it has no encoder"):
        evaluate_reconstruction(Perfect(spec), predictor, test_rows)


def test_a_conditional_model_is_given_each_images_own_condition(predictor, test_rows):
    schema = ConditionSchema(attributes=(Attribute(name="gender", classes=("male", "female")),))
    model = Perfect(Perfect().spec.model_copy(update={"condition": schema}))
    evaluate_reconstruction(model, predictor, test_rows, samples=10)
    given = torch.cat(model.conditions[:2]).numpy()
    assert (given.argmax(axis=1) == 1 - test_rows.codes("gender")).all()
    assert (given.sum(axis=1) == 1).all()
    assert model.conditions[2].shape == (10, 2)


def test_a_reference_that_overlaps_is_refused(predictor, test_rows, tiny_faces):
    with pytest.raises(SettingsError, match="shares images"):
        evaluate_reconstruction(Perfect(), predictor, test_rows, reference=tiny_faces.select(np.arange(400)))


def test_too_few_samples_are_refused(predictor, test_rows):
    with pytest.raises(SettingsError, match="At least 2 samples"):
        evaluate_reconstruction(Perfect(), predictor, test_rows, samples=1)


def test_one_image_gives_an_error_but_no_distances(predictor, test_rows):
    again = evaluate_reconstruction(Perfect(), predictor, test_rows.select(np.arange(1)), samples=4)
    assert again.metrics["mae_255"].n == 1
    assert not any(name.startswith("frechet") for name in again.metrics)


def test_samples_repeat_by_seed(model, predictor, test_rows, tiny_faces, found):
    reference = tiny_faces.split("validation")
    calls = {"reference": reference, "samples": 100}
    assert evaluate_reconstruction(model, predictor, test_rows, **calls) == found
    other = evaluate_reconstruction(model, predictor, test_rows, seed=5, **calls)
    assert other.metrics["frechet_sample"] != found.metrics["frechet_sample"]
    assert other.metrics["frechet_reconstruction"] == found.metrics["frechet_reconstruction"]


def test_sampling_can_be_cancelled(predictor, test_rows):
    def listen(event: Progress) -> None:
        if event.stage == "Judging samples":
            reporter.cancel()

    reporter = Reporter(listen)
    with pytest.raises(Cancelled):
        evaluate_reconstruction(Perfect(), predictor, test_rows, samples=10_000, reporter=reporter)


def test_validation_rows_accompany_test_rows_and_never_the_other_way_round():
    reference = other_held_out("faces:test", 32)
    assert reference is not None
    assert len(reference) == 2048
    assert all(name.startswith("train-") for name in reference.names[reference.rows])
    assert other_held_out("faces:validation", 32) is None
    assert other_held_out("faces", 32) is None
    assert other_held_out("nowhere:test", 32) is None


def test_the_command_prints_exactly_one_json_object_and_a_table(
    tiny_model_folder: Path, tiny_predictor_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    call = ["evaluate", "reconstruction", str(tiny_model_folder), "--data", "faces:test", "--samples", "2048"]
    table = tmp_path / "t.csv"
    assert run([*call, "--predictor", str(tiny_predictor_folder), "--json", "--table", str(table)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["command"] == "evaluate reconstruction"
    assert report["settings"]["model"] == "tiny-vae"
    assert report["settings"]["predictor"] == "tiny-attributes"
    assert report["settings"]["seed"] == 0
    assert set(report["metrics"]) >= {
        "mae_255", "agreement.race", "frechet_reconstruction", "frechet_sample", "active_dimensions",
    }  # fmt: skip
    assert report["metrics"]["frechet_sample"]["low"] is None
    assert report["metrics"]["frechet_reconstruction"]["n"] == 2048
    assert len(report["groups"]) == 8
    assert table.read_text().startswith("group,metric,value,low,high,n\nall,mae_255,")


def wrong_shape(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors["from_latent.bias"] = torch.zeros(5)
    save_file(tensors, folder / "model.safetensors")


def future_family(folder: Path) -> None:
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace('"family": "vae"', '"family": "diffusion-9"'))


def cut_off(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-8])


@pytest.mark.parametrize(
    ("spoil", "options", "said"),
    [
        (wrong_shape, [], "from_latent.bias should have the shape"),
        (future_family, [], "family 'diffusion-9' is unknown"),
        (cut_off, [], "truncated"),
        (None, [], "No attribute predictor is known to go with"),
        (None, ["--predictor", "nowhere"], "There is no checkpoint nowhere"),
        (None, ["--predictor", "MODEL"], "is a model, not an attribute predictor"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(
    spoil, options: list[str], said: str, tiny_model_folder: Path, tmp_path: Path, capfd
):
    folder = Path(shutil.copytree(tiny_model_folder, tmp_path / "model"))
    if spoil is not None:
        spoil(folder)
    options = [str(folder) if option == "MODEL" else option for option in options]
    assert run(["evaluate", "reconstruction", str(folder), "--data", "faces:test", *options]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert said in err


def test_a_predictor_is_no_model(tiny_predictor_folder: Path, capfd: pytest.CaptureFixture[str]):
    assert run(["evaluate", "reconstruction", str(tiny_predictor_folder), "--data", "faces:test"]) == 2
    assert "is an attribute predictor, not a model" in capfd.readouterr().err


def test_an_image_size_that_does_not_fit_is_refused(model, predictor, test_rows):
    larger = replace(test_rows, info=test_rows.info.model_copy(update={"image_size": 64}))
    with pytest.raises(SettingsError, match="works at 32 px"):
        evaluate_reconstruction(model, predictor, larger)
