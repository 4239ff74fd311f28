"""values/unmarked-padding."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from isocenter.imaging.facts import facts_of
from isocenter.imaging.sample import values_of
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule


@rule(severity=Severity.NOTE, clause="DICOM PS3.3 C.7.5.1.1.2")
def unmarked_padding(
    volume: Volume,
    *,
    below_hu: Annotated[int, "padding lies below what air can be"] = -1024,
    min_share: Annotated[float, "share of voxels that the padding must have"] = 0.01,
) -> Issues:
    """The corners of the CT hold one value below that of air, and nothing marks it as padding.

    Why it matters:
        Pixels outside the scanned circle are filled with -2000 or -3024 and are no air. Unless the header
        marks them, they enter every mean, percentile and window.

    What to do:
        Nothing, if values are clipped at -1024: they become air. For statistics over the whole image,
        mask them first.

    Examples:
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> issues_of(unmarked_padding, a_volume())
        []
        >>> array = a_volume().array
        >>> array[:, :4] = array[:, -4:] = -2000
        >>> issues_of(unmarked_padding, a_volume(array))
        ['25 % of voxels are -2000 HU, as are the corners']

    References:
        DICOM PS3.3 C.7.5.1.1.2 Pixel Padding Value and Pixel Padding Range Limit
    """
    if volume.unit != "HU" or not np.fmin.reduce(facts_of(volume).minimum) < below_hu:
        return
    places = (slice(None), [0, 0, -1, -1], [0, -1, 0, -1])
    corners = volume.array[places] if volume.valid is None else volume.array[places][volume.valid[places]]
    if corners.size == 0:
        return
    values, counts = np.unique(corners, return_counts=True)
    value = int(values[counts.argmax()])
    if value >= below_hu or 2 * int(counts.max()) < corners.size:
        return  # corners that differ are noise, not padding
    sample = values_of(volume)
    share = int(np.count_nonzero(sample == value)) / sample.size
    if share >= min_share:
        yield Issue(
            message=f"{100 * share:.2g} % of voxels are {value} HU, as are the corners",
            measured=str(value),
            expected=f"at least {below_hu}",
            unit="HU",
        )
