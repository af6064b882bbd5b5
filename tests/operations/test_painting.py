"""Strokes, erasing, blurring, moving: what is touched, what stays to the bit, and edges without steps."""

from __future__ import annotations

import numpy as np
import pytest

from latentlab.errors import SettingsError
from latentlab.operations.painting import (
    Brush,
    Floating,
    Region,
    Stroke,
    blur,
    colour_at,
    erase,
    filled,
    main_colours,
    move,
    stroke,
)

RED = (200, 10, 20)


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)


def far_from(x: float, y: float, size: int = 40) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] + 0.5
    return np.hypot(columns - x, rows - y)


def test_a_dab_is_the_colour_inside_and_leaves_what_is_outside(picture) -> None:
    kept = picture.copy()
    found = stroke(picture, [(20.0, 13.0)], Brush(6.0, 1.0), RED)
    distance = far_from(20, 13)
    assert (found[distance <= 5.4] == RED).all()
    np.testing.assert_array_equal(found[distance >= 6.6], picture[distance >= 6.6])
    between = (distance > 5.6) & (distance < 6.4)
    assert (found[between] != RED).any()
    assert (found[between] != picture[between]).any()
    np.testing.assert_array_equal(picture, kept)


def test_a_soft_brush_fades_from_the_middle_and_a_hard_one_at_the_edge() -> None:
    white = np.full((41, 41, 3), 255, dtype=np.uint8)
    soft, hard = (
        stroke(white, [(20.5, 20.5)], Brush(12.0, hardness), (0, 0, 0))[20, :, 0] for hardness in (0.0, 1.0)
    )
    assert (np.diff(soft[20:33].astype(int)) >= 0).all()
    assert len(np.unique(soft)) > 8
    assert len(np.unique(hard)) <= 4
    assert hard[20] == 0
    assert soft[20] <= 5
    np.testing.assert_array_equal(soft, soft[::-1])


def test_the_smallest_brush_is_one_pixel(picture) -> None:
    found = stroke(picture, [(7.5, 9.5)], Brush(0.5, 1.0), RED)
    changed = (found != picture).any(axis=2)
    assert changed.sum() == 1
    assert tuple(found[9, 7]) == RED


def test_between_two_places_there_are_no_gaps_however_far_they_are() -> None:
    white = np.full((60, 60, 3), 255, dtype=np.uint8)
    found = stroke(white, [(5.5, 5.5), (54.5, 30.5)], Brush(1.5, 1.0), (0, 0, 0))
    for share in np.linspace(0, 1, 200):
        x, y = 5.5 + 49 * share, 5.5 + 25 * share
        assert found[int(y), int(x), 0] < 130


def test_a_stroke_depends_on_its_way_and_not_on_the_steps_nor_on_crossing_itself(picture) -> None:
    brush = Brush(4.0, 0.2)
    straight = stroke(picture, [(5.0, 5.0), (30.0, 20.0)], brush, RED)
    steps = [(5.0 + 25 * k / 64, 5.0 + 15 * k / 64) for k in range(65)]
    assert np.abs(stroke(picture, steps, brush, RED).astype(int) - straight).max() <= 1
    again = stroke(picture, [(5.0, 5.0), (30.0, 20.0), (5.0, 5.0)], brush, RED)
    np.testing.assert_array_equal(again, straight)


def test_a_stroke_may_leave_the_picture(picture) -> None:
    outside = stroke(picture, [(-30.0, -30.0), (-20.0, 90.0)], Brush(5.0), RED)
    np.testing.assert_array_equal(outside, picture)
    through = stroke(picture, [(-10.0, 20.0), (60.0, 20.0)], Brush(2.0, 1.0), RED)
    assert (through[19:21] == RED).all()
    corner = stroke(picture, [(0.0, 0.0)], Brush(5.0, 1.0), RED)
    assert tuple(corner[0, 0]) == RED


def test_a_stroke_on_its_way_shows_every_state(picture) -> None:
    way = Stroke(picture, Brush(3.0, 1.0), RED)
    first = way.to((10.0, 10.0))
    second = way.to((20.0, 10.0))
    assert second is way.picture
    assert (first[10, 20] == picture[10, 20]).all()
    assert tuple(second[10, 18]) == RED
    assert tuple(first[10, 10]) == RED
    np.testing.assert_array_equal(second, stroke(picture, [(10.0, 10.0), (20.0, 10.0)], Brush(3.0, 1.0), RED))


def test_the_eraser_brings_the_original_back_to_the_bit(picture) -> None:
    way = [(8.0, 8.0), (30.0, 25.0)]
    painted = stroke(picture, way, Brush(4.0, 0.5), RED)
    assert not np.array_equal(painted, picture)
    np.testing.assert_array_equal(erase(painted, way, Brush(8.0, 1.0), picture), picture)
    part = erase(painted, [(8.0, 8.0)], Brush(3.0, 1.0), picture)
    inside = far_from(8, 8) < 2.4
    np.testing.assert_array_equal(part[inside], picture[inside])
    assert not np.array_equal(part, picture)


def test_blur_smooths_under_the_brush_keeps_the_mean_and_goes_on() -> None:
    stripes = np.zeros((40, 40, 3), dtype=np.uint8)
    stripes[:, np.arange(40) % 8 < 4] = 200
    brush = Brush(8.0, 1.0)
    once = blur(stripes, [(20.0, 20.0)], brush)
    twice = blur(once, [(20.0, 20.0)], brush)
    inside, outside = far_from(20, 20) < 7, far_from(20, 20) > 9
    assert once[inside].std() < 0.7 * stripes[inside].std()
    assert twice[inside].std() < 0.9 * once[inside].std()
    assert abs(once[inside].mean() - stripes[inside].mean()) < 3
    np.testing.assert_array_equal(once[outside], stripes[outside])
    flat = np.full((12, 12, 3), 77, dtype=np.uint8)
    np.testing.assert_array_equal(blur(flat, [(0.0, 0.0), (12.0, 12.0)], brush), flat)


@pytest.mark.parametrize("given", [(0.0, 0.5), (-1.0, 0.5), (2.0, 1.5), (2.0, -0.1), (float("nan"), 0.5)])
def test_a_brush_that_is_none_is_refused(given) -> None:
    with pytest.raises(SettingsError):
        Brush(*given)


# Moving


def test_a_rectangle_is_moved_as_it_is_and_its_place_is_filled_from_around() -> None:
    ground = np.full((40, 40, 3), (90, 120, 150), dtype=np.uint8)
    ground[10:16, 10:18] = np.random.default_rng(1).integers(0, 256, (6, 8, 3))
    region = Region(10, 10, 18, 16)
    found = move(ground, region, 12, 9)
    np.testing.assert_array_equal(found[19:25, 22:30], ground[10:16, 10:18])
    np.testing.assert_array_equal(found[10:16, 10:18], np.broadcast_to((90, 120, 150), (6, 8, 3)))
    rest = np.ones((40, 40), dtype=bool)
    rest[10:16, 10:18] = rest[19:25, 22:30] = False
    np.testing.assert_array_equal(found[rest], ground[rest])


def test_what_is_filled_goes_over_from_one_side_to_the_other() -> None:
    ramp = np.repeat(np.linspace(0, 240, 40).astype(np.uint8)[None, :, None], 40, axis=0).repeat(3, axis=2)
    hole = ramp.copy()
    hole[12:28, 12:28] = 255
    found = filled(hole, Region(12, 12, 28, 28).cover(40, 40))
    assert np.abs(found.astype(int) - ramp).max() <= 12
    whole = np.ones((40, 40), dtype=np.float32)
    np.testing.assert_array_equal(filled(ramp, whole), ramp)
    np.testing.assert_array_equal(filled(ramp, 0 * whole), ramp)


def test_a_part_put_back_or_moved_away_and_an_ellipse(picture) -> None:
    region = Region(8, 12, 20, 22, "ellipse")
    taken = Floating(picture, region)
    np.testing.assert_array_equal(taken.at(0, 0), picture)
    moved = taken.at(10, -5)
    inside = region.cover(40, 40) == 1.0
    assert inside.sum() > 60
    rows, columns = np.nonzero(inside)
    np.testing.assert_array_equal(moved[rows - 5, columns + 10], picture[rows, columns])
    corner = picture[12, 8]
    np.testing.assert_array_equal(moved[12, 8], corner)
    gone = taken.at(400, 0)
    assert not np.array_equal(gone, picture)
    np.testing.assert_array_equal(gone, taken.at(0, -400))
    edges = region.cover(40, 40)
    assert ((edges > 0.05) & (edges < 0.95)).any(), "its edge is smooth"
    assert edges.sum() == pytest.approx(np.pi * 6 * 5, rel=0.03)


def test_regions_hold_what_is_between_two_places_in_any_order() -> None:
    assert Region.between((9.7, 3.2), (4.1, 8.0), "rectangle") == Region(4, 3, 10, 8)
    assert Region.between((4.0, 4.0), (4.0, 4.0), "ellipse") == Region(4, 4, 5, 5, "ellipse")
    region = Region(4, 4, 10, 8)
    assert region.holds((4.0, 7.9))
    assert not region.holds((10.0, 5.0))
    round_one = Region(4, 4, 10, 8, "ellipse")
    assert round_one.holds((7.0, 6.0))
    assert not round_one.holds((4.2, 4.2))
    assert region.moved(2, -1) == Region(6, 3, 12, 7)
    with pytest.raises(SettingsError):
        Region(4, 4, 4, 8)


# Colours


def test_colours_are_picked_where_one_points(picture) -> None:
    assert colour_at(picture, (3.9, 7.2)) == tuple(picture[7, 3])
    assert colour_at(picture, (-5.0, 70.0)) == tuple(picture[39, 0])


def test_main_colours_are_the_frequent_ones_and_differ() -> None:
    flat = np.full((20, 20, 3), (250, 250, 250), dtype=np.uint8)
    flat[:8] = (30, 60, 200)
    flat[8:10] = (32, 61, 203)
    flat[15:, :4] = (200, 30, 30)
    found = main_colours(flat, 5)
    assert found[0] in ((250, 250, 250), (30, 60, 201))
    assert len(found) == 3
    assert (200, 30, 30) in found
    assert len(main_colours(flat, 2)) == 2
    assert len(main_colours(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8), 8)) == 8
