"""One batch of files, scanned by one worker: columns in, columns out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.base import arrow, tables
from isocenter.base.archives.address import address_of
from isocenter.base.archives.archive import Listed, members
from isocenter.base.bulk import is_listed
from isocenter.base.errors import FormatError
from isocenter.base.files import located
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.formats.boundary import opening, parsing
from isocenter.formats.header_reader import HEADER_READERS, Column, Headers, Lists, Texts
from isocenter.formats.kinds import preamble_kind
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject, FileRow, FrameRow, Instance
from isocenter.stages.index.contents import Digests, digests_of
from isocenter.stages.index.heads import HeadReader, OpenedHeads, heads_of
from isocenter.stages.index.options import Content, ReadingOptions
from isocenter.stages.index.scan import FileToScan, Scanned, issue_of, scan_file

BATCH_FILES = 4096
_PREAMBLE = 128
_ARCHIVES = {"zip", "tar", "tar-gzip"}
# The tables that a batch adds to, by name.
ROW_TYPES: dict[str, type] = {
    "files": FileRow,
    "instances": Instance,
    "frames": FrameRow,
    "annotations": AnnotationObject,
    "issues": Issue,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Files of one source that one worker looks at: rows of `FileRow`, as `tables.to_bytes` writes them."""

    root: str
    site: str
    origin: str
    reading: ReadingOptions
    names: Pseudonyms
    files: bytes

    def singles(self) -> Iterator[Batch]:
        """A batch for each of the files."""
        rows = tables.from_bytes(self.files)
        for number in range(rows.num_rows):
            yield replace(self, files=tables.to_bytes(rows.slice(number, 1)))


@dataclass(slots=True)
class _Findings:
    """What was found in the files of a batch so far."""

    files: list[tables.Table] = field(default_factory=list)
    instances: list[tables.Table] = field(default_factory=list)
    slow: list[Instance] = field(default_factory=list)
    frames: list[FrameRow] = field(default_factory=list)
    annotations: list[AnnotationObject] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def marks(self) -> list[int]:
        """How much there is of each, for `go_back` and `since`."""
        return [len(part) for part in self._parts()]

    def go_back(self, marks: list[int]) -> None:
        """Forget what was found since."""
        for part, mark in zip(self._parts(), marks, strict=True):
            del part[mark:]

    def since(self, marks: list[int]) -> _Findings:
        """What was found since."""
        return _Findings(*(part[mark:] for part, mark in zip(self._parts(), marks, strict=True)))

    def _parts(self) -> tuple[list[Any], ...]:
        return self.files, self.instances, self.slow, self.frames, self.annotations, self.issues

    def tables(self) -> dict[str, bytes]:
        """As bytes by table; what is empty is left out."""
        rows: dict[str, Sequence[Any]] = {
            "frames": self.frames,
            "annotations": self.annotations,
            "issues": self.issues,
        }
        found = {name: tables.table_of_rows(ROW_TYPES[name], r) for name, r in rows.items() if r}
        instances = self.instances
        if self.slow:
            instances = [*instances, tables.table_of_rows(Instance, self.slow)]
        if instances:
            found["instances"] = tables.joined(instances)
        found["files"] = tables.joined(self.files)
        return {name: tables.to_bytes(table) for name, table in found.items()}


@arrow.kept_memory()
def scan_batch(batch: Batch) -> dict[str, bytes]:
    """Scan some files; a file that cannot be read becomes an issue, never an exception.

    Returns:
        Rows by the name of their table, as `tables.to_bytes` writes them; empty ones are left out.
    """
    found = _Findings()
    rows = tables.from_bytes(batch.files)
    for start in range(0, rows.num_rows, BATCH_FILES):
        _scan_group(batch, rows.slice(start, BATCH_FILES), found)
    return found.tables()


def failed_batch(batch: Batch, kind: str) -> dict[str, bytes]:
    """The outcome of a batch of one file that nobody could scan, and what kind of failure it was."""
    rows = tables.from_bytes(batch.files)
    issue = because("file/reader-failed", target=arrow.values(rows, "file_id")[0], measured=kind)
    found = _Findings(files=[tables.with_column(rows, "kind", ["unreadable"])], issues=[issue])
    return found.tables()


@cache
def _reader() -> HeadReader:
    return HeadReader(BATCH_FILES)


def _scan_group(batch: Batch, rows: tables.Table, found: _Findings) -> None:
    paths = _plain(arrow.values(rows, "path"))
    opened = _reader().read(batch.root, paths, arrow.integers(rows, "size", "mtime_ns", "inode", "device"))
    _scan_heads(batch, rows, opened, found)


def _plain(paths: list[str]) -> list[str]:
    """Paths as the file system has them, relative as they are."""
    return [str(located(Path(), p)) if "\\u" in p else p for p in paths]


def _scan_heads(batch: Batch, rows: tables.Table, opened: OpenedHeads, found: _Findings) -> None:
    count = rows.num_rows
    before_all = found.marks()
    kinds: list[str] = [""] * count
    left = np.ones(count, np.bool_)
    for name, reader in HEADER_READERS:
        headers = reader.read(opened.heads, batch.reading.limits)
        known = np.flatnonzero(headers.is_known & left)
        left[known] = False
        if len(known) == count:
            kinds = list(headers.kinds)
        else:
            for number, kind in zip(known.tolist(), headers.kinds, strict=True):
                kinds[number] = kind
        if len(known):
            found.instances.append(_instances(batch, name, rows, headers, known))
    for number in np.flatnonzero(left).tolist():
        row = next(tables.rows_of(rows.slice(number, 1), FileRow))
        before = found.marks()
        scanned = _scan_one(batch, row, opened, number)
        if scanned.kind in _ARCHIVES:
            scanned = _scan_archive(batch, row, scanned.kind, found)
        if number not in opened.failed and not _is_still(batch, row):
            # opened once more after its head was read, and by then it was another file
            found.go_back(before)
            changed = FormatError("file/changed", "the file changed while it was read")
            scanned = Scanned(kind="unreadable", issue=issue_of(changed, row.file_id))
        kinds[number] = scanned.kind
        _add(found, row, scanned)
    ids = rows["file_id"]
    for number in _with_preamble(opened):
        if kinds[number].startswith("dicom") and (what := preamble_kind(opened.bytes_of(number))):
            found.issues.append(because("index/foreign-preamble", target=ids[number].as_py(), measured=what))
    files = tables.with_column(rows, "kind", kinds)
    if batch.reading.content != Content.UIDS:
        files = _with_digests(batch, files, found.since(before_all))
    found.files.append(files)


def _with_digests(batch: Batch, files: tables.Table, found: _Findings) -> tables.Table:
    """Files with the digests of their content, and of their pixel data where that is asked for."""
    places: dict[str, tuple[int, int | None]] = {}
    for table in found.instances:
        columns = (arrow.values(table, n) for n in ("file_id", "pixel_offset", "pixel_bytes"))
        places |= {i: (at, n) for i, at, n in zip(*columns, strict=True) if at is not None}
    places |= {r.file_id: (r.pixel_offset, r.pixel_bytes) for r in found.slow if r.pixel_offset is not None}
    digests = []
    for file_id, path in zip(arrow.values(files, "file_id"), arrow.values(files, "path"), strict=True):
        try:
            place = located(Path(batch.root), path)
            digests.append(digests_of(place, batch.reading.content, places.get(file_id)))
        except FormatError:  # it cannot be read, or no longer: what was found in its header still stands
            digests.append(Digests())
    files = tables.with_column(files, "content_digest", [d.content for d in digests])
    return tables.with_column(files, "pixel_digest", [d.pixels for d in digests])


def _with_preamble(opened: OpenedHeads) -> list[int]:
    """Files that begin with something else than zeros, which in DICOM nobody reads (PS3.10 7.1)."""
    heads = opened.heads
    long = np.flatnonzero(heads.counts > _PREAMBLE)
    first = heads.arena[heads.starts[long][:, None] + np.arange(4)]
    return [int(n) for n in long[first.any(axis=1)]]


def _is_still(batch: Batch, row: FileRow) -> bool:
    if row.archive or row.kind:  # the archive itself is looked at when all of it has been read
        return True
    path = located(Path(batch.root), row.path)
    return is_listed(str(path), (row.size, row.mtime_ns, row.inode, row.device))


def _scan_one(batch: Batch, row: FileRow, opened: OpenedHeads, number: int) -> Scanned:
    if row.kind:  # a link or device in an archive
        issue = issue_of(opened.failed[number], row.file_id) if number in opened.failed else None
        return Scanned(kind=row.kind, issue=issue)
    if number in opened.failed:
        return Scanned(kind="unreadable", issue=issue_of(opened.failed[number], row.file_id))
    file = FileToScan(root=batch.root, row=row, site=batch.site, limits=batch.reading.limits)
    return scan_file(file, opened.bytes_of(number))


def _scan_archive(batch: Batch, row: FileRow, kind: str, found: _Findings) -> Scanned:
    """Scan the members of an archive in place, some at a time; an archive in an archive is not opened."""
    if row.archive:
        return Scanned(kind="nested-archive")
    listed: list[Listed] = []
    try:
        for member in members(located(Path(batch.root), row.path), limit=batch.reading.limits.members):
            listed.append(member)
            if len(listed) == BATCH_FILES:
                _scan_members(batch, row, listed, found)
                listed = []
    except FormatError as error:
        return Scanned(kind=f"{kind}-unreadable", issue=issue_of(error, row.file_id))
    if listed:
        _scan_members(batch, row, listed, found)
    return Scanned(kind=kind)


def _scan_members(batch: Batch, archive: FileRow, listed: list[Listed], found: _Findings) -> None:
    rows = []
    for member in (one.member for one in listed):
        path = address_of(archive.path, arrow.path_text(member.name))
        rows.append(
            FileRow(
                file_id=batch.names.of_file(batch.origin, path.encode()),
                source=archive.source,
                path=path,
                size=member.size,
                mtime_ns=member.mtime_ns,
                kind="" if member.kind == "file" else member.kind,
                archive=archive.file_id,
            )
        )
    paths = [located(Path(batch.root), r.path) for r in rows]

    def more(number: int, offset: int, count: int) -> bytes:
        with suppress(FormatError), parsing("the member"), opening(paths[number]) as file:
            file.seek(offset)
            return file.read(count)
        return b""

    failed = {n: one.error for n, one in enumerate(listed) if one.error is not None}
    opened = heads_of([one.head for one in listed], [r.size for r in rows], more, failed)
    _scan_heads(batch, tables.table_of_rows(FileRow, rows), opened, found)


def _add(found: _Findings, row: FileRow, scanned: Scanned) -> None:
    if scanned.instance is not None:
        found.slow.append(replace(scanned.instance, path=row.path, kind=scanned.kind))
    found.frames.extend(scanned.frames)
    if scanned.annotation is not None:
        found.annotations.append(scanned.annotation)
    if scanned.issue is not None:
        found.issues.append(scanned.issue)


def _instances(batch: Batch, name: str, rows: tables.Table, headers: Headers, known: Any) -> tables.Table:
    files = tables.taken(rows, known)
    count = files.num_rows
    columns = {field: _array(column) for field, column in headers.columns.items()}
    columns |= {
        "file_id": files["file_id"],
        "path": files["path"],
        "kind": headers.kinds,
        "source": files["source"],
        "site": arrow.repeated(batch.site, count),
        "format": arrow.repeated(name, count),
    }
    return tables.table_of_columns(Instance, columns, count)


def _array(column: Column) -> arrow.Array:
    if isinstance(column, Texts):
        return arrow.texts(column.data, column.offsets, column.is_valid)
    if isinstance(column, Lists):
        return arrow.lists(_array(column.items), column.offsets)
    return arrow.numbers(column.values, column.is_valid)
