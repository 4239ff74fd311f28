"""NRRD label maps, and 3D Slicer segmentations in one layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.labelmap import annotations_of, grid_of, label_values
from isocenter.formats.nrrd_file import affine_of, read_array, segment_names
from isocenter.model.annotation import Annotation


def names(path: Path) -> dict[int, str]:
    """The values above 0, with their segment's name where the file has one."""
    with parsing("the NRRD file"):
        stored, header = read_array(path)
        known = segment_names(header)
        return {v: known.get(v, str(v)) for v in sorted({*label_values(stored), *known}) if v > 0}


def read(
    path: Path,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    expected: Signature | None = None,
) -> tuple[Annotation, ...]:
    """One annotation per wanted value."""
    with parsing("the NRRD file"):
        stored, header = read_array(path, expected)
        grid = grid_of(stored, *affine_of(header))
        return annotations_of(stored, grid, wanted, annotation_id=annotation_id, rater=rater, source="nrrd")
