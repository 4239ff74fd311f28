"""Measures near-duplicate search: time of a descriptor, growth of a search with the images, and what is found.

CPU time is what is told; wall time stands beside it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.descriptor.planted import Found, at, planted, radiograph, simulated
from isocenter.imaging.descriptor import Descriptor, descriptor_of
from isocenter.imaging.spectrum import PARTS
from isocenter.model.grid import Grid
from isocenter.stages.audit.candidates import candidates

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
SHAPES = ((1, 2000, 2500), (60, 128, 128), (99, 512, 512), (300, 512, 512))
THRESHOLDS = (0.60, 0.70, 0.74, 0.78, 0.82, 0.86, 0.90, 0.94)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench descriptor", description="Measure near-duplicate search"
    )
    parser.add_argument(
        "--most", type=int, default=SIZES[-1], help="largest number of images of the growth curve"
    )
    parser.add_argument(
        "--people", type=int, default=60, help="simulated people of the proof; half are copied"
    )
    parser.add_argument("--jobs", type=int, default=2, help="threads")
    chosen = parser.parse_args()
    print_descriptors()
    print_growth([n for n in SIZES if n <= chosen.most])
    names = [f"s{n:04}" for n in range(chosen.people)]
    copied = names[: chosen.people // 2]
    for title, make in (
        ("CT", simulated),
        ("MR", lambda n: simulated(n, contrast="t1")),
        ("radiographs", radiograph),
    ):
        images = {name: make(n) for n, name in enumerate(names)}
        print_found(title, planted(images, copied, jobs=chosen.jobs))


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


def print_growth(sizes: Sequence[int]) -> None:
    """How long the search for candidates takes, with a hundredth of all images planted twice."""
    print(
        "\n| images | CPU s | wall s | planted | candidates | planted ones among them |\n|---|---|---|---|---|---|"
    )
    for count in sizes:
        images, twins = population(count)
        cpu, wall = time.process_time(), time.perf_counter()
        found = {(int(a), int(b)) for a, b in candidates(images, nearest=8)[0]}
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        hit = sum(pair in found for pair in twins)
        print(f"| {count} | {cpu:.1f} | {wall:.1f} | {len(twins)} | {len(found)} | {hit} |", flush=True)


def population(count: int) -> tuple[list[Descriptor], list[tuple[int, int]]]:
    """Vectors as people of one anatomy have them, a share of which are the same person seen a little otherwise."""
    draw = np.random.default_rng(0)
    width = sum(PARTS)
    vectors = draw.standard_normal((count, width), np.float32) + 2 * draw.standard_normal(width, np.float32)
    pairs = count // 100
    twins = [(n, count - pairs + n) for n in range(pairs)]
    for n, other in twins:
        vectors[other] = vectors[n] + draw.standard_normal(width, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    picture = np.zeros((2, 1, 1), np.uint8)
    made = [Descriptor(exact="", vector=v, picture=picture, extent_mm=(1.0, 1.0, 1.0)) for v in vectors]
    return made, twins


def print_found(title: str, found: Sequence[Found]) -> None:
    """What was found of every kind of copy, and recall and precision over all of them by threshold."""
    print(f"\n{title}\n\n| copy | lowest score | highest of two people |\n|---|---|---|")
    for one in found:
        print(f"| {one.kind} | {min(one.true):.2f} | {max(one.false, default=0.0):.2f} |")
    print("\n| threshold | recall | precision |\n|---|---|---|")
    for threshold in THRESHOLDS:
        recall, precision = at(found, threshold)
        print(f"| {threshold:.2f} | {recall:.4f} | {precision:.4f} |")


if __name__ == "__main__":
    main()
