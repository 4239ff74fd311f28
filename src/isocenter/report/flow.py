"""Flow: how many files, stacks and cases went on at each gate, and why the others did not (after STARD 2015)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from isocenter.model.issue import Issue, Severity, Verdict
from isocenter.model.rows import FileOutcome, PlannedCase, Stack
from isocenter.report.facts import NOT_JUDGED, ReportFacts
from isocenter.report.text import counted

NOT_WANTED = "enrol/not-wanted"
NO_REASON = "no reason recorded"
_GRAVITY = {Severity.REJECT: 0, Severity.REVIEW: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is left after a gate, and what left there: `exits` are counts by reason in `exit_unit`."""

    title: str
    count: int
    note: str = ""
    exit_title: str = ""
    exit_unit: str = ""
    exits: tuple[tuple[str, int], ...] = ()

    @property
    def n_exits(self) -> int:
        """How many left before the next step."""
        return sum(n for _, n in self.exits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The steps as far as the run came, and the partitions: name, subjects, cases."""

    steps: tuple[Step, ...] = ()
    partitions: tuple[tuple[str, int, int], ...] = ()


@dataclass(slots=True)
class _Ledger:
    """Look-ups that every gate needs."""

    by_target: dict[str, list[Issue]] = field(default_factory=dict)
    outcome: dict[str, FileOutcome] = field(default_factory=dict)

    def reason(self, targets: Iterable[str], files: Iterable[str] = (), *, grave_only: bool = False) -> str:
        """The one rule that a target's exit is put down to: its gravest issue, else its files' own reason."""
        issues = [i for t in targets for i in self.by_target.get(t, ())]
        if grave_only:
            issues = [i for i in issues if i.severity == Severity.REJECT]
        else:
            for file in files:
                if (outcome := self.outcome.get(file)) and outcome.state in {"held", "excluded"}:
                    return outcome.reason
        ranked = sorted(issues, key=lambda i: (_GRAVITY.get(i.severity or Severity.NOTE, 3), i.rule))
        if ranked:
            return ranked[0].rule
        return next((o.reason for f in files if (o := self.outcome.get(f)) and o.state != "used"), NO_REASON)


def flow_of(facts: ReportFacts) -> Flow:
    """The whole flow, as far as the tables reach."""
    ledger = _Ledger(outcome={o.file_id: o for o in facts.outcomes or ()})
    for issue in facts.issues or ():
        ledger.by_target.setdefault(issue.target, []).append(issue)
    steps = []
    if facts.kinds is not None:
        steps.append(_files(facts, facts.kinds))
    if facts.stacks is not None:
        steps += _stacks(facts, facts.stacks, ledger)
    if facts.planned is not None:
        steps += _planned(facts, facts.planned, ledger)
    if facts.cases is not None:
        held = sum(c.verdict == Verdict.REVIEW for c in facts.cases)
        note = f"{held:,} of them to review" if held else ""
        steps.append(Step(title="Cases packed", count=len(facts.cases), note=note))
    return Flow(steps=tuple(steps), partitions=_partitions(facts))


def _files(facts: ReportFacts, kinds: Mapping[str, int]) -> Step:
    total = sum(kinds.values())
    if facts.stacks is None or facts.outcomes is None:
        return Step(title="Files found", count=total)
    in_stacks = {f for s in facts.stacks for f in s.files}
    exits: Counter[str] = Counter()
    n_annotations = 0
    for outcome in facts.outcomes:
        if outcome.file_id in in_stacks:
            continue
        if outcome.state == "used":
            n_annotations += 1
        else:
            exits[f"{outcome.state}: {outcome.reason}"] += 1
    if lost := total - len(facts.outcomes):
        exits[NO_REASON] += lost
    also = f", {n_annotations:,} used as annotations" if n_annotations else ""
    return Step(
        title="Files found",
        count=total,
        note=f"{counted(len(in_stacks), 'file')} in image stacks{also}",
        exit_title="In no image stack",
        exit_unit="file",
        exits=_ranked(exits),
    )


def _stacks(facts: ReportFacts, stacks: tuple[Stack, ...], ledger: _Ledger) -> list[Step]:
    found = Step(title="Image stacks", count=len(stacks))
    if facts.verdicts is None:
        return [found]
    verdicts = facts.verdicts
    enrolled = {c.stack for p in facts.planned or () for c in p.channels}
    unwanted = {s.id: r for s in stacks if s.id not in enrolled and (r := _unwanted(s, facts, ledger))}
    wanted = [s for s in stacks if s.id not in unwanted]
    rejected = [s for s in wanted if Verdict.REJECT in {verdicts.get(s.id), verdicts.get(s.series)}]
    gone = {s.id for s in rejected}
    kept = [s for s in wanted if s.id not in gone]
    by_rule = Counter(ledger.reason((s.id, s.series), s.files, grave_only=True) for s in rejected)
    held = sum(verdicts.get(s.id) == Verdict.REVIEW for s in kept)
    left = [s for s in kept if s.id not in enrolled] if facts.planned is not None else []
    by_reason = Counter(ledger.reason((s.id, s.series), s.files) for s in left)
    return [
        _leaving(found, "Not wanted by the cohort", Counter(unwanted.values())),
        _leaving(Step(title="Stacks wanted", count=len(wanted)), "Rejected on screening", by_rule),
        _leaving(
            Step(title="Stacks kept", count=len(kept), note=f"{held:,} of them to review" if held else ""),
            "In no case",
            by_reason,
        ),
    ]


def _unwanted(stack: Stack, facts: ReportFacts, ledger: _Ledger) -> str:
    """Why a stack was never to be judged; "" where it was."""
    if known := facts.not_judged.get(stack.id):
        return NOT_JUDGED.get(known, known)
    if any(i.rule == NOT_WANTED for i in ledger.by_target.get(stack.id, ())):
        return NOT_WANTED
    outcomes = [o for f in stack.files if (o := ledger.outcome.get(f))]
    return NOT_WANTED if outcomes and all(o.reason == NOT_WANTED for o in outcomes) else ""


def _planned(facts: ReportFacts, planned: tuple[PlannedCase, ...], ledger: _Ledger) -> list[Step]:
    unclear = Counter(p.reason or NO_REASON for p in planned if not p.is_to_build)
    found = _leaving(
        Step(title="Cases found", count=len(planned)), "Rejected or unclear", unclear, unit="case"
    )
    to_build = [p for p in planned if p.is_to_build]
    step = Step(title="Cases planned", count=len(to_build))
    if facts.cases is None:
        return [found, step]
    packed = {c.id for c in facts.cases}
    by_rule = Counter(ledger.reason((p.id,), grave_only=True) for p in to_build if p.id not in packed)
    return [found, _leaving(step, "Rejected while building", by_rule, unit="case")]


def _partitions(facts: ReportFacts) -> tuple[tuple[str, int, int], ...]:
    if facts.split is None:
        return ()
    subjects: Counter[str] = Counter()
    cases: Counter[str] = Counter()
    for row in facts.split.rows:
        subjects[row.partition] += 1
        cases[row.partition] += len(row.cases)
    return tuple((name, subjects[name], cases[name]) for name in sorted_partitions(subjects))


def sorted_partitions(names: Iterable[str]) -> list[str]:
    """Partitions in the order in which they are used: train, val, test, then any others."""
    order = {"train": 0, "val": 1, "test": 2}
    return sorted(set(names), key=lambda n: (order.get(n, 3), n))


def _leaving(step: Step, title: str, exits: Counter[str], unit: str = "stack") -> Step:
    return Step(
        title=step.title,
        count=step.count,
        note=step.note,
        exit_title=title,
        exit_unit=unit,
        exits=_ranked(exits),
    )


def _ranked(exits: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(((k, n) for k, n in exits.items() if n), key=lambda e: (-e[1], e[0])))
