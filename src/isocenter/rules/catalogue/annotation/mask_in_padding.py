"""annotation/mask-in-padding."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule
from isocenter.rules.regions import regions_of


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.5.1.1.2")
def mask_in_padding(
    case: Case,
    *,
    max_share: Annotated[float, "share of a label's voxels in padding that is let through"] = 0.01,
) -> Issues:
    """A label lies where there is no image.

    Why it matters:
        Padding was never scanned, so nobody can have seen anything there. The mask is shifted against the
        image, belongs to another one, or was drawn beyond its border.

    What to do:
        Overlay mask and image, and look for a shift or a mirrored axis.

    Examples:
        >>> import numpy as np
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> valid = np.ones((5, 32, 32), bool)
        >>> issues_of(mask_in_padding, a_case(valid=valid))
        []
        >>> valid[:, 14:16] = False
        >>> issues_of(mask_in_padding, a_case(valid=valid))
        ['50 % of label 1 lies in padding']

    References:
        DICOM PS3.3 C.7.5.1.1.2 Pixel Padding Value
    """
    if case.valid is None:
        return
    valid = np.asarray(case.valid)
    for region in regions_of(case):
        share = np.count_nonzero(region.mask & ~valid[region.box]) / region.count
        if share > max_share:
            yield Issue(
                message=f"{100 * share:.2g} % of {region.name} lies in padding",
                measured=f"{100 * share:.3g}",
                expected=f"at most {100 * max_share:g}",
                unit="% of voxels",
            )
