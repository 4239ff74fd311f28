from dataclasses import replace

import numpy as np
import pytest

from isocenter.augment.transform import plan
from isocenter.base.errors import ConfigError
from tests.contracts.test_transforms import apply, make_patch


def test_left_and_right_change_places_with_their_labels():
    patch = make_patch()
    after = apply(patch, {"mirror": {"axes": ["R"], "swap": {"left": "right", "right": "left"}}})
    np.testing.assert_array_equal(after.image, patch.image[..., ::-1])
    np.testing.assert_array_equal(after.valid, patch.valid[..., ::-1])
    np.testing.assert_array_equal(after.mask, np.array([0, 2, 1], np.uint8)[patch.mask[..., ::-1]])
    np.testing.assert_array_equal(after.known, patch.known[..., ::-1])
    assert after.labels.tolist() == [-1, 1]
    assert after.box_labels.tolist() == [2, 1]
    assert after.boxes_voxel[0].tolist() == [1, 2, 18 - 9, 4, 8, 18 - 3]


def test_overlapping_masks_exchange_their_planes():
    patch = make_patch(planes=2)
    after = apply(patch, {"mirror": {"axes": ["R"], "swap": {"left": "right", "right": "left"}}})
    np.testing.assert_array_equal(after.mask, patch.mask[::-1, ..., ::-1])
    np.testing.assert_array_equal(after.known, patch.known[::-1, ..., ::-1])
    np.testing.assert_array_equal(after.soft, patch.soft[::-1, ..., ::-1])
    np.testing.assert_array_equal(after.instances, patch.instances[..., ::-1])


def rotated(*columns, spacing=(0.8, 0.9, 2.5)):
    affine = np.eye(4)
    affine[:3, :3] = np.column_stack(columns) * np.array(spacing)
    return affine


def oblique(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return rotated([c, s, 0], [-s, c, 0], [0, 0, 1])


@pytest.mark.parametrize("degrees", [0, 20, 40, 45, 50, 70, 90, 135])
@pytest.mark.parametrize("axes", [["R"], ["A"], ["R", "A"], ["R", "A", "S"], ["S"]])
def test_on_a_turned_grid_sides_change_names_exactly_where_they_change_places(degrees, axes):
    swap = {"left": "right", "right": "left"} if "R" in axes else {}
    patch = replace(make_patch(), affine=oblique(degrees))
    done = plan({"mirror": {"axes": axes, "swap": swap}}, patch.shape, patch.affine)
    after = done.apply(patch)
    assert not np.array_equal(after.image, patch.image)
    assert (after.labels.tolist() == [-1, 1]) == ("R" in axes)
    kept = np.diag(done.motion.turn) * [-1 if a in axes else 1 for a in "RAS"]
    assert (kept > -1e-9).all()  # no axis is reversed but those that were asked for


def test_however_a_grid_lies_a_name_never_changes_without_its_place():
    generator, n_left_out = np.random.default_rng(0), 0
    swap = {"left": "right", "right": "left"}
    for _ in range(200):
        columns, _ = np.linalg.qr(generator.normal(size=(3, 3)))
        patch = replace(make_patch(), affine=rotated(*columns.T))
        for axes in (["R"], ["R", "A"], ["S", "R"], ["R", "A", "S"]):
            done = plan({"mirror": {"axes": axes, "swap": swap}}, patch.shape, patch.affine)
            turn, is_swapped = done.motion.turn, dict(done.motion.swap) == swap
            assert is_swapped == (not np.array_equal(turn, np.eye(3)))
            assert not is_swapped or turn[0, 0] < 1e-6
            n_left_out += not is_swapped
    assert 0 < n_left_out < 400


@pytest.mark.parametrize("history", [["R", "R"], ["L"], ["A"]])
def test_a_history_that_no_policy_draws_is_refused(history):
    with pytest.raises(ConfigError, match="cannot mirror"):
        plan({"mirror": {"axes": history, "swap": {"left": "right"}}}, (4, 4, 4), np.eye(4))


def test_twice_is_not_at_all():
    patch, parameters = make_patch(), {"axes": ["R", "S"], "swap": {"left": "right", "right": "left"}}
    back = apply(apply(patch, {"mirror": parameters}), {"mirror": parameters})
    for name in ("image", "mask", "valid", "boxes_voxel", "box_labels", "labels", "known", "soft"):
        np.testing.assert_array_equal(getattr(back, name), getattr(patch, name))


def test_boxes_in_mm_follow_their_voxels():
    patch = make_patch()
    affine = np.array([[-0.7, 0, 0, 4], [0, 0.7, 0, -9], [0, 0, 2.5, 3], [0, 0, 0, 1.0]])
    low, high = affine[:3] @ [8, 2, 1, 1], affine[:3] @ [3, 7, 3, 1]
    box = np.concatenate([np.minimum(low, high), np.maximum(low, high)])[None]
    after = apply(replace(patch, affine=affine, boxes=box), {"mirror": {"axes": ["R"], "swap": {}}})
    low, high = affine[:3] @ [17 - 8, 2, 1, 1], affine[:3] @ [17 - 3, 7, 3, 1]
    np.testing.assert_allclose(
        after.boxes[0], np.concatenate([np.minimum(low, high), np.maximum(low, high)]), atol=1e-9
    )
