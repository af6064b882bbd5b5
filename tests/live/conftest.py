"""The tiny model and predictor as one network, and the renderer's answers in a list."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import torch

from latentlab.live.frame_network import FrameNetwork
from latentlab.live.frames import DeviceOverride, Encoded, Failed, Frame, Opened
from latentlab.live.opening import Loaded, load_pair
from latentlab.live.renderer import LiveRenderer


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def pair(tiny_model_folder: Path, tiny_predictor_folder: Path) -> Loaded:
    return load_pair(str(tiny_model_folder), str(tiny_predictor_folder))


@pytest.fixture
def network(pair: Loaded) -> FrameNetwork:
    return pair.network()


Kind = TypeVar("Kind")


class Answers:
    """Everything that a renderer has answered, in order; safe between threads."""

    def __init__(self, renderer: LiveRenderer) -> None:
        self._all: list[object] = []
        self._changed = threading.Condition()
        for signal in (renderer.opened, renderer.tuned, renderer.frame, renderer.encoded, renderer.failed):
            signal.connect(self._put)
        self.tuned = threading.Event()
        renderer.tuned.connect(lambda _opened: self.tuned.set())

    def _put(self, answer: Opened | Frame | Encoded | Failed) -> None:
        with self._changed:
            self._all.append(answer)
            self._changed.notify_all()

    def of(self, kind: type[Kind]) -> list[Kind]:
        with self._changed:
            return [answer for answer in self._all if isinstance(answer, kind)]

    def wait(self, kind: type[Kind], count: int = 1, seconds: float = 60) -> list[Kind]:
        end = time.monotonic() + seconds
        with self._changed:
            while len(found := [answer for answer in self._all if isinstance(answer, kind)]) < count:
                failed = [answer for answer in self._all if isinstance(answer, Failed)]
                assert kind is Failed or not failed, failed
                assert self._changed.wait(end - time.monotonic()), f"no {count} of {kind.__name__} came"
            return found


Start = Callable[[], tuple[LiveRenderer, Answers]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start renderers in a fixed way, so that no trial runs in the background of a test."""
    renderers = []

    def make(override: DeviceOverride | None = None) -> tuple[LiveRenderer, Answers]:
        renderer = LiveRenderer(override or DeviceOverride("cpu", "float32", 1))
        answers = Answers(renderer)
        renderers.append(renderer)
        renderer.start()
        return renderer, answers

    yield make
    for renderer in renderers:
        renderer.close()
