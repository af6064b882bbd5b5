from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from latentlab.errors import SettingsError
from latentlab.live.engine import Engine, Pictures
from latentlab.live.fast import Outputs
from latentlab.live.frames import DeviceOverride, Encoded, Failed, Frame, Opened
from latentlab.live.renderer import LiveRenderer

Latents = NDArray[np.float32]


def _latents(count: int = 1, seed: int = 0) -> Latents:
    return np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)


class Gate:
    """Holds the engine back before every part that it renders, until the test lets it go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.began = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self.open = False
        plain = Engine._pictures

        def pictures(engine: Engine, outputs: Outputs) -> Pictures:
            if not self.open:
                self.began.release()
                assert self.go.acquire(timeout=60)
            return plain(engine, outputs)

        monkeypatch.setattr(Engine, "_pictures", pictures)

    def wait(self) -> None:
        assert self.began.acquire(timeout=60)

    def let_go(self) -> None:
        self.open = True
        self.go.release()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(monkeypatch)
    yield gate
    gate.let_go()


def test_importing_the_renderer_imports_no_torch():
    code = (
        "import sys, latentlab.live.renderer, latentlab.live.frames, latentlab.live.ways\n"
        "sys.exit(any(name.split('.')[0] in ('torch', 'PySide6') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_model_is_opened_and_a_frame_rendered(start, tiny_model_folder: Path, tiny_predictor_folder: Path):
    renderer, answers = start()
    token = renderer.open(str(tiny_model_folder), str(tiny_predictor_folder))
    generation = renderer.render(_latents())
    assert generation > token
    (opened,) = answers.wait(Opened)
    assert opened.token == token
    assert (opened.name, opened.path) == ("tiny-vae", str(tiny_model_folder))
    assert opened.predictor_name == str(tiny_predictor_folder)
    assert opened.spec.latent_shape == (8,)
    assert opened.predictor is not None
    assert (opened.choice.device, opened.choice.threads) == ("cpu", 1)
    assert len(opened.sha256) == 64
    (frame,) = answers.wait(Frame)
    assert (frame.generation, frame.channel, frame.settled) == (generation, "main", False)
    assert frame.pixels.shape == (1, 32, 32, 4)
    assert set(frame.attributes) == {"gender", "race", "glasses", "facial_hair"}
    assert frame.render_ms > 0
    assert frame.waited_ms >= 0


def test_settled_frames_are_repeatable_to_the_bit(start, tiny_model_folder: Path):
    renderer, answers = start()
    renderer.open(str(tiny_model_folder), "")
    for _ in range(2):
        renderer.render(_latents(2), settled=True)
        assert renderer.join(60)
    first, second = answers.wait(Frame, 2)
    assert first.settled
    assert (first.pixels == second.pixels).all()


def test_the_newest_request_wins_and_frames_never_go_back(start, gate: Gate, tiny_model_folder: Path):
    renderer, answers = start()
    renderer.open(str(tiny_model_folder), "")
    first = renderer.render(_latents(seed=0))
    gate.wait()
    later = [renderer.render(_latents(seed=seed)) for seed in range(1, 30)]
    gate.let_go()
    assert renderer.join(60)
    frames = answers.of(Frame)
    assert [frame.generation for frame in frames] == [first, later[-1]]
    # Rendered alone, the newest request gives the same picture: it was not mixed with another one.
    renderer.render(_latents(seed=29))
    assert renderer.join(60)
    assert (answers.of(Frame)[-1].pixels == frames[-1].pixels).all()


def test_a_request_does_not_follow_later_changes_of_its_array(start, gate: Gate, tiny_model_folder: Path):
    renderer, answers = start()
    renderer.open(str(tiny_model_folder), "")
    renderer.render(_latents())
    gate.wait()
    latents = _latents(seed=1)
    renderer.render(latents)
    latents[:] = 100.0
    gate.let_go()
    renderer.join(60)
    renderer.render(_latents(seed=1))
    renderer.join(60)
    *_, changed, right = answers.of(Frame)
    assert (changed.pixels == right.pixels).all()


def test_the_main_picture_interrupts_a_grid(start, gate: Gate, tiny_model_folder: Path):
    renderer, answers = start()
    renderer.open(str(tiny_model_folder), "")
    grid = renderer.render(_latents(40), channel="grid")
    gate.wait()
    main = renderer.render(_latents())
    gate.let_go()
    assert renderer.join(60)
    frames = answers.of(Frame)
    assert [frame.generation for frame in frames] == [main, grid]
    assert frames[1].pixels.shape == (40, 32, 32, 4)


def test_a_grid_is_finished_although_newer_ones_wait_and_only_the_newest_follows(
    start, gate: Gate, tiny_model_folder: Path
):
    renderer, answers = start()
    renderer.open(str(tiny_model_folder), "")
    begun = renderer.render(_latents(40), channel="grid")
    gate.wait()
    renderer.render(_latents(20), channel="grid")
    newest = renderer.render(_latents(10), channel="grid")
    gate.let_go()
    assert renderer.join(60)
    # Were it given up, a drag that goes on would show no grid at all.
    assert [frame.generation for frame in answers.of(Frame)] == [begun, newest]


def test_opening_another_model_makes_earlier_requests_void(start, gate: Gate, tiny_model_folder: Path):
    renderer, answers = start()
    renderer.open(str(tiny_model_folder), "")
    renderer.render(_latents())
    gate.wait()
    renderer.render(_latents(seed=1))
    renderer.encode(np.zeros((32, 32, 3), np.uint8))
    token = renderer.open(str(tiny_model_folder), "")
    after = renderer.render(_latents(seed=2))
    gate.let_go()
    assert renderer.join(60)
    assert answers.of(Opened)[-1].token == token
    assert [frame.generation for frame in answers.of(Frame)] == [after]
    assert not answers.of(Encoded)


def test_a_picture_is_encoded_and_reconstructed(start, tiny_model_folder: Path, tiny_predictor_folder: Path):
    renderer, answers = start()
    busy: list[bool] = []
    renderer.busy.connect(busy.append)
    renderer.open(str(tiny_model_folder), str(tiny_predictor_folder))
    picture = np.random.default_rng(0).integers(0, 256, (45, 64, 3), dtype=np.uint8)
    token = renderer.encode(picture)
    (encoded,) = answers.wait(Encoded)
    assert renderer.join(60)
    assert encoded.token == token
    assert encoded.source.shape == (32, 32, 3)
    assert encoded.mean.shape == (8,)
    assert encoded.reconstruction.shape == (32, 32, 4)
    assert encoded.source_attributes["race"].shape == (4,)
    assert encoded.reconstruction_attributes["race"].shape == (4,)
    assert busy == [True, False, True, False]
    renderer.render(encoded.mean[None], settled=True)
    (frame,) = answers.wait(Frame)
    assert (frame.pixels[0] == encoded.reconstruction).all()


def test_what_can_be_put_right_is_told_and_the_former_model_stays(
    start, tiny_model_folder: Path, tmp_path: Path
):
    renderer, answers = start()
    renderer.open(str(tiny_model_folder), "")
    renderer.join(60)
    missing = renderer.open(str(tmp_path / "nowhere"), "")
    (failed,) = answers.wait(Failed)
    assert (failed.token, failed.task, failed.expected) == (missing, "open", True)
    assert "nowhere" in failed.message
    renderer.render(_latents())
    renderer.join(60)
    assert len(answers.of(Frame)) == 1


def test_requests_without_a_model_and_requests_that_do_not_fit_are_told(start, tiny_model_folder: Path):
    renderer, answers = start()
    first = renderer.render(_latents())
    renderer.join(60)
    renderer.open(str(tiny_model_folder), "")
    second = renderer.render(np.zeros((1, 5), np.float32))
    renderer.join(60)
    found = [(failed.token, failed.task, failed.expected) for failed in answers.of(Failed)]
    assert found == [(first, "render", True), (second, "render", True)]


def test_a_fault_of_ours_comes_with_its_traceback_and_the_worker_lives_on(
    start, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    renderer, answers = start()
    renderer.open(str(tiny_model_folder), "")
    renderer.join(60)
    with monkeypatch.context() as broken:
        broken.setattr(Engine, "_pictures", lambda *_arguments: 1 / 0)
        generation = renderer.render(_latents())
        renderer.join(60)
    (failed,) = answers.of(Failed)
    assert (failed.token, failed.task, failed.expected) == (generation, "render", False)
    assert "ZeroDivisionError" in failed.details
    renderer.render(_latents())
    renderer.join(60)
    assert len(answers.of(Frame)) == 1


def test_a_listener_that_raises_does_not_end_the_worker(
    start, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    faults: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda fault: faults.append(fault.exc_type))
    renderer, answers = start()

    def fail(_frame: Frame) -> None:
        raise KeyError("listener")

    renderer.frame.connect(fail)
    renderer.open(str(tiny_model_folder), "")
    for _ in range(2):
        renderer.render(_latents())
        renderer.join(60)
    assert faults == [KeyError, KeyError]
    assert len(answers.of(Frame)) == 2


def test_the_trial_runs_at_rest_and_tells_its_choice(
    start, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LATENTLAB_CACHE", str(tmp_path))
    renderer, answers = start(DeviceOverride("cpu", None, 1))
    token = renderer.open(str(tiny_model_folder), "")
    renderer.render(_latents())
    answers.wait(Frame)
    assert answers.of(Opened)[0].trial == {}
    assert answers.tuned.wait(60)
    tuned = answers.of(Opened)[-1]
    assert tuned.token == token
    assert tuned.trial
    assert tuned.choice.threads == 1
    renderer.close()
    again, more = start(DeviceOverride("cpu", None, 1))
    again.open(str(tiny_model_folder), "")
    (opened,) = more.wait(Opened)
    assert opened.trial == tuned.trial
    assert opened.choice == tuned.choice


def test_closing_ends_the_thread_at_once_and_later_requests_are_ignored(tiny_model_folder: Path):
    renderer = LiveRenderer(DeviceOverride("cpu", "float32", 1))
    renderer.start()
    renderer.open(str(tiny_model_folder), "")
    began = time.monotonic()
    renderer.close()
    assert time.monotonic() - began < 30
    assert not [thread for thread in threading.enumerate() if thread.name == "latentlab-renderer"]
    renderer.render(_latents())
    renderer.close()
    assert renderer.is_idle()


def test_a_channel_cannot_have_the_name_of_another_kind_of_request():
    renderer = LiveRenderer()
    with pytest.raises(SettingsError, match="encode"):
        renderer.render(_latents(), channel="encode")


def test_closing_interrupts_what_is_computed_elsewhere(
    start, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    renderer, answers = start()
    renderer.open(str(tiny_model_folder), "")
    answers.wait(Opened)
    began, interrupted = threading.Event(), threading.Event()

    def pictures(_engine: Engine, _outputs: Outputs) -> Pictures:
        began.set()
        assert interrupted.wait(60)
        raise SettingsError("given up")

    monkeypatch.setattr(Engine, "_pictures", pictures)
    network = renderer._engine.loaded.checkpoint.network
    monkeypatch.setattr(type(network), "interrupt", lambda _self: interrupted.set(), raising=False)
    renderer.render(_latents())
    assert began.wait(60)
    renderer.close()
    assert interrupted.is_set()
