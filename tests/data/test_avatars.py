"""The same person in every style, drawn from known attributes: what a label says is to be seen."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from latentlab.data import avatars
from latentlab.data.avatar_styles import (
    Identity,
    avatar_schema,
    draw_avatar,
    shown_classes,
    style_credit,
)
from latentlab.data.avatars import identities, identity_of, list_avatars, make_avatars, open_avatars, paired
from latentlab.data.catalog import open_set
from latentlab.data.credits import credits_page
from latentlab.data.distribution import Distribution
from latentlab.data.image_set import UNKNOWN, ImageSet
from latentlab.data.resample import resample
from latentlab.data.set_folder import open_image_set
from latentlab.errors import Cancelled, DataError
from latentlab.paths import bundled
from latentlab.progress import Progress, Reporter

STYLES = ("personas", "lorelei", "adventurer", "open-peeps", "pixel-art", "voxel-art", "toon-head")
NEVER_SHOWN = {
    "lorelei": {"clothes"},
    "adventurer": {"clothes"},
    "open-peeps": {"hair_color"},
    "toon-head": {"glasses"},
}
PERSON = Identity(
    0,
    {
        "skin": "2",
        "hair_color": "blond",
        "hair": "short",
        "mouth": "smile",
        "clothes": "red",
        "glasses": "no",
        "beard": "no",
    },
)


def _with(person: Identity, **classes: str) -> Identity:
    return dataclasses.replace(person, classes={**person.classes, **classes})


def _changed(first: np.ndarray, second: np.ndarray, levels: int = 8) -> int:
    """Return how many pixels differ by more than that many levels."""
    return int((np.abs(first.astype(int) - second).max(axis=-1) > levels).sum())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    folder = tmp_path_factory.mktemp("avatars") / "set"
    counts = {"train": 6, "validation": 2, "test": 3}
    return open_image_set(
        make_avatars(folder, list_avatars(counts, seed=4, styles=("lorelei", "toon-head")), 32, workers=1)
    )


@pytest.mark.parametrize("style", STYLES)
def test_every_label_that_is_known_is_to_be_seen_and_no_other(style: str) -> None:
    """Flip each attribute of some people to each other class, and look for the change in the picture."""
    schema = avatar_schema()
    for person in identities(3, seed=11):
        picture, shown = draw_avatar(style, person, 64), shown_classes(style, person)
        for name in schema.attributes:
            for label in schema.classes(name):
                other = _with(person, **{name: label})
                changed = _changed(picture, draw_avatar(style, other, 64))
                if name in NEVER_SHOWN.get(style, ()):
                    assert shown[name] is None
                    assert changed == 0, (name, label, person)
                elif label != shown[name] and None not in (shown[name], shown_classes(style, other)[name]):
                    assert changed >= 4, (name, label, person)


@pytest.mark.parametrize(
    ("style", "classes", "unknown"),
    [
        ("toon-head", {}, {"glasses"}),
        ("open-peeps", {}, {"hair_color"}),
        ("lorelei", {"beard": "yes"}, {"clothes", "mouth"}),
        ("adventurer", {"hair": "bald"}, {"clothes", "hair_color"}),
        ("pixel-art", {"hair_color": "black"}, {"beard"}),
        ("personas", {"beard": "yes"}, set()),
    ],
)
def test_what_a_style_cannot_show_has_no_label(
    style: str, classes: dict[str, str], unknown: set[str]
) -> None:
    shown = shown_classes(style, _with(PERSON, **classes))
    assert {name for name, label in shown.items() if label is None} == unknown


def test_no_two_people_look_alike_where_a_style_shows_little() -> None:
    people = [dataclasses.replace(PERSON, shade=shade) for shade in ((-1.0, 0.0), (0.0, 0.0), (1.0, 0.0))]
    pictures = [draw_avatar("lorelei", person, 32) for person in people]
    assert _changed(pictures[0], pictures[1], 4) > 50
    assert _changed(pictures[1], pictures[2], 4) > 50
    assert _changed(pictures[0], draw_avatar("lorelei", _with(people[0], clothes="green"), 32), 0) == 0


def test_identities_are_seeded_and_even_and_never_repeat_a_combination() -> None:
    people = identities(2000, seed=1)
    assert people[:50] == identities(50, seed=1)
    assert people[0].classes != identities(1, seed=2)[0].classes
    assert len({tuple(person.classes.values()) for person in people}) == 2000
    assert [person.number for person in people[:3]] == [0, 1, 2]
    glasses = sum(person.classes["glasses"] == "yes" for person in people)
    assert 900 < glasses < 1100
    assert all(-1 <= shade <= 1 for person in people for shade in person.shade)
    everybody = identities(6 * 5 * 6 * 4 * 4 * 2 * 2 + 1)
    assert len({tuple(person.classes.values()) for person in everybody}) == len(everybody) - 1


def test_the_set_pairs_its_styles_exactly(small: ImageSet) -> None:
    people, where = paired(small)
    assert list(where) == ["lorelei", "toon-head"]
    assert len(people) == 11
    for style, positions in where.items():
        for name, position in zip(people, positions, strict=True):
            person = identity_of(small, position)
            assert f"{person.number:05d}" == name
            np.testing.assert_array_equal(small.images[position], draw_avatar(style, person, 32))
    lorelei, toon = (small.select(where[style]) for style in where)
    np.testing.assert_array_equal(lorelei.codes("skin"), toon.codes("skin"))
    np.testing.assert_array_equal(lorelei.splits[lorelei.rows], toon.splits[toon.rows])
    assert (toon.codes("glasses") == UNKNOWN).all()
    assert (lorelei.codes("glasses") != UNKNOWN).all()
    assert (small.codes("style")[where["toon-head"]] == 1).all()


def test_splits_are_by_identity(small: ImageSet) -> None:
    people = {split: set(paired(small.split(split))[0].tolist()) for split in ("train", "validation", "test")}
    assert [len(names) for names in people.values()] == [6, 2, 3]
    assert not people["train"] & people["test"]


def test_pairs_need_avatars_in_two_styles(small: ImageSet, tiny_faces: ImageSet) -> None:
    with pytest.raises(DataError, match="two styles or more"):
        paired(small.select(small.codes("style") == 0))
    with pytest.raises(DataError, match="two styles or more"):
        paired(tiny_faces)
    with pytest.raises(DataError, match="not of avatars"):
        identity_of(tiny_faces, 0)


def test_variety_is_for_training_and_truth_never_varies(tmp_path: Path) -> None:
    counts = {"train": 12, "test": 6}
    plain, varied = (
        open_image_set(
            make_avatars(
                tmp_path / str(variety), list_avatars(counts, 0, ("lorelei",), variety), 32, workers=1
            )
        )
        for variety in (False, True)
    )
    np.testing.assert_array_equal(
        plain.split("test").pixels(slice(None)), varied.split("test").pixels(slice(None))
    )
    assert not np.array_equal(plain.images[:12], varied.images[:12])
    assert "style" not in plain.labels


def test_processes_draw_the_same_in_the_same_order(tmp_path: Path) -> None:
    counts = {"train": 290}
    folders = [
        make_avatars(
            tmp_path / str(workers), list_avatars(counts, styles=("pixel-art",)), 16, workers=workers
        )
        for workers in (1, 2)
    ]
    first, second = (open_image_set(folder) for folder in folders)
    np.testing.assert_array_equal(first.images, second.images)


def test_rows_are_chosen_before_any_is_drawn(tmp_path: Path) -> None:
    listed = list_avatars({"train": 40}, styles=("lorelei", "pixel-art"))
    chosen = resample(listed, Distribution.parse(["glasses=yes:0.25"]), 8, seed=2)
    made = open_image_set(make_avatars(tmp_path / "set", chosen, 16, workers=1))
    assert made.codes("glasses").sum() == 2
    person, style = identity_of(made, 5), str(made.names[5]).split(":")[1]
    np.testing.assert_array_equal(made.images[5], draw_avatar(style, person, 16))


@pytest.mark.parametrize(
    ("counts", "styles"), [({}, None), ({"train": -1}, None), ({"train": 2}, ("lorelei", "lorelei"))]
)
def test_avatars_of_nobody_or_twice_in_a_style_are_refused(
    counts: dict[str, int], styles: tuple[str, ...] | None
) -> None:
    with pytest.raises(DataError, match="each named once"):
        list_avatars(counts, styles=styles)


def test_drawing_reports_and_can_be_cancelled(tmp_path: Path) -> None:
    heard: list[Progress] = []

    def listen(progress: Progress) -> None:
        heard.append(progress)
        reporter.cancel()

    reporter = Reporter(listen)
    listed = list_avatars({"train": 200}, styles=("lorelei",))
    with pytest.raises(Cancelled):
        make_avatars(tmp_path / "set", listed, 16, reporter, workers=1)
    assert [(progress.done, progress.total) for progress in heard] == [(64, 200)]
    assert list(tmp_path.iterdir()) == []


def test_the_catalogue_knows_the_avatars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avatars, "IDENTITIES", {"train": 3, "validation": 1, "test": 2})
    assert len(open_set("avatars", 16)) == 6 * len(STYLES)
    assert len(open_set("avatars:test", 16)) == 2 * len(STYLES)
    lorelei = open_set("avatars:lorelei:test", 16)
    assert lorelei.names[lorelei.rows].tolist() == ["00004:lorelei", "00005:lorelei"]
    assert len(open_set("avatars:toon-head", 16)) == 6
    with pytest.raises(DataError, match=r"no image set 'avatars:avataaars:test'.*avatars:lorelei"):
        open_set("avatars:avataaars:test", 16)
    with pytest.raises(DataError, match="16 to 512 px"):
        open_avatars(8)


def test_only_what_may_be_handed_on_is_drawn_and_every_artist_is_credited(small: ImageSet) -> None:
    assert avatar_schema().shippable == STYLES
    assert all(style_credit(style)["licence"] in ("CC0 1.0", "CC BY 4.0") for style in STYLES)
    page = (bundled("resources", "avatars") / "CREDITS.md").read_text(encoding="utf-8")
    assert page == credits_page()
    for style in STYLES:
        credit = style_credit(style)
        assert credit["creator"] in page
        assert credit["licence_url"] in page
    assert "Lisa Wischofsky" in small.info.credit
    assert "toon-head: CC BY 4.0" in small.info.licence
    assert small.info.source["styles"]["lorelei"]["licence_url"].startswith("https://creativecommons.org")
    with pytest.raises(DataError, match="no avatar style 'cubism'; there are personas, lorelei"):
        draw_avatar("cubism", PERSON)
