from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from latentlab.errors import ImageError, SettingsError
from latentlab.operations.search_plan import Observation
from latentlab.operations.search_target import search_target

OBSERVED = Observation(4)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_a_picture_of_the_models_size_is_reduced_as_pillow_would():
    found = search_target(picture(32, 32), OBSERVED, 32)
    theirs = np.asarray(Image.fromarray(picture(32, 32)).resize((8, 8), Image.Resampling.BICUBIC))
    assert np.abs(found.shown().astype(int) - theirs.astype(int)).max() <= 1
    assert found.source is not None
    assert found.notes == ()


def test_a_small_picture_is_taken_as_it_is():
    found = search_target(picture(8, 8), OBSERVED, 32)
    assert np.array_equal(found.shown(), picture(8, 8))
    assert found.source is None
    assert "taken for the small picture" in found.notes[0]


@pytest.mark.parametrize(("height", "width"), [(100, 40), (40, 100), (13, 9), (200, 200)])
@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
def test_any_size_is_made_to_fit_and_it_says_how(height: int, width: int, fit: str):
    found = search_target(picture(height, width), OBSERVED, 32, fit=fit)  # type: ignore[arg-type]
    assert found.small.shape == (8, 8, 3)
    told = " ".join(found.notes)
    assert ("reduced to" in told) == (max(height, width) > 32)
    assert ("square" in told) == (height != width)


def test_padding_shows_all_of_it_on_white():
    found = search_target(picture(64, 32), OBSERVED, 32, fit="pad")
    assert (found.shown()[:, 0] == 255).all()
    assert (found.shown()[:, 7] == 255).all()


@pytest.mark.parametrize("fit", ["stretch", "pad"])
def test_a_very_wide_picture_takes_no_square_of_its_width(fit: str):
    wide = np.tile(np.arange(20_000, dtype=np.int64)[None, :, None] % 251, (2, 1, 3)).astype(np.uint8)
    found = search_target(wide, OBSERVED, 32, fit=fit)  # type: ignore[arg-type]
    assert found.small.shape == (8, 8, 3)


def test_a_small_picture_can_be_said_to_be_one_and_a_tiny_full_one_too():
    assert search_target(picture(20, 20), OBSERVED, 32, given="small").source is None
    assert search_target(picture(6, 6), OBSERVED, 32, given="full").source is not None


def test_luminance_has_one_channel_and_is_shown_grey():
    found = search_target(picture(8, 8), Observation(4, "luminance"), 32)
    assert found.small.shape == (8, 8, 1)
    assert found.shown().shape == (8, 8, 3)
    assert (np.ptp(found.shown(), axis=2) == 0).all()


def test_what_cannot_be_searched_for_is_refused():
    with pytest.raises(ImageError, match="one colour only"):
        search_target(np.full((40, 40, 3), 7, np.uint8), OBSERVED, 32)
    with pytest.raises(ImageError, match="one colour only"):  # white beside it would be another one
        search_target(np.full((40, 20, 3), 7, np.uint8), OBSERVED, 32, fit="pad")
    with pytest.raises(SettingsError, match="reduced by a factor of 3"):
        search_target(picture(8, 8), Observation(3), 32)
    with pytest.raises(SettingsError, match="crop, stretch, pad"):
        search_target(picture(8, 8), OBSERVED, 32, fit="squeeze")  # type: ignore[arg-type]
    with pytest.raises(ImageError, match="uint8"):
        search_target(np.zeros((8, 8, 3), np.float32), OBSERVED, 32)  # type: ignore[arg-type]
