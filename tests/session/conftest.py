"""A session's thread without a window: calls are queued, and run while a test waits for something."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from compiled_once import compiled_once

from latentlab.data.pictures import read_picture, square_picture
from latentlab.paths import bundled
from latentlab.session import job_follower
from latentlab.session.document import Explore
from latentlab.session.session import Message
from latentlab.session.workspace import Workspace


class Desk:
    """A workspace, the queue of its thread, and the messages it gave."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.workspace = Workspace(self._calls.put)
        self.messages: list[Message] = []
        self.workspace.session.message.connect(self.messages.append)

    def wait(self, reached: Callable[[], object], seconds: float = 60.0) -> None:
        """Run what is posted until something holds."""
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, "not reached in time"
            try:
                self._calls.get(timeout=0.02)()
            except queue.Empty:
                continue

    def wait_settled(self) -> None:
        """Ask for the settled frame and wait until it is there."""
        self.workspace.rendering.settle()
        self.wait(lambda: self.workspace.rendering.settled_frame is not None)

    def wait_told(self) -> None:
        """Wait until the encoder has answered."""
        self.wait(lambda: not self.workspace.teller.waiting)

    @property
    def state(self) -> Explore:
        """The Explore screen's state."""
        state = self.workspace.session.document.explore
        assert state is not None
        return state

    @property
    def undo_name(self) -> str | None:
        """What the menu calls the last step."""
        return self.workspace.session.history.undo_name


@pytest.fixture(scope="session")
def small_faces() -> list[np.ndarray]:
    """The bundled sample faces at the tiny model's size, each uint8 [32, 32, 3]."""
    return [
        square_picture(read_picture(path).pixels, 32)
        for path in sorted(bundled("resources", "samples").glob("*.png"))
    ]


@pytest.fixture(autouse=True)
def no_waste(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compile a network once for all tests, and ask often how a job stands."""
    monkeypatch.setattr(job_follower, "POLL_SECONDS", 0.05)
    with compiled_once():
        yield


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.workspace.close()


@pytest.fixture
def open_desk(desk: Desk, tiny_model_folder: Path, tiny_predictor_folder: Path) -> Desk:
    """A desk with the tiny model open, without a picture."""
    desk.workspace.open_checkpoint(str(tiny_model_folder), str(tiny_predictor_folder))
    desk.wait(lambda: desk.workspace.phase == "ready")
    return desk


@pytest.fixture
def told_desk(
    desk: Desk, tiny_cvae_folder: Path, tiny_predictor_folder: Path, small_faces: list[np.ndarray]
) -> Desk:
    """A desk with the tiny conditional model open, and a face."""
    desk.workspace.open_checkpoint(str(tiny_cvae_folder), str(tiny_predictor_folder))
    desk.workspace.bring_pixels(small_faces[1], "a face")
    desk.wait(lambda: desk.workspace.phase == "ready")
    assert desk.workspace.session.document.explore.source is not None
    return desk
