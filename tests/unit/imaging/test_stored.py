"""Stored values made into values where they lie, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from isocenter.imaging.facts import RUN, look, sweep
from isocenter.imaging.stored import add_in_place

SHAPE = (3, RUN // 2 + 5)  # a run, and the rest of another
RANGES = {np.int16: (-2000, 6000), np.uint16: (0, 9000), np.uint8: (0, 256), np.int32: (-5000, 9000)}


def values_of(dtype: type) -> np.ndarray:
    return np.random.default_rng(3).integers(*RANGES[dtype], SHAPE).astype(dtype)


@pytest.mark.parametrize("dtype", RANGES)
@pytest.mark.parametrize("offset", [0, 24, -1024])
@pytest.mark.parametrize("has_padding", [False, True])
def test_what_is_added_and_what_is_seen(dtype: type, offset: int, has_padding: bool) -> None:
    stored = values_of(dtype)
    kind = np.dtype(f"i{np.dtype(dtype).itemsize}")
    flags = np.random.default_rng(4).random(SHAPE) < 0.6 if has_padding else None
    sums = stored.astype(np.int64) + offset
    real = sums if flags is None else sums[flags]
    before = stored.copy()
    seen = add_in_place(stored, offset, kind, flags=flags, background=-7)
    fits = np.iinfo(kind).min <= real.min() and real.max() <= np.iinfo(kind).max
    if seen is None:
        # what a byte can hold is all within the range of HU, or all below it
        assert not fits or dtype is np.uint8
        assert np.array_equal(stored, before)
        return
    assert fits
    expected = sums if flags is None else np.where(flags, sums, -7)
    assert np.array_equal(stored.view(kind), expected)
    assert (seen.minimum, seen.maximum, seen.n_valid) == (real.min(), real.max(), real.size)
    assert (seen.n_below, seen.n_above) == ((real < -1024).sum(), (real >= 3071).sum())


@pytest.mark.parametrize("dtype", RANGES)
def test_values_that_are_only_looked_at_may_be_read_only_and_stay(dtype: type) -> None:
    stored = values_of(dtype)
    before = stored.copy()
    stored.flags.writeable = False
    seen = look(stored)
    assert (seen.minimum, seen.maximum, seen.n_valid) == (before.min(), before.max(), before.size)
    low, high = (dtype(n) for n in (20, 200))
    found = sweep(stored.reshape(-1), None, low, high)
    assert found == (before.min(), before.max(), (before < low).sum(), (before > high).sum())
    assert np.array_equal(stored, before)
    changed = before.copy()
    assert sweep(changed.reshape(-1), dtype(1), low, high) == found
    assert np.array_equal(changed, before + dtype(1))
