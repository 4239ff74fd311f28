"""As the source says: every subject stays in the partition that it came with."""

from __future__ import annotations

from collections.abc import Sequence

from isocenter.base.errors import ConfigError
from isocenter.model.split import SplitRow
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.strategy import Assignment


def assign(rows: Sequence[SplitRow], *, options: SplitOptions, seed: int) -> Assignment:  # noqa: ARG001
    """Take over the partitions as they are; fractions and seed decide nothing.

    Raises:
        ConfigError: some subject came without a partition.
    """
    if missing := sum(not r.partition for r in rows):
        raise ConfigError(
            f"strategy given: {missing} of {len(rows)} subjects come without a partition; "
            "auto keeps those that have one and divides the others"
        )
    return Assignment(partitions={r.subject: r.partition for r in rows})
