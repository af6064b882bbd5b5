"""Many pictures are projected by a process of its own: to its end, stopped and taken up, found again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from job_processes import no_process_left
from PIL import Image

from latentlab.checkpoints import locate
from latentlab.jobs.job import Job, JobState
from latentlab.jobs.project_job import ProjectSettings, find_project_job, project_job
from latentlab.operations.explore import Explorer
from latentlab.operations.many_pictures import many_pictures
from latentlab.operations.project_many import COMPOSITION, DONE, project_modes
from latentlab.paths import runs_directory

STYLES = ("ink", "clay", "tiles")

pytestmark = pytest.mark.usefixtures("processes_end")


@pytest.fixture
def processes_end() -> Iterator[None]:
    with no_process_left():
        yield


def paint(folder: Path, count: int, seed: int = 0) -> Path:
    """Make a folder of random pictures."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    for k in range(count):
        pixels = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{k:03d}.png")
    return folder


@pytest.fixture
def settings(tiny_cinn_folder: Path, keen_judge_folder: Path, tmp_path: Path) -> ProjectSettings:
    return ProjectSettings(
        model=str(tiny_cinn_folder),
        sha256=locate(tiny_cinn_folder).sha256(),
        predictor=str(keen_judge_folder),
        judge=locate(keen_judge_folder).sha256(),
        threads=1,
        data=str(paint(tmp_path / "few", 12)),
        pictures=(),
        source="auto",
        onto=STYLES,
        count=8,
        seed=3,
        out="",
    )


def _wait(job: Job, reached: Callable[[JobState], object], seconds: float = 90.0) -> JobState:
    end = time.monotonic() + seconds
    while not reached(state := job.poll()):
        assert time.monotonic() < end, f"not reached in time: {state}"
        assert not state.over, f"it is over: {state}"
        time.sleep(0.01)
    return state


def _over(state: JobState) -> bool:
    return state.over


def _tables(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.csv"))}


def test_it_projects_as_the_operation_does(
    settings: ProjectSettings, tiny_cinn_folder: Path, keen_judge_folder: Path, tmp_path: Path
) -> None:
    (Path(settings.data) / "006.png").write_bytes(b"no picture")
    assert find_project_job(settings) is None
    job = project_job(settings, (0.0, 1.0))
    assert job.folder.path == settings.folder == settings.results
    assert settings.folder.parent == runs_directory()
    state = _wait(job, _over)
    assert (state.phase, state.stage, state.done, state.total) == ("finished", "Projecting", 16, 16)
    explorer = Explorer.open(tiny_cinn_folder, keen_judge_folder)
    images = many_pictures(settings.data, 32, count=8, seed=3)
    assert "006" in [one.name for one in images]
    assert [one.name for one in images] == sorted(one.name for one in images)
    found = project_modes(explorer, images, tmp_path / "again", [0.0, 1.0], onto=STYLES, figures=False)
    assert [len(one.found) for one in found.values()] == [7, 7]
    tables = _tables(settings.folder)
    assert set(tables) == {
        COMPOSITION, "follow/projections.csv", "follow/shifts.csv", "keep/projections.csv", "keep/shifts.csv",
    }  # fmt: skip
    assert tables == _tables(tmp_path / "again")
    assert not list(settings.folder.rglob("*.png")), "figures are for a folder of one's own"
    again = find_project_job(settings)
    assert again is not None
    assert again.poll().phase == "finished"


def test_what_is_stopped_is_kept_and_taken_up(settings: ProjectSettings, tmp_path: Path) -> None:
    many = replace(settings, data=str(paint(tmp_path / "many", 400)), count=400, out=str(tmp_path / "out"))
    job = project_job(many, (1.0,))
    assert project_job(many, (1.0,)).folder.path == job.folder.path, "it is found where it is going on"
    _wait(job, lambda state: state.done > 3)
    job.cancel()
    state = _wait(job, _over)
    assert state.phase == "cancelled"
    out = tmp_path / "out" / "keep"
    done = len((out / DONE).read_text().splitlines()) - 1
    assert 3 < done < 400
    listing = json.loads((out / "pictures.json").read_text())
    assert listing["left"] == 400 - done
    names = [path.name for path in out.glob("*.png")]
    assert len(names) == done, "each has a figure there"
    before = {name: (out / name).stat().st_mtime_ns for name in names}
    for path in sorted(Path(many.data).iterdir())[done + 5 :]:
        path.unlink()
    job = project_job(many, (1.0,))
    assert _wait(job, _over).phase == "finished"
    assert {name: (out / name).stat().st_mtime_ns for name in names} == before
    assert len((out / "projections.csv").read_text().splitlines()) == 1 + 3 * (done + 5)


def test_settings_have_a_folder_each_whatever_the_mode_and_the_place_of_the_weights(
    settings: ProjectSettings,
) -> None:
    assert replace(settings, model="/elsewhere", predictor="x", threads=2).folder == settings.folder
    others = [
        {"sha256": "0" * 64}, {"judge": ""}, {"data": "faces"}, {"pictures": ("a.png",)}, {"source": "ink"},
        {"onto": ("ink",)}, {"count": 9}, {"seed": 4}, {"out": "/elsewhere"},
    ]  # fmt: skip
    folders = {replace(settings, **other).folder for other in others}  # type: ignore[arg-type]
    assert len(folders - {settings.folder}) == len(others)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"data": "/nowhere"}, "There is no image set '/nowhere'"),
        ({"data": "", "pictures": ("/nowhere/a.png",)}, "There is no picture or folder /nowhere/a.png"),
        ({"source": "oil"}, "knows no dataset 'oil'"),
        ({"sha256": "0" * 64}, "other weights than expected"),
    ],
)
def test_what_cannot_be_says_why(settings: ProjectSettings, wrong: dict[str, object], said: str) -> None:
    state = _wait(project_job(replace(settings, **wrong), (1.0,)), _over)  # type: ignore[arg-type]
    assert state.phase == "failed"
    assert said in state.message
    assert state.details == ""
