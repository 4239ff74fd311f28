"""Drawings: the masks of one annotation file on the grid of the case, and what became of them on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.imaging.affine import MatchKind, Reorder, match
from isocenter.imaging.changes import Change, changes_of, unchanged
from isocenter.imaging.labels import resample_labels
from isocenter.imaging.layers import Layers
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """One label of one file.

    Args:
        mask: Its voxels (K, J, I) on the grid of the case.
        change: How much of it there was and is.
        is_lost: Whether something was marked of which no voxel is left, or never was one.
    """

    mask: NDArray[np.bool_]
    change: Change
    is_lost: bool


def drawings_of(
    annotations: tuple[Annotation, ...],
    native: Grid,
    grid: Grid,
    reorder: Reorder | None,
    kernel: str = "vote",
) -> dict[str, Drawing]:
    """What one file draws, label by label; several annotations of a label are one structure.

    Labels that a rater did not look for are not in it.

    Args:
        annotations: All of one file.
        native: The grid of the image they were drawn on.
        grid: The grid of the case.
        reorder: What takes arrays from the one to the other, if nothing has to be resampled.
        kernel: One of `isocenter.imaging.labels.KERNELS`.
    """
    known = [a for a in annotations if a.state is not AnnotationState.NOT_ANNOTATED]
    if reorder is None:
        return _resampled(known, native, grid, kernel)
    masks: dict[str, NDArray[np.bool_]] = {}
    lost: set[str] = set()
    for annotation in known:
        mask = reorder.apply(annotation.mask(native))
        if annotation.state is AnnotationState.MARKED and not mask.any():
            lost.add(annotation.concept)
        before = masks.get(annotation.concept)
        masks[annotation.concept] = mask if before is None else before | mask
    return {
        label: Drawing(mask, unchanged(mask, grid).get(1, Change()), label in lost)
        for label, mask in masks.items()
    }


def reorder_between(native: Grid, grid: Grid) -> Reorder | None:
    """What takes arrays of an image to the grid of the case; None if they are resampled."""
    found = match(grid, native)
    return None if found.kind is MatchKind.DIFFERENT else found.reorder


def _resampled(annotations: list[Annotation], native: Grid, grid: Grid, kernel: str) -> dict[str, Drawing]:
    """Masks that do not overlap are brought over together, so that neither gaps nor overlaps arise."""
    labels = list(dict.fromkeys(a.concept for a in annotations))
    layers = Layers(native.shape, len(labels))
    marked: set[str] = set()
    lost: set[str] = set()
    for annotation in annotations:
        mask = annotation.mask(native)
        if mask.any():
            layers.add(mask, labels.index(annotation.concept) + 1)
        elif annotation.state is AnnotationState.MARKED:
            lost.add(annotation.concept)
        if annotation.state is AnnotationState.MARKED:
            marked.add(annotation.concept)
    changes = dict.fromkeys(labels, Change())
    maps = []
    for layer in layers.maps:
        maps.append(resample_labels(layer, native, grid, kernel=kernel))
        for value, change in changes_of(layer, native, maps[-1], grid).items():
            changes[labels[value - 1]] += change
    masks = layers.masks(maps) if maps else np.zeros((len(labels), *grid.shape), dtype=np.bool_)
    return {
        label: Drawing(mask, changes[label], label in lost or (label in marked and not mask.any()))
        for label, mask in zip(labels, masks, strict=True)
    }
