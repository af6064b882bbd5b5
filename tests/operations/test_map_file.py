"""A map comes back to the bit, or the message says what is wrong with its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hand_made_map import COUNT, SIZE, hand_made_map
from safetensors import safe_open
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch_file

from latentlab.checkpoints import locate, save
from latentlab.checkpoints.companion import load_model
from latentlab.data.catalog import full_name
from latentlab.errors import SettingsError
from latentlab.operations.latent_map import LatentMap
from latentlab.operations.map_file import find_map, load_map, map_path, save_map
from latentlab.operations.training_sets import usual_data

Tensors = dict[str, np.ndarray]


@pytest.fixture
def hand() -> LatentMap:
    return hand_made_map()


@pytest.fixture
def file(tmp_path: Path, hand: LatentMap) -> Path:
    save_map(tmp_path / "hand.safetensors", hand)
    return tmp_path / "hand.safetensors"


def _change(path: Path, change: Callable[[Tensors, dict[str, str]], object]) -> None:
    """Write a map's file anew after something was done to its tensors and metadata."""
    with safe_open(path, framework="numpy") as opened:
        metadata = dict(opened.metadata())
        tensors = {name: np.array(opened.get_tensor(name)) for name in opened.keys()}  # noqa: SIM118
    change(tensors, metadata)
    save_file(tensors, path, metadata)


def _same(one: LatentMap, other: LatentMap) -> None:
    assert one.info == other.info
    assert one.names.tolist() == other.names.tolist()
    assert one.places.keys() == other.places.keys()
    assert one.labels.keys() == other.labels.keys()
    for name in ("rows", "latents", "mean", "components", "shares"):
        mine, its = getattr(one, name), getattr(other, name)
        assert mine.dtype == its.dtype
        np.testing.assert_array_equal(mine, its)
    for mine, its in ((one.places, other.places), (one.labels, other.labels)):
        for name, values in mine.items():
            assert values.dtype == its[name].dtype
            np.testing.assert_array_equal(values, its[name])


@pytest.mark.parametrize("tsne", [True, False])
def test_a_map_comes_back_to_the_bit(tmp_path: Path, tsne: bool) -> None:
    path = tmp_path / "new" / "folder" / "hand.safetensors"
    save_map(path, hand_made_map(tsne))
    _same(load_map(path), hand_made_map(tsne))
    assert [one.name for one in path.parent.iterdir()] == ["hand.safetensors"]


def test_a_map_replaces_an_older_one_while_that_is_still_used(file: Path, hand: LatentMap) -> None:
    older = load_map(file)
    save_map(file, replace(hand, latents=hand.latents + 1))
    np.testing.assert_array_equal(older.latents, hand.latents)
    np.testing.assert_array_equal(load_map(file).latents, hand.latents + 1)


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path, hand: LatentMap) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(SettingsError, match="taken cannot be written"):
        save_map(tmp_path / "taken", hand)
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        save_map(tmp_path / "file" / "map.safetensors", hand)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "taken"]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"There is no map .*nothing\.safetensors"):
        load_map(tmp_path / "nothing.safetensors")


@pytest.mark.parametrize("size", [0, 5, 300, -1])
def test_a_truncated_file_is_named(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(SettingsError, match=r"hand\.safetensors is no map, or a damaged one"):
        load_map(file)


def test_a_text_is_no_map(file: Path) -> None:
    file.write_text("<html>" + "a web page " * 20)
    with pytest.raises(SettingsError, match=r"hand\.safetensors is no map"):
        load_map(file)


def test_weights_are_no_map(tiny_model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"model\.safetensors is no map: it lacks info"):
        load_map(locate(tiny_model_folder).weights)
    half = tmp_path / "half.safetensors"
    save_torch_file({"a": torch.zeros(3, dtype=torch.bfloat16)}, half)
    with pytest.raises(SettingsError, match=r"half\.safetensors is no map: it lacks info"):
        load_map(half)


@pytest.mark.parametrize(
    "name", ["rows", "latents", "mean", "components", "shares", "label.glasses", "names", "info"]
)
def test_a_missing_part_is_named(file: Path, name: str) -> None:
    _change(file, lambda tensors, metadata: (metadata if name in metadata else tensors).pop(name))
    with pytest.raises(SettingsError, match=rf"hand\.safetensors is no map: it lacks {name}\."):
        load_map(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rows", np.arange(COUNT - 1)),
        ("latents", np.zeros((COUNT, SIZE + 1), np.float32)),
        ("latents", np.zeros((COUNT, 2, 3), np.float32)),
        ("latents", np.zeros((0, SIZE), np.float32)),
        ("mean", np.zeros(SIZE - 1, np.float32)),
        ("components", np.zeros((3, SIZE - 1), np.float32)),
        ("components", np.zeros(SIZE, np.float32)),
        ("shares", np.zeros(2, np.float32)),
        ("shares", np.array(1.0, np.float32)),
        ("shares", np.zeros((3, 1), np.float32)),
        ("place.pca", np.zeros((COUNT, 3), np.float32)),
        ("place.tsne", np.zeros((COUNT - 1, 2), np.float32)),
        ("label.glasses", np.zeros(COUNT + 1, np.int64)),
        ("label.glasses", np.full(COUNT, 2)),
        ("latents", np.full((COUNT, SIZE), np.nan, np.float32)),
        ("place.pca", np.full((COUNT, 2), np.inf, np.float32)),
        ("place.tsne", np.full((COUNT, 2), np.nan, np.float32)),
        ("mean", np.full(SIZE, np.nan, np.float32)),
        ("components", np.full((3, SIZE), np.nan, np.float32)),
        ("shares", np.full(3, np.nan, np.float32)),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(file: Path, name: str, value: np.ndarray) -> None:
    _change(file, lambda tensors, _: tensors.update({name: value}))
    with pytest.raises(SettingsError, match=r"hand\.safetensors is a damaged map"):
        load_map(file)


def test_a_map_without_its_plane_is_refused(file: Path) -> None:
    _change(file, lambda tensors, _: tensors.pop("place.pca"))
    with pytest.raises(SettingsError, match=r"hand\.safetensors is a damaged map"):
        load_map(file)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("info", "{}"),
        ("info", "not JSON"),
        ("names", "[1, "),
        ("info", '{"format": "latentlab-map", "version": 2}'),
    ],
)
def test_damaged_metadata_are_refused(file: Path, name: str, value: str) -> None:
    _change(file, lambda _, metadata: metadata.update({name: value}))
    with pytest.raises(SettingsError, match=r"hand\.safetensors is no map that can be read"):
        load_map(file)


def test_a_map_is_found_where_it_is_kept(hand: LatentMap) -> None:
    key = ("b" * 64, "hands:train", COUNT, 3)
    assert find_map(*key) is None
    path = map_path(*key)
    save_map(path, replace(hand, info=hand.info.model_copy(update={"sha256": "b" * 64})))
    assert find_map(*key) == path
    for other in (("c" * 64, *key[1:]), (key[0], "hands:test", COUNT, 3), (*key[:3], 4), (*key[:2], 39, 3)):
        assert map_path(*other) != path
        assert find_map(*other) is None


def test_a_map_of_something_else_or_a_damaged_one_counts_as_none(hand: LatentMap) -> None:
    key = ("d" * 64, "hands:train", COUNT, 3)
    path = map_path(*key)
    save_map(path, hand)
    assert find_map(*key) is None, "its weights are others"
    save_map(path, replace(hand, info=hand.info.model_copy(update={"sha256": "d" * 64})))
    assert find_map(*key) == path
    path.write_bytes(path.read_bytes()[:-1])
    assert find_map(*key) is None


def test_a_map_fits_every_count_that_asks_for_the_same_rows(hand: LatentMap) -> None:
    info = hand.info  # 40 of 50
    sha256, data = info.sha256, info.data
    assert info.fits(sha256, data, 40, 3)
    assert not info.fits(sha256, data, 50, 3)
    all_of_them = info.model_copy(update={"available": 40})
    assert all_of_them.fits(sha256, data, 10_000, 3)
    assert not all_of_them.fits(sha256, data, 39, 3)


def test_the_usual_set_is_the_one_a_model_was_trained_on(tiny_model_folder: Path, tmp_path: Path) -> None:
    assert usual_data(tiny_model_folder) == ""
    assert usual_data(tmp_path / "nothing") == ""
    opened = load_model(tiny_model_folder)
    config = opened.located.config
    for told, expected in (("faces:train", "faces:train"), (["faces"], "")):
        trained = config.model_copy(update={"training": {"data": told}})
        save(tmp_path / "trained", opened.network, trained)
        assert usual_data(tmp_path / "trained") == expected


def test_a_folders_name_means_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "faces").mkdir()
    monkeypatch.chdir(tmp_path)
    assert full_name("mine") == full_name("./mine/") == str(tmp_path / "mine")
    assert full_name("mine:test") == f"{tmp_path / 'mine'}:test"
    assert full_name("./faces:train") == f"{tmp_path / 'faces'}:train"
    for name in ("faces", "faces:train", "avatars:lorelei:test", "nowhere", "mine:bogus", ""):
        assert full_name(name) == name
