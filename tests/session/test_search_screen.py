"""The Search screen's work without a window: what is asked, the search itself, its film, mix and program."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.operations.search_plan import NOTE, UNDER
from latentlab.session.document import SearchView
from latentlab.session.saved import read_session, session_json
from latentlab.session.search_code import search_code
from latentlab.session.search_drawing import blank, fill, line, resampled
from latentlab.session.search_film import MOST_FRAMES, Recording, SearchFrame, every
from latentlab.session.search_intents import SearchIntents
from latentlab.session.search_mix import assumed_of, beside_of
from latentlab.session.search_row import own_row
from latentlab.session.search_target import NO_PICTURE, TargetMaker
from latentlab.session.search_wanted import factor_of, factors, no_search, search_wanted
from latentlab.session.search_work import SearchWork


class Search:
    """A desk with a search on it, and what a test does with it."""

    def __init__(self, desk) -> None:
        self.desk, self.workspace = desk, desk.workspace
        self.intents = SearchIntents(desk.workspace.session)
        self.targets, self.work = TargetMaker(desk.workspace), SearchWork(desk.workspace)
        self.targets.active = True

    def wait(self, reached) -> None:
        self.desk.wait(reached)

    @property
    def wanted(self):
        return search_wanted(self.workspace.session.document, self.workspace.opened.spec)

    def prepare(self):
        self.wait(lambda: not self.targets.waiting)
        assert self.targets.found is not None, self.targets.refusal
        return self.targets.found

    def start(self, **changes: object) -> None:
        """Set the search, and begin it."""
        self.intents.change(**changes)
        self.work.start(self.wanted, self.prepare())

    def end(self):
        """Wait until the search is over, and return what was found."""
        self.wait(lambda: not self.work.underway)
        assert self.work.phase != "failed", self.work.message
        return self.work.found

    def close(self) -> None:
        self.targets.close()
        self.work.close()


@pytest.fixture
def search(open_desk, small_faces):
    open_desk.workspace.bring_pixels(small_faces[0], "Face 12")
    open_desk.wait(lambda: open_desk.state.source is not None)
    search = Search(open_desk)
    search.intents.change(restarts=3, steps=12, factor=8)
    yield search
    search.close()


@pytest.fixture
def told(told_desk):
    search = Search(told_desk)
    search.intents.change(restarts=2, steps=6, factor=8)
    yield search
    search.close()


def program(text: str, tmp_path: Path, monkeypatch) -> dict[str, object]:
    """Run a copied program in a folder of its own, and return its names."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(text, "copied", "exec"), names)
    return names


# What is asked


def test_the_factors_are_those_that_the_model_allows() -> None:
    assert factors(32) == (2, 4, 8, 16, 32)
    assert factor_of(SearchView(factor=8), 32) == 8
    assert factor_of(SearchView(factor=8), 12) == 6, "the nearest, where it does not divide"


def test_the_small_picture_follows_picture_and_settings(search) -> None:
    first = search.prepare()
    assert first.target.small.shape == (4, 4, 3)
    assert first.given == "full"
    assert first.row["race"] == "black", "the sample is row 12 of the test faces"
    search.intents.set_factor(4, 32)
    search.intents.change(kind="luminance", exposure=0.25)
    second = search.prepare()
    assert second.target.small.shape == (8, 8, 1)
    assert any("xposure" in note for note in second.target.notes)
    assert second.eps.value > 0.0
    search.intents.change(eps=0.5)
    assert search.prepare().eps.value == 0.5
    before = search.targets.found
    search.intents.change(steps=13)
    assert search.targets.found is before, "what is not looked at makes nothing anew"


@pytest.mark.parametrize("shape", [(200, 300), (5, 3)])
def test_any_size_can_be_searched_for_and_what_is_done_with_it_is_said(search, shape) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    search.intents.bring("mine.png", pixels)
    prepared = search.prepare()
    assert prepared.target.small.shape == (4, 4, 3)
    assert prepared.given == ("full" if shape[0] > 4 and shape[1] > 4 else "small")
    assert any("larger" in note or "small picture" in note for note in prepared.target.notes)


def test_a_picture_of_one_colour_is_refused_in_words(search) -> None:
    search.intents.draw(blank(4))
    search.wait(lambda: not search.targets.waiting)
    assert "one colour only" in search.targets.refusal
    search.intents.forget_own()
    assert search.prepare().target.name == "Face 12"


def test_without_a_picture_it_is_said_what_to_do(open_desk) -> None:
    search = Search(open_desk)
    assert search.targets.refusal == NO_PICTURE
    search.close()


def test_a_model_that_cannot_be_searched_says_why(open_desk) -> None:
    spec = open_desk.workspace.opened.spec
    assert no_search(spec, "m") == ""
    other = spec.model_copy(update={"prior": "other"})
    assert "not standard normal" in no_search(other, "m")
    for ability in ("sample", "search"):
        assert "broken" in no_search(spec.model_copy(update={"cannot": {ability: "It is broken."}}), "m")


# A search


def test_a_search_shows_its_steps_and_finds_a_set(search, tmp_path, monkeypatch) -> None:
    moments = []
    search.work.moved.connect(moments.append)
    search.start(eps=1e-6)
    assert search.work.underway
    found = search.end()
    assert search.work.phase == "done"
    assert moments[-1].frame.pictures.shape == (3, 32, 32, 3)
    assert moments[-1].frame.reduced.shape == (3, 4, 4, 3)
    assert found.trace.distances.shape == (12, 3)
    np.testing.assert_array_equal(found.trace.steps, np.arange(1, 13))
    assert [leg.made for leg in found.legs] == [12]
    assert moments[0].frame.attributes["race"].shape == (3, 4), "judged on its way too"
    last = found.frames[-1]
    assert last.settled
    np.testing.assert_array_equal(last.attributes["race"][0], found.found.restarts[0].attributes["race"])
    np.testing.assert_array_equal(last.pictures, [one.pixels for one in found.found.restarts])
    assert len(found.frames) == 13
    assert set(found.mixes) == {"gender", "race", "glasses", "facial_hair"}
    assert found.mixes["race"].count == len(found.found.under) == 0
    row = found.mixes["race"].rows[0]
    assert (row.share, row.low, row.high) == (0.0, 0.0, 1.0), "of nothing nothing is known"
    names = program(
        search_code(search.workspace.session.document, found.wanted, found.prepared, found.legs),
        tmp_path,
        monkeypatch,
    )
    again = names["found"]
    for one, two in zip(found.found.restarts, again.restarts, strict=True):
        np.testing.assert_array_equal(one.picture, two.picture)
        np.testing.assert_array_equal(one.latent, two.latent)
    assert (tmp_path / "search.png").is_file()


def test_it_goes_on_where_it_stands_and_the_program_knows(search, tmp_path, monkeypatch) -> None:
    search.start(eps=1e-6)
    first = search.end()
    assert first.can_go_on
    search.work.go_on(5)
    assert search.work.phase == "running"
    found = search.end()
    assert [(leg.asked, leg.made) for leg in found.legs] == [(12, 12), (5, 5)]
    assert found.frames[-1].step == 17
    assert [one.settled for one in found.frames].count(True) == 1
    pairs = zip(first.found.restarts, found.found.restarts, strict=True)
    assert all(new.distance <= old.distance for old, new in pairs), "the best is kept"
    text = search_code(search.workspace.session.document, found.wanted, found.prepared, found.legs)
    again = program(text, tmp_path, monkeypatch)["found"]
    assert [one.distance for one in again.restarts] == [one.distance for one in found.found.restarts]


def test_it_is_held_let_go_and_stopped_and_what_was_found_stays(search, tmp_path, monkeypatch) -> None:
    search.intents.change(eps=1e-6, steps=5000)
    search.start()
    search.wait(lambda: search.work.moment is not None)
    search.work.hold(True)
    assert search.work.paused
    search.wait(lambda: not search.work._slot)
    made = search.work._run.search.search.made
    search.work.hold(False)
    search.wait(lambda: search.work._run.search.search.made > made)
    search.work.hold(True)
    search.work.stop()
    found = search.end()
    assert search.work.phase == "stopped"
    assert not search.work.paused
    (leg,) = found.legs
    assert leg.stopped
    assert 0 < leg.made < 5000
    assert found.found.best.distance == min(one.distance for one in found.found.restarts)
    text = search_code(search.workspace.session.document, found.wanted, found.prepared, found.legs)
    again = program(text, tmp_path, monkeypatch)["found"]
    assert [one.distance for one in again.restarts] == [one.distance for one in found.found.restarts]


def test_the_newest_wish_wins(search) -> None:
    search.start(eps=1e-6, steps=5000)
    search.wait(lambda: search.work.moment is not None)
    search.intents.change(steps=4, seed=7)
    search.work.start(search.wanted, search.prepare())
    found = search.end()
    assert [one.seed for one in found.found.restarts] == [7, 8, 9]
    assert found.frames[0].steps == 4
    assert search.work.moment.frame is found.frames[-1]


def test_what_is_near_enough_is_counted_and_compared(search) -> None:
    search.start(eps=1.0)
    found = search.end()
    assert all(one.found.status == UNDER for one in found.found.restarts)
    assert not found.can_go_on
    mix = found.mixes["gender"]
    assert sum(row.count for row in mix.rows) == mix.count == 3
    assert all(row.low <= row.share <= row.high for row in mix.rows)
    classes = tuple(row.label for row in mix.rows)
    view, row = SearchView(beside="row"), found.prepared.row
    assert beside_of(view, "gender", classes, {}, row) == {"female": 0.0, "male": 1.0}
    seen = search.desk.state.source.encoded.source_attributes
    assert sum(beside_of(SearchView(), "gender", classes, seen, {}).values()) == pytest.approx(1.0)
    assert beside_of(SearchView(beside="row"), "gender", classes, seen, {}) == {}
    mine = SearchView(beside="assumed", assumed=(("gender", (0.9, 0.1)),))
    assert beside_of(mine, "gender", classes, {}, {}) == {"female": 0.9, "male": 0.1}
    assert assumed_of(mine, "race", ("a", "b")) == {"a": 0.5, "b": 0.5}


def test_the_posterior_is_sampled_and_says_how_well(search, tmp_path, monkeypatch) -> None:
    moments = []
    search.work.moved.connect(moments.append)
    search.start(posterior=True, restarts=2, steps=12, leaps=1, temperature=50.0)
    found = search.end()
    assert found.found.sampling.chains == 2
    assert found.legs == ()
    assert moments[0].frame.temperature > 1.0
    assert moments[0].frame.pictures.shape == (2, 32, 32, 3)
    assert not found.can_go_on
    mix = found.mixes["gender"]
    assert mix.count == len(found.found.restarts) == 8
    assert 1.0 <= mix.worth <= 8.0
    text = search_code(search.workspace.session.document, found.wanted, found.prepared, found.legs)
    again = program(text, tmp_path, monkeypatch)["found"]
    assert [one.distance for one in again.restarts] == [one.distance for one in found.found.restarts]
    search.start(steps=4000)
    search.wait(lambda: search.work.moment is not None)
    search.work.stop()
    assert search.end().found is None
    assert search.work.moment is not None


def test_a_decoder_without_gradients_is_told(search, monkeypatch) -> None:
    from latentlab.operations.search_unknowns import Unknowns

    drawn = Unknowns.draw

    def plain(self, v):
        return drawn(self, v.detach())

    monkeypatch.setattr(Unknowns, "draw", plain)
    search.start()
    search.wait(lambda: not search.work.underway)
    assert search.work.phase == "failed"
    assert "no gradient" in search.work.message


def test_conditions_are_searched_for_too_or_fixed(told, tmp_path, monkeypatch) -> None:
    assert told.wanted.free == ("gender", "race", "glasses")
    told.start(fixed=(("gender", "male"),), eps=1e-6)
    assert told.wanted.free == ("race", "glasses")
    found = told.end()
    best = found.found.best
    assert best.found.condition[:2].tolist() == [0.0, 1.0]
    text = search_code(told.workspace.session.document, found.wanted, found.prepared, found.legs)
    again = program(text, tmp_path, monkeypatch)["found"]
    np.testing.assert_array_equal(again.best.picture, best.picture)
    assert told.intents.take(best.latent, best.found.condition, best.seed)
    np.testing.assert_array_equal(told.desk.state.condition, best.found.condition)
    np.testing.assert_array_equal(told.desk.state.latent, best.latent)
    assert told.desk.state.source is not None, "the picture stays"
    assert told.desk.undo_name == f"Take what seed {best.seed} found"
    assert NOTE in told.desk.messages[-1].text


def test_a_cinn_draws_the_dataset_of_explore_or_another(desk, tiny_cinn_folder) -> None:
    desk.workspace.open_checkpoint(str(tiny_cinn_folder), "")
    desk.wait(lambda: desk.workspace.phase == "ready")
    search = Search(desk)
    drawing = line(blank(4), (0.5, 0.5), (3.5, 2.5), (255, 0, 0))
    search.intents.draw(drawing)
    search.start(restarts=2, steps=3, factor=8)
    assert search.wanted.free == ()
    assert search.wanted.condition[:3] == (1.0, 0.0, 0.0)
    assert search.end().found.predictor is None
    search.intents.change(fixed=(("style", "tiles"),))
    assert search.wanted.condition[:3] == (0.0, 0.0, 1.0)
    search.close()


# Drawing, film, session


def test_a_drawing_is_exact_and_is_undone_stroke_by_stroke(search) -> None:
    drawn = line(blank(4), (0.2, 0.9), (3.9, 3.1), (9, 8, 7))
    assert [tuple(one) for one in np.argwhere((drawn == (9, 8, 7)).all(2))] == [
        (0, 0),
        (1, 1),
        (2, 2),
        (3, 3),
    ]
    assert line(drawn, (-5.0, 0.5), (-5.0, 9.0), (0, 0, 0)).tolist() == drawn.tolist(), "outside is nothing"
    large = line(blank(8), (3.5, 3.5), (3.5, 3.5), (1, 1, 1), size=3)
    assert int((large == 1).all(2).sum()) == 9
    filled = fill(drawn, (3.5, 0.5), (1, 2, 3))
    assert int((filled == (1, 2, 3)).all(2).sum()) == 6
    assert fill(drawn, (9.5, 0.5), (1, 2, 3)) is drawn
    assert resampled(drawn, 8).shape == (8, 8, 3)
    np.testing.assert_array_equal(resampled(resampled(drawn, 8), 4), drawn)
    steps = len(search.workspace.session.history)
    search.intents.begin_stroke()
    search.intents.draw(drawn)
    search.intents.draw(filled)
    search.intents.end_stroke()
    assert len(search.workspace.session.history) == steps + 1
    assert search.prepare().given == "small"
    search.intents.set_factor(4, 32)
    assert search.intents.view.own.pixels.shape == (8, 8, 3)
    search.workspace.session.undo()
    search.workspace.session.undo()
    assert search.intents.view.own is None


def test_the_film_keeps_a_bounded_number_of_frames() -> None:
    recording = Recording()
    picture = np.zeros((1, 8, 8, 3), dtype=np.uint8)
    one = np.zeros(1, dtype=np.float32)
    for step in range(1, 1001):
        recording.note(step, one)
        recording.add(SearchFrame(step, 1000, one, one, np.zeros(1, np.int8), picture, picture))
    assert len(recording.frames) <= MOST_FRAMES
    assert recording.frames[-1].step == 1000
    assert [frame.step for frame in recording.frames] == sorted({frame.step for frame in recording.frames})
    apart = np.diff([frame.step for frame in recording.frames[:-1]])
    assert len(set(apart)) == 1, "early and late steps are played back alike"
    assert len(recording.trace().steps) == 1000
    assert every(400) == 4
    assert every(7) == 1
    assert every(100_000) == 8, "a long search is seen to move too"


def test_the_settings_and_the_drawing_are_saved_with_the_session(search) -> None:
    drawn = line(blank(4), (0.2, 0.9), (3.9, 3.1), (9, 8, 7))
    search.intents.draw(drawn)
    view = replace(
        search.intents.view,
        posterior=True,
        fixed=(("gender", "male"),),
        assumed=(("race", (0.1, 0.2, 0.3, 0.4)),),
        beside="assumed",
        exposure=0.5,
    )
    search.intents.set(view)
    saved = read_session(session_json(search.workspace.session.document, {}), "s.json")
    (shelf,) = saved.shelves.values()
    assert saved.left_out == ()
    np.testing.assert_array_equal(shelf.search.own.pixels, drawn)
    assert shelf.search.own.small
    assert replace(shelf.search, own=None) == replace(view, own=None)


def test_the_labels_of_bundled_pictures_are_known() -> None:
    assert own_row("Face 20")["glasses"] == "yes"
    assert own_row("test-00020") == own_row("Face 20")
    assert own_row("Avatar 3501")["beard"] == "yes"
    assert own_row("00012:lorelei") == own_row("Avatar 12")
    assert own_row("my holiday.png") == own_row("Face 999999") == own_row("Avatar 999999") == {}
