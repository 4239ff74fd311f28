import numpy as np
import pytest

from isocenter.base.errors import FormatError
from isocenter.formats.labelmap import MAX_LABELS, annotations_of, grid_of, label_values
from isocenter.model.annotation import AnnotationState


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "i4", "u8", "f4", ">u2", ">f8"])
def test_values_are_those_of_a_sort(dtype):
    stored = np.random.default_rng(0).integers(0, 120, (4, 9, 9)).astype(dtype)
    assert label_values(stored) == np.unique(stored).astype(int).tolist()


def test_values_below_zero_and_above_32_bits():
    assert label_values(np.array([[[-3, 2**40, 0]]])) == [-3, 0, 2**40]


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf])
def test_an_image_is_no_label_map(value):
    with pytest.raises(FormatError) as caught:
        label_values(np.full((2, 2, 2), value))
    assert caught.value.reason == "read/not-a-label-map"


def test_too_many_labels():
    assert len(label_values(np.arange(MAX_LABELS).reshape(1, 1, -1))) == MAX_LABELS
    with pytest.raises(FormatError):
        label_values(np.arange(MAX_LABELS + 1).reshape(1, 1, -1))


def test_what_is_wanted_but_not_there_is_absent_and_what_is_not_wanted_is_told():
    stored = np.zeros((2, 3, 4), np.uint8)
    stored[1, 1, 1:3] = (2, 9)
    grid = grid_of(stored, np.eye(4), "sform")
    a, b = annotations_of(stored, grid, {1: "one", 2: "two"}, annotation_id="x", rater="r", source="nifti")
    assert (a.state, b.state) == (AnnotationState.ABSENT, AnnotationState.MARKED)
    assert [(i.rule, i.measured) for i in a.issues] == [("enrol/unmapped-label", "9")]
    assert b.issues == ()
    assert np.argwhere(b.mask(grid)).tolist() == [[1, 1, 1]]


@pytest.mark.parametrize("affine", [np.zeros((4, 4)), np.diag([1.0, 0, 1, 1]), np.full((4, 4), np.nan)])
def test_a_grid_without_volume_is_refused(affine):
    with pytest.raises(FormatError):
        grid_of(np.zeros((2, 3, 4)), affine, "sform")
