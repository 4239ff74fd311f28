"""Split: which partition each subject belongs to."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from isocenter.model.certificate import Certificate
from isocenter.model.issue import Issue


class Partition(enum.StrEnum):
    """The parts of a split."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


RESERVE = "reserve"
"""The partition of subjects that are used for nothing, as using them would break a promise."""

UNUSED = frozenset({"", RESERVE})
"""Where those are that a split does not use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRow:
    """One subject to be split, or that was: where it comes from, what it has, where it went.

    `labels` are the labels the subject is positive for; `strata` further values to balance, as
    "name=value"; `group` is what must stay together (the subject itself unless a group says more). `first` and
    `last` are when its earliest and its latest case were taken, a date as YYYY-MM-DD or a number, "" if that is not
    known. `inner` is, for each outer fold of a nested split, the inner fold, and "" in the one where it is tested.
    A row with `is_present` False only keeps its place: none of the subject's cases is here at the moment.
    """

    subject: str
    site: str = ""
    group: str = ""
    labels: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    partition: str = ""
    is_external: bool = False
    is_present: bool = True
    first: str = ""
    last: str = ""
    inner: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What led subjects to their places: strategy, seed, fractions, the other options as `asked`; how many."""

    strategy: str
    seed: int
    fractions: dict[str, float]
    asked: dict[str, Any] = field(default_factory=dict)
    subjects: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Subject to partition, with the strategy, the seed and the fractions asked for that led there.

    `asked` holds the other options as they were asked for (a strategy of auto, strata). Subjects that keep
    the place of an earlier run were placed by what `earlier` holds, all others by the split's own options.
    """

    strategy: str
    seed: int
    fractions: dict[str, float]
    rows: tuple[SplitRow, ...]
    issues: tuple[Issue, ...] = ()
    notes: tuple[str, ...] = ()
    id: str = "split"
    asked: dict[str, Any] = field(default_factory=dict)
    earlier: tuple[Way, ...] = ()
    certificate: Certificate | None = None

    def of(self, partition: str) -> tuple[SplitRow, ...]:
        """The subjects of one partition."""
        return tuple(r for r in self.rows if r.partition == partition)
