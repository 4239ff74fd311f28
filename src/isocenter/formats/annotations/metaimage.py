"""MetaImage label maps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.labelmap import annotations_of, grid_of, label_values
from isocenter.formats.metaimage_file import read_array
from isocenter.model.annotation import Annotation, Part

SHAPES = ("mask",)


def names(path: Path) -> dict[int, str]:
    """The values above 0; a MetaImage file has no names for them."""
    with parsing("the MetaImage file"):
        stored, _ = read_array(path)
        return {v: str(v) for v in label_values(stored) if v > 0}


def parts(path: Path) -> tuple[Part, ...]:
    """The values above 0."""
    return tuple(Part(key=key, name=name) for key, name in names(path).items())


def read(
    path: Path,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    expected: Signature | None = None,
) -> tuple[Annotation, ...]:
    """One annotation per wanted value."""
    with parsing("the MetaImage file"):
        stored, header = read_array(path, expected)
        grid = grid_of(stored, header.affine, header.orientation_code)
        return annotations_of(
            stored, grid, wanted, annotation_id=annotation_id, rater=rater, source="metaimage"
        )
