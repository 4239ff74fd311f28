"""What a loader gives is a function of (seed, epoch, index): workers, and how they start, do not show."""

import hashlib

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from isocenter.loading.dataset import dataset
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case

POLICY = {"rotation_deg": 8, "contrast": 0.1, "noise_sigma": 0.01, "mirror": ("R",), "side_symmetric": True}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    root = tmp_path_factory.mktemp("stream") / "store"
    return Store(build(root, [make_case(n) for n in range(6)]))


def make(store, **options):
    return dataset(store, "train", patch=(4, 12, 12), per_case=6, sampler="label", augment=POLICY, **options)


def stream(loader):
    """Digest of everything that a loader gives, in order."""
    out = hashlib.sha256()
    for batch in loader:
        for name in sorted(batch):
            for value in batch[name]:
                data = value.numpy().tobytes() if isinstance(value, torch.Tensor) else str(value).encode()
                out.update(data)
    return out.hexdigest()


def loaded(data, workers, start):
    return DataLoader(
        data,
        batch_size=3,
        num_workers=workers,
        collate_fn=data.collate,
        multiprocessing_context=start if workers else None,
        timeout=120 if workers else 0,
    )


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_streams_are_equal_to_the_byte(store, workers, start):
    data = make(store)
    assert data[0]["case"]  # a handle is open here when the workers start
    assert stream(loaded(data, workers, start)) == stream(loaded(make(store), 0, None))


def test_cache_threads_and_earlier_reads_do_not_show(store):
    one = make(Store(store.path, cache_bytes=0))
    two = make(Store(store.path, verify="read"))
    for index in (5, 3, 3, 0):
        for name in ("image", "mask", "valid", "affine", "boxes"):
            np.testing.assert_array_equal(one[index][name], two[index][name])


def test_seeds_and_epochs_make_other_streams(store):
    digests = set()
    for seed in range(3):
        data = make(store, seed=seed)
        for epoch in range(3):
            data.set_epoch(epoch)
            digests.add(stream(loaded(data, 0, None)))
    assert len(digests) == 9
