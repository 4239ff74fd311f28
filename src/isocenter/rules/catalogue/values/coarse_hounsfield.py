"""values/coarse-hounsfield."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.sample import levels_of, values_of
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule

_SAMPLE, _WINDOW = 1 << 16, 32
# So many voxels for each whole number that chance leaves none of them out.
_EACH, _FEWEST, _MANY = 16, 4, 16


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.11.1")
def coarse_hounsfield(
    volume: Volume,
    *,
    min_share: Annotated[float, "share of the whole numbers in the densest range that occur"] = 0.75,
) -> Issues:
    """A CT's values are spread over every second or third whole number only.

    Why it matters:
        A CT is stored in steps of one HU. Wider steps come from a slope other than 1, from a screen shot or
        a conversion to 8 bits: contrast was thrown away, or the scale is stretched and no HU at all.

    What to do:
        Look for the series as the scanner wrote it. Keep it by a decision if the steps are known and the
        contrast they lose does not matter.

    Examples:
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> issues_of(coarse_hounsfield, a_volume())
        []
        >>> issues_of(coarse_hounsfield, a_volume(a_volume().array // 4 * 4))
        ['the values that occur are 4 HU apart']

    References:
        DICOM PS3.3 C.11.1 Modality LUT Module: output units; C.8.2.1 CT Image Module
    """
    if volume.unit != "HU":
        return
    levels, counts = levels_of(values_of(volume, _SAMPLE))
    kept = _regular(levels, counts)
    step = float(np.gcd.reduce(np.diff(kept))) if kept.size >= _MANY else 1.0
    if step == 1:
        kept = _densest(levels, counts)
        if kept.size < _FEWEST or kept.size >= min_share * (int(kept[-1] - kept[0]) + 1):
            return
        step = float(kept[-1] - kept[0]) / (kept.size - 1)
    yield Issue(
        message=f"the values that occur are {step:.2g} HU apart",
        measured=f"{step:.2g}",
        expected="1",
        unit="HU",
    )


def _regular(levels: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The levels but for padding and the ends, where values were cut off."""
    is_end = (np.arange(levels.size) == 0) | (np.arange(levels.size) == levels.size - 1)
    return np.asarray(levels[~is_end & (counts < counts.max(initial=0))])


def _densest(levels: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The levels in the range that holds most voxels; none where there are too few to leave none out by chance."""
    if levels.size < _FEWEST:
        return levels[:0]
    reach = np.cumsum(counts)
    ends = np.searchsorted(levels, levels + _WINDOW, side="left") - 1
    inside = reach[ends] - reach + counts
    first = int(inside.argmax())
    dense = slice(first, int(ends[first]) + 1)
    if int(inside[first]) < _EACH * _WINDOW:
        return levels[:0]
    # the tails of a narrow peak have holes by chance
    parts = counts[dense] / inside[first]
    share = np.cumsum(parts)
    return np.asarray(levels[dense][(share >= 0.1) & (share - parts <= 0.9)])
