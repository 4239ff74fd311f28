"""DICOM volumes against SimpleITK's series reader, and values against pydicom's modality LUT."""

import imagecodecs
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from tests.contracts.files import SHAPE, ct_dataset, dicom_bytes, read_files

TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
SLICES = 5


def rotation(seed):
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))


def write_series(folder, seed, *, modality="CT", slopes=None, dtype=np.int16):
    """An oblique series whose files and Instance Numbers are in no order."""
    rng = np.random.default_rng(seed)
    axes, origin = rotation(seed), rng.uniform(-200, 200, 3)
    paths = []
    for place, k in enumerate(rng.permutation(SLICES).tolist()):
        pixels = rng.integers(-500 if np.dtype(dtype).kind == "i" else 0, 3000, SHAPE[1:]).astype(dtype)
        one = ct_dataset(
            k,
            Modality=modality,
            InstanceNumber=place,
            PixelRepresentation=int(np.dtype(dtype).kind == "i"),
            PixelSpacing=["0.7", "0.9"],
            ImageOrientationPatient=[f"{v:.12f}" for v in axes[:, :2].T.ravel()],
            ImagePositionPatient=[f"{v:.10f}" for v in origin + 2.5 * k * axes[:, 2]],
            RescaleSlope=f"{1 if slopes is None else slopes[k]:.10g}",
            RescaleIntercept="-1024" if modality == "CT" else "0",
            PixelData=pixels.tobytes(),
        )
        path = folder / f"{place}.dcm"
        path.write_bytes(dicom_bytes(one))
        paths.append(path)
    return paths


@pytest.mark.parametrize("seed", range(6))
def test_a_series_is_where_simpleitk_puts_it(seed, tmp_path):
    volume = read_files("dicom", write_series(tmp_path, seed))
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    image = reader.Execute()
    assert np.array_equal(volume.array, SimpleITK.GetArrayFromImage(image))
    for index in [(0, 0, 0), (7, 0, 0), (0, 5, 0), (0, 0, 4), (7, 5, 4)]:
        expected = TO_RAS @ [*image.TransformIndexToPhysicalPoint(index), 1]
        assert np.allclose(volume.grid.affine @ [*index, 1], expected, atol=1e-4)


def test_pet_slopes_are_applied_slice_by_slice_and_rounded_once(tmp_path):
    slopes = np.random.default_rng(3).uniform(1e-5, 2, SLICES)
    paths = write_series(tmp_path, 3, modality="PT", slopes=slopes, dtype=np.uint16)
    volume = read_files("dicom", paths)
    by_position = {}
    for path in paths:
        dataset = pydicom.dcmread(path)
        slope = np.float64(float(dataset.RescaleSlope))
        expected = np.frombuffer(dataset.PixelData, "<u2").reshape(SHAPE[1:]).astype(np.float64) * slope
        assert np.array_equal(apply_modality_lut(dataset.pixel_array, dataset), expected)
        by_position[dataset.SOPInstanceUID] = expected.astype(np.float32)
    expected = np.stack([by_position[f"2.25.47119{k}"] for k in range(SLICES)])
    turned = expected if np.array_equal(volume.array[0], expected[0]) else expected[::-1]
    assert volume.array.dtype == np.float32
    assert np.array_equal(volume.array, turned)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("padding", [None, -7])
def test_other_encodings_give_the_same_values(syntax, padding, tmp_path):
    changes = {} if padding is None else {"PixelPaddingValue": padding}
    one = ct_dataset(**changes)
    pixels = np.frombuffer(one.PixelData, "<i2").copy()
    pixels[:5] = -7
    (tmp_path / "a.dcm").write_bytes(dicom_bytes(ct_dataset(**changes, PixelData=pixels.tobytes())))
    other = pixels.astype(">i2") if syntax == ExplicitVRBigEndian else pixels
    (tmp_path / "b.dcm").write_bytes(dicom_bytes(ct_dataset(**changes, PixelData=other.tobytes()), syntax))
    a, b = (read_files("dicom", [tmp_path / name]) for name in ("a.dcm", "b.dcm"))
    assert np.array_equal(a.array, b.array)
    expected = pixels.reshape(SHAPE[1:]).astype(int) - 1024
    if padding is None:
        assert a.valid is None
    else:
        for volume in (a, b):
            assert np.array_equal(volume.valid[0], expected != -1031)
            assert "read/padding-masked" in [i.rule for i in volume.issues]
        expected[expected == -1031] = -1024
    assert np.array_equal(a.array[0], expected)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
def test_run_lengths_as_pydicom_writes_them(dtype, tmp_path):
    pixels = np.random.default_rng(8).integers(0, 4, SHAPE[1:]).astype(dtype) * 257
    one = ct_dataset(PixelData=pixels.tobytes(), PixelRepresentation=int(np.dtype(dtype).kind == "i"))
    one.file_meta = pydicom.dataset.FileMetaDataset()
    one.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    one.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    path = tmp_path / "rle.dcm"
    path.write_bytes(dicom_bytes(one, RLELossless))
    assert np.array_equal(read_files("dicom", [path]).array[0], pixels.astype(int) - 1024)


@pytest.mark.parametrize(("is_signed", "bits"), [(True, 12), (True, 13), (False, 12), (True, 16)])
@pytest.mark.parametrize("codec", ["jpeg2000", "jpegls", "ljpeg"])
def test_signs_survive_streams_that_know_none(codec, is_signed, bits, tmp_path):
    """JPEG-LS and JPEG Lossless hold the bits of a signed value as unsigned ones of the stored precision."""
    low = -(1 << (bits - 1)) if is_signed else 0
    pixels = np.random.default_rng(bits).integers(low, low + (1 << bits), (32, 40))
    unsigned = (pixels & ((1 << bits) - 1)).astype(np.uint16)
    encode, syntax = {
        "jpeg2000": (
            lambda a: imagecodecs.jpeg2k_encode(a, level=0, codecformat="j2k", bitspersample=bits),
            "90",
        ),
        "jpegls": (imagecodecs.jpegls_encode, "80"),
        "ljpeg": (lambda a: imagecodecs.ljpeg_encode(a, bitspersample=bits), "70"),
    }[codec]
    one = ct_dataset(
        Rows=32,
        Columns=40,
        BitsStored=bits,
        HighBit=bits - 1,
        PixelRepresentation=int(is_signed),
        RescaleIntercept="0",
        PixelData=encapsulate([encode(unsigned)]),
    )
    one["PixelData"].VR, one["PixelData"].is_undefined_length = "OB", True
    path = tmp_path / "one.dcm"
    path.write_bytes(dicom_bytes(one, f"1.2.840.10008.1.2.4.{syntax}"))
    volume = read_files("dicom", [path])
    assert np.array_equal(volume.array[0], pixels.clip(-32768, 32767))
    assert "read/bits" not in [i.rule for i in volume.issues]
