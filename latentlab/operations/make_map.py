"""Makes a map: encodes a set, finds its principal components, and lays it out by t-SNE.

The principal components are there as soon as the images are encoded; the t-SNE grows from them, and is
written down as it grows. Whatever is finished is taken up again by the next attempt.

t-SNE is van der Maaten & Hinton 2008, by openTSNE with interpolation (Linderman et al. 2019), set out from
the principal components and with a learning rate that grows with the set (Kobak & Berens 2019).
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.image_set import ImageSet
from latentlab.device import cpu_threads
from latentlab.errors import LatentLabError, SettingsError
from latentlab.operations.explore import Explorer
from latentlab.operations.latent_map import COMPONENTS, LatentMap
from latentlab.operations.map_file import load_map, save_map
from latentlab.operations.map_info import Layout, MapInfo, TSNEInfo
from latentlab.operations.map_rows import COUNT, chosen_rows, fingerprint
from latentlab.progress import Progress, Reporter

ITERATIONS = 750
PERPLEXITY = 30.0
LEAST = 3
"""Images that a map has at least."""
PART = 1024
"""Images between two points at which the encoding can be taken up again."""
STEP = 25
"""Iterations between two states of a t-SNE that are written down."""
_EXAGGERATION = 12.0
_FEW = 2000


def make_map(
    explorer: Explorer,
    data: ImageSet,
    name: str,
    count: int = COUNT,
    tsne: bool = True,
    seed: int = 0,
    out: Path | None = None,
    iterations: int = ITERATIONS,
    reporter: Reporter | None = None,
) -> LatentMap:
    """Encode images and lay them out.

    Parameters
    ----------
    name
        What the set is called, as `latentlab.data.catalog.open_set` takes it.
    count
        Images at most; of more, a seeded choice is taken.
    tsne
        Whether to lay them out by t-SNE too; four images are the fewest for that.
    out
        Where the map is written: when the images are encoded, then every `STEP` iterations. What a file
        there holds of the same images and weights is taken up.
    iterations
        Of the t-SNE, of which the first third exaggerates.

    Raises
    ------
    LatentLabError
        If the model cannot encode the set, there are too few images, or the file cannot be written.
    Cancelled
        If the reporter asked for it; what is in ``out`` stays.
    """
    reporter = reporter or Reporter()
    if count < LEAST:
        raise SettingsError(f"A map has {LEAST} images at least; {count} were asked for.")
    if len(data) < LEAST:
        raise SettingsError(f"A map needs {LEAST} images at least; {name} has {len(data)}.")
    rows = chosen_rows(len(data), count, seed)
    chosen = data.select(rows)
    info = MapInfo(
        model=explorer.located.name,
        sha256=explorer.located.sha256(),
        data=name,
        count=count,
        seed=seed,
        available=len(data),
        fingerprint=fingerprint(chosen),
        image_size=data.image_size,
        latent_shape=explorer.spec.latent_shape,
        attributes=data.info.attributes,
    )
    found = _known(out, info, rows)
    if found is None:
        found = _laid_out(info, rows, chosen, _encoded(explorer, chosen, info, out, reporter))
        if out is not None:
            save_map(out, found)
    if tsne and len(rows) > LEAST and not found.has_tsne:
        found = _grown(found, iterations, out, reporter)
    return found


def _known(out: Path | None, info: MapInfo, rows: NDArray[np.int64]) -> LatentMap | None:
    """Return the map that a file holds already, if it is of the same images and weights."""
    if out is None or not out.is_file():
        return None
    try:
        found = load_map(out)
    except LatentLabError:
        return None
    if (found.info.sha256, found.info.fingerprint) != (info.sha256, info.fingerprint):
        return None
    taken = replace(found, info=info.model_copy(update={"tsne": found.info.tsne}), rows=rows)
    if taken.info != found.info or not np.array_equal(rows, found.rows):
        save_map(out, taken)  # the same images, at other rows or under another name
    return taken


def _encoded(
    explorer: Explorer, data: ImageSet, info: MapInfo, out: Path | None, reporter: Reporter
) -> NDArray[np.float32]:
    """Return the latents ``[n, D]``, encoded in parts; finished parts are kept beside ``out``."""
    kept = None if out is None else out.with_name(f".{out.name}.encoded.npz")
    done = _taken_up(kept, info, explorer.spec.latent_size)
    while len(done) < len(data):
        reporter.raise_if_cancelled()
        part = data.select(np.arange(len(done), min(len(done) + PART, len(data))))
        before = len(done)

        def tell(event: Progress, before: int = before) -> None:
            reporter.report(Progress("Encoding", before + event.done, len(data)))
            reporter.raise_if_cancelled()

        latents = explorer.encode_set(part, Reporter(tell))
        done = np.concatenate([done, latents.reshape(len(part), -1)])
        if kept is not None and len(done) < len(data):
            _keep(kept, done, info)
    if kept is not None:
        kept.unlink(missing_ok=True)
    return done


def _taken_up(kept: Path | None, info: MapInfo, size: int) -> NDArray[np.float32]:
    nothing = np.zeros((0, size), dtype=np.float32)
    if kept is None or not kept.is_file():
        return nothing
    try:
        with kept.open("rb") as content, np.load(content, allow_pickle=False) as file:
            same = str(file["of"]) == info.sha256 + info.fingerprint
            latents = np.asarray(file["latents"], dtype=np.float32)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return nothing
    return latents if same and latents.ndim == 2 and latents.shape[1] == size else nothing


def _keep(kept: Path, latents: NDArray[np.float32], info: MapInfo) -> None:
    part = kept.with_suffix(".part.npz")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(part, latents=latents, of=np.array(info.sha256 + info.fingerprint))
        part.replace(kept)
    except OSError as error:
        raise SettingsError(f"{kept} cannot be written: {error.strerror or error}.") from None


def _laid_out(
    info: MapInfo, rows: NDArray[np.int64], data: ImageSet, latents: NDArray[np.float32]
) -> LatentMap:
    """Return the map with its principal components."""
    mean = latents.mean(0, dtype=np.float64)
    centred = latents.astype(np.float64) - mean
    count = min(COMPONENTS, len(latents) - 1, latents.shape[1])
    if count < 2:
        raise SettingsError("A map needs latents of two numbers at least; this model's have one.")
    _, scales, vectors = np.linalg.svd(centred, full_matrices=False)
    components = vectors[:count]
    components = components * np.sign(components[np.arange(count), np.abs(components).argmax(1)])[:, None]
    shares = scales[:count] ** 2 / max(float((scales**2).sum()), 1e-30)
    places: dict[Layout, NDArray[np.float32]] = {"pca": (centred @ components[:2].T).astype(np.float32)}
    return LatentMap(
        info=info,
        rows=rows,
        names=data.names[data.rows],
        latents=latents,
        labels={one.name: np.asarray(data.codes(one.name)) for one in info.attributes},
        places=places,
        mean=mean.astype(np.float32),
        components=components.astype(np.float32),
        shares=shares.astype(np.float32),
    )


def _grown(found: LatentMap, iterations: int, out: Path | None, reporter: Reporter) -> LatentMap:
    """Return the map with its t-SNE, set out anew: an unfinished one does not say how it was moving."""
    from openTSNE import TSNEEmbedding, affinity, initialization

    count, threads = len(found), cpu_threads()
    perplexity = min(PERPLEXITY, (count - 1) / 3)
    reporter.report(Progress("Finding neighbours"))
    neighbours = affinity.PerplexityBasedNN(
        found.latents, perplexity=perplexity, n_jobs=threads, random_state=found.info.seed
    )
    reporter.raise_if_cancelled()
    start = np.array(found.places["pca"], dtype=np.float64)
    if not start[:, 0].std() > 0.0:  # all images are the same: nothing to set out from
        start = np.random.default_rng(found.info.seed).standard_normal(start.shape)
    start = initialization.rescale(start)
    embedding: Any = TSNEEmbedding(
        start,
        neighbours,
        negative_gradient_method="bh" if count < _FEW else "fft",
        n_jobs=threads,
        random_state=found.info.seed,
    )
    early = iterations // 3
    done = 0
    while done < iterations:
        reporter.raise_if_cancelled()
        now = min(STEP, (early if done < early else iterations) - done)
        exaggeration, momentum = (_EXAGGERATION, 0.5) if done < early else (1.0, 0.8)
        embedding.optimize(now, exaggeration=exaggeration, momentum=momentum, inplace=True)
        done += now
        told = TSNEInfo(
            perplexity=perplexity,
            planned=iterations,
            iterations=done,
            # Rounded: its threads add it up in any order, and the same map should be the same.
            divergence=round(float(embedding.kl_divergence), 6) if done > early else None,
            threads=threads,
        )
        places = {**found.places, "tsne": np.asarray(embedding, dtype=np.float32).copy()}
        found = replace(found, info=found.info.model_copy(update={"tsne": told}), places=places)
        if out is not None:
            save_map(out, found)
        reporter.report(Progress("Laying out by t-SNE", done, iterations))
    return found
