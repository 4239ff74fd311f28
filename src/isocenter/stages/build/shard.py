"""One shard: the unit of work; its records are built or kept, sealed, and then its rows are written."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isocenter.base import tables
from isocenter.base.digests import digest_of
from isocenter.base.files import read_json, write_json
from isocenter.base.outcome import failure_of
from isocenter.model.descriptor_rows import DescriptorRow
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import AgreementRow, CaseRow, OpinionRow, PerformanceRow, PreviewRow
from isocenter.rules.engine import Engine
from isocenter.stages.build.case import Built, CasePlan, build_case, rejected
from isocenter.stages.build.options import BuildOptions
from isocenter.stages.build.previews import previews_again, window_of
from isocenter.stores.layout import LAYOUT_VERSION, record_of, without_arrays
from isocenter.stores.shard import BACKENDS

VERSION = 6
PARTS: dict[str, type[Any]] = {
    "cases": CaseRow,
    "issues": Issue,
    "agreements": AgreementRow,
    "performances": PerformanceRow,
    "opinions": OpinionRow,
    "previews": PreviewRow,
    "descriptors": DescriptorRow,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardPlan:
    """What a worker needs to make one shard: the cases in the order of their ids.

    `deadly` are those that killed a worker; they are not tried again in this run.
    """

    number: int
    path: str
    parts: str
    cases: tuple[CasePlan, ...]
    spacing_mm: tuple[float, ...]
    options: BuildOptions
    deadly: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Digest of everything that the shard's bytes depend on."""
        return digest_of([_form(self), [(c.planned.id, c.planned.digest) for c in self.cases]])

    @property
    def shown(self) -> str:
        """Digest of how previews are shown, on which no byte of the shard depends."""
        return digest_of(window_of(self.options.contract))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardResult:
    """What a worker did: counts of cases, and the places where unforeseen errors struck."""

    number: int
    built: int
    kept: int
    rejected: int
    crashes: tuple[tuple[str, str], ...] = ()


def is_done(plan: ShardPlan) -> bool:
    """Whether a shard was sealed from the same plan, and is still there."""
    mark = Path(plan.parts) / "done.json"
    if not mark.exists():
        return False
    done = read_json(mark)
    return bool(
        done["key"] == plan.key
        and done["shown"] == plan.shown
        and not done["unsettled"]
        and (not done["records"] or _is_whole(Path(plan.path), done["bytes"]))
    )


def _is_whole(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size == size


def build_shard(plan: ShardPlan) -> ShardResult:
    """Make one shard: records whose plan is unchanged are copied, the others are built."""
    engine = Engine(plan.options.screen)
    folder, path = Path(plan.parts), Path(plan.path)
    kept_rows = _kept(plan, folder, path)
    is_shown = not kept_rows or read_json(folder / "done.json")["shown"] == plan.shown
    # before the file changes: an old mark must not vouch for it
    (folder / "done.json").unlink(missing_ok=True)
    crashes: list[tuple[str, str]] = []
    rows: list[CaseRow] = []
    fresh: list[Built] = []
    with BACKENDS.get(plan.options.backend).create(path, chunk=_chunk(plan)) as writer:
        for case in plan.cases:
            known = kept_rows.get(case.planned.id)
            if known is not None:
                rows.append(known)
                if known.verdict != "reject":
                    writer.keep(path, known.id)
                continue
            built = _build(case, plan, engine, crashes)
            if built.case is not None:
                record = record_of(built.case)
                writer.put(record)
                built.row = replace(built.row, digest=digest_of(record.meta))
                built.case = without_arrays(built.case)  # written: let go
            fresh.append(built)
            rows.append(built.row)
    previews = None if is_shown else _redrawn(plan, kept_rows)
    _write_parts(plan, rows, fresh, set(kept_rows), previews)
    return ShardResult(
        number=plan.number,
        built=sum(b.case is not None for b in fresh),
        kept=len(kept_rows),
        rejected=sum(b.case is None for b in fresh),
        crashes=tuple(crashes),
    )


def _chunk(plan: ShardPlan) -> tuple[int, int, int]:
    k, j, i = plan.options.chunk
    return k, j, i


def _build(case: CasePlan, plan: ShardPlan, engine: Engine, crashes: list[tuple[str, str]]) -> Built:
    if case.planned.id in plan.deadly:
        return rejected(case, plan.options, [because("build/worker-died", measured="killed")])
    try:
        return build_case(case, plan.options, plan.spacing_mm, engine)
    except Exception as error:  # noqa: BLE001 - one case must not cost the others; the error is told
        failure = failure_of(error)
        crashes.append((failure.kind, failure.where))
        return rejected(case, plan.options, [because("build/failed", measured=failure.kind)])


def _kept(plan: ShardPlan, folder: Path, path: Path) -> dict[str, CaseRow]:
    """Rows of the cases whose record, or rejection, an earlier run made from the same plan."""
    mark = folder / "done.json"
    if not mark.exists():
        return {}
    done = read_json(mark)
    if done["form"] != _form(plan) or (done["records"] and not _is_whole(path, done["bytes"])):
        return {}
    before = {r.id: r for r in tables.read(folder / "cases.parquet", CaseRow)}
    wanted = {c.planned.id: c.planned.digest for c in plan.cases}
    again = set(done["unsettled"])
    return {i: r for i, r in before.items() if wanted.get(i) == r.plan and i not in again}


def _form(plan: ShardPlan) -> str:
    form = tables.form_of(*PARTS.values())
    return digest_of([VERSION, LAYOUT_VERSION, form, plan.options.backend, plan.options.chunk])


def _redrawn(plan: ShardPlan, kept: dict[str, CaseRow]) -> list[PreviewRow]:
    """Previews of records that were kept, where they are to be shown otherwise than before."""
    packed = sorted(r.id for r in kept.values() if r.verdict != "reject")
    if not packed:
        return []
    before = list(tables.read(Path(plan.parts) / "previews.parquet", PreviewRow))
    by_case = {i: [p for p in before if p.case == i] for i in packed}
    with closing(BACKENDS.get(plan.options.backend).open(Path(plan.path), cache_bytes=0)) as reader:
        return [p for i in packed for p in previews_again(by_case[i], reader, plan.options.contract)]


def _write_parts(
    plan: ShardPlan,
    rows: list[CaseRow],
    fresh: list[Built],
    kept: set[str],
    redrawn: list[PreviewRow] | None,
) -> None:
    """Write the shard's rows, then its mark; a shard without records leaves no file.

    `redrawn` are the previews of what was kept, unless those that are there already hold.
    """
    folder, path = Path(plan.parts), Path(plan.path)
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[Any]] = {
        "cases": list(rows),
        "issues": [i for b in fresh for i in b.issues],
        "agreements": [a for b in fresh for a in b.agreements],
        "performances": [p for b in fresh for p in b.performances],
        "opinions": [o for b in fresh for o in b.opinions],
        "previews": [*(redrawn or ()), *(p for b in fresh for p in b.previews)],
        "descriptors": [d for b in fresh for d in b.descriptors],
    }
    owners = {"issues": "target"} | dict.fromkeys(
        ("agreements", "performances", "opinions", "previews", "descriptors"), "case"
    )
    for name, owner in owners.items():
        part = folder / f"{name}.parquet"
        holds = name != "previews" or redrawn is None
        if kept and holds and part.exists():
            found[name] += [r for r in tables.read(part, PARTS[name]) if getattr(r, owner) in kept]
        found[name].sort(key=str)
    for name, kind in PARTS.items():
        tables.write(folder / f"{name}.parquet", kind, found[name])
    records = sum(r.verdict != "reject" for r in rows)
    unsettled = sorted({i.target for b in fresh for i in b.issues if b.case is None and _is_passing(i)})
    if not records:
        path.unlink(missing_ok=True)
    size = path.stat().st_size if records else 0
    write_json(
        folder / "done.json",
        {
            "key": plan.key,
            "form": _form(plan),
            "shown": plan.shown,
            "records": records,
            "bytes": size,
            "unsettled": unsettled,
        },
    )


def _is_passing(issue: Issue) -> bool:
    """Whether what cost a case lies in the hour, not in the data: the next run tries again."""
    return issue.rule in {"file/changed", "file/unreadable", "build/worker-died"} or (
        issue.rule == "build/failed" and issue.measured == "MemoryError"
    )


def unsettled(plan: ShardPlan) -> int:
    """How many cases of a finished shard the next run is to try again."""
    return len(read_json(Path(plan.parts) / "done.json")["unsettled"])


def try_case(plan: ShardPlan) -> None:
    """Build one case and keep nothing: whoever runs this learns whether it kills a worker."""
    engine = Engine(plan.options.screen)
    for case in plan.cases:
        _build(case, plan, engine, [])


def drop_shard(folder: Path, path: Path) -> None:
    """Remove a shard that no case goes to any more."""
    path.unlink(missing_ok=True)  # first: without its folder nobody would know of the file
    shutil.rmtree(folder, ignore_errors=True)
