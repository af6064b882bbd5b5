"""The recipes: what the losses and the calibration promise, and whole trainings from the command line."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from latentlab.checkpoints import load, save
from latentlab.data.image_set import ImageSet, SetInfo, images_to_tensor
from latentlab.errors import SettingsError
from latentlab.families.attribute_cnn import AttributeCNN, AttributeCNNConfig
from latentlab.families.vae import VAE, VAEConfig
from latentlab.model import Posterior
from latentlab.spec import Attribute, CheckpointConfig, PredictorSpec
from latentlab.training.classifier import ClassifierRecipe, calibrated_spec, fit_temperature
from latentlab.training.loop import LoopSettings, make_fabric, train
from latentlab.training.perceptual import FeatureDistance, PatchDiscriminator, hinge_loss
from latentlab.training.vae import summarise_latents


def test_kl_agrees_with_torch_distributions():
    generator = torch.Generator().manual_seed(0)
    mean, logvar = torch.randn(5, 3, generator=generator), torch.randn(5, 3, generator=generator)
    normal = torch.distributions.Normal
    wanted = torch.distributions.kl_divergence(normal(mean, (0.5 * logvar).exp()), normal(0.0, 1.0))
    torch.testing.assert_close(Posterior(mean, logvar).kl(), wanted)


def test_the_reparameterisation_uses_the_standard_deviation():
    posterior = Posterior(torch.zeros(20_000, 1), torch.full((20_000, 1), np.log(4.0)))
    assert posterior.sample(torch.Generator().manual_seed(0)).std() == pytest.approx(2.0, rel=0.03)


def test_feature_distance_is_zero_for_equal_pictures_and_leaves_its_network_alone(
    tiny_predictor_folder, tiny_faces
):
    distance = FeatureDistance(load(tiny_predictor_folder).network)
    x = images_to_tensor(tiny_faces.pixels(slice(0, 4)))
    y = x.flip(0).clone().requires_grad_(True)
    assert float(distance(x, x)) == pytest.approx(0.0, abs=1e-7)
    found = distance(y, x)
    found.backward()
    assert found.item() > 1e-3
    assert float(y.grad.abs().sum()) > 0
    assert all(parameter.grad is None for parameter in distance.parameters())


def test_the_discriminator_learns_to_tell_noise_from_faces(tiny_faces):
    torch.manual_seed(0)
    judge = PatchDiscriminator(8)
    real = images_to_tensor(tiny_faces.pixels(slice(0, 16)))
    fake = torch.rand(real.shape, generator=torch.Generator().manual_seed(1))
    optimizer = torch.optim.Adam(judge.parameters(), lr=5e-3)
    for _ in range(30):
        loss = hinge_loss(judge(real), judge(fake))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        assert judge(real).mean() > judge(fake).mean() + 0.5


def test_the_fitted_temperature_undoes_a_known_one():
    generator = torch.Generator().manual_seed(0)
    honest = torch.randn(20_000, 3, generator=generator)
    codes = torch.multinomial(honest.softmax(1), 1, generator=generator)[:, 0].numpy()
    assert fit_temperature(honest * 3.0, codes) == pytest.approx(3.0, rel=0.05)


SMALL = AttributeCNNConfig(image_size=32, widths=(8, 8), blocks=(0, 1), hidden=8)


def labelled(attributes: dict[str, tuple[str, ...]], codes: dict[str, list[int]]) -> ImageSet:
    """A set of noise at 32 px with these labels."""
    n = len(next(iter(codes.values())))
    return ImageSet(
        SetInfo(
            name="noise",
            image_size=32,
            attributes=tuple(Attribute(name=name, classes=classes) for name, classes in attributes.items()),
        ),
        np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8),
        {name: np.array(values, dtype=np.int64) for name, values in codes.items()},
        np.array([str(k) for k in range(n)]),
        np.zeros(n, dtype=np.int8),
        np.arange(n),
    )


@pytest.mark.parametrize("name", ["type", "keys", "training", "hair.colour", "#0", "ordinary"])
def test_an_attribute_may_have_any_name(tmp_path, name):
    attributes = (Attribute(name="gender", classes=("a", "b")), Attribute(name=name, classes=("a", "b", "c")))
    spec = PredictorSpec(family="attribute_cnn", image_size=32, attributes=attributes)
    network = AttributeCNN(SMALL, spec)
    assert "heads.gender.weight" in network.state_dict()
    config = CheckpointConfig(kind="predictor", predictor=spec, network=SMALL.model_dump(mode="json"))
    opened = load(save(tmp_path / "predictor", network, config)).network
    found = opened.predict(torch.rand(2, 3, 32, 32))
    assert list(found) == ["gender", name]
    assert found[name].shape == (2, 3)


def test_batches_without_a_label_train_and_unlabelled_rows_are_calibrated_to_nothing(tmp_path):
    data = labelled({"type": ("no", "yes")}, {"type": [-1] * 16})
    settings = LoopSettings(steps=2, batch=4, precision="32-true", threads=1, accelerator="cpu")
    recipe = ClassifierRecipe(SMALL, data, ["type"], data)
    network = train(recipe, data, tmp_path, settings, make_fabric(settings)).network
    assert all(torch.isfinite(parameter).all() for parameter in network.parameters())
    assert calibrated_spec(network, data, (), "noise").temperature == {"type": 1.0}


def test_held_out_classes_are_matched_by_name():
    data = labelled({"hat": ("no", "yes")}, {"hat": [0, 1, 0, 1]})
    held_out = labelled({"hat": ("yes", "no")}, {"hat": [1, 0, 1, 0]})
    network = ClassifierRecipe(SMALL, data, ["hat"], held_out).network.eval()
    one, other = (calibrated_spec(network, images, ["hat"], "noise") for images in (data, held_out))
    assert one.confusion == other.confusion
    assert one.group_confusion == {key: other.group_confusion[key] for key in ("hat=no", "hat=yes")}


def test_a_continuous_attribute_cannot_be_classified():
    data = labelled({"hat": ("no", "yes")}, {"hat": [0, 1]})
    age = Attribute(name="age", kind="continuous")
    data = replace(
        data, info=data.info.model_copy(update={"attributes": (age,)}), labels={"age": np.array([3.0, 4.0])}
    )
    with pytest.raises(SettingsError, match="'age' is continuous"):
        ClassifierRecipe(SMALL, data, ["age"], None)


@pytest.mark.parametrize(
    "wrong",
    [
        ["--image-size", "33"],
        ["--latent", "0"],
        ["--seed", "-1"],
        ["--devices", "0"],
        ["--precision", "half"],
        ["--accelerator", "abacus"],
        ["--beta", "nan"],
    ],
)
def test_settings_that_cannot_be_are_a_clear_error(tmp_path, capsys, wrong):
    from latentlab.cli.main import run

    common = ["--data", "faces:train", "--image-size", "32", "--steps", "1", "--out", str(tmp_path / "vae")]
    assert run(["train", "vae", *common, *wrong]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_latent_summary_is_measured(tiny_model_folder, tiny_faces):
    vae = load(tiny_model_folder).network
    assert isinstance(vae, VAE)
    summary = summarise_latents(vae, tiny_faces, batch=50)
    posterior = vae.encode(images_to_tensor(tiny_faces.pixels(slice(None))))
    np.testing.assert_allclose(summary.mean, posterior.mean.mean(0).numpy(), atol=1e-4)
    np.testing.assert_allclose(summary.kl, posterior.kl().mean(0).numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [32, 64, 128])
def test_every_picture_size_encodes_and_decodes(size):
    vae = VAE(VAEConfig(image_size=size, latent=6))
    images = torch.rand(2, 3, size, size)
    posterior = vae.encode(images)
    assert posterior.mean.shape == (2, 6)
    assert vae.decode(posterior.mean).shape == images.shape


def test_a_picture_does_not_depend_on_its_neighbours(tiny_model_folder):
    vae = load(tiny_model_folder).network
    z = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(vae.decode(z)[:1], vae.decode(z[:1]), atol=1e-5, rtol=1e-4)


def test_trainings_from_the_command_line_give_checkpoints_that_open(tmp_path, capsys):
    from latentlab.cli.main import run

    common = ["--data", "faces:train", "--image-size", "32", "--steps", "3", "--batch", "8", "--threads", "1"]
    predictor = tmp_path / "attributes"
    arguments = ["--attributes", "gender,glasses", "--groups", "gender", "--out", str(predictor)]
    assert run(["train", "classifier", *common, *arguments]) == 0
    opened = load(predictor)
    assert [a.name for a in opened.config.predictor.attributes] == ["gender", "glasses"]
    assert set(opened.config.predictor.group_confusion) == {"gender=female", "gender=male"}
    assert opened.config.predictor.confusion["gender"].array().sum() == 2048

    model = tmp_path / "vae"
    arguments = ["--features", str(predictor), "--latent", "8", "--out", str(model), "--rate", "1e-3"]
    widths = ["--encoder-widths", "8,16,24", "--decoder-widths", "8,16,32"]
    assert run(["train", "vae", *common, *arguments, *widths]) == 0
    opened = load(model)
    assert opened.config.network["decoder_widths"] == [8, 16, 32]
    assert opened.config.network["encoder_blocks"] == [1, 1, 1]
    assert opened.config.training["losses"]["rate"] == 1e-3
    assert opened.config.model.latent_shape == (8,)
    assert len(opened.config.model.latent_summary.kl) == 8
    record = json.loads((model / "config.json").read_text())["training"]
    assert record["data"] == "faces:train"
    assert str(model) in capsys.readouterr().out


def test_a_training_goes_on_from_a_checkpoint(tmp_path, tiny_model_folder, tiny_predictor_folder, capsys):
    from latentlab.cli.main import run

    out = tmp_path / "vae"
    common = ["train", "vae", "--data", "faces:train", "--steps", "1", "--batch", "8", "--threads", "1"]
    start = ["--from", str(tiny_model_folder), "--rate", "1e-9"]
    assert run([*common, *start, "--out", str(out)]) == 0
    opened, before = load(out), load(tiny_model_folder)
    assert opened.config.network == before.config.network
    assert opened.config.training["from"] == str(tiny_model_folder)
    assert opened.config.training["losses"]["warmup"] == 0.0
    for name, weight in before.network.state_dict().items():
        torch.testing.assert_close(opened.network.state_dict()[name], weight, atol=1e-3, rtol=1e-3)
    for wrong, message in (
        (["--from", str(tiny_model_folder), "--latent", "9"], "has latent 8"),
        (["--from", str(tiny_predictor_folder)], "only go on from a VAE"),
    ):
        assert run([*common, *wrong, "--out", str(tmp_path / "other")]) == 2
        assert message in capsys.readouterr().err


def test_an_autoencoder_is_trained_on_several_sets_together(tmp_path, tiny_model_folder, capsys):
    from latentlab.cli.main import run

    out = tmp_path / "both"
    common = ["train", "autoencoder", "--steps", "1", "--batch", "8", "--threads", "1"]
    sets = ["--data", "faces:validation", "--data", "faces:test"]
    assert run([*common, *sets, "--from", str(tiny_model_folder), "--out", str(out)]) == 0
    record = load(out).config.training
    assert record["data"] == "joined: faces:validation + faces:test"
    assert record["losses"]["beta"] == 1e-5
    assert record["losses"]["adversarial_from"] == 0.6
    asked = ["--features", "faces-attributes", "--image-size", "64"]
    assert run([*common, *sets, *asked, "--out", str(tmp_path / "x")]) == 2
    assert "must stand in no loss" in capsys.readouterr().err, "the usual judge of one of the sets"


def test_held_out_rows_of_several_sets_are_joined_too(tiny_faces):
    from latentlab.progress import Reporter
    from latentlab.training.setting_out import open_sets, set_words

    images, held_out = open_sets(["faces:train", "faces:test"], None, 32, Reporter())
    assert images.attribute("dataset").classes == ("faces:train", "faces:test")
    assert len(images) == 10240 - 2048 + 2048
    assert len(held_out) == 2048, "of the one set that has any"
    again, _ = open_sets(["faces:train", "faces:train"], None, 32, Reporter())
    assert len(again) == 10240 - 2048
    assert set_words(["faces:train", "faces:train"]) == "faces:train"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--decoder-widths", "8,x"], "whole numbers"),
        (["--decoder-widths", "8,16"], "same length"),
        (["--rate", "0"], "more than 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path, capsys, arguments, message):
    from latentlab.cli.main import run

    out = ["--data", "faces:train", "--steps", "1", "--out", str(tmp_path / "vae")]
    assert run(["train", "vae", *out, *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "recorded"),
    [("/bin/latentlab", True), ("/lib/latentlab/__main__.py", True), ("/bin/pytest", False)],
)
def test_the_command_that_trained_is_recorded(monkeypatch, program, recorded):
    from latentlab.training.loop import LoopSettings, Trained
    from latentlab.training.runs import training_record

    monkeypatch.setattr("sys.argv", [program, "train", "vae", "--out", "my vae"])
    record = training_record("faces:train", LoopSettings(), Trained(torch.nn.Identity(), 1, 1, 0.0), {})
    assert record["command"] == ("latentlab train vae --out 'my vae'" if recorded else "")


def test_a_feature_network_of_another_size_is_a_clear_error(tmp_path, tiny_predictor_folder, capsys):
    from latentlab.cli.main import run

    arguments = ["--data", "faces:train", "--steps", "1", "--features", str(tiny_predictor_folder)]
    assert run(["train", "vae", *arguments, "--out", str(tmp_path / "vae")]) == 2
    assert "64 px" in capsys.readouterr().err


def test_the_judge_may_stand_in_no_loss(tmp_path, capsys):
    from latentlab.cli.main import run

    arguments = ["--data", "faces:train", "--steps", "1", "--features", "faces-attributes"]
    arguments += ["--predictor", "faces-attributes", "--out", str(tmp_path / "vae")]
    assert run(["train", "vae", *arguments]) == 2
    assert "must stand in no loss" in capsys.readouterr().err


def test_the_usual_judge_may_stand_in_no_loss_either(tmp_path, capsys):
    from latentlab.cli.main import run

    arguments = ["--data", "faces:train", "--steps", "1", "--features", "faces-attributes"]
    assert run(["train", "vae", *arguments, "--out", str(tmp_path / "vae")]) == 2
    assert "must stand in no loss" in capsys.readouterr().err
