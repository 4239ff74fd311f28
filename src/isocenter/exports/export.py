"""Export a store: its cases in the layout of another tool, with geometry, labels, split and what is not known."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from isocenter.base.digests import digest_of, digest_of_bytes
from isocenter.base.errors import ConfigError, RunError
from isocenter.base.files import write_text
from isocenter.base.outcome import Outcome
from isocenter.base.progress import Progress, follow, silent
from isocenter.executors.executor import EXECUTORS
from isocenter.exports.ledger import DOCUMENTS, Entry, Ledger, Written, ledger_of
from isocenter.exports.selected import Selected, select
from isocenter.exports.target import TARGETS, Labels, Plan
from isocenter.exports.writing import Work, forget, labels_together, write_case
from isocenter.stores.manifest import NAME as MANIFEST
from isocenter.stores.store import Store

Item = TypeVar("Item")
Result = TypeVar("Result")

_FORM = 1
"""Goes up when the same case would be written with other bytes."""
_EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export wrote.

    Args:
        folder: Where to.
        target: The layout.
        cases: Cases by part of the split.
        written: How many of them were written now; the others were there already.
        files: Files of the whole export.
        bytes: Their bytes.
        left_out: How many cases of the store are not in it, and why.
        notes: What a person should know of it.
    """

    folder: Path
    target: str
    cases: dict[str, int]
    written: int
    files: int
    bytes: int
    left_out: dict[str, int]
    notes: tuple[str, ...]


def export(
    store: str | os.PathLike[str] | Store,
    *,
    to: str,
    out: str | os.PathLike[str],
    split: str = "default",
    labels: Sequence[str] | None = None,
    review: str = "exclude",
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write a packed data set in the layout of another tool; nothing is written of cases outside the split.

    An export that was stopped goes on where it was, and a later one into the same folder writes only what has changed.

    Args:
        store: A store, its folder, or a workspace that holds one.
        to: The layout: monai, nifti or nnunet, or one of another package.
        out: The folder; it is new, empty, or holds an earlier export.
        split: Name of the split that divides the cases.
        labels: The labels to export, all of which something is known by default; the others become background.
        review: "exclude" or "include" the cases that wait for a decision.
        jobs: How many processes at once; one per core by default.
        progress: Called after each case.

    Raises:
        ConfigError: the layout cannot hold these labels or this task, there is nothing to export, or the folder holds
            something else or is not called as the layout asks for.
        UnknownPlugin: no such layout.
        StoreError: the store cannot be used.
        RunError: cases could not be written; the others were, and the next call goes on with these.
    """
    target = TARGETS.get(to)
    forget()
    path = store.path if isinstance(store, Store) else _root(Path(store))
    opened = Store(path, verify="read")
    crew = _Crew(jobs or os.cpu_count() or 1, progress or silent)
    folder = Path(out)
    found = select(opened, opened.split(split), review=review, labels=labels)
    selected = replace(found, folder=folder.absolute().name)
    seal = digest_of_bytes((opened.path / MANIFEST).read_bytes())
    plan = target.plan(selected, functools.partial(_survey, selected, seal, crew))
    _check_paths(plan)
    with ledger_of(folder) as ledger:
        written = _write(selected, plan, folder, seal, ledger, crew)
        return _told(selected, plan, folder, to, ledger, written)


@dataclass(frozen=True, slots=True)
class _Crew:
    """How many processes work, and who is told of it."""

    jobs: int
    progress: Progress

    def each(self, function: Callable[[Item], Result], items: list[Item]) -> Iterator[Outcome[Result]]:
        """Outcomes in the order of the items."""
        jobs = max(1, min(self.jobs, len(items)))
        executor = EXECUTORS.get("processes" if jobs > 1 else "serial")
        outcomes = executor.map(function, items, jobs=jobs)
        return follow(outcomes, self.progress, stage="export", total=len(items), unit="cases")


def _root(path: Path) -> Path:
    """The store itself, where a workspace was named."""
    inside = path / "store"
    return inside if not (path / MANIFEST).exists() and inside.is_dir() else path


def _survey(selected: Selected, seal: str, crew: _Crew) -> frozenset[Labels]:
    """The labels that voxels have together, in all masks."""
    function = functools.partial(labels_together, str(selected.store.path), seal, selected.labels)
    ids = [c.row.id for c in selected.cases]
    found: set[Labels] = set()
    failed: list[tuple[str, str]] = []
    for case, outcome in zip(ids, crew.each(function, ids), strict=True):
        if outcome.value is None:
            failed.append((case, _why(outcome)))
        else:
            found |= outcome.value
    _stop_at(failed)
    return frozenset(found)


def _write(selected: Selected, plan: Plan, folder: Path, seal: str, ledger: Ledger, crew: _Crew) -> int:
    """Write what is not there, take away what is no longer part of it, and describe it all last; how many were written."""
    ledger.drop(DOCUMENTS)
    work = [w for w in _work(selected, plan, folder, seal) if not ledger.has(w.case, w.key)]
    failed = []
    for item, outcome in zip(work, crew.each(write_case, work), strict=True):
        if outcome.value is None:
            failed.append((item.case, _why(outcome)))
        else:
            ledger.add(outcome.value)
    _stop_at(failed)
    for case in sorted(set(ledger.entries) - set(plan.files)):
        ledger.drop(case)
    for name in plan.folders:
        (folder / name).mkdir(parents=True, exist_ok=True)
    ledger.add(Entry(case=DOCUMENTS, key="", files=tuple(_describe(plan, folder))))
    ledger.settle()
    return len(work)


def _work(selected: Selected, plan: Plan, folder: Path, seal: str) -> Iterator[Work]:
    values = {n: label.value for n, label in selected.contract.labels.items()}
    for case in selected.cases:
        if case.row.id in plan.files:
            files = plan.files[case.row.id]
            yield Work(
                store=str(selected.store.path),
                seal=seal,
                folder=str(folder),
                case=case.row.id,
                labels=selected.labels,
                key=digest_of([_FORM, case.row.digest, values, selected.labels, files]),
                files=files,
            )


def _describe(plan: Plan, folder: Path) -> Iterator[Written]:
    for name, text in sorted(plan.documents.items()):
        data = text.encode()
        write_text(folder / name, text)
        yield Written(name=name, bytes=len(data), digest=digest_of_bytes(data))


def _check_paths(plan: Plan) -> None:
    """Two files of one name, also where a file system takes A for a, would overwrite each other."""
    paths = [*plan.documents, *(f.path for files in plan.files.values() for f in files)]
    twice = [p for p, n in Counter(p.lower() for p in paths).items() if n > 1]
    if twice:
        raise ConfigError(f"two files of the export would be called {twice[0]}")


def _stop_at(failed: Iterable[tuple[str, str]]) -> None:
    found = list(failed)
    if found:
        first = "; ".join(f"{case}: {why}" for case, why in found[:_EXAMPLES])
        more = f" and {len(found) - _EXAMPLES} more" if len(found) > _EXAMPLES else ""
        raise RunError(f"{len(found)} cases could not be exported: {first}{more}")


def _why(outcome: Outcome[Result]) -> str:
    failure = outcome.failure
    return "" if failure is None else failure.message or f"{failure.kind} in {failure.where}"


def _told(
    selected: Selected, plan: Plan, folder: Path, target: str, ledger: Ledger, written: int
) -> Exported:
    counts = Counter(c.partition for c in selected.cases if c.row.id in plan.files)
    files = [f for entry in ledger.entries.values() for f in entry.files]
    return Exported(
        folder=folder,
        target=target,
        cases=dict(sorted(counts.items())),
        written=written,
        files=len(files),
        bytes=sum(f.bytes for f in files),
        left_out=dict(sorted((Counter(selected.left_out) + Counter(plan.left_out.values())).items())),
        notes=(*selected.notes, *plan.notes),
    )
