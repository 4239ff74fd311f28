"""Real series of many makers, read as a user reads a folder, against what other programs made of them.

The reference images beside the series were made by the authors of dcm2niix. Volumes and references are brought to
RAS+ by nibabel, so that every voxel is compared at its place, and every place in millimetres.
"""

import gzip
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK

import isocenter
from benchmarks.index import peers
from isocenter.formats.image import FORMATS
from isocenter.model.issue import Severity
from isocenter.model.volume import Volume
from isocenter.pipeline import read as by_hand

pytestmark = pytest.mark.real
TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def rules_of(reading: isocenter.Reading, severity: Severity | None = None) -> set[str]:
    return {i.rule for i in reading.issues if severity is None or i.severity is severity}


def in_ras(array: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    image = nibabel.as_closest_canonical(nibabel.Nifti1Image(array, affine))
    return np.asarray(image.dataobj), image.affine


def corners_mm(shape: Sequence[int], affine: np.ndarray) -> np.ndarray:
    ends = np.array([[n * (m - 1) for n, m in zip(c, shape, strict=True)] for c in np.ndindex(2, 2, 2)])
    return ends @ affine[:3, :3].T + affine[:3, 3]


def assert_equal_image(volumes: Sequence[Volume], path: Path, *, rtol: float = 0.0) -> None:
    """The volumes, in their order, are the reference: every voxel, within a thousandth of a millimetre.

    Scaled values are compared within the precision of the 32-bit floats that they were scaled in.
    """
    image = nibabel.load(path)
    data = np.asarray(image.dataobj)
    data = data[..., None] if data.ndim == 3 else data
    assert len(volumes) == data.shape[3]
    for n, volume in enumerate(volumes):
        found, affine = in_ras(volume.array.T, volume.grid.affine)
        expected, place = in_ras(data[..., n], image.affine)
        assert found.shape == expected.shape
        distance = np.abs(corners_mm(found.shape, affine) - corners_mm(found.shape, place)).max()
        assert distance <= 1e-3, f"volume {n} lies {distance:g} mm off"
        if rtol:
            assert np.allclose(found, expected, rtol=rtol, atol=0), f"volume {n}"
        else:
            assert np.array_equal(found, expected), f"volume {n}"


def along_axis(reading: isocenter.Reading, name: str) -> list[Volume]:
    """Volumes of the one set of that axis, in its order."""
    volumes = [v for v in reading if v.axis is not None and v.axis.name == name]
    assert [v.axis.count for v in volumes] == [len(volumes)] * len(volumes)
    ordered = sorted(volumes, key=lambda v: v.axis.index)
    assert [v.axis.index for v in ordered] == list(range(len(volumes)))
    return ordered


def test_a_chest_is_that_of_simpleitk_voxel_by_voxel(real_data: Path) -> None:
    (folder,) = (real_data / "ct_chest_CPTAC-LSCC_C3N-00247").iterdir()
    reading = isocenter.read(folder)
    assert rules_of(reading) == set()
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    volume = reading.volume
    assert np.array_equal(volume.array, SimpleITK.GetArrayFromImage(image))
    k, j, i = (n - 1 for n in volume.grid.shape)
    for index in [(0, 0, 0), (i, 0, 0), (0, j, 0), (0, 0, k), (i, j, k)]:
        expected = TO_RAS @ [*image.TransformIndexToPhysicalPoint(index), 1]
        assert np.allclose(volume.grid.affine @ [*index, 1], expected, atol=1e-3)


def test_every_slice_leads_back_to_its_file(real_data: Path) -> None:
    (folder,) = (real_data / "ct_chest_CPTAC-LSCC_C3N-00247").iterdir()
    volume = isocenter.read(folder).volume
    assert len({s.file for s in volume.slices}) == len({s.instance for s in volume.slices}) == 99
    assert all(s.frame == 0 and not s.is_synthetic for s in volume.slices)
    assert np.all(np.diff([s.position_mm for s in volume.slices]) > 0)


def test_the_tilted_head_gets_a_verdict_with_its_reasons(real_data: Path) -> None:
    """Its gaps are 4 and 7 mm: no one affine holds, so no volume is returned unless a policy asks for one."""
    reading = isocenter.read(real_data / "ct_gantry_tilt_GE")
    assert len(reading) == 0
    assert "geometry/uneven-slice-spacing" in rules_of(reading, Severity.REJECT)
    assert "geometry/gantry-tilt" in rules_of(reading)


def test_a_series_without_uids_in_jpeg_2000_is_one_volume(real_data: Path) -> None:
    """Against GDCM (OpenJPEG), slice by slice; its mask of 117 structures lies on the same grid."""
    folder = real_data / "ct_j2k_series_plus_nifti_mask"
    paths = sorted((folder / "example_ct_dicom").iterdir())
    volume = isocenter.read(folder / "example_ct_dicom").volume
    assert volume.grid.shape == (20, 512, 512)
    headers = [pydicom.dcmread(p, stop_before_pixels=True, force=True) for p in paths]
    order = np.argsort([float(h.ImagePositionPatient[2]) for h in headers])
    for plane, row, n in zip(volume.array, volume.slices, order, strict=True):
        decoded = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(paths[n])))[0]
        assert np.array_equal(plane, decoded)
        assert row.position_mm == pytest.approx(float(headers[n].ImagePositionPatient[2]), abs=1e-6)
    mask = next(folder.glob("*.nii.gz"))
    found = isocenter.read_annotations(mask, on=volume)
    assert len(found) > 10
    labels = np.unique(np.asarray(nibabel.load(mask).dataobj))
    assert len(found) == np.count_nonzero(labels)


def test_a_missing_slice_is_caught_and_its_complete_twin_is_kept(real_data: Path) -> None:
    holey = isocenter.read(real_data / "mr_prostatex_0000/calc_bval_MISSING_SLICE")
    assert len(holey) == 0
    (missing,) = [i for i in holey.issues if i.rule == "geometry/missing-slices"]
    assert (missing.measured, missing.expected) == ("6", "3")
    whole = isocenter.read(real_data / "mr_prostatex_0000/calc_bval_complete")
    assert whole.volume.grid.shape[0] == 19
    assert rules_of(whole, Severity.REJECT) == set()


def test_mosaics_are_the_reference(real_data: Path) -> None:
    """Their slices are 12 mm apart, for which a cohort rejects them; they are read all the same."""
    folder = real_data / "mr_siemens_mosaic"
    assert rules_of(isocenter.read(folder / "In"), Severity.REJECT) == {"geometry/wide-slice-spacing"}
    found = by_hand._indexed(folder / "In", None)
    stacks = sorted(found.stacks, key=lambda s: s.axis_index)
    assert [(s.axis, s.axis_index, s.axis_count) for s in stacks] == [("time", 0, 2), ("time", 1, 2)]
    volumes = [FORMATS.get(s.format).read(s, [found.paths[f] for f in s.files]) for s in stacks]
    assert_equal_image(volumes, next((folder / "Ref").glob("*.nii")))


def test_time_points_without_a_mark_are_the_reference(real_data: Path) -> None:
    """150 slices of GE at 15 places; only the order of their numbers tells the ten time points apart."""
    folder = real_data / "mr_ge_4d_epi"
    reading = isocenter.read(folder / "In")
    assert rules_of(reading, Severity.REJECT) == set()
    assert_equal_image(along_axis(reading, "time"), next((folder / "Ref").glob("*.nii")))


def test_classic_and_enhanced_objects_of_one_scan_are_one_volume(real_data: Path) -> None:
    folder = real_data / "mr_philips_classic_vs_enhanced"
    classic = isocenter.read(folder / "In/cl").volume
    enhanced = isocenter.read(folder / "In/enh").volume
    assert_equal_image([classic], folder / "Ref/1901_WIP_3DpCASL_cl.nii.gz", rtol=1e-6)
    assert_equal_image([enhanced], folder / "Ref/1901_WIP_3DpCASL_enh_real.nii.gz", rtol=1e-6)
    assert np.allclose(*(in_ras(v.array.T, v.grid.affine)[0] for v in (classic, enhanced)), rtol=1e-6)


def test_enhanced_time_points_of_siemens_are_the_reference(real_data: Path) -> None:
    folder = real_data / "mr_enhanced_siemens_philips"
    reading = isocenter.read(folder / "In/Siemens")
    assert rules_of(reading, Severity.REJECT) == set()
    assert_equal_image(along_axis(reading, "time"), next((folder / "Ref").glob("Siemens*.nii")))


def test_an_enhanced_field_map_of_philips_is_the_reference(real_data: Path) -> None:
    """Magnitude and field map in one object, each frame with its own slope.

    The references are scaled by Philips' private numbers, which differ from Rescale Slope (by a factor for the
    magnitude, in the sixth digit for the map): the numbers under the scale are compared, and ours with the header.
    """
    folder = real_data / "mr_enhanced_siemens_philips"
    header = pydicom.dcmread(next((folder / "In/Philips").iterdir()), stop_before_pixels=True)
    volumes = sorted(isocenter.read(folder / "In/Philips"), key=lambda v: float(v.array.min()))
    assert len(volumes) == 2
    for volume, name, frame in zip(volumes, ("*fieldmaphz.nii", "*801_e1.nii"), (32, 0), strict=True):
        item = header.PerFrameFunctionalGroupsSequence[frame].PixelValueTransformationSequence[0]
        slope, intercept = float(item.RescaleSlope), float(item.RescaleIntercept)
        stored = np.rint((volume.array - intercept) / slope)
        assert np.allclose(volume.array, stored * slope + intercept, rtol=1e-6, atol=1e-4)
        image = nibabel.load(next((folder / "Ref").glob(name)))
        found, affine = in_ras(stored.T, volume.grid.affine)
        expected, place = in_ras(image.dataobj.get_unscaled(), image.affine)
        assert np.array_equal(found, expected)
        assert np.abs(corners_mm(found.shape, affine) - corners_mm(found.shape, place)).max() <= 1e-3


@pytest.mark.parametrize(
    "name",
    ["ct_chest_CPTAC-LSCC_C3N-00247", "mr_prostatex_0000/t2_tra", "mr_prostatex_0000/calc_bval_complete"],
)
def test_what_dcm2niix_makes_of_it_is_equal(name: str, real_data: Path, tmp_path: Path) -> None:
    """The program of the references itself, from PyPI in an environment of its own."""
    command = [peers.dcm2niix(), "-o", str(tmp_path), "-z", "n", "-f", "out", str(real_data / name)]
    subprocess.run(command, check=True, capture_output=True)
    (made,) = tmp_path.glob("*.nii")
    assert_equal_image([isocenter.read(real_data / name).volume], made)


def test_nine_axis_orders_are_one_volume(real_data: Path) -> None:
    seen = {}
    for path in sorted((real_data / "nifti_orientations").glob("*.nii.gz")):
        volume = isocenter.read(path, modality="MR").volume
        seen[path.name] = in_ras(volume.array.T, volume.grid.affine)
    assert len(seen) == 9
    array, affine = seen["RAS.nii.gz"]
    for name, (other, place) in seen.items():
        assert np.array_equal(other, array), name
        assert np.abs(corners_mm(array.shape, affine) - corners_mm(array.shape, place)).max() <= 1e-3, name


def test_a_phantom_in_two_formats_is_one_volume(real_data: Path) -> None:
    """The NIfTI file has the slices in the other direction of z: it says so itself, and begins where DICOM ends."""
    folder = real_data / "orientation_phantom_IBSI2"
    dicom = isocenter.read(folder / "dicom").volume
    (path,) = folder.rglob("*.nii*")
    nifti = isocenter.read(path, modality="CT").volume
    assert np.array_equal(dicom.array, nifti.array[::-1])
    assert np.allclose(np.abs(dicom.grid.affine[:3, :3]), np.abs(nifti.grid.affine[:3, :3]), atol=1e-5)


@pytest.mark.parametrize(
    "name",
    [
        "mr_ge_4d_epi/Ref/DCM2NIIX_regression_test_4.nii",
        "mr_enhanced_siemens_philips/Ref/Siemens_REST1_w_SMS_PF7-8_6.nii",
        "mr_siemens_mosaic/Ref/EPI_PE=AP_3.nii",
    ],
)
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_file_with_a_fourth_axis_is_its_volumes_as_nibabel_reads_them(
    name: str, is_packed: bool, real_data: Path, tmp_path: Path
) -> None:
    """The files that dcm2niix made of 4-D series; the times are the repetition time of the JSON beside each."""
    data, expected = (real_data / name).read_bytes(), nibabel.load(real_data / name)
    path = tmp_path / ("bold.nii.gz" if is_packed else "bold.nii")
    path.write_bytes(gzip.compress(data) if is_packed else data)
    found = by_hand._indexed(path, None)
    stacks = sorted(found.stacks, key=lambda s: s.axis_index)
    values = np.asarray(expected.dataobj)
    seconds = json.loads((real_data / name).with_suffix(".json").read_text())["RepetitionTime"]
    assert [(s.axis, s.axis_index) for s in stacks] == [("time", n) for n in range(values.shape[3])]
    assert np.allclose([s.axis_value for s in stacks], seconds * np.arange(len(stacks)), atol=1e-5)
    for n, stack in enumerate(stacks):
        volume = FORMATS.get("nifti").read(stack, [found.paths[f] for f in stack.files])
        assert np.array_equal(volume.array, values[..., n].T)
        assert np.allclose(volume.grid.affine, expected.affine, atol=1e-6)
