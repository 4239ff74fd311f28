"""Maps: weights of voxels, by which the centre of a patch is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.loading.sampler import Triple


@dataclass(frozen=True, slots=True, eq=False)
class WeightMap:
    """Where a weight lies, block by block, so that one voxel is drawn by reading one block.

    Args:
        read: Reads the weights of a part of the volume, whole numbers that are not negative.
        shape: Of the volume (k, j, i).
        block: Of the blocks.
        ends: Weight of each block and all before it, i fastest.
    """

    read: Callable[[tuple[slice, ...]], NDArray[Any]]
    shape: Triple
    block: Triple
    ends: NDArray[np.int64]

    def draw(self, generator: np.random.Generator) -> Triple | None:
        """A voxel, each as likely as its weight; None where no voxel has any."""
        total = int(self.ends[-1])
        if not total:
            return None
        lot = int(generator.integers(total))
        number = int(np.searchsorted(self.ends, lot, side="right"))
        lot -= int(self.ends[number - 1]) if number else 0
        counts = [-(-n // b) for n, b in zip(self.shape, self.block, strict=True)]
        corner = [int(a) * b for a, b in zip(np.unravel_index(number, counts), self.block, strict=True)]
        weights = self.read(_part(corner, self.block, self.shape))
        inside = np.searchsorted(np.cumsum(weights, dtype=np.int64), lot, side="right")
        k, j, i = (int(a) + c for a, c in zip(np.unravel_index(inside, weights.shape), corner, strict=True))
        return k, j, i


def weight_map(read: Callable[[tuple[slice, ...]], NDArray[Any]], shape: Triple, block: Triple) -> WeightMap:
    """Add up the weights of each block; every voxel is read once, a layer of blocks at a time."""
    sums = []
    for low in range(0, shape[0], block[0]):
        layer = read((slice(low, min(low + block[0], shape[0])), slice(0, shape[1]), slice(0, shape[2])))
        planes = layer.sum(axis=0, dtype=np.int64)
        rows = np.add.reduceat(planes, range(0, shape[1], block[1]), axis=0)
        sums.append(np.add.reduceat(rows, range(0, shape[2], block[2]), axis=1).reshape(-1))
    return WeightMap(read, shape, block, np.cumsum(np.concatenate(sums)))


def _part(corner: list[int], block: Triple, shape: Triple) -> tuple[slice, ...]:
    return tuple(slice(c, min(c + b, n)) for c, b, n in zip(corner, block, shape, strict=True))
