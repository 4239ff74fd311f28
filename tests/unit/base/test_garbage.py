"""What was there before is left out of garbage collection for as long as the work takes, however it ends."""

import gc

import pytest

from isocenter.base.garbage import known_to_stay


def test_it_stays_out_meanwhile_and_comes_back():
    usual = gc.get_threshold()
    with known_to_stay():
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold()[0] > usual[0]
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == usual


def test_it_comes_back_after_an_error():
    with pytest.raises(ValueError, match="x"), known_to_stay():
        raise ValueError("x")
    assert gc.get_freeze_count() == 0
