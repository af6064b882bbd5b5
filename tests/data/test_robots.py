"""The same robot in high and in low quality, drawn from known attributes: what a label says is to be seen."""

from __future__ import annotations

import dataclasses
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from latentlab.data import robots
from latentlab.data.avatars import identity_of, paired
from latentlab.data.catalog import known_sets, open_set
from latentlab.data.contact_sheet import contact_sheet
from latentlab.data.credits import credits_page
from latentlab.data.distribution import Distribution
from latentlab.data.drawn_style import credit_of, definition
from latentlab.data.image_set import ImageSet
from latentlab.data.joined import join_sets
from latentlab.data.resample import resample
from latentlab.data.robots import (
    COLOURS,
    PARTS,
    QUALITIES,
    Robot,
    draw_robot,
    list_robots,
    make_robots,
    open_robots,
    robot_attributes,
    robot_identities,
)
from latentlab.data.set_folder import open_image_set
from latentlab.data.triple import degrade
from latentlab.data.true_counterfactuals import can_be_drawn_again
from latentlab.errors import Cancelled, DataError
from latentlab.metrics.labels import identities as whom
from latentlab.metrics.runs import shows_pairs
from latentlab.operations.many_pictures import many_pictures
from latentlab.progress import Progress, Reporter

COUNTS = {"train": 6, "validation": 2, "test": 3}


def _with(robot: Robot, **classes: str) -> Robot:
    return dataclasses.replace(robot, classes={**robot.classes, **classes})


def _changed(first: np.ndarray, second: np.ndarray, levels: int = 12) -> int:
    """Return how many pixels differ by more than that many levels."""
    return int((np.abs(first.astype(int) - second).max(axis=-1) > levels).sum())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    folder = tmp_path_factory.mktemp("robots") / "set"
    return open_image_set(make_robots(folder, list_robots(COUNTS, seed=4), 32, workers=1))


@pytest.mark.parametrize("attribute", ["colour", *PARTS])
def test_any_two_classes_are_told_apart_in_both_qualities(attribute: str) -> None:
    """Draw some robots with every class of one attribute, the rest as it was, and compare the pictures."""
    classes = next(one.classes for one in robot_attributes() if one.name == attribute)
    for robot in robot_identities(3, seed=11):
        for quality, least in (("high", 40), ("low", 60)):
            pictures = [draw_robot(_with(robot, **{attribute: label}), quality) for label in classes]
            for (a, first), (b, second) in combinations(zip(classes, pictures, strict=True), 2):
                assert _changed(first, second) >= least, (quality, a, b, robot)


def test_a_robot_shows_the_middle_of_its_own_colour() -> None:
    """The colour class is read off the picture: the pixel between eyes and mouth has the base colour."""
    plain = robot_identities(1)[0]
    for label, colours in COLOURS.items():
        for tone, colour in enumerate(colours):
            robot = _with(plain, colour=label, eyes="round", mouth="smile", texture="none")
            robot = dataclasses.replace(robot, tone=tone / len(colours), shade=0.0)
            found = draw_robot(robot, image_size=180)[105, 90]
            assert "#" + "".join(f"{channel:02x}" for channel in found) == colour


def test_every_class_is_one_of_the_styles_own() -> None:
    style = definition("bottts")
    for component, variants in PARTS.items():
        own = style["components"][component]
        assert {variant for variant in variants.values() if variant} <= set(own["variants"])
        assert None not in variants.values() or own["probability"] < 100
    assert {colour for colours in COLOURS.values() for colour in colours} <= set(
        style["colors"]["base"]["values"]
    )


def test_the_same_identity_gives_the_same_bytes_and_another_shade_others() -> None:
    robot = robot_identities(1, seed=3)[0]
    np.testing.assert_array_equal(draw_robot(robot), draw_robot(dataclasses.replace(robot, number=7)))
    lighter = dataclasses.replace(robot, shade=1.0 if robot.shade < 0 else -1.0)
    assert _changed(draw_robot(robot), draw_robot(lighter), 3) > 200


def test_identities_are_seeded_and_even_and_never_repeat_a_combination() -> None:
    found = robot_identities(3000, seed=1)
    assert found[:50] == robot_identities(50, seed=1)
    assert found[0].classes != robot_identities(1, seed=2)[0].classes
    assert len({tuple(robot.classes.values()) for robot in found}) == 3000
    assert [robot.number for robot in found[:3]] == [0, 1, 2]
    assert 900 < sum(robot.classes["texture"] == "none" for robot in found) < 1100
    assert all(-1 <= robot.shade <= 1 and 0 <= robot.tone < 1 for robot in found)


def test_low_is_a_degraded_high(small: ImageSet) -> None:
    high, low = (small.select(small.codes("quality") == code) for code in range(2))
    np.testing.assert_array_equal(low.pixels(slice(None)), degrade(high).pixels(slice(None)))
    assert not np.array_equal(high.pixels(slice(None)), low.pixels(slice(None)))
    for attribute in small.info.attributes[1:]:
        np.testing.assert_array_equal(high.codes(attribute.name), low.codes(attribute.name))


def test_the_labels_are_of_the_robots_that_were_drawn(small: ImageSet) -> None:
    known = robot_identities(sum(COUNTS.values()), seed=4)
    assert [attribute.name for attribute in small.info.attributes] == ["quality", "colour", *PARTS]
    for position, name in enumerate(small.names.tolist()):
        number, quality = name.split(":")
        robot = known[int(number)]
        np.testing.assert_array_equal(small.images[position], draw_robot(robot, quality, 32))
        for label, expected in {**robot.classes, "quality": quality}.items():
            assert small.attribute(label).classes[small.labels[label][position]] == expected


def test_the_qualities_are_paired_by_identity(small: ImageSet) -> None:
    names, where = paired(small)
    assert list(where) == list(QUALITIES)
    assert names.tolist() == [f"{number:05d}" for number in range(11)]
    np.testing.assert_array_equal(small.codes("colour")[where["high"]], small.codes("colour")[where["low"]])
    assert (small.codes("quality")[where["low"]] == 1).all()
    np.testing.assert_array_equal(whom(small), [*range(11)] * 2)
    quality = small.attribute("quality")
    assert small.info.paired_by == quality.name
    assert shows_pairs(small, quality)
    only_low = small.select(small.codes("quality") == 1)
    assert not shows_pairs(only_low, quality)
    with pytest.raises(DataError, match="or robots in both qualities"):
        paired(only_low)
    with pytest.raises(DataError, match="not of avatars"):
        identity_of(small, 0)
    assert not can_be_drawn_again(small)


def test_a_sheet_by_quality_shows_the_same_robots(small: ImageSet) -> None:
    sheet = contact_sheet(small, ["quality"], columns=3)
    size, step = small.image_size, small.image_size + 2
    tops = [18, 18 + step + 16]
    high = next(k for k in range(11) if np.array_equal(sheet[tops[0] :, 2:][:size, :size], small.images[k]))
    np.testing.assert_array_equal(sheet[tops[1] :, 2:][:size, :size], small.images[11 + high])


def test_robots_joined_with_others_are_no_longer_pairs(
    small: ImageSet, tiny_faces: ImageSet, tmp_path: Path
) -> None:
    joined = join_sets(tmp_path / "joined", [("robots", small), ("faces", tiny_faces.select(np.arange(3)))])
    assert joined.info.paired_by is None


def test_splits_are_by_identity(small: ImageSet) -> None:
    found = {split: set(paired(small.split(split))[0].tolist()) for split in COUNTS}
    assert {split: len(names) for split, names in found.items()} == COUNTS
    assert not found["train"] & found["test"]


def test_processes_draw_the_same_in_the_same_order(tmp_path: Path) -> None:
    listed = list_robots({"train": 140})
    first, second = (
        open_image_set(make_robots(tmp_path / str(workers), listed, 24, workers=workers))
        for workers in (1, 2)
    )
    np.testing.assert_array_equal(first.images, second.images)


def test_rows_are_chosen_before_any_is_drawn(tmp_path: Path) -> None:
    chosen = resample(list_robots({"train": 60}), Distribution.parse(["quality=low:0.25"]), 8, seed=2)
    made = open_image_set(make_robots(tmp_path / "set", chosen, 24, workers=1))
    assert made.codes("quality").sum() == 2
    number, quality = str(made.names[5]).split(":")
    np.testing.assert_array_equal(made.images[5], draw_robot(robot_identities(60)[int(number)], quality, 24))


def test_the_catalogue_knows_the_robots(monkeypatch: pytest.MonkeyPatch, isolated_cache: Path) -> None:
    monkeypatch.setattr(robots, "IDENTITIES", COUNTS)
    assert {"robots", "robots:high", "robots:low"} <= set(known_sets())
    assert len(open_set("robots", 24)) == 22
    assert [len(open_set(f"robots:{split}", 24)) for split in COUNTS] == [12, 4, 6]
    low = open_set("robots:low:test", 24)
    assert low.names[low.rows].tolist() == ["00008:low", "00009:low", "00010:low"]
    [folder] = isolated_cache.glob("robots-*-24")
    before = (folder / "images.npy").stat().st_mtime_ns
    open_robots(24)
    assert (folder / "images.npy").stat().st_mtime_ns == before
    pictures = many_pictures("robots:test", 24)
    assert {picture.identity for picture in pictures} == {"00008", "00009", "00010"}
    with pytest.raises(DataError, match=r"no image set 'robots:medium'.*robots, robots:high, robots:low"):
        open_set("robots:medium", 24)


@pytest.mark.parametrize("size", [16, 1024])
def test_sizes_that_cannot_be_drawn_are_refused(size: int, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="24 to 512 px"):
        open_robots(size)
    with pytest.raises(DataError, match="24 to 512 px"):
        draw_robot(robot_identities(1)[0], image_size=size)


@pytest.mark.parametrize("counts", [{}, {"train": -1, "test": 2}])
def test_a_set_without_robots_is_refused(counts: dict[str, int]) -> None:
    with pytest.raises(DataError, match="needs identities"):
        list_robots(counts)


def test_an_unknown_quality_and_a_taken_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="high or low quality, not 'medium'"):
        draw_robot(robot_identities(1)[0], "medium")
    (tmp_path / "letter.txt").touch()
    with pytest.raises(DataError, match="holds other things"):
        make_robots(tmp_path, list_robots({"train": 1}))


def test_drawing_reports_and_can_be_cancelled(tmp_path: Path) -> None:
    heard: list[Progress] = []

    def listen(progress: Progress) -> None:
        heard.append(progress)
        reporter.cancel()

    reporter = Reporter(listen)
    with pytest.raises(Cancelled):
        make_robots(tmp_path / "set", list_robots({"train": 50}), 24, reporter, workers=1)
    assert [(one.stage, one.done, one.total) for one in heard] == [("Drawing the robots", 64, 100)]
    assert list(tmp_path.iterdir()) == []


def test_the_artist_is_credited(small: ImageSet) -> None:
    credit = credit_of("bottts")
    assert (credit["creator"], credit["licence"]) == (
        "Pablo Stanley",
        "Free for personal and commercial use",
    )
    assert f"| bottts | [{credit['title']}]({credit['source']})" in credits_page()
    assert "Pablo Stanley" in small.info.credit
    assert credit["licence"] in small.info.licence
    assert small.info.source["styles"]["bottts"]["source"] == "https://bottts.com/"
