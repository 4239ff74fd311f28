"""The peak of memory of a whole index, by the number of instances."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.index import make
from benchmarks.index.cases import objects_in, ours
from benchmarks.index.children import Child, Peaks

SIZES = (1, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What one index took; the coordinator's peak, and the highest of a worker."""

    files: int
    coordinator: int
    worker: int
    cpu_seconds: float
    wall_seconds: float
    table_bytes: int


def print_memory(place: Path, most: int) -> None:
    """Measure each size up to `most` and print the curve."""
    print("\nmemory of the whole index, jobs=1, peak resident set in MB\n")
    print(
        f"{'instances':>10}{'coordinator':>13}{'worker':>9}{'CPU us/file':>13}{'wall us/file':>14}{'table MB':>10}"
    )
    measured = []
    for files in (size for size in SIZES if size <= most):
        one = _measure(place, files)
        measured.append(one)
        print(
            f"{files:>10,}{one.coordinator / 1e6:>13.0f}{one.worker / 1e6:>9.0f}"
            f"{one.cpu_seconds / files * 1e6:>13.1f}{one.wall_seconds / files * 1e6:>14.1f}"
            f"{one.table_bytes / 1e6:>10.0f}",
            flush=True,
        )
    print()
    for before, after in pairwise(measured):
        more = after.files - before.files
        coordinator = (after.coordinator - before.coordinator) / more
        worker = (after.worker - before.worker) / more
        print(
            f"from {before.files:,} to {after.files:,}: {coordinator:.1f} bytes per instance in the coordinator, "
            f"{worker:.1f} in a worker"
        )


def _measure(place: Path, files: int) -> Footprint:
    folder = place / f"memory-{files}"
    make.make(folder, files)
    try:
        with tempfile.TemporaryDirectory(dir=place) as workspace:
            with Child(ours("index", folder, 1, workspace)) as child:
                with Peaks(child.process.pid) as peaks:
                    told = json.loads(child.answer() or "{}")
                child.end()
            if objects_in(Path(workspace)) != files:
                raise SystemExit(f"of {files} instances {objects_in(Path(workspace))} are in the tables")
            tables = sum(p.stat().st_size for p in Path(workspace).rglob("*") if p.is_file())
    finally:
        shutil.rmtree(folder)
    return Footprint(
        files=files,
        coordinator=told["peak"],
        worker=max(peaks.by_pid.values(), default=0),
        cpu_seconds=told["cpu"],
        wall_seconds=told["wall"],
        table_bytes=tables,
    )
