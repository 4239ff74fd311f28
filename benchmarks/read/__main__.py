"""Measures our reader of volumes against peers and against what the machine allows, in one run.

Every case runs in processes of its own, the cases taking turns; what is judged are the ratios of CPU time
within the run. Nothing fails by the clock: the factors are printed, and which of those that are asked for hold.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.index.children import ChildFailedError
from benchmarks.read.cases import CASES, Told, measure
from benchmarks.read.results import print_results
from benchmarks.read.series import ENCODERS, Series, as_it_is, chest_in, compressed, index, reflected

SLOW_EVERY = 3


def main() -> None:
    """Measure what the command line asks for."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    if chosen.data is None:
        raise SystemExit("name a folder with the real files: --data FOLDER or ISOCENTER_REAL_DATA")
    with tempfile.TemporaryDirectory(prefix="isocenter-bench-") as name:
        for series in _all_series(Path(chosen.data), Path(name)):
            index(series)
            results = _measure_all(series, chosen.rounds, has_peers=not chosen.ours)
            print_results(series, results)
            sys.stdout.flush()
            shutil.rmtree(series.whole.folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench read", description="Measure the reader of volumes")
    add = parser.add_argument
    add("--data", default=os.environ.get("ISOCENTER_REAL_DATA"), help="the folder with the real files")
    add("--rounds", type=int, default=4, help="how often each case takes its turn; slow ones every third")
    add("--ours", action="store_true", help="without the peers")
    return parser.parse_args()


def _all_series(data: Path, place: Path) -> Iterator[Series]:
    slices = chest_in(data)
    yield as_it_is(slices, place)
    yield reflected(slices, place)
    for name in ENCODERS:
        yield compressed(name, slices, place)


def _measure_all(series: Series, rounds: int, *, has_peers: bool) -> dict[str, list[Told]]:
    """Let the cases take turns; a case that fails is told of and left out from then on."""
    cases = {
        name: case
        for name, case in CASES.items()
        if (case.on_compressed if series.is_compressed else case.on_native)
        and (has_peers or not case.is_peer)
    }
    results: dict[str, list[Told]] = {name: [] for name in cases}
    failed: set[str] = set()
    for number in range(rounds):
        for name, case in cases.items():
            if name in failed or (case.is_slow and number % SLOW_EVERY):
                continue
            try:
                results[name].append(measure(case, series))
            except ChildFailedError as error:
                failed.add(name)
                print(f"{case.title} failed: {error}", file=sys.stderr)
    return results


if __name__ == "__main__":
    main()
