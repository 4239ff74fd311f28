"""Union: a voxel is inside if any rater marked it; for tasks where a miss costs more than a false mark."""

from __future__ import annotations

from isocenter.agreement.ballot import Ballot, Fused


def fuse(ballot: Ballot) -> Fused:
    """Any rater suffices."""
    first, *others = ballot.masks.values()
    out = first.copy()
    for mask in others:
        out |= mask
    return Fused(mask=out)
