import numpy as np
import pytest

from isocenter.base.errors import ConfigError
from isocenter.imaging.labels import resample_labels, resample_probabilities
from isocenter.imaging.resample import target_grid
from isocenter.model.grid import Grid

SHAPE = (6, 20, 24)
GRID = Grid(SHAPE, np.array([[-0.7, 0, 0, 9], [0, -0.7, 0, 20], [0, 0, 2.5, -30], [0, 0, 0, 1.0]]), "frame")


def test_labels_outside_are_background() -> None:
    affine = GRID.affine.copy()
    affine[0, 3] += 5 * -0.7
    for turn in (np.eye(4), np.diag([1.0, 1, 1, 1]) + np.eye(4, k=1) * np.array([[1e-3, 0, 0, 0]]).T):
        found = resample_labels(np.ones(SHAPE, np.uint8), GRID, Grid(SHAPE, turn @ affine))
        assert found[..., :18].all()
        assert not found[..., 20:].any()


def test_labels_of_other_types_are_a_wrong_question() -> None:
    with pytest.raises(ConfigError):
        resample_labels(np.ones(SHAPE, np.int16), GRID, GRID)


def test_a_mask_is_inside_where_its_share_is_one_half() -> None:
    grid = Grid((1, 1, 4), np.eye(4))
    moved = np.eye(4)
    moved[0, 3] = 0.5
    mask = np.array([[[False, True, True, False]]])
    found = resample_labels(mask, grid, Grid((1, 1, 3), moved))
    assert found.dtype == np.bool_
    assert found.ravel().tolist() == [True, True, True]
    moved[0, 3] = 0.49
    assert resample_labels(mask, grid, Grid((1, 1, 3), moved)).ravel().tolist() == [False, True, True]


def test_the_largest_share_wins_and_no_label_arises_between_two() -> None:
    grid = Grid((1, 1, 2), np.eye(4))
    labels = np.array([[[1, 1000]]], dtype=np.uint16)
    for offset, winner in ((0.4, 1), (0.6, 1000), (0.5, 1)):
        moved = np.eye(4)
        moved[0, 3] = offset
        found = resample_labels(labels, grid, Grid((1, 1, 1), moved))
        assert found.ravel().tolist() == [winner]


def test_layers_are_brought_over_one_by_one() -> None:
    layers = np.zeros((2, *SHAPE), np.uint8)
    layers[0, 1:5, 2:12, 2:12] = 1
    layers[1, 2:4, 4:18, 4:18] = 1
    target = target_grid(GRID, 1.0)
    found = resample_labels(layers, GRID, target)
    assert found.shape == (2, *target.shape)
    for layer, mask in zip(found, layers, strict=True):
        assert np.array_equal(layer, resample_labels(mask, GRID, target))
    assert (found[0] & found[1]).any()


def test_the_nearest_voxel_decides_where_that_is_asked_for() -> None:
    grid = Grid((1, 1, 4), np.eye(4))
    moved = np.eye(4)
    moved[0, 3] = 0.4
    mask = np.array([[[False, True, False, False]]])
    labels = np.array([[[0, 7, 900, 7]]], np.uint16)
    target = Grid((1, 1, 3), moved)
    found = resample_labels(mask, grid, target, kernel="nearest")
    assert found.dtype == np.bool_
    assert found.ravel().tolist() == [False, True, False]
    assert resample_labels(labels, grid, target, kernel="nearest").ravel().tolist() == [0, 7, 900]


def test_halves_of_many_labels_go_to_the_smallest_and_to_background_last() -> None:
    grid = Grid((2, 2, 2), np.eye(4))
    middle = np.eye(4)
    middle[:3, 3] = 0.5
    for corner, winner in (
        ([0, 0, 0, 0, 5, 5, 5, 5], 5),
        ([0, 0, 0, 0, 0, 5, 5, 5], 0),
        ([9, 9, 9, 4, 4, 4, 0, 0], 4),
        ([9, 9, 4, 4, 0, 0, 0, 1], 0),
        ([9, 9, 0, 4, 4, 0, 1, 2], 4),
        ([8, 7, 6, 5, 4, 3, 2, 0], 2),
    ):
        labels = np.array(corner, np.uint8).reshape(2, 2, 2)
        found = resample_labels(labels, grid, Grid((1, 1, 1), middle))
        assert found.ravel().tolist() == [winner], corner


def test_the_largest_label_is_as_good_as_the_smallest() -> None:
    labels = np.zeros(SHAPE, np.uint32)
    labels[1:5, 3:15, 3:15] = np.iinfo(np.uint32).max
    found = resample_labels(labels, GRID, target_grid(GRID, 1.1))
    assert np.unique(found).tolist() == [0, np.iinfo(np.uint32).max]


def test_nothing_marked_is_nothing_marked() -> None:
    for target in (target_grid(GRID, 1.0), Grid((3, 3, 3), np.diag([1.0, 1, 1, 1]))):
        assert not resample_labels(np.zeros(SHAPE, bool), GRID, target).any()


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_one_voxel_at_every_border_is_found_again(dtype: str) -> None:
    fine = target_grid(GRID, tuple(s / 3 for s in GRID.spacing_mm))
    for at in ((0, 0, 0), (5, 19, 23), (0, 19, 5), (3, 0, 23), (3, 7, 11)):
        labels = np.zeros(SHAPE, dtype)
        labels[at] = 3
        found = resample_labels(labels, GRID, fine)
        assert found[tuple(3 * n + 1 for n in at)] == 3
        assert np.count_nonzero(found[tuple(slice(3 * n, 3 * n + 3) for n in at)]) == np.count_nonzero(found)


@pytest.mark.parametrize(
    "array", [np.zeros(SHAPE), np.full(SHAPE, 1.01, np.float32), np.full(SHAPE, np.nan, np.float32)]
)
def test_what_is_no_probability_is_a_wrong_question(array: np.ndarray) -> None:
    with pytest.raises(ConfigError):
        resample_probabilities(array, GRID, GRID)


def test_layers_of_probabilities() -> None:
    layers = np.random.default_rng(0).random((2, *SHAPE)).astype(np.float32)
    found = resample_probabilities(layers, GRID, target_grid(GRID, 1.0))
    assert found.shape == (2, 15, 14, 17)
    assert np.array_equal(found[1], resample_probabilities(layers[1], GRID, target_grid(GRID, 1.0)))
    beyond = GRID.affine.copy()
    beyond[0, 3] += 5 * -0.7
    outside = resample_probabilities(np.ones(SHAPE, np.float32), GRID, Grid(SHAPE, beyond))
    assert (outside[..., 19:] == 0).all()
    assert (outside[..., :18] == 1).all()


def test_wrong_questions() -> None:
    with pytest.raises(ConfigError, match="kernel"):
        resample_labels(np.zeros(SHAPE, np.uint8), GRID, GRID, kernel="cubic")
    with pytest.raises(ValueError, match="its grid"):
        resample_labels(np.zeros((3, 3, 3), np.uint8), GRID, GRID)


@pytest.mark.parametrize("spacing_mm", [(1.1, 0.7, 1.9), (0.5, 0.5, 0.5), (2.0, 2.0, 2.0)])
def test_the_quick_way_of_one_label_is_the_vote(spacing_mm):
    """A map of 1 is interpolated, the same map of 2 is voted on."""
    k, j, i = np.mgrid[:20, :30, :28]
    mask = (np.sin(k / 3) + np.cos(j / 4) + np.sin(i / 2.5) > 0.2).astype(np.uint8)
    grid = Grid(mask.shape, np.diag([0.9, 0.8, 1.5, 1.0]))
    target = target_grid(grid, spacing_mm)
    quick = resample_labels(mask, grid, target)
    assert 0.1 < quick.mean() < 0.9
    np.testing.assert_array_equal(2 * quick, resample_labels(2 * mask, grid, target))


@pytest.mark.parametrize(("size", "low", "high"), [(40, 0.02, 0.06), (41, -0.01, 0.01)])
def test_halving_moves_borders_outwards_on_grids_of_even_size(size: int, low: float, high: float) -> None:
    """A flat border has a share of one half there, which is inside; `docs/explanation/resampling.md` says so."""
    grid = Grid((size,) * 3, np.eye(4))
    places = np.stack(np.indices(grid.shape))
    gained = []
    for centre in np.random.default_rng(0).uniform(-0.5, 0.5, (10, 3)) + (size - 1) / 2:
        ball = ((places - centre[:, None, None, None]) ** 2).sum(axis=0) <= 9.5**2
        found = resample_labels(ball, grid, target_grid(grid, 2.0))
        gained.append(np.count_nonzero(found) * 8 / np.count_nonzero(ball) - 1)
    assert low < np.mean(gained) < high
