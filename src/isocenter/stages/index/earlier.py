"""Earlier findings: what a finished run, or one that was interrupted, has found in files that are as they were."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from isocenter import __version__
from isocenter.base import tables
from isocenter.base.digests import digest_of
from isocenter.base.workspace import Workspace
from isocenter.formats.image import FORMATS
from isocenter.model.issue import Issue
from isocenter.model.rows import AnnotationObject, FileRow, Instance, LayoutRow, Series, Stack
from isocenter.stages.index.listing import LEFT_OUT
from isocenter.stages.index.options import Source
from isocenter.stages.index.scan import Scanned

STAGE = "index"
VERSION = 2
# Findings are put by after so many files, or so many seconds, whichever comes first.
_FILES = 4096
_SECONDS = 20.0
# What was listed and not looked into is not known, should it be looked into now.
_NOT_SCANNED = {LEFT_OUT, "symlink", "fifo", "socket", "device"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`index/scan/<form>/<n>.parquet`: what was found in one file, and how it was looked for."""

    how: str
    found: Scanned


class Earlier:
    """The findings of earlier runs, and a place to put by those of this one until it is finished.

    What is found in a file depends on the program and on where and as what its source was read; subjects,
    includes, excludes and tables do not matter, for they are applied to what was found.

    Args:
        workspace: Where the index is.
        sources: The sources, in order.
    """

    def __init__(self, workspace: Workspace, sources: Sequence[Source]) -> None:
        self._workspace = workspace
        rows = (FileRow, Instance, AnnotationObject, Series, Stack, LayoutRow, Issue)
        form = digest_of([VERSION, __version__, tables.form_of(*rows), FORMATS.form()])
        of_site: Counter[str] = Counter()
        self.how: list[str] = []
        for source in sources:
            of_site[source.site] += 1
            place = [source.site, of_site[source.site], source.path, source.layout]
            self.how.append(digest_of([form, *place]))
        self._scan = workspace.root / STAGE / "scan"
        self._parts = self._scan / form
        self.next = self._scan / "next"

    def known(self) -> dict[str, Scanned]:
        """What was found in files of sources that are read as before, by file."""
        out = {f: s for f, s in self._finished() if s.row.kind not in _NOT_SCANNED}
        for part in sorted(self._parts.glob("*.parquet")):
            rows = tables.read(part, Finding)
            out.update({r.found.row.file_id: r.found for r in rows if r.how in self.how})
        return out

    def _finished(self) -> Iterator[tuple[str, Scanned]]:
        how = (self._workspace.done(STAGE) or {}).get("how", [])
        if not set(how) & set(self.how):  # nothing to gain, and perhaps tables of another form
            return
        folder = self._workspace.stage(STAGE)
        instances = {r.file_id: r for r in tables.read(folder / "instances.parquet", Instance)}
        annotations = {r.file_id: r for r in tables.read(folder / "annotations.parquet", AnnotationObject)}
        issues = tables.read(folder / "issues.parquet", Issue)
        told = {i.target: i for i in issues if i.rule.startswith("file/")}
        for row in tables.read(folder / "files.parquet", FileRow):
            if how[row.source] in self.how:
                f = row.file_id
                yield (
                    f,
                    Scanned(
                        row=row, instance=instances.get(f), annotation=annotations.get(f), issue=told.get(f)
                    ),
                )

    def keep(self, findings: Iterable[Scanned]) -> Iterator[Scanned]:
        """Pass findings through and put them by, so that a run that is interrupted need not begin anew."""
        pending: list[Finding] = []
        since = time.monotonic()
        for found in findings:
            pending.append(Finding(how=self.how[found.row.source], found=found))
            yield found
            if len(pending) >= _FILES or time.monotonic() - since >= _SECONDS:
                self._put_by(pending)
                pending, since = [], time.monotonic()
        self._put_by(pending)

    def _put_by(self, pending: list[Finding]) -> None:
        if pending:
            self._parts.mkdir(parents=True, exist_ok=True)
            number = sum(1 for _ in self._parts.glob("*.parquet"))
            tables.write(self._parts / f"{number:06}.parquet", Finding, pending)

    def forget(self) -> None:
        """Take away what was put by: the tables hold it now."""
        if self._scan.exists():
            shutil.rmtree(self._scan)
