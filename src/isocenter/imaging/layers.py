"""Layers: many masks as few exclusive label maps, so that they come to another grid together.

Masks that meet must be weighed against each other: three of a third each leave a hole where each by itself is
inside only from one half on, and two of one half each would both be inside. Masks that overlap cannot be:
each layer is a vote of its own.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray


class Layers:
    """Label maps (K, J, I) into which masks are painted, each into the first where it covers no other.

    Args:
        shape: Of every mask.
        count: Values are 1 to `count`.
    """

    def __init__(self, shape: tuple[int, int, int], count: int) -> None:
        self.shape = shape
        self.count = count
        self.maps: list[NDArray[Any]] = []

    def add(self, mask: NDArray[np.bool_], value: int) -> None:
        """Paint one more mask; of one value there may be several, and they may overlap."""
        if mask.shape != self.shape:
            raise ValueError(f"the mask is {mask.shape}, the layers {self.shape}")
        rows = np.ascontiguousarray(mask, dtype=np.bool_).reshape(-1, self.shape[2])
        for layer in self.maps:
            if _fits(rows, value, layer.reshape(rows.shape)):
                _paint(rows, value, layer.reshape(rows.shape))
                return
        layer = np.zeros(self.shape, dtype=np.uint8 if self.count <= 255 else np.uint16)
        _paint(rows, value, layer.reshape(rows.shape))
        self.maps.append(layer)

    def masks(self, maps: list[NDArray[Any]]) -> NDArray[np.bool_]:
        """The masks (count, K, J, I) in label maps, one or more, of one shape; that of value v is at v - 1."""
        shape = maps[0].shape
        out = np.zeros((self.count, *shape), dtype=np.bool_)
        for layer in maps:
            _part(layer.reshape(-1, shape[2]), out.reshape(self.count, -1, shape[2]))
        return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fits(mask: NDArray[np.bool_], value: int, layer: NDArray[Any]) -> bool:
    """Whether a mask covers nothing but its own value."""
    for n in range(mask.shape[0]):
        row, painted = mask[n], layer[n]
        is_hit = False
        for i in range(row.size):
            is_hit |= row[i] & (painted[i] != 0) & (painted[i] != value)
        if is_hit:
            return False
    return True


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _paint(mask: NDArray[np.bool_], value: int, layer: NDArray[Any]) -> None:
    for n in range(mask.shape[0]):
        row, painted = mask[n], layer[n]
        is_marked = False
        for i in range(row.size):
            is_marked |= row[i]
        if is_marked:
            for i in range(row.size):
                if row[i]:
                    painted[i] = value


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _part(layer: NDArray[Any], out: NDArray[np.bool_]) -> None:
    for n in range(layer.shape[0]):
        row = layer[n]
        seen = row[0]
        for i in range(row.size):
            seen |= row[i]
        if seen:
            for i in range(row.size):
                if row[i]:
                    out[np.int64(row[i]) - 1, n, i] = True
