"""Histogram: how often the values of an image occur, so that what is asked later need not read it again.

Whole numbers of up to 16 bits are counted one by one, and everything taken from the counts is exact. All else is
counted in equal bins whose width is a power of two and whose edges are multiples of it: at most `MOST_BINS`, and
more than half as many where the values allow it, so that a bin is never wider than the range divided by 1,023.
Bins of two such histograms fall into each other, so that merging is exact too: the histogram of the whole is the
merged one of its parts, in any order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_BINS = 2048
# Bins are no finer than 2**-50 of the largest value, so that their numbers are exact in float64, ...
_FINEST_BITS = 50
# ... and no narrower than 2**-1000, where float64 ends.
_LOWEST_EXPONENT = -1000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Histogram:
    """How often values occur.

    Args:
        first: Where the counts begin, in steps: the lowest level, or the lower edge of the first bin.
        counts: int64 (N,), how often each occurs; the first and the last are not 0.
        exponent: A step is 2**exponent wide; 0 where whole numbers are counted.
        is_exact: Whether a count is of one whole number, and not of all values of a bin.
    """

    first: int
    counts: NDArray[np.int64]
    exponent: int = 0
    is_exact: bool = True

    @classmethod
    def of_counts(
        cls, first: int, counts: NDArray[np.int64], *, exponent: int = 0, is_exact: bool = True
    ) -> Histogram:
        """A histogram of counts that may begin and end with zeros."""
        seen = np.flatnonzero(counts)
        if not seen.size:
            return NOTHING
        kept = counts[seen[0] : seen[-1] + 1].astype(np.int64)
        return cls(first=first + int(seen[0]), counts=kept, exponent=exponent, is_exact=is_exact)

    @property
    def step(self) -> float:
        """Width of a bin: also the bound of the error of a percentile, which is none where counts are exact."""
        return math.ldexp(1.0, self.exponent)

    @property
    def total(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    @property
    def values(self) -> NDArray[np.float64]:
        """The value (N,) that each count stands for: the whole number, or the middle of the bin."""
        middle = 0.0 if self.is_exact else 0.5
        return np.asarray(np.ldexp(np.arange(self.counts.size) + (self.first + middle), self.exponent))

    def parted(self, threshold: float) -> tuple[Histogram, Histogram]:
        """What is above a threshold, and what is not; a bin goes whole to the side that its lower edge is on."""
        edges = np.ldexp(np.arange(self.counts.size) + float(self.first), self.exponent)
        return self.chosen(edges > threshold), self.chosen(edges <= threshold)

    def chosen(self, is_chosen: NDArray[np.bool_]) -> Histogram:
        """The histogram of some of its levels or bins, flagged (N,)."""
        counts = np.where(is_chosen, self.counts, 0)
        return Histogram.of_counts(self.first, counts, exponent=self.exponent, is_exact=self.is_exact)

    def moments(self) -> tuple[int, float, float]:
        """Count, mean and standard deviation (of the population); NaN where nothing was counted.

        Of whole numbers they are exact but for one rounding; of bins the mean is off by less than half a step.
        """
        total = self.total
        if not total:
            return 0, math.nan, math.nan
        levels = np.arange(
            self.counts.size, dtype=np.int64
        )  # counted from the first: small, so that none overflows
        counts = self.counts
        if self.counts.size**2 * total >= 1 << 62:
            levels, counts = levels.astype(object), counts.astype(object)
        once, twice = int(levels @ counts), int((levels * levels) @ counts)
        # whole numbers to the end: a sum of floats would depend on how many threads share it
        spread = math.sqrt((total * twice - once * once) / (total * total))
        middle = 0.0 if self.is_exact else 0.5
        mean = (self.first * total + once) / total + middle
        return total, math.ldexp(mean, self.exponent), math.ldexp(spread, self.exponent)

    def percentile(self, percent: float) -> float:
        """A percentile, linear between the two nearest ranks (Hyndman and Fan's type 7); NaN of nothing.

        Exact for whole numbers. The values of a bin are taken as evenly spread in it, so that a percentile is off
        by less than one step.
        """
        total = self.total
        if not total:
            return math.nan
        low, high, share = ranks(total, percent)
        below = np.cumsum(self.counts)
        lower = self._at(low, below)
        return lower + share * (self._at(high, below) - lower)

    def _at(self, rank: int, below: NDArray[np.int64]) -> float:
        place = int(np.searchsorted(below, rank, side="right"))
        within = 0.0
        if not self.is_exact:
            count = int(self.counts[place])
            within = (rank - int(below[place]) + count + 0.5) / count
        return math.ldexp(self.first + place + within, self.exponent)


NOTHING = Histogram(first=0, counts=np.zeros(0, np.int64))


def ranks(total: int, percent: float) -> tuple[int, int, float]:
    """The two ranks around a percentile, and how far it lies towards the upper one."""
    rank = (total - 1) * percent / 100.0
    low = int(rank)
    return low, min(low + 1, total - 1), rank - low


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """The histogram of all values of several; exact if all of them are, in bins otherwise."""
    parts = [h for h in histograms if h.counts.size]
    if not parts:
        return NOTHING
    is_exact = all(h.is_exact for h in parts)
    if not is_exact:
        parts = _alike([binned(h) for h in parts])
    first = min(h.first for h in parts)
    counts = np.zeros(max(h.first + h.counts.size for h in parts) - first, np.int64)
    for part in parts:
        counts[part.first - first :][: part.counts.size] += part.counts
    return Histogram(first=first, counts=counts, exponent=parts[0].exponent, is_exact=is_exact)


def binned(histogram: Histogram) -> Histogram:
    """A histogram in bins: whole numbers lie at the lower edges of theirs."""
    if not histogram.is_exact or not histogram.counts.size:
        return histogram
    seen = np.flatnonzero(histogram.counts)
    levels = seen + histogram.first
    exponent = exponent_of(float(levels[0]), float(levels[-1]))
    places = np.floor(np.ldexp(levels.astype(np.float64), -exponent)).astype(np.int64)
    counts = np.zeros(int(places[-1] - places[0]) + 1, np.int64)
    np.add.at(counts, places - places[0], histogram.counts[seen])
    return Histogram(first=int(places[0]), counts=counts, exponent=exponent, is_exact=False)


def exponent_of(low: float, high: float) -> int:
    """The least exponent whose steps bring a range into `MOST_BINS` bins."""
    largest = max(abs(low), abs(high))
    least = max(math.frexp(largest)[1] - _FINEST_BITS, _LOWEST_EXPONENT) if largest else _LOWEST_EXPONENT
    exponent = max(math.frexp(high - low)[1] - 12, least) if high > low else least

    def is_enough() -> bool:
        ends = (math.floor(math.ldexp(v, -exponent)) for v in (low, high))
        return -next(ends) + next(ends) < MOST_BINS

    while not is_enough():
        exponent += 1
    return exponent


def _alike(parts: list[Histogram]) -> list[Histogram]:
    """Bins of one width, as fine as all of them together may be."""
    exponent = max(h.exponent for h in parts)

    def ends() -> tuple[int, int]:
        return (
            min(h.first >> (exponent - h.exponent) for h in parts),
            max((h.first + h.counts.size - 1) >> (exponent - h.exponent) for h in parts),
        )

    while ends()[1] - ends()[0] >= MOST_BINS:
        exponent += 1
    return [_coarser(h, exponent) for h in parts]


def _coarser(histogram: Histogram, exponent: int) -> Histogram:
    shift = exponent - histogram.exponent
    if not shift:
        return histogram
    first = histogram.first >> shift
    places = ((np.arange(histogram.counts.size) + histogram.first) >> min(shift, 62)) - first
    counts = np.zeros(int(places[-1]) + 1, np.int64)
    np.add.at(counts, places, histogram.counts)
    return Histogram(first=first, counts=counts, exponent=exponent, is_exact=False)
