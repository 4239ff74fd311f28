"""affine/degenerate-affine."""

from __future__ import annotations

import numpy as np

from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import Stack
from isocenter.rules import Issues, rule

# Volume of the box of the three directions, each of length one: 1 where they are at right angles.
_FLAT = 1e-3


@rule(severity=Severity.REJECT, clause="NIfTI-1 method 3")
def degenerate_affine(stack: Stack) -> Issues:
    """The affine does not span a volume.

    Why it matters:
        With an axis of no length, two axes in one direction, or a number that is none, voxels have no
        place of their own, and whatever is computed from the place is nonsense.

    What to do:
        Convert the file again from its source.

    Examples:
        >>> from isocenter.testing.rules import a_nifti, issues_of
        >>> issues_of(degenerate_affine, a_nifti())
        []
        >>> flat = (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
        >>> issues_of(degenerate_affine, a_nifti(affine=flat))
        ['an axis of the affine has no length']

    References:
        NIfTI-1 standard, method 3 (srow_x, srow_y, srow_z); DICOM PS3.3 C.7.6.2.1.1
    """
    if not stack.affine:
        return
    affine = np.array(stack.affine, dtype=np.float64)
    if affine.size != 16 or not np.isfinite(affine).all():
        yield Issue(message="the affine holds values that are no numbers")
        return
    affine = affine.reshape(4, 4)
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not lengths.all():
        yield Issue(message="an axis of the affine has no length")
    elif abs(np.linalg.det(affine[:3, :3] / lengths)) < _FLAT:
        yield Issue(message="axes of the affine point in one direction")
    elif not np.array_equal(affine[3], (0, 0, 0, 1)):
        yield Issue(message="the last row of the affine is not 0 0 0 1")
