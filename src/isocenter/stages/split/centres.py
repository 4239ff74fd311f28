"""Centres: which of them a test set can have to itself, so that it measures what training never saw."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isocenter.base.seeds import fraction
from isocenter.model.split import Partition
from isocenter.stages.split.units import Unit, sizes

_ALL_SUBSETS = 12  # up to this many centres every subset is looked at
_ORDERS = 4
_FITS, _TOO_LARGE, _TOO_SMALL = range(3)
_MOST_OF_ALL = 0.5  # a test set may grow to this share of the subjects for the sake of a whole centre

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The centres that go to test as a whole.

    `external` counts the test subjects from them, `forced` all subjects that are in test because of them
    or already; `most` is the size up to which the test set keeps the share of external subjects.
    """

    centres: tuple[str, ...]
    external: int
    forced: int
    most: int | None
    notes: tuple[str, ...] = ()


def hold_out(units: Sequence[Unit], *, target: float, share: float, test: float, seed: int) -> Held:
    """Choose the centres to hold out.

    In this order: the set fits the size of the test part and gives the share; it gives the share with the
    smallest test set above that size, up to half of all subjects; it comes as near to the share as the
    size allows. Among equals, the set that locks away the fewest positives beyond the test set's due
    counts, then the smaller set, which leaves more centres to train on, then the lot.

    Args:
        units: Free and kept; a centre with a subject kept in train or val cannot be held out, one that an
            earlier run held out stays so.
        target: Number of subjects the test part should have.
        share: Share of the test subjects that should be external.
        test: Fraction of the test part, which is also its due of every label.
        seed: Of the lots.
    """
    facts = _facts(units, seed)
    subsets = _subsets(facts, target, seed)
    totals = _forced(facts, subsets)
    external = subsets.astype(np.int64) @ facts.sizes
    forced = totals[:, 0] + sizes(units).get(Partition.TEST, 0)
    least = forced.min()  # what is in test already, whatever its fraction
    over = np.maximum(0, forced - np.ceil(target))
    holds = external + 1e-9 >= share * np.maximum(forced, target)
    fits = forced <= max(least, target + facts.largest)
    is_possible = forced <= max(least, _MOST_OF_ALL * facts.everybody)
    rank = np.select(
        [holds & fits, holds & is_possible, fits], [_FITS, _TOO_LARGE, _TOO_SMALL], _TOO_SMALL + 1
    )
    wish = np.where(rank == _TOO_SMALL, -external, over)
    locked = np.maximum(0, totals[:, 1:] - test * facts.labels) / np.maximum(facts.labels, 1)
    damage = np.round(locked.sum(axis=1), 1)
    index = int(
        np.lexsort((forced, damage, wish, rank))[0]
    )  # stable: what is equal comes in the order of the lot
    held = Held(
        centres=tuple(sorted(n for n, is_in in zip(facts.names, subsets[index], strict=True) if is_in)),
        external=int(external[index]),
        forced=int(forced[index]),
        most=int((external[index] + 1e-9) / share) if holds[index] and share > 0 else None,
    )
    return replace(held, notes=_reasons(held, facts, int(rank[index]), target, share))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """Centres that may be held out (in the order of their lot), and what comes along with them.

    `patterns` (u, c) are sets of centres that free units touch, `weights` (u, 1 + l) their subjects and
    positives; `sizes` (c,) the subjects of each centre; `stay` (c,) those held out by an earlier run.
    """

    names: tuple[str, ...]
    sizes: Ints
    stay: NDArray[np.bool_]
    patterns: Ints
    weights: Ints
    labels: Ints
    largest: int
    everybody: int
    blocked: tuple[str, ...]


def _facts(units: Sequence[Unit], seed: int) -> _Facts:
    blocked = {s for u in units if u.partition in (Partition.TRAIN, Partition.VAL) for s in u.sites}
    every = {s for u in units for s in u.sites}
    names = sorted(every - blocked, key=lambda s: (fraction(seed, "split", "centre", s), s))
    rows = [r for u in units for r in u.rows]
    labels = sorted({label for r in rows for label in r.labels})
    groups: dict[tuple[int, ...], Ints] = defaultdict(lambda: np.zeros(1 + len(labels), np.int64))
    for unit in units:
        if not unit.partition:
            positives = [sum(label in r.labels for r in unit.rows) for label in labels]
            groups[tuple(int(n in unit.sites) for n in names)] += np.array([unit.size, *positives])
    stay = {r.site for u in units if u.partition == Partition.TEST for r in u.rows if r.is_external}
    patterns, size = sorted(groups), Counter(r.site for r in rows)
    return _Facts(
        names=tuple(names),
        sizes=np.array([size[n] for n in names], dtype=np.int64),
        stay=np.array([n in stay for n in names], dtype=bool),
        patterns=np.array(patterns, dtype=np.int64).reshape(len(patterns), len(names)),
        weights=np.array([groups[p] for p in patterns], dtype=np.int64).reshape(-1, 1 + len(labels)),
        labels=np.array([sum(label in r.labels for r in rows) for label in labels], dtype=np.int64),
        largest=max((u.size for u in units if not u.partition), default=1),
        everybody=len(rows),
        blocked=tuple(sorted(blocked)),
    )


def _forced(facts: _Facts, subsets: NDArray[np.bool_]) -> Ints:
    """(s, 1 + l): free subjects, and positives, that go to test with each set of centres."""
    touched = (subsets.astype(np.int64) @ facts.patterns.T) > 0
    out: Ints = touched.astype(np.int64) @ facts.weights
    return out


def _subsets(facts: _Facts, target: float, seed: int) -> NDArray[np.bool_]:
    """(s, c): sets of centres to choose from; all of them, or one for every size that can be reached."""
    count = len(facts.names)
    if count <= _ALL_SUBSETS:
        numbers = np.arange(1 << count)[:, None]
        out: NDArray[np.bool_] = (numbers >> np.arange(count)[None, :] & 1).astype(bool)
    else:
        out = _sums(facts, max(target + facts.largest, _MOST_OF_ALL * facts.everybody), seed)
    # One centre at least must be left to learn from, and one that was held out stays so.
    is_left = (facts.everybody - out.astype(np.int64) @ facts.sizes) > 0
    out = out[is_left & out[:, facts.stay].all(axis=1)]
    return out if len(out) else np.zeros((1, count), bool)


def _sums(facts: _Facts, limit: float, seed: int) -> NDArray[np.bool_]:
    """One set of centres for every number of subjects that some set has (subset sums), in a few orders."""
    always = sum(1 << i for i, stays in enumerate(facts.stay) if stays)
    found: set[int] = set()
    for order in range(_ORDERS):
        reached = {int(facts.sizes @ facts.stay): always}
        centres = sorted(
            (i for i in range(len(facts.names)) if not facts.stay[i]),
            key=lambda i: fraction(seed, "split", "order", order, facts.names[i]),
        )
        for centre in centres:
            size = int(facts.sizes[centre])
            for total in sorted(reached, reverse=True):
                if total + size <= limit:
                    reached.setdefault(total + size, reached[total] | 1 << centre)
        found.update(reached.values())
    columns = range(len(facts.names))
    return np.array([[bool(mask >> i & 1) for i in columns] for mask in sorted(found)], dtype=np.bool_)


def _reasons(held: Held, facts: _Facts, rank: int, target: float, share: float) -> tuple[str, ...]:
    """What stood in the way, with numbers; nothing where nothing did."""
    if rank == _FITS:
        return ()
    size = dict(zip(facts.names, facts.sizes.tolist(), strict=True))
    aim = f"a test part of {round(target, 1):g} subjects with {share:.0%} of them external"
    if rank == _TOO_LARGE:
        taken = ", ".join(f"{n} with {size[n]}" for n in held.centres)
        said = f"no set of whole centres fits {aim}; held out is the smallest that gives the share: {taken}"
        return (f"{said}; at least {held.forced} subjects are in test for that",)
    short = max(1, int(np.ceil(share * target)) - held.external)
    out = [f"no set of whole centres gives {aim}; {held.external} can be external, {short} short"]
    if left := [f"{n} with {size[n]}" for n in sorted(size) if n not in held.centres]:
        out.append(f"too large to be held out: {', '.join(left)} of {facts.everybody} subjects")
    if not facts.names and not facts.blocked:
        out.append(
            "no subject has a known centre, so none can be held out: the parts are those of `stratified`"
        )
    if facts.blocked:
        out.append(f"already trained on by an earlier run: {', '.join(facts.blocked)}")
    return tuple(out)
