"""A segmentation in another frame of reference than its CT: refused, and brought over where a registration says how."""

import io

import numpy as np
import pydicom
import pytest

import isocenter as iso
from isocenter.base import tables
from isocenter.imaging.affine import canonical
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue
from isocenter.model.rows import CaseRow
from tests.contracts.files import dicom_bytes
from tests.end_to_end.test_segmentations import SCAN, masks, run, seg
from tests.unit.formats.dicom.test_registration import item, step, written

OTHER = "1.2.826.0.1.3680043.8.498.7"
# What takes LPS millimetres of the other frame to those of the CT: a quarter turn and a shift.
MATRIX = np.array([[0.0, -1, 0, 31], [1, 0, 0, -12], [0, 0, 1, 55], [0, 0, 0, 1]])


def elsewhere():
    """The segmentation as it is drawn on an image of the other frame."""
    back = np.linalg.inv(MATRIX)
    found = pydicom.dcmread(io.BytesIO(seg()))
    found.FrameOfReferenceUID = OTHER
    shared = found.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
    axes = np.array(shared.ImageOrientationPatient, float).reshape(2, 3) @ back[:3, :3].T
    shared.ImageOrientationPatient = [f"{v:.8f}" for v in axes.ravel()]
    for group in found.PerFrameFunctionalGroupsSequence:
        plane = group.PlanePositionSequence[0]
        place = back @ [*map(float, plane.ImagePositionPatient), 1.0]
        plane.ImagePositionPatient = [f"{v:.8f}" for v in place[:3]]
    out = io.BytesIO()
    found.save_as(out)
    return out.getvalue()


def told(work):
    return {i.rule: i for i in tables.read(work / "build/issues.parquet", Issue)}


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "data" / "p1"
    (place / "ct").mkdir(parents=True)
    for n, dataset in enumerate(SCAN.objects()):
        (place / "ct" / f"{n}.dcm").write_bytes(dicom_bytes(dataset))
    (place / "seg.dcm").write_bytes(elsewhere())
    return place


def test_without_a_registration_it_is_refused(folder, tmp_path):
    made = run(tmp_path, [{"kind": "objects"}])
    (case,) = tables.read(made.workspace / "build/cases.parquet", CaseRow)
    assert case.verdict == "reject"
    assert told(made.workspace)["read/other-frame"].severity == "reject"


@pytest.mark.parametrize("is_referenced", [True, False])
def test_a_registration_brings_it_to_its_image(folder, tmp_path, is_referenced):
    if not is_referenced:  # then the frame of reference alone tells which image it is of
        found = pydicom.dcmread(folder / "seg.dcm")
        del found.ReferencedSeriesSequence
        found.save_as(folder / "seg.dcm")
    ct = SCAN.objects()[0].FrameOfReferenceUID
    written(folder, item(OTHER, step(MATRIX)), item(ct, step(np.eye(4))), to=ct)
    made = run(tmp_path, [{"kind": "objects"}])
    store = iso.open(made.store)
    [case] = [store[c] for c in store]
    upright = canonical(Grid(masks().shape[1:], SCAN.truth().affine))
    assert np.array_equal(np.asarray(case.mask).astype(bool), upright.apply(masks()))
    issues = told(made.workspace)
    assert issues["read/registered"].measured == "turned by 90.0 degrees, origin shifted by 64.3 mm"
    assert "read/other-frame" not in issues


def test_a_deformable_registration_is_told_and_connects_nothing(folder, tmp_path):
    ct = SCAN.objects()[0].FrameOfReferenceUID
    deformable = "1.2.840.10008.5.1.4.1.1.66.3"
    written(folder, item(OTHER, step(MATRIX)), to=ct, uid=deformable)
    made = run(tmp_path, [{"kind": "objects"}])
    assert "read/other-frame" in told(made.workspace)
    issues = {i.rule: i for i in tables.read(made.workspace / "enrol/issues.parquet", Issue)}
    assert "deformable" in issues["enrol/unusable-registration"].measured
