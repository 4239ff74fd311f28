"""The promise of a split strategy: every subject gets one partition, and groups stay together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from isocenter.base.plugins import Plugins
from isocenter.model.certificate import Optimum
from isocenter.model.split import SplitRow
from isocenter.stages.split.options import SplitOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The partition of every subject, and what the strategy has to say about it, with numbers.

    Args:
        partitions: Partition by subject.
        notes: What it has to say.
        obstacles: What stood in the way of what was asked for.
        fractions: The parts it makes and their shares, where they are others than those of the options.
        inner: The inner fold of each subject in every outer fold, "" where it is tested.
        optimum: How near to the best it comes.
    """

    partitions: dict[str, str]
    notes: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    fractions: dict[str, float] = field(default_factory=dict)
    inner: dict[str, tuple[str, ...]] = field(default_factory=dict)
    optimum: Optimum | None = None


class Strategy(Protocol):
    """How subjects are divided, as a plain module.

    The rows are one per subject; `group` names what stays together and is never empty. A group is either
    free (no partition) or kept: then every row of it says where.

    Contract:
        * Every subject gets one of the partitions that have a fraction above 0, those of the options unless the
          strategy makes others (folds); kept ones stay.
        * The subjects of one group get the same partition.
        * The result depends on the seed and the rows, never on their order.
        * Where all is free, each partition's size is within one largest group of its fraction, or an
          obstacle says with numbers what stood in the way.
    """

    def assign(self, rows: Sequence[SplitRow], *, options: SplitOptions, seed: int) -> Assignment:
        """Put every subject in a partition."""


STRATEGIES: Plugins[Strategy] = Plugins("isocenter.stages.split.strategies")
