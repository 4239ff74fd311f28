"""What the build stage is told: the grid, the values, and how raters are fused."""

from __future__ import annotations

import enum
import math
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from isocenter.agreement.detection import RULES
from isocenter.base.digests import digest_of
from isocenter.imaging import labels
from isocenter.imaging.foreground import WAYS
from isocenter.imaging.resample import ALIGNMENTS
from isocenter.imaging.taps import KERNELS
from isocenter.model.task import TaskContract
from isocenter.rules.select import ScreenOptions

# Spacings that the headers of the cohort decide.
FITTED_SPACINGS = ("median", "isotropic")


class Orientation(enum.StrEnum):
    """Axis order of the packed arrays."""

    CANONICAL = "canonical"
    NATIVE = "native"


class TiltPolicy(enum.StrEnum):
    """What becomes of slices that a tilted gantry displaced within their plane."""

    KEEP = "keep"
    RESAMPLE = "resample"
    REJECT = "reject"


class PetPolicy(enum.StrEnum):
    """What the values of a PET become."""

    SUVBW = "suvbw"
    SUVLBM = "suvlbm"
    SUVLBM_JAMES = "suvlbm-james"
    SUVBSA = "suvbsa"
    STORED = "stored"


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
    spacing: Annotated[
        str | float | tuple[float, ...],
        "native, median, isotropic (the smallest of the medians along all axes), one spacing in mm, or three (k, j, i)",
    ] = "native"
    align: Annotated[
        str, "what old and new grid share where the spacing changes: centre (IBSI), corner or origin"
    ] = "centre"
    kernel: Annotated[str, "interpolation of images: linear, cubic, lanczos, area or nearest"] = "linear"
    antialias: Annotated[
        bool,
        "smooth images before their voxels grow; false: the kernel alone (plain trilinear, as IBSI has it)",
    ] = True
    label_kernel: Annotated[
        str, "what a voxel of a mask becomes: vote (the label of the largest linear share) or nearest"
    ] = "vote"
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
    foreground: Annotated[
        str, "voxels that statistics are taken of: auto (by unit), mean, otsu, nonzero or all"
    ] = "auto"
    bias_field: Annotated[str, "bias field of MR images: none (left as it is) or n4 (divided out)"] = "none"
    pet: Annotated[
        PetPolicy,
        "PET values: SUV by body weight (suvbw), lean body mass (suvlbm by Janmahasatian, suvlbm-james) or body "
        "surface (suvbsa), or as stored",
    ] = PetPolicy.SUVBW
    max_case_bytes: Annotated[int, "a case whose packed arrays would be larger is refused"] = 8 << 30

    def __post_init__(self) -> None:
        self._check_spacing()
        if self.align not in ALIGNMENTS:
            raise ValueError(f"align must be one of {', '.join(ALIGNMENTS)}")
        if self.kernel not in KERNELS:
            raise ValueError(f"kernel must be one of {', '.join(KERNELS)}")
        if self.label_kernel not in labels.KERNELS:
            raise ValueError(f"label_kernel must be one of {', '.join(labels.KERNELS)}")
        if self.hu_range is not None and (len(self.hu_range) != 2 or self.hu_range[0] >= self.hu_range[1]):
            raise ValueError("hu_range needs a lower and a higher number")
        if self.hu_range is not None and not -32768 <= self.hu_range[0] < self.hu_range[1] <= 32767:
            raise ValueError("hu_range must fit 16-bit integers")
        if self.foreground not in WAYS:
            raise ValueError(f"foreground must be one of {', '.join(WAYS)}")

    def conventions(self) -> dict[str, Any]:
        """Every word that decides what a voxel means, and so no limit of size."""
        return {name: value for name, value in asdict(self).items() if name != "max_case_bytes"}

    def _check_spacing(self) -> None:
        if isinstance(self.spacing, str):
            if self.spacing not in {"native", *FITTED_SPACINGS}:
                raise ValueError("spacing must be native, median, isotropic, or one or three numbers in mm")
            if self.spacing in FITTED_SPACINGS and self.orientation is Orientation.NATIVE:
                raise ValueError(
                    f"spacing: {self.spacing} needs orientation: canonical; axes of native images do not compare"
                )
            return
        each = (self.spacing,) if isinstance(self.spacing, float | int) else self.spacing
        if len(each) not in {1, 3} or not all(math.isfinite(v) and v > 0 for v in each):
            raise ValueError("spacing needs one or three positive numbers (k, j, i) in mm")


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementOptions:
    """How several raters of one case are compared and fused."""

    method: Annotated[str, "how masks of several raters become one"] = "majority"
    min_dice: Annotated[float, "below this Dice of the worst pair a case goes to review"] = 0.7
    tie: Annotated[str, "an even vote: background or foreground"] = "background"
    rater: Annotated[str, "whose masks are taken, for the method single"] = ""
    surface_mm: Annotated[
        float | None, "tolerance in mm of the surface Dice, measured with HD95; null leaves surfaces out"
    ] = None
    min_f1: Annotated[float, "below this F1 of boxes of the worst pair a case goes to review"] = 0.7
    box_rule: Annotated[
        str, "boxes of two raters match by iou, or by centre (one of them holds the other's centre)"
    ] = "iou"
    min_iou: Annotated[float, "intersection over union at which boxes of two raters match"] = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.min_dice <= 1:
            raise ValueError("min_dice must be between 0 and 1")
        if not 0 <= self.min_f1 <= 1:
            raise ValueError("min_f1 must be between 0 and 1")
        if self.tie not in {"background", "foreground"}:
            raise ValueError("tie must be background or foreground")
        if (self.method == "single") != bool(self.rater):
            raise ValueError("the method single needs a rater, and no other method takes one")
        if self.surface_mm is not None and not 0 <= self.surface_mm < math.inf:
            raise ValueError("surface_mm must be at least 0")
        if self.box_rule not in RULES:
            raise ValueError(f"box_rule must be {' or '.join(RULES)}")
        if not 0 < self.min_iou <= 1:
            raise ValueError("min_iou must be above 0 and at most 1")


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


def recipe_of(options: BuildOptions) -> str:
    """Digest of all that a cohort says of what is in a record; what only loading reads is left out."""
    order = list(
        options.contract.channels
    )  # of the images of cases, which the digest of a mapping does not hold
    said = [options.contract.stored(), order, options.standardise.conventions(), options.agreement]
    return digest_of(said)
