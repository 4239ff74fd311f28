"""NRRD values against pynrrd, and geometry against SimpleITK."""

import nrrd
import numpy as np
import pytest
import SimpleITK

from tests.contracts.files import SHAPE, read_files

TO_RAS = np.array([-1.0, -1.0, 1.0])


def matrix(seed):
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q)), rng.uniform(0.4, 3, 3), rng.uniform(-100, 100, 3)


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "f4", "f8"])
def test_values_as_pynrrd_writes_them(dtype, encoding, tmp_path):
    values = np.random.default_rng(0).integers(0, 100, SHAPE).astype(dtype)
    path = tmp_path / "a.nrrd"
    header = {
        "encoding": encoding,
        "space": "RAS",
        "space directions": np.diag([1.0, 2, 3]),
        "space origin": [1, 2, 3],
    }
    nrrd.write(str(path), values.T, header)
    volume = read_files("nrrd", [path])
    assert np.array_equal(volume.array, values)
    assert np.array_equal(volume.grid.affine, [[1, 0, 0, 1], [0, 2, 0, 2], [0, 0, 3, 3], [0, 0, 0, 1]])


def test_bytes_in_the_other_order(tmp_path):
    values = np.random.default_rng(1).integers(-999, 999, SHAPE).astype(">i2")
    path = tmp_path / "a.nrrd"
    nrrd.write(str(path), values.T, {"encoding": "raw", "endian": "big"})
    assert np.array_equal(read_files("nrrd", [path]).array, values)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_geometry_as_simpleitk_writes_it(seed, compress, tmp_path):
    directions, spacing, origin = matrix(seed)
    values = np.random.default_rng(seed).integers(0, 100, SHAPE).astype(np.int16)
    image = SimpleITK.GetImageFromArray(values)
    image.SetDirection(directions.ravel())
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    path = tmp_path / "a.nrrd"
    SimpleITK.WriteImage(image, str(path), compress)
    volume = read_files("nrrd", [path])
    assert np.array_equal(volume.array, values)
    for index in [(0, 0, 0), (7, 0, 0), (0, 5, 0), (0, 0, 2)]:
        expected = np.array(image.TransformIndexToPhysicalPoint(index)) * TO_RAS
        assert np.allclose((volume.grid.affine @ [*index, 1])[:3], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (-1, -1, 1)),
        ("LPS", (-1, -1, 1)),
        ("left-anterior-superior", (-1, 1, 1)),
        ("right-anterior-superior", (1, 1, 1)),
    ],
)
def test_spaces(space, signs, tmp_path):
    path = tmp_path / "a.nrrd"
    header = {"space": space, "space directions": np.diag([1.0, 2, 3]), "space origin": [4, 5, 6]}
    nrrd.write(str(path), np.zeros(SHAPE, np.uint8).T, header)
    grid = read_files("nrrd", [path]).grid
    assert np.allclose(grid.affine[:3], np.diag(signs) @ [[1, 0, 0, 4], [0, 2, 0, 5], [0, 0, 3, 6]])
    assert grid.is_oriented


@pytest.mark.parametrize("compress", [False, True])
def test_detached_as_simpleitk_writes_it(compress, tmp_path):
    directions, spacing, origin = matrix(7)
    values = np.random.default_rng(7).integers(0, 100, SHAPE).astype(np.int16)
    image = SimpleITK.GetImageFromArray(values)
    image.SetDirection(directions.ravel())
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    path = tmp_path / "a.nhdr"
    SimpleITK.WriteImage(image, str(path), compress)
    volume = read_files("nrrd", [path])
    assert np.array_equal(volume.array, values)
    expected = np.array(image.TransformIndexToPhysicalPoint((7, 5, 2))) * TO_RAS
    assert np.allclose((volume.grid.affine @ [7, 5, 2, 1])[:3], expected, atol=1e-6)


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_detached_as_pynrrd_writes_it(encoding, tmp_path):
    values = np.random.default_rng(0).integers(0, 100, SHAPE).astype(np.int16)
    path = tmp_path / "a.nhdr"
    nrrd.write(str(path), values.T, {"encoding": encoding, "space": "RAS"}, detached_header=True)
    assert np.array_equal(read_files("nrrd", [path]).array, values)


def test_names_of_fields_in_any_case(tmp_path):
    path = tmp_path / "a.nrrd"
    image = SimpleITK.GetImageFromArray(np.zeros(SHAPE, np.int16))
    image.SetOrigin((7, 8, 9))
    SimpleITK.WriteImage(image, str(path))
    data = path.read_bytes()
    for name in (b"space origin", b"space directions", b"space", b"sizes", b"encoding"):
        path.write_bytes(data.replace(b"\n" + name + b":", b"\n" + name.title() + b":", 1))
        again = SimpleITK.ReadImage(str(path))
        grid = read_files("nrrd", [path]).grid
        assert again.GetOrigin() == (7, 8, 9)
        assert np.allclose(grid.affine[:3, 3], np.array(again.GetOrigin()) * TO_RAS)
