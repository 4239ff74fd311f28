"""The promise of a consensus method, and the fusion of all labels of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from isocenter.agreement.ballot import Ballot, Fused
from isocenter.agreement.metrics import agreement_of
from isocenter.base.errors import ConfigError
from isocenter.base.plugins import Plugins
from isocenter.model.annotation import Agreement, Consensus, Performance
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue

TIES = ("background", "foreground")


class Method(Protocol):
    """How the masks of several raters become one.

    Contract:
        * The order of the masks does not matter.
        * Where all raters agree on a voxel, so does the result.
        * One mask comes back as it is; the masks given are never changed.
        * The result is a new bool array of their shape, the same bytes for the same masks.
        * `tie_is_foreground` decides a voxel that as many raters marked as left out, if the method can
          meet one.
        * None means that there is no consensus: who was to be asked did not annotate the label.
    """

    def __call__(self, ballot: Ballot) -> Fused | None:
        """Fuse one or more masks of one label."""


METHODS: Plugins[Method] = Plugins("isocenter.agreement.methods", "fuse")


def fuse(
    masks_by_label_by_rater: Mapping[str, Mapping[str, NDArray[np.bool_] | None]],
    *,
    grid: Grid,
    method: str = "majority",
    tie: str = "background",
    rater: str = "",
    surface_mm: float | None = None,
) -> Consensus:
    """Fuse what several raters marked, label by label, and measure how far they agree.

    Args:
        masks_by_label_by_rater: Label -> rater -> mask (K, J, I). A mask without a voxel is a vote for
            absence; None, or a rater who is not listed, is no vote.
        grid: Where the voxels are.
        method: Name of a consensus method.
        tie: Whether an even vote is "background" or "foreground".
        rater: Whose masks are taken, for the method "single".
        surface_mm: Tolerance of the surface Dice of each pair of raters; None leaves the surfaces out.

    Returns:
        One mask for each label that at least one rater annotated, labels sorted, and the agreement of
        every pair of raters. The raters' own masks are left as they are.

    Raises:
        ConfigError: tie is neither.
        UnknownPlugin: no such method.
    """
    if tie not in TIES:
        raise ConfigError(f"tie is one of {', '.join(TIES)}, not {tie!r}")
    how = METHODS.get(method)
    masks: dict[str, NDArray[np.bool_]] = {}
    shares: dict[str, NDArray[np.float32]] = {}
    agreements: list[Agreement] = []
    performances: list[Performance] = []
    issues: list[Issue] = []
    for label, by_rater in sorted(masks_by_label_by_rater.items()):
        votes = {
            name: np.ascontiguousarray(mask, dtype=np.bool_)
            for name, mask in sorted(by_rater.items())
            if mask is not None
        }
        if any(vote.shape != grid.shape for vote in votes.values()):
            raise ValueError(f"a mask of {label!r} is not {grid.shape}")
        if not votes:
            continue
        agreements += agreement_of(votes, label, grid, surface_mm=surface_mm)
        fused = how(Ballot(masks=votes, tie_is_foreground=tie == "foreground", rater=rater))
        if fused is None:
            continue
        masks[label] = fused.mask
        if fused.shares is not None:
            shares[label] = fused.shares
        performances += [replace(each, label=label) for each in fused.performances]
        issues += fused.issues
    return Consensus(
        masks=masks,
        method=method,
        agreements=tuple(agreements),
        issues=tuple(issues),
        shares=shares,
        performances=tuple(performances),
    )
