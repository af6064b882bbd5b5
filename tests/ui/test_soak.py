"""Random use of the real window: nothing fails, and nothing that is stale is painted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from latentlab.session.session import Message
from latentlab.ui import soak
from latentlab.ui.soak import Soak


@pytest.fixture
def soaking(driver, tiny_model_folder, idle_model_folder) -> Soak:
    return Soak(driver.window, [str(tiny_model_folder), str(idle_model_folder)], seed=11)


def test_many_things_in_any_order_break_nothing(driver, soaking, monkeypatch) -> None:
    monkeypatch.setattr(soak, "LOOKS", (0.0, 0.0, 2.0, 8.0))
    figures = soaking.run(150)
    assert figures.errors == []
    assert figures.stale == 0
    assert figures.painted > 30
    assert sum(figures.actions.values()) == 150
    assert len(figures.actions) > 12, "many kinds of things were done"
    driver.rest()


def test_a_conditional_model_can_be_told_anything_in_any_order(
    told, tiny_cvae_folder, tiny_model_folder, monkeypatch
) -> None:
    monkeypatch.setattr(soak, "LOOKS", (0.0, 0.0, 2.0, 8.0))
    figures = Soak(told.window, [str(tiny_cvae_folder), str(tiny_model_folder)], seed=3).run(250)
    assert figures.errors == []
    assert figures.stale == 0
    assert {
        "scale",
        "class",
        "link",
        "tell",
        "screen",
        "counterfactuals",
        "analogies",
    } <= figures.actions.keys()
    told.window.show_screen("explore")
    told.rest()


def test_what_goes_wrong_is_counted(driver, soaking) -> None:
    driver.workspace.session.message.emit(Message("note", "all is well"))
    driver.workspace.session.message.emit(Message("error", "something failed"))
    soaking._except(ValueError, ValueError("not caught"), None)
    assert soaking.figures.errors == ["something failed", "ValueError: not caught"]
    driver.workspace.explore.reset_all()
    driver.workspace.explore.move(2, 1.0)
    driver.workspace.session.undo()
    driver.rest()
    frame = driver.workspace.rendering.settled_frame
    assert soaking.figures.stale == 0
    late = replace(frame, generation=driver.workspace.rendering.barrier - 1)
    driver.workspace.rendering.edited.emit(late)
    assert soaking.figures.stale == 1
    driver.workspace.rendering.edited.emit(frame)
    driver.rest()
