import math

import numpy as np
import pytest

from isocenter.imaging.histogram import MOST_BINS, NOTHING, Histogram, binned, exponent_of, merge
from isocenter.imaging.statistics import measure


def of(array) -> Histogram:
    return measure(np.asarray(array), foreground="all").inside


def test_whole_numbers_are_exact_against_numpy_in_float64():
    array = np.random.default_rng(1).normal(200, 900, (7, 30, 31)).astype(np.int16)
    found, exact = of(array), array.astype(np.float64)
    count, mean, spread = found.moments()
    assert (found.is_exact, found.step, count) == (True, 1.0, array.size)
    assert mean == pytest.approx(exact.mean(), rel=1e-15)
    assert spread == pytest.approx(exact.std(), rel=1e-14)
    for percent in (0, 0.5, 3.7, 50, 99.5, 100):
        assert found.percentile(percent) == pytest.approx(np.percentile(exact, percent), abs=1e-11)


@pytest.mark.parametrize("offset", [0.0, -7e5, 1e-3])
def test_bins_are_off_by_less_than_a_step_and_a_step_is_a_1023rd_of_the_range(offset):
    array = (np.random.default_rng(2).gamma(2.0, 3.0, 40_000) + offset).astype(np.float64)
    found = of(array)
    assert not found.is_exact
    assert found.counts.size <= MOST_BINS
    assert found.step <= np.ptp(array) / 1023
    assert found.total == array.size
    assert found.moments()[1] == pytest.approx(array.mean(), abs=found.step / 2)
    for percent in (0, 0.5, 10, 50, 99.5, 100):
        assert abs(found.percentile(percent) - np.percentile(array, percent)) < found.step
    places = np.floor(array / found.step).astype(int) - found.first
    assert np.array_equal(np.bincount(places), found.counts)


def test_sums_of_a_huge_cohort_do_not_overflow():
    counts = np.zeros(65_536, np.int64)
    counts[[0, -1]] = 1 << 40
    found = Histogram(first=-32_768, counts=counts)
    assert found.moments() == (1 << 41, -0.5, 32_767.5)


def test_nothing_has_no_moments():
    assert merge([]) is NOTHING
    assert NOTHING.total == 0
    assert math.isnan(NOTHING.percentile(50))
    assert NOTHING.moments()[0] == 0
    assert math.isnan(NOTHING.moments()[1])
    assert of(np.array([np.nan, np.inf], np.float32)).total == 0
    assert merge([NOTHING, of([3, 3])]).total == 2


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e-30, 123456.78, -3e38])
def test_one_value_alone_is_one_narrow_bin(value):
    array = np.full(5, value, np.float32)
    found = of(array)
    assert found.counts.tolist() == [5]
    assert found.percentile(50) == pytest.approx(float(array[0]), rel=1e-6, abs=1e-290)


def test_exponents_are_the_least_that_are_enough():
    assert exponent_of(0.0, 2047.0) == 0
    assert exponent_of(0.0, 2048.0) == 1
    assert exponent_of(-0.5, 0.5) == -10


def test_whole_numbers_and_bins_merge_to_bins():
    levels, values = np.array([0, 5, 5, 4000], np.int16), np.array([0.25, 5.5, 4000.75], np.float32)
    found = merge([of(levels), of(values)])
    assert not found.is_exact
    assert (found.total, found.step) == (7, 2.0)
    assert found.counts[[0, 2, 2000]].tolist() == [2, 3, 2]
    again = merge([binned(of(levels)), of(values)])
    assert (again.first, again.exponent, again.counts.tolist()) == (
        found.first,
        found.exponent,
        found.counts.tolist(),
    )


def test_parts_at_a_threshold_and_the_value_of_a_count():
    found = of(np.array([-2, 0, 0, 7], np.int16))
    above, rest = found.parted(0)
    assert (above.values.tolist(), above.total) == ([7.0], 1)
    assert (rest.first, rest.counts.tolist()) == (-2, [1, 0, 2])
    assert merge([above, rest]).counts.tolist() == found.counts.tolist()
    assert of(np.array([0.0, 2047.9], np.float32)).values[0] == 0.5
