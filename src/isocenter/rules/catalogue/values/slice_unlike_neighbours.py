"""values/slice-unlike-neighbours."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.facts import facts_of
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule

_PERCENTILES = (10, 50, 90)


@rule(severity=Severity.REVIEW, clause="DICOM PS3.3 C.11.1")
def slice_unlike_neighbours(
    volume: Volume,
    *,
    jump_hu: Annotated[float, "shift against both neighbours that anatomy does not make"] = 500,
) -> Issues:
    """All values of a slice lie far above or below those of the slices beside it.

    Why it matters:
        Anatomy changes from slice to slice, but air stays air. Where the darkest, the middle and the
        brightest part of a slice are shifted together, its rescale intercept was lost or is another one,
        and most tools stack it without a word.

    What to do:
        Compare the slice's Rescale Intercept with its neighbours', and export the series again.

    Examples:
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> issues_of(slice_unlike_neighbours, a_volume())
        []
        >>> array = a_volume().array
        >>> array[2] += 1024
        >>> issues_of(slice_unlike_neighbours, a_volume(array))
        ['slice 2 lies 1023 HU above both neighbours']

    References:
        DICOM PS3.3 C.11.1 Modality LUT Module; C.8.2.1 CT Image Module: Rescale Intercept
    """
    if volume.unit != "HU" or len(volume.array) < 3:
        return
    lowest = facts_of(volume).minimum
    steps = np.diff(lowest)
    for k in 1 + np.flatnonzero(_together(steps[:-1], -steps[1:]) > jump_hu):
        planes = [_spread_of(volume, int(n)) for n in (k - 1, k, k + 1)]
        if any(plane.size == 0 for plane in planes):
            continue
        against = np.concatenate([planes[1] - planes[0], planes[1] - planes[2]])
        if np.abs(against).min() > jump_hu and (np.sign(against) == np.sign(against[0])).all():
            shift = float(np.median(against))
            yield Issue(
                message=f"slice {k} lies {abs(shift):.0f} HU {'above' if shift > 0 else 'below'} both neighbours",
                measured=f"{shift:.0f}",
                expected=f"at most {jump_hu:g}",
                unit="HU",
            )


def _together(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """The smaller of two shifts where they are in one direction, else 0; NaN of an empty slice is 0."""
    with np.errstate(invalid="ignore"):
        smaller = np.minimum(np.abs(first), np.abs(second))
        return np.nan_to_num(np.where(first * second > 0, smaller, 0.0))


def _spread_of(volume: Volume, k: int) -> NDArray[np.float64]:
    plane = volume.array[k] if volume.valid is None else volume.array[k][volume.valid[k]]
    if plane.size == 0:
        return np.empty(0)
    values, counts = np.unique(plane, return_counts=True)
    # what is padding in one slice may be air in the next
    rest = plane[plane != values[counts.argmax()]]
    return np.asarray(np.percentile(rest if rest.size else plane, _PERCENTILES))
