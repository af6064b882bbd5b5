"""One case: open a damaged copy of a good checkpoint, and see how that ends."""

from __future__ import annotations

import random
import resource
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from latentlab.checkpoints.fuzz.mutate import mutated
from latentlab.checkpoints.native import load
from latentlab.errors import LatentLabError
from latentlab.families.onnx_runner import COMMAND

FORBIDDEN = frozenset(
    {"os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "subprocess.Popen", "socket.connect"}
    | {"pickle.find_class", "os.remove", "os.rename", "os.mkdir", "shutil.rmtree"}
)
"""Python's audit events that no opening of a file causes."""
LONGEST_MESSAGE = 2000


@dataclass(frozen=True)
class Outcome:
    """How a case ended: opened, refused with a message that names the file, or failed, and why.

    ``seconds`` are those of the processor, with those of the processes that ran graphs.
    """

    case: int
    end: Literal["opened", "refused", "failed"]
    why: str
    seconds: float


class Watch:
    """Notes what is done, while it is on, that no opening of a file should do."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on or (event == "subprocess.Popen" and tuple(arguments[1]) == COMMAND):
            return
        if event in FORBIDDEN:
            self.seen.append(f"{event} {arguments!r:.80}")
        elif event == "open" and not isinstance(arguments[0], int) and set(arguments[1] or "") & set("wax+"):
            # By a number it is what is open already, such as the pipe to a graph's process.
            self.seen.append(f"writes {arguments[0]!r:.80}")


class Cases:
    """The cases of one sample.

    Parameters
    ----------
    sample
        A good checkpoint, of any format that opens.
    folder
        Where the damaged copies are written, one in the place of the other.
    """

    def __init__(self, sample: Path, folder: Path, seed: int, watch: Watch) -> None:
        load(sample)  # it is good, and everything that is needed is imported
        self._sample, self._seed, self._watch = sample, seed, watch
        self._path = folder / sample.name
        self._files = _files(sample)

    def run(self, case: int) -> Outcome:
        """Run the case of a number; the same number and seed damage in the same way."""
        self._write(random.Random(f"{self._seed}/{self._sample.name}/{case}"))
        start = _processor_seconds()
        self._watch.on = True
        end, why = self._open()
        self._watch.on = False
        seconds = _processor_seconds() - start
        if self._watch.seen:
            end, why = "failed", f"it did what no reading does: {self._watch.seen[0]}"
            self._watch.seen.clear()
        return Outcome(case, end, why, seconds)

    def _open(self) -> tuple[Literal["opened", "refused", "failed"], str]:
        try:
            load(self._path)
        except LatentLabError as error:
            text = str(error)
            if "\n" in text or len(text) > LONGEST_MESSAGE or str(self._path) not in text:
                return "failed", f"a refusal that names no file, or of many lines: {text!r:.300}"
            return "refused", text
        except BaseException as error:
            return "failed", f"{type(error).__name__}: {error!s:.300}"
        return "opened", ""

    def _write(self, draw: random.Random) -> None:
        if self._sample.is_file():
            self._path.write_bytes(mutated(self._files[""], draw))
            return
        shutil.rmtree(self._path, ignore_errors=True)
        self._path.mkdir()
        damaged = draw.choice(sorted(self._files))
        left_out = draw.random() < 0.05
        for name, content in self._files.items():
            if name == damaged and left_out:
                continue
            (self._path / name).parent.mkdir(parents=True, exist_ok=True)
            (self._path / name).write_bytes(mutated(content, draw) if name == damaged else content)


def _processor_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _files(sample: Path) -> dict[str, bytes]:
    """Return a sample's files by their path in it; a file by itself has the empty path."""
    if sample.is_file():
        return {"": sample.read_bytes()}
    inside = sorted(path for path in sample.rglob("*") if path.is_file())
    return {str(path.relative_to(sample)): path.read_bytes() for path in inside}
