"""Measures our header reader and our index against peers and against what the machine allows, in one run.

Every case runs in processes of its own, the cases taking turns; what is judged are the ratios of CPU time
within the run, so that the machine and its load matter little. Nothing fails by the clock: the factors are
printed, and which of those that are asked for hold.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.index import archives
from benchmarks.index.cases import CASES, Bench, Case, limits, new_bench, ours
from benchmarks.index.children import ChildFailedError, Usage, run_together
from benchmarks.index.memory import print_memory
from benchmarks.index.results import print_line, print_table

SLOW_EVERY = 3
# So many files make a quick case long enough to be timed.
ENOUGH_FILES = 20_000


def main() -> None:
    """Measure what the command line asks for."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    with tempfile.TemporaryDirectory(prefix="isocenter-bench-") as name:
        place = Path(name)
        if chosen.memory:
            print_memory(place, chosen.files or 1_000_000)
            return
        for archive in _archives(chosen, place):
            passes = 1 if chosen.cold else max(1, ENOUGH_FILES // archive.files)
            bench = new_bench(archive, place, passes)
            cases = {name: case for name, case in CASES.items() if not (chosen.ours and case.is_peer)}
            results = measure(bench, cases, chosen.rounds, is_cold=chosen.cold)
            print_table(bench, results, is_cold=chosen.cold)
            if not chosen.cold:
                print_scaling(bench, chosen.rounds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench index", description="Measure header reader and index"
    )
    add = parser.add_argument
    add("--cold", action="store_true", help="take each file out of memory first; wall time is what counts")
    add("--memory", action="store_true", help="measure the peak of memory at 10^4, 10^5, 10^6 instances")
    add("--files", type=int, default=0, help="how many to simulate; 100,000, for --memory up to 1,000,000")
    add("--data", default=os.environ.get("ISOCENTER_REAL_DATA"), help="a folder with real files")
    add("--rounds", type=int, default=4, help="how often each case takes its turn; slow ones every third")
    add("--ours", action="store_true", help="without the peers")
    return parser.parse_args()


def _archives(chosen: argparse.Namespace, place: Path) -> Iterator[archives.Archive]:
    """The real archive, where there is one, then the simulated one."""
    if chosen.data is not None:
        yield archives.real(Path(chosen.data), place)
    yield archives.simulated(chosen.files or 100_000, place)


def measure(bench: Bench, cases: Mapping[str, Case], rounds: int, *, is_cold: bool) -> dict[str, list[Usage]]:
    """Let the cases take turns; a case that fails is told of and left out from then on."""
    results: dict[str, list[Usage]] = {name: [] for name in cases}
    failed: set[str] = set()
    os.sync()  # what has not been written yet cannot be forgotten, and must not be written meanwhile
    for number in range(rounds):
        for name, case in cases.items():
            if name in failed or (case.is_slow and number % SLOW_EVERY):
                continue
            (archives.forget if is_cold else archives.remember)(bench.archive)
            try:
                results[name].append(case.measure(bench))
            except ChildFailedError as error:
                failed.add(name)
                print(f"{case.title} failed: {error}", file=sys.stderr)
    return results


def print_scaling(bench: Bench, rounds: int) -> None:
    """Print what a second process gains, the bare reading of the same bytes against our header reader."""
    few, archive = bench.few.listed, bench.archive
    passes = bench.passes * 2
    ways = {
        "pread": [
            limits("pread", archive.folder, one, few, passes) for one in (archive.listed, *archive.halves)
        ],
        "headers": [ours("headers", one, few, passes) for one in (archive.listed, *archive.halves)],
    }
    gains: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (whole, *halves) in ways.items():
            archives.remember(archive)
            gains[way].append(run_together([whole]) / run_together(halves))
    gain = {way: statistics.median(each) for way, each in gains.items()}
    print(f"\ntwo processes instead of one: pread {gain['pread']:.2f}x, header reader {gain['headers']:.2f}x")
    print_line(
        "required", "scaling of the header reader over that of pread", gain["headers"] / gain["pread"], 0.9
    )


if __name__ == "__main__":
    main()
