"""Scan files: what each one is, by its content, and what its header says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isocenter.base.errors import FormatError
from isocenter.base.files import located
from isocenter.formats.drawings import DRAWINGS, drawing_kinds
from isocenter.formats.image import FORMATS, HEAD_BYTES, format_of
from isocenter.formats.kinds import kind_of_file
from isocenter.formats.limits import DEFAULT_LIMITS, Limits
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject, FileRow, FrameRow, Instance


@dataclass(frozen=True, slots=True, kw_only=True)
class FileToScan:
    """One file to look at."""

    root: str
    row: FileRow
    site: str
    limits: Limits = field(default=DEFAULT_LIMITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What was found in one file; of a refused one, `instance` is no more than its identity."""

    kind: str
    instance: Instance | None = None
    frames: tuple[FrameRow, ...] = ()
    annotation: AnnotationObject | None = None
    issue: Issue | None = None


def scan_file(file: FileToScan, head: bytes) -> Scanned:
    """Scan one file that begins with these bytes; what cannot be read becomes an issue, never an exception."""
    row = file.row
    if not head:
        return Scanned(kind="empty", issue=because("file/empty", target=row.file_id))
    path = located(Path(file.root), row.path)
    name = format_of(head[:HEAD_BYTES])
    if name is None:
        kind = kind_of_file(path, head[:HEAD_BYTES])
        return Scanned(kind=kind) if kind not in drawing_kinds() else _drawing(file, path, kind)
    try:
        scan = FORMATS.get(name).scan(path, row.file_id, row.source, file.site, file.limits)
    except FormatError as error:
        return Scanned(
            kind=f"{name}-unreadable",
            instance=_identity(file, name, error),
            issue=issue_of(error, row.file_id),
        )
    except Exception as error:  # noqa: BLE001 - a reader's bug must not stop the index, and is told
        issue = because("file/reader-failed", target=row.file_id, measured=type(error).__name__)
        return Scanned(kind=f"{name}-unreadable", issue=issue)
    return Scanned(kind=scan.kind, instance=scan.instance, frames=scan.frames, annotation=scan.annotation)


def _drawing(file: FileToScan, path: Path, kind: str) -> Scanned:
    """A file of annotations that is no image: what it names."""
    row = file.row
    try:
        return Scanned(kind=kind, annotation=DRAWINGS.get(kind).row(path, row.file_id, row.source, file.site))
    except FormatError as error:
        # that there is something, though nobody knows what, matters to the images that it may be of
        unknown = AnnotationObject(file_id=row.file_id, source=row.source, site=file.site, format=kind)
        return Scanned(kind=kind, annotation=unknown, issue=issue_of(error, row.file_id))
    except Exception as error:  # noqa: BLE001 - a reader's bug must not stop the index, and is told
        issue = because("file/reader-failed", target=row.file_id, measured=type(error).__name__)
        return Scanned(kind=kind, issue=issue)


def issue_of(error: FormatError, file_id: str) -> Issue:
    """What a reader said of a file, as an issue."""
    return because(
        error.reason, message=error.message, target=file_id, measured=error.measured, expected=error.expected
    )


def _identity(file: FileToScan, name: str, error: FormatError) -> Instance | None:
    """What is known of a refused object: which it is, and of which series."""
    if not error.identity:
        return None
    known: dict[str, Any] = dict(error.identity)
    row = file.row
    return Instance(
        file_id=row.file_id, source=row.source, site=file.site, format=name, has_pixels=False, **known
    )
