"""NRRD label maps, and segmentations of 3D Slicer (.seg.nrrd) in any number of layers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.labelmap import annotations_of, grid_of, label_values
from isocenter.formats.nrrd_file import affine_of, read_array, read_header, read_layers
from isocenter.formats.seg_nrrd import Segment, is_segmentation, segments_of, source_of, without_layers
from isocenter.imaging.shapes import MaskShape
from isocenter.model.annotation import Annotation, AnnotationState, Part
from isocenter.model.issue import Issue
from isocenter.model.reasons import because

SHAPES = ("mask",)


def names(path: Path) -> dict[int, str]:
    """The segments with their names, or the values above 0 of a label map, which has no names for them."""
    return {part.key: part.name for part in parts(path)}


def parts(path: Path) -> tuple[Part, ...]:
    """The segments with their names and codes, or the values above 0 of a label map."""
    with parsing("the NRRD file"):
        header = read_header(path)[0]
        if is_segmentation(header):
            return tuple(s.part for s in segments_of(header, without_layers(header)[1]))
        return tuple(Part(key=v, name=str(v)) for v in label_values(read_array(path)[0]) if v > 0)


def read(
    path: Path,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    expected: Signature | None = None,
) -> tuple[Annotation, ...]:
    """One annotation per wanted segment, or value of a label map; segments may overlap."""
    with parsing("the NRRD file"):
        if is_segmentation(read_header(path, expected=expected)[0]):
            return _segments(path, wanted, annotation_id, rater, expected)
        stored, header = read_array(path, expected)
        grid = grid_of(stored, *affine_of(header))
        return annotations_of(stored, grid, wanted, annotation_id=annotation_id, rater=rater, source="nrrd")


def _segments(
    path: Path, wanted: Mapping[int, str], annotation_id: str, rater: str, expected: Signature | None
) -> tuple[Annotation, ...]:
    layers, header = read_layers(path, expected)
    source, known = source_of(header), segments_of(header, len(layers))
    if "fractional" in source:
        raise FormatError("file/unsupported", "a fractional segmentation of 3D Slicer")
    grid = grid_of(layers[0], *affine_of(header))
    out: list[Annotation] = []
    for segment in known:
        if segment.part.key not in wanted:
            continue
        # the voxels count: the Extent of a segment has been wrong in some versions
        mask = np.ascontiguousarray(layers[segment.layer] == segment.value)
        is_marked = bool(mask.any())
        out.append(
            Annotation(
                id=annotation_id,
                concept=wanted[segment.part.key],
                rater=rater,
                state=AnnotationState.MARKED if is_marked else AnnotationState.ABSENT,
                shape=MaskShape(mask, grid, is_part=True) if is_marked else None,
                grid=grid,
                source="nrrd",
                issues=() if out else _issues(layers, known, source, annotation_id),
            )
        )
    return tuple(out)


def _issues(
    layers: NDArray[Any], known: tuple[Segment, ...], source: str, annotation_id: str
) -> tuple[Issue, ...]:
    """Values that are no segment, and voxels that were made from a surface."""
    named = {(s.layer, s.value) for s in known} | {(n, 0) for n in range(len(layers))}
    loose = [(n, v) for n, layer in enumerate(layers) for v in label_values(layer) if (n, v) not in named]
    out = [
        because(
            "enrol/unmapped-label",
            target=annotation_id,
            measured=f"{value} in layer {layer}",
            message="voxels belong to no segment",
        )
        for layer, value in loose
    ]
    if source == "closed surface":
        out.append(because("read/derived-voxels", target=annotation_id, measured=source))
    return tuple(out)
