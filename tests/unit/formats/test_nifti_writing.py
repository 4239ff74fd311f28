import gzip

import nibabel
import numpy as np
import pytest

from isocenter.formats.nifti_writing import write_nifti
from isocenter.model.exchange import exchanged
from isocenter.model.grid import Grid

GRID = Grid((3, 4, 5), np.array([[0.9, 0, 0, -80.5], [0, 0.8, 0, 12.25], [0, 0, 2.5, -300.1], [0, 0, 0, 1]]))


@pytest.mark.parametrize("dtype", ["i2", "u1", "u2", "f4", "i4", ">i2"])
def test_nibabel_reads_what_was_written(dtype, tmp_path):
    array = (np.arange(60).reshape(GRID.shape) - (0 if dtype[0] == "u" else 30)).astype(dtype)
    write_nifti(tmp_path / "a.nii.gz", array, GRID)
    image = nibabel.load(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, array)
    assert image.get_data_dtype() == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_allclose(image.affine, GRID.affine, atol=1e-4)
    assert (float(image.dataobj.slope), float(image.dataobj.inter)) == (1, 0)


@pytest.mark.parametrize("grid", [GRID, Grid((3, 4, 5), np.diag([2.0, 3.0, 4.0, 1.0]), is_oriented=False)])
def test_the_bytes_are_those_that_nibabel_writes(grid, tmp_path):
    """But for how they are compressed, and the words for no scaling."""
    array = np.arange(60, dtype=np.int16).reshape(grid.shape)
    write_nifti(tmp_path / "a.nii.gz", array, grid)
    nibabel.save(exchanged("nibabel", array, grid), tmp_path / "b.nii")
    ours, theirs = (
        bytearray(gzip.decompress((tmp_path / "a.nii.gz").read_bytes())),
        (tmp_path / "b.nii").read_bytes(),
    )
    ours[112:120] = theirs[112:120]  # scl_slope, scl_inter: 1 and 0, or not a number
    assert bytes(ours) == theirs


def test_the_same_voxels_make_the_same_bytes_and_a_view_is_no_matter(tmp_path):
    array = np.arange(480, dtype=np.int16).reshape(6, 8, 10)
    write_nifti(tmp_path / "a.nii.gz", array[::2, ::2, ::2], GRID)
    write_nifti(tmp_path / "b.nii.gz", array[::2, ::2, ::2].copy(), GRID)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", _full)
    with pytest.raises(OSError, match="full"):
        write_nifti(tmp_path / "a.nii.gz", np.zeros(GRID.shape, np.int16), GRID)
    assert list(tmp_path.iterdir()) == []


def _full(_):
    raise OSError(28, "the disk is full")
