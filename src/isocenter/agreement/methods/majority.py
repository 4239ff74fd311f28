"""Majority: a voxel is inside if more raters marked it than left it out."""

from __future__ import annotations

from isocenter.agreement.ballot import Ballot, Fused
from isocenter.agreement.votes import count_votes, majority_of


def fuse(ballot: Ballot) -> Fused:
    """A strict majority of the raters; an even vote as the ballot says."""
    return Fused(mask=majority_of(count_votes(ballot), ballot))
