"""Issues: what the rules saw, rule by rule, with what it means and what can be done."""

from __future__ import annotations

from collections import Counter, defaultdict

from isocenter.model.issue import Issue, Severity
from isocenter.report.advice import advice_on
from isocenter.report.blocks import Block, Cell, Column, Fold, Part, Prose, Table
from isocenter.report.facts import ReportFacts
from isocenter.report.text import counted

ORDER = 30
TITLE = "Issues by rule"

_EXAMPLES = 5
_GROUPS = (
    (Severity.REJECT, "Rejected", "What these rules see keeps the thing out of the data set."),
    (
        Severity.REVIEW,
        "To review",
        "What these rules see is packed, and left out of training until a person decides.",
    ),
    (
        Severity.NOTE,
        "Noted",
        "What these rules see changes nothing; it is told so that nothing happens in silence.",
    ),
)


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """The rules by severity, the most frequent first, each to be unfolded."""
    if facts.issues is None:
        return (Prose("No rule has been run in this workspace yet."),)
    if not facts.issues:
        return (Prose("The rules that ran saw nothing to tell."),)
    by_rule: dict[tuple[Severity, str], list[Issue]] = defaultdict(list)
    for issue in facts.issues:
        by_rule[issue.severity or Severity.NOTE, issue.rule].append(issue)
    blocks: list[Block] = []
    for severity, title, text in _GROUPS:
        rules = sorted(
            (r for s, r in by_rule if s == severity), key=lambda r: (-len(by_rule[severity, r]), r)
        )
        if rules:
            folds = tuple(_rule(rule, severity, by_rule[severity, rule]) for rule in rules)
            blocks.append(Part(title, (Prose(text), *folds)))
    return tuple(blocks)


def _rule(rule: str, severity: Severity, issues: list[Issue]) -> Fold:
    advice = advice_on(rule)
    targets = len({i.target for i in issues})
    blocks: list[Block] = []
    if not advice.meaning:
        blocks.append(Prose("No description of this rule is installed here."))
    if advice.why:
        blocks.append(Prose(f"Why it matters: {advice.why}"))
    if advice.what_to_do:
        blocks.append(Prose(f"What to do: {advice.what_to_do}"))
    clauses = sorted({i.clause for i in issues if i.clause})
    if clauses:
        blocks.append(Prose(f"Standard: {', '.join(clauses)}."))
    blocks.append(_examples(issues))
    counts = counted(len(issues), "issue")
    if targets != len(issues):
        counts += f" on {counted(targets, 'target')}"
    return Fold(
        rule,
        tuple(blocks),
        badge=severity.value,
        tone=severity.value,
        note=advice.meaning,
        count=counts,
        is_code=True,
    )


def _examples(issues: list[Issue]) -> Table:
    """A few issues, one per message first, so that examples differ."""
    seen: Counter[str] = Counter()
    ranked = []
    for issue in sorted(issues, key=lambda i: (i.target, i.message)):
        ranked.append((seen[issue.message], issue.target, issue))
        seen[issue.message] += 1
    shown = [i for _, _, i in sorted(ranked, key=lambda r: r[:2])][:_EXAMPLES]
    rows = tuple(
        (
            i.target or Cell("the whole data set", is_quiet=True),
            i.message,
            _with_unit(i.measured, i.unit),
            _with_unit(i.expected, i.unit),
        )
        for i in shown
    )
    columns = (
        Column("Target", is_code=True),
        Column("What was seen"),
        Column("Measured"),
        Column("Expected"),
    )
    more = len(issues) - len(shown)
    caption = f"{len(shown)} of {len(issues):,} issues" if more else counted(len(issues), "issue")
    return Table(caption, columns, rows)


def _with_unit(value: str, unit: str) -> Cell:
    if not value:
        return Cell("–", is_quiet=True)
    return Cell(f"{value} {unit}".strip())
