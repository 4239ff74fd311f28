"""What the split stage is told: strategy, fractions, and what must be balanced or kept together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated


def _fractions() -> dict[str, float]:
    return {"train": 0.7, "val": 0.1, "test": 0.2}


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOptions:
    """How subjects are divided."""

    name: Annotated[str, "name of the split in the store"] = "default"
    strategy: Annotated[
        str, "auto, or a strategy by name; auto: site-holdout with several centres, stratified with one"
    ] = "auto"
    fractions: Annotated[dict[str, float], "share of the subjects in train, val and test"] = field(
        default_factory=_fractions
    )
    strata: Annotated[
        tuple[str, ...], "attributes to balance besides the labels, e.g. sex, manufacturer"
    ] = ()
    min_external_share: Annotated[
        float, "share of the test subjects that must come from centres with none in train or val"
    ] = 0.2
    append_only: Annotated[bool, "subjects keep the place an earlier run gave them"] = True

    def __post_init__(self) -> None:
        if set(self.fractions) - {"train", "val", "test"}:
            raise ValueError("fractions may name train, val and test")
        if abs(sum(self.fractions.values()) - 1) > 1e-9 or min(self.fractions.values()) < 0:
            raise ValueError("fractions must be positive and add up to 1")
        if not 0 <= self.min_external_share <= 1:
            raise ValueError("min_external_share must be between 0 and 1")
