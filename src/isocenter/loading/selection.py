"""Selection: the cases of one partition as columns, so that an index of any size costs arrays, not objects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import ConfigError
from isocenter.loading.normalise import CaseScale
from isocenter.model.issue import Verdict
from isocenter.model.rows import CaseRow
from isocenter.stores.store import Store

FOLD = "fold-"
"""A split into folds names its partitions `fold-0`, `fold-1`, ..., and `test` where it holds some out."""

_STATES = {"positive": 1, "negative": 0, "unknown": -1}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Selection:
    """Cases as columns of N.

    Args:
        ids: Case ids, sorted.
        subjects: Their subjects.
        shapes: int64 (N, 3): k, j, i.
        states: int8 (N, L): 1 positive, 0 negative, -1 unknown, labels in the order of their values.
        places: int16 (N, C): where each channel is in the stored image, -1 where it is missing.
        scales: float64 (N, C, 3): mean, standard deviation and width of each channel.
        left_out: How many cases of the store are not in it, and why.
    """

    ids: NDArray[np.str_]
    subjects: NDArray[np.str_]
    shapes: NDArray[np.int64]
    states: NDArray[np.int8]
    places: NDArray[np.int16]
    scales: NDArray[np.float64]
    left_out: dict[str, int]

    def scale(self, case: int, channel: int) -> CaseScale:
        """What a case keeps of one channel."""
        mean, std, width = (float(x) for x in self.scales[case, channel])
        return CaseScale(mean=mean, std=std, width=width)


def select(
    store: Store, partition: str, *, split: str, fold: int | None, channels: Sequence[str], review: str
) -> Selection:
    """The cases of a partition.

    Raises:
        ConfigError: the split, its fold or partition is not known, or holds no case.
    """
    if review not in {"exclude", "include"}:
        raise ConfigError(f"review is exclude or include, not {review!r}")
    wanted = _subjects(store, partition, split, fold)
    labels = sorted(store.manifest.task.labels, key=lambda n: store.manifest.task.labels[n].value)
    left_out: Counter[str] = Counter()
    columns: list[tuple[Any, ...]] = []
    for row in store.rows():
        if row.subject not in wanted:
            left_out["another partition, or none"] += 1
        elif row.verdict == Verdict.REVIEW and review == "exclude":
            left_out["review"] += 1
        else:
            columns.append(_columns(store, row, channels, labels))
    if not columns:
        reasons = "; ".join(f"{n} cases: {why}" for why, n in sorted(left_out.items()))
        raise ConfigError(
            f"partition {partition!r} of split {split!r} holds no case ({reasons or 'empty store'})"
        )
    ids, subjects, shapes, states, places, scales = zip(
        *sorted(columns, key=lambda c: str(c[0])), strict=True
    )
    return Selection(
        ids=np.array(ids),
        subjects=np.array(subjects),
        shapes=np.array(shapes, np.int64),
        states=np.array(states, np.int8).reshape(len(ids), len(labels)),
        places=np.array(places, np.int16),
        scales=np.array(scales, np.float64),
        left_out=dict(sorted(left_out.items())),
    )


def _subjects(store: Store, partition: str, split: str, fold: int | None) -> set[str]:
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


def _columns(store: Store, row: CaseRow, channels: Sequence[str], labels: Sequence[str]) -> tuple[Any, ...]:
    # A channel that was never there is packed as background, and nothing was described of it.
    statistics = {c: json.loads(s) for c, s in zip(row.channels, row.statistics, strict=False)}
    scales = []
    for channel in channels:
        nothing = CaseScale(mean=store.manifest.background[channel])
        scale = CaseScale.of(statistics.get(channel, {})) or nothing
        scales.append((scale.mean, scale.std, scale.width))
    known = {s.label: _STATES[s.state] for s in row.labels}
    return (
        row.id,
        row.subject,
        row.shape,
        [known.get(label, -1) for label in labels],
        [row.channels.index(c) if statistics.get(c) else -1 for c in channels],
        scales,
    )
