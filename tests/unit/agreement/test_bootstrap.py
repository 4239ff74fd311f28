import numpy as np
import pytest

from isocenter.agreement.bootstrap import interval_of
from isocenter.agreement.kappa import cohen_kappa


def ratings(count: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, count)
    return np.stack([np.where(random.random(count) < 0.85, truth, 1 - truth) for _ in range(2)], axis=1) * 1.0


def names(count: int) -> list[str]:
    return [f"subject-{n}" for n in range(count)]


def test_the_interval_holds_the_value_and_narrows_with_subjects() -> None:
    few, many = (interval_of(cohen_kappa, ratings(n), names(n), draws=300) for n in (30, 300))
    for found in (few, many):
        assert found.low <= found.value <= found.high
        assert found.draws == 300
    assert many.high - many.low < few.high - few.low


def test_same_seed_same_interval_whatever_the_order() -> None:
    given, whose = ratings(40), names(40)
    one = interval_of(cohen_kappa, given, whose, seed=3, draws=100)
    other = interval_of(cohen_kappa, given[::-1], whose[::-1], seed=3, draws=100)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-12)
    assert interval_of(cohen_kappa, given, whose, seed=4, draws=100) != one


def test_items_of_one_subject_go_together() -> None:
    given = np.repeat(ratings(30), 10, axis=0)
    whose = [name for name in names(30) for _ in range(10)]
    together = interval_of(cohen_kappa, given, whose, draws=200)
    apart = interval_of(cohen_kappa, given, names(300), draws=200)
    assert together.high - together.low > 2 * (apart.high - apart.low)


def test_no_interval_where_draws_define_nothing() -> None:
    assert interval_of(cohen_kappa, np.empty((0, 2)), []).low is None
    one = interval_of(cohen_kappa, ratings(5), ["a"] * 5, draws=10)
    assert (one.low, one.high) == (None, None)
    same = interval_of(cohen_kappa, np.ones((5, 2)), names(5), draws=10)
    assert (same.value, same.low, same.draws) == (None, None, 0)


def test_every_item_has_a_subject() -> None:
    with pytest.raises(ValueError, match="subjects"):
        interval_of(cohen_kappa, ratings(5), names(4))
