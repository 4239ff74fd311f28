"""Resample: bring images, masks and label maps onto another grid.

Grids are aligned as the Image Biomarker Standardisation Initiative defines it (IBSI reference manual,
section 2.4, interpolation). A target voxel has a value where its centre lies within the outer faces of
the source image; up to half a voxel beyond the last centre the border goes on. Elsewhere it is background
and not valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from isocenter.base.errors import ConfigError
from isocenter.imaging import interpolate, taps, votes
from isocenter.imaging.placement import PARALLEL_VOXELS, Placement, place
from isocenter.model.grid import Grid
from isocenter.model.volume import Slice, Volume

KERNELS = ("nearest", "linear", "cubic")
ALIGNMENTS = ("centre", "corner", "origin")
BACKGROUNDS = {"HU": -1024.0}
# A header's spacing is rounded; a sliver of this many voxels is no voxel more.
SLIVER_VOXELS = 1e-3
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
) -> Volume:
    """Bring a volume to another spacing, or onto the grid of another image.

    Args:
        volume: Its integers stay integers (rounded half to even, once), everything else is float32.
        spacing_mm: One spacing, or three along (k, j, i).
        like: The grid to come to, instead of a spacing. Whether both images lie in one frame of
            reference is for the caller to know.
        kernel: "nearest", "linear", or "cubic" (B-spline of order 3, mirrored at the border voxels; it
            may overshoot).
        align: What the old and the new grid have in common: "centre", the first "corner", or the centre
            of the first voxel ("origin").
        antialias: Smooth with a Gaussian before voxels grow (see `isocenter.imaging.taps.sigma_voxels`);
            never with the kernel "nearest".

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
    )
    how = f"{kernel}, {align if like is None else 'like'}, {'antialiased' if antialias else 'plain'}"
    return replace(
        volume,
        array=array,
        grid=target,
        valid=valid,
        slices=_slices(volume, target),
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
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Bring an array (K, J, I) from one grid to another; see `resample`.

    Integers beyond 2^24 are rounded to float32 on the way, except with the kernel "nearest".

    Returns:
        The new array, and where it is valid: None if everywhere. A voxel is valid if its centre lies in
        the source and padding has a share of at most `PADDING_SHARE` in it.
    """
    if kernel not in KERNELS:
        raise ConfigError(f"kernel is one of {', '.join(KERNELS)}, not {kernel!r}")
    if array.shape != grid.shape:
        raise ValueError(f"the array is {array.shape}, its grid {grid.shape}")
    placement = place(grid, target)
    sigmas = placement.sigmas() if antialias and kernel != "nearest" else (0.0, 0.0, 0.0)
    fill = _fill_rows if placement.is_parallel else _fill_freely
    out = np.empty(target.shape, dtype=array.dtype if array.dtype.kind in "iu" else np.float32)
    inside = fill(placement.turn.apply(array), placement, kernel, sigmas, out)
    if valid is not None:
        share = np.empty(target.shape, dtype=np.float32)
        kind = "nearest" if kernel == "nearest" else "linear"
        fill(placement.turn.apply(valid).astype(np.float32), placement, kind, sigmas, share)
        inside &= share >= 1.0 - PADDING_SHARE
    if inside.all():
        return out, None
    out[~inside] = background
    return out, inside


def resample_labels(array: NDArray[Any], grid: Grid, target: Grid) -> NDArray[Any]:
    """Bring a mask (bool) or an exclusive label map (unsigned integers) to another grid by vote.

    No label arises that was not there, and the shares are those of linear interpolation (see
    `isocenter.imaging.votes`). Borders move by less than the diagonal of a source voxel; a ball at least
    nine target voxels wide keeps its volume within 10 %, and within 1 % on average. Where the grids fall
    so that shares of exactly one half are common (halving a centred grid of even size) each border may
    move outwards by up to half a target voxel, as a half counts as inside. A structure thinner than a
    target voxel may vanish, which the volumes before and after tell. Outside the source is background.
    """
    if array.dtype.kind not in "bu":
        raise ConfigError(f"labels are bool or unsigned integers, not {array.dtype}")
    placement = place(grid, target)
    turned = placement.turn.apply(array)
    labels = turned.view(np.uint8) if array.dtype == np.bool_ else turned
    out = np.zeros(target.shape, dtype=labels.dtype)
    box = np.zeros(int(labels.max(initial=0)) + 1, dtype=np.float32)
    if not placement.is_parallel:
        votes.vote_affine(labels, placement.matrix, box, out)
        return out.view(array.dtype)
    ends: list[NDArray[Any]] = []
    inside: list[NDArray[np.bool_]] = []
    for axis in range(3):
        places, count = placement.positions(axis), labels.shape[axis]
        low = np.floor(places).astype(np.int64)
        ends.append(np.clip(np.stack((low, low + 1)), 0, count - 1))
        ends.append(np.stack((1.0 - (places - low), places - low)).astype(np.float32))
        inside.append(taps.nearest(places, count).is_inside)
    votes.vote_separable(labels, *ends, box, out)
    _blank(out, inside)
    return out.view(array.dtype)


def _fill_rows(
    array: NDArray[Any], placement: Placement, kernel: str, sigmas: Sequence[float], out: NDArray[Any]
) -> NDArray[np.bool_]:
    """Fill a target whose axes are parallel to the source's; where the source reaches."""
    source, axes = array, []
    for axis in range(3):
        places, count = placement.positions(axis), array.shape[axis]
        if kernel == "linear":
            axes.append(taps.linear(places, count, sigmas[axis]))
        else:
            axes.append((taps.cubic if kernel == "cubic" else taps.nearest)(places, count))
    k, j, i = axes
    if kernel == "nearest":
        interpolate.pick_separable(source, k.start, j.start, i.start, out)
    else:
        if kernel == "cubic":
            source = _coefficients(_smooth(array, sigmas))
        interpolate.interpolate_separable(
            source, k.start, k.weights, j.start, j.weights, i.start, i.weights, *_limits(out), out
        )
    inside = np.ones(out.shape, dtype=np.bool_)
    _blank(inside, [k.is_inside, j.is_inside, i.is_inside])
    return inside


def _fill_freely(
    array: NDArray[Any], placement: Placement, kernel: str, sigmas: Sequence[float], out: NDArray[Any]
) -> NDArray[np.bool_]:
    """Fill a target that lies in any direction; where the source reaches."""
    matrix = placement.matrix
    inside = np.empty(out.shape, dtype=np.bool_)
    if kernel == "nearest":
        interpolate.pick_affine(array, matrix, out, inside)
        return inside
    source = np.ascontiguousarray(_smooth(array, sigmas))
    interpolate.interpolate_affine(source, matrix, *_limits(out), out, inside)
    if kernel == "cubic":
        values = ndimage.affine_transform(
            _coefficients(source),
            matrix[:3, :3][::-1, ::-1],
            offset=matrix[:3, 3][::-1],
            output_shape=out.shape,
            output=np.float32,
            mode="mirror",
            prefilter=False,
        )
        low, high, is_integer = _limits(out)
        out[...] = np.clip(np.rint(values), low, high) if is_integer else values
    return inside


def _smooth(array: NDArray[Any], sigmas: Sequence[float]) -> NDArray[Any]:
    for axis, sigma in enumerate(sigmas):
        if sigma > 0:
            radius = taps.reach_voxels(sigma)
            array = ndimage.gaussian_filter1d(
                array, sigma, axis=axis, output=np.float32, mode="nearest", radius=radius
            )
    return array


def _coefficients(array: NDArray[Any]) -> NDArray[np.float32]:
    """B-spline coefficients (Unser 1999) of order 3; no float64 copy is made."""
    return np.asarray(ndimage.spline_filter(array, order=3, output=np.float32, mode="mirror"))


def _limits(out: NDArray[Any]) -> tuple[float, float, bool]:
    if out.dtype.kind not in "iu":
        return -np.inf, np.inf, False
    info = np.iinfo(out.dtype)
    return float(info.min), float(info.max), True


def _blank(out: NDArray[Any], inside: Sequence[NDArray[np.bool_]]) -> None:
    """Set to 0 whatever one of the axes (k, j, i) does not reach."""
    for axis, is_inside in enumerate(inside):
        if not is_inside.all():
            np.moveaxis(out, axis, 0)[~is_inside] = 0


def _slices(volume: Volume, target: Grid) -> tuple[Slice, ...]:
    """The slice table of the new planes; one that lies on an old plane keeps its name."""
    if not volume.slices:
        return ()
    normal = np.cross(target.affine[:3, 0], target.affine[:3, 1])
    normal /= np.linalg.norm(normal)
    matrix = np.linalg.inv(volume.grid.affine) @ target.affine
    is_parallel = abs(matrix[2, 0]) + abs(matrix[2, 1]) < 1e-6
    rows = []
    for k in range(target.shape[0]):
        centre = target.affine @ (0.0, 0.0, k, 1.0)
        place = float(matrix[2] @ (0.0, 0.0, k, 1.0))
        old = round(place)
        is_old = is_parallel and abs(place - old) < PARALLEL_VOXELS and 0 <= old < len(volume.slices)
        rows.append(
            replace(volume.slices[old], position_mm=float(normal @ centre[:3]))
            if is_old
            else Slice(position_mm=float(normal @ centre[:3]), is_synthetic=True)
        )
    return tuple(rows)
