"""Warping: one pass over all arrays of a patch, in which every byte is fetched once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.augment import normals, rows

_ROWS = 4  # are done together, as every call costs as much as some voxels
_TILE = 16  # rows that are done slice by slice: what they come from fits into the nearest memory of a core


class Arrays(NamedTuple):
    """The arrays of a patch, each flat, plane by plane (channel, label), and empty where there is none."""

    image: NDArray[np.float32]
    soft: NDArray[np.float32]
    valid: NDArray[np.uint8]
    mask: NDArray[Any]
    known: NDArray[np.uint8]
    instances: NDArray[Any]


class Changes(NamedTuple):
    """What is done to values.

    Args:
        linear: float32 (C + L, 3): factor, shift and background of each channel, then of each plane of shares.
        noise: float32 (C, 2): sigma of each channel, and its value of no signal.
        is_magnitude: bool (C,): whether noise is Rician.
        key: uint64 (1,).
    """

    linear: NDArray[np.float32]
    noise: NDArray[np.float32]
    is_magnitude: NDArray[np.bool_]
    key: NDArray[np.uint64]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def warp(source: Any, placement: Any, changes: Any, shape: Any, out: Any) -> Any:
    """Fill all arrays of `out`, of a shape (K, J, I); a source with nothing in `valid` is valid everywhere."""
    slices, many, columns = shape
    room = _ROWS * columns
    corner, nearest = np.empty(room, np.int32), np.empty(room, np.int32)
    u, v, w = np.empty(room, np.float32), np.empty(room, np.float32), np.empty(room, np.float32)
    words, real, imaginary = _noise_room(columns)
    image, valid, total = out.image, out.valid, 0.0
    linear, noise, is_magnitude, key = changes
    has_noise = noise[:, 0].any()
    sheet = np.empty((3, placement.field.shape[2], placement.field.shape[3]), np.float32)
    moved = np.zeros((3, columns), np.float32)
    for first in range(0, many, _TILE):
        last, seen = min(first + _TILE, many), np.int64(-1)
        for k in range(slices):
            touched, seen = _look_ahead(source, placement, k, first, last, columns, seen)
            total += touched
            _between_slices(placement, k, sheet)
            for j in range(first, last, _ROWS):
                n, at = (min(j + _ROWS, last) - j) * columns, (k * many + j) * columns
                _locate(k, j, n, placement, sheet, moved, corner, nearest, u, v, w)
                _fill(source, placement, linear, len(noise), n, corner, nearest, u, v, w, out, at)
                if has_noise:
                    where = (at, n, columns)
                    _add_noise(image, valid, noise, is_magnitude, key[0], where, words, real, imaginary)
    return total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _fill(
    source: Any,
    placement: Any,
    linear: Any,
    channels: Any,
    n: Any,
    corner: Any,
    nearest: Any,
    u: Any,
    v: Any,
    w: Any,
    out: Any,
    at: Any,
) -> None:
    """Fill some rows of all arrays: `n` voxels from `at` on in each plane."""
    # Every array is named once: to take one out of a tuple counts who holds it, which costs as much as some voxels.
    image, soft, valid, mask, known, instances = source
    image_out, soft_out, valid_out, mask_out, known_out, instances_out = out
    counts, size = placement.counts, valid_out.size
    before = counts[0] * counts[1] * counts[2]
    _blend(image, placement, n, corner, nearest, u, v, w, linear, 0, image_out, at, size)
    if soft.size:
        _blend(soft, placement, n, corner, nearest, u, v, w, linear, channels, soft_out, at, size)
    if valid.size:
        rows.pick(valid, 0, n, nearest, valid_out, at)
    else:
        rows.mark(n, nearest, valid_out, at)
    _pick(mask, before, n, nearest, mask_out, size, at)
    _pick(known, before, n, nearest, known_out, size, at)
    _pick(instances, before, n, nearest, instances_out, size, at)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def change(image: Any, valid: Any, changes: Any, columns: Any) -> None:
    """Change the values of an image, and add noise to it, in place."""
    linear, noise, is_magnitude, key = changes
    words, real, imaginary = _noise_room(columns)
    has_noise = noise[:, 0].any()
    for first in range(0, valid.size, columns):
        for channel in range(len(noise)):
            factor, shift = linear[channel, 0], linear[channel, 1]
            at = channel * valid.size + first
            for n in range(at, at + columns):
                image[n] = image[n] * factor + shift
        if has_noise:
            where = (first, columns, columns)
            _add_noise(image, valid, noise, is_magnitude, key[0], where, words, real, imaginary)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _taps(counts: Any, steps: Any) -> Any:
    """Elements to the next voxel along x, y, z; 0 where there is no second one."""
    return (
        steps[0] if counts[0] > 1 else 0,
        steps[1] if counts[1] > 1 else 0,
        steps[2] if counts[2] > 1 else 0,
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _noise_room(columns: Any) -> Any:
    """Memory for the words and the normal numbers, real and imaginary, of one row."""
    count = (columns + 3) // 4
    return np.empty((4, count), np.uint32), np.empty(4 * count, np.float32), np.empty(4 * count, np.float32)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add_noise(
    image: Any,
    valid: Any,
    noise: Any,
    is_magnitude: Any,
    key: Any,
    where: Any,
    words: Any,
    real: Any,
    imaginary: Any,
) -> None:
    """Add noise to some rows of each channel, a function of the key, the channel and the place alone.

    `where` is the first voxel of a plane, how many, and how many in a row.
    """
    at, count, columns = where
    for channel in range(noise.shape[0]):
        sigma, no_signal = noise[channel, 0], noise[channel, 1]
        for first in range(at, at + count, columns):
            here = channel * valid.size + first
            normals.fill_normals(first // columns, 2 * channel, key, words, real)
            if is_magnitude[channel]:
                normals.fill_normals(first // columns, 2 * channel + 1, key, words, imaginary)
                rows.add_magnitude_noise(
                    image, here, valid, first, sigma, no_signal, real, imaginary, columns
                )
            else:
                rows.add_noise(image, here, valid, first, sigma, real, columns)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _blend(
    source: Any,
    placement: Any,
    count: Any,
    corner: Any,
    nearest: Any,
    u: Any,
    v: Any,
    w: Any,
    linear: Any,
    skipped: Any,
    out: Any,
    at: Any,
    size: Any,
) -> None:
    """Some rows of every plane: `at` in each of `size` elements; what changes them is in `linear`, some lines on."""
    counts, flat = placement.counts, placement.flat
    before, taps = counts[0] * counts[1] * counts[2], _taps(counts, placement.steps)
    x, y, z = taps
    for plane in range(source.size // before):
        n = skipped + plane
        change_, first, to = (linear[n, 0], linear[n, 1], linear[n, 2]), plane * before, plane * size + at
        if flat == 0:
            rows.blend_flat(source, first, count, corner, nearest, v, w, y, z, change_, out, to)
        elif flat == 1:
            rows.blend_flat(source, first, count, corner, nearest, u, w, x, z, change_, out, to)
        elif flat == 2:
            rows.blend_flat(source, first, count, corner, nearest, u, v, x, y, change_, out, to)
        else:
            rows.blend(source, first, count, corner, nearest, u, v, w, taps, change_, out, to)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _pick(source: Any, before: Any, count: Any, nearest: Any, out: Any, size: Any, at: Any) -> None:
    """Some rows of every plane, from planes of one size to those of another."""
    for plane in range(source.size // before):
        rows.pick(source, plane * before, count, nearest, out, plane * size + at)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _between_slices(placement: Any, k: Any, sheet: Any) -> None:
    """The field's control points put together along k."""
    if not sheet.shape[2]:
        return
    field, cell, weights = placement.field, placement.cells_k[k], placement.weights_k
    a, b, c, d = weights[k, 0], weights[k, 1], weights[k, 2], weights[k, 3]
    for axis in range(3):
        for j in range(sheet.shape[1]):
            for i in range(sheet.shape[2]):
                sheet[axis, j, i] = (
                    a * field[axis, cell, j, i]
                    + b * field[axis, cell + 1, j, i]
                    + c * field[axis, cell + 2, j, i]
                    + d * field[axis, cell + 3, j, i]
                )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _locate(
    k: Any,
    j: Any,
    count: Any,
    placement: Any,
    sheet: Any,
    moved: Any,
    corner: Any,
    nearest: Any,
    u: Any,
    v: Any,
    w: Any,
) -> None:
    """Find where the voxels of some rows come from."""
    columns = moved.shape[1]
    for n in range(count // columns):
        if sheet.shape[2]:
            cell, weights = placement.cells_j[j + n], placement.weights_j
            a, b, c, d = weights[j + n, 0], weights[j + n, 1], weights[j + n, 2], weights[j + n, 3]
            for axis in range(3):
                for i in range(columns):
                    moved[axis, i] = (
                        a * sheet[axis, cell, i]
                        + b * sheet[axis, cell + 1, i]
                        + c * sheet[axis, cell + 2, i]
                        + d * sheet[axis, cell + 3, i]
                    )
        rows.locate(k, j + n, n * columns, placement, moved, corner, nearest, u, v, w)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _look_ahead(source: Any, placement: Any, k: Any, first: Any, last: Any, columns: Any, seen: Any) -> Any:
    """Touch the slices of the source, the rows of them that are near, which a tile needs next.

    Returns:
        A sum, and the last slice that was touched for this tile.
    """
    low_y, high_y = _range(placement, 1, k, first, last, columns)
    low_z, high_z = _range(placement, 2, k, first, last, columns)
    counts, steps = placement.counts, placement.steps
    total, size = 0.0, counts[0] * counts[1] * counts[2]
    for z in range(max(low_z, seen + 1), high_z + 1):
        top = z if steps[2] > 0 else counts[2] - 1 - z
        left = low_y if steps[1] > 0 else counts[1] - 1 - high_y
        low = (top * counts[1] + left) * counts[0]
        high = low + (high_y - low_y + 1) * counts[0]
        total += rows.touch(source.image, low, high, size) + rows.touch(source.soft, low, high, size)
        total += rows.touch(source.valid, low, high, size) + rows.touch(source.mask, low, high, size)
        total += rows.touch(source.known, low, high, size) + rows.touch(source.instances, low, high, size)
    return total, max(seen, high_z)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _range(placement: Any, axis: Any, k: Any, first: Any, last: Any, columns: Any) -> Any:
    """The first and the last voxel of the source along an axis that rows of a slice come from."""
    by_i, by_j = placement.drift[axis, 0] * (columns - 1), placement.drift[axis, 1]
    base = placement.start[axis] + placement.drift[axis, 2] * k + (k if axis == 2 else 0)
    one, other = by_j * first, by_j * (last - 1)
    if axis == 1:
        one, other = one + first, other + last - 1
    low = base + min(0.0, by_i) + min(one, other) - placement.bound[axis]
    high = base + max(0.0, by_i) + max(one, other) + placement.bound[axis] + 1
    most = placement.counts[axis] - 1
    return min(max(int(low), 0), most), min(max(int(high), 0), most)
