"""Summary: the closing sentences of a run, for a person who wants to know what to do next."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from isocenter.base import tables
from isocenter.model.issue import Verdict
from isocenter.model.rows import CaseRow, FileOutcome
from isocenter.model.split import Split
from isocenter.pipeline.account import totals
from isocenter.pipeline.forecast import forecast_of, size_text
from isocenter.pipeline.stages import Context
from isocenter.stores.splits import read_split, split_names


class _Result(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def counts(self) -> object: ...


def summarise(
    context: Context,
    outcomes: Sequence[FileOutcome],
    stages: Sequence[_Result],
    gate: str | None,
    *,
    is_dry: bool,
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Counts for machines and sentences for people."""
    by_state = totals(outcomes)
    counts = {"files": len(outcomes), **{s: sum(r.values()) for s, r in by_state.items()}}
    lines = [_files(counts, by_state)]
    if (is_dry and "enrol" in _runs(stages)) or _runs(stages) == ["index", "screen", "enrol"]:
        lines += forecast_of(context).lines()
    if "build" in _runs(stages):
        found, more = _cases(context)
        counts |= found
        lines += more
    if "split" in _runs(stages) and gate is None:
        lines += _split(context)
    if stages and all(s.state == "fresh" for s in stages):
        lines.append("Nothing had changed since the last run, so nothing was done.")
    if gate is not None:
        lines.append(f"Stopped at a gate: {gate}")
    else:
        lines += _next_steps(context, _runs(stages))
    return counts, tuple(lines)


def _runs(stages: Sequence[_Result]) -> list[str]:
    return [s.name for s in stages]


def _files(counts: dict[str, int], by_state: dict[str, dict[str, int]]) -> str:
    parts = [f"{counts[s]} {s}{_top(by_state[s]) if s != 'used' else ''}" for s in by_state]
    return f"{counts['files']} files = {' + '.join(parts)}"


def _top(reasons: dict[str, int]) -> str:
    shown = list(reasons.items())[:5]
    rest = sum(reasons.values()) - sum(n for _, n in shown)
    texts = [f"{name} {n}" for name, n in shown] + ([f"others {rest}"] if rest else [])
    return f" ({', '.join(texts)})" if texts else ""


_STATES = ("positive", "negative", "partial", "unknown", "failed")


def _cases(context: Context) -> tuple[dict[str, int], list[str]]:
    done = context.workspace.done("build")
    if done is None:
        return {}, []
    counts = {f"cases_{k}": done["counts"][k] for k in ("packed", "keep", "review", "reject")}
    rows = list(tables.read(context.workspace.store / "cases.parquet", CaseRow))
    kept = f"{counts['cases_keep']} keep, {counts['cases_review']} to review"
    size = f"{size_text(done['counts']['bytes'])} in {done['counts']['shards']} shards"
    lines = [f"{counts['cases_packed']} cases packed ({kept}), {counts['cases_reject']} rejected; {size}."]
    states: Counter[tuple[str, str]] = Counter((s.label, s.state) for r in rows for s in r.labels)
    for label in context.contract.labels:
        parts = [f"{states[label, s]} {s}" for s in _STATES if states[label, s]]
        lines.append(f"Label {label}: {', '.join(parts) or 'no case'}.")
    sites = Counter(r.site for r in rows)
    lines.append(f"Sites: {', '.join(f'{s} {n}' for s, n in sorted(sites.items()))}.")
    return counts, lines


def _split(context: Context) -> list[str]:
    store, name = context.workspace.store, context.config.split.name
    if name not in split_names(store):
        return []
    found = read_split(store, name)
    present = [r for r in found.rows if r.is_present]
    held = {c.id for c in tables.read(store / "cases.parquet", CaseRow) if c.verdict == Verdict.REVIEW}
    parts = []
    for partition in found.fractions:
        rows = [r for r in present if r.partition == partition]
        cases = {c for r in rows for c in r.cases}
        waiting = f", {len(cases & held)} of them to review" if cases & held else ""
        parts.append(f"{partition} {len(rows)} subjects ({len(cases)} cases{waiting})")
    kept = "".join(f"; {w.subjects} subjects placed before by {w.strategy}" for w in found.earlier)
    told = [i.message for i in found.issues if i.rule == "split/kept-places"]
    return [f"Split {name} ({found.strategy}{kept}): {', '.join(parts)}.", *certified(found), *told]


def certified(split: Split) -> list[str]:
    """What a split's certificate says, in a line or two."""
    found = split.certificate
    if found is None:
        return []
    counted = f"{found.subjects:,} subjects in {found.groups:,} groups"
    head = (
        f"Certificate: nobody, no group and no case in two partitions ({counted}); cohort {found.cohort}."
        if found.holds
        else f"NO CERTIFICATE: {found.subjects_twice} subjects, {found.groups_divided} groups and "
        f"{found.cases_twice} cases are in two partitions ({counted})."
    )
    labels = [d for d in found.deviations if d.kind == "label"]
    worst = max(labels, key=lambda d: d.off, default=None)
    off = []
    if worst:
        at = f"{worst.name} in {worst.partition}, {worst.count} of {worst.target:.1f} subjects"
        off = [f"Largest deviation of a label: {at}; whole people allow no less than {worst.least:.1f} off."]
    given = found.optimum.given if found.optimum else ""
    only = [f"What is proved of the best holds {given}."] if given else []
    return [head, *off, *only, *(f"In the way: {o}." for o in found.obstacles)]


def train_line(root: str, store: Path, name: str) -> str:
    """How to make the data set of a workspace that is trained with, as Python takes it."""
    rows = read_split(store, name).rows if name in split_names(store) else ()
    split = "" if name == "default" else f', split="{name}"'
    fold = ", fold=0" if any(r.partition.startswith("fold-") for r in rows) else ""
    return f'isocenter.dataset("{root}/store", "train"{split}{fold}, patch=(32, 64, 64))'


def _next_steps(context: Context, ran: list[str]) -> list[str]:
    root = Path(os.path.relpath(context.workspace.root)).as_posix()
    if "report" in ran:
        done = context.workspace.done("build")
        held = done["counts"]["review"] if done else 0
        review = (
            f"Review: isocenter review --workspace {root} lists the {held} that wait for a person, and why."
        )
        return [
            *([review] if held else []),
            f"Report: {root}/report.html. Data set: {root}/store.",
            f"Train: {train_line(root, context.workspace.store, context.config.split.name)}.",
            f"Why: isocenter explain FILE-or-CASE --workspace {root} says what became of any of them.",
        ]
    return []
