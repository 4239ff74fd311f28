"""Votes: how many raters marked each voxel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.agreement.ballot import Ballot


def count_votes(ballot: Ballot) -> NDArray[Any]:
    """How many raters marked each voxel (K, J, I): one byte up to 255 raters, two above."""
    masks = list(ballot.masks.values())
    votes = np.zeros(masks[0].shape, dtype=np.uint8 if len(masks) <= 255 else np.uint16)
    for mask in masks:
        votes += mask
    return votes


def majority_of(votes: NDArray[Any], ballot: Ballot) -> NDArray[np.bool_]:
    """Voxels that more raters marked than left out, and those of an even vote if the ballot says so."""
    count = len(ballot.masks)
    return np.asarray(votes >= ((count + 1) // 2 if ballot.tie_is_foreground else count // 2 + 1))
