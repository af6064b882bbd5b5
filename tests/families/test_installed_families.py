"""A lab's own family comes as an installed package, and is imported only for a checkpoint of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from latentlab.checkpoints import load, locate, save
from latentlab.errors import CheckpointError

MODULE = """
from latentlab.families.vae import VAE, VAEConfig

class LabVAE(VAE):
    pass

def build(network, spec):
    return LabVAE(VAEConfig.model_validate(network), spec)

number = 3
"""


@pytest.fixture
def checkpoint(tiny_model_folder: Path, tmp_path: Path) -> Path:
    opened = load(tiny_model_folder)
    assert opened.config.model is not None
    spec = opened.config.model.model_copy(update={"family": "lab_vae"})
    return save(tmp_path / "model", opened.network, opened.config.model_copy(update={"model": spec}))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package ``our-lab`` with the module ``our_lab_family``."""
    site = tmp_path / "site"
    about = site / "our_lab-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: our-lab\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[latentlab.families]\nlab_vae = our_lab_family:build\n")
    (site / "our_lab_family.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(site))
    yield site
    sys.modules.pop("our_lab_family", None)


def test_without_the_package_the_family_is_unknown(checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match=r"family 'lab_vae' is unknown .* install the package"):
        load(checkpoint)


def test_its_checkpoints_open_and_draw(checkpoint: Path, package: Path, tiny_model_folder: Path) -> None:
    assert locate(checkpoint).config.spec.family == "lab_vae"
    assert "our_lab_family" not in sys.modules
    network = load(checkpoint).network
    assert type(network).__name__ == "LabVAE"
    z = torch.ones(1, 8)
    torch.testing.assert_close(network.decode(z), load(tiny_model_folder).network.decode(z))


def test_a_package_that_fails_is_named(checkpoint: Path, package: Path) -> None:
    (package / "our_lab_family.py").write_text("import no_such_module_of_ours")
    with pytest.raises(CheckpointError, match="package our-lab cannot be imported: No module named"):
        load(checkpoint)


def test_a_package_that_names_something_else_is_named(checkpoint: Path, package: Path) -> None:
    entries = package / "our_lab-1.0.dist-info" / "entry_points.txt"
    entries.write_text("[latentlab.families]\nlab_vae = our_lab_family:number\n")
    with pytest.raises(CheckpointError, match="of the package our-lab is nothing that can be called"):
        load(checkpoint)
