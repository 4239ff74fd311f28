"""geometry/non-orthogonal-axes."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.2.1.1")
def non_orthogonal_axes(
    stack: Stack,
    *,
    tolerance: Annotated[float, "deviation from unit length or right angle that is rounding"] = 1e-4,
    repairable: Annotated[float, "deviation up to which it is only noted"] = 1e-2,
) -> Issues:
    """Row and column direction are not unit vectors at a right angle.

    Why it matters:
        The directions place every voxel. Cosines cut to few decimals move the far corner of an image by
        a fraction of a millimetre; a wrong number tilts or stretches the patient.

    What to do:
        Nothing for a note. For a rejected stack, correct the header at its source.

    Examples:
        >>> from isocenter.testing.rules import a_stack, issues_of
        >>> issues_of(non_orthogonal_axes, a_stack(orientation=(1, 0, 0, 0, 0.70711, 0.70711)))
        []
        >>> issues_of(non_orthogonal_axes, a_stack(orientation=(1, 0, 0, 0.5, 1, 0)))
        ['the directions of rows and columns are off by 0.5']

    References:
        DICOM PS3.3 C.7.6.2.1.1: the cosines shall be normal and orthogonal
    """
    if len(stack.orientation) != 6:
        return
    row, column = np.array(stack.orientation, dtype=np.float64).reshape(2, 3)
    faults = np.linalg.norm(row) - 1, np.linalg.norm(column) - 1, row @ column
    off = float(np.abs(faults).max())
    if not off <= tolerance:  # also where a cosine is not a number
        yield Issue(
            message=f"the directions of rows and columns are off by {off:.2g}",
            severity=Severity.NOTE if off <= repairable else None,
            measured=f"{off:.2g}",
            expected=f"at most {tolerance:g}",
        )
