"""NIfTI label maps."""

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
from isocenter.formats.nifti import affine_of, read_array
from isocenter.model.annotation import Annotation, Part
from isocenter.model.grid import Grid

SHAPES = ("mask",)


def names(path: Path) -> dict[int, str]:
    """The values above 0; a NIfTI file has no names for them."""
    with parsing("the NIfTI file"):
        stored, _ = _read(path)
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
    with parsing("the NIfTI file"):
        stored, grid = _read(path, expected)
        return annotations_of(stored, grid, wanted, annotation_id=annotation_id, rater=rater, source="nifti")


def _read(path: Path, expected: Signature | None = None) -> tuple[NDArray[Any], Grid]:
    stored, slope, intercept, header = read_array(path, expected)
    affine, code, _ = affine_of(header)
    if (slope, intercept) != (1.0, 0.0):
        stored = stored * np.float64(slope) + intercept
        if not (stored == np.rint(stored)).all():
            raise FormatError("read/not-a-label-map", "the scaled values are no whole numbers")
    return stored, grid_of(stored, affine, code)
