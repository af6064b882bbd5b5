"""What runs on a GPU gives what the CPU gives. Skipped where there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.device import resolve_device
from latentlab.families.flow import FlowConfig
from latentlab.live.engine import Engine
from latentlab.live.frames import DeviceOverride
from latentlab.operations.search_bench import bench_search
from latentlab.training.cinn import CINNLosses, CINNRecipe
from latentlab.training.latent_rows import LatentRows
from latentlab.training.loop import LoopSettings, make_fabric, train

GPU = resolve_device("auto")
pytestmark = pytest.mark.skipif(GPU.type == "cpu", reason="this machine has no GPU")
LATENTS = np.random.default_rng(0).standard_normal((7, 8)).astype(np.float32)


def test_pictures_and_attributes_are_those_of_the_cpu(tiny_model_folder: Path, tiny_predictor_folder: Path):
    cpu, gpu = (
        Engine(str(tiny_model_folder), str(tiny_predictor_folder), DeviceOverride(device=device))
        for device in ("cpu", GPU.type)
    )
    for _ in gpu.fast.tune():
        pass
    assert gpu.fast.verdict.single.precision in ("bfloat16", "float16", "float32")
    (*_, truth) = cpu.settled(LATENTS, None, 1)
    for count in (1, len(LATENTS)):
        (*_, found) = gpu.live(LATENTS[:count], None)
        off = np.abs(found.pixels[..., :3].astype(int) - truth.pixels[:count, ..., :3])
        assert off.mean() < 1.0
        for name, rows in found.attributes.items():
            assert np.abs(rows - truth.attributes[name][:count]).max() < 0.05


def test_a_settled_frame_is_the_same_wherever_the_live_ones_are_made(tiny_model_folder: Path):
    frames = []
    for device in ("cpu", GPU.type):
        engine = Engine(str(tiny_model_folder), "", DeviceOverride(device=device))
        (*_, found) = engine.settled(LATENTS[:2], None, 1)
        frames.append(found.pixels)
    assert (frames[0] == frames[1]).all()


def test_a_search_steps(tiny_model_folder: Path):
    report = bench_search(str(tiny_model_folder), restarts=2, factor=4, device=GPU.type)
    assert report.device.startswith(GPU.type)
    assert report.evaluation.metrics["steps_per_second"].value > 0.0


def test_a_training_goes_on_where_it_stopped_and_as_on_the_cpu(tmp_path: Path):
    generator = np.random.default_rng(1)
    codes = np.arange(256) % 2
    mean = (generator.standard_normal((256, 6)) + 2.0 * codes[:, None]).astype(np.float32)
    rows = LatentRows(
        mean, np.full_like(mean, 0.1), codes.astype(np.int64), {}, np.zeros((0, 2), dtype=np.int64)
    )
    made = {}
    for device in ("cpu", GPU.type):
        for steps in (4, 8):
            torch.manual_seed(0)
            recipe = CINNRecipe(FlowConfig(blocks=2, width=16), CINNLosses(tie=0.0, moments=1.0), rows, 2)
            settings = LoopSettings(
                steps=8, stop=steps, batch=32, precision="32-true", accelerator=device, threads=1
            )
            trained = train(recipe, rows, tmp_path / device, settings, make_fabric(settings))
        assert trained.step == 8
        made[device] = torch.nn.utils.parameters_to_vector(trained.network.cpu().parameters())
    assert torch.allclose(made["cpu"], made[GPU.type], atol=1e-3)
