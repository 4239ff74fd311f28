"""Augmentation: patches of real cases as they are, and as a policy makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from isocenter.model.augmented import Augmented
from isocenter.model.rows import PreviewRow
from isocenter.report.blocks import Block, Card, Gallery, Outlined, Plane, Prose
from isocenter.report.facts import ReportFacts
from isocenter.report.pictures import outlines, png_uri
from isocenter.report.text import counted, number

ORDER = 87
TITLE = "Augmentation"


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """A card for every draw: each plane before and after, and what was drawn."""
    if facts.augmented is None:
        return (
            Prose(
                "Augmentation happens at load, to training patches alone. isocenter preview --augment FILE draws what"
                " a policy does to these cases."
            ),
        )
    labels = _labels(facts)
    cases = len({one.case for one in facts.augmented})
    told = (
        f"{counted(len(facts.augmented), 'draw')} on {counted(cases, 'case')}, around a label where there is one. Black and"
        " white are the same before and after. Outlines run along voxel edges."
    )
    return (Prose(told), Gallery(tuple(_card(one, labels) for one in facts.augmented)))


def _labels(facts: ReportFacts) -> dict[int, str]:
    if facts.contract:
        return {v.value: name for name, v in sorted(facts.contract.labels.items(), key=lambda e: e[1].value)}
    found = {v for one in facts.augmented or () for p in one.before for v in p.mask}
    return {v: f"label {v}" for v in sorted(found - {0})}


def _card(one: Augmented, labels: Mapping[int, str]) -> Card:
    seen = {v for p in (*one.before, *one.after) for v in p.mask} & set(labels)
    drawn = [(name, _told(parameters)) for name, parameters in one.parameters.items()]
    return Card(
        title=f"{one.case}, draw {one.number}",
        verdict="",
        facts=(*(drawn or [("drawn", "nothing")]), ("filled in", f"{number(100 * one.invented, 2)} %")),
        planes=tuple(
            _plane(row, when, labels)
            for when, rows in (("before", one.before), ("after", one.after))
            for row in rows
        ),
        legend=tuple(Outlined(name, n) for n, (value, name) in enumerate(labels.items()) if value in seen),
    )


def _told(parameters: Mapping[str, Any]) -> str:
    """Numbers short, short lists whole, long ones by how many they are; no seeds, and nothing of what is empty."""
    words = []
    for name, value in parameters.items():
        if name == "key" or value in ([], {}, ()):
            continue
        if isinstance(value, float):
            words.append(f"{name} {number(value, 3)}")
        elif isinstance(value, list | tuple) and len(json.dumps(value)) > 60:
            words.append(f"{name}: {np.size(np.asarray(value, dtype=object)):,} numbers")
        else:
            words.append(f"{name} {value if isinstance(value, str) else json.dumps(value)}")
    return ", ".join(words) or "nothing"


def _plane(row: PreviewRow, when: str, labels: Mapping[int, str]) -> Plane:
    shape = (row.rows, row.columns)
    mask = np.frombuffer(row.mask, np.uint8).reshape(shape) if row.mask else np.zeros(shape, np.uint8)
    height, width = row.pixel_mm
    return Plane(
        name=f"{row.plane}, {when}",
        alt=f"{row.plane} plane of a patch of case {row.case}, {when}",
        source=png_uri(np.frombuffer(row.image, np.uint8).reshape(shape)),
        outlines=outlines(mask, list(labels)),
        width_mm=row.columns * width,
        height_mm=row.rows * height,
    )
