"""Every training framework keeps the contract of `isocenter.loading.framework`."""

import pickle

import numpy as np
import pytest

from isocenter.loading.dataset import dataset
from isocenter.loading.framework import FRAMEWORKS
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case


@pytest.fixture(params=FRAMEWORKS.names())
def data(request, tmp_path):
    store = Store(build(tmp_path / "store", [make_case(n) for n in range(4)]))
    return dataset(store, "train", patch=(4, 8, 8), per_case=3, framework=request.param)


def same(sample, expected):
    assert sample.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(np.asarray(sample[name]), value)
        else:
            assert sample[name] == value


def test_it_gives_the_samples_by_number(data):
    assert len(data) == 6
    for index in range(6):
        same(data[index], data.samples.sample(index))
    with pytest.raises(IndexError):
        data[6]


def test_an_epoch_changes_what_is_drawn(data):
    data.set_epoch(5)
    same(data[2], data.samples.sample(2, epoch=5))


def test_it_can_be_sent_to_another_process(data):
    data.set_epoch(3)
    same(pickle.loads(pickle.dumps(data))[1], data.samples.sample(1, epoch=3))
