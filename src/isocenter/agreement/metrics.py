"""Metrics: how far two raters agree on where a structure is."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numba
import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.masks import volume_ml
from isocenter.model.annotation import Agreement
from isocenter.model.grid import Grid


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float | None:
    """Twice the voxels in common over the voxels of both (Dice 1945).

    Examples:
        >>> dice(np.array([True, True, False]), np.array([True, False, False]))
        0.6666666666666666

    Returns:
        None where both masks are empty: two raters who agree on an absence have no overlap to measure,
        and counting it as 1 would flatter a mean. 0 where one of them is.
    """
    if first.shape != second.shape:
        raise ValueError(f"masks are {first.shape} and {second.shape}")
    in_first, in_second, in_both = _count(
        np.ascontiguousarray(first, dtype=np.bool_).reshape(-1),
        np.ascontiguousarray(second, dtype=np.bool_).reshape(-1),
    )
    return 2.0 * in_both / (in_first + in_second) if in_first + in_second else None


def agreement_of(
    masks_by_rater: Mapping[str, NDArray[np.bool_] | None], label: str, grid: Grid
) -> tuple[Agreement, ...]:
    """Dice of every pair of raters on one label, in the order of the raters' names.

    Args:
        masks_by_rater: Masks (K, J, I); all False where a rater looked and found nothing, None where
            the rater did not annotate the label and so can neither agree nor disagree.
        label: The label.
        grid: Where the voxels are.
    """
    known = {rater: mask for rater, mask in sorted(masks_by_rater.items()) if mask is not None}
    volumes = {rater: volume_ml(mask, grid) for rater, mask in known.items()}
    return tuple(
        Agreement(
            label=label,
            raters=(a, b),
            dice=dice(known[a], known[b]),
            volumes_ml=(volumes[a], volumes[b]),
        )
        for a, b in itertools.combinations(known, 2)
    )


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _count(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int, int]:
    in_first = in_second = in_both = 0
    for n in range(first.size):
        in_first += first[n]
        in_second += second[n]
        in_both += first[n] & second[n]
    return in_first, in_second, in_both
