"""Gates: when a run must not go on, which gate closed, and what it would take to open it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from isocenter.base import tables
from isocenter.model.issue import Issue, Severity
from isocenter.model.modality import is_defined
from isocenter.model.reasons import REASONS
from isocenter.model.rows import PlannedCase, Stack, VerdictRow
from isocenter.pipeline.forecast import forecast_of, size_text
from isocenter.pipeline.stages import Context


def gate_after(stage: str, context: Context) -> str | None:
    """A sentence where the gate behind a stage has closed, None where it is open."""
    check = _GATES.get(stage)
    return check(context) if check else None


def _after_index(context: Context) -> str | None:
    done = context.workspace.done("index") or {"counts": {}}
    if not done["counts"].get("files"):
        return "index: the sources hold no files. Check sources[].path, include and exclude."
    if not done["counts"].get("stacks"):
        return (
            f"index: no image was found among {done['counts']['files']} files. "
            "isocenter explain FILE says what became of any of them."
        )
    return None


def _after_screen(context: Context) -> str | None:
    workspace = context.workspace
    counts = (workspace.done("screen") or {})["counts"]
    if not counts["wanted"]:
        asked = ", ".join(f"{n}: {c.modality}" for n, c in context.contract.channels.items())
        found = Counter(_modality(s) for s in _stacks(context))
        return (
            f"screen: no image is asked for. The channels ask for {asked}; found: {_listed(found)}. Change "
            "channels.*.modality, path or where (files without a modality need channels.*.path)."
        )
    verdicts = [v for v in tables.read(workspace.table("screen", "verdicts"), VerdictRow) if v.channels]
    if not any(v.verdict != "reject" for v in verdicts):
        reasons = [v.reason for v in verdicts]
        return (
            f"screen: all {len(verdicts)} images that are asked for were rejected: {_reasons(reasons)}. "
            f"{_advice(reasons)}"
        )
    share = counts["defective"] / counts["wanted"]
    limit = context.config.screen.stop_at_rejected_share
    if share > limit:
        return (
            f"screen: {counts['defective']} of {counts['wanted']} images that are asked for are defective "
            f"({share:.0%}, allowed {limit:.0%}): {_reasons(v.reason for v in verdicts if v.verdict == 'reject')}. "
            "If that is right, raise screen.stop_at_rejected_share; if a rule is wrong here, ignore it with a "
            "reason (screen.ignore)."
        )
    return None


def _after_enrol(context: Context) -> str | None:
    cases = list(tables.read(context.workspace.table("enrol", "cases"), PlannedCase))
    if any(c.is_to_build for c in cases):
        forecast = forecast_of(context)
        if not forecast.is_hopeless:
            return None
        most, free = size_text(forecast.most_bytes), size_text(forecast.free_bytes)
        return (
            f"enrol: the build needs up to {most} and {free} are free, too little for any compression. Free "
            "some space, choose another workspace, or set a coarser standardise.spacing."
        )
    if not cases:
        return "enrol: no image that passed the screen has a subject. Set sources[].subject to a tag, pattern or table."
    reasons = [c.reason for c in cases]
    told = f"enrol: none of {len(cases)} cases can be built: {_reasons(reasons)}. {_advice(reasons)}"
    names = Counter(
        i.measured
        for i in tables.read(context.workspace.table("enrol", "issues"), Issue)
        if i.rule == "enrol/unmapped-label" and i.measured
    )
    return f"{told} Names found that are no label: {_listed(names)}." if names else told


def _after_build(context: Context) -> str | None:
    counts = (context.workspace.done("build") or {})["counts"]
    if counts["packed"]:
        return None
    issues = tables.read(context.workspace.table("build", "issues"), Issue)
    reasons = [i.rule for i in issues if i.severity is Severity.REJECT]
    return f"build: all {counts['cases']} cases were rejected: {_reasons(reasons)}. {_advice(reasons)}"


def _after_split(context: Context) -> str | None:
    issues = list(tables.read(context.workspace.table("split", "issues"), Issue))
    grave = [i for i in issues if i.severity is Severity.REJECT]
    if not grave:
        return None
    told = "; ".join(dict.fromkeys(i.message for i in grave))
    return (
        f"split: {told}. Change split.fractions or split.strategy, or add subjects. "
        f"{_advice(i.rule for i in grave)}"
    )


def _after_audit(context: Context) -> str | None:
    issues = tables.read(context.workspace.table("audit", "issues"), Issue)
    grave = [i for i in issues if i.severity is Severity.REJECT]
    if not grave:
        return None
    return f"audit: results on the test part cannot be trusted: {_reasons(i.rule for i in grave)}. {_advice(i.rule for i in grave)}"


def _stacks(context: Context) -> Iterable[Stack]:
    return tables.read(context.workspace.table("index", "stacks"), Stack)


def _modality(stack: Stack) -> str:
    """What a stack is, in a defined term: a header may hold anything in its place."""
    if not stack.modality:
        return f"{stack.format} without modality"
    return stack.modality if is_defined(stack.modality) else "other"


def _reasons(reasons: Iterable[str]) -> str:
    return _listed(Counter(r for r in reasons if r))


def _advice(reasons: Iterable[str]) -> str:
    """What would open a gate: what to do about each reason, and where a rule says what to do about it."""
    names = sorted({r for r in reasons if r})
    known = list(dict.fromkeys(REASONS[r].what_to_do for r in names if r in REASONS))
    rules = [f"isocenter rules {r}" for r in names if r not in REASONS]
    if rules:
        known.append(
            f"What to do is told by {', '.join(rules[:3])}; a rule that is wrong here can be ignored with a "
            "reason (screen.ignore)."
        )
    return " ".join(known)


def _listed(counts: Counter[str]) -> str:
    ordered = sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))
    return ", ".join(f"{name} {count}" for name, count in ordered[:8]) or "nothing"


_GATES: dict[str, Callable[[Context], str | None]] = {
    "index": _after_index,
    "screen": _after_screen,
    "enrol": _after_enrol,
    "build": _after_build,
    "split": _after_split,
    "audit": _after_audit,
}
