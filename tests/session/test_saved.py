"""A session comes back to the bit, and a damaged one without what is damaged, and nothing more."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from pydantic_core import PydanticUndefined

import latentlab
from latentlab.audit.study_plan import StudyRequest
from latentlab.errors import SettingsError
from latentlab.operations.direction import Direction, unit_direction
from latentlab.session import saved_parts as parts
from latentlab.session.document import (
    AuditView,
    AxisRef,
    CheckpointRef,
    CounterfactualView,
    Document,
    Explore,
    GridView,
    Group,
    LatentRef,
    ManyView,
    MapView,
    PathView,
    Pin,
    ProbeView,
    ProjectionView,
    SampleRow,
    SamplesView,
    SearchPicture,
    SearchView,
    Shelf,
    Source,
    StripView,
    TrainView,
)
from latentlab.session.saved import Saved, load_session, read_session, session_json
from latentlab.session.saved_picture import MOST_FOR_PNG, PictureTexts, picture_of, picture_text

SHA = "ab" * 32
OTHER = "cd" * 32


def odd_numbers(count: int, seed: int) -> np.ndarray:
    """Float32 numbers of all magnitudes, with -0.0, denormals and the largest among them."""
    bits = np.random.default_rng(seed).integers(0, 2**32, 4 * count + 64, dtype=np.uint32)
    numbers = bits.view(np.float32)
    numbers = numbers[np.isfinite(numbers)][:count].copy()
    odd = [-0.0, 1e-45, -1.1754942e-38, np.finfo(np.float32).max, 0.1, np.float32(1) / 3]
    numbers[: min(count, len(odd))] = odd[:count]
    return numbers


def shelf(shape: tuple[int, ...], seed: int) -> Shelf:
    size = int(np.prod(shape))
    rng = np.random.default_rng(seed)
    directions = tuple(
        unit_direction(name, rng.standard_normal(size), 0.7, "made", accuracy).model_copy(
            update={"reach": 2.5}
        )
        for name, accuracy in (("Smile", 0.875), ("Ålder", None))
    )
    return Shelf(
        pins=(
            Pin("Pin 1", odd_numbers(size, seed).reshape(shape), odd_numbers(4, 9), ticked=False),
            Pin("Überpin\n2", odd_numbers(size, seed + 1).reshape(shape)),
        ),
        directions=directions,
        groups=(
            Group("Lasso", odd_numbers(size, seed + 2).reshape(shape), 3, "faces", np.array([5, 2**40, 0])),
            Group("Pins", odd_numbers(size, seed + 3).reshape(shape), 2),
        ),
        locked=frozenset({0, 3}),
        compared="Pin 1",
        grid=GridView("plane", (AxisRef(direction="Smile"), AxisRef(2), AxisRef(-1)), 11, 1.5),
        path=PathView("linear", 7, closed=False),
        probe=ProbeView(AxisRef(1, condition="glasses=yes"), "glasses"),
        map=MapView("avatars", 123, "tsne", "race", density=False),
        counterfactual=CounterfactualView(
            "faces:test", "race", "gender", "black", 1.5, "both", 3.25, 5, 7, "leakage"
        ),
        projection=ProjectionView("lorelei", 0.375),
        many=ManyView("faces", ("a.png",), "a", ("b", "c"), "keep", 7, 3, "/out", "follow", "b", "shift"),
        samples=SamplesView(
            (SampleRow(3, pinned=True), SampleRow(2**31 - 1)),
            0.625,
            with_input=False,
            strip=StripView(
                "way", LatentRef(2), LatentRef(1, "Pin 1", True), "a", "b", "c", 0.3, 0.7, "linear", 7
            ),
        ),
        search=SearchView(
            SearchPicture("drawn", picture(4, 4), small=True),
            "small",
            4,
            "luminance",
            0.25,
            True,
            3,
            12,
            5,
            0.001,
            "l1",
            "lbfgs",
            0.5,
            "bfloat16",
            0.02,
            50.0,
            2,
            (("race", "black"),),
            30,
            "race",
            "assumed",
            (("race", (0.25, 0.75)),),
        ),
    )


def picture(height: int = 37, width: int = 53) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def document() -> Document:
    """A document in which nothing is as it is by default."""
    start, latent = odd_numbers(6, 20).reshape(2, 3), odd_numbers(6, 21).reshape(2, 3)
    source = Source("my face.png", picture(), None, (3, 4, 30))  # type: ignore[arg-type]
    explore = Explore(
        start, latent, odd_numbers(5, 22), source, 7, 0.625, "a start", odd_numbers(5, 23), linked=True
    )
    return Document(
        CheckpointRef("/models/a", "a", SHA, "faces-attributes"),
        explore,
        3,
        {SHA: shelf((2, 3), 0), OTHER: shelf((4,), 50)},
        AuditView(
            StudyRequest(
                "reconstruction",
                ("a", "/models/b"),
                "faces:test",
                "training",
                ("gender",),
                ("race", "glasses"),
                77,
                (3, 1),
                "gender=female",
                0.75,
                (0.9, 0.5),
                (1.5,),
                "glasses",
                (0.4,),
                ("ink",),
                "clay",
                900,
                32,
                16,
                "judge",
                "told.csv",
                "errors.csv",
                6,
                0.01,
            ),
            "/out",
            "/shown",
            "/beside",
        ),
        TrainView(
            "cvae",
            {"detection.smoothing": 0.1, "detection.ratios": ("gender=female:0.2",), "models.latent": 9},
            "/out",
            "/a",
            "/b",
        ),
    )


def assert_same(found: Any, expected: Any, where: str = "it") -> None:
    """Compare records, mappings and arrays: types, shapes and bits."""
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype, where
        assert found.shape == expected.shape, where
        assert found.tobytes() == expected.tobytes(), where
    elif is_dataclass(expected) and not isinstance(expected, type):
        assert type(found) is type(expected), where
        for field in fields(expected):
            assert_same(getattr(found, field.name), getattr(expected, field.name), f"{where}.{field.name}")
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for name in expected:
            assert_same(found[name], expected[name], f"{where}[{name}]")
    elif isinstance(expected, tuple):
        assert len(found) == len(expected), where
        for k, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, f"{where}[{k}]")
    else:
        assert found == expected, where
        assert type(found) is type(expected), where


def test_all_of_a_session_comes_back_to_the_bit(document: Document) -> None:
    window = {"view": "grid", "sizes": [1, 2.5], "open": True, "none": None}
    saved = read_session(session_json(document, window), "a.json")
    assert saved.left_out == ()
    assert saved.name == "a.json"
    assert saved.program == latentlab.__version__
    assert saved.window == window
    assert saved.threads == 3
    assert_same(saved.checkpoint, document.checkpoint)
    assert_same(saved.explore, replace(document.explore, source=None))
    assert_same(dict(saved.shelves), document.shelves)
    assert_same(saved.audit, document.audit)
    assert saved.train == document.train
    assert saved.source is not None
    assert (saved.source.name, saved.source.crop) == ("my face.png", (3, 4, 30))
    assert_same(saved.source.picture, document.explore.source.picture)


def test_what_was_read_is_written_as_it_was(document: Document) -> None:
    text = session_json(document, {"view": "map"})
    saved = read_session(text, "a.json")
    source = Source(saved.source.name, saved.source.picture, None, saved.source.crop)  # type: ignore[arg-type]
    explore = replace(saved.explore, source=source)
    again = Document(saved.checkpoint, explore, saved.threads, saved.shelves, saved.audit, saved.train)
    assert session_json(again, saved.window) == text


def test_many_numbers_keep_their_bits(document: Document) -> None:
    numbers = odd_numbers(40_000, 1)
    explore = Explore(numbers, numbers[::-1].copy())
    saved = read_session(session_json(Document(document.checkpoint, explore), {}), "a")
    assert_same(saved.explore.start, numbers)
    assert_same(saved.explore.latent, explore.latent)
    with pytest.raises(ValueError, match="read-only"):
        saved.explore.start[0] = 1.0


def test_a_session_without_a_picture_or_a_model(document: Document) -> None:
    plain = Document(document.checkpoint, replace(document.explore, source=None, condition=None, seed=None))
    saved = read_session(session_json(plain, {}), "a")
    assert (saved.source, saved.explore.condition, saved.explore.seed) == (None, None, None)
    assert saved.left_out == ()
    empty = read_session(session_json(Document(), {}), "a")
    assert (empty.checkpoint, empty.explore, empty.left_out) == (None, None, ())


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (parts.CheckpointPart, CheckpointRef),
        (parts.PinPart, Pin),
        (parts.GroupPart, Group),
        (parts.DirectionPart, Direction),
        (parts.AxisPart, AxisRef),
        (parts.GridPart, GridView),
        (parts.PathPart, PathView),
        (parts.ProbePart, ProbeView),
        (parts.MapPart, MapView),
        (parts.CounterfactualPart, CounterfactualView),
        (parts.ProjectionPart, ProjectionView),
        (parts.ManyPart, ManyView),
        (parts.SampleRowPart, SampleRow),
        (parts.LatentRefPart, LatentRef),
        (parts.StripPart, StripView),
        (parts.SamplesPart, SamplesView),
        (parts.SearchPart, SearchView),
        (parts.SearchPicturePart, SearchPicture),
        (parts.StudyPart, StudyRequest),
        (parts.AuditPart, AuditView),
    ],
)
def test_each_part_has_the_fields_and_defaults_of_what_it_stands_for(part: Any, whole: Any) -> None:
    if whole is Direction:
        expected = {name: field.get_default() for name, field in Direction.model_fields.items()}
    else:
        expected = {field.name: field.default for field in fields(whole)}
    assert expected.keys() == part.model_fields.keys()
    for name, default in expected.items():
        found = part.model_fields[name].get_default()
        read_alone = name in ("axis", "rows", "start", "end", "strip", "asked")
        if found is not PydanticUndefined and whole is not CheckpointRef and not read_alone:
            assert found == default, name


def test_the_latents_fields_are_all_read() -> None:
    assert {field.name for field in fields(Explore)} == {*parts.ExplorePart.model_fields, "source"}
    assert {field.name for field in fields(Source)} - {"encoded"} == set(parts.SourcePart.model_fields)


def paths_of(data: Any, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give the way to each field and member; of a list of numbers only the first."""
    if isinstance(data, dict):
        members: list[tuple[str | int, Any]] = list(data.items())
    elif isinstance(data, list):
        plain = all(isinstance(one, (int, float)) for one in data)
        members = list(enumerate(data))[: 1 if plain else None]
    else:
        return
    for key, value in members:
        yield (*before, key)
        yield from paths_of(value, (*before, key))


def parent_of(data: Any, path: tuple[str | int, ...]) -> Any:
    for key in path[:-1]:
        data = data[key]
    return data


def names_of(shelf: Shelf) -> set[str]:
    return {one.name for one in (*shelf.pins, *shelf.directions, *shelf.groups)}


WRONG = {
    "null": None,
    "text": "damage",
    "number": 3.5,
    "minus": -7,
    "no": False,
    "list": [[1.0], 2.0],
    "object": {"damage": 1},
    "not a number": float("nan"),
    "infinite": float("inf"),
    "huge": 10**400,
    "half a letter": "\ud800",
}


def alike(one: object, other: object) -> bool:
    """Whether two values are of one kind, so that the one can stand where the other stood."""
    kinds = [bool, str, (int, float), list, dict]
    return next(kind for kind in kinds if isinstance(one, kind)) is next(
        kind for kind in kinds if isinstance(other, kind)
    )


def check_damaged(damaged: dict[str, Any], path: tuple[str | int, ...], document: Document) -> Saved | None:
    """Read a damaged session: either it is an error, or what is not damaged is as it was."""
    if path[0] in ("format", "version"):
        with pytest.raises(SettingsError, match=r"^a\.json "):
            read_session(json.dumps(damaged), "a.json")
        return None
    saved = read_session(json.dumps(damaged), "a.json")
    for one in saved.left_out:
        one.encode()
    if path[0] != "checkpoint":
        assert_same(saved.checkpoint, document.checkpoint)
    if path[0] != "explore":
        assert_same(saved.explore, replace(document.explore, source=None))
        assert_same(saved.source.picture, document.explore.source.picture)
    elif path[1:2] == ("source",):
        assert_same(saved.explore, replace(document.explore, source=None))
    elif len(path) > 1:
        assert saved.source is not None
        assert saved.explore is not None
    if path[0] != "audit":
        assert saved.audit == document.audit
    if path[0] == "shelves":
        hit = path[1] if len(path) > 1 else None
        for sha256 in (SHA, OTHER) if hit is not None else ():
            if sha256 != hit:
                assert_same(saved.shelves[sha256], document.shelves[sha256])
            elif len(path) > 3:
                lost = names_of(document.shelves[sha256]) - names_of(saved.shelves[sha256])
                assert len(lost) <= 1, (path, lost)
    else:
        assert_same(dict(saved.shelves), document.shelves)
    explore = saved.explore
    arrays = [] if explore is None else [explore.start, explore.latent]
    for shelf in saved.shelves.values():
        arrays += [pin.latent for pin in shelf.pins] + [group.mean for group in shelf.groups]
        arrays += [np.array(direction.vector) for direction in shelf.directions]
        sizes = {array.size for array in arrays[2:] if array.size in (4, 6)}
        assert sizes <= {4, 6}
        assert shelf.compared in {"", *(pin.name for pin in shelf.pins)}
        known = {"", *(direction.name for direction in shelf.directions)}
        assert {axis.direction for axis in (*shelf.grid.axes, shelf.probe.axis)} <= known
    assert all(np.isfinite(array).all() for array in arrays)
    return saved


def test_one_damaged_part_is_left_out_and_said_and_the_rest_is_there(document: Document) -> None:
    data = json.loads(session_json(document, {"view": "grid"}))
    tried = 0
    for path in list(paths_of(data)):
        for how, wrong in WRONG.items():
            damaged = copy.deepcopy(data)
            parent_of(damaged, path)[path[-1]] = wrong
            saved = check_damaged(damaged, path, document)
            tried += 1
            given = parent_of(data, path)[path[-1]]
            free = path[0] in ("window", "program") or how == "null" or given is None
            assert saved is None or saved.left_out or free or alike(given, wrong), (path, how)
    assert tried > 1000


def test_a_missing_field_is_never_a_fault(document: Document) -> None:
    data = json.loads(session_json(document, {"view": "grid"}))
    for path in list(paths_of(data)):
        damaged = copy.deepcopy(data)
        parent = parent_of(damaged, path)
        del parent[path[-1]]
        saved = check_damaged(damaged, path, document)
        needed = {"pins": ("name", "latent"), "groups": ("name", "mean", "count")}
        needed |= {"directions": ("name", "vector", "sigma")}
        if len(path) == 5 and path[-1] in needed.get(str(path[2]), ()):
            assert len(saved.left_out) >= 1, path
            assert len(names_of(document.shelves[path[1]]) - names_of(saved.shelves[path[1]])) == 1, path


@pytest.mark.parametrize(
    ("section", "wrong", "left"),
    [
        ("pins", [1.0, 2.0], "the pin Pin 1 (it has 2 numbers, a latent of the model has 6)"),
        ("pins", [[1.0, 2.0], [3.0]], "the pin Pin 1 (latent: its rows differ in length)"),
        ("pins", ["1"] * 6, "the pin Pin 1 (latent: a list of numbers is expected)"),
        ("pins", [1e39] * 6, "the pin Pin 1 (latent: it holds a number that is not finite)"),
    ],
)
def test_a_pin_says_what_is_wrong_with_it(document: Document, section: str, wrong: Any, left: str) -> None:
    data = json.loads(session_json(document, {}))
    data["shelves"][SHA][section][0]["latent"] = wrong
    saved = read_session(json.dumps(data), "a")
    assert saved.left_out == (left, "the comparison with Pin 1 (there is no such pin)")
    assert [pin.name for pin in saved.shelves[SHA].pins] == ["Überpin\n2"]
    assert saved.shelves[SHA].compared == ""


def test_a_latent_of_another_size_gives_way_to_the_rest(document: Document) -> None:
    data = json.loads(session_json(document, {}))
    data["explore"]["start"] = [1.0, 2.0]
    saved = read_session(json.dumps(data), "a")
    assert saved.left_out == ("the start (it has 2 numbers instead of 6)",)
    assert_same(saved.explore.start, document.explore.latent)
    assert len(saved.shelves[SHA].pins) == 2


def test_a_lost_picture_leaves_the_latent_and_its_name(document: Document) -> None:
    data = json.loads(session_json(document, {}))
    text = data["explore"]["source"]["picture"]
    for wrong in (text[: len(text) // 2 // 4 * 4], "!" + text[1:], ""):
        data["explore"]["source"]["picture"] = wrong
        data["explore"] |= {"named": "", "seed": None}
        saved = read_session(json.dumps(data), "a")
        assert saved.source is None
        assert saved.explore.origin == "the picture my face.png"
        assert_same(saved.explore.latent, document.explore.latent)
        assert len(saved.left_out) == 1
        assert saved.left_out[0].startswith("the picture my face.png (it ")


@pytest.mark.parametrize("crop", [[24, 0, 30], [0, 8, 30], [-1, 0, 3], [0, 0, 0], [0, 0], [0.5, 0, 3]])
def test_a_crop_outside_the_picture_is_left_out(document: Document, crop: list[float]) -> None:
    data = json.loads(session_json(document, {}))
    data["explore"]["source"]["crop"] = crop
    saved = read_session(json.dumps(data), "a")
    assert saved.source.crop is None
    assert_same(saved.source.picture, document.explore.source.picture)
    assert len(saved.left_out) >= 1
    assert "crop" in saved.left_out[0]


def test_what_a_newer_program_has_added_is_left_out_and_said(document: Document) -> None:
    data = json.loads(session_json(document, {}))
    data["sound"] = 1
    data["explore"]["tilt"] = 2
    data["shelves"][SHA]["pins"][0]["colour"] = "red"
    data["shelves"][SHA]["grid"]["zoom"] = 2
    data["shelves"][SHA]["moods"] = []
    saved = read_session(json.dumps(data), "a")
    assert {one.split(" (")[0] for one in saved.left_out} == {
        "the field 'sound' of the session",
        "the field 'tilt' of the latent",
        "the field 'colour' of the pin Pin 1",
        "the field 'zoom' of the grid's settings",
        "the field 'moods' of the shelf",
    }
    assert_same(dict(saved.shelves), document.shelves)
    assert_same(saved.explore, replace(document.explore, source=None))


def test_names_that_stand_twice_get_a_number(document: Document) -> None:
    data = json.loads(session_json(document, {}))
    for kind in ("pins", "directions", "groups"):
        data["shelves"][SHA][kind][1]["name"] = data["shelves"][SHA][kind][0]["name"]
    found = read_session(json.dumps(data), "a").shelves[SHA]
    assert [pin.name for pin in found.pins] == ["Pin 1", "Pin 1 2"]
    assert [direction.name for direction in found.directions] == ["Smile", "Smile 2"]
    assert [group.name for group in found.groups] == ["Lasso", "Lasso 2"]


def test_a_direction_that_is_none_is_left_out(document: Document) -> None:
    data = json.loads(session_json(document, {}))
    data["shelves"][SHA]["directions"][0]["vector"] = [2.0, 0, 0, 0, 0, 0]
    saved = read_session(json.dumps(data), "a")
    assert [one.name for one in saved.shelves[SHA].directions] == ["Ålder"]
    assert saved.left_out[0] == "the direction Smile (its vector is not of length 1)"
    assert saved.shelves[SHA].grid.axes == (AxisRef(2), AxisRef(-1))
    assert all(isinstance(one, Direction) for one in saved.shelves[SHA].directions)


def is_beginning(found: np.ndarray, whole: np.ndarray) -> bool:
    return found.tobytes() == whole.reshape(-1)[: found.size].tobytes()


def test_a_cut_off_session_opens_with_what_stands_before_the_cut(document: Document) -> None:
    text = session_json(document, {"view": "grid"}).rstrip()
    threads, shelves = text.index('"threads"'), text.index('"shelves"')
    for end in [*range(80, len(text) - 1, 23), len(text) - 1]:
        if end < text.index('"name"') - 1:  # the comma after the first thing that is of use
            with pytest.raises(SettingsError, match=r"a\.json is damaged or cut off"):
                read_session(text[:end], "a.json")
            continue
        saved = read_session(text[:end], "a.json")
        assert any(left.endswith("cut off)") for left in saved.left_out)
        if end > threads:
            assert_same(saved.checkpoint, document.checkpoint)
        if saved.explore is not None:
            assert is_beginning(saved.explore.start, document.explore.start)
            assert is_beginning(saved.explore.latent, document.explore.latent) or end < shelves
        if end > shelves:
            assert_same(saved.explore, replace(document.explore, source=None))
            assert_same(saved.source.picture, document.explore.source.picture)
        for sha256, found in saved.shelves.items():
            for pin in found.pins:
                assert is_beginning(pin.latent, document.shelves[sha256].pin(pin.name).latent)
    in_second = text.index('"directions"', text.index(OTHER))
    saved = read_session(text[:in_second], "a.json")
    assert_same(saved.shelves[SHA], document.shelves[SHA])
    assert_same(saved.shelves[OTHER].pins, document.shelves[OTHER].pins)
    assert read_session(text, "a.json").left_out == ()


@pytest.mark.parametrize("wrong", ["x", '"', "}", ",", "\\", "\x01", "\n", ""])
def test_one_wrong_character_leaves_all_other_lines_as_they_are(document: Document, wrong: str) -> None:
    text = session_json(document, {"view": "grid"})
    first = text.index('"program"')
    for place in range(first, len(text) - 2, 41):
        line = text[:place].count("\n")
        if text[place] == "\n":
            continue
        saved = read_session(text[:place] + wrong + text[place + 1 :], "a.json")
        if line != 4:
            assert_same(saved.checkpoint, document.checkpoint)
        if line != 5:
            assert saved.threads == document.threads
        if line != 6:
            assert_same(saved.explore, replace(document.explore, source=None))
            assert_same(saved.source.picture, document.explore.source.picture)
        if line != 7:
            assert_same(dict(saved.shelves), document.shelves)
        if line != 8:
            assert saved.audit == document.audit
        if line != 9:
            assert saved.train == document.train
        if line != 10:
            assert saved.window == {"view": "grid"}


def test_a_pin_before_the_damage_is_kept_and_one_after_it_is_said_to_be_lost(document: Document) -> None:
    text = session_json(document, {})
    place = text.index("\\u00dcberpin")
    saved = read_session(text[: place - 3] + "?" + text[place - 3 :], "a.json")
    assert [pin.name for pin in saved.shelves[SHA].pins] == ["Pin 1"]
    assert saved.left_out[0] == "the rest of the field 'shelves' (line 8 is damaged or cut off)"


def test_a_byte_that_is_no_letter_costs_its_line_at_most(tmp_path, document: Document) -> None:
    content = session_json(document, {}).encode()
    place = content.index(b'"threads": ') + 11
    path = tmp_path / "a.json"
    path.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
    saved = load_session(path)
    assert saved.threads == 1
    assert "'threads'" in saved.left_out[0]
    assert_same(saved.explore, replace(document.explore, source=None))
    assert_same(dict(saved.shelves), document.shelves)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("hello", "not JSON"),
        ("<html></html>", "not JSON"),
        ("[" * 200_000, "nested too deeply|not JSON"),
        ("[]", "lacks the format"),
        ('"latentlab-session"', "lacks the format"),
        ('{"format": "latentlab-directions", "version": 1}', "lacks the format"),
        ('{"format": "latentlab-session"}', "has no version"),
        ('{"format": "latentlab-session", "version": 2}', "of version 2; this program reads version 1"),
        ('{"format": "latentlab-session", "version": true}', "of version True"),
        ('{"format": "latentlab-session", "version": "1"}', "of version 1"),
        ('{"format": "latentlab-session", "version": 1, x}', "is damaged"),
        ('{"format": "latentlab-session", "version": %s}' % ("9" * 5000), "is damaged"),
    ],
)
def test_what_is_no_session_is_an_error_that_names_it(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        read_session(text, "thing.json")
    assert "thing.json" in str(caught.value)


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path, document: Document) -> None:
    with pytest.raises(SettingsError, match="There is no session"):
        load_session(tmp_path / "nothing.json")
    with pytest.raises(SettingsError, match="is no file"):
        load_session(tmp_path)
    path = tmp_path / "a.json"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(SettingsError, match=r"a\.json is no session: it is not text"):
        load_session(path)
    path.write_bytes(b"\xef\xbb\xbf" + session_json(document, {}).encode())
    assert load_session(path).name == "a.json"


@pytest.mark.parametrize(
    ("shape", "start"),
    [((1, 1), b"\x89PNG"), ((300, 200), b"\x89PNG"), ((2048, 2048), b"RIFF"), ((2, 16_500), b"\x89PNG")],
)
def test_a_picture_loses_nothing(shape: tuple[int, int], start: bytes) -> None:
    import base64

    given = picture(*shape)
    text = picture_text(given)
    assert base64.b64decode(text).startswith(start)
    assert (start == b"RIFF") == (shape[0] * shape[1] > MOST_FOR_PNG)
    assert_same(picture_of(text), given)


def test_a_part_of_a_larger_array_is_a_picture_too() -> None:
    given = picture()[3:20:2, 5:40]
    assert_same(picture_of(picture_text(given)), np.ascontiguousarray(given))


def test_a_picture_is_encoded_once(monkeypatch: pytest.MonkeyPatch, document: Document) -> None:
    made: list[np.ndarray] = []
    monkeypatch.setattr(
        "latentlab.session.saved_picture.picture_text", lambda one: made.append(one) or f"text {len(made)}"
    )
    texts, first, second = PictureTexts(kept=2), picture(), picture()
    assert [texts.text(first), texts.text(second), texts.text(first)] == ["text 1", "text 2", "text 1"]
    assert texts.text(picture(5, 5)) == "text 3"
    assert texts.text(second) == "text 2"
    assert texts.text(first) == "text 4", "the oldest of three was forgotten"
    made.clear()
    for step in range(3):
        moved = replace(document, explore=replace(document.explore, latent=np.full((2, 3), np.float32(step))))
        session_json(moved, {}, texts)
    assert len(made) == 1


@pytest.mark.parametrize("end", ["\n", "\r", "\u2028", "\x85", "\x00"])
def test_the_name_of_a_start_is_on_one_line(document: Document, end: str) -> None:
    data = json.loads(session_json(document, {}))
    data["explore"]["named"] = f"a{end}import os"
    saved = read_session(json.dumps(data), "a.json")
    assert saved.explore.named == ""
    (left,) = saved.left_out
    assert "'named'" in left
    assert "without control characters" in left
    data["explore"]["named"] = "a start\u00a0of mine"
    assert read_session(json.dumps(data), "a.json").explore.named == "a start\u00a0of mine"
