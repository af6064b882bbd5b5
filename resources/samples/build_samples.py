"""Cut the sample pictures out of the sheets of test faces, at their native 128 px.

Run from the repository's root: ``python resources/samples/build_samples.py``. One face of each
constructed gender and race, chosen for variety of hair, glasses and beards; none of them was trained on.
"""

from pathlib import Path

from PIL import Image

ROWS = (20, 12, 19, 16, 56, 114, 27, 32)
SIDE, SIZE = 32, 128

here = Path(__file__).parent
with Image.open(here.parent / "faces" / "test" / "faces_00.webp") as sheet:
    for row in ROWS:
        left, top = row % SIDE * SIZE, row // SIDE * SIZE
        face = sheet.convert("RGB").crop((left, top, left + SIZE, top + SIZE))
        face.save(here / f"face-{row:04d}.png", optimize=True)
