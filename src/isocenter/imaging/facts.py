"""Facts: lowest and highest values and what lies beyond a CT's range, counted slice by slice in one pass."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.model.volume import Volume, VolumeFacts

# Ends of the range of HU (PS3.3 C.8.2.1 knows 12 bits): values below, and values at or above, are counted.
FLOOR, CEILING = -1024, 3071


def facts_of(volume: Volume) -> VolumeFacts:
    """What reading saw of a volume's values, or what is seen now where the reader did not look."""
    return volume.facts or facts_of_array(volume.array, volume.valid)


def facts_of_array(array: NDArray[Any], valid: NDArray[np.bool_] | None = None) -> VolumeFacts:
    """Facts of an array (K, J, I), slice by slice, in one pass.

    Args:
        array: The values.
        valid: False where a voxel is padding; None where all are real.
    """
    ends, counts = np.empty((len(array), 2)), np.zeros((len(array), 4), np.int64)
    nobody = np.empty(0, np.bool_)
    for k, plane in enumerate(np.ascontiguousarray(array)):
        flags = nobody if valid is None else np.ascontiguousarray(valid[k]).reshape(-1)
        ends[k], counts[k] = _look(plane.reshape(-1), flags)
    return VolumeFacts(
        minimum=ends[:, 0].copy(),
        maximum=ends[:, 1].copy(),
        n_valid=counts[:, 0].copy(),
        n_below=counts[:, 1].copy(),
        n_above=counts[:, 2].copy(),
        n_not_finite=counts[:, 3].copy(),
    )


def _look(values: NDArray[Any], flags: NDArray[np.bool_]) -> tuple[tuple[float, float], tuple[int, ...]]:
    low, high, n_valid, n_below, n_above, n_not_finite = _count(values, flags)
    return (low, high), (n_valid, n_below, n_above, n_not_finite)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count(values: Any, flags: Any) -> Any:
    low, high = np.inf, -np.inf
    n_valid = n_below = n_above = n_not_finite = 0
    for n in range(values.size):
        value = values[n]
        if flags.size and not flags[n]:
            continue
        n_valid += 1
        if not np.isfinite(value):
            n_not_finite += 1
            continue
        low, high = min(low, value), max(high, value)
        n_below += int(value < FLOOR)
        n_above += int(value >= CEILING)
    if low > high:
        low = high = np.nan
    return low, high, n_valid, n_below, n_above, n_not_finite
