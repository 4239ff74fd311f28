"""Ballot: what the raters of one label marked, and what a consensus method makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.model.annotation import Performance
from isocenter.model.issue import Issue


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Ballot:
    """The votes on one label.

    Args:
        masks: Rater -> C-contiguous mask (K, J, I), at least one; raters who did not annotate are not listed.
        tie_is_foreground: Whether a voxel that as many raters marked as left out is inside.
        rater: Whose vote counts, for a method that asks one rater.
    """

    masks: Mapping[str, NDArray[np.bool_]]
    tie_is_foreground: bool = False
    rater: str = ""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Fused:
    """What a method made of the votes on one label.

    Args:
        mask: The consensus, (K, J, I), sharing no memory with any vote.
        shares: How sure it is of every voxel, float32 from 0 to 1, where the method tells.
        performances: How good it takes each rater to be, where it tells.
        issues: What a person should know of it.
    """

    mask: NDArray[np.bool_]
    shares: NDArray[np.float32] | None = None
    performances: tuple[Performance, ...] = ()
    issues: tuple[Issue, ...] = ()
