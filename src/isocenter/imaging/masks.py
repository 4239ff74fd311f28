"""Masks: label maps out of masks, volumes of labels, and the small planes a report shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging import windows
from isocenter.imaging.affine import canonical
from isocenter.imaging.statistics import describe, histogram
from isocenter.model.grid import Grid
from isocenter.model.task import Window

PREVIEW_PIXELS = 160
_NAMES = ("axial", "coronal", "sagittal")
_UNORIENTED = ("stored", "across rows", "across columns")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Plane:
    """One small picture of a volume.

    Args:
        name: axial, coronal or sagittal as radiologists look at them (patient's right on the left,
            anterior or superior on top, sagittal facing left); "stored", "across rows" and "across columns"
            where orientation is unknown.
        pixels: uint8 (H, W), black to white.
        mask: uint8 (H, W) label values, those above 255 as 255; None without a mask.
        pixel_mm: Height and width of one pixel; near equal, so that the picture keeps its proportions.
        through: The voxel (k, j, i), in canonical order, that all planes of the volume go through.
        drawn: Further masks, each as `mask`.
    """

    name: str
    pixels: NDArray[np.uint8]
    mask: NDArray[np.uint8] | None
    pixel_mm: tuple[float, float]
    through: tuple[int, int, int]
    drawn: tuple[NDArray[np.uint8], ...] = ()


def combine(masks: Mapping[str, NDArray[np.bool_]], values: Mapping[str, int]) -> tuple[NDArray[Any], int]:
    """Masks (K, J, I) as one label map, and the number of voxels that more than one label claims.

    Such a voxel goes to the label of the highest value (a lesion is listed after its organ). The map is
    uint8, or uint16 if a value is above 255.
    """
    if not masks:
        raise ValueError("there is nothing to combine")
    shape = next(iter(masks.values())).shape
    dtype = np.uint8 if max(values[label] for label in masks) <= 255 else np.uint16
    out, twice = np.zeros(shape, dtype=dtype), np.zeros(shape, dtype=np.bool_)
    for label in sorted(masks, key=lambda name: (values[name], name)):
        if masks[label].shape != shape:
            raise ValueError(f"masks are {shape} and {masks[label].shape}")
        mask = np.ascontiguousarray(masks[label], dtype=np.bool_)
        _paint(mask.reshape(-1), values[label], out.reshape(-1), twice.reshape(-1))
    return out, int(np.count_nonzero(twice))


def voxel_ml(grid: Grid) -> float:
    """Volume of one voxel in millilitres, also where the grid is sheared."""
    return abs(float(np.linalg.det(grid.affine[:3, :3]))) / 1000.0


def volume_ml(mask: NDArray[np.bool_], grid: Grid) -> float:
    """Volume of a mask (K, J, I) in millilitres, also where the grid is sheared."""
    return int(np.count_nonzero(mask)) * voxel_ml(grid)


def volumes_ml(labels: NDArray[Any], grid: Grid) -> dict[int, float]:
    """Volume in millilitres of each label but background that occurs in a label map (K, J, I)."""
    found, counts = histogram(labels)
    pairs = zip(found.tolist(), counts.tolist(), strict=True)
    return {label: count * voxel_ml(grid) for label, count in pairs if label}


def flattened(mask: NDArray[Any], values: Collection[int]) -> NDArray[Any]:
    """Overlapping layers as one map for the eye: the last layer that marks a voxel shows.

    Args:
        mask: (K, J, I), which is given back, or (L, K, J, I) with a layer for each value, in their order.
        values: Label values.
    """
    if mask.ndim == 3:
        return mask
    out = np.zeros(mask.shape[1:], np.uint16)
    for value, layer in zip(sorted(values), mask, strict=True):
        out[np.asarray(layer) != 0] = value
    return out


def preview_planes(
    array: NDArray[Any],
    mask: NDArray[Any] | None,
    grid: Grid,
    *,
    window: Window | None = None,
    valid: NDArray[np.bool_] | None = None,
    drawn: Sequence[NDArray[Any]] = (),
    focus: NDArray[np.bool_] | None = None,
    through: Sequence[int] | None = None,
) -> tuple[Plane, ...]:
    """Three planes through the middle of the mask, or of the volume; one if the image is a single plane.

    Args:
        array: (K, J, I) on the grid.
        mask: (K, J, I), anything but 0 is marked; None or empty: the volume's middle.
        grid: Where the voxels are.
        window: How values become grey; without one, from the 0.5th to the 99.5th percentile.
        valid: False where a voxel is padding, which is left out of the percentiles.
        drawn: Further masks to be seen in the planes.
        focus: Voxels (K, J, I) of which each plane is to hold as many as it can, if there are any.
        through: The voxel that planes are to go through, as an earlier plane has it.
    """
    reorder = canonical(grid)
    image = reorder.view(array)
    marked = None if mask is None else reorder.view(mask)
    others = [reorder.view(other) for other in drawn]
    if through is not None:
        centre = list(through)
    elif focus is not None and focus.any():
        centre = _fullest(reorder.view(focus))
    else:
        centre = _centre(marked, image.shape)
    window = window or _window_of(array, valid)
    names = _NAMES if grid.is_oriented else _UNORIENTED
    axes = (0, 1, 2) if grid.shape[0] > 1 else (list(reorder.order).index(0),)
    planes = []
    for axis in axes:
        spacing = [s for a, s in enumerate(reorder.grid.spacing_mm) if a != axis]
        picture = _look(image, axis, centre[axis], is_oriented=grid.is_oriented)
        rows, columns, pixel_mm = _sample(picture.shape, spacing)
        grey = windows.apply(picture[np.ix_(rows, columns)], window)
        seen = [
            _look(labels, axis, centre[axis], is_oriented=grid.is_oriented)[np.ix_(rows, columns)]
            for labels in ([] if marked is None else [marked]) + others
        ]
        outlines = [np.minimum(labels, 255).astype(np.uint8) for labels in seen]
        planes.append(
            Plane(
                name=names[axis],
                pixels=np.rint(np.nan_to_num(grey) * 255).astype(np.uint8),
                mask=None if marked is None else outlines[0],
                pixel_mm=pixel_mm,
                through=(centre[0], centre[1], centre[2]),
                drawn=tuple(outlines[len(outlines) - len(others) :]),
            )
        )
    return tuple(planes)


def _window_of(array: NDArray[Any], valid: NDArray[np.bool_] | None) -> Window:
    facts = describe(array, valid=valid)
    low, high = facts.get("p0.5", 0.0), facts.get("p99.5", 1.0)
    return Window(name="percentiles", centre=(low + high) / 2, width=max(high - low, 1e-6), unit="")


def _centre(mask: NDArray[Any] | None, shape: tuple[int, ...]) -> list[int]:
    """The mask's centre of mass as (k, j, i), or the middle of the volume."""
    middle = [n // 2 for n in shape]
    if mask is None:
        return middle
    marked = tuple(np.zeros(count, dtype=np.int64) for count in shape)
    _count_along(mask, *marked)
    total = int(marked[0].sum())
    if total == 0:
        return middle
    return [int(np.rint(counts @ np.arange(counts.size) / total)) for counts in marked]


def _fullest(focus: NDArray[np.bool_]) -> list[int]:
    """Along each axis the plane that holds most of some voxels, (k, j, i); of several the middle one."""
    counts = tuple(np.zeros(size, dtype=np.int64) for size in focus.shape)
    _count_along(focus, *counts)
    return [int(most[len(most) // 2]) for most in (np.flatnonzero(c == c.max()) for c in counts)]


def _look(array: NDArray[Any], axis: int, index: int, *, is_oriented: bool) -> NDArray[Any]:
    """A plane as radiologists look at it: right on the left, anterior or superior on top."""
    plane = np.moveaxis(array, axis, 0)[index]
    return np.asarray(plane[::-1, ::-1] if is_oriented else plane)


def _sample(
    shape: tuple[int, ...], spacing_mm: list[float]
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[float, float]]:
    """Rows and columns that make a picture of near-square pixels, at most `PREVIEW_PIXELS` a side."""
    extents = [n * s for n, s in zip(shape, spacing_mm, strict=True)]
    pixel = max(max(extents) / PREVIEW_PIXELS, min(spacing_mm))
    sizes = [max(1, min(PREVIEW_PIXELS, round(extent / pixel))) for extent in extents]
    picks = [
        ((np.arange(size) + 0.5) * n / size).astype(np.int64) for n, size in zip(shape, sizes, strict=True)
    ]
    return picks[0], picks[1], (extents[0] / sizes[0], extents[1] / sizes[1])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _paint(mask: NDArray[np.bool_], value: int, out: NDArray[Any], twice: NDArray[np.bool_]) -> None:
    for n in range(mask.size):
        if mask[n]:
            twice[n] = twice[n] or out[n] != 0
            out[n] = value


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count_along(
    mask: NDArray[Any], along_k: NDArray[np.int64], along_j: NDArray[np.int64], along_i: NDArray[np.int64]
) -> None:
    """Add up the marked voxels of each slice, row and column."""
    for k in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            count = 0
            for i in range(mask.shape[2]):
                is_marked = mask[k, j, i] != 0
                count += is_marked
                along_i[i] += is_marked
            along_k[k] += count
            along_j[j] += count
