"""Measures near-duplicate search: time of a descriptor, growth of a search with the images, and what is found.

CPU time is what is told; wall time stands beside it.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.descriptor.crowd import crowd
from benchmarks.descriptor.planted import at, planted, radiograph, real, simulated
from isocenter.base.progress import Step
from isocenter.imaging.descriptor import descriptor_of
from isocenter.model.grid import Grid
from isocenter.stages.audit.near_duplicates import ALIKE, compare
from isocenter.testing.copies import Image

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
SHAPES = ((1, 2000, 2500), (60, 128, 128), (99, 512, 512), (300, 512, 512))
THRESHOLDS = (0.70, 0.72, 0.74, 0.76, 0.78, 0.80, 0.82, 0.84, 0.86, 0.88, 0.90, 0.92, 0.94)


DATA = Path(os.environ["ISOCENTER_REAL_DATA"]) if "ISOCENTER_REAL_DATA" in os.environ else None


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench descriptor", description="Measure near-duplicate search"
    )
    parser.add_argument(
        "--most", type=int, default=SIZES[-1], help="largest number of images of the growth curve"
    )
    parser.add_argument(
        "--people", type=int, default=40, help="simulated people of the proof; half are copied"
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real images")
    parser.add_argument("--only", choices=("cost", "found"), help="one half of it all")
    parser.add_argument("--jobs", type=int, default=2, help="threads")
    chosen = parser.parse_args()
    if chosen.only != "found":
        print_descriptors()
        print_growth([n for n in SIZES if n <= chosen.most], chosen.jobs)
    if chosen.only == "cost":
        return
    if chosen.data:
        images = real(chosen.data)
        print_found("real CT, PET and MR", images, list(images), chosen.jobs)
    names = [f"s{n:04}" for n in range(chosen.people)]
    for title, make in (
        ("simulated CT", simulated),
        ("simulated MR", lambda n: simulated(n, contrast="t1")),
        ("simulated radiographs", radiograph),
    ):
        images = {name: make(n) for n, name in enumerate(names)}
        print_found(title, images, names[: chosen.people // 2], chosen.jobs)


def print_descriptors() -> None:
    """How long one descriptor takes."""
    print("| voxels (k, j, i) | CPU s | bytes |\n|---|---|---|")
    for shape in SHAPES:
        values = np.random.default_rng(0).integers(-1000, 1000, shape).astype(np.int16)
        grid = Grid(shape, np.eye(4))
        descriptor_of(values[:1], Grid((1, *shape[1:]), np.eye(4)))
        start = time.process_time()
        found = descriptor_of(values, grid)
        seconds = time.process_time() - start
        print(f"| {shape} | {seconds:.2f} | {found.vector.nbytes + found.picture.nbytes} |", flush=True)


def print_growth(sizes: Sequence[int], jobs: int) -> None:
    """How long a whole search takes, with a hundredth of all images planted twice."""
    print(
        "\n| images | candidates: CPU s | wall s | close looks | CPU s | wall s | dropped | planted | found | others |"
    )
    print("|---" * 10 + "|")
    for count in sizes:
        images, twins = crowd(count, jobs=jobs)
        times = [_now()]

        def noted(step: Step, times: list[tuple[float, float]] = times) -> None:
            if not step.done:  # candidates are known now
                times.append(_now())

        done = compare({f"{n:06}": one for n, one in enumerate(images)}, jobs=jobs, progress=noted)
        times.append(_now())
        (cpu, wall), (cpu_looks, wall_looks) = ((b[0] - a[0], b[1] - a[1]) for a, b in pairwise(times))
        found = {(int(p.a), int(p.b)) for p in done.pairs}
        hit = sum(pair in found for pair in twins)
        print(
            f"| {count:,} | {cpu:.1f} | {wall:.1f} | {done.looks:,} | {cpu_looks:.1f} | {wall_looks:.1f} "
            f"| {done.dropped:,} | {len(twins):,} | {hit:,} | {len(found) - hit:,} |",
            flush=True,
        )


def _now() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def print_found(title: str, images: Mapping[str, Image], copied: Sequence[str], jobs: int) -> None:
    """What was found of every kind of copy, and recall and precision over all of them by threshold."""
    found = planted(images, copied, jobs=jobs)
    print(
        f"\n{title}: {len(images)} images, {len(copied)} of them copied in {len(found)} ways\n\n"
        f"| copy | lowest score | highest of two people | recall at {ALIKE} | precision |\n|---|---|---|---|---|"
    )
    for one in found:
        recall, precision = at([one], ALIKE)
        highest = max(one.false, default=0.0)
        print(f"| {one.kind} | {min(one.true):.2f} | {highest:.2f} | {recall:.4f} | {precision:.4f} |")
    for one in found:
        for score, name in zip(one.false, one.named, strict=False):
            if score >= ALIKE:
                print(f"{one.kind}: {name} at {score:.2f}")
    print("\n| threshold | recall | precision |\n|---|---|---|")
    for threshold in THRESHOLDS:
        recall, precision = at(found, threshold)
        print(f"| {threshold:.2f} | {recall:.4f} | {precision:.4f} |", flush=True)


if __name__ == "__main__":
    main()
