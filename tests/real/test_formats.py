"""Real files of many makers against other readers."""

import gzip
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.pixels import apply_modality_lut

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.file import read_dataset, read_header
from isocenter.formats.dicom.pixels import stored_pixels
from isocenter.formats.image import FORMATS, HEAD_BYTES, format_of
from isocenter.formats.kinds import kind_of_file, meaning_of
from isocenter.imaging.affine import canonical
from isocenter.model.reasons import REASONS
from tests.contracts.files import read_files, stack_of

pytestmark = pytest.mark.real
TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
LOSSLESS = ("1.2", "1.2.1", "1.2.2", "1.2.1.99", "1.2.4.57", "1.2.4.70", "1.2.4.80", "1.2.4.90", "1.2.5")
LOSSY = {"1.2.4.51": 40, "1.2.4.53": 40, "1.2.4.55": 40, "1.2.4.81": 1, "1.2.4.91": 5, "1.2.4.50": 65}


def of_syntax(folder: Path, syntax: str) -> Path:
    (path,) = (folder / "transfer_syntaxes_ct").glob(f"*_1.2.840.10008.{syntax}.dcm")
    return path


def hounsfield(path: Path) -> np.ndarray:
    dataset = read_dataset(path)
    return apply_modality_lut(stored_pixels(dataset).astype(np.float64), dataset)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_lossless_transfer_syntaxes_are_exact(syntax: str, real_data: Path) -> None:
    expected = pydicom.dcmread(real_data / "transfer_syntaxes_ct" / "CTImage.dcm").pixel_array
    found = stored_pixels(read_dataset(of_syntax(real_data, syntax)))
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("syntax", sorted(LOSSY))
def test_lossy_transfer_syntaxes_are_near(syntax: str, real_data: Path) -> None:
    expected = hounsfield(real_data / "transfer_syntaxes_ct" / "CTImage.dcm")
    found = hounsfield(of_syntax(real_data, syntax))
    assert 0 < np.abs(found - expected).max() <= LOSSY[syntax]


def in_order(paths: list[Path]) -> list[pydicom.Dataset]:
    headers = [pydicom.dcmread(p) for p in paths]
    row, column = np.array(headers[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(row, column)
    return sorted(headers, key=lambda h: float(np.array(h.ImagePositionPatient, float) @ normal))


SERIES = [
    ("ct_chest_CPTAC-LSCC_C3N-00247", "**/*.dcm", "CT"),
    ("ct_j2k_series_plus_nifti_mask/example_ct_dicom", "CT.*", "CT"),
    ("rtstruct_ct_pet_mr_IBSI/dicom/STS_002/CT/image", "*.dcm", "CT"),
    ("rtstruct_ct_pet_mr_IBSI/dicom/STS_002/PET/image", "*.dcm", "PT"),
    ("rtstruct_ct_pet_mr_IBSI/dicom/STS_032/PET/image", "*.dcm", "PT"),
    ("rtstruct_ct_pet_mr_IBSI/dicom/STS_002/MR_T1/image", "*.dcm", "MR"),
    ("mr_prostatex_0000", "**/*.dcm", "MR"),
]


@pytest.mark.parametrize(("folder", "pattern", "modality"), SERIES, ids=[s[0] for s in SERIES])
def test_series_equal_other_readers(folder: str, pattern: str, modality: str, real_data: Path) -> None:
    by_series: dict[str, list[Path]] = {}
    for path in sorted((real_data / folder).glob(pattern)):
        uid = str(pydicom.dcmread(path, stop_before_pixels=True).SeriesInstanceUID)
        by_series.setdefault(uid, []).append(path)
    paths = max(by_series.values(), key=len)
    volume = read_files("dicom", paths)
    assert volume.modality == modality
    headers = in_order(paths)
    for plane, header in zip(volume.array, headers, strict=True):
        expected = apply_modality_lut(header.pixel_array.astype(np.float64), header)
        if modality == "CT":
            assert np.array_equal(plane, np.rint(expected))
        else:
            assert np.array_equal(plane.astype(np.float32), expected.astype(np.float32))
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames([str(h.filename) for h in headers])
    image = reader.Execute()
    k, j, i = (n - 1 for n in volume.grid.shape)
    for index in [(0, 0, 0), (i, 0, 0), (0, j, 0), (0, 0, k), (i, j, k)]:
        expected = TO_RAS @ [*image.TransformIndexToPhysicalPoint(index), 1]
        assert np.allclose(volume.grid.affine @ [*index, 1], expected, atol=0.02)
    if modality == "CT":
        assert np.array_equal(volume.array, np.rint(SimpleITK.GetArrayFromImage(image)))


def test_a_tilted_gantry_keeps_its_positions(real_data: Path) -> None:
    paths = sorted((real_data / "ct_gantry_tilt_GE").glob("*.dcm"))
    headers = in_order(paths)
    stack = stack_of("dicom", paths)
    row, column = np.array(headers[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = TO_RAS[:3, :3] @ np.cross(row, column)
    expected = [TO_RAS[:3, :3] @ np.array(h.ImagePositionPatient, float) @ normal for h in headers]
    assert np.allclose(stack.positions_mm, expected, atol=1e-6)
    assert np.ptp(np.diff(stack.positions_mm)) > 2
    assert stack.gantry_tilt_deg == pytest.approx(18.5, abs=0.6)
    assert stack.affine_residual_mm > 5
    volume = FORMATS.get("dicom").read(stack, [paths[int(f)] for f in stack.files])
    padding = np.stack([h.pixel_array == h.PixelPaddingValue for h in headers])
    assert padding.any()
    assert np.array_equal(~volume.valid, padding)
    assert (volume.array[padding] == -1024).all()


def test_a_monochrome1_twin_is_turned(real_data: Path) -> None:
    twin = real_data / "xray_dicom" / "Fake_MONOHR1.dcm"
    volume = read_files("dicom", [twin])
    header = pydicom.dcmread(twin)
    top = (1 << int(header.BitsStored)) - 1
    assert header.PhotometricInterpretation == "MONOCHROME1"
    assert np.array_equal(volume.array[0].astype(int), top - header.pixel_array.astype(int))


def test_the_phantom_has_the_same_voxels_in_both_formats(real_data: Path) -> None:
    """Its two files disagree on the sign of z (DICOM ends at 0 mm, NIfTI begins there): so must we."""
    folder = real_data / "orientation_phantom_IBSI2"
    dicom = read_files("dicom", sorted((folder / "dicom").rglob("*.dcm")))
    (path,) = folder.rglob("*.nii*")
    nifti = read_files("nifti", [path])
    assert np.allclose(nifti.grid.affine, nibabel.load(path).affine)
    assert np.array_equal(nifti.array[::-1], dicom.array)
    assert np.allclose(nifti.grid.affine[:3, :3], dicom.grid.affine[:3, :3])
    assert (dicom.slices[0].position_mm, dicom.slices[-1].position_mm) == (-126, 0)


def test_every_orientation_is_one_volume(real_data: Path) -> None:
    seen = {}
    for path in sorted((real_data / "nifti_orientations").glob("*.nii.gz")):
        volume = read_files("nifti", [path])
        loaded = nibabel.load(path)
        assert np.allclose(volume.grid.affine, loaded.affine, atol=1e-4)
        assert np.allclose(volume.array, np.asarray(loaded.dataobj).T)
        reorder = canonical(volume.grid)
        seen[path.name] = (reorder.apply(volume.array), reorder.grid.affine)
    assert len(seen) == 9
    first, affine = seen["RAS.nii.gz"]
    for name, (array, other) in seen.items():
        assert np.array_equal(array, first), name
        assert np.allclose(other, affine, atol=1e-3), name


def test_slicer_files(real_data: Path) -> None:
    for name in ("CTChest4.nrrd", "Segmentation.seg.nrrd"):
        path = real_data / "seg_nrrd_ct" / name
        volume = read_files("nrrd", [path])
        image = SimpleITK.ReadImage(str(path))
        assert np.array_equal(volume.array, SimpleITK.GetArrayFromImage(image))
        k, j, i = (n - 1 for n in volume.grid.shape)
        for index in [(0, 0, 0), (i, 0, 0), (0, j, 0), (0, 0, k)]:
            expected = TO_RAS @ [*image.TransformIndexToPhysicalPoint(index), 1]
            assert np.allclose(volume.grid.affine @ [*index, 1], expected, atol=1e-4)


@pytest.mark.parametrize("ending", [".mha", ".mhd", ".nhdr", ".hdr"])
@pytest.mark.parametrize("compress", [False, True])
def test_a_chest_by_every_writer(ending: str, compress: bool, real_data: Path, tmp_path: Path) -> None:
    image = SimpleITK.ReadImage(str(real_data / "seg_nrrd_ct" / "CTChest4.nrrd"))[::2, ::2, ::4]
    written = tmp_path / ("a.img.gz" if compress and ending == ".hdr" else f"a{ending}")
    SimpleITK.WriteImage(image, str(written), compress)
    path = next(p for p in tmp_path.iterdir() if format_of(p.read_bytes()[:HEAD_BYTES]))
    (name,) = {format_of(path.read_bytes()[:HEAD_BYTES])} - {None}
    volume = read_files(name, [path])
    assert np.array_equal(volume.array, SimpleITK.GetArrayFromImage(image))
    k, j, i = (n - 1 for n in volume.grid.shape)
    for index in [(0, 0, 0), (i, 0, 0), (0, j, 0), (0, 0, k)]:
        expected = TO_RAS @ [*image.TransformIndexToPhysicalPoint(index), 1]
        assert np.allclose(volume.grid.affine @ [*index, 1], expected, atol=1e-3)
    others = [p for p in tmp_path.iterdir() if p != path]
    for other in others:
        assert kind_of_file(other, other.read_bytes()[:HEAD_BYTES]) == "image-data"
    stack = stack_of(name, [path])
    last = max(tmp_path.iterdir(), key=lambda p: p.stat().st_size)
    last.write_bytes(last.read_bytes()[:-1])
    with pytest.raises(FormatError) as caught:
        FORMATS.get(name).read(stack, [path])
    assert caught.value.reason == "file/truncated"


def test_dicom_in_gzip_is_read_like_any_other(real_data: Path, tmp_path: Path) -> None:
    seen = 0
    for path in sorted(real_data.rglob("*.gz")):
        data = path.read_bytes()
        if format_of(data[:HEAD_BYTES]) != "dicom":
            continue
        plain = tmp_path / "plain"
        plain.write_bytes(gzip.decompress(data))
        found, expected = (FORMATS.get("dicom").scan(p, "f", 0, "").instance for p in (path, plain))
        places = {"pixel_offset": None, "pixel_bytes": None}
        assert replace(found, **places) == replace(expected, **places)
        seen += 1
    assert seen >= 41


def test_every_other_file_is_of_a_kind(real_data: Path) -> None:
    kinds: dict[str, set[str]] = {}
    for path in sorted(p for p in real_data.rglob("*") if p.is_file()):
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if format_of(head) is None:
            kind = kind_of_file(path, head)
            assert meaning_of(kind)
            kinds.setdefault("".join(path.suffixes[-2:]), set()).add(kind)
    assert kinds[".acsv"] == kinds[".fcsv"] == kinds[".mrk.json"] == {"slicer-markups"}
    assert kinds[".sqlite"] == {"sqlite"}
    assert kinds[".csv.gz"] <= {"table-gzip", "text-gzip"}
    assert "image-sidecar" in set().union(*kinds.values())
    unknown = [s for s, k in kinds.items() if "unknown" in k]
    assert unknown in ([], [".dcm"])


def test_every_file_is_scanned_or_refused_for_a_reason(real_data: Path) -> None:
    scanned = refused = 0
    for path in sorted(p for p in real_data.rglob("*") if p.is_file()):
        with path.open("rb") as file:
            name = format_of(file.read(HEAD_BYTES))
        if name is None:
            continue
        try:
            FORMATS.get(name).scan(path, "f", 0, "")
            scanned += 1
        except FormatError as error:
            refused += 1
            reason = error.reason
            assert reason in REASONS
    assert scanned > 2000
    assert 0 < refused < 30


def test_truncated_and_odd_files_are_told(real_data: Path) -> None:
    folder = real_data / "malformed_and_odd_pydicom" / "test_files"
    for name, reason in {
        "MR_truncated.dcm": "file/truncated",
        "rtplan_truncated.dcm": "file/truncated",
        "badVR.dcm": "file/corrupt",
    }.items():
        with pytest.raises(FormatError) as caught:
            read_header(folder / name)
        assert caught.value.reason == reason
    for name in ("ExplVR_BigEnd.dcm", "ExplVR_LitEndNoMeta.dcm", "ExplVR_BigEndNoMeta.dcm", "image_dfl.dcm"):
        if (folder / name).is_file():
            assert format_of((folder / name).read_bytes()[:HEAD_BYTES]) == "dicom"
            read_header(folder / name)
