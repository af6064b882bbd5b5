"""The DB-VAE: losses as written, rules that do what they say, and the known faults of other versions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import expit

from latentlab.errors import SettingsError
from latentlab.families.dbvae import DBVAE, DBVAEConfig, reparameterise
from latentlab.training.debiasing_losses import (
    classification_loss,
    debiasing_loss,
    kl_divergence,
    vae_loss,
)
from latentlab.training.resampling import (
    Resampling,
    effective_size,
    group_shares,
    informative_direction,
    informative_rule,
    max_rule,
    product_rule,
    rarity,
)


@pytest.fixture
def batch():
    """Logits, labels, images, pictures, mu and log variance of six pictures, three of them faces."""
    generator = torch.Generator().manual_seed(0)
    images, pictures = torch.rand(2, 6, 3, 8, 8, generator=generator)
    mu, logvar = torch.randn(2, 6, 4, generator=generator)
    return (
        torch.randn(6, generator=generator),
        torch.tensor([1.0, 1, 1, 0, 0, 0]),
        images,
        pictures,
        mu,
        logvar,
    )


def test_the_vae_terms_of_what_is_no_face_count_nothing(batch) -> None:
    logits, is_face, images, pictures, mu, logvar = batch
    found = debiasing_loss(*batch)
    other = pictures.clone()
    other[3:] = 1.0 - other[3:]  # what is drawn of the others changes nothing,
    assert debiasing_loss(logits, is_face, images, other, mu, logvar) == found
    other[0] = 1.0 - other[0]  # what is drawn of a face does
    assert debiasing_loss(logits, is_face, images, other, mu, logvar) != found
    terms = classification_loss(logits, is_face)
    by_hand = (terms + is_face * vae_loss(images, pictures, mu, logvar)).sum() / 6
    assert found == pytest.approx(float(by_hand))
    # The published slip, mean(CE * face + VAE), gives another number.
    assert float((terms * is_face + vae_loss(images, pictures, mu, logvar)).mean()) != pytest.approx(
        float(found)
    )


def test_a_mask_that_would_be_broadcast_to_a_square_is_refused(batch) -> None:
    logits, is_face, *others = batch
    with pytest.raises(ValueError, match=r"must all be \[B\]"):
        debiasing_loss(logits[:, None], is_face[:, None], *others)


def test_the_sample_has_the_variance_that_the_divergence_speaks_of() -> None:
    logvar = torch.full((40_000, 1), float(np.log(0.25)))
    mu = torch.zeros_like(logvar)
    eps = torch.randn(mu.shape, generator=torch.Generator().manual_seed(0))
    z = reparameterise(mu, logvar, eps)
    assert float(z.var()) == pytest.approx(0.25, rel=0.03)
    normal = torch.distributions.Normal(torch.zeros(1), torch.ones(1))
    of_z = torch.distributions.Normal(torch.zeros(1), torch.full((1,), 0.5))
    wanted = float(torch.distributions.kl_divergence(of_z, normal))
    assert float(kl_divergence(mu[:1], logvar[:1])) == pytest.approx(wanted, rel=1e-5)


def test_the_network_samples_as_the_losses_do() -> None:
    torch.manual_seed(0)
    network = DBVAE(DBVAEConfig(image_size=32, filters=4, hidden=16, latent=5))
    images, eps = torch.rand(3, 3, 32, 32), torch.randn(3, 5)
    logit, pictures, mu, logvar = network(images, eps)
    assert torch.allclose(pictures, network.decode(reparameterise(mu, logvar, eps)), atol=1e-6)
    assert torch.allclose(logit, network.detector().logit(images), atol=1e-6)


def test_what_a_picture_is_taken_for_depends_on_no_neighbour_and_no_mode() -> None:
    torch.manual_seed(0)
    network = DBVAE(DBVAEConfig(image_size=32, filters=4, hidden=16, latent=5))
    images = torch.rand(5, 3, 32, 32)
    together = network.train().logit(images)
    alone = torch.cat([network.eval().logit(image[None]) for image in images])
    assert torch.allclose(together, alone, atol=1e-5)


def minority(latents: int, n: int = 4000, share: float = 0.05):
    """Standard normal latents, of which a minority lies 4 sigma away in the first one."""
    generator = np.random.default_rng(0)
    mu = generator.standard_normal((n, latents))
    rare = np.arange(n) < share * n
    mu[rare, 0] += 4.0
    return mu, rare


def test_the_max_rule_dilutes_with_many_latents_and_the_informative_one_does_not() -> None:
    shares = {}
    for latents in (2, 10, 100):
        mu, rare = minority(latents)
        logit = 3.0 - 2.0 * rare + np.random.default_rng(1).standard_normal(len(mu)) * 0.5
        shares[latents] = (
            float(max_rule(mu, 0.001)[rare].sum()),
            float(informative_rule(mu, expit(logit), 0.001)[rare].sum()),
        )
    assert shares[2][0] > shares[10][0] > shares[100][0]
    assert shares[100][0] < 0.08
    assert min(informative for _, informative in shares.values()) > 0.25


def test_the_informative_rule_minds_what_is_missed_and_not_how_certain_the_rest_is() -> None:
    mu, rare = minority(8)
    missed = np.where(
        rare, -1.0, 12.0 + 4.0 * mu[:, 3]
    )  # along entry 3 all are found, some with more certainty
    certain = np.abs(np.corrcoef(informative_direction(mu, expit(missed)), mu[:, 3])[0, 1])
    assert certain < 0.1
    assert np.abs(np.corrcoef(informative_direction(mu, expit(missed)), mu[:, 0])[0, 1]) > 0.95
    p = informative_rule(mu, expit(missed), 0.001)
    assert p[rare].sum() > 0.25


def test_the_product_of_many_latents_draws_a_few_faces_again_and_again() -> None:
    mu, _ = minority(50)
    p = product_rule(mu, 0.001)
    assert np.isfinite(p).all()
    assert p.sum() == pytest.approx(1.0)
    assert effective_size(p) < 10
    few = mu[:, :3]
    by_hand = np.prod([rarity(entry, 0.001) for entry in few.T], axis=0)
    assert np.allclose(product_rule(few, 0.001), by_hand / by_hand.sum())


@pytest.mark.parametrize("rule", ["max", "product", "informative"])
def test_no_rule_depends_on_the_scale_of_the_latent(rule: str) -> None:
    mu, rare = minority(6)
    logit = 1.0 - 2.0 * rare
    asked = Resampling(rule, 0.01)  # type: ignore[arg-type]
    assert np.allclose(asked.probabilities(mu, logit), asked.probabilities(mu * 37.0, logit), atol=1e-7)


def test_less_smoothing_resamples_more_and_much_smoothing_not_at_all() -> None:
    mu, rare = minority(1)
    drawn = [float(max_rule(mu, alpha)[rare].sum()) for alpha in (1e4, 0.1, 0.01, 0.0001)]
    assert drawn[0] == pytest.approx(0.05, abs=0.001)
    assert drawn == sorted(drawn)
    assert drawn[-1] > 5 * drawn[0]


def test_group_shares_and_the_effective_size_tell_before_and_after() -> None:
    p = np.array([0.5, 0.25, 0.125, 0.125])
    assert group_shares(p, {"a": np.array([0]), "b": np.array([1, 2, 3])}) == {
        "a": (0.25, 0.5),
        "b": (0.75, 0.5),
    }
    assert effective_size(p) == pytest.approx(1 / 0.34375)
    assert effective_size(np.full(8, 1 / 8)) == pytest.approx(8)


def test_part_of_the_last_probabilities_can_stay() -> None:
    mu, rare = minority(2)
    before = np.full(len(mu), 1 / len(mu))
    fresh = Resampling("max", 0.01).probabilities(mu, -rare.astype(float))
    kept = Resampling("max", 0.01, keep=0.75).probabilities(mu, -rare.astype(float), before)
    assert np.allclose(kept, 0.75 * before + 0.25 * fresh)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("maximum", 0.1), "no resampling rule"),
        (("max", 0.0), "smoothing"),
        (("max", 0.1, 1.0), "share that stays"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(settings, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Resampling(*settings)
