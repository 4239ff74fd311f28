"""Gallery: three planes of a case each, in its window, with the outline of every label."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from isocenter.model.issue import Issue
from isocenter.model.rows import CaseRow, PreviewRow
from isocenter.report.blocks import Block, Card, Gallery, Item, Notice, Outlined, Plane, Prose
from isocenter.report.facts import ReportFacts
from isocenter.report.pictures import outlines, png_uri
from isocenter.report.selection import chosen_cases
from isocenter.report.text import counted, number

ORDER = 40
TITLE = "Gallery"

_PLANES = {"axial": 0, "coronal": 1, "sagittal": 2}


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
    return f"{some}{rest}.{how} Outlines run along voxel edges."


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
        planes=tuple(_plane(case, p, values, len(case.channels) > 1) for p in whole),
        legend=_legend(case, values, rows),
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


def _is_whole(preview: PreviewRow) -> bool:
    n = preview.rows * preview.columns
    return n > 0 and len(preview.image) == n and len(preview.mask) in {0, n}


def _channel(case: CaseRow, channel: str) -> int:
    return case.channels.index(channel) if channel in case.channels else len(case.channels)
