import numpy as np

from isocenter.base import seeds
from isocenter.loading.maps import weight_map

SHAPE, BLOCK = (5, 9, 7), (2, 4, 3)


def made(weights):
    return weight_map(lambda part: weights[part], SHAPE, BLOCK)


def test_a_voxel_is_as_likely_as_its_weight():
    """Counted over all blocks, with a chi-squared statistic against the weights themselves."""
    weights = np.random.default_rng(0).integers(0, 4, SHAPE).astype(np.uint16)
    found = np.zeros(SHAPE)
    drawn = made(weights)
    count = 40_000
    for n in range(count):
        found[drawn.draw(seeds.stream(n, "x"))] += 1
    assert not found[weights == 0].any()
    there = weights > 0
    expected = weights / weights.sum() * count
    chi = ((found[there] - expected[there]) ** 2 / expected[there]).sum()
    freedom = there.sum() - 1
    assert abs(chi - freedom) < 5 * np.sqrt(2 * freedom)


def test_the_only_voxel_with_weight_is_always_drawn():
    for where in [(0, 0, 0), (4, 8, 6), (3, 3, 3)]:
        weights = np.zeros(SHAPE, bool)
        weights[where] = True
        assert {made(weights).draw(seeds.stream(n, "y")) for n in range(5)} == {where}


def test_where_nothing_has_weight_nothing_is_drawn():
    assert made(np.zeros(SHAPE, np.uint8)).draw(seeds.stream(0, "z")) is None


def test_a_draw_reads_one_block():
    weights = np.ones(SHAPE, np.uint16)
    reads = []

    def read(part):
        reads.append(weights[part].size)
        return weights[part]

    drawn = weight_map(read, SHAPE, BLOCK)
    assert sum(reads) == weights.size
    del reads[:]
    drawn.draw(seeds.stream(0, "w"))
    assert len(reads) == 1
    assert reads[0] <= np.prod(BLOCK)
