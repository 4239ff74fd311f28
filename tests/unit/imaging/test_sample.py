"""Samples by whole rows."""

import numpy as np
import pytest

from isocenter.imaging.sample import levels_of, values_of
from isocenter.testing.rules import a_volume


def test_a_small_volume_is_its_own_sample() -> None:
    volume = a_volume()
    assert np.array_equal(values_of(volume), volume.array.reshape(-1))
    valid = volume.array > -500
    assert np.array_equal(values_of(a_volume(valid=valid)), volume.array[valid])


@pytest.mark.parametrize("shape", [(64, 64, 32), (8, 128, 64), (128, 64, 16), (1, 512, 64)])
def test_rows_are_spread_over_slices_and_heights_alike(shape: tuple[int, int, int]) -> None:
    k, j, _ = np.indices(shape)
    array = (k * shape[1] + j).astype(np.int16)
    rows = values_of(a_volume(array), 128 * shape[2])[:: shape[2]]
    assert len(np.unique(rows)) == len(rows) == 128
    for found, count in ((rows // shape[1], shape[0]), (rows % shape[1], shape[1])):
        parts = np.bincount(found * min(count, 4) // count)
        assert parts.min() > 0.7 * parts.max()


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int32, np.float32])
def test_levels_are_those_of_sorting(dtype: type) -> None:
    values = np.random.default_rng(0).integers(0, 3000, 5000).astype(dtype)
    levels, counts = np.unique(values, return_counts=True)
    found = levels_of(values)
    assert np.array_equal(found[0], levels)
    assert np.array_equal(found[1], counts)


def test_levels_of_odd_values() -> None:
    assert [v.tolist() for v in levels_of(np.array([np.nan, 1.2, np.inf, 0.8], np.float32))] == [[1], [2]]
    assert [v.tolist() for v in levels_of(np.array([-32768, 32767], np.int16))] == [[-32768, 32767], [1, 1]]
    assert levels_of(np.array([], np.int16))[0].size == 0
