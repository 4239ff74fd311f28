"""Measures agreement and consensus against peers and against reading the masks once, in one run.

Every case runs in a process of its own, the cases taking turns; what is judged are the ratios of CPU time within
the run, of one thread. Nothing fails by the clock: the factors are printed, and which of those hold.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks.agreement.cases import GROUPS, Case, measure
from benchmarks.agreement.results import print_results
from benchmarks.agreement.volumes import Volume, real
from benchmarks.index.children import ChildFailedError
from benchmarks.read.cases import Told

SLOW_EVERY = 3


def main() -> None:
    """Measure what the command line asks for."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    if chosen.data is None:
        raise SystemExit("name a folder with the real files: --data FOLDER or ISOCENTER_REAL_DATA")
    with tempfile.TemporaryDirectory(prefix="isocenter-bench-") as name:
        volume = real(Path(chosen.data), Path(name) / "real")
        for cases in GROUPS:
            some = {n: c for n, c in cases.items() if not (chosen.ours and c.is_peer)}
            print_results(volume, some, _measure_all(volume, some, chosen.rounds))
            sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench agreement", description="Measure agreement")
    add = parser.add_argument
    add("--data", default=os.environ.get("ISOCENTER_REAL_DATA"), help="the folder with the real files")
    add("--rounds", type=int, default=4, help="how often each case takes its turn; slow ones every third")
    add("--ours", action="store_true", help="without the peers")
    return parser.parse_args()


def _measure_all(volume: Volume, cases: Mapping[str, Case], rounds: int) -> dict[str, list[Told]]:
    """Let the cases take turns; a case that fails is told of and left out from then on."""
    results: dict[str, list[Told]] = {name: [] for name in cases}
    failed: set[str] = set()
    for number in range(rounds):
        for name, case in cases.items():
            if name in failed or (case.is_slow and number % SLOW_EVERY):
                continue
            try:
                results[name].append(measure(case, volume))
            except ChildFailedError as error:
                failed.add(name)
                print(f"{case.title} failed: {error}", file=sys.stderr)
    return results


if __name__ == "__main__":
    main()
