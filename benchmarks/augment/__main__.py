"""Measures augmentation against peers, in one run.

Every case runs in a process of its own, the cases taking turns; what is judged are the ratios of CPU time within the
run, of one thread each. Nothing fails by the clock: the factors are printed, and which of those hold.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.augment.cases import CASES, Case, measure
from benchmarks.augment.problem import CONTROLS, LARGEST, PATCH, rotation, source_of
from benchmarks.augment.results import print_results
from benchmarks.index.children import ChildFailedError
from benchmarks.read.cases import Told
from benchmarks.read.series import LONG, chest_in


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="scripts/bench augment", description="Measure augmentation")
    add = parser.add_argument
    add("--data", default=os.environ.get("ISOCENTER_REAL_DATA"), help="the folder with the real files")
    add("--rounds", type=int, default=4, help="how often each case takes its turn")
    add("--ours", action="store_true", help="without the peers")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left behind
    if chosen.data is None:
        raise SystemExit("name a folder with the real files: --data FOLDER or ISOCENTER_REAL_DATA")
    with tempfile.TemporaryDirectory(prefix="isocenter-bench-") as name:
        prepare(Path(chosen.data), Path(name))
        cases = {n: c for n, c in CASES.items() if not (chosen.ours and c.is_peer)}
        print_results(cases, _measure_all(cases, Path(name), chosen.rounds))


def prepare(data: Path, folder: Path) -> None:
    """Write a patch of the chest CT, reflected in z to 300 slices, in [0, 1], with labels by HU, and what is expected."""
    slices = chest_in(data)
    n = len(slices)
    order = [min(k % (2 * n), 2 * n - 1 - k % (2 * n)) for k in range(LONG)][: PATCH + 8][-PATCH:]
    rows = slice(180, 180 + PATCH)
    hu = np.stack([slices[k].pixel_array[rows, rows] * 1.0 - 1024 for k in order])
    image = np.clip((hu + 1000) / 1500, 0, 1).astype(np.float32)
    np.save(folder / "image.npy", image)
    np.save(folder / "mask.npy", (1 * (hu > -400) + 1 * (hu > 150)).astype(np.uint8))
    generator = np.random.default_rng(8)
    cells = generator.uniform(-1, 1, (3, CONTROLS, CONTROLS, CONTROLS)) * LARGEST / np.sqrt(3)
    np.save(folder / "controls.npy", cells)
    for kind in ("rotation", "elastic"):
        at = source_of(kind, rotation(), cells, np)
        np.save(folder / f"expected-{kind}.npy", _linear(image, at))


def _linear(image: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values at positions (3, K, J, I), in order x, y, z, in float64; no number where they are outside."""
    base = np.clip(np.floor(at[::-1]), 0, PATCH - 2).astype(np.int64)
    share = at[::-1] - base
    out = np.zeros(at.shape[1:])
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod([s if c else 1 - s for c, s in zip(corner, share, strict=True)], axis=0)
        k, j, i = (b + c for b, c in zip(base, corner, strict=True))
        out += weight * image[k, j, i]
    out[((at < 0) | (at > PATCH - 1)).any(axis=0)] = np.nan
    return out


def _measure_all(cases: dict[str, Case], folder: Path, rounds: int) -> dict[str, list[Told]]:
    """Let the cases take turns; a case that fails is told of and left out from then on."""
    results: dict[str, list[Told]] = {name: [] for name in cases}
    failed: set[str] = set()
    for number in range(rounds):
        for name, case in cases.items():
            if name in failed or (case.is_slow and number % 2):
                continue
            try:
                results[name].append(measure(case, folder))
            except ChildFailedError as error:
                failed.add(name)
                print(f"{case.title} failed: {error}", file=sys.stderr)
    return results


if __name__ == "__main__":
    main()
