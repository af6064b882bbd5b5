"""How long a large foreign checkpoint takes to open, beside what PyTorch takes to read the same tensors.

    python benchmarks/open_kl.py [rounds]

An AutoencoderKL of Stable Diffusion's shape, 335 MB with random weights, as diffusers' folder. Each is done
once in a process of its own, as for a person who opens a model, in turns, with the file in the system's cache
and after a tiny checkpoint of the same kind, so that nothing is imported meanwhile. (In a process that has
read them before, either may find its memory still there, or not.) The ratio is that of the fastest rounds, in
the processor's time, which a busy machine stretches less than the clock's, and in the clock's. Opening
includes recognising the format, building the network and looking at every number. The peak is known on Linux
only.
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
        took: dict[str, list[list[float]]] = {THEIRS: [], OURS: []}
        for _ in range(rounds):
            for way, rows in took.items():
                command = [sys.executable, __file__, way, str(folder)]
                rows.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
        size = (folder / WEIGHTS).stat().st_size
    best = {way: [min(column) for column in zip(*rows, strict=True)] for way, rows in took.items()}
    for way, (processor, wall, peak) in best.items():
        print(
            f"{way:12}{1000 * processor:6.0f} ms of the processor{1000 * wall:6.0f} ms"
            f"{peak / size:7.2f} of the file's size at most in memory"
        )
    processor, wall, _ = (ours / theirs for ours, theirs in zip(best[OURS], best[THEIRS], strict=True))
    print(f"{'ratio':12}{processor:6.2f}                    {wall:6.2f}")


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


def measure(way: str, folder: Path) -> None:
    """Print the seconds of processor and clock that one way takes, and by how many bytes the peak rises."""
    import torch

    from latentlab.checkpoints import load

    torch.set_num_threads(1)
    ways: dict[str, Callable[[Path], object]] = {
        THEIRS: lambda path: torch.load(path / "same.pt", weights_only=True),
        OURS: load,
    }
    ways[way](folder / "tiny")
    before, processor, wall = most(), time.process_time(), time.perf_counter()
    kept = ways[way](folder)
    print(json.dumps([time.process_time() - processor, time.perf_counter() - wall, most() - before]))
    del kept


def most() -> int:
    """Return the most bytes that this process has had in memory so far."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    measure(sys.argv[1], Path(sys.argv[2])) if len(sys.argv) > 2 else main()
