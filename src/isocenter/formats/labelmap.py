"""Images and label maps of the formats that hold one array: values to units, values to labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.imaging.intensity import to_float, to_hounsfield
from isocenter.imaging.shapes import MaskShape
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.issue import Issue, Severity
from isocenter.model.reasons import because
from isocenter.model.rows import Stack
from isocenter.model.volume import Slice, Volume

# A label map with more distinct values than this is an image.
MAX_LABELS = 4096
# No voxel is a thousand kilometres from the patient.
_MAX_MM = 1e9


def volume_of(stack: Stack, stored: NDArray[Any], slope: float, intercept: float) -> Volume:
    """A volume from a stored array (K, J, I): CT as int16 HU, others as stored integers or float32."""
    if stored.shape != stack.shape:
        raise FormatError("file/changed", "the file is not the one that was indexed")
    is_scaled = (slope, intercept) != (1.0, 0.0)
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    _refuse_not_finite(native)
    issues: tuple[Issue, ...] = ()
    if stack.modality == "CT":
        array: NDArray[Any]
        array, saturated = to_hounsfield(native, slope, intercept)
        unit = "HU"
        if saturated:
            issues = (
                because("read/saturated", target=stack.id, measured=saturated, expected=0, unit="voxels"),
            )
    elif is_scaled or stored.dtype.kind == "f" or stored.dtype.itemsize > 2:
        array, unit = to_float(native, slope, intercept), "arbitrary"
        _refuse_not_finite(array)
    else:
        array, unit = native, "stored"
    distance = stack.grid.slice_distance_mm
    return Volume(
        id=stack.id,
        array=np.ascontiguousarray(array),
        grid=stack.grid,
        unit=unit,
        modality=stack.modality,
        slices=tuple(Slice(position_mm=n * distance) for n in range(stored.shape[0])),
        attributes=stack.attributes,
        issues=issues,
        provenance={"reader": stack.format},
    )


def grid_of(stored: NDArray[Any], affine: NDArray[np.float64], code: str) -> Grid:
    """The grid of a label map; one that has no volume cannot be compared with an image's."""
    with np.errstate(all="ignore"):
        volume = abs(float(np.linalg.det(affine[:3, :3])))
    if not (math.isfinite(volume) and volume > 0 and np.abs(affine).max() < _MAX_MM):
        raise FormatError("file/corrupt", "the affine has no volume, or one that nothing has")
    k, j, i = stored.shape
    return Grid((k, j, i), affine, "", code != "none")


def annotations_of(
    stored: NDArray[Any],
    grid: Grid,
    wanted: Mapping[int, str],
    *,
    annotation_id: str,
    rater: str,
    source: str,
) -> tuple[Annotation, ...]:
    """One annotation per wanted value of a label map; float maps must hold whole numbers.

    A map with other values only (255 where 1 is wanted) says nothing of the labels: they are not annotated, and
    the map is to be reviewed, for its values may be meant for them.
    """
    values = label_values(stored)
    unknown = sorted(set(values) - set(wanted) - {0})
    is_foreign = bool(unknown) and not set(values) & set(wanted)
    issues = tuple(
        because(
            "enrol/unmapped-label",
            target=annotation_id,
            measured=value,
            expected=", ".join(map(str, sorted(wanted))),
            severity=Severity.REVIEW if is_foreign else None,
            message="a mask value stands for no label",
        )
        for value in unknown
    )
    missing = AnnotationState.NOT_ANNOTATED if is_foreign else AnnotationState.ABSENT
    out = []
    for number, (value, concept) in enumerate(sorted(wanted.items())):
        is_there = value in values
        out.append(
            Annotation(
                id=annotation_id,
                concept=concept,
                rater=rater,
                state=AnnotationState.MARKED if is_there else missing,
                shape=MaskShape(np.ascontiguousarray(stored == value), grid) if is_there else None,
                grid=grid,
                source=source,
                issues=issues if number == 0 else (),
            )
        )
    return tuple(out)


def label_values(stored: NDArray[Any]) -> list[int]:
    """The distinct values of a label map, sorted; found plane by plane, to sort little at a time."""
    found: set[Any] = set()
    for plane in stored:
        values = (
            _small(plane) if stored.dtype.kind == "u" and stored.dtype.itemsize <= 2 else np.unique(plane)
        )
        if values.dtype.kind == "f" and not (np.isfinite(values).all() and (values == np.rint(values)).all()):
            raise FormatError(
                "read/not-a-label-map", "the values are no whole numbers: an image, not a label map"
            )
        found.update(values.tolist())
        if len(found) > MAX_LABELS:
            raise FormatError(
                "read/not-a-label-map", "too many distinct values for a label map", expected=MAX_LABELS
            )
    return sorted(int(v) for v in found)


def _small(plane: NDArray[Any]) -> NDArray[Any]:
    """Distinct values of up to 16 bits, without sorting."""
    is_there = np.zeros(1 << (8 * plane.dtype.itemsize), dtype=np.bool_)
    is_there[plane.ravel()] = True
    return np.flatnonzero(is_there)


def _refuse_not_finite(array: NDArray[Any]) -> None:
    # the ends tell: NaN passes through both, infinity is one of them
    if array.dtype.kind == "f" and not (np.isfinite(array.min()) and np.isfinite(array.max())):
        raise FormatError("read/values", "voxels that are not finite numbers")
