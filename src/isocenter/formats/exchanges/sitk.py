"""Images of SimpleITK: the same voxels, with origin and directions in LPS."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from isocenter.model.grid import Grid

# ITK's axes are those of DICOM: x to the left, y to the back.
_TO_LPS = np.diag([-1.0, -1.0, 1.0])


def image(array: NDArray[Any], grid: Grid) -> Any:
    """An ITK image; its direction matrix is sheared where the grid is."""
    spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
    out = SimpleITK.GetImageFromArray(array)
    out.SetSpacing([float(s) for s in spacing])
    out.SetOrigin([float(v) for v in _TO_LPS @ grid.affine[:3, 3]])
    out.SetDirection([float(v) for v in (_TO_LPS @ (grid.affine[:3, :3] / spacing)).ravel()])
    return out
