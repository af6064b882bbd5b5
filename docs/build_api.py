"""Builds the API reference from the docstrings, as HTML; any warning is an error.

Run ``python docs/build_api.py`` in an environment with ``pip install '.[docs]'``; the pages lie in
``docs/api`` then, and ``--out`` puts them elsewhere. It tells of everything that a program can be written
with; window and command line (`latentlab.ui`, `latentlab.cli`) are for people and have their own help.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib
import inspect
import os
import shutil
import tempfile
import typing
import warnings
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
PACKAGE = "latentlab"
LEFT_OUT = (f"{PACKAGE}.ui", f"{PACKAGE}.cli", f"{PACKAGE}.checkpoints.fuzz")


def build(out: Path) -> int:
    """Write the pages into a folder, and return how many there are.

    Raises
    ------
    SystemExit
        If the folder is there and holds something else.
    Warning
        If a docstring, an annotation or a module gives pdoc cause for one.
    """
    if out.exists() and not (out / f"{PACKAGE}.html").is_file():
        raise SystemExit(f"{out} is there and holds no such pages: choose another --out, such as docs/api.")
    import pdoc
    import pdoc.render

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other packages say of themselves as they are imported
        for name in module_names():
            make_readable(importlib.import_module(name))
    if out.exists():
        shutil.rmtree(out)
    pdoc.render.configure(docformat="numpy", show_source=False, math=False, footer_text="LatentLab")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        pdoc.pdoc(PACKAGE, *(f"!{name}" for name in LEFT_OUT), output_directory=out)
    return len(list(out.rglob("*.html")))


def module_names() -> list[str]:
    """Return the names of the modules that the reference tells of."""
    root = HERE.parent / PACKAGE
    names = []
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if parts[-1] != "__main__" and not name.startswith(LEFT_OUT):
            names.append(name)
    return names


def make_readable(module: ModuleType) -> None:
    """Resolve what pdoc cannot: annotations that a dataclass inherits, and classes made at run time.

    The annotations of an inherited field are words of the module that wrote them; a class that no source
    tells of has no docstrings either, and is left out.
    """
    for name, value in list(vars(module).items()):
        if not inspect.isclass(value) or value.__module__ != module.__name__:
            continue
        try:
            inspect.getsource(value)
        except (OSError, TypeError):
            delattr(module, name)
            continue
        if dataclasses.is_dataclass(value):
            with contextlib.suppress(NameError):  # a name imported for type checkers only: pdoc finds it
                hints = typing.get_type_hints(value, include_extras=True)
                written = value.__init__.__annotations__
                written.update({key: hints[key] for key in written if key in hints})


def main() -> None:
    """Build the pages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "api")
    out = parser.parse_args().out.resolve()
    with tempfile.TemporaryDirectory() as cache:
        os.environ.setdefault("LATENTLAB_CACHE", cache)
        pages = build(out)
    print(f"{pages} pages without a warning: {out / 'index.html'}")


if __name__ == "__main__":
    main()
