"""Every kind of node that has a translation gives what PyTorch gives."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from latentlab.families.cinn import CINN, CINNConfig
from latentlab.families.flow import FlowConfig
from latentlab.families.vae import VAEConfig
from latentlab.live.frame_network import FrameNetwork
from latentlab.live.graph import _Tracer
from latentlab.live.prepare import Forms
from latentlab.live.runtime import can_compile
from latentlab.live.ways import Way
from latentlab.spec import MODE, Attribute, ConditionSchema, ModelSpec

CPU = torch.device("cpu")


class _Net(nn.Module):
    """Runs a function of a feature map and, where it has one, a layer."""

    def __init__(self, function, layer: nn.Module | None = None) -> None:
        super().__init__()
        self.layer = layer if layer is not None else nn.Identity()
        self._function = function

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> tuple[Tensor, ...]:
        answer = self._function(self.layer(latents))
        return answer if isinstance(answer, tuple) else (answer,)


def _same(x: Tensor) -> Tensor:
    return x


LAYERS = [
    nn.Conv2d(8, 6, 3, padding=1),
    nn.Conv2d(8, 6, 3, stride=2, padding=1, bias=False),
    nn.Conv2d(8, 8, 4, padding="same", dilation=2),
    nn.Conv2d(8, 8, 3, padding="valid", groups=2),
    nn.Conv2d(8, 8, 3, padding=(1, 2), padding_mode="reflect"),
    nn.Conv2d(8, 8, 3, padding=1, padding_mode="replicate"),
    nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1),
    nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1, bias=False),
    nn.BatchNorm2d(8),
    nn.BatchNorm2d(8, affine=False),
    nn.LeakyReLU(0.2),
    nn.SiLU(),
    nn.Sigmoid(),
    nn.Tanh(),
    nn.PixelShuffle(2),
    nn.PixelUnshuffle(2),
    nn.Sequential(nn.Flatten(), nn.Linear(8 * 36, 5, bias=False), nn.Unflatten(1, (5, 1, 1))),
]
FUNCTIONS = {
    "arithmetic": lambda x: 2.0 - x / 3.0 + x * (x + 1.0),
    "negative": lambda x: -x,
    "curves": lambda x: torch.exp(torch.tanh(x)) + torch.sigmoid(x).exp() + x.tanh() + F.silu(x),
    "rectifiers": lambda x: torch.relu(x) + x.relu() + F.relu(x),
    "halves": lambda x: torch.cat([torch.chunk(x, 2, 1)[1], x.chunk(2, dim=1)[0]], dim=1),
    "order": lambda x: (x.permute(0, 3, 1, 2), x.permute((0, -1, 1, 2)), x.transpose(1, -1)),
    "shapes": lambda x: (x.flatten(1), x.reshape(-1, 4, 72).unsqueeze(1), torch.flatten(x, 2).float()),
    "nearest": lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest"),
    "bilinear": lambda x: F.interpolate(x, size=(9, 15), mode="bilinear", align_corners=False),
    "areas": lambda x: F.interpolate(x, size=(3, 2), mode="area"),
    "parts": lambda x: (x[:, 1:], x[:, :3, 2:-1], x[:, :, 1:4], x[:, -2:]),
    "choice": lambda x: (
        torch.index_select(x, 1, torch.tensor([2, 0, 7, 7])),
        torch.index_select(x, 3, torch.tensor([5, 1])),
    ),
    "products": lambda x: (
        x.flatten(1) @ torch.linspace(-1, 1, 288 * 3).reshape(288, 3),
        torch.matmul(x, torch.eye(6) * 2.0),
        F.linear(x.flatten(1), torch.linspace(-1, 1, 288 * 2).reshape(2, 288), torch.ones(2)),
        F.linear(x.flatten(1), torch.linspace(-1, 1, 288 * 2).reshape(2, 288)),
    ),
    "sums": lambda x: (x.sum(1), torch.sum(x, 2)),
    "softmax": lambda x: (torch.softmax(x.flatten(1), dim=1), torch.softmax(x, -1)),
}


def _agree(network: nn.Module) -> None:
    network.requires_grad_(False).eval()
    given = torch.randn(5, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    for batch in (1, 3, 5):
        found = Forms(network, (given[:1],)).make(Way("float32", True), CPU, batch)(given)
        for part, right in zip(found, network(given), strict=True):
            torch.testing.assert_close(part, right, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layers(layer: nn.Module):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for part in layer.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_()
                part.running_var.uniform_(0.5, 2.0)
    _agree(_Net(_same, layer))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str):
    _agree(_Net(FUNCTIONS[name]))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.sort(x)[0],
        lambda x: x.reshape(-1, 6),
        lambda x: F.interpolate(x, size=(9, 9), mode="bilinear", align_corners=True),
        lambda x: F.interpolate(x, size=(9, 9), mode="bicubic"),
        lambda x: x[1:],
        lambda x: x[:, ::2],
        lambda x: x[:, 1],
        lambda x: torch.index_select(x, 0, torch.tensor([0])),
        lambda x: x.sum(),
        lambda x: x[None],
        lambda x: x.reshape(1, -1),
        lambda x: torch.add(x, x, alpha=0.5),
        lambda x: x.chunk(chunks=2, dim=1)[0],
        lambda x: x.permute(dims=(0, 2, 3, 1)),
        lambda x: F.interpolate(x, scale_factor=1.7, mode="nearest"),
        lambda x: F.interpolate(x, scale_factor=1.7, mode="bilinear", align_corners=False),
    ],
)
def test_what_has_no_translation_says_so(function):
    with pytest.raises(NotImplementedError):
        Forms(_Net(function), (torch.randn(1, 8, 6, 6),)).make(Way("float32", True), CPU, 2)


def test_what_overwrites_its_input_has_no_translation_where_that_is_read_elsewhere():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.over = nn.LeakyReLU(0.1, inplace=True)

        def forward(self, latents: Tensor, condition: Tensor | None = None) -> tuple[Tensor, ...]:
            x = latents * 2.0
            return (self.over(x) + x,)

    with pytest.raises(NotImplementedError, match="overwrites"):
        Forms(Twice(), (torch.randn(1, 8, 6, 6),)).make(Way("float32", True), CPU, 2)
    with pytest.raises(NotImplementedError):
        Forms(_Net(lambda x: torch.relu_(x * 1.0)), (torch.randn(1, 8, 6, 6),)).make(
            Way("float32", True), CPU, 2
        )


def test_a_condition_that_is_ignored_is_no_hindrance():
    network = _Net(lambda x: x * 2.0)
    given = torch.randn(3, 8, 6, 6), torch.randn(3, 4)
    found = Forms(network, given).make(Way("float32", True), CPU, 2)(*given)
    torch.testing.assert_close(found[0], given[0] * 2.0)


def test_openvino_runs_here():
    assert can_compile("float32"), "openvino is a dependency; without it everything is rendered slowly"


def test_openvino_is_imported_without_its_reports():
    script = (
        "import sys; from latentlab.live.runtime import openvino; openvino('openvino.opset13');"
        "told = [name for name in sys.modules if name.startswith('openvino_telemetry.')];"
        "print(told, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] False"


def test_a_cinn_is_compiled_whole():
    """Flow, autoencoder and condition, as the renderer runs them."""
    mode = Attribute(name="style", classes=("a", "b", "c"), origin="constructed")
    spec = ModelSpec(
        family="cinn",
        image_size=32,
        latent_shape=(7,),
        condition=ConditionSchema(attributes=(mode, MODE)),
    )
    autoencoder = VAEConfig(
        image_size=32,
        latent=7,
        encoder_widths=(8, 8),
        encoder_blocks=(0, 1),
        decoder_widths=(8, 8),
        decoder_blocks=(0, 1),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        cinn = CINN(CINNConfig(autoencoder=autoencoder, flow=FlowConfig(blocks=2, width=16)), spec)
        for parameter in cinn.flow.parameters():
            parameter.data.add_(0.1 * torch.randn(parameter.shape))
        z, c = torch.randn(3, 7), torch.rand(3, 5)
    network = FrameNetwork(cinn.eval(), screen=False).requires_grad_(False)
    for batch in (1, 3):
        (found,) = Forms(network, (z[:1], c[:1])).make(Way("float32", True), CPU, batch)(z, c)
        torch.testing.assert_close(found, network(z, c)[0], atol=1e-4, rtol=1e-4)


def test_networks_of_other_threads_run_on_while_one_is_traced() -> None:
    """torch.fx stands in the way of all modules' calls while it traces; only its own thread may notice."""
    other, x = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()), torch.ones(1, 4)
    begun, ended = threading.Event(), threading.Event()

    class Slow(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            begun.set()
            assert ended.wait(30)
            return torch.relu(x)

    found: list[object] = []

    def run() -> None:
        begun.wait(30)
        try:
            found.append(other(x))
        except Exception as error:
            found.append(error)
        ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    _Tracer().trace(Slow())
    thread.join()
    assert isinstance(found[0], torch.Tensor), found
    assert torch.equal(found[0], other(x))
