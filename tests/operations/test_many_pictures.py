"""Which of many pictures are projected, what is counted of them, and which are shown as examples."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.data.set_folder import copy_image_set
from latentlab.errors import LatentLabError, SettingsError
from latentlab.operations.explore import Explorer
from latentlab.operations.many_pictures import PictureFile, PictureOfSet, many_pictures
from latentlab.operations.project import Projected, Projection, condition_on, project
from latentlab.operations.project_many import (
    COMPOSITION,
    DONE,
    LISTING,
    folder_settings,
    load_projected,
    paired_shifts,
    project_many,
    project_modes,
)
from latentlab.operations.projection_examples import (
    changed_by_composition,
    changed_by_projection,
    draw_examples,
)
from latentlab.operations.projection_table import (
    compositions,
    projection_rows,
    shift_rows,
    shifts,
)
from latentlab.progress import Progress, Reporter

STYLES = ("ink", "clay", "tiles")


@pytest.fixture(scope="module")
def explorer(tiny_cinn_folder: Path, keen_judge_folder: Path) -> Explorer:
    return Explorer.open(tiny_cinn_folder, keen_judge_folder)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many") / "pictures"
    (folder / "deep").mkdir(parents=True)
    generator = np.random.default_rng(0)
    for k in range(10):
        pixels = generator.integers(0, 256, (40, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / ("deep" if k > 6 else ".") / f"{k}.png")
    return folder


# Which


def test_a_folder_a_list_and_a_set_are_listed(pictures: Path, tiny_faces, tmp_path: Path) -> None:
    every = many_pictures(pictures)
    assert [one.name for one in every] == [str(k) for k in range(10)]
    assert all(isinstance(one, PictureFile) for one in every)
    few = many_pictures(pictures, count=4, seed=1)
    assert len(few) == 4
    assert few == many_pictures(str(pictures), count=4, seed=1)
    assert few != many_pictures(pictures, count=4, seed=2)
    assert [one.place for one in few] == [one.place for one in every if one in few], "in their order"
    listed = many_pictures([pictures / "3.png", pictures / "deep"])
    assert [one.name for one in listed] == ["3", "7", "8", "9"]
    folder = copy_image_set(tmp_path / "faces", tiny_faces)
    known = many_pictures(f"{folder}:test", 32, count=5)
    assert all(isinstance(one, PictureOfSet) for one in known)
    content = known[2].content()
    faces = tiny_faces.split("test")
    place = [f"{name}" for name in faces.names[faces.rows]].index(known[2].place.split(" of ")[0])
    np.testing.assert_array_equal(known[2].pixels(content), faces.pixels([place])[0])
    assert known[2].identity == ""
    for wrong in ("/nowhere", [pictures / "no.png"]):
        with pytest.raises(LatentLabError, match="There is no"):
            many_pictures(wrong)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingsError, match="There is no picture in"):
        many_pictures(tmp_path / "empty")


def test_an_avatar_is_known_by_whom_it_shows(tiny_faces) -> None:
    info = tiny_faces.info.model_copy(update={"source": {"kind": "avatars"}})
    names = np.array([f"{k // 2:05d}:{'ink' if k % 2 else 'clay'}" for k in range(len(tiny_faces.names))])
    avatars = replace(tiny_faces, info=info, names=names)
    one, other = PictureOfSet(avatars, 2), PictureOfSet(avatars, 3)
    assert (one.name, one.identity) == ("00001-clay", "00001")
    assert (other.name, other.identity) == ("00001-ink", "00001")


# In both modes


def test_both_modes_are_projected_loaded_again_and_compared(explorer, pictures, tmp_path) -> None:
    told: list[Progress] = []
    images = many_pictures(pictures)
    found = project_modes(
        explorer, images, tmp_path, [0.0, 1.0], source="ink", figures=False, reporter=Reporter(told.append)
    )
    assert [(one.done, one.total) for one in told] == [(k + 1, 20) for k in range(20)]
    for keep, mode in ((0.0, "follow"), (1.0, "keep")):
        project_many(explorer, images, tmp_path / "alone" / mode, source="ink", keep=keep)
        for table in ("shifts.csv", "projections.csv"):
            assert (tmp_path / mode / table).read_text() == (tmp_path / "alone" / mode / table).read_text()
        assert not (tmp_path / mode / "1.png").exists()
        assert (tmp_path / "alone" / mode / "1.png").exists()
        same = folder_settings(explorer.located.sha256(), "ink", STYLES, keep, explorer.predictor_sha256())
        loaded = load_projected(tmp_path / mode, same)
        assert loaded is not None
        assert (loaded.left, loaded.unreadable, loaded.keys) == (0, (), found[keep].keys)
        judge = explorer.predictor_spec
        assert projection_rows(loaded.found, judge) == projection_rows(found[keep].found, judge)
        with pytest.raises(SettingsError, match="with other settings: onto is"):
            load_projected(tmp_path / mode, same | {"onto": ["ink"]})
    bias = paired_shifts(found[0.0], found[1.0], explorer.predictor_spec)
    follow, keep = (
        {(one.dataset, one.attribute, one.label): one.difference for one in found[k].shifts.classes}
        for k in (0.0, 1.0)
    )
    assert {(one.dataset, one.attribute, one.label) for one in bias} == set(follow)
    for one in bias:
        key = one.dataset, one.attribute, one.label
        assert one.difference == pytest.approx(follow[key] - keep[key])
        assert one.low <= one.difference <= one.high
    assert any(one.difference for one in bias)
    assert len((tmp_path / COMPOSITION).read_text().splitlines()) == 1 + len(bias)


class StopAfter(Reporter):
    def __init__(self, count: int) -> None:
        super().__init__(self.look)
        self.left = count

    def look(self, _progress: Progress) -> None:
        self.left -= 1
        if not self.left:
            self.cancel()


def test_what_was_stopped_says_how_much_is_left(explorer, pictures, tmp_path) -> None:
    from latentlab.errors import Cancelled

    images = many_pictures(pictures)
    with pytest.raises(Cancelled):
        project_modes(explorer, images, tmp_path, [0.0, 1.0], source="ink", reporter=StopAfter(4))
    same = folder_settings(explorer.located.sha256(), "ink", STYLES, 0.0, explorer.predictor_sha256())
    loaded = load_projected(tmp_path / "follow", same)
    assert loaded is not None
    assert (len(loaded.found), loaded.left) == (4, 6)
    assert not (tmp_path / "keep").exists()
    (tmp_path / "follow" / LISTING).unlink()
    loaded = load_projected(tmp_path / "follow", same)
    assert loaded is not None
    assert (len(loaded.found), loaded.left) == (4, None), "it ended without a word"
    (tmp_path / "follow" / DONE).unlink()
    assert load_projected(tmp_path / "follow", same) is None


# Counting by hand


def _case(k: int, before: int, after: int, who: str = "", keep: float = 1.0, style: int = 1) -> Projected:
    sure, styles = np.eye(2, dtype=np.float32), np.eye(3, dtype=np.float32)
    nothing = np.zeros((0, 0, 3), dtype=np.uint8)
    item = Projection("clay", nothing, {"hair": sure[after], "style": styles[style]})
    attributes = {"hair": sure[before], "style": styles[0]}
    latent = np.zeros(6, dtype=np.float32)
    return Projected(f"{k}", nothing, "ink", False, keep, latent, 1.0, 0.0, attributes, (item,), identity=who)


def test_kept_and_reached_are_counted(explorer) -> None:
    cases = [_case(k, k % 2, 1, style=1 if k % 10 else 2) for k in range(40)]
    found = shifts(cases, explorer.predictor_spec, schema=explorer.spec.condition)
    kept = next(one for one in found.kept if one.attribute == "hair")
    assert (kept.value, kept.n) == (0.5, 40)
    assert 0.34 < kept.low < 0.5 < kept.high < 0.66
    (reached,) = found.reached
    assert (reached.dataset, reached.value) == ("clay", 0.9)
    assert shifts(cases, explorer.predictor_spec).reached == ()
    row = next(row for row in shift_rows(found) if row["class"] == "long")
    assert (row["kept"], row["target_share"], row["small"]) == ("0.5000", "0.9000", "no")
    long = next(one for one in found.classes if one.label == "long")
    assert long.clear
    assert not long.small
    few = shifts(cases[:20], explorer.predictor_spec)
    assert all(one.small for one in few.classes)
    rare = shifts([_case(k, 0, int(k < 4)) for k in range(100)], explorer.predictor_spec)
    assert {one.label: one.small for one in rare.classes if one.attribute == "hair"} == {
        "short": False, "long": True,
    }  # fmt: skip


def test_what_a_dataset_cannot_show_is_not_counted(explorer) -> None:
    judge = explorer.predictor_spec
    seen = [_case(k, 0, 1) for k in range(4)]
    for dataset in ("ink", "clay"):  # the pictures' own and the one that they are projected onto
        unseen = [replace(one, cannot_show={dataset: ("hair",)}) for one in seen]
        assert {one.attribute for one in shifts(unseen, judge).classes} == {"style"}
        assert {one.attribute for one in compositions(unseen, unseen, judge)} == {"style"}
        mixed = shifts([*seen[:3], *unseen[3:]], judge)
        assert {one.n for one in mixed.classes if one.attribute == "hair"} == {3}
        assert {one.n for one in mixed.classes if one.attribute == "style"} == {4}


def test_of_one_picture_nothing_is_known(explorer) -> None:
    one = shifts([_case(0, 0, 1)], explorer.predictor_spec).classes[0]
    assert (one.difference, one.low, one.high, one.small) == (-1.0, -1.0, 1.0, True)
    same = [_case(k, 0, 1, who="a") for k in range(9)]
    rate = shifts(same, explorer.predictor_spec).kept[0]
    assert 0.0 <= rate.low <= rate.value <= rate.high <= 1.0


def test_several_pictures_of_one_are_drawn_together(explorer) -> None:
    """40 pictures of 5 whom all change alike say as much as 5 pictures."""
    alone = [_case(k, 0, int(k % 5 < 2)) for k in range(40)]
    together = [replace(one, identity=f"{k % 5}") for k, one in enumerate(alone)]
    one, other = (
        next(x for x in shifts(cases, explorer.predictor_spec).classes if x.label == "long")
        for cases in (alone, together)
    )
    assert one.difference == other.difference == pytest.approx(0.4)
    assert other.high - other.low > 2.0 * (one.high - one.low)
    assert other.low >= 0.0
    assert other.high <= 1.0
    uneven = [_case(k, 0, 1, who="a" if k < 30 else f"{k}") for k in range(40)]
    found = shifts(uneven, explorer.predictor_spec)
    long = next(x for x in found.classes if x.label == "long")
    assert (long.low, long.high) == (1.0, 1.0), "a share is of the pictures that are drawn, however many"


def test_the_composition_bias_is_of_the_same_pictures(explorer) -> None:
    """Both modes move half of the pictures, but not the same ones: paired, each differs."""
    keep = [_case(k, 0, int(k < 20)) for k in range(40)]
    follow = [_case(k, 0, int(k >= 15), keep=0.0) for k in range(40)]
    found = compositions(follow, keep, explorer.predictor_spec)
    long = next(one for one in found if one.label == "long")
    assert (long.follow, long.keep, long.n) == (0.625, 0.5, 40)
    assert long.low < 0.0 < long.difference < long.high
    same = compositions(keep, keep, explorer.predictor_spec)
    assert {(one.difference, one.low, one.high) for one in same} == {(0.0, 0.0, 0.0)}


# Examples


def test_examples_are_those_that_changed_the_more_frequent_way_first(explorer) -> None:
    judge = explorer.predictor_spec
    cases = [_case(0, 1, 1), _case(1, 1, 0), _case(2, 0, 1), _case(3, 0, 1), _case(4, 0, 0)]
    found = changed_by_projection(cases, judge, "clay", "hair", "long")
    assert [one.name for one in found] == ["2", "3", "1"]
    assert found[0].labels == ("short", "long")
    assert found[0].titles == ("before", "clay")
    assert [one.name for one in changed_by_projection(cases, judge, "clay", "hair", "short")] == [
        "2",
        "3",
        "1",
    ]
    assert changed_by_projection(cases, judge, "ink", "hair", "long") == []
    other = [_case(k, 0, after, keep=0.0) for k, after in enumerate((1, 1, 0, 1, 0))]
    found = changed_by_composition(other, cases, judge, "clay", "hair", "long")
    assert [(one.name, one.labels) for one in found] == [("1", ("short", "long")), ("2", ("long", "short"))]


def test_examples_are_drawn_as_they_were_projected(explorer, pictures) -> None:
    pixels = np.asarray(Image.open(pictures / "1.png"))
    found = project(explorer, pixels, source="ink", keep=0.0, name="one")
    judge = explorer.predictor_spec
    changed = [
        one
        for dataset in ("clay", "tiles")
        for one in changed_by_projection([found], judge, dataset, "style", "clay")
    ]
    assert changed
    (example, *_) = draw_examples(explorer, changed)
    after = next(item for item in found.items if item.dataset == changed[0].titles[1])
    np.testing.assert_array_equal(example.pictures[1], after.picture)
    own = explorer.picture(explorer.latent(found.latent), condition_on(explorer, "ink", 0.0))
    np.testing.assert_array_equal(example.pictures[0], own)
