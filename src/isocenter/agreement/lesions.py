"""Lesions: the connected pieces of two raters' masks, matched by their overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.agreement.matching import Matching, match
from isocenter.imaging.components import Components


@dataclass(frozen=True, slots=True)
class LesionAgreement:
    """How far two raters agree lesion by lesion.

    A lesion is made of marked voxels that touch at a face, an edge or a corner.

    Args:
        matching: Which lesions are the same; the score of a pair is its Dice.
    """

    matching: Matching

    @property
    def lowest_dice(self) -> float | None:
        """Dice of the lesion that is agreed on least: 0 where one is unmatched, None without any lesion."""
        if not sum(self.matching.counts):
            return None
        is_complete = len(self.matching.pairs) == max(self.matching.counts)
        return min(self.matching.scores) if is_complete else 0.0


def lesion_agreement(first: Components, second: Components) -> LesionAgreement:
    """Match the pieces of one mask with those of another that shares voxels: the largest sum of their Dice."""
    if first.shape != second.shape:
        raise ValueError(f"masks are {first.shape} and {second.shape}")
    shared = _overlaps(first.rows, first.runs, second.rows, second.runs)
    pairs, place = np.unique(shared[:, :2], axis=0, return_inverse=True)
    voxels = np.bincount(place.reshape(-1), weights=shared[:, 2], minlength=len(pairs))
    dice = 2.0 * voxels / (first.voxels[pairs[:, 0]] + second.voxels[pairs[:, 1]])
    return LesionAgreement(match(pairs[:, 0], pairs[:, 1], dice, (len(first), len(second))))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _overlaps(
    rows: NDArray[np.int64], runs: NDArray[np.int64], other_rows: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Piece, other piece, and the voxels that two of their runs share, (N, 3)."""
    out, count = np.empty((64, 3), np.int64), 0
    for row in range(rows.size - 1):
        a, b = rows[row], other_rows[row]
        while a < rows[row + 1] and b < other_rows[row + 1]:
            shared = min(runs[a, 1], others[b, 1]) - max(runs[a, 0], others[b, 0])
            if shared > 0:
                if count == len(out):
                    out = np.concatenate((out, np.empty_like(out)))
                out[count, 0], out[count, 1], out[count, 2] = runs[a, 2], others[b, 2], shared
                count += 1
            if runs[a, 1] < others[b, 1]:
                a += 1
            else:
                b += 1
    return out[:count]
