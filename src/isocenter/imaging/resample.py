"""Resample: bring images and other arrays of numbers onto another grid; for labels see `isocenter.imaging.labels`.

Grids are aligned as the Image Biomarker Standardisation Initiative defines it (IBSI reference manual,
section 2.4, interpolation). A target voxel has a value where its centre lies within the outer faces of
the source image; up to half a voxel beyond the last centre the border goes on. Elsewhere it is background
and not valid.

Images are filled as `isocenter.imaging.filling` says; label maps are brought over by `isocenter.imaging.labels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError
from isocenter.imaging import taps
from isocenter.imaging.filling import fill
from isocenter.imaging.placement import PARALLEL_VOXELS, place
from isocenter.imaging.taps import KERNELS
from isocenter.model.grid import Grid
from isocenter.model.volume import Slice, Volume

ALIGNMENTS = ("centre", "corner", "origin")
BACKGROUNDS = {"HU": -1024.0}
# A header's spacing is rounded; a sliver of this many voxels is no voxel more.
SLIVER_VOXELS = 1e-3
# The share of padding is that of linear interpolation: the weights of cubic and Lanczos kernels change sign.
MASK_KERNELS = {"nearest": "nearest", "area": "area"}
# A voxel is valid if padding has no more than this share in it.
PADDING_SHARE = 1e-3


def resample(
    volume: Volume,
    *,
    spacing_mm: float | Sequence[float] | None = None,
    like: Volume | Grid | None = None,
    kernel: str = "linear",
    align: str = "centre",
    antialias: bool = True,
    threads: int = 1,
) -> Volume:
    """Bring a volume to another spacing, or onto the grid of another image.

    Args:
        volume: Its integers stay integers (rounded half to even, once), everything else is float32.
        spacing_mm: One spacing, or three along (k, j, i).
        like: The grid to come to, instead of a spacing. Whether both images lie in one frame of
            reference is for the caller to know.
        kernel: "nearest", "linear", "cubic" (B-spline of order 3, mirrored at the border voxels), "lanczos"
            (windowed sinc of three lobes) or "area" (the mean over a larger voxel, linear where voxels
            shrink). Cubic and Lanczos may overshoot.
        align: What the old and the new grid have in common: "centre", the first "corner", or the centre
            of the first voxel ("origin").
        antialias: Smooth before voxels grow, as `isocenter.imaging.taps` states for each kernel: never with
            "nearest", and always with "area", which is nothing else.
        threads: How many threads share the work; the bytes are the same for any number.

    Raises:
        ConfigError: an unknown name, or not exactly one of `spacing_mm` and `like`.
    """
    if (spacing_mm is None) == (like is None):
        raise ConfigError("give either spacing_mm or like")
    if spacing_mm is not None:
        target = target_grid(volume.grid, spacing_mm, align)
    else:
        target = like.grid if isinstance(like, Volume) else like if isinstance(like, Grid) else volume.grid
    array, valid = resample_array(
        volume.array,
        volume.grid,
        target,
        kernel=kernel,
        background=BACKGROUNDS.get(volume.unit, 0.0),
        valid=volume.valid,
        antialias=antialias,
        threads=threads,
    )
    how = f"{kernel}, {align if like is None else 'like'}, {'antialiased' if antialias else 'plain'}"
    return replace(
        volume,
        array=array,
        grid=target,
        valid=valid,
        slices=slices_onto(volume.slices, volume.grid, target, kernel=kernel, antialias=antialias),
        provenance={**volume.provenance, "resample": how},
    )


def target_grid(grid: Grid, spacing_mm: float | Sequence[float], align: str = "centre") -> Grid:
    """The grid of another spacing that covers the same field of view with ceil(n s / s') voxels an axis."""
    if align not in ALIGNMENTS:
        raise ConfigError(f"align is one of {', '.join(ALIGNMENTS)}, not {align!r}")
    wanted = np.broadcast_to(np.asarray(spacing_mm, dtype=np.float64), (3,))
    if not (np.isfinite(wanted).all() and (wanted > 0).all()):
        raise ConfigError(f"spacing_mm needs positive numbers, not {spacing_mm!r}")
    factor = (wanted / np.array(grid.spacing_mm))[::-1]  # along i, j, k as the affine has them
    old = np.array(grid.shape[::-1], dtype=np.float64)
    new = np.maximum(np.ceil(old / factor - SLIVER_VOXELS), 1)
    shift = {
        "centre": (old - 1) / 2 - factor * (new - 1) / 2,
        "corner": (factor - 1) / 2,
        "origin": np.zeros(3),
    }[align]
    move = np.diag([*factor, 1.0])
    move[:3, 3] = shift
    shape = (int(new[2]), int(new[1]), int(new[0]))
    return replace(grid, shape=shape, affine=grid.affine @ move)


def resample_array(
    array: NDArray[Any],
    grid: Grid,
    target: Grid,
    *,
    kernel: str = "linear",
    background: float = 0.0,
    valid: NDArray[np.bool_] | None = None,
    antialias: bool = True,
    threads: int = 1,
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Bring an array (K, J, I) from one grid to another; see `resample`.

    Integers beyond 2^24 are rounded to float32 on the way, except with the kernel "nearest". What is no
    number, or infinite, in an array of floats is padding: it counts as `background` and is not valid, so that
    it reaches no voxel which is called valid. Cubic and Lanczos kernels ring at such a hole as they do at
    any edge.

    Returns:
        The new array, and where it is valid: None if everywhere. A voxel is valid if its centre lies in
        the source and padding has a share of at most `PADDING_SHARE` in it.
    """
    if kernel not in KERNELS:
        raise ConfigError(f"kernel is one of {', '.join(KERNELS)}, not {kernel!r}")
    if array.shape != grid.shape:
        raise ValueError(f"the array is {array.shape}, its grid {grid.shape}")
    array, valid = _without_gaps(array, valid, background)
    placement = place(grid, target)
    by = partial(fill, placement=placement, antialias=antialias, threads=threads)
    out = np.empty(target.shape, dtype=array.dtype if array.dtype.kind in "iu" else np.float32)
    inside = by(placement.turn.apply(array), kernel=kernel, out=out)
    if valid is not None and not valid.all():
        share = np.empty(target.shape, dtype=np.bool_)
        marks = placement.turn.apply(valid).view(np.uint8)
        by(marks, kernel=MASK_KERNELS.get(kernel, "linear"), out=share, least=1.0 - PADDING_SHARE)
        inside = share if inside is None else inside & share
    if inside is None or inside.all():
        return out, None
    np.copyto(out, background, where=~inside, casting="unsafe")
    return out, inside


def slices_onto(
    slices: Sequence[Slice], grid: Grid, target: Grid, *, kernel: str = "linear", antialias: bool = True
) -> tuple[Slice, ...]:
    """The slice table of an image that was brought from one grid to another, along the target's normal.

    A plane that lies on one that was read keeps its object, file and frame, whatever became of it within the
    plane; one that was cut anew names none. A plane is synthetic if a synthetic slice went into it, with more than
    the share that padding may have, and names none then either; one that was interpolated between slices which
    somebody acquired is not. Planes that cut across those that were read name none, and are not synthetic.
    """
    if not slices:
        return ()
    normal = np.cross(target.affine[:3, 0], target.affine[:3, 1])
    normal /= np.linalg.norm(normal)
    steps = (np.linalg.inv(grid.affine) @ target.affine)[2]  # from (i, j, k, 1) of the target to k
    is_parallel = np.abs(steps[:2]) @ (np.array(target.shape[:0:-1]) - 1) < PARALLEL_VOXELS
    positions = steps[2] * np.arange(target.shape[0]) + steps[3]
    factor = abs(float(steps[2])) if antialias or kernel == "area" else 1.0
    by = taps.make(MASK_KERNELS.get(kernel, "linear"), positions, len(slices), factor)
    made = np.array([s.is_synthetic for s in slices])
    rows = []
    for k, at in enumerate(positions.tolist()):
        position_mm = float(normal @ (target.affine[:3, 2] * k + target.affine[:3, 3]))
        share = by.weights[:, k] @ made[by.start[k] : by.start[k] + len(by.weights)]
        is_synthetic = bool(share > PADDING_SHARE) and is_parallel
        is_old = abs(at - round(at)) < PARALLEL_VOXELS and 0 <= round(at) < len(slices)
        if is_old and is_parallel and not is_synthetic:
            rows.append(replace(slices[round(at)], position_mm=position_mm))
        else:
            rows.append(Slice(position_mm=position_mm, is_synthetic=is_synthetic))
    return tuple(rows)


def _without_gaps(
    array: NDArray[Any], valid: NDArray[np.bool_] | None, background: float
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """An array of numbers only, and where it is valid: what is no number becomes background and is not."""
    if array.dtype.kind != "f" or all(bool(np.isfinite(plane).all()) for plane in array):
        return array, valid
    is_number = np.isfinite(array)
    return np.where(is_number, array, array.dtype.type(background)), (
        is_number if valid is None else is_number & valid
    )
