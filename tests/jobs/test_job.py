"""A run is a process of its own: it can be followed, stopped, lost and found again. All of them are real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from job_processes import no_process_left

from latentlab.checkpoints import locate
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set
from latentlab.errors import SettingsError
from latentlab.jobs import job as job_module
from latentlab.jobs.__main__ import taken
from latentlab.jobs.file_lock import FileLock
from latentlab.jobs.job import Job, JobState, start
from latentlab.jobs.kinds import work_of
from latentlab.jobs.map_job import map_job
from latentlab.jobs.run_folder import EVENTS, LOCK, LOG, SETTINGS, RunFolder
from latentlab.operations.map_file import load_map
from latentlab.paths import runs_directory

pytestmark = pytest.mark.usefixtures("processes_end")


@pytest.fixture
def processes_end() -> Iterator[None]:
    with no_process_left():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "one"


@pytest.fixture(scope="module")
def small_set(tiny_faces: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 faces: a map of them is there in a moment."""
    return copy_image_set(tmp_path_factory.mktemp("small") / "set", tiny_faces.split("validation"))


@pytest.fixture(scope="module")
def long_set(tiny_faces: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3,000 faces, each several times: their t-SNE takes long enough to be stopped."""
    rows = np.arange(3000) % len(tiny_faces)
    return copy_image_set(tmp_path_factory.mktemp("long") / "set", tiny_faces.select(rows))


@pytest.fixture
def settings(tiny_model_folder: Path, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def made(data: Path, tsne: bool = True, others: dict[str, Any] | None = None) -> dict[str, Any]:
        asked = {
            "model": str(tiny_model_folder),
            "data": str(data),
            "count": 10_000,
            "seed": 0,
            "tsne": tsne,
            "out": str(tmp_path / "map.safetensors"),
        }
        return asked | (others or {})

    return made


def _wait(job: Job, reached: Callable[[JobState], object], seconds: float = 90.0) -> JobState:
    end = time.monotonic() + seconds
    while not reached(state := job.poll()):
        assert time.monotonic() < end, f"not reached in time: {state}"
        assert not state.over, f"it is over: {state}"
        time.sleep(0.01)
    return state


def _over(state: JobState) -> bool:
    return state.over


def _growing(state: JobState) -> bool:
    return state.stage == "Laying out by t-SNE"


def _events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / EVENTS).read_text(encoding="utf-8").splitlines()]


def _process(folder: Path) -> int:
    pid: int = next(event["pid"] for event in _events(folder) if event["event"] == "started")
    return pid


def _run(folder: Path) -> int:
    """Do what a folder asks for, and wait for it."""
    command = [sys.executable, "-m", "latentlab.jobs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == done.stderr == ""
    return done.returncode


def test_a_run_goes_to_its_end_and_tells_how(folder: Path, small_set: Path, settings, tmp_path: Path) -> None:
    job = start("map", settings(small_set), folder)
    assert (job.kind, job.settings) == ("map", settings(small_set))
    assert job.poll().phase == "waiting"
    seen = [_wait(job, lambda state: state.phase == "running")]
    _wait(job, lambda state: seen.append(state) or state.over)
    assert seen[-1].phase == "finished"
    assert (seen[-1].stage, seen[-1].done, seen[-1].total) == ("Laying out by t-SNE", 750, 750)
    assert job.poll() == seen[-1], "and so it stays"
    with no_process_left():
        pass
    assert not job.folder.alive
    events = _events(folder)
    assert [events[0]["event"], events[-1]["event"]] == ["started", "finished"]
    stages = [event["stage"] for event in events if event["event"] == "progress"]
    assert list(dict.fromkeys(stages)) == ["Encoding", "Finding neighbours", "Laying out by t-SNE"]
    assert Job(folder).poll() == seen[-1], "who comes later sees the same"
    assert (folder / LOG).read_bytes() == b""
    found = load_map(tmp_path / "map.safetensors")
    assert len(found) == 64
    assert found.info.tsne is not None
    assert found.info.tsne.done


def test_a_cancelled_run_says_so_and_its_work_is_taken_up(
    folder: Path, long_set: Path, settings, tmp_path: Path
) -> None:
    job = start("map", settings(long_set), folder)
    _wait(job, _growing)
    job.cancel()
    assert _wait(job, _over).phase == "cancelled"
    assert _events(folder)[-1] == {"event": "cancelled"}
    kept = load_map(tmp_path / "map.safetensors")
    assert len(kept) == 3000
    assert kept.info.tsne is not None
    assert 0 < kept.info.tsne.iterations < 750
    with no_process_left():
        pass
    again = start("map", settings(long_set, tsne=False), folder)
    assert again.poll().phase == "waiting", "the older wish to stop is forgotten, and the older events"
    assert _wait(again, _over).phase == "finished"
    assert "Encoding" not in [event.get("stage") for event in _events(folder)]
    np.testing.assert_array_equal(load_map(tmp_path / "map.safetensors").latents, kept.latents)


def test_a_run_that_the_system_asks_to_end_is_cancelled(folder: Path, long_set: Path, settings) -> None:
    job = start("map", settings(long_set), folder)
    _wait(job, _growing)
    os.kill(_process(folder), signal.SIGTERM)
    assert _wait(job, _over).phase == "cancelled"


def test_a_killed_run_is_lost_and_can_be_started_again(
    folder: Path, long_set: Path, small_set: Path, settings
) -> None:
    job = start("map", settings(long_set), folder)
    _wait(job, _growing)
    os.kill(_process(folder), signal.SIGKILL)
    state = _wait(job, _over, seconds=10)
    assert state.phase == "lost"
    assert str(folder / LOG) in state.message
    assert Job(folder).poll().phase == "lost"
    again = start("map", settings(small_set, tsne=False), folder)
    assert _wait(again, _over).phase == "finished"


def test_a_run_outlives_the_process_that_started_it(folder: Path, small_set: Path, settings) -> None:
    code = (
        "import json, sys; from pathlib import Path; from latentlab.jobs.job import start; "
        "start('map', json.loads(sys.argv[1]), Path(sys.argv[2])); sys.exit('torch' in sys.modules)"
    )
    asked = json.dumps(settings(small_set, tsne=False))
    command = [sys.executable, "-W", "error", "-c", code, asked, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    job = Job(folder)
    _wait(job, lambda state: state.phase == "running")
    process = _process(folder)
    assert os.getsid(process) == process, "closing a terminal does not end it"
    assert _wait(job, _over).phase == "finished"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": "/nowhere/model"}, "/nowhere/model"),
        ({"data": "/nowhere/set"}, "There is no image set '/nowhere/set'"),
        ({"count": 2}, "A map has 3 images at least"),
        ({"sha256": "0" * 64}, "has other weights than expected"),
    ],
)
def test_a_run_that_fails_says_why(folder: Path, small_set: Path, settings, wrong, message: str) -> None:
    run = RunFolder(folder)
    run.begin("map", settings(small_set, others=wrong))
    assert _run(folder) == 0
    state = Job(folder).poll()
    assert state.phase == "failed"
    assert message in state.message
    assert state.details == "", "what a person can put right has no traceback"


def test_a_fault_of_ours_is_told_with_its_traceback(folder: Path) -> None:
    RunFolder(folder).begin("map", {})
    assert _run(folder) == 0
    state = Job(folder).poll()
    assert (state.phase, state.message) == ("failed", "KeyError: 'model'")
    assert "Traceback" in state.details


def test_an_unknown_kind_is_told(folder: Path) -> None:
    with pytest.raises(SettingsError, match="no work of the kind 'dance'; there is map"):
        work_of("dance")
    RunFolder(folder).begin("dance", {})
    assert _run(folder) == 0
    state = Job(folder).poll()
    assert state.phase == "failed"
    assert "'dance'" in state.message


def test_a_second_process_leaves_a_folder_that_is_worked_on_alone(
    folder: Path, small_set: Path, settings, tmp_path: Path
) -> None:
    run = RunFolder(folder)
    run.begin("map", settings(small_set))
    lock = FileLock(folder / LOCK)
    try:
        run.tell({"event": "started", "pid": os.getpid()})
        told = (folder / EVENTS).read_bytes()
        assert _run(folder) == 2
        assert (folder / EVENTS).read_bytes() == told
        assert not (tmp_path / "map.safetensors").exists()
        with pytest.raises(SettingsError, match="still going on"):
            start("map", settings(small_set), folder)
        assert (folder / EVENTS).read_bytes() == told
    finally:
        lock.release()


def test_who_asks_whether_a_run_is_alive_does_not_keep_it_from_starting(tmp_path: Path) -> None:
    asking = FileLock(tmp_path / LOCK)
    later = threading.Timer(0.2, asking.release)
    later.start()
    lock = taken(tmp_path / LOCK)
    later.join()
    assert lock is not None
    assert taken(tmp_path / LOCK) is None
    lock.release()


def test_a_map_that_is_asked_for_twice_is_made_once(tiny_model_folder: Path, long_set: Path) -> None:
    model, sha256 = str(tiny_model_folder), locate(tiny_model_folder).sha256()
    first, out = map_job(model, sha256, str(long_set), 3000, 0, tsne=True)
    _wait(first, _growing)
    second, same = map_job(model, sha256, str(long_set), 3000, 0, tsne=False)
    assert same == out
    assert second.folder.path == first.folder.path
    assert second.folder.path.parent == runs_directory()
    assert second.settings["tsne"] is True, "what goes on is what was asked for first"
    assert _wait(second, lambda state: state.phase == "running").stage == "Laying out by t-SNE"
    assert [event["event"] for event in _events(first.folder.path)].count("started") == 1
    other, elsewhere = map_job(model, sha256, str(long_set), 100, 0, tsne=False)
    assert elsewhere != out
    assert other.folder.path != first.folder.path
    second.cancel()
    assert _wait(first, _over).phase == "cancelled"
    assert _wait(other, _over).phase == "finished"
    assert len(load_map(elsewhere)) == 100


def test_a_map_that_is_asked_for_twice_at_once_is_made_all_the_same(
    tiny_model_folder: Path, small_set: Path
) -> None:
    sha256 = locate(tiny_model_folder).sha256()
    asked = (str(tiny_model_folder), sha256, str(small_set), 64, 0, True)
    (first, out), (second, _) = map_job(*asked), map_job(*asked)
    assert _wait(first, _over).phase == _wait(second, _over).phase == "finished"
    with no_process_left():
        pass
    found = load_map(out)
    assert len(found) == 64
    assert found.info.tsne is not None
    assert found.info.tsne.done


def test_a_line_that_is_half_written_is_read_when_it_is_whole(folder: Path) -> None:
    RunFolder(folder).begin("map", {})
    lock = FileLock(folder / LOCK)
    try:
        job = Job(folder)
        with (folder / EVENTS).open("a", encoding="utf-8") as file:
            file.write('{"event": "started", "pid": 1}\n{"event": "progress", "stage": "Ho')
            file.flush()
            assert job.poll() == JobState("running")
            file.write(
                'lding", "done": 3, "total": 9, "values": {"loss": 0.5}}\nnoise\n[1]\n{"event": "other"}\n'
            )
            file.flush()
            assert job.poll() == JobState("running", "Holding", 3, 9, {"loss": 0.5})
            file.write('{"event": "fin')
            file.flush()
            assert not job.poll().over
    finally:
        lock.release()
    assert job.poll().phase == "lost", "the rest of that line will not come"
    assert Job(folder).poll() == job.poll()


def test_a_run_that_never_begins_is_lost_after_a_while(folder: Path, monkeypatch) -> None:
    RunFolder(folder).begin("map", {})
    job = Job(folder)
    assert job.poll().phase == "waiting"
    monkeypatch.setattr(job_module, "BEGINNING", -1.0)
    assert job.poll().phase == "lost"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is no run's folder"),
        (b"", "is no run's folder"),
        (b"\xff\xfe", "is no run's folder"),
        (b"[]", "another version"),
        (b'{"version": 2, "kind": "map"}', "another version"),
        (b'{"version": 1}', "another version"),
    ],
)
def test_what_is_no_runs_folder_is_refused(folder: Path, content: bytes | None, message: str) -> None:
    folder.mkdir(parents=True)
    if content is not None:
        (folder / SETTINGS).write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        Job(folder)


def test_a_process_without_settings_says_so(folder: Path) -> None:
    folder.mkdir(parents=True)
    assert _run(folder) == 0
    (event,) = _events(folder)
    assert event["event"] == "failed"
    assert "is no run's folder" in event["message"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        start("map", {}, tmp_path / "file" / "run")


def test_where_runs_cannot_be_kept_the_map_says_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("LATENTLAB_RUNS", str(tmp_path))
    folder = map_job("/nowhere", "4" * 64, "faces", 10, 0, tsne=False)[0].folder.path
    with no_process_left():
        pass
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.touch()
    with pytest.raises(SettingsError, match=f"{folder.name} cannot be written"):
        map_job("/nowhere", "4" * 64, "faces", 10, 0, tsne=False)
