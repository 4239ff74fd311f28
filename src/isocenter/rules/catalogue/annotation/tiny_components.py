"""annotation/tiny-components."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from scipy import ndimage

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule
from isocenter.rules.regions import regions_of


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.8.20.2")
def tiny_components(
    case: Case,
    *,
    max_voxels: Annotated[int, "size up to which a piece is reported"] = 1,
) -> Issues:
    """A label has pieces of a single voxel.

    Why it matters:
        Stray clicks and ragged borders leave crumbs. Each counts as a lesion of its own wherever lesions
        are counted, matched or boxed.

    What to do:
        Clean the masks in the tool they were made with, or leave them if lesions are not counted.

    Examples:
        >>> import numpy as np
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> issues_of(tiny_components, a_case())
        []
        >>> mask = a_case().mask.copy()
        >>> mask[0, 0, 0] = 1
        >>> issues_of(tiny_components, a_case(mask=mask))
        ['1 of 2 pieces of label 1 has at most 1 voxel']

    References:
        DICOM PS3.3 C.8.20.2 Segmentation Image Module
    """
    touching = np.ones((3, 3, 3), dtype=np.uint8)
    for region in regions_of(case):
        pieces, count = ndimage.label(region.mask, structure=touching)
        sizes = np.bincount(pieces[region.mask], minlength=count + 1)[1:]
        tiny = int(np.count_nonzero(sizes <= max_voxels))
        if tiny:
            yield Issue(
                message=f"{tiny} of {count} pieces of {region.name} {'has' if tiny == 1 else 'have'} "
                f"at most {max_voxels} voxel{'' if max_voxels == 1 else 's'}",
                measured=str(tiny),
                expected="0",
                unit="pieces",
            )
