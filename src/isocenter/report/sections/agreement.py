"""Agreement: how far raters agree on each label, and the cases where they do not."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from isocenter.agreement.bootstrap import Interval
from isocenter.model.rows import AgreementRow, PerformanceRow
from isocenter.report.blocks import Block, Column, Drawings, Part, Prose, Table
from isocenter.report.charts import spread
from isocenter.report.estimates import spread_of
from isocenter.report.facts import ReportFacts
from isocenter.report.text import counted, number
from isocenter.report.votes import ClassAgreement, class_agreements

ORDER = 70
TITLE = "Agreement of raters"

_MOST_LABELS = 12
_MOST_ROWS = 50


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """Dice by label, F1 of boxes, and the queue of pairs under the thresholds, worst first."""
    if facts.agreements is None:
        return (Prose("No cases have been built in this workspace, so no raters have been compared."),)
    classes = class_agreements(facts.planned or ())
    if not facts.agreements and not classes:
        return (Prose("No label of any case was marked by more than one rater."),)
    return (*_of_marks(facts, facts.agreements), *_of_classes(classes))


def _of_marks(facts: ReportFacts, agreements: tuple[AgreementRow, ...]) -> tuple[Block, ...]:
    if not agreements:
        return ()
    by_label: dict[str, list[float]] = defaultdict(list)
    of_boxes: dict[str, list[float]] = defaultdict(list)
    n_empty = 0
    for row in agreements:
        if row.dice is not None:
            by_label[row.label].append(row.dice)
        elif row.f1 is not None:
            of_boxes[row.label].append(row.f1)
        else:
            n_empty += 1
    blocks: list[Block] = [Prose(_text(facts, n_empty))]
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
        blocks += [Drawings((chart,)), _table("Dice by label", by_label, facts.min_dice)]
    if of_boxes:
        blocks.append(_table("F1 of boxes by label", of_boxes, facts.min_f1))
    if facts.performances:
        blocks.append(_performances(facts.performances))
    blocks.append(Part("To be looked at", _queue(facts)))
    return tuple(blocks)


def _performances(rows: tuple[PerformanceRow, ...]) -> Table:
    """Medians over the cases, by label and rater."""
    found: dict[tuple[str, str], list[PerformanceRow]] = defaultdict(list)
    for row in rows:
        found[row.label, row.rater].append(row)
    cells = tuple(
        (
            label,
            rater or "unnamed",
            f"{len(each):,}",
            f"{median(row.sensitivity for row in each):.3f}",
            f"{median(row.specificity for row in each):.3f}",
        )
        for (label, rater), each in sorted(found.items())
    )
    heads = ("Cases", "Sensitivity", "Specificity")
    columns = (Column("Label"), Column("Rater"), *(Column(head, is_number=True) for head in heads))
    return Table("Raters against the consensus, medians of the cases", columns, cells)


def _of_classes(classes: tuple[ClassAgreement, ...]) -> tuple[Block, ...]:
    """Statistics of yes and no over the cases."""
    if not classes:
        return ()
    text = (
        "How far raters agree on classes, beyond what chance would give: 1 where they always agree, 0 where they "
        "agree as often as chance. Kappa is Cohen's of two raters and Fleiss' of more; alpha is Krippendorff's, AC1 "
        "Gwet's, which stays where it is if nearly all cases are alike. In brackets, where 95 % of samples of the "
        "subjects lie."
    )
    heads = ("Raters", "Cases of several", "All the same", "Kappa", "Alpha", "AC1")
    rows = tuple(
        (
            each.label,
            str(each.raters),
            f"{each.cases:,}",
            f"{100 * each.agreed:.0f} %",
            *(_interval(one) for one in (each.kappa, each.alpha, each.ac1)),
        )
        for each in classes
    )
    columns = (Column("Label"), *(Column(head, is_number=True) for head in heads))
    return (Prose(text), Table("Agreement on classes", columns, rows))


def _interval(found: Interval) -> str:
    if found.value is None:
        return "not defined"
    if found.low is None or found.high is None:
        return f"{found.value:.2f}"
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


def _text(facts: ReportFacts, n_empty: int) -> str:
    text = (
        "Dice is twice the shared volume over the sum of both volumes: 1 where two raters marked the same "
        f"voxels, 0 where they share none. Below {number(facts.min_dice)} a case goes to review."
    )
    if any(row.f1 is not None for row in facts.agreements or ()):
        text += (
            " F1 is twice the matched boxes over the boxes of both raters; below "
            f"{number(facts.min_f1)} a case goes to review."
        )
    if n_empty:
        text += f" In {counted(n_empty, 'comparison')} both raters marked nothing: they agree, and no number is made of it."
    return text


def _table(title: str, by_label: dict[str, list[float]], threshold: float) -> Table:
    rows = []
    for label in sorted(by_label):
        values = by_label[label]
        five = spread_of(values)
        below = sum(v < threshold for v in values)
        numbers = (five.low, five.quarter, five.median, five.three_quarters, five.high)
        rows.append((label, f"{five.count:,}", *(f"{v:.3f}" for v in numbers), f"{below:,}"))
    heads = ("Comparisons", "Minimum", "25%", "Median", "75%", "Maximum", "Below the threshold")
    return Table(title, (Column("Label"), *(Column(h, is_number=True) for h in heads)), tuple(rows))


def _queue(facts: ReportFacts) -> tuple[Block, ...]:
    low = [
        (value, row)
        for row in facts.agreements or ()
        for value, least in ((row.dice, facts.min_dice), (row.f1, facts.min_f1))
        if value is not None and value < least
    ]
    if not low:
        return (Prose(f"No pair of raters falls below a Dice of {number(facts.min_dice)}."),)
    low.sort(key=lambda e: (e[0], e[1].case, e[1].label, e[1].rater_a, e[1].rater_b))
    has_surfaces = any(row.hd95_mm is not None for _, row in low)
    rows = tuple(_row(value, row, has_surfaces=has_surfaces) for value, row in low[:_MOST_ROWS])
    heads = ["Dice, or F1 of boxes", "Volumes (mL)", "Difference (mL)", "Lesions", "Of these the same"]
    heads += ["Surface Dice", "HD95 (mm)"] if has_surfaces else []
    columns = (
        Column("Case", is_code=True),
        Column("Label"),
        Column("Raters"),
        *(Column(head, is_number=True) for head in heads),
    )
    rest = len(low) - len(rows)
    caption = (
        f"The {len(rows)} lowest of {len(low)} comparisons" if rest else counted(len(rows), "comparison")
    )
    return (Table(f"{caption} below the threshold, lowest first", columns, rows),)


def _row(value: float, row: AgreementRow, *, has_surfaces: bool) -> tuple[str, ...]:
    volumes = f"{number(row.volume_a_ml, 1)} / {number(row.volume_b_ml, 1)}"
    raters = f"{row.rater_a or 'unnamed'} / {row.rater_b or 'unnamed'}"
    lesions = f"{row.lesions_a} / {row.lesions_b}"
    more = "" if row.volume_difference_ml is None else number(row.volume_difference_ml, 1)
    cells = (row.case, row.label, raters, f"{value:.3f}", volumes, more, lesions, str(row.lesions_matched))
    if not has_surfaces:
        return cells
    surface = "" if row.surface_dice is None else f"{row.surface_dice:.3f}"
    return (*cells, surface, "" if row.hd95_mm is None else f"{row.hd95_mm:.1f}")
