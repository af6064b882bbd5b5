"""Fills the submenus whose entries are not fixed: bundled models, samples, recent files, theme, device."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from PySide6.QtGui import QAction, QActionGroup, QIcon
from PySide6.QtWidgets import QMenu

from latentlab.device import cpu_threads
from latentlab.errors import LatentLabError
from latentlab.paths import bundled_models
from latentlab.session.bundled_cards import BundledCard, bundled_cards
from latentlab.session.sample_pictures import sample_pictures, sample_title

T = TypeVar("T")

DEFAULT_MODEL = "faces-vae"
DEFAULT_SAMPLE = "face-0020"

DEVICES = (("Automatic", None), ("CPU", "cpu"), ("NVIDIA GPU (CUDA)", "cuda"), ("Apple GPU (MPS)", "mps"))
PRECISIONS = (
    ("Automatic", None),
    ("float32", "float32"),
    ("bfloat16", "bfloat16"),
    ("float16", "float16"),
    ("int8", "int8"),
)


def sample_for(checkpoint: str) -> Path | None:
    """Return the sample that a checkpoint (a path or bundled name) opens on: one that it knows."""
    from latentlab.checkpoints import locate

    try:
        kind = "avatar-" if "styles" in locate(checkpoint).config.training else DEFAULT_SAMPLE
    except LatentLabError:
        kind = DEFAULT_SAMPLE
    return next((path for path in sample_pictures() if path.stem.startswith(kind)), None)


def thread_choices() -> list[tuple[str, int | None]]:
    """Return the thread counts to choose from: automatic, then powers of two up to this machine's."""
    most = cpu_threads()
    counts = sorted({n for k in range(8) if (n := 2**k) <= most} | {most})
    return [("Automatic", None), *((str(n), n) for n in counts)]


def fill_samples(menu: QMenu, choose: Callable[[Path, str], object]) -> None:
    """Fill the menu of sample pictures, each with its own small picture."""
    menu.clear()
    for path in sample_pictures():
        action = menu.addAction(QIcon(str(path)), sample_title(path))
        action.triggered.connect(lambda _checked=False, path=path: choose(path, sample_title(path)))
    menu.setEnabled(not menu.isEmpty())


def has_default_model() -> bool:
    """Whether the model that the window opens by itself is bundled."""
    return DEFAULT_MODEL in bundled_models()


def bundled_names() -> list[str]:
    """Return the names of the bundled models; predictors are left out, and what cannot be read."""
    from latentlab.checkpoints import locate

    names = []
    for name, folder in bundled_models().items():
        try:
            config = locate(folder).config
        except LatentLabError:
            continue
        if config.kind == "model":
            names.append(name)
    return names


def bundled_to_begin_with() -> tuple[BundledCard, ...]:
    """Return the bundled checkpoints for the start page; none where the installation lacks them."""
    names = bundled_models()
    try:
        return tuple(card for card in bundled_cards() if card.name in names)
    except LatentLabError:
        return ()


def fill_bundled(menu: QMenu, choose: Callable[[str], object]) -> None:
    """Fill the menu of bundled models."""
    menu.clear()
    for name in bundled_names():
        menu.addAction(name).triggered.connect(lambda _checked=False, name=name: choose(name))
    menu.setEnabled(not menu.isEmpty())


def fill_recent(menu: QMenu, paths: Iterable[str], choose: Callable[[Path], object], clear: object) -> None:
    """Fill the menu of recent files: folders show their own name, with the path as the tip."""
    menu.clear()
    menu.setToolTipsVisible(True)
    for text in paths:
        path = Path(text)
        action = menu.addAction(path.name.replace("&", "&&") or text)
        action.setToolTip(text)
        action.triggered.connect(lambda _checked=False, path=path: choose(path))
    if not menu.isEmpty():
        menu.addSeparator()
        menu.addAction("Clear this list").triggered.connect(clear)
    menu.setEnabled(not menu.isEmpty())


def fill_choice(
    menu: QMenu, choices: Iterable[tuple[str, T]], current: T, choose: Callable[[T], object]
) -> list[QAction]:
    """Fill a menu of which exactly one entry is chosen, and return its actions."""
    menu.clear()
    group = QActionGroup(menu)
    actions = []
    for title, value in choices:
        action = menu.addAction(title)
        action.setCheckable(True)
        action.setChecked(value == current)
        action.setActionGroup(group)
        action.triggered.connect(lambda _checked=False, value=value: choose(value))
        actions.append(action)
    return actions
