"""The report of ``latentlab bench live``: the forward pass and the window, measured one after the other."""

from __future__ import annotations

from dataclasses import asdict

from latentlab.checkpoints import locate
from latentlab.live.bench import ForwardFigures, measure_forward
from latentlab.live.frames import DeviceOverride
from latentlab.metrics.intervals import Estimate
from latentlab.metrics.report import Evaluation, Report
from latentlab.progress import Reporter
from latentlab.ui.measure import PACE_MS, WindowFigures, measure_window

ALLOWANCE_MS = 2.0
"""What the window may take besides the forward pass, as `overhead_ratio` is defined."""


def bench_live(
    checkpoint: str,
    predictor: str | None = None,
    override: DeviceOverride | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Measure the live path on a model: bare forward pass, plain script, window.

    Parameters
    ----------
    checkpoint, predictor
        As in `latentlab.live.opening.load_pair`.
    override
        Wishes about device, precision and threads.

    Raises
    ------
    LatentLabError
        If a checkpoint cannot be opened, the device does not exist, or the window cannot be shown.
    """
    forward = measure_forward(checkpoint, predictor, override, reporter)
    window = measure_window(checkpoint, predictor, override, reporter)
    evaluation = Evaluation(
        metrics=_metrics(forward, window),
        settings={
            "single": asdict(forward.choice),
            "grid": asdict(forward.grid_choice),
            "plain_script": {"precision": "float32", "threads": forward.plain_threads},
            "predictor": forward.predictor,
            "slider_moves": window.moves,
            "slider_pace_ms": PACE_MS,
        },
        notes=_notes(window),
    )
    return Report.of(
        "bench live",
        locate(checkpoint),
        "typical latents",
        window.moves,
        0,
        forward.choice.device,
        evaluation,
    )


def _metrics(forward: ForwardFigures, window: WindowFigures) -> dict[str, Estimate]:
    p50 = window.percentile(0.5)
    painted = len(window.painted_ms)
    figures = {
        "slider_to_painted_ms_p50": (p50, painted),
        "slider_to_painted_ms_p95": (window.percentile(0.95), painted),
        "bare_forward_ms": (forward.bare_ms, forward.rounds),
        "plain_script_forward_ms": (forward.plain_ms, forward.rounds),
        "bare_forward_ms_b64": (forward.bare_64_ms, forward.rounds),
        "plain_script_forward_ms_b64": (forward.plain_64_ms, forward.rounds),
        "overhead_ratio": ((p50 - ALLOWANCE_MS) / forward.bare_ms, painted),
        "speedup_b1": (forward.speedup, forward.rounds),
        "speedup_b64": (forward.speedup_64, forward.rounds),
        "grid64_fps": (forward.grid64_fps, forward.grids),
        "window_grid64_fps": (window.grids_per_second, window.moves),
        "window_first_paint_ms": (window.first_paint_ms, window.starts),
        "first_frame_ms": (window.first_frame_ms, window.starts),
        "stale_frames_painted": (float(window.stale), painted),
    }
    return {name: Estimate(value, None, None, n) for name, (value, n) in figures.items()}


def _notes(window: WindowFigures) -> tuple[str, ...]:
    imported = "had" if window.torch_before_paint else "had not"
    return (
        "The plain script is the same two networks in the default layout, float32 and default threads, under "
        "no_grad, measured in turns with the bare forward pass; speed-ups are medians of the rounds' ratios.",
        "grid64_fps is the renderer alone; window_grid64_fps counts the grids of 64 pictures that the window "
        "paints a second while a slider is dragged beside them.",
        f"Of {window.moves} slider moves {len(window.painted_ms)} were painted; the others were overtaken by "
        "the next one.",
        "window_first_paint_ms counts from the start of the process, first_frame_ms from that painting to "
        f"the first picture with its chart, with an empty cache; torch {imported} been imported by then.",
    )
