"""Our own ways, each in a process of its own.

Usage: python -m benchmarks.index.ours (headers|known) LIST-OF-PATHS WARM-UP-LIST PASSES
       python -m benchmarks.index.ours index FOLDER JOBS WORKSPACE
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import isocenter
from benchmarks.index.timing import cpu_seconds, serve
from isocenter.base.bulk import device_of
from isocenter.formats.header_reader import HEADER_READERS
from isocenter.formats.limits import DEFAULT_LIMITS
from isocenter.model.rows import FileRow
from isocenter.stages.index.batch import BATCH_FILES
from isocenter.stages.index.heads import HeadReader
from isocenter.stages.index.scan import FileToScan, scan_file


def main() -> None:
    """Measure one of our ways."""
    way, arguments = sys.argv[1], sys.argv[2:]
    WAYS[way](*arguments)


def headers(listed: str, warm_up: str, passes: str) -> None:
    """The header reader: files opened, heads read, values converted; pydicom for what it leaves out."""
    _serve(listed, warm_up, passes, has_fallback=True)


def known(listed: str, warm_up: str, passes: str) -> None:
    """The header reader alone: what it leaves out is opened and walked, and then not read."""
    _serve(listed, warm_up, passes, has_fallback=False)


def _serve(listed: str, warm_up: str, passes: str, *, has_fallback: bool) -> None:
    reader = HeadReader(BATCH_FILES)
    batches, few = (list(_batches(Path(name))) for name in (listed, warm_up))
    serve(
        lambda: sum(_read_headers(reader, batch, has_fallback=has_fallback) for batch in batches),
        lambda: [_read_headers(reader, batch, has_fallback=has_fallback) for batch in few],
        int(passes),
    )


class _Batch:
    """What the listing knows of some files: size, time, inode and device of each, (N, 4)."""

    def __init__(self, paths: list[str]) -> None:
        looks = [os.lstat(path) for path in paths]
        self.paths = [path.removeprefix("/") for path in paths]
        self.listed = np.array([(i.st_size, i.st_mtime_ns, i.st_ino, device_of(i)) for i in looks], np.int64)


def _batches(listed: Path) -> Iterator[_Batch]:
    paths = listed.read_text().splitlines()
    for start in range(0, len(paths), BATCH_FILES):
        yield _Batch(paths[start : start + BATCH_FILES])


def _read_headers(reader: HeadReader, batch: _Batch, *, has_fallback: bool) -> int:
    """Read the headers of some files; the count of those that the reader left out."""
    opened = reader.read("/", batch.paths, batch.listed)
    if opened.failed:
        raise SystemExit(f"{len(opened.failed)} files were not read: {opened.failed.popitem()[1]}")
    found = HEADER_READERS.get("dicom").read(opened.heads, DEFAULT_LIMITS)
    left = (~found.is_known).nonzero()[0].tolist()
    for number in left if has_fallback else ():
        path, (size, mtime_ns, _, _) = batch.paths[number], batch.listed[number].tolist()
        row = FileRow(file_id=path, source=0, path=path, size=size, mtime_ns=mtime_ns, kind="")
        scanned = scan_file(FileToScan(root="/", row=row, site=""), opened.bytes_of(number))
        if not scanned.kind.startswith("dicom"):
            raise SystemExit(f"{path} is {scanned.kind}")
    return len(left)


def index(folder: str, jobs: str, workspace: str) -> None:
    """The whole index of a folder: found, read, written and grouped; also the peak of memory in bytes."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    found = isocenter.index(folder, jobs=int(jobs), workspace=workspace)
    took = {"cpu": cpu_seconds() - cpu, "wall": time.perf_counter() - wall}
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps(took | {"peak": int(peak) * 1024, "files": found.counts["files"]}))


WAYS: dict[str, Callable[..., None]] = {"headers": headers, "known": known, "index": index}

if __name__ == "__main__":
    main()
