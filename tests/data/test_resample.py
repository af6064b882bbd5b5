"""A resampled set has the counts that were asked for, exactly, and says so when it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.data.catalog import open_set
from latentlab.data.distribution import PRESETS, Correlation, Distribution, Ratio, chosen_distribution
from latentlab.data.image_set import UNKNOWN, ImageSet, SetInfo
from latentlab.data.resample import largest_remainder, resample
from latentlab.data.triple import degrade, faces_triple
from latentlab.errors import DataError, SettingsError
from latentlab.spec import Attribute


@pytest.fixture(scope="module")
def train(tiny_faces: ImageSet) -> ImageSet:
    return open_set("faces:train", 32)


def _count(images: ImageSet, **classes: str) -> int:
    masks = [images.codes(name) == images.attribute(name).index(label) for name, label in classes.items()]
    return int(np.logical_and.reduce(masks).sum())


def _phi(images: ImageSet, first: tuple[str, str], second: tuple[str, str]) -> float:
    a, b = (images.codes(name) == images.attribute(name).index(label) for name, label in (first, second))
    return float(np.corrcoef(a, b)[0, 1])


@pytest.mark.parametrize(
    ("preset", "female"), [("original", 520), ("equal", 500), ("male60", 400), ("narrow", 650)]
)
def test_presets_of_gender_have_their_counts_exactly(train: ImageSet, preset: str, female: int) -> None:
    chosen = resample(train, chosen_distribution(train, preset), 1000, seed=3)
    assert _count(chosen, gender="female") == female
    assert len(chosen) == 1000


def test_light90_is_ninety_percent_asian_and_white(train: ImageSet) -> None:
    chosen = resample(train, chosen_distribution(train, "light90"), 2000, seed=3)
    assert _count(chosen, race="asian") + _count(chosen, race="white") == 1800
    share = np.mean(train.codes("race")[np.isin(train.codes("race"), [0, 3])] == 0)
    assert abs(_count(chosen, race="asian") - 1800 * share) <= 1


def test_balanced_gives_every_group_the_same(train: ImageSet) -> None:
    chosen = resample(train, chosen_distribution(train, "balanced"), 4000)
    assert {len(rows) for rows in chosen.groups(["gender", "race"]).values()} == {500}


def test_every_preset_parses_and_describes_itself(train: ImageSet) -> None:
    for name, (words, _) in PRESETS.items():
        assert words
        assert abs(chosen_distribution(train, name).shares(train).sum() - 1) < 1e-12


def test_no_row_stands_twice_and_the_seed_decides(train: ImageSet) -> None:
    distribution = Distribution.parse(["gender=female:0.3,male:0.7", "glasses=yes:0.2"])
    first, again = (resample(train, distribution, 3000, seed=5) for _ in range(2))
    other = resample(train, distribution, 3000, seed=6)
    np.testing.assert_array_equal(first.rows, again.rows)
    assert not np.array_equal(first.rows, other.rows)
    assert len(np.unique(first.rows)) == 3000
    assert _count(first, gender="female", glasses="yes") == 180
    from_generator = resample(train, distribution, 3000, seed=np.random.default_rng(5))
    np.testing.assert_array_equal(first.rows, from_generator.rows)


def test_rows_come_mixed_and_not_cell_by_cell(train: ImageSet) -> None:
    chosen = resample(train, chosen_distribution(train, "equal"), 1000)
    assert 200 < (chosen.codes("gender")[:500] == 0).sum() < 300


def test_attributes_that_are_not_named_stay_as_they_are(train: ImageSet) -> None:
    chosen = resample(train, chosen_distribution(train, "light90"), 4000)
    for name in ("gender", "glasses"):
        assert abs(np.mean(chosen.codes(name)) - np.mean(train.codes(name))) < 0.03


def test_a_correlation_is_reached_and_keeps_the_shares(train: ImageSet) -> None:
    distribution = Distribution.parse(
        ["glasses=yes:0.4", "gender=male:0.5"], ["glasses=yes,gender=male:0.5", "gender=male,race=black:-0.3"]
    )
    chosen = resample(train, distribution, 2000)
    assert abs(_phi(chosen, ("glasses", "yes"), ("gender", "male")) - 0.5) < 0.005
    assert abs(_phi(chosen, ("gender", "male"), ("race", "black")) + 0.3) < 0.005
    assert abs(_count(chosen, glasses="yes") - 800) <= 3
    assert abs(_count(chosen, gender="male") - 1000) <= 3
    assert abs(_phi(resample(train, Distribution.parse(["glasses=yes:0.4", "facial_hair=yes:0.3"]), 2000),
                    ("glasses", "yes"), ("facial_hair", "yes"))) < 0.005  # fmt: skip


def test_what_cannot_be_is_refused_with_the_limits(train: ImageSet) -> None:
    out_of_reach = Distribution.parse(["glasses=yes:0.1", "gender=male:0.5"], ["glasses=yes,gender=male:0.9"])
    with pytest.raises(SettingsError, match=r"lies between -0\.333 and 0\.333"):
        resample(train, out_of_reach, 100)
    torn = Distribution.parse(
        ["glasses=yes:0.5", "gender=male:0.5", "facial_hair=yes:0.5"],
        [
            "glasses=yes,gender=male:0.9",
            "gender=male,facial_hair=yes:0.9",
            "glasses=yes,facial_hair=yes:-0.9",
        ],
    )
    with pytest.raises(SettingsError, match="contradict one another"):
        resample(train, torn, 100)
    with pytest.raises(SettingsError, match="not in all"):
        resample(train, Distribution.parse(["gender=male:1"], ["glasses=yes,gender=male:0.1"]), 100)


def test_too_few_images_are_an_error_that_says_how_many_there_could_be(train: ImageSet) -> None:
    distribution = chosen_distribution(train, "male60")
    with pytest.raises(
        DataError, match=r"4,097 images with gender=male, too few for 8,000 .* at most 6,8\d\d"
    ):
        resample(train, distribution, 8000)
    most = resample(train, distribution)
    assert _count(most, gender="male") == 4097
    assert abs(_count(most, gender="female") / len(most) - 0.4) < 1e-3
    with pytest.raises(DataError, match="ask for at most 8,192 images"):
        resample(train, Distribution(), 9000)
    with pytest.raises(SettingsError, match="at least one image; 0"):
        resample(train, distribution, 0)
    nobody = train.select(np.flatnonzero(train.codes("gender") == 1)[:20])
    with pytest.raises(DataError, match=r"0 images with gender=female, .* choose other shares"):
        resample(nobody, Distribution.parse(["gender=female:0.1"]))
    with pytest.raises(DataError, match="0 images with gender=female"):
        resample(nobody, Distribution.parse(["gender=female:0.1"]), 1000, allow_repeats=True)


def test_repeats_are_even(train: ImageSet) -> None:
    few = train.select(np.flatnonzero(train.codes("race") == 1)[:30])
    chosen = resample(few, Distribution(), 100, allow_repeats=True)
    assert set(np.bincount(chosen.rows)[few.rows].tolist()) == {3, 4}
    assert chosen.info.source["resampled"]["distinct"] == 30
    with pytest.raises(DataError, match="0 images with race=white"):
        resample(few, Distribution.parse(["race=white:0.5,black:0.5"]), 10, allow_repeats=True)


def test_rows_of_unknown_class_are_left_out() -> None:
    info = SetInfo(name="four", image_size=8, attributes=(Attribute(name="hat", classes=("no", "yes")),))
    codes = np.array([0, 1, UNKNOWN, 0, 1, UNKNOWN, 0])
    images = ImageSet(
        info,
        np.zeros((7, 8, 8, 3), np.uint8),
        {"hat": codes},
        np.arange(7).astype(str),
        np.zeros(7, np.int8),
        np.arange(7),
    )
    chosen = resample(images, Distribution.parse(["hat=yes:0.5"]))
    assert sorted(chosen.codes("hat").tolist()) == [0, 0, 0, 1, 1]  # half of five, rounded
    male = SetInfo(name="celeba", image_size=8, attributes=(Attribute(name="Male", classes=("no", "yes")),))
    celeba = ImageSet(male, images.images, {"Male": codes}, images.names, images.splits, images.rows)
    assert str(chosen_distribution(celeba, "male60")) == "Male=no:0.4,yes:0.6"


def test_a_ratio_wins_over_the_presets_and_the_text_goes_round(train: ImageSet) -> None:
    chosen = chosen_distribution(train, "narrow", ["gender=male:0.7"], ["glasses=yes,gender=male:0.1"])
    assert [str(ratio) for ratio in chosen.ratios] == [
        "race=asian+white:0.9,black+brown:0.1",
        "glasses=no:0.9,yes:0.1",
        "gender=male:0.7",
    ]
    assert str(chosen).endswith(" gender=male:0.7 glasses=yes,gender=male:0.1")
    assert Ratio.parse(str(chosen.ratios[0])) == chosen.ratios[0]
    assert Correlation.parse(str(chosen.correlations[0])) == chosen.correlations[0]
    with pytest.raises(SettingsError, match="no preset 'half'; there are original, equal, male60"):
        chosen_distribution(train, "half")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gender", "should look like"),
        ("gender=female", "should look like"),
        ("=female:0.5", "should look like"),
        ("gender=female:0.5,female:0.5", "should look like"),
        ("gender=female:half", "share of female should be a number from 0 to 1, not 'half'"),
        ("gender=female:1.5", "share of female should be a number"),
        ("gender=female:nan", "share of female should be a number"),
        ("gender=female:0.5,male:0.4", "should sum to 1; they sum to 0.9"),
        ("race=asian:0.7,black:0.7", "should sum to 1; they sum to 1.4"),
        ("race=asian+black:0.5,asian:0.5", "names a class twice"),
        ("gender=woman:0.5", "no class 'woman'; it has female, male"),
    ],
)
def test_a_malformed_ratio_says_what_is_wrong(train: ImageSet, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        resample(train, Distribution.parse([text]), 100)


@pytest.mark.parametrize("text", ["glasses=yes", "glasses,gender=male:0.1", "a=b,a=c:0.1", "a=b,c=d:2"])
def test_a_malformed_correlation_says_what_is_wrong(text: str) -> None:
    with pytest.raises(SettingsError, match="correlation"):
        Distribution.parse([], [text])


def test_two_ratios_of_one_attribute_and_unknown_attributes_are_refused(train: ImageSet) -> None:
    with pytest.raises(SettingsError, match="two ratios"):
        Distribution.parse(["gender=male:0.1", "gender=male:0.2"])
    with pytest.raises(DataError, match="no attribute 'hat'"):
        resample(train, Distribution.parse(["hat=yes:0.1"]), 10)


def test_largest_remainder_is_hamiltons() -> None:
    assert largest_remainder(np.array([0.47, 0.16, 0.158, 0.12, 0.061, 0.031]), 100).tolist() == [
        47, 16, 16, 12, 6, 3,
    ]  # fmt: skip
    assert largest_remainder(np.array([0.52, 0.48]), 1000).tolist() == [520, 480]
    assert largest_remainder(np.full(3, 1 / 3), 100).sum() == 100


def test_the_triple_is_what_its_definition_says(train: ImageSet) -> None:
    triple = faces_triple(train, seed=1)
    assert {len(rows) for rows in triple.broad.groups(["gender", "race"]).values()} == {500}
    assert not np.isin(triple.narrow.rows, triple.broad.rows).any()
    assert len(triple.narrow) == len(triple.low) == 2000
    assert _count(triple.narrow, race="asian") + _count(triple.narrow, race="white") == 1800
    assert _count(triple.narrow, gender="female") == 1300
    assert _count(triple.narrow, glasses="yes") == 200
    assert max(np.bincount(triple.narrow.rows)) == 2
    assert triple.narrow.info.source["resampled"]["distinct"] > 1500
    np.testing.assert_array_equal(triple.low.codes("race"), triple.narrow.codes("race"))
    error = np.abs(triple.low.pixels(slice(0, 50)) - triple.narrow.pixels(slice(0, 50)).astype(float)).mean()
    assert 3 < error < 40


def test_low_quality_loses_detail_and_keeps_the_colour(train: ImageSet) -> None:
    few = train.select(np.arange(8))
    low = degrade(few, side=8, quality=30)
    sharp, blurred = (
        np.abs(np.diff(images.pixels(slice(0, 8)).astype(float), axis=2)).mean() for images in (few, low)
    )
    assert blurred < 0.7 * sharp
    assert abs(low.pixels([3]).mean() - few.pixels([3]).mean()) < 6
    with pytest.raises(DataError, match="1 to 32 px"):
        degrade(few, side=64)
