"""Intersection: a voxel is inside if every rater marked it; the part that nobody doubts."""

from __future__ import annotations

from isocenter.agreement.ballot import Ballot, Fused


def fuse(ballot: Ballot) -> Fused:
    """All raters are needed."""
    first, *others = ballot.masks.values()
    out = first.copy()
    for mask in others:
        out &= mask
    return Fused(mask=out)
