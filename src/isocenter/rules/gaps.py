"""Gaps between the slices of a stack: which is usual, which lacks slices, which is none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import median_low

from isocenter.model.rows import Stack

# Positions nearer than this are one position: DICOM writes them with at least two decimals of a millimetre.
SAME_MM = 0.01


@dataclass(frozen=True, slots=True)
class Gap:
    """The gap after slice number `after` (the first slice is 1), and the usual gap of its stack."""

    after: int
    mm: float
    usual_mm: float

    @property
    def is_none(self) -> bool:
        """Whether the two slices lie at one position."""
        return self.mm < SAME_MM

    @property
    def deviation_mm(self) -> float:
        """How far the gap is from the usual one."""
        return abs(self.mm - self.usual_mm)

    def missing(self, tolerance_share: float) -> int:
        """How many slices lack if the gap is a whole multiple of the usual one, within a share of it; else 0."""
        if self.is_none or self.usual_mm < SAME_MM:
            return 0
        multiple = self.mm / self.usual_mm
        whole = round(multiple)
        return whole - 1 if whole > 1 and abs(multiple - whole) <= tolerance_share else 0


@lru_cache(maxsize=4)  # several rules ask for the gaps of one stack, one after another
def gaps_of(positions_mm: tuple[float, ...]) -> tuple[Gap, ...]:
    """The gaps between neighbours; the usual one is the lower median of those that are gaps at all."""
    gaps = [b - a for a, b in pairwise(positions_mm)]
    real = [g for g in gaps if g >= SAME_MM]
    usual = median_low(real) if real else 0.0
    return tuple(Gap(n, g, usual) for n, g in enumerate(gaps, start=1))


def slices_of(stack: Stack) -> int:
    """Number of slices: files of a DICOM stack; elsewhere the shortest axis, since none is named."""
    return min(stack.shape) if stack.shape and stack.format != "dicom" else len(stack.files)
