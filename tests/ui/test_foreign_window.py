"""The window opens another program's checkpoint like its own, and says what is wrong with a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from latentlab.session.underway import opening_words


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that pythae saved: a grey autoencoder of 16 px pictures with 5 latent entries."""
    path = tmp_path / "final_model"
    path.mkdir()
    (path / "model_config.json").write_text(
        '{"name": "VAEConfig", "input_dim": [1, 16, 16], "latent_dim": 5, "uses_default_encoder": true, '
        '"uses_default_decoder": true, "reconstruction_loss": "mse"}'
    )
    generator = torch.Generator().manual_seed(0)
    shapes = {
        "encoder.layers.0.0": (12, 256),
        "encoder.embedding": (5, 12),
        "encoder.log_var": (5, 12),
        "decoder.layers.0.0": (12, 5),
        "decoder.layers.1.0": (256, 12),
    }
    state = {}
    for name, shape in shapes.items():
        state[f"{name}.weight"] = torch.randn(shape, generator=generator)
        state[f"{name}.bias"] = torch.randn(shape[0], generator=generator)
    torch.save({"model_state_dict": state}, path / "model.pt")
    return path


@pytest.mark.parametrize("inside", ["", "model.pt", "model_config.json"])
def test_a_foreign_checkpoint_opens(driver, folder: Path, inside: str) -> None:
    driver.window.open_path(folder / inside if inside else folder)
    driver.wait(
        lambda: driver.workspace.opened is not None and driver.workspace.opened.spec.family == "mlp_vae"
    )
    driver.rest()
    spec = driver.workspace.opened.spec
    assert (spec.image_size, spec.latent_shape) == (16, (5,))
    before = driver.picture.copy()
    driver.workspace.explore.move(0, 3.0)
    driver.rest()
    assert (driver.picture != before).any()


def test_pickled_code_is_a_message_and_everything_stays(driver, folder: Path) -> None:
    (folder / "encoder.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    document = driver.workspace.session.document
    driver.window.open_path(folder)
    driver.wait(lambda: driver.window.banner.message is not None)
    assert "was not opened" in driver.window.banner.message.text
    assert driver.workspace.session.document is document


def test_the_size_of_a_large_file_is_told_while_it_is_opened(tmp_path: Path) -> None:
    large = tmp_path / "large.ckpt"
    with large.open("wb") as file:
        file.truncate(335_000_000)  # a file with a hole: it takes no room
    assert opening_words(str(large)) == "Opening the model (335 MB)"
    assert opening_words(str(tmp_path)) == "Opening the model (335 MB)"
    assert opening_words("faces-vae") == "Opening the model"


@pytest.fixture
def net2net(tmp_path: Path) -> Path:
    """A flow of net2net on two datasets, for 16 px pictures, with random weights; it has no modes."""
    from latentlab.checkpoints import save
    from latentlab.families.big_ae import BigAEConfig
    from latentlab.families.net2net import Net2Net, Net2NetConfig, Net2NetFlowConfig
    from latentlab.spec import Attribute, CheckpointConfig, ConditionSchema, ModelSpec

    autoencoder = BigAEConfig(
        latent=6,
        normalised=True,
        stem=4,
        stages=(1,),
        middles=(4,),
        outputs=(4,),
        bottleneck=False,
        widths=(8, 4, 2),
        code=2,
        classes=4,
        class_widths=(),
        class_embedding=3,
    )
    flow = Net2NetFlowConfig(blocks=2, width=8, depth=1, embedding=3, embedder_widths=(5,))
    condition = ConditionSchema(attributes=(Attribute(name="dataset", classes=("photos", "paintings")),))
    spec = ModelSpec(family="net2net", image_size=16, latent_shape=(6,), condition=condition, projects=True)
    config = Net2NetConfig(autoencoder=autoencoder, flow=flow)
    network = Net2Net(config, spec)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "norm_layer" not in name:
                parameter.normal_(0.0, 0.3, generator=torch.Generator().manual_seed(len(name)))
    stored = CheckpointConfig(kind="model", model=spec, network=config.model_dump(mode="json"))
    return save(tmp_path / "net2net", network, stored)


def test_a_model_without_modes_follows_the_dataset_in_the_analogies(driver, net2net: Path) -> None:
    driver.window.open_path(net2net)
    driver.wait(lambda: driver.workspace.opened.spec.family == "net2net")
    driver.window.rail.button("Analogies").click()
    screen = driver.window.analogies
    driver.wait(lambda: driver.workspace.in_step and screen.at_rest)
    shown = screen.projections
    assert [tile.words.name for tile in shown.tiles.tiles] == ["photos", "paintings"]
    first, second = shown.live.found.pixels
    assert (first != second).any()
    assert shown.live.found.plan.keep == 0.0
    mode = shown.panel.mode
    assert mode.follow.isChecked()
    assert not mode.keep.isEnabled()
    assert "only follows the dataset" in mode.keep.toolTip()
    form = screen.many.form
    screen.many.active = True
    assert screen.many.data.view.mode == "follow"
    assert [name for name, button in form.modes.items() if button.isEnabled()] == ["follow"]
