"""annotation/box-beyond-image."""

from __future__ import annotations

import itertools
from typing import Annotated

import numpy as np

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.2.1.1")
def box_beyond_image(
    case: Case,
    *,
    tolerance_voxels: Annotated[float, "how far a box may reach beyond the outer voxels"] = 1.0,
) -> Issues:
    """A box reaches beyond the image.

    Why it matters:
        A box drawn on the image lies inside it. One that does not was written in other axes (LPS for RAS),
        in voxels instead of millimetres, or for another image.

    What to do:
        Check the axes and the unit of the table (`world: LPS` or `RAS`), and the column that names the
        image.

    Examples:
        >>> import numpy as np
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> inside = np.array([[-12.0, -12.0, 2.0, -8.0, -8.0, 6.0]])
        >>> issues_of(box_beyond_image, a_case(boxes=inside))
        []
        >>> mirrored = np.array([[8.0, 8.0, 2.0, 12.0, 12.0, 6.0]])
        >>> issues_of(box_beyond_image, a_case(boxes=mirrored))
        ['1 of 1 boxes reaches beyond the image, by up to 14.5 voxels']

    References:
        DICOM PS3.3 C.7.6.2.1.1: positions in LPS; NIfTI-1: positions in RAS
    """
    if not len(case.boxes):
        return
    size = np.array(case.grid.shape[::-1], dtype=np.float64)
    reach = np.zeros(len(case.boxes))
    for corner in itertools.product((0, 3), (1, 4), (2, 5)):
        voxel = case.grid.to_voxel(np.asarray(case.boxes, dtype=np.float64)[:, corner])
        beyond = np.maximum(-0.5 - voxel, voxel - (size - 0.5)).max(axis=1)
        reach = np.maximum(reach, beyond)
    count = int(np.count_nonzero(~(reach <= tolerance_voxels)))
    if count:
        yield Issue(
            message=f"{count} of {len(reach)} boxes {'reaches' if count == 1 else 'reach'} beyond the image, "
            f"by up to {reach.max():.3g} voxels",
            measured=f"{reach.max():.3g}",
            expected=f"at most {tolerance_voxels:g}",
            unit="voxels",
        )
