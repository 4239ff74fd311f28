"""Collimation: the part of a radiograph that the beam reached, found by the straight edges of its constant borders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Enough to find an edge to a thousandth of the picture; a larger one is looked at pixel by pixel in steps.
_LOOKED_AT = 1024
# Thinnest border that is told, and the least field that borders may leave, as shares of the side.
_THINNEST, _LEAST_FIELD = 0.01, 0.1
# An edge is straight where so many of the lines that end at it end so near it, and turned by no more than this.
_STRAIGHT, _NEAR, _STEEPEST = 0.7, 0.01, 0.12
# A border is constant within this share of the range of the picture.
_FLAT = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """The rectangle that holds an image, in pixels, half open; `share` is that of the pixels outside it.

    Where the collimator stood askew, each side of the rectangle goes through the middle of its edge.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    share: float

    def mask(self, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        """(K, J, I): True within the rectangle."""
        out = np.zeros(shape, np.bool_)
        out[..., slice(*self.rows), slice(*self.columns)] = True
        return out


def exposed_field(picture: NDArray[Any]) -> Field:
    """The exposed field of a picture (J, I); all of it where no border is found.

    A collimator leaves a border of one value, black or white, that ends in a straight edge. A dark background
    beside a body ends at the skin, which is no straight line, and is kept. Each border is looked for from its
    side inward, twice, so that those of the other two sides do not hide its ends.

    Args:
        picture: Any numbers, as they were stored.
    """
    steps = [max(1, -(-n // _LOOKED_AT)) for n in picture.shape]
    small = np.ascontiguousarray(picture[:: steps[0], :: steps[1]], dtype=np.float32)
    low, high = (float(v) for v in np.percentile(small, (1, 99)))
    whole = [[0, small.shape[0]], [0, small.shape[1]]]
    box = [list(sides) for sides in whole]
    if high > low:
        for _ in range(2):
            found = [list(sides) for sides in whole]
            for axis in (0, 1):
                across = slice(*box[1 - axis])
                inner = small[:, across] if axis == 0 else small[across].T
                found[axis][0] = _depth(inner, _FLAT * (high - low))
                found[axis][1] = small.shape[axis] - _depth(inner[::-1], _FLAT * (high - low))
            box = found
    for axis, side in enumerate(box):
        if side[1] - side[0] < _LEAST_FIELD * small.shape[axis]:
            box[axis] = whole[axis]
    rows, columns = (
        (side[0] * step, min(side[1] * step, size))
        for side, step, size in zip(box, steps, picture.shape, strict=True)
    )
    share = 1 - (rows[1] - rows[0]) * (columns[1] - columns[0]) / picture.size
    return Field(rows=rows, columns=columns, share=share)


def _depth(lines: NDArray[np.float32], flat: float) -> int:
    """How many lines (J, I) from the first on are border; 0 where there is no straight edge."""
    count, width = lines.shape
    thinnest = max(2, round(_THINNEST * count))
    if count <= 2 * thinnest or width < 8:
        return 0
    level = np.median(lines[:thinnest])
    is_inside = np.abs(lines - level) > flat
    if is_inside[:thinnest].mean() > 1 - _STRAIGHT:
        return 0
    # two in a row: a single odd pixel is noise
    is_inside[:-1] &= is_inside[1:]
    depths = np.where(is_inside.any(axis=0), is_inside.argmax(axis=0), count)
    ends = np.flatnonzero(depths < count)
    if len(ends) < max(8, _LEAST_FIELD * width):
        return 0
    middle, slope = _line(ends - (width - 1) / 2, depths[ends])
    near = np.abs(depths[ends] - (middle + slope * (ends - (width - 1) / 2))) <= max(2.0, _NEAR * count)
    if near.sum() < _STRAIGHT * len(ends) or abs(slope) > _STEEPEST:
        return 0
    return round(middle) if middle >= thinnest else 0


def _line(places: NDArray[Any], depths: NDArray[Any]) -> tuple[float, float]:
    """Middle and slope of the line through most of some points (Theil and Sen, on an even sample of them)."""
    chosen = np.linspace(0, len(places) - 1, min(len(places), 128)).astype(int)
    x, y = places[chosen].astype(np.float64), depths[chosen].astype(np.float64)
    one, other = np.triu_indices(len(x), 1)
    slope = float(np.median((y[other] - y[one]) / (x[other] - x[one]))) if len(x) > 1 else 0.0
    return float(np.median(depths - slope * places)), slope
