"""values/non-finite-values."""

from __future__ import annotations

from isocenter.imaging.facts import facts_of
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="NIfTI-1 datatype")
def non_finite_values(volume: Volume) -> Issues:
    """Voxels hold infinity or no number at all.

    Why it matters:
        One such voxel makes a mean, a normalisation and soon every weight of a network "not a number".

    What to do:
        Find the step that divided by zero. If the voxels are background, write a number there.

    Examples:
        >>> import numpy as np
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> issues_of(non_finite_values, a_volume())
        []
        >>> array = np.ones((3, 4, 5), np.float32)
        >>> array[1, 2, 3] = np.nan
        >>> issues_of(non_finite_values, a_volume(array, unit="arbitrary", modality="MR"))
        ['1 voxel holds no finite number']

    References:
        NIfTI-1 standard: datatype; IEEE 754
    """
    if volume.facts is None and volume.array.dtype.kind != "f":
        return
    # what was counted before values became whole numbers stays counted
    if count := int(facts_of(volume).n_not_finite.sum()):
        yield Issue(
            message=f"{count} voxel{' holds' if count == 1 else 's hold'} no finite number",
            measured=str(count),
            expected="0",
            unit="voxels",
        )
