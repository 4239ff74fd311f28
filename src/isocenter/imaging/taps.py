"""Taps: for one axis, which source voxels make each target voxel, and with what weights.

Positions are in source voxels; 0 is the centre of the first. The image reaches from -0.5 to n - 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Positions come out of a matrix product; what is nearer than this is the same place.
SNAP_DECIMALS = 9
EDGE_VOXELS = 1e-6
# A Gaussian of full width at half maximum h has sigma h / 2.3548...
FWHM_PER_SIGMA = 2.0 * math.sqrt(2.0 * math.log(2.0))
# Beyond 4 sigma a Gaussian holds less than 1e-4 of its weight.
REACH_SIGMAS = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """The first source voxel of each target voxel (N,) and the weights (T, N) of it and its followers."""

    start: NDArray[np.int64]
    weights: NDArray[np.float32]
    is_inside: NDArray[np.bool_]


def sigma_voxels(factor: float) -> float:
    """Sigma of the Gaussian that turns voxels into ones `factor` times as large; 0 where they shrink.

    A voxel is taken as a Gaussian whose full width at half maximum is its size; variances add up
    (Cardoso et al., "Scale factor point spread function matching", MICCAI 2015).
    """
    return math.sqrt(factor * factor - 1.0) / FWHM_PER_SIGMA if factor > 1.0 + 1e-6 else 0.0


def reach_voxels(sigma: float) -> int:
    """How many voxels to each side a Gaussian is summed over."""
    return math.ceil(REACH_SIGMAS * sigma)


def nearest(positions: NDArray[np.float64], count: int) -> Taps:
    """The source voxel whose centre is nearest; halfway between two, the one of higher index."""
    places, is_inside = _within(positions, count)
    start = np.clip(np.floor(places + 0.5), 0, count - 1).astype(np.int64)
    return Taps(start, np.ones((1, len(start)), dtype=np.float32), is_inside)


def linear(positions: NDArray[np.float64], count: int, sigma: float = 0.0) -> Taps:
    """Linear between two centres, after a Gaussian of `sigma` voxels; the border voxel goes on outwards."""
    places, is_inside = _within(positions, count)
    places = np.clip(places, 0, count - 1)
    low = np.floor(places).astype(np.int64)
    share = places - low
    two = np.stack((1.0 - share, share))
    if sigma == 0.0:
        return _fold(low, two, np.clip, count, is_inside)
    reach = reach_voxels(sigma)
    gauss = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    gauss /= gauss.sum()
    weights = np.zeros((2 * reach + 2, len(places)))
    weights[:-1] += gauss[:, None] * two[0]
    weights[1:] += gauss[:, None] * two[1]
    return _fold(low - reach, weights, np.clip, count, is_inside)


def cubic(positions: NDArray[np.float64], count: int) -> Taps:
    """Cubic B-spline over prefiltered coefficients, mirrored at the centres of the border voxels."""
    places, is_inside = _within(positions, count)
    low = np.floor(places).astype(np.int64) - 1
    away = np.abs(low + np.arange(4)[:, None] - places)
    near, far = 2 / 3 - away**2 + away**3 / 2, (2 - away) ** 3 / 6
    weights = np.where(away < 1, near, np.where(away < 2, far, 0.0))
    return _fold(low, weights, _mirror, count, is_inside)


def _within(positions: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    places = np.round(positions, SNAP_DECIMALS)
    is_inside = (places >= -0.5 - EDGE_VOXELS) & (places <= count - 0.5 + EDGE_VOXELS)
    return np.clip(places, -0.5, count - 0.5), is_inside


def _mirror(index: NDArray[np.int64], low: int, high: int) -> NDArray[np.int64]:
    """Indices reflected at the first and last voxel: 2 1 | 0 1 2 ... (scipy.ndimage's "mirror")."""
    period = max(1, 2 * (high - low))
    folded = np.mod(index, period)
    return np.where(folded > high, period - folded, folded)


def _fold(
    first: NDArray[np.int64],
    weights: NDArray[np.float64],
    border: Callable[..., NDArray[np.int64]],
    count: int,
    is_inside: NDArray[np.bool_],
) -> Taps:
    """Bring taps beyond the border back inside, adding up the weights of those that coincide."""
    width = min(len(weights), count)
    start = np.clip(first, 0, count - width)
    folded = np.zeros((width, len(start)))
    columns = np.arange(len(start))
    for tap, weight in enumerate(weights):
        place = np.asarray(border(first + tap, 0, count - 1))
        np.add.at(folded, (place - start, columns), weight)
    return Taps(start, folded.astype(np.float32), is_inside)
