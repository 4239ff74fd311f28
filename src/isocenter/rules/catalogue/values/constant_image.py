"""values/constant-image."""

from __future__ import annotations

import numpy as np

from isocenter.imaging.facts import facts_of
from isocenter.model.issue import Issue, Severity
from isocenter.model.volume import Volume
from isocenter.rules import Issues, rule


@rule(severity=Severity.REJECT, clause="DICOM PS3.3 C.7.6.3")
def constant_image(volume: Volume) -> Issues:
    """Every voxel has the same value.

    Why it matters:
        There is no picture. It may be a failed export, a decoder that gave zeros, or a lost slope.

    What to do:
        Open the source in a viewer. If it shows a picture there, please report it.

    Examples:
        >>> import numpy as np
        >>> from isocenter.testing.rules import a_volume, issues_of
        >>> issues_of(constant_image, a_volume())
        []
        >>> issues_of(constant_image, a_volume(np.zeros((3, 4, 5), np.int16)))
        ['all voxels are 0']

    References:
        DICOM PS3.3 C.7.6.3 Image Pixel Module
    """
    facts = facts_of(volume)
    low, high = np.fmin.reduce(facts.minimum), np.fmax.reduce(facts.maximum)
    if not facts.n_valid.any():
        yield Issue(message="all voxels are padding")
    elif low == high and not facts.n_not_finite.any():
        yield Issue(message=f"all voxels are {low:g}", measured=f"{low:g}")
