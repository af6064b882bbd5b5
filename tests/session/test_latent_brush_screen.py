"""Painting on a latent without a window: steps, undo, sessions, programs that do it again, what leads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.operations.direction import unit_direction
from latentlab.operations.latent_brush import Strokes
from latentlab.operations.painting import Brush
from latentlab.session.document import AxisRef, Document, GridView
from latentlab.session.grid import GRID, Grid
from latentlab.session.intents import Intents
from latentlab.session.latent_brush import START, InkRef, LatentBrushIntents
from latentlab.session.python_code import explore_code
from latentlab.session.restore import restored
from latentlab.session.saved import read_session, session_json

BRUSH = Brush(6.0, 0.5)
WAY = [(6.0, 6.0), (20.126, 9.0), (24.0, 25.0)]
RED = InkRef("channel", "0")
UP = unit_direction("up", np.linspace(-1, 1, 192), 3.0)


@pytest.fixture
def grid_desk(desk, tiny_grid_folder: Path, small_faces):
    """A desk with the tiny spatial autoencoder open, and a face."""
    desk.workspace.open_checkpoint(str(tiny_grid_folder), "")
    desk.workspace.bring_pixels(small_faces[1], "a face")
    desk.wait(lambda: desk.workspace.phase == "ready" and desk.state.source is not None)
    return desk


@pytest.fixture
def intents(grid_desk) -> Intents:
    return Intents(grid_desk.workspace)


def paint(brush: LatentBrushIntents, ink: InkRef = RED, amount: float = 2.0, way=WAY) -> None:
    brush.begin(ink, way[0], BRUSH, amount)
    for place in way[1:]:
        brush.draw_to(place)
    brush.end()


def code_of(document: Document) -> str:
    assert document.checkpoint is not None
    assert document.explore is not None
    return explore_code(document.checkpoint, document.explore, document.threads)


def test_a_stroke_is_one_step_that_can_be_taken_back(grid_desk, intents) -> None:
    start, steps = grid_desk.state.latent, len(grid_desk.workspace.session.history)
    paint(intents.latent_brush)
    assert len(grid_desk.workspace.session.history) == steps + 1
    assert grid_desk.undo_name == "Paint Channel 0 on the latent"
    latent = grid_desk.state.latent
    assert (latent[0] != start[0]).any()
    np.testing.assert_array_equal(latent[1:], start[1:])
    assert grid_desk.state.drawn.strokes[0].places == ((6.0, 6.0), (20.13, 9.0), (24.0, 25.0))
    grid_desk.workspace.session.undo()
    assert grid_desk.state.latent is start
    assert grid_desk.state.drawn is None
    grid_desk.workspace.session.redo()
    np.testing.assert_array_equal(grid_desk.state.drawn.latent(), latent)


def test_the_eraser_brings_the_start_back(grid_desk, intents) -> None:
    start = grid_desk.state.latent
    paint(intents.latent_brush)
    intents.latent_brush.begin(START, (16.0, 16.0), Brush(100.0, 1.0), 1.0)
    intents.latent_brush.end()
    np.testing.assert_array_equal(grid_desk.state.latent, start)
    assert grid_desk.undo_name == "Erase from the latent"


def test_what_can_be_painted_with(grid_desk, intents) -> None:
    brush, channels = intents.latent_brush, [InkRef("channel", str(k)) for k in range(3)]
    assert brush.inks() == [*channels, START]
    intents.shelf.add_directions([UP])
    intents.shelf.pin(name="mine")
    assert brush.inks() == [InkRef("direction", "up"), InkRef("pin", "mine"), *channels, START]
    steps = len(grid_desk.workspace.session.history)
    paint(brush, InkRef("direction", "gone"))
    paint(brush, InkRef("pin", "gone"))
    assert len(grid_desk.workspace.session.history) == steps


def test_a_pin_is_mixed_in_where_the_brush_goes(grid_desk, intents) -> None:
    other = np.zeros((3, 8, 8), dtype=np.float32)
    intents.shelf.pin(other, "nothing")
    paint(intents.latent_brush, InkRef("pin", "nothing"), 1.0)
    assert (grid_desk.state.latent == 0.0).all(0).any()
    assert (grid_desk.state.latent == grid_desk.state.start).all(0).any()


def test_locked_entries_and_an_undo_amid_a_stroke(grid_desk, intents) -> None:
    intents.shelf.lock(range(64), True)
    paint(intents.latent_brush)
    assert not grid_desk.state.edited, "all of channel 0 is locked"
    intents.shelf.lock(range(64), False)
    intents.latent_brush.begin(RED, WAY[0], BRUSH, 1.0)
    grid_desk.workspace.session.undo()
    intents.latent_brush.draw_to(WAY[1])
    assert not grid_desk.state.edited, "the stroke is over"


def test_a_model_without_a_grid_offers_no_brush(desk, tiny_model_folder: Path) -> None:
    desk.workspace.open_checkpoint(str(tiny_model_folder), "")
    desk.wait(lambda: desk.workspace.phase == "ready")
    brush = Intents(desk.workspace).latent_brush
    assert not brush.offered
    assert brush.inks() == []
    paint(brush)
    assert not desk.state.edited


def test_the_program_paints_again_to_the_bit(grid_desk, intents) -> None:
    intents.shelf.add_directions([UP])
    intents.explore.move(100, 0.5)
    paint(intents.latent_brush, InkRef("direction", "up"), -1.25)
    paint(intents.latent_brush)
    grid_desk.wait_settled()
    frame = grid_desk.workspace.rendering.settled_frame
    code = code_of(grid_desk.workspace.session.document)
    assert code.count("LatentStroke(") == 2
    ran: dict[str, object] = {}
    exec(code, ran)
    np.testing.assert_array_equal(ran["picture"], frame.pixels[0][..., 2::-1])
    intents.explore.move(0, 0.5)
    assert "LatentStroke" not in code_of(grid_desk.workspace.session.document), "the numbers say it then"
    exec(code_of(grid_desk.workspace.session.document), ran)
    np.testing.assert_array_equal(ran["latent"], grid_desk.state.latent)
    paint(intents.latent_brush)
    assert len(grid_desk.state.drawn.strokes) == 1, "what was drawn before lies in the base"


def test_a_session_keeps_the_strokes(grid_desk, intents) -> None:
    paint(intents.latent_brush)
    paint(intents.latent_brush, START, 0.5)
    document, opened = grid_desk.workspace.session.document, grid_desk.workspace.opened
    saved = read_session(session_json(document, {}), "s")
    assert saved.left_out == ()
    state = restored(saved, opened, document.explore.source.encoded, document).document.explore
    np.testing.assert_array_equal(state.latent, document.explore.latent)
    assert state.drawn.strokes == document.explore.strokes.strokes
    other = opened.spec.model_copy(update={"latent_shape": (192,)})
    flat = restored(saved, replace(opened, spec=other), None, document)
    assert flat.document.explore.strokes is None
    assert "what was painted on the latent" in flat.left_out[0]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda s: s["strokes"][0].update(ink=5), "ink 5; there are 1"),
        (lambda s: s["strokes"][0].update(radius=0), "radius"),
        (lambda s: s["strokes"][0].update(places=[[1, 2, 3]]), "places"),
        (lambda s: s["inks"][0].update(values=[1.0]), "brush of 1 numbers"),
        (lambda s: s["inks"][0].update(kind="new"), "kind"),
        (lambda s: s.update(side=0), "side"),
        (lambda s: s.update(base="x"), "base"),
        (lambda s: s.update(strokes=[s["strokes"][0]] * 501), "more than 500 strokes"),
    ],
)
def test_damaged_strokes_are_left_out_and_the_latent_stays(grid_desk, intents, spoil, why: str) -> None:
    paint(intents.latent_brush)
    document = grid_desk.workspace.session.document
    data = json.loads(session_json(document, {}))
    spoil(data["explore"]["strokes"])
    saved = read_session(json.dumps(data), "s")
    assert saved.explore.strokes is None
    assert why in " ".join(saved.left_out)
    np.testing.assert_array_equal(saved.explore.latent, document.explore.latent)


def test_components_lead_grid_and_probe_of_a_latent_that_is_a_grid(grid_desk, intents) -> None:
    grid = Grid(grid_desk.workspace)
    grid.active = True
    assert (grid.plan, grid.refusal) == (None, GRID)
    intents.shelf.add_directions([UP], lead=True)
    assert grid.plan.row_labels == ("up",)
    shelf = grid_desk.workspace.session.document.shelf
    assert (shelf.grid.axes, shelf.probe.axis) == ((AxisRef(direction="up"),), AxisRef(direction="up"))
    intents.shelf.set_grid(GridView(axes=(AxisRef(3),)))
    intents.shelf.add_directions([UP], lead=True)
    assert grid_desk.workspace.session.document.shelf.grid.axes == (AxisRef(3),), "as it was set"


def test_strokes_begin_anew_after_many(grid_desk, intents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.session.latent_brush.MOST_STROKES", 2)
    for _ in range(3):
        paint(intents.latent_brush)
    strokes: Strokes = grid_desk.state.drawn
    assert len(strokes.strokes) == 1
    assert (strokes.base != grid_desk.state.start).any()
