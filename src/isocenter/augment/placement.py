"""Placement: a motion in voxels, as a loop over the rows of a patch needs it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from isocenter.augment import splines
from isocenter.augment.field import Field
from isocenter.augment.motion import Motion
from isocenter.base.errors import ConfigError

Triple = tuple[int, int, int]

_ROUNDING = 1e-6  # voxels: a position this near to another is on it
_MOST_VOXELS = 2**31 - 1  # what numbers of 32 bits can count
_STILL = 1e-12  # of a matrix: it is that of no motion
_NO_FIELD = np.zeros((3, 4, 4, 0), np.float32)


class Placement(NamedTuple):
    """Where the value of each voxel (i, j, k) comes from: (i, j, k) + start + drift @ (i, j, k) + field.

    Positions are in a source that is mirrored as `steps` say, so that they differ little from (i, j, k).

    Args:
        start: float64 (3,), in order x, y, z: along i, j, k.
        drift: float64 (3, 3).
        counts: int64 (3,): voxels of the source along x, y, z.
        steps: int64 (3,): from a voxel of the source to the next one, in elements; below 0 where it is mirrored.
        origin: Element of the source that is the first one along all of them.
        flat: 0, 1 or 2 (x, y, z) where all positions along that axis are whole voxels, else 3.
        bound: float64 (3,): the most that the field moves along x, y, z.
        field: float32 (3, Gk, Gj, I): control points of the field, put together along i; I = 0 for none.
        cells_k: int64 (K,), the first of four control points along k, and their weights float32 (K, 4).
        cells_j: The same along j.
    """

    start: NDArray[np.float64]
    drift: NDArray[np.float64]
    counts: NDArray[np.int64]
    steps: NDArray[np.int64]
    origin: int
    flat: int
    bound: NDArray[np.float64]
    field: NDArray[np.float32]
    cells_k: NDArray[np.int64]
    weights_k: NDArray[np.float32]
    cells_j: NDArray[np.int64]
    weights_j: NDArray[np.float32]


def flips_of(motion: Motion, steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Which of i, j, k a motion reverses: float64 (3,) of 1 and -1."""
    back = np.linalg.inv(steps) @ motion.turn.T @ steps
    return np.where(np.diag(back) < 0, -1.0, 1.0)


def is_turned(motion: Motion, steps: NDArray[np.float64]) -> bool:
    """Whether a motion needs interpolation: it does more than to reverse axes."""
    flips = flips_of(motion, steps)
    back = flips[:, None] * (np.linalg.inv(steps) @ motion.turn.T @ steps)
    return motion.bend is not None or bool(np.abs(back - np.eye(3)).max() > _STILL)


def reach_of(motion: Motion, shape: Triple, steps: NDArray[np.float64]) -> Triple:
    """How far beyond a patch its voxels come from (k, j, i)."""
    half = (np.array(shape[::-1]) - 1) / 2
    flips = flips_of(motion, steps)
    back = flips[:, None] * (np.linalg.inv(steps) @ motion.turn.T @ steps)
    needed = np.abs(back) @ half + _bound(motion.bend, back, steps) - half
    x, y, z = (max(0, math.ceil(float(n) - _ROUNDING)) for n in needed)
    return z, y, x


def place(motion: Motion, shape: Triple, source: Triple, steps: NDArray[np.float64]) -> Placement:
    """The placement of a patch in the middle of a source.

    Args:
        motion: What is done.
        shape: (K, J, I) of the result.
        source: (K, J, I) of what is there, larger by as much on both sides.
        steps: float64 (3, 3): mm of a step along i, j, k, as columns.

    Raises:
        ConfigError: the source is too large.
    """
    if math.prod(source) > _MOST_VOXELS:
        raise ConfigError("augmentation: a patch of 2^31 voxels or more cannot be moved")
    flips = flips_of(motion, steps)
    back = flips[:, None] * (np.linalg.inv(steps) @ motion.turn.T @ steps)
    drift = back - np.eye(3)
    size, counts = np.array(shape[::-1]), np.array(source[::-1])
    drift[np.abs(drift) * size.max() < _ROUNDING] = 0.0
    start = (counts - size) / 2 - drift @ ((size - 1) / 2)
    strides = np.array([1, counts[0], counts[0] * counts[1]])
    bound = _bound(motion.bend, back, steps)
    is_flat = ~drift.any(axis=1) & (np.abs(start - np.round(start)) < _ROUNDING) & (bound == 0)
    start[is_flat] = np.round(start[is_flat])
    flat = max(np.flatnonzero(is_flat), default=3)
    return Placement(
        start=start,
        drift=drift,
        counts=counts,
        steps=strides * flips.astype(np.int64),
        origin=int(((counts - 1) * strides)[flips < 0].sum()),
        flat=int(flat),
        bound=bound,
        **_tables(motion.bend, back, steps, shape),
    )


def _bound(field: Field | None, back: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """The most that a field moves along x, y, z, in voxels: a spline stays within the hull of its control points."""
    if field is None:
        return np.zeros(3)
    out: NDArray[np.float64] = np.abs(_in_voxels(field, back, steps)).max(axis=(1, 2, 3))
    out[out < _ROUNDING] = 0.0
    return out


def _in_voxels(field: Field, back: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.tensordot(back @ np.linalg.inv(steps), field.lattice, 1)


def _tables(
    field: Field | None, back: NDArray[np.float64], steps: NDArray[np.float64], shape: Triple
) -> dict[str, NDArray[Any]]:
    """The arrays of a placement that tell of its field."""
    if field is None:
        first = {name: np.zeros(0, np.int64) for name in ("cells_k", "cells_j")}
        return {
            **first,
            "field": _NO_FIELD,
            **{n: np.zeros((0, 4), np.float32) for n in ("weights_k", "weights_j")},
        }
    in_voxels = _in_voxels(field, back, steps)
    columns = splines.weights(field.along(2), field.lattice.shape[3])
    out: dict[str, NDArray[Any]] = {
        "field": np.ascontiguousarray(np.tensordot(in_voxels, columns, (3, 1)), np.float32)
    }
    for axis, name in ((0, "k"), (1, "j")):
        count = field.lattice.shape[axis + 1]
        at = field.along(axis)
        cell = np.clip(np.floor(at), 0, count - 4).astype(np.int64)
        whole = splines.weights(at, count)
        out[f"cells_{name}"] = cell
        out[f"weights_{name}"] = whole[np.arange(shape[axis])[:, None], cell[:, None] + np.arange(4)].astype(
            np.float32
        )
    return out
