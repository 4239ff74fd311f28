"""Labels: bring masks, label maps and probability maps onto another grid.

Label maps are bool (one label) or unsigned integers of any number of labels, (K, J, I) or, where labels may
overlap, layers (L, K, J, I), of which each is brought over by itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError
from isocenter.imaging import taps, votes
from isocenter.imaging.filling import fill
from isocenter.imaging.placement import Placement, place
from isocenter.imaging.resample import resample_array
from isocenter.imaging.slabs import spread
from isocenter.model.grid import Grid

KERNELS = ("vote", "nearest")
# A mask whose rows reach over more than this share of its voxels is no small structure.
_MUCH = 0.1


def resample_labels(
    array: NDArray[Any], grid: Grid, target: Grid, *, kernel: str = "vote", threads: int = 1
) -> NDArray[Any]:
    """Bring a mask or an exclusive label map, or layers of them, to another grid.

    The label of the largest linear share wins (see `isocenter.imaging.votes`): the arg-max of one-hot volumes
    interpolated linearly, without the volumes. No label arises that was not there. Outside the source is
    background.

    A target voxel takes the label that its eight source voxels agree on, so only borders can move, by less
    than a voxel of the source along each axis. What that does to a volume V is bounded: of a structure
    that the image does not cut off,

        |V' - V|  <=  sum over the axes of t A  +  0.2 E

    where t is the spacing of the target along an axis; A the area of the structure's shadow along it, as
    the lines through the target's voxels meet it, n times where they enter it n times; and E the volume of
    the source's cells in which its border has an edge or a corner, those where three labels meet counted
    five times. The first term is one target voxel of width along each axis, half a voxel at either border,
    and nothing smaller is true of every shape: a box w target voxels wide may become w + 1. Of a ball w
    wide it is 4.5 / w of its volume. The second is the rounding of edges by linear interpolation.
    (`tests/properties/volume_bound.py` derives it and tells the exact sums.) It is a bound for the worst
    shape in the worst place, and says little of what is few voxels wide: errors of rows seldom add up. Of
    balls at least nine target voxels wide the worst of 7,641 was 7.4 % off, and on average they are within
    1 %. Where shares of exactly one half are common (halving a centred grid of even size) borders move
    outwards, as a half is inside. What is thinner than a voxel of either grid may vanish (a lone voxel has
    a share of (3/4)^3 in the voxels half its size): `isocenter.imaging.changes` counts what did.

    Args:
        array: bool or unsigned integers, (K, J, I) or (L, K, J, I).
        grid: Where its voxels are.
        target: Where they are to be.
        kernel: "vote", or "nearest": the label of the nearest source voxel.
        threads: How many planes are filled at a time; the result is the same.

    Raises:
        ConfigError: other numbers, an unknown kernel, or fewer than one thread.
    """
    if array.dtype.kind not in "bu":
        raise ConfigError(f"labels are bool or unsigned integers, not {array.dtype}")
    if kernel not in KERNELS:
        raise ConfigError(f"kernel is one of {', '.join(KERNELS)}, not {kernel!r}")
    if array.shape[-3:] != grid.shape or array.ndim not in {3, 4}:
        raise ValueError(f"the array is {array.shape}, its grid {grid.shape}")
    labels = array.view(np.uint8) if array.dtype == np.bool_ else array
    out = np.zeros((*array.shape[:-3], *target.shape), dtype=labels.dtype)
    placement = place(grid, target)
    layers = zip(labels, out, strict=True) if array.ndim == 4 else ((labels, out),)
    for layer, filled in layers:
        if kernel == "nearest":
            filled[...] = resample_array(layer, grid, target, kernel="nearest")[0]
        else:
            _vote(placement.turn.apply(layer), placement, filled, threads)
    return out.view(array.dtype)


def resample_probabilities(array: NDArray[np.float32], grid: Grid, target: Grid) -> NDArray[np.float32]:
    """Bring probabilities (K, J, I), or layers (L, K, J, I) of them, to another grid; they stay in 0 to 1.

    They are interpolated linearly and nothing is smoothed, so that a mask brought over as probabilities of 0
    and 1 is, at a threshold of one half, what `resample_labels` makes of it. Outside the source is 0.

    Raises:
        ConfigError: values that are no floats between 0 and 1.
    """
    if array.dtype != np.float32:
        raise ConfigError(f"probabilities are float32, not {array.dtype}")
    if not (array.size and array.min() >= 0 and array.max() <= 1):
        raise ConfigError("probabilities lie between 0 and 1")
    layers = array.reshape(-1, *array.shape[-3:])
    out = np.empty((len(layers), *target.shape), dtype=np.float32)
    for layer, filled in zip(layers, out, strict=True):
        filled[...] = resample_array(layer, grid, target, kernel="linear", antialias=False)[0]
    np.clip(out, 0.0, 1.0, out=out)  # weights of float32 add up to one but for rounding
    return out.reshape(*array.shape[:-3], *target.shape)


def _vote(labels: NDArray[Any], placement: Placement, out: NDArray[Any], threads: int) -> None:
    """Fill a target that is all background, a block of planes to each thread."""
    spans = np.empty((*labels.shape[:2], 2), dtype=np.int32)
    spread(lambda a, b: votes.find_spans(labels[a:b], spans[a:b]), len(labels), threads)
    if not placement.is_parallel:
        box = _box(spans, placement)

        def vote(a: int, b: int) -> None:
            own = np.array([np.clip(box[0], a, b) - a, *box[1:]])
            votes.vote_affine(labels, placement.matrix, a, own, out[a:b])

        spread(vote, len(out), threads)
        return
    if _is_much_of_one(labels, spans):
        # the share of one label decides alone: a linear interpolation, without a look at what differs
        inside = fill(
            labels,
            placement,
            "linear",
            out,
            antialias=False,
            least=0.5 - float(votes.TIE) / 2,
            threads=threads,
        )
        if inside is not None:
            out[~inside] = 0
        return
    (k_low, k_share), *within = (_taps(placement.positions(axis), labels.shape[axis]) for axis in range(3))
    places = (*within[0], *within[1], _reach(within[1][0], labels.shape[2]))
    spread(
        lambda a, b: votes.vote_separable(labels, spans, k_low[a:b], k_share[a:b], *places, out[a:b]),
        len(out),
        threads,
    )


def _is_much_of_one(labels: NDArray[Any], spans: NDArray[np.int32]) -> bool:
    """Whether a map holds nothing but 1, in so many voxels that going through all costs less than looking for borders."""
    reached = int((spans[..., 1] - spans[..., 0]).sum(dtype=np.int64))
    return reached > _MUCH * labels.size and bool(labels.max() == 1)


def _taps(positions: NDArray[np.float64], count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The lower source voxel of each position, -2 where the source does not reach, and the upper's share."""
    is_inside = taps.nearest(positions, count).is_inside
    low = np.clip(np.floor(positions), -1, count - 1)
    share = np.where(is_inside, positions - low, 0.0).astype(np.float32)
    return np.where(is_inside, low, -2).astype(np.int64), share


def _reach(low: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Between which target columns those lie whose lower source column is n - 1, (2, count + 1)."""
    inside = np.flatnonzero(low >= -1)
    first = int(inside[0]) if inside.size else 0
    within = low[inside]
    wanted = np.arange(-1, count)
    if within.size > 1 and within[0] > within[-1]:  # the axis runs the other way
        ends = [np.searchsorted(-within, -wanted, side) for side in ("left", "right")]
    else:
        ends = [np.searchsorted(within, wanted, side) for side in ("left", "right")]
    return np.stack(ends).astype(np.int64) + first


def _box(spans: NDArray[np.int32], placement: Placement) -> NDArray[np.int64]:
    """Target voxels (k, j, i; first, last + 1) whose eight source voxels can be marked."""
    is_marked = spans[..., 1] > spans[..., 0]
    if not is_marked.any():
        return np.zeros((3, 2), dtype=np.int64)
    marked_k, marked_j = np.flatnonzero(is_marked.any(axis=1)), np.flatnonzero(is_marked.any(axis=0))
    low = np.array([spans[is_marked][:, 0].min(), marked_j[0], marked_k[0]], dtype=np.float64) - 1.0
    high = np.array([spans[is_marked][:, 1].max(), marked_j[-1] + 1, marked_k[-1] + 1], dtype=np.float64)
    corners = np.array(
        [[x, y, z, 1.0] for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])]
    )
    found = (corners @ np.linalg.inv(placement.matrix).T)[:, 2::-1]
    sizes = np.array(placement.shape, dtype=np.float64)
    first, stop = np.floor(found.min(axis=0)), np.ceil(found.max(axis=0)) + 1
    return np.stack((np.clip(first, 0, sizes), np.clip(stop, 0, sizes)), axis=1).astype(np.int64)
