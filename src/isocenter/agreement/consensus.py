"""The promise of a consensus method, and the fusion of all labels of a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from isocenter.agreement.metrics import agreement_of
from isocenter.base.errors import ConfigError
from isocenter.base.plugins import Plugins
from isocenter.model.annotation import Agreement, Consensus
from isocenter.model.grid import Grid

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
    """

    def __call__(self, masks: Sequence[NDArray[np.bool_]], *, tie_is_foreground: bool) -> NDArray[np.bool_]:
        """Fuse one or more C-contiguous masks (K, J, I) of one label."""


METHODS: Plugins[Method] = Plugins("isocenter.agreement.methods", "fuse")


def fuse(
    masks_by_label_by_rater: Mapping[str, Mapping[str, NDArray[np.bool_] | None]],
    *,
    grid: Grid,
    method: str = "majority",
    tie: str = "background",
) -> Consensus:
    """Fuse what several raters marked, label by label, and measure how far they agree.

    Args:
        masks_by_label_by_rater: Label -> rater -> mask (K, J, I). A mask without a voxel is a vote for
            absence; None, or a rater who is not listed, is no vote.
        grid: Where the voxels are.
        method: Name of a consensus method.
        tie: Whether an even vote is "background" or "foreground".

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
    agreements: list[Agreement] = []
    for label, by_rater in sorted(masks_by_label_by_rater.items()):
        votes = [
            np.ascontiguousarray(mask, dtype=np.bool_)
            for _, mask in sorted(by_rater.items())
            if mask is not None
        ]
        if any(vote.shape != grid.shape for vote in votes):
            raise ValueError(f"a mask of {label!r} is not {grid.shape}")
        if votes:
            masks[label] = how(votes, tie_is_foreground=tie == "foreground")
            agreements += agreement_of(by_rater, label, grid)
    return Consensus(masks=masks, method=method, agreements=tuple(agreements))
