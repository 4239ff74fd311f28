"""Folds: the parts fold-0, fold-1, ... alike in size, labels and strata; what is held out as test is in none."""

from __future__ import annotations

from collections.abc import Sequence

from isocenter.model.split import SplitRow
from isocenter.stages.split.balance import balance
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.strategy import Assignment
from isocenter.stages.split.units import subjects_in, units_of


def assign(rows: Sequence[SplitRow], *, options: SplitOptions, seed: int) -> Assignment:
    """Balance the groups over the folds and the test part; train and val of `fractions` are the folds together."""
    units, fractions = units_of(rows), options.folded(options.folds)
    done = balance(units, fractions, seed, min_positive=options.min_positive)
    return Assignment(partitions=subjects_in(units, done.chosen), fractions=fractions, optimum=done.optimum)
