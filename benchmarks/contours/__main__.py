"""Measures contours to masks against peers, in one run: seven shapes, from files and from contours in memory.

Every way runs in a process of its own, the ways taking turns. Nothing fails by the clock: the figures are printed, and
how near each mask is to the shape that was drawn.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contours.judged import SHAPES
from benchmarks.contours.shapes import make
from benchmarks.index import peers
from benchmarks.index.children import Child, ChildFailedError
from benchmarks.read.cases import Told
from isocenter.testing.simulate.conformance import FIELD_MM

LISTS = Path(__file__).parent / "peers"
_SMALL = range(96, 104)


@dataclass(frozen=True, slots=True)
class Case:
    """One way from contours to masks."""

    title: str
    way: str
    environment: str = ""
    passes: int = 1

    def command(self, whole: Path, small: Path) -> Sequence[str]:
        """What starts it."""
        python = peers.interpreter(self.environment, LISTS) if self.environment else sys.executable
        module = f"benchmarks.contours.{'others' if self.environment else 'ours'}"
        return [python, "-m", module, self.way, str(whole), str(small), str(self.passes)]


FROM_FILES = (
    Case("isocenter: read, checked, masks", "files", passes=2),
    Case("rt-utils", "rt-utils", "rt-utils"),
    Case("dcmrtstruct2nii, written as .nii", "dcmrtstruct2nii", "dcmrtstruct2nii"),
)
MASKS_ALONE = (
    Case("isocenter: masks", "masks", passes=3),
    Case("rt-utils: masks", "rt-utils-masks", "rt-utils"),
    Case("dcmrtstruct2nii: masks", "dcmrtstruct2nii-masks", "dcmrtstruct2nii"),
)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="scripts/bench contours", description="Measure contours to masks")
    parser.add_argument("--rounds", type=int, default=3, help="how often each case takes its turn")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    with tempfile.TemporaryDirectory(prefix="isocenter-bench-") as name:
        whole = make(Path(name) / "whole", range(FIELD_MM[2]))
        small = make(Path(name) / "small", _SMALL)
        for title, cases in (("from files to masks", FROM_FILES), ("masks alone", MASKS_ALONE)):
            _measure_all(title, cases, whole, small, chosen.rounds)


def _measure_all(title: str, cases: Sequence[Case], whole: Path, small: Path, rounds: int) -> None:
    """Let the cases take turns, and print what they took."""
    results: dict[Case, list[Told]] = {case: [] for case in cases}
    failed: set[Case] = set()
    for _ in range(rounds):
        for case in cases:
            if case in failed:
                continue
            try:
                results[case].append(_measure(case, whole, small))
            except ChildFailedError as error:
                failed.add(case)
                print(f"{case.title} failed: {error}", file=sys.stderr)
    print(f"\nSeven structures on 512 x 512 x 200 voxels, {title}; medians; last: Dice with the shape\n")
    print(f"{'':<36}{'runs':>5}{'CPU ms':>10}{'wall ms':>10}{'x ours':>8}{'peak MB':>9}  ", end="")
    print("".join(f"{shape.split()[0]:>11}" for shape in SHAPES))
    first = statistics.median(t.wall_seconds for t in results[cases[0]])
    for case, runs in results.items():
        if runs:
            cpu, wall, peak = (
                statistics.median(t)
                for t in zip(*((r.cpu_seconds, r.wall_seconds, r.peak_bytes) for r in runs), strict=True)
            )
            dice = "".join(f"{v / 1e6:>11.4f}" for v in runs[0].values)
            print(
                f"{case.title:<36}{len(runs):>5}{cpu * 1e3:>10.0f}{wall * 1e3:>10.0f}{wall / first:>8.1f}"
                f"{peak / 1e6:>9.0f}  {dice}"
            )
    sys.stdout.flush()


def _measure(case: Case, whole: Path, small: Path) -> Told:
    with Child(case.command(whole, small)) as child:
        child.wait_until_ready()
        child.begin()
        printed = child.answer()
        child.end()
    told = json.loads(printed.splitlines()[-1])
    return Told(
        cpu_seconds=told["cpu"],
        wall_seconds=told["wall"],
        peak_bytes=told["peak"],
        values=tuple(told["values"]),
    )


if __name__ == "__main__":
    main()
