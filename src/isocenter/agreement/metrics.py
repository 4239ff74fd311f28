"""Metrics: how far two raters agree on where a structure is."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.agreement.boxes_of_masks import box_of
from isocenter.agreement.counts import count_labels, count_masks
from isocenter.agreement.lesions import lesion_agreement
from isocenter.agreement.surfaces import surface_distances
from isocenter.imaging.components import Components, components_of
from isocenter.imaging.masks import voxel_ml
from isocenter.model.annotation import Agreement
from isocenter.model.grid import Grid

_MOST_OBLIQUE = 1e-3


@dataclass(frozen=True, slots=True)
class Overlap:
    """Voxels that one rater marked, the other, and both; every ratio is None where neither marked any.

    Two raters who agree on an absence have no overlap to measure, and counting it as 1 would flatter a mean.
    """

    first: int
    second: int
    both: int

    @property
    def dice(self) -> float | None:
        """Twice the voxels in common over the voxels of both (Dice 1945)."""
        total = self.first + self.second
        return 2.0 * self.both / total if total else None

    @property
    def iou(self) -> float | None:
        """The voxels in common over those that either marked (Jaccard 1912)."""
        union = self.first + self.second - self.both
        return self.both / union if union else None

    @property
    def volume_difference(self) -> float | None:
        """How much larger the second is, over the mean of both volumes: from -2 to 2."""
        total = self.first + self.second
        return 2.0 * (self.second - self.first) / total if total else None


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Overlap:
    """Count the voxels of two masks of one shape in one pass."""
    return Overlap(*count_masks(np.asarray(first, dtype=np.bool_), np.asarray(second, dtype=np.bool_)))


def overlaps_of_labels(first: NDArray[Any], second: NDArray[Any]) -> dict[int, Overlap]:
    """Overlap of every label but background that occurs in either of two label maps, in one pass."""
    counts = count_labels(first, second).tolist()
    return {label: Overlap(*row) for label, row in enumerate(counts) if label and (row[0] or row[1])}


def dice(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float | None:
    """Twice the voxels in common over the voxels of both (Dice 1945).

    Examples:
        >>> dice(np.array([True, True, False]), np.array([True, False, False]))
        0.6666666666666666

    Returns:
        None where both masks are empty, 0 where one of them is.
    """
    return overlap(first, second).dice


def agreement_of(
    masks_by_rater: Mapping[str, NDArray[np.bool_] | None],
    label: str,
    grid: Grid,
    *,
    surface_mm: float | None = None,
) -> tuple[Agreement, ...]:
    """How far every pair of raters agrees on one label, in the order of the raters' names.

    Args:
        masks_by_rater: Masks (K, J, I); all False where a rater looked and found nothing, None where
            the rater did not annotate the label and so can neither agree nor disagree.
        label: The label.
        grid: Where the voxels are.
        surface_mm: Tolerance of the surface Dice; None leaves the surfaces out.
    """
    known = {r: np.asarray(m, dtype=np.bool_) for r, m in sorted(masks_by_rater.items()) if m is not None}
    if len(known) < 2:
        return ()
    box = box_of(known.values())
    if box is None:
        return tuple(
            Agreement(label=label, raters=pair, dice=None, volumes_ml=(0.0, 0.0), volume_difference_ml=0.0)
            for pair in itertools.combinations(known, 2)
        )
    cut = {rater: np.ascontiguousarray(mask[box]) for rater, mask in known.items()}
    pieces = {rater: components_of(mask) for rater, mask in cut.items()}
    out = []
    for a, b in itertools.combinations(known, 2):
        found = _pair(label, (a, b), (cut[a], cut[b]), (pieces[a], pieces[b]), grid)
        if surface_mm is not None and _is_rectangular(grid):
            is_plane = grid.shape[0] == 1
            surfaces = surface_distances(cut[a], cut[b], grid.spacing_mm, is_plane=is_plane)
            found = replace(found, surface_dice=surfaces.dice(surface_mm), hd95_mm=surfaces.hausdorff_mm())
        out.append(found)
    return tuple(out)


def _pair(
    label: str,
    raters: tuple[str, str],
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    pieces: tuple[Components, Components],
    grid: Grid,
) -> Agreement:
    counted, lesions = overlap(*masks), lesion_agreement(*pieces)
    return Agreement(
        label=label,
        raters=raters,
        dice=counted.dice,
        volumes_ml=(counted.first * voxel_ml(grid), counted.second * voxel_ml(grid)),
        iou=counted.iou,
        lesions=lesions.matching.counts,
        lesions_matched=len(lesions.matching.pairs),
        lowest_lesion_dice=lesions.lowest_dice,
        volume_difference_ml=(counted.second - counted.first) * voxel_ml(grid),
    )


def _is_rectangular(grid: Grid) -> bool:
    """Whether the axes stand at right angles; on a sheared grid no distance follows from the spacing."""
    axes = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() < _MOST_OBLIQUE)
