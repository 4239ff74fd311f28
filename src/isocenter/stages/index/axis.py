"""Axes: stacks at the same positions that differ in time, echo, b-value, ... as points of one named axis."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.stages.index.columns import Members, Rows
from isocenter.stages.index.kinds import kind_of_map

# Which axis attributes make; where several differ, the first axis that they make is the one.
AXES: dict[str, tuple[str, ...]] = {
    "time": ("temporal_position", "trigger_time_ms", "acquisition_time", "content_time"),
    "b-value": ("b_value", "gradient"),
    "echo": ("echo_time_ms",),
    "inversion": ("inversion_time_ms",),
    "phase": ("image_type",),
    "energy": ("kvp",),
}
_CLOCKS = {"acquisition_time", "content_time"}
# Words of Image Type that tell the part of a complex signal (PS3.3 C.8.13.3.1.1, and what scanners write).
_COMPLEX = {
    "M", "P", "R", "I", "MAGNITUDE", "PHASE", "REAL", "IMAGINARY", "M_FFE", "P_FFE", "R_FFE", "I_FFE", "M_SE", "P_SE",
    "R_SE", "I_SE", "M_IR", "P_IR", "R_IR", "I_IR", "PHASE MAP",
}  # fmt: skip
_DAY = 86_400.0
# TM, or DT with its date (PS3.5 6.2); the zone of a DT is the same for a whole series.
_CLOCK = re.compile(r"(\d{8})?(\d{2}):?(\d{2})?:?(\d{2})?(\.\d+)?(?:[+-]\d{4})?")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A stack as rows of its series, and where it is on an axis of stacks.

    `group` is the lowest row of all stacks on the axis, -1 without an axis; `by_number` tells what was counted
    where nothing but Instance Numbers told the order, and `is_confirmed` whether the headers speak of as many.
    `contradiction` names attributes that would take the stack apart in different ways, which it was not.
    """

    rows: Rows
    axis: str = ""
    index: int = 0
    count: int = 1
    value: float | None = None
    group: int = -1
    by_number: str = ""
    is_confirmed: bool = True
    contradiction: str = ""


def parts_of(
    members: Members, rows: Rows, places: NDArray[np.int64], chosen: Sequence[str], groups: NDArray[np.int64]
) -> list[Part]:
    """The stacks of rows told apart by some attributes, those along one axis tied together.

    Args:
        members: The series.
        rows: Rows in spatial order.
        places: Number of the position of each, (N,).
        chosen: The attributes.
        groups: Number of the group of each row by them, (N,).
    """
    for axis, names in AXES.items():
        own = [n for n in chosen if n in names]
        if not own or (axis == "phase" and not _are_complex(members.distinct("image_type", rows))):
            continue
        sets = _sets(members, [n for n in chosen if n not in names], rows)
        points = _points(members, own, rows)
        found = [p for n in range(int(sets.max()) + 1) for p in _set(rows, places, sets == n, points, axis)]
        if any(p.axis for p in found):
            first = {p.group: int(p.rows[0]) for p in found if p.axis and p.index == 0}
            return [_valued(members, p, own, first.get(p.group, -1)) for p in found]
    return [Part(rows[groups == n]) for n in range(int(groups.max()) + 1)]


def _sets(members: Members, others: Sequence[str], rows: Rows) -> NDArray[np.int64]:
    """Numbers of what rows on one axis share: the other attributes, and that they are images or maps of one kind."""
    sets = members.ranked(others, rows)
    if members.is_one("image_type"):
        return sets
    kinds = members.recoded("image_type", kind_of_map)[rows]
    together: NDArray[np.int64] = np.unique(sets * (int(kinds.max()) + 1) + kinds, return_inverse=True)[1]
    return together


def _points(members: Members, own: Sequence[str], rows: Rows) -> NDArray[np.int64]:
    """Numbers of the values on an axis in their order; that of clock times goes on after midnight."""
    points = members.ranked(own, rows)
    if own[0] not in _CLOCKS:
        return points
    seconds = np.nan_to_num(seconds_of(members, own[0], rows), nan=-1.0)
    ordered: NDArray[np.int64] = np.unique(np.stack([seconds, points]), axis=1, return_inverse=True)[1]
    return ordered.reshape(-1)


def _set(
    rows: Rows, places: NDArray[np.int64], is_in: NDArray[np.bool_], points: NDArray[np.int64], axis: str
) -> list[Part]:
    """The stacks of one set; those with the positions that most of them have are on the axis."""
    stacks = [np.flatnonzero(is_in & (points == n)) for n in np.unique(points[is_in]).tolist()]
    extents = [places[s].tobytes() for s in stacks]
    usual, count = Counter(extents).most_common(1)[0]
    if count < 2:
        return [Part(rows[s]) for s in stacks]
    group = int(min(rows[s].min() for s, e in zip(stacks, extents, strict=True) if e == usual))
    out, index = [], 0
    for stack, extent in zip(stacks, extents, strict=True):
        if extent != usual:
            out.append(Part(rows[stack]))
            continue
        out.append(Part(rows[stack], axis, index, count, group=group))
        index += 1
    return out


def _valued(members: Members, part: Part, own: Sequence[str], first: int) -> Part:
    """A stack with what its headers say of its place on the axis: their number, or seconds after the first row."""
    if not part.axis or part.axis == "phase":
        return part
    row = part.rows[:1]
    value: float | None
    if own[0] in AXES["time"] and own[0] != "temporal_position":
        seconds = seconds_of(members, own[0], np.array([first, row[0]]))
        value = float(seconds[1] - (seconds[0] if own[0] in _CLOCKS else 0.0))
    else:
        stated = members.value("b_value" if part.axis == "b-value" else own[0], int(row[0]))
        value = None if stated is None else float(stated)
    is_known = value is not None and bool(np.isfinite(value))
    return Part(part.rows, part.axis, part.index, part.count, value if is_known else None, part.group)


def parts_along(
    rows: Rows,
    axis: str,
    sets: NDArray[np.int64],
    points: NDArray[np.int64],
    values: NDArray[np.float64] | None,
    *,
    by_number: str = "",
    is_confirmed: bool = True,
) -> list[Part]:
    """The stacks of rows whose places on one axis are known.

    Args:
        rows: Rows in spatial order.
        axis: The name of the axis.
        sets: Which axis each is on, (N,).
        points: Where it is on it, (N,).
        values: What the headers say there, (number of sets, points).
        by_number: What was counted where only Instance Numbers told the order.
        is_confirmed: Whether the headers speak of as many.
    """
    out = []
    for n in range(int(sets.max()) + 1):
        group, count = int(rows[sets == n].min()), int(points.max()) + 1
        for at in range(count):
            value = None if values is None else float(values[n, at])
            chosen = rows[(sets == n) & (points == at)]
            out.append(Part(chosen, axis, at, count, value, group, by_number, is_confirmed))
    return out


def volumes_of(members: Members, rows: Rows) -> list[Part]:
    """The volumes of one file, each a stack of its own: along time where the file says so, else one after the other."""
    ordered = sorted(rows.tolist(), key=lambda n: members.frame(n) or 0)
    times_ms = [members.value("trigger_time_ms", n) for n in ordered]
    axis = "volume" if None in times_ms else "time"
    return [
        Part(
            np.array([row], dtype=np.intp),
            axis,
            index,
            len(ordered),
            None if axis == "volume" else times_ms[index] / 1000,
            ordered[0],
        )
        for index, row in enumerate(ordered)
    ]


def seconds_of(members: Members, name: str, rows: Rows) -> NDArray[np.float64]:
    """Times of some rows in seconds, (N,); NaN where there is none.

    Clock times have their day where all tell it. Where they do not and lie more than half a day apart, midnight
    was crossed, and those before noon are the next day's.
    """
    codes = members.codes(name)[rows]
    found, inverse = np.unique(codes, return_inverse=True)
    values = [members.values(name)[c] for c in found.tolist()]
    seconds = np.array([_seconds(v) for v in values], dtype=np.float64)
    if name in _CLOCKS and not np.isnan(seconds).all():
        days = np.array([_day(v) for v in values], dtype=np.float64)
        if not np.isnan(days).any():
            seconds += (days - days.min()) * _DAY
        elif np.nanmax(seconds) - np.nanmin(seconds) > _DAY / 2:
            seconds[seconds < _DAY / 2] += _DAY
    return seconds[inverse]


def _day(value: Any) -> float:
    """Number of the day of a DT; NaN where there is none."""
    parts = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if parts is None or parts[1] is None:
        return float("nan")
    try:
        return float(date.fromisoformat(parts[1]).toordinal())
    except ValueError:
        return float("nan")


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        parts = _CLOCK.fullmatch(value.strip())
        if parts is None:
            return float("nan")
        _, hours, minutes, seconds, fraction = parts.groups(default="0")
        return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(fraction)
    return float("nan") if value is None else float(value) / 1000


def are_regular_times(rising: NDArray[np.float64]) -> bool:
    """Whether clock times, (sets, places, times), go through all places time by time, or through all times place by place."""
    first, last = rising.min(axis=1), rising.max(axis=1)
    if (last[:, :-1] < first[:, 1:]).all():
        return True
    order = np.argsort(rising[:, :, 0], axis=1)
    starts = np.take_along_axis(rising[:, :, 0], order, axis=1)
    ends = np.take_along_axis(rising[:, :, -1], order, axis=1)
    return bool((ends[:, :-1] < starts[:, 1:]).all())


def _are_complex(image_types: Sequence[tuple[str, ...]]) -> bool:
    """Whether Image Types differ in the part of the complex signal only."""
    return len({tuple(v for v in t if v.strip().upper() not in _COMPLEX) for t in image_types}) == 1
