"""Run an ONNX graph in a process of its own, so that no graph can end or fill the program, or hold it up."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import CheckpointError
from latentlab.families import onnx_process
from latentlab.families.onnx_process import TOO_MUCH, receive, send

INSTALL = "ONNX graphs need the extra “onnx”. Install it with pip install 'latentlab-desktop[onnx]'."
LONGEST = 30.0
"""Seconds that a graph may take to be read, and for a picture."""

COMMAND = (sys.executable, "-P", str(Path(onnx_process.__file__)))
"""What begins the process."""
_LONGEST_TEXT = 200

Array = NDArray[np.float32]


class TooMuchMemoryError(CheckpointError):
    """A graph needs more memory for what is asked of it than it may have."""


class Runner:
    """A graph in its process, which begins with it and ends with it; requests wait for each other.

    Parameters
    ----------
    graph
        Its bytes, uint8 ``[N]``.
    threads
        How many the process may use.

    Raises
    ------
    CheckpointError
        If onnxruntime is not installed or cannot read the graph, or it takes too long or too much memory.
    """

    def __init__(self, graph: NDArray[np.uint8], threads: int) -> None:
        if find_spec("onnxruntime") is None:
            raise CheckpointError(INSTALL)
        # Whoever interrupts the program from a terminal interrupts this process only through it.
        quiet: dict[str, Any] = {"start_new_session": True}
        if sys.platform == "win32":
            quiet = {"creationflags": subprocess.CREATE_NO_WINDOW}
        try:
            self._process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                **quiet,
            )
        except OSError as error:
            raise CheckpointError(
                f"The ONNX graph needs a process, which cannot begin: {error.strerror}. Close other programs."
            ) from None
        self._end = weakref.finalize(self, _end, self._process)
        self._lock = threading.Lock()

        def begin(stream: BinaryIO) -> None:
            send(stream, {"size": graph.size, "threads": threads})
            stream.write(np.ascontiguousarray(graph).data)
            stream.flush()

        answer, _ = self._asked(begin, LONGEST, f"should be read within {LONGEST:.0f} seconds")
        if "error" in answer:
            self._end()
            raise CheckpointError(
                f"The ONNX graph cannot be read: {_short(answer['error'])}. Export it again, whole in one "
                "file."
            )
        self._inputs: Mapping[str, list[int]] = answer["inputs"]
        self._outputs: list[str] = answer["outputs"]

    @property
    def alive(self) -> bool:
        """Whether it can be asked; it ends where a graph took too long, or too much memory."""
        return self._end.alive and self._process.poll() is None

    def interrupt(self) -> None:
        """End the process, from another thread; who waits for its answer gets a CheckpointError at once."""
        self._process.kill()

    @property
    def one_at_a_time(self) -> bool:
        """Whether the graph was written for one picture."""
        return any(shape and shape[0] == 1 for shape in self._inputs.values())

    def run(self, inputs: Mapping[str, Array], outputs: list[str]) -> list[Array]:
        """Return outputs by name, for inputs with a row for each picture.

        Raises
        ------
        CheckpointError
            If the graph has not these names or does not take these shapes, or it takes too long.
        TooMuchMemoryError
            If it takes too much memory.
        """
        self._expect("input", inputs, self._inputs)
        self._expect("output", outputs, self._outputs)
        if open_ones := [name for name in self._inputs if name not in inputs]:
            raise CheckpointError(
                f"The ONNX graph has an input {open_ones[0]!r:.80} that its description does not name. A "
                "graph takes latents or pictures, and a condition."
            )
        rows = len(next(iter(inputs.values())))
        answer, found = self._asked(
            lambda stream: send(stream, {"inputs": list(inputs), "outputs": outputs}, list(inputs.values())),
            LONGEST * max(1, rows),
            f"should give a picture within {LONGEST:.0f} seconds",
        )
        if "error" in answer:
            raise CheckpointError(
                f"The ONNX graph cannot be run with what its description says: {_short(answer['error'])}. "
                "Give the names and shapes of its inputs and outputs as they are in the graph."
            )
        return found

    def _asked(self, ask: Any, seconds: float, expected: str) -> tuple[dict[str, Any], list[Array]]:
        """Return the answer to what ``ask`` writes; the process does not outlive a fault."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self._process.kill()

        stdin, stdout = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)
        with self._lock:
            limit = threading.Timer(seconds, stop)
            limit.daemon = True
            limit.start()
            try:
                ask(stdin)
                answer, found = receive(stdout)
            except (OSError, EOFError, ValueError):
                self._end()
                if late.is_set():
                    raise CheckpointError(
                        f"The ONNX graph {expected}; it takes longer. Choose another, or a smaller one."
                    ) from None
                raise _too_much() from None
            except BaseException:
                self._end()
                raise
            finally:
                limit.cancel()
        if answer.get("kind") == TOO_MUCH:
            raise _too_much()
        return answer, found

    def _expect(self, kind: str, names: Iterable[str], known: Iterable[str]) -> None:
        if strange := [name for name in names if name not in known]:
            raise CheckpointError(
                f"The ONNX graph has no {kind} {strange[0]!r:.80}; it has {', '.join(known)[:200]}. Give the "
                "names as they are in the graph."
            )


def _too_much() -> TooMuchMemoryError:
    return TooMuchMemoryError(
        f"The ONNX graph should need at most {onnx_process.MEMORY / 1e9:.0f} GB of memory beside its "
        "weights; it needs more, or onnxruntime failed. Choose another, or a smaller one."
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):  # of what was not sent yet
            if stream is not None:
                stream.close()


def _short(text: str) -> str:
    return text if len(text) < _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."
