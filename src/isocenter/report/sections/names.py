"""Names: which names in the annotations stand for which label, and which for none."""

from __future__ import annotations

from collections import Counter, defaultdict

from isocenter.model.name_rows import NameRow
from isocenter.report.blocks import Block, Cell, Column, Fold, Prose, Table
from isocenter.report.facts import ReportFacts
from isocenter.report.text import counted

ORDER = 65
TITLE = "Names of what was annotated"

_MOST = 100


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """Names that stand for no label, the most frequent first; then the names of each label."""
    if facts.names is None:
        return (Prose("No cases have been planned in this workspace, so no names have been read."),)
    if not facts.names:
        return (Prose("The annotations hold no names: they go by values, columns or the config alone."),)
    loose = [row for row in facts.names if not row.label]
    blocks: list[Block] = [Prose(_text(facts.names, loose))]
    if loose:
        blocks.append(_unmapped(loose))
    by_label: dict[str, list[NameRow]] = defaultdict(list)
    for row in facts.names:
        if row.label:
            by_label[row.label].append(row)
    if by_label:
        blocks.append(Fold("The names of each label", (_mapped(by_label),)))
    return tuple(blocks)


def _text(names: tuple[NameRow, ...], loose: list[NameRow]) -> str:
    text = (
        "Annotations name what they mark in free text, or by a code. A name counts once in every file, and in every "
        "row of a table. What a file's own patient goes by is taken out of it."
    )
    if not loose:
        return f"{text} Every name that was met stands for a label."
    share = f"{len({r.name for r in loose}):,} of {len({r.name for r in names}):,} names"
    return (
        f"{text} {share} stand for no label: nothing under them is in the data set. Where one of them is meant, "
        "add it to labels.*.aliases, or its code to labels.*.code."
    )


def _unmapped(loose: list[NameRow]) -> Table:
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in loose:
        counts[row.name, row.code, row.format] += row.count
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = tuple(_row(name, code, form, count) for (name, code, form), count in ordered[:_MOST])
    caption = "Names that stand for no label"
    if len(ordered) > _MOST:
        caption = f"The {_MOST} most frequent of {counted(len(ordered), 'name')} that stand for no label"
    return Table(caption, (Column("Name"), *_COLUMNS), rows)


def _mapped(by_label: dict[str, list[NameRow]]) -> Table:
    rows: list[tuple[Cell | str, ...]] = []
    for label, each in sorted(by_label.items()):
        counts: Counter[tuple[str, str, str]] = Counter()
        for row in each:
            counts[row.name, row.code, row.format] += row.count
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        rows += [(label, *_row(name, code, form, count)) for (name, code, form), count in ordered[:_MOST]]
    return Table("Names by label", (Column("Label"), Column("Name"), *_COLUMNS), tuple(rows))


_COLUMNS = (Column("Code", is_code=True), Column("Found in"), Column("Times", is_number=True))


def _row(name: str, code: str, form: str, count: int) -> tuple[Cell | str, ...]:
    shown: Cell | str = name if name.strip() else Cell("no name", is_quiet=True)
    return shown, code, form, f"{count:,}"
