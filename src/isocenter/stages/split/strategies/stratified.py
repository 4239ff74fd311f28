"""Evenly: every partition gets its share of subjects, of each label and of each stratum."""

from __future__ import annotations

from collections.abc import Sequence

from isocenter.model.split import SplitRow
from isocenter.stages.split.balance import balance
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.strategy import Assignment
from isocenter.stages.split.units import subjects_in, units_of


def assign(rows: Sequence[SplitRow], *, options: SplitOptions, seed: int) -> Assignment:
    """Balance the groups over the partitions."""
    units = units_of(rows)
    done = balance(units, options.fractions, seed, min_positive=options.min_positive)
    return Assignment(partitions=subjects_in(units, done.chosen), optimum=done.optimum)
