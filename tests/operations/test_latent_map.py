"""A place on the map and a latent stand for each other; a lasso gathers; a density counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_made_map import COUNT, SIZE, hand_made_map

from latentlab.errors import SettingsError
from latentlab.operations.latent_map import LatentMap

PENTAGRAM = np.array([[np.sin(4 * np.pi * k / 5), np.cos(4 * np.pi * k / 5)] for k in range(5)])


@pytest.fixture
def hand() -> LatentMap:
    return hand_made_map()


def _laid_out(hand: LatentMap, places: np.ndarray) -> LatentMap:
    """The map with other places in its t-SNE, as many as are given."""
    n = len(places)
    return replace(hand, rows=hand.rows[:n], latents=hand.latents[:n], places={"tsne": np.float32(places)})


def test_a_walk_in_the_plane_arrives_and_leaves_all_else_alone(hand: LatentMap) -> None:
    base = np.random.default_rng(1).standard_normal((2, 3)).astype(np.float32)
    moved = hand.walk("pca", base, (4.0, -3.0))
    assert moved.shape == (2, 3)
    assert moved.dtype == np.float32
    np.testing.assert_allclose(hand.project(moved), (4.0, -3.0), atol=1e-5)
    step = (moved - base).reshape(-1)
    plane = hand.components[:2]
    np.testing.assert_allclose(step - (step @ plane.T) @ plane, np.zeros(SIZE), atol=1e-5)
    assert np.linalg.norm(step) > 0.5, "else nothing was moved"


def test_a_walk_to_where_it_is_stays_and_there_and_back_is_the_start(hand: LatentMap) -> None:
    base = hand.latent(5)
    np.testing.assert_allclose(hand.walk("pca", base, hand.project(base)), base, atol=1e-5)
    away = hand.walk("pca", base, (4.0, 4.0))
    np.testing.assert_allclose(hand.walk("pca", away, hand.places["pca"][5]), base, atol=1e-5)


def test_projecting_the_maps_own_latents_gives_their_places(hand: LatentMap) -> None:
    np.testing.assert_allclose(hand.project(hand.latents), hand.places["pca"], atol=1e-5)
    np.testing.assert_allclose(hand.project(hand.latent(7)), hand.places["pca"][7], atol=1e-5)
    assert hand.project(hand.latents[:1]).shape == (1, 2)
    assert hand.project(hand.latent(0)).shape == (2,)


def test_a_walk_in_a_tsne_at_a_point_is_that_point_whatever_the_base(hand: LatentMap) -> None:
    for k in (0, 17, COUNT - 1):
        found = hand.walk("tsne", hand.latent(1), hand.places["tsne"][k])
        np.testing.assert_array_equal(found, hand.latent(k))


def test_between_points_of_a_tsne_the_nearer_one_has_more_weight(hand: LatentMap) -> None:
    two = _laid_out(hand, np.array([[0, 0], [4, 0]]))
    found = two.walk("tsne", two.mean, (1.0, 0.0)).reshape(-1)
    np.testing.assert_allclose(found, 0.75 * two.latents[0] + 0.25 * two.latents[1], atol=1e-5)


def test_only_the_eight_nearest_points_of_a_tsne_count(hand: LatentMap) -> None:
    ring = np.array([[np.cos(k), np.sin(k)] for k in range(8)])
    places = np.concatenate([ring, np.full((COUNT - 8, 2), 2.0)])
    found = _laid_out(hand, places).walk("tsne", hand.mean, (0.0, 0.0)).reshape(-1)
    np.testing.assert_allclose(found, hand.latents[:8].mean(0), atol=1e-5)


def test_points_at_one_place_share_the_weight(hand: LatentMap) -> None:
    found = _laid_out(hand, np.array([[1, 1], [1, 1], [5, 5]])).walk("tsne", hand.mean, (1.0, 1.0))
    np.testing.assert_allclose(found.reshape(-1), hand.latents[:2].mean(0), atol=1e-5)


def test_a_latent_of_the_map_has_its_place_in_every_layout(hand: LatentMap) -> None:
    np.testing.assert_array_equal(hand.place_of("tsne", hand.latent(9)), hand.places["tsne"][9])
    np.testing.assert_allclose(hand.place_of("pca", hand.latent(9)), hand.places["pca"][9], atol=1e-5)
    np.testing.assert_array_equal(hand.place_of("tsne", hand.latents[9:10]), hand.places["tsne"][9])


def test_another_latent_lies_among_its_neighbours_in_a_tsne(hand: LatentMap) -> None:
    latent = 0.9 * hand.latents[4] + 0.1 * hand.latents[5]
    place = hand.place_of("tsne", latent)
    assert place.shape == (2,)
    away = np.linalg.norm(hand.latents - latent, axis=1)
    near = np.argsort(away)[:8]
    weights = 1 / away[near] / (1 / away[near]).sum()
    np.testing.assert_allclose(place, weights @ hand.places["tsne"][near], rtol=1e-4)


def test_a_lasso_holds_what_lies_inside_however_it_was_drawn(hand: LatentMap) -> None:
    places = np.array([[0.5, 0.5], [1.5, 0.5], [0.5, -0.5], [0.9, 0.9], [7, 7]])
    laid = _laid_out(hand, places)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    for corners in (square, square[::-1], np.roll(square, 1, axis=0), [*square.tolist(), [0, 0]]):
        assert laid.inside("tsne", corners).tolist() == [True, False, False, True, False]
    notched = [[0, 0], [1, 0], [1, 1], [0.8, 0.2], [0, 1]]
    assert laid.inside("tsne", notched).tolist() == [False, False, False, False, False]


def test_where_a_lasso_crosses_itself_even_and_odd_decide(hand: LatentMap) -> None:
    tips = 0.8 * PENTAGRAM
    laid = _laid_out(hand, np.concatenate([[[0, 0], [0, 2]], tips]))
    assert laid.inside("tsne", PENTAGRAM).tolist() == [False, False, *[True] * 5]
    bow = [[-1, -1], [1, 1], [1, -1], [-1, 1]]
    ends = _laid_out(hand, np.array([[-0.8, 0], [0.8, 0], [0, 0.8], [0, -0.8]]))
    assert ends.inside("tsne", bow).tolist() == [True, True, False, False]


@pytest.mark.parametrize("corners", [[], [[0, 0]], [[-99, -99], [99, 99]], [[0, 0], [5, 5], [9, 9]]])
def test_a_lasso_without_a_surface_holds_nothing(hand: LatentMap, corners: list[list[float]]) -> None:
    assert not hand.inside("tsne", corners).any()


def test_a_density_counts_every_image_once_where_it_lies(hand: LatentMap) -> None:
    density = hand.density("tsne", bins=32, sigma=0.0)
    assert density.values.shape == (32, 32)
    assert density.values.sum() == COUNT
    for x, y in hand.places["tsne"].tolist():
        side = (density.high[0] - density.low[0]) / 32
        assert density.values[int((y - density.low[1]) / side), int((x - density.low[0]) / side)] >= 1
    chosen = np.arange(COUNT) < 9
    part = hand.density("tsne", bins=32, sigma=0.0, chosen=chosen)
    assert part.values.sum() == 9
    assert (part.low, part.high) == (density.low, density.high), "a part is drawn over the whole"
    np.testing.assert_array_equal(hand.density("tsne", 32, 0.0, np.arange(9)).values, part.values)


def test_smoothing_a_density_spreads_it_and_loses_almost_nothing(hand: LatentMap) -> None:
    sharp, smooth = hand.density("tsne", 128, 0.0), hand.density("tsne", 128, 2.0)
    assert smooth.values.sum() == pytest.approx(COUNT, rel=0.01)
    assert smooth.values.max() < sharp.values.max() / 4
    assert (smooth.values > 0).sum() > 20 * (sharp.values > 0).sum()


def test_a_density_of_one_place_has_a_square_around_it(hand: LatentMap) -> None:
    density = _laid_out(hand, np.full((5, 2), 3.0)).density("tsne", 9, 0.0)
    assert density.values[4, 4] == 5
    assert density.low < (3.0, 3.0) < density.high


@pytest.mark.parametrize(("bins", "sigma"), [(1, 2.0), (2049, 2.0), (64, -1.0), (64, float("nan"))])
def test_a_density_that_cannot_be_is_refused(hand: LatentMap, bins: int, sigma: float) -> None:
    with pytest.raises(SettingsError, match="A density has 2 to 2,048 cells"):
        hand.density("pca", bins, sigma)


@pytest.mark.parametrize("shape", [(5,), (7,), (2, 4), (3, 5), (2, 6), (0,)])
def test_a_latent_of_another_size_is_refused(hand: LatentMap, shape: tuple[int, ...]) -> None:
    latent = np.zeros(shape)
    for layout in ("pca", "tsne"):
        with pytest.raises(SettingsError, match="another model"):
            hand.walk(layout, latent, (0, 0))
        with pytest.raises(SettingsError, match="another model"):
            hand.place_of(layout, latent)
    if shape != (2, 6):  # which is two latents
        with pytest.raises(SettingsError, match="6 numbers"):
            hand.project(latent)


def test_a_layout_that_is_not_there_is_named_with_those_that_are() -> None:
    without = hand_made_map(tsne=False)
    assert without.layouts == ("pca",)
    assert hand_made_map().layouts == ("pca", "tsne")
    with pytest.raises(SettingsError, match="no layout 'tsne'; it has pca"):
        without.walk("tsne", without.mean, (0, 0))
    with pytest.raises(SettingsError, match="no layout 'tsne'"):
        without.inside("tsne", [[0, 0], [1, 0], [1, 1]])


def test_labels_are_told_in_words(hand: LatentMap) -> None:
    assert hand.label_texts["glasses"][:4] == ("", "no", "yes", "")
    assert hand.label_texts["age"][3] == ""
    assert float(hand.label_texts["age"][0]) == pytest.approx(hand.labels["age"][0], rel=1e-5)
    assert hand.attribute("age").kind == "continuous"
    with pytest.raises(SettingsError, match="no attribute 'hat'; they have glasses, age"):
        hand.attribute("hat")


def test_maps_of_the_same_latents_know_each_other(hand: LatentMap) -> None:
    assert hand.same_latents(hand_made_map(tsne=False))
    others = replace(hand, info=hand.info.model_copy(update={"fingerprint": "0" * 64}))
    assert not hand.same_latents(others)
