"""Audit: whether the split can be trusted, what leaks, and what a leak is worth on these images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from isocenter.report.advice import advice_on
from isocenter.report.blocks import (
    Block,
    Cell,
    Column,
    Drawings,
    Fold,
    Item,
    Items,
    Notice,
    Part,
    Prose,
    Table,
)
from isocenter.report.charts import Estimate, proportions
from isocenter.report.facts import ReportFacts
from isocenter.report.text import counted, share

ORDER = 85
TITLE = "Leak audit"

_MOST = 50
_ORDER = ("reject", "review", "note")
_TONES = {"reject": "bad", "review": "warn", "note": ""}


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """The verdict, what was seen by rule, what every part holds, pairs that are alike, and the canary."""
    audit = facts.audit
    if audit is None:
        return (Prose("The split has not been audited: isocenter audit."),)
    blocks: list[Block] = [_verdict(audit), *_found(audit["issues"]), _counts(audit["counts"])]
    if audit["table"]:
        blocks.append(Fold("Prevalence by label and partition", (_prevalence(audit["table"]),)))
    if audit["pairs"]:
        blocks.append(Fold(f"Images that are alike: {len(audit['pairs']):,}", (_pairs(audit["pairs"]),)))
    if audit["canary"]:
        blocks.append(Part("What leakage is worth here", _canary(audit["canary"])))
    if audit["notes"]:
        blocks.append(Items(tuple(Item(n) for n in audit["notes"])))
    return tuple(blocks)


def _verdict(audit: Mapping[str, Any]) -> Notice:
    splits = counted(len(audit["splits"]), "split")
    rejects = sum(i["severity"] == "reject" for i in audit["issues"])
    reviews = sum(i["severity"] == "review" for i in audit["issues"])
    if rejects:
        return Notice(
            f"{splits} looked at: {counted(rejects, 'leak')} that make{'s' * (rejects == 1)} results on the test part "
            "worthless.",
            "bad",
        )
    more = f" A person should look at {counted(reviews, 'issue')}." if reviews else ""
    return Notice(f"{splits} looked at: no leak was found.{more}", "warn" if reviews else "good")


def _found(issues: Sequence[Mapping[str, Any]]) -> list[Block]:
    """What was seen, by rule: the worst first."""
    by_rule: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for issue in issues:
        by_rule[issue["severity"] or "note", issue["rule"]].append(issue)
    out: list[Block] = []
    for severity, rule in sorted(by_rule, key=lambda k: (_ORDER.index(k[0]), k[1])):
        found = by_rule[severity, rule]
        advice = advice_on(rule)
        columns = (Column("Split"), Column("What was seen"), Column("Where"))
        rows = tuple(
            (i["target"], i["message"], "; ".join(t for t in (i["measured"], i["source"]) if t))
            for i in found[:_MOST]
        )
        blocks: list[Block] = [Prose(f"Why it matters: {advice.why}")] if advice.why else []
        if advice.what_to_do:
            blocks.append(Prose(f"What to do: {advice.what_to_do}"))
        blocks.append(Table(_caption(rule, len(found)), columns, rows))
        out.append(
            Fold(
                rule,
                tuple(blocks),
                badge=severity,
                tone=severity,
                note=advice.meaning,
                count=counted(len(found), "issue"),
                is_code=True,
                is_open=severity == "reject",
            )
        )
    return out


def _caption(rule: str, total: int) -> str:
    return rule if total <= _MOST else f"{rule}: the first {_MOST} of {total:,}"


def _counts(counts: Sequence[Mapping[str, Any]]) -> Table:
    total: dict[str, int] = defaultdict(int)
    for c in counts:
        total[c["split"]] += c["subjects"]
    rows = tuple(
        (
            c["split"],
            c["partition"] or "in no partition",
            f"{c['subjects']:,}",
            share(c["subjects"], total[c["split"]]),
            f"{c['sites']:,}",
            f"{c['images']:,}",
            Cell(f"{c['left_out']:,}", is_quiet=not c["left_out"]),
        )
        for c in counts
    )
    heads = ("Subjects", "of all", "Sites", "Images", "left out")
    columns = (Column("Split"), Column("Partition"), *(Column(h, is_number=True) for h in heads))
    return Table("What every partition holds", columns, rows)


def _prevalence(table: Sequence[Mapping[str, Any]]) -> Table:
    rows = tuple(
        (
            p["split"],
            p["label"],
            p["partition"],
            f"{p['positive']:,} of {p['subjects']:,}",
            share(p["positive"], p["subjects"]),
            f"{100 * p['low']:.0f}–{100 * p['high']:.0f}%",
        )
        for p in table
    )
    heads = ("Subjects", "Prevalence", "95% interval")
    columns = (
        Column("Split"),
        Column("Label"),
        Column("Partition"),
        *(Column(h, is_number=True) for h in heads),
    )
    return Table("Prevalence by label and partition (Wilson 95% interval)", columns, rows)


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> Table:
    ordered = sorted(pairs, key=lambda p: (-p["score"], p["a"], p["b"]))
    rows = tuple((p["a"], p["b"], p["kind"], f"{p['score']:.3f}") for p in ordered[:_MOST])
    columns = (Column("Image"), Column("Image"), Column("How"), Column("Likeness", is_number=True))
    return Table(_caption("Images that show the same", len(pairs)), columns, rows)


def _canary(canary: Mapping[str, Any]) -> tuple[Block, ...]:
    ways = (("split by slice", canary["by_slice"]), ("split by subject", canary["by_subject"]))
    estimates = [Estimate("random labels", name, s["mean"], s["low"], s["high"]) for name, s in ways]
    chart = proportions(
        "audit-canary",
        estimates,
        title="Random labels, told by the nearest neighbour",
        note="Share of right answers over all seeds; half is chance, bars are 95% intervals",
    )
    text = (
        "Every subject was given a label by the toss of a coin, so there is nothing to learn. What the split by "
        "slice scores above half is leakage, and a network would score it too."
    )
    return (Notice(canary["summary"], "info"), Drawings((chart,)), Prose(text))
