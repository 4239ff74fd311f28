"""STAPLE: what was there and how good each rater is, each estimated from the other (Warfield et al. 2004)."""

from __future__ import annotations

from isocenter.agreement.ballot import Ballot, Fused
from isocenter.agreement.staple import estimate
from isocenter.model.reasons import because


def fuse(ballot: Ballot) -> Fused:
    """The voxels that are more probably inside than not; where all raters agree, so does the result."""
    found = estimate(ballot.masks, tie_is_foreground=ballot.tie_is_foreground)
    issues = (because("build/staple-inverted"),) if found.is_inverted else ()
    return Fused(mask=found.mask, performances=found.performances, issues=issues)
