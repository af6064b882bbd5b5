"""Measures the real window: how soon it is painted, and how soon a slider's move is seen.

Each measurement runs in a process of its own, with settings of its own (and, for the start, an empty cache:
it is a first start), without a display where there is none. The slider is moved by mouse events, as a hand
moves it; what counts as painted are the picture and the chart of that very move.
"""

from __future__ import annotations

import bisect
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from latentlab.errors import LatentLabError
from latentlab.live.frames import DeviceOverride
from latentlab.progress import Progress, Reporter

MOVES = 360
"""Slider moves of one measurement."""
PACE_MS = 16
"""Milliseconds between two moves: what a mouse and a display of 60 Hz give."""
STARTS = 3
"""Starts of one measurement."""
_JUMP_EVERY = 60
_LONGEST_SECONDS, _LONGEST_TRIAL_SECONDS = 300, 60


@dataclass(frozen=True)
class WindowFigures:
    """What was measured of the window.

    Parameters
    ----------
    painted_ms
        From each slider move that was painted to the end of its painting, chart included, in order.
    moves
        Moves made; those overtaken by a newer one before they were rendered are not painted.
    stale
        Frames painted although one asked for later had been painted, or the state had jumped since.
    first_paint_ms
        From the start of the process to the window's first painting (median of the starts).
    first_frame_ms
        From that to the first picture with its chart.
    torch_before_paint
        Whether torch had been imported when the window was first painted.
    starts
        How often the window was started.
    grids_per_second
        Grids of 64 pictures painted a second while a slider is dragged in the grid view.
    """

    painted_ms: tuple[float, ...]
    moves: int
    stale: int
    first_paint_ms: float
    first_frame_ms: float
    torch_before_paint: bool
    starts: int
    grids_per_second: float = 0.0

    def percentile(self, share: float) -> float:
        """Return a percentile of the times from move to painting, share in [0, 1]."""
        ordered = sorted(self.painted_ms)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def measure_window(
    checkpoint: str,
    predictor: str | None = None,
    override: DeviceOverride | None = None,
    reporter: Reporter | None = None,
    moves: int = MOVES,
    starts: int = STARTS,
) -> WindowFigures:
    """Measure the window's start and a slider's drag on a model.

    Parameters
    ----------
    checkpoint, predictor
        As in `latentlab.live.opening.load_pair`.
    moves
        How many times the slider is moved, one move every `PACE_MS`.
    starts
        How many times the window is started.

    Raises
    ------
    LatentLabError
        If the window could not be measured; the message says why.
    """
    reporter = reporter or Reporter()
    wish = asdict(override or DeviceOverride())
    began = []
    for done in range(starts):
        reporter.raise_if_cancelled()
        reporter.report(Progress("Starting the window", done, starts))
        began.append(_in_process("start", checkpoint, predictor, wish, moves, fresh=True))
    reporter.report(Progress("Moving a slider in the window"))
    reporter.raise_if_cancelled()
    drag = _in_process("drag", checkpoint, predictor, wish, moves, fresh=False)
    reporter.report(Progress("Moving a slider beside a grid"))
    reporter.raise_if_cancelled()
    grid = _in_process("grid", checkpoint, predictor, wish, moves, fresh=False)
    return WindowFigures(
        painted_ms=tuple(drag["painted_ms"]),
        moves=moves,
        stale=drag["stale"],
        first_paint_ms=statistics.median(start["first_paint_ms"] for start in began),
        first_frame_ms=statistics.median(start["first_frame_ms"] for start in began),
        torch_before_paint=any(start["torch_before_paint"] for start in began),
        starts=starts,
        grids_per_second=grid["grids_per_second"],
    )


def _in_process(
    what: str, checkpoint: str, predictor: str | None, wish: dict[str, Any], moves: int, fresh: bool
) -> dict[str, Any]:
    """Run one measurement in a new process and return what it printed."""
    if Path(checkpoint).exists():
        checkpoint = str(Path(checkpoint).resolve())
    with tempfile.TemporaryDirectory(prefix="latentlab-bench-") as folder:
        environment = os.environ | {"XDG_CONFIG_HOME": folder}
        if fresh:
            environment["LATENTLAB_CACHE"] = folder
        if sys.platform.startswith("linux") and not ({"DISPLAY", "WAYLAND_DISPLAY"} & environment.keys()):
            environment.setdefault("QT_QPA_PLATFORM", "offscreen")
        settings = {"checkpoint": checkpoint, "predictor": predictor, "wish": wish, "moves": moves}
        command = [sys.executable, "-m", "latentlab.ui.measure", what, json.dumps(settings), str(time.time())]
        try:
            done = subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_LONGEST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LatentLabError(
                f"The window could not be measured ({what}): no answer within {_LONGEST_SECONDS} seconds."
            ) from None
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise LatentLabError(f"The window could not be measured ({what}): {reason[0]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


# What follows runs in the process that shows the window.


def _main(what: str, settings: dict[str, Any], began: float) -> int:
    from PySide6.QtCore import QEventLoop, QTimer

    from latentlab.session.workspace import Workspace
    from latentlab.ui.app import application
    from latentlab.ui.gui_thread import GuiThread
    from latentlab.ui.main_window import MainWindow
    from latentlab.ui.settings import Settings
    from latentlab.ui.theme import Theme

    app = application()
    gui = GuiThread()
    workspace = Workspace(gui.post, DeviceOverride(**settings["wish"]))
    window = MainWindow(workspace, Theme(app), Settings(keep=False))
    loop = QEventLoop()
    answer: dict[str, Any] = {}
    choices = [0]

    def begin() -> None:
        answer["first_paint_ms"] = 1e3 * (time.time() - began)
        answer["torch_before_paint"] = "torch" in sys.modules
        if settings["predictor"] is None:
            window.begin(settings["checkpoint"], None)
        else:
            workspace.open_checkpoint(settings["checkpoint"], settings["predictor"])

    def painted(_generation: int) -> None:
        answer.setdefault("first_frame_ms", 1e3 * (time.time() - began) - answer["first_paint_ms"])
        look()

    def look() -> None:
        """Go on when there is a picture; to drag, also the trial must be over (or kept from before)."""
        tried = choices[0] > 1 or (workspace.opened is not None and bool(workspace.opened.trial))
        late = time.time() - began > _LONGEST_TRIAL_SECONDS
        if "first_frame_ms" in answer and not workspace.busy and (what == "start" or tried or late):
            loop.quit()
        if workspace.phase == "failed":
            loop.exit(1)

    def choose() -> None:
        choices[0] += 1

    window.first_painted.connect(begin)
    window.explore.painted.connect(painted)
    workspace.choice_changed.connect(choose)
    clock = QTimer()
    clock.timeout.connect(look)
    clock.start(50)
    window.show()
    try:
        if loop.exec() == 1:
            print(workspace.reason, file=sys.stderr)
            return 2
        clock.stop()
        window.explore.painted.disconnect(painted)
        if what == "grid":
            answer |= _drag_beside_grid(window, settings["moves"], loop)
        elif what == "drag":
            answer |= _drag(window, settings["moves"], loop)
    finally:
        workspace.close()
        window.deleteLater()
        app.processEvents()
    print(json.dumps(answer))
    return 0


def _drag_beside_grid(window: Any, moves: int, loop: Any) -> dict[str, Any]:
    """Drag as `_drag` does while a grid of 64 pictures is looked at, and count its paintings."""
    from latentlab.session.document import GridView

    screen = window.explore
    screen.intents.shelf.set_grid(GridView(steps=8))
    screen.show_view("grid")
    seen: set[int] = set()
    screen.grid.grid.painted.connect(seen.add)
    began = time.perf_counter()
    _drag(window, moves, loop)
    return {"grids_per_second": len(seen - {0}) / (time.perf_counter() - began)}


def _drag(window: Any, moves: int, loop: Any) -> dict[str, Any]:
    """Drag the first slider back and forth by mouse events; every so often the state jumps."""
    from PySide6.QtCore import QEvent, Qt, QTimer

    from latentlab.operations.latents import ranking
    from latentlab.ui.hand import mouse

    screen, workspace = window.explore, window.workspace
    slider = screen.panel.list.row(int(ranking(workspace.opened.spec)[0])).slider
    sent: list[float] = []
    painted_ms: list[float] = []
    newest = stale = 0
    jumped_at = 0.0

    def press(kind: QEvent.Type, share: float) -> None:
        mouse(slider, kind, 8 + share * (slider.width() - 16))

    def painted(generation: int) -> None:
        nonlocal newest, stale
        now = time.perf_counter()
        asked = workspace.rendering.asked_at(generation)
        stale += generation < newest or (asked is not None and asked < jumped_at)
        newest = max(newest, generation)
        if asked is not None and sent and asked >= sent[0]:
            painted_ms.append(1e3 * (now - sent[bisect.bisect_right(sent, asked) - 1]))

    def move() -> None:
        nonlocal jumped_at
        step = len(sent)
        if step == moves:
            clock.stop()
            screen.painted.disconnect(painted)
            press(QEvent.Type.MouseButtonRelease, 0.5)
            loop.quit()
            return
        if step and step % _JUMP_EVERY == 0:
            press(QEvent.Type.MouseButtonRelease, 0.5)
            jumped_at = time.perf_counter()
            workspace.explore.reset_all()
            press(QEvent.Type.MouseButtonPress, 0.5)
        sent.append(time.perf_counter())
        press(QEvent.Type.MouseMove, 0.5 + 0.45 * math.sin(step / 9))

    screen.painted.connect(painted)
    clock = QTimer()
    clock.setTimerType(Qt.TimerType.PreciseTimer)
    clock.timeout.connect(move)
    press(QEvent.Type.MouseButtonPress, 0.5)
    clock.start(PACE_MS)
    loop.exec()
    return {"painted_ms": painted_ms, "stale": stale}


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], json.loads(sys.argv[2]), float(sys.argv[3])))
