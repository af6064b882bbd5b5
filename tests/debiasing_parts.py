"""A small detection task of real faces and masks, and trainings on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from latentlab.data.image_set import SPLITS
from latentlab.data.not_faces import make_not_faces
from latentlab.data.set_folder import open_image_set
from latentlab.training import detection_runs
from latentlab.training.detection_task import Detection, with_tones


@pytest.fixture(scope="session")
def small_not_faces(tmp_path_factory: pytest.TempPathFactory, tiny_faces):
    """48 masks and 14 drawings in each split at 32 px."""
    folder = tmp_path_factory.mktemp("sets") / "not-faces"
    masks, drawings = dict.fromkeys(SPLITS, 48), dict.fromkeys(SPLITS, 14)
    return open_image_set(make_not_faces(folder, 32, None, masks, drawings, workers=1))


@pytest.fixture
def small_task(monkeypatch: pytest.MonkeyPatch, tiny_faces, small_not_faces):
    """Put small sets of the same kind in the place of the task's, which would be drawn at full size."""

    def opened(data, split, image_size=32, bias=(), count=None, seed=0, reporter=None) -> Detection:
        faces = with_tones(tiny_faces.split(split))
        if bias or count:
            generator = np.random.default_rng(seed)
            dark = faces.codes("tone") == 0
            keep = ~dark | (generator.random(len(faces)) < 0.2)
            faces = faces.select(np.flatnonzero(keep)[: count or len(faces)])
        return replace(Detection(faces, small_not_faces.split(split), ("tone", "gender")))

    monkeypatch.setattr(detection_runs, "open_detection", opened)
    return opened
