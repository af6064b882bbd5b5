"""The settled frame comes last, also where one comes back to a state whose settled frame has been there."""

from __future__ import annotations

import numpy as np


def test_a_state_one_comes_back_to_before_another_has_settled_settles_again(open_desk) -> None:
    workspace = open_desk.workspace
    frames = []
    workspace.rendering.edited.connect(frames.append)
    open_desk.wait_settled()
    settled = workspace.rendering.settled_frame
    workspace.explore.move(2, 1.5)
    workspace.session.undo()
    open_desk.wait(
        lambda: frames[-1].generation > settled.generation and not workspace.rendering._slots._frames
    )
    workspace.rendering.settle()
    open_desk.wait(lambda: frames[-1].settled)
    assert frames[-1].generation > settled.generation
    assert workspace.rendering.settled_frame is frames[-1]
    np.testing.assert_array_equal(frames[-1].pixels, settled.pixels)
