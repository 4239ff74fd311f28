"""Annotation: what one rater marked, and the Consensus of several."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from isocenter.model.exchange import exchanged
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue


class AnnotationState(enum.StrEnum):
    """Whether a rater marked something, looked and found nothing, or did not look."""

    MARKED = "marked"
    ABSENT = "absent"
    NOT_ANNOTATED = "not_annotated"


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
        state: Marked, absent or not annotated.
        shape: What was drawn; None where nothing was.
        grid: The grid it was drawn on, where it has one of its own.
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
    """How far two raters agree on one label: Dice, or None where both marked nothing."""

    label: str
    raters: tuple[str, ...]
    dice: float | None
    volumes_ml: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Consensus:
    """Annotations fused: one mask per label (K, J, I), how it was made, and how well raters agreed."""

    masks: dict[str, NDArray[np.bool_]]
    method: str
    agreements: tuple[Agreement, ...] = ()
    issues: tuple[Issue, ...] = ()
