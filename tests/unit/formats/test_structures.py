import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.annotation import ANNOTATIONS
from isocenter.formats.image import FORMATS
from isocenter.model.annotation import AnnotationState
from tests.contracts.files import FRAME, contour, ct_bytes, dicom_bytes, item, rectangle, rtstruct_dataset


def read(tmp_path, rois, wanted=None):
    path = tmp_path / "set.dcm"
    path.write_bytes(dicom_bytes(rtstruct_dataset(rois)))
    wanted = {n: name for n, (name, _) in rois.items()} if wanted is None else wanted
    return ANNOTATIONS.get("rtstruct").read(path, wanted, annotation_id="ann", rater="")


def test_points_are_in_ras(tmp_path):
    (found,) = read(tmp_path, {1: ("A", [contour(rectangle())])})
    assert np.array_equal(found.shape.polygons[0], np.array(rectangle()) * [-1, -1, 1])
    assert not found.shape.is_xor


def test_the_join_is_by_number(tmp_path):
    low, high = contour(rectangle(0)), contour(rectangle(1))
    found = read(tmp_path, {9: ("Nine", [high]), 2: ("Two", [low])}, {2: "two", 9: "nine", 5: "five"})
    assert [(a.concept, a.shape.polygons[0][0, 2]) for a in found] == [("two", 0.0), ("nine", 2.0)]


def test_xor_contours_are_known_as_such(tmp_path):
    kinds = ["CLOSEDPLANAR_XOR", "CLOSEDPLANAR_XOR"]
    (found,) = read(tmp_path, {1: ("A", [contour(rectangle(), kind) for kind in kinds])})
    assert found.shape.is_xor
    mixed = ["CLOSEDPLANAR_XOR", "CLOSED_PLANAR"]
    (found,) = read(tmp_path, {1: ("A", [contour(rectangle(), kind) for kind in mixed])})
    assert not found.shape.is_xor


@pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR"])
def test_what_has_no_volume_is_not_taken_for_absent(kind, tmp_path):
    (found,) = read(tmp_path, {1: ("A", [contour(rectangle(), kind)])})
    assert (found.state, found.shape) == (AnnotationState.NOT_ANNOTATED, None)
    assert [i.rule for i in found.issues] == ["read/no-volume"]
    both = [contour(rectangle(), kind), contour(rectangle())]
    (found,) = read(tmp_path, {1: ("A", both)})
    assert found.state is AnnotationState.MARKED
    assert [(i.rule, i.measured) for i in found.issues] == [("read/no-volume", "1")]


def test_a_structure_without_contours_is_absent(tmp_path):
    (found,) = read(tmp_path, {1: ("A", [])})
    assert (found.state, found.issues) == (AnnotationState.ABSENT, ())


@pytest.mark.parametrize(
    "broken",
    [
        contour(rectangle(), count=5),
        item(ContourGeometricType="CLOSED_PLANAR", ContourData=["1", "2", "3", "4"]),
    ],
    ids=["count", "no triples"],
)
def test_broken_contours_are_refused(broken, tmp_path):
    with pytest.raises(FormatError) as caught:
        read(tmp_path, {1: ("A", [broken])})
    assert caught.value.reason == "file/corrupt"


def test_coordinates_that_are_no_numbers(tmp_path):
    data = dicom_bytes(rtstruct_dataset({1: ("A", [contour(rectangle())])}))
    path = tmp_path / "set.dcm"
    for text in (b"nan\\", b"inf\\", b"x.5\\"):
        path.write_bytes(data.replace(b"-9\\-", text[:3] + b"-"))
        with pytest.raises(FormatError) as caught:
            ANNOTATIONS.get("rtstruct").read(path, {1: "A"}, annotation_id="a", rater="")
        assert caught.value.reason == "file/corrupt"


def test_two_structures_of_one_number_are_refused(tmp_path):
    dataset = rtstruct_dataset({1: ("A", []), 2: ("B", [])})
    dataset.StructureSetROISequence[1].ROINumber = 1
    path = tmp_path / "set.dcm"
    path.write_bytes(dicom_bytes(dataset))
    with pytest.raises(FormatError):
        ANNOTATIONS.get("rtstruct").names(path)


def test_an_image_is_no_structure_set(tmp_path):
    path = tmp_path / "slice.dcm"
    path.write_bytes(ct_bytes())
    with pytest.raises(FormatError) as caught:
        ANNOTATIONS.get("rtstruct").names(path)
    assert caught.value.reason == "file/unsupported"


def test_the_scan_tells_labels_frame_and_samples(tmp_path):
    path = tmp_path / "set.dcm"
    path.write_bytes(dicom_bytes(rtstruct_dataset()))
    found = FORMATS.get("dicom").scan(path, "f", 0, "").annotation
    assert (found.numbers, found.labels) == ((3, 7), ("Geheimrat lesion", "Heart"))
    assert found.frame_of_reference_uid == FRAME
    assert found.samples_mm == (9.0, 19.5, 2.0)
