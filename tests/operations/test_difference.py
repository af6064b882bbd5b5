"""The difference of two pictures: its ground, its two colours and how strong they are."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.operations.difference import DARKER, FULL, LIGHTER, WHITE, difference_picture


def plain(*colour: int) -> np.ndarray:
    return np.broadcast_to(np.array(colour, dtype=np.uint8), (2, 3, 3)).copy()


def test_what_did_not_change_has_the_colour_of_the_ground() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    shown = difference_picture(picture, picture.copy(), ground=(1, 2, 3))
    assert (shown == (1, 2, 3)).all()
    assert shown.dtype == np.uint8


def test_lighter_and_darker_have_their_colours_in_full_from_a_certain_change_on() -> None:
    dark, light = plain(0, 0, 0), plain(255, 255, 255)
    assert (difference_picture(dark, light) == LIGHTER).all()
    assert (difference_picture(light, dark) == DARKER).all()
    assert (difference_picture(plain(100, 100, 100), plain(196, 196, 196)) == LIGHTER).all()


def test_the_colour_grows_with_the_change() -> None:
    half = round(FULL / 2)
    shown = difference_picture(plain(100, 100, 100), plain(100 - half, 100 - half, 100 - half))
    middle = np.rint((np.array(WHITE) + np.array(DARKER)) / 2)
    np.testing.assert_allclose(shown, np.broadcast_to(middle, shown.shape), atol=1)


def test_luminance_says_which_colour_not_the_mean_of_the_channels() -> None:
    # Green weighs more than red and blue together.
    shown = difference_picture(plain(60, 60, 60), plain(0, 120, 0), lighter=(9, 9, 9), ground=(9, 9, 9))
    assert (shown == 9).all(), "it became lighter"


def test_the_pictures_stay_as_they_are() -> None:
    before, after = plain(10, 20, 30), plain(200, 20, 30)
    kept = before.copy(), after.copy()
    difference_picture(before, after)
    np.testing.assert_array_equal(before, kept[0])
    np.testing.assert_array_equal(after, kept[1])


@pytest.mark.parametrize("value", [0, 255])
def test_the_largest_differences_do_not_wrap_around(value: int) -> None:
    shown = difference_picture(plain(value, value, value), plain(255 - value, 255 - value, 255 - value))
    assert (shown == (LIGHTER if value == 0 else DARKER)).all()
