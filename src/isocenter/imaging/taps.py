"""Taps: for one axis, which source voxels make each target voxel, and with what weights.

Positions are in source voxels; 0 is the centre of the first. The image reaches from -0.5 to n - 0.5.

Every kernel is a table of taps, and what keeps a coarser grid free of aliases is part of the table, so that
it costs no pass of its own. `factor` is the size of a target voxel in source voxels; up to 1 nothing is
smoothed. Above it,

* linear and cubic follow a Gaussian of `sigma_voxels(factor)`: a wave of f cycles per source voxel keeps
  exp(-2 (pi sigma f)^2) of its height (and, as the Gaussian is summed at whole voxels, what the same gives
  for 1 - f), before what the kernel itself takes;
* Lanczos is stretched by the factor: waves below 2/3 of the new Nyquist frequency, 1 / (2 factor), keep
  their height within 7 %, of those above 4/3 of it less than 7 % are left;
* area is the mean over the target voxel, whose response is sinc(factor f).
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
LANCZOS_LOBES = 3

KERNELS = ("nearest", "linear", "cubic", "lanczos", "area")
# Those whose weights change sign: at an edge values may come out beyond those that went in.
OVERSHOOTING = ("cubic", "lanczos")

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """The first source voxel of each target voxel (N,) and the weights (T, N) of it and its followers."""

    start: NDArray[np.int64]
    weights: NDArray[np.float32]
    is_inside: NDArray[np.bool_]


def make(kernel: str, positions: Floats, count: int, factor: float = 1.0) -> Taps:
    """The taps of a kernel of `KERNELS` for target voxels `factor` source voxels wide."""
    if kernel == "nearest":
        return nearest(positions, count)
    return {"linear": linear, "cubic": cubic, "lanczos": lanczos, "area": area}[kernel](
        positions, count, factor
    )


def smoothing(kernel: str, count: int, factor: float) -> Taps:
    """What a kernel does against aliases, at the source's own voxels; a cubic follows as if it were alone.

    For grids that lie obliquely, whose kernel cannot be folded into a table.
    """
    positions = np.arange(count, dtype=np.float64)
    if kernel != "cubic":
        return make(kernel, positions, count, factor)
    first, weights = _blur(positions.astype(np.int64), np.ones((1, count)), factor)
    return _fold(first, weights, _mirror, count, np.ones(count, dtype=np.bool_))


def sigma_voxels(factor: float) -> float:
    """Sigma of the Gaussian that turns voxels into ones `factor` times as large; 0 where they shrink.

    A voxel is taken as a Gaussian whose full width at half maximum is its size; variances add up
    (Cardoso et al., "Scale factor point spread function matching", MICCAI 2015).
    """
    return math.sqrt(factor * factor - 1.0) / FWHM_PER_SIGMA if is_coarser(factor) else 0.0


def is_coarser(factor: float) -> bool:
    """Whether a target voxel is larger than a source voxel by more than rounding."""
    return factor > 1.0 + 1e-6


def nearest(positions: Floats, count: int) -> Taps:
    """The source voxel whose centre is nearest; halfway between two, the one of higher index."""
    places, is_inside = _within(positions, count)
    start = np.clip(np.floor(places + 0.5), 0, count - 1).astype(np.int64)
    return Taps(start, np.ones((1, len(start)), dtype=np.float32), is_inside)


def linear(positions: Floats, count: int, factor: float = 1.0) -> Taps:
    """Linear between two centres; the border voxel goes on outwards."""
    places, is_inside = _within(positions, count)
    places = np.clip(places, 0, count - 1)
    low = np.floor(places).astype(np.int64)
    first, weights = _blur(low, np.stack((1.0 - (places - low), places - low)), factor)
    return _fold(first, weights, np.clip, count, is_inside)


def cubic(positions: Floats, count: int, factor: float = 1.0) -> Taps:
    """Cubic B-spline over prefiltered coefficients, mirrored at the centres of the border voxels."""
    places, is_inside = _within(positions, count)
    low = np.floor(places).astype(np.int64) - 1
    away = np.abs(low + np.arange(4)[:, None] - places)
    near, far = 2 / 3 - away**2 + away**3 / 2, (2 - away) ** 3 / 6
    weights = np.where(away < 1, near, np.where(away < 2, far, 0.0))
    return _fold(*_blur(low, weights, factor), _mirror, count, is_inside)


def lanczos(positions: Floats, count: int, factor: float = 1.0) -> Taps:
    """Sinc under the main lobe of one three times as wide, weights adding up to 1 (Duchon 1979).

    The border voxel goes on outwards. It may overshoot at edges.
    """
    places, is_inside = _within(positions, count)
    places = np.clip(places, 0, count - 1)
    stretch = factor if is_coarser(factor) else 1.0
    reach = LANCZOS_LOBES * stretch
    first = np.floor(places - reach).astype(np.int64) + 1
    away = (first + np.arange(math.floor(2 * reach) + 1)[:, None] - places) / stretch
    weights = np.where(np.abs(away) < LANCZOS_LOBES, np.sinc(away) * np.sinc(away / LANCZOS_LOBES), 0.0)
    weights[np.abs(weights) < EDGE_VOXELS * 1e-6] = 0.0  # sines of whole turns
    return _fold(first, weights / weights.sum(axis=0), np.clip, count, is_inside)


def area(positions: Floats, count: int, factor: float = 1.0) -> Taps:
    """Mean over that part of a target voxel that lies in the image; linear where voxels shrink."""
    if not is_coarser(factor):
        return linear(positions, count)
    places, is_inside = _within(positions, count)
    low = np.clip(places - factor / 2, -0.5, count - 0.5)
    high = np.clip(places + factor / 2, -0.5, count - 0.5)
    first = np.floor(low + 0.5).astype(np.int64)
    cells = first + np.arange(math.ceil(factor) + 1)[:, None]
    shared = np.minimum(high, cells + 0.5) - np.maximum(low, cells - 0.5)
    shared = np.where(shared > 10.0**-SNAP_DECIMALS, shared, 0.0)
    return _fold(first, shared / shared.sum(axis=0), np.clip, count, is_inside)


def _within(positions: Floats, count: int) -> tuple[Floats, NDArray[np.bool_]]:
    places = np.round(positions, SNAP_DECIMALS)
    is_inside = (places >= -0.5 - EDGE_VOXELS) & (places <= count - 0.5 + EDGE_VOXELS)
    return np.clip(places, -0.5, count - 0.5), is_inside


def _blur(first: Indices, weights: Floats, factor: float) -> tuple[Indices, Floats]:
    """Taps (T, N) after a Gaussian, as wider taps."""
    sigma = sigma_voxels(factor)
    if sigma == 0.0:
        return first, weights
    reach = math.ceil(REACH_SIGMAS * sigma)
    gauss = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    gauss /= gauss.sum()
    wide = np.zeros((len(weights) + 2 * reach, weights.shape[1]))
    for tap, row in enumerate(weights):
        wide[tap : tap + 2 * reach + 1] += gauss[:, None] * row
    return first - reach, wide


def _mirror(index: Indices, low: int, high: int) -> Indices:
    """Indices reflected at the first and last voxel: 2 1 | 0 1 2 ... (scipy.ndimage's "mirror")."""
    period = max(1, 2 * (high - low))
    folded = np.mod(index, period)
    return np.where(folded > high, period - folded, folded)


def _fold(
    first: Indices,
    weights: Floats,
    border: Callable[..., Indices],
    count: int,
    is_inside: NDArray[np.bool_],
) -> Taps:
    """Bring taps beyond the border back inside, adding up the weights of those that coincide."""
    width = min(len(weights), count)
    start = np.clip(first, 0, count - width)
    folded = np.zeros((width, len(start)))
    columns = np.arange(len(start))
    for tap, weight in enumerate(weights):
        folded[np.asarray(border(first + tap, 0, count - 1)) - start, columns] += weight
    return _trim(start, folded.astype(np.float32), count, is_inside)


def _trim(start: Indices, weights: NDArray[np.float32], count: int, is_inside: NDArray[np.bool_]) -> Taps:
    """Leave out taps that nobody uses: along an axis that keeps its voxels one tap is left."""
    is_used = weights != 0
    lead = np.argmax(is_used, axis=0)
    width = int((len(weights) - np.argmax(is_used[::-1], axis=0) - lead).max(initial=1))
    begin = np.minimum(start + lead, count - width)
    rows = begin - start + np.arange(width)[:, None]
    padded = np.concatenate((weights, np.zeros((width, weights.shape[1]), dtype=np.float32)))
    return Taps(begin, np.ascontiguousarray(np.take_along_axis(padded, rows, axis=0)), is_inside)
