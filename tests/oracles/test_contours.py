"""Contours against matplotlib's point-in-polygon and against closed formulas."""

import math

import numpy as np
import pytest
from matplotlib.path import Path

from isocenter.imaging.shapes import Contours
from isocenter.model.grid import Grid

OBLIQUE = np.array(
    [[-0.8, 0.06, 0.0, 30.0], [0.05, -0.9, 0.1, 28.0], [0.01, 0.02, 2.0, -5.0], [0, 0, 0, 1.0]]
)


def circle(k: float, radius: float, points: int = 720, centre: tuple[float, float] = (20, 20)) -> np.ndarray:
    turn = np.linspace(0, 2 * math.pi, points, endpoint=False) + 0.01
    x, y = centre[0] + radius * np.cos(turn), centre[1] + radius * np.sin(turn)
    return np.stack([x, y, np.full(points, k)], axis=1)


@pytest.mark.parametrize("seed", range(20))
def test_random_polygons_equal_matplotlib(seed: int) -> None:
    random = np.random.default_rng(seed)
    grid = Grid((3, 40, 37), OBLIQUE)
    corners = int(random.integers(3, 30))
    flat = random.uniform(-5, 45, (corners, 2))  # crosses itself and the border of the image
    voxels = np.column_stack([flat, np.full(corners, 1.0)])
    mask = Contours((grid.to_world(voxels),)).mask(grid)
    j, i = np.mgrid[:40, :37]
    path = Path(np.concatenate([flat, flat[:1]]), closed=True)
    expected = path.contains_points(np.column_stack([i.ravel(), j.ravel()]).astype(float))
    assert np.array_equal(mask[1].ravel(), expected)
    assert mask.sum() == expected.sum() > 0


def test_triangles_that_share_edges_through_voxel_centres_share_no_voxel_and_miss_none() -> None:
    random = np.random.default_rng(1)
    grid = Grid((1, 21, 21), np.eye(4))
    corners = np.array([(0, 0), (20, 0), (20, 20), (0, 20)], dtype=float)
    for _ in range(50):
        middle = random.integers(1, 20, 2).astype(float)
        total = np.zeros(grid.shape, dtype=int)
        for a in range(4):
            triangle = np.stack([corners[a], corners[(a + 1) % 4], middle])
            total += Contours((np.column_stack([triangle, np.zeros(3)]),)).mask(grid)
        assert total[0, :20, :20].min() == total.max() == 1
        assert total.sum() == 400


def test_volumes_of_solids() -> None:
    grid = Grid((41, 81, 81), np.diag([0.5, 0.5, 1.0, 1.0]))
    ball = Contours(tuple(circle(k, math.sqrt(15**2 - (k - 20) ** 2)) for k in range(6, 35)))
    assert ball.mask(grid).sum() * 0.25 == pytest.approx(4 / 3 * math.pi * 15**3, rel=0.005)
    tube = Contours(tuple(circle(k, r) for k in range(5, 25) for r in (15.0, 9.0)))
    assert tube.mask(grid).sum() * 0.25 == pytest.approx(20 * math.pi * (15**2 - 9**2), rel=0.005)
    k, j, i = np.argwhere(ball.mask(grid)).mean(axis=0)
    assert (k, j, i) == pytest.approx((20, 40, 40), abs=0.01)


@pytest.mark.parametrize("height", range(3, 40, 6))
def test_a_torus_has_its_hole(height: int) -> None:
    grid = Grid((41, 81, 81), np.diag([0.5, 0.5, 1.0, 1.0]))
    z = height - 20
    half = math.sqrt(max(0.0, 6**2 - z * z))
    if half == 0:
        return
    mask = Contours((circle(height, 12 + half), circle(height, 12 - half))).mask(grid)[height]
    j, i = np.mgrid[:81, :81] * 0.5
    distance = np.hypot(i - 20, j - 20)
    expected = (distance < 12 + half) & (distance > 12 - half)
    assert np.count_nonzero(mask != expected) <= 4
    assert not mask[40, 40]
