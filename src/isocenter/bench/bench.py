"""Measure reading patches from a store against raw files, on the user's own cases, every way in turn."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from isocenter.base.errors import RunError
from isocenter.base.progress import Progress, Step, silent
from isocenter.bench import ways
from isocenter.bench.child import Asked, Told, serve
from isocenter.bench.sample import Sample, Triple, sample_of
from isocenter.bench.ways import Way, make, ways_of
from isocenter.stores.store import Store

ASKED_SPEED, ASKED_MEMORY = 3.0, 0.60
"""What is asked of packing: so many times faster than raw files, so much less memory."""

LEAST_GAIN = 0.10
"""A chunk is recommended that saves such a share of the time of a patch, at least."""

_ROUNDS = 4
_COLD_PATCHES = 4
_MEMORY_PATCHES = 6
_MOST = 4000
# Numbers of patches that rounds of other kinds begin with, so that none reads what another has warmed.
_COLD_FIRST, _MEMORY_FIRST, _WORKER_FIRST = 1_000_000, 2_000_000, 3_000_000
_CHUNKS: tuple[Triple, ...] = ((16, 32, 32), (32, 32, 32), (32, 64, 64), (64, 64, 64))
_ANSWER_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One way, measured.

    Args:
        name: Of the way.
        title: The same for a table.
        patches_per_second: By wall time, warm.
        median_ms: Wall time of a patch, warm.
        p95_ms: The time that 95 % of patches stay within.
        cpu_ms: Processor time of a patch, warm.
        cold_ms: Median wall time of a patch whose files are not in the system's memory.
        cold_bytes: Bytes that a cold patch brings from the disk; what is asked of the system where it does not tell.
        peak_bytes: Proportional set size above that of a process that has opened nothing.
        disk_bytes: Size of all its files.
        share_of_raw: The same over the bytes of the voxels.
    """

    name: str
    title: str
    patches_per_second: float
    median_ms: float
    p95_ms: float
    cpu_ms: float
    cold_ms: float
    cold_bytes: float
    peak_bytes: int
    disk_bytes: int
    share_of_raw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """The store against one way of keeping raw files.

    Args:
        baseline: The way.
        title: The same for a table.
        faster: How many times less wall time a patch takes.
        cpu: How many times less processor time.
        less_memory: By which share the memory is less; below 0 where it is more.
    """

    baseline: str
    title: str
    faster: float
    cpu: float
    less_memory: float

    @property
    def is_faster(self) -> bool:
        """Whether it is as much faster as is asked."""
        return self.faster >= ASKED_SPEED

    @property
    def is_smaller(self) -> bool:
        """Whether it takes as much less memory as is asked."""
        return self.less_memory >= ASKED_MEMORY


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What was measured, and what it recommends.

    Args:
        cases: How many cases were sampled, of how many.
        patch: (k, j, i) in voxels.
        ways: Every way.
        factors: The store against raw files.
        chunks: Median processor time of a patch by chunk, in ms, and size over raw.
        chunk: Of the store as it is.
        best_chunk: That of the store, unless another takes a tenth less time by the median and less in every round.
        workers: Patches per second by number of processes.
        best_workers: The fewest processes that come within a twentieth of the most patches per second.
        left_out: Ways that could not be measured, and why.
    """

    cases: tuple[int, int]
    patch: Triple
    ways: tuple[Measured, ...]
    factors: tuple[Factor, ...]
    chunks: Mapping[str, tuple[float, float]]
    chunk: str
    best_chunk: str
    workers: Mapping[int, float]
    best_workers: int
    left_out: Mapping[str, str]


def bench(
    workspace: str | os.PathLike[str],
    *,
    patch: Triple | None = None,
    seconds: float = 20.0,
    most_cases: int = 6,
    most_bytes: int = 1 << 30,
    progress: Progress = silent,
) -> Bench:
    """Measure patches from a store against raw files.

    Args:
        workspace: A workspace that holds a store, or a store.
        patch: (k, j, i) in voxels; None for 128 each, or the largest volume.
        seconds: About how long to measure; making the files to compare with comes on top.
        most_cases: Cases that are sampled.
        most_bytes: Bytes that their voxels have together, at most, unless a single one has more.
        progress: Called after every step.

    Raises:
        StoreNotFound: there is no store.
        ConfigError: it holds no case.
        RunError: the store itself cannot be measured.
    """
    place = Path(workspace)
    sample = sample_of(place, patch, most_cases=most_cases, most_bytes=most_bytes)
    store = Store(sample.store)
    chunk = _triple(store.manifest.chunk)
    backend, total = store.manifest.backend, len(store)
    with tempfile.TemporaryDirectory(prefix="isocenter-bench-", dir=_roomy(place)) as name:
        folder = Path(name)
        every = ways_of(sample, folder, chunk)
        told = _Tellable(progress, len(every) + _ROUNDS + 4)
        for way in every:
            make(way, sample, chunk)
            told.step()
        results, left_out = _measure_all(every, sample, seconds, told)
        if ways.STORE not in results:
            raise RunError(f"the store cannot be measured: {left_out[ways.STORE]}")
        sizes = {w.name: sum(p.stat().st_size for p in w.files(sample)) for w in every}
        raw = _raw_bytes(sample)
        store_raw = raw if total == len(sample.cases) else 0
        measured = tuple(
            _measured(w, results[w.name], sizes[w.name], store_raw if w.name == ways.STORE else raw)
            for w in every
            if w.name in results
        )
        taken, sizes_by_chunk = _chunks(sample, backend, folder, chunk, seconds)
        told.step()
        workers = _workers(sample, seconds)
        told.step()
    return Bench(
        cases=(len(sample.cases), total),
        patch=sample.patch,
        ways=measured,
        factors=tuple(_factors(measured)),
        chunks={n: (1e3 * statistics.median(each), sizes_by_chunk[n]) for n, each in taken.items()},
        chunk=_times(chunk),
        best_chunk=recommended(taken, _times(chunk)),
        workers=workers,
        best_workers=min(n for n, rate in workers.items() if rate >= 0.95 * max(workers.values())),
        left_out=left_out,
    )


class _Tellable:
    """Steps of a measurement, told as they are done."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        progress(Step("bench", 0, total, "steps", 0.0))

    def step(self) -> None:
        self._done += 1
        self._progress(Step("bench", self._done, self._total, "steps", 0.0))


def _measure_all(
    every: Sequence[Way], sample: Sample, seconds: float, told: _Tellable
) -> tuple[dict[str, list[Told]], dict[str, str]]:
    """Let the ways take turns, each in a process of its own: warm rounds, then cold ones, then memory."""
    results: dict[str, list[Told]] = {}
    left_out: dict[str, str] = {}
    each = seconds / (_ROUNDS * len(every))
    with ExitStack() as stack:
        children = {}
        for way in every:
            child = stack.enter_context(_child(way, sample))
            answer = _receive(child)
            if answer == "ready":
                children[way.name] = child
            else:
                left_out[way.name] = str(answer)
        rounds = [Asked(first=n * _MOST, seconds=each, most=_MOST) for n in range(_ROUNDS)]
        rounds.append(Asked(first=_COLD_FIRST, seconds=4 * each, most=_COLD_PATCHES, is_cold=True))
        rounds.append(Asked(first=_MEMORY_FIRST, seconds=60.0, most=_MEMORY_PATCHES, is_memory=True))
        for asked in rounds:
            for name in list(children):
                children[name].send(asked)
                answer = _receive(children[name])
                if isinstance(answer, Told):
                    results.setdefault(name, []).append(answer)
                else:
                    left_out[name] = str(answer)
                    results.pop(name, None)
                    del children[name]
            told.step()
        for child in children.values():
            child.send(None)
    return results, left_out


@contextmanager
def _child(way: Way, sample: Sample) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, way, sample), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    finally:
        process.join(5)
        process.kill()
        process.join()
        ours.close()


def _receive(connection: Connection) -> Any:
    try:
        return connection.recv() if connection.poll(_ANSWER_SECONDS) else "it did not answer in time"
    except EOFError:
        return "its process died"


def _measured(way: Way, told: Sequence[Told], disk_bytes: int, raw: int) -> Measured:
    warm, cold, memory = told[:_ROUNDS], told[_ROUNDS], told[_ROUNDS + 1]
    taken = sorted(s for one in warm for s in one.seconds)
    n = len(taken)
    per_cold = cold.disk_bytes or cold.asked_bytes
    return Measured(
        name=way.name,
        title=way.title,
        patches_per_second=n / sum(taken),
        median_ms=1e3 * statistics.median(taken),
        p95_ms=1e3 * taken[min(n - 1, int(0.95 * n))],
        cpu_ms=1e3 * statistics.median(one.cpu_seconds / len(one.seconds) for one in warm),
        cold_ms=1e3 * statistics.median(cold.seconds),
        cold_bytes=per_cold / len(cold.seconds),
        peak_bytes=memory.peak_bytes,
        disk_bytes=disk_bytes,
        share_of_raw=disk_bytes / raw if raw else 0.0,
    )


def _factors(measured: Sequence[Measured]) -> Iterator[Factor]:
    by_name = {m.name: m for m in measured}
    store = by_name[ways.STORE]
    for name in (ways.SOURCE, ways.COMPRESSED, ways.NIFTI):
        if name in by_name:
            other = by_name[name]
            yield Factor(
                baseline=name,
                title=other.title,
                faster=other.median_ms / store.median_ms,
                cpu=other.cpu_ms / store.cpu_ms if store.cpu_ms else 0.0,
                less_memory=1 - store.peak_bytes / other.peak_bytes if other.peak_bytes else 0.0,
            )


def recommended(taken: Mapping[str, Sequence[float]], own: str) -> str:
    """The chunk that a store would be read from in less time, beyond noise; its own where there is none.

    Args:
        taken: Time of a patch in each round, by chunk.
        own: The chunk of the store.

    >>> recommended({"a": [10, 11, 10], "b": [9.5, 9.9, 9.6], "c": [8, 12, 7]}, "a")
    'a'
    >>> recommended({"a": [10, 11, 10], "b": [8.0, 8.9, 8.5]}, "a")
    'b'
    """
    limit = (1 - LEAST_GAIN) * statistics.median(taken[own])
    better = {
        name: statistics.median(each)
        for name, each in taken.items()
        if statistics.median(each) <= limit and all(a < b for a, b in zip(each, taken[own], strict=True))
    }
    return min(better, key=lambda name: better[name]) if better else own


def _chunks(
    sample: Sample, backend: str, folder: Path, chunk: Triple, seconds: float
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Processor time of a patch in each round and size over raw by chunk: that of the store and some more."""
    few = Sample(store=sample.store, cases=sample.cases[:2], patch=sample.patch)
    raw = _raw_bytes(few)
    every, sizes = [], {}
    for one in dict.fromkeys((chunk, *_CHUNKS)):
        way = Way(name=_times(one), title="", folder=folder / f"chunk-{_times(one)}", backend=backend)
        make(way, few, one)
        every.append(way)
        sizes[way.name] = sum(p.stat().st_size for p in way.files(few)) / raw
    with ExitStack() as stack:
        children = {w.name: stack.enter_context(_child(w, few)) for w in every}
        taken: dict[str, list[float]] = {name: [] for name in children}
        for child in children.values():
            _receive(child)
        for number in range(_ROUNDS):
            for name, child in children.items():
                asked = Asked(first=number * _MOST, seconds=seconds / 20 / len(every), most=_MOST)
                child.send(asked)
                answer = _receive(child)
                if isinstance(answer, Told):
                    taken[name].append(answer.cpu_seconds / len(answer.seconds))
        for child in children.values():
            child.send(None)
    for way in every:
        if way.folder is not None:
            shutil.rmtree(way.folder)
    if not taken[_times(chunk)]:
        raise RunError("a shard like those of the store cannot be measured")
    return {n: each for n, each in taken.items() if len(each) == len(taken[_times(chunk)])}, sizes


def _workers(sample: Sample, seconds: float) -> dict[int, float]:
    """Patches per second of 1, 2, 4, ... processes at once, up to the processors that this one may use."""
    most = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    counts = [n for n in (1, 2, 4, 8, 16, 32) if n < most] + [most]
    way = Way(name=ways.STORE, title="", folder=sample.store / "shards")
    out = {}
    with ExitStack() as stack:
        children = [stack.enter_context(_child(way, sample)) for _ in range(most)]
        for child in children:
            _receive(child)
        for count in counts:
            for number, child in enumerate(children[:count]):
                first = _WORKER_FIRST + number * _MOST
                child.send(Asked(first=first, seconds=max(0.5, seconds / 20), most=_MOST))
            told = [_receive(child) for child in children[:count]]
            out[count] = sum(len(t.seconds) / sum(t.seconds) for t in told if isinstance(t, Told))
        for child in children:
            child.send(None)
    return out


def _raw_bytes(sample: Sample) -> int:
    store = Store(sample.store)
    arrays = [store.arrays(c.id) for c in sample.cases]
    store.close()
    return sum(a[name].nbytes for a in arrays for name in ("image", "mask") if name in a)


def _roomy(place: Path) -> Path | None:
    """Beside the store, where there is a workspace to write to; else where the system keeps such files."""
    return place if (place / "store").is_dir() and os.access(place, os.W_OK) else None


def _triple(values: Sequence[int]) -> Triple:
    k, j, i = (int(n) for n in values)
    return k, j, i


def _times(chunk: Sequence[int]) -> str:
    return "x".join(map(str, chunk))
