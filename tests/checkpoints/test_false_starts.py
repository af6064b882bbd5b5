"""Files that are no checkpoint: one clear line through the API and the command line; no code ever runs."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from spoiling import CONFIG, WEIGHTS

from latentlab.checkpoints import load, locate
from latentlab.checkpoints.foreign.numbers import native_numbers
from latentlab.checkpoints.header import read_header
from latentlab.cli.main import run
from latentlab.errors import CheckpointError


class CreatesAFile:
    """What hostile pickles do: call something when they are opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.path,))


def missing(folder: Path) -> Path:
    return folder / "nowhere"


def empty_file(folder: Path) -> Path:
    (folder / WEIGHTS).write_bytes(b"")
    return folder


def empty_single_file(folder: Path) -> Path:
    path = folder / "weights.safetensors"
    path.touch()
    return path


def empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def truncated(folder: Path) -> Path:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) * 2 // 3])
    return folder


def truncated_in_the_header(folder: Path) -> Path:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:100])
    return folder


def truncated_in_the_length(folder: Path) -> Path:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:5])
    return folder


def too_long(folder: Path) -> Path:
    with (folder / WEIGHTS).open("ab") as file:
        file.write(b"0" * 64)
    return folder


def damaged_header(folder: Path) -> Path:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[20:40] = b"\xff" * 20
    (folder / WEIGHTS).write_bytes(content)
    return folder


def header_of_nonsense(folder: Path) -> Path:
    text = json.dumps({"a": {"dtype": "F32"}, "b": 3}).encode()
    (folder / WEIGHTS).write_bytes(len(text).to_bytes(8, "little") + text)
    return folder


def overlapping_tensors(folder: Path) -> Path:
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    text = json.dumps({"a": entry, "b": entry}).encode()
    (folder / WEIGHTS).write_bytes(len(text).to_bytes(8, "little") + text + bytes(8))
    return folder


def html_weights(folder: Path) -> Path:
    (folder / WEIGHTS).write_text("\n<!DOCTYPE html><html><body>404</body></html>")
    return folder


def html_config(folder: Path) -> Path:
    (folder / CONFIG).write_text("<html><body>Sign in</body></html>")
    return folder


def lfs_pointer(folder: Path) -> Path:
    (folder / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 1234\n")
    return folder


def text_file(folder: Path) -> Path:
    path = folder / "notes.txt"
    path.write_text("This is not a checkpoint, but a note about one.")
    return path


def broken_json(folder: Path) -> Path:
    (folder / CONFIG).write_text('{"latentlab": 1,')
    return folder


def deep_json(folder: Path) -> Path:
    (folder / CONFIG).write_text("[" * 200_000)
    return folder


def binary_config(folder: Path) -> Path:
    (folder / CONFIG).write_bytes(bytes(range(256)))
    return folder


def no_weights(folder: Path) -> Path:
    (folder / WEIGHTS).unlink()
    return folder


def no_config_in_single_file(folder: Path) -> Path:
    path = folder / "tensors.safetensors"
    save_file({"a": torch.zeros(3)}, path)
    return path


def torch_archive(folder: Path) -> Path:
    torch.save({"weights": torch.zeros(3), "hook": CreatesAFile(folder / "harm")}, folder / WEIGHTS)
    return folder


def torch_archive_by_itself(folder: Path) -> Path:
    path = folder / "model.pt"
    torch.save({"weights": torch.zeros(3), "hook": CreatesAFile(folder / "harm")}, path)
    return path


def plain_pickle(folder: Path) -> Path:
    path = folder / "model.pkl"
    path.write_bytes(pickle.dumps(CreatesAFile(folder / "harm")))
    return path


def old_pickle(folder: Path) -> Path:
    path = folder / "model.pth"
    path.write_bytes(pickle.dumps(CreatesAFile(folder / "harm"), protocol=0))
    return path


FALSE_STARTS: dict[Callable[[Path], Path], str] = {
    missing: "There is no checkpoint",
    empty_file: "model.safetensors is empty",
    empty_single_file: "weights.safetensors is empty",
    empty_folder: "has no config.json",
    truncated: "truncated",
    truncated_in_the_header: "truncated",
    truncated_in_the_length: "is no checkpoint: its first bytes",
    too_long: "damaged header",
    damaged_header: "damaged header",
    header_of_nonsense: "damaged header",
    overlapping_tensors: "damaged header",
    html_weights: "is a web page",
    html_config: "config.json is a web page",
    lfs_pointer: "git lfs pull",
    text_file: "is no checkpoint: its first bytes",
    broken_json: "is not valid JSON",
    deep_json: "nested too deeply",
    binary_config: "should be a JSON text",
    no_weights: "lacks its weights file",
    no_config_in_single_file: "should be a checkpoint of a known format",
    torch_archive: "can hold code",
    torch_archive_by_itself: "should be a checkpoint of a known format",
    plain_pickle: "can hold code",
    old_pickle: "is no checkpoint: its first bytes",
}


@pytest.fixture
def folder(tiny_model_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model_folder, tmp_path / "checkpoint"))


@pytest.mark.parametrize("spoil", FALSE_STARTS, ids=lambda spoil: spoil.__name__)
def test_loading_says_what_is_wrong_in_one_line(folder: Path, spoil: Callable[[Path], Path]):
    path = spoil(folder)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    message = str(caught.value)
    assert FALSE_STARTS[spoil] in message
    assert str(path) in message or path.name in message
    assert "\n" not in message
    assert not (folder / "harm").exists()


@pytest.mark.parametrize("spoil", FALSE_STARTS, ids=lambda spoil: spoil.__name__)
def test_info_exits_with_2_and_one_line(
    folder: Path, spoil: Callable[[Path], Path], capfd: pytest.CaptureFixture[str]
):
    path = spoil(folder)
    assert run(["info", str(path)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert err.startswith("latentlab: ")
    assert FALSE_STARTS[spoil] in err
    assert not (folder / "harm").exists()


def test_the_hostile_pickle_would_have_done_harm(folder: Path):
    """The proof that the tests above could fail: unpickling does create the file."""
    pickle.loads(plain_pickle(folder).read_bytes())
    assert (folder / "harm").exists()


def test_a_file_that_is_cut_short_while_it_is_read_is_noticed(folder: Path):
    reading = native_numbers(folder / WEIGHTS, read_header(folder / WEIGHTS))
    next(reading)
    os.truncate(folder / WEIGHTS, 200)
    with pytest.raises(CheckpointError, match="has changed"):
        list(reading)


def test_a_path_that_the_system_refuses_is_an_error_of_the_input():
    with pytest.raises(CheckpointError, match="cannot be read"):
        locate("x" * 5000)
