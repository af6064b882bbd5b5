"""Tries an installed LatentLab out: without display, network or variables, in a home of its own.

The window opens two bundled models and its picture is taken; a picture is encoded, edited and decoded; an
audit runs; work in a process of its own is done. Needs no package but Python's own, so that it can be carried
along with a bundle.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SIZE = (1280, 800)
MODELS = ("faces-vae", "styles-cinn")
EMPTY = 60_000
"""Bytes that a picture of the window with no model in it stays under."""
LONGEST = 600
"""Seconds that one command may take."""


@dataclass(frozen=True)
class Trial:
    """An installation to be tried out.

    Parameters
    ----------
    command
        What starts ``latentlab``.
    jobs
        What starts ``python -m latentlab.jobs``.
    home
        An empty folder for all that is written.
    environment
        Variables besides home, path and language.
    root
        The root of another system, in which the program is started; ``home`` lies below it, and ``command``
        and ``jobs`` are paths inside.
    """

    command: Sequence[str]
    jobs: Sequence[str]
    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = None

    def run(self) -> None:
        """Try everything, saying what was done.

        Raises
        ------
        SystemExit
            If anything is not as it should be; the message says what.
        """
        print(self._latentlab("--version").strip())
        expect("Apache" in self._latentlab("credits"), "the credits name no licence")
        expect("latent" in self._latentlab("lessons", "list"), "no lessons are listed")
        if not can_be_cut_off():
            print("this system does not let it be cut off from the network (unshare -rn)")
        self._look()
        self._edit()
        asked = ("--n", "64", "--reference", "training", "--out", "study")
        self._latentlab("audit", "generation", "faces-weak-vae", *asked)
        expect((self.home / "study" / "report.html").is_file(), "an audit wrote no report")
        print("an audit ran and wrote its report")
        self._work()

    def _look(self) -> None:
        size = f"{SIZE[0]}x{SIZE[1]}"
        seen = set()
        for model in MODELS:
            file = f"{model}.png"
            begun = time.monotonic()
            self._latentlab("open", model, "--screenshot", file, "--theme", "light", "--size", size)
            data = (self.home / file).read_bytes()
            found = struct.unpack(">II", data[16:24])
            expect(found == SIZE, f"the window's picture has {found} pixels, not {SIZE}")
            expect(len(data) > EMPTY, f"a picture of the window in {len(data)} bytes shows no model")
            seen.add(data)
            print(
                f"the window opened {model} at {size} in {time.monotonic() - begun:.1f} s, without a display"
            )
        expect(len(seen) == len(MODELS), "the window looks the same whichever model is open")

    def _edit(self) -> None:
        model = ("--model", MODELS[0])
        self._latentlab("reconstruct", *model, "--seed", "100", "--out", "face.png")
        self._latentlab("reconstruct", "face.png", *model, "--set", "55=-2.5", "--out", "edited.png")
        face, edited = ((self.home / name).read_bytes() for name in ("face.png", "edited.png"))
        expect(face != edited, "a latent dimension that is moved changes nothing")
        print("a picture was encoded, edited and decoded")

    def _work(self) -> None:
        """Have work done in a process of its own, as the window does (`latentlab.jobs`)."""
        folder, out = self.home / "job", "map.npz"
        folder.mkdir()
        wanted = {
            "model": MODELS[0],
            "data": "faces:test",
            "count": 256,
            "seed": 0,
            "tsne": False,
            "out": out,
        }
        asked = {"version": 1, "kind": "map", "asked": time.time(), "settings": wanted}
        (folder / "settings.json").write_text(json.dumps(asked), encoding="utf-8")
        self._run([*self.jobs, "job"])
        last = json.loads((folder / "events.jsonl").read_text("utf-8").splitlines()[-1])
        expect(last["event"] == "finished", f"work in a process of its own ended with {last}")
        expect((self.home / out).is_file(), "work in a process of its own left no result")
        print("work in a process of its own was done")

    def _latentlab(self, *arguments: str) -> str:
        return self._run([*self.command, *arguments])

    def _run(self, command: Sequence[str]) -> str:
        alone = ["unshare", "-rn"] if can_be_cut_off() else []
        home = str(self.home)
        if self.root is not None:
            home = f"/{self.home.relative_to(self.root)}"
            alone = ["unshare", "-rn", f"--root={self.root}", f"--wd={home}"]
        environment = {"HOME": home, "PATH": os.defpath, "LANG": "C.UTF-8", **self.environment}
        done = subprocess.run(
            [*alone, *command],
            env=environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )
        expect(
            done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-800:]}"
        )
        return done.stdout


def can_be_cut_off() -> bool:
    """Whether a process can be run without a network here."""
    if not sys.platform.startswith("linux") or shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


def expect(true: bool, otherwise: str) -> None:
    """Leave with a message unless something is true."""
    if not true:
        raise SystemExit(f"not as it should be: {otherwise}")
