"""RTSTRUCT contours of 36 real series equal the masks that another tool (MIRP) made of them."""

import os
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest

from isocenter.imaging.affine import MatchKind, canonical, grid_from_slices, match
from isocenter.imaging.shapes import Contours, MaskShape
from isocenter.model.grid import Grid

ROOT = Path(os.environ.get("ISOCENTER_REAL_DATA", "")) / "rtstruct_ct_pet_mr_IBSI"
PATIENTS = ("002", "003", "008", "012", "015", "018", "024", "025", "032", "035", "041", "043")
TO_RAS = np.array([-1.0, -1.0, 1.0])

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not os.environ.get("ISOCENTER_REAL_DATA") or not ROOT.is_dir(), reason="no real data"),
]


def read_grid(folder: Path) -> Grid:
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(folder.glob("*.dcm"))]
    row, column = np.array(headers[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    normal = np.cross(row, column)
    positions = sorted(
        (np.array(h.ImagePositionPatient, dtype=float) for h in headers), key=lambda p: float(p @ normal)
    )
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    spacing = [float(s) for s in headers[0].PixelSpacing]
    shape = (len(headers), int(headers[0].Rows), int(headers[0].Columns))
    return grid_from_slices(
        positions[0] * TO_RAS, row * TO_RAS, column * TO_RAS, spacing, step * TO_RAS, shape
    )


def read_contours(path: Path) -> Contours:
    dataset = pydicom.dcmread(path)
    (roi,) = dataset.ROIContourSequence
    assert {c.ContourGeometricType for c in roi.ContourSequence} == {"CLOSED_PLANAR"}
    return Contours(
        tuple(np.array(c.ContourData, dtype=float).reshape(-1, 3) * TO_RAS for c in roi.ContourSequence)
    )


@pytest.mark.parametrize("modality", ["CT", "PET", "MR_T1"])
@pytest.mark.parametrize("patient", PATIENTS)
def test_no_voxel_differs(patient: str, modality: str) -> None:
    folder = ROOT / "dicom" / f"STS_{patient}" / modality
    grid = read_grid(folder / "image")
    shape = read_contours(folder / "mask" / "RS.dcm")
    image = nibabel.load(ROOT / "nifti" / f"STS_{patient}" / f"{modality}_mask.nii.gz")
    stored = np.asarray(image.dataobj).T > 0
    expected = MaskShape(stored, Grid(stored.shape, np.asarray(image.affine)))
    assert np.count_nonzero(stored) > 300
    assert np.count_nonzero(shape.mask(grid) != expected.mask(grid)) == 0

    reorder = canonical(grid)
    assert reorder.grid.axis_codes == "RAS"
    assert np.array_equal(reorder.invert(shape.mask(reorder.grid)), shape.mask(grid))
    assert match(grid, expected.grid).kind in {MatchKind.ROUNDING, MatchKind.EXACT, MatchKind.REORDERED}
    report = shape.report(grid)
    assert report.contours == report.filled == len(shape.polygons)
    assert report.duplicates == report.outside == report.off_plane == report.overlapping == 0
