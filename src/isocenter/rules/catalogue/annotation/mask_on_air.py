"""annotation/mask-on-air."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from isocenter.model.case import Case
from isocenter.model.issue import Issue, Severity
from isocenter.rules import Issues, rule
from isocenter.rules.regions import regions_of


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.2.1.1")
def mask_on_air(
    case: Case,
    *,
    air_hu: Annotated[int, "values below are air, not aerated lung"] = -950,
    max_share: Annotated[float, "share of a label's voxels in air that is let through"] = 0.9,
    ignore_values: Annotated[tuple[int, ...], "mask values for which air is right: airways, bowel gas"] = (),
) -> Issues:
    """A label of a CT lies in air, outside the body.

    Why it matters:
        A mask that is mirrored or shifted often lands beside the patient. It fits the grid, so nothing
        but the values under it tells.

    What to do:
        Overlay mask and image, and look for a mirrored axis. Name the values of airways and bowel gas in
        `ignore_values`.

    Examples:
        >>> import numpy as np
        >>> from isocenter.testing.rules import a_case, issues_of
        >>> issues_of(mask_on_air, a_case())
        []
        >>> mask = np.zeros((5, 32, 32), np.uint8)
        >>> mask[:, :2, :4] = 1
        >>> issues_of(mask_on_air, a_case(mask=mask))
        ['100 % of label 1 lies in air']

    References:
        DICOM PS3.3 C.7.6.2.1.1 Image Position and Image Orientation
    """
    channel = next((c for c, unit in enumerate(case.units) if unit == "HU"), None)
    if channel is None:
        return
    for region in regions_of(case):
        if region.value in ignore_values:
            continue
        values = np.asarray(case.image[(channel, *region.box)])[region.mask]
        share = np.count_nonzero(values < air_hu) / values.size
        if share > max_share:
            yield Issue(
                message=f"{100 * share:.3g} % of {region.name} lies in air",
                measured=f"{100 * share:.3g}",
                expected=f"at most {100 * max_share:g}",
                unit="% of voxels",
            )
