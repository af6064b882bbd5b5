from __future__ import annotations

import numpy as np
import pytest

from latentlab.errors import SettingsError
from latentlab.operations import latents
from latentlab.spec import LatentSummary, ModelSpec

SPEC = ModelSpec(
    family="vae",
    image_size=32,
    latent_shape=(4,),
    latent_summary=LatentSummary(mean=(0, 0, 0, 0), std=(0.1, 1.0, 2.0, 0.5), kl=(0.2, 3.0, 1.0, 0.0)),
)


def test_dimensions_are_ranked_by_what_they_carry() -> None:
    assert latents.ranking(SPEC).tolist() == [1, 2, 0, 3]
    assert latents.ranking(SPEC.model_copy(update={"latent_summary": None})).tolist() == [0, 1, 2, 3]


def test_ranges_are_three_sigmas_of_the_prior_or_of_wider_data() -> None:
    found = latents.ranges(SPEC)
    np.testing.assert_allclose(found.high, [3, 3, 6, 3])
    np.testing.assert_allclose(found.low, [-3, -3, -6, -3])
    other = SPEC.model_copy(update={"prior": "other"})
    np.testing.assert_allclose(latents.ranges(other).high, [0.3, 3, 6, 1.5], rtol=1e-6)


def test_a_draw_depends_on_the_seed_alone() -> None:
    np.testing.assert_array_equal(latents.draw(SPEC, 5), latents.draw(SPEC, 5))
    assert not np.array_equal(latents.draw(SPEC, 5), latents.draw(SPEC, 6))
    many = latents.draw(ModelSpec(family="v", image_size=32, latent_shape=(20000,)), 1)
    assert abs(float(many.mean())) < 0.05
    assert abs(float(many.std()) - 1) < 0.05


def test_what_cannot_be_drawn_says_why() -> None:
    with pytest.raises(SettingsError, match="not standard normal"):
        latents.draw(SPEC.model_copy(update={"prior": "other"}), 1)
    with pytest.raises(SettingsError, match="no sampler here"):
        latents.draw(SPEC.model_copy(update={"cannot": {"sample": "no sampler here"}}), 1)
    with pytest.raises(SettingsError, match="0 or larger"):
        latents.draw(SPEC, -1)


def test_changes_make_a_copy() -> None:
    latent = latents.as_latent([1, 2, 3, 4], SPEC)
    changed = latents.change(latent, {1: 9.0})
    assert changed.tolist() == [1, 9, 3, 4]
    assert latent.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(("values", "part"), [({4: 1.0}, "0 to 3"), ({0: float("nan")}, "finite")])
def test_impossible_changes_are_refused(values: dict[int, float], part: str) -> None:
    with pytest.raises(SettingsError, match=part):
        latents.change(latents.as_latent([1, 2, 3, 4], SPEC), values)


@pytest.mark.parametrize("values", [[1, 2, 3], [1, 2, 3, float("inf")]])
def test_latents_that_do_not_fit_are_refused(values: list[float]) -> None:
    with pytest.raises(SettingsError):
        latents.as_latent(values, SPEC)


def test_changes_are_read_from_text() -> None:
    assert latents.parse_changes(["3=1.5", "0=-2", "3=2"]) == {3: 2.0, 0: -2.0}
    for text in ("3", "a=1", "3=x", "=1", ""):
        with pytest.raises(SettingsError, match="for example"):
            latents.parse_changes([text])
