"""Votes: the compiled kernels that resample label maps, where no value between two labels may arise.

Each of the eight source voxels around a position votes for its label with its trilinear weight; the label
of the largest share wins. Of equal shares a label wins over background, then the smaller label, so that a
single mask is inside where its share is at least one half (IBSI reference manual, interpolation of masks).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.interpolate import clamp, is_in_image, locate

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

TIE = np.float32(1e-6)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def vote_separable(
    source: NDArray[Any],
    k_taps: Indices,
    k_share: Floats,
    j_taps: Indices,
    j_share: Floats,
    i_taps: Indices,
    i_share: Floats,
    votes: Floats,
    out: NDArray[Any],
) -> None:
    """Vote where source and target axes are parallel; taps and shares are (2, N), votes all zero."""
    near = np.empty(8, source.dtype)
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            row00, row01 = source[k_taps[0, k], j_taps[0, j]], source[k_taps[0, k], j_taps[1, j]]
            row10, row11 = source[k_taps[1, k], j_taps[0, j]], source[k_taps[1, k], j_taps[1, j]]
            for i in range(out.shape[2]):
                a, b = i_taps[0, i], i_taps[1, i]
                label = row00[a]
                if (
                    label == row00[b]
                    and label == row01[a]
                    and label == row01[b]
                    and label == row10[a]
                    and label == row10[b]
                    and label == row11[a]
                    and label == row11[b]
                ):
                    out[k, j, i] = label
                    continue
                near[0], near[1], near[2], near[3] = row00[a], row00[b], row01[a], row01[b]
                near[4], near[5], near[6], near[7] = row10[a], row10[b], row11[a], row11[b]
                out[k, j, i] = _elect(near, k_share[1, k], j_share[1, j], i_share[1, i], votes)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def vote_affine(source: NDArray[Any], matrix: NDArray[np.float64], votes: Floats, out: NDArray[Any]) -> None:
    """Vote at matrix @ (i, j, k, 1) of every target voxel; background outside the source."""
    near = np.empty(8, source.dtype)
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                z, y, x = locate(matrix, k, j, i)
                if not is_in_image(source, z, y, x):
                    out[k, j, i] = 0
                    continue
                base_k, base_j, base_i = np.floor(z), np.floor(y), np.floor(x)
                for n in range(8):
                    near[n] = source[
                        clamp(base_k + (n >> 2), source.shape[0]),
                        clamp(base_j + (n >> 1 & 1), source.shape[1]),
                        clamp(base_i + (n & 1), source.shape[2]),
                    ]
                out[k, j, i] = _elect(
                    near, np.float32(z - base_k), np.float32(y - base_j), np.float32(x - base_i), votes
                )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _elect(near: NDArray[Any], c: np.float32, b: np.float32, a: np.float32, votes: Floats) -> int:
    """The winner among eight labels; c, b, a are the shares of the farther slice, row and column."""
    one = np.float32(1)
    for n in range(8):
        share_k = c if n & 4 else one - c
        share_j = b if n & 2 else one - b
        share_i = a if n & 1 else one - a
        votes[near[n]] += share_k * share_j * share_i
    best = near[0]
    for n in range(1, 8):
        label = near[n]
        lead = votes[label] - votes[best]
        is_preferred = label != 0 and (best == 0 or label < best)
        if lead > TIE or (lead >= -TIE and is_preferred):
            best = label
    for n in range(8):
        votes[near[n]] = 0
    return int(best)
