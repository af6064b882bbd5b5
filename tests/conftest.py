"""Real small parts for every test: tiny checkpoints, a tiny set of faces, an isolated cache, no leaks."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


_OURS = ("LATENTLAB_CACHE", "LATENTLAB_RUNS", "LATENTLAB_STATE", "XDG_CONFIG_HOME")


def pytest_collection_finish() -> None:
    """Leave what has been imported by now out of garbage collections: they would go through all of torch."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def isolated_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the user's cache and settings out of the tests, and the tests out of them."""
    folder = tmp_path_factory.mktemp("cache")
    before = {name: os.environ.get(name) for name in _OURS}
    os.environ["LATENTLAB_CACHE"] = str(folder)
    os.environ["LATENTLAB_RUNS"] = str(folder / "runs")
    os.environ["LATENTLAB_STATE"] = str(folder / "state")
    os.environ["XDG_CONFIG_HOME"] = str(folder / "config")
    yield folder
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="module", autouse=True)
def isolated_runs(isolated_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give each module a folder of runs of its own: a run that failed in another is not to be found again."""
    before = os.environ["LATENTLAB_RUNS"]
    os.environ["LATENTLAB_RUNS"] = str(tmp_path_factory.mktemp("runs"))
    yield
    os.environ["LATENTLAB_RUNS"] = before


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread of ours running."""
    before = set(threading.enumerate())
    yield
    leaked = [
        thread
        for thread in threading.enumerate()
        if thread not in before and thread.is_alive() and thread.name.startswith("latentlab")
    ]
    for thread in leaked:
        thread.join(timeout=5)
    alive = [thread.name for thread in leaked if thread.is_alive()]
    assert not alive, f"threads left running: {alive}"


@pytest.fixture(scope="session")
def tiny_faces(isolated_cache: Path):
    """The first rows of each split of the bundled faces at 32 px: 256 train, 64 validation, 96 test."""
    import numpy as np

    from latentlab.data.faces import open_faces

    faces = open_faces(32)
    rows = [np.flatnonzero(faces.splits == split)[:count] for split, count in ((0, 256), (1, 64), (2, 96))]
    return faces.select(np.concatenate(rows))


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised VAE for 32 px pictures with 8 latent entries, as a native checkpoint."""
    import torch

    from latentlab.checkpoints import save
    from latentlab.families.vae import VAE, VAEConfig
    from latentlab.spec import CheckpointConfig

    config = VAEConfig(
        image_size=32,
        latent=8,
        encoder_widths=(8, 16, 16),
        encoder_blocks=(1, 1, 1),
        decoder_widths=(8, 16, 16),
        decoder_blocks=(1, 1, 1),
    )
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = VAE(config)
        for name, parameter in network.named_parameters():
            if name.endswith("gain"):
                torch.nn.init.constant_(parameter, 0.3)
    folder = tmp_path_factory.mktemp("models") / "tiny-vae"
    return save(
        folder,
        network,
        CheckpointConfig(
            kind="model", name="tiny-vae", model=network.spec, network=config.model_dump(mode="json")
        ),
    )


@pytest.fixture(scope="session")
def tiny_grid_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised spatial autoencoder, 32 px pictures to a grid of 3 x 8 x 8, as a native one."""
    import torch

    from latentlab.checkpoints import save
    from latentlab.families.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
    from latentlab.spec import CheckpointConfig

    without = (False,) * 3
    config = AutoencoderKLConfig(
        widths=(8, 8, 8),
        blocks=1,
        latent=3,
        inner=3,
        groups=4,
        down_attention=without,
        up_attention=without,
        middle_attention=False,
    )
    spec = config.spec(32).model_copy(update={"cannot": {"sample": "it has no prior."}})
    with torch.random.fork_rng():
        torch.manual_seed(2)
        network = AutoencoderKL(config, spec)
    return save(
        tmp_path_factory.mktemp("models") / "tiny-grid",
        network,
        CheckpointConfig(kind="model", name="tiny-grid", model=spec, network=config.model_dump(mode="json")),
    )


@pytest.fixture(scope="session")
def idle_model_folder(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with other weights: its decoder ignores dimension 5."""
    import torch

    from latentlab.checkpoints import save
    from latentlab.checkpoints.companion import load_model

    opened = load_model(tiny_model_folder)
    with torch.no_grad():
        opened.network.from_latent.weight[:, 5] = 0.0
    config = opened.located.config.model_copy(update={"name": "idle-vae"})
    return save(tmp_path_factory.mktemp("models") / "idle-vae", opened.network, config)


@pytest.fixture(scope="session")
def tiny_cvae_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised CVAE of gender, race and glasses for 32 px, as a native checkpoint.

    What the condition does is random too, so every class draws another picture.
    """
    import torch

    from latentlab.checkpoints import save
    from latentlab.families.cvae import CVAE, CVAEConfig
    from latentlab.spec import Attribute, CheckpointConfig, ConditionSchema, ModelSpec

    config = CVAEConfig(
        image_size=32,
        latent=8,
        encoder_widths=(8, 16, 16),
        encoder_blocks=(1, 1, 1),
        decoder_widths=(8, 16, 16),
        decoder_blocks=(1, 1, 1),
    )
    schema = ConditionSchema(
        attributes=(
            Attribute(name="gender", classes=("female", "male"), origin="constructed"),
            Attribute(name="race", classes=("asian", "black", "brown", "white"), origin="constructed"),
            Attribute(name="glasses", classes=("no", "yes"), origin="constructed"),
        )
    )
    spec = ModelSpec(family="cvae", image_size=32, latent_shape=(8,), condition=schema)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = CVAE(config, spec)
        for name, parameter in network.named_parameters():
            if name.endswith("gain"):
                torch.nn.init.constant_(parameter, 0.3)
            if "condition" in name or "_maps" in name:
                torch.nn.init.normal_(parameter, std=0.2)
    folder = tmp_path_factory.mktemp("models") / "tiny-cvae"
    return save(
        folder,
        network,
        CheckpointConfig(kind="model", name="tiny-cvae", model=spec, network=config.model_dump(mode="json")),
    )


@pytest.fixture(scope="session")
def tiny_predictor_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised attribute predictor for 32 px pictures, as a native checkpoint."""
    import torch

    from latentlab.checkpoints import save
    from latentlab.families.attribute_cnn import AttributeCNN, AttributeCNNConfig
    from latentlab.spec import Attribute, CheckpointConfig, PredictorSpec

    config = AttributeCNNConfig(image_size=32, widths=(8, 8, 16), blocks=(1, 1, 1), hidden=16)
    spec = PredictorSpec(
        family="attribute_cnn",
        image_size=32,
        attributes=(
            Attribute(name="gender", classes=("female", "male"), origin="constructed"),
            Attribute(name="race", classes=("asian", "black", "brown", "white"), origin="constructed"),
            Attribute(name="glasses", classes=("no", "yes"), origin="constructed"),
            Attribute(name="facial_hair", classes=("no", "yes"), origin="constructed"),
        ),
    )
    with torch.random.fork_rng():
        torch.manual_seed(2)
        network = AttributeCNN(config, spec)
    folder = tmp_path_factory.mktemp("predictors") / "tiny-attributes"
    return save(
        folder,
        network,
        CheckpointConfig(
            kind="predictor", name="tiny-attributes", predictor=spec, network=config.model_dump(mode="json")
        ),
    )


@pytest.fixture(scope="session")
def tiny_cinn_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cINN of three datasets with random weights, whose first layer differs by dataset and mode."""
    import torch

    from latentlab.checkpoints import save
    from latentlab.families.cinn import CINN, CINNConfig
    from latentlab.families.flow import FlowConfig
    from latentlab.families.vae import VAEConfig
    from latentlab.spec import MODE, Attribute, CheckpointConfig, ConditionSchema, ModelSpec

    autoencoder = VAEConfig(
        image_size=32,
        latent=6,
        encoder_widths=(8, 8, 8),
        encoder_blocks=(0, 1, 0),
        decoder_widths=(8, 8, 8),
        decoder_blocks=(0, 1, 0),
    )
    style = Attribute(name="style", classes=("ink", "clay", "tiles"), origin="constructed", default="ink")
    spec = ModelSpec(
        family="cinn",
        image_size=32,
        latent_shape=(6,),
        condition=ConditionSchema(attributes=(style, MODE)),
    )
    config = CINNConfig(autoencoder=autoencoder, flow=FlowConfig(blocks=2, width=8, embedding=4))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        cinn = CINN(config, spec)
        x = torch.randn(32, 6)
        cinn.flow.initialise(x, torch.eye(6)[torch.arange(32) % 6])
        with torch.no_grad():
            cinn.flow.affine.offset.copy_(3.0 * torch.randn(6, 6))
            for block in cinn.flow.blocks():
                block.coupling.t[0].main[-1].weight.normal_(0.0, 0.3)
    described = CheckpointConfig(
        kind="model", name="tiny-cinn", model=spec, network=config.model_dump(mode="json")
    )
    return save(tmp_path_factory.mktemp("models") / "tiny-cinn", cinn, described)


@pytest.fixture(scope="session")
def tiny_judge_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A randomly initialised predictor of the tiny cINN's datasets and of hair."""
    import torch

    from latentlab.checkpoints import save
    from latentlab.families.attribute_cnn import AttributeCNN, AttributeCNNConfig
    from latentlab.spec import Attribute, CheckpointConfig, PredictorSpec

    attributes = (
        Attribute(name="style", classes=("ink", "clay", "tiles"), origin="constructed"),
        Attribute(name="hair", classes=("short", "long"), origin="constructed"),
    )
    shape = AttributeCNNConfig(image_size=32, widths=(8, 8), blocks=(0, 1), hidden=8)
    spec = PredictorSpec(family="attribute_cnn", image_size=32, attributes=attributes)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = AttributeCNN(shape, spec)
    described = CheckpointConfig(
        kind="predictor", name="tiny-judge", predictor=spec, network=shape.model_dump(mode="json")
    )
    return save(tmp_path_factory.mktemp("predictors") / "tiny-judge", network, described)


@pytest.fixture(scope="session")
def keen_judge_folder(
    tiny_cinn_folder: Path, tiny_judge_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The tiny judge with its answers spread over all classes: of what the tiny cINN draws, some are each."""
    import torch

    from latentlab.checkpoints import save
    from latentlab.checkpoints.companion import load_model, load_predictor

    cinn, judge = load_model(tiny_cinn_folder).network, load_predictor(tiny_judge_folder)
    told = torch.tensor([[*style, *mode] for style in torch.eye(3) for mode in torch.eye(2)])
    z = torch.randn(200, 6, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        features = judge.network.features(cinn.decode(z, told[torch.arange(200) % 6]))
        for head in judge.network.heads.values():
            logits = head(features)
            spread = 3.0 / logits.std(0, keepdim=True).T
            head.weight.mul_(spread)
            head.bias.copy_((head.bias - logits.mean(0)) * spread[:, 0])
    described = judge.located.config.model_copy(update={"name": "keen-judge"})
    return save(tmp_path_factory.mktemp("predictors") / "keen-judge", judge.network, described)
