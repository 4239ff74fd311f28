"""Build: planned cases become packed records: one pass per case, a map over shards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from isocenter import __version__
from isocenter.base import tables
from isocenter.base.errors import RunError
from isocenter.base.files import located
from isocenter.base.outcome import Failure, Outcome
from isocenter.base.progress import Progress, follow
from isocenter.base.workspace import Workspace
from isocenter.executors.executor import Executor
from isocenter.imaging.bias_field import BIAS_FIELDS
from isocenter.imaging.resample import BACKGROUNDS
from isocenter.imaging.windows import WINDOWS
from isocenter.model.issue import Verdict
from isocenter.model.rows import CaseRow, FileRow, PlannedCase, Stack
from isocenter.stages.build.case import CasePlan
from isocenter.stages.build.images import SourceFile
from isocenter.stages.build.options import BuildOptions
from isocenter.stages.build.shard import (
    PARTS,
    ShardPlan,
    ShardResult,
    build_shard,
    drop_shard,
    is_done,
    try_case,
    unsettled,
)
from isocenter.stores.manifest import CASES, Manifest, sealed, shard_name, unseal, write_manifest

STAGE = "build"
VERSION = 5


def build(
    options: BuildOptions,
    workspace: Workspace,
    *,
    roots: tuple[Path, ...],
    executor: Executor,
    jobs: int,
    progress: Progress,
) -> dict[str, int]:
    """Build every planned case that is new or changed, and seal the store.

    Args:
        options: Contract, grid, values, store layout.
        workspace: Where the plan is read and the store is written.
        roots: Folders of the sources.
        executor: Where shards are made.
        jobs: How many at once.
        progress: Called after every shard.

    Returns:
        Counts: cases, packed, keep, review, reject, built, kept, shards, bytes.
    """
    if options.standardise.bias_field != "none":
        BIAS_FIELDS.get(
            options.standardise.bias_field
        )  # what is not installed is told before anything is built
    enrol = workspace.done("enrol")
    key = workspace.key_of(
        STAGE,
        VERSION,
        tables.form_of(*PARTS.values()),
        options,
        enrol and [enrol["key"], enrol["shards"], enrol["spacing"]],
    )
    done = workspace.done(STAGE)
    is_whole = (workspace.store / "manifest.json").exists()
    if done is not None and done["key"] == key and not done["unsettled"] and is_whole:
        return {**done["counts"], "built": 0, "kept": done["counts"]["packed"]}
    plans = _plans(options, workspace, roots)
    folder = workspace.start(STAGE)
    (workspace.store / "shards").mkdir(parents=True, exist_ok=True)
    unseal(workspace.store)
    todo = [p for p in plans if not is_done(p)]
    results = list(_run(todo, executor, jobs, progress, workspace))
    _drop_others(plans, folder, workspace, options)
    rows = _gather(plans, folder)
    # the store says what is in it, not from which files and times it was made
    packed = sorted((replace(r, plan="") for r in rows if r.verdict != Verdict.REJECT), key=lambda r: r.id)
    tables.write(workspace.store / CASES, CaseRow, packed)
    _seal(options, workspace, plans, packed)
    verdicts = Counter(r.verdict for r in rows)
    built = sum(r.built for r in results)
    counts = {
        "cases": len(rows),
        "packed": len(packed),
        **{v.value: verdicts[v.value] for v in Verdict},
        "shards": len(plans),
        "bytes": sum(Path(p.path).stat().st_size for p in plans if Path(p.path).exists()),
        "crashes": sum(len(r.crashes) for r in results),
    }
    workspace.finish(STAGE, key, counts=counts, unsettled=sum(map(unsettled, plans)))
    return {**counts, "built": built, "kept": len(packed) - built}


def _plans(options: BuildOptions, workspace: Workspace, roots: tuple[Path, ...]) -> list[ShardPlan]:
    enrol = workspace.done("enrol") or {}
    files = {r.file_id: r for r in tables.read(workspace.table("index", "files"), FileRow)}
    stacks = {s.id: s for s in tables.read(workspace.table("index", "stacks"), Stack)}
    by_shard: dict[int, list[PlannedCase]] = {}
    for case in tables.read(workspace.table("enrol", "cases"), PlannedCase):
        if case.is_to_build:
            by_shard.setdefault(case.shard, []).append(case)
    return [
        ShardPlan(
            number=number,
            path=str(workspace.store / shard_name(options.backend, number)),
            parts=str(workspace.root / STAGE / "shards" / f"{number:05}"),
            cases=tuple(
                _case_plan(c, stacks, files, roots, options) for c in sorted(cases, key=lambda c: c.id)
            ),
            spacing_mm=tuple(enrol.get("spacing", ())),
            options=options,
        )
        for number, cases in sorted(by_shard.items())
    ]


def _case_plan(
    case: PlannedCase,
    stacks: dict[str, Stack],
    files: dict[str, FileRow],
    roots: tuple[Path, ...],
    options: BuildOptions,
) -> CasePlan:
    own = {c.name: stacks[c.stack] for c in case.channels if c.stack}
    own = {n: _typed(s, options.contract.channels[n].modality) for n, s in own.items()}
    needed = [f for s in own.values() for f in s.files] + [a.file_id for a in case.annotations if a.file_id]
    return CasePlan(planned=case, stacks=own, files={f: _source_file(files[f], files, roots) for f in needed})


def _source_file(row: FileRow, files: dict[str, FileRow], roots: tuple[Path, ...]) -> SourceFile:
    return SourceFile(
        path=str(located(roots[row.source], row.path)),
        size=row.size,
        mtime_ns=row.mtime_ns,
        beside=_source_file(files[row.data_file], files, roots) if row.data_file else None,
    )


def _typed(stack: Stack, modality: str) -> Stack:
    return stack if stack.modality else replace(stack, modality=modality)


def _run(
    todo: list[ShardPlan], executor: Executor, jobs: int, progress: Progress, workspace: Workspace
) -> Iterator[ShardResult]:
    """Make the shards; a case that kills its worker is found, told and left out, and the others go on."""
    cases = sum(len(p.cases) for p in todo)
    outcomes = zip(todo, executor.map(build_shard, todo, jobs=jobs), strict=True)

    def case_by_case() -> Iterator[ShardResult | None]:
        for plan, outcome in outcomes:
            is_dead = outcome.failure is not None and outcome.failure.kind == "WorkerDied"
            made = _without_deadly(plan, executor) if is_dead else outcome
            if made.value is None:
                failure = made.failure or Failure("", "")
                workspace.log.write("shard-failed", shard=plan.number, kind=failure.kind, where=failure.where)
                reason = failure.message or failure.kind
                raise RunError(
                    f"shard {plan.number} could not be made: {reason}; run again to go on from here"
                )
            for kind, where in made.value.crashes:
                workspace.log.write("crash", kind=kind, where=where, shard=plan.number)
            yield made.value
            yield from (None for _ in plan.cases[1:])

    for result in follow(case_by_case(), progress, stage=STAGE, total=cases, unit="cases"):
        if result is not None:
            yield result


def _without_deadly(plan: ShardPlan, executor: Executor) -> Outcome[ShardResult]:
    """Make a shard whose worker was killed: each case is tried alone, and those that kill are left out."""
    singles = [replace(plan, cases=(c,)) for c in plan.cases]
    tried = zip(plan.cases, executor.map(try_case, singles, jobs=1), strict=True)
    deadly = tuple(c.planned.id for c, outcome in tried if outcome.failure is not None)
    return next(iter(executor.map(build_shard, [replace(plan, deadly=deadly)], jobs=1)))


def _drop_others(plans: list[ShardPlan], folder: Path, workspace: Workspace, options: BuildOptions) -> None:
    """Remove shards of an earlier plan that no case goes to any more, and files of another backend."""
    wanted = {Path(p.parts).name for p in plans}
    for part in sorted((folder / "shards").glob("*")) if (folder / "shards").exists() else ():
        if part.name not in wanted:
            drop_shard(part, workspace.store / shard_name(options.backend, int(part.name)))
    files = {Path(p.path).name for p in plans}
    for stray in sorted((workspace.store / "shards").iterdir()):
        if stray.name not in files:
            stray.unlink()


def _gather(plans: list[ShardPlan], folder: Path) -> list[CaseRow]:
    """Put the shards' rows together as the tables of the stage."""
    rows: list[CaseRow] = []
    for name, kind in PARTS.items():
        found: list[Any] = [r for p in plans for r in tables.read(Path(p.parts) / f"{name}.parquet", kind)]
        tables.write(folder / f"{name}.parquet", kind, found)
        if name == "cases":
            rows = [r for r in found if isinstance(r, CaseRow)]
    return rows


def _seal(options: BuildOptions, workspace: Workspace, plans: list[ShardPlan], packed: list[CaseRow]) -> None:
    """Write the manifest, which makes the store one that opens."""
    contract, standardise = options.contract, options.standardise
    enrol = workspace.done("enrol") or {}
    filled = {r.shard for r in packed}
    names = [shard_name(options.backend, p.number) for p in plans if p.number in filled]
    hounsfield = {n for n, c in contract.channels.items() if c.modality == "CT"}
    manifest = Manifest(
        name=options.name,
        task=contract,
        backend=options.backend,
        shards=int(enrol.get("shards", 1)),
        chunk=options.chunk,
        orientation=standardise.orientation,
        spacing_mm=tuple(enrol.get("spacing", ())) or None,
        hu_range=standardise.hu_range,
        standardise=standardise.conventions(),
        background={n: BACKGROUNDS["HU"] if n in hounsfield else 0.0 for n in contract.channels},
        windows={n: tuple(WINDOWS[w] for w in c.windows) for n, c in contract.channels.items()},
        files=tuple(sealed(workspace.store, n) for n in sorted([CASES, *names])),
        version=__version__,
    )
    write_manifest(workspace.store, manifest)
