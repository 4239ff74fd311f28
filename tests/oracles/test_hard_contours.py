"""Contours as they are found in the wild, from a structure set in a file to the mask, against arithmetic of the test's own."""

import math

import numpy as np
import pytest
from matplotlib.path import Path

import isocenter as iso
from isocenter.imaging.shapes import Contours
from isocenter.model.grid import Grid
from isocenter.stages.build.contours import contour_issues
from tests.contracts.files import contour, dicom_bytes, rtstruct_dataset

LPS = np.array((-1.0, -1.0, 1.0))
SHAPE = (24, 40, 44)
PLAIN = Grid(SHAPE, np.array([[-1, 0, 0, 22.0], [0, -1, 0, 20], [0, 0, 1.5, -18], [0, 0, 0, 1]]))


def turned(degrees_x, degrees_z):
    a, b = np.radians((degrees_x, degrees_z))
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return z @ x


def tilted_grid():
    affine = np.eye(4)
    affine[:3, :3] = turned(25, 40) * np.array((1, 1, 1.5))
    affine[:3, 3] = -affine[:3, :3] @ (np.array(SHAPE[::-1]) - 1) / 2
    return Grid(SHAPE, affine)


def centres(grid):
    k, j, i = np.meshgrid(*map(np.arange, grid.shape), indexing="ij")
    return grid.to_world(np.stack([i, j, k], axis=-1).reshape(-1, 3).astype(float))


def read(tmp_path, rois):
    """Structures by name, of contours (kind, points in RAS millimetres), through a file."""
    sets = {
        number: (name, [contour(np.round(points * LPS, 4), kind) for kind, points in drawn])
        for number, (name, drawn) in rois.items()
    }
    dataset = rtstruct_dataset(sets)
    # neither sequence is in the order of the numbers, nor in that of the other
    dataset.StructureSetROISequence = dataset.StructureSetROISequence[::-1]
    contours = list(dataset.ROIContourSequence)
    dataset.ROIContourSequence = contours[1:] + contours[:1]
    path = tmp_path / "set.dcm"
    path.write_bytes(dicom_bytes(dataset))
    return {a.concept: a for a in iso.read_annotations(path)}


def one(tmp_path, polygons, kind="CLOSED_PLANAR"):
    return read(tmp_path, {4: ("it", [(kind, p) for p in polygons])})["it"]


def flat(points, z, grid=PLAIN):
    """A polygon in a slice, of points in voxels (i, j)."""
    return grid.to_world(np.column_stack([points, np.full(len(points), float(z))]))


def circle(radius, centre=(20.3, 18.4), count=720):
    turn = 2 * math.pi * np.arange(count) / count + 0.003
    return np.stack([np.cos(turn), np.sin(turn)], axis=1) * radius + centre


def square(low, high):
    return np.array([(low, low), (high, low), (high, high), (low, high)], float)


def disc(radius, centre=(20.3, 18.4)):
    j, i = np.mgrid[: SHAPE[1], : SHAPE[2]]
    return np.hypot(i - centre[0], j - centre[1]) < radius


def ball_on(axes, middle, radius, step):
    """A ball drawn on planes across the last of three directions."""
    planes = np.arange(-radius + step / 2, radius, step)
    out = []
    for t in planes:
        ring = circle(math.sqrt(radius**2 - t * t), (0, 0))
        out.append(middle + ring @ axes[:2] + t * axes[2])
    return out


@pytest.mark.parametrize("across", ["sagittal", "coronal", "axial"])
def test_planes_of_every_direction_of_the_image(across, tmp_path):
    axis = ["sagittal", "coronal", "axial"].index(across)
    axes = np.roll(np.eye(3), 2 - axis, axis=0)
    assert axes[2, axis] == 1
    step = 1.5 if across == "axial" else 1.0
    middle = PLAIN.to_world(np.array([[20.0, 18.0, 11.0]]))[0]
    heights = np.arange(-9, 9.1, step) if step == 1.0 else np.arange(-6, 7) * 1.5
    drawn = [middle + circle(math.sqrt(9.7**2 - t * t), (0, 0)) @ axes[:2] + t * axes[2] for t in heights]
    found = one(tmp_path, drawn)
    expected = (np.linalg.norm(centres(PLAIN) - middle, axis=1) < 9.7).reshape(SHAPE)
    assert np.count_nonzero(found.mask(PLAIN) != expected) <= 0.001 * expected.sum()
    assert found.shape.report(PLAIN).filled == len(drawn)
    assert contour_issues(found, PLAIN) == []


def test_slices_of_an_oblique_image(tmp_path):
    grid = tilted_grid()
    axes = grid.affine[:3, :3].T / np.array(grid.spacing_mm[::-1])[:, None]
    heights = (np.arange(SHAPE[0]) - (SHAPE[0] - 1) / 2) * 1.5
    drawn = [
        circle(math.sqrt(11.3**2 - t * t), (0, 0)) @ axes[:2] + t * axes[2] for t in heights if abs(t) < 11.3
    ]
    found = one(tmp_path, drawn)
    expected = (np.linalg.norm(centres(grid), axis=1) < 11.3).reshape(SHAPE)
    assert np.count_nonzero(found.mask(grid) != expected) <= 0.002 * expected.sum()


@pytest.mark.parametrize("angles", [(30, 0), (35, 50), (60, 10), (80, 20)])
def test_planes_oblique_to_the_image(angles, tmp_path):
    axes = (turned(angles[0], 0) @ turned(0, angles[1])).T
    middle = centres(PLAIN).mean(axis=0) + np.array((0.3, -0.2, 0.1))
    drawn = ball_on(axes, middle, 11.0, 1.0)
    found = one(tmp_path, drawn)
    report = found.shape.report(PLAIN)
    assert (report.oblique, report.off_plane, report.filled) == (22, 0, 22)
    assert [i.rule for i in contour_issues(found, PLAIN)] == ["read/contours-oblique"]
    mask = found.mask(PLAIN)
    expected = np.zeros(mask.size, bool)
    points = (centres(PLAIN) - middle) @ axes.T
    for t in np.arange(-10.5, 11, 1.0):
        near = (points[:, 2] >= t - 0.5) & (points[:, 2] < t + 0.5)
        expected |= near & (np.hypot(points[:, 0], points[:, 1]) < math.sqrt(121 - t * t))
    differ = np.count_nonzero(mask.ravel() != expected)
    assert differ <= 0.004 * expected.sum()
    ball = np.linalg.norm(points, axis=1) < 11
    assert 2 * (mask.ravel() & ball).sum() / (mask.sum() + ball.sum()) > 0.98


def test_an_oblique_hole_and_a_gap_between_oblique_planes(tmp_path):
    axes = turned(35, 50).T
    middle = centres(PLAIN).mean(axis=0)
    heights = [-4.0, -3.0, -2.0, -1.0, 2.0, 3.0]
    drawn = [middle + circle(r, (0, 0)) @ axes[:2] + t * axes[2] for t in heights for r in (9.0, 4.0)]
    mask = one(tmp_path, drawn).mask(PLAIN).ravel()
    points = (centres(PLAIN) - middle) @ axes.T
    distance = np.hypot(points[:, 0], points[:, 1])
    is_drawn = np.any([(points[:, 2] >= t - 0.5) & (points[:, 2] < t + 0.5) for t in heights], axis=0)
    expected = is_drawn & (distance < 9) & (distance > 4)
    assert np.count_nonzero(mask != expected) <= 0.005 * expected.sum()


def test_one_tilted_contour_has_no_thickness_and_is_told(tmp_path):
    tilted = circle(8, (0, 0)) @ turned(30, 0).T[:2] + centres(PLAIN).mean(axis=0)
    found = one(tmp_path, [tilted, flat(circle(5.2), 3)])
    assert found.shape.report(PLAIN).off_plane == 1
    assert np.array_equal(found.mask(PLAIN)[3], disc(5.2))
    assert found.mask(PLAIN).sum() == disc(5.2).sum()
    assert [(i.rule, i.measured) for i in contour_issues(found, PLAIN)] == [
        ("read/contours-left-out", "1 off plane")
    ]


def test_a_keyhole(tmp_path):
    outer, inner = circle(12.1), circle(5.3)
    keyhole = np.concatenate([outer, outer[:1], inner[:1], inner[:0:-1], inner[:1]])
    found = one(tmp_path, [flat(keyhole, 7)])
    assert np.array_equal(found.mask(PLAIN)[7], disc(12.1) & ~disc(5.3))
    assert contour_issues(found, PLAIN) == []


@pytest.mark.parametrize("kind", ["CLOSED_PLANAR", "CLOSEDPLANAR_XOR"])
def test_an_island_in_a_hole(kind, tmp_path):
    radii = (14.2, 9.3, 4.6)
    found = one(tmp_path, [flat(circle(r), 7) for r in radii], kind)
    a, b, c = (disc(r) for r in radii)
    assert np.array_equal(found.mask(PLAIN)[7], (a & ~b) | c)
    assert contour_issues(found, PLAIN) == []


def test_contours_that_overlap_are_meant_only_as_xor(tmp_path):
    drawn = [flat(circle(6.1, (16, 18.4)), 7), flat(circle(6.1, (22, 18.4)), 7)]
    for kind, told in (("CLOSEDPLANAR_XOR", []), ("CLOSED_PLANAR", ["read/contours-overlap"])):
        found = one(tmp_path, drawn, kind)
        assert np.array_equal(found.mask(PLAIN)[7], disc(6.1, (16, 18.4)) ^ disc(6.1, (22, 18.4)))
        assert [i.rule for i in contour_issues(found, PLAIN)] == told


def test_identical_contours_count_once(tmp_path):
    ring = circle(8.2, count=90)
    drawn = [flat(r, 7) for r in (ring, ring, np.roll(ring, 31, axis=0), ring[::-1])]
    for kind in ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR"):
        found = one(tmp_path, drawn, kind)
        assert np.array_equal(found.mask(PLAIN)[7], Contours((drawn[0],)).mask(PLAIN)[7])
        assert found.mask(PLAIN).sum() > 200
        assert contour_issues(found, PLAIN)[0].measured == "3 duplicates"


def test_structures_are_joined_by_number(tmp_path):
    radii = {"a": (9, 3.2), "b": (2, 5.4), "c": (31, 7.7), "d": (5, 9.1)}
    drawn = {n: (name, [("CLOSED_PLANAR", flat(circle(r), 7))]) for name, (n, r) in radii.items()}
    found = read(tmp_path, drawn)
    for name, (_, radius) in radii.items():
        assert np.array_equal(found[name].mask(PLAIN)[7], disc(radius))


def test_planes_between_the_slices(tmp_path):
    found = one(tmp_path, [flat(circle(4.2), 7.4), flat(circle(6.3), 9.45), flat(circle(3.1), 8.7)])
    mask = found.mask(PLAIN)
    assert np.array_equal(mask[7], disc(4.2))
    # two planes are nearest to slice 9: the nearer of them is its own
    assert np.array_equal(mask[9], disc(3.1))
    assert mask.sum() == disc(4.2).sum() + disc(3.1).sum()
    assert found.shape.report(PLAIN).between_slices == 1


def test_contours_outside_the_image(tmp_path):
    off = [
        flat(circle(4), 30),
        flat(circle(4), -3),
        flat(circle(4, (80, 80)), 7),
        flat(circle(6.2, (0, 0)), 7),
    ]
    found = one(tmp_path, off)
    assert np.array_equal(found.mask(PLAIN)[7], disc(6.2, (0, 0)))
    assert found.mask(PLAIN).sum() == disc(6.2, (0, 0)).sum()
    assert {i.rule: i.measured for i in contour_issues(found, PLAIN)} == {
        "read/contours-left-out": "3 outside",
        "read/contours-cut": "1 partly outside",
    }


def test_contours_smaller_than_a_voxel(tmp_path):
    between = one(tmp_path, [flat(square(10.1, 10.9), 7)])
    assert not between.mask(PLAIN).any()
    assert contour_issues(between, PLAIN)[0].measured == "1 without voxels"
    around = one(tmp_path, [flat(square(9.8, 10.2), 7)])
    assert np.argwhere(around.mask(PLAIN)).tolist() == [[7, 10, 10]]


def test_structures_that_touch_share_no_voxel_and_leave_none_out(tmp_path):
    corners = [np.array(p, float) for p in ((4, 4), (30, 6), (33, 34), (6, 31))]
    middle = np.array((17.0, 18.0))
    parts = [np.stack([corners[a], corners[(a + 1) % 4], middle]) for a in range(4)]
    drawn = {n + 1: (f"part {n}", [("CLOSED_PLANAR", flat(p, 7))]) for n, p in enumerate(parts)}
    total = sum(a.mask(PLAIN).astype(int) for a in read(tmp_path, drawn).values())
    whole = one(tmp_path, [flat(np.stack(corners), 7)]).mask(PLAIN)
    assert np.array_equal(total, whole)
    assert total.max() == 1


def test_a_contour_that_crosses_itself(tmp_path):
    turn = 4 * math.pi * np.arange(5) / 5 + 0.1
    star = np.stack([np.cos(turn), np.sin(turn)], axis=1) * 14.3 + (20.3, 18.4)
    found = one(tmp_path, [flat(star, 7)])
    j, i = np.mgrid[: SHAPE[1], : SHAPE[2]]
    odd = Path(np.concatenate([star, star[:1]])).contains_points(np.column_stack([i.ravel(), j.ravel()]))
    assert np.array_equal(found.mask(PLAIN)[7].ravel(), odd)
    assert not found.mask(PLAIN)[7, 18, 20]
    assert contour_issues(found, PLAIN)[0].measured == "1 self crossing"
    eight = np.array([(8, 8), (28, 28), (28, 8), (8, 28)], float)
    # an eight encloses nothing twice: there is nothing to decide
    assert contour_issues(one(tmp_path, [flat(eight, 7)]), PLAIN) == []


def test_too_few_points(tmp_path):
    line = flat(np.array([(3, 3), (9, 9), (3, 3), (9, 9)], float), 7)
    found = one(tmp_path, [line, flat(circle(5.2), 7)])
    assert np.array_equal(found.mask(PLAIN)[7], disc(5.2))
    assert contour_issues(found, PLAIN)[0].measured == "1 too few points"
    nothing = read(tmp_path, {1: ("two", [("CLOSED_PLANAR", line[:2])]), 2: ("x", [])})["two"]
    assert (nothing.state, nothing.issues[0].rule) == ("not_annotated", "read/no-volume")


def test_slices_without_contours_stay_empty(tmp_path):
    found = one(tmp_path, [flat(circle(6.2), z) for z in (3, 4, 8, 9)])
    assert [bool(plane.any()) for plane in found.mask(PLAIN)[2:11]] == [0, 1, 1, 0, 0, 0, 1, 1, 0]
    assert {i.rule: i.measured for i in contour_issues(found, PLAIN)} == {"read/contour-gaps": "3 gaps"}


@pytest.mark.parametrize("seed", range(6))
def test_how_much_of_a_voxel_is_inside(seed):
    random = np.random.default_rng(seed)
    grid = Grid((3, 20, 22), np.diag([0.8, 0.7, 2.0, 1.0]))
    points = random.uniform(-2, 24, (int(random.integers(3, 9)), 2))
    share = Contours((flat(points, 1, grid),)).occupancy(grid)
    parts = 48
    fine = (np.arange(22 * parts) + 0.5) / parts - 0.5
    x, y = np.meshgrid(fine, fine[: 20 * parts])
    path = Path(np.concatenate([points, points[:1]]), closed=True)
    inside = path.contains_points(np.column_stack([x.ravel(), y.ravel()])).reshape(x.shape)
    expected = inside.reshape(20, parts, 22, parts).mean(axis=(1, 3))
    assert np.abs(share[1] - expected).max() < 0.03
    assert share[1].sum() == pytest.approx(expected.sum(), rel=0.002)
    assert share.dtype == np.float32
    assert not share[[0, 2]].any()


def test_a_structure_of_half_voxels_is_kept_by_its_area():
    grid = Grid((1, 12, 12), np.eye(4))
    one = Contours((np.array([(2.6, 2.6, 0), (6.6, 2.6, 0), (6.6, 6.4, 0), (2.6, 6.4, 0)]),))
    share = one.occupancy(grid)[0]
    assert share.sum() == pytest.approx(4 * 3.8, rel=0.01)
    assert share[4, 3] == pytest.approx(0.9, abs=0.01)
    assert share[4, 7] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("by_area", [False, True])
def test_a_voxel_is_inside_by_its_centre_or_by_its_area(by_area):
    # the wedge holds the centre of every second voxel of its upper edge, and less than half of it
    points = np.array([(3.0, 3.0), (17.3, 3.0), (17.3, 9.8), (9.1, 4.4)])
    shape = Contours((flat(points, 1),), by_area=by_area)
    share = shape.occupancy(PLAIN)[1]
    centre = Contours((flat(points, 1),)).mask(PLAIN)[1]
    area = share >= 0.5
    assert np.count_nonzero(area != centre) > 5
    assert np.array_equal(shape.mask(PLAIN)[1], area if by_area else centre)
