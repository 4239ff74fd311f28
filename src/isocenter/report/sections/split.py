"""Split: who is in which partition, how the labels are spread, and the certificate that nobody is in two."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from isocenter.model.prevalence import wilson_interval
from isocenter.model.rows import CaseRow
from isocenter.model.split import Partition, SplitRow
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
from isocenter.report.certificate import certificate_blocks
from isocenter.report.charts import Estimate, proportions
from isocenter.report.facts import ReportFacts, SplitFacts
from isocenter.report.flow import sorted_partitions
from isocenter.report.text import counted, number, share

ORDER = 80
TITLE = "Split"

_MOST_LABELS = 8


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """Strategy, counts by partition and site, prevalence with intervals, and the certificate."""
    split = facts.split
    if split is None:
        return (Prose("The cases have not been split in this workspace."),)
    cases = {c.id: c for c in facts.cases or ()}
    others = tuple(s.name for s in facts.splits if s is not split)
    blocks: list[Block] = [Prose(_how(split, others)), *_certificate(split.rows, cases)]
    blocks += certificate_blocks(split.about.get("certificate"))
    blocks.append(_counts(split.rows))
    if cases:
        blocks.append(Part("Prevalence", _prevalence(split.rows, cases)))
    if notes := [str(n) for n in split.about.get("notes") or ()]:
        blocks.append(Part("What the split noted", (Items(tuple(Item(n) for n in notes)),)))
    return tuple(blocks)


def _how(split: SplitFacts, others: tuple[str, ...]) -> str:
    about = split.about
    text = f"Split {split.name}: strategy {about.get('strategy', 'not recorded')}, seed {about.get('seed', 'not recorded')}"
    asked = about.get("fractions")
    if isinstance(asked, Mapping) and asked:
        parts = ", ".join(f"{n} {number(100 * float(asked[n]), 1)}%" for n in sorted_partitions(asked))
        text += f", asked for {parts}"
    more = f" Also in the store: {', '.join(others)}." if others else ""
    return f"{text}. The subject is the unit: all cases of a person stay together.{more}"


def _certificate(rows: Sequence[SplitRow], cases: Mapping[str, CaseRow]) -> tuple[Block, ...]:
    """Counted from the rows themselves, not taken over from the stage that made them."""
    placed: dict[str, set[str]] = defaultdict(set)
    grouped: dict[str, set[str]] = defaultdict(set)
    homes: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        placed[row.subject].add(row.partition)
        grouped[row.group or row.subject].add(row.partition)
        for case in row.cases:
            homes[case].append(row.partition)
    unplaced = len(set(cases) - set(homes))
    foreign = sum(cases[c].subject != row.subject for row in rows for c in row.cases if c in cases)
    checks = (
        ("Subjects in more than one partition", sum(len(p) > 1 for p in placed.values()), len(placed)),
        ("Groups in more than one partition", sum(len(p) > 1 for p in grouped.values()), len(grouped)),
        ("Cases listed more than once", sum(len(p) > 1 for p in homes.values()), len(homes)),
        ("Cases listed under another subject", foreign, len(homes)),
        ("Packed cases without a partition", unplaced, len(cases)),
    )
    broken = sum(n > 0 for _, n, _ in checks)
    said = f"Checked on this split: nobody is in two partitions ({counted(len(placed), 'subject')}, {counted(len(homes), 'case')})."
    notice = Notice(
        "This split does not hold: see the checks that failed." if broken else said,
        "bad" if broken else "good",
    )
    lines = tuple(
        (what, f"{n:,}", f"{of:,}", Cell("fails" if n else "holds", tone="bad" if n else "good"))
        for what, n, of in checks
    )
    columns = (
        Column("Check"),
        Column("Found", is_number=True),
        Column("of", is_number=True),
        Column("Result"),
    )
    return notice, Fold("The checks", (Table("Checks on the split", columns, lines),), is_open=bool(broken))


def _counts(rows: Sequence[SplitRow]) -> Table:
    partitions = sorted_partitions(r.partition for r in rows)
    sites = sorted({r.site for r in rows})
    subjects = Counter((r.site, r.partition) for r in rows)
    cases: Counter[tuple[str, str]] = Counter()
    for row in rows:
        cases[row.site, row.partition] += len(row.cases)
    trained = {r.site for r in rows if r.partition not in {Partition.TEST, "reserve", ""}}
    lines: list[tuple[Cell | str, ...]] = []
    for site in sites:
        is_external = bool(site) and site not in trained and subjects[site, Partition.TEST] > 0
        numbers = [
            f"{subjects[site, p]:,} / {cases[site, p]:,}" if subjects[site, p] else "–" for p in partitions
        ]
        lines.append((f"{site} (unseen in training)" if is_external else site, *numbers))
    totals = [
        f"{sum(subjects[s, p] for s in sites):,} / {sum(cases[s, p] for s in sites):,}" for p in partitions
    ]
    shares = [share(sum(subjects[s, p] for s in sites), len(rows)) for p in partitions]
    lines += [("All sites", *totals), ("Share of subjects", *shares)]
    columns = (Column("Site"), *(Column(p or "in no partition", is_number=True) for p in partitions))
    return Table("Subjects / cases by site and partition", columns, tuple(lines))


def _prevalence(rows: Iterable[SplitRow], cases: Mapping[str, CaseRow]) -> tuple[Block, ...]:
    """Share of cases with a label among those in which it is known, per partition."""
    states: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        for case in row.cases:
            for state in cases[case].labels if case in cases else ():
                states[state.label, row.partition, state.state] += 1
    partitions = sorted_partitions(p for _, p, _ in states)
    frequent: Counter[str] = Counter()
    for (label, _, known_as), n in states.items():
        frequent[label] += n if known_as == "positive" else 0
    labels = sorted(frequent, key=lambda name: (-frequent[name], name))
    if not labels:
        return (Prose("Nothing is known of any label in any case."),)
    lines, estimates = [], []
    for label in labels:
        for partition in partitions:
            positive = states[label, partition, "positive"]
            known = positive + states[label, partition, "negative"]
            low, high = wilson_interval(positive, known)
            interval = f"{100 * low:.0f}–{100 * high:.0f}%" if known else "–"
            unknown = sum(states[label, partition, s] for s in ("unknown", "partial", "failed"))
            lines.append(
                (
                    label,
                    partition,
                    f"{positive:,}",
                    f"{known:,}",
                    share(positive, known),
                    interval,
                    f"{unknown:,}",
                )
            )
            if known and label in labels[:_MOST_LABELS]:
                estimates.append(Estimate(label, partition, positive / known, low, high))
    heads = ("Cases with it", "of known", "Prevalence", "95% interval", "not known")
    columns = (Column("Label"), Column("Partition"), *(Column(h, is_number=True) for h in heads))
    table = Table("Prevalence by label and partition (Wilson 95% interval)", columns, tuple(lines))
    if not estimates:
        return (table,)
    note = "Cases with the label among those where it is known; bars are 95% intervals (Wilson)"
    rest = len(labels) - _MOST_LABELS
    more = f"; {rest} rarer labels are in the table only" if rest > 0 else ""
    chart = proportions(
        "split-prevalence", estimates, title="Prevalence by label and partition", note=note + more
    )
    return Drawings((chart,)), table
