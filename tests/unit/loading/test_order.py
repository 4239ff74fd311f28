import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isocenter.base.errors import ConfigError
from isocenter.loading.order import Part, permuted, walk

LARGE = (1 << 16) + 12_345


@pytest.mark.parametrize("count", [1, 2, 3, 100, 65_535, 65_536, LARGE])
def test_every_sample_is_at_one_place(count):
    order = permuted(np.arange(count), count, 7, 3)
    assert np.array_equal(np.sort(order), np.arange(count))


def test_places_can_be_asked_for_alone():
    whole = permuted(np.arange(LARGE), LARGE, 1, 0)
    some = np.array([0, 70_000, 5, 5])
    assert permuted(some, LARGE, 1, 0).tolist() == whole[some].tolist()


@pytest.mark.parametrize("count", [64, LARGE])
def test_orders_look_drawn_by_lot(count):
    """Where the first sample comes, and which comes after which, is spread evenly over seeds and epochs."""
    orders = [
        permuted(np.arange(min(count, 4096)), count, seed, epoch) for seed in range(8) for epoch in range(8)
    ]
    firsts = np.array([o[:16] for o in orders]).reshape(-1) / count
    counts = np.histogram(firsts, 8, (0, 1))[0]
    assert counts.sum() == 1024
    assert ((counts - 128) ** 2 / 128).sum() < 30  # chi squared with 7 degrees of freedom
    assert len({tuple(o[:16]) for o in orders}) == 64
    # runs of neighbours, of which a permutation by lot has about one
    assert np.mean([(np.diff(o) == 1).sum() for o in orders]) < 3


def test_neighbouring_places_are_not_correlated():
    order = permuted(np.arange(LARGE), LARGE, 0, 0).astype(float)
    for lag in (1, 2, 255, 256, 257):
        assert abs(np.corrcoef(order[:-lag], order[lag:])[0, 1]) < 0.02


@settings(max_examples=200, deadline=None)
@given(count=st.integers(0, 60), world=st.integers(1, 9), skip=st.integers(0, 70))
def test_ranks_together_see_the_rest_of_the_epoch_once(count, world, skip):
    parts = [list(Part(rank=r, world=world, skip=skip).places(count)) for r in range(world)]
    assert sorted(p for part in parts for p in part) == list(range(skip, count))
    even = [list(Part(rank=r, world=world, skip=skip, is_even=True).places(count)) for r in range(world)]
    assert len({len(part) for part in even}) == 1
    assert sum(map(len, even)) == max(count - skip, 0) // world * world
    assert all(part[: len(e)] == e for part, e in zip(parts, even, strict=True))


def test_a_step_of_all_ranks_is_the_step_of_one_with_their_batches_together():
    alone = list(Part().places(48))
    ranks = [list(Part(rank=r, world=4).places(48)) for r in range(4)]
    for step in range(4):
        together = {p for part in ranks for p in part[step * 3 : step * 3 + 3]}
        assert together == set(alone[step * 12 : step * 12 + 12])


def test_walking_in_blocks_is_walking_at_once():
    places = Part(rank=1, world=3, skip=10).places(LARGE)
    walked = list(walk(places, LARGE, 5, 2, is_shuffled=True))
    assert walked == permuted(np.array(places), LARGE, 5, 2).tolist()
    assert list(walk(range(3, 9, 2), LARGE, 5, 2, is_shuffled=False)) == [3, 5, 7]


@pytest.mark.parametrize("wrong", [{"rank": 2, "world": 2}, {"rank": -1}, {"skip": -1}])
def test_ranks_that_are_not_there_are_refused(wrong):
    with pytest.raises(ConfigError):
        Part(**wrong)
