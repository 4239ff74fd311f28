"""Single: what one named rater marked; what the others marked is kept and compared, and decides nothing."""

from __future__ import annotations

from isocenter.agreement.ballot import Ballot, Fused


def fuse(ballot: Ballot) -> Fused | None:
    """The named rater's mask; none where this rater did not annotate the label."""
    mask = ballot.masks.get(ballot.rater)
    return None if mask is None else Fused(mask=mask.copy())
