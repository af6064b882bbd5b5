"""A model on its way can be stopped: what was open stays; how far a large file has been read is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from latentlab.checkpoints import native
from latentlab.checkpoints.native import load_located, locate
from latentlab.errors import Cancelled
from latentlab.families.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig
from latentlab.progress import Progress, Reporter
from latentlab.session import underway
from latentlab.session.workspace import STOPPED


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AutoencoderKL as diffusers saves it."""
    folder = tmp_path_factory.mktemp("foreign") / "kl"
    folder.mkdir()
    config = AutoencoderKLConfig(
        widths=(8, 8), blocks=1, groups=4, down_attention=(False,) * 2, up_attention=(False,) * 2
    )
    torch.manual_seed(0)
    save_file(
        AutoencoderKL(config, config.spec(32)).state_dict(), folder / "diffusion_pytorch_model.safetensors"
    )
    settings = {
        "_class_name": "AutoencoderKL",
        "block_out_channels": [8, 8],
        "down_block_types": ["DownEncoderBlock2D"] * 2,
        "up_block_types": ["UpDecoderBlock2D"] * 2,
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "sample_size": 32,
    }
    (folder / "config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture
def open_desk(desk, tiny_model_folder: Path):
    """A desk with the tiny model open."""
    desk.workspace.open_checkpoint(str(tiny_model_folder), "")
    desk.wait(lambda: desk.workspace.phase == "ready")
    return desk


def test_reading_tells_how_far_it_is_and_can_be_stopped(foreign: Path) -> None:
    told: list[Progress] = []
    load_located(locate(foreign), Reporter(told.append))
    assert told[-1].done == told[-1].total
    assert [one.done for one in told] == sorted(one.done for one in told)
    few: list[Progress] = []
    reporter = Reporter(lambda event: (few.append(event), reporter.cancel()))
    with pytest.raises(Cancelled):
        load_located(locate(foreign), reporter)
    assert len(few) == 1, "nothing is read after the wish to stop"


def test_what_was_open_stays(open_desk, foreign: Path) -> None:
    workspace, document = open_desk.workspace, open_desk.workspace.session.document
    workspace.open_checkpoint(str(foreign))
    assert workspace.can_stop_opening
    workspace.stop_opening()
    assert not workspace.can_stop_opening
    assert workspace.busy == "Stopping"
    open_desk.wait(lambda: workspace.in_step)
    assert workspace.session.document is document
    assert [(one.kind, one.text) for one in open_desk.messages] == [("note", STOPPED)]
    before = open_desk.state.latent
    workspace.explore.move(0, 2.0)
    open_desk.wait_settled()
    assert (open_desk.state.latent != before).any()


def test_amid_the_reading(open_desk, foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, read = open_desk.workspace, []
    from latentlab.checkpoints.foreign import fill

    plain = fill.tensors_of

    def tensors_of(*given):
        for one in plain(*given):
            read.append(one)
            if len(read) == 3:
                workspace.stop_opening()
            yield one

    monkeypatch.setattr(fill, "tensors_of", tensors_of)
    workspace.open_checkpoint(str(foreign))
    open_desk.wait(lambda: workspace.in_step)
    assert len(read) == 3
    assert open_desk.messages[-1].text == STOPPED
    monkeypatch.undo()
    workspace.open_checkpoint(str(foreign))
    open_desk.wait(lambda: workspace.in_step)
    assert workspace.opened.spec.family == "autoencoder_kl", "it can be opened afterwards"


def test_the_first_model_stopped_leaves_nothing_open(desk, foreign: Path, tiny_model_folder: Path) -> None:
    desk.workspace.open_checkpoint(str(foreign))
    desk.workspace.stop_opening()
    desk.wait(lambda: desk.workspace.phase == "failed")
    assert desk.workspace.reason == STOPPED
    desk.workspace.open_checkpoint(str(tiny_model_folder), "")
    desk.wait(lambda: desk.workspace.phase == "ready")
    desk.workspace.stop_opening()
    assert desk.workspace.in_step, "there is nothing to stop"


def test_the_share_of_a_large_file_is_told(open_desk, foreign: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(underway, "_LARGE", 1000)
    said: list[str] = []
    open_desk.workspace.busy_changed.connect(said.append)
    open_desk.workspace.open_checkpoint(str(foreign))
    open_desk.wait(lambda: open_desk.workspace.in_step)
    shares = [text for text in said if "% read" in text]
    assert len(shares) > 3
    assert shares[-1].endswith("100% read)")
    numbers = [int(text.rpartition(", ")[2].removesuffix("% read)")) for text in shares]
    assert numbers == sorted(numbers)
    assert np.diff(numbers).min() >= 1, "told once each"
    assert native.load(foreign).located.foreign is not None
