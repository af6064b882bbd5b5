from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentlab.live.enlarging import Interleave, smaller
from latentlab.live.examples import example
from latentlab.live.opening import Loaded
from latentlab.live.prepare import Forms
from latentlab.live.ways import Way


@pytest.mark.parametrize("size", [(4, 4), (5, 3), (1, 1)])
@pytest.mark.parametrize("bias", [True, False])
def test_the_smaller_convolution_gives_that_of_the_doubled_map(size: tuple[int, int], bias: bool):
    generator = torch.Generator().manual_seed(0)
    layer = nn.Conv2d(6, 5, 3, padding=1, bias=bias).double().requires_grad_(False)
    layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator))
    x = torch.randn(2, 6, *size, generator=generator, dtype=torch.float64)
    found = Interleave()(smaller(layer)(x))
    assert found.shape == (2, 5, 2 * size[0], 2 * size[1])
    torch.testing.assert_close(found, layer(F.interpolate(x, scale_factor=2.0, mode="nearest")))
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_interleaving_is_exact_for_bytes():
    cases = torch.arange(4 * 3 * 3 * 4, dtype=torch.uint8).reshape(1, 12, 3, 4)
    found = Interleave()(cases)
    for i in range(2):
        for j in range(2):
            case = cases[:, 3 * (2 * i + j) : 3 * (2 * i + j) + 3, i : i + 2, j : j + 3]
            assert torch.equal(found[:, :, i::2, j::2], case)


def test_a_decoders_enlargements_are_shrunk(pair: Loaded):
    forms = Forms(pair.network(), example(pair.spec, 2))
    graph = forms.make(Way("float32", True), torch.device("cpu"), 1)
    assert sum(isinstance(part, Interleave) for part in graph.modules()) == 2


class _Doubled(nn.Module):
    """A doubled map that several layers read, one of them in a way that cannot be shrunk."""

    def __init__(self) -> None:
        super().__init__()
        self.usual = nn.Conv2d(4, 4, 3, padding=1)
        self.wide = nn.Conv2d(4, 4, 5, padding=2)
        self.after = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> tuple[Tensor, ...]:
        up = F.interpolate(latents, scale_factor=2.0, mode="nearest")
        smooth = F.interpolate(latents, scale_factor=2.0, mode="bilinear")
        rectified = torch.relu(up)
        return (
            self.usual(rectified) + up,
            self.wide(rectified),
            self.after(smooth),
            self.usual(up).relu() + 1,
        )


def test_only_what_is_the_same_is_shrunk():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = _Doubled().requires_grad_(False).eval()
        given = (torch.randn(2, 4, 6, 6),)
    graph = Forms(network, given).make(Way("float32", True), torch.device("cpu"), 2)
    assert sum(isinstance(part, Interleave) for part in graph.modules()) == 2
    with torch.inference_mode():
        for found, right in zip(graph(*given), network(*given), strict=True):
            torch.testing.assert_close(found, right, atol=1e-5, rtol=1e-5)
