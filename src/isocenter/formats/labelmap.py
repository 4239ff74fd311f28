"""Images and label maps of the formats that hold one array: values to units, values to labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.array_file import ArrayFile
from isocenter.imaging.facts import facts_of_array
from isocenter.imaging.intensity import to_float, to_hounsfield
from isocenter.imaging.shapes import MaskShape
from isocenter.model.annotation import Annotation, AnnotationState
from isocenter.model.grid import Grid
from isocenter.model.issue import Severity
from isocenter.model.reasons import because
from isocenter.model.rows import Stack
from isocenter.model.volume import Slice, Volume, axis_of

# A label map with more distinct values than this is an image.
MAX_LABELS = 4096
# No voxel is a thousand kilometres from the patient.
_MAX_MM = 1e9


def volume_of(stack: Stack, file: ArrayFile) -> Volume:
    """A volume from a stored array (K, J, I): CT as int16 HU, others as stored integers or float32.

    Voxels that are no finite numbers are counted, for a rule to judge; in a CT they are masked as padding is.
    """
    stored, slope, intercept = file.stored, file.slope, file.intercept
    if stored.shape != stack.shape:
        raise FormatError("file/changed", "the file is not the one that was indexed")
    is_scaled = (slope, intercept) != (1.0, 0.0)
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    valid = _finite(native)
    issues = tuple(replace(i, target=stack.id) for i in file.doubts)
    if stack.modality == "CT":
        array: NDArray[Any]
        array, saturated = to_hounsfield(native, slope, intercept, valid=valid)
        unit = "HU"
        if saturated:
            facts: dict[str, Any] = {"measured": saturated, "expected": 0, "unit": "voxels"}
            issues = (*issues, because("read/saturated", target=stack.id, **facts))
    elif is_scaled or stored.dtype.kind == "f" or stored.dtype.itemsize > 2:
        array, unit = to_float(native, slope, intercept), "arbitrary"
        _refuse_overflow(array, valid)
    else:
        array, unit = native, "stored"
    array = np.ascontiguousarray(array)
    valid = valid if unit == "HU" else None
    seen = facts_of_array(array, valid)
    if valid is not None:
        seen = replace(seen, n_not_finite=stored[0].size - seen.n_valid)
    distance, first = stack.grid.slice_distance_mm, stack.frames[0] * stored.shape[0]
    return Volume(
        id=stack.id,
        array=array,
        grid=stack.grid,
        unit=unit,
        valid=valid,
        modality=stack.modality,
        slices=tuple(
            Slice(position_mm=n * distance, file=stack.files[0], frame=first + n)
            for n in range(stored.shape[0])
        ),
        attributes=stack.attributes,
        issues=issues,
        provenance={"reader": stack.format},
        facts=seen,
        axis=axis_of(stack),
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


def _finite(array: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where values are finite numbers; None if that is everywhere."""
    # the ends tell: NaN passes through both, infinity is one of them
    if array.dtype.kind != "f" or (np.isfinite(array.min()) and np.isfinite(array.max())):
        return None
    return np.asarray(np.isfinite(array))


def _refuse_overflow(array: NDArray[Any], valid: NDArray[np.bool_] | None) -> None:
    """Refuse values that were finite and are too large for the type they are kept in."""
    now = _finite(array)
    if now is not None and (valid is None or (valid & ~now).any()):
        raise FormatError("read/values", "values that are too large for 32-bit numbers")
