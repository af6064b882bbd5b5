"""The modules of an installed package, read from its files: nothing is imported, which takes minutes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def modules_of(package: str, but: tuple[str, ...] = ()) -> list[str]:
    """Return the names of a package's modules, without those that begin with one of ``but``."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent
    names = []
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if all(part.isidentifier() for part in parts) and not name.startswith(but):
            names.append(name)
    return names
