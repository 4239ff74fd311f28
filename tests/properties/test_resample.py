"""Resampling of a ramp is the ramp; labels never arise."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from isocenter.imaging.labels import resample_labels
from isocenter.imaging.resample import KERNELS, resample_array, target_grid
from isocenter.model.grid import Grid

spacings = st.tuples(*[st.floats(0.3, 5)] * 3)
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
@given(sizes, st.tuples(*[st.sampled_from([0.25, 1 / 3, 0.5, 1.0, 2.0, 3.0])] * 3), st.booleans())
def test_a_ramp_whose_values_are_whole_stays_whole(shape, spacing, is_sheared) -> None:
    """Steps of 12 can be cut into quarters and thirds: integers are exact, floats within a thousandth."""
    grid = grid_of(shape, (1.0, 1.0, 1.0), (0, 0, 0))
    target = target_grid(grid, spacing, "origin")
    if is_sheared:
        target.affine[1, 2] += 0.5
    ramp = np.array([12, -24, 36])
    array = (np.indices(shape[::-1]).reshape(3, -1).T @ ramp).reshape(shape[::-1]).transpose(2, 1, 0)
    where = grid.to_voxel(centres(target))
    is_within = ((where >= -1e-9) & (where <= np.array(shape[::-1]) - 1 + 1e-9)).all(axis=1)
    expected = where @ ramp
    assert np.abs(expected - np.rint(expected)).max() < 1e-6
    for dtype, tolerance in ((np.int16, 0), (np.int32, 0), (np.float32, 1e-3)):
        stored = np.ascontiguousarray(array.astype(dtype))
        found, _ = resample_array(stored, grid, target, antialias=False)
        off = np.abs(found.ravel()[is_within] - np.rint(expected[is_within]))
        assert off.max(initial=0) <= tolerance


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(KERNELS),
    st.tuples(*[st.integers(1, 9)] * 3),
    spacings,
    st.sampled_from(["rows", "sheared", "freely"]),
    st.booleans(),
    st.integers(2, 5),
)
def test_every_kernel_keeps_constants_for_any_number_of_threads(
    kernel, shape, spacing, way, antialias, threads
) -> None:
    grid = grid_of(shape, (1.0, 0.7, 2.5), (0, 0, 0))
    target = target_grid(grid, spacing)
    if way == "sheared":
        target.affine[0, 2] += 0.7
    if way == "freely":
        target.affine[:3, :3] = (
            Rotation.from_euler("xyz", (9, 8, 7), True).as_matrix() @ target.affine[:3, :3]
        )
    array = np.full(shape, -1000, np.float32)
    options = {"kernel": kernel, "background": 5.0, "antialias": antialias}
    found, valid = resample_array(array, grid, target, **options)
    inside = np.ones(target.shape, bool) if valid is None else valid
    assert np.abs(found[inside] + 1000).max(initial=0) < 2e-3
    assert (found[~inside] == 5).all()
    again, where = resample_array(array, grid, target, threads=threads, **options)
    assert found.tobytes() == again.tobytes()
    assert (valid is None) == (where is None)


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
