from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from isocenter.augment import transform
from isocenter.augment.field import INJECTIVE, draw_field
from isocenter.augment.policy import Policy
from isocenter.augment.transforms import elastic
from isocenter.base import seeds
from tests.contracts.test_transforms import apply, make_patch

sitk = pytest.importorskip("SimpleITK")
AFFINE = np.diag([-0.8, 0.7, 2.0, 1.0])
HARD = Policy(elastic_mm=8, elastic_cell_mm=20, elastic_volume=0.2)


def planned(seed, shape, affine=AFFINE, policy=HARD, **more):
    parameters = elastic.draw(policy, seeds.stream(seed, "x")) | more
    return parameters, transform.plan({"elastic": parameters}, shape, affine)


def itk_displacements(field, shape):
    """What SimpleITK's cubic B-spline of the same control points says of every voxel: mm, (3, K, J, I)."""
    counts = np.array(field.lattice.shape[:0:-1])
    steps = np.linalg.norm(field.steps, axis=0)
    spline = sitk.BSplineTransform(3, 3)
    spline.SetTransformDomainMeshSize([int(n) - 3 for n in counts])
    size = (counts - 3) * field.cell_mm
    spline.SetTransformDomainPhysicalDimensions([float(x) for x in size])
    spline.SetTransformDomainOrigin([float(-x / 2) for x in size])
    spline.SetParameters([float(x) for c in field.lattice for x in c.reshape(-1)])
    out = np.zeros((3, *shape))
    for k, j, i in np.ndindex(*shape):
        at = (np.array([i, j, k]) - (np.array(shape[::-1]) - 1) / 2) * steps
        at = np.clip(at, -size / 2 + 1e-9, size / 2 - 1e-9)
        out[:, k, j, i] = np.array(spline.TransformPoint(at.tolist())) - at
    return out


def test_it_is_the_field_of_simpleitks_spline_interpolated_as_scipy_does():
    shape = (6, 34, 36)
    affine = np.diag([0.8, 0.7, 2.0, 1.0])  # SimpleITK's domain is along positive axes
    parameters, plan = planned(3, shape, affine)
    patch = replace(make_patch(shape), affine=affine)
    after = apply(patch, {"elastic": parameters})
    moved = itk_displacements(plan.motion.bend, shape)
    assert np.sqrt((moved**2).sum(axis=0)).max() > 0.8
    at = np.indices(shape) + moved[::-1] / np.array([2.0, 0.7, 0.8])[:, None, None, None]
    ends = np.array(shape)[:, None, None, None] - 1
    near = ((abs(at) < 1e-3) | (abs(at - ends) < 1e-3)).any(axis=0)
    for channel in range(2):
        expected = ndimage.map_coordinates(
            patch.image[channel], at, order=1, mode="constant", cval=patch.background[channel]
        )
        np.testing.assert_allclose(after.image[channel][~near], expected[~near], atol=3e-5)
    tie = (abs(at - np.floor(at) - 0.5) < 1e-4).any(axis=0)
    for name in ("mask", "valid", "known", "instances"):
        array = getattr(patch, name).astype(np.int32)
        expected = ndimage.map_coordinates(array, at, order=0, mode="constant", cval=0)
        np.testing.assert_array_equal(getattr(after, name)[~tie & ~near], expected[~tie & ~near])


@pytest.mark.parametrize("seed", range(6))
def test_it_stays_within_its_bounds_everywhere(seed):
    """Displacements and volumes measured in the dense field, by finite differences, not as the field itself does it."""
    shape = (24, 60, 56)
    parameters, plan = planned(seed, shape, largest_mm=8.0)
    field = plan.motion.bend
    points = np.random.default_rng(seed).uniform(-0.5, 0.5, (4000, 3)) * np.array(
        [55 * 0.8, 59 * 0.7, 23 * 2.0]
    )
    assert field.largest_share < INJECTIVE
    back = field.settle(points)  # y where y + d(y) = point
    assert np.linalg.norm(points - back, axis=1).max() <= parameters["largest_mm"] + 1e-9
    h = 1e-3
    jacobian = np.stack(
        [(field.settle(points + h * e) - field.settle(points - h * e)) / (2 * h) for e in np.eye(3)], axis=-1
    )
    volumes = np.linalg.det(jacobian)
    assert volumes.min() > 0
    assert 0.8 - 1e-4 <= volumes.min() < 0.93  # bounded, and not for nothing
    assert 1.07 < volumes.max() <= 1.2 + 1e-4
    low, high = field.volumes()
    assert low - 0.02 <= volumes.min()
    assert volumes.max() <= high + 0.02


def test_a_field_that_would_change_volumes_too_much_is_scaled_back_and_a_mild_one_is_left_alone():
    shape = (30, 60, 60)
    options = {"largest_mm": 8.0, "cell_mm": 20.0, "shape": shape, "affine": AFFINE, "is_in_plane": False}
    hard = draw_field(seeds.stream(1, "x"), **options)
    assert hard.volumes()[1] > 1.2
    kept = hard.within(0.1)
    low, high = kept.volumes()
    assert 0.9 <= low < high <= 1.1
    assert max(high - 1, 1 - low) > 0.09
    mild = draw_field(seeds.stream(1, "x"), **options | {"largest_mm": 0.1})
    assert mild.within(0.1) is mild


def test_points_move_exactly_and_with_the_image():
    shape = (20, 60, 60)
    zs, ys, xs = np.indices(shape)
    spots = np.array([[8, 20, 25], [12, 40, 30], [10, 30, 45]])
    image = sum(
        np.exp(-(((zs - k) * 2.0) ** 2 + ((ys - j) * 0.7) ** 2 + ((xs - i) * 0.8) ** 2) / 8)
        for k, j, i in spots
    )
    world = spots[:, ::-1] @ AFFINE[:3, :3].T + AFFINE[:3, 3]
    patch = replace(
        make_patch(shape, channels=1), image=image[None].astype(np.float32), affine=AFFINE, points=world
    )
    parameters, plan = planned(2, shape, largest_mm=8.0)
    for drawn in (
        {"elastic": parameters},
        {
            "mirror": {"axes": ["R"], "swap": {}},
            "rotation": {"axis": "A", "degrees": 9.0},
            "elastic": parameters,
        },
    ):
        after = apply(patch, drawn)
        assert np.linalg.norm(after.points - world, axis=1).max() > 1
        for point in after.points:
            k, j, i = np.linalg.solve(AFFINE[:3, :3], point - AFFINE[:3, 3])[::-1]
            near = (abs(zs - k) < 3) & (abs(ys - j) < 7) & (abs(xs - i) < 7)
            weight = after.image[0] * near
            found = [(weight * axis).sum() / weight.sum() for axis in (zs, ys, xs)]
            np.testing.assert_allclose(found, [k, j, i], atol=0.35)
    middle = AFFINE[:3, :3] @ ((np.array(shape[::-1]) - 1) / 2) + AFFINE[:3, 3]
    back = plan.motion.bend
    settled = back.settle(world - middle)
    np.testing.assert_allclose(back.settle(settled + (world - middle - settled)), settled, atol=1e-9)


def test_boxes_hold_what_they_held():
    shape = (20, 60, 60)
    mask = np.zeros(shape, np.uint8)
    mask[5:15, 15:45, 12:48] = 1
    voxel = np.array([[5, 15, 12, 15, 45, 48]], np.int32)
    corners = np.array([[11.5, 14.5, 4.5], [47.5, 44.5, 14.5]]) @ AFFINE[:3, :3].T
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])[None]
    patch = replace(make_patch(shape), mask=mask, affine=AFFINE, boxes=box, boxes_voxel=voxel)
    for seed in range(5):
        parameters, _ = planned(seed, shape, largest_mm=8.0)
        after = apply(patch, {"elastic": parameters})
        found = np.argwhere(after.mask)
        assert (after.boxes_voxel[0, :3] <= found.min(axis=0)).all()
        assert (found.max(axis=0) < after.boxes_voxel[0, 3:]).all()
        assert (found.min(axis=0) - after.boxes_voxel[0, :3] <= 2).all()
        world = found[:, ::-1] @ AFFINE[:3, :3].T
        assert (after.boxes[0, :3] <= world.min(axis=0)).all()
        assert (world.max(axis=0) <= after.boxes[0, 3:]).all()


def test_within_the_plane_nothing_leaves_its_slice():
    shape = (1, 50, 50)
    parameters, plan = planned(4, shape, in_plane=True, largest_mm=8.0)
    assert abs(plan.motion.bend.lattice[2]).max() < 1e-12
    assert plan.reach[0] == 0
    after = apply(replace(make_patch(shape), affine=AFFINE), {"elastic": parameters})
    assert after.valid[0, 15:35, 15:35].all()


def test_reach_is_enough():
    shape = (12, 40, 40)
    for seed in range(5):
        parameters, plan = planned(seed, shape, largest_mm=8.0)
        margin = plan.reach
        assert max(margin) > 0
        wide = tuple(n + 2 * m for n, m in zip(shape, margin, strict=True))
        whole = replace(make_patch(wide), valid=np.ones(wide, bool), affine=AFFINE)
        assert apply(whole, {"elastic": parameters}, margin).valid.all()


def test_bounds_stay_within_the_policy():
    policy = Policy(elastic_mm=5)
    drawn = [elastic.draw(policy, seeds.stream(n, "x")) for n in range(300)]
    assert max(d["largest_mm"] for d in drawn) <= 5
    assert max(d["largest_mm"] for d in drawn) > 4.9
    assert len({d["key"] for d in drawn}) == 300
