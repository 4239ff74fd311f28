"""Merge: what is known of unchanged files, what is to be scanned, and the tables of both together.

All of it is asked of a database that keeps what does not fit in memory on disk, so that memory does not grow
with the number of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from isocenter.base import arrow, lean, tables
from isocenter.base.database import Database
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import FileRow
from isocenter.stages.index.batch import ROW_TYPES
from isocenter.stages.index.listing import TO_SCAN

# Permissions, disks and readers are mended without a trace on the file itself.
_RETRY = "('file/unreadable', 'file/reader-failed', 'file/changed')"
# What a scan notes of files that can be used all the same.
NOTES = "('index/foreign-preamble')"
# Instances of a few hundred thousand files are sorted in memory; what is more is sorted by the database.
_IN_MEMORY_BYTES = 256 << 20
_KEYS = {"files": "file_id", "issues": "target"}
# Instances of a series come together, copies of an object one after the other.
_ORDERS = {
    "instances": "site, format, coalesce(series_uid, file_id), coalesce(sop_instance_uid, ''), file_id",
    "frames": "file_id, frame",
    "annotations": "source, file_id",
    "issues": "target, rule",
}
# The order of instances once more, as `lean.order_of` takes it.
_INSTANCE_KEYS = (("site",), ("format",), ("series_uid", "file_id"), ("sop_instance_uid",), ("file_id",))

_CHOSEN_PUT_BY = f"""
CREATE OR REPLACE TABLE chosen_put_by AS
WITH broken AS (SELECT target, part FROM put_by_issues WHERE rule IN {_RETRY}),
    whole AS (
        SELECT f.file_id, max(f.part) AS part, any_value(l.source) AS source,
            any_value(l.device) AS device, any_value(l.inode) AS inode
        FROM put_by_files f JOIN listing l
            ON l.file_id = f.file_id AND l.size = f.size AND l.mtime_ns = f.mtime_ns AND l.kind = ''
        WHERE f.archive = '' AND NOT EXISTS (
            SELECT 1 FROM broken b WHERE b.target = f.file_id AND b.part = f.part)
        GROUP BY f.file_id)
SELECT file_id, source, device, inode, part FROM whole
UNION ALL
SELECT f.file_id, w.source, 0, 0, f.part
FROM put_by_files f JOIN whole w ON f.archive = w.file_id AND f.part = w.part
"""

_CHOSEN_DONE = f"""
CREATE OR REPLACE TABLE chosen_done AS
WITH broken AS (
        SELECT CASE WHEN f.archive = '' THEN f.file_id ELSE f.archive END AS file_id
        FROM done_issues i JOIN done_files f ON i.target = f.file_id WHERE i.rule IN {_RETRY}),
    whole AS (
        SELECT f.file_id, l.source, l.device, l.inode
        FROM done_files f JOIN listing l
            ON l.file_id = f.file_id AND l.size = f.size AND l.mtime_ns = f.mtime_ns AND l.kind = ''
        WHERE f.archive = '' AND f.source IN (SELECT unnest(?::BIGINT[]))
            AND f.kind NOT IN ('left-out', 'symlink', 'fifo', 'socket', 'device')
            AND f.file_id NOT IN (SELECT file_id FROM broken)
            AND f.file_id NOT IN (SELECT file_id FROM chosen_put_by))
SELECT file_id, source, device, inode FROM whole
UNION ALL
SELECT f.file_id, w.source, 0, 0 FROM done_files f JOIN whole w ON f.archive = w.file_id
"""


def choose(database: Database, still_valid: Sequence[int]) -> None:
    """Make the tables of what is known of files that are as they were: `chosen_put_by` and `chosen_done`.

    Args:
        database: With the views `listing`, `put_by_*` and `done_*`.
        still_valid: Sources of the finished run that are read as they were then.
    """
    database.do(_CHOSEN_PUT_BY)
    database.do(_CHOSEN_DONE, list(still_valid))


def tell_unlisted(database: Database) -> None:
    """Name what the listing itself found wrong, `listed_issues`: folders and files that cannot be looked at."""
    unreadable = database.rows("SELECT file_id FROM listing WHERE kind = 'unreadable' ORDER BY file_id")
    issues = [because("file/unreadable", target=file_id) for (file_id,) in unreadable]
    database.put("listed_issues", tables.table_of_rows(Issue, issues))


def count_to_scan(database: Database) -> int:
    """How many files are new, changed, or to be tried again."""
    return int(next(database.rows(f"SELECT count(*) FROM ({_TO_SCAN})"))[0])


_TO_SCAN = f"""
SELECT l.* FROM listing l
WHERE l.kind = '{TO_SCAN}'
    AND l.file_id NOT IN (SELECT file_id FROM chosen_put_by)
    AND l.file_id NOT IN (SELECT file_id FROM chosen_done)
"""


def to_scan(database: Database, listing: Path, size: int) -> Iterator[tables.Table]:
    """The files that are new, changed, or to be tried again, some at a time; a table is of one source.

    Args:
        database: With the table `listing` and those of what is known.
        listing: The file of that table.
        size: How many at a time.
    """
    if not _is_any_known(database):
        yield from _all_to_scan(listing, size)
        return
    for (source,) in list(database.rows(f"SELECT DISTINCT source FROM ({_TO_SCAN}) ORDER BY source")):
        yield from database.tables(f"{_TO_SCAN} AND l.source = ? ORDER BY l.path", source, size=size)


def _all_to_scan(listing: Path, size: int) -> Iterator[tables.Table]:
    """The same where nothing is known: as they were listed, which is by source and folder."""
    for table in tables.read_tables(listing, size):
        sources, kinds = arrow.integers(table, "source")[:, 0], arrow.coded(table, "kind")
        is_left = np.array([k == TO_SCAN for k in kinds.values], np.bool_)[kinds.codes]
        for source in np.unique(sources).tolist():
            rows = np.flatnonzero(is_left & (sources == source))
            if len(rows):
                yield table if len(rows) == table.num_rows else tables.taken(table, rows)


# Headers (.hdr, .nhdr, .mhd) and the files beside them that hold their voxels.
_BESIDE = """
CREATE OR REPLACE TABLE beside AS
SELECT h.file_id AS header, any_value(d.file_id) AS data
FROM instances i JOIN all_files h ON h.file_id = i.file_id
    JOIN all_files d ON d.source = h.source AND d.path = regexp_replace(h.path, '[^/]*$', '') || i.data_name
WHERE i.data_name <> '' GROUP BY h.file_id
"""
_FILES = """
SELECT f.* REPLACE (
    coalesce(b.data, '') AS data_file,
    CASE WHEN d.data IS NULL THEN f.kind ELSE 'image-data' END AS kind)
FROM all_files f LEFT JOIN beside b ON b.header = f.file_id
    LEFT JOIN (SELECT DISTINCT data FROM beside) d ON d.data = f.file_id
ORDER BY f.source, f.path, f.file_id
"""


def write_files(
    database: Database, path: Path, paths: Sequence[Path] = (), instances: tables.Table | None = None
) -> None:
    """Write the table of files once `instances` is there: each header with the file that holds its voxels.

    Args:
        database: With the views of what is known and what was scanned.
        path: Where it is written.
        paths: What was put by of files in this run.
        instances: All instances, where all were scanned just now and fit in memory.
    """
    with tables.Writer(path, FileRow) as writer:
        for table in _files_in_memory(database, paths, instances) or _joined_files(database):
            writer.write(table)


def _joined_files(database: Database) -> Iterator[tables.Table]:
    database.define("all_files", united("files"))
    database.do(_BESIDE)
    return database.tables(_FILES, size=tables.GROUP_ROWS)


def _files_in_memory(
    database: Database, paths: Sequence[Path], instances: tables.Table | None
) -> list[tables.Table] | None:
    """All files in order, where no voxels lie beside their header and all fit in memory: as a rule they stand in order."""
    if instances is None or any(arrow.coded(instances, "data_name").values):
        return None
    found = tables.joined_parts(paths, most_bytes=_IN_MEMORY_BYTES)
    if found is None:
        return None
    others = database.tables(f"SELECT * FROM listing WHERE kind <> '{TO_SCAN}'", size=tables.GROUP_ROWS)
    whole = tables.joined([found, *others])
    return [tables.sorted_by(whole, "source", "path", "file_id")]


def write_merged(database: Database, name: str, path: Path) -> None:
    """Write one table of the index: what is known and what was scanned (`new_<name>`), in a fixed order."""
    for _ in merged(database, name, path):
        pass


def merged(
    database: Database, name: str, path: Path, *, whole: tables.Table | None = None
) -> Iterator[tables.Table]:
    """The rows of one table of the index in a fixed order; they are written on the way.

    Args:
        database: What is known, and what was scanned.
        name: Which table.
        path: Where it is written.
        whole: All instances, where these are asked for and fit in memory.
    """
    if whole is None:
        question = f"SELECT * FROM ({united(name)}) ORDER BY {_ORDERS[name]}"
        found = database.tables(question, size=tables.GROUP_ROWS)
    else:
        found = lean.groups(whole, lean.order_of(whole, *_INSTANCE_KEYS))
    with tables.Writer(path, ROW_TYPES[name]) as writer:
        for table in found:
            writer.write(table)
            yield table


def instances_in_memory(database: Database, paths: Sequence[Path]) -> tables.Table | None:
    """All instances, where all were scanned just now and fit in memory; else the database has to sort them.

    Args:
        database: With the tables of what is known.
        paths: What was put by of instances in this run.
    """
    return None if _is_any_known(database) else lean.joined_parts(paths, most_bytes=_IN_MEMORY_BYTES)


def _is_any_known(database: Database) -> bool:
    """Whether anything is known of files that are as they were."""
    counts = "SELECT (SELECT count(*) FROM chosen_put_by) + (SELECT count(*) FROM chosen_done)"
    return bool(next(database.rows(counts))[0])


def united(name: str) -> str:
    """What is known and what was scanned of one table, as a question."""
    key = _KEYS.get(name, "file_id")
    columns = tables.schema_of(ROW_TYPES[name]).names
    replaced = {"files": {"source", "device", "inode"}, "instances": {"source"}, "annotations": {"source"}}
    taken = ", ".join(f'{"c" if n in replaced.get(name, ()) else "k"}."{n}"' for n in columns)
    plain = ", ".join(f'k."{n}"' for n in columns)
    known = [
        f"SELECT {taken} FROM put_by_{name} k JOIN chosen_put_by c ON k.{key} = c.file_id AND k.part = c.part",
        f"SELECT {taken} FROM done_{name} k JOIN chosen_done c ON k.{key} = c.file_id",
        f"SELECT {plain} FROM new_{name} k",
    ]
    if name == "files":
        known.append(f"SELECT {plain} FROM listing k WHERE k.kind <> '{TO_SCAN}'")
    if name == "issues":
        # of what the finished run told, only what it had found in the files themselves
        known[1] += f" WHERE k.rule LIKE 'file/%' OR k.rule IN {NOTES}"
        known.append(f"SELECT {plain} FROM listed_issues k")
    return " UNION ALL ".join(known)
