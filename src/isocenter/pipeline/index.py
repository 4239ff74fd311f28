"""Index: the public face of the index stage."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.base import tables
from isocenter.base.progress import Progress, silent
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import EXECUTORS
from isocenter.model.issue import Issue
from isocenter.model.rows import Series, Stack
from isocenter.stages.index.options import IndexOptions, Source
from isocenter.stages.index.stage import index as index_stage


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """What the files of some folders are.

    Args:
        instances: Arrow table, one row per SOP instance or image file; it holds identifiers.
        series: One row per series.
        stacks: One row per stack.
        issues: What was seen.
        counts: Files, series, stacks, issues.
    """

    instances: Any
    series: tuple[Series, ...]
    stacks: tuple[Stack, ...]
    issues: tuple[Issue, ...]
    counts: dict[str, int]


def index(
    *paths: str | os.PathLike[str],
    site: str | None = None,
    workspace: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Index:
    """Index folders: every file, by its content.

    Args:
        paths: Folders.
        site: The centre they come from.
        workspace: Folder to keep the tables in, so that a later call reads only what has changed; without
            one they are kept in memory only.
        jobs: How many processes at once; one per core by default.
        progress: Called after every file.
    """
    sources = tuple(
        Source(path=str(Path(p).absolute()), site=site or f"site-{n}") for n, p in enumerate(paths, start=1)
    )
    options = IndexOptions(sources=sources)
    with _folder(workspace) as folder:
        place = Workspace(folder)
        with place.lock():
            counts = index_stage(
                options,
                place,
                base=Path(),
                executor=EXECUTORS.get("processes"),
                jobs=jobs or os.cpu_count() or 1,
                progress=progress or silent,
            )
            return Index(
                instances=tables.read_table(place.table("index", "instances")),
                series=tuple(tables.read(place.table("index", "series"), Series)),
                stacks=tuple(tables.read(place.table("index", "stacks"), Stack)),
                issues=tuple(tables.read(place.table("index", "issues"), Issue)),
                counts=counts,
            )


@contextmanager
def _folder(workspace: str | os.PathLike[str] | None) -> Iterator[Path]:
    if workspace is not None:
        yield Path(workspace)
        return
    with tempfile.TemporaryDirectory(prefix="isocenter-") as folder:
        yield Path(folder)
