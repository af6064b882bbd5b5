"""The guide of the cINN's projections, what widens its latents, and the last layer that whitens z."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from latentlab.checkpoints import load
from latentlab.cli.main import run
from latentlab.data.avatars import list_avatars, make_avatars
from latentlab.families.attribute_cnn import AttributeCNN, AttributeCNNConfig
from latentlab.families.cinn import CINN
from latentlab.families.flow import ConditionalFlow, FlowConfig
from latentlab.families.vae import VAE
from latentlab.metrics.frechet import frechet_distance
from latentlab.spec import Attribute, PredictorSpec
from latentlab.training.affine_layers import MODES, flow_weights, whitened
from latentlab.training.cinn import CINNLosses, CINNRecipe
from latentlab.training.guide import Guide
from latentlab.training.latent_rows import LatentRows
from latentlab.training.loop import LoopSettings, make_fabric, train

STYLE = Attribute(name="style", classes=("ink", "clay"))
HAIR = Attribute(name="hair", classes=("short", "long", "none"))
FLOW = FlowConfig(blocks=2, width=16, depth=1, embedding=4)


@pytest.fixture
def vae(tiny_model_folder: Path) -> VAE:
    network = load(tiny_model_folder).network
    assert isinstance(network, VAE)
    return network


@pytest.fixture
def network(vae: VAE) -> AttributeCNN:
    """A classifier that knows the hair's classes in another order, and the second style not at all."""
    torch.manual_seed(1)
    size = vae.config.image_size
    config = AttributeCNNConfig(image_size=size, widths=(8, 8, 8), blocks=(0, 0, 0), hidden=16)
    hair = Attribute(name="hair", classes=("none", "short", "long"))
    style = Attribute(name="style", classes=("wax", "ink"))
    spec = PredictorSpec(family="attribute_cnn", image_size=size, attributes=(hair, style))
    made = AttributeCNN(config, spec)
    for head in made.heads.values():  # so that it tells pictures apart
        assert isinstance(head, torch.nn.Linear)
        head.weight.data *= 100.0
    return made.eval()


def _rows(vae: VAE, n: int = 200, pairs: int = 0) -> LatentRows:
    generator = np.random.default_rng(0)
    size = vae.config.latent
    mean = generator.normal(size=(2 * n, size)).astype(np.float32)
    mean[n:] = 2.0 * mean[:n, ::-1] + 1.0
    codes = np.tile(generator.integers(0, 3, n), 2)
    codes[n:][codes[n:] == 2] = -1  # the second dataset cannot draw the third class
    chosen = np.arange(pairs)
    return LatentRows(
        mean,
        np.full_like(mean, 0.1),
        np.repeat(np.arange(2), n),
        {"hair": codes},
        np.stack([chosen, chosen + n], axis=1),
    )


def test_a_guide_reads_what_is_known_and_can_be_drawn(vae: VAE, network: AttributeCNN) -> None:
    guide = Guide(vae, network, STYLE, [HAIR], {"hair": np.array([True, False])})
    pictures = torch.rand(4, 3, vae.config.image_size, vae.config.image_size)
    targets, codes = torch.tensor([0, 1, 0, 0]), torch.tensor([0, 1, -1, 2])
    logits = network(pictures)
    of_hair = F.cross_entropy(logits["hair"][[0, 3]], torch.tensor([1, 0]))  # short, none; by their names
    of_style = F.cross_entropy(logits["style"][[0, 2, 3]], torch.tensor([1, 1, 1]))  # clay is not known
    found = guide.misread(pictures, targets, {"hair": codes})
    torch.testing.assert_close(found, 0.5 * (of_hair + of_style))


def test_equal_pictures_are_not_apart(vae: VAE, network: AttributeCNN) -> None:
    guide = Guide(vae, network, STYLE, [HAIR], {"hair": np.array([True, True])})
    one, other = (guide.drawn(torch.randn(3, vae.config.latent)) for _ in range(2))
    assert float(guide.apart(one, one)) == 0.0
    assert float(guide.apart(one, other)) > 0.0


def test_shares_are_compared_class_by_class_and_without_bias(vae: VAE, network: AttributeCNN) -> None:
    guide = Guide(vae, network, STYLE, [HAIR], {"hair": np.array([True, True])})
    size = vae.config.image_size
    pictures = torch.rand(400, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        said = network(pictures)["hair"].softmax(dim=1)[:, [1, 2, 0]]  # in the set's order of classes
        means = said.mean(0)
        right = guide.shares_apart(pictures, {"hair": means})
        wrong = guide.shares_apart(pictures, {"hair": means + torch.tensor([0.3, -0.3, 0.0])})
    first, second = said.chunk(2)
    assert float(right) == pytest.approx(float(((first.mean(0) - means) * (second.mean(0) - means)).sum()))
    assert float(right) <= 0.0, "the halves are off to opposite sides of the whole's mean"
    assert float(wrong) == pytest.approx(0.18 + float(right), abs=1e-4)


def test_the_weight_of_shares_brings_them_to_the_datasets_own(
    vae: VAE, network: AttributeCNN, tmp_path: Path
) -> None:
    rows = _rows(vae)
    settings = LoopSettings(
        steps=100, batch=64, save_every=0, precision="32-true", threads=1, accelerator="cpu", ema=0.5
    )
    off = {}
    for weight in (0.0, 50.0):
        torch.manual_seed(0)
        guide = Guide(vae, network, STYLE, [HAIR], {"hair": rows.can_draw("hair", 2)})
        losses = CINNLosses(moments=0.0, transport=1e-6, shares=weight, rate=1e-2)
        recipe = CINNRecipe(FLOW, losses, rows, 2, [HAIR], guide=guide)
        flow = train(recipe, rows, tmp_path / str(weight), settings, make_fabric(settings)).network
        assert isinstance(flow, ConditionalFlow)
        n = len(rows) // 2
        with torch.no_grad():
            z, _ = flow(torch.from_numpy(rows.mean[:n]), flow_weights(torch.zeros(n).long(), 0, 2))
            x = flow.inverse(z, flow_weights(torch.ones(n).long(), 0, 2))
            off[weight] = float(guide.shares_apart(guide.drawn(x), recipe.shares[1]))
    assert off[50.0] < 0.7 * off[0.0]


def test_pictures_of_a_datasets_own_are_not_apart_and_others_are(vae: VAE, network: AttributeCNN) -> None:
    rows = _rows(vae, 3000)
    guide = Guide(vae, network, STYLE, [HAIR], {"hair": rows.can_draw("hair", 2)})
    recipe = CINNRecipe(FLOW, CINNLosses(samples=1.0), rows, 2, [HAIR], guide=guide, alike=False)
    samples = recipe.head.samples
    assert samples is not None
    with torch.no_grad():
        own, others = (guide.features(torch.from_numpy(rows.mean[rows.datasets == k])) for k in (1, 0))
        mixed = own[torch.randperm(len(own), generator=torch.Generator().manual_seed(0))]
        assert abs(float(samples.of(mixed, 1))) < 0.05
        assert float(samples.of(others, 1)) > 0.5
        shifted = mixed + 0.1 * own.std()
        once = float(samples.of(shifted, 1))
        along = 0.1 * float(own.std()) * samples.towards[1].sum(0).double().numpy()
        twice = float((np.outer(along, along) ** 2).sum())
    assert once == pytest.approx(float(along @ along) + 0.25 * twice, rel=0.15)


def test_following_it_brings_samples_to_the_datasets_own_pictures(vae: VAE, network: AttributeCNN) -> None:
    rows = _rows(vae, 600)
    guide = Guide(vae, network, STYLE, [HAIR], {"hair": rows.can_draw("hair", 2)})
    torch.manual_seed(0)
    recipe = CINNRecipe(FLOW, CINNLosses(samples=1.0), rows, 2, [HAIR], guide=guide)
    samples, flow, generator = recipe.head.samples, recipe.flow, torch.Generator().manual_seed(0)
    assert samples is not None
    for name, weight in flow.named_parameters():
        if name.endswith("main.4.weight"):  # the last of a coupling's networks: bends what was straight
            weight.data.normal_(0.0, 0.5)

    def far() -> float:
        z = torch.randn(600, flow.size, generator=torch.Generator().manual_seed(1))
        found = 0.0
        for k, mode in np.ndindex(2, MODES):
            with torch.no_grad():
                own = guide.features(torch.from_numpy(rows.mean[rows.datasets == k]))
                x = samples.whitening.out(flow, z, k, mode, torch.Generator().manual_seed(2))
                found += frechet_distance(guide.features(x), own) / float(own.var(0).sum())
        return found

    before = far()
    descent = torch.optim.Adam(flow.parameters(), 3e-3)
    for _ in range(150):
        descent.zero_grad()
        samples.apart(guide, flow, generator).backward()
        descent.step()
    assert far() < 0.5 * before


def test_samples_in_keep_are_left_alone_where_the_datasets_do_not_show_the_same(
    vae: VAE, network: AttributeCNN
) -> None:
    rows = _rows(vae)
    guide = Guide(vae, network, STYLE, [HAIR], {"hair": rows.can_draw("hair", 2)})
    for alike, modes in ((True, (0, 1)), (False, (0,))):
        recipe = CINNRecipe(FLOW, CINNLosses(samples=1.0), rows, 2, [HAIR], guide=guide, alike=alike)
        samples, generator = recipe.head.samples, torch.Generator().manual_seed(0)
        assert samples is not None
        for _ in range(40):
            samples.apart(guide, recipe.flow, generator)
        assert tuple(samples.whitening.seen.sum(0).nonzero().flatten().tolist()) == modes


@pytest.mark.parametrize("pairs", [0, 60])
def test_a_guide_makes_projections_legible(
    vae: VAE, network: AttributeCNN, tmp_path: Path, pairs: int
) -> None:
    rows, settings = (
        _rows(vae, pairs=pairs),
        LoopSettings(
            steps=60, batch=64, save_every=0, precision="32-true", threads=1, accelerator="cpu", ema=0.5
        ),
    )
    can_draw = {"hair": rows.can_draw("hair", 2)}
    assert can_draw["hair"].tolist() == [True, True]
    misread = {}
    for weight in (0.0, 5.0):
        torch.manual_seed(0)
        guide = Guide(vae, network, STYLE, [HAIR], can_draw)
        losses = CINNLosses(guide=weight, rate=3e-3)
        recipe = CINNRecipe(FLOW, losses, rows, 2, [HAIR], guide=guide)
        folder = tmp_path / f"run-{weight}"
        flow = train(recipe, rows, folder, settings, make_fabric(settings)).network
        assert isinstance(flow, ConditionalFlow)
        n = len(rows) // 2
        with torch.no_grad():
            z, _ = flow(torch.from_numpy(rows.mean[:n]), flow_weights(torch.zeros(n).long(), 1, 2))
            x = flow.inverse(z, flow_weights(torch.ones(n).long(), 1, 2))
            labels = {"hair": torch.from_numpy(rows.attributes["hair"][:n])}
            misread[weight] = float(guide.misread(guide.drawn(x), torch.ones(n).long(), labels))
    assert misread[5.0] < misread[0.0] - 1e-3


def test_of_datasets_that_show_others_the_last_layer_keeps_what_is_tied_together(vae: VAE) -> None:
    """In keep z is white over all datasets together; one that has more of a class keeps it where it is."""
    rows = _rows(vae)
    recipe = CINNRecipe(FLOW, CINNLosses(moments=0.0), rows, 2, [HAIR])
    first = rows.datasets == 0
    some = np.flatnonzero(~first | (rows.attributes["hair"] == 0))  # the first dataset has one class only
    uneven = LatentRows(
        rows.mean[some],
        rows.deviation[some],
        rows.datasets[some],
        {"hair": rows.attributes["hair"][some]},
        np.zeros((0, 2), dtype=np.int64),
    )
    found = whitened(recipe.flow, uneven, 2, alike=False)
    assert found.whitening is not None
    assert torch.equal(found.whitening.matrix[1], found.whitening.matrix[3]), "one layer for keep"
    assert not torch.equal(found.whitening.matrix[0], found.whitening.matrix[2]), "each its own for follow"
    z, counts = [], []
    for k in range(2):
        x = torch.from_numpy(uneven.mean[uneven.datasets == k])
        with torch.no_grad():
            z.append(found(x, flow_weights(torch.full((len(x),), k), 1, 2))[0])
        counts.append(len(x))
    means = torch.stack([one.mean(0) for one in z])
    torch.testing.assert_close(means.mean(0), torch.zeros(means.shape[1]), atol=1e-3, rtol=0)
    assert float(means.norm(dim=1).min()) > 0.03, "neither dataset's own mean is moved to 0"
    together = (
        sum(torch.cov(one.T, correction=1) + torch.outer(m, m) for one, m in zip(z, means, strict=True)) / 2
    )
    torch.testing.assert_close(together, torch.eye(means.shape[1]), atol=5e-3, rtol=0)


def test_the_last_layer_whitens_z_and_keeps_the_likelihood_exact(vae: VAE) -> None:
    rows = _rows(vae)
    torch.manual_seed(0)
    recipe = CINNRecipe(FLOW, CINNLosses(), rows, 2, [HAIR])
    for parameter in recipe.flow.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    found = whitened(recipe.flow, rows, 2)
    size = rows.mean.shape[1]
    for k in range(2):
        for mode in range(MODES):
            x = torch.from_numpy(rows.mean[rows.datasets == k])
            weights = flow_weights(torch.full((len(x),), k), mode, 2)
            with torch.no_grad():
                before, after = recipe.flow(x, weights)[0], found(x, weights)[0]
                assert float((torch.cov(before.T) - torch.eye(size)).abs().max()) > 0.05
                torch.testing.assert_close(torch.cov(after.T), torch.eye(size), atol=1e-3, rtol=0)
                torch.testing.assert_close(after.mean(0), torch.zeros(size), atol=1e-3, rtol=0)
                torch.testing.assert_close(found.inverse(after, weights), x, atol=1e-3, rtol=0)
            jacobian = torch.autograd.functional.jacobian(lambda one, w=weights: found(one, w[:1])[0], x[:1])
            wanted = torch.linalg.slogdet(jacobian[0, :, 0]).logabsdet
            torch.testing.assert_close(found(x[:1], weights[:1])[1][0], wanted, atol=1e-4, rtol=0)


def test_noise_is_as_wide_as_its_dataset_in_every_direction(vae: VAE) -> None:
    rows = _rows(vae)
    thin = rows.mean.copy()
    thin[:, 1] = thin[:, 0] + 0.1 * thin[:, 1]  # two entries that say nearly the same
    rows = LatentRows(thin, rows.deviation, rows.datasets, rows.attributes, rows.pairs)
    recipe = CINNRecipe(FLOW, CINNLosses(noise=0.5), rows, 2, [HAIR])
    spread = recipe.spread[0]
    across = torch.zeros(thin.shape[1])
    across[:2] = torch.tensor([1.0, -1.0]) / 2**0.5
    measured = float((torch.from_numpy(thin[:200]) @ across).std())
    assert float((across @ spread).norm()) == pytest.approx(measured, rel=0.1)


def test_the_command_takes_a_guide_and_records_it(tiny_model_folder: Path, tmp_path: Path) -> None:
    counts = {"train": 24, "validation": 6, "test": 6}
    styles = make_avatars(
        tmp_path / "styles", list_avatars(counts, styles=["lorelei", "toon-head"]), 32, workers=1
    )
    guide = tmp_path / "guide"
    common = ["--data", f"{styles}:train", "--threads", "1", "--batch", "16"]
    assert (
        run(["train", "classifier", *common, "--steps", "2", "--image-size", "32", "--out", str(guide)]) == 0
    )
    out = tmp_path / "cinn"
    flow = ["--datasets", "style", "--autoencoder", str(tiny_model_folder), "--blocks", "2", "--width", "16"]
    helper = ["--features", str(guide), "--guide", "0.5", "--posterior", "0.2"]
    helper += ["--transport", "0.5", "--shares", "1", "--samples", "1"]
    assert run(["train", "cinn", *common, *flow, *helper, "--steps", "3", "--out", str(out)]) == 0
    opened = load(out)
    assert isinstance(opened.network, CINN)
    assert opened.network.flow.whitening is not None
    record = opened.config.training
    assert record["losses"]["guide"] == 0.5
    assert record["losses"]["posterior"] == 0.2
    assert record["features_sha256"] == load(guide).located.sha256()
