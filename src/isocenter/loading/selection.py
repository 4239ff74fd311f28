"""Selection: the cases of one partition as columns, so that an index of any size costs arrays, not objects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base import tables
from isocenter.base.errors import ConfigError, StoreCorrupt
from isocenter.imaging.histogram import Histogram
from isocenter.imaging.histogram_bytes import unpack
from isocenter.loading.normalise import MOST_ERROR, CaseScale
from isocenter.loading.shared import Columns, Names, encoded
from isocenter.loading.voi import voi_marks
from isocenter.model.issue import Verdict
from isocenter.model.rows import CaseRow
from isocenter.stores.store import Store

FOLD = "fold-"
"""A split into folds names its partitions `fold-0`, `fold-1`, ..., and `test` where it holds some out."""

# A window takes so many marks: centre, width and function.
_N_VOI = 3
_PART_ROWS = 4096
_NO_PERCENTS: Mapping[str, tuple[float, ...]] = MappingProxyType({})
_PRESENCE = {True: 1, False: 0, None: -1}
EVERYWHERE, IN_PART, NOWHERE = 2, 1, 0
_EXTENTS = {"positive": EVERYWHERE, "negative": EVERYWHERE, "partial": IN_PART}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Selection:
    """Cases as columns of N, which all processes share (`isocenter.loading.shared`).

    Args:
        columns: The arrays that the properties give.
        unit_names: What the numbers of units stand for.
        left_out: How many cases of the store are not in it, and why.
    """

    columns: Columns
    unit_names: tuple[str, ...]
    left_out: dict[str, int]

    @property
    def ids(self) -> Names:
        """Case ids, sorted."""
        return Names(self.columns["ids"])

    @property
    def subjects(self) -> Names:
        """Their subjects."""
        return Names(self.columns["subjects"])

    @property
    def shards(self) -> NDArray[np.int32]:
        """The shard that each is in."""
        return self.columns["shards"]

    @property
    def shapes(self) -> NDArray[np.int64]:
        """(N, 3): k, j, i."""
        return self.columns["shapes"]

    @property
    def states(self) -> NDArray[np.int8]:
        """(N, L): 1 there, 0 not there, -1 not known, labels in the order of their values.

        What is marked in a part of a case is there, whatever the rest holds.
        """
        return self.columns["states"]

    @property
    def extents(self) -> NDArray[np.int8]:
        """(N, L): where it is known whether a label is there: `EVERYWHERE`, `IN_PART` or `NOWHERE`."""
        return self.columns["extents"]

    @property
    def places(self) -> NDArray[np.int16]:
        """(N, C): where each channel is in the stored image, -1 where it is missing."""
        return self.columns["places"]

    @property
    def scales(self) -> NDArray[np.float64]:
        """(N, C, 3): mean, standard deviation and width of each channel."""
        return self.columns["scales"]

    @property
    def marks(self) -> NDArray[np.float64]:
        """(N, C, M): percentiles of the foreground that were asked for, NaN where there are none."""
        return self.columns["marks"]

    @property
    def has_scale(self) -> NDArray[np.bool_]:
        """(N, C): False where a channel is there and nothing of it is foreground."""
        return self.columns["has_scale"]

    def units(self, channel: int) -> set[str]:
        """The units of one channel in all cases that have it."""
        return {self.unit_names[n] for n in np.unique(self.columns["units"][:, channel]).tolist()} - {""}

    def scale(self, case: int, channel: int) -> CaseScale:
        """What a case keeps of one channel."""
        mean, std, width = (float(x) for x in self.scales[case, channel])
        marks = tuple(float(x) for x in self.marks[case, channel] if not np.isnan(x))
        return CaseScale(mean=mean, std=std, width=width, marks=marks)


def select(
    store: Store,
    partition: str,
    *,
    split: str,
    fold: int | None,
    channels: Sequence[str],
    review: str,
    percents: Mapping[str, tuple[float, ...]] = _NO_PERCENTS,
    voi: Collection[str] = (),
) -> Selection:
    """The cases of a partition.

    Args:
        store: The store.
        partition: "train", "val" or "test".
        split: Name of the split.
        fold: Of a split into folds, the one that is "val".
        channels: The stored channels that are read.
        review: "exclude" or "include" the cases that wait for a decision.
        percents: Percentiles of the foreground that are needed of a channel.
        voi: Channels of which the window of each case's header is needed.

    Raises:
        ConfigError: the split, its fold or partition is not known, or holds no case.
    """
    if review not in {"exclude", "include"}:
        raise ConfigError(f"review is exclude or include, not {review!r}")
    wanted = subjects_of(store, partition, split, fold)
    labels = sorted(store.manifest.task.labels, key=lambda n: store.manifest.task.labels[n].value)
    left_out: Counter[str] = Counter()
    gathered = _Gathered(len(channels), len(labels))
    for row in store.rows():
        if row.subject not in wanted:
            left_out["another partition, or none"] += 1
        elif row.verdict == Verdict.REVIEW and review == "exclude":
            left_out["review"] += 1
        else:
            gathered.add(_columns(store, row, channels, labels, percents, voi))
    if not gathered.count:
        reasons = "; ".join(f"{n} cases: {why}" for why, n in sorted(left_out.items()))
        raise ConfigError(
            f"partition {partition!r} of split {split!r} holds no case ({reasons or 'empty store'})"
        )
    columns = gathered.columns()
    tables.release()
    return Selection(
        columns=columns, unit_names=tuple(gathered.units), left_out=dict(sorted(left_out.items()))
    )


class _Gathered:
    """Rows on their way into columns: a few thousand as objects, the rest as arrays.

    Args:
        channels: How many channels each has.
        labels: How many labels.
    """

    def __init__(self, channels: int, labels: int) -> None:
        self.count = 0
        self.units: dict[str, int] = {"": 0}
        self._kinds: dict[str, tuple[Any, tuple[int, ...]]] = {
            "shards": (np.int32, ()),
            "shapes": (np.int64, (3,)),
            "states": (np.int8, (labels,)),
            "extents": (np.int8, (labels,)),
            "places": (np.int16, (channels,)),
            "scales": (np.float64, (channels, 3)),
            "marks": (np.float64, (channels, -1)),
            "units": (np.int16, (channels,)),
            "has_scale": (np.bool_, (channels,)),
        }
        self._rows: list[dict[str, Any]] = []
        self._parts: list[dict[str, NDArray[Any]]] = []

    def add(self, row: dict[str, Any]) -> None:
        """Take one row."""
        row["units"] = [self.units.setdefault(u, len(self.units)) for u in row["units"]]
        self._rows.append(row)
        self.count += 1
        if len(self._rows) == _PART_ROWS:
            self._pack()

    def columns(self) -> Columns:
        """All rows, sorted by their ids."""
        self._pack()
        names = list(self._parts[0])
        arrays = {}
        for name in names:
            arrays[name] = np.concatenate([part.pop(name) for part in self._parts])
        order = np.argsort(arrays["ids"], kind="stable")
        if not np.array_equal(order, np.arange(len(order))):
            arrays = {name: array[order] for name, array in arrays.items()}
        return Columns(arrays)

    def _pack(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        part: dict[str, NDArray[Any]] = {n: encoded([r[n] for r in rows]) for n in ("ids", "subjects")}
        for name, (kind, shape) in self._kinds.items():
            part[name] = np.array([r[name] for r in rows], kind).reshape(len(rows), *shape)
        self._parts.append(part)


def subjects_of(store: Store, partition: str, split: str, fold: int | None) -> set[str]:
    """The subjects of a partition; with a fold, that fold is `val` and the other ones are `train`."""
    rows = store.split(split).rows
    known = {r.partition for r in rows}
    folds = {p for p in known if p.startswith(FOLD)}
    parts = {partition}
    if fold is not None:
        if f"{FOLD}{fold}" not in folds:
            raise ConfigError(f"split {split!r} has no fold {fold}; it has {len(folds)}")
        own = {f"{FOLD}{fold}"}
        parts = {"train": folds - own, "val": own}.get(partition, parts)
    elif folds and partition in {"train", "val"}:
        raise ConfigError(f"split {split!r} is made of {len(folds)} folds: say which one is val, e.g. fold=0")
    if not parts & known:
        raise ConfigError(
            f"split {split!r} has no partition {partition!r}: {', '.join(sorted(known - {''}))}"
        )
    return {r.subject for r in rows if r.partition in parts}


def _columns(
    store: Store,
    row: CaseRow,
    channels: Sequence[str],
    labels: Sequence[str],
    percents: Mapping[str, tuple[float, ...]],
    voi: Collection[str],
) -> dict[str, Any]:
    # A channel that was never there is packed as background, and nothing was described of it.
    statistics = {c: json.loads(s) for c, s in zip(row.channels, row.statistics, strict=False)}
    units = {c: u for c, u in zip(row.channels, row.units, strict=False) if statistics.get(c)}
    scales, marks, has_scale = [], [], []
    most = max((_N_VOI if c in voi else len(percents.get(c, ())) for c in channels), default=0)
    for channel in channels:
        nothing = CaseScale(mean=store.manifest.background[channel])
        own_scale = CaseScale.of(statistics.get(channel, {}))
        scale = own_scale or nothing
        has_scale.append(own_scale is not None or not statistics.get(channel))
        scales.append((scale.mean, scale.std, scale.width))
        own = _marks(row, channel, statistics.get(channel, {}), percents.get(channel, ()))
        if channel in voi and statistics.get(channel):
            own = list(voi_marks(row, channel, store.manifest.task.reference))
        marks.append([*own, *[np.nan] * (most - len(own))])
    known = {s.label: s for s in row.labels}
    return {
        "ids": row.id,
        "subjects": row.subject,
        "shards": row.shard,
        "shapes": row.shape,
        "states": [_PRESENCE[known[label].is_there if label in known else None] for label in labels],
        "extents": [
            _EXTENTS.get(known[label].state, NOWHERE) if label in known else NOWHERE for label in labels
        ],
        "places": [row.channels.index(c) if statistics.get(c) else -1 for c in channels],
        "scales": scales,
        "marks": marks,
        "units": [units.get(c, "") for c in channels],
        "has_scale": has_scale,
    }


def _marks(
    row: CaseRow, channel: str, statistics: Mapping[str, float | None], percents: tuple[float, ...]
) -> list[float]:
    """Percentiles of a channel's foreground; none where the channel, or its foreground, is not there."""
    if not percents or not statistics or not statistics.get("count", 1.0):
        return []
    place = row.channels.index(channel) if channel in row.channels else len(row.channels)
    try:
        inside = unpack(row.histograms[place]) if place < len(row.histograms) else None
    except ValueError as error:
        raise StoreCorrupt(f"case {row.id}: {error}") from None
    marks = [percentile_of(p, statistics, inside) for p in percents]
    width = 0.0 if inside is None or inside.is_exact else inside.step
    is_counted = any(_known(p, statistics) is None for p in percents)
    if is_counted and width > MOST_ERROR * (marks[-1] - marks[0]):
        raise ConfigError(
            f"normalise: percentiles of channel {channel!r} of case {row.id} are known to {width:g} only, as a value lies"
            " far beyond all others; those that the statistics of a case name are exact, such as 0.5, 1, 99 and 99.5"
        )
    return marks


def percentile_of(percent: float, statistics: Mapping[str, float | None], inside: Histogram | None) -> float:
    """A percentile of a case's foreground: one that its statistics hold, exact, else that of its histogram."""
    known = _known(percent, statistics)
    if known is not None:
        return known
    return np.nan if inside is None else inside.percentile(percent)


def _known(percent: float, statistics: Mapping[str, float | None]) -> float | None:
    return statistics.get("median" if percent == 50 else f"p{percent:g}")
