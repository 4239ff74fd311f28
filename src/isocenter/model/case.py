"""Case: one training example, as read back from a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.model.attributes import Attribute
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue
from isocenter.model.rows import LabelState
from isocenter.model.volume import Slice


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Case:
    """Volumes on one grid, their consensus, targets and attributes, of one subject.

    Args:
        id: Keyed digest of subject, time point and unit.
        subject: Pseudonym; the indivisible unit of a split.
        site: The centre.
        timepoint: Pseudonym of the study date.
        image: (C, K, J, I), in memory or sliceable like it; a slice reads only the chunks it needs.
        channels: Names along C.
        units: Unit of each channel.
        modalities: DICOM modality of each channel.
        grid: Where the voxels are.
        mask: (K, J, I) label values, or (L, K, J, I) where labels may overlap; None without masks.
        raters: Each rater's own mask, like `mask`.
        valid: (K, J, I) bool, False in padding; None where all voxels are real.
        boxes: float64 (N, 6) RAS+ mm: lo xyz, hi xyz.
        boxes_voxel: int32 (N, 6), half-open: lo kji, hi kji.
        box_labels: Label of each box.
        labels: What is known of each label.
        attributes: Age, sex, scan parameters.
        statistics: Per channel: count, mean, std, min, max, percentiles over the foreground.
        slices: The slice table.
        issues: Issues that came with it.
        provenance: Versions and source digests behind it.
        verdict: KEEP or REVIEW.
    """

    id: str
    subject: str
    site: str
    timepoint: str
    image: Any
    channels: tuple[str, ...]
    units: tuple[str, ...]
    modalities: tuple[str, ...]
    grid: Grid
    mask: Any = None
    raters: dict[str, Any] = field(default_factory=dict)
    valid: Any = None
    boxes: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 6)))
    boxes_voxel: NDArray[np.int32] = field(default_factory=lambda: np.zeros((0, 6), np.int32))
    box_labels: tuple[str, ...] = ()
    labels: tuple[LabelState, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    statistics: dict[str, dict[str, float]] = field(default_factory=dict)
    slices: tuple[Slice, ...] = ()
    issues: tuple[Issue, ...] = ()
    provenance: dict[str, str] = field(default_factory=dict)
    verdict: str = "keep"
