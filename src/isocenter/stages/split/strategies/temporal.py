"""By time: the earliest subjects are trained on, later ones validate, and the latest are the test."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from isocenter.base.errors import ConfigError
from isocenter.model.split import SplitRow
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.strategy import Assignment
from isocenter.stages.split.times import in_order
from isocenter.stages.split.units import Unit, asked_for, subjects_in, units_of

_NEAR_SHARE = 0.05  # of all subjects: how far a cut may move to where nobody's time lies on both sides


def assign(rows: Sequence[SplitRow], *, options: SplitOptions, seed: int) -> Assignment:  # noqa: ARG001
    """Cut the subjects, in the order of their latest case, into train, val and test.

    A cut never divides equal times. It is made where nobody, and no group, has cases before and after it, if there is
    such a place near the fraction. Subjects that come later are placed by the times of those that are placed already.

    Raises:
        ConfigError: somebody's time is not known, or times are of several kinds.
    """
    if missing := sum(not r.last for r in rows):
        raise ConfigError(
            f"strategy temporal: of {missing} of {len(rows)} subjects it is not known when they were examined"
        )
    if not rows:
        return Assignment(partitions={})
    units, parts = units_of(rows), asked_for(options.fractions)
    order = in_order({t for r in rows for t in (r.first or r.last, r.last)})
    spans = {id(u): _span(u, order) for u in units}
    cuts, obstacles = _cuts([(*spans[id(u)], u.size) for u in units], list(parts.values()), len(rows))
    cuts = _kept(units, spans, list(parts), cuts)
    names = list(parts)
    chosen = {u.name: names[sum(spans[id(u)][1] > cut for cut in cuts)] for u in units if not u.partition}
    return Assignment(partitions=subjects_in(units, chosen), obstacles=obstacles)


def _span(unit: Unit, order: dict[str, int]) -> tuple[int, int]:
    """Ranks of the earliest and the latest time of a group."""
    return min(order[r.first or r.last] for r in unit.rows), max(order[r.last] for r in unit.rows)


def _cuts(
    spans: Sequence[tuple[int, int, int]], fractions: Sequence[float], total: int
) -> tuple[list[int], tuple[str, ...]]:
    """The last rank of every part but the last one, and what stood in the way."""
    cuts: list[int] = []
    said = []
    reached = 0.0
    ends = sorted({last for _, last, _ in spans})
    upto = _sums(spans)
    for fraction in fractions[:-1]:
        reached += fraction * total
        possible = [e for e in ends if not cuts or e > cuts[-1]] or ends[-1:]
        torn = _torn(spans, possible)
        cut = min(possible, key=lambda e: (round(abs(upto[e] - reached), 6), e))
        clean = [
            e for e in possible if not torn[e] and abs(upto[e] - reached) <= max(1.0, _NEAR_SHARE * total)
        ]
        if clean:
            cut = min(clean, key=lambda e: (round(abs(upto[e] - reached), 6), e))
        else:
            said.append(
                f"{torn[cut]} subjects, with those who stay with them, have cases before and after the cut at "
                f"{100 * upto[cut] / max(total, 1):.0f} % of the subjects; they are in the later part, and no cut near "
                "it divides nobody"
            )
        cuts.append(cut)
    return cuts, tuple(said)


def _sums(spans: Sequence[tuple[int, int, int]]) -> dict[int, int]:
    out: dict[int, int] = {}
    total = 0
    for _, last, size in sorted(spans, key=lambda s: s[1]):
        total += size
        out[last] = total
    return out


def _torn(spans: Sequence[tuple[int, int, int]], ends: Sequence[int]) -> dict[int, int]:
    """How many subjects have cases up to each rank and later ones."""
    highest = max((last for _, last, _ in spans), default=0)
    steps = [0] * (highest + 2)
    for first, last, size in spans:
        steps[first] += size
        steps[last] -= size
    counts = [0]
    for step in steps:
        counts.append(counts[-1] + step)
    return {e: counts[e + 1] for e in ends}


def _kept(
    units: Sequence[Unit], spans: dict[int, tuple[int, int]], names: Sequence[str], cuts: Sequence[int]
) -> list[int]:
    """Cuts that leave who is placed already where they are: between the latest of a part and the earliest of the next."""
    ends = {n: [spans[id(u)][1] for u in units if u.partition == n] for n in names}
    out = []
    for (before, after), cut in zip(pairwise(names), cuts, strict=True):
        earlier = [e for n in names[: names.index(before) + 1] for e in ends[n]]
        later = [e for n in names[names.index(after) :] for e in ends[n]]
        if not earlier and not later:
            out.append(cut)
        else:
            low = max(earlier, default=cut)
            high = min(later, default=max(low, cut) + 1)
            out.append(max(low, min(cut, high - 1)))
    return out
