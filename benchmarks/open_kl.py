"""How long a large foreign checkpoint takes to open, beside what PyTorch takes to read the same tensors.

    python benchmarks/open_kl.py [rounds]

An AutoencoderKL of Stable Diffusion's shape, 335 MB with random weights, as diffusers' folder, with the file
in the system's cache and after a tiny checkpoint of the same kind, so that nothing is imported meanwhile.
Each is done in turns: first once in a process of its own, as for a person who opens a model, then all in one
process. The ratio is that of the fastest rounds, in the processor's time, which a busy machine stretches less
than the clock's, and in the clock's. Opening includes recognising the format, building the network and
looking at every number. The peak is known on Linux only, and of a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROUNDS = 7
WEIGHTS = "diffusion_pytorch_model.safetensors"
THEIRS, OURS = "torch.load", "latentlab"


def main() -> None:
    """Measure, and print the ratios."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, (128, 256, 512, 512))
        write(folder / "tiny", (32, 32))
        size = (folder / WEIGHTS).stat().st_size
        print("each in a process of its own")
        show([row for _ in range(rounds) for row in asked(folder, 1, THEIRS) + asked(folder, 1, OURS)], size)
        print("all in one process")
        show(asked(folder, rounds, THEIRS, OURS), 0)


Row = tuple[str, float, float, float]


def asked(folder: Path, rounds: int, *ways: str) -> list[Row]:
    """Return a row for each way and round: way, seconds of processor and clock, bytes of the peak."""
    command = [sys.executable, __file__, str(folder), str(rounds), *ways]
    found: list[Row] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def show(rows: list[Row], size: int) -> None:
    """Print the fastest rounds, and how they compare."""
    best = {
        way: [min(column) for column in list(zip(*(row for row in rows if row[0] == way), strict=True))[1:]]
        for way in (THEIRS, OURS)
    }
    for way, (processor, wall, peak) in best.items():
        memory = f"{peak / size:7.2f} of the file's size at most in memory" if size else ""
        print(f"{way:12}{1000 * processor:6.0f} ms of the processor{1000 * wall:6.0f} ms{memory}")
    ratios = [ours / theirs for ours, theirs in zip(best[OURS][:2], best[THEIRS][:2], strict=True)]
    print(f"{'ratio':12}{ratios[0]:6.2f}                    {ratios[1]:6.2f}")


def write(folder: Path, widths: tuple[int, ...]) -> None:
    """Write a checkpoint, and the same tensors as PyTorch writes them."""
    import torch
    from safetensors.torch import save_file

    from latentlab.families.autoencoder_kl import AutoencoderKL, AutoencoderKLConfig

    torch.manual_seed(0)
    without = (False,) * len(widths)
    config = AutoencoderKLConfig(widths=widths, down_attention=without, up_attention=without)
    state = AutoencoderKL(config, config.spec(256)).state_dict()
    folder.mkdir(exist_ok=True)
    save_file(state, folder / WEIGHTS)
    torch.save(state, folder / "same.pt")
    settings = {
        "_class_name": "AutoencoderKL",
        "block_out_channels": widths,
        "down_block_types": ["DownEncoderBlock2D"] * len(widths),
        "up_block_types": ["UpDecoderBlock2D"] * len(widths),
        "layers_per_block": config.blocks,
        "latent_channels": config.latent,
        "sample_size": 256,
    }
    (folder / "config.json").write_text(json.dumps(settings))


def measure(folder: Path, rounds: int, names: list[str]) -> None:
    """Print what `asked` returns, with each way in turns."""
    import torch

    from latentlab.checkpoints import load

    torch.set_num_threads(1)
    ways: dict[str, Callable[[Path], object]] = {
        THEIRS: lambda path: torch.load(path / "same.pt", weights_only=True),
        OURS: load,
    }
    rows = []
    for name in names:
        ways[name](folder / "tiny")
    for name in rounds * names:
        before, processor, wall = most(), time.process_time(), time.perf_counter()
        kept = ways[name](folder)
        rows.append((name, time.process_time() - processor, time.perf_counter() - wall, most() - before))
        del kept
    print(json.dumps(rows))


def most() -> int:
    """Return the most bytes that this process has had in memory so far."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    measure(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]) if len(sys.argv) > 2 else main()
