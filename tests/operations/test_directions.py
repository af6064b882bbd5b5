from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from latentlab.cli.main import run
from latentlab.errors import DataError, SettingsError
from latentlab.operations.direction import (
    Direction,
    Directions,
    along,
    difference_direction,
    load_directions,
    save_directions,
    spread_along,
    unit_direction,
)
from latentlab.operations.directions import (
    attribute_direction,
    orthogonalised,
    principal_directions,
)
from latentlab.operations.explore import Explorer
from latentlab.operations.find_directions import find_directions
from latentlab.operations.series import directions_series
from latentlab.session.document import CheckpointRef, Document
from latentlab.session.explore import start_from_draw
from latentlab.session.saved import session_json
from latentlab.session.session import Session
from latentlab.session.shelf import ShelfIntents


@pytest.fixture
def explorer(tiny_model_folder: Path, tiny_predictor_folder: Path) -> Explorer:
    return Explorer.open(tiny_model_folder, tiny_predictor_folder)


def _latents(n: int = 2000) -> np.ndarray:
    """Standard deviations 3, 2, 1, 1/2 along the axes, off the origin."""
    drawn = np.random.default_rng(0).standard_normal((n, 4)) * [3.0, 2.0, 1.0, 0.5] + [5, 0, 0, 0]
    return drawn.astype(np.float32)


def test_principal_directions_are_the_axes_of_most_spread_with_that_spread() -> None:
    found = principal_directions(_latents(), 3)
    for k, (direction, sigma) in enumerate(zip(found, (3.0, 2.0, 1.0), strict=True)):
        assert direction.name == f"PC {k + 1}"
        assert direction.array()[k] == pytest.approx(1.0, abs=0.01)
        assert direction.sigma == pytest.approx(sigma, rel=0.06)
    assert found[0].origin.startswith("principal component 1, 6")  # 9 of 14.25
    with pytest.raises(SettingsError, match="no 5 principal"):
        principal_directions(_latents(), 5)


def test_a_probe_finds_what_decides_and_tells_how_well() -> None:
    latents = _latents()
    normal = np.array([0.0, 0.6, 0.8, 0.0])
    shows = latents @ normal > 0
    found = attribute_direction(latents, shows, "glasses=yes")
    assert found.array() @ normal > 0.99
    assert found.accuracy is not None
    assert found.accuracy > 0.97
    assert np.linalg.norm(found.vector) == pytest.approx(1.0, abs=1e-6)
    assert found.sigma == pytest.approx(float((latents @ normal).std()), rel=0.05)
    noise = np.random.default_rng(1).random(2000) < 0.5
    assert attribute_direction(latents, noise, "nothing").accuracy == pytest.approx(0.5, abs=0.08)


def test_a_probe_without_enough_on_both_sides_says_so() -> None:
    with pytest.raises(DataError, match="has 3 and 1997"):
        attribute_direction(_latents(), np.arange(2000) < 3, "rare=yes")


def test_the_difference_of_two_groups_points_from_one_to_the_other(explorer: Explorer) -> None:
    spec, first = explorer.spec, np.stack([explorer.draw(k) for k in range(3)])
    up = np.eye(8)[3] * 2.0
    found = difference_direction(spec, first, first + up, "up", "from here to there")
    np.testing.assert_allclose(found.array(), np.eye(8)[3], atol=1e-6)
    assert found.sigma == pytest.approx(spread_along(spec, up))
    assert (found.name, found.origin) == ("up", "from here to there")
    alone = difference_direction(spec, first.mean(0), first.mean(0) + up, "up", "from here to there")
    np.testing.assert_allclose(alone.array(), found.array(), atol=1e-6)
    with pytest.raises(SettingsError, match="two ends are the same"):
        difference_direction(spec, first, first, "nowhere")


def test_orthogonal_directions_leave_the_ones_before_them_alone() -> None:
    latents = _latents()

    def along_of(name: str, vector: list[float]) -> Direction:
        way = np.array(vector) / np.linalg.norm(vector)
        return unit_direction(name, vector, float((latents @ way).std()))

    first, second = along_of("first", [1, 1, 0, 0]), along_of("second", [1, 0, 0, 0])
    one, two = orthogonalised([first, second], latents)
    assert one.vector == first.vector
    assert one.sigma == pytest.approx(first.sigma)
    assert abs(one.array() @ two.array()) < 1e-6
    assert two.array() @ second.array() > 0.7
    third = along_of("third", [0, 1, 0, 0])
    with pytest.raises(SettingsError, match="third says nothing"):
        orthogonalised([first, second, third], latents)


def test_an_orthogonalised_direction_does_not_keep_the_accuracy_of_another() -> None:
    def probed(name: str, vector: list[float]) -> Direction:
        return unit_direction(name, vector, 1.0, "a probe", 0.98).model_copy(update={"reach": 5.0})

    first, leaning, apart = probed("a", [1, 0, 0, 0]), probed("b", [1, 1, 0, 0]), probed("c", [0, 0, 1, 0])
    one, two, three = orthogonalised([first, leaning, apart], _latents())
    assert (one.accuracy, one.origin) == (0.98, "a probe"), "it is what it was"
    assert (two.accuracy, two.origin) == (None, "a probe; orthogonal to those before it")
    assert (three.accuracy, three.origin) == (0.98, "a probe"), "it was orthogonal already"
    assert {one.reach, two.reach, three.reach} == {5.0}


def test_moving_along_a_direction_goes_by_sigma(explorer: Explorer) -> None:
    direction = Direction(name="x", vector=(0.0, 1.0, *[0.0] * 6), sigma=0.5)
    latent = explorer.draw(0)
    found = along(explorer.spec, latent, direction, np.array([-2.0, 0.0, 1.0]))
    np.testing.assert_allclose(found[:, 1] - latent[1], [-1.0, 0.0, 0.5], atol=1e-6)
    np.testing.assert_array_equal(np.delete(found, 1, 1), np.repeat(np.delete(latent, 1)[None], 3, 0))
    with pytest.raises(SettingsError, match="another model"):
        along(explorer.spec, latent, direction.model_copy(update={"vector": (1.0,)}), np.array([0.0]))


def test_sets_are_encoded_as_pictures_are(explorer: Explorer, tiny_faces) -> None:
    found = explorer.encode_set(tiny_faces.split("validation"))
    assert found.shape == (64, 8)
    pixels = tiny_faces.split("validation").pixels(slice(3, 4))[0]
    np.testing.assert_allclose(found[3], explorer.encode(pixels).latent, atol=1e-5)


def test_a_set_gives_a_direction_to_the_second_of_two_classes_and_to_each_of_more(
    explorer: Explorer, tiny_faces
) -> None:
    found = find_directions(explorer, tiny_faces, ["glasses", "race"], 2)
    names = [one.name for one in found.directions]
    assert names == [
        "glasses=yes",
        *(f"race={k}" for k in ("asian", "black", "brown", "white")),
        "PC 1",
        "PC 2",
    ]
    assert found.sha256 == explorer.located.sha256()
    with pytest.raises(SettingsError, match="no 9 principal"):
        find_directions(explorer, tiny_faces, components=9)
    with pytest.raises(SettingsError, match="Name an attribute"):
        find_directions(explorer, tiny_faces)
    with pytest.raises(DataError):
        find_directions(explorer, tiny_faces, ["hat"])


def test_directions_come_back_from_their_file(tmp_path: Path, explorer: Explorer, tiny_faces) -> None:
    found = find_directions(explorer, tiny_faces, components=2)
    save_directions(tmp_path / "d.json", found)
    assert load_directions(tmp_path / "d.json") == found
    strip = directions_series(explorer, explorer.draw(0), found.directions, 2.0, 3)
    assert strip.names[:3] == ("PC 1 -2 sigma", "PC 1 +0 sigma", "PC 1 +2 sigma")
    np.testing.assert_array_equal(strip.pictures[1], explorer.picture(explorer.draw(0)))


def _one_direction(vector: str, sigma: object) -> str:
    direction = f'{{"name": "a", "vector": {vector}, "sigma": {sigma}}}'
    return f'{{"model": "", "sha256": "", "directions": [{direction}]}}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{}", "model"),
        (
            '{"format": "latentlab-directions", "version": 2, "model": "", "sha256": "", "directions": []}',
            "version",
        ),
        (_one_direction("[0.6, 0.8]", -1), "sigma"),
        (_one_direction("[NaN, 0.0]", 1), r"directions\.0\.vector\.0: Input should be a finite number"),
        (_one_direction("[1.0, 0.0]", "Infinity"), "sigma: Input should be a finite number"),
        (_one_direction("[2.0, 0.0]", 1), r"directions\.0: the vector of a has length 2 where 1 is expected"),
        (_one_direction("[]", 1), "has length 0"),
    ],
)
def test_a_damaged_file_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "d.json").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=message):
        load_directions(tmp_path / "d.json")


def test_the_command_finds_saves_and_shows(
    tmp_path: Path, tiny_model_folder: Path, explorer: Explorer, tiny_faces, monkeypatch, capfd
) -> None:
    monkeypatch.setattr("latentlab.data.catalog.open_set", lambda *_arguments: tiny_faces)
    model = ["--model", str(tiny_model_folder)]
    out, sheet = tmp_path / "d.json", tmp_path / "d.png"
    asked = ["--attribute", "gender", "--pca", "1", "--orthogonal", "--json", "--steps", "2"]
    assert run(["directions", *model, *asked, "--out", str(out), "--sheet", str(sheet)]) == 0
    record = json.loads(capfd.readouterr().out)
    expected = find_directions(explorer, tiny_faces, ["gender"], 1, orthogonal=True)
    assert Directions.model_validate(record) == expected == load_directions(out)
    assert sheet.is_file()
    assert run(["directions", *model, "--load", str(out)]) == 0
    assert "held-out accuracy" in capfd.readouterr().out
    out.write_text(out.read_text().replace(explorer.located.sha256(), "0" * 64), encoding="utf-8")
    assert run(["directions", *model, "--load", str(out)]) == 2
    assert "other weights" in capfd.readouterr().err


def test_the_command_makes_a_direction_between_faces_as_the_window_does(
    tmp_path: Path, tiny_model_folder: Path, explorer: Explorer, tiny_faces, monkeypatch, capfd
) -> None:
    sha256, spec = explorer.located.sha256(), explorer.spec
    session = Session()
    session.restart(Document(CheckpointRef("a", "a", sha256, ""), start_from_draw(spec, 5)))
    shelf = ShelfIntents(session)
    shelf.pin(explorer.draw(1), "One")
    shelf.pin(explorer.draw(2), "Two")
    shelf.add_difference(spec, *shelf.shelf.pins, "way")
    expected = shelf.shelf.directions[0]
    file, out = tmp_path / "mine.json", tmp_path / "d.json"
    file.write_text(session_json(session.document, {}), encoding="utf-8")
    model = ["--model", str(tiny_model_folder), "--out", str(out)]
    both = ["--from", "seed:1", "--to", f"{file}:Two", "--name", "way"]
    assert run(["directions", *model, *both]) == 0
    (found,) = load_directions(out).directions
    assert (found.vector, found.sigma) == (expected.vector, expected.sigma)
    assert found.origin == f"from seed:1 to {file}:Two"

    assert run(["directions", *model, "--from", "seed:1", "--from", "seed:3", "--to", f"{file}:Two"]) == 0
    (found,) = load_directions(out).directions
    mean = np.stack([explorer.draw(1), explorer.draw(3)]).mean(0)
    step = explorer.draw(2) - mean
    np.testing.assert_allclose(found.array(), step / np.linalg.norm(step), atol=1e-6)
    assert found.name == "the mean of 2 to Two"

    monkeypatch.setattr("latentlab.data.catalog.open_set", lambda *_arguments: tiny_faces)
    assert run(["directions", *model, *both, "--pca", "1", "--orthogonal"]) == 0
    way, component = load_directions(out).directions
    assert (way.name, component.name) == ("way", "PC 1")
    assert abs(way.array() @ component.array()) < 1e-6
    capfd.readouterr()
    assert run(["directions", *model, "--from", "seed:1"]) == 2
    assert "give --from and --to" in capfd.readouterr().err
    assert run(["directions", *model, "--from", "seed:1", "--to", f"{file}:Three"]) == 2
    assert "has no pin or group 'Three'" in capfd.readouterr().err
