"""values/saturated-values."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from isocenter.imaging.facts import CEILING, facts_of
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.6.3")
def saturated_values(
    volume: Volume,
    *,
    ceiling_hu: Annotated[int, "value from which a CT is at its ceiling"] = 3071,
    min_share: Annotated[float, "share of voxels at the ceiling that is reported"] = 1e-4,
) -> Issues:
    """Many voxels of the CT are at the ceiling of its range: metal.

    Why it matters:
        Metal saturates the scale and throws streaks across the slice. What lies near it is not measured
        any more, and implants may be more common in one class than in the other.

    What to do:
        Look at the slices. Balance cases with metal between partitions, or leave them out on purpose.

    Examples:
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> issues_of(saturated_values, a_volume())
        []
        >>> array = a_volume().array
        >>> array[2, 15:17, 15:17] = 3071
        >>> issues_of(saturated_values, a_volume(array))
        ['0.078 % of voxels are at 3071 HU or above']

    References:
        DICOM PS3.3 C.7.6.3 Image Pixel Module: Bits Stored bounds the values
    """
    if volume.unit != "HU":
        return
    facts = facts_of(volume)
    if ceiling_hu == CEILING:
        count = int(facts.n_above.sum())
    else:
        reaching = np.flatnonzero(facts.maximum >= ceiling_hu)
        count = sum(int(np.count_nonzero(volume.array[k] >= ceiling_hu)) for k in reaching)
    share = count / volume.array.size
    if share >= min_share:
        yield Issue(
            message=f"{100 * share:.2g} % of voxels are at {ceiling_hu} HU or above",
            measured=f"{100 * share:.3g}",
            expected=f"less than {100 * min_share:g}",
            unit="% of voxels",
        )
