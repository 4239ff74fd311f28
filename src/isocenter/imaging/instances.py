"""Instances: the lesions of a mask, each by itself, and the map that numbers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.components import Components, components_of

Window: TypeAlias = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One lesion, within the box around it.

    Args:
        start: First voxel (k, j, i) of the box.
        mask: Which voxels of the box it has; it touches every side of the box.
    """

    start: tuple[int, int, int]
    mask: NDArray[np.bool_]

    @property
    def window(self) -> Window:
        """The box, to slice a volume with."""
        k, j, i = (slice(a, a + n) for a, n in zip(self.start, self.mask.shape, strict=True))
        return k, j, i

    @property
    def voxels(self) -> int:
        """How many voxels it has."""
        return int(np.count_nonzero(self.mask))

    @property
    def box(self) -> tuple[int, ...]:
        """The box, half-open: lo k, j, i, hi k, j, i."""
        return (*self.start, *(a + n for a, n in zip(self.start, self.mask.shape, strict=True)))


def instances_of(mask: NDArray[np.bool_], connectivity: int = 26) -> list[Instance]:
    """The connected pieces of a mask (K, J, I), in the order of their first voxels."""
    found = components_of(mask, connectivity)
    boxes = boxes_of(found)
    out = []
    for number, box in enumerate(boxes.tolist()):
        part = np.zeros([hi - lo for lo, hi in zip(box[:3], box[3:], strict=True)], dtype=np.bool_)
        _paint_piece(found.rows, found.runs, number, found.shape[1], boxes[number], part)
        out.append(Instance((box[0], box[1], box[2]), part))
    return out


def as_one(mask: NDArray[np.bool_], at: tuple[int, int, int] = (0, 0, 0)) -> Instance | None:
    """All that is marked as one lesion, in however many pieces; None where nothing is.

    Args:
        mask: Voxels (K, J, I).
        at: Where the first of them is in the volume.
    """
    spans = [np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    if not len(spans[0]):
        return None
    low = [int(span[0]) for span in spans]
    k, j, i = (slice(a, int(span[-1]) + 1) for a, span in zip(low, spans, strict=True))
    start = (at[0] + low[0], at[1] + low[1], at[2] + low[2])
    return Instance(start, np.array(mask[k, j, i], dtype=np.bool_, order="C"))


def union_of(instances: Sequence[Instance], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Voxels (K, J, I) of a volume that any of them has."""
    out = np.zeros(shape, dtype=np.bool_)
    for one in instances:
        out[one.window] |= one.mask
    return out


def numbered(instances: Sequence[Instance], shape: tuple[int, ...]) -> tuple[NDArray[Any], tuple[int, ...]]:
    """A map (K, J, I) of the numbers of instances, from 1 in their order, and those of which it shows no voxel.

    A voxel that several have goes to the last of them. The map is uint16, or uint32 for more than 65,535.
    """
    out = np.zeros(shape, dtype=np.uint16 if len(instances) <= np.iinfo(np.uint16).max else np.uint32)
    for number, one in enumerate(instances, 1):
        out[one.window][one.mask] = number
    hidden = [n for n, one in enumerate(instances, 1) if not (out[one.window] == n).any()]
    return out, tuple(hidden)


def boxes_of(components: Components) -> NDArray[np.int32]:
    """Half-open voxel boxes (P, 6) around pieces: lo k, j, i, hi k, j, i."""
    out = np.empty((len(components), 6), dtype=np.int64)
    out[:, :3], out[:, 3:] = np.iinfo(np.int64).max, 0
    _bound(components.rows, components.runs, components.shape[1], out)
    return out.astype(np.int32)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _bound(rows: NDArray[np.int64], runs: NDArray[np.int64], size_j: int, boxes: NDArray[np.int64]) -> None:
    for row in range(rows.size - 1):
        k, j = row // size_j, row % size_j
        for run in range(rows[row], rows[row + 1]):
            box = boxes[runs[run, 2]]
            box[0], box[3] = min(box[0], k), max(box[3], k + 1)
            box[1], box[4] = min(box[1], j), max(box[4], j + 1)
            box[2], box[5] = min(box[2], runs[run, 0]), max(box[5], runs[run, 1])


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _paint_piece(
    rows: NDArray[np.int64],
    runs: NDArray[np.int64],
    piece: int,
    size_j: int,
    box: NDArray[np.int32],
    out: NDArray[np.bool_],
) -> None:
    """Mark the voxels of one piece within its box."""
    for k in range(box[0], box[3]):
        for j in range(box[1], box[4]):
            row = k * size_j + j
            for run in range(rows[row], rows[row + 1]):
                if runs[run, 2] == piece:
                    out[k - box[0], j - box[1], runs[run, 0] - box[2] : runs[run, 1] - box[2]] = True
