"""Index: every file of the sources, what it is, and which series and stacks the images make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from isocenter.base import tables
from isocenter.base.digests import digest_of
from isocenter.base.files import is_readable
from isocenter.base.progress import Progress, follow
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import Executor
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import AnnotationObject, FileRow, Instance, LayoutRow, Series, Stack, ValueCount
from isocenter.stages.index.assemble import Assembled, assemble
from isocenter.stages.index.listing import TO_SCAN, Listing, layout_rows, list_files, subject_table
from isocenter.stages.index.options import IndexOptions
from isocenter.stages.index.scan import FileToScan, Scanned, scan_files
from isocenter.stages.index.subjects import SubjectFinder

STAGE = "index"
VERSION = 1
_BATCH = 32


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
        options: The sources.
        workspace: Where the tables go.
        base: Folder that relative source paths start from.
        executor: Where files are scanned.
        jobs: How many at once.
        progress: Called after every file.

    Returns:
        Counts: files, scanned, reused, series, stacks, issues; all "reused" where nothing had changed.
    """
    names = workspace.pseudonyms()
    roots = [base / s.path for s in options.sources]
    listing = list_files(options.sources, roots, names)
    form = tables.form_of(FileRow, Instance, AnnotationObject, Series, Stack, LayoutRow)
    how = digest_of([VERSION, form, options])
    subjects = [subject_table(s, base) for s in options.sources]
    key = workspace.key_of(
        STAGE, VERSION, how, _signatures(listing), sorted(listing.layout.items()), subjects
    )
    done = workspace.done(STAGE)
    if done is not None and done["key"] == key and not _can_be_read_now(done, listing, roots):
        return {**done["counts"], "scanned": 0, "reused": len(listing.rows)}
    known = _previous(workspace) if done is not None and done.get("how") == how else {}
    workspace.start(STAGE)
    todo = [r for r in listing.rows if r.kind == TO_SCAN and _is_new(r, known)]
    scanned = _scan(todo, options, roots, executor, jobs, progress)
    fresh = {s.row.file_id: s for s in scanned}
    everything = [fresh.get(r.file_id) or _known_or_bare(r, known) for r in listing.rows]
    finders = [SubjectFinder(s, names, t) for s, t in zip(options.sources, subjects, strict=True)]
    found = assemble(everything, finders, listing.layout, roots, names)
    _write(workspace, found, layout_rows(listing))
    counts = {
        "files": len(listing.rows),
        "series": len(found.series),
        "stacks": len(found.stacks),
        "issues": len(found.issues),
    }
    refused = [i.target for i in found.issues if i.rule == "file/unreadable"]
    workspace.finish(STAGE, key, how=how, counts=counts, digest=_meaning(found), unreadable=refused)
    return {**counts, "scanned": len(todo), "reused": len(listing.rows) - len(todo)}


def _signatures(listing: Listing) -> list[tuple[str, int, int, str]]:
    return [(r.file_id, r.size, r.mtime_ns, r.kind) for r in listing.rows]


def _meaning(found: Assembled) -> str:
    """Digest of what later stages depend on: everything but the times of the files."""
    return digest_of(
        [found.series, found.stacks, found.annotations, found.issues, [f.kind for f in found.files]]
    )


def _is_new(row: FileRow, known: dict[str, Scanned]) -> bool:
    before = known.get(row.file_id)
    if before is None or (before.row.size, before.row.mtime_ns) != (row.size, row.mtime_ns):
        return True
    return _is_to_retry(before)


def _is_to_retry(before: Scanned) -> bool:
    """Permissions, disks and readers are mended without a trace on the file itself."""
    return before.issue is not None and before.issue.rule in {"file/unreadable", "file/reader-failed"}


def _can_be_read_now(done: dict[str, Any], listing: Listing, roots: Sequence[Path]) -> bool:
    """Whether a file that could not be opened can be by now: its size and time do not tell."""
    refused = set(done["unreadable"])
    files = [r for r in listing.rows if r.file_id in refused and r.kind == TO_SCAN]
    return any(is_readable(roots[r.source] / r.path) for r in files)


def _known_or_bare(row: FileRow, known: dict[str, Scanned]) -> Scanned:
    """What an earlier run found in an unchanged file; a file that is not read says what it is itself."""
    if row.kind == TO_SCAN:
        before = known[row.file_id]
        return replace(before, row=replace(before.row, source=row.source, path=row.path))
    issue = because("file/unreadable", target=row.file_id) if row.kind == "unreadable" else None
    return Scanned(row=row, issue=issue)


def _scan(
    todo: Sequence[FileRow],
    options: IndexOptions,
    roots: Sequence[Path],
    executor: Executor,
    jobs: int,
    progress: Progress,
) -> list[Scanned]:
    files = [FileToScan(root=str(roots[r.source]), row=r, site=options.sources[r.source].site) for r in todo]
    batches = [tuple(files[n : n + _BATCH]) for n in range(0, len(files), _BATCH)]
    out: list[Scanned] = []

    def one_by_one() -> Iterator[Scanned]:
        for batch, outcome in zip(batches, executor.map(scan_files, batches, jobs=jobs), strict=True):
            if outcome.value is not None:
                yield from outcome.value
            else:  # a file of the batch killed the worker: find out which
                yield from _scan_alone(batch, executor)

    out.extend(follow(one_by_one(), progress, stage=STAGE, total=len(files), unit="files"))
    return out


def _scan_alone(batch: tuple[FileToScan, ...], executor: Executor) -> Iterator[Scanned]:
    singles = [(f,) for f in batch]
    for (file,), outcome in zip(singles, executor.map(scan_files, singles, jobs=1), strict=True):
        if outcome.value is not None:
            yield from outcome.value
        else:
            kind = outcome.failure.kind if outcome.failure else ""
            issue = because("file/reader-failed", target=file.row.file_id, measured=kind)
            yield Scanned(row=replace(file.row, kind="unreadable"), issue=issue)


def _previous(workspace: Workspace) -> dict[str, Scanned]:
    """What an earlier run found, by file."""
    folder = workspace.stage(STAGE)
    rows = {r.file_id: r for r in tables.read(folder / "files.parquet", FileRow)}
    instances = {r.file_id: r for r in tables.read(folder / "instances.parquet", Instance)}
    annotations = {r.file_id: r for r in tables.read(folder / "annotations.parquet", AnnotationObject)}
    issues = {
        i.target: i for i in tables.read(folder / "issues.parquet", Issue) if i.rule.startswith("file/")
    }
    return {
        f: Scanned(row=r, instance=instances.get(f), annotation=annotations.get(f), issue=issues.get(f))
        for f, r in rows.items()
    }


def _write(workspace: Workspace, found: Assembled, layout: list[LayoutRow]) -> None:
    folder = workspace.stage(STAGE)
    tables.write(folder / "files.parquet", FileRow, found.files)
    tables.write(folder / "instances.parquet", Instance, found.instances)
    tables.write(folder / "annotations.parquet", AnnotationObject, found.annotations)
    tables.write(folder / "series.parquet", Series, found.series)
    tables.write(folder / "stacks.parquet", Stack, found.stacks)
    tables.write(folder / "layout.parquet", LayoutRow, layout)
    tables.write(folder / "values.parquet", ValueCount, _values(found.stacks))
    tables.write(folder / "issues.parquet", Issue, sorted(found.issues, key=lambda i: (i.target, i.rule)))


def _values(stacks: Sequence[Stack]) -> list[ValueCount]:
    """How often each value of a telling attribute occurs, one count per stack."""
    counts: Counter[tuple[str, str]] = Counter()
    for stack in stacks:
        counts["modality", stack.modality] += 1
        for name in ("manufacturer", "model", "convolution_kernel", "body_part"):
            counts[name, stack.attribute(name)] += 1
    return [ValueCount(attribute=a, value=v, count=n) for (a, v), n in sorted(counts.items())]


def kinds(workspace: Workspace) -> Counter[str]:
    """How many files there are of each kind."""
    return Counter(r.kind for r in tables.read(workspace.table(STAGE, "files"), FileRow))
