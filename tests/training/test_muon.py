"""Muon: what an update is, and that it learns where plain descent crawls."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from latentlab.training.muon import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(24, 96), (96, 24), (32, 32)])
def test_an_orthogonalised_matrix_has_singular_values_near_one(shape):
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(*shape, generator=generator) * torch.logspace(0, -1, shape[1])
    found = orthogonalise(matrix)
    values = torch.linalg.svdvals(found)
    strong = torch.linalg.svdvals(matrix / matrix.norm()) > 0.01
    assert found.shape == matrix.shape
    assert values[strong].min() > 0.3
    assert values.max() < 1.7
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    assert torch.nn.functional.cosine_similarity(found.flatten(), (u @ v).flatten(), dim=0) > 0.9


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_kernels_update_does_not_depend_on_its_layout(channels_last):
    torch.manual_seed(0)
    kernel = nn.Parameter(torch.zeros(8, 6, 3, 3))
    gradient = torch.randn(8, 6, 3, 3)
    wanted = orthogonalise(gradient.movedim(1, -1).flatten(1)).view(8, 3, 3, 6).movedim(-1, 1)
    if channels_last:
        kernel = nn.Parameter(kernel.detach().to(memory_format=torch.channels_last))
        gradient = gradient.to(memory_format=torch.channels_last)
    kernel.grad = gradient
    Muon([kernel], lr=0.01).step()
    assert float(kernel.detach().square().mean().sqrt()) == pytest.approx(0.01, rel=0.25)
    torch.testing.assert_close(kernel.detach(), -0.01 * 54**0.5 * wanted, atol=2e-4, rtol=0.05)


def test_vectors_take_adams_step():
    torch.manual_seed(0)
    ours, theirs = nn.Parameter(torch.ones(5)), nn.Parameter(torch.ones(5))
    muon, adam = Muon([ours], lr=0.1), torch.optim.Adam([theirs], lr=0.1, betas=(0.9, 0.99))
    for _ in range(4):
        ours.grad = torch.randn(5)
        theirs.grad = ours.grad.clone()
        muon.step()
        adam.step()
    torch.testing.assert_close(ours, theirs)


def test_the_momentum_is_a_moving_average_in_nesterovs_form():
    generator = torch.Generator().manual_seed(0)
    gradients = [torch.randn(6, 20, generator=generator) for _ in range(3)]
    weight = nn.Parameter(torch.zeros(6, 20))
    muon = Muon([weight], lr=0.01, momentum=0.9)
    expected, average = torch.zeros(6, 20), torch.zeros(6, 20)
    for gradient in gradients:
        weight.grad = gradient
        muon.step()
        average = 0.9 * average + 0.1 * gradient
        expected = expected - 0.01 * 20**0.5 * orthogonalise(0.1 * gradient + 0.9 * average)
    torch.testing.assert_close(weight.detach(), expected, atol=1e-4, rtol=0.02)


def test_it_learns_weak_directions_as_fast_as_strong_ones_which_plain_descent_does_not():
    def left(kind: type[torch.optim.Optimizer]) -> torch.Tensor:
        generator = torch.Generator().manual_seed(0)
        scales = torch.logspace(0, -2, 16)
        target = torch.linalg.qr(torch.randn(16, 16, generator=generator))[0]
        weight = nn.Parameter(torch.zeros(16, 16))
        chosen = kind([weight], lr=0.1)
        for step in range(60):
            chosen.param_groups[0]["lr"] = 0.1 * (1 - step / 60)
            loss = ((weight - target) * scales).square().sum()
            chosen.zero_grad()
            loss.backward()
            chosen.step()
        return (weight - target).detach().norm(dim=0)

    ours, plain = left(Muon), left(torch.optim.SGD)
    assert ours[-1] < 0.5, "the weakest column, of a hundredth of the strongest's scale, has been learnt"
    assert plain[-1] > 0.9, "descent has hardly begun with it"
