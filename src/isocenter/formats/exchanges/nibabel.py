"""Images of nibabel: the same RAS+ affine, arrays as [i, j, k]."""

from __future__ import annotations

from typing import Any

import nibabel as nib
from numpy.typing import NDArray

from isocenter.model.grid import Grid

# NIfTI-1, xform codes: 1 says "scanner anatomical", 0 that nothing is known of the patient.
_SCANNER = 1


def image(array: NDArray[Any], grid: Grid) -> Any:
    """A NIfTI-1 image whose qform and sform say the same; without codes where the grid is not oriented."""
    i, j, k = grid.spacing_mm[::-1]
    out = nib.Nifti1Image(array.T, grid.affine if grid.is_oriented else None, dtype=array.dtype)
    out.header.set_xyzt_units("mm")
    if grid.is_oriented:
        out.set_sform(grid.affine, _SCANNER)
        # A quaternion has no room for a sheared grid (gantry tilt): then the sform speaks alone.
        out.set_qform(grid.affine, _SCANNER, strip_shears=True)
        is_same = abs(out.header.get_qform() - out.header.get_sform()).max() < 1e-3
        out.header["qform_code"] = _SCANNER if is_same else 0
    else:
        out.header.set_zooms((i, j, k))
        out.header["qform_code"] = out.header["sform_code"] = 0
    return out
