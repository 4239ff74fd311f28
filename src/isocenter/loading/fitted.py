"""Fitting: statistics of the training part of a split, from the rows of its cases alone, never from the other parts."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from isocenter.base.errors import StaleArtefact, StoreCorrupt
from isocenter.imaging import landmarks
from isocenter.imaging.histogram import NOTHING, Histogram, merge
from isocenter.imaging.histogram_bytes import unpack
from isocenter.loading.selection import percentile_of, subjects_of
from isocenter.model.issue import Verdict
from isocenter.model.rows import CaseRow
from isocenter.model.split import Partition
from isocenter.stores.fitted import (
    Fitted,
    FittedChannel,
    digest_of_cases,
    name_of,
    read_fitted,
    write_fitted,
)
from isocenter.stores.store import Store

_LOW, _HIGH = 0.5, 99.5


def fitted_of(store: Store, split: str, fold: int | None) -> Fitted:
    """What is fitted over the training cases of a split, cases under review left out; once, and then kept.

    It is written into the store, so that whoever uses a network has what it was trained with; a store that cannot be
    written to is fitted each time, from its rows, to the same numbers.

    Args:
        store: The store.
        split: Name of the split.
        fold: Of a split into folds, the one that is not trained on.

    Raises:
        ConfigError: there is no such split or fold.
        StaleArtefact: what the store holds was fitted on other cases.
    """
    subjects = subjects_of(store, str(Partition.TRAIN), split, fold)
    cases = [(r.id, r.digest) for r in _training(store, subjects)]
    digest = digest_of_cases(cases)
    known = read_fitted(store.path, split, fold)
    if known is not None and known.digest != digest:
        raise StaleArtefact(
            f"{name_of(split, fold)} was fitted on other cases ({known.cases}) than the {len(cases)} that are now"
            " the training part; networks trained with it need it as it is: keep a copy with them, then delete it"
        )
    if known is not None:
        return known
    channels = fit(_training(store, subjects))
    made = Fitted(split=split, fold=fold, cases=len(cases), digest=digest, channels=channels)
    with contextlib.suppress(OSError):  # where it cannot be kept it is fitted again
        write_fitted(store.path, made)
    return made


def _training(store: Store, subjects: set[str]) -> Iterable[CaseRow]:
    return (r for r in store.rows() if r.subject in subjects and r.verdict != Verdict.REVIEW)


@dataclass(slots=True, eq=False)
class _Sums:
    """What is gathered of one channel, case by case."""

    cases: int = 0
    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    inside: Histogram = NOTHING
    scales: list[list[float]] = field(default_factory=list)
    without_scale: int = 0
    units: set[str] = field(default_factory=set)
    foregrounds: set[str] = field(default_factory=set)

    def add(self, statistics: dict[str, float | None], inside: Histogram) -> None:
        """One case: counts, mean and squared distances are joined as Chan, Golub and LeVeque do (1983)."""
        self.cases += 1
        self.inside = merge([self.inside, inside])
        count, mean, std = (statistics.get(n) or 0.0 for n in ("count", "mean", "std"))
        if count:
            total, gap = self.count + int(count), mean - self.mean
            self.squares += std * std * count + gap * gap * self.count * count / total
            self.mean += gap * count / total
            self.count = total
        own = [percentile_of(p, statistics, inside) for p in landmarks.PERCENTS]
        if landmarks.is_usable(own):
            self.scales.append(own)
        else:
            self.without_scale += 1

    def channel(self) -> FittedChannel:
        """What it comes to; whole numbers that were counted say mean and spread exactly."""
        count, mean, std = self.count, self.mean, math.sqrt(self.squares / self.count) if self.count else 0.0
        if self.inside.is_exact and self.inside.total:
            count, mean, std = self.inside.moments()
        is_known = self.inside.total > 0
        return FittedChannel(
            cases=self.cases,
            count=count,
            mean=mean,
            std=std,
            low=self.inside.percentile(_LOW) if is_known else 0.0,
            high=self.inside.percentile(_HIGH) if is_known else 0.0,
            error=0.0 if self.inside.is_exact else self.inside.step,
            standard=landmarks.fit(self.scales),
            without_scale=self.without_scale,
            units=tuple(sorted(self.units)),
            foregrounds=tuple(sorted(self.foregrounds)),
        )


def fit(rows: Iterable[CaseRow]) -> dict[str, FittedChannel]:
    """What the foreground of each channel is over some cases, in the order of their ids; no voxel is read again."""
    sums: dict[str, _Sums] = {}
    for row in rows:
        for n, channel in enumerate(row.channels):
            statistics = json.loads(row.statistics[n])
            if not statistics:
                continue  # the channel is not there
            own = sums.setdefault(channel, _Sums())
            own.add(statistics, histogram_of(row, n))
            own.units |= {row.units[n]} if n < len(row.units) else set()
            own.foregrounds |= {row.foregrounds[n]} if n < len(row.foregrounds) else set()
    return {name: sums[name].channel() for name in sorted(sums)}


def histogram_of(row: CaseRow, channel: int) -> Histogram:
    """Histogram of a case's foreground.

    Raises:
        StoreCorrupt: the table holds something else.
    """
    try:
        return unpack(row.histograms[channel]) if channel < len(row.histograms) else NOTHING
    except ValueError as error:
        raise StoreCorrupt(f"case {row.id}: {error}") from None
