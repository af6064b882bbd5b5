"""Builds LatentLab as one folder that needs no Python, for processors, and checks it.

Run it in an environment with ``pip install '.[package]'``, from anywhere::

    python packaging/build.py --out dist

The folder ``dist/latentlab`` can then be carried to another machine with the same or a newer C library;
``dist/latentlab/latentlab`` is the command of the README. The build is told its size and tried out
(`check_bundle.py`). Where the installed PyTorch is made for NVIDIA's GPUs, a copy without CUDA's libraries
goes in (`without_cuda.py`); those who have such a GPU install with pip.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

from check_bundle import check
from without_cuda import copy_without_cuda

HERE = Path(__file__).resolve().parent
NAME = "latentlab"
LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|OFL)", re.IGNORECASE)
"""Names of files that hold a licence."""


def build(out: Path) -> Path:
    """Build the bundle into a folder, and return the bundle's own folder.

    Raises
    ------
    SystemExit
        If the folder holds something else, something that the build needs is missing, or it fails.
    """
    bundle = out.resolve() / NAME
    if bundle.exists() and not (bundle / "_internal").is_dir():
        raise SystemExit(f"{bundle} is there and is no bundle: choose another --out, such as dist.")
    for module, package in {
        "PyInstaller": "pyinstaller",
        "torch": "torch",
        NAME: "latentlab-desktop",
    }.items():
        if find_spec(module) is None:
            raise SystemExit(
                f"{package} is not installed here: pip install '.[package]' brings what is needed."
            )
    if bundle.exists():
        shutil.rmtree(bundle)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="build-", dir=out.resolve()) as work:
        environment = dict(os.environ)
        paths = [str(HERE.parent)]
        if _has_cuda():
            print("PyTorch here is built with CUDA; a copy without it goes into the bundle", flush=True)
            # PyInstaller keeps the folders of libraries below site-packages only: this is to be one.
            environment["PYTHONUSERBASE"] = base = f"{work}/cpu"
            site = sysconfig.get_path("purelib", "posix_user", {"userbase": base})
            paths.insert(0, str(copy_without_cuda(_torch(), Path(site))))
        environment["PYTHONPATH"] = os.pathsep.join(paths)
        command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "INFO"]
        command += ["--distpath", str(bundle.parent), "--workpath", f"{work}/pyinstaller"]
        done = subprocess.run([*command, str(HERE / f"{NAME}.spec")], env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"PyInstaller ended with {done.returncode}; its last lines say why.")
    _add_desktop_files(bundle)
    if without := add_licences(bundle / "share"):
        print(f"no licence text comes with {', '.join(without)}; CREDITS.md names their licences", flush=True)
    return bundle


def _add_desktop_files(bundle: Path) -> None:
    """Put desktop file, metainfo and icons into the bundle, laid out as ``/usr/share`` is."""
    share = bundle / "share"
    (share / "applications").mkdir(parents=True)
    (share / "metainfo").mkdir()
    for file in HERE.glob("*.desktop"):
        shutil.copy2(file, share / "applications")
    for file in HERE.glob("*.metainfo.xml"):
        shutil.copy2(file, share / "metainfo")
    shutil.copytree(HERE / "icons", share / "icons")


def add_licences(share: Path) -> list[str]:
    """Put the licences of every library that the program needs into ``share/licenses``, a folder each.

    Qt's packages bring no text: theirs, the GNU licences, lie beside this script. Returns the names of others
    that bring none; of GPUs' libraries nothing is in a bundle.
    """
    from latentlab.session.credits import installed_libraries

    without = []
    for library in installed_libraries():
        files = distribution(library.name).files or []
        texts = [one for one in files if LICENCE.match(one.name) and one.suffix not in (".py", ".pyc")]
        if library.name.lower().startswith(("nvidia", "cuda")) or library.name.lower() == "triton":
            continue
        for text in texts:
            place = share / "licenses" / library.name / "-".join(text.parts[-3:])
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(str(text.locate())), place)
        if library.name.lower().startswith(("pyside6", "shiboken6")):
            shutil.copytree(HERE / "licenses", share / "licenses" / library.name, dirs_exist_ok=True)
        elif not texts:
            without.append(library.name)
    return without


def _torch() -> Path:
    found = find_spec("torch")
    return Path(str(found.origin if found else "")).parent


def _has_cuda() -> bool:
    return any((_torch() / "lib").glob("libtorch_cuda*"))


def main() -> None:
    """Build and check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("dist"), help="where the bundle's folder goes")
    parser.add_argument("--no-check", action="store_true", help="build only")
    options = parser.parse_args()
    bundle = build(options.out)
    print(f"built {bundle}")
    if not options.no_check:
        check(bundle)


if __name__ == "__main__":
    main()
