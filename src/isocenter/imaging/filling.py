"""Filling: the voxels of a target grid out of an array, by the way that suits how the two grids lie.

Parallel axes are resampled one after another in one pass from source to target; `interpolate` and, for the
cubic B-spline, `prefilter` state what is read and written. Where only the slices slide over each other
(gantry tilt) each target plane is filled that way from its own places. Anything else is computed voxel by
voxel (`oblique`), smoothed beforehand along the source's axes where voxels grow, which writes one float32 a
source voxel for it, and so do the coefficients of a cubic.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging import interpolate, oblique, prefilter, taps
from isocenter.imaging.placement import Placement
from isocenter.imaging.slabs import spread
from isocenter.imaging.taps import Taps

Writing = tuple[float, float, int]
Inside = NDArray[np.bool_] | None


def fill(
    array: NDArray[Any],
    placement: Placement,
    kernel: str,
    out: NDArray[Any],
    *,
    antialias: bool = True,
    least: float | None = None,
    threads: int = 1,
) -> Inside:
    """Fill a target and tell where the source reaches, None if everywhere.

    Args:
        array: (K, J, I), turned to the target's order of axes, C-contiguous.
        placement: Where the target's voxels lie.
        kernel: One of `isocenter.imaging.taps.KERNELS`.
        out: (K, J, I) of the target; integers are rounded half to even and kept in range.
        antialias: Smooth before voxels grow.
        least: Instead of values, write whether they are at least this.
        threads: How many share the work; the bytes are the same for any number.
    """
    factors = placement.factors() if antialias or kernel == "area" else (1.0, 1.0, 1.0)
    writing = _writing(out, least)
    if placement.is_parallel:
        axes = [taps.make(kernel, placement.positions(a), array.shape[a], factors[a]) for a in range(3)]
        _combine(array, axes, kernel, writing, out, threads)
        return _reach(axes)
    if placement.is_sheared:
        return _fill_sheared(array, placement, kernel, factors, writing, out, threads)
    return _fill_freely(array, placement, kernel, factors, writing, out, threads)


def coefficients(array: NDArray[Any], threads: int = 1) -> NDArray[np.float32]:
    """Coefficients (K, J, I) of the cubic B-spline through an array, mirrored at its border voxels."""
    out = np.empty(array.shape, dtype=np.float32)
    spread(lambda begin, end: prefilter.filter_planes(array, begin, end, out), len(array), threads)
    planes = out.reshape(len(out), -1)
    _over_columns(partial(prefilter.filter_columns, planes), planes.shape, threads)
    return out


def _combine(
    array: NDArray[Any], axes: Sequence[Taps], kernel: str, writing: Writing, out: NDArray[Any], threads: int
) -> None:
    """Weighted sums along three axes; of a cubic the array holds voxels, not coefficients."""
    k, j, i = axes
    if kernel == "nearest":
        pick = partial(interpolate.pick_separable, array, k.start, j.start, i.start.view(np.uint64))
        spread(lambda begin, end: pick(begin, end, out), len(out), threads)
        return
    within = _within(j, i)
    if kernel != "cubic":
        _sum(array, k, within, writing, out, threads)
        return
    middle = np.empty((len(array), *out.shape[1:]), dtype=np.float32)
    spread(lambda b, e: prefilter.resample_planes(array, *within, b, e, middle), len(array), threads)
    planes, flat = middle.reshape(len(middle), -1), out.reshape(len(out), -1)
    down = partial(prefilter.resample_columns, planes, k.start, k.weights, *writing)
    _over_columns(lambda begin, end: down(begin, end, flat), planes.shape, threads)


def _sum(
    array: NDArray[Any],
    k: Taps,
    within: tuple[NDArray[Any], ...],
    writing: Writing,
    out: NDArray[Any],
    threads: int,
) -> None:
    add = partial(interpolate.interpolate_separable, array, k.start, k.weights, *within, *writing)
    spread(lambda begin, end: add(begin, end, out), len(out), threads)


def _over_columns(work: Any, shape: tuple[int, ...], threads: int) -> None:
    """Spread columns (K, N) in the blocks that stay in the cache."""
    width = prefilter.columns_at_once(shape[0])
    blocks = -(-shape[1] // width)
    spread(lambda begin, end: work(begin * width, min(end * width, shape[1])), blocks, threads)


def _fill_sheared(
    array: NDArray[Any],
    placement: Placement,
    kernel: str,
    factors: Sequence[float],
    writing: Writing,
    out: NDArray[Any],
    threads: int,
) -> Inside:
    """Fill plane by plane where slices slide."""
    source = coefficients(array, threads) if kernel == "cubic" else array
    down = taps.make(kernel, placement.positions(0), array.shape[0], factors[0])
    inside = np.empty(out.shape, dtype=np.bool_)

    def along(axis: int, n: int) -> Taps:
        return taps.make(kernel, placement.positions(axis, n), array.shape[axis], factors[axis])

    first, last = ((along(1, n), along(2, n)) for n in (0, len(out) - 1))
    is_steady = [
        np.array_equal(a.start, b.start) and np.array_equal(a.weights, b.weights)
        for a, b in zip(first, last, strict=True)
    ]

    def fill_planes(begin: int, end: int) -> None:
        for n in range(begin, end):
            k = Taps(down.start[n : n + 1], down.weights[:, n : n + 1].copy(), down.is_inside[n : n + 1])
            j, i = (first[a] if is_steady[a] else along(a + 1, n) for a in (0, 1))
            plane = out[n : n + 1]
            if kernel == "nearest":
                _combine(array, (k, j, i), kernel, writing, plane, 1)
            else:
                _sum(source, k, _within(j, i), writing, plane, 1)
            inside[n] = k.is_inside[0] & j.is_inside[:, None] & i.is_inside

    spread(fill_planes, len(out), threads)
    return inside


def _fill_freely(
    array: NDArray[Any],
    placement: Placement,
    kernel: str,
    factors: Sequence[float],
    writing: Writing,
    out: NDArray[Any],
    threads: int,
) -> Inside:
    """Fill a target that lies in any direction."""
    inside = np.empty(out.shape, dtype=np.bool_)
    matrix = np.ascontiguousarray(placement.matrix)
    if kernel == "nearest":
        spread(lambda b, e: oblique.pick_affine(array, matrix, b, e, out, inside), len(out), threads)
        return inside
    if any(taps.is_coarser(factor) for factor in factors):
        array = _smooth(array, kernel, factors, threads)
    if kernel in {"linear", "area"}:
        work = partial(oblique.interpolate_affine, array, matrix, *writing)
    else:
        source = coefficients(array, threads) if kernel == "cubic" else array
        work = partial(oblique.convolve_affine, source, matrix, 4 if kernel == "cubic" else 6, *writing)
    spread(lambda begin, end: work(begin, end, out, inside), len(out), threads)
    return inside


def _smooth(array: NDArray[Any], kernel: str, factors: Sequence[float], threads: int) -> NDArray[np.float32]:
    out = np.empty(array.shape, dtype=np.float32)
    k, j, i = (taps.smoothing(kernel, n, factor) for n, factor in zip(array.shape, factors, strict=True))
    _sum(array, k, _within(j, i), _writing(out, None), out, threads)
    return out


def _within(j: Taps, i: Taps) -> tuple[NDArray[Any], ...]:
    return j.start, j.weights, i.start.view(np.uint64), i.weights


def _writing(out: NDArray[Any], least: float | None) -> Writing:
    """The range of the target's values and how they are written."""
    if least is not None:
        return least, np.inf, interpolate.AS_SHARE
    if out.dtype.kind not in "iu":
        return -np.inf, np.inf, interpolate.AS_FLOAT
    info = np.iinfo(out.dtype)
    high = np.float32(info.max)
    # float32 cannot hold the greatest integers of 32 bits; the next one down can be cast back.
    most = high if int(high) <= info.max else np.nextafter(high, np.float32(0))
    return float(info.min), float(most), interpolate.AS_INTEGER


def _reach(axes: Sequence[Taps]) -> Inside:
    """Where all axes (k, j, i) reach, None if everywhere."""
    k, j, i = (axis.is_inside for axis in axes)
    if k.all() and j.all() and i.all():
        return None
    return np.asarray(k[:, None, None] & j[:, None] & i, dtype=np.bool_)
