"""Descriptors: what stands for each channel of a case when near-duplicates are looked for."""

from __future__ import annotations

import numpy as np

from isocenter.imaging.descriptor import Descriptor, descriptor_of
from isocenter.model.descriptor_rows import DescriptorRow
from isocenter.stages.build.images import Images


def descriptors_of(case: str, images: Images) -> list[DescriptorRow]:
    """One row for each channel that is there, on the grid of the case."""
    return [
        row_of(case, channel, descriptor_of(array, images.grid, valid=images.valid))
        for channel, array in sorted(images.arrays.items())
    ]


def row_of(case: str, channel: str, descriptor: Descriptor) -> DescriptorRow:
    """A descriptor as a row; numbers are stored with their lowest byte first."""
    return DescriptorRow(
        case=case,
        channel=channel,
        exact=descriptor.exact,
        vector=descriptor.vector.astype(np.dtype("<f4")).tobytes(),
        picture=descriptor.picture.tobytes(),
        picture_shape=descriptor.picture.shape,
        extent_mm=descriptor.extent_mm,
        version=descriptor.version,
    )
