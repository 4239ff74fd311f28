"""Agreement: how far raters agree on each label, and the cases where they do not."""

from __future__ import annotations

from collections import defaultdict

from isocenter.model.rows import AgreementRow
from isocenter.report.blocks import Block, Column, Drawings, Part, Prose, Table
from isocenter.report.charts import spread
from isocenter.report.estimates import spread_of
from isocenter.report.facts import ReportFacts
from isocenter.report.text import counted, number

ORDER = 70
TITLE = "Agreement of raters"

_MOST_LABELS = 12
_MOST_ROWS = 50


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """Dice by label, and the queue of pairs under the threshold, worst first."""
    if facts.agreements is None:
        return (Prose("No cases have been built in this workspace, so no raters have been compared."),)
    if not facts.agreements:
        return (Prose("No label of any case was marked by more than one rater."),)
    by_label: dict[str, list[float]] = defaultdict(list)
    n_empty = 0
    for row in facts.agreements:
        if row.dice is None:
            n_empty += 1
        else:
            by_label[row.label].append(row.dice)
    text = (
        "Dice is twice the shared volume over the sum of both volumes: 1 where two raters marked the same "
        f"voxels, 0 where they share none. Below {number(facts.min_dice)} a case goes to review."
    )
    if n_empty:
        text += f" In {counted(n_empty, 'comparison')} both raters marked nothing: they agree, and no Dice is defined."
    blocks: list[Block] = [Prose(text)]
    if by_label:
        labels = sorted(by_label, key=lambda name: (-len(by_label[name]), name))[:_MOST_LABELS]
        groups = {name: by_label[name] for name in sorted(labels)}
        chart = spread(
            "agreement-dice",
            groups,
            title="Dice by label",
            unit="Dice",
            limits=(-0.02, 1.02),
            mark=facts.min_dice,
        )
        blocks += [Drawings((chart,)), _table(by_label, facts.min_dice)]
    blocks.append(Part("To be looked at", _queue(facts)))
    return tuple(blocks)


def _table(by_label: dict[str, list[float]], threshold: float) -> Table:
    rows = []
    for label in sorted(by_label):
        values = by_label[label]
        five = spread_of(values)
        below = sum(v < threshold for v in values)
        numbers = (five.low, five.quarter, five.median, five.three_quarters, five.high)
        rows.append((label, f"{five.count:,}", *(f"{v:.3f}" for v in numbers), f"{below:,}"))
    heads = ("Comparisons", "Minimum", "25%", "Median", "75%", "Maximum", "Below the threshold")
    return Table("Dice by label", (Column("Label"), *(Column(h, is_number=True) for h in heads)), tuple(rows))


def _queue(facts: ReportFacts) -> tuple[Block, ...]:
    low = [(r.dice, r) for r in facts.agreements or () if r.dice is not None and r.dice < facts.min_dice]
    if not low:
        return (Prose(f"No pair of raters falls below a Dice of {number(facts.min_dice)}."),)
    low.sort(key=lambda e: (e[0], e[1].case, e[1].label, e[1].rater_a, e[1].rater_b))
    rows = tuple(_row(dice, row) for dice, row in low[:_MOST_ROWS])
    columns = (
        Column("Case", is_code=True),
        Column("Label"),
        Column("Raters"),
        Column("Dice", is_number=True),
        Column("Volumes (mL)", is_number=True),
    )
    rest = len(low) - len(rows)
    caption = (
        f"The {len(rows)} lowest of {len(low)} comparisons" if rest else counted(len(rows), "comparison")
    )
    return (Table(f"{caption} below the threshold, lowest first", columns, rows),)


def _row(dice: float, row: AgreementRow) -> tuple[str, ...]:
    volumes = f"{number(row.volume_a_ml, 1)} / {number(row.volume_b_ml, 1)}"
    raters = f"{row.rater_a or 'unnamed'} / {row.rater_b or 'unnamed'}"
    return row.case, row.label, raters, f"{dice:.3f}", volumes
