"""Facts against numpy, slice by slice."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.imaging.facts import facts_of_array


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.uint8, np.float32])
@pytest.mark.parametrize("has_padding", [False, True])
def test_facts_are_those_of_numpy(dtype: type, has_padding: bool) -> None:
    random = np.random.default_rng(7)
    info = np.iinfo(np.int16 if dtype is np.float32 else dtype)
    array = random.integers(max(info.min, -3000), min(info.max, 5000), (4, 9, 11)).astype(dtype)
    if dtype is np.float32:
        array[0, 0, :2] = np.nan, np.inf
    valid = random.random(array.shape) < 0.7 if has_padding else None
    facts = facts_of_array(array, valid)
    for k, plane in enumerate(array):
        real = plane.ravel() if valid is None else plane[valid[k]]
        finite = real[np.isfinite(real)].astype(np.float64)
        assert facts.minimum[k] == finite.min()
        assert facts.maximum[k] == finite.max()
        assert facts.n_valid[k] == real.size
        assert facts.n_below[k] == (finite < -1024).sum()
        assert facts.n_above[k] == (finite >= 3071).sum()
        assert facts.n_not_finite[k] == real.size - finite.size


def test_a_slice_of_padding_has_no_values() -> None:
    facts = facts_of_array(
        np.ones((2, 3, 3), np.int16), np.stack([np.zeros((3, 3), bool), np.ones((3, 3), bool)])
    )
    assert np.isnan(facts.minimum[0])
    assert facts.n_valid.tolist() == [0, 9]
