import itertools

import numpy as np
import pytest

from isocenter.base.errors import ConfigError
from isocenter.exports.regions import regions_of


def order_exists(labels, sets):
    """By brute force: an order in which every set is known by its last label."""
    for order in itertools.permutations(labels):
        last = [max(s, key=order.index) for s in sets]
        if len(set(last)) == len(sets):
            return True
    return False


def written(regions, names):
    """The value that nnU-Net writes for a voxel of some labels: each region over those before it."""
    value = 0
    for name in regions.order:
        value = regions.last[name] if name in names else value
    return value


@pytest.mark.parametrize("seed", range(200))
def test_what_one_map_can_carry_is_carried_and_the_rest_is_refused(seed):
    rng = np.random.default_rng(seed)
    labels = list("abcd")[: rng.integers(1, 5)]
    every = [c for n in range(1, len(labels) + 1) for c in itertools.combinations(labels, n)]
    found = {every[n] for n in rng.integers(0, len(every), rng.integers(0, 5))}
    sets = found | {(n,) for n in labels if not any(n in s for s in found)}
    twins = any(
        {s for s in sets if a in s} == {s for s in sets if b in s}
        for a, b in itertools.combinations(labels, 2)
    )
    if twins or not order_exists(labels, sets):
        with pytest.raises(ConfigError):
            regions_of(labels, found)
        return
    regions = regions_of(labels, found)
    values = dict(regions.values)
    assert set(values) == sets
    assert sorted(values.values()) == list(range(1, len(sets) + 1))
    assert {n: {values[s] for s in sets if n in s} for n in labels} == {
        n: set(v) for n, v in regions.of.items()
    }
    for names, value in values.items():
        assert written(regions, names) == value


def test_labels_that_exclude_each_other_are_numbered_in_their_order():
    regions = regions_of(["z", "a"], {("a",), ("z",)})
    assert regions.values == ((("z",), 1), (("a",), 2))


def test_the_refusal_names_the_labels_and_the_way_out():
    with pytest.raises(ConfigError, match=r"labels a, b overlap.*a\+b.*monai or nifti"):
        regions_of(["a", "b"], {("a",), ("b",), ("a", "b")})
    with pytest.raises(ConfigError, match="always in the same voxels"):
        regions_of(["a", "b"], {("a", "b")})
