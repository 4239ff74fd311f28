"""Measures the whole pass from a series of DICOM files to a packed case, against pipelines of peers, in one run.

Every way resamples to 1 mm and runs in a process of its own, the ways taking turns; CPU time of the process and its
children counts. Nothing fails by the clock: the figures are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.index import peers
from benchmarks.index.children import Child, ChildFailedError
from benchmarks.read.cases import Told
from benchmarks.read.series import Series, as_it_is, chest_in, reflected
from benchmarks.resample.cases import LISTS

SLOW_EVERY = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One way to prepare a volume; a slow one is measured in every third round only."""

    title: str
    way: str
    is_peer: bool = True
    is_slow: bool = False

    def command(self, series: Series) -> Sequence[str]:
        """What starts it."""
        python = peers.interpreter("nnunet", LISTS) if self.is_peer else sys.executable
        module = f"benchmarks.build.{'others' if self.is_peer else 'ours'}"
        return [python, "-m", module, self.way, str(series.whole.folder), str(series.small.folder), "1"]


CASES = (
    Case("isocenter, linear: read, checked, packed", "linear", is_peer=False),
    Case("isocenter, cubic", "cubic", is_peer=False),
    Case("SimpleITK, linear, nibabel .nii", "simpleitk-linear"),
    Case("SimpleITK, linear, nibabel .nii.gz", "simpleitk-linear-gz", is_slow=True),
    Case("SimpleITK, B-spline, nibabel .nii", "simpleitk-cubic", is_slow=True),
    Case("nnU-Net, from .nii, cubic, blosc2", "nnunet", is_slow=True),
)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="scripts/bench build", description="Measure the whole pass")
    add = parser.add_argument
    add("--data", default=os.environ.get("ISOCENTER_REAL_DATA"), help="the folder with the real files")
    add("--rounds", type=int, default=4, help="how often each case takes its turn; slow ones every third")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    if chosen.data is None:
        raise SystemExit("name a folder with the real files: --data FOLDER or ISOCENTER_REAL_DATA")
    with tempfile.TemporaryDirectory(prefix="isocenter-bench-") as name:
        slices = chest_in(Path(chosen.data))
        for make in (as_it_is, reflected):
            _measure_all(make(slices, Path(name)), chosen.rounds)


def _measure_all(series: Series, rounds: int) -> None:
    """Let the cases take turns, and print what they took."""
    results: dict[Case, list[Told]] = {case: [] for case in CASES}
    failed: set[Case] = set()
    for number in range(rounds):
        for case in CASES:
            if case in failed or (case.is_slow and number % SLOW_EVERY):
                continue
            try:
                results[case].append(_measure(case, series))
            except ChildFailedError as error:
                failed.add(case)
                print(f"{case.title} failed: {error}", file=sys.stderr)
    print(f"\n{series.title}: {series.n_bytes / 1e6:.0f} MB as int16; medians\n")
    print(
        f"{'':<44}{'runs':>5}{'CPU ms':>10}{'wall ms':>10}{'MB/CPU s':>10}{'x ours':>8}{'peak MB':>9}{'/ volume':>10}"
    )
    first = statistics.median(t.cpu_seconds for t in results[CASES[0]])
    for case, runs in results.items():
        if runs:
            cpu, wall = (
                statistics.median(t)
                for t in zip(*((r.cpu_seconds, r.wall_seconds) for r in runs), strict=True)
            )
            peak = statistics.median(r.peak_bytes for r in runs)
            print(
                f"{case.title:<44}{len(runs):>5}{cpu * 1e3:>10.0f}{wall * 1e3:>10.0f}{series.n_bytes / cpu / 1e6:>10.0f}"
                f"{cpu / first:>8.1f}{peak / 1e6:>9.0f}{peak / series.n_bytes:>10.1f}"
            )
    sys.stdout.flush()


def _measure(case: Case, series: Series) -> Told:
    with Child(case.command(series)) as child:
        child.wait_until_ready()
        child.begin()
        printed = child.answer()
        child.end()
    told = json.loads(printed.splitlines()[-1])
    return Told(cpu_seconds=told["cpu"], wall_seconds=told["wall"], peak_bytes=told["peak"], values=())


if __name__ == "__main__":
    main()
