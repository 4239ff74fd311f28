"""Extents: what of an image a rater looked at, on the grid of the case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging.affine import Reorder
from isocenter.imaging.labels import resample_labels
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.rows import PlannedAnnotation
from isocenter.model.volume import Volume
from isocenter.stages.build.shapes import filled

Mask = NDArray[np.bool_]

COVERS = ("image", "slices", "marks")
"""What a rater looked at: all of the image, the slices with a mark, or nothing but what is marked."""


@dataclass(frozen=True, slots=True, eq=False)
class Extents:
    """Parts of one image on the grid of its case.

    Args:
        volume: The image as it was read.
        grid: The grid of the case.
        reorder: What takes arrays from the one to the other, if nothing has to be resampled.
    """

    volume: Volume
    grid: Grid
    reorder: Reorder | None

    @property
    def nothing(self) -> Mask:
        """No voxel (K, J, I) of the case."""
        return np.zeros(self.grid.shape, dtype=np.bool_)

    def number_of(self, name: str) -> int | None:
        """Number of a slice of the image by its name; None where none is named.

        Raises:
            FormatError: the image has no such slice.
        """
        if not name:
            return None
        for number, one in enumerate(self.volume.slices):
            if one.instance == name:
                return number
        raise FormatError("read/other-grid", "an annotation is on a slice that its image has not")

    def packed_number_of(self, name: str) -> int | None:
        """The slice of the case that a slice of the image became; None where slices are not those of the case."""
        number = self.number_of(name)
        rows, columns = self.volume.grid.shape[1:]
        middle = np.array([[(columns - 1) / 2, (rows - 1) / 2, float(number or 0)]])
        ends = np.array([[0.0, 0.0, float(number or 0)], [columns - 1.0, rows - 1.0, float(number or 0)]])
        placed = [self.grid.to_voxel(self.volume.grid.to_world(p))[:, 2] for p in (middle, ends)]
        packed = int(np.floor(placed[0][0] + 0.5))
        is_in_plane = bool((np.abs(placed[1] - placed[0]) < 0.5).all())
        return packed if is_in_plane and 0 <= packed < self.grid.shape[0] else None

    def of_slices(self, names: Iterable[str], *, is_some: bool = False) -> Mask | None:
        """Voxels (K, J, I) of the case on named slices; None where none is named, unless `is_some`."""
        numbers = [n for name in names if (n := self.number_of(name)) is not None]
        if not numbers and not is_some:
            return None
        native = np.zeros(self.volume.grid.shape, dtype=np.bool_)
        native[numbers] = True
        return self.carried(native)

    def of_boxes(self, boxes: Sequence[tuple[float, ...]]) -> Mask:
        """Voxels (K, J, I) of the slices of the case that boxes in millimetres reach over."""
        inside = filled(list(boxes), self.grid)
        inside[inside.any(axis=(1, 2))] = True
        return inside

    def of_drawings(
        self, drawn: Sequence[Annotation], plan: PlannedAnnotation, slices: Iterable[str] = ()
    ) -> dict[str, Mask | None]:
        """What was looked at for each label of one file, None for all of the image.

        Args:
            drawn: Its annotations.
            plan: What is known of the file.
            slices: The slices that single annotations are on.
        """
        if plan.covers == "marks":
            return {a.concept: self.nothing for a in drawn}
        named = self.of_slices((*slices, *plan.searched_slices))
        if named is not None:
            return {a.concept: named for a in drawn}
        if plan.covers == "image":
            return self._stated(drawn)
        native = np.zeros(self.volume.grid.shape, dtype=np.bool_)
        for annotation in drawn:
            native |= annotation.mask(self.volume.grid)
        native[native.any(axis=(1, 2))] = True
        looked = self.carried(native)
        return {a.concept: looked for a in drawn}

    def _stated(self, drawn: Sequence[Annotation]) -> dict[str, Mask | None]:
        """What the annotations say themselves; parts of one label add up."""
        out: dict[str, Mask | None] = {}
        for annotation in drawn:
            looked = None
            if annotation.state is AnnotationState.PARTIAL:
                extent = annotation.extent
                looked = self.nothing if extent is None else self.carried(extent.mask(self.volume.grid))
            before = out.get(annotation.concept, looked)
            out[annotation.concept] = None if looked is None or before is None else before | looked
        return out

    def carried(self, native: Mask) -> Mask:
        """Voxels of the image as voxels of the case; where these are others, each as the nearest."""
        if self.reorder is not None:
            return np.ascontiguousarray(self.reorder.apply(native))
        moved = resample_labels(native.view(np.uint8), self.volume.grid, self.grid, kernel="nearest")
        return np.asarray(moved).astype(np.bool_)
