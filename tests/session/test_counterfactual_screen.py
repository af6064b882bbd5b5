"""The Counterfactuals screen without a window: live pictures, a set's page, and the programs of both."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.conditions import first_classes
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set
from latentlab.errors import SettingsError
from latentlab.operations.counterfactual import (
    counterfactual_page,
    counterfactuals_of_latent,
    page_positions,
)
from latentlab.operations.counterfactual_figure import figure
from latentlab.operations.counterfactual_plan import row, table
from latentlab.operations.counterfactual_table import counterfactual_rows
from latentlab.operations.explore import Explorer
from latentlab.operations.grid_plan import strips
from latentlab.operations.probe import probe
from latentlab.operations.scale_axis import ScaleAxis
from latentlab.progress import Progress
from latentlab.session.counterfactual import (
    NO_CLASSES,
    STOPPED,
    UNCONDITIONAL,
    LiveCounterfactuals,
    PageMaker,
    chosen_attribute,
    planned,
)
from latentlab.session.counterfactual_code import counterfactual_code
from latentlab.session.document import AxisRef, CounterfactualView, Document, GridView, ProbeView
from latentlab.session.intents import Intents
from latentlab.session.probe import ProbeCurves
from latentlab.session.view_code import view_code
from latentlab.spec import Attribute, ConditionSchema

PREVIEW = 6
"""Of 255: how far a live picture may be from the settled one."""


@pytest.fixture
def explorer(tiny_cvae_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_cvae_folder, tiny_predictor_folder)


@pytest.fixture
def intents(told_desk) -> Intents:
    return Intents(told_desk.workspace)


@pytest.fixture
def live(told_desk) -> LiveCounterfactuals:
    live = LiveCounterfactuals(told_desk.workspace)
    live.active = True
    return live


@pytest.fixture
def maker(told_desk) -> Iterator[PageMaker]:
    maker = PageMaker(told_desk.workspace)
    yield maker
    maker.close()


@pytest.fixture(scope="module")
def data(tiny_faces: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("sets") / "faces"
    return str(copy_image_set(folder, tiny_faces.select(np.arange(40))))


def shown(desk, intents: Intents, **changes: object) -> CounterfactualView:
    view = replace(desk.workspace.session.document.shelf.counterfactual, **changes)
    intents.shelf.set_counterfactual(view)
    return view


def wait_live(desk, live: LiveCounterfactuals) -> None:
    desk.wait(lambda: live.found is not None and not live.waiting)


def run(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.chdir(folder)
    names: dict[str, object] = {}
    exec(compile(code, "copied", "exec"), names)
    return names


# The edited picture's


@pytest.mark.parametrize(("second", "scale"), [("", 1.0), ("glasses", 1.0), ("", -0.5)])
def test_live_pictures_are_those_of_the_explorer(
    told_desk, live, intents, explorer: Explorer, second: str, scale: float
) -> None:
    shown(told_desk, intents, attribute="race", second=second, scale=scale)
    wait_live(told_desk, live)
    state, found = told_desk.state, live.found
    plan = (
        table(explorer.spec.condition, state.condition, "race", second, scale)
        if second
        else row(explorer.spec.condition, state.condition, "race", scale)
    )
    np.testing.assert_array_equal(found.plan.conditions, plan.conditions)
    assert found.plan.names == plan.names
    for k, condition in enumerate((*plan.conditions, state.condition)):
        k = k if k < len(plan.conditions) else -1
        settled = explorer.picture(state.latent, condition)
        assert np.abs(found.picture(k).astype(int) - settled).max() <= PREVIEW
        said = explorer.attributes(settled)
        assert found.said(k).keys() == said.keys()
        for name in said:
            np.testing.assert_allclose(found.said(k)[name], said[name], atol=0.05)


def test_live_pictures_follow_latent_condition_and_view(told_desk, live, intents) -> None:
    spec = told_desk.workspace.opened.spec
    wait_live(told_desk, live)
    seen = [live.found]
    for change in (
        lambda: intents.explore.move(2, 2.0),
        lambda: intents.condition.flip(spec, "race"),
        lambda: shown(told_desk, intents, scale=2.0),
        lambda: shown(told_desk, intents, attribute="glasses"),
        told_desk.workspace.session.undo,
    ):
        change()
        told_desk.wait(lambda: live.found not in [None, *seen] and not live.waiting)
        seen.append(live.found)
    assert seen[-1].plan.names == seen[-3].plan.names


def test_pictures_of_another_scale_are_shown_while_newer_ones_come_and_of_other_classes_are_not(
    told_desk, live, intents
) -> None:
    wait_live(told_desk, live)
    before = live.found
    shown(told_desk, intents, scale=1.5)
    assert live.found is before, "during a drag there is always something to see"
    wait_live(told_desk, live)
    shown(told_desk, intents, attribute="race")
    assert live.found is None


def test_a_model_without_classes_says_why_there_is_nothing(open_desk, tiny_model_folder: Path) -> None:
    told = []
    live = LiveCounterfactuals(open_desk.workspace)
    live.planned.connect(told.append)
    live.active = True
    assert told == [UNCONDITIONAL] == [live.refusal]
    assert live.plan is None
    view, age = CounterfactualView(), ConditionSchema(attributes=(Attribute(name="age", kind="continuous"),))
    with pytest.raises(SettingsError, match=NO_CLASSES):
        chosen_attribute(age, view)
    mixed = ConditionSchema(attributes=(*age.attributes, Attribute(name="hat", classes=("no", "yes"))))
    assert chosen_attribute(mixed, view) == "hat"
    plan = planned(mixed, first_classes(mixed), CounterfactualView(attribute="hat", second="hat"))
    assert plan.rows == 1, "an attribute goes with another one only"


def test_nothing_is_rendered_while_nobody_looks(told_desk, live, intents) -> None:
    wait_live(told_desk, live)
    live.active = False
    before = live.found
    intents.explore.move(0, 1.0)
    told_desk.wait_settled()
    assert live.found is before
    live.active = True
    told_desk.wait(lambda: live.found is not before)


# A page


def test_a_page_is_that_of_the_operation(told_desk, intents, maker, explorer: Explorer, data: str) -> None:
    told = []
    maker.progressed.connect(told.append)
    wanted = {"attribute": "race", "target": "black", "count": 5, "seed": 3, "scale": 1.5, "side": "both"}
    shown(told_desk, intents, data=data, second="gender", threshold=12.0, **wanted)
    maker.ask()
    assert maker.busy
    told_desk.wait(lambda: maker.page is not None)
    assert not maker.busy
    images = open_set(data, 32)
    expected = counterfactual_page(
        explorer,
        images,
        "race",
        "black",
        positions=page_positions(images, "race", "black", 5, 3),
        sort="effect",
        side="both",
        scale=1.5,
        threshold=12.0,
    )
    np.testing.assert_array_equal(maker.page.positions, expected.positions)
    for mine, theirs in zip(maker.page.cases, expected.cases, strict=True):
        np.testing.assert_array_equal(mine.items[0].picture, theirs.items[0].picture)
        np.testing.assert_array_equal(mine.reconstruction, theirs.reconstruction)
        assert mine.items[0].change.effect == theirs.items[0].change.effect
    assert told[-1] == Progress("Drawing counterfactuals", 5, 5)
    page = maker.page
    maker.ask()
    assert maker.page is page
    assert not maker.busy, "it is there"
    shown(told_desk, intents, data=data, second="gender", threshold=40.0, sort="set", **wanted)
    maker.ask()
    assert maker.page is page, "it stays while it is put in order"
    told_desk.wait(lambda: not maker.busy)
    assert {id(case.items[0].picture) for case in maker.page.cases} == {
        id(case.items[0].picture) for case in page.cases
    }, "nothing was drawn again"
    assert maker.page.positions.tolist() == sorted(page.positions.tolist())
    assert {case.threshold for case in maker.page.cases} == {40.0}


def test_a_page_without_a_predictor_is_in_the_sets_order(
    desk, tiny_cvae_folder: Path, data: str, tmp_path: Path, monkeypatch
) -> None:
    desk.workspace.open_checkpoint(str(tiny_cvae_folder), "")
    desk.wait(lambda: desk.workspace.phase == "ready")
    maker = PageMaker(desk.workspace)
    try:
        shown(desk, Intents(desk.workspace), data=data, attribute="gender", count=3)
        maker.ask()
        desk.wait(lambda: not maker.busy)
        assert maker.failure == ""
        assert (np.diff(maker.page.positions) > 0).all()
        names = run(counterfactual_code(desk.workspace.session.document, "gender"), tmp_path, monkeypatch)
        np.testing.assert_array_equal(names["found"].positions, maker.page.positions)
    finally:
        maker.close()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": "nonsense:set"}, "nonsense"),
        ({"data": "/nowhere/at/all"}, "/nowhere/at/all"),
        ({"target": "purple"}, "purple"),
    ],
)
def test_what_cannot_be_made_is_said_and_not_tried_again_by_itself(
    told_desk, intents, maker, data: str, changes: dict[str, object], said: str
) -> None:
    told = []
    maker.stopped.connect(told.append)
    shown(told_desk, intents, **({"data": data, "count": 2} | changes))
    maker.ask()
    told_desk.wait(lambda: told)
    assert said in told[0]
    assert (maker.failure, maker.busy, maker.page) == (told[0], False, None)
    maker.ask()
    assert not maker.busy
    maker.again()
    assert maker.busy
    assert maker.failure == ""
    told_desk.wait(lambda: len(told) == 2)


def hold(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Let the opening of a set wait: the events that tell that it waits, and that let it go on."""
    from latentlab.data import catalog

    waits, go, opened = threading.Event(), threading.Event(), catalog.open_set

    def slow(*given: object, **named: object) -> ImageSet:
        waits.set()
        go.wait(60)
        return opened(*given, **named)

    monkeypatch.setattr(catalog, "open_set", slow)
    return waits, go


def test_a_page_is_stopped_at_once_and_made_again(told_desk, intents, maker, data: str, monkeypatch) -> None:
    waits, go = hold(monkeypatch)
    told = []
    maker.stopped.connect(told.append)
    maker.found_page.connect(told.append)
    shown(told_desk, intents, data=data, count=3)
    maker.ask()
    told_desk.wait(waits.is_set)
    maker.stop()
    assert told == [STOPPED] == [maker.failure]
    assert not maker.busy
    maker.stop()
    assert len(told) == 1
    maker.again()
    assert maker.busy
    go.set()
    told_desk.wait(lambda: maker.page is not None)
    assert told == [STOPPED, maker.page]


def test_only_the_newest_page_is_made(told_desk, intents, maker, data: str, monkeypatch) -> None:
    waits, go = hold(monkeypatch)
    told = []
    maker.stopped.connect(told.append)
    maker.found_page.connect(told.append)
    for count in (5, 4, 2):
        shown(told_desk, intents, data=data, count=count)
        maker.ask()
    told_desk.wait(waits.is_set)
    go.set()
    told_desk.wait(lambda: maker.page is not None)
    assert [len(page.cases) for page in told] == [2]


def test_closing_does_not_wait_for_the_page(told_desk, intents, data: str, monkeypatch) -> None:
    waits, go = hold(monkeypatch)
    maker = PageMaker(told_desk.workspace)
    shown(told_desk, intents, data=data, count=40)
    maker.ask()
    told_desk.wait(waits.is_set)
    go.set()
    maker.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("latentlab-counterfactuals")]


def test_the_row_that_is_exported_is_settled(told_desk, intents, maker, explorer: Explorer) -> None:
    found = []
    intents.explore.move(1, 1.0)
    shown(told_desk, intents, attribute="gender", second="race", scale=1.25)
    maker.make_row(found.append)
    told_desk.wait(lambda: found)
    state = told_desk.state
    expected = counterfactuals_of_latent(
        explorer, state.latent, state.condition, "gender", "race", scale=1.25
    )
    for mine, theirs in zip(found[0].items, expected.items, strict=True):
        np.testing.assert_array_equal(mine.picture, theirs.picture)
    assert found[0].name == "a face"
    np.testing.assert_array_equal(found[0].source, state.source.encoded.source)


def test_a_row_that_cannot_be_made_is_a_message(desk, tiny_cvae_folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_cvae_folder, model)
    desk.workspace.open_checkpoint(str(model), "")
    desk.wait(lambda: desk.workspace.phase == "ready")
    shutil.rmtree(model)
    maker, found = PageMaker(desk.workspace), []
    try:
        maker.make_row(found.append)
        desk.wait(lambda: found)
    finally:
        maker.close()
    assert str(model) in found[0].text


# The programs


@pytest.fixture
def document(told_desk, intents) -> Document:
    spec = told_desk.workspace.opened.spec
    intents.condition.scale(spec, "gender", 1.0 / 3.0)
    intents.condition.weigh(spec, "race", "white", 0.1)
    intents.explore.move(4, -1.1)
    return told_desk.workspace.session.document


@pytest.mark.parametrize("view", [GridView(axes=(AxisRef(3),), steps=3)])
def test_the_program_of_the_grid_has_the_condition(
    document: Document, explorer: Explorer, view: GridView, tmp_path: Path, monkeypatch
) -> None:
    shelf = replace(document.shelf, grid=view)
    names = run(view_code("grid", document.with_shelf(shelf)), tmp_path, monkeypatch)
    state = document.explore
    plan = strips(explorer.spec, state.latent, [3], 3)
    for picture, latent in zip(names["series"].pictures, plan.latents, strict=True):
        np.testing.assert_array_equal(picture, explorer.picture(latent, state.condition))


def test_the_program_of_the_probe_goes_along_the_scale(
    document: Document, explorer: Explorer, tmp_path: Path, monkeypatch
) -> None:
    shelf = replace(document.shelf, probe=ProbeView(AxisRef(condition="race=black"), "race"))
    names = run(view_code("probe", document.with_shelf(shelf)), tmp_path, monkeypatch)
    state = document.explore
    expected = probe(
        explorer, state.latent, ScaleAxis("race", "black"), state.start, condition=state.condition
    )
    for name, curve in expected.curve.items():
        np.testing.assert_array_equal(names["curves"].curve[name], curve)
        np.testing.assert_array_equal(names["curves"].bands[name].mean, expected.bands[name].mean)


@pytest.mark.parametrize("second", ["", "gender"])
def test_the_program_of_the_row_makes_the_same_pixels(
    told_desk, maker, intents, document: Document, second: str, tmp_path: Path, monkeypatch
) -> None:
    shown(told_desk, intents, attribute="race", second=second, scale=1.75, threshold=3.0)
    found = []
    maker.make_row(found.append)
    told_desk.wait(lambda: found)
    code = counterfactual_code(told_desk.workspace.session.document, "race")
    names = run(code, tmp_path, monkeypatch)
    assert len(names["found"].items) == (8 if second else 4)
    for mine, theirs in zip(names["found"].items, found[0].items, strict=True):
        np.testing.assert_array_equal(mine.picture, theirs.picture)
        np.testing.assert_array_equal(mine.change.difference, theirs.change.difference)
    assert names["found"].name == found[0].name == "a face"
    np.testing.assert_array_equal(names["found"].source, found[0].source)
    np.testing.assert_array_equal(np.array(figure(names["found"])), np.array(figure(found[0])))
    assert counterfactual_rows(names["found"]) == counterfactual_rows(found[0])
    assert (tmp_path / "counterfactuals.png").is_file()


def test_the_program_of_a_draw_has_no_input(told_desk, maker, intents, tmp_path: Path, monkeypatch) -> None:
    intents.explore.randomise(told_desk.workspace.opened.spec, 5)
    shown(told_desk, intents, attribute="race")
    found = []
    maker.make_row(found.append)
    told_desk.wait(lambda: found)
    code = counterfactual_code(told_desk.workspace.session.document, "race")
    assert "# There is no input" in code
    names = run(code, tmp_path, monkeypatch)
    assert not names["found"].has_source
    assert not found[0].has_source
    np.testing.assert_array_equal(np.array(figure(names["found"])), np.array(figure(found[0])))


def test_the_program_leaves_a_large_input_out_and_says_so(
    told_desk, document: Document, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("latentlab.session.counterfactual_code.MOST_TEXT", 100)
    code = counterfactual_code(document, "race")
    assert "# The input, a face, is too large for this text and is left out." in code
    assert not run(code, tmp_path, monkeypatch)["found"].has_source


def test_the_program_of_the_page_makes_the_same_pixels(
    told_desk, maker, intents, data: str, tmp_path: Path, monkeypatch
) -> None:
    shown(told_desk, intents, data=data, attribute="glasses", count=4, seed=1, side="both", sort="leakage")
    maker.ask()
    told_desk.wait(lambda: maker.page is not None)
    names = run(counterfactual_code(told_desk.workspace.session.document, "glasses"), tmp_path, monkeypatch)
    np.testing.assert_array_equal(names["found"].positions, maker.page.positions)
    for mine, theirs in zip(names["found"].cases, maker.page.cases, strict=True):
        np.testing.assert_array_equal(mine.items[0].picture, theirs.items[0].picture)
    assert counterfactual_code(Document(), "glasses") == ""


# The probe along a scale


def test_the_probe_along_a_scale_is_that_of_the_operation(told_desk, intents, explorer: Explorer) -> None:
    curves = ProbeCurves(told_desk.workspace)
    intents.shelf.set_probe(ProbeView(AxisRef(condition="gender=male"), "gender"))
    curves.active = True
    told_desk.wait(lambda: curves.curve and curves.bands)
    state = told_desk.state
    axis = ScaleAxis("gender", "male")
    expected = probe(explorer, state.latent, axis, state.start, condition=state.condition)
    assert curves.axis == axis
    np.testing.assert_array_equal(curves.values, expected.values)
    np.testing.assert_array_equal(curves.mean_values, expected.mean_values)
    for name in expected.curve:
        np.testing.assert_allclose(curves.curve[name], expected.curve[name], atol=0.05)
        np.testing.assert_allclose(curves.bands[name].mean, expected.bands[name].mean, atol=0.05)
        assert curves.bands[name].count == expected.bands[name].count
    condition = curves.condition_at(2.0)
    np.testing.assert_array_equal(condition[:2], [0.0, 2.0])
    np.testing.assert_array_equal(condition[2:], state.condition[2:])
    intents.condition.set(condition, "Go to 2.00 on scale of gender=male")
    assert curves.position == 2.0
    intents.shelf.set_probe(ProbeView(AxisRef(condition="hat=yes"), "gender"))
    assert curves.axis is None
    assert "no attribute 'hat'" in curves.refusal


def test_the_mean_says_where_all_images_have_one_condition(told_desk, explorer: Explorer) -> None:
    curves = ProbeCurves(told_desk.workspace)
    latents = np.stack([explorer.draw(k) for k in range(3)])
    curves.use_data("faces", latents, np.repeat(explorer.first_condition()[None], 3, axis=0))
    assert curves.of_what == "images of faces"
    curves.use_data("people without labels", latents.copy())
    assert curves.of_what == "images of people without labels, all under one condition"
    curves.use_data("", None)
    assert curves.of_what == "random draws"
