"""Exposed: which pixels of a case say something, where the beam of a radiograph did not reach all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.collimation import exposed_field
from isocenter.model.radiograph import RADIOGRAPHS
from isocenter.stages.build.images import Images


def measured_where(images: Images, channel: str) -> NDArray[np.bool_] | None:
    """Where the values of a channel are measured, (K, J, I); None where that is everywhere.

    Borders of a collimator are found, not stated, so they are left out of the statistics alone: the pixels and the
    `valid` mask of the case stay what the file says.
    """
    array = images.arrays[channel]
    if images.volumes[channel].modality not in RADIOGRAPHS or array.shape[0] != 1:
        return images.valid
    found = exposed_field(array[0])
    if found.share == 0:
        return images.valid
    inside = found.mask(array.shape)
    return inside if images.valid is None else inside & images.valid
