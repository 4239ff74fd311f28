"""Copies: what becomes of an image on its way into another data set, for planting leaks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from isocenter.model.grid import Grid

Image = tuple[NDArray[Any], Grid]
Copying = Callable[[NDArray[Any], Grid], Image]

# Axes with fewer voxels than this are left as they are.
_FEW = 5


def rescaled(values: NDArray[Any], grid: Grid) -> Image:
    """Exported again with another slope, intercept and type."""
    return values.astype(np.float32) * np.float32(2) - np.float32(1024), grid


def resampled(values: NDArray[Any], grid: Grid, *, factors: tuple[float, float, float]) -> Image:
    """With voxels so many times as large along (k, j, i), linearly interpolated over the same field of view."""
    zoom = [1 / f if n >= _FEW else 1.0 for f, n in zip(factors, values.shape, strict=True)]
    array = ndimage.zoom(values.astype(np.float32), zoom, order=1, grid_mode=True, mode="nearest")
    sizes = [s * n / m for s, n, m in zip(grid.spacing_mm, values.shape, array.shape, strict=True)]
    return array, _with_spacing(grid, array.shape, sizes)


def without_spacing(values: NDArray[Any], grid: Grid, *, factors: tuple[float, float, float]) -> Image:
    """Resampled by a program that kept the old voxel sizes."""
    array, _ = resampled(values, grid, factors=factors)
    return array, _with_spacing(grid, array.shape, grid.spacing_mm)


def windowed(values: NDArray[Any], grid: Grid, *, percent: tuple[float, float]) -> Image:
    """As 8-bit grey in the window between two percentiles."""
    low, high = np.percentile(values, percent)
    grey = np.clip((values.astype(np.float32) - low) / max(float(high - low), 1e-6), 0, 1)
    return np.rint(255 * grey).astype(np.uint8), grid


def cropped(values: NDArray[Any], grid: Grid, *, low: tuple[float, ...], high: tuple[float, ...]) -> Image:
    """What lies between two shares of each axis (k, j, i)."""
    box = tuple(
        slice(round(n * a), round(n * b)) if n >= _FEW else slice(None)
        for n, a, b in zip(values.shape, low, high, strict=True)
    )
    affine = grid.affine.copy()
    start = np.array([b.start or 0 for b in box[::-1]], np.float64)
    affine[:3, 3] = grid.affine[:3, :3] @ start + grid.affine[:3, 3]
    array = np.ascontiguousarray(values[box])
    return array, Grid(array.shape, affine, grid.frame_of_reference, grid.is_oriented)


def rotated(values: NDArray[Any], grid: Grid, *, degrees: float, axes: tuple[int, int] = (1, 2)) -> Image:
    """Turned about the middle, with the lowest value where nothing was; the header knows nothing of it."""
    if min(values.shape[a] for a in axes) < _FEW:
        axes = (1, 2)
    angle, step = np.deg2rad(degrees), np.diag(grid.spacing_mm)
    turn = np.eye(3)
    a, b = axes
    turn[a, a] = turn[b, b] = np.cos(angle)
    turn[b, a] = np.sin(angle)
    turn[a, b] = -turn[b, a]
    matrix = np.linalg.inv(step) @ turn @ step
    middle = (np.array(values.shape) - 1) / 2
    array = ndimage.affine_transform(
        values.astype(np.float32),
        matrix,
        middle - matrix @ middle,
        order=1,
        mode="constant",
        cval=float(values.min()),
    )
    return array, grid


def noisy(values: NDArray[Any], grid: Grid, *, share: float, seed: int = 0) -> Image:
    """With noise whose standard deviation is a share of the range between the 1st and the 99th percentile."""
    low, high = np.percentile(values, [1, 99])
    noise = np.random.default_rng(seed).normal(0, share * float(high - low), values.shape)
    return (values + noise).astype(np.float32), grid


def lossy(values: NDArray[Any], grid: Grid, *, quality: int) -> Image:
    """As 8-bit JPEG slices."""
    array, _ = windowed(values, grid, percent=(0.1, 99.9))
    coded = [imagecodecs.jpeg8_encode(plane, level=quality) for plane in array]
    return np.stack([imagecodecs.jpeg8_decode(c) for c in coded]), grid


def mirrored(values: NDArray[Any], grid: Grid, *, axis: int) -> Image:
    """Mirrored along an axis, with the header of the original."""
    return np.ascontiguousarray(np.flip(values, axis)), grid


def _with_spacing(grid: Grid, shape: tuple[int, ...], spacing_mm: Any) -> Grid:
    affine = grid.affine.copy()
    for column, size in zip((2, 1, 0), spacing_mm, strict=True):
        affine[:3, column] *= size / np.linalg.norm(grid.affine[:3, column])
    k, j, i = shape
    return Grid((k, j, i), affine, grid.frame_of_reference, grid.is_oriented)


LISTED: dict[str, Copying] = {
    "other slope and type": rescaled,
    "resampled, larger pixels": partial(resampled, factors=(1.0, 1.7, 1.7)),
    "resampled, smaller voxels": partial(resampled, factors=(0.7, 0.8, 0.8)),
    "resampled, spacing lost": partial(without_spacing, factors=(1.0, 1.5, 1.5)),
    "window of 90 %": partial(windowed, percent=(5, 95)),
    "window of the darker 75 %": partial(windowed, percent=(0, 75)),
    "crop of 20 %, one end": partial(cropped, low=(0, 0, 0.2), high=(1, 1, 1)),
    "crop of 20 %, slices": partial(cropped, low=(0.2, 0, 0), high=(1, 1, 1)),
    "crop of 20 %, all axes": partial(cropped, low=(0.1, 0.1, 0.1), high=(0.9, 0.9, 0.9)),
    "rotated by 3 degrees": partial(rotated, degrees=3.0),
    "rotated by 8 degrees": partial(rotated, degrees=-8.0),
    "noise of 5 %": partial(noisy, share=0.05),
    "JPEG of quality 60": partial(lossy, quality=60),
    "mirrored along i": partial(mirrored, axis=2),
    "mirrored along j": partial(mirrored, axis=1),
    "mirrored along k": partial(mirrored, axis=0),
}
"""What a copy must be found after, by name."""
