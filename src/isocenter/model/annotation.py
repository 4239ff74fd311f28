"""Annotation: what one rater marked, and the Consensus of several."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isocenter.model.exchange import exchanged
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue


class AnnotationState(enum.StrEnum):
    """Whether a rater marked something, looked and found nothing, did not look, looked at a part, or is not understood.

    PARTIAL: what is marked is marked, and of the rest nothing is known (sparse slices, a stated region, some slices
    of a set of 2-D annotations). FAILED: it could not be read, placed or trusted.
    """

    MARKED = "marked"
    ABSENT = "absent"
    NOT_ANNOTATED = "not_annotated"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing in an annotation file that may be taken out.

    Args:
        key: Its number inside the file.
        name: Its free-text name.
        code: What it is, as SCHEME:VALUE; a modifier (left, right) follows after a slash.
        shape: mask, contours, boxes, points or labels.
        rater: Who or what drew it, as far as the file says: kind of algorithm and its name.
        id: Its identifier inside the file, where it has one besides the key.
        picture: The single image that it was drawn on: its SOP Instance UID (with `#` and the number of its frame,
            where it is one of several) or the name of its file.
    """

    key: int
    name: str = ""
    code: str = ""
    shape: str = "mask"
    rater: str = ""
    id: str = ""
    picture: str = ""


class Shape(Protocol):
    """What was drawn: contours, a mask, boxes or points (see `isocenter.imaging.shapes`)."""

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """Voxels (K, J, I) of a grid whose centres lie inside the shape."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Annotation:
    """Rater + concept + shape.

    Args:
        id: Pseudonymous id.
        concept: Label of the vocabulary.
        rater: Who marked it ("" where nobody is named).
        state: Marked, absent, not annotated, partial or failed.
        shape: What was drawn; None where nothing was.
        grid: The grid it was drawn on, where it has one of its own.
        extent: What the rater looked at, of an annotation that is partial; None: no more than what is marked.
        on: Id of the stack it was drawn on, where known.
        source: Format it was read from.
        issues: What was seen while reading it.
    """

    id: str
    concept: str
    rater: str = ""
    state: AnnotationState = AnnotationState.MARKED
    shape: Shape | None = None
    grid: Grid | None = None
    extent: Shape | None = None
    on: str = ""
    source: str = ""
    issues: tuple[Issue, ...] = ()

    def mask(self, grid: Grid) -> NDArray[np.bool_]:
        """The annotation as a mask (K, J, I) on a grid; nothing is set where nothing was marked."""
        return np.zeros(grid.shape, dtype=np.bool_) if self.shape is None else self.shape.mask(grid)

    def to_nibabel(self, grid: Grid) -> Any:
        """The annotation's mask on a grid as a nibabel image of 0 and 1."""
        return exchanged("nibabel", self.mask(grid), grid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far two raters agree on one label; what cannot be measured is None.

    Args:
        label: The label.
        raters: The two of them.
        dice: Twice the voxels in common over those of both: None where both marked nothing, 0 where one did.
        volumes_ml: What each of them marked.
        iou: The voxels in common over those that either marked; None and 0 as Dice.
        surface_dice: Share of both surfaces within a tolerance of the other; None where it was not asked for.
        hd95_mm: Distance within which 95 % of each surface lie; None also where one marked nothing.
        f1: Of boxes, twice the matched pairs over the boxes of both; None where neither drew one, or of masks.
        lesions: Connected pieces, or boxes, that each of them marked.
        lesions_matched: Of these, pairs that share voxels, or match.
        lowest_lesion_dice: Dice of the lesion agreed on least: 0 where one is the one rater's alone.
        volume_difference_ml: How much more the second marked than the first.
    """

    label: str
    raters: tuple[str, ...]
    dice: float | None
    volumes_ml: tuple[float, ...]
    iou: float | None = None
    surface_dice: float | None = None
    hd95_mm: float | None = None
    f1: float | None = None
    lesions: tuple[int, ...] = (0, 0)
    lesions_matched: int = 0
    lowest_lesion_dice: float | None = None
    volume_difference_ml: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """How good a consensus method takes one rater to be on one label.

    Args:
        label: The label.
        rater: Who marked it.
        sensitivity: Share of what is inside that the rater marked.
        specificity: Share of what is outside that the rater left out; it falls with the size of the part looked at.
    """

    label: str
    rater: str
    sensitivity: float
    specificity: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Consensus:
    """Annotations fused: one mask per label (K, J, I), how it was made, and how well raters agreed.

    Args:
        masks: Label -> mask (K, J, I).
        method: Name of the consensus method.
        agreements: Every pair of raters on every label.
        issues: What a person should know of how it was made.
        shares: Label -> how sure the method is of every voxel, float32 (K, J, I), where it tells.
        performances: How good the method takes each rater to be, where it tells.
    """

    masks: dict[str, NDArray[np.bool_]]
    method: str
    agreements: tuple[Agreement, ...] = ()
    issues: tuple[Issue, ...] = ()
    shares: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    performances: tuple[Performance, ...] = ()
