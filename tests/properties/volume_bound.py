"""How much a label's volume may change when it is resampled by vote: a bound from geometry, not from our kernel.

Let f be the trilinear interpolant of a label's indicator at the centres of the source's voxels, and H the set where
f >= 1/2. A target voxel is marked if and only if its centre is in H. Two things change the volume V of the voxels.

1. H is not the union of the voxels. In each cell between eight centres the share of H depends on which of the eight
   are marked, 256 patterns (`SHARES`); it equals the marked share m / 8 where the border is flat, is off by 0.097 of
   the cell at a straight edge ((1 + ln 2) / 2 - 3 / 4), and by less than a fifth of it anywhere.
2. The volume of H is taken by counting lattice points. Along a line the points of a run of length L, a distance t
   apart, number between L / t - 1 and L / t + 1, so that each run is off by at most t. Counting rows, then columns,
   then slices: | t_i t_j t_k N - |H| | <= t_i A_i + t_j A_j + t_k A_k, where A is the area of H's shadow along an
   axis, each line counting as often as a run of H begins on it: A_i is summed over the lines through the target's
   voxels, A_j integrated within its slices, A_k over all. Within a cell f is linear along a line, so that a run begins
   where f is below one half on one side of the cell and not on the other.

Where three labels meet in a cell the largest share may be below one half. The difference of a label's share and the
largest other is concave along a line, so that one run may begin there; what share of it is the label's is unsure.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

_SAMPLES = 24
# Shares that are equal to one half but for rounding are one half.
HALF = 0.5 - 1e-6
CORNERS = list(itertools.product((0, 1), repeat=3))
# What a sampled share of a cell, and a sampled share of its face, may be wrong by.
SLACK, FACE_SLACK = 0.005, 0.03


def _tables() -> tuple[np.ndarray, np.ndarray]:
    """For each pattern of marked corners: where f is one half or more, and where along k it becomes so."""
    at = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    ends = np.stack([1 - at, at])
    weights = np.stack([np.einsum("z,y,x->zyx", ends[k], ends[j], ends[i]).ravel() for k, j, i in CORNERS])
    faces = np.stack([np.outer(ends[j], ends[i]).ravel() for _, j, i in CORNERS[:4]])
    patterns = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(float)
    shares = np.array([(pattern @ weights >= HALF).mean() for pattern in patterns])
    begins = [((p[:4] @ faces < HALF) & (p[4:] @ faces >= HALF)).mean() for p in patterns]
    return shares, np.array(begins)


SHARES, BEGINS = _tables()
MARKED = np.array([int(n).bit_count() / 8 for n in range(256)])


@dataclass(frozen=True)
class VolumeBound:
    """In cubic millimetres: of the voxels, of H (from, to), and what counting may be off by."""

    before: float
    half_level: tuple[float, float]
    counting: float

    @property
    def low(self) -> float:
        return self.half_level[0] - self.counting

    @property
    def high(self) -> float:
        return self.half_level[1] + self.counting


def volume_bound(labels, label, spacing, new_spacing, positions) -> VolumeBound:
    """The bound on the volume of one label of a map (K, J, I) of which no border voxel has it.

    Args:
        labels: The map.
        label: Which of its labels.
        spacing: Of the source (k, j, i).
        new_spacing: Of the target.
        positions: Of the target's slices, rows and columns, in voxels of the source.
    """
    marked = labels == label
    assert not any(np.take(marked, end, axis).any() for axis in range(3) for end in (0, -1))
    cut = [tuple(slice(c, labels.shape[a] - 1 + c) for a, c in enumerate(corner)) for corner in CORNERS]
    code = sum(marked[c].astype(int) << n for n, c in enumerate(cut))
    around = np.sort(np.stack([labels[c] for c in cut]), axis=0)
    is_meeting = ((np.diff(around, axis=0) != 0).sum(axis=0) > 1) & (code > 0)
    slack = SLACK * np.count_nonzero(~np.isin(SHARES[code], (0.0, 0.5, 1.0)))
    low = float(SHARES[code].sum()) - slack
    high = low + 2 * slack + float((1 - SHARES[code])[is_meeting].sum())
    cell, counting = (
        float(np.prod(spacing)),
        _counting(marked, code, is_meeting, spacing, new_spacing, positions),
    )
    return VolumeBound(float(marked.sum()) * cell, (low * cell, high * cell), counting * (1 + 1e-5))


def _counting(marked, code, is_meeting, spacing, new_spacing, positions) -> float:
    lines = [
        np.bincount(np.floor(p).astype(int).clip(-1, n - 1) + 1, minlength=n + 1)[1:n]
        for p, n in zip(positions, marked.shape, strict=True)
    ]
    meeting = is_meeting.astype(float)
    slices = _between(marked.astype(float), 0, positions[0])
    rows = _between(slices, 1, positions[1])
    t_k, t_j, t_i = new_spacing
    _, s_j, s_i = spacing
    on_lines = np.count_nonzero((rows[..., :-1] < HALF) & (rows[..., 1:] >= HALF))
    on_lines += np.einsum("kji,k,j->", meeting, lines[0], lines[1])
    in_slices = _padded(_beginnings(slices)) + np.einsum("kji,k->", meeting, lines[0])
    through = _padded(BEGINS[code]) + meeting.sum()
    return float(t_i * t_j * t_k * on_lines + t_j * t_k * s_i * in_slices + t_k * s_j * s_i * through)


def _between(array: np.ndarray, axis: int, places: np.ndarray) -> np.ndarray:
    """Linear interpolation along one axis; the border goes on outwards."""
    low = np.floor(places).astype(int)
    part = (places - low).reshape([-1 if a == axis else 1 for a in range(3)])
    last = array.shape[axis] - 1
    return array.take(low.clip(0, last), axis) * (1 - part) + array.take((low + 1).clip(0, last), axis) * part


def _beginnings(slices: np.ndarray) -> np.ndarray:
    """In each cell of each slice the share of columns on which a run begins."""
    total = np.zeros((slices.shape[0], slices.shape[1] - 1, slices.shape[2] - 1))
    for at in (np.arange(_SAMPLES) + 0.5) / _SAMPLES:
        here = slices[..., :-1] * (1 - at) + slices[..., 1:] * at
        total += (here[:, :-1] < HALF) & (here[:, 1:] >= HALF)
    return total / _SAMPLES


def _padded(shares: np.ndarray) -> float:
    return float(shares.sum()) + FACE_SLACK * np.count_nonzero((shares > 0) & (shares < 1))
