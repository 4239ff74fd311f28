"""An index of millions is in memory once, and what a loader takes is what its budget says."""

import gc
import os
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isocenter.loading.dataset import dataset
from isocenter.loading.shared import Columns
from isocenter.stores.manifest import read_manifest, sealed, write_manifest
from isocenter.stores.shard import BACKENDS
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case
from tests.properties.counted import REAL, Peak, WideSamples

CASES = int(os.environ.get("ISOCENTER_INDEX_CASES", "30000"))
EPOCHS = int(os.environ.get("ISOCENTER_INDEX_EPOCHS", "2"))
WALKED = int(os.environ.get("ISOCENTER_INDEX_WALKED", "2000"))
STARTS = os.environ.get("ISOCENTER_LOADER_STARTS", "fork").split()
MIB = 1 << 20
MOST_MIB, LEAST_ROWS = 20, 500_000
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),
]


def widened(root, count):
    """A store whose table has so many cases; only the first have a record."""
    table = pq.read_table(root / "cases.parquet")
    rows = table.take(pa.array(np.r_[: len(table), np.zeros(count - len(table), int)]))
    ids = [f"case-{n:04x}" if n < len(table) else f"more-{n:032x}" for n in range(count)]
    rows = rows.set_column(rows.schema.get_field_index("id"), "id", pa.array(sorted(ids)))
    pq.write_table(rows, root / "cases.parquet")
    files = [sealed(root, "cases.parquet"), *(f for f in read_manifest(root).files if "shards" in f.name)]
    write_manifest(root, replace(read_manifest(root), files=tuple(sorted(files, key=lambda f: f.name))))
    return Store(root)


def repeated(data, count):
    """Repeat the cases of an index, until there are so many: what is read of each is the same, and quicker made."""
    samples = data.samples
    times = -(-count // len(samples.selection.ids))
    if times > 1:
        columns = {n: np.concatenate([a] * times) for n, a in samples.selection.columns.items()}
        samples.selection = replace(samples.selection, columns=Columns(columns))
    return data


@pytest.fixture(scope="module", params=BACKENDS.names())
def indices(request, tmp_path_factory):
    """Data sets of an index of a few cases and of very many."""
    cases = [replace(make_case(n), subject="subject-0") for n in range(REAL)]
    root = build(tmp_path_factory.mktemp("index") / "store", cases, backend=request.param)
    small = dataset(Store(root), "train", patch=(2, 4, 4), per_case=400)
    large = repeated(dataset(widened(root, CASES), "train", patch=(2, 4, 4), per_case=4), LEAST_ROWS)
    for data in (small, large):
        data.samples.__class__ = WideSamples
    return small, large


def private(data, start):
    """The most that a worker has to itself in each epoch, and the most of it that it wrote: (E, 2) in MiB."""
    out = []
    for epoch in range(EPOCHS):
        data.set_epoch(epoch)
        # one loader an epoch, so that each goes over its part of a large one
        skip = max(len(data) - WALKED, 0)
        loader = data.loader(50, workers=2, start=start, timeout_seconds=300, skip=skip)
        batches = [(b["looked_up"][0], np.max(b["private"], axis=0)) for b in loader]
        assert min(n for n, _ in batches) >= 10
        out.append(np.max([most for _, most in batches], axis=0) / MIB)
    return np.array(out)


@pytest.mark.parametrize("start", STARTS)
def test_an_index_of_any_size_is_in_memory_once(indices, start, record_property):
    gc.collect()
    gc.freeze()  # else the collector of this process parts its pages from those of its workers, now or then
    try:
        small, large = (private(data, start) for data in indices)
    finally:
        gc.unfreeze()
    selection = indices[1].samples.selection
    whole = sum(a.nbytes for a in selection.columns.values()) / MIB
    assert len(selection.ids) >= CASES
    assert whole > 2 * MOST_MIB  # else a worker that copied it would not be found
    more, written = large.max(axis=0) - small.max(axis=0)
    told = (
        f"MiB that a worker has to itself more for an index of {whole:.0f} MiB ({indices[1].samples.store.manifest.backend},"
        f" {start}), {written:.1f} of it written; epochs {', '.join(f'{n:.1f}' for n in large[:, 0])}"
    )
    record_property(told, f"{more:.1f}")
    assert more <= MOST_MIB, f"{more:.1f} {told}"
    assert large[1:, 1].max() <= 1.1 * large[0, 1], f"{more:.1f} {told}"


def test_memory_of_the_process_tree_is_within_the_budget(tmp_path):
    shape, patch, batch_size, workers, prefetch, cache = (48, 160, 160), (32, 96, 96), 2, 2, 2, 8 * MIB
    cases = [replace(make_case(n, shape=shape), subject="subject-0", raters={}, valid=None) for n in range(4)]
    store = Store(build(tmp_path / "s", cases), cache_bytes=cache)
    batch_bytes = batch_size * int(np.prod(patch)) * (4 + 1 + 1 + 1)
    peaks = []
    for size in ((1, 1, 1), patch):
        data = dataset(store, "train", patch=size, per_case=8)
        loader = data.loader(
            batch_size, workers=workers, prefetch=prefetch, start="fork", timeout_seconds=300
        )
        for epoch in range(4):
            data.set_epoch(epoch)
            gc.collect()
            with Peak() as peak:
                assert sum(len(b["case"]) for b in loader) == 32
            peaks.append(peak.bytes)
    base, others = max(peaks[:4]), peaks[4:]
    # batches that wait, one in the hand of the training process and one on its way, and what each worker works with
    budget = (workers * prefetch + 2) * batch_bytes + workers * (cache + 2 * batch_bytes)
    assert max(others) - base <= budget + 32 * MIB
    assert others[3] <= 1.05 * others[1]  # what libraries load they have loaded by the second epoch
