"""A conditional normalising flow on vectors: u = tau(x|c), standard normal under every condition c.

After Rombach, Esser and Ommer 2020 ("Network-to-Network Translation with Conditional Invertible Neural
Networks"): blocks of activation normalisation (Kingma & Dhariwal 2018), an affine coupling of both halves
(Dinh et al. 2017) and a fixed permutation, with the condition's embedding beside the half that is looked at.
The log-scale of a coupling is bounded by tanh, so that no block can stretch by more than e.

Our own beside it: a first layer that is affine and different under each condition (`ConditionalAffine`). It
is set to a transport between Gaussians before training, and the couplings begin as the identity: so the
flow begins as the closed-form baseline that it has to beat, and likelihood training goes on from there. A
last layer of the same kind (`FlowConfig.whitened`) is set after training, so that under each condition u has
the mean 0 and the covariance I that likelihood alone only comes near to.

Everything is computed in float32, also where automatic mixed precision is in force around it: inverses are
not exact otherwise. (Live previews may run in less; settled pictures do not.)
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Annotated, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from latentlab.spec import Record

CLAMP = 1.0
"""Bound of a coupling's log-scale (version 1 of the family)."""
LEAST_SPREAD = 1e-3
"""A dimension's standard deviation counts as no smaller than this when the normalisation is initialised."""
SLOPE = 0.01
NUDGE = 1e-6


class FlowConfig(Record):
    """The shape of a flow: blocks, width and hidden layers of the networks in them, and the last layer."""

    blocks: Annotated[int, Field(ge=1, le=64)] = 8
    width: Annotated[int, Field(ge=1, le=4096)] = 192
    depth: Annotated[int, Field(ge=0, le=8)] = 1
    embedding: Annotated[int, Field(ge=1, le=1024)] = 16
    whitened: bool = False


class ConditionalAffine(nn.Module):
    """x = sum_i w_i (A_i u + m_i): one affine map a class, mixed by the condition's weights w.

    The mixture is what is inverted, so that the round trip is exact for every mixture whose matrix can be
    inverted; the way from u to x, which is rendered live, is a plain product. `NUDGE` times u is added, so
    that a condition without any weight still has an inverse.

    Parameters
    ----------
    size
        Entries D of a vector.
    classes
        Number K of maps.
    """

    def __init__(self, size: int, classes: int) -> None:
        super().__init__()
        self.size = size
        self.apart = nn.Unflatten(1, (classes, size))
        self.matrix = nn.Parameter(torch.eye(size).repeat(classes, 1, 1))
        self.offset = nn.Parameter(torch.zeros(classes, size))

    def forward(self, x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return u ``[B, D]`` of vectors ``[B, D]`` under weights ``[B, K]``, and log|det du/dx| ``[B]``."""
        nudge = NUDGE * torch.eye(self.size, dtype=x.dtype, device=x.device)
        matrix = torch.einsum("bk,kde->bde", weights, self.matrix) + nudge
        centred = x - weights @ self.offset
        u = torch.linalg.solve(matrix, centred.unsqueeze(2)).squeeze(2)
        return u, -torch.linalg.slogdet(matrix).logabsdet

    def inverse(self, u: Tensor, weights: Tensor) -> Tensor:
        """Return x ``[B, D]`` of u ``[B, D]``."""
        maps = self.apart(nn.functional.linear(u, self.matrix.flatten(0, 1)))
        x: Tensor = (maps * weights.unsqueeze(2)).sum(1) + weights @ self.offset + NUDGE * u
        return x


class ActNorm(nn.Module):
    """y = scale * (x + loc), set by the first batch of training so that y has mean 0 and deviation 1."""

    initialized: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.loc = nn.Parameter(torch.zeros(size))
        self.scale = nn.Parameter(torch.ones(size))
        self.register_buffer("initialized", torch.zeros((), dtype=torch.uint8))

    def initialise(self, x: Tensor) -> None:
        """Set ``loc`` and ``scale`` by vectors ``[B, D]``, which should mix all conditions."""
        with torch.no_grad():
            self.loc.copy_(-x.mean(0))
            self.scale.copy_(1.0 / x.std(0).clamp_min(LEAST_SPREAD))
            self.initialized.fill_(1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return y ``[B, D]`` and log|det dy/dx| as one number."""
        return self.scale * (x + self.loc), self.scale.abs().log().sum()

    def inverse(self, y: Tensor) -> Tensor:
        """Return x ``[B, D]``."""
        return y / self.scale - self.loc


class Conditioner(nn.Module):
    """The network that says how a half is scaled or shifted; its last layer begins at zero."""

    def __init__(self, inputs: int, outputs: int, config: FlowConfig, bounded: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(inputs, config.width), nn.LeakyReLU(SLOPE)]
        for _ in range(config.depth):
            layers += [nn.Linear(config.width, config.width), nn.LeakyReLU(SLOPE)]
        last = nn.Linear(config.width, outputs)
        if not last.weight.is_meta:
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        self.main = nn.Sequential(*layers, last, *([nn.Tanh()] if bounded else []))

    def forward(self, half: Tensor, embedding: Tensor) -> Tensor:
        """Return ``[B, outputs]`` for a half and the condition's embedding."""
        found: Tensor = self.main(torch.cat([half, embedding], dim=1))
        return found


class DoubleCoupling(nn.Module):
    """Both halves in turn: b' = b exp(s0[a]) + t0[a], a' = a exp(s1[b']) + t1[b']; gives [b', a']."""

    def __init__(self, size: int, config: FlowConfig) -> None:
        super().__init__()
        self.sizes = (size - size // 2, size // 2)
        first, second = self.sizes
        shapes = ((first + config.embedding, second), (second + config.embedding, first))
        self.s = nn.ModuleList(Conditioner(inputs, outputs, config, True) for inputs, outputs in shapes)
        self.t = nn.ModuleList(Conditioner(inputs, outputs, config, False) for inputs, outputs in shapes)

    def forward(self, x: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
        """Return y ``[B, D]`` and log|det dy/dx| ``[B]``."""
        first = self.sizes[0]
        a, b = x[:, :first], x[:, first:]
        s0 = CLAMP * self.s[0](a, e)
        b = b * torch.exp(s0) + self.t[0](a, e)
        s1 = CLAMP * self.s[1](b, e)
        a = a * torch.exp(s1) + self.t[1](b, e)
        return torch.cat([b, a], dim=1), s0.sum(1) + s1.sum(1)

    def inverse(self, y: Tensor, e: Tensor) -> Tensor:
        """Return x ``[B, D]``."""
        second = self.sizes[1]
        b, a = y[:, :second], y[:, second:]
        a = (a - self.t[1](b, e)) * torch.exp(-CLAMP * self.s[1](b, e))
        b = (b - self.t[0](a, e)) * torch.exp(-CLAMP * self.s[0](a, e))
        return torch.cat([a, b], dim=1)


class Shuffle(nn.Module):
    """A fixed permutation of the entries, stored with the weights."""

    forward_shuffle_idx: Tensor
    backward_shuffle_idx: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        order = torch.randperm(size)
        self.register_buffer("forward_shuffle_idx", order)
        self.register_buffer("backward_shuffle_idx", torch.argsort(order))

    def forward(self, x: Tensor) -> Tensor:
        """Return the entries in their new order."""
        return torch.index_select(x, 1, self.forward_shuffle_idx)

    def inverse(self, y: Tensor) -> Tensor:
        """Return the entries in their old order."""
        return torch.index_select(y, 1, self.backward_shuffle_idx)


class FlowBlock(nn.Module):
    """Activation normalisation, double coupling, permutation."""

    def __init__(self, size: int, config: FlowConfig) -> None:
        super().__init__()
        self.norm_layer = ActNorm(size)
        self.coupling = DoubleCoupling(size, config)
        self.shuffle = Shuffle(size)

    def forward(self, x: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
        """Return y ``[B, D]`` and log|det dy/dx| ``[B]``."""
        normed, of_norm = self.norm_layer(x)
        y, of_coupling = self.coupling(normed, e)
        return self.shuffle(y), of_norm + of_coupling

    def inverse(self, y: Tensor, e: Tensor) -> Tensor:
        """Return x ``[B, D]``."""
        inner: Tensor = self.norm_layer.inverse(self.coupling.inverse(self.shuffle.inverse(y), e))
        return inner


class ConditionalFlow(nn.Module):
    """The whole flow; see the module's text.

    Parameters
    ----------
    size
        Entries D of a vector.
    classes
        Entries K of the weights under which it is conditioned.
    """

    def __init__(self, size: int, classes: int, config: FlowConfig) -> None:
        super().__init__()
        self.size, self.config = size, config
        self.affine = ConditionalAffine(size, classes)
        self.embedder = nn.Linear(classes, config.embedding, bias=False)
        self.sub_layers = nn.ModuleList(FlowBlock(size, config) for _ in range(config.blocks))
        self.whitening = ConditionalAffine(size, classes) if config.whitened else None

    def blocks(self) -> list[FlowBlock]:
        """Return the blocks, from x to u."""
        return [cast(FlowBlock, block) for block in self.sub_layers]

    def forward(self, x: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return u = tau(x|c) ``[B, D]`` and log|det du/dx| ``[B]``.

        Parameters
        ----------
        x
            Vectors ``[B, D]``.
        weights
            The condition: a weight for each of K classes, ``[B, K]``; one-hot for one class.
        """
        with _in_full():
            x, weights = x.float(), weights.float()
            e = self.embedder(weights)
            u, log_det = self.affine(x, weights)
            for block in self.blocks():
                u, more = block(u, e)
                log_det = log_det + more
            if self.whitening is not None:
                u, more = self.whitening(u, weights)
                log_det = log_det + more
        return u, log_det

    def inverse(self, u: Tensor, weights: Tensor) -> Tensor:
        """Return x = tau^-1(u|c) ``[B, D]``."""
        with _in_full():
            e = self.embedder(weights)
            if self.whitening is not None:
                u = self.whitening.inverse(u, weights)
            for block in reversed(self.blocks()):
                u = block.inverse(u, e)
            x: Tensor = self.affine.inverse(u, weights)
        return x

    def log_likelihood(self, x: Tensor, weights: Tensor) -> Tensor:
        """Return the exact log p(x|c) in nats, ``[B]``."""
        return self.log_density(*self(x, weights))

    def log_density(self, u: Tensor, log_det: Tensor) -> Tensor:
        """Return log p(x|c) in nats, ``[B]``, from what the flow gives for x."""
        found: Tensor = log_det - 0.5 * (u.square().sum(1) + self.size * math.log(2.0 * math.pi))
        return found

    def initialise(self, x: Tensor, weights: Tensor) -> None:
        """Set every block's normalisation by vectors ``[B, D]`` that mix all conditions.

        Raises
        ------
        ValueError
            If there are fewer than 2 vectors.
        """
        if len(x) < 2:
            raise ValueError("the normalisation cannot be initialised on fewer than two vectors")
        with torch.no_grad():
            e = self.embedder(weights)
            u, _ = self.affine(x, weights)
            for block in self.blocks():
                block.norm_layer.initialise(u)
                u, _ = block(u, e)


@contextlib.contextmanager
def _in_full() -> Iterator[None]:
    """Leave an automatic mixed precision that is in force; it is only looked for where there is one."""
    with contextlib.ExitStack() as stack:
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        yield
