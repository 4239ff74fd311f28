"""Tiles of Siemens mosaics against what nibabel makes of the same objects."""

import io
import warnings

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from isocenter.formats.dicom.csa import read_csa
from isocenter.formats.dicom.multiframe import open_frames
from isocenter.formats.image import FORMATS
from tests.contracts.files import dicom_bytes
from tests.unit.formats.dicom.mosaics import SHAPE, csa_bytes, mosaic_dataset, scanner

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from nibabel.nicom import csareader, dicomwrappers

LPS_TO_RAS = np.diag([-1.0, -1, 1, 1])


def rotation(seed):
    """A random right-handed frame: direction of rows, of columns, and the normal."""
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    matrix[:, 2] = np.cross(matrix[:, 0], matrix[:, 1])
    return matrix


def turned(seed, sign=1, tiles=5, **changes):
    rng, frame = np.random.default_rng(seed), rotation(seed)
    return mosaic_dataset(
        scanner(tiles, sign * frame[:, 2]),
        count=tiles,
        seed=seed,
        ImageOrientationPatient=[f"{v:.10f}" for v in frame[:, :2].T.ravel()],
        ImagePositionPatient=[f"{v:.4f}" for v in rng.normal(size=3) * 100],
        **changes,
    )


@pytest.mark.parametrize("tiles", [1, 2, 4, 5, 9, 13, 16, 25, 36])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian], ids=lambda s: s.name
)
def test_tiles_lie_and_hold_what_nibabel_says(tiles, sign, syntax, tmp_path):
    path, across = tmp_path / "file", int(np.ceil(np.sqrt(tiles)))
    rows, columns = 6 * across, 4 * across
    values = np.random.default_rng(tiles).integers(0, 4096, (rows, columns))
    dataset = turned(tiles, sign, tiles, Rows=rows, Columns=columns, PixelData=values.astype("<u2").tobytes())
    path.write_bytes(dicom_bytes(dataset, ExplicitVRLittleEndian))
    csa = csareader.read(dataset.private_block(0x29, "SIEMENS CSA HEADER")[0x10].value)
    seen = dicomwrappers.MosaicWrapper(pydicom.dcmread(path), csa, n_mosaic=tiles)
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = values.astype(">u2").tobytes()
    path.write_bytes(dicom_bytes(dataset, syntax))
    frames = FORMATS.get("dicom").scan(path, "f", 0, "").frames
    assert [f.frame for f in frames] == list(range(tiles))
    affine = LPS_TO_RAS @ seen.affine
    data = seen.get_unscaled_data()
    with open_frames(path) as source:
        for frame, stored in zip(frames, source.stored(range(tiles)), strict=True):
            assert np.allclose(frame.position_mm, (affine @ [0, 0, frame.frame, 1])[:3], atol=1e-6)
            # nibabel's first axis goes down the rows
            assert np.allclose(np.array(frame.orientation[3:]) * 2.5, affine[:3, 0])
            assert np.allclose(np.array(frame.orientation[:3]) * 2, affine[:3, 1])
            assert frame.window[2:] == (6, 4)
            assert np.array_equal(stored, data[..., frame.frame])


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("seed", range(10))
def test_values_of_csa_headers_are_those_of_nibabel(kind, seed):
    rng = np.random.default_rng(seed)
    # nibabel wants no value in the first tag of type 1
    values = {"EchoLinePosition": []}
    for n in range(int(rng.integers(2, 40))):
        values[f"Tag{n}"] = [f"{v:.8f}" for v in rng.normal(size=int(rng.integers(int(n == 0), 7)))]
    data = csa_bytes(values, kind)
    seen = csareader.read(data)
    found = read_csa(data, list(values))
    assert seen["n_tags"] == len(values)
    for name, tag in seen["tags"].items():
        assert tuple(map(float, found.get(name, ()))) == tuple(tag["items"])


def test_the_oracle_sees_a_mosaic():
    dataset = mosaic_dataset()
    seen = csareader.get_csa_header(pydicom.dcmread(io.BytesIO(dicom_bytes(dataset))))
    assert seen["tags"]["NumberOfImagesInMosaic"]["items"] == [5]
    assert SHAPE == (18, 24)
    assert nibabel.__version__
