"""Our own ways from contours to masks, in a process of their own.

Usage: python -m benchmarks.contours.ours WAY FOLDER SMALL-FOLDER PASSES
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import isocenter
from benchmarks.contours.judged import STRUCTURES, judge
from benchmarks.read.timing import serve


def main() -> None:
    """Measure one of our ways."""
    way, folder, small, passes = sys.argv[1:]
    make = WAYS[way]
    serve(make(Path(folder)), make(Path(small)), int(passes), lambda out: judge(out, Path(folder)))


def files(folder: Path) -> Callable[[], Any]:
    """The images and the structure set read, checked, and every structure's mask made."""

    def run() -> Any:
        grid = isocenter.read(folder / "images").volume.grid
        return {a.concept: a.mask(grid) for a in isocenter.read_annotations(folder / STRUCTURES)}

    return run


def masks(folder: Path) -> Callable[[], Any]:
    """Every structure's mask, of contours that have been read."""
    grid = isocenter.read(folder / "images").volume.grid
    found = isocenter.read_annotations(folder / STRUCTURES)
    return lambda: {a.concept: a.mask(grid) for a in found}


WAYS: dict[str, Callable[[Path], Callable[[], Any]]] = {"files": files, "masks": masks}

if __name__ == "__main__":
    main()
