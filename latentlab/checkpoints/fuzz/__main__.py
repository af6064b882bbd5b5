"""Open many damaged copies of good checkpoints, and count how that ends.

    python -m latentlab.checkpoints.fuzz --cases 10000 vae.ckpt pythae-folder ...

Each case is a copy of a sample, damaged (`latentlab.checkpoints.fuzz.mutate`); the same seed gives the same
cases. It must open, or be refused with a `LatentLabError` of one line that names its file. Anything else is a
failure: another exception, the end of the process, more than five seconds, an attempt to run a program, an
import by a pickle, a file written. Cases run in a process of their own, which is started again where one ends
it.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

LONGEST, LONGEST_WAIT = 5.0, 120.0
"""Seconds that a case may take of the processor, and in all on a machine that does other work too."""
MEMORY = 6_000_000_000
"""Bytes of address space that the cases' process may add to what it begins with."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases and print what came of them; the status is 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m latentlab.checkpoints.fuzz")
    parser.add_argument("samples", nargs="+", type=Path, help="good checkpoints: files or folders")
    parser.add_argument("--cases", type=int, default=1000, help="cases of each sample")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    cases = range(given.first, given.first + given.cases)
    if given.inside:
        _run_inside(given.samples[0], cases, given.seed)
        return 0
    failures = 0
    for sample in given.samples:
        counts, failed, slowest = _run(sample, cases, given.seed)
        failures += len(failed)
        print(
            f"{sample.name}: {len(cases)} cases, {counts['opened']} opened, {counts['refused']} refused, "
            f"{len(failed)} failed; the slowest took {slowest:.2f} s",
            flush=True,
        )
        for line in failed:
            print(f"  {line}", flush=True)
    return 1 if failures else 0


def _run(sample: Path, cases: range, seed: int) -> tuple[Counter[str], list[str], float]:
    """Return how often each end came, the failures, and the longest time."""
    counts: Counter[str] = Counter()
    failed: list[str] = []
    slowest, case = 0.0, cases.start
    while case < cases.stop:
        command = [sys.executable, "-m", "latentlab.checkpoints.fuzz", "--inside", str(sample)]
        command += ["--first", str(case), "--cases", str(cases.stop - case), "--seed", str(seed)]
        child = subprocess.run(command, capture_output=True, text=True, check=False)
        for line in child.stdout.splitlines():
            found = json.loads(line)
            case, slowest = found["case"] + 1, max(slowest, found["seconds"])
            counts[found["end"]] += 1
            if found["end"] == "failed":
                failed.append(f"case {found['case']}: {found['why']}")
        if child.returncode:
            hung = child.returncode == -signal.SIGPROF or "Timeout" in child.stderr
            why = "it took too long" if hung else f"the process ended with {child.returncode}"
            failed.append(f"case {case}: {why}: {' | '.join(child.stderr.splitlines()[-3:])}")
            case += 1
    return counts, failed, slowest


def _run_inside(sample: Path, numbers: range, seed: int) -> None:
    import torch

    from latentlab.checkpoints.fuzz.cases import Cases, Watch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="latentlab-fuzz-") as folder:
        cases = Cases(sample, Path(folder), seed, Watch())
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        for number in numbers:
            faulthandler.dump_traceback_later(LONGEST_WAIT, exit=True)
            signal.setitimer(signal.ITIMER_PROF, LONGEST)  # it ends the process, whatever that is doing
            outcome = cases.run(number)
            signal.setitimer(signal.ITIMER_PROF, 0.0)
            faulthandler.cancel_dump_traceback_later()
            print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
