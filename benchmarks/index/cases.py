"""What is measured: the limits, our own ways, and the peers, each by a command of its own."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pyarrow import parquet

from benchmarks.index import peers
from benchmarks.index.archives import Archive, few_of
from benchmarks.index.children import Usage, run_served, run_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where a case is measured: the archive, few other files to warm up with, one file, room to write.

    `passes` are made over the archive in one go, by cases that are quick.
    """

    archive: Archive
    few: Archive
    one: Path
    place: Path
    passes: int


@dataclass(frozen=True, slots=True)
class Case:
    """One way over the files; a slow one is measured in every third round only."""

    title: str
    measure: Callable[[Bench], Usage]
    is_peer: bool = False
    is_slow: bool = False


def new_bench(archive: Archive, place: Path, passes: int) -> Bench:
    """A bench for one archive, with a folder of one file: what a command costs before it does anything."""
    few = few_of(archive, place)
    one = place / f"{archive.title}-one"
    one.mkdir()
    shutil.copy(few.listed.read_text().splitlines()[0], one / "1.dcm")
    return Bench(archive=archive, few=few, one=one, place=place, passes=passes)


def ours(*arguments: object) -> list[str]:
    """A process that measures one of our ways."""
    return [sys.executable, "-m", "benchmarks.index.ours", *map(str, arguments)]


def limits(*arguments: object) -> list[str]:
    """A process that measures one of the limits."""
    return [sys.executable, "-m", "benchmarks.index.limits", *map(str, arguments)]


def start_of(name: str) -> str:
    """Case that measures what another one costs before its first file."""
    return f"{name}-start"


def less_start(name: str) -> str:
    """Name of what is left of a case without its start."""
    return f"{name}-net"


def _limit(way: str) -> Callable[[Bench], Usage]:
    def measure(bench: Bench) -> Usage:
        a = bench.archive
        return run_served(limits(way, a.folder, a.listed, bench.few.listed, bench.passes))

    return measure


def _headers(way: str) -> Callable[[Bench], Usage]:
    return lambda bench: run_served(ours(way, bench.archive.listed, bench.few.listed, bench.passes))


def _index(jobs: int) -> Callable[[Bench], Usage]:
    def measure(bench: Bench) -> Usage:
        usage, objects = _run_index(bench.archive.folder, jobs, bench.place)
        return replace(usage, left_out=bench.archive.files - objects)

    return measure


def _index_start(bench: Bench) -> Usage:
    return _run_index(bench.one, 1, bench.place)[0]


def _run_index(folder: Path, jobs: int, place: Path) -> tuple[Usage, int]:
    """What an index took, and how many objects are in its tables."""
    with tempfile.TemporaryDirectory(dir=place) as workspace:
        usage = run_whole(ours("index", folder, jobs, workspace))[0]
        return usage, objects_in(Path(workspace))


def objects_in(workspace: Path) -> int:
    """How many objects an index has found: that it was quick tells nothing if they are not in its tables."""
    tables = [workspace / "index" / f"{name}.parquet" for name in ("instances", "annotations")]
    return sum(int(parquet.read_metadata(table).num_rows) for table in tables)


def _pydicom(way: str) -> Callable[[Bench], Usage]:
    def measure(bench: Bench) -> Usage:
        command = [peers.interpreter("pydicom"), "-m", "benchmarks.index.pydicom_scan", way]
        return run_served([*command, str(bench.archive.listed), str(bench.few.listed), "1"])

    return measure


def _dcm2niix(*options: str) -> Callable[[Bench], Usage]:
    def measure(bench: Bench) -> Usage:
        # It warns of what it cannot convert with its exit code; what counts is how many headers it read.
        with tempfile.TemporaryDirectory(dir=bench.place) as into:
            command = [peers.dcm2niix(), *options, "-f", "%j", "-o", into, str(bench.archive.folder)]
            usage, printed = run_whole(command, may_complain=True)
        found = re.search(r"Found (\d+) DICOM", printed)
        return replace(usage, left_out=bench.archive.files - int(found[1] if found else 0))

    return measure


def _imgtools(bench: Bench) -> Usage:
    missing = bench.archive.files - bench.archive.files_borne
    return replace(_run_imgtools(bench.archive.borne, bench.place), left_out=missing)


def _imgtools_start(bench: Bench) -> Usage:
    return _run_imgtools(bench.one, bench.place)


def _run_imgtools(folder: Path, place: Path) -> Usage:
    with tempfile.TemporaryDirectory(dir=place) as into:
        command = [peers.imgtools(), "index", "--dicom-dir", str(folder), "--output-dir", into]
        return run_whole([*command, "--n-jobs", "1"])[0]


CASES: dict[str, Case] = {
    "walk": Case("limit: walk, stat", _limit("walk")),
    "pread": Case("limit: open, fstat, pread 8 KiB, close", _limit("pread")),
    "headers": Case("isocenter header reader", _headers("headers")),
    "known": Case("isocenter header reader, no fallback", _headers("known")),
    "index-start": Case("isocenter index of one file, jobs=1", _index_start),
    "index": Case("isocenter index, jobs=1, with its start", _index(1)),
    "index-2": Case("isocenter index, jobs=2, with its start", _index(2)),
    "dcm2niix-q": Case("dcm2niix -q y (headers only)", _dcm2niix("-q", "y"), is_peer=True),
    "dcm2niix-b": Case("dcm2niix -b o (headers, sidecars)", _dcm2niix("-b", "o"), is_peer=True),
    "pydicom": Case("pydicom specific_tags, touched", _pydicom("specific"), is_peer=True, is_slow=True),
    "pydicom-all": Case("pydicom stop_before_pixels, touched", _pydicom("all"), is_peer=True, is_slow=True),
    "imgtools-start": Case("med-imagetools index of one file", _imgtools_start, is_peer=True, is_slow=True),
    "imgtools": Case("med-imagetools index, 1 job, with its start", _imgtools, is_peer=True, is_slow=True),
}
