"""Remarks: what is told of the stacks of a series: how they were separated, and what was set apart or dropped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.model.rows import Stack
from isocenter.stages.index.axis import Part
from isocenter.stages.index.columns import Members, Rows
from isocenter.stages.index.geometry import normal_of
from isocenter.stages.index.kinds import kind_of_image
from isocenter.stages.index.rows import Made
from isocenter.stages.index.stack import LATTICE
from isocenter.stages.index.twins import DUPLICATE_PIXELS

# Stacks of fewer slices than this share of another one's were set apart from it.
_SET_APART = 0.5
_SAME_DIRECTION = 0.01
# Names for a person of what tells lattices apart.
_WORDS = {
    "rows": "matrix",
    "columns": "matrix",
    "pixel_spacing_mm": "pixel spacing",
    "frame_of_reference_uid": "frame of reference",
    "photometric": "photometric interpretation",
    "samples": "samples per pixel",
    "frames": "number of frames",
    "image_type": "image type",
    "sop_class_uid": "kind of object",
}


def issues_on_stacks(members: Members, made: Made) -> Iterator[Issue]:
    """What there is to say of how a series was separated."""
    stacks = made.stacks
    names_no_series = members.value("format") == "dicom" and not all(members.distinct("series_uid"))
    for number, (stack, part) in enumerate(zip(stacks, made.parts, strict=True)):
        if not stack.subject:
            yield because("index/no-subject", target=stack.id)
        if len(stacks) > 1 and len(stack.files) > 1:
            apart = _set_apart(members, number, made)
            measured = "; ".join([f"{len(stacks)} stacks", *apart])
            yield because("index/series-split", target=stack.id, measured=measured, expected="1")
        if part.by_number:
            yield because(
                "index/time-by-number" if part.is_confirmed else "index/unconfirmed-time-by-number",
                target=stack.id,
                measured=part.by_number,
                expected=_stated(members, part),
            )
        if part.contradiction:
            yield because("index/contradicting-attributes", target=stack.id, measured=part.contradiction)
        if names_no_series and len(set(stack.files)) > 1:
            yield because("index/no-series-uid", target=stack.id, measured=f"{len(set(stack.files))} files")
    ids = members.file_ids
    for row in made.copies:
        yield because(
            DUPLICATE_PIXELS,
            target=ids[row],
            measured="the pixels of another file at its place",
            expected="1",
        )


def _stated(members: Members, part: Part) -> str:
    """How many times the headers speak of."""
    found = [v for v in members.distinct("temporal_positions", part.rows) if v]
    return f"{found[0]} times by Number of Temporal Positions" if found else ""


def _set_apart(members: Members, number: int, made: Made) -> list[str]:
    """Which slices of other stacks lie within the extent of a much larger one, and in what they differ."""
    stack, part = made.stacks[number], made.parts[number]
    if not stack.positions_mm or len(stack.files) < 3:
        return []
    out = []
    step = stack.slice_distance_mm or 0.0
    low, high = stack.positions_mm[0] - step, stack.positions_mm[-1] + step
    for other, rows in zip(made.stacks, (p.rows for p in made.parts), strict=True):
        if other is stack or not _is_beside(stack, other) or len(rows) > _SET_APART * len(part.rows):
            continue
        places = np.sort((members.positions_mm[rows] * normal_of(stack.orientation)).sum(axis=1))
        inside = [p for p in places.tolist() if low <= p <= high]
        if inside:
            what = "1 slice" if len(inside) == 1 else f"{len(inside)} slices"
            out.append(f"{what} set apart at {_span(inside)} ({_difference(members, part.rows, rows)})")
    return sorted(set(out))


def _is_beside(stack: Stack, other: Stack) -> bool:
    if len(other.orientation) != 6 or not other.positions_mm:
        return False
    return float(np.abs(np.subtract(stack.orientation, other.orientation)).max()) < _SAME_DIRECTION


def _span(places: Sequence[float]) -> str:
    return f"{places[0]:.2f} mm" if len(places) == 1 else f"{places[0]:.2f} to {places[-1]:.2f} mm"


def _difference(members: Members, rows: Rows, others: Rows) -> str:
    """In which respects two stacks are no one stack."""
    one, other = int(rows[0]), int(others[0])
    told = list(
        dict.fromkeys(
            _WORDS[n]
            for n in _WORDS
            if LATTICE[n](members.value(n, one)) != LATTICE[n](members.value(n, other))
        )
    )
    if kind := kind_of_image(members.value("image_type", other)):
        told = [kind, *(t for t in told if t != "image type")]
    return ", ".join(told) or "another acquisition"
