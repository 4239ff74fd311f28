"""Distributions: spacing, size, intensity and lesion volume of what was packed, by site."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from isocenter.model.rows import CaseRow, LabelState
from isocenter.report.blocks import Block, Column, Drawing, Drawings, Fold, Part, Prose, Table
from isocenter.report.charts import spread
from isocenter.report.estimates import spread_of
from isocenter.report.facts import ReportFacts
from isocenter.report.text import number

ORDER = 50
TITLE = "Spacing, size, intensity and volume"

_MOST_SITES = 12
_MOST_LABELS = 6
Groups = dict[str, list[float]]


def render(facts: ReportFacts) -> tuple[Block, ...]:
    """Charts by site, with the numbers behind them to unfold."""
    if facts.cases:
        made = "packed case"
        shapes = [(c.site, c.spacing_mm, c.shape) for c in facts.cases]
    elif facts.stacks:
        made = "image stack found (no cases are packed)"
        shapes = [(s.site, s.spacing_mm, s.shape) for s in facts.stacks]
    else:
        return (Prose("There are neither cases nor stacks in this workspace to measure."),)
    text = (
        f"One dot or count per {made}. Below each row: the thin line is the range, the thick line the "
        "middle half, the big dot the median. k counts slices, j rows, i columns."
    )
    grid = _Charts()
    for axis, letter in enumerate("kji"):
        grid.add(
            f"spacing-{letter}",
            _by_site((s, v[axis]) for s, v, _ in shapes if len(v) == 3),
            f"Spacing along {letter}",
            "mm",
        )
    for axis, letter in enumerate("kji"):
        grid.add(
            f"size-{letter}",
            _by_site((s, v[axis]) for s, _, v in shapes if len(v) == 3),
            f"Size along {letter}",
            "voxels",
        )
    blocks: list[Block] = [Prose(text), Part("Grid", grid.blocks("spacing and size"))]
    if facts.cases:
        blocks += [*_intensity(facts.cases), *_volumes(facts.cases), *_pieces(facts.cases)]
    return tuple(blocks)


class _Charts:
    """Charts of one part and the rows of the table behind them."""

    def __init__(self) -> None:
        self.drawings: list[Drawing] = []
        self.rows: list[tuple[str, ...]] = []

    def add(self, name: str, groups: Groups, title: str, unit: str, *, is_log: bool = False) -> None:
        """One more chart, unless there is nothing to draw."""
        groups = _bounded(groups)
        if not groups:
            return
        self.drawings.append(spread(f"distributions-{name}", groups, title=title, unit=unit, is_log=is_log))
        for group, values in groups.items():
            five = spread_of(values)
            numbers = (five.low, five.quarter, five.median, five.three_quarters, five.high)
            self.rows.append((title, group, f"{five.count:,}", *map(number, numbers), unit))

    def blocks(self, of: str) -> tuple[Block, ...]:
        """The charts and their table."""
        heads = ("n", "Minimum", "25%", "Median", "75%", "Maximum")
        columns = (
            Column("Quantity"),
            Column("Site"),
            *(Column(h, is_number=True) for h in heads),
            Column("Unit"),
        )
        table = Table(f"Numbers behind the charts of {of}", columns, tuple(self.rows))
        return Drawings(tuple(self.drawings)), Fold(f"Numbers: {of}", (table,))


def _intensity(cases: Sequence[CaseRow]) -> tuple[Block, ...]:
    """Mean and median over the foreground, channel by channel, where the build measured them."""
    found: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for case in cases:
        for channel, text in zip(case.channels, case.statistics, strict=False):
            measured = _object(text)
            for name in ("mean", "median"):
                value = measured.get(name)
                if isinstance(value, int | float):
                    found[channel, name].append((case.site, float(value)))
    grid = _Charts()
    for n, ((channel, name), values) in enumerate(sorted(found.items())):
        title = f"{name.capitalize()} of {channel}"
        grid.add(f"intensity-{n}", _by_site(values), title, _unit(cases, channel))
    return (Part("Intensity of the foreground", grid.blocks("intensity")),) if grid.drawings else ()


def _unit(cases: Iterable[CaseRow], channel: str) -> str:
    """Unit that the build gave a channel's values; several are all told."""
    units = {u for c in cases for n, u in zip(c.channels, c.units, strict=False) if n == channel and u}
    return " and ".join(sorted(units))


def _volumes(cases: Iterable[CaseRow]) -> tuple[Block, ...]:
    """Volume of each label where it is present; the most frequent labels only, and that is said."""
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for case in cases:
        for state in case.labels:
            if state.state == "positive" and state.volume_ml > 0:
                found[state.label].append((case.site, state.volume_ml))
    labels = sorted(found, key=lambda name: (-len(found[name]), name))
    grid = _Charts()
    for n, label in enumerate(labels[:_MOST_LABELS]):
        values = [v for _, v in found[label]]
        is_log = max(values) / min(values) > 20
        grid.add(f"volume-{n}", _by_site(found[label]), f"Volume of {label}", "mL", is_log=is_log)
    if not grid.drawings:
        return ()
    rest = len(labels) - _MOST_LABELS
    more = (Prose(f"{rest} rarer labels are not drawn."),) if rest > 0 else ()
    return (Part("Volume of the labels", (*more, *grid.blocks("volume"))),)


def _pieces(cases: Iterable[CaseRow]) -> tuple[Block, ...]:
    """What became of the labels' volumes and connected pieces on the grids of the cases, where masks were drawn."""
    found: dict[str, list[LabelState]] = defaultdict(list)
    for case in cases:
        for state in case.labels:
            if state.drawn_components_before:
                found[state.label].append(state)
    rows = []
    for label in sorted(found):
        states = found[label]
        before, after = (sum(getattr(s, f"drawn_{n}_ml") for s in states) for n in ("before", "after"))
        change = "" if not before else f"{100 * (after / before - 1):+.2f}"
        counts = ("drawn_components_before", "drawn_components_after", "vanished", "merged", "split")
        rows.append((label, change, *(f"{sum(getattr(s, c) for s in states):,}" for c in counts)))
    if not rows:
        return ()
    heads = (
        "Change of volume, %",
        "Pieces drawn",
        "Pieces packed",
        "Vanished",
        "Made of several",
        "Fell apart",
    )
    columns = (Column("Label"), *(Column(h, is_number=True) for h in heads))
    text = (
        "All drawings of all raters added up, on the grids they were drawn on and on those of the cases. "
        "A piece is what touches at a face, an edge or a corner."
    )
    table = Table("Labels before and after they came to the grid of their case", columns, tuple(rows))
    return (Part("Labels on the grid of their case", (Prose(text), table)),)


def _by_site(values: Iterable[tuple[str, float]]) -> Groups:
    groups: Groups = defaultdict(list)
    for site, value in values:
        if math.isfinite(value):
            groups[site].append(float(value))
    return {site: groups[site] for site in sorted(groups)}


def _bounded(groups: Groups) -> Groups:
    """At most a dozen sites: the smallest ones are put together."""
    if len(groups) <= _MOST_SITES:
        return groups
    ranked = sorted(groups, key=lambda s: (-len(groups[s]), s))
    kept = {s: groups[s] for s in sorted(ranked[: _MOST_SITES - 1])}
    rest = [v for s in sorted(ranked[_MOST_SITES - 1 :]) for v in groups[s]]
    return {**kept, f"{len(groups) - len(kept)} other sites": rest}


def _object(text: str) -> Mapping[str, object]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
