"""Our own ways to resample, each in a process of its own.

Usage: python -m benchmarks.resample.ours (linear|cubic|labels|limit) NAME FOLDER PASSES THREADS
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.read.timing import serve
from benchmarks.resample.judged import judge
from isocenter.imaging.labels import resample_labels
from isocenter.imaging.resample import resample_array, target_grid
from isocenter.model.grid import Grid

_BLOCK = 1 << 17


def main() -> None:
    """Measure one of our ways."""
    way, name, folder, passes, threads = sys.argv[1:]
    place = Path(folder)
    told = json.loads((place / "told.json").read_text(encoding="utf-8"))

    def problem(prefix: str, target: str) -> Callable[[], Any]:
        array = np.load(place / f"{prefix}{name}.npy")
        old, new = grids(array.shape, tuple(told["spacing_mm"]), tuple(told[target]))
        return WAYS[way](array, old, new, int(threads))

    whole, small = problem("", "target"), problem("small-", "small_target")
    serve(
        whole,
        small,
        int(passes),
        lambda out: [] if way == "limit" else judge(out, place, name, f"isocenter-{way}"),
    )


def grids(
    shape: tuple[int, ...], spacing_mm: tuple[float, ...], target: tuple[int, ...]
) -> tuple[Grid, Grid]:
    """The grid before, and the one of so many voxels over the same field of view."""
    old = Grid((shape[0], shape[1], shape[2]), np.diag([*spacing_mm[::-1], 1.0]))
    new_mm = [n * mm / m for n, mm, m in zip(shape, spacing_mm, target, strict=True)]
    new = target_grid(old, new_mm)
    if new.shape != target:
        raise SystemExit(f"the target is {new.shape}, not {target}")
    return old, new


def image(kernel: str) -> Callable[[NDArray[Any], Grid, Grid, int], Callable[[], Any]]:
    """An image, without smoothing, as the peers do it."""

    def make(array: NDArray[Any], old: Grid, new: Grid, threads: int) -> Callable[[], Any]:
        return lambda: resample_array(array, old, new, kernel=kernel, antialias=False, threads=threads)[0]

    return make


def labels(array: NDArray[Any], old: Grid, new: Grid, threads: int) -> Callable[[], Any]:
    """A label map, by vote."""
    return lambda: resample_labels(array, old, new, threads=threads)


def limit(array: NDArray[Any], _: Grid, new: Grid, __: int) -> Callable[[], Any]:
    """What no way can do without: every byte of the source read, every byte of a new target written, as int16."""
    source, count = array.reshape(-1), new.shape[0] * new.shape[1] * new.shape[2]
    block = np.zeros(_BLOCK, array.dtype)

    def run() -> Any:
        for start in range(0, source.size, _BLOCK):
            part = source[start : start + _BLOCK]
            block[: part.size] = part
        out = np.empty(count, array.dtype)
        for start in range(0, count, _BLOCK):
            out[start : start + _BLOCK] = block[: min(_BLOCK, count - start)]
        return out

    return run


WAYS: dict[str, Callable[[NDArray[Any], Grid, Grid, int], Callable[[], Any]]] = {
    "linear": image("linear"),
    "cubic": image("cubic"),
    "labels": labels,
    "limit": limit,
}

if __name__ == "__main__":
    main()
