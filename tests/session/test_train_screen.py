"""The screen "Train and debias" without a window: what is asked, counted, read, done again and given up."""

from __future__ import annotations

import inspect
import json
import os
import signal
import time
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
from job_processes import no_process_left
from PIL import Image

from latentlab.cli import train, train_detection
from latentlab.jobs import train_job
from latentlab.jobs.job import Job
from latentlab.jobs.train_job import DETECTION, TrainSettings, find_train_job
from latentlab.metrics.detection import VARIANCE, WORST
from latentlab.progress import Reporter
from latentlab.session import job_follower, train_code, train_figures
from latentlab.session.document import TrainView
from latentlab.session.train_faces import FacesWanted, count_faces
from latentlab.session.train_figures import changed_most, figures_of, shown_recalls
from latentlab.session.train_folder import TrainReader, members_of
from latentlab.session.train_plan import RECIPES, key_of, problems, settings_of, title_of, value_of
from latentlab.session.train_runs import TrainRun, delete_training, list_training_runs
from latentlab.session.train_work import TrainWork
from latentlab.session.workspace import Workspace
from latentlab.training import detection_pair, runs
from latentlab.training.cinn import CINNLosses
from latentlab.training.cvae import CVAELosses
from latentlab.training.detection_runs import EMA, DetectionTraining, of_plain, plain
from latentlab.training.detection_task import BIAS
from latentlab.training.loop import LoopSettings
from latentlab.training.resampling import RULES
from latentlab.training.vae import VAELosses

pytest_plugins = ["debiasing_parts"]

TINY = {"epochs": 2, "count": 64, "batch": 32, "latent": 4, "filters": 4, "image_size": 32, "threads": 1}


def asked(recipe: str, **values: object) -> TrainView:
    """How the screen is set for a recipe."""
    return TrainView(recipe, {key_of(recipe, name): value for name, value in values.items()})


@pytest.fixture
def small_pair(monkeypatch: pytest.MonkeyPatch, small_task):
    monkeypatch.setattr(detection_pair, "open_detection", small_task)
    return small_task


# What is asked


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_a_recipe_is_asked_is_what_its_training_takes(recipe: str) -> None:
    view = asked(recipe, **({"autoencoder": "faces-vae"} if recipe == "cinn" else {}))
    assert problems(view) == {}
    settings = settings_of(view)
    assert TrainSettings.of(json.loads(json.dumps(asdict(settings)))) is not None
    LoopSettings(**settings.loop)
    if recipe in DETECTION:
        assert set(settings.asked) <= {one.name for one in fields(DetectionTraining)}
        assert tuple(settings.asked["bias"]) == BIAS
        return
    losses = {"vae": VAELosses, "autoencoder": VAELosses, "cvae": CVAELosses, "cinn": CINNLosses}
    call = getattr(runs, f"train_{'vae' if recipe == 'autoencoder' else recipe}")
    assert set(settings.asked) <= set(inspect.signature(call).parameters)
    if recipe in losses:
        losses[recipe](**settings.asked["losses"])
    assert settings_of(replace(view, values={**view.values, key_of(recipe, "budget"): "minutes"})).loop[
        "minutes"
    ]


@pytest.mark.parametrize("recipe", [name for name in RECIPES if name != "pair"])
def test_what_is_usual_is_as_the_command_has_it(recipe: str) -> None:
    command = getattr(train_detection if recipe in DETECTION else train, recipe)
    usual = {name: one.default for name, one in inspect.signature(command).parameters.items()}
    shown = {one.name: one.default for one in RECIPES[recipe].fields}
    both = [name for name in shown if usual.get(name) not in (None, inspect.Parameter.empty)]
    assert {"batch", "epochs" if recipe in DETECTION else "steps"} < {*both}
    assert {name: shown[name] for name in both} == {name: usual[name] for name in both}


@pytest.mark.parametrize("recipe", ["dbvae", "cnn"])
def test_what_is_usual_is_as_the_training_has_it(recipe: str) -> None:
    usual = plain(DetectionTraining(family=recipe))
    found = settings_of(asked(recipe)).asked
    losses = {**usual["losses"], **found["losses"]}
    assert plain(of_plain({**usual, **found, "losses": losses})) == usual


def test_recipes_of_one_task_share_what_they_are_asked_and_nonsense_is_not_used() -> None:
    assert {rule for rule, _ in RECIPES["pair"].field("rule").choices} == set(RULES)
    assert (train_figures.VARIANCE, train_figures.WORST) == (VARIANCE, WORST)
    view = asked("pair", smoothing=0.5, seeds=3)
    assert value_of(replace(view, recipe="dbvae"), "smoothing") == 0.5
    assert value_of(replace(view, recipe="cnn"), "seeds") == 3
    assert "smoothing" not in {one.name for one in RECIPES["cnn"].fields}
    for wrong in (-1.0, float("nan"), "much", (1.0,)):
        assert value_of(asked("pair", smoothing=wrong), "smoothing") == 0.001
    assert value_of(asked("pair", rule="none of these"), "rule") == "informative"
    one, other = settings_of(view), settings_of(asked("pair", smoothing=0.1, seeds=3))
    assert one.out != other.out, "what is asked otherwise is written elsewhere"
    assert title_of(one) != title_of(other)


def test_what_cannot_be_trained_is_said_by_field(tmp_path: Path) -> None:
    assert "no set or folder" in problems(asked("vae", data=str(tmp_path / "gone")))["data"]
    assert "without its split" in problems(asked("dbvae", data="faces:train"))["data"]
    assert "multiple of 4" in problems(asked("cnn", filters=6))["filters"]
    assert "autoencoder" in problems(asked("cinn"))
    assert "condition" in problems(asked("cvae", condition=" , "))
    assert str(tmp_path) in problems(asked("vae", start=str(tmp_path)))["start"]


def test_the_faces_of_each_group_are_counted(tiny_faces) -> None:
    train = tiny_faces.split("train")
    found = count_faces(train, FacesWanted("faces", (), 0, 0, 32))
    assert [axis.attribute for axis in found.axes] == ["race", "gender"]
    assert found.total == found.there == len(train) == sum(n for n, _ in found.groups.values())
    tone, gender = found.axes
    ratios = (tone.ratio(0.9), gender.ratio(0.8))
    assert tone.share(ratios) == pytest.approx(0.9)
    assert gender.share(BIAS) == pytest.approx(0.8)
    found = count_faces(train, FacesWanted("faces", ratios, 50, 0, 32))
    assert found.total == 50
    dark = sum(now for name, (now, _) in found.groups.items() if "tone=dark" in name)
    assert dark == 5
    assert "ask for at most" in (
        wrong := count_faces(train, FacesWanted("faces", ratios, 10_000, 0, 32)).wrong
    ), wrong


# What was written


def test_a_log_is_read_as_it_grows_and_what_is_told_again_counts(tmp_path: Path) -> None:
    settings = TrainSettings("cnn", str(tmp_path))
    log = tmp_path / "run" / "log.jsonl"
    log.parent.mkdir()

    def write(*rows: dict, end: str = "\n") -> None:
        with log.open("a") as file:
            file.write("\n".join(map(json.dumps, rows)) + end)

    reader = TrainReader(settings)
    assert reader.newer() is None
    write(
        {"step": 1, "kind": "train", "loss": 3.0}, {"step": 1, "kind": "held-out", "recall.gender=male": 0.5}
    )
    write({"step": 2, "kind": "train", "loss": 2.0}, end="")
    found = reader.newer()
    assert found.members[0].losses["loss"].values.tolist() == [3.0]
    assert found.members[0].recalls == {"gender=male": 0.5}
    assert reader.newer() is None
    write({}, end="\n")  # ends the line, which is then no row
    write({"step": 2, "kind": "train", "loss": 1.5}, {"step": 3, "kind": "train", "loss": 1.0})
    write({"step": 2, "kind": "train", "loss": 1.4})
    curve = reader.newer().members[0].losses["loss"]
    assert curve.steps.tolist() == [1, 2]
    assert curve.last == 1.4


def test_a_pair_is_trained_read_judged_and_a_program_does_it_again(
    small_pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(settings_of(asked("pair", **TINY, seeds=2)), out=str(tmp_path / "pair"))
    told = []
    train_job.run(asdict(settings), Reporter(told.append))
    assert [one.done for one in told] == sorted(one.done for one in told[:-2]) + [
        one.done for one in told[-2:]
    ]
    found = TrainReader(settings).newer()
    assert [one.member.title for one in found.members] == [
        *("baseline, seed 0", "baseline, seed 1"),
        *("debiased, seed 0", "debiased, seed 1"),
    ]
    assert found.finished
    assert found.model == tmp_path / "pair" / "debiased" / "seed-1"
    bars = shown_recalls(found)
    assert bars.title.endswith("test rows")
    assert [arm.name for arm in bars.arms] == ["baseline", "debiased"]
    assert all(len(dots) == 2 for arm in bars.arms for dots in arm.dots.values())
    figures = figures_of(found)
    for arm in bars.arms:
        assert 100.0 - min(arm.heights.values()) <= figures[arm.name]["worst_group_miss_rate"] + 1e-9
        for group, dots in arm.dots.items():
            assert np.mean(dots) == pytest.approx(arm.heights[group])
    epoch = found.drawing.epoch
    assert sorted(changed_most(epoch).tolist()) == [0, 1, 2, 3]
    both = shown_recalls(found, found)
    assert [arm.name[:2] for arm in both.arms] == ["A:", "A:", "B:", "B:"]

    monkeypatch.chdir(tmp_path)
    exec(compile(train_code.train_code(settings), "copied", "exec"), {})
    again = tmp_path / "pair-again"
    for one in found.members:
        weights = (one.member.folder / "model.safetensors").read_bytes()
        assert (
            weights
            == (again / one.member.folder.relative_to(tmp_path / "pair") / "model.safetensors").read_bytes()
        )
    assert json.loads((again / "judged.json").read_text()) == json.loads(
        (tmp_path / "pair" / "judged.json").read_text()
    )
    assert train_code._EMA == EMA


@pytest.mark.parametrize("recipe", [name for name in RECIPES if name != "pair"])
def test_every_program_names_the_call_and_can_be_read(recipe: str) -> None:
    settings = settings_of(asked(recipe))
    text = train_code.train_code(settings)
    compile(text, "copied", "exec")
    imports = "\n".join(line for line in text.splitlines() if line.startswith("from "))
    exec(imports, {})
    assert f"{recipe}-again" in text


# A process of its own


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch):
    """A workspace whose answers wait until they are asked for."""
    monkeypatch.setattr(job_follower, "POLL_SECONDS", 0.05)
    posted: list = []
    workspace = Workspace(posted.append)

    def until(reached, seconds: float = 120.0) -> None:
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, "waited in vain"
            while posted:
                posted.pop(0)()
            time.sleep(0.02)

    workspace.until = until
    yield workspace
    workspace.close()


def test_a_killed_trainer_is_noticed_gone_on_with_and_given_up(
    workspace, tmp_path: Path, small_pictures, tiny_model_folder
) -> None:
    start = str(tiny_model_folder)  # its shape is small
    view = asked("vae", data=str(small_pictures), start=start, steps=100_000, batch=4, threads=1)
    session = workspace.session
    out = tmp_path / "killed"
    session.change("Set", replace(session.document, train=replace(view, out=str(out))))
    work = TrainWork(workspace)
    with no_process_left():
        work.start()
        workspace.until(lambda: work.found is not None and work.found.members[0].losses)
        job = find_train_job(out)
        events = (job.folder.path / "events.jsonl").read_text().splitlines()
        os.kill(next(json.loads(line)["pid"] for line in events if "pid" in line), signal.SIGKILL)
        workspace.until(lambda: work.phase == "failed")
        assert "without a word" in work.message
        assert "Resume" in work.message
        run = list_training_runs()[0]
        assert (run.out, run.phase) == (str(out), "lost")
        work.start()
        workspace.until(lambda: Job(job.folder.path).poll().phase == "running" and work.phase == "running")
        work.cancel()
        workspace.until(lambda: work.phase == "stopped")
        assert (out / "run" / "state" / "state.safetensors").is_file()
        work.give_up()
        workspace.until(lambda: work.phase == "idle")
        assert not out.exists()
        assert find_train_job(out) is None
    work.close()


@pytest.fixture(scope="module")
def small_pictures(tmp_path_factory: pytest.TempPathFactory, tiny_faces) -> Path:
    """A folder with twelve pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    for k, pixels in enumerate(tiny_faces.pixels(np.arange(12))):
        Image.fromarray(pixels).save(folder / f"{k:02d}.png")
    return folder


def test_a_training_is_taken_off_the_list_with_what_is_the_programs_own(tmp_path: Path) -> None:
    from latentlab.jobs.run_folder import RunFolder

    own = settings_of(asked("cnn", **TINY))
    other = replace(own, out=str(tmp_path / "mine"))
    for one in (own, other):
        RunFolder(one.folder).begin("train", asdict(one))
        RunFolder(one.folder).tell({"event": "cancelled"})
        members_of(one)[0].folder.mkdir(parents=True)
    found: list[TrainRun] = [run for run in list_training_runs() if run.settings.recipe == "cnn"]
    assert len(found) == 2
    for run in found:
        delete_training(run)
    assert not Path(own.out).exists()
    assert Path(other.out).exists()
