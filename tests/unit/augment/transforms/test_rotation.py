from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from isocenter.augment.policy import Policy
from isocenter.augment.transform import plan
from isocenter.augment.transforms import rotation
from isocenter.base import seeds
from tests.contracts.test_transforms import apply, make_patch

VECTORS = {"R": (1, 0, 0), "A": (0, 1, 0), "S": (0, 0, 1)}
OBLIQUE = np.array([[-0.7, 0.1, 0.2, 4], [0.1, 0.7, 0, -9], [0, 0.1, 2.5, 3], [0, 0, 0, 1.0]])


def source_positions(patch, axis, degrees):
    """Where scipy's rotation says that each voxel's value comes from, in (k, j, i), by a way of its own."""
    ijk = np.indices(patch.shape)[::-1].reshape(3, -1)
    centre = (np.array(patch.shape[::-1]) - 1) / 2
    world = patch.affine[:3, :3] @ (ijk - centre[:, None])
    back = Rotation.from_rotvec(np.radians(-degrees) * np.array(VECTORS[axis])).apply(world.T).T
    source = np.linalg.solve(patch.affine[:3, :3], back) + centre[:, None]
    return source[::-1].reshape(3, *patch.shape)


@pytest.mark.parametrize("affine", [np.diag([0.7, 0.7, 2.5, 1]), OBLIQUE])
@pytest.mark.parametrize(("axis", "degrees"), [("S", 10.0), ("R", -7.3), ("A", 3.1), ("S", 0.0)])
def test_it_equals_scipys_interpolation_in_millimetres(affine, axis, degrees):
    patch = replace(make_patch((9, 24, 21)), affine=affine)
    after = apply(patch, {"rotation": {"axis": axis, "degrees": degrees}})
    at = source_positions(patch, axis, degrees)
    ends = np.array(patch.shape)[:, None, None, None] - 1.0
    at = np.where((at < 0) & (at > -1.1e-4), 0, at)  # this near to the border is on it
    at = np.where((at > ends) & (at < ends + 1.1e-4), ends, at)
    for channel in range(2):
        expected = ndimage.map_coordinates(
            patch.image[channel], at, order=1, mode="constant", cval=patch.background[channel]
        )
        np.testing.assert_allclose(after.image[channel], expected, atol=1e-5)
    for plane in range(2):
        expected = ndimage.map_coordinates(patch.soft[plane], at, order=1, mode="constant", cval=0)
        np.testing.assert_allclose(after.soft[plane], expected, atol=1e-5)
    is_tie = (np.abs(at - np.floor(at) - 0.5) < 1e-5).any(axis=0)
    for name, fill in (("mask", 0), ("valid", 0), ("known", 0)):
        expected = ndimage.map_coordinates(
            getattr(patch, name).astype(np.uint8), at, order=0, mode="constant", cval=fill
        )
        np.testing.assert_array_equal(getattr(after, name)[~is_tie], expected[~is_tie])
    expected = ndimage.map_coordinates(patch.instances.astype(np.int32), at, order=0, mode="constant", cval=0)
    np.testing.assert_array_equal(after.instances[~is_tie], expected[~is_tie])


def test_known_planes_of_labels_turn_each_as_the_mask_does():
    patch = make_patch((7, 20, 18), planes=2)
    after = apply(
        replace(patch, mask=patch.known.view(np.uint8)), {"rotation": {"axis": "S", "degrees": 7.0}}
    )
    np.testing.assert_array_equal(after.known, after.mask.astype(bool))
    assert 0 < after.known.sum() < patch.known.sum()


def test_no_angle_changes_nothing():
    patch = make_patch()
    after = apply(patch, {"rotation": {"axis": "normal", "degrees": 0.0}})
    for name in ("image", "mask", "valid", "boxes_voxel", "known", "soft", "instances"):
        np.testing.assert_array_equal(getattr(after, name), getattr(patch, name))
    np.testing.assert_allclose(after.boxes, patch.boxes, atol=1e-12)


def test_a_single_slice_turns_within_its_plane():
    patch = make_patch((1, 30, 30))
    after = apply(patch, {"rotation": {"axis": "normal", "degrees": 10.0}})
    assert after.valid[0, 12:18, 12:18].all()
    flat = apply(replace(patch, affine=np.eye(4)), {"rotation": {"axis": "S", "degrees": 10.0}})
    expected = ndimage.rotate(patch.image[0, 0], -10, axes=(1, 0), reshape=False, order=1)
    np.testing.assert_allclose(flat.image[0, 0, 8:22, 8:22], expected[8:22, 8:22], atol=1e-5)


def test_boxes_hold_what_they_held():
    shape = (15, 40, 40)
    mask = np.zeros(shape, np.uint8)
    mask[5:9, 12:20, 10:25] = 1
    affine = np.diag([0.7, 0.7, 2.5, 1])
    patch = replace(
        make_patch(shape),
        mask=mask,
        affine=affine,
        boxes=np.array([[10 * 0.7, 12 * 0.7, 5 * 2.5, 24 * 0.7, 19 * 0.7, 8 * 2.5]]),
        boxes_voxel=np.array([[5, 12, 10, 9, 20, 25]], np.int32),
    )
    for axis in ("S", "R", "A"):
        after = apply(patch, {"rotation": {"axis": axis, "degrees": 10.0}})
        found = np.argwhere(after.mask)
        assert (after.boxes_voxel[0, :3] <= found.min(axis=0)).all()
        assert (found.max(axis=0) < after.boxes_voxel[0, 3:]).all()
        world = found[:, ::-1] * np.array([0.7, 0.7, 2.5])
        half = np.array([0.7, 0.7, 2.5]) / 2
        assert (after.boxes[0, :3] <= world.min(axis=0) + half).all()
        assert (world.max(axis=0) - half <= after.boxes[0, 3:]).all()


def test_reach_is_enough_for_every_corner_and_no_more_than_a_voxel_too_much():
    shape = (20, 40, 30)
    for degrees in (10.0, -4.0, 0.0):
        for axis in ("R", "A", "S"):
            patch = replace(make_patch(shape), affine=OBLIQUE)
            margin = plan({"rotation": {"axis": axis, "degrees": degrees}}, shape, OBLIQUE).reach
            at = source_positions(patch, axis, degrees).reshape(3, -1)
            beyond = np.maximum(-at.min(axis=1), at.max(axis=1) - (np.array(shape) - 1))
            assert (np.array(margin) >= beyond - 1e-6).all()
            assert (np.array(margin) <= np.maximum(beyond, 0) + 1).all()


def test_angles_and_axes_stay_within_the_policy():
    policy = Policy(rotation_deg=10, rotation_axes=("S", "R"))
    drawn = [rotation.draw(policy, seeds.stream(n, "x")) for n in range(500)]
    assert {d["axis"] for d in drawn} == {"S", "R"}
    assert max(abs(d["degrees"]) for d in drawn) <= 10
    assert max(d["degrees"] for d in drawn) > 9.5
    assert min(d["degrees"] for d in drawn) < -9.5
