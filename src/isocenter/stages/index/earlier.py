"""Earlier findings: what a finished run, or one that was interrupted, has found in files that are as they were."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from isocenter import __version__
from isocenter.base import tables
from isocenter.base.database import Database
from isocenter.base.digests import digest_of
from isocenter.base.files import write_bytes
from isocenter.base.workspace import Workspace
from isocenter.formats.header_reader import HEADER_READERS
from isocenter.formats.image import FORMATS
from isocenter.stages.index.batch import ROW_TYPES
from isocenter.stages.index.options import IndexOptions

STAGE = "index"
VERSION = 9
# Findings are put by after so many files, or so many seconds, whichever comes first.
_FILES = 1024
_SECONDS = 20.0


class Earlier:
    """The findings of earlier runs, and a place to put by those of this one until it is finished.

    What is found in a file depends on the program and on where and as what its source was read; subjects,
    includes, excludes and tables do not matter, for they are applied to what was found.

    Args:
        workspace: Where the index is.
        options: The sources, and how they are read.
    """

    def __init__(self, workspace: Workspace, options: IndexOptions) -> None:
        self._workspace = workspace
        rows = [tables.form_of(t) for t in ROW_TYPES.values()]
        form = digest_of([VERSION, __version__, rows, FORMATS.form(), HEADER_READERS.form(), options.reading])
        of_site: Counter[str] = Counter()
        self.how: list[str] = []
        for source in options.sources:
            of_site[source.site] += 1
            place = [source.site, of_site[source.site], source.path, source.layout]
            self.how.append(digest_of([form, *place]))
        self.scan = workspace.root / STAGE / "scan"
        self.next = self.scan / "next"
        self.listing = self.scan / "listing.parquet"
        self._number = 0

    def prepare(self) -> None:
        """Make the folders; what a run left that read otherwise is taken away."""
        self.next.mkdir(parents=True, exist_ok=True)
        for folder in self.scan.iterdir():
            if folder.is_dir() and folder.name not in {*self.how, self.next.name}:
                shutil.rmtree(folder)
        self._number = 1 + max((int(p.name[:8]) for p in self.scan.glob("*/[0-9]???????_*")), default=-1)

    def view(self, database: Database) -> list[str]:
        """Name what is known: `put_by_<table>` of interrupted runs, `done_<table>` of the finished one.

        Returns:
            Of the finished run, by number of its source: how that was read.
        """
        for name, row_type in ROW_TYPES.items():
            database.see(f"put_by_{name}", tables.parts(row_type, self.parts(name)))
        done = self._workspace.done(STAGE) or {}
        how = [str(h) for h in done.get("how", [])]
        # nothing to gain otherwise, and perhaps tables of another form
        folder = self._workspace.stage(STAGE)
        paths = {name: folder / f"{name}.parquet" for name in ROW_TYPES}
        is_known = bool(set(how) & set(self.how)) and all(p.exists() for p in paths.values())
        for name, row_type in ROW_TYPES.items():
            database.view(f"done_{name}", row_type, [paths[name]] if is_known else [])
        return how

    def parts(self, table: str, since: int = 0) -> list[Path]:
        """What was put by of one table, of sources that are read as they are now."""
        found = (
            p for h in sorted(set(self.how)) for p in (self.scan / h).glob(f"[0-9]???????_{table}.arrow")
        )
        return sorted(p for p in found if int(p.name[:8]) >= since)

    @property
    def number(self) -> int:
        """Number of the next part."""
        return self._number

    def keep(self, findings: Iterable[tuple[int, int, Mapping[str, bytes]]]) -> Iterator[int]:
        """Put findings by, so that a run that is interrupted need not begin anew.

        Args:
            findings: Number of the source, how many files, and rows by table, of one batch after the other.

        Yields:
            How many files each batch had.
        """
        pending: list[Mapping[str, bytes]] = []
        files, of_source, since = 0, -1, time.monotonic()
        for source, count, found in findings:
            if source != of_source:
                self._put_by(of_source, pending)
                pending, files, of_source = [], 0, source
            pending.append(found)
            files += count
            if files >= _FILES or time.monotonic() - since >= _SECONDS:
                self._put_by(source, pending)
                pending, files, since = [], 0, time.monotonic()
            yield count
        self._put_by(of_source, pending)

    def _put_by(self, source: int, pending: Sequence[Mapping[str, bytes]]) -> None:
        if not pending:
            return
        folder = self.scan / self.how[source]
        folder.mkdir(parents=True, exist_ok=True)
        # the table of files comes last: a file is known when all that was found in it is there
        for name in sorted(ROW_TYPES, key=lambda n: (n == "files", n)):
            found = [p[name] for p in pending if name in p]
            if found:
                write_bytes(folder / f"{self._number:08}_{name}.arrow", _joined(found))
        self._number += 1

    def forget(self) -> None:
        """Take away what was put by: the tables hold it now."""
        if self.scan.exists():
            shutil.rmtree(self.scan)


def _joined(found: Sequence[bytes]) -> bytes:
    return (
        found[0] if len(found) == 1 else tables.to_bytes(tables.joined([tables.from_bytes(f) for f in found]))
    )
