from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from latentlab.errors import CheckpointError, SettingsError
from latentlab.live import fast
from latentlab.live.engine import Engine, Pictures
from latentlab.live.examples import example
from latentlab.live.fast import CHUNK, CHUNK_UNJUDGED
from latentlab.live.frames import DeviceOverride
from latentlab.live.opening import Loaded, load_pair
from latentlab.live.ways import Way
from latentlab.operations.render import settled_attributes, settled_pictures
from latentlab.spec import Attribute, ConditionSchema, LatentSummary, ModelSpec

FLOAT = DeviceOverride("cpu", "float32", 1)


@pytest.fixture
def engine(tiny_model_folder: Path, tiny_predictor_folder: Path) -> Engine:
    return Engine(str(tiny_model_folder), str(tiny_predictor_folder), FLOAT)


def _latents(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(7).standard_normal((count, 8)).astype(np.float32)


def _last(parts) -> Pictures:
    *pauses, pictures = parts
    assert not any(pauses)
    return pictures


@pytest.mark.parametrize("count", [1, 3, 2 * CHUNK + 1])
def test_live_pictures_are_those_of_the_model(engine: Engine, count: int):
    latents = _latents(count)
    found = _last(engine.live(latents, None))
    rgb = settled_pictures(engine.loaded.model, latents)
    assert found.pixels.shape == (count, 32, 32, 4)
    assert found.pixels.dtype == np.uint8
    assert found.pixels.flags.c_contiguous
    assert np.abs(found.pixels[..., 2::-1].astype(int) - rgb).max() <= 1
    right = settled_attributes(engine.loaded.predictor, rgb)
    for name, probabilities in found.attributes.items():
        assert probabilities.dtype == np.float32
        expected = np.stack([row[name] for row in right])
        np.testing.assert_allclose(probabilities, expected, atol=0.01)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_many_pictures_without_attributes_are_the_same_pictures(
    tiny_model_folder: Path, tiny_predictor_folder: Path, precision: str
):
    wish = DeviceOverride("cpu", precision, 1)
    engine = Engine(str(tiny_model_folder), str(tiny_predictor_folder), wish)
    latents = _latents(CHUNK_UNJUDGED + 3)
    *pauses, bare = engine.live(latents, None, judged=False)
    assert len(pauses) == 2
    assert bare.attributes == {}
    judged = _last(engine.live(latents, None))
    assert set(judged.attributes) == {one.name for one in engine.loaded.predictor_spec.attributes}
    assert np.abs(bare.pixels.astype(int) - judged.pixels).max() <= 1


def test_a_large_request_can_be_interrupted_between_its_parts(engine: Engine):
    assert len(list(engine.live(_latents(3 * CHUNK), None))) == 3 + 1
    assert len(list(engine.live(_latents(1), None))) == 1
    assert len(list(engine.settled(_latents(3), None, 1))) == 3


def test_settled_pictures_are_the_same_to_the_bit_whatever_the_live_way(
    tiny_model_folder: Path, tiny_predictor_folder: Path, engine: Engine
):
    latents = _latents(3)
    other = Engine(str(tiny_model_folder), str(tiny_predictor_folder), DeviceOverride("cpu", "bfloat16", 2))
    first = _last(engine.settled(latents, None, 1))
    again = _last(other.settled(latents[1:], None, 1))
    assert (first.pixels[1:] == again.pixels).all()
    for name in first.attributes:
        assert (first.attributes[name][1:] == again.attributes[name]).all()
    assert (first.pixels[..., 2::-1] == settled_pictures(engine.loaded.model, latents)).all()


def test_frames_own_their_pixels(engine: Engine):
    first = _last(engine.live(_latents(1), None))
    copy = first.pixels.copy()
    _last(engine.live(_latents(2)[1:], None))
    assert (first.pixels == copy).all()


def test_encoding_gives_the_posterior_and_the_reconstruction(engine: Engine):
    picture = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    found = engine.encode(picture, None)
    source, mean, std = found.source, found.mean, found.std
    attributes, reconstruction = found.attributes, found.reconstruction
    assert source.shape == (32, 32, 3)
    assert mean.shape == std.shape == (8,)
    assert (std > 0).all()
    assert set(attributes) == {"gender", "race", "glasses", "facial_hair"}
    assert all(rows.shape[0] == 1 and abs(rows.sum() - 1) < 1e-5 for rows in attributes.values())
    expected = settled_pictures(engine.loaded.model, mean[None])
    assert (reconstruction.pixels[..., 2::-1] == expected).all()


def test_the_reconstruction_is_under_the_pictures_own_condition_whatever_the_encoder_is_told(
    tiny_cvae_folder: Path, tiny_predictor_folder: Path
):
    judged = Engine(str(tiny_cvae_folder), str(tiny_predictor_folder), FLOAT)
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    seen = judged.encode(picture, None)
    assert (seen.condition == seen.own).all()
    expected = settled_pictures(judged.loaded.model, seen.mean[None], seen.own[None])
    assert (seen.reconstruction.pixels[..., 2::-1] == expected).all()
    told = np.roll(seen.own, 1)
    found = judged.encode(picture, told)
    assert (found.condition == told).all()
    assert (found.own == seen.own).all()
    assert (found.mean != seen.mean).any()
    assert (found.reconstruction.pixels == seen.reconstruction.pixels).all()
    again = judged.encode(picture, told, own=told)
    assert (again.own == told).all()
    assert (again.mean == found.mean).all()
    assert (again.reconstruction.pixels != seen.reconstruction.pixels).any()
    alone = Engine(str(tiny_cvae_folder), "", FLOAT)
    assert (alone.encode(picture, told).own == told).all()
    assert not alone.encode(picture, None).own.any()
    assert (alone.encode(picture, told, own=seen.own).own == seen.own).all()


def test_a_model_without_an_encoder_says_so(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    spec = engine.spec.model_copy(update={"cannot": {"encode": "it was trained as a generator only."}})
    monkeypatch.setattr(engine.loaded.checkpoint.network, "spec", spec)
    with pytest.raises(SettingsError, match="generator only"):
        engine.encode(np.zeros((8, 8, 3), dtype=np.uint8), None)


@pytest.mark.parametrize(
    ("latents", "condition", "match"),
    [
        (np.zeros((1, 9), np.float32), None, r"\[B, 8\]"),
        (np.zeros((0, 8), np.float32), None, r"\[0, 8\]"),
        (np.zeros((1, 8), np.float32), np.zeros((1, 2), np.float32), "absent"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(engine: Engine, latents, condition, match: str):
    with pytest.raises(SettingsError, match=match):
        list(engine.live(latents, condition))
    with pytest.raises(SettingsError, match=match):
        list(engine.settled(latents, condition, 1))


def test_without_a_predictor_there_are_no_attributes(tiny_model_folder: Path):
    engine = Engine(str(tiny_model_folder), "", FLOAT)
    assert _last(engine.live(_latents(2), None)).attributes == {}
    assert _last(engine.settled(_latents(1), None, 1)).attributes == {}
    assert engine.encode(np.zeros((32, 32, 3), np.uint8), None).attributes == {}


def test_a_trial_chooses_among_the_ways_and_is_remembered(
    tiny_model_folder: Path,
    tiny_predictor_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("LATENTLAB_CACHE", str(tmp_path))
    wish = DeviceOverride("cpu", None, 2)
    engine = Engine(str(tiny_model_folder), str(tiny_predictor_folder), wish)
    assert not engine.fast.tuned
    for _ in engine.fast.tune():
        pass
    assert engine.fast.tuned
    assert "1 picture, float32 plain, 2 threads" in engine.fast.verdict.milliseconds
    assert f"{CHUNK} pictures, float32 plain, 2 threads" in engine.fast.verdict.milliseconds
    assert all(time > 0 for time in engine.fast.verdict.milliseconds.values())
    rgb = settled_pictures(engine.loaded.model, _latents(9))
    assert np.abs(_last(engine.live(_latents(9), None)).pixels[..., 2::-1].astype(int) - rgb).max() <= 8
    again = Engine(str(tiny_model_folder), str(tiny_predictor_folder), wish)
    assert again.fast.tuned
    assert again.fast.verdict == engine.fast.verdict


def test_a_way_that_cannot_be_made_here_gives_way_to_plain_float32(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_arguments: object) -> None:
        raise RuntimeError("could not create a primitive")

    monkeypatch.setattr("latentlab.live.prepare.trace", refuse)
    network = fast.FastNetwork(
        engine.loaded.network(), engine.spec, torch.device("cpu"), FLOAT, "a network that cannot be traced"
    )
    given = example(engine.spec, 1)
    assert not network.verdict.single.compiled, "the way that is told is the way that is taken"
    with torch.inference_mode():
        assert torch.equal(network.one(given)[0], engine.loaded.network()(*given)[0])
    for _ in network.tune():
        pass
    assert network.verdict.single == network.verdict.grid == Way("float32", False, 1)


def test_whatever_a_runtime_raises_a_network_is_rendered(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_arguments: object) -> None:
        raise IndexError("an argument that nobody expected")

    monkeypatch.setattr("latentlab.live.prepare.translate", refuse)
    network = fast.FastNetwork(engine.loaded.network(), engine.spec, torch.device("cpu"), FLOAT, "odd")
    assert network.verdict.single == Way("float32", False, 1)
    assert network.one(example(engine.spec, 1))[0].shape == (1, 32, 32, 4)


def test_the_pictures_that_a_way_is_compared_on_are_none_of_its_examples(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    compared: list[torch.Tensor] = []
    monkeypatch.setattr(engine.fast, "_network", lambda latents: (compared.append(latents), (latents,))[1])
    steps = engine.fast.tune()
    for _ in range(fast.COMPARED):
        next(steps)
    rows = torch.cat(compared)
    examples = engine.fast._forms._example[0]
    assert len(rows) == fast.COMPARED
    assert float(torch.cdist(rows, examples).min()) > 0.01
    assert rows[1::2].norm(dim=1).mean() > 1.5 * rows[::2].norm(dim=1).mean(), "far ones too"


def test_a_way_with_wrong_pictures_is_not_tried(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fast, "strays", lambda _answer, _truth: True)
    for _ in engine.fast.tune():
        pass
    assert engine.fast.verdict.single == engine.fast.verdict.grid == Way("float32", False, 1)


def test_each_checkpoint_must_be_of_its_kind(tiny_model_folder: Path, tiny_predictor_folder: Path):
    with pytest.raises(CheckpointError, match="predictor, not a model"):
        load_pair(str(tiny_predictor_folder))
    with pytest.raises(CheckpointError, match="model, not an attribute predictor"):
        load_pair(str(tiny_model_folder), str(tiny_model_folder))


def test_a_device_that_is_not_there_is_refused(tiny_model_folder: Path):
    missing = "cuda:99"
    with pytest.raises(SettingsError, match=missing):
        Engine(str(tiny_model_folder), "", DeviceOverride(missing))


def test_a_verdict_is_kept_for_the_weights_that_it_was_reached_on(pair: Loaded):
    assert pair.weights() == [
        pair.checkpoint.located.sha256(),
        pair.predictor_checkpoint.located.sha256(),
    ]
    assert len(set(pair.weights())) == 2
    assert replace(pair, predictor_checkpoint=None).weights() == pair.weights()[:1]


def test_typical_input_follows_the_model():
    schema = ConditionSchema(
        attributes=(Attribute(name="a", classes=("x", "y")), Attribute(name="b", classes=("p", "q", "r")))
    )
    spec = ModelSpec(family="vae", image_size=32, latent_shape=(2, 3), condition=schema)
    latents, condition = example(spec, 7)
    assert latents.shape == (7, 2, 3)
    assert condition.shape == (7, 5)
    assert (condition[:, :2].sum(1) == 1).all()
    assert (condition[:, 2:].sum(1) == 1).all()
    assert torch.equal(example(spec, 7)[0], latents)
    summary = LatentSummary(mean=(5.0,) * 6, std=(0.1,) * 6, kl=(1.0,) * 6)
    other = spec.model_copy(update={"prior": "other", "latent_summary": summary})
    assert abs(float(example(other, 50)[0].mean()) - 5.0) < 0.1
