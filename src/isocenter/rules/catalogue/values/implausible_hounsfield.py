"""values/implausible-hounsfield."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from isocenter.imaging.sample import values_of
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule

_AIR = (-1100, -900)
_TISSUE = (-150, 150)


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.11.1")
def implausible_hounsfield(
    volume: Volume,
    *,
    min_share: Annotated[float, "share of voxels that must look like air or soft tissue"] = 0.01,
) -> Issues:
    """A CT's values cannot be Hounsfield units.

    Why it matters:
        Where slope or intercept were lost or applied twice, air is 0 or -2000 and tissue is 1000. Every
        window, range and statistic is then wrong, and the picture still looks like a CT.

    What to do:
        Compare a place in air (-1000) and one in muscle (about 50) with what a viewer shows, and correct
        the rescale values at the source. A phantom of unusual material may be kept by a decision.

    Examples:
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> issues_of(implausible_hounsfield, a_volume())
        []
        >>> lost = a_volume().array + 1100
        >>> issues_of(implausible_hounsfield, a_volume(lost))
        ['no value below 0 HU: neither air nor fat']

    References:
        DICOM PS3.3 C.11.1 Modality LUT Module; C.8.2.1 CT Image Module
    """
    if volume.unit != "HU":
        return
    values = values_of(volume)
    if values.size == 0:
        return
    low, high = int(values.min()), int(values.max())
    if low >= 0:
        yield Issue(message="no value below 0 HU: neither air nor fat", measured=str(low), unit="HU")
    elif high <= 0:
        yield Issue(message="no value above 0 HU: neither muscle nor blood", measured=str(high), unit="HU")
    else:
        share = max(np.count_nonzero((values >= a) & (values <= b)) / values.size for a, b in (_AIR, _TISSUE))
        if share < min_share:
            yield Issue(
                message="hardly any voxel looks like air or soft tissue",
                measured=f"{100 * share:.2g}",
                expected=f"at least {100 * min_share:g}",
                unit="% of voxels",
            )
