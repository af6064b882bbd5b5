"""Builds the wheel and the sdist, checks what is in them, and tries the wheel out outside the checkout.

Run ``python packaging/check_wheel.py`` in an environment with ``pip install '.[package]'``. The wheel is made
from the sdist, so both hold what is needed. It is installed into an empty folder, with the packages it needs
taken from this environment, and tried out without a network (`trial.py`). ``--out`` keeps what was built.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from trial import Trial, expect

ROOT = Path(__file__).resolve().parent.parent
LICENCES = (
    "LICENSE",
    "CREDITS.md",
    "resources/avatars/CREDITS.md",
    "resources/faces/LICENSE-facesjs",
    "resources/fonts/OFL.txt",
)


def check(out: Path) -> None:
    """Build into a folder, check and try out.

    Raises
    ------
    SystemExit
        If anything is not as it should be; the message says what.
    """
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(out.resolve())],
        cwd=ROOT,  # not this folder, whose build.py is another
        capture_output=True,
        text=True,
        check=False,
    )
    expect(done.returncode == 0, f"python -m build failed: {done.stdout[-800:]}{done.stderr[-800:]}")
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    for file in (wheel, sdist):
        print(f"{file.name}: {file.stat().st_size / 2**20:.1f} MiB")
    check_wheel(wheel)
    check_sdist(sdist)
    with tempfile.TemporaryDirectory(prefix="latentlab-wheel-") as folder:
        site, home = Path(folder) / "site", Path(folder) / "home"
        home.mkdir()
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--target",
            str(site),
        ]
        subprocess.run([*pip, str(wheel)], check=True)
        # -I would leave out PYTHONPATH; the checkout is not on it, and home is where commands are run
        environment = {"PYTHONPATH": str(site), "LATENTLAB_CACHE": str(home / "cache")}
        where = "import latentlab; print(latentlab.__file__)"
        found = subprocess.run(
            [sys.executable, "-c", where],
            env=environment,
            cwd=home,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        expect(
            found.startswith(str(site)), f"the package that is tried out is {found.strip()}, not the wheel's"
        )
        python = [sys.executable, "-m"]
        Trial([*python, "latentlab"], [*python, "latentlab.jobs"], home, environment).run()
    print("wheel and sdist are whole, and the wheel runs outside the checkout")


def tracked(*folders: str) -> list[str]:
    """Return the files below folders of the checkout that git knows."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", *folders], capture_output=True, text=True, check=True
    )
    return [name for name in done.stdout.split("\0") if name]


def check_wheel(wheel: Path) -> None:
    """Check that a wheel holds the package, all models and resources, and the licences; and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    bundled = {f"latentlab/_bundled/{name}" for name in tracked("models", "resources", "CREDITS.md")}
    wanted = {*bundled, *tracked("latentlab")}
    missing = sorted(wanted - names)
    expect(not missing, f"{wheel.name} lacks {missing[:5]} and {max(0, len(missing) - 5)} more")
    info = next(name.partition("/")[0] for name in names if name.endswith(".dist-info/METADATA"))
    expect(all(f"{info}/licenses/{name}" in names for name in LICENCES), f"{wheel.name} lacks licences")
    more = sorted(name for name in names - wanted if not name.startswith(info))
    print(f"the wheel holds {len(bundled)} files of models and resources, and {len(LICENCES)} licences")
    if more:
        print(f"  not committed, but in it: {', '.join(more[:8])}{' ...' if len(more) > 8 else ''}")
    runs = [name for name in names if "/run/" in name]
    expect(not runs, f"{wheel.name} holds what trainings left beside their checkpoints: {runs[:3]}")


def check_sdist(sdist: Path) -> None:
    """Check that an sdist holds what is needed to build, test and package."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {
        *tracked("latentlab", "models", "resources", "tests", "packaging"),
        "README.md",
        "pyproject.toml",
    }
    missing = sorted(wanted - names)
    expect(not missing, f"{sdist.name} lacks {missing[:5]} and {max(0, len(missing) - 5)} more")


def main() -> None:
    """Build, check and try out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, help="keep what was built in this folder")
    out = parser.parse_args().out
    if out is not None:
        check(out)
        return
    with tempfile.TemporaryDirectory(prefix="latentlab-build-") as folder:
        check(Path(folder))


if __name__ == "__main__":
    main()
