"""Reading by hand: what is refused, and how."""

import nibabel
import numpy as np
import pytest

import isocenter as iso
from isocenter.base.errors import ConfigError, FormatError, RejectedError
from isocenter.model.task import Label
from tests.unit.pipeline.archives import write_nifti


def test_nothing_at_that_path(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no file or folder 'x\.nii'"):
        iso.read(tmp_path / "x.nii")
    with pytest.raises(ConfigError, match=r"there is no file 'x\.nii'"):
        iso.read_annotations(tmp_path / "x.nii")


def test_a_folder_without_images_has_no_volume(tmp_path):
    (tmp_path / "notes.txt").write_text("hello\nthere\n")
    reading = iso.read(tmp_path)
    assert (len(reading), list(reading)) == (0, [])
    with pytest.raises(RejectedError, match="no image was found"):
        _ = reading.volume


def test_a_nifti_file_is_read_with_its_affine(tmp_path):
    data = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(data, affine), tmp_path / "one.nii.gz")
    volume = iso.read(tmp_path / "one.nii.gz", modality="MR").volume
    assert volume.modality == "MR"
    assert np.array_equal(volume.array, data.T)
    assert np.array_equal(volume.grid.affine, affine)


def test_labels_of_a_mask_go_by_their_value_or_by_the_vocabulary(tmp_path):
    write_nifti(tmp_path / "mask.nii.gz", values=(0, 1, 2))
    found = iso.read_annotations(tmp_path / "mask.nii.gz", rater="me")
    assert [a.concept for a in found] == ["1", "2"]
    assert {a.rater for a in found} == {"me"}
    (one,) = iso.read_annotations(
        tmp_path / "mask.nii.gz", vocabulary={"tumour": Label(value=1, aliases=("2",))}
    )
    assert one.concept == "tumour"


def test_what_holds_no_annotations_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello\nthere\n")
    with pytest.raises(FormatError, match="no annotations can be read"):
        iso.read_annotations(tmp_path / "notes.txt")
