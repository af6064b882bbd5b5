"""Drives the real window at random for long, and looks for what only time shows.

Thousands of slider drags, undos, resets, opened pictures, other models, views and sizes: whatever a person
may do in any order. Counted are errors that nobody caught, frames painted although they were stale, and how
far the process has grown since it was warm.

    python -m latentlab.ui.soak --actions 10000 faces-vae other-model
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from latentlab.live.frames import Frame
from latentlab.live.memory import give_back
from latentlab.operations.projection_plan import no_projection
from latentlab.session.document import AxisRef, CounterfactualView, GridView, ProjectionView, StripView
from latentlab.session.sample_pictures import sample_pictures
from latentlab.spec import Attribute
from latentlab.ui.hand import mouse
from latentlab.ui.main_window import MainWindow

WARM = 0.2
"""The share of the actions after which memory is measured for the first time."""
PATIENCE = 60.0
LOOKS = (0.0, 0.0, 2.0, 8.0, 20.0, 60.0)
"""Milliseconds between two actions, one of which is chosen each time."""
SIZES = ((1280, 800), (1920, 1080), (960, 620), (1100, 900), (1600, 700))


@dataclass
class SoakFigures:
    """What was seen.

    Parameters
    ----------
    actions
        How often each kind of action was done.
    painted, stale
        Frames of the edited picture that were painted, and those of them that should not have been.
    errors
        What nobody caught, and error messages, in words.
    warm_mb, end_mb
        Resident memory when the window was warm, and at the end.
    """

    actions: dict[str, int] = field(default_factory=dict)
    painted: int = 0
    stale: int = 0
    errors: list[str] = field(default_factory=list)
    warm_mb: float = 0.0
    end_mb: float = 0.0
    seconds: float = 0.0

    @property
    def growth_mb(self) -> float:
        """How far the process has grown since it was warm."""
        return self.end_mb - self.warm_mb


class Soak:
    """Does random things to a window.

    Parameters
    ----------
    window
        Shown, with a model open.
    checkpoints
        Models to switch between.
    """

    def __init__(self, window: MainWindow, checkpoints: Sequence[str], seed: int = 0) -> None:
        self._window, self._screen = window, window.explore
        self._workspace = window.workspace
        self._random = random.Random(seed)
        self._checkpoints = list(checkpoints)
        self._samples = sample_pictures()
        self._newest = 0
        self._counts: Counter[str] = Counter()
        self.figures = SoakFigures()
        self._screen.painted.connect(self._painted)
        self._workspace.session.message.connect(self._hear)
        self._workspace.rendering.edited.connect(self._arrived)
        self._workspace.rendering.attached.connect(self._restart)
        self._kinds: list[tuple[int, str, Callable[[], None]]] = [
            (50, "drag", self._drag),
            (8, "type", self._type),
            (10, "undo", self._action("undo")),
            (6, "redo", self._action("redo")),
            (5, "reset", self._reset),
            (2, "reset all", self._action("reset_all")),
            (3, "randomise", self._action("randomise")),
            (3, "mutate", self._action("mutate")),
            (3, "pin", self._pin),
            (3, "go to pin", self._go_to_pin),
            (2, "remove pin", self._remove_pin),
            (2, "travel", self._travel),
            (2, "lock", self._lock),
            (2, "direction", self._direction),
            (6, "scale", self._scale),
            (3, "class", self._class),
            (2, "link", self._link),
            (2, "tell", self._tell),
            (2, "screen", self._show_screen),
            (2, "counterfactuals", self._counterfactuals),
            (3, "analogies", self._analogies),
            (1, "take an analogy", self._take_analogy),
            (3, "samples", self._set_samples),
            (1, "take a sample", self._take_sample),
            (4, "view", self._view),
            (2, "grid", self._grid),
            (2, "picture", self._open_picture),
            (1, "photograph", self._open_photograph),
            (1, "model", self._switch_model),
            (2, "resize", self._resize),
            (2, "ways", self._ways),
            (1, "copy", self._copy),
        ]

    def run(self, actions: int, progress: Callable[[int], None] | None = None) -> SoakFigures:
        """Do so many things, and return what was seen."""
        began = time.perf_counter()
        weights = [weight for weight, _, _ in self._kinds]
        hook, sys.excepthook = sys.excepthook, self._except
        try:
            for done in range(actions):
                if done == int(WARM * actions):
                    self.settle()
                    self.figures.warm_mb = resident_mb()
                _, name, act = self._random.choices(self._kinds, weights)[0]
                act()
                self._counts[name] += 1
                self._look_on(self._random.choice(LOOKS))
                if progress is not None:
                    progress(done + 1)
            self.settle()
            self.figures.end_mb = resident_mb()
        finally:
            sys.excepthook = hook
        self.figures.actions = dict(self._counts)
        self.figures.seconds = time.perf_counter() - began
        return self.figures

    def settle(self) -> None:
        """Wait until all that was asked for is shown, and free what can be."""
        self._workspace.session.end_gesture()
        until = time.monotonic() + PATIENCE
        while not self._window.at_rest or self._workspace.teller.waiting:
            QApplication.processEvents()
            time.sleep(0.002)
            if time.monotonic() > until:
                self.figures.errors.append("The window did not come to rest.")
                break
        self._look_on(2000.0)  # the trial of ways to render, and the autosave
        give_back()

    def _look_on(self, milliseconds: float) -> None:
        """Let the window go on for a while, as between two movements of a hand."""
        until = time.perf_counter() + milliseconds / 1e3
        QApplication.processEvents()
        while time.perf_counter() < until:
            QApplication.processEvents()
            time.sleep(0.001)

    # What is watched

    def _painted(self, generation: int) -> None:
        self.figures.painted += 1
        self.figures.stale += generation < self._newest
        self._newest = max(self._newest, generation)

    def _arrived(self, frame: Frame) -> None:
        """Count a frame that is given to the screen although it was asked for before the last jump."""
        self.figures.stale += frame.generation < self._workspace.rendering.barrier

    def _restart(self, _attached: bool) -> None:
        self._newest = 0

    def _hear(self, message: Any) -> None:
        if message.kind == "error":
            self.figures.errors.append(message.text)

    def _except(self, kind: type[BaseException], error: BaseException, _trace: Any) -> None:
        self.figures.errors.append(f"{kind.__name__}: {error}")

    # What is done

    def _action(self, name: str) -> Callable[[], None]:
        return self._window.actions_table[name].trigger

    def _dimension(self) -> int:
        infos = self._screen.panel.list.infos
        return self._random.choice(infos).index if infos else 0

    def _drag(self) -> None:
        if not self._screen.panel.list.infos:
            return
        self._drag_slider(self._screen.panel.list.row(self._dimension()).slider)

    def _drag_slider(self, slider: QWidget) -> None:
        x = self._random.uniform(10, 150)
        mouse(slider, QEvent.Type.MouseButtonPress, x)
        for _ in range(self._random.randint(1, 6)):
            x += self._random.uniform(-30, 30)
            mouse(slider, QEvent.Type.MouseMove, x)
            QApplication.processEvents()
            if not isValid(slider):
                return  # another model has come meanwhile
        mouse(slider, QEvent.Type.MouseButtonRelease, x)

    def _type(self) -> None:
        if self._workspace.in_step:
            self._workspace.explore.move(self._dimension(), self._random.gauss(0, 1.5))

    def _reset(self) -> None:
        if self._workspace.in_step:
            self._workspace.explore.reset(self._dimension())

    def _pin(self) -> None:
        if len(self._shelf.pins) < 8:
            self._action("pin")()

    def _go_to_pin(self) -> None:
        if self._workspace.in_step and self._shelf.pins:
            self._screen.intents.shelf.go_to_pin(self._random.choice(self._shelf.pins).name)

    def _remove_pin(self) -> None:
        if self._workspace.in_step and self._shelf.pins:
            self._screen.intents.shelf.remove_pin(self._random.choice(self._shelf.pins).name)

    def _travel(self) -> None:
        path = self._screen.picture.follower
        if path.latents is not None:
            path.begin()
            for _ in range(4):
                path.go_to(self._random.random())
                QApplication.processEvents()
            path.end()

    def _lock(self) -> None:
        if self._workspace.in_step:
            locked = self._shelf.locked
            dimension = self._dimension()
            self._screen.intents.shelf.lock([dimension], dimension not in locked and len(locked) < 4)

    def _direction(self) -> None:
        if not self._workspace.in_step or self._workspace.opened is None:
            return
        intents, shelf = self._screen.intents, self._shelf
        if len(shelf.directions) < 3 and len(shelf.pins) > 1:
            first, second = self._random.sample(shelf.pins, 2)
            if (first.latent != second.latent).any():
                intents.shelf.add_difference(self._workspace.opened.spec, first, second)
        elif shelf.directions:
            name = self._random.choice(shelf.directions).name
            intents.along.begin_move(name)
            for _ in range(3):
                intents.along.move(name, self._random.uniform(-3, 3))
                QApplication.processEvents()
            intents.along.end_move()

    def _attribute(self) -> Attribute | None:
        """Return an attribute of the condition; None where there is none, or a model is on its way."""
        opened = self._workspace.opened
        if opened is None or not self._workspace.in_step or not opened.spec.condition.attributes:
            return None
        return self._random.choice(opened.spec.condition.attributes)

    def _scale(self) -> None:
        attribute = self._attribute()
        if attribute is not None:
            self._drag_slider(self._screen.panel.condition.blocks[attribute.name].scale.slider)

    def _class(self) -> None:
        attribute = self._attribute()
        if attribute is not None:
            block = self._screen.panel.condition.blocks[attribute.name]
            self._random.choice([block.flip, block.reset]).click()

    def _link(self) -> None:
        if self._attribute() is not None:
            self._screen.panel.condition.link.click()

    def _tell(self) -> None:
        attribute, opened = self._attribute(), self._workspace.opened
        if attribute is not None and opened is not None and not self._linked:
            label = self._random.choice(["", *attribute.classes])
            self._screen.intents.condition.tell(opened.spec, attribute.name, label)

    @property
    def _linked(self) -> bool:
        state = self._workspace.explore.state
        return state is not None and state.linked

    def _show_screen(self) -> None:
        self._action(
            self._random.choice(
                ["screen_explore", "screen_counterfactuals", "screen_analogies", "screen_audit"]
            )
        )()

    def _counterfactuals(self) -> None:
        attribute = self._attribute()
        if attribute is not None:
            view = CounterfactualView(attribute=attribute.name, scale=self._random.uniform(-1, 3))
            self._screen.intents.shelf.set_counterfactual(view)

    def _analogies(self) -> None:
        opened = self._workspace.opened
        if opened is None or not self._workspace.in_step or no_projection(opened.spec, opened.name):
            return
        datasets = ("", *opened.spec.condition.attributes[0].classes)
        view = ProjectionView(self._random.choice(datasets), self._random.choice((0.0, 0.5, 1.0)))
        self._screen.intents.shelf.set_projection(view)
        self._drag_slider(self._window.analogies.projections.panel.mode.share.slider)

    def _take_analogy(self) -> None:
        tiles = self._window.analogies.projections.tiles.tiles
        if tiles and self._window.screen_name == self._window.analogies.name:
            self._random.choice(tiles).click()

    def _set_samples(self) -> None:
        opened = self._workspace.opened
        if opened is None or not self._workspace.in_step or no_projection(opened.spec, opened.name):
            return
        samples, page = self._screen.intents.samples, self._window.analogies.samples
        self._window.analogies.show_view(self._random.choice(["projections", page.name, page.name]))
        kind: Literal["none", "blend", "way"] = self._random.choice(("none", "blend", "way"))
        strip = StripView(kind, steps=self._random.choice((2, 24)), share=self._random.random())
        doings: list[Callable[[], object]] = [
            samples.resample,
            lambda: samples.set_rows(self._random.randint(1, 8)),
            lambda: samples.pin(self._random.randrange(4), self._random.random() < 0.5),
            lambda: samples.set_strip(strip),
            lambda: page.play(not page.playing),
            lambda: self._drag_slider(page.panel.truncation.slider),
            lambda: self._drag_slider(page.bar.share.slider),
        ]
        self._random.choice(doings)()

    def _take_sample(self) -> None:
        page = self._window.analogies.samples
        if page.active and page.live.found is not None:
            page.use(self._random.randrange(len(page.live.found.grid.pixels)))

    def _view(self) -> None:
        self._screen.show_view(self._random.choice(["picture", "picture", "grid", "probe"]))

    def _grid(self) -> None:
        opened = self._workspace.opened
        if opened is None or not self._workspace.in_step:
            return
        first, second = self._random.sample(range(opened.spec.latent_size), 2)
        kind = self._random.choice(["strips", "plane"])
        view = GridView("plane", (AxisRef(first), AxisRef(second)), 5) if kind == "plane" else GridView()
        self._screen.intents.shelf.set_grid(view)

    def _open_picture(self) -> None:
        path = self._random.choice(self._samples)
        self._workspace.bring_file(path)

    def _open_photograph(self) -> None:
        """Open a picture as large as a camera's, of which a history holds only so many."""
        self._workspace.bring_pixels(
            np.full((3000, 4000, 3), self._random.randrange(256), np.uint8), "photograph"
        )

    def _switch_model(self) -> None:
        self._workspace.open_checkpoint(self._random.choice(self._checkpoints))

    def _resize(self) -> None:
        self._window.resize(*self._random.choice(SIZES))

    def _ways(self) -> None:
        self._action(
            self._random.choice(["side_by_side", "show_pixels", "difference", "zoom_in", "zoom_whole"])
        )()

    def _copy(self) -> None:
        self._action(self._random.choice(["copy_latent", "copy_python"]))()

    @property
    def _shelf(self) -> Any:
        return self._workspace.session.document.shelf


def resident_mb() -> float:
    """Return the process's resident memory in MB (elsewhere than on Linux the most it ever was)."""
    status = Path("/proc/self/statm")
    if status.is_file():
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most / 1e3


def main(arguments: Sequence[str] | None = None) -> int:
    """Drive a window of its own, with settings of its own, and print the figures as JSON."""
    import argparse

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoints", nargs="+", help="models to switch between, by path or bundled name")
    parser.add_argument("--actions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    from latentlab.session.workspace import Workspace
    from latentlab.ui.app import application
    from latentlab.ui.gui_thread import GuiThread
    from latentlab.ui.settings import Settings
    from latentlab.ui.theme import Theme

    with tempfile.TemporaryDirectory(prefix="latentlab-soak-") as folder:
        os.environ |= {"XDG_CONFIG_HOME": folder, "LATENTLAB_STATE": folder}
        app = application()
        gui = GuiThread()
        window = MainWindow(Workspace(gui.post), Theme(app), Settings(keep=True))
        window.settings.set_flag("hints_seen", True)
        window.show()
        window.begin(given.checkpoints[0], None)
        soak = Soak(window, given.checkpoints, given.seed)
        soak.settle()

        def tell(done: int) -> None:
            if done % 500 == 0:
                print(f"{done} actions, {resident_mb():.0f} MB", file=sys.stderr)

        figures = soak.run(given.actions, tell)
        window.close()
        app.processEvents()
    print(json.dumps(asdict(figures) | {"growth_mb": figures.growth_mb}, indent=1))
    return 1 if figures.errors or figures.stale else 0


if __name__ == "__main__":
    sys.exit(main())
