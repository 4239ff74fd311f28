"""`isocenter bench`: every way reads the same voxels, and what is told follows from what was measured."""

from dataclasses import replace

import numpy as np
import pytest

from isocenter.base.errors import ConfigError, StoreNotFound
from isocenter.bench import ways
from isocenter.bench.bench import Factor, bench, recommended
from isocenter.bench.child import Asked, Told, _answer
from isocenter.bench.sample import Sample, Source, sample_of, scaled
from isocenter.stores.placed import Placed
from isocenter.stores.shard import BACKENDS
from isocenter.stores.store import Store
from tests.contracts.packed import build, make_case

CASES = [make_case(n, shape=s) for n, s in enumerate([(12, 40, 36), (9, 33, 21), (12, 40, 36)])]


@pytest.fixture
def store(tmp_path):
    return build(tmp_path / "store", CASES)


@pytest.fixture
def sample(store):
    return sample_of(store, (8, 16, 16), most_cases=6, most_bytes=1 << 30)


def made(sample, tmp_path):
    every = ways.ways_of(sample, tmp_path / "made", (8, 16, 16))
    for way in every:
        ways.make(way, sample, (8, 16, 16))
    return every


def test_every_way_reads_the_same_voxels(sample, tmp_path):
    every = made(sample, tmp_path)
    assert {w.name for w in every} == {"store", "nifti", "nifti-gz", *BACKENDS.names()}
    by_id = {c.id: c for c in CASES}
    for number in range(6):
        case, box = sample.box(number)
        whole = by_id[sample.cases[case].id]
        for way in every:
            image, mask = ways.reader(way, sample)(case, box)
            assert np.array_equal(np.squeeze(image), np.squeeze(whole.image[(..., *box)])), way.name
            assert np.array_equal(mask, whole.mask[box]), way.name


def test_the_store_and_a_shard_like_its_own_are_read_the_same_way(sample, tmp_path, monkeypatch):
    """The bench once opened its own shards without room for tables, which were then asked for at every patch."""
    every = {w.name: w for w in made(sample, tmp_path)}
    log = []

    def noting(name):
        backend = BACKENDS.get(name)
        opened = backend.open

        def reader_of(path, *, cache_bytes):
            log.append(("open", cache_bytes))
            reader = opened(path, cache_bytes=cache_bytes)
            read = reader.read
            monkeypatch.setattr(reader, "read", lambda *a: log.append(("read", a[1:])) or read(*a))
            return reader

        monkeypatch.setattr(backend, "open", reader_of)

    for name in BACKENDS.names():
        noting(name)
    logs = {}
    for name in (ways.STORE, *BACKENDS.names()):
        read = ways.reader(every[name], sample)
        for number in range(6):
            read(*sample.box(number))
        logs[name] = list(log)
        log.clear()
    opened = {e for e in logs[ways.STORE] if e[0] == "open"}
    assert len(logs[ways.STORE]) > 12
    assert opened
    for name in BACKENDS.names():
        assert {e for e in logs[name] if e[0] == "open"} == opened
        assert [e for e in logs[name] if e[0] == "read"] == [e for e in logs[ways.STORE] if e[0] == "read"]


def test_where_chunks_lie_is_asked_once_for_each_array(sample, tmp_path, monkeypatch):
    asked = []
    of = Placed.of
    monkeypatch.setattr(Placed, "of", lambda dataset, *rest: asked.append(dataset.name) or of(dataset, *rest))
    way = next(w for w in made(sample, tmp_path) if w.name == "hdf5")
    asked.clear()
    read = ways.reader(way, sample)
    for number in range(40):
        read(*sample.box(number))
    assert sorted(asked) == sorted({f"/{c.id}/{name}" for c in sample.cases for name in ("image", "mask")})


@pytest.mark.parametrize(
    ("other", "best"),
    [
        ([0.80, 0.85, 0.89, 0.70], "other"),
        ([0.95, 0.93, 0.92, 0.94], "own"),
        ([0.50, 1.05, 0.50, 0.50], "own"),
        ([1.00, 1.00, 1.00, 1.00], "own"),
    ],
)
def test_another_chunk_is_recommended_only_beyond_noise(other, best):
    """At least a tenth less by the median, and less in every round."""
    assert recommended({"other": other, "own": [1.0, 1.0, 1.0, 1.0]}, "own") == best


def test_of_better_chunks_the_best_is_recommended():
    assert recommended({"own": [1.0, 1.0], "b": [0.8, 0.8], "c": [0.7, 0.7]}, "own") == "c"


def test_source_files_are_read_at_the_like_place(sample, monkeypatch):
    array = np.arange(20 * 60 * 60).reshape(20, 60, 60)

    class Reader:
        @staticmethod
        def read(stack, paths):
            return type("Volume", (), {"array": array})

    class Stack:
        format = "dicom"

    monkeypatch.setattr(ways.FORMATS, "get", lambda name: Reader)
    cases = tuple(replace(c, source=Source(stack=Stack(), paths=())) for c in sample.cases)
    other = replace(sample, cases=cases)
    case, box = other.box(0)
    got = ways.reader(ways.Way(name="source", title="", folder=None), other)(case, box)
    assert np.array_equal(got, array[scaled(box, other.cases[case].shape, array.shape)])


@pytest.mark.parametrize(
    ("box", "shape", "other", "wanted"),
    [
        ((slice(0, 4),), (10,), (10,), (slice(0, 4),)),
        ((slice(6, 10),), (10,), (20,), (slice(12, 16),)),
        ((slice(9, 10),), (10,), (5,), (slice(4, 5),)),
        ((slice(0, 10),), (10,), (5,), (slice(0, 5),)),
    ],
)
def test_a_box_keeps_its_size_and_stays_inside_a_volume_of_another_shape(box, shape, other, wanted):
    assert scaled(box, shape, other) == wanted


def test_a_sample_is_bounded_in_cases_and_bytes(store):
    assert len(sample_of(store, None, most_cases=2, most_bytes=1 << 30).cases) == 2
    assert len(sample_of(store, None, most_cases=9, most_bytes=1).cases) == 1
    assert sample_of(store, (500, 8, 500), most_cases=9, most_bytes=1 << 30).patch == (12, 8, 36)


def test_boxes_are_the_same_for_all_and_differ_by_number(sample):
    again = Sample(store=sample.store, cases=sample.cases, patch=sample.patch)
    assert [sample.box(n) for n in range(20)] == [again.box(n) for n in range(20)]
    assert len({str(sample.box(n)) for n in range(20)}) > 10


def test_cold_patches_bring_their_bytes_anew(sample, tmp_path):
    way = next(w for w in made(sample, tmp_path) if w.name == "nifti-gz")
    read = ways.reader(way, sample)
    asked = Asked(first=0, seconds=30, most=3, is_cold=True, is_memory=True)
    told = _answer(way, sample, read, asked, 0, way.files(sample))
    assert isinstance(told, Told)
    assert len(told.seconds) == 3
    assert told.asked_bytes > 1000
    assert told.peak_bytes > 1 << 20


def test_what_is_asked_for_is_judged_by_what_was_measured():
    def judged(**facts):
        factor = Factor(
            **{"baseline": "x", "title": "x", "faster": 3.0, "cpu": 1.0, "less_memory": 0.6} | facts
        )
        return factor.is_faster, factor.is_smaller

    assert judged() == (True, True)
    assert judged(faster=2.99) == (False, True)
    assert judged(less_memory=0.59) == (True, False)


def test_a_store_is_measured_from_end_to_end(store):
    steps = []
    found = bench(store, patch=(8, 16, 16), seconds=1, progress=steps.append)
    assert found.cases == (3, 3)
    assert not found.left_out
    assert {m.name for m in found.ways} == {"store", "nifti", "nifti-gz", *BACKENDS.names()}
    assert all(m.patches_per_second > 0 and m.cpu_ms > 0 and m.disk_bytes > 0 for m in found.ways)
    by_name = {m.name: m for m in found.ways}
    compressed = next(f for f in found.factors if f.baseline == "nifti-gz")
    assert compressed.faster == by_name["nifti-gz"].median_ms / by_name["store"].median_ms
    assert found.chunk == "8x16x16"
    assert found.best_chunk in found.chunks
    assert found.best_workers in found.workers
    assert steps[-1].done == steps[-1].total
    assert not list(store.parent.glob("isocenter-bench-*"))


def test_nothing_to_measure_is_told(tmp_path):
    with pytest.raises(StoreNotFound):
        bench(tmp_path)


def test_a_workspace_without_cases_is_refused(tmp_path):
    empty = build(tmp_path / "empty", [])
    with pytest.raises(ConfigError):
        bench(empty)


def test_the_store_is_closed_and_whole_afterwards(store):
    bench(store, patch=(8, 16, 16), seconds=1)
    assert Store(store).verify() == []
