"""Resampling of a ramp is the ramp; labels never arise; volumes are kept within the stated bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from isocenter.imaging.resample import resample_array, resample_labels, target_grid
from isocenter.model.grid import Grid

spacings = st.tuples(*[st.floats(0.3, 5)] * 3)
coarse_spacings = st.tuples(*[st.floats(0.7, 5)] * 3)
sizes = st.tuples(*[st.integers(2, 12)] * 3)
aligns = st.sampled_from(["centre", "corner", "origin"])
angles = st.tuples(*[st.sampled_from([0.0, 90.0, 180.0, 17.0, -40.0])] * 3)


def grid_of(shape: tuple, spacing: tuple, turn: tuple) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() * spacing[::-1]
    affine[:3, 3] = (-7.0, 3.0, 12.0)
    return Grid(shape, affine)


def centres(grid: Grid) -> np.ndarray:
    k, j, i = np.indices(grid.shape).reshape(3, -1)
    return grid.to_world(np.stack([i, j, k], axis=1).astype(float))


@settings(deadline=None)
@given(sizes, spacings, angles, spacings, angles, aligns)
def test_a_ramp_in_the_patient_stays_the_ramp(shape, spacing, turn, new_spacing, new_turn, align) -> None:
    grid = grid_of(shape, spacing, turn)
    slope = np.array([0.3, -0.2, 0.5])
    array = (centres(grid) @ slope).reshape(shape).astype(np.float32)
    beside = target_grid(grid, new_spacing, align)
    for target in (beside, grid_of(beside.shape, new_spacing, new_turn)):
        found, _ = resample_array(array, grid, target, antialias=False)
        where = grid.to_voxel(centres(target))
        is_within = ((where >= -1e-9) & (where <= np.array(shape[::-1]) - 1 + 1e-9)).all(axis=1)
        expected = centres(target) @ slope
        assert np.abs(found.ravel() - expected)[is_within].max(initial=0) < 2e-4


@settings(deadline=None)
@given(sizes, spacings, angles, spacings, angles, st.data())
def test_labels_never_arise_and_constants_stay(shape, spacing, turn, new_spacing, new_turn, data) -> None:
    grid = grid_of(shape, spacing, turn)
    seed = data.draw(st.integers(0, 2**32 - 1))
    labels = np.random.default_rng(seed).choice(np.array([0, 3, 250], np.uint8), shape)
    for target in (target_grid(grid, new_spacing), grid_of((4, 4, 4), new_spacing, new_turn)):
        assert set(np.unique(resample_labels(labels, grid, target))) <= {0, 3, 250}
        found, valid = resample_array(np.full(shape, 7, np.int16), grid, target, background=-1)
        inside = np.ones(target.shape, bool) if valid is None else valid
        assert (found[inside] == 7).all()
        assert (found[~inside] == -1).all()


def ball(offset: tuple[float, float, float], radius: float) -> tuple[Grid, np.ndarray]:
    grid = Grid((36, 36, 36), np.eye(4))
    distance = np.linalg.norm(centres(grid) - 17.5 - np.array(offset), axis=1).reshape(grid.shape)
    labels = np.where(distance < radius, 1, 0).astype(np.uint8)
    labels[distance < radius / 2] = 2
    return grid, labels


@settings(deadline=None, max_examples=25)
@given(st.tuples(*[st.integers(60, 200)] * 3), st.tuples(*[st.floats(-0.5, 0.5)] * 3), st.floats(9, 14))
def test_labels_keep_their_volume_within_ten_percent(hundredths, offset, radius) -> None:
    """The worst of 7,641 random balls was 7.4 % off; an earlier claim of 6 % was refuted by this test."""
    grid, labels = ball(offset, radius)
    # An odd fraction keeps voxels of the target from lying exactly halfway between two of the source.
    target = target_grid(grid, tuple(n / 100 + np.pi / 1000 for n in hundredths))
    found = resample_labels(labels, grid, target)
    volume = np.count_nonzero(found) * float(np.prod(target.spacing_mm))
    assert volume == pytest.approx(np.count_nonzero(labels), rel=0.10)


@settings(deadline=None, max_examples=25)
@given(coarse_spacings, st.tuples(*[st.floats(-0.5, 0.5)] * 3), st.floats(4, 14))
def test_a_border_moves_by_less_than_the_diagonal_of_a_source_voxel(spacing, offset, radius) -> None:
    grid, labels = ball(offset, radius)
    target = target_grid(grid, spacing)
    found = resample_labels(labels, grid, target).ravel()
    distance = np.linalg.norm(centres(target) - 17.5 - np.array(offset), axis=1)
    reach = np.sqrt(3)
    assert (found[distance < radius - reach] > 0).all()
    assert (found[distance > radius + reach] == 0).all()


def test_volumes_are_kept_within_one_percent_on_average() -> None:
    random = np.random.default_rng(0)
    ratios = []
    for _ in range(60):
        grid, labels = ball(tuple(random.uniform(-0.5, 0.5, 3)), random.uniform(9, 14))
        target = target_grid(grid, random.uniform(0.6, 2.0, 3))
        found = np.count_nonzero(resample_labels(labels, grid, target))
        ratios.append(found * np.prod(target.spacing_mm) / np.count_nonzero(labels))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.01)


def test_halving_moves_a_border_outwards_by_half_a_target_voxel_at_most() -> None:
    grid = Grid((1, 1, 20), np.eye(4))
    for start in range(4, 8):
        for stop in range(12, 16):
            mask = np.zeros(grid.shape, dtype=bool)
            mask[..., start:stop] = True
            found = resample_labels(mask, grid, target_grid(grid, (1.0, 1.0, 2.0)))
            assert 0 <= found.sum() * 2 - mask.sum() <= 2
