"""Gallery: three planes of a case each, in its window, with the outline of every label."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from isocenter.model.issue import Issue
from isocenter.model.rows import CaseRow, PreviewRow
from isocenter.report.blocks import Block, Card, Gallery, Item, Notice, Outlined, Plane, Prose
from isocenter.report.facts import ReportFacts
from isocenter.report.pictures import lines_around, outlines, png_uri
from isocenter.report.selection import chosen_cases
from isocenter.report.text import counted, number

ORDER = 40
TITLE = "Gallery"

_PLANES = {"axial": 0, "coronal": 1, "sagittal": 2, "stored": 0, "across rows": 1, "across columns": 2}
# Colours of solid lines; from there on they are dashed.
_SOLID = 6
# Behind the name of a rater, as the build leaves it: the mask was not taken.
_NOT_TAKEN = "?"


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """The chosen cases as cards: those on review first."""
    if not facts.cases:
        return (Prose("No cases have been packed in this workspace, so there is nothing to show."),)
    if facts.previews is None:
        return (Prose("The build left no previews in this workspace."),)
    chosen = chosen_cases(facts.cases, facts.gallery)
    values = _values(facts)
    planes: dict[str, list[PreviewRow]] = defaultdict(list)
    for row in facts.previews:
        planes[row.case].append(row)
    issues: dict[str, list[Issue]] = defaultdict(list)
    for issue in facts.issues or ():
        issues[issue.target].append(issue)
    partitions = facts.partition_of_cases()
    cards = tuple(
        _card(case, planes[case.id], issues[case.id], partitions.get(case.id, ""), values) for case in chosen
    )
    blocks: list[Block] = [Prose(_introduction(facts, len(cards)))]
    if bad := [p for p in facts.previews if not _is_whole(p)]:
        blocks.append(Notice(f"{counted(len(bad), 'preview')} could not be drawn: wrong size.", "warn"))
    return (*blocks, Gallery(cards))


def _introduction(facts: ReportFacts, shown: int) -> str:
    total = len(facts.cases or ())
    some = f"{shown} of {total:,} cases" if shown < total else f"All {counted(total, 'case')}"
    windows = "; ".join(
        f"{channel}: {w.name}, centre {number(w.centre)} {w.unit}, width {number(w.width)} {w.unit}"
        for channel, w in sorted(facts.windows.items())
    )
    how = f" Windows: {windows}." if windows else ""
    rest = ", those on review first, then some of every site" if shown < total else ", those on review first"
    compared = ""
    if any(p.drawn_by for p in facts.previews or ()):
        compared = (
            " Cases on review are shown where raters differ most, once with the consensus and once with what each of"
            " them drew; a mask that was not taken is dashed, where it would be if what is suspected of it were true."
        )
    return f"{some}{rest}.{how} Outlines run along voxel edges.{compared}"


def _values(facts: ReportFacts) -> dict[int, str]:
    """Label name of every mask value; without a contract the values name themselves."""
    if facts.contract:
        return {v.value: name for name, v in sorted(facts.contract.labels.items(), key=lambda e: e[1].value)}
    found = sorted({v for p in facts.previews or () for v in set(p.mask)} - {0})
    return {v: f"label {v}" for v in found}


def _card(
    case: CaseRow, rows: list[PreviewRow], issues: list[Issue], partition: str, values: dict[int, str]
) -> Card:
    rows = sorted(
        rows, key=lambda p: (_channel(case, p.channel), p.channel, _PLANES.get(p.plane, 9), p.plane)
    )
    whole = [p for p in rows if _is_whole(p)]
    facts = (
        ("Subject", case.subject),
        ("Site", case.site),
        ("Partition", partition or "none"),
        ("Size (k, j, i)", " × ".join(map(str, case.shape))),
        ("Spacing (k, j, i)", " × ".join(number(s) for s in case.spacing_mm) + " mm"),
    )
    return Card(
        title=case.id,
        verdict=case.verdict,
        facts=facts,
        planes=tuple(
            drawn
            for p in whole
            for drawn in (_plane(case, p, values, len(case.channels) > 1), *_compared(case, p, len(values)))
        ),
        legend=(*_legend(case, values, rows), *_raters(rows, len(values))),
        issues=tuple(Item(i.message, i.rule) for i in issues),
    )


def _legend(case: CaseRow, values: dict[int, str], rows: list[PreviewRow]) -> tuple[Outlined, ...]:
    """The labels that are drawn or present, with their amount."""
    drawn = {values[v] for v in {v for p in rows for v in set(p.mask)} if v in values}
    amounts = {
        s.label: f"{number(s.volume_ml, 1)} mL" if s.volume_ml else counted(s.count, "object")
        for s in case.labels
        if s.state == "positive"
    }
    names = list(dict.fromkeys([*values.values(), *sorted(amounts)]))
    return tuple(
        Outlined(name, n if name in drawn else -1, amounts.get(name, ""))
        for n, name in enumerate(names)
        if name in drawn or name in amounts
    )


def _plane(case: CaseRow, preview: PreviewRow, values: dict[int, str], has_channels: bool) -> Plane:
    shape = (preview.rows, preview.columns)
    grey = np.frombuffer(preview.image, np.uint8).reshape(shape)
    mask = np.frombuffer(preview.mask, np.uint8).reshape(shape) if preview.mask else np.zeros(shape, np.uint8)
    seen = [name for value, name in values.items() if (mask == value).any()]
    name = f"{preview.plane}, {preview.channel}" if has_channels else preview.plane
    marked = f"with the outline of {', '.join(seen)}" if seen else "without an outline"
    height, width = (*preview.pixel_mm, 1.0, 1.0)[:2]
    return Plane(
        name=name,
        alt=f"{preview.plane} plane of case {case.id}, channel {preview.channel}, {marked}",
        source=png_uri(grey),
        outlines=outlines(mask, list(values)),
        width_mm=preview.columns * width,
        height_mm=preview.rows * height,
    )


def _colours(names: Sequence[str], labels: int) -> list[int]:
    """The number of the colour of each rater, after those of the labels; what was not taken is dashed."""
    return [
        (labels + n) % _SOLID + (_SOLID if name.endswith(_NOT_TAKEN) else 0) for n, name in enumerate(names)
    ]


def _compared(case: CaseRow, preview: PreviewRow, labels: int) -> tuple[Plane, ...]:
    """The same plane with what every rater drew, and what was not taken; none where there is nothing to compare."""
    size = preview.rows * preview.columns
    names = preview.drawn_by
    if not names or len(preview.drawn) != size * len(names):
        return ()
    shape = (preview.rows, preview.columns)
    masks = np.frombuffer(preview.drawn, np.uint8).reshape(len(names), *shape) != 0
    told = ", ".join(_told(name) for name in names)
    height, width = (*preview.pixel_mm, 1.0, 1.0)[:2]
    plane = Plane(
        name=f"{preview.plane}, by rater",
        alt=f"{preview.plane} plane of case {case.id} with what was drawn: {told}",
        source=png_uri(np.frombuffer(preview.image, np.uint8).reshape(shape)),
        outlines=lines_around(list(masks), _colours(names, labels), shape),
        width_mm=preview.columns * width,
        height_mm=preview.rows * height,
    )
    return (plane,)


def _raters(rows: list[PreviewRow], labels: int) -> tuple[Outlined, ...]:
    """Whose outlines the planes by rater show."""
    names = max((p.drawn_by for p in rows), key=len, default=())
    return tuple(
        Outlined(_told(name), colour) for name, colour in zip(names, _colours(names, labels), strict=True)
    )


def _told(name: str) -> str:
    if not name.endswith(_NOT_TAKEN):
        return f"rater {name}"
    rater = name.removesuffix(_NOT_TAKEN)
    return f"not taken, {rater}" if rater else "not taken"


def _is_whole(preview: PreviewRow) -> bool:
    n = preview.rows * preview.columns
    return n > 0 and len(preview.image) == n and len(preview.mask) in {0, n}


def _channel(case: CaseRow, channel: str) -> int:
    return case.channels.index(channel) if channel in case.channels else len(case.channels)
