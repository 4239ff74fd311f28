"""What the build stage is told: the grid, the values, and how raters are fused."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Annotated

from isocenter.model.task import TaskContract
from isocenter.rules.select import ScreenOptions


class Orientation(enum.StrEnum):
    """Axis order of the packed arrays."""

    CANONICAL = "canonical"
    NATIVE = "native"


class TiltPolicy(enum.StrEnum):
    """What becomes of slices that a tilted gantry displaced within their plane."""

    KEEP = "keep"
    RESAMPLE = "resample"
    REJECT = "reject"


class GapPolicy(enum.StrEnum):
    """What becomes of a stack whose slices do not lie where even spacing has them."""

    REJECT = "reject"
    RESAMPLE = "resample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardise:
    """The canonical grid and the value range of every packed volume."""

    orientation: Annotated[Orientation, "canonical (i to R, j to A, k to S) or native axis order"] = (
        Orientation.CANONICAL
    )
    spacing: Annotated[str | tuple[float, ...], "native, median, or three spacings in mm (k, j, i)"] = (
        "native"
    )
    kernel: Annotated[str, "interpolation of images: linear, cubic or nearest"] = "linear"
    hu_range: Annotated[tuple[int, ...] | None, "CT values are clipped to it; null keeps them"] = (
        -1024,
        3071,
    )
    tilt: Annotated[
        TiltPolicy, "slices displaced by a tilted gantry: keep (an exact sheared affine), resample or reject"
    ] = TiltPolicy.KEEP
    gaps: Annotated[
        GapPolicy, "missing slices: reject, or resample (they are interpolated and marked synthetic)"
    ] = GapPolicy.REJECT
    uneven: Annotated[
        GapPolicy, "uneven slice spacing: reject, or resample to the usual one (new slices marked synthetic)"
    ] = GapPolicy.REJECT
    max_case_bytes: Annotated[int, "a case whose packed arrays would be larger is refused"] = 8 << 30

    def __post_init__(self) -> None:
        if isinstance(self.spacing, str) and self.spacing not in {"native", "median"}:
            raise ValueError("spacing must be native, median, or three numbers (k, j, i) in mm")
        if not isinstance(self.spacing, str) and (len(self.spacing) != 3 or min(self.spacing) <= 0):
            raise ValueError("spacing needs three positive numbers (k, j, i) in mm")
        if self.spacing == "median" and self.orientation is Orientation.NATIVE:
            raise ValueError(
                "spacing: median needs orientation: canonical; axes of native images do not compare"
            )
        if self.kernel not in {"linear", "cubic", "nearest"}:
            raise ValueError("kernel must be linear, cubic or nearest")
        if self.hu_range is not None and (len(self.hu_range) != 2 or self.hu_range[0] >= self.hu_range[1]):
            raise ValueError("hu_range needs a lower and a higher number")
        if self.hu_range is not None and not -32768 <= self.hu_range[0] < self.hu_range[1] <= 32767:
            raise ValueError("hu_range must fit 16-bit integers")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementOptions:
    """How several raters of one case are compared and fused."""

    method: Annotated[str, "how masks of several raters become one"] = "majority"
    min_dice: Annotated[float, "below this Dice of the worst pair a case goes to review"] = 0.7
    tie: Annotated[str, "an even vote: background or foreground"] = "background"

    def __post_init__(self) -> None:
        if not 0 <= self.min_dice <= 1:
            raise ValueError("min_dice must be between 0 and 1")
        if self.tie not in {"background", "foreground"}:
            raise ValueError("tie must be background or foreground")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOptions:
    """Everything that decides what a record holds and how it is written."""

    name: str
    contract: TaskContract
    standardise: Standardise
    agreement: AgreementOptions
    screen: ScreenOptions
    backend: str
    chunk: tuple[int, ...]
