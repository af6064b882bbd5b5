"""Counterfactuals are the explorer's own settled pictures, compared with the reconstruction and the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from latentlab.checkpoints import save
from latentlab.checkpoints.companion import load_model
from latentlab.data.avatars import list_avatars, make_avatars
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import open_image_set
from latentlab.data.true_counterfactuals import drawn_again, true_counterfactual
from latentlab.errors import Cancelled, SettingsError
from latentlab.metrics.labels import conditions
from latentlab.operations.captioned_sheet import CELL, Line, captioned_sheet
from latentlab.operations.counterfactual import (
    compared,
    counterfactual_page,
    counterfactuals,
    counterfactuals_in_set,
    counterfactuals_of_latent,
    encoded_as,
    page_positions,
    rearranged,
)
from latentlab.operations.counterfactual_figure import figure
from latentlab.operations.counterfactual_table import (
    counterfactual_record,
    counterfactual_rows,
    counterfactual_text,
    page_metrics,
)
from latentlab.operations.explore import Explorer
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute, ConditionSchema


@pytest.fixture(scope="module")
def explorer(tiny_cvae_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_cvae_folder, tiny_predictor_folder)


@pytest.fixture(scope="module")
def held_out(tiny_faces: ImageSet) -> ImageSet:
    return tiny_faces.split("test")


@pytest.fixture(scope="module")
def face(held_out: ImageSet) -> np.ndarray:
    return held_out.pixels([0])[0]


@pytest.fixture(scope="module")
def avatars(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    listed = list_avatars({"test": 4}, seed=4, styles=("lorelei",))
    return open_image_set(make_avatars(tmp_path_factory.mktemp("avatars") / "set", listed, 32, workers=1))


@pytest.fixture(scope="module")
def of_avatars(tiny_cvae_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Explorer:
    """The tiny CVAE with the same weights, its eight entries of the condition called otherwise."""
    opened = load_model(tiny_cvae_folder)
    schema = ConditionSchema(
        attributes=(
            Attribute(name="glasses", classes=("no", "yes")),
            Attribute(name="beard", classes=("no", "yes")),
            Attribute(name="skin", classes=("1", "2", "3", "4")),
        )
    )
    spec = opened.network.spec.model_copy(update={"condition": schema})
    config = opened.located.config.model_copy(update={"model": spec})
    return Explorer.open(save(tmp_path_factory.mktemp("models") / "avatars", opened.network, config), "")


def test_a_picture_is_encoded_as_it_is_predicted(explorer: Explorer, face: np.ndarray) -> None:
    seen = explorer.encode(face)
    said = explorer.attributes(seen.source)
    for name in ("gender", "race", "glasses"):
        where = explorer.spec.condition.slice(name)
        np.testing.assert_array_equal(seen.condition[where], np.eye(len(said[name]))[said[name].argmax()])
    np.testing.assert_array_equal(explorer.encode(face, seen.condition).latent, seen.latent)
    assert not np.array_equal(explorer.encode(face, 0 * seen.condition).latent, seen.latent)


def test_without_a_predictor_the_encoder_is_told_nothing(tiny_cvae_folder: Path, face: np.ndarray) -> None:
    seen = Explorer.open(tiny_cvae_folder, "").encode(face)
    np.testing.assert_array_equal(seen.condition, np.zeros(8, dtype=np.float32))


def test_an_unconditional_model_has_no_condition(tiny_model_folder: Path, face: np.ndarray) -> None:
    plain = Explorer.open(tiny_model_folder, "")
    assert plain.encode(face).condition is None
    assert plain.first_condition() is None
    assert plain.predicted_condition(face) is None


def test_a_condition_is_given_by_numbers_or_choices(explorer: Explorer) -> None:
    first = explorer.first_condition()
    assert first.tolist() == [1, 0, 1, 0, 0, 0, 1, 0]
    found = explorer.condition({"race": "black"}, first)
    assert found.tolist() == [1, 0, 0, 1, 0, 0, 1, 0]
    np.testing.assert_array_equal(explorer.condition(found.tolist()), found)
    assert explorer.condition({"gender": {"female": 0.5, "male": 0.5}}).tolist() == [0.5, 0.5, *[0] * 6]
    with pytest.raises(SettingsError, match="no class 'robot'"):
        explorer.condition({"gender": "robot"})


def test_a_conditional_model_draws_nothing_without_a_condition(explorer: Explorer) -> None:
    latent = explorer.draw(0)
    with pytest.raises(SettingsError, match="draws under a condition of gender, race, glasses"):
        explorer.picture(latent)
    with pytest.raises(SettingsError, match="has 8 numbers"):
        explorer.picture(latent, np.zeros(3, dtype=np.float32))


def test_a_row_is_the_explorers_own_pictures(explorer: Explorer, face: np.ndarray) -> None:
    found = counterfactuals(explorer, face, "race")
    seen = explorer.encode(face)
    np.testing.assert_array_equal(found.reconstruction, explorer.picture(seen.latent, seen.condition))
    assert [one.name for one in found.items] == ["race=asian", "race=black", "race=brown", "race=white"]
    assert [one.own for one in found.items].count(True) == 1
    for one in found.items:
        wanted = explorer.condition({"race": one.targets["race"]}, seen.condition)
        np.testing.assert_array_equal(one.condition, wanted)
        np.testing.assert_array_equal(one.picture, explorer.picture(seen.latent, wanted))
        for name, probabilities in explorer.attributes(one.picture).items():
            np.testing.assert_array_equal(one.attributes[name], probabilities)
        assert one.truth is None
    own = next(one for one in found.items if one.own)
    np.testing.assert_array_equal(own.picture, found.reconstruction)
    assert own.change.effect == 0.0
    assert own.change.share == 0.0
    assert own.change.leakage == 0.0


def test_either_side_can_be_told(explorer: Explorer, face: np.ndarray) -> None:
    seen = explorer.encode(face)
    for side in ("encoder", "both"):
        found = counterfactuals(explorer, face, "gender", side=side, scale=2.0)
        for one in found.items:
            told = explorer.encode(face, one.condition).latent
            drawn_as = seen.condition if side == "encoder" else one.condition
            np.testing.assert_array_equal(one.picture, explorer.picture(told, drawn_as))
        assert all(one.extrapolation for one in found.items)


def test_a_table_has_every_pair(explorer: Explorer, face: np.ndarray) -> None:
    found = counterfactuals(explorer, face, "gender", "glasses")
    assert len(found.items) == 4
    assert (found.plan.rows, found.plan.columns) == (2, 2)
    assert sum(one.own for one in found.items) == 1


def test_ones_own_condition_can_be_said(explorer: Explorer, face: np.ndarray) -> None:
    predicted = explorer.encode(face).condition
    found = counterfactuals(explorer, face, "gender", condition={"race": "white", "gender": "female"})
    wanted = explorer.condition({"race": "white", "gender": "female"}, predicted)
    np.testing.assert_array_equal(found.condition, wanted)
    assert found.items[0].own
    numbers = counterfactuals(explorer, face, "gender", condition=wanted)
    np.testing.assert_array_equal(numbers.items[1].picture, found.items[1].picture)
    assert encoded_as(explorer, face, {}).condition.tolist() == predicted.tolist()


def test_what_cannot_be_done_is_refused(
    explorer: Explorer, face: np.ndarray, tiny_model_folder: Path, held_out: ImageSet
) -> None:
    plain = Explorer.open(tiny_model_folder, "")
    blind = Explorer.open(explorer.located.path, "")
    for call, said in (
        (lambda: counterfactuals(plain, face, "gender"), "unconditional"),
        (lambda: counterfactuals(explorer, face, "hat"), "no attribute 'hat'"),
        (lambda: counterfactuals(explorer, face, "gender", side="left"), "not 'left'"),
        (lambda: counterfactuals(explorer, face, "gender", threshold=-1), "0 to 255"),
        (lambda: counterfactuals(explorer, face, "gender", condition={"race": "green"}), "no class 'green'"),
        (lambda: counterfactuals_in_set(explorer, held_out, 96, "gender"), "has 0 to 95"),
        (lambda: counterfactual_page(explorer, held_out, "gender", "robot"), "no class 'robot'"),
        (lambda: counterfactual_page(explorer, held_out, "gender", sort="size"), "not 'size'"),
        (lambda: counterfactual_page(blind, held_out, "gender", sort="effect"), "Without a predictor"),
        (lambda: page_positions(held_out, "gender", count=0), "0 were asked for"),
    ):
        with pytest.raises(SettingsError, match=said):
            call()


def test_a_page_flips_each_picture_to_its_next_class(explorer: Explorer, held_out: ImageSet) -> None:
    positions = page_positions(held_out, "race", count=6, seed=1)
    assert positions.tolist() == sorted(positions.tolist())
    page = counterfactual_page(explorer, held_out, "race", positions=positions)
    c, codes = conditions(explorer.spec.condition, held_out), held_out.codes("race")
    classes = explorer.spec.condition.attribute("race").classes
    assert page.positions.tolist() == positions.tolist()
    for case, position in zip(page.cases, positions.tolist(), strict=True):
        assert case.name == held_out.names[held_out.rows[position]]
        np.testing.assert_array_equal(case.condition, c[position])
        (one,) = case.items
        assert one.targets["race"] == classes[(codes[position] + 1) % 4]
        wanted = explorer.picture(explorer.encode(case.source, c[position]).latent, one.condition)
        np.testing.assert_array_equal(one.picture, wanted)


def test_a_page_put_in_another_order_is_as_if_made_so(explorer: Explorer, held_out: ImageSet) -> None:
    positions = np.arange(8)
    page = counterfactual_page(explorer, held_out, "gender", positions=positions, sort="effect")
    for sort, threshold in (("leakage", 2.0), ("set", 60.0), ("effect", None)):
        expected = counterfactual_page(
            explorer, held_out, "gender", positions=positions, sort=sort, threshold=threshold or 8.0
        )
        found = rearranged(page, sort, threshold)
        assert found.sort == sort
        assert found.positions.tolist() == expected.positions.tolist()
        for mine, theirs in zip(found.cases, expected.cases, strict=True):
            assert mine.threshold == theirs.threshold
            assert mine.items[0].change.share == theirs.items[0].change.share
            np.testing.assert_array_equal(mine.items[0].change.difference, theirs.items[0].change.difference)
    with pytest.raises(SettingsError, match="0 to 255"):
        rearranged(page, threshold=300.0)


def test_a_page_is_sorted_with_the_largest_first(explorer: Explorer, held_out: ImageSet) -> None:
    positions = np.arange(8)
    by = {
        sort: counterfactual_page(explorer, held_out, "gender", positions=positions, sort=sort)
        for sort in ("set", "effect", "leakage")
    }
    effects = [case.items[0].change.effect for case in by["effect"].cases]
    leakages = [case.items[0].change.leakage for case in by["leakage"].cases]
    assert effects == sorted(effects, reverse=True)
    assert leakages == sorted(leakages, reverse=True)
    assert by["set"].positions.tolist() == list(range(8))
    assert by["effect"].positions.tolist() != by["set"].positions.tolist()
    names = held_out.names[held_out.rows]
    for page in by.values():
        assert [case.name for case in page.cases] == [names[k] for k in page.positions.tolist()]


def test_pictures_that_have_the_class_already_are_not_chosen(held_out: ImageSet) -> None:
    positions = page_positions(held_out, "glasses", "yes", count=90)
    assert (held_out.codes("glasses")[positions] == 0).all()
    assert len(positions) == (held_out.codes("glasses") == 0).sum()
    assert not np.array_equal(
        page_positions(held_out, "glasses", count=9, seed=1), page_positions(held_out, "glasses", count=9)
    )


def test_what_the_set_does_not_know_is_as_predicted_else_left_out(
    explorer: Explorer, held_out: ImageSet, tiny_cvae_folder: Path
) -> None:
    labels = {**held_out.labels, "gender": np.full(len(held_out.images), -1)}
    unknown = ImageSet(
        held_out.info, held_out.images, labels, held_out.names, held_out.splits, held_out.rows[:3]
    )
    page = counterfactual_page(explorer, unknown, "gender")
    predicted = explorer.attributes(unknown.pixels([0])[0])["gender"].argmax()
    assert page.cases[0].condition[:2].argmax() == predicted
    blind = Explorer.open(tiny_cvae_folder, "")
    with pytest.raises(SettingsError, match="None of the pictures has a known class of 'gender'"):
        counterfactual_page(blind, unknown, "gender")
    assert len(counterfactual_page(blind, unknown, "gender", "male").cases) == 3
    some = ImageSet(
        held_out.info,
        held_out.images,
        {**held_out.labels, "gender": np.where(np.arange(len(labels["gender"])) == held_out.rows[1], -1, 0)},
        held_out.names,
        held_out.splits,
        held_out.rows[:3],
    )
    assert counterfactual_page(blind, some, "gender").left_out == 1


def test_it_reports_and_can_be_cancelled(explorer: Explorer, face: np.ndarray, held_out: ImageSet) -> None:
    events: list[Progress] = []
    counterfactuals(explorer, face, "gender", reporter=Reporter(events.append))
    assert [(event.done, event.total) for event in events] == [(1, 2), (2, 2)]
    reporter = Reporter(lambda event: reporter.cancel())
    with pytest.raises(Cancelled):
        counterfactual_page(explorer, held_out, "gender", positions=range(4), reporter=reporter)
    with pytest.raises(Cancelled):
        counterfactuals(explorer, face, "race", reporter=reporter)


def test_beside_each_stands_the_truth(of_avatars: Explorer, avatars: ImageSet) -> None:
    found = counterfactuals_in_set(of_avatars, avatars, 1, "glasses", "beard")
    for one in found.items:
        np.testing.assert_array_equal(one.truth.picture, drawn_again(avatars, 1, one.targets))
        changed = (one.truth.picture != found.source).any(-1)
        assert one.truth.pixels == changed.sum()
        if one.own:
            assert one.truth.error_255 is None
            continue
        away = np.abs(one.picture[changed].astype(float) - one.truth.picture[changed]).mean()
        unflipped = np.abs(found.reconstruction[changed].astype(float) - one.truth.picture[changed]).mean()
        assert one.truth.error_255 == pytest.approx(away)
        assert one.truth.unflipped_255 == pytest.approx(unflipped)
    page = counterfactual_page(of_avatars, avatars, "beard")
    for case, position in zip(page.cases, page.positions.tolist(), strict=True):
        label = case.items[0].targets["beard"]
        truth = true_counterfactual(avatars, position, "beard", label)
        np.testing.assert_array_equal(case.items[0].truth.picture, truth)


def test_the_truth_itself_has_no_error(avatars: ImageSet) -> None:
    source = avatars.pixels([0])[0]
    label = "no" if avatars.codes("glasses")[0] == 1 else "yes"
    truth = true_counterfactual(avatars, 0, "glasses", label)
    found = compared(source, source, truth, truth)
    assert found.error_255 == 0.0
    assert found.unflipped_255 > 0.0
    assert compared(source, source, truth, source).error_255 is None


def test_the_table_has_a_row_for_every_class(explorer: Explorer, face: np.ndarray) -> None:
    found = counterfactuals(explorer, face, "gender", scale=2.0, name="me")
    rows = counterfactual_rows(found)
    assert len(rows) == 2 * (2 + 4 + 2 + 2)
    first = rows[0]
    assert (first["picture"], first["counterfactual"]) == ("me", "gender=female x2")
    assert (first["attribute"], first["class"], first["asked"]) == ("gender", "female", 1)
    assert first["extrapolation"] == 1
    assert first["after"] - first["before"] == pytest.approx(first["effect"])
    assert first["error_255"] == ""
    assert "extrapolation" in counterfactual_text(found)
    record = counterfactual_record(found, "face.png", {"attribute": "gender"})
    assert record["command"] == "counterfactual"
    effect = record["metrics"]["effect.gender=female x2"]
    assert effect["value"] == found.items[0].change.effect
    assert len(record["settings"]["condition"]) == 8


def test_without_a_predictor_the_table_has_what_is_known(tiny_cvae_folder: Path, face: np.ndarray) -> None:
    found = counterfactuals(Explorer.open(tiny_cvae_folder, ""), face, "gender", condition={"gender": "male"})
    rows = counterfactual_rows(found)
    assert len(rows) == 2
    assert rows[0]["effect"] == ""
    assert rows[0]["changed_share"] > 0
    assert figure(found).width > 4 * CELL
    assert "points of probability" not in counterfactual_text(found)


def test_a_page_has_means_with_intervals(
    explorer: Explorer, held_out: ImageSet, of_avatars: Explorer, avatars: ImageSet
) -> None:
    page = counterfactual_page(explorer, held_out, "glasses", positions=np.arange(12))
    metrics = page_metrics(page)
    effects = [case.items[0].change.effect for case in page.cases]
    assert metrics["effect.glasses"]["value"] == pytest.approx(np.mean(effects))
    assert metrics["effect.glasses"]["low"] < np.mean(effects) < metrics["effect.glasses"]["high"]
    assert metrics["effect.glasses"]["n"] == 12
    assert page_metrics(page) == metrics
    assert "true_counterfactual_ratio.glasses" not in metrics
    record = counterfactual_record(page, "faces:test", {}, seed=3)
    assert list(record["groups"]) == [case.name for case in page.cases]
    assert record["seed"] == 3
    drawn = counterfactual_page(of_avatars, avatars, "beard")
    truths = [case.items[0].truth for case in drawn.cases]
    ratio = sum(t.error_255 * t.pixels for t in truths) / sum(t.unflipped_255 * t.pixels for t in truths)
    assert page_metrics(drawn)["true_counterfactual_ratio.beard"]["value"] == pytest.approx(ratio)


def test_the_figure_shows_every_picture(
    explorer: Explorer, face: np.ndarray, of_avatars: Explorer, avatars: ImageSet, held_out: ImageSet
) -> None:
    found = counterfactuals(explorer, face, "gender", scale=1.5)
    shown = np.array(figure(found))
    for picture in (found.source, found.reconstruction, *(one.picture for one in found.items)):
        assert _contains(shown, np.kron(picture, np.ones((4, 4, 1), dtype=np.uint8)))
    assert _contains(shown, np.kron(found.items[0].change.difference, np.ones((4, 4, 1), dtype=np.uint8)))
    with_truth = counterfactuals_in_set(of_avatars, avatars, 0, "glasses")
    truth = np.kron(with_truth.items[0].truth.picture, np.ones((4, 4, 1), dtype=np.uint8))
    assert _contains(np.array(figure(with_truth)), truth)
    page = counterfactual_page(explorer, held_out, "glasses", positions=np.arange(9), sort="leakage")
    shown = np.array(figure(page))
    for case in page.cases:
        assert _contains(shown, np.kron(case.items[0].picture, np.ones((4, 4, 1), dtype=np.uint8)))


def test_a_latent_that_was_made_from_no_picture_has_no_input(explorer: Explorer, face: np.ndarray) -> None:
    latent, own = explorer.draw(3), explorer.first_condition()
    found = counterfactuals_of_latent(explorer, latent, own, "gender")
    assert not found.has_source
    assert found.again == "edited", "it is no reconstruction of anything"
    assert {row["input"] for row in counterfactual_rows(found)} == {""}
    assert all(0.0 <= row["before"] <= 1.0 for row in counterfactual_rows(found))
    shown = figure(found)
    assert _contains(np.array(shown), np.kron(found.reconstruction, np.ones((4, 4, 1), dtype=np.uint8)))
    beside = counterfactuals_of_latent(explorer, latent, own, "gender", source=face)
    assert figure(beside).width > shown.width + CELL - 1, "the input has a column of its own"
    said = explorer.attributes(face)["gender"]
    assert [row["input"] for row in counterfactual_rows(beside)][:2] == pytest.approx(said.tolist())
    begun = counterfactuals_of_latent(explorer, latent, own, "gender", again="start")
    assert begun.again == "start"
    assert not np.array_equal(np.array(figure(begun)), np.array(shown)), "the figure says what it shows"
    assert counterfactuals(explorer, face, "gender").again == "reconstruction"


def test_a_sheet_with_captions_leaves_places_empty_and_shortens_words() -> None:
    red = np.zeros((64, 64, 3), dtype=np.uint8)
    red[..., 0] = 255
    image = captioned_sheet(
        [Line("first", [None, red], [[], ["a word that is far too long for such a small picture"]])],
        "Title",
        "A note. " * 40,
    )
    shown = np.array(image)
    assert (shown == (255, 0, 0)).all(-1).sum() == 128 * 128
    assert (shown[:, 0] == 255).all(), "the margin stays white"
    assert (shown[:, -1] == 255).all()


def _contains(sheet: np.ndarray, picture: np.ndarray) -> bool:
    """Whether a picture stands somewhere in a sheet."""
    size = picture.shape[0]
    corner = (sheet[: -size + 1, : -size + 1] == picture[0, 0]).all(-1)
    return any(
        np.array_equal(sheet[y : y + size, x : x + size], picture) for y, x in np.argwhere(corner).tolist()
    )
