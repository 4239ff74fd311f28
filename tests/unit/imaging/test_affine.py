import itertools

import numpy as np
import pytest

from isocenter.imaging.affine import MatchKind, canonical, grid_from_slices, match
from isocenter.model.grid import Grid

RAS = np.array([[0.7, 0, 0, -90], [0, 0.8, 0, -120], [0, 0, 2.5, 30], [0, 0, 0, 1.0]])
SHAPE = (5, 6, 7)


def grid_of(affine: np.ndarray = RAS, shape: tuple[int, int, int] = SHAPE, **more: object) -> Grid:
    return Grid(shape, np.array(affine, dtype=float), **more)


def numbers(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


def axis_aligned_affines() -> list[np.ndarray]:
    affines = []
    for columns in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            affine = np.eye(4)
            affine[:3, :3] = 0
            for column, (row, sign) in enumerate(zip(columns, signs, strict=True)):
                affine[row, column] = sign * (0.7, 0.8, 2.5)[column]
            affine[:3, 3] = (11, -5, 3)
            affines.append(affine)
    return affines


@pytest.mark.parametrize("affine", axis_aligned_affines())
def test_all_48_orders_become_canonical_and_come_back(affine: np.ndarray) -> None:
    grid = grid_of(affine)
    array = numbers()
    reorder = canonical(grid)
    assert reorder.grid.axis_codes == "RAS"
    moved = reorder.apply(array)
    assert moved.flags.c_contiguous
    assert moved.shape == reorder.grid.shape
    assert np.array_equal(reorder.invert(moved), array)
    assert np.array_equal(reorder.view(array), moved)
    # The same number lies at the same millimetre before and after.
    for place in [(0, 0, 0), (4, 5, 6), (1, 2, 3)]:
        k, j, i = place
        where = reorder.grid.to_voxel(grid.to_world(np.array([[i, j, k]], dtype=float)))[0]
        i2, j2, k2 = np.rint(where).astype(int)
        assert moved[k2, j2, i2] == array[place]
    back = match(grid, reorder.grid)
    assert back.kind is (MatchKind.EXACT if reorder.is_identity else MatchKind.REORDERED)
    assert back.reorder is not None
    assert np.array_equal(back.reorder.apply(moved), array)


def test_identity_costs_no_copy() -> None:
    array = numbers()
    assert canonical(grid_of()).apply(array) is array


def test_leading_axes_are_left_alone() -> None:
    flipped = np.diag([-1.0, 1, 1, 1])
    array = np.stack([numbers(), numbers() + 1])
    reorder = canonical(grid_of(flipped))
    assert np.array_equal(reorder.apply(array), array[..., ::-1])
    assert np.array_equal(reorder.invert(reorder.apply(array)), array)


def test_a_grid_without_orientation_stays() -> None:
    assert canonical(grid_of(np.diag([-1.0, -1, 1, 1]), is_oriented=False)).is_identity


def test_an_array_of_another_shape_is_a_bug() -> None:
    with pytest.raises(ValueError, match="its grid"):
        canonical(grid_of()).apply(numbers((5, 6, 8)))


def test_grid_from_slices_follows_dicom() -> None:
    grid = grid_from_slices((1, 2, 3), (1, 0, 0), (0, 0, -1), (0.5, 0.25), (0, 3, 0), SHAPE, "frame")
    assert grid.to_world(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])).tolist() == [
        [1, 2, 3],
        [1.25, 2, 3],
        [1, 2, 2.5],
        [1, 5, 3],
    ]
    assert grid.spacing_mm == (3, 0.5, 0.25)
    assert grid.frame_of_reference == "frame"


def shifted(*voxels: float) -> np.ndarray:
    affine = RAS.copy()
    affine[:3, 3] += RAS[:3, :3] @ voxels
    return affine


def test_match_exact_and_rounding() -> None:
    assert match(grid_of(), grid_of(shifted(9e-5, 0, 0))).kind is MatchKind.EXACT
    found = match(grid_of(), grid_of(shifted(2e-4, 0, 0)))
    assert found.kind is MatchKind.ROUNDING
    assert found.distance_voxels == pytest.approx(2e-4)
    assert found.distance_mm == pytest.approx(2e-4 * 0.7)
    assert match(grid_of(), grid_of(shifted(0, 0.049, 0))).kind is MatchKind.ROUNDING
    assert match(grid_of(), grid_of(shifted(0, 0.051, 0))).kind is MatchKind.DIFFERENT


def test_a_spacing_error_counts_at_the_far_corner() -> None:
    near = RAS @ np.diag([1 + 1e-5, 1, 1, 1])
    assert match(grid_of(), grid_of(near)).kind is MatchKind.EXACT
    assert match(grid_of(shape=(5, 6, 512)), grid_of(near, shape=(5, 6, 512))).kind is MatchKind.ROUNDING
    far = RAS @ np.diag([1.01, 1, 1, 1])
    found = match(grid_of(), grid_of(far))
    assert found.kind is MatchKind.DIFFERENT
    assert found.differs == ("spacing",)
    assert found.distance_mm == pytest.approx(6 * 0.7 * 0.01)
    assert found.reorder is None


@pytest.mark.parametrize(
    ("other", "names"),
    [
        (grid_of(shape=(5, 6, 8)), ("shape",)),
        (grid_of(shifted(0.5, 0.5, 0.5)), ("half-voxel shift",)),
        (grid_of(shifted(-0.5, -0.5, 0)), ("half-voxel shift",)),
        (grid_of(shifted(0, 3, -2)), ("whole-voxel shift",)),
        (grid_of(shifted(0.3, 0, 0)), ("origin",)),
        (grid_of(shifted(0, 0, 2), shape=(3, 6, 7)), ("shape", "whole-voxel shift")),
        (grid_of(is_oriented=False), ("orientation",)),
        (grid_of(np.diag([0.0, 1, 1, 1])), ("affine",)),
        (grid_of(np.full((4, 4), np.nan)), ("affine",)),
    ],
)
def test_what_differs_has_a_name(other: Grid, names: tuple[str, ...]) -> None:
    found = match(grid_of(), other)
    assert found.kind is MatchKind.DIFFERENT
    assert found.differs == names


def test_a_turned_grid_differs_in_direction() -> None:
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]]
    assert "direction" in match(grid_of(), grid_of(turn @ RAS)).differs


def test_two_known_frames_of_reference_are_never_one() -> None:
    one, two = grid_of(frame_of_reference="one"), grid_of(frame_of_reference="two")
    assert match(one, two).differs == ("frame of reference",)
    assert match(one, grid_of()).kind is MatchKind.EXACT


def test_a_rounded_mask_in_another_order_is_reordered() -> None:
    mirrored = shifted(6.01, 0, 0) @ np.diag([-1.0, 1, 1, 1])
    found = match(grid_of(), grid_of(mirrored))
    assert found.kind is MatchKind.REORDERED
    assert found.distance_voxels == pytest.approx(0.01)
    assert found.reorder is not None
    assert np.array_equal(found.reorder.apply(numbers()), numbers()[..., ::-1])
