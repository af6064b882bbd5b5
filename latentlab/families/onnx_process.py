"""The process in which an ONNX graph is run: its memory is bounded, and it can be ended at any moment.

`latentlab.families.onnx_runner` starts this file by its path, so that neither the package nor torch is
imported here. It reads the graph and then requests from its standard input, and writes the answers to its
standard output. A message is a JSON object, with its length before it, and then the bytes of its ``arrays``.
"""

from __future__ import annotations

import contextlib
import json
import math
import struct
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MEMORY = 2_000_000_000
"""Bytes that a graph may use beside `COPIES` of its own."""
COPIES = 3
"""How many times a graph's weights are in memory: as they came, as they were read, and packed for speed."""
LARGEST_ANSWER = 1_000_000_000
"""The most bytes of the outputs of one request."""
TOO_MUCH = "memory"
"""The kind of error that says that a graph needs more memory than it may have."""

_LENGTH = struct.Struct("<Q")
_PER_THREAD = 16_000_000
_MEMORY_WORDS = ("Available memory of", "Failed to allocate memory", "bad_alloc", "bad allocation")

Array = NDArray[np.float32]


def send(stream: BinaryIO, message: dict[str, Any], arrays: Sequence[Array] = ()) -> None:
    """Write a message, with arrays of float32 behind it."""
    text = json.dumps(message | {"arrays": [list(array.shape) for array in arrays]}).encode()
    stream.write(_LENGTH.pack(len(text)) + text)
    for array in arrays:
        stream.write(np.ascontiguousarray(array, dtype="<f4").reshape(-1).data.cast("B"))
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], list[Array]]:
    """Read a message and the arrays behind it; raises EOFError where the other end is no more there."""
    message: dict[str, Any] = json.loads(exactly(stream, _LENGTH.unpack(exactly(stream, _LENGTH.size))[0]))
    found = []
    for shape in message.pop("arrays"):
        content = exactly(stream, 4 * math.prod(shape))
        found.append(np.frombuffer(content, dtype="<f4").reshape(shape))
    return message, found


def exactly(stream: BinaryIO, count: int) -> bytearray:
    """Read so many bytes; raises EOFError where there are fewer."""
    content = bytearray(count)
    view, done = memoryview(content), 0
    while done < count:
        more = stream.readinto(view[done:])  # type: ignore[attr-defined]
        if not more:
            raise EOFError
        done += more
    return content


def main() -> None:
    """Run a graph until nobody asks any more."""
    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    begin, _ = receive(stdin)
    graph = bytes(exactly(stdin, begin["size"]))
    try:
        session = _session(graph, begin["threads"])
    except Exception as error:  # onnxruntime's errors have no base of their own
        send(stdout, _told(error))
        return
    del graph
    inputs = {one.name: [n if isinstance(n, int) else -1 for n in one.shape] for one in session.get_inputs()}
    send(stdout, {"inputs": inputs, "outputs": [one.name for one in session.get_outputs()]})
    with contextlib.suppress(EOFError):
        while True:
            asked, arrays = receive(stdin)
            try:
                feed = dict(zip(asked["inputs"], arrays, strict=True))
                found = [np.asarray(one, dtype="<f4") for one in session.run(asked["outputs"], feed)]
                if sum(one.nbytes for one in found) > LARGEST_ANSWER:
                    raise MemoryError
            except Exception as error:
                send(stdout, _told(error))
                continue
            send(stdout, {}, found)


def _session(graph: bytes, threads: int) -> Any:
    most = MEMORY + COPIES * len(graph)
    _bound(most + threads * _PER_THREAD)
    import onnxruntime  # type: ignore[import-untyped]

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.log_severity_level = 4
    # What a graph computes with is taken from here, on systems too that bound no process.
    onnxruntime.create_and_register_allocator(
        onnxruntime.OrtMemoryInfo(
            "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
        ),
        onnxruntime.OrtArenaCfg({"max_mem": most, "arena_extend_strategy": 1}),
    )
    settings.add_session_config_entry("session.use_env_allocators", "1")
    return onnxruntime.InferenceSession(
        graph,
        settings,
        providers=["CPUExecutionProvider"],
        # It would run parts of the graph here already, for as long as they take.
        disabled_optimizers=["ConstantFolding"],
    )


def _bound(most: int) -> None:
    """Let this process have so many bytes, where the system can bound that."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _told(error: Exception) -> dict[str, Any]:
    text = " ".join(str(error).split()) or type(error).__name__
    much = isinstance(error, MemoryError) or any(word in text for word in _MEMORY_WORDS)
    return {"error": text[:2000], "kind": TOO_MUCH if much else ""}


if __name__ == "__main__":
    main()
