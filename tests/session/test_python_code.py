from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from latentlab.session.document import CheckpointRef, Explore
from latentlab.session.python_code import explore_code


def run(code: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(compile(code, "copied", "exec"), names)
    return names


def test_the_copied_program_makes_the_settled_picture_to_the_bit(open_desk, tmp_path, small_faces) -> None:
    workspace = open_desk.workspace
    Image.fromarray(small_faces[5]).save(tmp_path / "my face.png")
    workspace.bring_file(tmp_path / "my face.png")
    open_desk.wait(lambda: workspace.session.history.undo_name == "Open picture my face.png")
    workspace.explore.move(1, -1.37)
    workspace.explore.move(6, 0.1)
    open_desk.wait_settled()
    frame, document = workspace.rendering.settled_frame, workspace.session.document
    code = explore_code(document.checkpoint, document.explore, document.threads)
    names = run(code)
    np.testing.assert_array_equal(names["latent"], document.explore.latent)
    np.testing.assert_array_equal(names["picture"], frame.pixels[0, ..., 2::-1])
    for name, values in frame.attributes.items():
        np.testing.assert_array_equal(names["attributes"][name], values[0])
    assert "# The picture my face.png, with 2 of 8 dimensions changed." in code


def test_a_program_without_a_predictor_predicts_nothing(open_desk, tiny_model_folder) -> None:
    workspace = open_desk.workspace
    workspace.open_checkpoint(str(tiny_model_folder), "")
    open_desk.wait(lambda: workspace.in_step and not workspace.opened.predictor_name)
    workspace.explore.randomise(workspace.opened.spec, 3)
    open_desk.wait_settled()
    document = workspace.session.document
    names = run(explore_code(document.checkpoint, document.explore, document.threads))
    assert "attributes" not in names
    np.testing.assert_array_equal(names["picture"], workspace.rendering.settled_frame.pixels[0, ..., 2::-1])


def test_numbers_come_back_with_the_same_bits() -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 4096, dtype=np.uint32).view(np.float32)
    values = bits[np.isfinite(bits)][:4000]
    code = explore_code(CheckpointRef("m", "m", "", ""), Explore(values, values), 1)
    inside = code.split("explorer.latent([", 1)[1].split("])", 1)[0]
    back = np.array([float(text) for text in inside.split(",") if text.strip()], dtype=np.float32)
    np.testing.assert_array_equal(back.view(np.uint32), values.view(np.uint32))


def test_a_name_with_a_line_break_cannot_add_a_line_of_code(open_desk) -> None:
    latent = np.zeros(2, dtype=np.float32)
    from latentlab.session.document import Source

    source = Source("a\nimport os", np.zeros((1, 1, 3), np.uint8), None)  # type: ignore[arg-type]
    code = explore_code(CheckpointRef("m'\n", "m", "", ""), Explore(latent, latent, source=source), 1)
    assert not any(line.startswith("import os") for line in code.splitlines())
    compile(code, "copied", "exec")


@pytest.mark.parametrize(
    "separator", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\x00", "\ud800"]
)
@pytest.mark.parametrize("where", ["named", "seed", "picture"])
def test_no_name_becomes_code(open_desk, tmp_path, small_faces, where: str, separator: str) -> None:
    workspace, name = open_desk.workspace, f"x{separator}stranger = 1{separator}#"
    if where == "picture":
        workspace.bring_pixels(small_faces[0], name)
        open_desk.wait(lambda: workspace.explore.state.source is not None)
    document = workspace.session.document
    state = document.explore
    if where != "picture":
        state = replace(state, named=name, seed=3 if where == "seed" else None)
    code = explore_code(document.checkpoint, state, document.threads)
    code.encode("utf-8")
    assert code.splitlines()[0].endswith("dimensions changed.")
    assert "stranger = 1" in code
    assert "stranger" not in run(code)
