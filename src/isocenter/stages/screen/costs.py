"""Costs: what each rule takes from a cohort, or would take if it rejected, told before anyone decides on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from isocenter.base import tables
from isocenter.base.workspace import Workspace
from isocenter.model.attributes import AttributeState
from isocenter.model.issue import Issue, Severity
from isocenter.model.rows import FileRow, Series, Stack
from isocenter.model.task import Channel
from isocenter.rules.engine import CATALOGUE, Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.screen.asked import as_wanted, asked_for

UNKNOWN_DEVICE = "unknown"
IGNORED = "ignored"
_WEIGHTS = (Severity.NOTE, Severity.REVIEW, Severity.REJECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCost:
    """What one rule sees in the images that a cohort asks for, and what that costs.

    Args:
        rule: Its name.
        severity: How its issues weigh: note, review, reject, several of them, or "ignored" where it does not run.
        stacks: Stacks that it has an issue with.
        share: Their share of all that are asked for.
        only_stacks: Of these, those that no other rule rejects: what it alone takes, or would take.
        only_cases: Subjects and dates that lose the last usable image of a channel by it alone, or would.
        manufacturers: Of the stacks it has an issue with, how many are of which manufacturer.
    """

    rule: str
    severity: str
    stacks: int
    share: float
    only_stacks: int
    only_cases: int
    manufacturers: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What all rules cost a cohort: `stacks` and `cases` are those that are asked for, before any rule."""

    stacks: int
    cases: int
    rules: tuple[RuleCost, ...]


def costs(
    options: ScreenOptions, channels: Mapping[str, Channel], masks: Sequence[str], workspace: Workspace
) -> Costs:
    """What each rule of scope Series and Stack costs, those that are switched off too; nothing is written.

    A case is a subject at a date here, complete if every channel that is not optional has a usable image.

    Args:
        options: Severities and options of the rules, and which of them run.
        channels: What the cohort asks for.
        masks: Path templates of files that are masks.
        workspace: Where the index is read.
    """
    # every rule runs, so that what a rule would cost is told of those that are switched off as well
    engine = Engine(replace(options, select=("all",), ignore={}))
    wanted = _wanted(engine, channels, masks, workspace)
    needed = [n for n, c in channels.items() if not c.optional]
    catalogue = frozenset(CATALOGUE.names())
    seen = {rule for w in wanted for rule in w.seen}
    # what the index itself saw always counts
    running = {r for r in seen if r not in catalogue or options.is_selected(r)}
    found = [_cost(rule, wanted, needed, running) for rule in seen]
    return Costs(
        stacks=len(wanted),
        cases=len(_complete(wanted, needed)),
        rules=tuple(sorted(found, key=lambda c: (-c.only_cases, -c.only_stacks, -c.stacks, c.rule))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A stack that is asked for: the case it would be of, its maker, its channels, and how each rule weighs on it."""

    case: tuple[str, str]
    manufacturer: str
    channels: tuple[str, ...]
    seen: dict[str, Severity]

    def is_spared(self, running: AbstractSet[str], without: str) -> bool:
        """Whether no rule that runs rejects it, one rule aside."""
        return not any(
            severity is Severity.REJECT and rule in running and rule != without
            for rule, severity in self.seen.items()
        )


def _wanted(
    engine: Engine, channels: Mapping[str, Channel], masks: Sequence[str], workspace: Workspace
) -> list[_Wanted]:
    paths = {f.file_id: f.path for f in tables.read(workspace.table("index", "files"), FileRow)}
    stacks = list(tables.read(workspace.table("index", "stacks"), Stack))
    asked = {s.id: asked_for(s, paths[s.files[0]], channels, masks).channels for s in stacks}
    judged = {s.series for s in stacks if asked[s.id]}
    series = {
        s.id: engine.check(s)
        for s in tables.read(workspace.table("index", "series"), Series)
        if s.id in judged
    }
    raised: dict[str, list[Issue]] = {}
    for issue in tables.read(workspace.table("index", "issues"), Issue):
        raised.setdefault(issue.target, []).append(issue)
    out = []
    for stack in (s for s in stacks if asked[s.id]):
        own = engine.check(as_wanted(stack, channels, asked[stack.id]))
        out.append(
            _Wanted(
                case=(stack.subject, stack.timepoint),
                manufacturer=_manufacturer(stack),
                channels=asked[stack.id],
                seen=_weights([*raised.get(stack.id, ()), *own, *series[stack.series]]),
            )
        )
    return out


def _weights(issues: Sequence[Issue]) -> dict[str, Severity]:
    """The worst severity of each rule's issues."""
    out: dict[str, Severity] = {}
    for issue in issues:
        if issue.severity is not None:
            known = (issue.severity, out.get(issue.rule, issue.severity))
            out[issue.rule] = max(known, key=_WEIGHTS.index)
    return out


def _cost(rule: str, wanted: list[_Wanted], needed: Sequence[str], running: AbstractSet[str]) -> RuleCost:
    hit = [w for w in wanted if rule in w.seen]
    spared = [w for w in wanted if w.is_spared(running, rule)]
    left = [w for w in spared if rule not in w.seen]
    weights = {w.seen[rule] for w in hit}
    makers = Counter(w.manufacturer for w in hit)
    return RuleCost(
        rule=rule,
        severity=", ".join(s for s in _WEIGHTS if s in weights) if rule in running else IGNORED,
        stacks=len(hit),
        share=len(hit) / len(wanted),
        only_stacks=len(spared) - len(left),
        only_cases=len(_complete(spared, needed) - _complete(left, needed)),
        manufacturers=dict(sorted(makers.items(), key=lambda kv: (-kv[1], kv[0]))),
    )


def _complete(wanted: Sequence[_Wanted], needed: Sequence[str]) -> set[tuple[str, str]]:
    """Subjects and dates with an image for every channel that a case needs."""
    there: dict[tuple[str, str], set[str]] = {}
    for one in wanted:
        if one.case[0]:
            there.setdefault(one.case, set()).update(one.channels)
    return {case for case, channels in there.items() if channels.issuperset(needed)}


def _manufacturer(stack: Stack) -> str:
    """The manufacturer; "unknown" is the stratum of devices whose name is missing or was taken away."""
    known = next((a for a in stack.attributes if a.name == "manufacturer"), None)
    if known is None or known.state is not AttributeState.KNOWN:
        return UNKNOWN_DEVICE
    return known.value
