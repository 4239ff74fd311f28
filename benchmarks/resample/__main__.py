"""Measures resampling against peers and against what memory allows, in one run.

Every case runs in a process of its own, the cases taking turns; what is judged are the ratios of CPU time within
the run, of one thread each. Nothing fails by the clock: the factors are printed, and which of those hold.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy import ndimage

from benchmarks.index.children import ChildFailedError
from benchmarks.read.cases import Told
from benchmarks.resample.cases import BY_LABELS, IMAGES, Case, measure
from benchmarks.resample.judged import BORDER, PLANES
from benchmarks.resample.results import print_results
from benchmarks.resample.volumes import LABELS, Volume, real, reflected

SLOW_EVERY = 3
# A peer takes minutes for many labels of a long volume.
LONG_LABELS = (1, 24)


def main() -> None:
    """Measure what the command line asks for."""
    chosen = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    if chosen.data is None:
        raise SystemExit("name a folder with the real files: --data FOLDER or ISOCENTER_REAL_DATA")
    with tempfile.TemporaryDirectory(prefix="isocenter-bench-") as name:
        short = real(Path(chosen.data), Path(name) / "real")
        for volume in (short,) if chosen.short else (short, reflected(short, Path(name) / "reflected")):
            refer(volume)
            counts = LABELS if volume is short else LONG_LABELS
            for cases in (IMAGES, *(BY_LABELS[n] for n in counts)):
                some = {n: c for n, c in cases.items() if not (chosen.ours and c.is_peer)}
                print_results(volume, some, _measure_all(volume, some, chosen.rounds))
                sys.stdout.flush()


def refer(volume: Volume) -> None:
    """Keep some planes of the target, in float64, by scipy; the spline has the boundary rule that ours has."""
    array = np.load(volume.folder / "image.npy")
    steps = [n / m for n, m in zip(volume.shape, volume.target, strict=True)]
    k, j, i = (np.arange(m) * s + (s - 1) / 2 for m, s in zip(volume.target, steps, strict=True))
    inside = slice(BORDER, -BORDER)
    places = np.stack(np.meshgrid(k[list(PLANES)], j[inside], i[inside], indexing="ij"))
    for kind, order in (("linear", 1), ("cubic", 3)):
        coefficients = array if order == 1 else ndimage.spline_filter(array, 3, np.float64, "mirror")
        values = ndimage.map_coordinates(coefficients, places, np.float64, order, "mirror", prefilter=False)
        np.save(volume.folder / f"reference-{kind}.npy", values)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench resample", description="Measure resampling")
    add = parser.add_argument
    add("--data", default=os.environ.get("ISOCENTER_REAL_DATA"), help="the folder with the real files")
    add("--rounds", type=int, default=4, help="how often each case takes its turn; slow ones every third")
    add("--ours", action="store_true", help="without the peers")
    add("--short", action="store_true", help="without the volume of 300 slices")
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
