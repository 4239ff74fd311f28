import copy
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from isocenter.loading.dataset import dataset
from isocenter.loading.facts import Recent, facts_of
from isocenter.loading.sampler import LabelCentred, Uniform, Weighted


def facts(store, sampler, case="case-0000"):
    return facts_of(store.meta(case), store.arrays(case), store.manifest, sampler)


def test_geometry_and_targets_of_a_case(store):
    found = facts(store, LabelCentred())
    case = store["case-0000"]
    np.testing.assert_array_equal(found.affine, case.grid.affine)
    np.testing.assert_array_equal(found.boxes, case.boxes)
    np.testing.assert_array_equal(found.targets.boxes, case.boxes_voxel)
    assert (found.box_labels.tolist(), found.targets.numbers) == ([1], {"tumour": 1, "node": 2})
    mask = np.asarray(case.mask)
    value, k, j, i = found.targets.voxels.T
    assert (mask[k, j, i] == value).all()
    assert set(value.tolist()) == {1, 2}


def test_only_what_the_sampler_asks_for_is_read(store):
    assert len(facts(store, Uniform()).targets.voxels) == 0
    assert facts(store, LabelCentred()).targets.weights is None
    weights = facts(store, Weighted(map="mask:tumour")).targets.weights
    assert weights.ends[-1] == 4 * 10 * 6
    assert facts(store, Weighted(map="share:tumour")).targets.weights is None
    assert facts(store, Weighted(map="known:node")).targets.weights is None


def test_padding_has_no_weight(store):
    """The first slice of the cases is not valid."""
    weights = facts(store, Weighted(map="mask:tumour")).targets.weights
    shares = weights.read((slice(0, 12), slice(0, 40), slice(0, 36)))
    assert not shares[0].any()
    np.testing.assert_array_equal(shares[1:], np.asarray(store["case-0000"].mask)[1:] == 1)


def test_cases_seen_last_are_kept_within_the_bound(store):
    one = facts(store, LabelCentred())
    recent = Recent(3 * one.nbytes)
    made = []
    for case in (0, 1, 2, 0, 3, 0, 1):
        recent.get(case, lambda c=case: made.append(c) or one)
    assert made == [0, 1, 2, 3, 1]
    assert len(recent) == 3
    small = Recent(0)
    small.get(1, lambda: one)
    small.get(2, lambda: one)
    assert len(small) == 1
    assert len(pickle.loads(pickle.dumps(recent))) == 0


@pytest.fixture
def impatient():
    """Threads take turns so often that what they share unguarded breaks."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_share_what_is_kept(store, impatient):
    one = facts(store, LabelCentred())
    recent = Recent(2 * one.nbytes)

    def ask(number):
        made = replace(one, point_labels=(str(number % 7),))
        return recent.get(number % 7, lambda: made).point_labels == (str(number % 7),)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(20_000)))
    assert len(recent) <= 2


def test_a_copy_of_samples_keeps_its_own(store):
    samples = dataset(store, "train", patch=4, sampler="label", framework="numpy").samples
    samples.sample(0)
    assert len(samples._recent) == 1
    for copied in (copy.copy(samples), copy.deepcopy(samples), pickle.loads(pickle.dumps(samples))):
        assert len(copied._recent) == 0
        copied.sample(1)
        copied.sample(2)
        assert len(samples._recent) == 1
