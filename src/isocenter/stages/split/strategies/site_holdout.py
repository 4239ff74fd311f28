"""Whole centres go to test, so that it measures what training never saw; the rest is balanced evenly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from isocenter.model.certificate import Optimum
from isocenter.model.split import Partition, SplitRow
from isocenter.stages.split.balance import balance
from isocenter.stages.split.centres import hold_out
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.strategy import Assignment
from isocenter.stages.split.units import asked_for, subjects_in, units_of

_MOST_NAMES = 8


def assign(rows: Sequence[SplitRow], *, options: SplitOptions, seed: int) -> Assignment:
    """Hold out centres, then fill up the test set and divide the others with balanced labels and strata.

    At least `min_external_share` of the test subjects come from centres with no subject in train or val,
    where some set of centres allows it; else the notes say what stood in the way.
    """
    units = units_of(rows)
    test, least = asked_for(options.fractions).get(Partition.TEST, 0), options.min_positive
    if not test:
        done = balance(units, options.fractions, seed, min_positive=least)
        said = ("no test part was asked for, so no centre was held out",)
        return Assignment(partitions=subjects_in(units, done.chosen), obstacles=said, optimum=done.optimum)
    held = hold_out(units, target=test * len(rows), share=options.min_external_share, test=test, seed=seed)
    placed = [
        replace(u, partition=Partition.TEST.value) if not u.partition and u.sites & set(held.centres) else u
        for u in units
    ]
    most = {} if held.most is None else {Partition.TEST.value: held.most}
    done = balance(placed, options.fractions, seed, most=most, min_positive=least)
    return Assignment(
        partitions=subjects_in(placed, done.chosen),
        obstacles=held.notes,
        optimum=_given(done.optimum, held.centres),
    )


def _given(optimum: Optimum | None, centres: Sequence[str]) -> Optimum | None:
    """What was proved is proved of the others: which centres are held out was chosen before."""
    if optimum is None or not centres:
        return optimum
    names = f"centres {', '.join(centres)}" if len(centres) <= _MOST_NAMES else f"{len(centres)} centres"
    return replace(optimum, given=f"with {names} held out")
