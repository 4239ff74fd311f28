"""The promise of an exchange: our arrays as the image type of another library, for people who live there."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isocenter.base.plugins import Plugins
from isocenter.model.grid import Grid


class Exchange(Protocol):
    """One other library's image type, as a plain module.

    Contract:
        * Values and their type are kept; a mask of bool becomes uint8.
        * Every voxel is where it was in the patient: what the other library says of a voxel's place is what
          the grid says, in the other library's own axes.
        * A grid that says nothing of the patient gives an image that says nothing of the patient, where the
          other library can say so.
        * The image owns its voxels, or shares them with nobody who would change them.
    """

    def image(self, array: NDArray[Any], grid: Grid) -> Any:
        """An image of values (K, J, I) on a grid."""


EXCHANGES: Plugins[Exchange] = Plugins("isocenter.formats.exchanges")


def exchanged(name: str, array: NDArray[Any], grid: Grid) -> Any:
    """An array (K, J, I) on a grid as another library's image."""
    values = array.astype(np.uint8) if array.dtype == np.bool_ else array.copy()
    return EXCHANGES.get(name).image(values, grid)
