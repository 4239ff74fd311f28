"""What the split stage is told: strategy, fractions, and what must be balanced or kept together."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Annotated


class NearDuplicates(enum.StrEnum):
    """What becomes of subjects whose images nearly are the same."""

    TOGETHER = "together"
    APART = "apart"


def _fractions() -> dict[str, float]:
    return {"train": 0.7, "val": 0.1, "test": 0.2}


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOptions:
    """How subjects are divided."""

    name: Annotated[str, "name of the split in the store"] = "default"
    strategy: Annotated[
        str,
        "auto, or a strategy by name: stratified, grouped, site-holdout, k-fold, nested-k-fold, temporal, given;"
        " auto: site-holdout with several centres, stratified with one",
    ] = "auto"
    fractions: Annotated[dict[str, float], "share of the subjects in train, val and test"] = field(
        default_factory=_fractions
    )
    folds: Annotated[
        int, "folds of k-fold, outer folds of nested-k-fold; the part test is held out of them"
    ] = 5
    inner_folds: Annotated[int, "inner folds of nested-k-fold"] = 4
    strata: Annotated[
        tuple[str, ...],
        "attributes to balance besides the labels, e.g. sex, age_years, manufacturer, lesion_size",
    ] = ()
    min_positive: Annotated[
        int, "least number of subjects with each label in each part, as far as there are as many"
    ] = 1
    groups: Annotated[
        tuple[str, ...], "attributes whose equal values keep subjects together, e.g. a family"
    ] = ()
    links: Annotated[
        str,
        "CSV or TSV of what keeps subjects together: a column subject, a column alias (another name of the same"
        " person), and any others, whose equal values keep together: twins, donor and recipient",
    ] = ""
    near_duplicates: Annotated[
        NearDuplicates,
        "together: subjects whose images nearly are the same stay together; apart: the audit tells of them",
    ] = NearDuplicates.APART
    min_external_share: Annotated[
        float, "share of the test subjects that must come from centres with none in train or val"
    ] = 0.2
    append_only: Annotated[bool, "subjects keep the place an earlier run gave them"] = True
    lock_test: Annotated[
        bool, "the test part is closed: later subjects go elsewhere, and it cannot be divided anew"
    ] = False

    def __post_init__(self) -> None:
        if set(self.fractions) - {"train", "val", "test"}:
            raise ValueError("fractions may name train, val and test")
        if abs(sum(self.fractions.values()) - 1) > 1e-9 or min(self.fractions.values()) < 0:
            raise ValueError("fractions must be positive and add up to 1")
        if not 0 <= self.min_external_share <= 1:
            raise ValueError("min_external_share must be between 0 and 1")
        if self.folds < 2 or self.inner_folds < 2:
            raise ValueError("folds and inner_folds must be 2 or more")
        if self.min_positive < 0:
            raise ValueError("min_positive must be 0 or more")

    def folded(self, count: int) -> dict[str, float]:
        """Share of the subjects in each of some folds, and in test, which is held out of them."""
        test = self.fractions.get("test", 0.0)
        held = {"test": test} if test > 0 else {}
        return held | {f"fold-{n}": (1 - test) / count for n in range(count)}
