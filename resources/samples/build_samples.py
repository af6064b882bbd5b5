"""Make the sample pictures, at 128 px: faces cut out of the sheets of test faces, and avatars.

Run from the repository's root: ``python resources/samples/build_samples.py``. One face of each
constructed gender and race, chosen for variety of hair, glasses and beards; avatars of test identities in
the style of `avatars-cvae` (Voxel Art by DiceBear, CC0 1.0). None of them was trained on.
"""

from pathlib import Path

from PIL import Image

from latentlab.data.avatar_styles import draw_avatar
from latentlab.data.avatars import IDENTITIES, identities

STYLE, AVATARS = "voxel-art", (3501, 3504, 3507, 3510)
ROWS = (20, 12, 19, 16, 56, 114, 27, 32)
SIDE, SIZE = 32, 128

here = Path(__file__).parent
with Image.open(here.parent / "faces" / "test" / "faces_00.webp") as sheet:
    for row in ROWS:
        left, top = row % SIDE * SIZE, row // SIDE * SIZE
        face = sheet.convert("RGB").crop((left, top, left + SIZE, top + SIZE))
        face.save(here / f"face-{row:04d}.png", optimize=True)

people = identities(sum(IDENTITIES.values()))
for number in AVATARS:
    Image.fromarray(draw_avatar(STYLE, people[number], SIZE)).save(
        here / f"avatar-{number:04d}.png", optimize=True
    )
