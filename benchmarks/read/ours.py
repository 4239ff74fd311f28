"""Our own ways to read, each in a process of its own.

Usage: python -m benchmarks.read.ours (stack|checked|whole) FOLDER WORKSPACE SMALL-FOLDER SMALL-WORKSPACE PASSES
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import isocenter
from benchmarks.read.timing import serve
from isocenter.base import tables
from isocenter.base.files import located
from isocenter.base.workspace import Workspace
from isocenter.formats.image import FORMATS
from isocenter.model.issue import Verdict, verdict_of
from isocenter.model.rows import FileRow, Series, Stack
from isocenter.model.volume import Volume
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions


def main() -> None:
    """Measure one of our ways."""
    way, folder, workspace, small, small_workspace, passes = sys.argv[1:]
    read = WAYS[way](Path(folder), Path(workspace))
    serve(read, WAYS[way](Path(small), Path(small_workspace)), int(passes), _values)


def stack(folder: Path, workspace: Path) -> Callable[[], Volume]:
    """The reader alone: an indexed stack becomes a volume."""
    one, _, paths = _indexed(folder, workspace)
    return lambda: FORMATS.get("dicom").read(one, paths)


def checked(folder: Path, workspace: Path) -> Callable[[], Volume]:
    """The same, and every rule on its series, its stack and its volume."""
    one, series, paths = _indexed(folder, workspace)
    engine = Engine(ScreenOptions())

    def read() -> Volume:
        issues = [*engine.check(series), *engine.check(one)]
        volume = FORMATS.get("dicom").read(one, paths)
        issues += engine.check(volume)
        if verdict_of(issues) is Verdict.REJECT:
            raise SystemExit(f"the series is rejected: {issues}")
        return volume

    return read


def whole(folder: Path, _: Path) -> Callable[[], Volume]:
    """All of `isocenter.read`: the folder is indexed first, in a temporary workspace."""

    def read() -> Volume:
        (volume,) = isocenter.read(folder).volumes
        return volume

    return read


def _indexed(folder: Path, root: Path) -> tuple[Stack, Series, list[Path]]:
    workspace = Workspace(root)
    (one,) = tables.read(workspace.table("index", "stacks"), Stack)
    (series,) = tables.read(workspace.table("index", "series"), Series)
    files = {f.file_id: f.path for f in tables.read(workspace.table("index", "files"), FileRow)}
    return one, series, [located(folder, files[file_id]) for file_id in one.files]


def _values(volume: Any) -> list[int]:
    wide = np.asarray(volume.array, np.int64)
    return [wide.size, int(wide.sum()), int((wide * wide).sum())]


WAYS: dict[str, Callable[[Path, Path], Callable[[], Volume]]] = {
    "stack": stack,
    "checked": checked,
    "whole": whole,
}

if __name__ == "__main__":
    main()
