"""Makes the application's icons in the usual sizes from ``resources/icons/latentlab.svg``.

Run ``python packaging/make_icons.py`` when the drawing has changed. The icons lie as the icon theme
specification wants them, ready to be copied to ``/usr/share/icons``.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import resvg_py

HERE = Path(__file__).resolve().parent
DRAWING = HERE.parent / "resources" / "icons" / "latentlab.svg"
APPLICATION = "org.latentlab.LatentLab"
SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)


def make_icons(out: Path) -> list[Path]:
    """Draw the icons below a folder, and return their files."""
    files = []
    for size in SIZES:
        file = out / "hicolor" / f"{size}x{size}" / "apps" / f"{APPLICATION}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        png = resvg_py.svg_to_bytes(svg_path=str(DRAWING), width=size, height=size, skip_system_fonts=True)
        file.write_bytes(bytes(png))
        files.append(file)
    scalable = out / "hicolor" / "scalable" / "apps" / f"{APPLICATION}.svg"
    scalable.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(DRAWING, scalable)
    return [*files, scalable]


def main() -> None:
    """Make them where they belong, or in another folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "icons")
    for file in make_icons(parser.parse_args().out):
        print(file)


if __name__ == "__main__":
    main()
