"""The list of files: everything below the sources, and what a known layout says of it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base import arrow, tables
from isocenter.base.bulk import UNKNOWN, Status, joined, list_folder
from isocenter.base.documents import read_csv_rows
from isocenter.base.errors import ConfigError
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.base.templates import Template
from isocenter.formats.dataset import LAYOUTS, DatasetRow
from isocenter.model.rows import FileRow, LayoutRow
from isocenter.stages.index.options import Source

# Kind of a file that the source's include and exclude leave out.
LEFT_OUT = "left-out"
# Kind of a file that is still to be scanned.
TO_SCAN = ""
_KINDS = {stat.S_IFREG: TO_SCAN, stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}
_AT_ONCE = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What was listed: how many entries, the digest of all their signatures, and what layouts say of files."""

    count: int
    digest: str
    layout: dict[str, DatasetRow]


def root_of(source: Source, base: Path) -> Path:
    """The folder that the paths of a source start from: its own, or that of the one file which it is."""
    path = base / source.path
    return path if path.is_dir() else path.parent


def list_files(sources: Sequence[Source], base: Path, names: Pseudonyms, out: Path) -> Listing:
    """List every source into a table of `FileRow`; nothing is opened but the description of a layout."""
    of_site: Counter[str] = Counter()
    with tables.Writer(out, FileRow, is_kept=False) as writer:
        lister = _Lister(names, writer)
        for number, source in enumerate(sources):
            of_site[source.site] += 1
            path = base / source.path
            if not path.exists():
                raise ConfigError(f"sources[{number}].path is no folder, file or archive")
            described = (
                {} if source.layout == "files" else {r.path: r for r in LAYOUTS.get(source.layout).rows(path)}
            )
            lister.list_source(number, source, f"{source.site} {of_site[source.site]}", path, described)
    return Listing(count=lister.count, digest=lister.digest.hexdigest(), layout=lister.layout)


class _Lister:
    """Writes the rows of one source after the other, some thousands at a time."""

    def __init__(self, names: Pseudonyms, writer: tables.Writer) -> None:
        self.count = 0
        self.digest = hashlib.blake2b(digest_size=16)
        self.layout: dict[str, DatasetRow] = {}
        self._names, self._writer = names, writer

    def list_source(
        self, number: int, source: Source, origin: str, path: Path, described: Mapping[str, DatasetRow]
    ) -> None:
        """Write the rows of everything below a folder, or of one file."""
        pending: list[Entries] = []
        for entries in _below(path):
            pending.append(entries)
            if sum(len(e.kinds) for e in pending) >= _AT_ONCE:
                self._write(number, source, origin, pending, described)
                pending = []
        if pending:
            self._write(number, source, origin, pending, described)

    def _write(
        self,
        number: int,
        source: Source,
        origin: str,
        pending: Sequence[Entries],
        described: Mapping[str, DatasetRow],
    ) -> None:
        data = np.concatenate([e.data for e in pending])
        lengths = np.concatenate([np.diff(e.offsets) for e in pending])
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        ids = self._names.of_files(origin, data, offsets)
        paths = arrow.path_column(data, offsets)
        kinds = [k for e in pending for k in e.kinds]
        if source.include or source.exclude or described:
            kinds = self._told(source, arrow.plain_values(paths), ids, kinds, described)
        columns: dict[str, Any] = {
            "file_id": arrow.text_of_width(ids),
            "source": np.full(len(kinds), number, np.int64),
            "path": paths,
            "kind": kinds,
        }
        for name in ("size", "mtime_ns", "device", "inode"):
            columns[name] = np.concatenate([getattr(e, name) for e in pending])
        self._writer.write(tables.table_of_columns(FileRow, columns, len(kinds)))
        for part in (ids, columns["size"], columns["mtime_ns"]):
            self.digest.update(np.ascontiguousarray(part).data)
        self.digest.update("\n".join(kinds).encode())
        self.count += len(kinds)

    def _told(
        self,
        source: Source,
        paths: Sequence[str],
        ids: NDArray[np.uint8],
        kinds: Sequence[str],
        described: Mapping[str, DatasetRow],
    ) -> list[str]:
        """The kinds as the source's templates leave them; what its layout says of a file is kept."""
        include = [Template(p) for p in source.include]
        exclude = [Template(p) for p in source.exclude]
        out = []
        for n, (path, kind) in enumerate(zip(paths, kinds, strict=True)):
            is_in = not include or any(t.match(path) is not None for t in include)
            is_out = any(t.match(path) is not None for t in exclude)
            out.append(kind if is_in and not is_out else LEFT_OUT)
            if path in described:
                self.layout[ids[n].tobytes().decode("ascii")] = described[path]
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Entries of one folder that are no folders: their paths (bytes and where each begins), and what they are."""

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    kinds: list[str]
    size: NDArray[np.int64]
    mtime_ns: NDArray[np.int64]
    device: NDArray[np.int64]
    inode: NDArray[np.int64]


def _below(path: Path) -> Iterator[Entries]:
    """Every entry below a folder that is not itself a folder, or one file; links are listed, never followed."""
    if not path.is_dir():
        names, status = list_folder(os.fsencode(path.parent))
        yield _entries(b"", names, status, np.array([names.index(os.fsencode(path.name))]))
        return
    root = os.fsencode(path)
    pending: list[tuple[bytes, tuple[int, int] | None]] = [(b"", None)]
    while pending:
        folder, listed = pending.pop()
        try:
            names, status = list_folder(os.path.join(root, folder), listed)  # noqa: PTH118 - bytes
        except OSError:
            yield _entries(b"", [folder.rstrip(b"/") or b"."], UNKNOWN, np.zeros(1, np.int64))
            continue
        is_folder = (status.mode & 0xF000) == stat.S_IFDIR
        pending.extend(
            (folder + names[n] + b"/", (int(status.inode[n]), int(status.device[n])))
            for n in np.flatnonzero(is_folder)[::-1].tolist()
        )
        if not is_folder.all():
            yield _entries(folder, names, status, np.flatnonzero(~is_folder))


def _entries(folder: bytes, names: Sequence[bytes], status: Status, rows: NDArray[np.int64]) -> Entries:
    data, offsets = joined(folder, names if len(rows) == len(names) else [names[n] for n in rows.tolist()])
    known, types = status.is_known[rows], status.mode[rows] & 0xF000
    if known.all() and (types == stat.S_IFREG).all():
        kinds = [TO_SCAN] * len(rows)
    else:
        kinds = [
            _KINDS.get(kind, "device") if is_known else "unreadable"
            for kind, is_known in zip(types.tolist(), known.tolist(), strict=True)
        ]
    return Entries(
        data,
        offsets,
        kinds,
        status.size[rows],
        status.mtime_ns[rows],
        status.device[rows],
        status.inode[rows],
    )


def layout_rows(layout: Iterable[tuple[str, DatasetRow]]) -> list[LayoutRow]:
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
        for file_id, row in sorted(layout)
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
