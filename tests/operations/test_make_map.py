"""Making a map: what it holds, that it can be repeated, and that finished work is not done again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentlab.data.image_set import ImageSet
from latentlab.errors import Cancelled, SettingsError
from latentlab.operations.explore import Explorer
from latentlab.operations.latent_map import LatentMap
from latentlab.operations.make_map import make_map
from latentlab.operations.map_file import load_map, save_map
from latentlab.operations.map_rows import is_map_of
from latentlab.progress import Progress, Reporter
from latentlab.spec import Attribute

ITERATIONS = 75  # three states are written down


class CountingExplorer(Explorer):
    """An explorer that counts the images it encodes."""

    encoded = 0

    def encode_set(self, data: ImageSet, reporter: Reporter | None = None) -> np.ndarray:
        latents = super().encode_set(data, reporter)
        self.encoded += len(data)
        return latents


@pytest.fixture
def explorer(tiny_model_folder: Path) -> CountingExplorer:
    return CountingExplorer.open(tiny_model_folder, "")


@pytest.fixture
def faces(tiny_faces: ImageSet) -> ImageSet:
    return tiny_faces.split("validation")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "maps" / "faces.safetensors"


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the encoding every 64 images, so that 416 are several parts."""
    monkeypatch.setattr("latentlab.operations.make_map.PART", 64)


def _stopping(when: Callable[[Progress], bool]) -> Reporter:
    """A reporter that asks to stop at the first event that is so."""

    def listen(event: Progress) -> None:
        if when(event):
            reporter.cancel()

    reporter = Reporter(listen)
    return reporter


def _equal(one: LatentMap, other: LatentMap) -> bool:
    return (
        one.info == other.info
        and np.array_equal(one.rows, other.rows)
        and np.array_equal(one.latents, other.latents)
        and one.places.keys() == other.places.keys()
        and all(np.array_equal(places, other.places[layout]) for layout, places in one.places.items())
    )


def test_a_map_holds_the_latents_names_and_labels_of_its_images(
    explorer: Explorer, faces: ImageSet, tiny_faces: ImageSet
) -> None:
    found = make_map(explorer, faces, "faces:validation", tsne=False)
    np.testing.assert_array_equal(found.latents, explorer.encode_set(faces).reshape(64, -1))
    assert found.names.tolist() == faces.names[faces.rows].tolist()
    for attribute in faces.info.attributes:
        np.testing.assert_array_equal(found.labels[attribute.name], faces.codes(attribute.name))
    assert found.rows.tolist() == list(range(64)), "rows count within the split, not within the body"
    assert found.layouts == ("pca",)
    assert found.info.sha256 == explorer.located.sha256()
    assert (found.info.data, found.info.available, found.info.tsne) == ("faces:validation", 64, None)
    k = 11
    np.testing.assert_allclose(
        found.latent(k), explorer.encode(faces.pixels(slice(k, k + 1))[0]).latent, atol=1e-5
    )


def test_the_axes_are_those_of_most_variance(explorer: Explorer, tiny_faces: ImageSet) -> None:
    found = make_map(explorer, tiny_faces, "faces", tsne=False)
    centred = found.latents.astype(np.float64) - found.mean
    variances = np.sort(np.linalg.eigvalsh(centred.T @ centred / len(found)))[::-1]
    np.testing.assert_allclose(found.shares, variances / variances.sum(), atol=1e-5)
    np.testing.assert_allclose(found.components @ found.components.T, np.eye(8), atol=1e-5)
    np.testing.assert_allclose(found.places["pca"].var(axis=0), variances[:2], rtol=1e-4)
    np.testing.assert_allclose(found.places["pca"], found.project(found.latents), atol=1e-4)
    assert found.shares[0] > found.shares[1] > found.shares[7] > 0
    assert (found.components[np.arange(8), np.abs(found.components).argmax(1)] > 0).all()


def test_count_chooses_and_the_seed_says_which(explorer: Explorer, tiny_faces: ImageSet) -> None:
    found, again, other = (
        make_map(explorer, tiny_faces, "faces", count=40, tsne=False, seed=seed) for seed in (1, 1, 2)
    )
    assert len(found) == len(other) == 40
    assert (np.diff(found.rows) > 0).all()
    assert found.rows.max() > 200, "chosen from all, not the first ones"
    assert found.names.tolist() == tiny_faces.select(found.rows).names[tiny_faces.rows[found.rows]].tolist()
    np.testing.assert_array_equal(found.labels["glasses"], tiny_faces.select(found.rows).codes("glasses"))
    assert _equal(found, again)
    assert found.rows.tolist() != other.rows.tolist()


def test_the_same_seed_gives_the_same_layout(explorer: Explorer, faces: ImageSet) -> None:
    found, again = (
        make_map(explorer, faces, "faces", count=50, seed=5, iterations=ITERATIONS) for _ in range(2)
    )
    assert found.info.tsne is not None
    assert found.info.tsne.done
    assert found.layouts == ("pca", "tsne")
    assert _equal(found, again)


def test_a_tsne_keeps_neighbours_together(explorer: Explorer, faces: ImageSet) -> None:
    found = make_map(explorer, faces, "faces", iterations=300)

    def neighbours(points: np.ndarray) -> np.ndarray:
        away = np.linalg.norm(points[:, None].astype(np.float64) - points[None], axis=2)
        return away.argsort(axis=1)[:, 1:6]

    true, shown = neighbours(found.latents), neighbours(found.places["tsne"])
    kept = np.mean([len(set(a) & set(b)) / 5 for a, b in zip(true.tolist(), shown.tolist(), strict=True)])
    assert kept > 0.35, "by chance 5 of 63 would be"


def test_the_map_is_written_when_it_is_encoded_and_while_it_grows(
    explorer: Explorer, faces: ImageSet, out: Path
) -> None:
    seen: list[tuple[str, int, tuple[str, ...], int]] = []

    def look(event: Progress) -> None:
        if event.stage == "Encoding":
            assert not out.exists()
            return
        there = load_map(out)
        done = 0 if there.info.tsne is None else there.info.tsne.iterations
        seen.append((event.stage, event.done, there.layouts, done))

    found = make_map(explorer, faces, "faces", out=out, iterations=ITERATIONS, reporter=Reporter(look))
    assert seen == [
        ("Finding neighbours", 0, ("pca",), 0),
        ("Laying out by t-SNE", 25, ("pca", "tsne"), 25),
        ("Laying out by t-SNE", 50, ("pca", "tsne"), 50),
        ("Laying out by t-SNE", 75, ("pca", "tsne"), 75),
    ]
    assert _equal(load_map(out), found)
    assert [one.name for one in out.parent.iterdir()] == [out.name], "nothing else is left"


def test_an_encoding_that_was_stopped_goes_on_where_it_was(
    explorer: CountingExplorer, tiny_faces: ImageSet, out: Path, small_parts: None
) -> None:
    stopping = _stopping(lambda event: event.done >= 200)
    with pytest.raises(Cancelled):
        make_map(explorer, tiny_faces, "faces", tsne=False, out=out, reporter=stopping)
    assert explorer.encoded == 192
    assert not out.exists()
    told: list[int] = []
    reporter = Reporter(lambda event: told.append(event.done))
    found = make_map(explorer, tiny_faces, "faces", tsne=False, out=out, reporter=reporter)
    assert explorer.encoded == 416, "each image once"
    assert told[0] == 256
    assert told[-1] == 416
    assert [one.name for one in out.parent.iterdir()] == [out.name]
    assert _equal(found, make_map(explorer, tiny_faces, "faces", tsne=False))


def test_what_was_encoded_of_other_images_is_not_taken(
    explorer: CountingExplorer, tiny_faces: ImageSet, out: Path, small_parts: None
) -> None:
    stopping = _stopping(lambda event: event.done >= 200)
    with pytest.raises(Cancelled):
        make_map(explorer, tiny_faces, "faces", tsne=False, out=out, reporter=stopping)
    explorer.encoded = 0
    others = tiny_faces.select(np.arange(416)[::-1])
    found = make_map(explorer, others, "faces", tsne=False, out=out)
    assert explorer.encoded == 416
    np.testing.assert_allclose(found.latents, explorer.encode_set(others).reshape(416, -1), atol=1e-5)


@pytest.mark.parametrize("size", [0, 40, 500])
def test_a_damaged_part_of_an_encoding_is_done_again(
    explorer: CountingExplorer, tiny_faces: ImageSet, out: Path, small_parts: None, size: int
) -> None:
    with pytest.raises(Cancelled):
        make_map(
            explorer,
            tiny_faces,
            "faces",
            tsne=False,
            out=out,
            reporter=_stopping(lambda event: event.done >= 100),
        )
    (part,) = out.parent.iterdir()
    part.write_bytes(part.read_bytes()[:size])
    explorer.encoded = 0
    make_map(explorer, tiny_faces, "faces", tsne=False, out=out)
    assert explorer.encoded == 416


def test_a_finished_map_is_taken_as_it_is(explorer: CountingExplorer, faces: ImageSet, out: Path) -> None:
    found = make_map(explorer, faces, "faces", out=out, iterations=ITERATIONS)
    written, explorer.encoded = out.read_bytes(), 0
    told: list[Progress] = []
    again = make_map(explorer, faces, "faces", out=out, reporter=Reporter(told.append))
    assert told == []
    assert explorer.encoded == 0
    assert _equal(again, found)
    assert out.read_bytes() == written


def test_a_tsne_comes_to_a_map_that_had_none(explorer: CountingExplorer, faces: ImageSet, out: Path) -> None:
    first = make_map(explorer, faces, "faces", tsne=False, out=out)
    explorer.encoded = 0
    found = make_map(explorer, faces, "faces", out=out, iterations=ITERATIONS)
    assert explorer.encoded == 0
    np.testing.assert_array_equal(found.latents, first.latents)
    assert _equal(found, make_map(explorer, faces, "faces", iterations=ITERATIONS))


def test_a_tsne_that_was_stopped_is_kept_and_then_set_out_anew(
    explorer: CountingExplorer, faces: ImageSet, out: Path
) -> None:
    stopping = _stopping(lambda event: event.stage == "Laying out by t-SNE" and event.done >= 50)
    with pytest.raises(Cancelled):
        make_map(explorer, faces, "faces", out=out, iterations=ITERATIONS, reporter=stopping)
    kept = load_map(out)
    assert kept.info.tsne is not None
    assert (kept.info.tsne.iterations, kept.info.tsne.done) == (50, False)
    explorer.encoded = 0
    found = make_map(explorer, faces, "faces", out=out, iterations=ITERATIONS)
    assert explorer.encoded == 0
    assert _equal(found, make_map(explorer, faces, "faces", iterations=ITERATIONS))


def test_other_images_at_the_same_path_are_encoded_anew(
    explorer: CountingExplorer, tiny_faces: ImageSet, out: Path
) -> None:
    make_map(explorer, tiny_faces.select(np.arange(30)), "faces", tsne=False, out=out)
    others = tiny_faces.select(np.arange(100, 130))
    found = make_map(explorer, others, "faces", tsne=False, out=out)
    assert explorer.encoded == 60
    assert load_map(out).names.tolist() == found.names.tolist() == others.names[others.rows].tolist()


def test_other_pixels_labels_or_classes_are_other_images(
    explorer: CountingExplorer, faces: ImageSet, out: Path
) -> None:
    few = faces.select(np.arange(8))
    brighter = replace(few, images=few.images[few.rows] // 2 + 100, names=few.names[few.rows])
    brighter = replace(
        brighter,
        rows=np.arange(8),
        labels={name: codes[few.rows] for name, codes in few.labels.items()},
        splits=few.splits[few.rows],
    )
    relabelled = replace(few, labels={**few.labels, "glasses": 1 - few.labels["glasses"]})
    attributes = tuple(
        one.model_copy(update={"classes": ("none", "some")}) if one.name == "glasses" else one
        for one in few.info.attributes
    )
    renamed = replace(few, info=few.info.model_copy(update={"attributes": attributes}))
    fingerprints = set()
    for k, images in enumerate((few, brighter, relabelled, renamed)):
        found = make_map(explorer, images, "faces", tsne=False, out=out)
        assert explorer.encoded == 8 * (k + 1)
        fingerprints.add(found.info.fingerprint)
        assert found.label_texts.keys() == load_map(out).label_texts.keys()
    assert len(fingerprints) == 4
    assert found.label_texts["glasses"][0] in ("none", "some")


def test_another_models_map_is_not_taken(
    explorer: Explorer, idle_model_folder: Path, faces: ImageSet, out: Path
) -> None:
    make_map(explorer, faces, "faces", tsne=False, out=out)
    other = CountingExplorer.open(idle_model_folder, "")
    found = make_map(other, faces, "faces", tsne=False, out=out)
    assert other.encoded == 64
    assert load_map(out).info.sha256 == found.info.sha256 == other.located.sha256()


@pytest.mark.parametrize("content", [b"", b"no map", None])
def test_a_damaged_map_is_made_again(
    explorer: CountingExplorer, faces: ImageSet, out: Path, content: bytes | None
) -> None:
    make_map(explorer, faces, "faces", tsne=False, out=out)
    out.write_bytes(out.read_bytes()[:-5] if content is None else content)
    make_map(explorer, faces, "faces", tsne=False, out=out)
    assert explorer.encoded == 128
    assert len(load_map(out)) == 64


def test_few_images_are_refused_or_laid_out_as_far_as_they_go(explorer: Explorer, faces: ImageSet) -> None:
    with pytest.raises(SettingsError, match="needs 3 images at least; tiny has 2"):
        make_map(explorer, faces.select(np.arange(2)), "tiny")
    with pytest.raises(SettingsError, match="3 images at least; 2 were asked for"):
        make_map(explorer, faces, "faces", count=2)
    three = make_map(explorer, faces.select(np.arange(3)), "tiny", iterations=ITERATIONS)
    assert three.layouts == ("pca",)
    assert len(three.components) == 2
    assert three.shares.sum() == pytest.approx(1.0)
    four = make_map(explorer, faces.select(np.arange(4)), "tiny", iterations=ITERATIONS)
    assert four.layouts == ("pca", "tsne")
    assert np.isfinite(four.places["tsne"]).all()


def test_images_that_are_all_the_same_have_a_map_too(explorer: Explorer, faces: ImageSet, out: Path) -> None:
    same = faces.select(np.zeros(12, dtype=np.int64))
    make_map(explorer, same, "same", out=out, iterations=ITERATIONS)
    found = load_map(out)
    np.testing.assert_allclose(found.places["pca"], 0.0, atol=1e-5)
    assert found.layouts == ("pca", "tsne")


def test_labels_that_are_numbers_come_along(explorer: Explorer, faces: ImageSet, out: Path) -> None:
    ages = np.linspace(1, 90, len(faces.names)).astype(np.float32)
    info = faces.info.model_copy(update={"attributes": (Attribute(name="age", kind="continuous"),)})
    aged = replace(faces, info=info, labels={"age": ages})
    make_map(explorer, aged, "aged", tsne=False, out=out)
    np.testing.assert_array_equal(load_map(out).labels["age"], ages[faces.rows])


def test_a_set_of_another_size_is_refused(explorer: Explorer, faces: ImageSet) -> None:
    info = faces.info.model_copy(update={"image_size": 64})
    with pytest.raises(SettingsError, match="works at 32 px"):
        make_map(explorer, replace(faces, info=info), "faces")


def test_a_folder_that_cannot_be_written_is_named(
    explorer: Explorer, tiny_faces: ImageSet, tmp_path: Path, small_parts: None
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        make_map(explorer, tiny_faces, "faces", tsne=False, out=tmp_path / "file" / "map.safetensors")


def test_the_same_images_at_other_rows_are_written_down_so(
    explorer: CountingExplorer, faces: ImageSet, out: Path
) -> None:
    found = make_map(explorer, faces, "faces:validation", tsne=False, out=out)
    save_map(out, replace(found, rows=found.rows + 5))
    make_map(explorer, faces, "faces:validation", tsne=False, out=out)
    assert explorer.encoded == 64, "what was encoded is taken up"
    np.testing.assert_array_equal(load_map(out).rows, found.rows)


def test_a_map_is_that_of_its_set_as_long_as_its_images_stay(
    explorer: Explorer, tiny_faces: ImageSet
) -> None:
    found = make_map(explorer, tiny_faces, "faces", count=40, tsne=False, seed=3)
    assert is_map_of(found, tiny_faces)
    assert not is_map_of(found, tiny_faces.select(np.arange(300)))
    other = dict(tiny_faces.labels)
    other["glasses"] = 1 - other["glasses"]
    assert not is_map_of(found, replace(tiny_faces, labels=other))
    assert not is_map_of(found, tiny_faces.select(np.roll(np.arange(len(tiny_faces)), 1)))
