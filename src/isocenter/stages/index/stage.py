"""Index: every file of the sources, what it is, and which series and stacks the images make.

Files are listed, scanned and grouped as columns of tables that lie on disk: what is in memory at once is
bounded by the size of a batch, of a series, and of the database's cache, never by the number of files.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isocenter.base import arrow, tables
from isocenter.base.database import Database
from isocenter.base.files import is_readable, located
from isocenter.base.garbage import known_to_stay
from isocenter.base.progress import Progress, Step
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import Executor
from isocenter.model.rows import FileRow, LayoutRow
from isocenter.stages.index import merge
from isocenter.stages.index.assemble import assemble
from isocenter.stages.index.batch import BATCH_FILES, ROW_TYPES, Batch, failed_batch, scan_batch
from isocenter.stages.index.earlier import STAGE, VERSION, Earlier
from isocenter.stages.index.listing import layout_rows, list_files, root_of, subject_table
from isocenter.stages.index.options import IndexOptions, SeriesBy
from isocenter.stages.index.subjects import SubjectFinder

_LEAST_FILES = 32


@known_to_stay()
@arrow.kept_memory()
def index(
    options: IndexOptions,
    workspace: Workspace,
    *,
    base: Path,
    executor: Executor,
    jobs: int,
    progress: Progress,
) -> dict[str, int]:
    """List the sources, scan what is new or changed, and write the index tables.

    Args:
        options: The sources, and how they are read.
        workspace: Where the tables go.
        base: Folder that relative source paths start from.
        executor: Where files are scanned.
        jobs: How many at once.
        progress: Called after every batch of files.

    Returns:
        Counts: files, scanned, reused, and rows of series, stacks, studies, subjects, annotations, issues; all "reused" where nothing had changed.
    """
    names = workspace.pseudonyms()
    earlier = Earlier(workspace, options)
    earlier.prepare()
    listing = list_files(options.sources, base, names, earlier.listing)
    subjects = [subject_table(s, base) for s in options.sources]
    layout = sorted(listing.layout.items())
    key = workspace.key_of(STAGE, VERSION, earlier.how, options, listing.digest, layout, subjects)
    done = workspace.done(STAGE)
    with Database(earlier.scan / "spill", threads=jobs) as database:
        database.view("listing", FileRow, [earlier.listing])
        if done is not None and done["key"] == key and not _can_be_read_now(done, database, options, base):
            earlier.forget()
            return {**done["counts"], "scanned": 0, "reused": done["counts"]["files"]}
        how = earlier.view(database)
        merge.choose(database, [n for n, h in enumerate(how) if h in earlier.how])
        since = earlier.number
        _scan(database, earlier, options, base, names, executor, jobs, progress)
        instances = _merge(database, earlier, since)
        finders = [SubjectFinder(s, names, t) for s, t in zip(options.sources, subjects, strict=True)]
        roots = [root_of(s, base) for s in options.sources]
        found = assemble(
            database,
            earlier.next,
            finders=finders,
            layout=listing.layout,
            roots=roots,
            names=names,
            instances=instances,
            by_folder=[n for n, s in enumerate(options.sources) if s.series is SeriesBy.FOLDER],
        )
        tables.write(earlier.next / "layout.parquet", LayoutRow, layout_rows(layout))
        # members of archives are listed where they are scanned
        ((files, scanned),) = database.rows("SELECT (SELECT count(*) FROM files), count(*) FROM new_files")
        refused = _refused(database)
    counts = {"files": files, **found.counts}
    folder = workspace.start(STAGE)
    for table in sorted(earlier.next.glob("*.parquet")):
        table.replace(folder / table.name)
    workspace.finish(STAGE, key, how=earlier.how, counts=counts, digest=found.digest, unreadable=refused)
    earlier.forget()
    return {**counts, "scanned": scanned, "reused": files - scanned}


def _refused(database: Database) -> list[str]:
    """Files that could not be opened, or were not the ones listed: nothing on them tells when to try again."""
    asked = "SELECT target FROM told WHERE rule IN ('file/unreadable', 'file/changed') ORDER BY target"
    return [file_id for (file_id,) in database.rows(asked)]


def _can_be_read_now(done: dict[str, Any], database: Database, options: IndexOptions, base: Path) -> bool:
    """Whether a file that could not be opened can be by now: its size and time do not tell."""
    if not (refused := done["unreadable"]):
        return False
    asked = "SELECT source, path FROM listing WHERE kind = '' AND file_id IN (SELECT unnest(?::VARCHAR[]))"
    return any(
        is_readable(located(root_of(options.sources[source], base), path))
        for source, path in database.rows(asked, refused)
    )


def _scan(
    database: Database,
    earlier: Earlier,
    options: IndexOptions,
    base: Path,
    names: Pseudonyms,
    executor: Executor,
    jobs: int,
    progress: Progress,
) -> None:
    """Scan what is to be scanned, and put it by."""
    total = merge.count_to_scan(database)
    start, done = time.monotonic(), 0
    progress(Step(STAGE, 0, total, "files", 0.0))
    size = min(BATCH_FILES, max(_LEAST_FILES, total // (jobs * 4)))
    batches = _batches(merge.to_scan(database, earlier.listing, size), options, base, names)
    for count in earlier.keep(_scanned(batches, executor, jobs)):
        done += count
        progress(Step(STAGE, done, total, "files", time.monotonic() - start))


def _batches(
    found: Iterator[tables.Table], options: IndexOptions, base: Path, names: Pseudonyms
) -> Iterator[tuple[int, int, Batch]]:
    sites: list[str] = [s.site for s in options.sources]
    for table in found:
        number = int(arrow.values(table, "source")[0])
        site = sites[number]
        yield (
            number,
            table.num_rows,
            Batch(
                root=str(root_of(options.sources[number], base)),
                site=site,
                origin=f"{site} {sites[: number + 1].count(site)}",
                reading=options.reading,
                names=names,
                files=tables.to_bytes(table),
            ),
        )


def _scanned(
    batches: Iterator[tuple[int, int, Batch]], executor: Executor, jobs: int
) -> Iterator[tuple[int, int, Mapping[str, bytes]]]:
    handed_out: list[tuple[int, int, Batch]] = []

    def items() -> Iterator[Batch]:
        for item in batches:
            handed_out.append(item)
            yield item[2]

    for outcome in executor.map(scan_batch, items(), jobs=jobs):
        number, count, batch = handed_out.pop(0)
        if outcome.value is not None:
            yield number, count, outcome.value
        else:  # a file of the batch killed the worker: find out which
            for single in _scan_alone(batch, executor):
                yield number, 1, single


def _scan_alone(batch: Batch, executor: Executor) -> Iterator[Mapping[str, bytes]]:
    singles = list(batch.singles())
    for single, outcome in zip(singles, executor.map(scan_batch, singles, jobs=1), strict=True):
        if outcome.value is not None:
            yield outcome.value
        else:
            yield failed_batch(single, outcome.failure.kind if outcome.failure else "")


def _merge(database: Database, earlier: Earlier, since: int) -> Iterator[tables.Table]:
    """Name what is known and what was scanned: files, instances, ..., told; write what is final already.

    Returns:
        The instances in their order, which are written as they are asked for.
    """
    merge.tell_unlisted(database)
    for name, row_type in ROW_TYPES.items():
        database.see(f"new_{name}", tables.parts(row_type, earlier.parts(name, since)))
    instances = merge.instances_in_memory(database, earlier.parts("instances", since))
    if instances is None:
        database.define("instances", merge.united("instances"))
    else:
        database.see("instances", instances)
    # annotations still lack their subjects, and to what is told much will be added
    for name, folder in (("frames", earlier.next), ("annotations", earlier.scan), ("issues", earlier.scan)):
        path = folder / f"{name}.parquet"
        merge.write_merged(database, name, path)
        database.view("scan_issues" if name == "issues" else name, ROW_TYPES[name], [path])
    database.define("told", f"SELECT * FROM scan_issues WHERE rule NOT IN {merge.NOTES}")
    database.define("noted", f"SELECT * FROM scan_issues WHERE rule IN {merge.NOTES}")
    merge.write_files(database, earlier.next / "files.parquet", earlier.parts("files", since), instances)
    database.view("files", FileRow, [earlier.next / "files.parquet"])
    return merge.merged(database, "instances", earlier.next / "instances.parquet", whole=instances)
