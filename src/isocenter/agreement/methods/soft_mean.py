"""Soft mean: the share of the raters who marked a voxel, kept beside the mask of those with more than half."""

from __future__ import annotations

import numpy as np

from isocenter.agreement.ballot import Ballot, Fused
from isocenter.agreement.votes import count_votes, majority_of


def fuse(ballot: Ballot) -> Fused:
    """Each voter weighs the same; the mask is that of a majority."""
    votes = count_votes(ballot)
    shares = np.divide(votes, len(ballot.masks), dtype=np.float32)
    return Fused(mask=majority_of(votes, ballot), shares=shares)
