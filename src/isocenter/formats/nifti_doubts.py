"""What a NIfTI header leaves open, or says twice in two ways, and how it was read: nothing of it is passed over."""

from __future__ import annotations

from typing import Any

import numpy as np
from nibabel.orientations import aff2axcodes
from numpy.typing import NDArray

from isocenter.formats.array_file import axes_in_doubt
from isocenter.model.issue import Issue, Severity
from isocenter.model.reasons import because

# Two numbers of a header that were meant to be equal, and were rounded.
_ROUNDING = 0.01
# Part of a voxel by which the two affines of one header may differ.
_TENTH = 0.1
_LABELS = 1002
_LENGTHS = {1: "metres", 3: "micrometres"}
_MILLIMETRES = 2


def doubts_of(
    head: bytes, header: Any, affine: NDArray[np.float64], code: str, conflict_mm: float
) -> tuple[Issue, ...]:
    """Issues of a header.

    Args:
        head: The bytes of the header, before the library mended them.
        header: The header as the library reads it.
        affine: RAS affine in mm, as it is used.
        code: Where it is from: "sform", "qform" or "none".
        conflict_mm: How far the two affines disagree.
    """
    raw = type(header)(head[: int(header["sizeof_hdr"])], check=False)
    count = int(header["dim"][0])
    with np.errstate(all="ignore"):  # a number may be any
        return (
            *axes_in_doubt(header["dim"][1 : count + 1]),
            *_axes(raw),
            *_type(raw, header),
            *_unit(raw),
            *_sizes(raw, affine, code),
            *_affines(header, affine, conflict_mm),
            *_intent(raw),
        )


def _axes(raw: Any) -> list[Issue]:
    """Sizes of axes that the number of axes does not count."""
    dims = [int(n) for n in raw["dim"]]
    uncounted = [n for n in dims[dims[0] + 1 :] if n > 1]
    if not uncounted:
        return []
    message = "the header gives lengths of more axes than it says there are"
    return [
        because("read/uncounted-axes", message=message, measured=dims[0] + len(uncounted), expected=dims[0])
    ]


def _type(raw: Any, header: Any) -> list[Issue]:
    bits = 8 * np.dtype(header.get_data_dtype()).itemsize
    if int(raw["bitpix"]) == bits:
        return []
    return [because("read/voxel-type", measured=int(raw["bitpix"]), expected=bits, unit="bits")]


def _unit(raw: Any) -> list[Issue]:
    unit = int(raw["xyzt_units"]) & 7
    if unit == _MILLIMETRES:
        return []
    if unit in _LENGTHS:
        return [because("read/unit-converted", measured=_LENGTHS[unit], expected="millimetres")]
    return [because("read/unit-assumed", measured="no unit", expected="millimetres")]


def _sizes(raw: Any, affine: NDArray[np.float64], code: str) -> list[Issue]:
    """The voxel sizes of pixdim beside those of the affine, and the sign that decides on the side of a qform."""
    out: list[Issue] = []
    unit = {1: 1000.0, 3: 0.001}.get(int(raw["xyzt_units"]) & 7, 1.0)
    axes = [n for n in range(3) if n < int(raw["dim"][0]) and int(raw["dim"][n + 1]) > 1]
    stated = np.array(raw["pixdim"], dtype=np.float64)
    sizes, used = stated[1:4][axes] * unit, np.linalg.norm(affine[:3, :3], axis=0)[axes]
    told: dict[str, Any] = {"measured": _text(sizes), "expected": _text(used), "unit": "mm"}
    if not (np.isfinite(sizes).all() and (sizes > 0).all()):
        out.append(
            because("read/voxel-sizes", message="pixdim holds a voxel size that is not above 0", **told)
        )
    elif not np.allclose(sizes, used, rtol=_ROUNDING, atol=0):
        out.append(because("read/voxel-sizes", **told))
    if code == "qform" and stated[0] not in {-1.0, 1.0}:
        message = "qfac, which tells a qform from its mirror image, is neither 1 nor -1; it is taken for 1"
        severity = Severity.NOTE if stated[0] == 0 else Severity.REVIEW  # NIfTI-1: 0 stands for 1
        out.append(because("read/voxel-sizes", message=message, severity=severity, measured=f"{stated[0]:g}"))
    return out


def _affines(header: Any, affine: NDArray[np.float64], conflict_mm: float) -> list[Issue]:
    """Both affines, where they place the image differently; a mirror image is known by its determinant."""
    if int(header["sform_code"]) <= 0 or int(header["qform_code"]) <= 0:
        return []
    try:
        qform = np.array(header.get_qform(), dtype=np.float64)
    except Exception:  # noqa: BLE001 - a quaternion that is no rotation
        qform = np.full((4, 4), np.nan)
    if not np.isfinite(qform).all():
        return [because("read/two-affines", message="the qform is no rotation; the sform is used")]
    voxel = float(np.linalg.norm(affine[:3, :3], axis=0).min())
    if conflict_mm <= _TENTH * voxel:
        return []
    told: dict[str, Any] = {"measured": f"qform {_codes(qform)}", "expected": f"sform {_codes(affine)}"}
    if np.linalg.det(qform[:3, :3]) * np.linalg.det(affine[:3, :3]) < 0:
        message = "the qform is a mirror image of the sform, which is used: left and right are in doubt"
        return [because("read/two-affines", message=message, **told)]
    return [because("read/two-affines", **told)]


def _intent(raw: Any) -> list[Issue]:
    return [because("read/label-intent")] if int(raw["intent_code"]) == _LABELS else []


def _codes(affine: NDArray[np.float64]) -> str:
    with np.errstate(all="ignore"):
        return "".join(code or "?" for code in aff2axcodes(affine))


def _text(sizes: NDArray[np.float64]) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes)
