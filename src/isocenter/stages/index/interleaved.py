"""Interleaved: two regular stacks whose slices lie between each other, told apart by one attribute."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from isocenter.stages.index.axis import seconds_of
from isocenter.stages.index.columns import Members, Rows
from isocenter.stages.index.kinds import origin_of_image

# Gaps that differ from the usual one by more than this share of it are uneven.
_UNEVEN_SHARE = 0.1
_LEAST_SLICES = 3
# Attributes that may differ between two acquisitions in one series.
_TELLING = (
    "temporal_position", "echo_time_ms", "b_value", "gradient", "inversion_time_ms", "kvp", "image_type",
    "convolution_kernel", "contrast_agent", "repetition_time_ms", "acquisition_number", "acquisition_time",
    "series_uid", "content_time",
)  # fmt: skip


def parts_between(members: Members, rows: Rows, distances: NDArray[np.float64]) -> list[Rows]:
    """The stacks of rows at different positions: one, unless it is uneven and an attribute splits it evenly.

    Args:
        members: The series.
        rows: Rows in spatial order.
        distances: Where they lie along the normal, (N,), rising.
    """
    if len(rows) < 3 or _is_even(distances):
        return [rows]
    gaps = np.diff(distances)
    least = float(np.median(gaps[gaps <= (1 + _UNEVEN_SHARE) * gaps.min()]))
    if not _only_lack_slices(gaps, _usual(gaps)) and (found := _without_derived(members, rows, distances)):
        return found
    if _only_lack_slices(gaps, least):
        return [rows]
    return _regular_parts(members, rows, distances) or _runs_in_time(members, rows, distances) or [rows]


def _is_even(distances: NDArray[np.float64]) -> bool:
    return _uneven_gaps(distances) == 0


def _uneven_gaps(distances: NDArray[np.float64]) -> int:
    gaps = np.diff(distances)
    if not len(gaps):
        return 0
    usual = _usual(gaps)
    return int((np.abs(gaps - usual) > _UNEVEN_SHARE * usual).sum())


def _usual(gaps: NDArray[np.float64]) -> float:
    return float(np.sort(gaps)[(len(gaps) - 1) // 2])


def _only_lack_slices(gaps: NDArray[np.float64], step: float) -> bool:
    """Whether all gaps are whole steps: one stack that lost slices, however its parts were acquired.

    A scanner may take every second slice first, and each half is regular again where one slice of the other
    is lost: taken apart, nothing would be missing. Gaps that take turns throughout are no loss.
    """
    steps = np.rint(gaps / step)
    if (np.abs(gaps - steps * step) > _UNEVEN_SHARE * step).any():
        return False
    takes_turns = len(gaps) >= 2 * _LEAST_SLICES - 1 and (steps[2:] == steps[:-2]).all()
    return not takes_turns


def _without_derived(members: Members, rows: Rows, distances: NDArray[np.float64]) -> list[Rows]:
    """Original and derived images apart, if that leaves fewer uneven gaps."""
    if members.is_one("image_type"):
        return []
    codes = members.recoded("image_type", origin_of_image)[rows]
    groups = [np.flatnonzero(codes == c) for c in np.unique(codes).tolist()]
    if len(groups) < 2 or sum(_uneven_gaps(distances[g]) for g in groups) >= _uneven_gaps(distances):
        return []
    return [part for g in groups for part in parts_between(members, rows[g], distances[g])]


def _regular_parts(members: Members, rows: Rows, distances: NDArray[np.float64]) -> list[Rows]:
    """The fewest groups by one attribute that are all regular and lie within each other's extent."""
    found: list[list[NDArray[np.intp]]] = []
    for name in _TELLING:
        if members.is_one(name) or len(members.distinct(name, rows)) > len(rows) // _LEAST_SLICES:
            continue
        codes = members.ranked((name,), rows)
        groups = [np.flatnonzero(codes == n) for n in range(int(codes.max()) + 1)]
        if _are_interleaved(distances, groups):
            found.append(groups)
    return [rows[g] for g in min(found, key=len)] if found else []


def _runs_in_time(members: Members, rows: Rows, distances: NDArray[np.float64]) -> list[Rows]:
    """The passes of a scanner that went through the body again and again, by the times of single slices."""
    for name in ("acquisition_time", "content_time"):
        seconds = seconds_of(members, name, rows)
        if np.isnan(seconds).any() or len(np.unique(seconds)) < len(seconds):
            continue
        groups = list(_passes(distances, np.argsort(seconds, kind="stable")))
        if _are_interleaved(distances, groups):
            return [rows[g] for g in groups]
    return []


def _passes(distances: NDArray[np.float64], order: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    ways = np.sign(np.diff(distances[order]))
    turns = np.flatnonzero(ways != np.sign(ways.sum())) + 1
    for part in np.split(order, turns):
        yield np.sort(part)


def _are_interleaved(distances: NDArray[np.float64], groups: list[NDArray[np.intp]]) -> bool:
    """Whether groups are regular stacks, each of which has slices of others within its extent."""
    if len(groups) < 2 or any(len(g) < _LEAST_SLICES or not _is_even(distances[g]) for g in groups):
        return False
    # rows are in spatial order, so a group that has no others inside is a run of them
    return all(int(g[-1] - g[0]) + 1 > len(g) for g in groups)
