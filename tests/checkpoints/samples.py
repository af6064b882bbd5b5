"""A small good checkpoint of each foreign format, written as its project writes it."""

from __future__ import annotations

import argparse
import collections
from collections.abc import Callable
from pathlib import Path

import net2net_shapes
import torch
from onnx_graphs import write_model
from recorded_originals import Recorded, draw
from safetensors.torch import save_file
from torch import Tensor


def _lightning(state: dict[str, Tensor], path: Path) -> Path:
    optimiser = {"state": {0: {"step": 7, "exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 0.005}]}
    settings = argparse.Namespace(width=3, where=Path("x"))
    named = collections.OrderedDict(state)
    tree = {"epoch": 2, "state_dict": named, "optimizer_states": [optimiser], "hyper_parameters": settings}
    torch.save(tree, path)
    return path


def pytorch_vae(folder: Path) -> Path:
    state = {f"model.{name}": tensor for name, tensor in Recorded("conditional_vae").state.items()}
    return _lightning(state, folder / "vae.ckpt")


def before_torch_1_6(folder: Path) -> Path:
    torch.save(Recorded("vanilla_vae").state, folder / "old.pth", _use_new_zipfile_serialization=False)
    return folder / "old.pth"


def pythae(folder: Path) -> Path:
    recorded = Recorded("pythae_vae")
    path = folder / "pythae"
    path.mkdir()
    (path / "model_config.json").write_text(recorded.metadata["config"])
    torch.save({"model_state_dict": recorded.state}, path / "model.pt")
    return path


def stylegan2(folder: Path) -> Path:
    recorded = Recorded("stylegan2")
    tree = {"g_ema": recorded.state, "latent_avg": recorded["latent_avg"]}
    torch.save(tree, folder / "stylegan2.pt")
    return folder / "stylegan2.pt"


def compvis_kl(folder: Path) -> Path:
    return _lightning(Recorded("compvis_kl").state, folder / "kl.ckpt")


def diffusers_kl(folder: Path) -> Path:
    recorded = Recorded("diffusers_kl")
    path = folder / "diffusers"
    path.mkdir()
    (path / "config.json").write_text(recorded.metadata["config"])
    save_file(recorded.state, path / "diffusion_pytorch_model.safetensors")
    return path


def net2net(folder: Path) -> Path:
    return _lightning(draw(net2net_shapes.shapes()), folder / "net2net.ckpt")


def onnx_files(folder: Path) -> Path:
    (folder / "onnx").mkdir()
    return write_model(folder / "onnx")


SAMPLES: dict[str, Callable[[Path], Path]] = {
    write.__name__: write
    for write in (
        pytorch_vae,
        before_torch_1_6,
        pythae,
        stylegan2,
        compvis_kl,
        diffusers_kl,
        onnx_files,
        net2net,
    )
}
