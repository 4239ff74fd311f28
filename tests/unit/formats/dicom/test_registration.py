"""Spatial registrations: matrices between frames of reference, written by pydicom, read by us."""

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from scipy.spatial.transform import Rotation

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.registration import SPATIAL, read_registration

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
SHIFT = np.array([[1, 0, 0, 10], [0, 1, 0, -20], [0, 0, 1, 5.5], [0, 0, 0, 1.0]])


def turned(degrees=30.0):
    matrix = SHIFT.copy()
    matrix[:3, :3] = Rotation.from_euler("z", degrees, degrees=True).as_matrix()
    return matrix


def step(matrix, kind="RIGID"):
    item = Dataset()
    item.FrameOfReferenceTransformationMatrixType = kind
    item.FrameOfReferenceTransformationMatrix = [f"{v:.10g}" for v in np.ravel(matrix)]
    return item


def item(uid, *steps):
    matrices = Dataset()
    matrices.RegistrationTypeCodeSequence = []
    matrices.MatrixSequence = list(steps)
    out = Dataset()
    if uid:
        out.FrameOfReferenceUID = uid
    out.MatrixRegistrationSequence = [matrices]
    return out


def written(folder, *items, uid=SPATIAL, to="1.2.1"):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = uid
    meta.MediaStorageSOPInstanceUID = "1.2.9"
    dataset = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = uid, "1.2.9", "REG"
    if to:
        dataset.FrameOfReferenceUID = to
    dataset.RegistrationSequence = list(items)
    path = folder / "reg.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_a_matrix_takes_points_of_its_frame_to_that_of_the_object(tmp_path):
    found = read_registration(
        written(tmp_path, item("1.2.1", step(np.eye(4))), item("1.2.2", step(turned())))
    )
    assert (found.to_uid, found.sop_instance_uid) == ("1.2.1", "1.2.9")
    assert set(found.matrices) == {"1.2.1", "1.2.2"}
    point = np.array([3.0, 4, 5, 1])
    assert found.matrices["1.2.2"] @ (LPS @ point) == pytest.approx(LPS @ (turned() @ point))


def test_several_matrices_are_one_where_their_order_does_not_matter(tmp_path):
    found = read_registration(written(tmp_path, item("1.2.2", step(np.eye(4)), step(turned()))))
    assert np.allclose(LPS @ found.matrices["1.2.2"] @ LPS, turned())
    other = turned()
    other[:3, :3] = Rotation.from_euler("x", 20, degrees=True).as_matrix()
    with pytest.raises(FormatError, match="order matters"):
        read_registration(written(tmp_path, item("1.2.2", step(other), step(turned()))))


def test_items_that_name_images_alone_are_left_out(tmp_path):
    with pytest.raises(FormatError, match="names no frame"):
        read_registration(written(tmp_path, item("", step(np.eye(4)))))


def stretched():
    matrix = turned()
    matrix[:3, :3] *= [1.0, 1.0, 1.2]
    return matrix


@pytest.mark.parametrize("kind", ["RIGID_SCALE", "AFFINE"])
def test_a_scale_is_taken_where_it_is_said(tmp_path, kind):
    path = written(tmp_path, item("1.2.2", step(stretched(), kind)))
    assert np.allclose(LPS @ read_registration(path).matrices["1.2.2"] @ LPS, stretched())


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([item("1.2.2", step(stretched()))], "said to be rigid"),
        ([item("1.2.2", step(np.diag([-1.0, 1, 1, 1])))], "mirrors"),
        ([item("1.2.2", step(np.zeros((4, 4))))], "no transformation"),
        ([item("1.2.2", step(np.eye(4)[:3]))], "16 numbers"),
        ([item("1.2.2", step(np.eye(4), "ELASTIC"))], "no type"),
        ([item("1.2.2")], "without a matrix"),
        ([item("1.2.2", step(np.eye(4)))] * 2, "twice"),
        ([], "without any item"),
    ],
)
def test_what_cannot_be_applied_is_refused(tmp_path, items, said):
    with pytest.raises(FormatError, match=said):
        read_registration(written(tmp_path, *items))


def test_without_its_own_frame_it_leads_nowhere(tmp_path):
    with pytest.raises(FormatError, match="without its frame"):
        read_registration(written(tmp_path, item("1.2.2", step(np.eye(4))), to=""))


def test_a_deformable_registration_is_refused(tmp_path):
    path = written(tmp_path, item("1.2.2", step(np.eye(4))), uid="1.2.840.10008.5.1.4.1.1.66.3")
    with pytest.raises(FormatError, match="deformable"):
        read_registration(path)
