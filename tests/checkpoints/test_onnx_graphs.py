from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx_graphs import LATENT, SIZE, matrix, write_classifier, write_model

from latentlab.checkpoints import load, locate, save
from latentlab.checkpoints.export_onnx import export_onnx
from latentlab.cli.main import run
from latentlab.errors import CheckpointError, SettingsError
from latentlab.families.attribute_cnn import AttributeCNN, AttributeCNNConfig
from latentlab.families.cvae import CVAE, CVAEConfig
from latentlab.families.onnx_graph import ONNXModel, ONNXPredictor
from latentlab.operations.search_plan import Observation
from latentlab.operations.search_unknowns import Observer, Unknowns
from latentlab.spec import Attribute, CheckpointConfig, ConditionSchema, ModelSpec, PredictorSpec


def model_of(path: Path) -> ONNXModel:
    network = load(path).network
    assert isinstance(network, ONNXModel)
    return network


def decoded(z: np.ndarray, c: np.ndarray) -> torch.Tensor:
    logits = np.concatenate([z, c], axis=1) @ matrix(0, 6, 3 * SIZE**2)
    return torch.from_numpy(np.tanh(logits).reshape(-1, 3, SIZE, SIZE) / 2 + 0.5)


@pytest.mark.parametrize("rows", ["rows", 1])
def test_graphs_give_what_they_compute_whatever_their_rows(tmp_path: Path, rows: int | str) -> None:
    model = model_of(write_model(tmp_path, rows))
    draws = np.random.default_rng(4)
    z, c = draws.standard_normal((3, LATENT)).astype(np.float32), np.eye(2, dtype=np.float32)[[0, 1, 1]]
    assert torch.allclose(model.decode(torch.from_numpy(z), torch.from_numpy(c)), decoded(z, c), atol=1e-5)
    x = draws.random((3, 3, SIZE, SIZE)).astype(np.float32)
    mu = (2 * x - 1).reshape(3, -1) @ matrix(1, 3 * SIZE**2, LATENT)
    posterior = model.encode(torch.from_numpy(x), torch.from_numpy(c))
    assert torch.allclose(posterior.mean, torch.from_numpy(mu), atol=1e-4)
    assert posterior.logvar is None


def test_a_classifier_judges_by_its_logits(tmp_path: Path) -> None:
    predictor = load(write_classifier(tmp_path)).network
    assert isinstance(predictor, ONNXPredictor)
    x = np.random.default_rng(4).random((2, 3, SIZE, SIZE)).astype(np.float32)
    logits = torch.from_numpy(255 * x.reshape(2, -1) @ matrix(2, 3 * SIZE**2, 2))
    found = predictor.predict(torch.from_numpy(x))["shade"]
    assert torch.allclose(found, logits.softmax(1), atol=1e-4)
    assert predictor.features(torch.from_numpy(x)).shape == (2, 2)


def test_a_decoder_alone_says_what_cannot_be_done(tmp_path: Path) -> None:
    spec = locate(write_model(tmp_path, encoder=None, prior="other")).config.model
    assert spec is not None
    assert "no ONNX graph of an encoder" in spec.cannot["encode"]
    assert "another than the standard normal" in spec.cannot["sample"]
    assert "no gradient" in spec.cannot["search"]


def test_it_cannot_be_searched_and_says_so_before_any_work(tmp_path: Path) -> None:
    model = model_of(write_model(tmp_path))
    with pytest.raises(SettingsError, match="no gradient passes"):
        Unknowns(model, Observer(Observation(factor=4), SIZE))
    with pytest.raises(SettingsError, match="no gradient passes"):
        model.decode(torch.zeros(1, LATENT, requires_grad=True), torch.eye(2)[:1])


def test_graphs_are_kept_in_a_native_checkpoint_and_copied(tmp_path: Path) -> None:
    first = load(write_model(tmp_path))
    save(tmp_path / "native", first.network, first.config)
    (tmp_path / "decoder.onnx").unlink()
    z, c = torch.ones(2, LATENT), torch.eye(2)
    again = model_of(tmp_path / "native")
    expected = decoded(z.numpy(), c.numpy())
    for model in (again, deepcopy(again)):
        assert torch.allclose(model.decode(z, c), expected, atol=1e-5)


def changed(part: str, **changes: Any) -> Callable[[Path], object]:
    def spoil(folder: Path) -> object:
        import json

        path = folder / "latentlab-onnx.json"
        described = json.loads(path.read_text())
        described[part] = {k: v for k, v in (described[part] | changes).items() if v is not None}
        return path.write_text(json.dumps(described))

    return spoil


def without_graph(folder: Path) -> object:
    return (folder / "encoder.onnx").unlink()


def with_half_a_graph(folder: Path) -> object:
    content = (folder / "decoder.onnx").read_bytes()
    return (folder / "decoder.onnx").write_bytes(content[: len(content) // 2])


def with_a_web_page(folder: Path) -> object:
    return (folder / "decoder.onnx").write_text("<!doctype html><p>404")


def with_weights_outside(folder: Path) -> object:
    graph = onnx.load(folder / "decoder.onnx")
    where = folder / "decoder.onnx"
    onnx.save(graph, where, save_as_external_data=True, location="w.bin", size_threshold=0)
    return None


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (changed("decoder", file="../decoder.onnx"), "should be the name of a file in the same folder"),
        (changed("decoder", latent="w"), "has no input 'w'; it has z, y"),
        (changed("decoder", image="y"), "has no output 'y'; it has x"),
        (changed("decoder", condition=None), "a conditional model's decoder has an input for the condition"),
        (changed("decoder", range=[1, 0]), "range is the value of black"),
        (changed("decoder", colour="x"), "colour"),
        (changed("encoder", mean="x"), "has no output 'x'"),
        (without_graph, "names encoder.onnx, which is not in its folder"),
        (with_half_a_graph, "cannot be read"),
        (with_a_web_page, "is a web page"),
        (with_weights_outside, "keeps its weights in another file"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, spoil: Callable[[Path], object], message: str) -> None:
    (tmp_path / "model").mkdir()
    path = write_model(tmp_path / "model")
    spoil(path)
    with pytest.raises(CheckpointError, match=message):
        load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latent_shape": [5]}, "ONNX graph cannot be run|fit its specification"),
        ({"image_size": 16}, "should give the shape"),
        ({"latent_shape": None}, "latent_shape is missing"),
        ({"latentlab_onnx": 2}, "latentlab_onnx"),
        ({"decoder": None}, "it describes a decoder"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        load(write_model(tmp_path, **changes))


def test_a_graph_by_itself_says_that_it_needs_a_description(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    with pytest.raises(CheckpointError, match="does not say what its inputs mean"):
        locate(path / "decoder.onnx")


SHADES = Attribute(name="shade", classes=("light", "dark"))


def test_our_own_models_are_written_and_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    shape = {"encoder_widths": (4, 8), "decoder_widths": (4, 8), "encoder_blocks": (1, 1)}
    config = CVAEConfig.model_validate(shape | {"image_size": 16, "latent": 5, "decoder_blocks": (1, 1)})
    spec = ModelSpec(
        family="cvae", image_size=16, latent_shape=(5,), condition=ConditionSchema(attributes=(SHADES,))
    )
    native = CheckpointConfig(kind="model", model=spec, network=config.model_dump())
    save(tmp_path / "native", CVAE(config, spec), native)
    assert run(["export", "onnx", str(tmp_path / "native"), str(tmp_path / "graphs")]) == 0
    assert "decoder.onnx: differs from the network by at most" in capsys.readouterr().out
    ours, theirs = load(tmp_path / "native").network, load(tmp_path / "graphs").network
    assert isinstance(ours, CVAE)
    assert isinstance(theirs, ONNXModel)
    assert theirs.spec.condition == spec.condition
    z, c = torch.randn(3, 5), torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert (ours.decode(z, c) - theirs.decode(z, c)).abs().max() < 1e-4
    x = torch.rand(3, 3, 16, 16)
    assert (ours.encode(x, c).mean - theirs.encode(x, c).mean).abs().max() < 1e-4
    logvar, other = ours.encode(x, c).logvar, theirs.encode(x, c).logvar
    assert logvar is not None
    assert other is not None
    assert (logvar - other).abs().max() < 1e-4


def test_our_own_predictors_are_written_and_read_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = AttributeCNNConfig(image_size=16, widths=(4,), blocks=(1,), hidden=6)
    spec = PredictorSpec(
        family="attribute_cnn", image_size=16, attributes=(SHADES,), temperature={"shade": 2.0}
    )
    native = CheckpointConfig(kind="predictor", predictor=spec, network=config.model_dump())
    save(tmp_path / "native", AttributeCNN(config, spec), native)
    checkpoint = load(tmp_path / "native")
    export_onnx(checkpoint, tmp_path / "graphs")
    ours, theirs = checkpoint.network, load(tmp_path / "graphs").network
    assert isinstance(ours, AttributeCNN)
    assert isinstance(theirs, ONNXPredictor)
    x = torch.rand(3, 3, 16, 16)
    assert (ours.predict(x)["shade"] - theirs.predict(x)["shade"]).abs().max() < 1e-4
    with pytest.raises(SettingsError, match="ONNX graphs already"):
        export_onnx(load(tmp_path / "graphs"), tmp_path / "again")
