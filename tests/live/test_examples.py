"""What trials and calibration see: latents and conditions as they come, and as far out as one edits them."""

from __future__ import annotations

import torch

from latentlab.live.examples import FARTHEST, example, typical_and_far
from latentlab.spec import Attribute, ConditionSchema, ModelSpec

SCHEMA = ConditionSchema(
    attributes=(
        Attribute(name="hat", classes=("no", "yes")),
        Attribute(name="age", kind="continuous"),
        Attribute(name="coat", classes=("red", "green", "blue")),
    )
)
SPEC = ModelSpec(family="any", image_size=32, latent_shape=(4,), condition=SCHEMA)


def test_typical_conditions_are_as_trained() -> None:
    latents, conditions = example(SPEC, 64)
    assert latents.shape == (64, 4)
    for name in ("hat", "coat"):
        part = conditions[:, SCHEMA.slice(name)]
        assert ((part == 0.0) | (part == 1.0)).all()
        assert (part.sum(1) == 1.0).all()
    assert conditions[:, SCHEMA.slice("age")].std() > 0.5, "a continuous attribute is not always the same"


def test_every_second_row_has_scales_as_far_as_the_sliders_go() -> None:
    typical, (latents, conditions) = example(SPEC, 64), typical_and_far(SPEC, 64)
    torch.testing.assert_close(conditions[::2], typical[1][:32])
    far = conditions[1::2]
    assert latents[1::2].std() > 1.5 * latents[::2].std()
    for attribute in SCHEMA.attributes:
        scales = far[:, SCHEMA.slice(attribute.name)].sum(1)
        assert float(scales.max()) == FARTHEST
        assert float(scales.min()) == -FARTHEST
        assert (scales == 0.0).any(), "an attribute that is not told"
        assert ((scales > 0.0) & (scales < 1.0)).any()
        assert (scales > 1.0).sum() > 4
        assert (scales < -1.0).sum() > 4
    hats, coats = (far[:, SCHEMA.slice(name)].sum(1) for name in ("hat", "coat"))
    assert not torch.equal(hats, coats), "each attribute has a scale of its own"


def test_it_repeats_by_seed_and_an_unconditional_model_has_latents_alone() -> None:
    for first, second in zip(typical_and_far(SPEC, 9, 5), typical_and_far(SPEC, 9, 5), strict=True):
        torch.testing.assert_close(first, second)
    plain = SPEC.model_copy(update={"condition": ConditionSchema()})
    assert [tuple(rows.shape) for rows in typical_and_far(plain, 1)] == [(1, 4)]
    assert [len(rows) for rows in typical_and_far(SPEC, 1)] == [1, 1]
