"""Index: the public face of the index stage."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from isocenter.base import tables
from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean
from isocenter.base.progress import Progress, silent
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import EXECUTORS
from isocenter.formats.limits import DEFAULT_LIMITS, Limits
from isocenter.model.issue import Issue
from isocenter.model.rows import Series, Stack
from isocenter.pipeline.index_tables import opened
from isocenter.pipeline.inventory import Inventory, inventory
from isocenter.stages.index.options import Content, IndexOptions, ReadingOptions, Source
from isocenter.stages.index.stage import index as index_stage


class Index:
    """What the files of some folders are; its tables stay on disk and are read when they are asked for.

    Args:
        workspace: The folder that holds the tables.
        counts: Files, series, stacks, issues; how many files were scanned, and how many were known before.
        is_temporary: Whether the folder is taken away when this index is no longer used.
    """

    def __init__(self, workspace: Path, counts: dict[str, int], *, is_temporary: bool = False) -> None:
        self.workspace = workspace
        self.counts = counts
        self._tables = Workspace(workspace)
        if is_temporary:
            weakref.finalize(self, shutil.rmtree, workspace, ignore_errors=True)

    @property
    def instances(self) -> Any:
        """Arrow table, one row per SOP instance or image file; it holds identifiers and is read anew each time."""
        return tables.read_table(self._tables.table("index", "instances"))

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """One row per series."""
        return tuple(tables.read(self._tables.table("index", "series"), Series))

    @cached_property
    def stacks(self) -> tuple[Stack, ...]:
        """One row per stack."""
        return tuple(tables.read(self._tables.table("index", "stacks"), Stack))

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """What was seen."""
        return tuple(tables.read(self._tables.table("index", "issues"), Issue))

    @cached_property
    def inventory(self) -> Inventory:
        """The account: every entry with its state, and what the headers say, counted."""
        return inventory(self.workspace)

    def query(self, sql: str) -> Any:
        """Ask the tables in SQL; the answer is an Arrow table.

        The tables are files, states (files with the one state of each), instances, frames, annotations, layout,
        series, stacks, studies, subjects and issues. A query reads them and nothing else.

        Raises:
            ConfigError: it is not one SELECT, or it is wrong.
        """
        with opened(self._tables) as database:
            return database.ask_table(sql)


def index(
    *paths: str | os.PathLike[str],
    site: str | None = None,
    workspace: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    content: str = "uids",
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> Index:
    """Index folders, single files and archives: every file, by its content.

    Args:
        paths: Folders, files, or archives (zip, tar, tar.gz), which are read in place.
        site: The centre they come from; without one, each folder is a centre of its own, and files and archives
            belong to that of their folder.
        workspace: Folder to keep the tables in, so that a later call reads only what has changed; without
            one they are kept in a temporary folder for as long as the index is in use.
        jobs: How many processes at once; one per core by default.
        content: How copies are found: among files that share a UID ("uids"), by a digest of every file
            ("files"), or of its pixel data as well ("pixels").
        limits: What the header of one file may cost.
        progress: Called as the work goes on.

    Raises:
        ConfigError: a path leads nowhere, or `content` is none of the three.
        RunError: another run holds the workspace.
    """
    known = [c.value for c in Content]
    if content not in known:
        raise ConfigError(f"there is no content {content!r}{did_you_mean(content, known)}")
    options = IndexOptions(
        sources=sources_of(paths, site), reading=ReadingOptions(content=Content(content), limits=limits)
    )
    is_temporary = workspace is None
    folder = Path(tempfile.mkdtemp(prefix="isocenter-")) if workspace is None else Path(workspace)
    try:
        counts = _run(options, Workspace(folder), jobs or os.cpu_count() or 1, progress or silent)
    except BaseException:
        if is_temporary:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return Index(folder, counts, is_temporary=is_temporary)


def sources_of(paths: Sequence[str | os.PathLike[str]], site: str | None) -> tuple[Source, ...]:
    """A source for each path.

    Raises:
        ConfigError: there is no path, or nothing is there.
    """
    if not paths:
        raise ConfigError("name at least one folder, file or archive")
    if gone := [str(p) for p in map(Path, paths) if not os.path.lexists(p)]:
        raise ConfigError(f"there is no folder or file {', '.join(map(repr, gone))}")
    sites: dict[Path, str] = {}
    out = []
    for path in (Path(p).absolute() for p in paths):
        own = sites.setdefault(path if path.is_dir() else path.parent, f"site-{len(sites) + 1}")
        out.append(Source(path=str(path), site=site or own))
    return tuple(out)


def _run(options: IndexOptions, workspace: Workspace, jobs: int, progress: Progress) -> dict[str, int]:
    with workspace.lock():
        return index_stage(
            options,
            workspace,
            base=Path(),
            executor=EXECUTORS.get("processes"),
            jobs=jobs,
            progress=progress,
        )
