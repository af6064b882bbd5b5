"""Checks a bundle made by `build.py`: its size, that nothing of CUDA's is in it, and that it runs.

``python packaging/check_bundle.py dist/latentlab`` needs no package but Python's own: with `trial.py` beside
it, it can be carried to a bare system and run there. A system that has no Python is tried from outside, with
``--root`` (its /proc mounted): ``check_bundle.py /srv/bookworm/opt/latentlab --root /srv/bookworm``.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

from trial import Trial, expect

CUDA = re.compile(
    r"lib(cu(da|dart|dnn|blas|fft|pti|rand|solver|sparse|file)|nccl|nv(rtc|jitlink|toolsext|shmem))"
)
LICENSED = ("torch", "pyside6_essentials", "numpy", "scipy", "safetensors")
"""Libraries whose licences have to be passed on in any bundle; all others that bring a text are there too."""
LARGEST = 8
"""How many files are named, the largest first."""


def check(bundle: Path, root: Path | None = None) -> None:
    """Check a bundle, which may lie in the root of another system, printing what was found.

    Raises
    ------
    SystemExit
        If anything is not as it should be; the message says what.
    """
    bundle = bundle.resolve()
    files = [file for file in bundle.rglob("*") if file.is_file() and not file.is_symlink()]
    expect(bool(files), f"{bundle} holds no files: it is no bundle")
    print(f"size: {sum(file.stat().st_size for file in files) / 2**20:.0f} MiB in {len(files)} files")
    for file in sorted(files, key=lambda one: -one.stat().st_size)[:LARGEST]:
        print(f"  {file.stat().st_size / 2**20:6.1f} MiB  {file.relative_to(bundle)}")
    cuda = sorted({file.name for file in bundle.rglob("*.so*") if is_cuda(file.name)})
    expect(not cuda, f"libraries of CUDA's are in it: {', '.join(cuda)}")
    print("no library of CUDA's is in it")
    licences = {folder.name.lower() for folder in (bundle / "share" / "licenses").glob("*")}
    lacking = [name for name in LICENSED if name not in licences]
    expect(not lacking, f"the licences of {', '.join(lacking)} are not in {bundle}/share/licenses")
    print(f"the licences of {len(licences)} libraries are in it")
    program = str(bundle / "latentlab") if root is None else f"/{bundle.relative_to(root)}/latentlab"
    with tempfile.TemporaryDirectory(prefix="latentlab-check-", dir=root) as home:
        Trial([program], [program, "-m", "latentlab.jobs"], Path(home), root=root).run()
    print("the bundle is whole and runs")


def is_cuda(name: str) -> bool:
    """Whether a library is one of CUDA's, or one of PyTorch's that need them, by its file's name."""
    return CUDA.match(name) is not None or "_cuda" in name


def main() -> None:
    """Check the bundle that is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundle", type=Path, help="the folder latentlab that build.py made")
    parser.add_argument("--root", type=Path, help="run it in this root of another system, in which it lies")
    options = parser.parse_args()
    check(options.bundle, None if options.root is None else options.root.resolve())


if __name__ == "__main__":
    main()
