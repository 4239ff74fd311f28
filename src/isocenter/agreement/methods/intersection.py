"""Intersection: a voxel is inside if every rater marked it; the part that nobody doubts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def fuse(masks: Sequence[NDArray[np.bool_]], *, tie_is_foreground: bool) -> NDArray[np.bool_]:  # noqa: ARG001 - an intersection knows no tie
    """All raters are needed."""
    out = masks[0].copy()
    for mask in masks[1:]:
        out &= mask
    return out
