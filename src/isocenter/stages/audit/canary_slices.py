"""Slices for the canary: a few planes of an image, each small enough to be compared with thousands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIDE = 24


def slices_of(values: NDArray[Any], count: int) -> tuple[NDArray[np.float32], ...]:
    """Planes of the middle of an image (K, J, I), one after another: flat vectors of unit length and mean 0.

    What has no contrast is left out.

    Args:
        values: The image.
        count: How many planes at most.
    """
    k = values.shape[0]
    if count < 1 or not values.size:
        return ()
    first = max(0, (k - count) // 2)
    chosen = range(first, min(k, first + count))
    found = (_vector(np.asarray(values[n], np.float32)) for n in chosen)
    return tuple(v for v in found if v is not None)


def _vector(plane: NDArray[np.float32]) -> NDArray[np.float32] | None:
    plane = np.nan_to_num(plane, posinf=0.0, neginf=0.0)
    low, high = np.percentile(plane, [1, 99])
    small = _means(_means(np.clip(plane, low, high)).T)
    flat = small.ravel() - small.mean()
    length = float(np.linalg.norm(flat))
    return (flat / length).astype(np.float32) if length > 0 else None


def _means(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of a few bands of rows that are as wide as each other; of fewer rows than bands some are repeated."""
    edges = (np.arange(_SIDE + 1) * plane.shape[0]) // _SIDE
    sums = np.add.reduceat(plane, edges[:-1], axis=0)
    return np.asarray(sums / np.maximum(np.diff(edges), 1)[:, None], dtype=np.float32)
