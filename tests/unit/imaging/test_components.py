import numpy as np
import pytest

from isocenter.imaging.changes import Change, changes_of, unchanged
from isocenter.imaging.components import components_of, fates_of
from isocenter.imaging.labels import resample_labels
from isocenter.imaging.layers import Layers
from isocenter.imaging.resample import target_grid
from isocenter.model.grid import Grid


def row(*labels: int) -> np.ndarray:
    return np.array(labels, np.uint8).reshape(1, 1, -1)


def test_pieces_touch_at_corners_and_are_of_one_label() -> None:
    labels = np.zeros((3, 3, 3), np.uint8)
    labels[0, 0, 0] = labels[1, 1, 1] = 1
    labels[2, 2, 2] = 2
    labels[0, 2, 2] = 1
    found = components_of(labels)
    assert len(found) == 2
    assert (found.count(1), found.count(2), found.count(3)) == (1, 1, 0)
    assert sorted(found.voxels.tolist()) == [1, 3]


def test_runs_that_end_at_one_place_touch_both_ways() -> None:
    for first, second in (([1, 1, 2, 2], [2, 2, 1, 1]), ([0, 1, 2, 0], [2, 2, 1, 0])):
        assert len(components_of(np.array([[first, second]], np.uint8))) == 2


def test_a_piece_that_closes_late_is_one() -> None:
    comb = np.zeros((1, 4, 9), bool)
    comb[0, :, ::2] = True
    assert len(components_of(comb)) == 5
    comb[0, 3] = True
    found = components_of(comb)
    assert found.voxels.tolist() == [comb.sum()]


def test_nothing_marked_has_no_pieces() -> None:
    found = components_of(np.zeros((2, 3, 4), bool))
    assert len(found) == 0
    grid = Grid((2, 3, 4), np.eye(4))
    assert changes_of(np.zeros((2, 3, 4), bool), grid, np.zeros((2, 3, 4), bool), grid) == {}


def test_pieces_run_together_fall_apart_and_vanish() -> None:
    grid, coarse = Grid((1, 1, 12), np.eye(4)), Grid((1, 1, 6), np.diag([2.0, 1, 1, 1]))
    before = row(1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0)
    after = resample_labels(before, grid, coarse)
    assert after.ravel().tolist() == [1, 1, 0, 0, 0, 0]
    change = changes_of(before, grid, after, coarse)[1]
    assert change == Change(
        drawn_before_ml=pytest.approx(0.005),
        drawn_after_ml=pytest.approx(0.004),
        drawn_components_before=2,
        drawn_components_after=1,
        vanished=1,
        vanished_ml=pytest.approx(0.001),
    )
    before = row(0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0)
    moved = Grid((1, 1, 5), np.array([[1.5, 0, 0, 0.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]))
    change = changes_of(before, grid, resample_labels(before, grid, moved), moved)[1]
    assert (change.drawn_components_before, change.drawn_components_after, change.merged) == (2, 1, 1)
    thin = np.zeros((3, 3, 12), bool)
    thin[:, :, 1:4] = thin[:, :, 8:11] = thin[1, 1, 4:8] = True
    grid, coarse = Grid(thin.shape, np.eye(4)), Grid((2, 2, 12), np.diag([1, 1.5, 1.5, 1]))
    change = changes_of(thin, grid, resample_labels(thin, grid, coarse), coarse)[1]
    assert (change.drawn_components_before, change.drawn_components_after, change.split) == (1, 2, 1)


@pytest.mark.parametrize("sign", [1, -1])
def test_kept_voxels_are_all_that_is_marked_in_the_target(sign: int) -> None:
    random = np.random.default_rng(3)
    labels = np.where(random.random((9, 17, 40)) < 0.3, random.integers(1, 4, (9, 17, 40)), 0).astype(
        np.uint8
    )
    grid = Grid(labels.shape, np.diag([0.7, 0.8, 2.0, 1.0]))
    target = target_grid(grid, (1.1, 0.9, 1.3))
    if sign < 0:
        affine = target.affine @ np.diag([-1.0, 1, 1, 1])
        affine[:3, 3] = target.affine[:3, 3] + target.affine[:3, 0] * (target.shape[2] - 1)
        target = Grid(target.shape, affine)
    found = resample_labels(labels, grid, target)
    fates = fates_of(components_of(labels), grid, components_of(found), target)
    assert fates.kept.sum() == np.count_nonzero(found)
    assert ((fates.kept == 0) == (fates.parts == 0)).all()
    assert (fates.parents > 0).all()


def test_pieces_that_leave_the_image_vanish() -> None:
    grid = Grid((4, 4, 12), np.eye(4))
    labels = np.zeros(grid.shape, bool)
    labels[1:3, 1:3, 1:3] = labels[1:3, 1:3, 8:11] = True
    half = Grid((4, 4, 6), np.eye(4))
    change = changes_of(labels, grid, resample_labels(labels, grid, half), half)[1]
    assert (change.vanished, change.vanished_ml) == (1, pytest.approx(0.012))


def test_what_stays_on_its_grid_is_counted_once_and_changes_add_up() -> None:
    grid = Grid((1, 1, 6), np.diag([2.0, 1, 1, 1]))
    found = unchanged(row(1, 0, 1, 1, 2, 2), grid)
    assert found[1] == Change(
        drawn_before_ml=0.006, drawn_after_ml=0.006, drawn_components_before=2, drawn_components_after=2
    )
    total = (
        found[1] + found[2] + Change(vanished=2, vanished_ml=0.5, split=1) + Change(vanished_ml=0.1, merged=3)
    )
    assert (total.drawn_components_after, total.vanished, total.vanished_ml) == (3, 2, 0.5)
    assert (total.split, total.merged) == (1, 3)
    assert total.drawn_before_ml == pytest.approx(0.010)


def test_masks_that_overlap_lie_in_layers_of_their_own() -> None:
    layers = Layers((1, 1, 6), 300)
    masks = [row(1, 1, 0, 0, 0, 0), row(0, 1, 1, 0, 0, 0), row(0, 0, 0, 1, 1, 0), row(0, 0, 0, 0, 1, 1)]
    for mask, value in zip(masks, (1, 2, 300, 300), strict=True):
        layers.add(mask.astype(bool), value)
    assert [m.ravel().tolist() for m in layers.maps] == [[1, 1, 0, 300, 300, 300], [0, 2, 2, 0, 0, 0]]
    found = layers.masks(layers.maps)
    assert found.shape == (300, 1, 1, 6)
    assert np.array_equal(found[0], masks[0])
    assert np.array_equal(found[1], masks[1])
    assert np.array_equal(found[299], masks[2] | masks[3])
    assert found.sum() == 7
    with pytest.raises(ValueError, match="layers"):
        layers.add(np.zeros((1, 1, 5), bool), 1)
