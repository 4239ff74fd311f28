"""Labels on another grid: volumes within the derived bound, no piece lost untold, threads that change nothing."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from isocenter.imaging.changes import changes_of
from isocenter.imaging.labels import resample_labels, resample_probabilities
from isocenter.imaging.resample import target_grid
from isocenter.model.grid import Grid
from tests.properties.volume_bound import MARKED, SHARES, volume_bound

spacings = st.tuples(*[st.floats(0.4, 4)] * 3)
# Halves and quarters bring about many equal shares; odd numbers none.
new_spacings = st.tuples(*[st.one_of(st.floats(0.4, 6), st.sampled_from([0.5, 1.0, 2.0, 4.0]))] * 3)
aligns = st.sampled_from(["centre", "corner", "origin"])
kinds = st.sampled_from(["box", "ellipsoid", "blob", "plate", "crumbs", "organs"])
seeds = st.integers(0, 2**32 - 1)


def labels_of(kind: str, shape: tuple, seed: int) -> np.ndarray:
    """A label map, uint8, of which no border voxel is marked."""
    random = np.random.default_rng(seed)
    k, j, i = np.indices(shape)
    out = np.zeros(shape, np.uint8)
    middle = [random.uniform(0.35, 0.65) * n for n in shape]
    radius = [random.uniform(0.1, 0.45) * n for n in shape]
    if kind == "plate":
        radius[random.integers(3)] = 0.6
    away = [np.abs(x - m) / r for x, m, r in zip((k, j, i), middle, radius, strict=True)]
    if kind in {"box", "plate"}:
        out[np.maximum.reduce(away) <= 1] = 1
    elif kind == "ellipsoid":
        out[sum(a**2 for a in away) <= 1] = 1
    elif kind == "crumbs":
        out[random.random(shape) < 0.03] = 1
    elif kind == "blob":
        out[ndimage.gaussian_filter(random.normal(size=shape), 1.5) > 0.04] = 1
    else:
        noise = ndimage.gaussian_filter(random.normal(size=(4, *shape)), (0, 2, 2, 2))
        out[...] = np.argmax(noise, axis=0)
    for axis in range(3):
        np.moveaxis(out, axis, 0)[[0, -1]] = 0
    return out


def positions_of(grid: Grid, target: Grid) -> list[np.ndarray]:
    matrix = np.linalg.inv(grid.affine) @ target.affine
    return [
        np.round(np.arange(n) * matrix[a, a] + matrix[a, 3], 9)
        for n, a in zip(target.shape, (2, 1, 0), strict=True)
    ]


def grid_of(shape: tuple, spacing: tuple) -> Grid:
    return Grid(shape, np.diag([*spacing[::-1], 1.0]))


shapes = st.tuples(*[st.integers(4, 24)] * 3)


@settings(deadline=None, max_examples=300)
@given(kinds, shapes, seeds, spacings, new_spacings, aligns)
def test_volumes_stay_within_the_bound(kind, shape, seed, spacing, new_spacing, align) -> None:
    labels = labels_of(kind, shape, seed)
    assume(labels.any())
    grid = grid_of(shape, spacing)
    target = target_grid(grid, new_spacing, align)
    found = resample_labels(labels, grid, target)
    for label in np.unique(labels[labels > 0]):
        bound = volume_bound(labels, label, spacing, new_spacing, positions_of(grid, target))
        volume = np.count_nonzero(found == label) * np.prod(new_spacing)
        assert bound.low <= volume <= bound.high


@settings(deadline=None, max_examples=60)
@given(st.tuples(*[st.integers(2, 9)] * 3), spacings, new_spacings)
def test_a_box_gains_or_loses_one_target_voxel_along_each_axis_at_most(size, spacing, new_spacing) -> None:
    """Which is what the bound says of a box, but for its rounded edges; so nothing smaller could be said."""
    labels = np.zeros([n + 4 for n in size], bool)
    labels[2:-2, 2:-2, 2:-2] = True
    grid = grid_of(labels.shape, spacing)
    found = resample_labels(labels, grid, target_grid(grid, new_spacing))
    for axis in range(3):
        wide = np.count_nonzero(found.any(axis=tuple({0, 1, 2} - {axis}))) * new_spacing[axis]
        assert wide <= size[axis] * spacing[axis] + new_spacing[axis] * (1 + 1e-5)


def test_the_share_of_a_cell_is_off_by_less_than_a_fifth_and_at_a_flat_border_not_at_all() -> None:
    assert np.abs(SHARES - MARKED).max() < 0.2
    for flat in (0b00001111, 0b00110011, 0b01010101):
        assert SHARES[flat] == SHARES[255 - flat] == 0.5
    assert SHARES[0b11] == pytest.approx(1 - (1 + np.log(2)) / 2, abs=0.005)


@settings(deadline=None, max_examples=100)
@given(kinds, shapes, seeds, spacings, new_spacings, aligns)
def test_no_piece_vanishes_untold(kind, shape, seed, spacing, new_spacing, align) -> None:
    """By another's components, and by votes of one piece at a time: a piece that is left has a voxel of its own."""
    labels = labels_of(kind, shape, seed)
    grid = grid_of(shape, spacing)
    target = target_grid(grid, new_spacing, align)
    found = resample_labels(labels, grid, target)
    changes = changes_of(labels, grid, found, target)
    touching = np.ones((3, 3, 3))
    at = np.meshgrid(*positions_of(grid, target), indexing="ij")
    for label in np.unique(labels[labels > 0]):
        pieces, count = ndimage.label(labels == label, touching)
        after, count_after = ndimage.label(found == label, touching)
        shares = [
            ndimage.map_coordinates((pieces == n).astype(float), at, order=1, mode="nearest") > 0
            for n in range(1, count + 1)
        ]
        parts = [np.unique(after[share & (after > 0)]) for share in shares]
        parents = np.bincount(np.concatenate(parts), minlength=count_after + 1)[1:]
        change = changes[int(label)]
        assert (change.drawn_components_before, change.drawn_components_after) == (count, count_after)
        assert change.vanished == sum(p.size == 0 for p in parts)
        assert change.split == sum(p.size > 1 for p in parts)
        assert change.merged == np.count_nonzero(parents > 1)
        assert parents.min(initial=1) >= 1
        gone = [np.count_nonzero(pieces == n) for n, p in enumerate(parts, start=1) if p.size == 0]
        assert change.vanished_ml == pytest.approx(max(gone, default=0) * np.prod(spacing) / 1000)


@settings(deadline=None, max_examples=60)
@given(kinds, shapes, seeds, spacings, new_spacings, st.integers(2, 5), st.booleans())
def test_threads_change_no_byte(kind, shape, seed, spacing, new_spacing, threads, is_turned) -> None:
    labels = labels_of(kind, shape, seed)
    grid = grid_of(shape, spacing)
    target = target_grid(grid, new_spacing)
    if is_turned:
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]
        target = Grid(target.shape, turn @ target.affine)
    one = resample_labels(labels, grid, target)
    assert one.tobytes() == resample_labels(labels, grid, target, threads=threads).tobytes()


@settings(deadline=None, max_examples=60)
@given(kinds, shapes, seeds, spacings, new_spacings)
def test_probabilities_stay_probabilities_and_their_half_is_the_mask(
    kind, shape, seed, spacing, new_spacing
) -> None:
    mask = labels_of(kind, shape, seed) == 1
    grid = grid_of(shape, spacing)
    target = target_grid(grid, new_spacing)
    found = resample_probabilities(mask.astype(np.float32), grid, target)
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1
    is_clear = np.abs(found - 0.5) > 1e-5
    assert np.array_equal((found >= 0.5)[is_clear], resample_labels(mask, grid, target)[is_clear])


@settings(deadline=None, max_examples=60)
@given(shapes, seeds, spacings, new_spacings, st.tuples(*[st.booleans()] * 3), st.permutations([0, 1, 2]))
def test_how_an_array_is_stored_changes_nothing(shape, seed, spacing, new_spacing, flips, order) -> None:
    labels = labels_of("organs", shape, seed)
    grid = grid_of(shape, spacing)
    target = target_grid(grid, new_spacing)
    affine = grid.affine.copy()
    stored = labels
    for axis, is_flipped in enumerate(flips):
        if is_flipped:
            stored = np.flip(stored, axis)
            affine[:3, 3] += affine[:3, 2 - axis] * (shape[axis] - 1)
            affine[:3, 2 - axis] *= -1
    columns = [2 - axis for axis in order][::-1]
    stored = np.ascontiguousarray(stored.transpose(order))
    turned = Grid(stored.shape, affine[:, [*columns, 3]])
    expected, found = resample_labels(labels, grid, target), resample_labels(stored, turned, target)
    assert np.array_equal(expected, found)


def test_volumes_of_balls_are_kept_within_one_percent_on_average() -> None:
    random = np.random.default_rng(0)
    ratios = []
    for _ in range(60):
        grid = Grid((36, 36, 36), np.eye(4))
        k, j, i = np.indices(grid.shape) - (17.5 + random.uniform(-0.5, 0.5, 3))[:, None, None, None]
        labels = k**2 + j**2 + i**2 < random.uniform(9, 14) ** 2
        target = target_grid(grid, random.uniform(0.6, 2.0, 3))
        found = np.count_nonzero(resample_labels(labels, grid, target))
        ratios.append(found * np.prod(target.spacing_mm) / np.count_nonzero(labels))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.01)
    assert np.ptp(ratios) > 0.005


def test_halving_moves_a_border_outwards_by_half_a_target_voxel_at_most() -> None:
    grid = Grid((1, 1, 20), np.eye(4))
    for start in range(4, 8):
        for stop in range(12, 16):
            mask = np.zeros(grid.shape, dtype=bool)
            mask[..., start:stop] = True
            found = resample_labels(mask, grid, target_grid(grid, (1.0, 1.0, 2.0)))
            assert 0 <= found.sum() * 2 - mask.sum() <= 2
