"""MetaImage values and geometry against SimpleITK."""

import numpy as np
import pytest
import SimpleITK

from tests.contracts.files import SHAPE, metaimage_bytes, read_files, stored

TO_RAS = np.array([-1.0, -1.0, 1.0])
TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]


def oblique(seed):
    """An image whose axes are no plane's and whose matrix is not symmetric."""
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    image = SimpleITK.GetImageFromArray(rng.integers(-900, 900, SHAPE).astype(np.int16))
    image.SetDirection((q * np.sign(np.linalg.det(q))).ravel())
    image.SetSpacing(rng.uniform(0.4, 3, 3))
    image.SetOrigin(rng.uniform(-100, 100, 3))
    return image


def check(path):
    """Ours equals what SimpleITK reads from the same file."""
    image = SimpleITK.ReadImage(str(path))
    volume = read_files("metaimage", [path])
    values = SimpleITK.GetArrayFromImage(image)
    values = values if values.ndim == 3 else values[None]
    assert volume.grid.shape == values.shape
    assert np.array_equal(volume.array, values.astype(volume.array.dtype))
    k, j, i = (n - 1 for n in values.shape)
    for index in [(0, 0, 0), (i, 0, 0), (0, j, 0), (0, 0, k), (i, j, k)]:
        if image.GetDimension() == 3:
            expected = np.array(image.TransformIndexToPhysicalPoint(index)) * TO_RAS
        else:
            expected = np.array([*image.TransformIndexToPhysicalPoint(index[:2]), 0.0]) * TO_RAS
        assert np.allclose((volume.grid.affine @ [*index, 1])[:3], expected, atol=1e-6)
    return volume


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
@pytest.mark.parametrize("seed", range(4))
def test_oblique_images_as_simpleitk_writes_them(seed, name, compress, tmp_path):
    SimpleITK.WriteImage(oblique(seed), str(tmp_path / name), compress)
    volume = check(tmp_path / name)
    assert volume.grid.is_oriented
    assert volume.array.dtype == np.int16


@pytest.mark.parametrize("code", TYPES)
def test_every_type_as_simpleitk_writes_it(code, tmp_path):
    values = np.random.default_rng(1).integers(0, 100, SHAPE).astype(code)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(tmp_path / "a.mha"), useCompression=True)
    assert np.array_equal(check(tmp_path / "a.mha").array, values)


@pytest.mark.parametrize("size", [(6, 8), (1, 6, 8)])
def test_planes(size, tmp_path):
    values = np.random.default_rng(2).integers(0, 255, size).astype(np.uint8)
    image = SimpleITK.GetImageFromArray(values)
    image.SetSpacing((0.25, 0.5, 3)[: len(size)])
    image.SetOrigin((7, 8, 9)[: len(size)])
    SimpleITK.WriteImage(image, str(tmp_path / "a.mha"))
    assert check(tmp_path / "a.mha").array.shape == (1, 6, 8)


@pytest.mark.parametrize(
    "changes",
    [
        {"BinaryDataByteOrderMSB": None, "ElementByteOrderMSB": "True"},
        {"BinaryDataByteOrderMSB": "True"},
        {"BinaryDataByteOrderMSB": None},
        {"ElementType": "MET_USHORT"},
        {"Offset": None, "Position": "1 2 3"},
        {"Offset": None, "Origin": "1 2 3"},
        {"TransformMatrix": None, "Rotation": "0 1 0 0 0 1 1 0 0"},
        {"TransformMatrix": None, "Orientation": "0 1 0 -1 0 0 0 0 1"},
        {"TransformMatrix": None, "Offset": "3 4 5"},
        {"ElementSpacing": None},
        {"ElementSpacing": None, "ElementSize": "1.5 2.5 3.5"},
        {"ElementSize": "1.5 2.5 3.5"},
        {"CompressedData": "True"},
        {"ObjectType": None},
        {"ElementDataFile": "Local"},
        {"CenterOfRotation": "10 20 30"},
        {"AnatomicalOrientation": "RAI"},
        {"Modality": "MET_MOD_MR"},
    ],
    ids=str,
)
def test_headers_by_hand(changes, tmp_path):
    path = tmp_path / "a.mha"
    path.write_bytes(metaimage_bytes(**changes))
    check(path)


@pytest.mark.parametrize("name", ["MET_LONG", "MET_ULONG"])
def test_long_has_four_bytes(name, tmp_path):
    path = tmp_path / "a.mha"
    path.write_bytes(metaimage_bytes(stored(dtype=np.int32), ElementType=name))
    assert np.array_equal(check(path).array, stored(dtype=np.int32))


def test_a_stream_whose_length_is_not_told(tmp_path):
    """SimpleITK makes rubbish of it and says so on standard error only; the bytes leave no doubt."""
    path = tmp_path / "a.mha"
    path.write_bytes(metaimage_bytes(CompressedData="True", CompressedDataSize=None))
    assert np.array_equal(read_files("metaimage", [path]).array, stored())


def test_lines_as_windows_ends_them(tmp_path):
    data = metaimage_bytes()
    end = data.index(b"LOCAL\n") + 6
    path = tmp_path / "a.mha"
    path.write_bytes(data[:end].replace(b"\n", b"\r\n") + data[end:])
    check(path)
