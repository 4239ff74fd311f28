"""Changes: how much there is of a label, and in how many pieces, before and after it comes to another grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.components import Components, components_of, fates_of
from isocenter.imaging.masks import voxel_ml
from isocenter.model.grid import Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One label on its own grid and on another; of several drawings everything adds up.

    Args:
        drawn_before_ml: Volume as it was drawn, on its own grid.
        drawn_after_ml: Volume of the same on the other.
        drawn_components_before: Connected pieces (26 neighbours) on its own grid.
        drawn_components_after: Connected pieces on the other.
        vanished: Pieces of which no voxel is left.
        vanished_ml: Volume of the largest of these.
        split: Pieces that fell apart.
        merged: Pieces on the other grid that are made of several.
    """

    drawn_before_ml: float = 0.0
    drawn_after_ml: float = 0.0
    drawn_components_before: int = 0
    drawn_components_after: int = 0
    vanished: int = 0
    vanished_ml: float = 0.0
    split: int = 0
    merged: int = 0

    def __add__(self, other: Change) -> Change:
        return Change(
            drawn_before_ml=self.drawn_before_ml + other.drawn_before_ml,
            drawn_after_ml=self.drawn_after_ml + other.drawn_after_ml,
            drawn_components_before=self.drawn_components_before + other.drawn_components_before,
            drawn_components_after=self.drawn_components_after + other.drawn_components_after,
            vanished=self.vanished + other.vanished,
            vanished_ml=max(self.vanished_ml, other.vanished_ml),
            split=self.split + other.split,
            merged=self.merged + other.merged,
        )


def changes_of(before: NDArray[Any], grid: Grid, after: NDArray[Any], target: Grid) -> dict[int, Change]:
    """What became of each label of a map (K, J, I) that was brought from its grid to another."""
    old, new = components_of(before), components_of(after)
    fates = fates_of(old, grid, new, target)
    out = {}
    for label in sorted(set(old.labels.tolist()) | set(new.labels.tolist())):
        was, now = old.labels == label, new.labels == label
        gone = old.voxels[was & (fates.parts == 0)]
        out[label] = Change(
            drawn_before_ml=_ml(old, label, grid),
            drawn_after_ml=_ml(new, label, target),
            drawn_components_before=int(was.sum()),
            drawn_components_after=int(now.sum()),
            vanished=len(gone),
            vanished_ml=int(gone.max(initial=0)) * voxel_ml(grid),
            split=int((fates.parts[was] > 1).sum()),
            merged=int((fates.parents[now] > 1).sum()),
        )
    return out


def unchanged(labels: NDArray[Any], grid: Grid) -> dict[int, Change]:
    """The same of labels that stay on their grid, counted once."""
    found = components_of(labels)
    out = {}
    for label in np.unique(found.labels).tolist():
        volume, count = _ml(found, label, grid), found.count(label)
        out[label] = Change(
            drawn_before_ml=volume,
            drawn_after_ml=volume,
            drawn_components_before=count,
            drawn_components_after=count,
        )
    return out


def _ml(components: Components, label: int, grid: Grid) -> float:
    return int(components.voxels[components.labels == label].sum()) * voxel_ml(grid)
