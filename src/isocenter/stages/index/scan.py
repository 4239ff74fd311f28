"""Scan files: what each one is, by its content, and what its header says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isocenter.base.errors import FormatError
from isocenter.base.files import open_regular
from isocenter.formats.image import FORMATS, HEAD_BYTES, format_of
from isocenter.formats.kinds import kind_of
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject, FileRow, Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToScan:
    """One file to look at."""

    root: str
    row: FileRow
    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What was found in one file; of a refused one, `instance` is no more than its identity."""

    row: FileRow
    instance: Instance | None = None
    annotation: AnnotationObject | None = None
    issue: Issue | None = None


def scan_files(batch: tuple[FileToScan, ...]) -> tuple[Scanned, ...]:
    """Scan some files; a file that cannot be read becomes an issue, never an exception."""
    return tuple(scan_file(f) for f in batch)


def scan_file(file: FileToScan) -> Scanned:
    """Scan one file."""
    row, path = file.row, Path(file.root) / file.row.path
    try:
        with open_regular(path) as opened:
            head = opened.read(HEAD_BYTES)
    except OSError:
        return _refused(row, "unreadable", because("file/unreadable", target=row.file_id))
    if not head:
        return _refused(row, "empty", because("file/empty", target=row.file_id))
    name = format_of(head)
    if name is None:
        return Scanned(row=_with_kind(row, kind_of(head)))
    try:
        scan = FORMATS.get(name).scan(path, row.file_id, row.source, file.site)
    except FormatError as error:
        issue = because(
            error.reason,
            message=error.message,
            target=row.file_id,
            measured=error.measured,
            expected=error.expected,
        )
        return _refused(row, f"{name}-unreadable", issue, _identity(file, name, error))
    except Exception as error:  # noqa: BLE001 - a reader's bug must not stop the index, and is told
        issue = because("file/reader-failed", target=row.file_id, measured=type(error).__name__)
        return _refused(row, f"{name}-unreadable", issue)
    return Scanned(row=_with_kind(row, scan.kind), instance=scan.instance, annotation=scan.annotation)


def _identity(file: FileToScan, name: str, error: FormatError) -> Instance | None:
    """What is known of a refused object: which it is, and of which series."""
    if not error.identity:
        return None
    known: dict[str, Any] = dict(error.identity)
    row = file.row
    return Instance(
        file_id=row.file_id, source=row.source, site=file.site, format=name, has_pixels=False, **known
    )


def _refused(row: FileRow, kind: str, issue: Issue, identity: Instance | None = None) -> Scanned:
    return Scanned(row=_with_kind(row, kind), instance=identity, issue=issue)


def _with_kind(row: FileRow, kind: str) -> FileRow:
    return FileRow(
        file_id=row.file_id,
        source=row.source,
        path=row.path,
        size=row.size,
        mtime_ns=row.mtime_ns,
        kind=kind,
    )
