"""What was done is there again after a crash, and nothing is left behind by a clean close."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from latentlab.jobs.file_lock import FileLock, is_locked
from latentlab.session.autosave import Autosave, discard, last_session, recoverable, state_directory

CHILD = """
import sys, time
from pathlib import Path
from latentlab.session.autosave import Autosave
autosave = Autosave(lambda: sys.argv[2], Path(sys.argv[1]), rest=0.01)
autosave.changed()
while autosave.path is None or not autosave.path.exists():
    time.sleep(0.01)
print(autosave.path, flush=True)
sys.stdin.read()
"""


def wait(reached: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "not reached in time"
        time.sleep(0.005)


class Writer:
    """A session whose text is set, and an autosave of it."""

    def __init__(self, folder: Path, rest: float = 0.02) -> None:
        self.text, self.asked, self.told = "", 0, []
        self.autosave = Autosave(self._give, folder, self.told.append, rest)

    def _give(self) -> str:
        self.asked += 1
        if self.text == "fault":
            raise ZeroDivisionError("division by zero")
        return self.text

    def set(self, text: str) -> None:
        self.text = text
        self.autosave.changed()

    @property
    def written(self) -> str:
        path = self.autosave.path
        return path.read_text() if path is not None and path.exists() else ""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "state")
    yield writer
    writer.autosave.close(keep=False)


def start(folder: Path, text: str) -> tuple[subprocess.Popen[str], Path]:
    call = [sys.executable, "-c", CHILD, str(folder), text]
    child = subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    return child, Path(child.stdout.readline().strip())


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.communicate(timeout=20)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a kill that cannot be caught")
def test_a_killed_process_leaves_its_session_to_be_recovered(tmp_path: Path) -> None:
    child, path = start(tmp_path, "the work of hours")
    try:
        assert path.name == f"autosave-{child.pid}.json"
        assert recoverable(tmp_path) == [], "its process lives"
        discard(path)
        assert path.read_text() == "the work of hours", "what lives is not removed"
        os.kill(child.pid, signal.SIGKILL)
        child.wait(20)
        assert recoverable(tmp_path) == [path]
        assert path.read_text() == "the work of hours"
    finally:
        end(child)
    assert last_session(tmp_path) is None
    discard(path)
    assert recoverable(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_process_of_the_same_number_leaves_what_was_left_alone(tmp_path: Path) -> None:
    left = tmp_path / f"autosave-{os.getpid()}.json"
    left.write_text("before the crash")
    writer = Writer(tmp_path)
    writer.set("new")
    wait(lambda: writer.written == "new")
    assert writer.autosave.path != left
    assert recoverable(tmp_path) == [left]
    writer.autosave.close()
    assert left.read_text() == "before the crash"
    assert (tmp_path / "last.json").read_text() == "new"


def test_two_windows_of_one_process_have_a_file_each(tmp_path: Path) -> None:
    writers = [Writer(tmp_path), Writer(tmp_path)]
    for writer, text in zip(writers, ("one", "two"), strict=True):
        writer.set(text)
        wait(lambda writer=writer, text=text: writer.written == text)
    assert writers[0].autosave.path != writers[1].autosave.path
    assert recoverable(tmp_path) == []
    for writer in writers:
        writer.autosave.close(keep=False)
    assert list(tmp_path.iterdir()) == []


def test_the_newest_is_recovered_first(tmp_path: Path) -> None:
    for number, age in ((1, 30), (2, 10), (3, 20)):
        path = tmp_path / f"autosave-{number}.json"
        path.write_text("{}")
        os.utime(path, (1e9 - age, 1e9 - age))
    (tmp_path / "last.json").write_text("{}")
    assert [path.stem for path in recoverable(tmp_path)] == ["autosave-2", "autosave-3", "autosave-1"]
    assert recoverable(tmp_path / "nowhere") == []


def test_a_clean_close_keeps_the_newest_state_as_the_last_session(writer: Writer, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    writer.set("first")
    wait(lambda: writer.written == "first")
    writer.set("second")
    writer.autosave.close(keep=True)
    assert [path.name for path in folder.iterdir()] == ["last.json"]
    assert last_session(folder) == folder / "last.json"
    assert last_session(folder).read_text() == "second"
    asked = writer.asked
    writer.set("after the close")
    assert writer.asked == asked
    assert [path.name for path in folder.iterdir()] == ["last.json"]


def test_a_close_without_keeping_leaves_the_last_session_as_it_was(writer: Writer, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "last.json").write_text("yesterday")
    writer.set("today")
    wait(lambda: writer.written == "today")
    writer.set("later")
    writer.autosave.close(keep=False)
    assert [path.name for path in folder.iterdir()] == ["last.json"]
    assert (folder / "last.json").read_text() == "yesterday"


def test_where_nothing_was_done_nothing_is_written(writer: Writer, tmp_path: Path) -> None:
    writer.autosave.changed()
    wait(lambda: writer.asked == 1)
    writer.autosave.close(keep=True)
    assert not (tmp_path / "state").exists()
    unused = Writer(tmp_path / "state")
    unused.autosave.close(keep=True)
    assert not (tmp_path / "state").exists()
    assert unused.asked == 0


def test_many_changes_are_written_once_and_the_newest_wins(tmp_path: Path) -> None:
    writer = Writer(tmp_path, rest=0.3)
    for k in range(200):
        writer.set(f"state {k}")
        time.sleep(0.001)
    assert writer.asked == 0
    wait(lambda: writer.written)
    assert writer.written == "state 199"
    assert writer.asked == 1
    writer.autosave.close(keep=False)


def test_changes_that_go_on_are_written_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.session.autosave.LONGEST", 0.2)
    writer = Writer(tmp_path, rest=0.1)
    end = time.monotonic() + 10
    while not writer.written:
        writer.set("moving")
        assert time.monotonic() < end, "never written while it changes"
        time.sleep(0.01)
    writer.autosave.close(keep=False)


def test_a_state_is_there_whole_or_not_at_all(writer: Writer) -> None:
    texts = {letter * 300_000 for letter in "abc"}
    seen: set[str] = set()
    for k in range(30):
        writer.set(sorted(texts)[k % 3])
        wait(lambda: writer.written)
        for _ in range(20):
            seen.add(writer.written)
    assert seen <= texts


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o500)
    writer = Writer(tmp_path / "state")
    check_told_once(writer, lambda: (tmp_path / "state").chmod(0o700))


def test_a_file_in_the_place_of_the_folder_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    writer = Writer(tmp_path / "state")
    check_told_once(writer, (tmp_path / "state").unlink)


def check_told_once(writer: Writer, put_right: Callable[[], object]) -> None:
    for k in range(3):
        writer.set(f"state {k}")
        wait(lambda k=k: writer.asked == k + 1)
    wait(lambda: writer.told)
    writer.set("fault")
    wait(lambda: writer.asked == 4)
    assert len(writer.told) == 1
    assert "save it yourself" in writer.told[0]
    assert "state" in writer.told[0]
    put_right()
    writer.set("better")
    wait(lambda: writer.written == "better")
    writer.set("fault")
    wait(lambda: len(writer.told) == 2)
    assert "division by zero" in writer.told[1]
    assert writer.written == "better"
    writer.autosave.close(keep=False)


def test_what_was_recovered_is_removed_only_when_it_is_written_anew(tmp_path: Path) -> None:
    left = tmp_path / "autosave-1.json"
    left.write_text("hours of work")
    writer = Writer(tmp_path)
    writer.text = "fault"
    writer.autosave.recovered(left)
    wait(lambda: writer.told)
    assert recoverable(tmp_path) == [left]
    writer.set("hours of work, opened again")
    wait(lambda: not left.exists())
    assert writer.written == "hours of work, opened again"
    assert recoverable(tmp_path) == []
    writer.autosave.close(keep=False)


def test_the_thread_has_its_name_and_ends_with_the_close(writer: Writer) -> None:
    def named() -> list[str]:
        return [one.name for one in threading.enumerate() if one.name == "latentlab-autosave"]

    assert named() == []
    writer.set("a")
    assert named() == ["latentlab-autosave"]
    writer.autosave.close(keep=False)
    assert named() == []
    writer.autosave.close(keep=False)


def test_a_lock_has_one_owner_and_can_be_had_again(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    assert not is_locked(path)
    lock = FileLock(path)
    assert is_locked(path)
    with pytest.raises(BlockingIOError):
        FileLock(path)
    lock.release()
    assert not is_locked(path)
    FileLock(path).release(remove=True)
    assert not path.exists()


def test_the_folder_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LATENTLAB_STATE", str(tmp_path / "mine"))
    assert state_directory() == tmp_path / "mine"
    assert not (tmp_path / "mine").exists()
    monkeypatch.delenv("LATENTLAB_STATE")
    assert state_directory().name == "latentlab"
