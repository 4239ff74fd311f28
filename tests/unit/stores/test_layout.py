import numpy as np

from isocenter.stores.layout import FOREGROUND_VOXELS, affine_of, case_of, record_of


def assert_same_case(a, b):
    for name in ("id", "subject", "site", "timepoint", "channels", "units", "modalities", "box_labels"):
        assert getattr(a, name) == getattr(b, name)
    for name in ("labels", "attributes", "slices", "issues", "provenance", "verdict"):
        assert getattr(a, name) == getattr(b, name)
    for name in ("image", "mask", "valid", "boxes", "boxes_voxel"):
        x, y = np.asarray(getattr(a, name)), np.asarray(getattr(b, name))
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)
    assert a.raters.keys() == b.raters.keys()
    for rater in a.raters:
        np.testing.assert_array_equal(np.asarray(a.raters[rater]), np.asarray(b.raters[rater]))
    assert a.grid.shape == b.grid.shape
    np.testing.assert_array_equal(a.grid.affine, b.grid.affine)
    np.testing.assert_equal(a.statistics, b.statistics)


def test_a_case_becomes_a_record_and_a_case_again(case):
    made = case(1)
    record = record_of(made)
    arrays = record.arrays | {"valid": record.arrays["valid"].view(bool)}
    assert_same_case(case_of(record.id, record.meta, arrays), made)


def test_foreground_names_labelled_voxels_of_each_label(case):
    made = case(1)
    foreground = record_of(made).arrays["foreground"]
    value, k, j, i = foreground.T
    np.testing.assert_array_equal(made.mask[k, j, i], value)
    counts = {int(v): int((value == v).sum()) for v in np.unique(value)}
    assert counts == {1: 240, 2: 12}
    assert len(np.unique(foreground, axis=0)) == len(foreground)


def test_foreground_of_a_large_label_is_a_fair_lot(case):
    made = case(1, shape=(20, 40, 40))
    made.mask[:] = 3
    foreground = record_of(made).arrays["foreground"]
    assert len(foreground) == FOREGROUND_VOXELS
    assert abs(foreground[:, 1].mean() - 9.5) < 1


def test_foreground_of_overlapping_masks_is_named_by_plane(case):
    made = case(1)
    planes = np.stack([made.mask == 1, made.mask == 1]).astype(np.uint8)
    object.__setattr__(made, "mask", planes)
    value, k, j, i = record_of(made).arrays["foreground"].T
    assert set(value.tolist()) == {1, 2}
    assert (planes[value - 1, k, j, i] == 1).all()


def test_a_case_without_mask_boxes_or_padding_has_an_image_only(case):
    made = case(1)
    for name, value in {"mask": None, "valid": None, "raters": {}, "boxes": np.zeros((0, 6))}.items():
        object.__setattr__(made, name, value)
    object.__setattr__(made, "boxes_voxel", np.zeros((0, 6), np.int32))
    record = record_of(made)
    assert set(record.arrays) == {"image"}
    back = case_of(record.id, record.meta, record.arrays)
    assert back.mask is None
    assert back.valid is None
    assert back.boxes.shape == (0, 6)


def test_the_affine_comes_back_to_the_last_bit(case):
    made = case(1)
    np.testing.assert_array_equal(affine_of(record_of(made).meta), made.grid.affine)
