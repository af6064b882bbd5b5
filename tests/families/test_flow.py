"""The flow: exact inverses, exact likelihoods (beside a flow library), and what a checkpoint must show."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import zuko
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributions.transforms import AffineTransform

from latentlab.checkpoints import load, save
from latentlab.errors import CheckpointError
from latentlab.families.cinn import CINN, CINNConfig
from latentlab.families.flow import CLAMP, ConditionalFlow, FlowConfig
from latentlab.families.vae import VAEConfig
from latentlab.spec import MODE, Attribute, CheckpointConfig, ConditionSchema, ModelSpec

AUTOENCODER = VAEConfig(
    image_size=32,
    latent=7,
    encoder_widths=(8, 8, 8),
    encoder_blocks=(1, 1, 1),
    decoder_widths=(8, 8, 8),
    decoder_blocks=(1, 1, 1),
)
FLOW = FlowConfig(blocks=3, width=16, depth=1, embedding=4)


def _shaken(network: nn.Module, seed: int = 0) -> None:
    """Move every parameter away from where it begins, so that nothing is the identity by chance."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))


@pytest.fixture
def flow() -> ConditionalFlow:
    torch.manual_seed(0)
    flow = ConditionalFlow(7, 4, FLOW)
    x = torch.randn(64, 7) * 3.0 + 1.0
    flow.initialise(x, torch.eye(4)[torch.arange(64) % 4])
    _shaken(flow)
    return flow.eval()


def _mixtures(n: int) -> Tensor:
    weights = torch.rand(n, 4, generator=torch.Generator().manual_seed(3))
    return weights / weights.sum(1, keepdim=True)


@pytest.mark.parametrize("mixed", [False, True])
def test_the_way_back_is_exact(flow: ConditionalFlow, mixed: bool) -> None:
    weights = _mixtures(32) if mixed else torch.eye(4).repeat(8, 1)
    x = torch.randn(32, 7, generator=torch.Generator().manual_seed(1))
    u, _ = flow(x, weights)
    torch.testing.assert_close(flow.inverse(u, weights), x, atol=2e-5, rtol=0)
    assert float((u - flow(x, weights.roll(1, 0))[0]).detach().abs().max()) > 0.01, "the condition matters"


def test_a_condition_without_weight_still_has_an_inverse(flow: ConditionalFlow) -> None:
    u, log_det = flow(torch.zeros(2, 7), torch.zeros(2, 4))
    assert torch.isfinite(u).all()
    assert torch.isfinite(log_det).all()


def test_the_log_determinant_is_that_of_the_jacobian(flow: ConditionalFlow) -> None:
    x = torch.randn(3, 7, generator=torch.Generator().manual_seed(1))
    weights = _mixtures(3)
    _, found = flow(x, weights)
    for k in range(3):

        def one(point: Tensor, k: int = k) -> Tensor:
            return flow(point[None], weights[k : k + 1])[0][0]

        jacobian = torch.autograd.functional.jacobian(one, x[k])
        expected = torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(found[k], expected, atol=1e-4, rtol=1e-4)


def test_the_likelihood_is_that_of_a_flow_library(flow: ConditionalFlow) -> None:
    """The same layers, put together of zuko's couplings and permutations."""
    weights = torch.eye(4)[2:3]
    e = flow.embedder(weights)[0]
    transforms: list[torch.distributions.Transform] = []
    matrix, offset = flow.affine.matrix[2] + 1e-6 * torch.eye(7), flow.affine.offset[2]

    for block in flow.blocks():
        norm, coupling = block.norm_layer, block.coupling
        transforms.append(AffineTransform(norm.scale * norm.loc, norm.scale, event_dim=1))
        first = torch.arange(7) < coupling.sizes[0]

        def shifted(half: Tensor, k: int, coupling=coupling) -> torch.distributions.Transform:
            embedding = e.expand(*half.shape[:-1], -1)
            s = CLAMP * coupling.s[k](half, embedding)
            return AffineTransform(coupling.t[k](half, embedding), torch.exp(s), event_dim=1)

        transforms.append(zuko.transforms.CouplingTransform(lambda a, f=shifted: f(a, 0), first))
        transforms.append(zuko.transforms.CouplingTransform(lambda b, f=shifted: f(b, 1), ~first))
        halves = torch.cat([torch.arange(7)[~first], torch.arange(7)[first]])
        transforms.append(zuko.transforms.PermutationTransform(halves))
        transforms.append(zuko.transforms.PermutationTransform(block.shuffle.forward_shuffle_idx))
    base = zuko.distributions.DiagNormal(torch.zeros(7), torch.ones(7))
    library = zuko.distributions.NormalizingFlow(zuko.transforms.ComposedTransform(*transforms), base)

    x = torch.randn(16, 7, generator=torch.Generator().manual_seed(5))
    inner = torch.linalg.solve(matrix, (x - offset).T).T
    expected = library.log_prob(inner) - torch.linalg.slogdet(matrix).logabsdet
    found = flow.log_likelihood(x, weights.expand(16, -1))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_the_normalisation_begins_with_mean_0_and_deviation_1() -> None:
    torch.manual_seed(0)
    flow = ConditionalFlow(7, 2, FLOW)
    x = torch.randn(256, 7) * 5.0 - 2.0
    x[:, 3] = 1.0  # a dimension that is the same everywhere must not blow up
    weights = torch.eye(2)[torch.arange(256) % 2]
    flow.initialise(x, weights)
    u, _ = flow(x, weights)
    torch.testing.assert_close(u.detach().mean(0), torch.zeros(7), atol=1e-4, rtol=0)
    spread = u.detach().std(0).sort().values
    assert float(spread[0]) < 1e-3, "the constant dimension"
    torch.testing.assert_close(spread[1:], torch.ones(6), atol=1e-3, rtol=0)
    with pytest.raises(ValueError, match="fewer than two"):
        flow.initialise(x[:1], weights[:1])


def test_half_precision_around_it_changes_nothing(flow: ConditionalFlow) -> None:
    x, weights = torch.randn(8, 7), torch.eye(4).repeat(2, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        u, _ = flow(x, weights)
        back = flow.inverse(u, weights)
    torch.testing.assert_close(u, flow(x, weights)[0])
    torch.testing.assert_close(back, x, atol=2e-5, rtol=0)


def _spec(*names: str) -> ModelSpec:
    style = Attribute(name="style", classes=names or ("a", "b"), origin="constructed")
    return ModelSpec(
        family="cinn",
        image_size=32,
        latent_shape=(7,),
        condition=ConditionSchema(attributes=(style, MODE)),
    )


@pytest.fixture
def cinn(flow: ConditionalFlow) -> CINN:
    torch.manual_seed(0)
    cinn = CINN(CINNConfig(autoencoder=AUTOENCODER, flow=FLOW), _spec())
    cinn.flow.load_state_dict(flow.state_dict())
    return cinn.eval()


def _saved(cinn: CINN, folder: Path, half: bool = True) -> Path:
    network = cinn.config.model_dump(mode="json")
    config = CheckpointConfig(kind="model", name="tiny", model=cinn.spec, network=network)
    return save(folder, cinn, config, half=half)


def test_projecting_onto_its_own_dataset_is_reconstruction(cinn: CINN) -> None:
    x = torch.rand(4, 3, 32, 32)
    condition = torch.tensor([[1.0, 0.0, 0.0, 1.0]]).repeat(4, 1)
    z = cinn.encode(x, condition).mean
    expected = cinn.autoencoder.decode(cinn.autoencoder.encode(x).mean)
    torch.testing.assert_close(cinn.decode(z, condition), expected, atol=1e-4, rtol=0)
    other = torch.tensor([[0.0, 1.0, 0.0, 1.0]]).repeat(4, 1)
    assert float((cinn.decode(z, other) - expected).detach().abs().max()) > 1e-3


def test_the_flows_weights_are_dataset_times_mode(cinn: CINN) -> None:
    condition = torch.tensor([[0.0, 1.0, 0.25, 0.75]])
    torch.testing.assert_close(cinn.weights(condition), torch.tensor([[0.0, 0.0, 0.25, 0.75]]))


@pytest.mark.parametrize("half", [False, True])
def test_it_comes_back_from_disk(cinn: CINN, tmp_path: Path, half: bool) -> None:
    opened = load(_saved(cinn, tmp_path / "model", half))
    found = opened.network
    assert isinstance(found, CINN)
    for one, other in zip(cinn.flow.blocks(), found.flow.blocks(), strict=True):
        assert torch.equal(one.shuffle.forward_shuffle_idx, other.shuffle.forward_shuffle_idx)
    condition = torch.tensor([[1.0, 0.0, 0.0, 1.0]])
    z = torch.randn(1, 7)
    torch.testing.assert_close(
        found.decode(z, condition), cinn.decode(z, condition), atol=2e-2 if half else 1e-5, rtol=0
    )


def _changed(folder: Path, name: str, value: Tensor) -> Path:
    path = folder / "model.safetensors"
    save_file(load_file(path) | {name: value}, path)
    return folder


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "flow.sub_layers.1.shuffle.forward_shuffle_idx",
            torch.zeros(7, dtype=torch.int64),
            "1 is none",
        ),
        ("flow.sub_layers.1.shuffle.backward_shuffle_idx", torch.arange(7) * 100, "turned back"),
        ("flow.sub_layers.1.shuffle.forward_shuffle_idx", torch.arange(7.0), "should hold whole numbers"),
        ("flow.sub_layers.0.norm_layer.initialized", torch.zeros((), dtype=torch.uint8), "never initialised"),
        ("flow.sub_layers.2.norm_layer.scale", torch.zeros(7), "round trip"),
        ("flow.affine.matrix", torch.zeros(4, 7, 7), "first layer shrinks"),
    ],
)
def test_a_flow_that_cannot_be_turned_back_does_not_open(
    cinn: CINN, tmp_path: Path, name: str, value: Tensor, said: str
) -> None:
    folder = _changed(_saved(cinn, tmp_path / "model", half=False), name, value)
    with pytest.raises(CheckpointError, match=said):
        load(folder)


def test_a_condition_that_is_no_dataset_and_mode_is_refused() -> None:
    other = Attribute(name="beard", classes=("no", "yes"))
    for attributes in ((other,), (other, other.model_copy(update={"name": "hair"})), (MODE, other)):
        spec = _spec().model_copy(update={"condition": ConditionSchema(attributes=attributes)})
        with pytest.raises(ValueError, match="a dataset with classes, and the mode"):
            CINN(CINNConfig(autoencoder=AUTOENCODER, flow=FLOW), spec)
