import numpy as np

from isocenter.report.estimates import spread_of


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
