"""What a training has written so far: losses, pictures, how faces were drawn, how both arms were judged.

All of it is read from the folders that the trainer writes as it goes; it needs neither the trainer nor torch.
A training that was resumed from an earlier state tells the steps since then again: the later telling counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import LatentLabError
from latentlab.jobs.train_job import DETECTION, PAIR, TrainSettings
from latentlab.training.debiasing_record import EPOCHS, Epoch, last_epoch

RUN, LOG, PICTURES, JUDGED, CONFIG = "run", "log.jsonl", "samples", "judged.json", "config.json"
ARMS = ("baseline", "debiased")
COLUMNS = 8
"""Pictures in a row of the grids that trainings write."""
SHOWN = 40
"""Most and least likely faces that are read."""
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Member:
    """One of the trainings that belong together: its arm (empty without), family, seed and folder."""

    arm: str
    family: str
    seed: int
    folder: Path

    @property
    def title(self) -> str:
        """What it is called."""
        return f"{self.arm or self.family}, seed {self.seed}"


@dataclass(frozen=True, eq=False)
class Curve:
    """One figure over the steps: ``steps [n]``, ``values [n]``."""

    steps: NDArray[np.int64]
    values: Floats

    @property
    def last(self) -> float:
        """The newest value."""
        return float(self.values[-1])


@dataclass(frozen=True, eq=False)
class MemberFound:
    """How far one training has come.

    Parameters
    ----------
    losses, held_out
        Figures over the steps, of the steps themselves and on what was held out.
    epoch
        How faces were drawn last; None of what draws evenly, and before the first.
    pairs, samples
        Pictures uint8 ``[n, S, S, 3]``: input and reconstruction in turns, and drawn from the prior.
    likely, unlikely
        The faces that are drawn most and least often, alike; None where the set is gone.
    finished
        Whether its checkpoint is there.
    """

    member: Member
    losses: Mapping[str, Curve] = field(default_factory=dict)
    held_out: Mapping[str, Curve] = field(default_factory=dict)
    epoch: Epoch | None = None
    pairs: Bytes | None = None
    samples: Bytes | None = None
    likely: Bytes | None = None
    unlikely: Bytes | None = None
    finished: bool = False

    @property
    def recalls(self) -> dict[str, float]:
        """The newest recall of each group on validation rows."""
        start = "recall."
        return {name[len(start) :]: one.last for name, one in self.held_out.items() if name.startswith(start)}


@dataclass(frozen=True, eq=False)
class TrainFound:
    """How far a training has come: what it was asked, its members, and how a pair was judged."""

    settings: TrainSettings
    members: tuple[MemberFound, ...]
    judged: Mapping[str, Any] | None = None

    @property
    def out(self) -> str:
        """Where it writes."""
        return self.settings.out

    @property
    def finished(self) -> bool:
        """Whether all checkpoints are there."""
        return all(one.finished for one in self.members)

    @property
    def drawing(self) -> MemberFound | None:
        """The newest member that resamples and has been looked at."""
        found = [one for one in self.members if one.epoch is not None and one.member.family == "dbvae"]
        return found[-1] if found else None

    @property
    def looked_at(self) -> MemberFound | None:
        """The newest member with pictures."""
        found = [one for one in self.members if one.pairs is not None or one.samples is not None]
        return found[-1] if found else None

    @property
    def model(self) -> Path | None:
        """The folder of a finished model that can be opened; None where there is none."""
        kinds = ("dbvae", "vae", "autoencoder", "cvae", "cinn")
        found = [one.member for one in self.members if one.finished and one.member.family in kinds]
        return found[-1].folder if found else None


def members_of(settings: TrainSettings) -> tuple[Member, ...]:
    """Return the trainings that are done, in order."""
    out, first = Path(settings.out), int(settings.loop.get("seed", 0))
    seeds = range(first, first + settings.seeds)
    if settings.recipe == PAIR:
        families = zip(ARMS, ("cnn", "dbvae"), strict=True)
        return tuple(
            Member(arm, family, seed, out / arm / f"seed-{seed}")
            for arm, family in families
            for seed in seeds
        )
    if settings.seeds > 1:
        return tuple(Member("", settings.recipe, seed, out / f"seed-{seed}") for seed in seeds)
    return (Member("", settings.recipe, first, out),)


class TrainReader:
    """Reads a training again and again; what has not changed since is not read again.

    Parameters
    ----------
    pictures
        Whether pictures and how faces are drawn are wanted too, and not only figures.
    """

    def __init__(self, settings: TrainSettings, pictures: bool = True) -> None:
        self.settings, self._pictures = settings, pictures
        self._members = {member: MemberFound(member) for member in members_of(settings)}
        self._logs = {member: _Log(member.folder / RUN / LOG) for member in self._members}
        self._seen: dict[Path, int] = {}
        self._faces: Any = None
        self._looked_for_faces = False

    def newer(self) -> TrainFound | None:
        """Return how far it has come; None where nothing has changed."""
        changed = False
        for member, found in self._members.items():
            again = self._again(member, found)
            if again is not found:
                self._members[member] = again
                changed = True
        judged = Path(self.settings.out) / JUDGED
        changed |= self.settings.recipe == PAIR and self._is_new(judged)
        return self.now() if changed else None

    def now(self) -> TrainFound:
        """Return how far it had come when it was read last."""
        judged = None
        if self.settings.recipe == PAIR:
            try:
                judged = json.loads((Path(self.settings.out) / JUDGED).read_text(encoding="utf-8"))
                judged = judged if isinstance(judged.get("arms"), dict) else None
            except (OSError, ValueError, AttributeError):
                judged = None
        return TrainFound(self.settings, tuple(self._members.values()), judged)

    def _again(self, member: Member, found: MemberFound) -> MemberFound:
        run, log = member.folder / RUN, self._logs[member]
        if log.read():
            found = replace(found, losses=log.curves("train"), held_out=log.curves("held-out"))
        finished = (member.folder / CONFIG).is_file()
        if finished != found.finished:
            found = replace(found, finished=finished)
        if not self._pictures:
            return found
        if self.settings.recipe in DETECTION and self._is_new(_newest(run / EPOCHS, "*.json")):
            found = replace(found, epoch=last_epoch(run))
            if found.epoch is not None and member.family == "dbvae":
                found = replace(
                    found,
                    likely=self._pixels(found.epoch.rows[found.epoch.most_likely(SHOWN)]),
                    unlikely=self._pixels(found.epoch.rows[found.epoch.least_likely(SHOWN)]),
                )
        pairs = _newest(run / PICTURES, "reconstructions_*.png")
        if self._is_new(pairs):
            found = replace(found, pairs=cells_of(pairs))
        samples = _newest(run / PICTURES, "samples_*.png")
        if self._is_new(samples):
            found = replace(found, samples=cells_of(samples))
        return found

    def _is_new(self, path: Path | None) -> bool:
        try:
            when = 0 if path is None else path.stat().st_mtime_ns
        except OSError:
            return False
        if path is None or self._seen.get(path) == when:
            return False
        self._seen[path] = when
        return True

    def _pixels(self, rows: NDArray[np.int64]) -> Bytes | None:
        if not self._looked_for_faces:
            self._looked_for_faces = True
            try:
                self._faces = faces_of(self.settings)
            except LatentLabError:
                self._faces = None  # the set has vanished; what is known without it is shown
        if self._faces is None or int(rows.max(initial=0)) >= len(self._faces):
            return None
        return np.asarray(self._faces[rows])


def faces_of(settings: TrainSettings) -> Bytes:
    """Return all pictures of the set that a detector is trained on, uint8 ``[N, S, S, 3]``.

    Raises
    ------
    LatentLabError
        If the set is gone.
    """
    from latentlab.data.catalog import open_set

    asked = settings.asked
    return open_set(f"{asked.get('data', 'faces')}:train", int(asked.get("image_size", 64))).images


def cells_of(path: Path | None) -> Bytes | None:
    """Return the pictures of a grid that a training wrote, uint8 ``[n, S, S, 3]``; None where it is gone."""
    if path is None:
        return None
    from PIL import Image  # not before the window is there

    try:
        with Image.open(path) as picture:
            sheet = np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError):
        return None
    side = sheet.shape[1] // COLUMNS
    if not side or sheet.shape[0] % side:
        return None
    rows = sheet.shape[0] // side
    cells = sheet[:, : side * COLUMNS].reshape(rows, side, COLUMNS, side, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(cells.reshape(-1, side, side, 3))


def _newest(folder: Path, pattern: str) -> Path | None:
    return max(folder.glob(pattern), default=None)


class _Log:
    """Reads a log as it grows."""

    def __init__(self, path: Path) -> None:
        self._path, self._at, self._inode = path, 0, -1
        self._rows: list[dict[str, Any]] = []

    def read(self) -> bool:
        """Read what is new; whether anything was."""
        try:
            stat = self._path.stat()
            if stat.st_ino != self._inode or stat.st_size < self._at:  # it was begun anew
                self._inode, self._at, self._rows = stat.st_ino, 0, []
            with self._path.open("rb") as file:
                file.seek(self._at)
                content = file.read()
        except OSError:
            return False
        whole = content[: content.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.splitlines():
            try:
                row = json.loads(line)
                step, kind = int(row["step"]), str(row["kind"])
            except (ValueError, KeyError, TypeError):
                continue
            # What is told again after a resumption takes the place of what was told before.
            while self._rows and (
                self._rows[-1]["step"] > step
                or (self._rows[-1]["step"] == step and self._rows[-1]["kind"] == kind)
            ):
                self._rows.pop()
            self._rows.append(row)
        return bool(whole)

    def curves(self, kind: str) -> dict[str, Curve]:
        """Return all figures of one kind over the steps."""
        found: dict[str, list[tuple[int, float]]] = {}
        for row in self._rows:
            if row["kind"] != kind:
                continue
            for name, value in row.items():
                if name not in ("step", "kind") and isinstance(value, (int, float)):
                    found.setdefault(name, []).append((row["step"], float(value)))
        return {
            name: Curve(np.array([s for s, _ in pairs]), np.array([v for _, v in pairs]))
            for name, pairs in found.items()
        }
