"""The recipe of the conditional VAE: the same bits on resuming, a latent that tells less, flips that obey."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.checkpoints import load
from latentlab.data.image_set import ImageSet, SetInfo, images_to_tensor
from latentlab.errors import Cancelled, SettingsError
from latentlab.families.attribute_cnn import AttributeCNN, AttributeCNNConfig
from latentlab.families.cvae import CVAE, CVAEConfig
from latentlab.metrics.labels import conditions, with_span
from latentlab.progress import Reporter
from latentlab.spec import Attribute, ConditionSchema, PredictorSpec
from latentlab.training.cvae import CVAELosses, CVAERecipe
from latentlab.training.independence import dependence, reading_error
from latentlab.training.loop import LoopSettings, Step, make_fabric, train

TINY = CVAEConfig(
    image_size=32,
    latent=4,
    encoder_widths=(8, 8, 8),
    encoder_blocks=(0, 1, 0),
    decoder_widths=(8, 8, 8),
    decoder_blocks=(0, 1, 0),
)
PLAIN = CVAELosses(
    features=0.0, adversarial=0.0, guide=0.0, independence="none", beta=1e-6, warmup=0.0, rate=2e-3
)
COLOUR = Attribute(name="colour", classes=("red", "blue"), origin="constructed")
SCHEMA = ConditionSchema(attributes=(COLOUR,))


@pytest.fixture(scope="module")
def flags() -> ImageSet:
    """Pictures of one colour, red or blue, with a grey bar whose place is their own."""
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 2, 128)
    images = np.zeros((128, 32, 32, 3), dtype=np.uint8)
    images[codes == 0, ..., 0] = 200
    images[codes == 1, ..., 2] = 200
    for k, place in enumerate(generator.integers(0, 28, 128)):
        images[k, place : place + 4] = 128
    info = SetInfo(name="flags", image_size=32, attributes=(COLOUR,))
    names, splits = np.array([str(k) for k in range(128)]), np.zeros(128, dtype=np.int8)
    return ImageSet(info, images, {"colour": codes}, names, splits, np.arange(128))


@pytest.fixture(scope="module")
def guide(flags: ImageSet) -> AttributeCNN:
    """A small classifier that knows red from blue."""
    small = AttributeCNNConfig(image_size=32, widths=(8, 8), blocks=(0, 1), hidden=8)
    torch.manual_seed(0)
    network = AttributeCNN(small, PredictorSpec(family="attribute_cnn", image_size=32, attributes=(COLOUR,)))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    x, codes = images_to_tensor(flags.pixels(slice(0, 32))), torch.from_numpy(flags.codes("colour")[:32])
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(network(x)["colour"], codes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    return network.eval()


def trained(
    data: ImageSet,
    folder: Path,
    losses: CVAELosses = PLAIN,
    guide: AttributeCNN | None = None,
    reporter: Reporter | None = None,
    **settings,
) -> tuple[CVAE, CVAERecipe]:
    given = {"steps": 8, "batch": 16, "precision": "32-true", "threads": 1, "ema": 0.5, "accelerator": "cpu"}
    given |= settings
    chosen = LoopSettings(**given)
    torch.manual_seed(chosen.seed)
    recipe = CVAERecipe(TINY, SCHEMA, losses, data, None, guide=guide)
    network = train(recipe, data, folder, chosen, make_fabric(chosen), reporter).network
    assert isinstance(network, CVAE)
    return network.eval(), recipe


def run(*arguments, **settings) -> CVAE:
    return trained(*arguments, **settings)[0]


def latents(cvae: CVAE, recipe: CVAERecipe, data: ImageSet) -> tuple[torch.Tensor, torch.Tensor]:
    """What the decoder sees of pictures whose encoder is told nothing, and the pictures' conditions."""
    x = images_to_tensor(data.pixels(slice(None)))
    with torch.inference_mode():
        mean = cvae.encode(x, torch.zeros(len(x), 2)).mean
    return mean, torch.from_numpy(conditions(SCHEMA, data))


class StopAfter(Reporter):
    """Cancels once a state of that step has been saved."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.state = folder / "state" / "state.safetensors"

    @property
    def cancelled(self) -> bool:
        return self.state.is_file()


@pytest.mark.parametrize("independence", ["linear", "adversarial", "hsic"])
def test_a_resumed_training_ends_with_the_same_bits(
    flags: ImageSet, guide: AttributeCNN, tmp_path: Path, independence: str
) -> None:
    losses = replace(PLAIN, independence=independence, guide=0.1, adversarial=0.3, adversarial_from=0.5)
    whole = run(flags, tmp_path / "whole", losses, guide).state_dict()
    broken = tmp_path / "broken"
    with pytest.raises(Cancelled):
        run(flags, broken, losses, guide, StopAfter(broken), save_every=3)
    resumed = run(flags, broken, losses, guide, save_every=3).state_dict()
    for name in whole:
        assert torch.equal(whole[name], resumed[name]), name


def test_a_penalty_makes_the_latent_tell_less(flags: ImageSet, tmp_path: Path) -> None:
    told = {}
    for kind in ("none", "linear", "hsic"):
        losses = replace(PLAIN, independence=kind, independence_weight=0.3)
        _, recipe = trained(flags, tmp_path / kind, losses, steps=60)
        told[kind] = float(dependence(*latents(recipe.cvae, recipe, flags)))
    assert told["hsic"] < 0.7 * told["none"]
    assert told["linear"] < 0.9 * told["none"]


def test_the_adversary_makes_its_reader_less_sure(flags: ImageSet, tmp_path: Path) -> None:
    surprise = {}
    for weight in (1e-12, 1.0):
        losses = replace(PLAIN, independence="adversarial", independence_weight=weight)
        _, recipe = trained(flags, tmp_path / str(weight), losses, steps=80)
        last = slice(int(recipe.reader.seen) - 256, int(recipe.reader.seen))
        z = recipe.reader.latents[last]
        with torch.inference_mode():
            read = recipe.reader(z)
            surprise[weight] = float(reading_error(SCHEMA, read, recipe.shares.expand_as(read)))
    assert surprise[1.0] < surprise[1e-12], "one that is sure is far from the classes' shares"


def test_the_guide_makes_flips_obey(flags: ImageSet, guide: AttributeCNN, tmp_path: Path) -> None:
    x, c = images_to_tensor(flags.pixels(slice(None))), torch.from_numpy(conditions(SCHEMA, flags))
    obeyed = {}
    for weight in (0.0, 1.0):
        losses = replace(PLAIN, guide=weight, rate=5e-3)
        cvae = run(flags, tmp_path / str(weight), losses, guide, steps=80)
        with torch.inference_mode():
            flipped = guide.predict(cvae.decode(cvae.encode(x, c).mean, c.flip(1)))["colour"]
        obeyed[weight] = float(flipped.gather(1, c.flip(1).argmax(1, keepdim=True)).mean())
    assert obeyed[1.0] > max(0.7, obeyed[0.0] + 0.2)


def test_the_guide_is_not_trained(flags: ImageSet, guide: AttributeCNN, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in guide.state_dict().items()}
    run(flags, tmp_path, replace(PLAIN, guide=1.0), guide, steps=2)
    for name, tensor in guide.state_dict().items():
        assert torch.equal(before[name], tensor), name


def test_only_the_conditions_own_weights_are_trained_when_asked(flags: ImageSet, tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = CVAERecipe(TINY, SCHEMA, PLAIN, flags, None).cvae.state_dict()
    cvae, _ = trained(flags, tmp_path / "run", replace(PLAIN, trained="condition"))
    moved = {name for name, tensor in cvae.state_dict().items() if not torch.equal(before[name], tensor)}
    assert moved
    assert {name.split(".")[0] for name in moved} <= {"from_condition", "decoder_maps"}
    with pytest.raises(SettingsError, match="nothing that can be trained"):
        replace(PLAIN, trained="encoder")


def test_the_span_of_a_continuous_attribute_is_that_of_the_rows(flags: ImageSet) -> None:
    age = Attribute(name="age", kind="continuous")
    values = np.linspace(20.0, 60.0, 128, dtype=np.float32)
    values[3] = np.nan
    info = flags.info.model_copy(update={"attributes": (COLOUR, age)})
    images = replace(flags, info=info, labels={**flags.labels, "age": values})
    assert with_span(images, "age").span == (20.0, 60.0)
    assert with_span(images.select(np.arange(64)), "age").span == (20.0, pytest.approx(39.84, abs=0.01))
    assert with_span(images, "colour") == COLOUR
    assert Attribute.model_validate(age.model_dump()) == age
    assert "span" not in age.model_dump()


def test_conditions_are_drawn_as_the_recipe_says(flags: ImageSet) -> None:
    three = Attribute(name="hat", classes=("no", "yes", "big"))
    age = Attribute(name="age", kind="continuous")
    schema = ConditionSchema(attributes=(COLOUR, three, age))
    info = flags.info.model_copy(update={"attributes": schema.attributes})
    labels = {**flags.labels, "hat": np.arange(128) % 3, "age": np.linspace(0, 1, 128, dtype=np.float32)}
    losses = replace(PLAIN, told_another=0.3, told_nothing=0.2)
    recipe = CVAERecipe(TINY, schema, losses, replace(flags, info=info, labels=labels), None)
    rows = np.tile(np.arange(128), 8)
    step = Step(
        number=0,
        steps=1,
        examples=torch.zeros(1),
        rows=rows,
        share=slice(0, len(rows)),
        total=len(rows),
        generator=torch.Generator().manual_seed(0),
    )
    c, seen_as, changed, wanted = recipe._draw_conditions(step)
    assert torch.equal(c, recipe.conditions[torch.from_numpy(rows)])
    nothing = (seen_as == 0).all(1).float().mean()
    assert float(nothing) == pytest.approx(0.2, abs=0.05)
    as_it_is = (seen_as == c).all(1).float().mean()
    assert 0.5 <= float(as_it_is) <= 0.68, "half, and those told another class that is their own"
    assert torch.equal(wanted[:, 5] != c[:, 5], changed[:, 5] != c[:, 5])
    for where in (slice(0, 2), slice(2, 5)):
        torch.testing.assert_close(wanted[:, where].sum(1), torch.ones(len(rows)))
        scales = changed[:, where].sum(1)
        assert scales.min() >= 0.0
        assert 1.5 < scales.max() <= 2.0
        nothing_asked = scales < 0.02
        assert (wanted[nothing_asked][:, where].std(1) < 0.02).all(), "at scale 0 any class will do"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"independence": "magic"}, "no penalty 'magic'"),
        ({"guide": -1.0}, "is 0 or more"),
        ({"told_another": 0.8, "told_nothing": 0.3}, "between 0 and 1"),
    ],
)
def test_losses_that_cannot_be_are_refused(change: dict, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        replace(PLAIN, **change)


def test_a_guide_with_other_classes_is_refused(flags: ImageSet, guide: AttributeCNN) -> None:
    other = ConditionSchema(attributes=(Attribute(name="colour", classes=("blue", "red")),))
    with pytest.raises(SettingsError, match="does not know 'colour' in the classes blue, red"):
        CVAERecipe(TINY, other, PLAIN, flags, None, guide=guide)


def test_a_snapshot_shows_samples_reconstructions_and_every_class(flags: ImageSet, tmp_path: Path) -> None:
    recipe = CVAERecipe(TINY, SCHEMA, PLAIN, flags, flags)
    found = recipe.snapshot(recipe.cvae.eval(), tmp_path, 7)
    assert found["mae_255"] > 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "samples_000007.png", "reconstructions_000007.png", "flips_000007.png",
    }  # fmt: skip


def test_the_command_trains_goes_on_from_a_vae_and_says_what_cannot_be(
    tmp_path: Path, tiny_model_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from latentlab.cli.main import run as command

    common = [
        "train",
        "cvae",
        "--data",
        "faces:train",
        "--batch",
        "8",
        "--threads",
        "1",
        "--adversarial",
        "0",
    ]
    out = tmp_path / "cvae"
    start = ["--from", str(tiny_model_folder), "--steps", "2", "--condition", "gender,glasses"]
    assert command([*common, *start, "--out", str(out)]) == 0
    opened = load(out)
    assert [a.name for a in opened.config.model.condition.attributes] == ["gender", "glasses"]
    assert opened.config.training["from"] == str(tiny_model_folder)
    assert opened.network.config.injection == "concat", "which measures better from a VAE"
    assert len(opened.config.model.latent_summary.kl) == 8
    assert opened.network.from_condition.weight.abs().max() > 0, "what was taken out is told to the decoder"
    capfd.readouterr()
    again = ["--steps", "1", "--out", str(tmp_path / "other")]
    for wrong, message in (
        (["--condition", "hat"], "no attribute 'hat'"),
        (["--condition", ""], "needs a condition"),
        (["--condition", "gender", "--independence", "magic"], "no penalty 'magic'"),
        (["--condition", "gender", "--from", str(out)], "conditioned on gender, glasses"),
    ):
        assert command([*common, *again, "--image-size", "32", *wrong]) == 2, message
        assert message in capfd.readouterr().err
