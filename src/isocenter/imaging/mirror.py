"""Mirror: whether a mask would fit what is seen in its image better if it were mirrored or turned.

Where a structure ends, values change. Along the border of a mask, the differences across it are compared with those
at the mirrored places, as ranks, so that neither the unit nor a few bright edges count. Neighbouring voxels tell the
same thing, so that cells of the image are the unit of the comparison and not voxels; what comes out is how many
standard errors the mean of the differences is from none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from isocenter.model.grid import Grid

# Array axes that run the other way: each is something that a converter does.
RIVALS = {"i": (2,), "j": (1,), "k": (0,), "ij": (1, 2)}
# How many voxels beyond the border values are taken on either side: borders are blurred.
_BEYOND = 1
_CELL_MM = 15.0
_MOST_FACES = 60_000
_FEWEST_FACES = 50
_FEWEST_CELLS = 6
_MOST_EVIDENCE = 99.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A mask mirrored in its image, against the mask as it is.

    Args:
        axes: Array axes that are turned round: i, j, k, or i and j (a turn by 180 degrees).
        evidence: Standard errors by which the image is for the mirrored mask; below 0 it is for the mask as it is.
        faces: Voxel faces of the border that were compared.
        cells: Cells of the image that these lie in.
    """

    axes: str
    evidence: float
    faces: int
    cells: int

    @property
    def confidence(self) -> float:
        """Probability that the mirrored mask fits better, if cells are independent: a half where nothing is known."""
        return 0.5 * math.erfc(-self.evidence / math.sqrt(2.0))


def rivals_of(image: NDArray[Any], labels: NDArray[Any], grid: Grid) -> tuple[Rival, ...]:
    """All ways to mirror a mask about the middle of its image, the best of them first.

    Args:
        image: (K, J, I).
        labels: The mask or label map (K, J, I).
        grid: Of both.

    Returns:
        Nothing where the mask has too little of a border to tell.
    """
    inner, outer = _faces(labels)
    step = -(-len(inner) // _MOST_FACES) or 1
    inner, outer = inner[::step], outer[::step]
    cells = _cells(inner, grid)
    count = int(cells.max(initial=-1)) + 1
    if len(inner) < _FEWEST_FACES or count < _FEWEST_CELLS:
        return ()
    ways: list[tuple[int, ...]] = [(), *RIVALS.values()]
    found = [_differences(image, _turned(inner, way, image), _turned(outer, way, image)) for way in ways]
    ranks = stats.rankdata(np.concatenate(found)).reshape(len(ways), -1)
    rivals = [
        Rival(axes=axes, evidence=_evidence(there - ranks[0], cells, count), faces=len(inner), cells=count)
        for axes, there in zip(RIVALS, ranks[1:], strict=True)
    ]
    return tuple(sorted(rivals, key=lambda r: (-r.evidence, r.axes)))


def _faces(labels: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A voxel within and a voxel beyond every face between a label and what is not that label, (N, 3) each."""
    empty = np.zeros((0, 3), dtype=np.int64)
    inner, outer = [empty], [empty]
    boxes = ndimage.find_objects((labels != 0).view(np.uint8))
    box = boxes[0] if boxes else None
    if box is None:
        return empty, empty
    for axis in range(3):
        size = labels.shape[axis]
        if size < 2 * (_BEYOND + 2):
            continue
        wide = [slice(max(part.start - 1, 0), part.stop + 1) for part in box]
        window = labels[tuple(wide)]
        first = np.array([part.start for part in wide])
        low = np.moveaxis(window, axis, 0)[:-1]
        high = np.moveaxis(window, axis, 0)[1:]
        for here, way in ((low, 1), (high, -1)):
            is_face = np.moveaxis((low != high) & (here != 0), 0, axis)
            at = np.argwhere(is_face) + first
            at[:, axis] += way < 0
            within, beyond = at.copy(), at
            within[:, axis] -= way * _BEYOND
            beyond[:, axis] += way * (_BEYOND + 1)
            reach = np.stack((within[:, axis], beyond[:, axis]))
            is_in = ((reach >= 0) & (reach < size)).all(axis=0)
            inner.append(within[is_in])
            outer.append(beyond[is_in])
    return np.concatenate(inner), np.concatenate(outer)


def _cells(at: NDArray[np.int64], grid: Grid) -> NDArray[np.int64]:
    """The number of the cell of the image that each voxel lies in."""
    size = np.maximum(1, np.rint(_CELL_MM / np.array(grid.spacing_mm))).astype(np.int64)
    k, j, i = (at // size).T
    across, down = (-(-n // s) for n, s in zip(grid.shape[:0:-1], size[:0:-1].tolist(), strict=True))
    return np.unique((k * down + j) * across + i, return_inverse=True)[1].reshape(-1)


def _turned(at: NDArray[np.int64], axes: tuple[int, ...], image: NDArray[Any]) -> NDArray[np.int64]:
    out = at.copy()
    for axis in axes:
        out[:, axis] = image.shape[axis] - 1 - out[:, axis]
    return out


def _differences(
    image: NDArray[Any], inner: NDArray[np.int64], outer: NDArray[np.int64]
) -> NDArray[np.float64]:
    values = image[tuple(inner.T)].astype(np.float64) - image[tuple(outer.T)]
    return np.asarray(np.nan_to_num(np.abs(values)), dtype=np.float64)


def _evidence(differences: NDArray[np.float64], cells: NDArray[np.int64], count: int) -> float:
    """Mean of the differences in standard errors, of clusters of unlike size (Cochran 1977, 6.4)."""
    sizes = np.bincount(cells, minlength=count)
    mean = float(differences.mean())
    within = np.bincount(cells, differences, count) - mean * sizes
    error = math.sqrt(float(np.square(within).sum()) * count / (count - 1)) / len(differences)
    if error == 0:
        return math.copysign(_MOST_EVIDENCE, mean) if mean else 0.0
    return max(-_MOST_EVIDENCE, min(mean / error, _MOST_EVIDENCE))
