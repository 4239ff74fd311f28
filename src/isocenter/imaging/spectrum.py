"""Spectrum: how strong the waves of an image are, which neither a shift nor a mirror changes.

The magnitude of a Fourier transform does not depend on where things lie; with the directions of one octant taken
for all eight it does not depend on mirroring either. Sampled along a logarithmic radius, a change of scale is a
shift (Casasent and Psaltis, Appl. Opt. 15, 1976; Reddy and Chatterji, IEEE Trans. Image Process. 5, 1996).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

# Radii of waves: this many to an octave, this many in all; a wave eight times as long comes upon the same place.
_TO_OCTAVE, _RADII = 3, 9
# The longest wave that is used, in waves to the field of view, and the shortest, in pixels of the picture.
_FEWEST, _SHORTEST = 1.4, 2.1
_MOST = 9.0
_DIRECTIONS = 40
# Waves to the whole field of view along each axis, where its millimetres are not to be trusted.
_WHOLE_3D, _WHOLE_2D = (1.4, 6.0), (1.4, 8.0)


def spectrum(picture: NDArray[np.uint8], extent_mm: tuple[float, float, float]) -> NDArray[np.float32]:
    """Two vectors in one, of unit length together: by waves to the millimetre, and by waves to the field of view.

    Args:
        picture: (K, J, I), or (1, J, I) of a plane.
        extent_mm: Field of view along (k, j, i).
    """
    is_flat = picture.shape[0] == 1
    field = np.ascontiguousarray(_windowed(picture))
    steps = np.array(extent_mm) / np.array(picture.shape)
    waves, ring = _by_millimetre(is_flat, np.array(extent_mm), steps)
    parts = [np.zeros(_RADII * _DIRECTIONS), np.zeros(_WIDTH)]
    if field.any():
        if len(waves):
            found = strengths(field, waves * steps)
            parts[0][ring] = _even(found, np.repeat(np.arange(len(waves) // _DIRECTIONS), _DIRECTIONS))
        whole, shells = _whole(is_flat)
        parts[1][: len(whole)] = _even(strengths(field, whole / np.array(picture.shape)), shells)
    lengths = [float(np.linalg.norm(p)) for p in parts]
    whole_length = np.sqrt(2.0)
    joined = [p / (n * whole_length) if n else p for p, n in zip(parts, lengths, strict=True)]
    out = np.concatenate(joined)
    total = float(np.linalg.norm(out))
    return np.asarray(out / total if total else out, np.float32)


def _windowed(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The picture less its mean, fading out towards its borders, where a crop would cut waves off."""
    window = np.ones((1, 1, 1))
    for axis, count in enumerate(picture.shape):
        if count > 1:
            fade = np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 2
            window = window * fade.reshape([-1 if a == axis else 1 for a in range(3)])
    return (picture - np.sum(picture * window) / np.sum(window)) * window


def _octant() -> NDArray[np.float64]:
    """Directions (N, 3) spread evenly over an octant, along a spiral (Vogel 1979)."""
    turn = np.arange(8 * _DIRECTIONS) + 0.5
    height = 1 - turn / (4 * _DIRECTIONS)
    angle = np.pi * (1 + 5**0.5) * turn
    across = np.sqrt(1 - height * height)
    sphere = np.stack([height, across * np.cos(angle), across * np.sin(angle)], axis=1)
    return sphere[(sphere >= 0).all(axis=1)][:_DIRECTIONS]


def _quadrant() -> NDArray[np.float64]:
    angle = (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS * np.pi / 2
    return np.stack([np.zeros(_DIRECTIONS), np.cos(angle), np.sin(angle)], axis=1)


def _by_millimetre(
    is_flat: bool, extent_mm: NDArray[np.float64], steps: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Waves to the millimetre (N, 3), and their places in the vector."""
    axes = slice(1, 3) if is_flat else slice(0, 3)
    side = float(np.exp(np.mean(np.log(extent_mm[axes]))))
    highest = min(_MOST / side, 1 / (_SHORTEST * float(steps[axes].max())))
    first = int(np.ceil(_TO_OCTAVE * np.log2(_FEWEST / side)))
    last = min(first + _RADII, int(np.floor(_TO_OCTAVE * np.log2(highest))) + 1)
    octaves = np.arange(first, max(first, last))
    directions = _FLAT if is_flat else _SOLID
    waves = (2.0 ** (octaves / _TO_OCTAVE))[:, None, None] * directions
    places = (octaves % _RADII)[:, None] * _DIRECTIONS + np.arange(_DIRECTIONS)
    return waves.reshape(-1, 3), places.reshape(-1)


def _whole(is_flat: bool) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Waves to the field of view (N, 3): all whole numbers of them in a shell; and the shell of unit width."""
    low, high = _WHOLE_2D if is_flat else _WHOLE_3D
    side = np.arange(int(high) + 1)
    waves = np.stack(np.meshgrid(side[:1] if is_flat else side, side, side, indexing="ij"), axis=-1)
    waves = waves.reshape(-1, 3).astype(np.float64)
    length = np.linalg.norm(waves, axis=1)
    is_in = (length >= low) & (length <= high)
    return waves[is_in], length[is_in].astype(np.int64)


def _even(strength: NDArray[np.float64], shells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Strengths as shares above or below the mean of their shell, so that long waves do not outweigh all others."""
    counts = np.bincount(shells)
    means = np.bincount(shells, strength) / np.maximum(counts, 1)
    return strength / np.maximum(means[shells], 1e-12) - 1


def strengths(field: NDArray[np.float64], waves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Magnitude of the Fourier transform at some waves to the pixel (N, 3), averaged over mirrored ones."""
    tables = [
        np.exp(-2j * np.pi * np.outer(np.arange(count) - (count - 1) / 2, waves[:, axis]))
        for axis, count in enumerate(field.shape)
    ]
    return np.asarray(_transform(field, *tables))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _transform(
    field: NDArray[np.float64],
    along_k: NDArray[np.complex128],
    along_j: NDArray[np.complex128],
    along_i: NDArray[np.complex128],
) -> NDArray[np.float64]:
    depth, height, width = field.shape
    count = along_k.shape[1]
    totals = np.zeros((4, count), np.complex128)
    for k in range(depth):
        planes = np.zeros((2, count), np.complex128)
        for j in range(height):
            line = np.zeros(count, np.complex128)
            for i in range(width):
                value = field[k, j, i]
                for n in range(count):
                    line[n] += value * along_i[i, n]
            for n in range(count):
                planes[0, n] += line[n] * along_j[j, n]
                planes[1, n] += line[n] * along_j[j, n].conjugate()
        for n in range(count):
            totals[0, n] += planes[0, n] * along_k[k, n]
            totals[1, n] += planes[1, n] * along_k[k, n]
            totals[2, n] += planes[0, n] * along_k[k, n].conjugate()
            totals[3, n] += planes[1, n] * along_k[k, n].conjugate()
    out = np.zeros(count)
    for n in range(count):
        for way in range(4):
            out[n] += np.abs(totals[way, n])
    return out


_SOLID, _FLAT = _octant(), _quadrant()
_WIDTH = max(len(_whole(is_flat)[0]) for is_flat in (True, False))
PARTS = (_RADII * _DIRECTIONS, _WIDTH)
"""How many numbers of the vector are by the millimetre, and how many by the field of view."""
SHIFT = _DIRECTIONS
"""By how many places the first of them move where an image is 2^(1/3) times as large."""
