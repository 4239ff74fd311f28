"""What a workspace knows of who belongs together, beyond the cases: studies, near-duplicates, aliases, dates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from isocenter.base import tables
from isocenter.base.progress import Progress, silent
from isocenter.base.workspace import Workspace
from isocenter.model.issue import Issue, Verdict
from isocenter.model.reasons import because
from isocenter.model.rows import CaseRow, Stack, SubjectRow
from isocenter.model.split import Split
from isocenter.pipeline.audited_store import descriptors_of, of_cases
from isocenter.pipeline.split_cases import rows_at
from isocenter.rules.engine import Engine
from isocenter.stages.audit.near_duplicates import compare
from isocenter.stages.split.options import NearDuplicates, SplitOptions
from isocenter.stages.split.stage import split


@dataclass(frozen=True, slots=True, kw_only=True)
class Bonds:
    """What keeps subjects together by subject, when their cases were taken, and what was seen on the way.

    Dates are days since the earliest of the cohort: dates themselves stay in the index.
    """

    links: dict[str, list[str]]
    times: dict[str, tuple[str, str]]
    issues: tuple[Issue, ...]
    people_of: Callable[[str], Iterable[str]]


def bonds_of(
    workspace: Workspace,
    cases: Iterable[CaseRow],
    options: SplitOptions,
    *,
    jobs: int = 1,
    progress: Progress = silent,
) -> Bonds:
    """Look up in the tables of index and build who belongs together."""
    packed = list(cases)
    subjects = {c.subject for c in packed}
    links: dict[str, list[str]] = defaultdict(list)
    issues = [*_dummies(workspace, subjects)]
    stacks = [s for s in _stacks(workspace) if s.subject in subjects]
    issues += _studies(stacks, links)
    if options.near_duplicates is NearDuplicates.TOGETHER:
        issues += _duplicates(workspace, packed, links, jobs, progress)
    return Bonds(
        links=dict(links),
        times=_times(workspace, stacks) if options.strategy == "temporal" else {},
        issues=tuple(issues),
        people_of=_names(workspace, stacks),
    )


def linked_files(workspace: Workspace, options: SplitOptions) -> list[Path]:
    """Files besides the cases that a split depends on, as far as they are there."""
    out = [workspace.root / "index" / f"{n}.parquet" for n in ("stacks", "subjects")]
    out += [workspace.root / "build" / "descriptors.parquet"]
    return out + ([Path(options.links)] if options.links else [])


def split_workspace(
    workspace: Workspace,
    options: SplitOptions,
    *,
    seed: int,
    previous: Split | None,
    engine: Engine,
    jobs: int = 1,
    progress: Progress = silent,
) -> Split:
    """Divide the packed cases of a workspace.

    Raises:
        ConfigError: the strategy cannot work on these cases, or the table of links fits nobody.
    """
    cases = list(tables.read(workspace.store / "cases.parquet", CaseRow))
    packed = (c for c in cases if c.verdict != Verdict.REJECT)
    bonds = bonds_of(workspace, packed, options, jobs=jobs, progress=progress)
    rows = rows_at(workspace.store, options, links=bonds.links, times=bonds.times, people_of=bonds.people_of)
    made = split(rows, options, seed=seed, previous=previous, engine=engine)
    return replace(made, issues=(*bonds.issues, *made.issues))


def _stacks(workspace: Workspace) -> Iterator[Stack]:
    path = workspace.root / "index" / "stacks.parquet"
    return tables.read(path, Stack) if path.exists() else iter(())


def _dummies(workspace: Workspace, subjects: set[str]) -> Iterator[Issue]:
    path = workspace.root / "index" / "subjects.parquet"
    if not path.exists():
        return
    found = sorted(s.id for s in tables.read(path, SubjectRow) if s.is_dummy and s.id in subjects)
    for subject in found:
        yield because("split/dummy-subject", target=subject)


def _studies(stacks: Iterable[Stack], links: dict[str, list[str]]) -> Iterator[Issue]:
    people: dict[str, set[str]] = defaultdict(set)
    for stack in stacks:
        people[stack.study].add(stack.subject)
    for study, found in sorted(people.items()):
        if study and len(found) > 1:
            for subject in sorted(found):
                links[subject].append(f"study {study}")
            yield because(
                "split/shared-study",
                target=min(found),
                measured=f"{len(found)} subjects",
                expected="1 subject",
            )


def _duplicates(
    workspace: Workspace,
    cases: Iterable[CaseRow],
    links: dict[str, list[str]],
    jobs: int,
    progress: Progress,
) -> Iterator[Issue]:
    if not (workspace.root / "build" / "descriptors.parquet").exists():
        return
    subject_of = {c.id: c.subject for c in cases}
    seen: dict[tuple[str, str], str] = {}
    found = compare(descriptors_of(workspace.store, workspace, progress), jobs=jobs, progress=progress)
    if found.dropped:
        yield because("audit/pairs-not-compared", measured=f"{found.dropped} pairs")
    for pair in of_cases(found.pairs):
        a, b = sorted((subject_of.get(pair.a, ""), subject_of.get(pair.b, "")))
        if a and a != b:
            seen.setdefault((a, b), pair.kind)
    for (a, b), kind in sorted(seen.items()):
        for subject in (a, b):
            links[subject].append(f"likeness {a} {b}")
        yield because("split/near-duplicates", target=a, measured=f"{kind}: {b}")


def _times(workspace: Workspace, stacks: Iterable[Stack]) -> dict[str, tuple[str, str]]:
    """Days of the first and the last stack of each subject, counted from the earliest."""
    path = workspace.root / "index" / "instances.parquet"
    if not path.exists():
        return {}
    columns = tables.read_table(path, ["file_id", "study_date"])
    days: dict[str, int] = {}
    for file, text in zip(columns["file_id"].to_pylist(), columns["study_date"].to_pylist(), strict=True):
        if text and (day := _day(text)) is not None:
            days[file] = day
    found: dict[str, set[int]] = defaultdict(set)
    for stack in stacks:
        found[stack.subject] |= {days[f] for f in stack.files[:1] if f in days}
    start = min((d for ds in found.values() for d in ds), default=0)
    return {s: (str(min(ds) - start), str(max(ds) - start)) for s, ds in found.items() if ds}


def _day(text: str) -> int | None:
    """A DICOM date (PS3.5 6.2, DA: YYYYMMDD) as a number of days."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()
    except ValueError:
        return None


def _names(workspace: Workspace, stacks: Iterable[Stack]) -> Callable[[str], Iterable[str]]:
    """The subjects behind a name as the archive has it: its pseudonym for every issuer and site that there are."""
    path = workspace.root / "index" / "instances.parquet"
    issuers = {""}
    if path.exists():
        issuers |= {
            i or "" for i in tables.read_table(path, ["patient_id_issuer"])["patient_id_issuer"].to_pylist()
        }
    sites = {s.site for s in stacks} | {""}
    if not (workspace.root / "secret.key").exists():
        return lambda _name: ()
    pseudonyms = workspace.pseudonyms()
    return lambda name: [pseudonyms.of("sub", i, name, s) for i in sorted(issuers) for s in sorted(sites)]
