"""What a loader gives is a function of (seed, epoch, index): workers, and how they start, do not show."""

import hashlib
import itertools
import os

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from isocenter.loading.dataset import dataset
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case

WORKERS = [int(n) for n in os.environ.get("ISOCENTER_LOADER_WORKERS", "0 1 2").split()]
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
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("workers", WORKERS)
def test_streams_are_equal_to_the_byte(store, workers, start):
    data = make(store)
    assert data[0]["case"]  # a handle is open here when the workers start
    assert stream(loaded(data, workers, start)) == stream(loaded(make(store), 0, None))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", WORKERS)
def test_batches_of_a_loader_are_equal_to_the_byte_for_any_number_of_workers(store, workers):
    data, alone = make(store), make(store)
    loader = data.loader(5, workers=workers, start="fork", timeout_seconds=120)
    for epoch in (0, 1):
        data.set_epoch(epoch)
        alone.set_epoch(epoch)
        assert stream(loader) == stream(alone.loader(5))


@pytest.mark.parametrize("world", [1, 2, 3, 4, 8])
def test_ranks_together_see_every_sample_once(store, world):
    ranks = [stream_of(make(store).loader(2, rank=r, world=world)) for r in range(world)]
    assert sorted(itertools.chain(*ranks)) == sorted(stream_of(make(store).loader(2)))
    assert len(set(itertools.chain(*ranks))) == len(make(store))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_8_workers_never_repeat_a_draw(store, record_property):
    """A generator that a data set kept would be copied into every worker: each of its draws would come 8 times."""
    data = dataset(store, "train", patch=(4, 12, 12), per_case=48, sampler="label", augment=POLICY)
    draws = []
    for batch in data.loader(1, workers=8, start="fork", timeout_seconds=120):
        rotation, noise = (str(batch["augmentation"][0][name]) for name in ("rotation", "noise"))
        draws.append((rotation, noise))
    each = [{draw[n] for draw in draws} for n in (0, 1)]
    told = f"of {len(draws)} draws in 8 workers are distinct: {len(each[0])} turns, {len(each[1])} noises"
    record_property(told, str(len(set(draws))))
    assert len(draws) == 192
    assert [len(e) for e in each] == [192, 192], told


def stream_of(loader):
    """Digest of every sample that a loader gives."""
    return [
        hashlib.sha256(batch["image"][n].numpy().tobytes() + batch["case"][n].encode()).hexdigest()
        for batch in loader
        for n in range(len(batch["case"]))
    ]


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
