"""Stacks and series row by row: slow and plain, what the index must come to with columns.

Frames are told apart by what one array cannot hold, then by what repeats at one position. The order is that of the
projection of Image Position on the normal of Image Orientation (PS3.3 C.7.6.2.1.1), never Instance Number; spacing
comes from positions. Pixels are not compared here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations, pairwise
from statistics import median, median_low
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.pseudonyms import Pseudonyms
from isocenter.imaging.affine import grid_from_slices
from isocenter.model.attributes import Attribute
from isocenter.model.rows import Instance, LayoutRow, Series, Stack
from isocenter.stages.index.subjects import Identity

# Projection radiographs have no stack: every instance is an image of its own.
PROJECTIONS = {"CR", "DX", "MG", "RG", "PX", "IO", "XA", "RF", "US", "SC", "OT", "ES", "SM", "XC", "GM", "OP"}
_SAME_DIRECTION = 1e-3
# Two slices nearer than this (mm) lie at one position.
SAME_POSITION_MM = 0.01

_EXACT = [
    "temporal_position", "echo_time_ms", "b_value", "gradient", "inversion_time_ms", "kvp", "image_type",
    "convolution_kernel", "trigger_time_ms", "contrast_agent", "repetition_time_ms", "acquisition_time",
    "acquisition_number", "series_uid",
]  # fmt: skip
_AXIS = {
    "temporal_position": "time", "trigger_time_ms": "time", "acquisition_time": "time", "content_time": "time",
    "b_value": "b-value", "gradient": "b-value", "echo_time_ms": "echo", "inversion_time_ms": "inversion",
    "image_type": "phase", "kvp": "energy",
}  # fmt: skip
_AXES = ["time", "b-value", "echo", "inversion", "phase", "energy"]
_COMPLEX = {
    "M", "P", "R", "I", "MAGNITUDE", "PHASE", "REAL", "IMAGINARY", "M_FFE", "P_FFE", "R_FFE", "I_FFE", "M_SE", "P_SE",
    "R_SE", "I_SE", "M_IR", "P_IR", "R_IR", "I_IR", "PHASE MAP",
}  # fmt: skip
_MAPS = {
    "ADC",
    "EADC",
    "EXP",
    "FA",
    "TRACEW",
    "FIELD_MAP",
    "FIELD MAP",
    "T1 MAP",
    "T2 MAP",
    "T2 STAR MAP",
    "R2 MAP",
}


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """Where a stack's voxels are; None and () where the headers do not say."""

    affine: NDArray[np.float64] | None
    positions_mm: tuple[float, ...] = ()
    slice_distance_mm: float | None = None
    residual_mm: float = 0.0
    lateral_residual_mm: float = 0.0
    shear_mm: float = 0.0
    orientation_residual: float = 0.0


@dataclass(eq=False)
class Part:
    """A stack and its place on an axis; `group` are all rows on it."""

    rows: list[Instance]
    axis: str = ""
    index: int = 0
    count: int = 1
    value: float | None = None
    group: list[Instance] | None = None
    by_number: str = ""
    is_confirmed: bool = True
    contradiction: str = ""


def separate(rows: Sequence[Instance]) -> list[list[Instance]]:
    """The stacks of one series, each in spatial order; the same for any order of the rows."""
    return [p.rows for p in parts(rows)]


def parts(rows: Sequence[Instance]) -> list[Part]:
    """The stacks of one series with their places on axes."""
    ordered = sorted(rows, key=lambda r: (r.instance_number or 0, *_name(r)))
    out: list[Part] = []
    for lattice in _by_lattice(ordered):
        if _is_alone(lattice[0]):
            out.extend(Part([row]) for row in lattice)
        elif not all(r.position_mm and r.orientation for r in lattice):
            out.append(Part(lattice))
        else:
            out.extend(_by_repeats(_sorted_along_normal(lattice)))
    return sorted(
        out,
        key=lambda p: (
            -len(p.rows),
            p.rows[0].instance_number or 0,
            p.rows[0].sop_instance_uid or "",
            _name(p.rows[0]),
        ),
    )


def _name(row: Instance) -> tuple[str, str]:
    return (row.sop_instance_uid or "", row.file_id)


def _is_alone(row: Instance) -> bool:
    return row.modality in PROJECTIONS or row.frames > 1


def _kind(values: tuple[str, ...]) -> str:
    words = {v.strip().upper() for v in values}
    if any(
        w in v for v in words for w in ("LOCALIZER", "SCOUT", "SURVIEW", "TOPOGRAM", "SCANOGRAM", "SURVEY")
    ):
        return "localizer"
    if words & {"MIP", "MINIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "VRT", "SSD", "VOLUME RENDERING"}:
        return "projection"
    if words & {"MPR", "CSA MPR", "REFORMATTED", "CPR", "CURVED", "RESAMPLED"}:
        return "reformat"
    return "screen" if words & {"SCREEN SAVE", "DOSE_INFO", "DOSE INFO", "DOSE REPORT"} else ""


def _by_lattice(rows: list[Instance]) -> list[list[Instance]]:
    kinds: dict[tuple[object, ...], list[Instance]] = {}
    for row in rows:
        key = (
            row.rows,
            row.columns,
            tuple(round(v, 4) for v in row.pixel_spacing_mm),
            row.frame_of_reference_uid,
            row.photometric,
            row.samples,
            row.frames > 1,
            len(row.orientation),
            _kind(row.image_type),
            row.modality,
            row.sop_class_uid,
        )
        kinds.setdefault(key, []).append(row)
    return [members for kind in kinds.values() for members in _by_direction(kind)]


def _by_direction(rows: list[Instance]) -> list[list[Instance]]:
    """Rows of one orientation each; the first row of a group stands for its direction."""
    if not rows[0].orientation:
        return [rows]
    groups: list[list[Instance]] = []
    towards = np.empty((len(rows), 6))
    for row in rows:
        near = np.abs(towards[: len(groups)] - row.orientation).max(axis=1) < _SAME_DIRECTION
        at = int(near.argmax()) if near.any() else len(groups)
        if at == len(groups):
            towards[at] = row.orientation
            groups.append([])
        groups[at].append(row)
    return groups


def normal_of(orientation: Sequence[float]) -> NDArray[np.float64]:
    """Unit normal of a plane from its six direction cosines."""
    normal = np.cross(orientation[:3], orientation[3:])
    length = float(np.linalg.norm(normal))
    return normal / length if length else normal


def _orientation(rows: Sequence[Instance]) -> tuple[float, ...]:
    counts = Counter(r.orientation for r in rows)
    most = max(counts.values())
    return min(o for o, n in counts.items() if n == most)


def _distances(rows: Sequence[Instance], orientation: tuple[float, ...] | None = None) -> NDArray[np.float64]:
    # not a matrix product: its last bit may depend on how many threads share it
    normal = normal_of(orientation or _orientation(rows))
    return np.asarray((np.array([r.position_mm for r in rows]) * normal).sum(axis=1))


def _sorted_along_normal(rows: list[Instance]) -> list[Instance]:
    order = np.argsort(_distances(rows), kind="stable")
    return [rows[n] for n in order]


def _value(row: Instance, name: str) -> tuple[bool, Any]:
    """A value that can be sorted: nothing comes first."""
    found = getattr(row, name)
    return (found is not None, 0 if found is None else found)


def _by_repeats(rows: list[Instance]) -> list[Part]:
    """Rows of one lattice, those at one position told apart by the best evidence that there is."""
    distances = _distances(rows)
    place, at = {rows[0].file_id: 0}, 0
    for n, (a, b) in enumerate(pairwise(distances)):
        at += b - a >= SAME_POSITION_MM
        place[rows[n + 1].file_id] = at
    if at == len(rows) - 1:
        orientation = _orientation(rows)
        return [Part(p) for p in _interleaved(rows, lambda part: _distances(part, orientation))]
    for way in (_complete, _rising, _stored, _unequal, _numbered):
        if found := way(rows, place):
            return found
    return [Part(rows)]


def _groups(rows: list[Instance], names: Sequence[str]) -> list[list[Instance]]:
    """Rows that agree in some attributes, sorted by their values."""
    found: dict[Any, list[Instance]] = {}
    for row in rows:
        found.setdefault(tuple(_value(row, n) for n in names), []).append(row)
    return [found[k] for k in sorted(found)]


def _is_single(rows: list[Instance], place: dict[str, int]) -> bool:
    return len({place[r.file_id] for r in rows}) == len(rows)


def _times(rows: list[Instance], place: dict[str, int]) -> int:
    """How many rows there are at every position; 0 where that differs."""
    counts = set(Counter(place[r.file_id] for r in rows).values())
    return counts.pop() if len(counts) == 1 else 0


def _varying(rows: list[Instance]) -> list[str]:
    return [n for n in _EXACT if len({getattr(r, n) for r in rows}) > 1]


def _complete(rows: list[Instance], place: dict[str, int]) -> list[Part]:
    names = _varying(rows)
    for size in (1, 2, 3):
        if not (found := _first_complete(rows, place, list(combinations(names, size)))):
            continue
        n_places = len(set(place.values()))
        clock = ["content_time"] if size == 1 else []
        divided = {}
        for chosen in combinations([*names, *clock], size):
            groups = _groups(rows, chosen)
            if len(groups) > 1 and all(len(g) == n_places and _is_single(g, place) for g in groups):
                divided[chosen] = [{r.file_id for r in g} for g in groups]
        (first, usual), *others = divided.items()
        for chosen, groups in others if size < 3 else ():
            same = sum(max(len(a & b) for b in groups) for a in usual)
            if same < len(rows):
                told = list(dict.fromkeys((*first, *chosen)))
                return [
                    Part(rows, contradiction=f"{', '.join(told)}: {len(rows) - same} of {len(rows)} slices")
                ]
        return found
    return []


def _first_complete(rows: list[Instance], place: dict[str, int], tried: list[tuple[str, ...]]) -> list[Part]:
    n_places = len(set(place.values()))
    if not _times(rows, place):
        return []
    for chosen in tried:
        groups = _groups(rows, chosen)
        if all(len(g) == n_places and _is_single(g, place) for g in groups):
            return _along(rows, place, chosen)
    return []


def _stored(rows: list[Instance], place: dict[str, int]) -> list[Part]:
    if len({r.content_time for r in rows}) == 1:
        return []
    beside = [("content_time",), *((n, "content_time") for n in _varying(rows))]
    return _first_complete(rows, place, beside) or _by_times(rows, place, "content_time")


def _unequal(rows: list[Instance], place: dict[str, int]) -> list[Part]:
    most = max(Counter(place[r.file_id] for r in rows).values())
    at_most = max(most, len(rows) // 2)
    if _times(rows, place):
        at_most = min(at_most, 2 * most)
    for size in (1, 2, 3):
        found = []
        for chosen in combinations(_varying(rows), size):
            groups = _groups(rows, chosen)
            if len(groups) <= at_most and all(_is_single(g, place) for g in groups):
                found.append((len(groups), chosen))
        if found:
            return _along(rows, place, min(found, key=lambda f: f[0])[1])
    return []


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, str):
        return value / 1000
    digits = value[8:] if len(value.partition(".")[0]) > 6 else value
    return int(digits[:2]) * 3600 + int(digits[2:4] or 0) * 60 + float(digits[4:] or 0)


def _clock(rows: Sequence[Instance], name: str) -> dict[str, float | None]:
    """Seconds of each row by file id; times of day go on after midnight, dates are counted where all have one."""
    values = {r.file_id: getattr(r, name) for r in rows}
    seconds = {k: _seconds(v) for k, v in values.items()}
    known = [s for s in seconds.values() if s is not None]
    if name == "trigger_time_ms" or not known:
        return seconds
    days = [v[:8] if v and len(v.partition(".")[0]) > 6 else "" for v in values.values()]
    if all(days):
        first = date.fromisoformat(min(days))
        return {
            k: (s or 0.0) + (date.fromisoformat(d) - first).days * 86400
            for (k, s), d in zip(seconds.items(), days, strict=True)
        }
    if max(known) - min(known) <= 43200:
        return seconds
    return {k: s + 86400 if s is not None and s < 43200 else s for k, s in seconds.items()}


def _rising(rows: list[Instance], place: dict[str, int]) -> list[Part]:
    return _by_times(rows, place, "trigger_time_ms") or _by_times(rows, place, "acquisition_time")


def _by_times(rows: list[Instance], place: dict[str, int], name: str) -> list[Part]:
    """The nth row at every position by time."""
    if not _times(rows, place) or any(getattr(r, name) is None for r in rows):
        return []
    for beside in ((), ("image_type",), ("echo_time_ms",), ("b_value",), ("b_value", "gradient")):
        if all(len({getattr(r, n) for r in rows}) > 1 for n in beside):
            seconds = _clock(rows, name)
            sets = [_nth(s, place, name, seconds) for s in _groups(rows, beside)]
            if all(sets) and len({(len(s), len(s[0].rows)) for s in sets}) == 1:
                return [p for s in sets for p in s]
    return []


def _nth(
    rows: list[Instance], place: dict[str, int], name: str, seconds: dict[str, float | None]
) -> list[Part]:
    times = _times(rows, place)
    if times < 2 or {place[r.file_id] for r in rows} != set(place.values()):
        return []

    def second(row: Instance) -> float:
        return seconds[row.file_id] or 0.0

    at: dict[int, list[Instance]] = {}
    for row in sorted(rows, key=second):
        at.setdefault(place[row.file_id], []).append(row)
    if any(second(a) >= second(b) for column in at.values() for a, b in pairwise(column)):
        return []
    layers = [[column[n] for column in at.values()] for n in range(times)]
    if name != "trigger_time_ms":
        by_time = all(max(map(second, a)) < min(map(second, b)) for a, b in pairwise(layers))
        columns = sorted(at.values(), key=lambda c: second(c[0]))
        by_place = all(second(a[-1]) < second(b[0]) for a, b in pairwise(columns))
        if not by_time and not by_place:
            return []
    first = min(map(second, rows))
    values = [
        median(map(second, layer)) if name == "trigger_time_ms" else min(map(second, layer)) - first
        for layer in layers
    ]
    inside = [{r.file_id for r in layer} for layer in layers]
    return [
        Part([r for r in rows if r.file_id in ids], "time", n, times, values[n], rows)
        for n, ids in enumerate(inside)
    ]


def _numbered(rows: list[Instance], place: dict[str, int]) -> list[Part]:
    """The nth row at every position by Instance Number."""
    times, n_places = _times(rows, place), len(set(place.values()))
    numbers = [r.instance_number for r in rows]
    if not times or n_places < 2 or None in numbers or len(set(numbers)) < len(numbers):
        return []
    if any(r.temporal_positions not in {None, 0, times} for r in rows):
        return []
    if any(r.images_in_acquisition not in {None, 0, n_places, len(rows)} for r in rows):
        return []
    ordered = sorted(rows, key=lambda r: r.instance_number or 0)
    where = [place[r.file_id] for r in ordered]
    if where == where[:n_places] * times and len(set(where[:n_places])) == n_places:
        layers = [ordered[n * n_places : (n + 1) * n_places] for n in range(times)]
    elif all(len(set(where[n : n + times])) == 1 for n in range(0, len(where), times)):
        layers = [ordered[n::times] for n in range(times)]
    else:
        return []
    inside = [{r.file_id for r in layer} for layer in layers]
    told = f"{times} times of {n_places} slices"
    is_confirmed = {r.temporal_positions for r in rows} == {times} or {
        r.images_in_acquisition for r in rows
    } == {n_places}
    for name in _varying(rows):
        at_times = all(len({getattr(r, name) for r in layer}) == 1 for layer in layers)
        at_places = all(
            len({getattr(layer[n], name) for layer in _in_space(layers, place)}) == 1 for n in range(n_places)
        )
        is_confirmed = is_confirmed and (at_times or at_places)
    return [
        Part([r for r in rows if r.file_id in ids], "time", n, times, None, rows, told, is_confirmed)
        for n, ids in enumerate(inside)
    ]


def _in_space(layers: list[list[Instance]], place: dict[str, int]) -> list[list[Instance]]:
    return [sorted(layer, key=lambda r: place[r.file_id]) for layer in layers]


def _along(rows: list[Instance], place: dict[str, int], chosen: Sequence[str]) -> list[Part]:
    """Rows told apart by some attributes, with the axis that they make."""
    for axis in _AXES:
        own = [n for n in chosen if _AXIS.get(n) == axis]
        plain = {tuple(v for v in r.image_type if v.upper() not in _COMPLEX) for r in rows}
        if not own or (axis == "phase" and len(plain) > 1):
            continue
        others = [n for n in chosen if n not in own]
        out: list[Part] = []
        # rows of one kind stand in the order in which the kinds first occur among the whole series
        for alike in _groups(rows, others):
            kinds: dict[Any, list[Instance]] = {}
            for row in alike:
                kinds.setdefault(_shared(row), []).append(row)
            for of_kind in kinds.values():
                out.extend(_points(of_kind, place, axis, own, rows))
        if any(p.axis for p in out):
            return out
    return [Part(g) for g in _groups(rows, chosen)]


def _shared(row: Instance) -> tuple[str, ...]:
    words = [v.strip().upper() for v in row.image_type]
    return (*words[:2], *sorted(_MAPS & set(words[2:])))


def _points(
    rows: list[Instance], place: dict[str, int], axis: str, own: list[str], first_of_all: list[Instance]
) -> list[Part]:
    stacks = _groups(rows, own)
    if own[0] in {"acquisition_time", "content_time"}:
        clock = _clock([*first_of_all, *rows], own[0])
        stacks.sort(key=lambda s: -1.0 if (found := clock[s[0].file_id]) is None else found)
    extents = [tuple(place[r.file_id] for r in s) for s in stacks]
    usual, count = Counter(extents).most_common(1)[0]
    if count < 2:
        return [Part(s) for s in stacks]
    on_axis = [s for s, e in zip(stacks, extents, strict=True) if e == usual]
    group = [r for s in on_axis for r in s]
    out = [Part(s) for s, e in zip(stacks, extents, strict=True) if e != usual]
    for n, stack in enumerate(on_axis):
        out.append(Part(stack, axis, n, count, _axis_value(stack[0], on_axis[0][0], axis, own), group))
    return out


def _axis_value(row: Instance, first: Instance, axis: str, own: list[str]) -> float | None:
    if axis == "phase":
        return None
    if axis == "time" and own[0] != "temporal_position":
        clock = _clock([row, first], own[0])
        a, b = clock[row.file_id], clock[first.file_id]
        if own[0] == "trigger_time_ms":
            return a
        return None if a is None or b is None else a - b
    stated = getattr(row, "b_value" if axis == "b-value" else own[0])
    return None if stated is None else float(stated)


def _uneven(distances: NDArray[np.float64]) -> int:
    gaps = [b - a for a, b in pairwise(distances.tolist())]
    usual = median_low(gaps) if gaps else 0.0
    return sum(abs(g - usual) > 0.1 * usual for g in gaps)


def _only_lack_slices(gaps: list[float], step: float) -> bool:
    """Whether gaps are whole steps, and not two in turns throughout."""
    steps = [round(g / step) for g in gaps]
    if any(abs(g - n * step) > 0.1 * step for g, n in zip(gaps, steps, strict=True)):
        return False
    return len(gaps) < 5 or any(a != b for a, b in zip(steps, steps[2:], strict=False))


def _interleaved(
    rows: list[Instance], along: Callable[[list[Instance]], NDArray[np.float64]]
) -> list[list[Instance]]:
    """Regular stacks whose slices lie between each other."""
    if len(rows) < 3 or not _uneven(along(rows)):
        return [rows]
    gaps = [b - a for a, b in pairwise(along(rows).tolist())]
    origins: dict[Any, list[Instance]] = {}
    for row in rows if not _only_lack_slices(gaps, median_low(gaps)) else ():
        origins.setdefault(tuple(v.strip().upper() for v in row.image_type[:2]), []).append(row)
    if len(origins) > 1 and sum(_uneven(along(g)) for g in origins.values()) < _uneven(along(rows)):
        return [part for g in origins.values() for part in _interleaved(g, along)]
    if _only_lack_slices(gaps, median(g for g in gaps if g <= 1.1 * min(gaps))):
        return [rows]
    number = {r.file_id: n for n, r in enumerate(rows)}

    def are_regular(groups: list[list[Instance]]) -> bool:
        if len(groups) < 2 or any(len(g) < 3 or _uneven(along(g)) for g in groups):
            return False
        return all(number[g[-1].file_id] - number[g[0].file_id] + 1 > len(g) for g in groups)

    found = []
    order = [
        *_EXACT[:9],
        *_EXACT[9:11],
        "acquisition_number",
        "acquisition_time",
        "series_uid",
        "content_time",
    ]
    for name in [n for n in order if n != "trigger_time_ms"]:
        groups = _groups(rows, [name])
        if 1 < len(groups) <= len(rows) // 3 and are_regular(groups):
            found.append(groups)
    if found:
        return min(found, key=len)
    for name in ("acquisition_time", "content_time"):
        clock = _clock(rows, name)
        if None in clock.values() or len(set(clock.values())) < len(rows):
            continue
        ordered = sorted(rows, key=lambda r: clock[r.file_id] or 0.0)
        steps = [np.sign(number[b.file_id] - number[a.file_id]) for a, b in pairwise(ordered)]
        way, runs = np.sign(sum(steps)), [[ordered[0]]]
        for step, row in zip(steps, ordered[1:], strict=True):
            if step == way:
                runs[-1].append(row)
            else:
                runs.append([row])
        runs = [sorted(r, key=lambda row: number[row.file_id]) for r in runs]
        if are_regular(runs):
            return runs
    return [rows]


def geometry_of(rows: Sequence[Instance]) -> Geometry:
    """Affine and positions of a stack in spatial order."""
    first = rows[0]
    if first.affine:  # NIfTI, NRRD: the file says it
        return Geometry(np.array(first.affine).reshape(4, 4))
    if not _has_spacing(first):
        return Geometry(_unit_affine(first)) if first.modality in PROJECTIONS else Geometry(None)
    if not all(r.position_mm and r.orientation for r in rows):
        return Geometry(_unit_affine(first)) if first.modality in PROJECTIONS else Geometry(None)
    orientation = _orientation(rows)
    points = np.array([r.position_mm for r in rows])
    distances = _distances(rows)
    normal = normal_of(orientation)
    if not normal.any():
        return Geometry(None)
    n = len(rows) - 1
    start, step = points[0], (points[-1] - points[0]) / n if n else normal * _thickness_mm(first)
    whole = points[-1] - points[0]
    off = [float(np.linalg.norm(p - (start + k * step))) for k, p in enumerate(points)]
    if max(off) > 1e-3 and n >= 3:
        usual = np.array([np.median([b[c] - a[c] for a, b in pairwise(points)]) for c in range(3)])
        middle = np.array([np.median([p[c] - k * usual[c] for k, p in enumerate(points)]) for c in range(3)])
        limit = max(1e-3, 0.01 * float(np.linalg.norm(usual)))
        good = [k for k, p in enumerate(points) if np.linalg.norm(p - (middle + k * usual)) <= limit]
        if len(good) >= 0.8 * len(points):
            step = (points[good[-1]] - points[good[0]]) / (good[-1] - good[0])
            start = points[good[0]] - good[0] * step
            whole = step * n
            off = [float(np.linalg.norm(p - (start + k * step))) for k, p in enumerate(points)]
    shape = (len(rows), first.rows or 0, first.columns or 0)
    grid = grid_from_slices(start, orientation[:3], orientation[3:], first.pixel_spacing_mm, step, shape)
    return Geometry(
        grid.affine,
        tuple(float(d) for d in distances),
        float(np.median(np.diff(distances))) if n else None,
        max(off) if n else 0.0,
        max(_beside(p, start, step, normal) for p in points) if n and max(off) > 1e-3 else 0.0,
        float(np.linalg.norm(whole - (whole @ normal) * normal)),
        max(abs(a - b) for r in rows for a, b in zip(r.orientation, orientation, strict=True)),
    )


def _beside(
    point: NDArray[np.float64],
    start: NDArray[np.float64],
    step: NDArray[np.float64],
    normal: NDArray[np.float64],
) -> float:
    """How far a point is from a line within the plane it lies in."""
    if not step @ normal:
        return 0.0
    steps = float(((point - start) * normal).sum()) / float(step @ normal)
    return float(np.linalg.norm(point - (start + steps * step)))


def set_apart(stack: Part, others: Sequence[Part]) -> list[str]:
    """Which slices of other stacks lie within the extent of a much larger one, and in what they differ."""
    geometry = geometry_of(stack.rows)
    if not geometry.positions_mm or len(stack.rows) < 3:
        return []
    orientation = _orientation(stack.rows)
    step = geometry.slice_distance_mm or 0.0
    low, high = geometry.positions_mm[0] - step, geometry.positions_mm[-1] + step
    out = set()
    for other in others:
        if (
            other is stack
            or 2 * len(other.rows) > len(stack.rows)
            or not geometry_of(other.rows).positions_mm
        ):
            continue
        differ = max(abs(a - b) for a, b in zip(orientation, _orientation(other.rows), strict=True))
        inside = [d for d in sorted(_distances(other.rows, orientation).tolist()) if low <= d <= high]
        if differ < 0.01 and inside:
            where = f"{inside[0]:.2f} mm" if len(inside) == 1 else f"{inside[0]:.2f} to {inside[-1]:.2f} mm"
            count = "1 slice" if len(inside) == 1 else f"{len(inside)} slices"
            out.add(f"{count} set apart at {where} ({_difference(stack.rows[0], other.rows[0])})")
    return sorted(out)


def _difference(one: Instance, other: Instance) -> str:
    kind = _kind(other.image_type)
    rounded = [tuple(round(v, 4) for v in r.pixel_spacing_mm) for r in (one, other)]
    told = {
        kind: kind != "",
        "matrix": (one.rows, one.columns) != (other.rows, other.columns),
        "pixel spacing": rounded[0] != rounded[1],
        "frame of reference": one.frame_of_reference_uid != other.frame_of_reference_uid,
        "photometric interpretation": one.photometric != other.photometric,
        "samples per pixel": one.samples != other.samples,
        "number of frames": (one.frames > 1) != (other.frames > 1),
        "image type": not kind and _kind(one.image_type) != kind,
        "kind of object": one.sop_class_uid != other.sop_class_uid,
    }
    return ", ".join(k for k, v in told.items() if v) or "another acquisition"


def _unit_affine(row: Instance) -> NDArray[np.float64]:
    """Voxel sizes only: a radiograph says nothing about where in the patient it lies."""
    spacing = row.pixel_spacing_mm if _has_spacing(row) else (1.0, 1.0)
    return np.diag([spacing[1], spacing[0], 1.0, 1.0])


def _has_spacing(row: Instance) -> bool:
    return len(row.pixel_spacing_mm) == 2 and all(s > 0 for s in row.pixel_spacing_mm)


def _thickness_mm(row: Instance) -> float:
    """Depth of a slice that stands alone; 1 mm where its header names none."""
    thickness = row.slice_thickness_mm
    return thickness if thickness is not None and thickness > 0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesMembers:
    """The instances of one series with what is known of them from elsewhere."""

    rows: Sequence[Instance]
    identities: Sequence[Identity]
    attributes: tuple[Attribute, ...]
    layout: LayoutRow | None = None


def series_key(row: Instance) -> tuple[str, ...]:
    """What makes instances one series within a centre: the series UID, else of DICOM the folder, else the file."""
    if row.series_uid or row.format != "dicom":
        return (row.site, row.format, row.series_uid or row.file_id)
    folder = row.path.rpartition("/")[0] + "/" if "/" in row.path else ""
    return (
        row.site,
        row.format,
        "\x1e".join([str(row.source), folder, row.patient_id or "", row.study_uid or ""]),
    )


def stacks_of(members: SeriesMembers, names: Pseudonyms) -> list[Stack]:
    """The stacks of one series."""
    first, identity = members.rows[0], members.identities[0]
    series = names.of("ser", *series_key(first))
    found = [_stack_of(part, series, identity, members, names) for part in parts(members.rows)]
    return [
        replace(
            stack,
            n_in_series=sum(len(other.files) for other in found),
            group_slices=tuple(
                len(other.files)
                for other in sorted(found, key=lambda s: s.axis_index)
                if stack.group and other.group == stack.group
            ),
        )
        for stack in found
    ]


def _stem(rows: Sequence[Instance]) -> str:
    lowest = min(rows, key=_name)
    return lowest.sop_instance_uid or lowest.file_id


def _stack_of(
    part: Part,
    series: str,
    identity: Identity,
    members: SeriesMembers,
    names: Pseudonyms,
) -> Stack:
    rows = part.rows
    first, geometry = rows[0], geometry_of(rows)
    shape = first.shape or (len(rows), first.rows or 0, first.columns or 0)
    affine = geometry.affine
    uid = first.frame_of_reference_uid
    is_projection = first.format == "dicom" and not first.position_mm and first.modality in PROJECTIONS
    stem = _stem(rows)
    date = identity.timepoint or first.study_date
    stack = Stack(
        id=names.of("stk", series, stem),
        series=series,
        study=names.of("std", first.study_uid or series),
        subject=identity.subject,
        site=identity.site,
        source=first.source,
        timepoint=names.of("tim", identity.subject, date) if date else "",
        format=first.format,
        modality=first.modality or "",
        files=tuple(r.file_id for r in rows),
        frames=tuple(0 for _ in rows),
        instances=tuple(names.of("sop", r.sop_instance_uid or r.file_id) for r in rows),
        shape=shape,
        spacing_mm=()
        if affine is None
        else tuple(float(v) for v in np.linalg.norm(affine[:3, :3], axis=0)[::-1]),
        affine=() if affine is None else tuple(float(v) for v in affine.ravel()),
        orientation=_orientation(rows) if geometry.positions_mm else first.orientation,
        orientation_residual=geometry.orientation_residual,
        axis=part.axis,
        axis_index=part.index,
        axis_count=part.count,
        axis_value=part.value,
        group=names.of("grp", series, _stem(part.group)) if part.group else "",
        absent=_absent(rows),
        orientation_code="none" if is_projection else first.orientation_code,
        affine_conflict_mm=first.affine_conflict_mm,
        affine_residual_mm=geometry.residual_mm,
        lateral_residual_mm=geometry.lateral_residual_mm,
        shear_mm=geometry.shear_mm,
        positions_mm=geometry.positions_mm,
        slice_distance_mm=geometry.slice_distance_mm,
        slice_thickness_mm=first.slice_thickness_mm,
        gantry_tilt_deg=first.gantry_tilt_deg,
        frame_of_reference=names.of("for", uid) if uid else "",
        attributes=members.attributes,
    )
    return replace(stack, **_content(rows), **_layout(members.layout))


def _content(rows: list[Instance]) -> dict[str, Any]:
    """What the headers say of the pixels."""
    first = rows[0]
    return {
        "sop_class_uid": first.sop_class_uid or "",
        "transfer_syntax_uid": first.transfer_syntax_uid or "",
        "image_type": first.image_type,
        "multi_frame": any(r.frames > 1 for r in rows),
        "samples": first.samples,
        "photometric": first.photometric or "",
        "bits_allocated": first.bits_allocated,
        "bits_stored": first.bits_stored,
        "dtype": first.dtype or _dtype_of(first),
        "n_without_rescale": sum(r.rescale_slope is None or r.rescale_intercept is None for r in rows),
        "rescale_slopes": _distinct([r.rescale_slope for r in rows]),
        "rescale_intercepts": _distinct([r.rescale_intercept for r in rows]),
        "rescale_type": first.rescale_type or "",
        "has_modality_lut": any(r.has_modality_lut for r in rows),
        "pet_units": first.pet_units or "",
        "is_lossy": any(r.is_lossy for r in rows),
        "has_pixels": all(r.has_pixels for r in rows),
        "presentation_intent": first.presentation_intent or "",
        "burned_in_annotation": max((r.burned_in_annotation or "" for r in rows), default=""),
        "unparsable": tuple(sorted({u for r in rows for u in r.unparsable})),
        "overlong": tuple(sorted({u for r in rows for u in r.overlong})),
        "repeated": tuple(sorted({u for r in rows for u in r.repeated})),
        "lossy_ratios": tuple(sorted({r.lossy_ratio for r in rows if r.lossy_ratio})),
        "lossy_methods": tuple(sorted({r.lossy_method for r in rows if r.lossy_method})),
        "all_bits_stored": _distinct([r.bits_stored for r in rows]),
        "all_signs": _distinct([r.pixel_representation for r in rows]),
        "all_rescale_types": _texts([r.rescale_type for r in rows]),
        "all_pet_units": _texts([r.pet_units for r in rows]),
        "all_transfer_syntaxes": _distinct([r.transfer_syntax_uid or None for r in rows]),
        "first_number": min((r.instance_number for r in rows if r.instance_number is not None), default=None),
        "last_number": max((r.instance_number for r in rows if r.instance_number is not None), default=None),
        "images_in_acquisition": _only([r.images_in_acquisition for r in rows]),
        "temporal_positions": _only([r.temporal_positions for r in rows]),
    }


def _texts(values: list[str | None]) -> tuple[str, ...]:
    return tuple(sorted({v or "" for v in values})) if any(values) else ()


def _only(values: list[int | None]) -> int | None:
    found = {v for v in values if v}
    return found.pop() if len(found) == 1 else None


def _absent(rows: list[Instance]) -> tuple[str, ...]:
    """Attributes of type 1 that some slice lacks."""
    first = rows[0]
    if first.format != "dicom":
        return ()
    asked = {
        "SOPClassUID": "sop_class_uid", "SOPInstanceUID": "sop_instance_uid", "StudyInstanceUID": "study_uid",
        "SeriesInstanceUID": "series_uid", "Modality": "modality", "Rows": "rows", "Columns": "columns",
        "BitsAllocated": "bits_allocated", "BitsStored": "bits_stored", "PixelRepresentation": "pixel_representation",
        "PhotometricInterpretation": "photometric",
    }  # fmt: skip
    is_capture = (first.sop_class_uid or "").startswith("1.2.840.10008.5.1.4.1.1.7")
    if first.modality in {"CT", "MR", "PT"} and not is_capture:
        asked |= {
            "FrameOfReferenceUID": "frame_of_reference_uid", "ImageType": "image_type", "PixelSpacing": "pixel_spacing_mm",
            "ImageOrientationPatient": "orientation", "ImagePositionPatient": "position_mm",
        }  # fmt: skip
        if first.modality != "MR":
            asked |= {"RescaleSlope": "rescale_slope", "RescaleIntercept": "rescale_intercept"}
        if first.modality == "PT":
            asked["Units"] = "pet_units"
    return tuple(sorted(k for k, n in asked.items() if any(getattr(r, n) in (None, "", ()) for r in rows)))


def _layout(row: LayoutRow | None) -> dict[str, Any]:
    """What the layout of the source says of the file."""
    if row is None:
        return {}
    return {
        "layout_role": row.role,
        "layout_channel": row.channel,
        "layout_case": row.case,
        "partition": row.partition,
    }


def _dtype_of(row: Instance) -> str:
    if row.bits_allocated not in {8, 16, 32}:
        return ""
    return f"{'int' if row.pixel_representation else 'uint'}{row.bits_allocated}"


def _distinct(values: list[Any]) -> tuple[Any, ...]:
    return tuple(sorted({v for v in values if v is not None}))


def series_of(members: SeriesMembers, stacks: Sequence[Stack]) -> Series:
    """The row of one series."""
    rows, first = members.rows, members.rows[0]

    def count(field: str) -> int:
        return len({getattr(r, field) for r in rows})

    def most(key: Callable[[Instance], object]) -> int:
        """The highest count among grey planes of one orientation: other views and pictures are no mixture."""
        planes: dict[tuple[float, ...], set[object]] = {}
        if len({key(row) for row in rows}) == 1:
            return 1
        for row in rows:
            if row.orientation and row.samples == 1:
                planes.setdefault(tuple(round(v, 2) for v in row.orientation), set()).add(key(row))
        return max(map(len, planes.values()), default=1)

    return Series(
        id=stacks[0].series,
        study=stacks[0].study,
        subject=members.identities[0].subject,
        site=members.identities[0].site,
        format=first.format,
        modality=first.modality or "",
        n_instances=len(rows),
        n_stacks=len(stacks),
        n_subjects=len({i.subject for i in members.identities}),
        n_modalities=count("modality"),
        n_frames_of_reference=most(lambda r: r.frame_of_reference_uid),
        n_bits_stored=most(lambda r: r.bits_stored),
        n_matrices=most(lambda r: (r.rows, r.columns)),
        n_pixel_spacings=most(lambda r: tuple(round(v, 4) for v in r.pixel_spacing_mm)),
        n_photometrics=most(lambda r: r.photometric),
        has_patient_id=all(r.patient_id for r in rows),
        is_dummy_patient_id=any(i.is_dummy for i in members.identities),
        has_manufacturer=all(r.manufacturer for r in rows),
        has_model=all(r.model for r in rows),
        identity_removed=first.identity_removed,
        burned_in_annotation=max((r.burned_in_annotation or "" for r in rows), default=""),
    )
