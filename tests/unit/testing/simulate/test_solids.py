"""What the simulator says is inside an outline, against plain even-odd and plain geometry."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.testing.simulate.lattice import AXIAL, CORONAL, SAGITTAL, Lattice, rearranged, turned
from isocenter.testing.simulate.solids import Solid, draw


def even_odd(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Ray casting in the plane; (N, 2) vertices, (M, 2) points."""
    x, y = points[:, 0], points[:, 1]
    inside = np.zeros(len(points), dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        if crosses.any():
            inside[crosses] ^= x[crosses] < (x1 - x0) * (y[crosses] - y0) / (y1 - y0) + x0
    return inside


AXES = {
    "axial": AXIAL,
    "sagittal": SAGITTAL,
    "coronal": CORONAL,
    "oblique": turned(AXIAL, 17, -23),
}


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
@pytest.mark.parametrize(("matrix", "tilt"), [(40, 0.0), (40, 15.0), (192, 0.0)])
def test_outlines_enclose_exactly_the_drawn_voxels(axes, matrix, tilt):
    solid = Solid((3.3, -11.7, 40.2), (31.0, 22.0, 27.5))
    lattice = Lattice.around((1.1, -9.3, 41.9), axes, (4.0, 100 / matrix, 100 / matrix), (17, matrix, matrix))
    if tilt:
        lattice = lattice.sheared(tilt)
    drawing = draw(solid, lattice)
    index = np.stack(np.meshgrid(np.arange(matrix), np.arange(matrix)), axis=-1).reshape(-1, 2).astype(float)
    for k in range(lattice.shape[0]):
        if k not in drawing.outlines:
            assert not drawing.mask[k].any()
            continue
        # As a reader would see it: decimal text of four places, brought to pixels.
        written = np.array([[float(f"{v:.4f}") for v in point] for point in drawing.outlines[k]])
        pixels = np.linalg.solve(lattice.steps, (written - lattice.origin).T).T
        assert np.allclose(pixels[:, 2], k, atol=1e-3)
        assert np.array_equal(even_odd(pixels[:, :2], index).reshape(matrix, matrix), drawing.mask[k])
    assert drawing.margin > 1e-5
    assert drawing.mask.sum() * lattice.voxel_ml == pytest.approx(solid.volume_ml, rel=0.12)


def test_levels_are_the_ellipsoid_at_voxel_centres():
    solid = Solid((5, -4, 2), (20, 10, 14))
    lattice = Lattice.around((0, 0, 0), turned(SAGITTAL, 11, 7), (3.0, 2.0, 1.5), (9, 14, 16))
    box = (slice(0, 9), slice(0, 14), slice(0, 16))
    k, j, i = np.indices(lattice.shape)
    points = lattice.origin + np.stack([i, j, k], axis=-1) @ lattice.steps.T
    expected = (((points - np.array(solid.centre)) / np.array(solid.radii)) ** 2).sum(axis=-1)
    assert np.allclose(solid.levels(lattice, box), expected)
    inside = np.argwhere(expected < 1)
    assert solid.window(lattice) == tuple(
        slice(int(low), int(high) + 1) for low, high in zip(inside.min(0), inside.max(0), strict=True)
    )


def test_a_solid_outside_the_lattice_is_not_drawn():
    lattice = Lattice.around((0, 0, 0), AXIAL, (2.0, 2.0, 2.0), (8, 8, 8))
    drawing = draw(Solid((500, 0, 0), (10, 10, 10)), lattice)
    assert not drawing.mask.any()
    assert drawing.outlines == {}


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
def test_rearranged_voxels_stay_where_they_are(axes):
    lattice = Lattice.around((4, 5, 6), axes, (3.0, 2.0, 1.0), (3, 4, 5))
    order, flips = lattice.to_canonical()
    moved = lattice.stored_as(order, flips)
    k, j, i = np.indices(lattice.shape)
    points = lattice.origin + np.stack([i, j, k], axis=-1) @ lattice.steps.T
    there = np.stack([rearranged(np.ascontiguousarray(points[..., n]), order, flips) for n in range(3)], -1)
    k, j, i = np.indices(moved.shape)
    assert np.allclose(there, moved.origin + np.stack([i, j, k], axis=-1) @ moved.steps.T)
    # Canonical: the diagonal of the RAS affine is positive and the largest in its row.
    affine = moved.affine_ras()[:3, :3] / np.linalg.norm(moved.steps, axis=0)
    assert (np.diag(affine) > 0.8).all()
