from dataclasses import replace

import numpy as np

from isocenter.augment.transform import apply
from tests.contracts.test_transforms import make_patch


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
    after = apply(patch, {"mirror": {"axes": ["A"], "swap": {"left": "right", "right": "left"}}})
    np.testing.assert_array_equal(after.mask, patch.mask[::-1, :, ::-1])
    np.testing.assert_array_equal(after.known, patch.known[::-1, :, ::-1])
    np.testing.assert_array_equal(after.soft, patch.soft[::-1, :, ::-1])
    np.testing.assert_array_equal(after.instances, patch.instances[:, ::-1])


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
