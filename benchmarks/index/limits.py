"""What the machine allows: finding the files, and reading the bytes that a header reader reads.

Usage: python -m benchmarks.index.limits (walk|pread) FOLDER LIST-OF-PATHS WARM-UP-LIST PASSES
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks.index.timing import serve

HEAD_BYTES = 8192
_FLAGS = os.O_RDONLY | os.O_CLOEXEC


def main() -> None:
    """Measure one of the limits."""
    way, folder, listed, warm_up, passes = sys.argv[1:]
    paths, few = (Path(name).read_text().splitlines() for name in (listed, warm_up))
    if way == "walk":
        serve(lambda: walk(folder, len(paths)), lambda: walk(str(Path(few[0]).parent), len(few)), int(passes))
    else:
        serve(lambda: pread(paths), lambda: pread(few), int(passes))


def walk(folder: str, files: int) -> int:
    """List the folders and look at each entry, as an index has to."""
    count, folders = 0, [folder]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return abs(files - count)


def pread(paths: list[str]) -> int:
    """Open each file, look at it, read its head into memory that is there, close it."""
    into = [memoryview(bytearray(HEAD_BYTES))]
    for path in paths:
        handle = os.open(path, _FLAGS)
        os.fstat(handle)
        os.preadv(handle, into, 0)
        os.close(handle)
    return 0


if __name__ == "__main__":
    main()
