import json
from dataclasses import replace

import numpy as np

from isocenter.model.case import Marks
from isocenter.model.rows import OpinionRow
from isocenter.stores.layout import (
    FOREGROUND_VOXELS,
    affine_of,
    case_of,
    is_truth,
    record_of,
    without_arrays,
)
from isocenter.stores.store import Store
from tests.contracts.packed import build


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


def with_all(made):
    """A case with everything that is kept of raters and of what is known in part."""
    shape = made.grid.shape
    rng = np.random.default_rng(7)
    planes = [rng.random(shape) < 0.2 for _ in range(3)]
    return replace(
        made,
        known={"tumour": planes[0], "node": planes[1]},
        rater_known={"b/Å": {"node": planes[2]}, "a": {"tumour": planes[1]}},
        shares={"node": rng.integers(0, 65_536, shape).astype(np.uint16)},
        instances=rng.integers(0, 3, shape).astype(np.uint16),
        rater_boxes=Marks(raters=("a", "b/Å"), labels=("node", "tumour"), where=rng.random((2, 6))),
        rater_points=Marks(raters=("a",), labels=("node",), where=np.array([[1.5, 2, 3, 0]])),
        opinions=(
            OpinionRow(case=made.id, label="node", rater="a", state="partial", looked=0.5, volume_ml=1.5),
        ),
        slice_labels=rng.integers(-1, 2, (2, shape[0])).astype(np.int8),
    )


def test_all_that_raters_said_comes_back(case):
    made = with_all(case(1))
    record = record_of(made)
    arrays = {n: a.view(bool) if is_truth(n) else a for n, a in record.arrays.items()}
    back = case_of(record.id, json.loads(json.dumps(record.meta)), arrays)
    assert_same_case(back, made)
    for name in ("known", "shares"):
        assert getattr(back, name).keys() == getattr(made, name).keys()
        for label, array in getattr(made, name).items():
            np.testing.assert_array_equal(getattr(back, name)[label], array)
    assert {r: set(by) for r, by in back.rater_known.items()} == {"a": {"tumour"}, "b/Å": {"node"}}
    for rater, label in (("a", "tumour"), ("b/Å", "node")):
        np.testing.assert_array_equal(back.rater_known[rater][label], made.rater_known[rater][label])
    np.testing.assert_array_equal(back.instances, made.instances)
    np.testing.assert_array_equal(back.slice_labels, made.slice_labels)
    assert back.opinions == made.opinions
    for name in ("rater_boxes", "rater_points"):
        ours, theirs = getattr(back, name), getattr(made, name)
        assert (ours.raters, ours.labels) == (theirs.raters, theirs.labels)
        np.testing.assert_array_equal(ours.where, theirs.where)


def test_what_raters_said_comes_back_from_a_file(case, tmp_path):
    made = with_all(case(1))
    found = Store(build(tmp_path / "store", [made]))[made.id]
    for label, known in made.known.items():
        assert found.known[label].dtype == np.bool_
        np.testing.assert_array_equal(np.asarray(found.known[label]), known)
    np.testing.assert_array_equal(
        np.asarray(found.rater_known["a"]["tumour"]), made.rater_known["a"]["tumour"]
    )
    np.testing.assert_array_equal(np.asarray(found.shares["node"]), made.shares["node"])
    np.testing.assert_array_equal(found.slice_labels, made.slice_labels)
    assert found.rater_boxes.of("b/Å")[1] == ("tumour",)


def test_a_case_lets_go_of_all_that_is_as_large_as_its_image(case):
    made = with_all(case(1))
    left = without_arrays(made)
    for name in ("image", "mask", "valid", "instances"):
        assert getattr(left, name) is None
    assert left.raters == left.known == left.rater_known == left.shares == {}
    assert left.opinions == made.opinions
