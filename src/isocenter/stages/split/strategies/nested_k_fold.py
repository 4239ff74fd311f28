"""Nested folds: each outer fold is tested once, and the others are divided into inner folds without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from isocenter.model.split import SplitRow
from isocenter.stages.split.balance import balance
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.strategy import Assignment
from isocenter.stages.split.units import subjects_in, units_of


def assign(rows: Sequence[SplitRow], *, options: SplitOptions, seed: int) -> Assignment:
    """Balance the groups over the outer folds, then, for each of them, the rest over the inner folds.

    Subjects that kept their place keep their inner folds too. What is held out as test is in no fold, outer or
    inner.
    """
    outer = options.folded(options.folds)
    units = units_of(rows)
    done = balance(units, outer, seed, min_positive=options.min_positive)
    places = subjects_in(units, done.chosen)
    inner: dict[str, list[str]] = {r.subject: [] for r in rows}
    share = {f"fold-{n}": 1 / options.inner_folds for n in range(options.inner_folds)}
    for number, name in enumerate(f for f in outer if f != "test"):
        within = units_of(
            replace(r, partition=r.inner[number] if len(r.inner) > number else "")
            for r in rows
            if places[r.subject] not in {name, "test"}
        )
        chosen = balance(within, share, seed, min_positive=options.min_positive).chosen
        found = subjects_in(within, chosen)
        for subject, folds in inner.items():
            folds.append(found.get(subject, ""))
    return Assignment(
        partitions=places,
        fractions=outer,
        inner={subject: tuple(folds) for subject, folds in inner.items()},
        optimum=replace(done.optimum, given="of the outer folds") if done.optimum else None,
    )
