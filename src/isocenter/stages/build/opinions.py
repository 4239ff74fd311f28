"""Opinions: what each rater says of each label on the grid of a case, and what is not known of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.instances import Instance
from isocenter.model.annotation import AnnotationState

Corners = tuple[float, ...]
Mask = NDArray[np.bool_]

_WHOLE = {AnnotationState.MARKED, AnnotationState.ABSENT}


@dataclass(slots=True, eq=False)
class Opinion:
    """What one rater says of one label.

    Args:
        state: Marked, absent, not annotated, partial or failed.
        mask: The voxels that were marked, (K, J, I); None where no voxel was spoken of.
        known: Of an opinion that is partial, the voxels that it speaks of; None of any other.
        parts: What was drawn part by part, where the parts of a file are to be told apart.
        boxes: Boxes in RAS+ millimetres: lo x, y, z, hi x, y, z.
        points: x, y, z and diameter (0 where none is known) in RAS+ millimetres.
        votes: Class labels: whether it is there.
        slice_votes: The same of single slices of the case, by their number.
        has_failed: Whether any of what the rater said could not be read, placed or trusted.
    """

    state: AnnotationState = AnnotationState.NOT_ANNOTATED
    mask: Mask | None = None
    known: Mask | None = None
    parts: list[Instance] = field(default_factory=list)
    boxes: list[Corners] = field(default_factory=list)
    points: list[Corners] = field(default_factory=list)
    votes: list[bool] = field(default_factory=list)
    slice_votes: dict[int, bool] = field(default_factory=dict)
    has_failed: bool = False

    @property
    def speaks(self) -> bool:
        """Whether anything was said by it."""
        return self.state not in {AnnotationState.NOT_ANNOTATED, AnnotationState.FAILED}

    @property
    def is_vote(self) -> bool:
        """Whether it says of voxels whether they are inside."""
        return self.mask is not None and self.speaks

    @property
    def looked(self) -> float:
        """Share of the case that it speaks of."""
        if not self.speaks:
            return 0.0
        return 1.0 if self.known is None else float(np.count_nonzero(self.known)) / self.known.size

    def add(self, state: AnnotationState, mask: Mask | None = None, known: Mask | None = None) -> None:
        """Add what another file, or part of one, says: what is marked in any of them is marked.

        Of a rater one of whose files failed nothing is known but what the others mark.
        """
        self.has_failed |= state is AnnotationState.FAILED
        if mask is not None:
            self.mask = mask if self.mask is None else self.mask | mask
        if not self.has_failed:
            self.state, self.known = _joined((self.state, self.known), (state, known), self.mask)
        elif self.mask is not None and self.mask.any():
            self.state, self.known = AnnotationState.PARTIAL, self.mask
        else:
            self.state, self.known = AnnotationState.FAILED, None


def _joined(
    one: tuple[AnnotationState, Mask | None], other: tuple[AnnotationState, Mask | None], mask: Mask | None
) -> tuple[AnnotationState, Mask | None]:
    states = {one[0], other[0]} - {AnnotationState.NOT_ANNOTATED}
    if not states:
        return AnnotationState.NOT_ANNOTATED, None
    if whole := states & _WHOLE:
        is_marked = AnnotationState.MARKED in whole or (
            AnnotationState.PARTIAL in states and mask is not None and bool(mask.any())
        )
        return (AnnotationState.MARKED if is_marked else AnnotationState.ABSENT), None
    knowns = [known for _, known in (one, other) if known is not None]
    if not knowns:
        return AnnotationState.PARTIAL, mask
    return AnnotationState.PARTIAL, knowns[0] if len(knowns) == 1 else knowns[0] | knowns[1]


class Opinions(dict[str, dict[str, Opinion]]):
    """Label -> rater -> opinion."""

    def of(self, label: str, rater: str) -> Opinion:
        """The opinion of one rater, which is none at first."""
        return self.setdefault(label, {}).setdefault(rater, Opinion())

    @property
    def raters(self) -> list[str]:
        """All who said anything, by name; "" stands for whoever is not named."""
        return sorted({rater for by_rater in self.values() for rater in by_rater})

    def alone(self, rater: str) -> Opinions:
        """What one rater says, without the others."""
        return Opinions({n: {rater: by[rater]} for n, by in self.items() if rater in by})
