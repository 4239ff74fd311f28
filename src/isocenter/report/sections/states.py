"""States: what raters said of each label, and the cases of which only a part is known, or of which something failed."""

from __future__ import annotations

from collections import Counter, defaultdict

from isocenter.model.annotation import AnnotationState
from isocenter.model.rows import OpinionRow
from isocenter.report.blocks import Block, Column, Fold, Prose, Table
from isocenter.report.facts import ReportFacts
from isocenter.report.text import counted

ORDER = 66
TITLE = "What raters said"

_MOST_ROWS = 100
_TEXT = (
    "A rater who looked and found nothing has said so; one who did not annotate a label has said nothing; and where only "
    "a part of an image was looked at, nothing is known of the rest. None of these is taken for background: batches have "
    "a loss mask that is true only where it is known of every label whether it is there."
)


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """Counts by label, rater and state; then the cases known in part, and what failed."""
    if facts.cases is None:
        return (Prose("No cases have been built in this workspace, so no annotations have been read."),)
    if not facts.opinions:
        return (Prose("Nobody has said anything of any label of any case."),)
    packed = {case.id for case in facts.cases}
    own = [o for o in facts.opinions if o.case in packed]
    blocks: list[Block] = [Prose(_TEXT), _table(own)]
    for state, title in (
        ("partial", "Labels that are known in a part of a case"),
        ("failed", "Annotations that could not be read, placed or trusted"),
    ):
        found = [o for o in own if o.state == state]
        if found:
            blocks.append(Fold(f"{title}: {counted(len(found), 'annotation')}", (_listed(found),)))
    return tuple(blocks)


def _table(opinions: list[OpinionRow]) -> Table:
    """Cases by label and rater, a column for each state."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for one in opinions:
        counts[one.label, one.rater][one.state] += 1
    states = [str(state) for state in AnnotationState]
    rows = tuple(
        (label, rater or "unnamed", *(f"{by_state[state]:,}" for state in states))
        for (label, rater), by_state in sorted(counts.items())[:_MOST_ROWS]
    )
    heads = (state.replace("_", " ") for state in states)
    columns = (Column("Label"), Column("Rater"), *(Column(head, is_number=True) for head in heads))
    return Table("Cases by label, rater and state", columns, rows)


def _listed(opinions: list[OpinionRow]) -> Table:
    rows = tuple(
        (one.case, one.label, one.rater or "unnamed", f"{100 * one.looked:.1f}%", f"{one.volume_ml:.3f}")
        for one in sorted(opinions, key=lambda o: (o.case, o.label, o.rater))[:_MOST_ROWS]
    )
    columns = (
        Column("Case"),
        Column("Label"),
        Column("Rater"),
        Column("looked at", is_number=True),
        Column("marked, ml", is_number=True),
    )
    return Table("", columns, rows)
