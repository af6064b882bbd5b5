"""Trainings of detectors: half and half, resumed bit for bit, readable as they go, ended by a message."""

from __future__ import annotations

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.checkpoints import load
from latentlab.checkpoints.companion import FACES_PREDICTOR, fitting_predictor
from latentlab.data.catalog import open_set
from latentlab.data.set_folder import copy_image_set
from latentlab.errors import Cancelled, DataError, SettingsError
from latentlab.families.dbvae import DBVAE
from latentlab.families.detector import FACE, Detector
from latentlab.live.opening import load_pair
from latentlab.progress import Progress, Reporter
from latentlab.training import debiasing, detection_task, loop
from latentlab.training.debiasing import DetectionRecipe, look_at_faces
from latentlab.training.debiasing_record import last_epoch, read_epoch
from latentlab.training.degrade import Degradation
from latentlab.training.detection_runs import (
    DetectionTraining,
    is_finished,
    of_plain,
    plain,
    train_detection,
    train_seeds,
)
from latentlab.training.detection_task import Detection, logits_of, threshold_at
from latentlab.training.loop import LoopSettings
from latentlab.training.resampling import Resampling

pytest_plugins = ["debiasing_parts"]

ASKED = DetectionTraining(
    count=64, epochs=3, latent=6, filters=4, image_size=32, resampling=Resampling("max", 0.01, keep=0.3)
)
SETTINGS = LoopSettings(batch=32, ema=0.9, accelerator="cpu", precision="32-true", threads=1)
STEPS = 12


def weights(folder: Path) -> bytes:
    """The file of weights that a training wrote."""
    return (folder / "model.safetensors").read_bytes()


@pytest.fixture
def stopped_at(monkeypatch: pytest.MonkeyPatch):
    """Give a reporter that asks a training to stop after so many steps."""

    def make(step: int) -> Reporter:
        reporter = Reporter()
        original = loop._Run._one_step

        def one_step(self, number, keep=True):
            if number == step and keep:
                reporter.cancel()
            return original(self, number, keep)

        monkeypatch.setattr(loop._Run, "_one_step", one_step)
        return reporter

    return make


@pytest.mark.parametrize("step", [3, 6])  # the end of an epoch, and its middle
def test_a_training_that_was_stopped_ends_with_the_same_weights(
    small_task, stopped_at, tmp_path: Path, step: int
) -> None:
    whole = train_detection(ASKED, tmp_path / "a" / "m", SETTINGS)
    with pytest.raises(Cancelled):
        train_detection(ASKED, tmp_path / "b" / "m", SETTINGS, reporter=stopped_at(step))
    assert not (tmp_path / "b" / "m" / "config.json").exists()
    resumed = train_detection(ASKED, tmp_path / "b" / "m", SETTINGS)
    tensors, again = (load(folder).network.state_dict() for folder in (whole, resumed))
    assert all(torch.equal(tensors[name], again[name]) for name in tensors)
    assert np.array_equal(read_epoch(whole / "run", 2).p, read_epoch(resumed / "run", 2).p)


def test_an_epoch_whose_probabilities_are_lost_is_said(small_task, stopped_at, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        train_detection(ASKED, tmp_path / "m", SETTINGS, reporter=stopped_at(6))
    (tmp_path / "m" / "run" / "epochs" / "0001.npz").unlink()
    with pytest.raises(SettingsError, match=r"within epoch 1.*--fresh"):
        train_detection(ASKED, tmp_path / "m", SETTINGS)


def test_batches_are_half_faces_drawn_as_the_rule_says(small_task, tmp_path: Path) -> None:
    task = small_task("faces", "train", count=64)
    recipe = DetectionRecipe(
        ASKED.config(),
        task,
        small_task("faces", "validation"),
        ASKED.losses,
        ASKED.resampling,
        tmp_path,
        400,
        0,
    )
    p = np.zeros(64)
    p[:4] = [0.4, 0.3, 0.2, 0.1]
    order = recipe._order(p, 0, 32)
    faces, others = order[:, :16], order[:, 16:]
    assert task.is_face(faces).all()
    assert not task.is_face(others).any()
    assert np.allclose(np.bincount(faces.ravel(), minlength=64) / faces.size, p, atol=0.02)
    counts = np.bincount(others.ravel() - 64, minlength=len(task.others))
    assert counts.max() - counts.min() <= 1


def test_epochs_can_be_read_and_say_what_the_rule_did(small_task, tmp_path: Path) -> None:
    seen: list[Progress] = []
    out = train_detection(ASKED, tmp_path / "m", SETTINGS, reporter=Reporter(seen.append))
    first, last = read_epoch(out / "run", 0), last_epoch(out / "run")
    assert (first.number, last.number, len(last.p)) == (0, 2, 64)
    assert first.effective_size == pytest.approx(64)
    assert last.effective_size < 64
    assert last.mu.shape == (64, 6)
    assert list(last.groups) == [
        f"tone={tone},gender={gender}" for tone in ("dark", "light") for gender in ("female", "male")
    ]
    assert sum(after for _, after in last.groups.values()) == pytest.approx(1.0)
    assert last.p[last.most_likely(5)].min() >= last.p[last.least_likely(5)].max()
    histogram = last.histogram(0)
    assert histogram.share.sum() == pytest.approx(1.0)
    assert histogram.drawn.sum() == pytest.approx(1.0)
    assert read_epoch(out / "run", 7) is None
    log = [json.loads(line) for line in (out / "run" / "log.jsonl").read_text().splitlines()]
    held_out = [line for line in log if line["kind"] == "held-out"]
    assert len(held_out) == 3
    assert {"recall", "precision", "accuracy", "recall.tone=dark,gender=female"} <= set(held_out[-1])
    assert {"loss", "cross_entropy", "mae_255", "kl_nats"} <= set(seen[-2].values)
    assert (out / "run" / "samples" / f"reconstructions_{STEPS:06d}.png").is_file()


def test_the_checkpoint_opens_as_a_model_and_its_decision_as_a_predictor(small_task, tmp_path: Path) -> None:
    out = train_detection(ASKED, tmp_path / "m", SETTINGS)
    model, predictor = load(out), load(out / "detector")
    assert isinstance(model.network, DBVAE)
    assert isinstance(predictor.network, Detector)
    assert len(model.config.model.latent_summary.kl) == 6
    images = torch.rand(4, 3, 32, 32)
    threshold = predictor.network.config.threshold
    assert threshold == model.network.config.threshold != 0.0
    yes = predictor.network.predict(images)["face"][:, 1]
    assert torch.allclose(yes, torch.sigmoid(model.network.logit(images) - threshold), atol=1e-5)
    counts = predictor.config.predictor.confusion["face"].array()
    validation = small_task("faces", "validation")
    assert counts.sum(axis=1).tolist() == [len(validation.others), len(validation.faces)]
    assert counts[0, 1] / counts[0].sum() <= 0.06  # 3% of what is no face passes, within one picture
    assert of_plain(json.loads(json.dumps(plain(ASKED)))) == ASKED
    pair = load_pair(str(out))  # as the window opens it: its own decision stands in the chart
    assert pair.predictor_spec.attributes == (FACE,)
    assert pair.predictor_name == str(out / "detector")
    found = pair.network(screen=False)(torch.zeros(1, 6))
    assert torch.isfinite(pair.predictor.predict(pair.model.decode(torch.zeros(1, 6)))["face"]).all()
    assert found is not None
    assert fitting_predictor(model.config) == FACES_PREDICTOR  # who judges people in its pictures
    shutil.rmtree(out / "detector")
    assert load_pair(str(out)).predictor_name == FACES_PREDICTOR


def test_another_threshold_needs_no_other_training(small_task, tmp_path: Path) -> None:
    out, seen = tmp_path / "m", []
    train_detection(ASKED, out, SETTINGS)
    before = load(out).network
    many = replace(ASKED, losses=replace(ASKED.losses, false_positives=0.4))
    assert not is_finished(out, many, SETTINGS.seed)
    train_detection(many, out, SETTINGS, reporter=Reporter(seen.append))
    assert is_finished(out, many, SETTINGS.seed)
    after = load(out).network
    assert after.config.threshold < before.config.threshold
    assert all(
        torch.equal(one, other) for one, other in zip(after.parameters(), before.parameters(), strict=True)
    )
    assert not [one for one in seen if one.stage.startswith("Training")]


def test_epochs_of_a_run_that_is_not_there_are_read_without_a_trace(tmp_path: Path) -> None:
    assert last_epoch(tmp_path / "run") is None
    assert read_epoch(tmp_path / "run", 0) is None
    assert not (tmp_path / "run").exists()


def test_several_seeds_are_trained_once_each(small_task, tmp_path: Path) -> None:
    asked = replace(ASKED, family="cnn", epochs=1)
    folders = train_seeds(asked, tmp_path, SETTINGS, 2)
    assert [folder.name for folder in folders] == ["seed-0", "seed-1"]
    assert isinstance(load(folders[1]).network, Detector)
    assert load(folders[1]).config.name == f"{tmp_path.name}-seed-1"
    before = weights(folders[1])
    (folders[0] / "config.json").unlink()
    train_seeds(asked, tmp_path, SETTINGS, 2)
    assert weights(folders[1]) == before
    assert is_finished(folders[0], asked, 0)
    assert not is_finished(folders[0], asked, 1)
    assert not is_finished(folders[0], replace(asked, epochs=2), 0)


def test_looking_at_the_faces_leaves_the_network_in_training(small_task) -> None:
    network = DBVAE(ASKED.config()).train()
    task = small_task("faces", "train", count=20)
    logit, mu = look_at_faces(network, task)
    assert network.training
    assert logit.shape == (20,)
    images = task.tensor(np.arange(20), torch.device("cpu"))
    with torch.no_grad():  # on the scale and in the order of channels that the training uses
        assert np.allclose(network.encode(images).mean.numpy(), mu, atol=1e-5)
    assert images.max() <= 1.0
    first = task.faces.pixels(np.array([0]))[0]
    assert np.allclose(images[0].permute(1, 2, 0).numpy() * 255.0, first, atol=0.01)


def test_held_out_pictures_are_degraded_alike_for_every_detector(small_task) -> None:
    task = small_task("faces", "test")
    faces, others = logits_of(lambda images: images.mean(dim=(1, 2, 3)), task, Degradation())
    again, _ = logits_of(lambda images: images.mean(dim=(1, 2, 3)), task, Degradation())
    assert np.array_equal(faces, again)
    assert (len(faces), len(others)) == (len(task.faces), len(task.others))


def test_the_threshold_lets_the_asked_share_pass() -> None:
    others = np.random.default_rng(0).standard_normal(4000)
    assert (others > threshold_at(others, 0.03)).mean() == pytest.approx(0.03, abs=0.001)
    with pytest.raises(SettingsError, match="false positives"):
        threshold_at(others, 0.0)


def test_a_full_disk_ends_in_a_message_and_leaves_the_last_state(
    small_task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, saves = loop.save_file, []

    def full(*arguments, **more):
        saves.append(1)
        if len(saves) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(*arguments, **more)

    monkeypatch.setattr(loop, "save_file", full)
    with pytest.raises(SettingsError, match=r"No space left on device.*same command again"):
        train_detection(ASKED, tmp_path / "m", SETTINGS)
    monkeypatch.setattr(loop, "save_file", original)
    out = train_detection(ASKED, tmp_path / "m", SETTINGS)
    other = train_detection(ASKED, tmp_path / "other" / "m", SETTINGS)
    first, second = (load(folder).network.state_dict() for folder in (out, other))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_loss_that_is_not_finite_ends_in_a_message(
    small_task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = debiasing.debiasing_loss
    calls = []

    def broken(*arguments):
        calls.append(1)
        return original(*arguments) * (float("nan") if len(calls) == 7 else 1.0)

    monkeypatch.setattr(debiasing, "debiasing_loss", broken)
    with pytest.raises(SettingsError, match="not finite"):
        train_detection(ASKED, tmp_path / "m", SETTINGS)
    assert (tmp_path / "m" / "run" / "state" / "state.safetensors").is_file()
    assert not (tmp_path / "m" / "config.json").exists()


def test_images_that_cannot_be_read_any_more_end_in_a_message(
    small_task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = Detection.tensor, []

    def gone(self, rows, device):
        calls.append(len(rows))
        if calls.count(SETTINGS.batch) > 7:  # a step of the second epoch
            raise OSError(errno.ESTALE, "Stale file handle")
        return original(self, rows, device)

    monkeypatch.setattr(Detection, "tensor", gone)
    with pytest.raises(
        DataError, match=r"cannot be read any more at step \d+: Stale file handle.*same command"
    ):
        train_detection(ASKED, tmp_path / "m", SETTINGS)
    monkeypatch.setattr(Detection, "tensor", original)
    assert (tmp_path / "m" / "run" / "state" / "state.safetensors").is_file()
    out = train_detection(ASKED, tmp_path / "m", SETTINGS)
    other = train_detection(ASKED, tmp_path / "other" / "m", SETTINGS)
    first, second = (load(folder).network.state_dict() for folder in (out, other))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_data_folder_that_vanishes_during_a_training_is_said_when_it_goes_on(
    tiny_faces, small_not_faces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_from(name, size, reporter):
        opened = open_set(name, size, reporter) if not name.startswith("not-faces") else small_not_faces
        return opened.split(name.rpartition(":")[2]) if opened is small_not_faces else opened

    monkeypatch.setattr(detection_task, "open_set", open_from)
    data = copy_image_set(tmp_path / "set", tiny_faces)
    asked = replace(ASKED, data=str(data), bias=(), count=64)
    reporter = Reporter()

    def tell(progress: Progress) -> None:
        if progress.stage == "Training" and progress.done == 4:
            shutil.rmtree(data)
            reporter.cancel()

    reporter = Reporter(tell)
    with pytest.raises(Cancelled):
        train_detection(asked, tmp_path / "m", SETTINGS, reporter=reporter)
    assert (tmp_path / "m" / "run" / "state" / "state.safetensors").is_file()
    with pytest.raises(DataError, match="set"):
        train_detection(asked, tmp_path / "m", SETTINGS)
    copy_image_set(data, tiny_faces)
    assert load(train_detection(asked, tmp_path / "m", SETTINGS)).config.training["step"] == STEPS


def test_data_that_has_vanished_is_said_before_any_work(tmp_path: Path) -> None:
    asked = replace(ASKED, data=str(tmp_path / "gone"))
    with pytest.raises(DataError, match="gone"):
        train_detection(asked, tmp_path / "m", SETTINGS)


def test_a_budget_chooses_the_steps_and_leaves_no_trace(small_task, tmp_path: Path) -> None:
    settings = replace(SETTINGS, minutes=0.01)
    out = train_detection(replace(ASKED, count=32), tmp_path / "m", settings)
    made = load(out).config.training
    assert made["step"] == made["steps"] != STEPS
    assert read_epoch(out / "run", 0).effective_size == pytest.approx(32)


def test_a_task_without_faces_is_refused(tiny_faces, small_not_faces) -> None:
    with pytest.raises(DataError, match="faces of a detection task are none"):
        Detection(tiny_faces.select(np.array([], dtype=np.int64)), small_not_faces)
