"""Case: one training example, as read back from a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.model.attributes import Attribute
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue
from isocenter.model.rows import LabelState, OpinionRow
from isocenter.model.volume import Slice

SHARE_UNIT = 65_535
"""What stands for a share of 1 where shares of a consensus are whole numbers."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Marks:
    """What raters set one by one: boxes, or points.

    Args:
        raters: Who set each; "" where nobody is named.
        labels: Label of each.
        where: float64 (N, 6) boxes as of a case, or (N, 4) points: x, y, z and diameter (0: none is known), RAS+ mm.
    """

    raters: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    where: NDArray[np.float64]

    def of(self, rater: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """What one rater set, and its labels."""
        own = [n for n, name in enumerate(self.raters) if name == rater]
        return self.where[own], tuple(self.labels[n] for n in own)


def no_boxes() -> Marks:
    """No boxes of any rater."""
    return Marks(where=np.zeros((0, 6)))


def no_points() -> Marks:
    """No points of any rater."""
    return Marks(where=np.zeros((0, 4)))


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
        known: Label -> bool (K, J, I), of labels whose state is partial: where it is known whether they are there. A
            label that is positive or negative is known everywhere, one that is unknown or failed nowhere.
        rater_known: Rater -> label -> the same, of what a rater looked at in part.
        shares: Label -> uint16 (K, J, I), of labels that several raters voted on by a method that tells: how sure it
            is of each voxel, `SHARE_UNIT` for 1.
        instances: (K, J, I) numbers of lesions, from 1; `boxes[n - 1]` and `box_labels[n - 1]` are of number n.
        rater_boxes: Boxes of each rater, beside those of the consensus.
        rater_points: Points of each rater.
        opinions: The state of every label by every rater.
        slice_labels: int8 (L, K), labels in the order of their values: 1 where a slice has the label, 0 where it is
            known not to, -1 where that is not known.
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
    known: dict[str, Any] = field(default_factory=dict)
    rater_known: dict[str, dict[str, Any]] = field(default_factory=dict)
    shares: dict[str, Any] = field(default_factory=dict)
    instances: Any = None
    rater_boxes: Marks = field(default_factory=no_boxes)
    rater_points: Marks = field(default_factory=no_points)
    opinions: tuple[OpinionRow, ...] = ()
    slice_labels: Any = None
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
