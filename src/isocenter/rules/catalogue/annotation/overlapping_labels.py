"""annotation/overlapping-labels."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from isocenter.model.annotation import Consensus
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.8.20.2")
def overlapping_labels(
    consensus: Consensus,
    *,
    max_voxels: Annotated[int, "shared voxels that are let through"] = 0,
) -> Issues:
    """Voxels belong to more than one label.

    Why it matters:
        A label map has room for one label per voxel, so one of them loses voxels: a tumour inside an
        organ may swallow it, or the other way round.

    What to do:
        If structures lie inside each other, keep them as layers (`overlapping: true`). Otherwise look at
        the border that both raters' tools drew.

    Examples:
        >>> import numpy as np
        >>> from isocenter.testing.rules import a_consensus, issues_of
        >>> issues_of(overlapping_labels, a_consensus())
        []
        >>> box = np.ones((2, 2, 2), bool)
        >>> issues_of(overlapping_labels, a_consensus(masks={"lesion": box, "liver": box}))
        ['8 voxels belong to more than one label']

    References:
        DICOM PS3.3 C.8.20.2 Segmentation Image Module: Segments Overlap (0062,0013)
    """
    masks = list(consensus.masks.values())
    if len(masks) < 2:
        return
    seen, shared = masks[0].copy(), np.zeros_like(masks[0])
    for mask in masks[1:]:
        shared |= seen & mask
        seen |= mask
    count = int(np.count_nonzero(shared))
    if count > max_voxels:
        yield Issue(
            message=f"{count} voxel{' belongs' if count == 1 else 's belong'} to more than one label",
            measured=str(count),
            expected=f"at most {max_voxels}",
            unit="voxels",
        )
