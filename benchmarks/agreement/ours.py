"""Our own ways to compare raters, each in a process of its own.

Usage: python -m benchmarks.agreement.ours (limit|dice|labels|hd95|staple) NAME FOLDER PASSES
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.agreement.told import told_of
from benchmarks.read.timing import serve
from isocenter.agreement.metrics import overlap, overlaps_of_labels
from isocenter.agreement.staple import estimate
from isocenter.agreement.surfaces import surface_distances

Raters = list[NDArray[Any]]
Spacing = tuple[float, float, float]


def main() -> None:
    """Measure one of our ways."""
    way, name, folder, passes = sys.argv[1:]
    place = Path(folder)
    spacing = tuple(json.loads((place / "told.json").read_text(encoding="utf-8"))["spacing_mm"])

    def problem(prefix: str) -> Callable[[], Any]:
        files = sorted(place.glob(f"{prefix}{name}-[0-9].npy"))
        return WAYS[way]([np.load(file) for file in files], spacing)

    serve(problem(""), problem("small-"), int(passes), told_of)


def limit(raters: Raters, _: Spacing) -> Callable[[], Any]:
    """What no way can do without: every byte of every mask read, eight at a time, and combined with the next."""
    words = [each.reshape(-1)[: each.size // 8 * 8].view(np.uint64) for each in raters]
    return lambda: [float(np.bitwise_or.reduce(each) & np.uint64(1)) for each in words][:0]


def dice(raters: Raters, _: Spacing) -> Callable[[], Any]:
    """Dice of two masks."""
    return lambda: [overlap(*raters).dice]


def labels(raters: Raters, _: Spacing) -> Callable[[], Any]:
    """Dice of every label."""
    return lambda: [found.dice for found in overlaps_of_labels(*raters).values()]


def hd95(raters: Raters, spacing: Spacing) -> Callable[[], Any]:
    """HD95 of two masks."""
    return lambda: [surface_distances(raters[0], raters[1], spacing).hausdorff_mm()]


def staple(raters: Raters, _: Spacing) -> Callable[[], Any]:
    """STAPLE of three masks: how many voxels are inside."""
    masks = {str(n): mask for n, mask in enumerate(raters)}
    return lambda: [float(np.count_nonzero(estimate(masks, tie_is_foreground=False).mask))]


WAYS: dict[str, Callable[[Raters, Spacing], Callable[[], Any]]] = {
    "limit": limit,
    "dice": dice,
    "labels": labels,
    "hd95": hd95,
    "staple": staple,
}

if __name__ == "__main__":
    main()
