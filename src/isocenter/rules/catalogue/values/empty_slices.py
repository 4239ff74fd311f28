"""values/empty-slices."""

from __future__ import annotations

import numpy as np

from isocenter.imaging.facts import facts_of
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.7.6.3")
def empty_slices(volume: Volume) -> Issues:
    """Slices hold one value throughout, in a volume that is not empty.

    Why it matters:
        A slice of zeros between slices with a picture was lost on the way: in an export, a decoder, or a
        tool that filled a gap. Anatomy that goes on through it is cut in two. At the ends of a volume
        such slices are common after masking or registration, and are only noted.

    What to do:
        Read the slice's own file in a viewer. If it is empty there too, export the series again.

    Examples:
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> issues_of(empty_slices, a_volume())
        []
        >>> array = a_volume().array
        >>> array[2] = 0
        >>> issues_of(empty_slices, a_volume(array))
        ['1 slice is empty, the first at 2']
        >>> array[-1] = 0
        >>> issues_of(empty_slices, a_volume(array))
        ['1 slice is empty, the first at 2', '1 slice at the ends is empty']

    References:
        DICOM PS3.3 C.7.6.3 Image Pixel Module
    """
    if not volume.modality:
        return  # it may be a mask
    facts = facts_of(volume)
    is_empty = ((facts.minimum == facts.maximum) & (facts.n_not_finite == 0)) | (facts.n_valid == 0)
    pictured = np.flatnonzero(~is_empty)
    if pictured.size in {0, len(is_empty)}:
        return
    inside = pictured[0] + np.flatnonzero(is_empty[pictured[0] : pictured[-1]])
    if count := len(inside):
        yield Issue(
            message=f"{_slices(count)} empty, the first at {inside[0]}",
            measured=str(count),
            expected="0",
            unit="slices",
        )
    if count := int(is_empty.sum()) - len(inside):
        yield Issue(
            message=f"{_slices(count, ' at the ends')} empty",
            severity=Severity.NOTE,
            measured=str(count),
            expected="0",
            unit="slices",
        )


def _slices(count: int, where: str = "") -> str:
    return f"1 slice{where} is" if count == 1 else f"{count} slices{where} are"
