from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from latentlab.live.examples import example
from latentlab.live.frame_network import FrameNetwork, Screen
from latentlab.live.graph import layer, observe, trace
from latentlab.live.int8 import Rounding
from latentlab.live.opening import Loaded
from latentlab.live.prepare import Forms
from latentlab.live.runtime import can_compile
from latentlab.live.trial import strays
from latentlab.live.ways import Way
from latentlab.operations.render import to_uint8

CPU = torch.device("cpu")
COMPILED = [
    pytest.param(name, marks=pytest.mark.skipif(not can_compile(name), reason=f"no fast {name} here"))
    for name in ("float32", "bfloat16", "int8")
]


def _kinds(form: nn.Module) -> list[type[nn.Module]]:
    return [type(part) for part in form.modules()]


@pytest.mark.parametrize("precision", COMPILED)
@pytest.mark.parametrize("batch", [1, 8])
def test_compiled_forms_give_the_same_pictures_and_attributes(pair: Loaded, precision: str, batch: int):
    network = pair.network()
    form = Forms(network, example(pair.spec, 16)).make(Way(precision, True, 2), CPU, batch)
    given = example(pair.spec, 5, seed=3)
    with torch.inference_mode():
        truth, answer = network(*given), form(*given)
    error = (answer[0].float() - truth[0].float()).abs()
    assert answer[0].shape == truth[0].shape == (5, 32, 32, 4)
    assert answer[0].dtype == truth[0].dtype == torch.uint8
    assert (answer[0][..., 3] == 255).all()
    most = {"float32": 1.0, "bfloat16": 3.0, "int8": 6.0}[precision]
    assert float(error.max()) <= most
    assert float(error.mean()) <= {"float32": 0.01, "bfloat16": 0.5, "int8": 1.5}[precision]
    for found, right in zip(answer[1:], truth[1:], strict=True):
        assert found.shape == right.shape
        assert float((found.float() - right).abs().max()) <= 0.02
    assert not strays(answer, truth)


@pytest.mark.parametrize("precision", COMPILED)
def test_the_original_is_never_changed(pair: Loaded, precision: str):
    network = pair.network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    forms = Forms(network, example(pair.spec, 4))
    form = forms.make(Way(precision, True), CPU, 1)
    with torch.inference_mode():
        form(*example(pair.spec, 1))
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert {tensor.dtype for tensor in after.values()} == {torch.float32}


@pytest.mark.skipif(not can_compile("int8"), reason="no fast int8 here")
def test_the_8_bit_form_rounds_what_rectifiers_give_and_spares_the_last_layer(pair: Loaded):
    network = pair.network()
    graph = trace(network, conditional=False)
    rounding = Rounding(graph, observe(graph, example(pair.spec, 4)))
    convolutions = {
        node: found for node in graph.graph.nodes if (found := layer(graph, node, nn.Conv2d)) is not None
    }
    rounded = [node for node, found in convolutions.items() if rounding.rounds(node, found)]
    assert len(rounded) == 7
    spared = {node.name for node in convolutions} - {node.name for node in rounded}
    # Between the blocks on a small map; and those with few channels, the picture's last layer among them.
    assert "model_decoder_layers_2" in spared
    assert not {"model_decoder_layers_0_conv1", "model_decoder_layers_4_conv1"} & spared
    picture = [node for node, found in convolutions.items() if found.out_channels == 12]
    assert picture
    assert not set(picture) & set(rounded)


@pytest.mark.skipif(not can_compile("int8"), reason="no fast int8 here")
def test_the_8_bit_form_really_computes_in_8_bits(pair: Loaded):
    form = Forms(pair.network(), example(pair.spec, 4)).make(Way("int8", True), CPU, 1)
    kinds = [node.get_rt_info() for node in form._network.get_runtime_model().get_ordered_ops()]
    convolutions = [
        info["runtimePrecision"].astype(str)
        for info in kinds
        if info["layerType"].astype(str) == "Convolution"
    ]
    assert convolutions.count("u8") == 7


@pytest.mark.parametrize("size", [16, 48])
def test_a_predictor_of_another_size_is_compiled_too(pair: Loaded, size: int):
    from latentlab.families.attribute_cnn import AttributeCNN

    given = pair.predictor
    with torch.random.fork_rng():
        torch.manual_seed(0)
        predictor = AttributeCNN(
            given.config.model_copy(update={"image_size": size}),
            given.spec.model_copy(update={"image_size": size}),
        )
    network = FrameNetwork(pair.model, predictor).requires_grad_(False).eval()
    rows = example(pair.spec, 3)
    found = Forms(network, rows).make(Way("float32", True), CPU, 3)(*rows)
    for part, right in zip(found[1:], network(*rows)[1:], strict=True):
        torch.testing.assert_close(part, right, atol=1e-4, rtol=1e-3)


def test_an_answer_is_not_written_again(pair: Loaded):
    form = Forms(pair.network(), example(pair.spec, 4)).make(Way("float32", True), CPU, 1)
    first = form(*example(pair.spec, 1, seed=1))
    before = [part.clone() for part in first]
    form(*example(pair.spec, 1, seed=2))
    assert all(torch.equal(part, kept) for part, kept in zip(first, before, strict=True))


def test_a_decoders_shuffle_and_a_predictors_unshuffling_cancel(network: FrameNetwork, pair: Loaded):
    module = trace(network, conditional=False)
    kinds = _kinds(module)
    assert nn.PixelUnshuffle not in kinds
    assert kinds.count(nn.PixelShuffle) == 1
    given = example(pair.spec, 3)
    with torch.inference_mode():
        for found, right in zip(module(*given), network(*given), strict=True):
            torch.testing.assert_close(found, right)


def test_gains_are_folded_into_kernels_once(network: FrameNetwork):
    module = trace(network, conditional=False)
    assert not [node for node in module.graph.nodes if node.op == "get_attr"]


def test_a_plain_form_in_half_precision_is_close_and_a_copy(pair: Loaded):
    network = pair.network()
    form = Forms(network, example(pair.spec, 4)).make(Way("bfloat16", False), CPU, 1)
    given = example(pair.spec, 2)
    with torch.inference_mode():
        answer, truth = form(*given), network(*given)
    assert 0 < float((answer[0].float() - truth[0].float()).abs().max()) <= 3
    assert answer[1].dtype == torch.float32
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


class _Odd(nn.Module):
    """Layers of less usual kinds, beside some usual ones."""

    def __init__(self, way: str = "") -> None:
        super().__init__()
        self.grouped = nn.Conv2d(8, 8, 3, padding="same", groups=4)
        self.reflected = nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect")
        self.strided = nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False)
        self.last = nn.Conv2d(16, 3, 1)
        self._way = way

    def forward(self, latents: Tensor, condition: Tensor | None = None) -> tuple[Tensor, ...]:
        x = latents if condition is None else latents * condition[:, :, None, None]
        if self._way == "numbers" and float(x.sum()) > 1e9:
            x = -x
        x = torch.relu(self.grouped(x))
        y = x + self.reflected(x)
        z = self.strided(y).relu()
        return (torch.sigmoid(self.last(z) + self.last(z)),)


@pytest.mark.parametrize("precision", COMPILED)
def test_unusual_layers_give_the_same(precision: str):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = _Odd().requires_grad_(False).eval()
        given = (torch.randn(4, 8, 8, 8), torch.rand(4, 8))
    form = Forms(network, given).make(Way(precision, True), CPU, 2)
    with torch.inference_mode():
        error = (form(*given)[0].float() - network(*given)[0]).abs()
    assert float(error.max()) <= {"float32": 1e-5, "bfloat16": 0.03, "int8": 0.05}[precision]


def test_a_network_whose_way_depends_on_its_numbers_cannot_be_traced():
    given = (torch.randn(4, 8, 8, 8),)
    forms = Forms(_Odd("numbers").requires_grad_(False).eval(), given)
    with pytest.raises((TypeError, ValueError)):
        forms.make(Way("float32", True), CPU, 1)
    with torch.inference_mode():
        assert forms.make(Way("float32", False), CPU, 1)(*given)[0].shape == (4, 3, 4, 4)


def test_a_predictor_of_another_size_sees_the_picture_resized(pair: Loaded, tiny_predictor_folder):
    model = pair.model
    smaller = copy.deepcopy(pair.predictor)
    smaller.spec = smaller.spec.model_copy(update={"image_size": 16})
    seen: list[torch.Size] = []
    smaller.predict = lambda images: (seen.append(images.shape), {})[1]
    FrameNetwork(model, smaller)(*example(pair.spec, 2))
    larger = copy.deepcopy(pair.predictor)
    larger.spec = larger.spec.model_copy(update={"image_size": 48})
    larger.predict = smaller.predict
    FrameNetwork(model, larger)(*example(pair.spec, 2))
    assert seen == [(2, 3, 16, 16), (2, 3, 48, 48)]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_pixels_are_the_rounded_picture_in_the_order_of_the_screen(precision: torch.dtype):
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0)).to(precision)
    images = images.contiguous(memory_format=torch.channels_last)
    pixels = Screen()(images).numpy()
    assert (pixels[..., 3] == 255).all()
    assert (pixels[..., 2::-1] == to_uint8(images)).all()


def test_pixels_of_a_network_that_overshoots_are_clamped():
    images = torch.tensor([-0.5, 0.0, 1.0, 1.5]).reshape(1, 1, 2, 2).expand(1, 3, 2, 2)
    pixels = Screen()(images)
    assert pixels[..., 0].flatten().tolist() == [0, 0, 255, 255]
