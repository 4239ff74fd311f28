"""The cases of an export: those that a split uses, each with its part and the name that its files begin with."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean
from isocenter.model.issue import Verdict
from isocenter.model.rows import CaseRow
from isocenter.model.split import UNUSED, Partition, Split
from isocenter.model.task import TaskContract
from isocenter.stores.store import Store

FOLD = "fold-"
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_KNOWN = frozenset({"positive", "negative"})
_IN_PART = _KNOWN | {"partial"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedCase:
    """A case to export.

    Args:
        row: Its row in the table of cases.
        name: `<subject>_<case>`, so that whoever has the files can tell whose they are.
        partition: The part of the split that it is in.
        states: What is known of each label that is exported, in the order of their values.
    """

    row: CaseRow
    name: str
    partition: str
    states: dict[str, str]

    @property
    def is_test(self) -> bool:
        """Whether it is held out."""
        return self.partition == Partition.TEST

    @property
    def not_known(self) -> tuple[str, ...]:
        """Labels of which it is not known everywhere whether they are there."""
        return tuple(n for n, state in self.states.items() if state not in _KNOWN)

    @property
    def missing(self) -> tuple[str, ...]:
        """Channels that the case lacks; the store has background in their place."""
        # The store keeps no statistics of an image that was never there.
        pairs = zip(self.row.channels, self.row.statistics, strict=False)
        return tuple(c for c, s in pairs if s in {"", "{}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """Cases to export, sorted by id.

    Args:
        store: Where they are.
        split: What divides them.
        cases: The cases.
        labels: The labels to export, in the order of their values.
        left_out: How many cases of the store are not among them, and why.
        notes: What a person should know of it.
        folder: Name of the folder that they go to; "" where none was chosen yet.
    """

    store: Store
    split: Split
    cases: tuple[SelectedCase, ...]
    labels: tuple[str, ...]
    left_out: dict[str, int]
    notes: tuple[str, ...] = ()
    folder: str = ""

    @property
    def contract(self) -> TaskContract:
        """Task, labels and channels."""
        return self.store.manifest.task

    @property
    def folds(self) -> tuple[str, ...]:
        """Names of the folds, in order; () for a split into train and val."""
        names = {c.partition for c in self.cases if c.partition.startswith(FOLD)}
        return tuple(sorted(names, key=lambda n: (len(n), n)))

    def meta(self, case: SelectedCase) -> dict[str, Any]:
        """Facts of a case as they are stored."""
        return self.store.meta(case.row.id)


def select(store: Store, split: Split, *, review: str, labels: Sequence[str] | None = None) -> Selected:
    """The cases of a store that a split uses, and the labels of which something is known in them, or those that are named.

    Raises:
        ConfigError: there is no case, `review` or a label is no such word, or a name cannot be that of a file.
    """
    if review not in {"exclude", "include"}:
        raise ConfigError(f"review is exclude or include, not {review!r}")
    places = {r.subject: r.partition for r in split.rows}
    left_out: Counter[str] = Counter()
    rows = []
    for row in store.rows():
        if places.get(row.subject, "") in UNUSED:
            left_out["in no part of the split"] += 1
        elif row.verdict == Verdict.REVIEW and review == "exclude":
            left_out["waits for a decision"] += 1
        else:
            rows.append(row)
    if not rows:
        raise ConfigError(f"there is nothing to export: {told(left_out) or 'the store is empty'}")
    every = labels_of(store.manifest.task)
    wanted = _wanted(every, labels, rows)
    unknown = [n for n in every if n not in wanted] if labels is None else []
    return Selected(
        store=store,
        split=split,
        cases=tuple(_case(r, places[r.subject], wanted) for r in sorted(rows, key=lambda r: r.id)),
        labels=wanted,
        left_out=dict(sorted(left_out.items())),
        notes=(f"nothing is known of these labels in any case: {', '.join(unknown)}",) if unknown else (),
    )


def _wanted(every: Sequence[str], named: Sequence[str] | None, rows: Sequence[CaseRow]) -> tuple[str, ...]:
    """The labels to export, in the order of their values."""
    if named is None:
        seen = {s.label for r in rows for s in r.labels if s.state in _IN_PART}
        return tuple(n for n in every if n in seen)
    if strange := [n for n in named if n not in every]:
        raise ConfigError(f"labels: no label {strange[0]!r}{did_you_mean(strange[0], list(every))}")
    return tuple(n for n in every if n in named)


def told(counts: Counter[str] | dict[str, int]) -> str:
    """Counts as people say them: `3 cases: why; ...`."""
    return "; ".join(f"{n:,} case{'s' * (n != 1)}: {why}" for why, n in sorted(counts.items()))


def file_name(text: str, taken: Iterable[str] = ()) -> str:
    """A channel, label or rater as part of a file's name, other than those that are taken.

    >>> file_name("left lung/upper"), file_name("läsion"), file_name("ct", ["ct"])
    ('left-lung-upper', 'l-sion', 'ct-2')
    """
    plain = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "x"
    used = {t.lower() for t in taken}
    out, number = plain, 1
    while out.lower() in used:
        number += 1
        out = f"{plain}-{number}"
    return out


def file_names(texts: Iterable[str]) -> dict[str, str]:
    """Several of them, no two alike, also where a file system takes A for a."""
    out: dict[str, str] = {}
    for text in texts:
        out[text] = file_name(text, out.values())
    return out


def labels_of(contract: TaskContract) -> tuple[str, ...]:
    """The labels of a task in the order of their values."""
    return tuple(sorted(contract.labels, key=lambda name: contract.labels[name].value))


def _case(row: CaseRow, partition: str, labels: Sequence[str]) -> SelectedCase:
    known = {s.label: s.state for s in row.labels}
    states = {n: known.get(n, "unknown") for n in labels}
    return SelectedCase(row=row, name=_name(row), partition=partition, states=states)


def _name(row: CaseRow) -> str:
    for part in (row.subject, row.id):
        if not _SAFE.fullmatch(part):
            raise ConfigError(f"{part!r} cannot be part of a file's name")
    return f"{row.subject}_{row.id}"
