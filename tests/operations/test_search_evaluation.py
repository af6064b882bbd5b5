from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.checkpoints.companion import load_model
from latentlab.data.set_folder import SetWriter
from latentlab.errors import DataError, SettingsError
from latentlab.operations.evaluate_search import evaluate_search
from latentlab.operations.search_bench import bench_search
from latentlab.operations.search_eps import Eps, measure_eps, reconstruction_distances
from latentlab.operations.search_plan import Observation, SearchSettings
from latentlab.operations.search_runs import run_search_eps, run_search_evaluation

OBSERVED = Observation(4)
HOW = SearchSettings(observation=OBSERVED, restarts=2, steps=60, rate=1.0, constraint="none")


def test_eps_is_the_median_of_what_reconstructions_leave_over(tiny_model_folder: Path, tiny_faces):
    from PIL import Image

    model = load_model(tiny_model_folder).network
    few = tiny_faces.split("validation").select(np.arange(7))
    found = reconstruction_distances(model, few, OBSERVED)
    with torch.no_grad():
        x = torch.from_numpy(few.pixels(slice(0, 7))).permute(0, 3, 1, 2) / 255.0
        again = model.decode(model.encode(x).mean).permute(0, 2, 3, 1).numpy()
    for place in range(7):
        both = []
        for picture in (few.pixels([place])[0], np.rint(again[place] * 255.0).astype(np.uint8)):
            small = Image.fromarray(picture).resize((8, 8), Image.Resampling.BICUBIC)
            both.append(np.asarray(small, np.float64) / 255.0)
        assert found[place] == pytest.approx(np.square(both[0] - both[1]).mean(), rel=0.05)
    assert measure_eps(model, few, OBSERVED).value == np.median(found)


def test_the_models_own_samples_are_found_and_faces_are_not(tiny_model_folder: Path, tiny_faces):
    model = load_model(tiny_model_folder).network
    few = tiny_faces.split("test").select(np.arange(4))
    found = evaluate_search(model, few, HOW, Eps(1e-4, "for this test"), controls=10)
    assert found.metrics["control.success_rate"].value > 0.8
    assert found.metrics["control.success_rate"].n == 10
    assert found.metrics["control.beside.success_rate"].value > 0.8
    assert found.metrics["control.beside.success_rate"].n == 10
    assert found.metrics["redrawn.success_rate"].value > 0.8, "the model's own pictures too"
    assert found.metrics["redrawn.success_rate"].n == 4
    assert found.metrics["redrawn.distance"].value < 1e-3 < found.metrics["distance"].value
    assert any("from beside their own latents" in note for note in found.notes)
    assert any("have the norm" in note for note in found.notes)
    assert found.metrics["success_rate"].value == 0.0  # random weights draw no face
    assert found.metrics["restart_success_rate"].n == 4
    assert set(found.groups) == {
        one for one in few.groups(("gender", "race")) if len(few.groups(("gender", "race"))[one])
    }
    assert any("identifies no one" in note for note in found.notes)


def test_a_conditional_model_is_told_the_labels(tiny_cvae_folder: Path, tiny_faces):
    model = load_model(tiny_cvae_folder).network
    few = tiny_faces.split("test").select(np.arange(3))
    how = SearchSettings(observation=Observation(8, "luminance", 0.2), restarts=2, steps=4)
    found = evaluate_search(model, few, how, Eps(1e-4, "for this test"), groups=["glasses"])
    assert found.metrics["steps"].value == 4.0
    assert all(name.startswith("glasses=") for name in found.groups)


def test_it_is_run_by_name_in_parts(tiny_model_folder: Path, tiny_faces, tmp_path: Path):
    with SetWriter(tmp_path / "set", 32) as writer:
        writer.add(tiny_faces.pixels(slice(0, 6)))
        six = tiny_faces.select(np.arange(6))
        labels = {name: codes[six.rows] for name, codes in six.labels.items()}
        writer.finish(six.info, labels, six.names[six.rows], six.splits[six.rows])
    name = str(tmp_path / "set")
    how = SearchSettings(observation=OBSERVED, restarts=2, steps=3, eps=1e-3)
    report = run_search_evaluation(str(tiny_model_folder), name, how, count=2, first=3, device="cpu")
    assert (report.command, report.data_n, report.evaluation.settings["first"]) == ("evaluate search", 2, 3)
    with pytest.raises(DataError, match="has 6 images"):
        run_search_evaluation(str(tiny_model_folder), name, how, first=6, device="cpu")
    with pytest.raises(SettingsError, match="not both"):
        run_search_evaluation(str(tiny_model_folder), name, how, eps_data=name, device="cpu")
    eps = run_search_eps(str(tiny_model_folder), name, OBSERVED, device="cpu")
    assert eps.evaluation.metrics["eps"].low <= eps.evaluation.metrics["eps"].value  # type: ignore[operator]
    assert eps.evaluation.settings["key"] == "4 colour"


def test_the_benchmark_tells_both_figures(tiny_model_folder: Path):
    report = bench_search(str(tiny_model_folder), restarts=2, factor=4, threads=1, rounds=2, device="cpu")
    metrics = report.evaluation.metrics
    assert {"steps_per_second", "bare_forward_backward_ratio"} <= set(metrics)
    assert metrics["steps_per_second"].value == pytest.approx(1e3 / metrics["step_ms"].value)
    with pytest.raises(SettingsError, match="factor of 7"):
        bench_search(str(tiny_model_folder), factor=7, device="cpu")
