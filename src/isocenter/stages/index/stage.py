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
from isocenter.stages.index.earlier import STAGE, VERSION, Earlier
from isocenter.stages.index.listing import TO_SCAN, Listing, layout_rows, list_files, subject_table
from isocenter.stages.index.options import IndexOptions
from isocenter.stages.index.scan import FileToScan, Scanned, scan_files
from isocenter.stages.index.subjects import SubjectFinder

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
    earlier = Earlier(workspace, options.sources)
    subjects = [subject_table(s, base) for s in options.sources]
    layout = sorted(listing.layout.items())
    key = workspace.key_of(STAGE, VERSION, earlier.how, options, _signatures(listing), layout, subjects)
    done = workspace.done(STAGE)
    if done is not None and done["key"] == key and not _can_be_read_now(done, listing, roots):
        earlier.forget()
        return {**done["counts"], "scanned": 0, "reused": len(listing.rows)}
    known = earlier.known()
    todo = [r for r in listing.rows if r.kind == TO_SCAN and _is_new(r, known)]
    scanned = _scan(todo, options, roots, executor, jobs)
    followed = follow(scanned, progress, stage=STAGE, total=len(todo), unit="files")
    fresh = {s.row.file_id: s for s in earlier.keep(followed)}
    everything = [fresh.get(r.file_id) or _known_or_bare(r, known) for r in listing.rows]
    finders = [SubjectFinder(s, names, t) for s, t in zip(options.sources, subjects, strict=True)]
    found = assemble(everything, finders, listing.layout, roots, names)
    _write(earlier.next, found, layout_rows(listing))
    counts = {
        "files": len(listing.rows),
        "series": len(found.series),
        "stacks": len(found.stacks),
        "issues": len(found.issues),
    }
    refused = [i.target for i in found.issues if i.rule == "file/unreadable"]
    folder = workspace.start(STAGE)
    for table in sorted(earlier.next.iterdir()):
        table.replace(folder / table.name)
    workspace.finish(STAGE, key, how=earlier.how, counts=counts, digest=_meaning(found), unreadable=refused)
    earlier.forget()
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
        return replace(
            before,
            row=replace(before.row, source=row.source, path=row.path),
            instance=before.instance and replace(before.instance, source=row.source),
            annotation=before.annotation and replace(before.annotation, source=row.source),
        )
    issue = because("file/unreadable", target=row.file_id) if row.kind == "unreadable" else None
    return Scanned(row=row, issue=issue)


def _scan(
    todo: Sequence[FileRow],
    options: IndexOptions,
    roots: Sequence[Path],
    executor: Executor,
    jobs: int,
) -> Iterator[Scanned]:
    files = [FileToScan(root=str(roots[r.source]), row=r, site=options.sources[r.source].site) for r in todo]
    batches = [tuple(files[n : n + _BATCH]) for n in range(0, len(files), _BATCH)]
    for batch, outcome in zip(batches, executor.map(scan_files, batches, jobs=jobs), strict=True):
        if outcome.value is not None:
            yield from outcome.value
        else:  # a file of the batch killed the worker: find out which
            yield from _scan_alone(batch, executor)


def _scan_alone(batch: tuple[FileToScan, ...], executor: Executor) -> Iterator[Scanned]:
    singles = [(f,) for f in batch]
    for (file,), outcome in zip(singles, executor.map(scan_files, singles, jobs=1), strict=True):
        if outcome.value is not None:
            yield from outcome.value
        else:
            kind = outcome.failure.kind if outcome.failure else ""
            issue = because("file/reader-failed", target=file.row.file_id, measured=kind)
            yield Scanned(row=replace(file.row, kind="unreadable"), issue=issue)


def _write(folder: Path, found: Assembled, layout: list[LayoutRow]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
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
