"""Repeats: frames that lie at one position, told apart by what the headers say, by time, or by their numbers.

What tells them apart is looked for from the strongest evidence to the weakest: one to three attributes that give
each group every position, unless others of them do so in another way; times that rise at every position; equal pixels, which are copies; attributes that give
groups of unequal extent; and last the order of Instance Numbers, if it goes up evenly by time or by slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from isocenter.stages.index.axis import Part, are_regular_times, parts_along, parts_of, seconds_of
from isocenter.stages.index.columns import Members, Rows
from isocenter.stages.index.interleaved import parts_between

# Digest of the pixels of a row; "" where nobody knows, with the word in front where they are all one value.
Pixels = Callable[[int], str]
BLANK = "blank "

# Two slices nearer than this (mm) lie at one position: DICOM writes positions with two decimals at least.
SAME_POSITION_MM = 0.01
# In the order in which they are preferred where several tell the same apart.
DISCRIMINATORS = (
    "temporal_position", "echo_time_ms", "b_value", "gradient", "inversion_time_ms", "kvp", "image_type",
    "convolution_kernel", "trigger_time_ms", "contrast_agent", "repetition_time_ms", "acquisition_time",
    "acquisition_number", "series_uid",
)  # fmt: skip
# Time of reconstruction or of storage: better than nothing.
_LAST = "content_time"
# Attributes in each value of which times may start again.
_BESIDE_TIMES = ((), ("image_type",), ("echo_time_ms",), ("b_value",), ("b_value", "gradient"))
# What equal pixels must share to be one image: else the same numbers mean other values or another place.
_SAME_IMAGE = (
    "sop_class_uid", "transfer_syntax_uid", "rows", "columns", "samples", "photometric", "bits_allocated",
    "bits_stored", "high_bit", "pixel_representation", "pixel_padding", "pixel_padding_limit", "rescale_slope",
    "rescale_intercept", "rescale_type", "has_modality_lut", "patient_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Separated:
    """The stacks of a series, and rows that are copies of others in it."""

    parts: list[Part]
    copies: list[int]


def told_apart(
    members: Members, rows: Rows, distances: NDArray[np.float64], pixels: Pixels | None
) -> Separated:
    """The stacks that some rows of one lattice make.

    Args:
        members: The series.
        rows: Rows in spatial order.
        distances: Where they lie along the normal, (N,).
        pixels: Digest of the pixels of a row; without it no pixels are compared.
    """
    is_next = np.diff(distances) >= SAME_POSITION_MM
    if is_next.all():
        return Separated([Part(r) for r in parts_between(members, rows, distances)], [])
    repeats = _Repeats(members, rows, np.concatenate(([0], np.cumsum(is_next))))
    found = repeats.by_attributes() or repeats.by_times("trigger_time_ms", "acquisition_time")
    if found is None and pixels is not None and (copies := repeats.copies(pixels)):
        kept = ~np.isin(rows, copies)
        rest = told_apart(members, rows[kept], distances[kept], None)
        return Separated(rest.parts, [*copies, *rest.copies])
    if found is None:
        found = repeats.by_storage() or repeats.by_unequal_groups() or repeats.by_numbers()
    return Separated(found or [Part(rows)], [])


class _Repeats:
    """Some rows of which several lie at one place.

    Args:
        members: The series.
        rows: Rows in spatial order.
        places: Number of the position of each row, (N,), rising.
    """

    def __init__(self, members: Members, rows: Rows, places: NDArray[np.int64]) -> None:
        self._members = members
        self._rows = rows
        self._places = places
        counts = np.bincount(places)
        self._count = len(counts)
        self._most = int(counts.max())
        self._is_even = bool((counts == self._most).all())
        self._names = [n for n in DISCRIMINATORS if len(members.distinct(n, rows)) > 1]

    def by_attributes(self) -> list[Part] | None:
        """The first one, two or three attributes whose groups have every position once."""
        for how_many in (1, 2, 3):
            if found := self._complete(self._combinations((how_many,))):
                return found if how_many > 2 else self._agreed(how_many) or found
        return None

    def _agreed(self, how_many: int) -> list[Part] | None:
        """One stack of all, if other attributes give each group every position too, but another slice of it.

        Which of them is right the headers cannot tell.
        """
        names = self._names
        if how_many == 1 and len(self._members.distinct(_LAST, self._rows)) > 1:
            names = [*names, _LAST]
        known: NDArray[np.int64] | None = None
        first: tuple[str, ...] = ()
        for chosen in combinations(names, how_many):
            groups = self._members.ranked(chosen, self._rows)
            if int(groups.max()) + 1 != self._most or not self._are_single(groups):
                continue
            if known is None:
                known, first = groups, chosen
            elif differing := _count_differing(known, groups):
                told = f"{', '.join(dict.fromkeys((*first, *chosen)))}: {differing} of {len(groups)} slices"
                return [Part(self._rows, contradiction=told)]
        return None

    def by_storage(self) -> list[Part] | None:
        """The same by the time of storage, alone or beside another attribute."""
        if len(self._members.distinct(_LAST, self._rows)) == 1:
            return None
        beside: list[tuple[str, ...]] = [(_LAST,), *((n, _LAST) for n in self._names)]
        return self._complete(iter(beside)) or self.by_times(_LAST)

    def _complete(self, tried: Iterator[tuple[str, ...]]) -> list[Part] | None:
        if not self._is_even:
            return None
        for chosen in tried:
            groups = self._members.ranked(chosen, self._rows)
            if int(groups.max()) + 1 == self._most and self._are_single(groups):
                return parts_of(self._members, self._rows, self._places, chosen, groups)
        return None

    def _combinations(self, sizes: Sequence[int]) -> Iterator[tuple[str, ...]]:
        for how_many in sizes:
            yield from combinations(self._names, how_many)

    def _are_single(self, groups: NDArray[np.int64]) -> bool:
        """Whether no group has two rows at one place."""
        return len(np.unique(groups * self._count + self._places)) == len(groups)

    def by_unequal_groups(self) -> list[Part] | None:
        """The one, two or three attributes that leave no repeats; of several, those that make the fewest stacks.

        Some scanners number every slice as an acquisition of its own, which would shatter the stack.
        """
        at_most = max(self._most, len(self._rows) // 2)
        if self._is_even:
            at_most = min(at_most, 2 * self._most)
        for how_many in (1, 2, 3):
            ranked = ((c, self._members.ranked(c, self._rows)) for c in self._combinations((how_many,)))
            fit = [(c, g) for c, g in ranked if g.max() < at_most and self._are_single(g)]
            if fit:
                chosen, groups = min(fit, key=lambda found: int(found[1].max()))
                return parts_of(self._members, self._rows, self._places, chosen, groups)
        return None

    def by_times(self, *names: str) -> list[Part] | None:
        """The nth frame at every position, where times rise at each; clock times must also leave no overlap."""
        if not self._is_even:
            return None
        for name in names:
            seconds = seconds_of(self._members, name, self._rows)
            if np.isnan(seconds).any():
                continue
            for beside in _BESIDE_TIMES:
                if all(len(self._members.distinct(n, self._rows)) > 1 for n in beside):
                    found = self._nth(seconds, beside, is_clock=name != "trigger_time_ms")
                    if found is not None:
                        return found
        return None

    def _nth(
        self, seconds: NDArray[np.float64], beside: tuple[str, ...], *, is_clock: bool
    ) -> list[Part] | None:
        sets = self._members.ranked(beside, self._rows)
        n_sets = int(sets.max()) + 1
        times = self._most // n_sets
        cells = np.bincount(sets * self._count + self._places, minlength=n_sets * self._count)
        if times < 2 or (cells != times).any():
            return None
        order = np.lexsort((seconds, self._places, sets))
        rising = seconds[order].reshape(n_sets, self._count, times)
        if (np.diff(rising) <= 0).any() or (is_clock and not are_regular_times(rising)):
            return None
        number = np.empty(len(order), np.int64)
        number[order] = np.tile(np.arange(times), n_sets * self._count)
        values = np.median(rising, axis=1) if not is_clock else rising.min(axis=1) - rising.min()
        return parts_along(self._rows, "time", sets, number, values)

    def copies(self, pixels: Pixels) -> list[int]:
        """Rows whose pixels, place and scale are those of another row, which has the lowest file id.

        Empty pictures are alike at any time: they are copies only where all else was.
        """
        found: list[tuple[int, bool]] = []
        ids = self._members.file_ids
        look = self._members.ranked(_SAME_IMAGE, self._rows)
        for place in np.flatnonzero(np.bincount(self._places) > 1).tolist():
            at = np.flatnonzero(self._places == place)
            known: set[tuple[int, str]] = set()
            for n in sorted(at.tolist(), key=lambda n: ids[self._rows[n]]):
                row = int(self._rows[n])
                digest = "" if self._members.frame(row) is not None else pixels(row)
                if digest and (int(look[n]), digest) in known:
                    found.append((row, digest.startswith(BLANK)))
                known.add((int(look[n]), digest))
        if len(found) == len(self._rows) - self._count:
            return [row for row, _ in found]
        return [row for row, is_blank in found if not is_blank]

    def by_numbers(self) -> list[Part] | None:
        """The nth frame at every position by Instance Number, if numbers run evenly by time or by slice.

        What the headers say of the number of times and of images must agree.
        """
        numbers, times = self._members.instance_numbers[self._rows], self._most
        if not self._is_even or self._count < 2 or not self._agree_on(times):
            return None
        if np.isnan(numbers).any() or len(np.unique(numbers)) < len(numbers):
            return None
        order = np.argsort(numbers, kind="stable")
        by_time = self._places[order].reshape(times, self._count)
        by_slice = self._places[order].reshape(self._count, times)
        rank = np.empty(len(order), np.int64)
        if (by_time == by_time[0]).all() and len(np.unique(by_time[0])) == self._count:
            rank[order] = np.repeat(np.arange(times), self._count)
        elif (by_slice == by_slice[:, :1]).all():
            rank[order] = np.tile(np.arange(times), self._count)
        else:
            return None
        told = f"{times} times of {self._count} slices"
        sets = np.zeros(len(order), np.int64)
        is_confirmed = self._is_stated(times) and all(self._fits(n, rank) for n in self._names)
        return parts_along(self._rows, "time", sets, rank, None, by_number=told, is_confirmed=is_confirmed)

    def _agree_on(self, times: int) -> bool:
        stated = {v for v in self._members.distinct("temporal_positions", self._rows) if v}
        images = {v for v in self._members.distinct("images_in_acquisition", self._rows) if v}
        return stated <= {times} and images <= {self._count, self._count * times}

    def _is_stated(self, times: int) -> bool:
        """Whether every header gives this number of times, or of images at each of them."""
        stated = self._members.distinct("temporal_positions", self._rows)
        images = self._members.distinct("images_in_acquisition", self._rows)
        return stated == [times] or images == [self._count]

    def _fits(self, name: str, times: NDArray[np.int64]) -> bool:
        """Whether an attribute is one at each time, or at each position."""
        values = self._members.ranked((name,), self._rows)
        return any(
            len(np.unique(each * len(values) + values)) == int(each.max()) + 1
            for each in (times, self._places)
        )


def _count_differing(some: NDArray[np.int64], others: NDArray[np.int64]) -> int:
    """How many rows two divisions into groups put apart differently, each group beside the most like it."""
    together = np.zeros((int(some.max()) + 1, int(others.max()) + 1), np.int64)
    np.add.at(together, (some, others), 1)
    return len(some) - int(together.max(axis=1).sum())
