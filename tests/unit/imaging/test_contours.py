import numpy as np
import pytest

from isocenter.imaging.affine import canonical
from isocenter.imaging.shapes import Contours
from isocenter.model.grid import Grid

SHAPE = (4, 6, 8)
PLAIN = Grid(SHAPE, np.eye(4))


def square(k: float, low: float, high: float) -> np.ndarray:
    return np.array([(low, low, k), (high, low, k), (high, high, k), (low, high, k)], dtype=float)


def inside(mask: np.ndarray, k: int) -> set[tuple[int, int]]:
    assert not np.delete(mask, k, axis=0).any()
    return {(int(i), int(j)) for j, i in np.argwhere(mask[k])}


def test_centres_inside_are_inside() -> None:
    mask = Contours((square(1, 0.6, 3.4),)).mask(PLAIN)
    assert inside(mask, 1) == {(i, j) for i in (1, 2, 3) for j in (1, 2, 3)}


def test_the_lower_border_belongs_to_the_shape_and_the_upper_does_not() -> None:
    assert inside(Contours((square(1, 1, 3),)).mask(PLAIN), 1) == {(1, 1), (1, 2), (2, 1), (2, 2)}


def test_noise_of_decimal_text_does_not_decide_a_border() -> None:
    for noise in (-1e-9, 1e-9):
        mask = Contours((square(1, 1, 3) + noise,)).mask(PLAIN)
        assert inside(mask, 1) == {(1, 1), (1, 2), (2, 1), (2, 2)}


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, -1, 1), (1, -1, -1), (-1, 1, -1)])
def test_a_border_does_not_depend_on_how_the_image_is_stored(flips: tuple[int, ...]) -> None:
    turn = np.diag([*flips, 1.0])
    for axis in range(3):
        if flips[axis] < 0:
            turn[axis, 3] = SHAPE[2 - axis] - 1
    stored = Grid(SHAPE, turn)
    shape = Contours((square(1, 1, 3), square(2, 0.5, 2.5)))
    reorder = canonical(stored)
    assert np.array_equal(reorder.apply(shape.mask(stored)), shape.mask(reorder.grid))
    assert np.array_equal(shape.mask(reorder.grid), shape.mask(PLAIN))


@pytest.mark.parametrize("is_xor", [False, True])
def test_a_contour_in_a_contour_is_a_hole(is_xor: bool) -> None:
    shape = Contours((square(1, 0.5, 4.5), square(1, 1.5, 3.5)), is_xor=is_xor)
    assert shape.mask(PLAIN).sum() == 16 - 4
    assert shape.report(PLAIN).overlapping == 0


def test_a_keyhole_is_a_hole() -> None:
    outer, inner = square(1, 0.5, 4.5), square(1, 1.5, 3.5)[::-1]
    keyhole = np.concatenate([outer, outer[:1], inner[-1:], inner, outer[:1]])
    expected = Contours((outer, inner)).mask(PLAIN)
    assert np.array_equal(Contours((keyhole,)).mask(PLAIN), expected)


def test_a_repeated_contour_does_not_erase_itself() -> None:
    one = square(1, 0.5, 3.5)
    closed = np.concatenate([one, one[:1]])
    shape = Contours((one, one.copy(), np.roll(one, 2, axis=0), one[::-1], closed))
    assert shape.mask(PLAIN).sum() == 9
    assert shape.report(PLAIN).duplicates == 4


def test_crossing_contours_are_counted_unless_they_are_meant() -> None:
    polygons = (square(1, 0.5, 3.5), square(1, 2.5, 4.5))
    assert Contours(polygons).report(PLAIN).overlapping == 1
    assert Contours(polygons, is_xor=True).report(PLAIN).overlapping == 0
    assert Contours(polygons).mask(PLAIN).sum() == 9 + 4 - 2


def test_each_fate_of_a_contour_is_counted() -> None:
    tilted = square(1, 0.5, 3.5) + np.array([(0, 0, 0), (0, 0, 0), (0, 0, 0.6), (0, 0, 0.6)]) * 2
    report = Contours(
        (
            square(1, 0.5, 3.5),
            square(1.3, 0.5, 2.5),  # another plane, farther from the same slice
            square(3, 3.5, 8.5),  # reaches over the border of rows
            square(3, 1.1, 1.4),  # between voxel centres
            square(0, 20, 30),
            square(9, 0.5, 3.5),
            square(1, 0.5, 3.5)[:2],
            np.repeat(square(1, 0.5, 3.5)[:2], 2, axis=0),
            square(1, 0.5, 3.5) * np.nan,
            tilted,
        )
    ).report(PLAIN)
    assert report.contours == 10
    assert report.filled == 3
    assert report.between_slices == 1
    assert report.partly_outside == 1
    assert report.without_voxels == 1
    assert report.outside == 2
    assert report.too_few_points == 2
    assert report.not_finite == 1
    assert report.off_plane == 1
    assert report.gaps == 1
    assert report.duplicates == 0


def test_a_plane_between_two_slices_goes_to_the_nearer() -> None:
    assert Contours((square(1.4, 0.5, 2.5),)).mask(PLAIN)[1].sum() == 4
    assert Contours((square(1.6, 0.5, 2.5),)).mask(PLAIN)[2].sum() == 4
    two = Contours((square(0.7, 0.5, 2.5), square(1.1, 0.5, 3.5))).mask(PLAIN)
    assert two[1].sum() == 9


def test_contours_are_cut_at_the_image() -> None:
    mask = Contours((square(1, -10.5, 100.5),)).mask(PLAIN)
    assert mask[1].all()
    assert mask.sum() == 48


@pytest.mark.parametrize("column", [0, 1, 2])
def test_sagittal_and_coronal_contours_fill_their_own_planes(column: int) -> None:
    points = np.insert(square(0, 0.6, 3.4)[:, :2], column, 2.0, axis=1)
    mask = Contours((points,)).mask(PLAIN)
    places = np.argwhere(mask)[:, ::-1]
    assert len(places) == 9
    assert set(places[:, column]) == {2}
    others = np.delete(places, column, axis=1)
    assert set(map(tuple, others.tolist())) == {(a, b) for a in (1, 2, 3) for b in (1, 2, 3)}


def test_a_sheared_grid_is_no_obstacle() -> None:
    tilt = np.eye(4)
    tilt[1, 2] = 0.3
    grid = Grid(SHAPE, tilt)
    moved = square(1, 0.6, 3.4) + np.array([0, 0.3, 0])
    assert np.array_equal(Contours((moved,)).mask(grid), Contours((square(1, 0.6, 3.4),)).mask(PLAIN))


def test_no_contours_no_voxels() -> None:
    assert not Contours(()).mask(PLAIN).any()
    assert Contours(()).report(PLAIN).contours == 0


def test_very_many_contours_of_one_reach_take_no_time() -> None:
    random = np.random.default_rng(3)
    corners = np.array([(0, 0), (7, 0), (7, 5), (0, 5)], float)
    inner = random.uniform(1, 4, (4000, 2))
    polygons = [np.column_stack([np.insert(corners, 2, p, axis=0), np.full(5, 1.0)]) for p in inner]
    report = Contours((*polygons, *polygons[:10])).report(PLAIN)
    assert (report.filled, report.duplicates) == (4000, 10)
    assert report.overlapping > 1000


def test_contours_beside_each_other_do_not_overlap() -> None:
    side_by_side = [square(1, 0.5, 2.5), square(1, 2.5, 4.5), square(1, 0.5, 2.5) + np.array([3.0, 0, 0])]
    assert Contours(tuple(side_by_side)).report(PLAIN).overlapping == 0
