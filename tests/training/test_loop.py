"""The loop's promises: resuming changes no bit, processes change nothing, a budget sets the steps once."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab.errors import Cancelled, SettingsError
from latentlab.families.vae import VAEConfig
from latentlab.progress import Progress, Reporter
from latentlab.training.loop import LoopSettings, learning_rate, make_fabric, rows_of_step, train
from latentlab.training.vae import VAELosses, VAERecipe

TINY = VAEConfig(
    image_size=32,
    latent=4,
    encoder_widths=(8, 8, 8),
    encoder_blocks=(0, 1, 0),
    decoder_widths=(8, 8, 8),
    decoder_blocks=(0, 1, 0),
)
LOSSES = VAELosses(features=0.0, adversarial_from=0.5)


def run(data, folder: Path, reporter: Reporter | None = None, **settings) -> dict[str, torch.Tensor]:
    chosen = LoopSettings(
        **({"steps": 8, "batch": 8, "precision": "32-true", "threads": 1, "accelerator": "cpu"} | settings)
    )
    torch.manual_seed(chosen.seed)
    recipe = VAERecipe(TINY, LOSSES, None)
    return train(recipe, data, folder, chosen, make_fabric(chosen), reporter).network.state_dict()


class StopAfter(Reporter):
    """Cancels once a state of that step has been saved."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.state = folder / "state" / "state.safetensors"

    @property
    def cancelled(self) -> bool:
        return self.state.is_file()


@pytest.mark.parametrize("stop_at", [2, 6])
def test_a_resumed_training_ends_with_the_same_bits(tiny_faces, tmp_path, stop_at):
    data = tiny_faces.split("train")
    whole = run(data, tmp_path / "whole")
    broken = tmp_path / "broken"
    with pytest.raises(Cancelled):
        run(data, broken, StopAfter(broken), save_every=stop_at)
    resumed = run(data, broken, save_every=stop_at)
    assert whole.keys() == resumed.keys()
    for name in whole:
        assert torch.equal(whole[name], resumed[name]), name


def test_a_training_told_to_stop_goes_on_as_if_it_had_not(tiny_faces, tmp_path):
    data = tiny_faces.split("train")
    whole = run(data, tmp_path / "whole")
    part = run(data, tmp_path / "broken", stop=5)
    resumed = run(data, tmp_path / "broken")
    assert any(not torch.equal(part[name], whole[name]) for name in whole)
    for name in whole:
        assert torch.equal(whole[name], resumed[name]), name


def test_a_different_seed_gives_different_weights(tiny_faces, tmp_path):
    data = tiny_faces.split("train")
    one, other = run(data, tmp_path / "a", steps=2), run(data, tmp_path / "b", steps=2, seed=1)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_a_run_begun_with_another_seed_is_not_resumed(tiny_faces, tmp_path):
    data = tiny_faces.split("train")
    run(data, tmp_path, stop=2)
    with pytest.raises(SettingsError, match="begun with seed 0, not 1"):
        run(data, tmp_path, seed=1)


@pytest.mark.parametrize(("option", "value"), [("steps", 9), ("ema", 0.5), ("batch", 4)])
def test_a_run_begun_with_other_settings_is_not_resumed(tiny_faces, tmp_path, option, value):
    data = tiny_faces.split("train")
    run(data, tmp_path, stop=2)
    with pytest.raises(SettingsError, match=f"begun with {option} .*, not {value}"):
        run(data, tmp_path, **{option: value})


def test_a_state_that_does_not_say_what_was_asked_is_not_resumed(tiny_faces, tmp_path):
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    data = tiny_faces.split("train")
    run(data, tmp_path, stop=2)
    (path,) = tmp_path.rglob("state.safetensors")
    with safe_open(path, framework="pt") as file:
        record = json.loads(file.metadata()["record"])
    asked = record.pop("asked")
    assert asked["optimisers"] == {"vae": "Muon", "discriminator": "Adam"}
    tensors = load_file(path)
    save_file(tensors, path, metadata={"record": json.dumps(record)})
    with pytest.raises(SettingsError, match=r"begun with .* unknown"):
        run(data, tmp_path)
    record["asked"] = asked | {"optimisers": {"vae": "Adam", "discriminator": "Adam"}}
    save_file(tensors, path, metadata={"record": json.dumps(record)})
    with pytest.raises(SettingsError, match=r"optimisers\.vae Adam, not Muon"):
        run(data, tmp_path)


def test_a_run_begun_for_something_else_is_not_resumed(tiny_faces, tmp_path):
    chosen = LoopSettings(steps=4, stop=1, batch=4, precision="32-true", threads=1, accelerator="cpu")
    for asked in ({"losses": {"beta": 1.0}}, {"losses": {"beta": 1.0}}):
        train(VAERecipe(TINY, LOSSES, None), tiny_faces, tmp_path, chosen, make_fabric(chosen), asked=asked)
    with pytest.raises(SettingsError, match=r"begun with losses\.beta 1\.0, not 2\.0"):
        train(
            VAERecipe(TINY, LOSSES, None),
            tiny_faces,
            tmp_path,
            chosen,
            make_fabric(chosen),
            asked={"losses": {"beta": 2.0}},
        )


def test_a_state_of_another_network_is_refused(tiny_faces, tmp_path, monkeypatch):
    data = tiny_faces.split("train")
    run(data, tmp_path / "run", steps=1)
    monkeypatch.setitem(globals(), "TINY", TINY.model_copy(update={"latent": 6}))
    with pytest.raises(SettingsError, match="of another network or recipe"):
        run(data, tmp_path / "run", steps=1)


def test_a_budget_sets_the_steps_once_and_is_kept_on_resuming(tiny_faces, tmp_path):
    data = tiny_faces.split("train")
    seen: list[Progress] = []
    run(data, tmp_path / "run", Reporter(seen.append), minutes=0.01)
    steps = seen[-1].total
    assert seen[-1].done == steps
    assert steps >= 1
    again: list[Progress] = []
    run(data, tmp_path / "run", Reporter(again.append), minutes=0.01)
    assert not again, "a finished run was trained further"


def test_the_log_and_the_sample_grids_are_written(tiny_faces, tmp_path):
    run(tiny_faces.split("train"), tmp_path / "run", steps=4, save_every=2)
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert {line["kind"] for line in lines} == {"train", "held-out"}
    assert all(np.isfinite(line["mae_255"]) for line in lines if line["kind"] == "train")
    assert sorted(path.name for path in (tmp_path / "run" / "samples").glob("samples_*.png")) == [
        "samples_000002.png",
        "samples_000004.png",
    ]
    assert list((tmp_path / "run" / "events").glob("events.out.tfevents.*"))


def test_an_epoch_visits_every_row_once():
    rows = np.concatenate([rows_of_step(10, 4, step, seed=3) for step in range(5)])
    assert sorted(rows[:10]) == list(range(10))
    assert sorted(rows[10:20]) == list(range(10))
    assert list(rows[:10]) != list(rows[10:20])


def test_the_rate_warms_up_and_falls():
    rates = [learning_rate(step, 1000, 1.0, warmup=100) for step in range(1000)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) == pytest.approx(1.0)
    assert rates[99:] == sorted(rates[99:], reverse=True)
    assert rates[-1] == pytest.approx(0.02, abs=1e-3)


@pytest.mark.parametrize("bad", [{"steps": 0}, {"stop": 0}, {"batch": 7, "devices": 2}, {"minutes": 0.0}])
def test_bad_settings_are_refused(bad):
    with pytest.raises(SettingsError):
        LoopSettings(**bad)


DISTRIBUTED = """
import sys, torch
from pathlib import Path
import numpy as np
from latentlab.data.faces import open_faces
from latentlab.families.vae import VAEConfig
from latentlab.training.loop import LoopSettings, make_fabric, train
from latentlab.training.vae import VAELosses, VAERecipe
from safetensors.torch import save_file

def main(devices, out):
    settings = LoopSettings(steps=4, batch=8, precision="32-true", threads=1, devices=devices,
                            accelerator="cpu", strategy="ddp" if devices > 1 else "auto")
    fabric = make_fabric(settings)
    torch.manual_seed(0)
    config = VAEConfig(image_size=32, latent=4, encoder_widths=(8, 8, 8), encoder_blocks=(0, 1, 0),
                       decoder_widths=(8, 8, 8), decoder_blocks=(0, 1, 0))
    recipe = VAERecipe(config, VAELosses(features=0.0, adversarial_from=0.5), None)
    faces = open_faces(32)
    data = faces.select(np.flatnonzero(faces.splits == 0)[:64])
    network = train(recipe, data, Path(out), settings, fabric).network
    if fabric.is_global_zero:
        tensors = {k: v.contiguous() for k, v in network.state_dict().items()}
        save_file(tensors, str(Path(out) / "final.safetensors"))

if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
"""


def test_two_processes_train_as_one_does(tiny_faces, tmp_path):
    from safetensors.torch import load_file

    script = tmp_path / "distributed.py"
    script.write_text(DISTRIBUTED)
    out = [tmp_path / f"run{devices}" for devices in (1, 2)]
    for folder in out:
        folder.mkdir()
    done = subprocess.run(
        [sys.executable, str(script), "2", str(out[1])], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    runpy.run_path(str(script))["main"](1, out[0])  # one process needs no other start than this
    one, two = (load_file(folder / "final.safetensors") for folder in out)
    for name in one:
        torch.testing.assert_close(one[name], two[name], atol=2e-4, rtol=2e-3)
