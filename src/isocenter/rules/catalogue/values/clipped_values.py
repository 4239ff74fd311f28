"""values/clipped-values."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from isocenter.imaging.statistics import histogram
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.11.1")
def clipped_values(
    volume: Volume,
    *,
    low_hu: Annotated[int, "lower end of the range that is kept"] = -1024,
    high_hu: Annotated[int, "upper end of the range that is kept"] = 3071,
    noise_hu: Annotated[int, "how far noise in air reaches below the lower end"] = 200,
    max_share: Annotated[float, "share of voxels beyond the range that is let through"] = 0.001,
) -> Issues:
    """Many values of the CT lie beyond the usual range and are cut off at its ends.

    Why it matters:
        -1024 to 3071 is the range of 12-bit scanners and no law. Scanners with an extended scale resolve
        metal above it, and unmarked background lies below it; either is lost in the cut. Noise in air is
        not counted.

    What to do:
        Nothing for soft tissue. Set `standardise.hu_range` to null where implants or dense objects matter.

    Examples:
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> issues_of(clipped_values, a_volume())
        []
        >>> array = a_volume().array
        >>> array[:, 14:18, 14:18] = 9000
        >>> issues_of(clipped_values, a_volume(array))
        ['0 % of voxels below -1224 HU, 1.6 % above 3071 HU']

    References:
        DICOM PS3.3 C.11.1 Modality LUT Module
    """
    array, floor_hu = volume.array, low_hu - noise_hu
    if volume.unit != "HU" or (array.min() >= floor_hu and array.max() <= high_hu):
        return
    levels, counts = histogram(array, valid=volume.valid)
    total = int(counts.sum())
    below, above = int(counts[levels < floor_hu].sum()), int(counts[levels > high_hu].sum())
    if total and below + above > max_share * total:
        share = np.array([below, above]) * 100 / total
        yield Issue(
            message=f"{share[0]:.2g} % of voxels below {floor_hu} HU, {share[1]:.2g} % above {high_hu} HU",
            measured=f"{share.sum():.3g}",
            expected=f"at most {100 * max_share:g}",
            unit="% of voxels",
        )
