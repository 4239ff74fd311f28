"""The list of files: everything below the sources, and what a known layout says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from isocenter.base.documents import read_csv_rows
from isocenter.base.errors import ConfigError
from isocenter.base.files import Entry, walk
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.base.templates import Template
from isocenter.formats.dataset import LAYOUTS, DatasetRow
from isocenter.model.rows import FileRow, LayoutRow
from isocenter.stages.index.options import Source

# Kind of a file that the source's include and exclude leave out.
LEFT_OUT = "left-out"
# Kind of a file that is still to be scanned.
TO_SCAN = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Rows of all files, in the order of sources and paths; `is_regular` ones are to be scanned."""

    rows: tuple[FileRow, ...]
    layout: dict[str, DatasetRow]


def list_files(sources: Sequence[Source], roots: Sequence[Path], names: Pseudonyms) -> Listing:
    """List every source; nothing is opened but the description of a layout."""
    rows: list[FileRow] = []
    layout: dict[str, DatasetRow] = {}
    of_site: Counter[str] = Counter()
    for number, (source, root) in enumerate(zip(sources, roots, strict=True)):
        of_site[source.site] += 1
        if not root.is_dir():
            raise ConfigError(f"sources[{number}].path is no folder")
        described = (
            {} if source.layout == "files" else {r.path: r for r in LAYOUTS.get(source.layout).rows(root)}
        )
        for row in _rows_of(number, f"{source.site} {of_site[source.site]}", source, root, names):
            rows.append(row)
            if row.path in described:
                layout[row.file_id] = described[row.path]
    return Listing(rows=tuple(rows), layout=layout)


def _rows_of(number: int, origin: str, source: Source, root: Path, names: Pseudonyms) -> Iterator[FileRow]:
    """Rows of one source; ids come from its place among the sources of its site, not from where it is mounted."""
    include = [Template(p) for p in source.include]
    exclude = [Template(p) for p in source.exclude]
    for entry in walk(root):
        is_in = not include or any(t.match(entry.path) is not None for t in include)
        is_out = any(t.match(entry.path) is not None for t in exclude)
        yield FileRow(
            file_id=names.of("fil", origin, entry.path),
            source=number,
            path=entry.path,
            size=entry.size,
            mtime_ns=entry.mtime_ns,
            kind=_kind(entry, is_wanted=is_in and not is_out),
        )


def _kind(entry: Entry, *, is_wanted: bool) -> str:
    if not is_wanted:
        return LEFT_OUT
    return TO_SCAN if entry.kind == "file" else entry.kind


def layout_rows(listing: Listing) -> list[LayoutRow]:
    """What the layouts say, by file."""
    return [
        LayoutRow(
            file_id=file_id,
            role=row.role,
            channel=row.channel,
            case=row.case,
            subject=row.subject,
            partition=row.partition,
            values=tuple(v for v, _ in row.labels),
            labels=tuple(n for _, n in row.labels),
        )
        for file_id, row in sorted(listing.layout.items())
    ]


def subject_table(source: Source, base: Path) -> dict[str, str] | None:
    """Key to subject from the source's table, or None where it has none.

    Raises:
        ConfigError: the table cannot be read, lacks a column, or gives one key two subjects.
    """
    how = source.subject
    if not how.table:
        return None
    header, rows = read_csv_rows(base / how.table)
    name = Path(how.table).name
    if missing := [c for c in (how.key, how.column) if c not in header]:
        raise ConfigError(f"sources[].subject.table: {name} has no column {', '.join(map(repr, missing))}")
    out: dict[str, str] = {}
    for row in rows:
        key, value = row[how.key].strip(), row[how.column].strip()
        if out.setdefault(key, value) != value:
            raise ConfigError(f"sources[].subject.table: one key of {name} stands for two subjects")
    return out
