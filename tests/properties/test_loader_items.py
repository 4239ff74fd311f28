"""What a worker reads is what was written there: every voxel says which case it is of and where it lies."""

import os
from dataclasses import replace

import numpy as np
import pytest

from isocenter.loading.dataset import dataset
from isocenter.stores.shard import BACKENDS
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case

ITEMS = int(os.environ.get("ISOCENTER_LOADER_ITEMS", "120"))
STARTS = os.environ.get("ISOCENTER_LOADER_STARTS", "fork").split()
WORKERS = int(os.environ.get("ISOCENTER_LOADER_CROWD", "3"))
CASES, SHAPE, PATCH = 40, (12, 24, 20), (5, 9, 8)
PLACES = np.indices(SHAPE)


def encoded(number):
    """A value for each voxel of a case that hardly any other voxel of any case has."""
    k, j, i = PLACES
    mixed = (k * 7919 + j * 104_729 + i * 1_299_709 + number * 15_485_863) * 2_654_435_761
    return ((mixed >> 12) & 0xFFFF).astype(np.uint16).view(np.int16)


@pytest.fixture(scope="module", params=BACKENDS.names())
def store(request, tmp_path_factory):
    cases = [
        replace(
            make_case(n, shape=SHAPE),
            image=encoded(n)[None],
            mask=(encoded(n) % 3).astype(np.uint8),
            raters={},
        )
        for n in range(CASES)
    ]
    root = tmp_path_factory.mktemp("items") / "store"
    return Store(build(root, cases, shards=8, backend=request.param))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("start", STARTS)
def test_every_item_is_the_one_that_was_asked_for(store, start):
    data = dataset(
        store, "train", patch=PATCH, per_case=-(-ITEMS // (CASES // 2)), normalise="none", sampler="label"
    )
    assert data[0]["case"] == "case-0000"  # a handle is open here when the workers start
    seen = 0
    for batch in data.loader(4, workers=WORKERS, start=start, timeout_seconds=300):
        for n, case in enumerate(batch["case"]):
            where = tuple(slice(s, s + p) for s, p in zip(batch["start"][n].tolist(), PATCH, strict=True))
            truth = encoded(int(case[-4:], 16))[where]
            np.testing.assert_array_equal(batch["image"][n, 0].numpy(), truth)
            np.testing.assert_array_equal(batch["mask"][n].numpy(), truth % 3)
            seen += 1
    assert seen == len(data) >= ITEMS
