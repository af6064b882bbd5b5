"""A pin's picture is the settled one under the pin's own condition, and it is rendered when pins change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.live.frames import DeviceOverride, Frame
from latentlab.operations import latents
from latentlab.operations.explore import Explorer
from latentlab.session.pins import PinPictures
from latentlab.session.shelf import ShelfIntents


class Pinned:
    """A desk whose previews are rendered roughly, and the pictures of its pins."""

    def __init__(self, desk) -> None:
        self.desk, self.workspace = desk, desk.workspace
        self.workspace.override_device(DeviceOverride("cpu", "bfloat16", 1))
        desk.wait(lambda: self.workspace.in_step)
        self.shelf = ShelfIntents(self.workspace.session)
        self.pictures = PinPictures(self.workspace)
        self.frames: list[Frame] = []
        self.pictures.arrived.connect(self.frames.append)
        self.pictures.active = True

    def pin(self, seed: int) -> None:
        self.workspace.explore.randomise(self.workspace.opened.spec, seed)
        self.shelf.pin()

    def newest(self, count: int) -> np.ndarray:
        """Return the pictures of so many pins and groups, as soon as they are there: uint8 [n, S, S, 3]."""
        self.desk.wait(lambda: self.frames and len(self.frames[-1].pixels) == count)
        return self.frames[-1].pixels[..., 2::-1]


@pytest.fixture
def conditional_folder(tmp_path: Path) -> Path:
    """A randomly initialised CVAE whose pictures depend on the condition."""
    import torch

    from latentlab.checkpoints import save
    from latentlab.families.cvae import CVAE, CVAEConfig
    from latentlab.spec import Attribute, CheckpointConfig, ConditionSchema, ModelSpec

    widths, blocks = (8, 16, 16), (1, 1, 1)
    config = CVAEConfig(
        image_size=32,
        latent=8,
        encoder_widths=widths,
        encoder_blocks=blocks,
        decoder_widths=widths,
        decoder_blocks=blocks,
    )
    glasses = Attribute(name="glasses", classes=("no", "yes"), origin="constructed")
    spec = ModelSpec(
        family="cvae", image_size=32, latent_shape=(8,), condition=ConditionSchema(attributes=(glasses,))
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = CVAE(config, spec)
        torch.nn.init.normal_(network.from_condition.weight)
    return save(
        tmp_path / "tiny-cvae",
        network,
        CheckpointConfig(kind="model", name="tiny-cvae", model=spec, network=config.model_dump(mode="json")),
    )


def test_a_pin_of_the_edited_latent_is_the_edited_picture_to_the_bit(open_desk) -> None:
    pinned = Pinned(open_desk)
    for seed in range(3):
        pinned.pin(seed)
    pictures = pinned.newest(3)
    open_desk.wait_settled()
    settled = pinned.workspace.rendering.settled_frame
    np.testing.assert_array_equal(pictures[2], settled.pixels[0, ..., 2::-1])
    for name, values in settled.attributes.items():
        np.testing.assert_array_equal(pinned.frames[-1].attributes[name][2], values[0])


def test_a_drag_renders_no_pin(open_desk) -> None:
    pinned = Pinned(open_desk)
    pinned.pin(1)
    pinned.shelf.add_group(latents.draw(pinned.workspace.opened.spec, 2), 4)
    pinned.newest(2)
    before = len(pinned.frames)
    for k in range(20):
        pinned.workspace.explore.move(0, k / 10)
    open_desk.wait_settled()
    assert pinned.workspace._host.renderer.join(60)
    open_desk.wait_settled()
    assert len(pinned.frames) == before


def test_pins_keep_their_condition_and_groups_take_the_present_one(desk, conditional_folder: Path) -> None:
    desk.workspace.open_checkpoint(str(conditional_folder), "")
    desk.wait(lambda: desk.workspace.in_step)
    pinned, explorer = Pinned(desk), Explorer.open(conditional_folder, "")
    intents, told = desk.workspace.explore, [np.array(one, np.float32) for one in ([1, 0], [0, 1], [0.5, 1])]
    latent = latents.draw(explorer.spec, 3)
    for condition in told[:2]:
        intents.set_out_from(explorer.spec, latent, "a test", condition)
        pinned.shelf.pin()
    pinned.shelf.add_group(latent, 4)
    pinned.newest(3)
    before = len(pinned.frames)
    intents.set_out_from(explorer.spec, latent, "a test", told[2])
    desk.wait(lambda: len(pinned.frames) > before)
    for picture, condition in zip(pinned.newest(3), told, strict=True):
        np.testing.assert_array_equal(picture, explorer.picture(latent, condition))
    assert not np.array_equal(*pinned.newest(3)[:2])
