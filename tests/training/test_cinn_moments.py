"""The loss on the moments of projected and sampled latents, on datasets whose distances are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.families.flow import ConditionalFlow, FlowConfig
from latentlab.metrics.frechet import frechet_distance
from latentlab.training.affine_layers import FOLLOW, MODES, begin, flow_weights, whitened
from latentlab.training.cinn import CINNLosses, CINNRecipe
from latentlab.training.latent_rows import LatentRows
from latentlab.training.loop import LoopSettings, make_fabric, train
from latentlab.training.moments import Moments

SIZE = 6


def _rows(n: int = 1500, seed: int = 0) -> LatentRows:
    """Two datasets of clumps: a flow has to bend one to get the other."""
    generator = np.random.default_rng(seed)
    parts = []
    for k in range(2):
        centres = np.random.default_rng(20 + k).normal(size=(3 + k, SIZE)) * 2.0
        parts.append(centres[generator.integers(0, 3 + k, n)] + 0.3 * generator.normal(size=(n, SIZE)))
    mean = np.concatenate(parts).astype(np.float32)
    return LatentRows(
        mean, np.full_like(mean, 0.3), np.repeat(np.arange(2), n), {}, np.zeros((0, 2), dtype=np.int64)
    )


def _apart(moments: Moments, flow: ConditionalFlow, times: int = 300) -> float:
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        return float(
            torch.stack([moments.apart(moments.moved(flow, generator)) for _ in range(times)]).mean()
        )


def test_it_is_zero_on_average_where_the_moments_are_right_and_counts_what_they_are_off() -> None:
    rows = _rows()
    flow = ConditionalFlow(SIZE, 2 * MODES, FlowConfig(blocks=1, width=8, embedding=2))
    begin(flow, rows, 2, ())  # Gaussian transport, which the couplings do not change yet
    right = _apart(Moments(rows, 2), flow)
    assert abs(right) < 0.02
    body = np.cov(rows.mean[rows.datasets == 1].T)
    shift = 0.5 * np.sqrt(np.trace(body) / SIZE)
    moments = Moments(rows, 2)
    moments.mean[1, 0] += shift
    moved = _apart(moments, flow)
    first = moments.towards[1][0].double().numpy() * shift
    square = np.outer(first, first)
    assert moved == pytest.approx(0.5 * (first @ first + 0.25 * (square**2).sum()), abs=0.03), (
        "every second time the second dataset is the target"
    )


def test_it_brings_projections_and_samples_nearer_to_the_dataset(tmp_path: Path) -> None:
    rows, fresh = _rows(), _rows(seed=5)
    settings = LoopSettings(
        steps=200, batch=128, save_every=0, ema=0.95, precision="32-true", threads=1, accelerator="cpu"
    )
    far = {}
    for weight in (0.0, 10.0):
        torch.manual_seed(0)
        recipe = CINNRecipe(
            FlowConfig(blocks=3, width=32, embedding=4), CINNLosses(tie=0.0, moments=weight), rows, 2, ()
        )
        found = train(recipe, rows, tmp_path / str(weight), settings, make_fabric(settings)).network
        assert isinstance(found, ConditionalFlow)
        flow = whitened(found, rows, 2)
        n = len(fresh) // 2
        weights = [flow_weights(torch.full((n,), k), FOLLOW, 2) for k in range(2)]
        with torch.no_grad():
            z = flow(torch.from_numpy(fresh.mean[:n]), weights[0])[0]
            drawn = torch.randn(n, SIZE, generator=torch.Generator().manual_seed(2))
            far[weight] = [
                frechet_distance(flow.inverse(one, weights[1]).numpy(), fresh.mean[n:]) for one in (z, drawn)
            ]
    assert far[10.0][0] < 0.7 * far[0.0][0], "projections"
    assert far[10.0][1] < 0.7 * far[0.0][1], "samples"


def test_a_resumed_training_goes_on_with_the_same_averages(tmp_path: Path) -> None:
    rows = _rows(200)
    settings = LoopSettings(
        steps=12, batch=32, save_every=0, precision="32-true", threads=1, accelerator="cpu"
    )

    def trained(folder: Path, stop: int | None = None) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        recipe = CINNRecipe(
            FlowConfig(blocks=1, width=8, embedding=2), CINNLosses(tie=0.0, pairs=0.0), rows, 2
        )
        now = replace(settings, stop=stop)
        return train(recipe, rows, folder, now, make_fabric(now)).network.state_dict()

    once = trained(tmp_path / "once")
    trained(tmp_path / "twice", stop=5)
    twice = trained(tmp_path / "twice")
    for name, tensor in once.items():
        assert torch.equal(tensor, twice[name]), name


def test_gaussian_transport_is_no_further_than_it_has_to_and_a_shift_is_counted() -> None:
    rows = _rows()
    flow = ConditionalFlow(SIZE, 2 * MODES, FlowConfig(blocks=1, width=8, embedding=2))
    begin(flow, rows, 2, ())
    moments, generator = Moments(rows, 2), torch.Generator().manual_seed(3)
    with torch.no_grad():
        found = [moments.moved(flow, generator) for _ in range(200)]
    assert {one.target for one in found} == {0, 1}
    assert any(one.least is None for one in found), "samples have no picture they come from"
    moved = [one for one in found if one.least is not None]
    assert max(float(moments.further(one)) for one in moved) < 0.02
    body = np.trace(np.cov(rows.mean[rows.datasets == 1].T)) / SIZE
    one = next(one for one in moved if one.target == 1)
    assert one.least is not None
    shifted = replace(one, x=one.least + 0.5)
    assert float(moments.further(shifted)) == pytest.approx(0.25 / body, rel=1e-3)


def test_the_weight_of_transport_keeps_projections_nearer_to_it(tmp_path: Path) -> None:
    rows = _rows()
    settings = LoopSettings(
        steps=120, batch=128, save_every=0, ema=0.95, precision="32-true", threads=1, accelerator="cpu"
    )
    further = {}
    for weight in (0.0, 50.0):
        torch.manual_seed(0)
        recipe = CINNRecipe(
            FlowConfig(blocks=3, width=32, embedding=4),
            CINNLosses(tie=0.0, moments=10.0, transport=weight, rate=1e-2),
            rows,
            2,
            (),
        )
        flow = train(recipe, rows, tmp_path / str(weight), settings, make_fabric(settings)).network
        assert isinstance(flow, ConditionalFlow)
        moments, generator = Moments(rows, 2), torch.Generator().manual_seed(4)
        with torch.no_grad():
            found = [moments.further(moments.moved(flow, generator)) for _ in range(60)]
        further[weight] = float(torch.stack(found[20:]).mean())
    assert further[50.0] < 0.5 * further[0.0]
