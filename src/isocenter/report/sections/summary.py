"""Summary: what came in, what came out, and what to do next."""

from __future__ import annotations

from collections import Counter

from isocenter.model.issue import Issue, Severity, Verdict
from isocenter.report.advice import advice_on
from isocenter.report.blocks import (
    Block,
    Cell,
    Code,
    Column,
    Item,
    Items,
    Notice,
    Part,
    Piece,
    Prose,
    Table,
    Tile,
    Tiles,
    Whole,
)
from isocenter.report.facts import ReportFacts
from isocenter.report.text import counted, share

ORDER = 10
TITLE = "Summary"

_STATES = (
    ("used", "used", "in a case, as image or annotation"),
    ("held", "held", "waiting for a person's decision"),
    ("excluded", "excluded", "left out by a rule"),
    ("ignored", "ignored", "not an image, or not read here"),
)


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """The state of the run, every file's state, the main numbers, the labels, and the next steps."""
    blocks: list[Block] = [_state(facts), *_files(facts), Tiles(_tiles(facts))]
    if facts.cases:
        blocks.append(_labels(facts))
    steps = _next(facts)
    if steps:
        blocks.append(Part("What to do next", (Items(steps),)))
    if facts.cases and facts.split:
        lines = (
            "import isocenter as iso",
            'store = iso.open("store")  # the folder beside this page',
            'train = iso.dataset(store, "train")',
        )
        blocks.append(Part("Load it", (Code("\n".join(lines)),)))
    return tuple(blocks)


def _state(facts: ReportFacts) -> Notice:
    if facts.gate:
        return Notice(f"A gate closed, and no data set was made. {facts.gate}", "bad")
    if facts.cases is None:
        done = ", ".join(facts.done) or "none yet"
        return Notice(f"The run has not come to its end: nothing is packed. Finished stages: {done}.", "warn")
    if not facts.cases:
        return Notice("The run came to its end without a single case.", "bad")
    subjects, sites = {c.subject for c in facts.cases}, {c.site for c in facts.cases}
    made = f"{counted(len(facts.cases), 'case')} of {counted(len(subjects), 'subject')} from {counted(len(sites), 'site')}"
    split = "" if facts.split else " They are not split yet."
    return Notice(f"The data set is packed: {made}.{split}", "good" if facts.split else "info")


def _files(facts: ReportFacts) -> tuple[Block, ...]:
    if facts.kinds is None:
        return (Prose("No source has been indexed in this workspace, so there is nothing to account for."),)
    total = sum(facts.kinds.values())
    if facts.outcomes is None:
        text = f"{counted(total, 'file')} found. What becomes of each is known once cases are enrolled."
        return (Prose(text),)
    states = Counter(o.state for o in facts.outcomes)
    pieces = [Piece(label, states[state], state, note) for state, label, note in _STATES]
    if lost := total - sum(p.count for p in pieces):
        pieces.append(Piece("without a state", lost, "lost", "this is our bug: please report it"))
    return (Whole("Every file found, and what became of it", "file", tuple(pieces)),)


def _tiles(facts: ReportFacts) -> tuple[Tile, ...]:
    tiles = []
    if facts.stacks is not None:
        series = {s.series for s in facts.stacks}
        tiles.append(Tile("image stacks", f"{len(facts.stacks):,}", f"in {len(series):,} series"))
    cases = facts.cases
    if cases is not None:
        held = sum(c.verdict == Verdict.REVIEW for c in cases)
        tiles += [
            Tile("cases", f"{len(cases):,}", f"{held:,} to review" if held else "none to review"),
            Tile("subjects", f"{len({c.subject for c in cases}):,}"),
            Tile("sites", f"{len({c.site for c in cases}):,}"),
        ]
    if facts.issues is not None:
        rejects = sum(i.severity == Severity.REJECT for i in facts.issues)
        tiles.append(Tile("issues", f"{len(facts.issues):,}", f"{rejects:,} of them reject"))
    size = facts.done.get("build", {}).get("counts", {}).get("bytes")
    if cases and size:
        tiles.append(Tile("packed size", _bytes(size)))
    return tuple(tiles)


def _labels(facts: ReportFacts) -> Table:
    cases = facts.cases or ()
    states: Counter[tuple[str, str]] = Counter((s.label, s.state) for c in cases for s in c.labels)
    known = facts.contract.labels if facts.contract else {}
    names = [*known, *sorted({label for label, _ in states} - set(known))]
    rows = []
    for name in names:
        n = {s: states[name, s] for s in ("positive", "negative", "partial", "unknown", "failed")}
        positive = Cell(f"{n['positive']:,}", fraction=n["positive"] / len(cases))
        rows.append(
            (
                name,
                positive,
                f"{n['negative']:,}",
                f"{n['partial']:,}",
                f"{n['unknown'] + n['failed']:,}",
                share(n["positive"], len(cases)),
            )
        )
    columns = [
        Column(t, is_number=True)
        for t in ("Cases with it", "without it", "known in part", "not known", "of all cases")
    ]
    return Table("Labels in the packed cases", (Column("Label"), *columns), tuple(rows))


def _next(facts: ReportFacts) -> tuple[Item, ...]:
    steps = []
    if facts.gate:
        steps.append(Item("Mend what closed the gate, then run again: finished stages are not run twice."))
    held = sum(c.verdict == Verdict.REVIEW for c in facts.cases or ())
    if held:
        text = f"Look at the {counted(held, 'case')} on review, first in the gallery below; loaders leave them out "
        steps.append(Item(f"{text}until a person has decided."))
    rejecting: Counter[str] = Counter()
    targets: set[tuple[str, str]] = set()
    for issue in facts.issues or ():
        if issue.severity == Severity.REJECT and _key(issue) not in targets:
            targets.add(_key(issue))
            rejecting[issue.rule] += 1
    for rule, count in sorted(rejecting.items(), key=lambda r: (-r[1], r[0]))[:3]:
        steps.append(Item(f"rejected {count:,}. {advice_on(rule).what_to_do}".rstrip(), rule))
    if facts.kinds is not None:
        steps.append(
            Item("tells what became of one file, series or case, and why.", "isocenter explain PATH-OR-ID")
        )
    return tuple(steps)


def _key(issue: Issue) -> tuple[str, str]:
    return issue.rule, issue.target


def _bytes(size: int) -> str:
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if value >= 100 or unit == "B" else f"{value:.1f} {unit}"
