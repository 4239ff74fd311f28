"""Union: a voxel is inside if any rater marked it; for tasks where a miss costs more than a false mark."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def fuse(masks: Sequence[NDArray[np.bool_]], *, tie_is_foreground: bool) -> NDArray[np.bool_]:  # noqa: ARG001 - a union knows no tie
    """Any rater suffices."""
    out = masks[0].copy()
    for mask in masks[1:]:
        out |= mask
    return out
