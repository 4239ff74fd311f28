"""Charts: spreads by group, counts by bin, and proportions with their intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from isocenter.report.blocks import Drawing
from isocenter.report.estimates import spread_of
from isocenter.report.svg import INK, LINE, MUTED, SERIES, Words, figure, markup, settings
from isocenter.report.text import counted, fitted, number, signs_wide

_WIDTH = 360.0
_RIGHT = 16.0
_BOTTOM = 38.0
_ROW = 34.0
_MOST_DOTS = 60
_COLUMNS = 64
_MOST_SIGNS = 16
_MARKERS = ("o", "s", "D", "^", "v", "P")


@dataclass(frozen=True, slots=True)
class Estimate:
    """One row of a chart of proportions: fractions of one with their interval."""

    group: str
    name: str
    value: float
    low: float
    high: float


def spread(
    name: str,
    groups: Mapping[str, Sequence[float]],
    *,
    title: str,
    unit: str = "",
    is_log: bool = False,
    limits: tuple[float, float] | None = None,
    mark: float | None = None,
) -> Drawing:
    """One row per group: its values as dots, or as a histogram where there are many; median and quartiles.

    Args:
        name: What the ids in it begin with.
        groups: Finite values by group, at least one each.
        title: What is shown.
        unit: Unit of the values.
        is_log: Whether steps along the axis are factors.
        limits: The ends of the axis; those of the values unless given.
        mark: A value to draw a line at.
    """
    left = _left(groups)
    height = _ROW * len(groups) + _BOTTOM + 4
    with settings():
        drawn, axes = _canvas(height, left)
        low, high = limits or _limits([v for g in groups.values() for v in g], is_log=is_log)
        axes.set_xlim(low, high)
        axes.set_ylim(len(groups) - 0.5, -0.5)
        _value_axis(axes, is_log=is_log, low=low, high=high)
        for row, values in enumerate(groups.values()):
            _spread_row(axes, row, values, is_log=is_log)
        if mark is not None:
            axes.axvline(mark, color=INK, linewidth=1, linestyle=(0, (3, 2)))
        words = _row_names(groups, height)
        words.append(Words((left + _WIDTH - _RIGHT) / 2, height - 6, unit, "middle", "quiet"))
        described = "; ".join(f"{g}: {_in_words(v)}" for g, v in groups.items())
        svg = markup(drawn, name, title, f"{described}. Unit: {unit or 'none'}.", words)
    total = sum(map(len, groups.values()))
    return Drawing(svg, title, f"n = {total:,}" + (", logarithmic axis" if is_log else ""))


def histogram(
    name: str,
    groups: Mapping[str, Sequence[float]],
    *,
    title: str,
    unit: str,
    step: float,
    noun: str,
) -> Drawing:
    """Counts by bins of one width; one row of bars per group, all on one scale."""
    left = _left(groups)
    rows = 62.0
    height = rows * len(groups) + _BOTTOM + 4
    everything = [v for g in groups.values() for v in g]
    low = math.floor(min(everything) / step) * step
    high = max(math.floor(max(everything) / step) * step + step, low + 3 * step)
    edges = np.arange(low, high + step / 2, step)
    tallest = max(int(np.histogram(list(v), edges)[0].max()) for v in groups.values())
    with settings():
        drawn, axes = _canvas(height, left)
        axes.set_xlim(low, high)
        axes.set_ylim(len(groups), 0)
        _value_axis(axes, is_log=False, low=low, high=high)
        words = []
        for row, (group, values) in enumerate(groups.items()):
            counts = np.histogram(list(values), edges)[0]
            tops = counts / tallest * 0.72
            axes.bar(
                edges[:-1] + step / 2, -tops, width=step * 0.88, bottom=row + 0.98, color=SERIES[row % 6]
            )
            y = 4 + rows * (row + 0.5)
            words.append(Words(2, y, _short(group)))
            words.append(Words(2, y + 14, f"n = {len(values):,}", css="quiet"))
            for count, top, edge in zip(counts, tops, edges, strict=False):
                if count:
                    x = left + (edge + step / 2 - low) / (high - low) * (_WIDTH - _RIGHT - left)
                    at = 4 + rows * (row + 0.98 - top) - 3
                    words.append(Words(x, at, f"{count:,}", "middle", "quiet"))
        words.append(Words((left + _WIDTH - _RIGHT) / 2, height - 6, unit, "middle", "quiet"))
        described = "; ".join(f"{g}: {_in_words(v)}" for g, v in groups.items())
        svg = markup(drawn, name, title, f"{described}. Unit: {unit}.", words)
    return Drawing(svg, title, f"{counted(len(everything), noun)}, by steps of {number(step)} {unit}")


def proportions(name: str, rows: Sequence[Estimate], *, title: str, note: str) -> Drawing:
    """Proportions with their intervals, in per cent; rows of one group stand together under its name."""
    names = list(dict.fromkeys(r.name for r in rows))
    left = _left(names)
    lines: list[Estimate | str] = []
    for group in dict.fromkeys(r.group for r in rows):
        lines += [group, *(r for r in rows if r.group == group)]
    row = 20.0
    height = row * len(lines) + _BOTTOM + 4
    with settings():
        drawn, axes = _canvas(height, left)
        axes.set_xlim(0, 100)
        axes.set_ylim(len(lines) - 0.5, -0.5)
        _value_axis(axes, is_log=False, low=0, high=100)
        words = []
        for at, line in enumerate(lines):
            y = 4 + row * (at + 0.5) + 4
            if isinstance(line, str):
                words.append(Words(2, y, fitted(line, 46), css="strong"))
                continue
            nth = names.index(line.name)
            colour = SERIES[nth % 6]
            axes.plot([100 * line.low, 100 * line.high], [at, at], color=colour, linewidth=2)
            axes.plot([100 * line.value], [at], _MARKERS[nth % 6], color=colour, markersize=6, clip_on=False)
            words.append(Words(10, y, _short(line.name)))
        words.append(Words((left + _WIDTH - _RIGHT) / 2, height - 6, "%", "middle", "quiet"))
        described = "; ".join(
            f"{r.group}, {r.name}: {r.value:.0%} ({r.low:.0%} to {r.high:.0%})" for r in rows
        )
        svg = markup(drawn, name, title, described, words)
    return Drawing(svg, title, note)


def _canvas(height: float, left: float) -> tuple[Figure, Axes]:
    drawn = figure(_WIDTH, height)
    box = (
        left / _WIDTH,
        _BOTTOM / height,
        (_WIDTH - left - _RIGHT) / _WIDTH,
        (height - _BOTTOM - 4) / height,
    )
    axes = drawn.add_axes(box, facecolor="none")
    axes.set_frame_on(False)
    axes.set_yticks([])
    axes.set_axisbelow(True)
    return drawn, axes


def _value_axis(axes: Axes, *, is_log: bool, low: float, high: float) -> None:
    if is_log:
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        steps = (1,) if len(powers) > 3 else (1, 3)
        ticks = [m * 10.0**p for p in powers for m in steps if low <= m * 10.0**p <= high]
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v, 3)))
    axes.tick_params(axis="x", length=0, pad=5, labelcolor=MUTED, labelsize=11)
    axes.grid(visible=True, axis="x", color=LINE, linewidth=0.8)


def _spread_row(axes: Axes, row: int, values: Sequence[float], *, is_log: bool) -> None:
    five = spread_of(values)
    if len(values) <= _MOST_DOTS:
        across, up = _piled(values, *axes.get_xlim(), is_log=is_log)
        heights = [row + 0.1 - u for u in up]
        axes.plot(across, heights, "o", color=SERIES[0], markersize=4, linewidth=0, clip_on=False)
    else:
        low, high = axes.get_xlim()
        edges = np.geomspace(low, high, 41) if is_log else np.linspace(low, high, 41)
        counts = np.histogram(list(values), edges)[0]
        tops = row + 0.12 - 0.5 * counts / counts.max()
        axes.stairs(tops, edges, baseline=row + 0.12, fill=True, color=SERIES[0], alpha=0.65, linewidth=0)
    line = row + 0.26
    axes.plot([five.low, five.high], [line, line], color=MUTED, linewidth=1)
    axes.plot(
        [five.quarter, five.three_quarters], [line, line], color=INK, linewidth=3, solid_capstyle="butt"
    )
    axes.plot([five.median], [line], "o", color=INK, markersize=6)


def _piled(
    values: Sequence[float], low: float, high: float, *, is_log: bool
) -> tuple[list[float], list[float]]:
    """Sorted values and their heights: dots that would overlap stand on top of each other (Wilkinson 1999)."""
    along = math.log if is_log else float
    width = along(high) - along(low)
    across = sorted(values)
    columns = [round((along(v) - along(low)) / width * _COLUMNS) for v in across]
    step = min(0.12, 0.5 / max(Counter(columns).values()))
    seen: Counter[int] = Counter()
    up = []
    for column in columns:
        up.append(step * seen[column])
        seen[column] += 1
    return across, up


def _limits(values: Sequence[float], *, is_log: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if is_log:
        return low / 1.3, high * 1.3
    margin = 0.04 * (high - low) or max(abs(high) * 0.1, 0.5)
    return low - margin, high + margin


def _row_names(groups: Mapping[str, Sequence[float]], height: float) -> list[Words]:
    row = (height - _BOTTOM - 4) / len(groups)
    words = []
    for n, (group, values) in enumerate(groups.items()):
        y = 4 + row * (n + 0.5)
        words += [Words(2, y - 1, _short(group)), Words(2, y + 12, f"n = {len(values):,}", css="quiet")]
    return words


def _left(names: Mapping[str, Sequence[float]] | Sequence[str]) -> float:
    """Room for the row names, in points."""
    return 16.0 + 6.4 * max(7, *(signs_wide(_short(n)) for n in names))


def _short(text: str) -> str:
    return fitted(text, _MOST_SIGNS)


def _in_words(values: Sequence[float]) -> str:
    five = spread_of(values)
    return (
        f"{len(values)} values from {number(five.low)} to {number(five.high)}, median {number(five.median)}"
    )
