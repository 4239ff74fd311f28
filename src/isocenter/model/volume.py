"""Volume: a grid filled with values in a unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.model.attributes import Attribute
from isocenter.model.exchange import exchanged
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue
from isocenter.model.rows import Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One row of the slice table: where a plane lies along the normal, and which object, file and frame it came from.

    A plane that lies on none that was read names none. It is synthetic only where something went into it that nobody
    acquired, as where missing slices were filled.
    """

    position_mm: float
    instance: str = ""
    is_synthetic: bool = False
    file: str = ""
    frame: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisPosition:
    """Where a volume stands on the fourth axis of its set: "time", "echo", "b-value", ...; `index` counts from 0."""

    name: str
    index: int
    count: int
    value: float | None = None


def axis_of(stack: Stack) -> AxisPosition | None:
    """Where a stack stands on the fourth axis of its group."""
    if not stack.axis:
        return None
    return AxisPosition(
        name=stack.axis, index=stack.axis_index, count=stack.axis_count, value=stack.axis_value
    )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VolumeFacts:
    """What reading saw of the values, slice by slice, so that no rule need look at every voxel again.

    Args:
        minimum: Lowest valid value of each slice, (K,) float64; NaN where a slice has none.
        maximum: Highest one, (K,).
        n_valid: Voxels that are no padding, (K,) int64.
        n_below: Of these, those below -1024, (K,) int64.
        n_above: Of these, those of 3071 and above, (K,) int64.
        n_not_finite: Voxels that are no finite number, (K,) int64.
    """

    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    n_valid: NDArray[np.int64]
    n_below: NDArray[np.int64]
    n_above: NDArray[np.int64]
    n_not_finite: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Volume:
    """One image in physical units.

    Args:
        array: (K, J, I), C-contiguous; int16 for HU, float32 for PET, stored integers or float32 else.
        grid: Where the voxels are.
        unit: "HU", "SUVbw", "stored" or "arbitrary".
        modality: DICOM modality: CT, MR, PT, DX, CR, ...
        valid: (K, J, I) bool, False where a voxel is padding; None where all are real.
        slices: The slice table, one row per k.
        attributes: Age, sex, scan parameters.
        issues: What was seen or repaired while reading.
        provenance: The reader, and how it was resampled if it was.
        facts: What reading saw of the values; None where the reader did not look.
        axis: Where the volume stands on a fourth axis; None where there is none.
        image_type: What kind of image its header says it is (DICOM PS3.3 C.7.6.1.1.2).
    """

    array: NDArray[Any]
    grid: Grid
    unit: str
    modality: str
    valid: NDArray[np.bool_] | None = None
    slices: tuple[Slice, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    issues: tuple[Issue, ...] = ()
    provenance: dict[str, str] = field(default_factory=dict)
    id: str = ""
    facts: VolumeFacts | None = None
    axis: AxisPosition | None = None
    image_type: tuple[str, ...] = ()

    def to_nibabel(self) -> Any:
        """The volume as a nibabel image: the same affine, its data as [i, j, k]."""
        return exchanged("nibabel", self.array, self.grid)

    def to_sitk(self) -> Any:
        """The volume as a SimpleITK image: origin and directions in LPS.

        Raises:
            MissingExtra: SimpleITK is not installed.
        """
        return exchanged("sitk", self.array, self.grid)
