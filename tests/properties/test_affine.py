"""Reordering is lossless and agrees with nibabel for every direction that has a nearest axis."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from nibabel.orientations import io_orientation
from scipy.spatial.transform import Rotation

from isocenter.imaging.affine import MatchKind, canonical, match
from isocenter.model.grid import Grid

sizes = st.tuples(*[st.integers(1, 5)] * 3)
angles = st.tuples(*[st.floats(-180, 180)] * 3)
spacings = st.tuples(*[st.floats(0.2, 6)] * 3)


def grid_of(shape: tuple[int, int, int], turn: tuple, spacing: tuple, mirror: bool) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() * spacing
    if mirror:
        affine[:3, 0] *= -1
    affine[:3, 3] = (-100.0, 20.0, 7.5)
    return Grid(shape, affine)


@given(sizes, angles, spacings, st.booleans(), st.data())
def test_reordering_keeps_every_voxel_where_it_is(shape, turn, spacing, mirror, data) -> None:
    grid = grid_of(shape, turn, spacing, mirror)
    array = data.draw(arrays.arrays(np.int16, shape))
    reorder = canonical(grid)
    moved = reorder.apply(array)
    assert np.array_equal(reorder.invert(moved), array)
    index = data.draw(st.tuples(*[st.integers(0, n - 1) for n in shape]))
    world = grid.to_world(np.array([index[::-1]], dtype=float))
    i, j, k = np.rint(reorder.grid.to_voxel(world)[0]).astype(int)
    assert moved[k, j, i] == array[index]
    assert np.abs(reorder.grid.to_world(np.array([[i, j, k]], dtype=float)) - world).max() < 1e-9
    assert canonical(reorder.grid).is_identity


@given(sizes, angles, spacings, st.booleans())
def test_nibabel_chooses_the_same_axes(shape, turn, spacing, mirror) -> None:
    grid = grid_of(shape, turn, spacing, mirror)
    cosines = np.sort(np.abs(grid.affine[:3, :3] / spacing), axis=0)
    assume((cosines[-1] - cosines[-2] > 0.2).all())
    theirs = io_orientation(grid.affine)
    reorder = canonical(grid)
    source = [2 - reorder.order[2 - row] for row in range(3)]
    assert [int(theirs[column, 0]) for column in source] == [0, 1, 2]
    assert [bool(theirs[column, 1] < 0) for column in source] == list(reorder.flips[::-1])


@given(sizes, angles, spacings, st.booleans(), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
def test_any_order_of_a_grid_matches_it(shape, turn, spacing, mirror, order, flips) -> None:
    grid = grid_of(shape, turn, spacing, mirror)
    change = np.eye(4)[:, [*order, 3]]
    for axis, is_flipped in enumerate(flips):
        if is_flipped:
            change[:, 3] += change[:, axis] * (shape[2 - order[axis]] - 1)
            change[:, axis] *= -1
    other = Grid(tuple(shape[2 - order[a]] for a in (2, 1, 0)), grid.affine @ change)
    found = match(grid, other)
    assert found.kind in {MatchKind.EXACT, MatchKind.REORDERED}
    assert found.reorder is not None
    assert found.reorder.grid.shape == grid.shape
    assert found.distance_mm < 1e-9
