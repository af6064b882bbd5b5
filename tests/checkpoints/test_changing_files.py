"""Files that change while they are read: an error that says so, whatever has been read of them, and no crash.

They are tried in a process of its own, since reading what was mapped into memory and is there no more would
end the process by a signal.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from samples import SAMPLES

from latentlab.checkpoints.convert import convert

PROGRAM = """
import os, sys, threading, time
from pathlib import Path
from latentlab.checkpoints import load
from latentlab.errors import CheckpointError

weights, opened, cut = Path(), 0, 0

def hear(event, arguments):
    global opened
    if event == "open" and str(arguments[0]) == str(weights):
        opened += 1
        if opened == cut:
            os.truncate(weights, weights.stat().st_size // 3)

def tried(path, said):
    try:
        load(path)
    except CheckpointError as error:
        named = weights.name in str(error) or path.name in str(error)
        print("refused" if named else "refused without a name", said, error)
    else:
        print("opened", said)

def cut_short(path):
    global opened, cut
    content, opened, cut = weights.read_bytes(), 0, 0
    load(path)
    for cut in sorted({1, 2, 3, 4, opened // 2, opened - 1, opened}):
        opened = 0
        tried(path, f"cut at opening {cut}")
        weights.write_bytes(content)

def change(end):
    content = weights.read_bytes()
    while time.monotonic() < end:
        os.truncate(weights, len(content) // 3)
        weights.write_bytes(content)

sys.addaudithook(hear)
for path, weights in zip(map(Path, sys.argv[1::2]), map(Path, sys.argv[2::2])):
    cut_short(path)
cut = 0
thread = threading.Thread(target=change, args=(time.monotonic() + 1.0,))
thread.start()
while thread.is_alive():
    tried(path, "meanwhile")
"""


def test_what_changes_while_it_is_read_is_refused_by_its_name(tmp_path: Path) -> None:
    diffusers = SAMPLES["diffusers_kl"](tmp_path)
    zipped, old = SAMPLES["pytorch_vae"](tmp_path), SAMPLES["before_torch_1_6"](tmp_path)
    native = convert(SAMPLES["pythae"](tmp_path), tmp_path / "native")
    pairs = [(diffusers, diffusers / "diffusion_pytorch_model.safetensors"), (zipped, zipped), (old, old)]
    pairs.append((native.path, native.weights))
    command = [sys.executable, "-c", PROGRAM, *(str(path) for pair in pairs for path in pair)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])
    said = done.stdout.splitlines()
    cut = [line for line in said if " cut " in line]
    assert len(cut) >= 4 * 5
    assert [line for line in cut if not line.startswith("refused cut")] == []
    assert [
        line for line in said if not line.startswith(("refused cut", "refused mean", "opened mean"))
    ] == []
