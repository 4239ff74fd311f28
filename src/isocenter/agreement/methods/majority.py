"""Majority: a voxel is inside if more raters marked it than left it out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def fuse(masks: Sequence[NDArray[np.bool_]], *, tie_is_foreground: bool) -> NDArray[np.bool_]:
    """A strict majority of the raters; an even vote as `tie_is_foreground` says."""
    # Votes need one byte a voxel up to 255 raters; all that matters is whether they reach the threshold.
    votes = np.zeros(masks[0].shape, dtype=np.uint8 if len(masks) <= 255 else np.uint16)
    for mask in masks:
        votes += mask
    needed = (len(masks) + 1) // 2 if tie_is_foreground else len(masks) // 2 + 1
    return np.asarray(votes >= needed)
