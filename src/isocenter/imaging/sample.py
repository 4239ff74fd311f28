"""Samples: whole rows spread evenly over a volume, enough to judge its values without reading all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.model.volume import Volume

# Rows are taken whole, as memory is read in lines: 512 rows of 512 voxels say what 26 million would.
MOST = 1 << 18
# Golden ratio: rows that are a fixed step apart would all lie at one height of every slice.
_GOLDEN = 0.6180339887498949


def values_of(volume: Volume, most: int = MOST) -> NDArray[Any]:
    """Valid values of rows spread evenly over a volume, all of a small one; padding is left out."""
    width = volume.array.shape[-1]
    rows = volume.array.reshape(-1, width)
    valid = None if volume.valid is None else volume.valid.reshape(-1, width)
    count = max(1, most // max(1, width))
    if count < len(rows):
        order = np.arange(count)
        chosen = ((order + (order * _GOLDEN) % 1.0) * (len(rows) / count)).astype(np.int64)
        rows = rows[chosen]
        valid = None if valid is None else valid[chosen]
    return rows.reshape(-1) if valid is None else rows[valid]


def levels_of(values: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The whole numbers that occur among values, ascending, and how often; what is no number is left out."""
    if values.dtype.kind == "f":
        values = np.rint(values[np.isfinite(values)])
    if values.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    low = int(values.min())
    if int(values.max()) - low >= 1 << 16:
        levels, found = np.unique(values, return_counts=True)
        return levels.astype(np.int64), found.astype(np.int64)
    counts = np.bincount(np.subtract(values, low, dtype=np.intp, casting="unsafe"))
    seen = np.flatnonzero(counts)
    return seen + low, counts[seen]
