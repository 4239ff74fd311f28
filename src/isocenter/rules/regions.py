"""The labels of a case as regions: each its name, the box around it, and its voxels in that box."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from isocenter.model.case import Case


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """All voxels of one label: `mask` (k, j, i) covers the `box` of the image."""

    value: int
    box: tuple[slice, slice, slice]
    mask: NDArray[np.bool_]

    @property
    def name(self) -> str:
        """The label by its value in the mask."""
        return f"label {self.value}"

    @property
    def count(self) -> int:
        """Number of voxels."""
        return int(np.count_nonzero(self.mask))


def regions_of(case: Case) -> Iterator[Region]:
    """The labels that have voxels: values of a label map (K, J, I), or layers (L, K, J, I) counted from 1."""
    if case.mask is None:
        return
    mask = np.asarray(case.mask)
    if mask.ndim == 3:
        for value, box in enumerate(ndimage.find_objects(mask), start=1):
            if box is not None:
                yield Region(value, box, mask[box] == value)
        return
    for value, layer in enumerate(mask, start=1):
        for box in ndimage.find_objects((layer != 0).view(np.uint8)):
            yield Region(value, box, layer[box] != 0)
