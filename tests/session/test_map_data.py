"""The encoded data of the open model: made by a job, found again, shown as marks, searched for directions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from job_processes import no_process_left
from PIL import Image

from latentlab.checkpoints import save
from latentlab.checkpoints.companion import load_model
from latentlab.data.catalog import open_set
from latentlab.data.image_set import ImageSet
from latentlab.data.set_folder import copy_image_set
from latentlab.errors import SettingsError
from latentlab.jobs.map_job import map_job
from latentlab.operations.directions import principal_directions
from latentlab.operations.explore import Explorer
from latentlab.operations.make_map import make_map
from latentlab.operations.map_file import load_map, map_path
from latentlab.paths import runs_directory
from latentlab.session.document import MapView
from latentlab.session.find_directions import DirectionFinder
from latentlab.session.map_data import MapData, group_of
from latentlab.session.map_marks import MapMarks
from latentlab.session.shelf import ShelfIntents


@pytest.fixture
def faces_folder(tiny_faces: ImageSet, tmp_path: Path) -> Path:
    """416 faces that no test before has encoded."""
    return copy_image_set(tmp_path / "faces", tiny_faces)


@pytest.fixture
def many_folder(tiny_faces: ImageSet, tmp_path: Path) -> Path:
    """1,200 faces, each about three times: their t-SNE takes long enough to be stopped."""
    return copy_image_set(tmp_path / "many", tiny_faces.select(np.arange(1200) % len(tiny_faces)))


@pytest.fixture(scope="module")
def known_folder(tiny_faces: ImageSet, tiny_model_folder: Path, tmp_path_factory) -> Path:
    """416 faces whose map, with t-SNE, is in the cache already."""
    folder = copy_image_set(tmp_path_factory.mktemp("known") / "faces", tiny_faces)
    explorer = Explorer.open(tiny_model_folder, "")
    out = map_path(explorer.located.sha256(), str(folder), 10_000, 0)
    make_map(explorer, tiny_faces, str(folder), out=out, iterations=50)
    return folder


class Room:
    """A desk with the map's data, marks and directions, and everything that was told of them."""

    def __init__(self, desk) -> None:
        self.desk, self.workspace = desk, desk.workspace
        self.session = desk.workspace.session
        self.shelf = ShelfIntents(self.session)
        self.data = MapData(self.workspace)
        self.finder = DirectionFinder(self.workspace, self.data)
        self.marks = MapMarks(self.workspace, self.data)
        self.phases: list[str] = []
        self.busy: list[tuple[str, int, int]] = []
        self.data.changed.connect(lambda: self.phases.append(self.data.phase))
        self.finder.busy_changed.connect(lambda *told: self.busy.append(told))

    def show(self, folder: Path | str, layout: str = "pca", count: int = 10_000) -> None:
        view = MapView(data=str(folder), layout=layout, count=count)  # type: ignore[arg-type]
        self.shelf.set_map(view)

    def wait(self, phase: str) -> None:
        self.desk.wait(lambda: self.data.phase == phase)

    def wait_found(self) -> None:
        self.desk.wait(lambda: self.busy and self.busy[-1] == ("", 0, 0))

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.shelf.shelf.directions]

    def close(self) -> None:
        self.finder.close()
        self.data.close()


@pytest.fixture
def new_room(open_desk) -> Iterator[Callable[[], Room]]:
    """Make rooms, of which none leaves a thread or a process behind."""
    rooms: list[Room] = []

    def made() -> Room:
        rooms.append(Room(open_desk))
        return rooms[-1]

    with no_process_left():
        yield made
        for room in rooms:
            room.close()


@pytest.fixture
def room(new_room) -> Room:
    return new_room()


@pytest.fixture
def known_room(room: Room, known_folder: Path) -> Room:
    room.show(known_folder)
    return room


def _started(folder: Path | str) -> int:
    """How often the work on a set was started, by the newest run for it."""
    for path in runs_directory().glob("map-*/settings.json"):
        if json.loads(path.read_text())["settings"]["data"] == str(folder):
            return (path.parent / "events.jsonl").read_text().count('"started"')
    return 0


# Data


def test_what_is_needed_is_made_by_a_job(room: Room, faces_folder: Path, tiny_faces: ImageSet) -> None:
    shown = []
    room.data.found_map.connect(shown.append)
    room.show(faces_folder)
    assert room.data.phase == "none", "nobody has asked"
    room.data.need()
    assert room.data.phase == "looking"
    assert room.data.found is None
    room.wait("ready")
    assert list(dict.fromkeys(room.phases)) == ["looking", "making", "ready"]
    found, images = room.data.found, room.data.images
    assert shown[-1] is found
    assert found is not None
    assert images is not None
    assert (len(found), len(images)) == (416, 416)
    assert found.info.sha256 == room.workspace.opened.sha256
    np.testing.assert_array_equal(images.pixels(slice(5, 6)), tiny_faces.pixels(slice(5, 6)))
    explorer = Explorer.open(room.workspace.opened.path, "")
    np.testing.assert_array_equal(found.latents, explorer.encode_set(tiny_faces).reshape(416, -1))
    assert room.session.history.undo_name == "Set the map", "a map is no step"


def test_what_was_made_is_found_again_at_once(known_room: Room, known_folder: Path) -> None:
    known_room.data.need()
    known_room.wait("ready")
    assert known_room.phases == ["looking", "ready"]
    assert known_room.data.images is not None
    assert len(known_room.data.found) == 416
    assert _started(known_folder) == 0, "no job was started"
    known_room.data.need()
    assert known_room.phases == ["looking", "ready"], "nothing else was to do"
    known_room.shelf.set_map(replace(known_room.shelf.shelf.map, colour="glasses"))
    known_room.shelf.set_map(replace(known_room.shelf.shelf.map, layout="tsne"))
    assert known_room.data.phase == "ready"


def test_the_map_follows_the_view_and_a_tsne_is_shown_as_it_grows(room: Room, faces_folder: Path) -> None:
    room.show(faces_folder)
    room.data.need()
    room.wait("ready")
    first, growing = room.data.found, []
    room.data.found_map.connect(
        lambda found: growing.append(0 if found.info.tsne is None else found.info.tsne.iterations)
    )
    room.show(faces_folder, "tsne")
    assert room.data.phase == "looking"
    assert room.data.found is first, "what there is stays meanwhile"
    room.wait("ready")
    assert growing == sorted(growing)
    assert growing[-1] == 750
    np.testing.assert_array_equal(room.data.found.latents, first.latents)
    room.show(faces_folder, "tsne", count=50)
    assert room.data.found is None, "these are other rows"
    room.wait("ready")
    assert len(room.data.found) == 50


def test_a_job_that_is_stopped_keeps_what_it_has_done_and_goes_on_when_asked(
    room: Room, many_folder: Path
) -> None:
    room.show(many_folder, "tsne")
    room.data.need()
    room.desk.wait(lambda: room.data.message == "Laying out by t-SNE")
    assert room.data.total == 750
    room.data.cancel()
    room.wait("stopped")
    assert "What was done is kept" in room.data.message
    kept = room.data.found
    assert len(kept) == 1200
    room.data.need()
    assert room.data.phase == "stopped", "nobody has asked for it to go on"
    room.data.try_again()
    assert room.data.phase == "looking"
    room.wait("ready")
    assert room.data.found.info.tsne.done
    np.testing.assert_array_equal(room.data.found.latents, kept.latents)


def test_a_job_goes_on_without_the_window_and_is_found_by_the_next(
    new_room: Callable[[], Room], many_folder: Path
) -> None:
    first = new_room()
    first.show(many_folder, "tsne")
    first.data.need()
    first.desk.wait(lambda: first.data.message == "Laying out by t-SNE")
    first.data.close()
    second = new_room()
    second.data.need()
    second.wait("ready")
    assert second.data.found.info.tsne.done
    assert _started(many_folder) == 1


def test_a_job_that_goes_on_without_tsne_is_followed_by_one_with_it(room: Room, faces_folder: Path) -> None:
    opened = room.workspace.opened
    map_job(opened.path, opened.sha256, str(faces_folder), 10_000, 0, tsne=False)
    room.show(faces_folder, "tsne")
    room.data.need()
    room.wait("ready")
    assert room.data.found.info.tsne.done


def test_three_images_are_ready_without_tsne(room: Room, tiny_faces: ImageSet, tmp_path: Path) -> None:
    few = copy_image_set(tmp_path / "few", tiny_faces.select(np.arange(3)))
    room.show(few, "tsne")
    room.data.need()
    room.wait("ready")
    assert room.data.found.layouts == ("pca",)
    assert room.marks.layout == "pca"
    assert _started(few) == 1


def test_another_model_drops_the_map(known_room: Room, known_folder: Path, idle_model_folder: Path) -> None:
    known_room.data.need()
    known_room.wait("ready")
    workspace = known_room.workspace
    workspace.open_checkpoint(str(idle_model_folder), "")
    known_room.desk.wait(lambda: workspace.in_step)
    assert known_room.data.phase == "none"
    assert known_room.data.found is None
    assert known_room.data.images is None
    known_room.show(known_folder)
    known_room.data.need()
    known_room.wait("ready")
    assert known_room.data.found.info.sha256 == workspace.opened.sha256
    before = workspace.opened.sha256
    while workspace.opened.sha256 == before:
        workspace.session.undo()
        known_room.desk.wait(lambda: workspace.in_step)
    assert known_room.data.found is None
    known_room.data.need()
    known_room.wait("ready")
    assert known_room.data.found.info.sha256 == workspace.opened.sha256 != before


def test_a_map_of_the_former_model_does_not_come_late(
    room: Room, many_folder: Path, idle_model_folder: Path
) -> None:
    room.show(many_folder, "tsne")
    room.data.need()
    room.desk.wait(lambda: room.data.message == "Laying out by t-SNE")
    data = room.data.data
    former = room.workspace.opened
    room.workspace.open_checkpoint(str(idle_model_folder), "")
    room.desk.wait(lambda: room.workspace.in_step)
    job, _ = map_job(former.path, former.sha256, data, 10_000, 0, tsne=True)
    assert job.poll().phase == "running", "it goes on"
    room.desk.wait(lambda: job.poll().over)
    assert (room.data.phase, room.data.found) == ("none", None)


def test_a_map_of_the_former_set_does_not_come_late(known_room: Room) -> None:
    known_room.data.need()
    known_room.data.close()  # it is found by now, and waits to be shown
    known_room.show("/nowhere/set")
    known_room.wait("failed")
    assert known_room.data.found is None
    assert "ready" not in known_room.phases


def test_what_has_failed_is_not_begun_again_until_somebody_asks(known_room: Room, known_folder: Path) -> None:
    known_room.data.need()
    known_room.wait("ready")
    out = map_path(known_room.workspace.opened.sha256, str(known_folder), 50, 0)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.mkdir()  # so that no map can be written there
    known_room.show(known_folder, "pca", count=50)
    known_room.wait("failed")
    started = len(known_room.phases)
    for value in (0.5, 1.0, 1.5):
        known_room.workspace.explore.move(2, value)
        known_room.data.need()
    assert known_room.phases[started:] == []
    assert _started(known_folder) == 1
    out.rmdir()
    known_room.data.try_again()
    known_room.wait("ready")
    assert len(known_room.data.found) == 50


def test_a_tsne_that_fails_while_the_components_are_there_is_told(room: Room, faces_folder: Path) -> None:
    room.show(faces_folder)
    room.data.need()
    room.wait("ready")
    first = room.data.found
    shutil.rmtree(faces_folder)
    room.show(faces_folder, "tsne")
    room.wait("failed")
    assert room.data.found is first, "what there is stays"
    (message,) = room.desk.messages
    assert message.kind == "error"
    assert message.text.startswith("The map was not finished: There is no image set")


def test_a_set_that_is_not_there_is_told_and_another_can_be_chosen(room: Room, faces_folder: Path) -> None:
    room.show("/nowhere/set")
    room.data.need()
    room.wait("failed")
    assert "There is no image set '/nowhere/set'" in room.data.message
    room.show(faces_folder)
    room.wait("ready")
    assert len(room.data.found) == 416


def test_weights_that_were_replaced_meanwhile_are_not_taken_for_those_that_are_open(
    room: Room, faces_folder: Path, tiny_model_folder: Path, idle_model_folder: Path, tmp_path: Path
) -> None:
    opened = load_model(tiny_model_folder)
    folder = save(tmp_path / "model", opened.network, opened.located.config)
    room.workspace.open_checkpoint(str(folder), "")
    room.desk.wait(lambda: room.workspace.in_step)
    other = load_model(idle_model_folder)
    save(folder, other.network, other.located.config)
    room.show(faces_folder)
    room.data.need()
    room.wait("failed")
    assert "other weights than expected" in room.data.message


def _painted(folder: Path, count: int) -> Path:
    """Make a folder of pictures of one colour each, so that every picture says which one it is."""
    folder.mkdir()
    for k in range(count):
        Image.new("RGB", (32, 32), (20 * k, 0, 0)).save(folder / f"{k:02d}.png")
    return folder


def test_a_folder_that_has_changed_is_encoded_anew_before_it_is_shown(room: Room, tmp_path: Path) -> None:
    folder = _painted(tmp_path / "painted", 12)
    explorer = Explorer.open(room.workspace.opened.path, "")
    out = map_path(room.workspace.opened.sha256, str(folder), 10_000, 0)
    make_map(explorer, open_set(folder, 32), str(folder), tsne=False, out=out)
    for k in range(5):
        (folder / f"{k:02d}.png").unlink()
    shown = []
    room.data.found_map.connect(lambda found: shown.append((len(found), len(room.data.images))))
    room.show(folder)
    room.data.need()
    room.wait("ready")
    assert set(shown) == {(7, 7)}
    found, images = room.data.found, room.data.images
    for k, name in enumerate(found.names):
        pixels = images.pixels(found.rows[[k]])[0]
        assert pixels[0, 0, 0] == 20 * int(name[:2])
        np.testing.assert_allclose(found.latent(k), explorer.encode(pixels).latent, atol=1e-5)


def test_labels_that_have_changed_are_those_of_the_map(
    room: Room, known_folder: Path, tmp_path: Path
) -> None:
    folder = _painted(tmp_path / "labelled", 4)
    table = folder / "attributes.csv"
    table.write_text("name,glasses\n00.png,no\n01.png,no\n02.png,yes\n03.png,yes\n")
    room.show(folder)
    room.data.need()
    room.wait("ready")
    assert room.data.found.labels["glasses"].tolist() == [0, 0, 1, 1]
    table.write_text("name,glasses\n00.png,yes\n01.png,no\n02.png,no\n03.png,yes\n")
    room.show(known_folder)
    room.wait("ready")
    assert len(room.data.found) == 416
    room.show(folder)
    room.wait("ready")
    assert room.data.found.labels["glasses"].tolist() == [1, 0, 0, 1]


def test_a_damaged_map_is_made_again(room: Room, faces_folder: Path) -> None:
    path = map_path(room.workspace.opened.sha256, str(faces_folder), 10_000, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"not a map")
    room.show(faces_folder)
    room.data.need()
    room.wait("ready")
    assert len(load_map(path)) == 416


def test_the_set_that_a_model_was_trained_on_is_the_usual_one(
    room: Room, tiny_model_folder: Path, faces_folder: Path, tmp_path: Path
) -> None:
    assert room.data.data == "", "the tiny model does not say"
    room.data.need()
    assert room.data.phase == "none"
    opened = load_model(tiny_model_folder)
    config = opened.located.config.model_copy(update={"training": {"data": str(faces_folder)}})
    config = config.model_copy(update={"name": "trained"})
    with_noise = opened.network
    next(with_noise.parameters()).data += 0.01
    folder = save(tmp_path / "trained", with_noise, config)
    room.workspace.open_checkpoint(str(folder), "")
    room.desk.wait(lambda: room.workspace.in_step)
    assert room.data.data == str(faces_folder)
    room.show("faces:train")
    assert room.data.data == "faces:train"


def test_a_folder_is_encoded_once_however_it_is_named(
    known_room: Room, known_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(known_folder.parent)
    known_room.show("./faces")
    known_room.data.need()
    known_room.wait("ready")
    assert known_room.phases == ["looking", "ready"]
    assert known_room.data.found.info.data == str(known_folder)


def test_a_group_is_the_mean_of_its_rows(known_room: Room) -> None:
    known_room.data.need()
    known_room.wait("ready")
    found = known_room.data.found
    mean, rows = group_of(found, np.isin(np.arange(416), [3, 5, 400]))
    np.testing.assert_allclose(mean, found.latents[[3, 5, 400]].mean(0), atol=1e-6)
    assert rows.tolist() == found.rows[[3, 5, 400]].tolist()


# Marks


def test_the_marks_follow_latent_pins_and_layout(known_room: Room) -> None:
    marks, session = known_room.marks, known_room.session
    moved = []
    marks.moved.connect(lambda: moved.append(marks.here))
    known_room.data.need()
    known_room.wait("ready")
    found = known_room.data.found
    marks.refresh_if_ready()
    assert moved == [], "nobody looks"
    marks.active = True
    latent = session.document.explore.latent
    np.testing.assert_allclose(marks.here, found.place_of("pca", latent))
    known_room.shelf.pin(found.latent(7), "seven")
    x, y, name = marks.pins[0]
    assert name == "seven"
    np.testing.assert_allclose((x, y), found.places["pca"][7], atol=1e-5)
    known_room.workspace.explore.move(2, 1.5)
    np.testing.assert_allclose(marks.here, found.place_of("pca", session.document.explore.latent))
    known_room.show(known_room.data.data, "tsne")
    assert marks.layout == "tsne"
    np.testing.assert_allclose(marks.pins[0][:2], found.places["tsne"][7], atol=1e-5)
    count = len(moved)
    marks.active = False
    known_room.workspace.explore.move(2, -1.5)
    assert len(moved) == count
    marks.active = True
    np.testing.assert_allclose(marks.here, found.place_of("tsne", session.document.explore.latent))


def test_a_place_stands_for_a_latent_near_to_the_edited_one(known_room: Room) -> None:
    assert known_room.marks.latent_at(0.0, 0.0) is None
    known_room.data.need()
    known_room.wait("ready")
    found, latent = known_room.data.found, known_room.session.document.explore.latent
    there = known_room.marks.latent_at(2.0, -1.0)
    assert there.shape == latent.shape
    np.testing.assert_allclose(found.project(there), (2.0, -1.0), atol=1e-5)
    across = found.components[2:] @ (there - latent).reshape(-1)
    np.testing.assert_allclose(across, np.zeros(6), atol=1e-4)
    known_room.show(known_room.data.data, "tsne")
    place = found.places["tsne"][9].tolist()
    np.testing.assert_array_equal(known_room.marks.latent_at(*place), found.latent(9))


def test_without_a_map_there_are_no_marks(known_room: Room) -> None:
    known_room.shelf.pin(name="one")
    known_room.marks.active = True
    assert (known_room.marks.here, known_room.marks.pins) == (None, [])


# Directions


def test_components_are_added_as_one_step_as_soon_as_the_data_are_there(
    room: Room, faces_folder: Path
) -> None:
    room.show(faces_folder)
    before = room.session.document
    room.finder.find_components(3)
    assert room.busy[0][0] == "Finding principal components: looking for the encoded data"
    room.wait_found()
    assert room.names == ["PC 1", "PC 2", "PC 3"]
    expected = principal_directions(room.data.found.latents, 3)
    assert list(room.shelf.shelf.directions) == expected
    room.session.undo()
    assert room.session.document is before


def test_there_are_as_many_components_as_the_latent_has_numbers(known_room: Room) -> None:
    known_room.finder.find_components(20)
    known_room.wait_found()
    assert known_room.names == [f"PC {k + 1}" for k in range(8)]


def test_an_attribute_is_added_as_one_step(known_room: Room) -> None:
    before = known_room.session.document
    known_room.finder.find_attribute("glasses")
    known_room.wait_found()
    assert known_room.names == ["glasses=yes"]
    assert known_room.busy[-1] == ("", 0, 0)
    assert known_room.shelf.shelf.directions[0].accuracy is not None
    middle = known_room.session.document
    known_room.busy.clear()
    known_room.finder.find_attribute("race")
    known_room.wait_found()
    assert known_room.names[1:] == ["race=asian", "race=black", "race=brown", "race=white"]
    known_room.session.undo()
    assert known_room.session.document is middle
    known_room.session.undo()
    assert known_room.session.document is before


def test_an_unknown_attribute_is_an_error_and_no_step(known_room: Room) -> None:
    before = known_room.session.document
    known_room.finder.find_attribute("hat")
    known_room.wait_found()
    (message,) = known_room.desk.messages
    assert message.kind == "error"
    assert "has no labels for hat; it has gender, race" in message.text
    assert known_room.session.document is before
    known_room.busy.clear()
    known_room.finder.find_components(1)
    known_room.wait_found()
    assert known_room.names == ["PC 1"], "the next wish is heard"


def test_orthogonalised_directions_take_the_place_of_all_as_one_step(known_room: Room) -> None:
    known_room.finder.find_attribute("race")
    known_room.wait_found()
    before = known_room.session.document
    known_room.busy.clear()
    known_room.finder.orthogonalise()
    known_room.wait_found()
    assert known_room.names == ["race=asian", "race=black", "race=brown", "race=white"]
    vectors = np.array([one.vector for one in known_room.shelf.shelf.directions])
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(4), atol=1e-5)
    np.testing.assert_allclose(vectors[0], before.shelf.directions[0].vector, atol=1e-6)
    assert known_room.session.history.undo_name == "Orthogonalise directions"
    known_room.session.undo()
    assert known_room.session.document is before


def test_a_direction_that_came_while_the_data_were_waited_for_is_orthogonalised_too(
    room: Room, faces_folder: Path
) -> None:
    room.show(faces_folder)
    pins = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    for k, latent in enumerate(pins):
        room.shelf.pin(latent, f"{k}")
    spec, (zero, one, two) = room.workspace.opened.spec, room.shelf.shelf.pins
    room.shelf.add_difference(spec, zero, one, "first")
    room.finder.orthogonalise()
    room.shelf.add_difference(spec, zero, two, "second")
    room.wait_found()
    assert room.names == ["first", "second"]
    first, second = (np.array(one.vector) for one in room.shelf.shelf.directions)
    assert abs(first @ second) < 1e-5


def test_one_thing_is_found_at_a_time(known_room: Room) -> None:
    known_room.finder.find_components(2)
    with pytest.raises(SettingsError, match="Finding principal components is still going on"):
        known_room.finder.find_attribute("glasses")
    known_room.wait_found()
    assert known_room.names == ["PC 1", "PC 2"]


def test_without_a_set_one_is_asked_for(room: Room) -> None:
    assert room.finder.of_what == ""
    with pytest.raises(SettingsError, match="Choose a set in the map first"):
        room.finder.find_components(2)


def test_data_that_cannot_be_had_end_the_wish(room: Room) -> None:
    room.show("/nowhere/set")
    room.finder.find_components(2)
    room.wait_found()
    assert "Finding principal components failed: There is no image set" in room.desk.messages[-1].text
    with pytest.raises(AssertionError):
        room.desk.wait(lambda: room.names, seconds=0.2)


def test_another_model_ends_a_wish_for_the_former_one(
    room: Room, faces_folder: Path, idle_model_folder: Path
) -> None:
    room.show(faces_folder)
    room.finder.find_components(2)
    room.workspace.open_checkpoint(str(idle_model_folder), "")
    room.desk.wait(lambda: room.workspace.in_step)
    room.wait_found()
    assert room.names == []


def test_the_attributes_are_the_sets_as_soon_as_it_is_known(known_room: Room) -> None:
    judged = [one.name for one in known_room.finder.attributes]
    assert judged == ["gender", "race", "glasses", "facial_hair"], "until then, the predictor's"
    known_room.data.need()
    known_room.wait("ready")
    assert list(known_room.finder.attributes) == list(known_room.data.found.info.attributes)
