import numpy as np
import pytest
from scipy.stats import binomtest

from isocenter.report.estimates import spread_of, wilson


@pytest.mark.parametrize(("part", "whole"), [(0, 1), (1, 1), (0, 10), (3, 7), (50, 100), (999, 1000)])
def test_wilson_is_that_of_scipy(part: int, whole: int):
    expected = binomtest(part, whole).proportion_ci(0.95, "wilson")
    assert wilson(part, whole) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_known_is_the_whole_interval():
    assert wilson(0, 0) == (0.0, 1.0)


def test_spread_of_known_values():
    five = spread_of([4.0, 1.0, 3.0, 2.0, 5.0])
    assert (five.count, five.low, five.quarter, five.median, five.three_quarters, five.high) == (
        5,
        1,
        2,
        3,
        4,
        5,
    )
    assert spread_of([2.5]).median == np.float64(2.5)
