"""Every exchange keeps values, types and places; nibabel and SimpleITK say themselves where a voxel is."""

import nibabel
import numpy as np
import pytest

from isocenter.model.annotation import Annotation
from isocenter.model.exchange import EXCHANGES, exchanged
from isocenter.model.grid import Grid
from isocenter.model.volume import Volume

TO_LPS = np.array([-1.0, -1.0, 1.0])


def turned(degrees):
    """Rotation about the vertical."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


def affine(directions, spacing, origin=(-31.5, 12.25, 100.0)):
    out = np.eye(4)
    out[:3, :3] = directions @ np.diag(spacing)
    out[:3, 3] = origin
    return out


AFFINES = {
    "canonical": affine(np.eye(3), (0.7, 0.8, 2.5)),
    "as DICOM lies": affine(np.diag([-1.0, -1.0, 1.0]), (0.7, 0.8, 2.5)),
    "mirrored": affine(np.diag([1.0, -1.0, -1.0]), (1, 1, 5)),
    "sagittal": affine(np.array([[0, 0, 1.0], [1, 0, 0], [0, -1, 0]]), (0.5, 0.5, 3)),
    "turned": affine(turned(17), (0.9, 0.9, 1.5)),
    "sheared": affine(np.array([[1, 0, 0], [0, 1, 0.2], [0, 0, 1.0]]), (1, 1, 4)),
}


def place(name, image, ijk):
    """Where the other library puts a voxel, in RAS+ millimetres."""
    if name == "nibabel":
        return (image.affine @ [*ijk, 1])[:3]
    return np.array(image.TransformIndexToPhysicalPoint([int(n) for n in ijk])) * TO_LPS


def value(name, image, ijk):
    return np.asarray(image.dataobj)[ijk] if name == "nibabel" else image[ijk]


@pytest.mark.parametrize("how", AFFINES)
@pytest.mark.parametrize("name", EXCHANGES.names())
def test_every_voxel_is_where_it_was(name, how):
    grid = Grid((4, 5, 6), AFFINES[how])
    array = np.arange(120, dtype=np.int16).reshape(grid.shape)
    image = exchanged(name, array, grid)
    for ijk in ((0, 0, 0), (5, 0, 0), (0, 4, 0), (0, 0, 3), (2, 3, 1)):
        assert np.allclose(place(name, image, ijk), grid.to_world(np.array([ijk], float))[0], atol=1e-4)
        assert value(name, image, ijk) == array[ijk[::-1]]


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.float32, np.uint8, np.bool_])
@pytest.mark.parametrize("name", EXCHANGES.names())
def test_types_are_kept_and_a_mask_is_of_0_and_1(name, dtype):
    grid = Grid((2, 3, 4), np.eye(4))
    array = (np.arange(24).reshape(grid.shape) % 2).astype(dtype)
    image = exchanged(name, array, grid)
    if name == "nibabel":
        found = np.asarray(image.dataobj).T
    else:
        found = pytest.importorskip("SimpleITK").GetArrayFromImage(image)
    assert found.dtype == (np.uint8 if dtype is np.bool_ else dtype)
    assert np.array_equal(found, array)


@pytest.mark.parametrize("name", EXCHANGES.names())
def test_the_image_is_not_changed_with_the_array(name):
    grid = Grid((1, 2, 2), np.eye(4))
    array = np.zeros(grid.shape, np.int16)
    image = exchanged(name, array, grid)
    array[:] = 9
    assert value(name, image, (0, 0, 0)) == 0


@pytest.mark.parametrize("how", AFFINES)
def test_nibabel_reads_back_what_it_was_given(how, tmp_path):
    """Through a file: values, affine, and both forms agree or the quaternion is silent."""
    grid = Grid((4, 5, 6), AFFINES[how])
    volume = Volume(
        array=np.arange(120, dtype=np.int16).reshape(grid.shape) - 60, grid=grid, unit="HU", modality="CT"
    )
    nibabel.save(volume.to_nibabel(), tmp_path / "one.nii.gz")
    back = nibabel.load(tmp_path / "one.nii.gz")
    assert back.get_data_dtype() == np.int16
    assert np.array_equal(np.asarray(back.dataobj).T, volume.array)
    assert np.allclose(back.affine, grid.affine, atol=1e-4)
    codes = (int(back.header["qform_code"]), int(back.header["sform_code"]))
    assert codes == ((0, 1) if how == "sheared" else (1, 1))
    assert back.header.get_xyzt_units()[0] == "mm"
    assert np.allclose(back.header.get_zooms(), grid.spacing_mm[::-1], atol=0.1)


def test_nothing_is_said_of_the_patient_where_nothing_is_known(tmp_path):
    grid = Grid((2, 3, 4), np.diag([2.0, 3.0, 4.0, 1.0]), is_oriented=False)
    nibabel.save(exchanged("nibabel", np.zeros(grid.shape, np.uint8), grid), tmp_path / "one.nii")
    header = nibabel.load(tmp_path / "one.nii").header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (0, 0)
    assert np.allclose(header.get_zooms(), (2, 3, 4))


def test_simpleitk_lies_as_it_does_in_nibabel():
    sitk = pytest.importorskip("SimpleITK")
    grid = Grid((4, 5, 6), AFFINES["turned"])
    volume = Volume(array=np.zeros(grid.shape, np.float32), grid=grid, unit="arbitrary", modality="MR")
    image = volume.to_sitk()
    assert isinstance(image, sitk.Image)
    assert image.GetSize() == (6, 5, 4)
    assert np.allclose(image.GetSpacing(), grid.spacing_mm[::-1])
    assert np.allclose(np.array(image.GetOrigin()) * TO_LPS, grid.affine[:3, 3])


def test_an_annotation_is_given_as_its_mask():
    class Corner:
        def mask(self, grid):
            out = np.zeros(grid.shape, np.bool_)
            out[0, 1, 2] = True
            return out

    grid = Grid((2, 3, 4), AFFINES["canonical"])
    image = Annotation(id="ann-1", concept="lesion", shape=Corner()).to_nibabel(grid)
    found = np.asarray(image.dataobj)
    assert found.dtype == np.uint8
    assert np.argwhere(found).tolist() == [[2, 1, 0]]
    assert not np.asarray(Annotation(id="ann-2", concept="lesion").to_nibabel(grid).dataobj).any()
