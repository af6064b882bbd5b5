"""Painting on the input without a window: steps, what the encoder makes of them, sessions, other models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.data.pictures import square_picture
from latentlab.operations.explore import Explorer
from latentlab.operations.painting import Brush, Region, erase, move, stroke
from latentlab.operations.project import project
from latentlab.session.document import ProjectionView
from latentlab.session.intents import Intents
from latentlab.session.painting import PaintIntents
from latentlab.session.projection import LiveProjections, ProjectionMaker
from latentlab.session.projection_code import projection_code
from latentlab.session.saved import load_session, session_json

RED, HARD = (220, 20, 20), Brush(4.0, 1.0)
WAY = [(6.0, 6.0), (20.0, 9.0), (24.0, 25.0)]


@pytest.fixture
def style_desk(desk, tiny_cinn_folder: Path, tiny_judge_folder: Path, small_faces):
    """A desk with the tiny cINN open, and a face that is larger than the model sees it."""
    desk.workspace.open_checkpoint(str(tiny_cinn_folder), str(tiny_judge_folder))
    large = np.array(Image.fromarray(small_faces[1]).resize((200, 96)))
    desk.workspace.bring_pixels(large, "a face")
    desk.wait(lambda: desk.workspace.phase == "ready")
    return desk


@pytest.fixture
def explorer(tiny_cinn_folder: Path, tiny_judge_folder: Path) -> Explorer:
    return Explorer.open(tiny_cinn_folder, tiny_judge_folder)


@pytest.fixture
def intents(style_desk) -> Intents:
    return Intents(style_desk.workspace)


@pytest.fixture
def painting(intents) -> PaintIntents:
    return intents.painting


@pytest.fixture
def live(style_desk):
    maker = ProjectionMaker(style_desk.workspace)
    live = LiveProjections(style_desk.workspace, maker)
    live.active = True
    yield live
    maker.close()


def draw(painting: PaintIntents, tool="brush", way=WAY, brush=HARD, colour=RED) -> None:
    painting.begin(tool, way[0], brush, colour)
    for place in way[1:]:
        painting.draw_to(place)
    painting.end()


def wait_encoded(desk) -> None:
    desk.wait(lambda: not desk.state.source.pending and not desk.workspace.painted.waiting)


def wait_live(desk, live: LiveProjections) -> None:
    desk.wait(lambda: live.found is not None and not live.waiting and not desk.state.source.pending)


def test_a_stroke_is_one_step_and_the_encoder_follows(style_desk, painting, explorer, small_faces) -> None:
    desk = style_desk
    before, seen = desk.workspace.session.document, desk.state.source.seen
    assert not painting.painted
    steps = len(desk.workspace.session.history)
    draw(painting)
    painted = desk.state.source.painted
    np.testing.assert_array_equal(painted, stroke(seen, WAY, HARD, RED))
    assert (painted == RED).all(axis=2).sum() > 100
    assert desk.undo_name == "Paint"
    assert len(desk.workspace.session.history) == steps + 1
    assert painting.painted
    assert desk.state.source.pending
    assert desk.state.origin == "a face, painted"
    wait_encoded(desk)
    assert len(desk.workspace.session.history) == steps + 1, "what is made of it is no step"
    encoded = explorer.encode(painted)
    np.testing.assert_array_equal(desk.state.start, encoded.latent)
    np.testing.assert_array_equal(desk.state.latent, encoded.latent)
    assert not np.array_equal(encoded.latent, before.explore.latent)
    np.testing.assert_array_equal(desk.state.source.encoded.source, painted)
    assert not desk.state.edited
    desk.workspace.session.undo()
    assert desk.workspace.session.document is before
    desk.workspace.session.redo()
    np.testing.assert_array_equal(desk.state.latent, encoded.latent)
    assert not desk.state.source.pending


def test_edits_of_the_latent_stay_and_a_condition_that_was_edited_too(style_desk, painting, intents) -> None:
    desk = style_desk
    spec = desk.workspace.opened.spec
    intents.explore.move(2, 3.0)
    edit = desk.state.latent - desk.state.start
    other = int(1 - desk.state.condition[spec.condition.slice("style")].argmax() % 2)
    name = spec.condition.attributes[0].classes[other]
    intents.condition.choose(spec, "style", name)
    chosen = desk.state.condition
    draw(painting)
    wait_encoded(desk)
    np.testing.assert_allclose(desk.state.latent - desk.state.start, edit, atol=1e-6)
    assert desk.state.condition is chosen
    assert desk.state.edited


def test_quick_strokes_are_steps_each_and_all_are_encoded_when_one_comes_back_to_them(
    style_desk, painting, explorer
) -> None:
    desk, session = style_desk, style_desk.workspace.session
    for k in range(3):
        draw(painting, way=[(4.0 + 9 * k, 12.0)], colour=(0, 80 * k, 200))
    last = desk.state.source.painted
    wait_encoded(desk)
    np.testing.assert_array_equal(desk.state.start, explorer.encode(last).latent)
    session.undo()
    middle = desk.state.source.painted
    assert middle is not last
    wait_encoded(desk)
    np.testing.assert_array_equal(desk.state.start, explorer.encode(middle).latent)
    session.undo()
    session.undo()
    assert desk.state.source.painted is None
    session.redo()
    wait_encoded(desk)
    np.testing.assert_array_equal(desk.state.start, explorer.encode(desk.state.source.painted).latent)


def test_the_eraser_brings_the_original_back_and_reset_all_of_it(style_desk, painting, small_faces) -> None:
    desk = style_desk
    original = desk.state.source.seen
    expected = square_picture(desk.state.source.picture, 32)
    np.testing.assert_array_equal(original, expected)
    draw(painting)
    wide = Brush(9.0, 1.0)
    draw(painting, "eraser", [(24.0, 24.0)], wide)
    assert desk.undo_name == "Erase"
    painted = desk.workspace.session.history
    assert len(painted) > 1
    now = desk.state.source.painted
    drawn = stroke(original, WAY, HARD, RED)
    np.testing.assert_array_equal(now, erase(drawn, [(24.0, 24.0)], wide, original))
    rows, columns = slice(18, 31), slice(18, 31)
    np.testing.assert_array_equal(now[rows, columns][3:9, 3:9], original[rows, columns][3:9, 3:9])
    assert not np.array_equal(now, original)
    draw(painting, "eraser", [(0.0, 0.0), (32.0, 32.0)], Brush(40.0, 1.0))
    np.testing.assert_array_equal(desk.state.source.painted, original)
    desk.workspace.session.undo()
    painting.reset()
    desk.wait(lambda: desk.state.source.painted is None)
    assert desk.undo_name == "Reset input"
    assert not painting.painted
    np.testing.assert_array_equal(desk.state.source.seen, original)
    desk.workspace.session.undo()
    np.testing.assert_array_equal(desk.state.source.painted, now)
    wait_encoded(desk)
    painting.reset()
    desk.workspace.session.undo()
    desk.wait(lambda: not desk.workspace.busy)


def test_blur_leaves_what_is_elsewhere(style_desk, painting) -> None:
    desk = style_desk
    before = desk.state.source.seen.astype(int)
    draw(painting, "blur", [(16.0, 16.0)], Brush(5.0, 0.5))
    assert desk.undo_name == "Blur"
    after = desk.state.source.painted.astype(int)
    changed = np.abs(after - before).max(axis=2) > 0
    assert changed.any()
    y, x = np.nonzero(changed)
    assert np.hypot(x + 0.5 - 16, y + 0.5 - 16).max() <= 5.5

    def rough(picture) -> float:
        inside = picture[13:19, 13:19]
        return np.abs(np.diff(inside, axis=0)).mean() + np.abs(np.diff(inside, axis=1)).mean()

    assert rough(after) < rough(before)


def test_a_part_is_moved_on_without_eating_what_it_passes(style_desk, painting) -> None:
    desk = style_desk
    seen, region = desk.state.source.seen, Region(8, 8, 14, 15)
    painting.take_up(region)
    for step in range(1, 5):
        painting.carry_to(step, 0)
    painting.end()
    assert desk.undo_name == "Move"
    np.testing.assert_array_equal(desk.state.source.painted, move(seen, region, 4, 0))
    np.testing.assert_array_equal(desk.state.source.painted[8:15, 12:18], seen[8:15, 8:14])
    steps = len(desk.workspace.session.history)
    for _ in range(3):
        painting.nudge(region.moved(4, 0), 0, 1)
        region = region.moved(0, 1)
    assert len(desk.workspace.session.history) == steps + 1
    np.testing.assert_array_equal(desk.state.source.painted, move(seen, Region(8, 8, 14, 15), 4, 3))
    painting.take_up(region.moved(4, 0))
    painting.carry_to(-4, -3)
    painting.end()
    np.testing.assert_array_equal(desk.state.source.painted, seen)
    desk.workspace.session.undo()
    painting.take_up(Region(0, 0, 5, 5))
    painting.end()
    assert desk.undo_name == "Move"
    assert len(desk.workspace.session.history) == steps + 1, "what was put down where it was is no step"


def test_a_stroke_is_over_when_something_takes_the_picture_away(style_desk, painting, small_faces) -> None:
    desk = style_desk
    painting.begin("brush", (5.0, 5.0), HARD, RED)
    assert painting.drawing
    desk.workspace.session.undo()
    assert desk.state.source.painted is None
    painting.draw_to((20.0, 20.0))
    assert not painting.drawing
    painting.end()
    assert desk.state.source.painted is None
    painting.begin("brush", (5.0, 5.0), HARD, RED)
    desk.workspace.bring_pixels(small_faces[4], "another")
    desk.wait(lambda: desk.state.source.name == "another")
    painting.draw_to((20.0, 20.0))
    painting.end()
    np.testing.assert_array_equal(desk.state.source.seen, small_faces[4])
    assert desk.undo_name == "Open picture another"


def test_without_a_picture_nothing_is_painted(style_desk, painting, intents) -> None:
    intents.explore.randomise(style_desk.workspace.opened.spec, 4)
    before = style_desk.workspace.session.document
    draw(painting)
    painting.nudge(Region(0, 0, 4, 4), 1, 1)
    painting.take_up(Region(0, 0, 4, 4))
    painting.end()
    painting.reset()
    assert style_desk.workspace.session.document is before
    assert painting.original() is None


# What follows


def test_projections_follow_while_it_is_drawn_and_settle_to_those_of_the_painting(
    style_desk, live, painting, explorer
) -> None:
    desk = style_desk
    wait_live(desk, live)
    before, seen = live.found, []
    live.arrived.connect(lambda found: seen.append(found.source.painted))
    painting.begin("brush", WAY[0], HARD, RED)
    desk.wait(lambda: seen)
    assert live.found is not before
    for k in range(30):
        painting.draw_to((6.0 + k / 2, 6.0 + k / 3))
        if k % 10 == 9:
            arrived = len(seen)
            desk.wait(lambda arrived=arrived: len(seen) > arrived)
    assert painting.drawing
    assert live.found is not None
    assert len(seen) < 32, "what nobody would see is left out"
    painting.end()
    wait_live(desk, live)
    expected = project(explorer, desk.state.source.painted)
    assert live.found.plan.dataset == expected.source_dataset
    np.testing.assert_allclose(live.found.latent, expected.latent, atol=1e-4)
    for k, item in enumerate(expected.items):
        assert np.abs(live.found.pixels[k][..., 2::-1].astype(int) - item.picture).max() <= 6
    assert not np.array_equal(live.found.pixels, before.pixels)


def test_a_dataset_that_is_guessed_by_likelihood_holds_while_it_is_guessed_anew(
    desk, tiny_cinn_folder: Path, small_faces
) -> None:
    desk.workspace.open_checkpoint(str(tiny_cinn_folder), "")
    desk.workspace.bring_pixels(small_faces[1], "a face")
    desk.wait(lambda: desk.workspace.phase == "ready")
    maker = ProjectionMaker(desk.workspace)
    try:
        live = LiveProjections(desk.workspace, maker)
        live.active = True
        wait_live(desk, live)
        told: list[object] = []
        live.planned.connect(told.append)
        guessed: list[object] = []
        plain = maker.guess
        maker.guess = lambda picture, then: (guessed.append(picture), plain(picture, then))
        painting = Intents(desk.workspace).painting
        draw(painting)
        wait_live(desk, live)
        painted = desk.state.source.painted
        desk.wait(lambda: live._guess._guessed[1].painted is painted and guessed)
        desk.wait(lambda: live._guess._guessed[1].encoded.source is painted or not desk.workspace.busy)
        assert told
        assert not any(isinstance(one, str) for one in told), "no message takes the pictures' place"
        np.testing.assert_array_equal(guessed[-1], painted)
    finally:
        maker.close()


@pytest.mark.parametrize("settled", [True, False])
def test_a_session_brings_the_painting_back_to_the_bit(
    style_desk, painting, explorer, tmp_path: Path, settled: bool
) -> None:
    desk = style_desk
    painting._workspace.explore.move(1, 2.0)
    edit = desk.state.latent - desk.state.start
    draw(painting)
    if settled:
        wait_encoded(desk)
    document = desk.workspace.session.document
    painted = document.explore.source.painted
    path = tmp_path / "session.json"
    path.write_text(session_json(document, {}), encoding="utf-8")
    wait_encoded(desk)
    latent = desk.state.latent
    saved = load_session(path)
    assert saved.left_out == ()
    np.testing.assert_array_equal(saved.source.painted, painted)
    assert saved.source.pending is not settled
    desk.workspace.session.undo()
    opened: list[object] = []
    desk.workspace.session_opened.connect(opened.append)
    desk.workspace.open_session(path)
    desk.wait(lambda: opened)
    assert desk.messages == []
    np.testing.assert_array_equal(desk.state.source.painted, painted)
    np.testing.assert_array_equal(desk.state.source.picture, document.explore.source.picture)
    np.testing.assert_array_equal(desk.state.latent, latent)
    np.testing.assert_allclose(desk.state.latent - desk.state.start, edit, atol=1e-6)
    assert not desk.state.source.pending
    again = Intents(desk.workspace).painting
    np.testing.assert_array_equal(again.original(), square_picture(desk.state.source.picture, 32))


def test_a_damaged_painting_is_left_out_and_the_picture_stays(style_desk, painting, tmp_path: Path) -> None:
    draw(painting)
    text = session_json(style_desk.workspace.session.document, {})
    start = text.index('"painted": "') + len('"painted": "')
    path = tmp_path / "session.json"
    path.write_text(text[:start] + "AAAA" + text[text.index('"', start) :], encoding="utf-8")
    saved = load_session(path)
    assert saved.source.painted is None
    assert not saved.source.pending
    assert "what was painted on the picture a face" in saved.left_out[0]


def test_another_model_encodes_the_painting(
    style_desk, painting, tiny_model_folder: Path, tiny_predictor_folder: Path
) -> None:
    desk = style_desk
    draw(painting)
    wait_encoded(desk)
    painted = desk.state.source.painted
    desk.workspace.open_checkpoint(str(tiny_model_folder), str(tiny_predictor_folder))
    desk.wait(lambda: desk.workspace.opened.name == "tiny-vae" and desk.workspace.in_step)
    assert desk.state.source.painted is painted
    expected = Explorer.open(tiny_model_folder, tiny_predictor_folder).encode(painted)
    np.testing.assert_array_equal(desk.state.start, expected.latent)
    desk.workspace.session.undo()
    desk.wait(lambda: desk.workspace.opened.name == "tiny-cinn" and desk.workspace.in_step)
    assert desk.state.source.painted is painted


def test_a_painting_for_another_size_is_resized_and_painted_on_at_the_new_one(
    style_desk, painting, monkeypatch
) -> None:
    from dataclasses import replace

    desk = style_desk
    draw(painting)
    wait_encoded(desk)
    source = desk.state.source
    smaller = replace(source.encoded, source=square_picture(source.painted, 16))
    state = replace(desk.state, source=replace(source, encoded=smaller))
    desk.workspace.session.change("other size", replace(desk.workspace.session.document, explore=state))
    assert desk.state.source.seen.shape == (16, 16, 3)
    assert painting.original().shape == (16, 16, 3)
    draw(painting, way=[(8.0, 8.0)], brush=Brush(2.0, 1.0))
    assert desk.state.source.painted.shape == (16, 16, 3)


def test_the_program_has_the_painting_in_it(style_desk, painting, intents, tmp_path, monkeypatch) -> None:
    desk = style_desk
    intents.shelf.set_projection(ProjectionView("tiles", 0.3))
    draw(painting)
    maker = ProjectionMaker(desk.workspace)
    found: list[object] = []
    maker.make(found.append)
    desk.wait(lambda: found)
    maker.close()
    np.testing.assert_array_equal(found[0].source, desk.state.source.painted)
    assert found[0].name == "a face, painted"
    code = projection_code(desk.workspace.session.document, desk.workspace.opened.spec.condition)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(code, "copied", "exec"), names)
    np.testing.assert_array_equal(names["found"].source, desk.state.source.painted)
    for mine, theirs in zip(names["found"].items, found[0].items, strict=True):
        np.testing.assert_array_equal(mine.picture, theirs.picture)


def test_a_painting_that_cannot_be_encoded_is_said_once(style_desk, painting, monkeypatch) -> None:
    desk = style_desk
    asked: list[object] = []
    plain = desk.workspace.painted._encode

    def refuse(source, told):
        asked.append(source)
        wrong = np.zeros(3, dtype=np.float32)  # no condition of the model's
        return plain(source, wrong)

    monkeypatch.setattr(desk.workspace.painted, "_encode", refuse)
    draw(painting)
    desk.wait(lambda: desk.messages)
    desk.workspace.explore.move(0, 1.0)
    assert len(asked) == 1
    assert len(desk.messages) == 1
    assert desk.messages[0].kind == "error"
    assert desk.state.source.pending
