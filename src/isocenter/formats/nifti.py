"""NIfTI headers and voxels, read strictly: every byte there, every number finite."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import opening, parsing
from isocenter.formats.bytes import (
    GZIP,
    MAX_BYTES,
    MAX_PADDING_BYTES,
    check_length,
    limit_for,
    read_all,
    read_head,
    refuse_size,
)
from isocenter.model.rows import Instance

_MAGIC_1 = {b"n+1\0", b"ni1\0"}
_MAGIC_2 = {b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"}
# The first field, sizeof_hdr, in either byte order: all there is to know a file by that ends in its header.
_SIZES = {n.to_bytes(4, order) for n in (348, 540) for order in ("little", "big")}
# NIfTI-1 xyzt_units: metre, millimetre, micrometre; unknown is taken for mm as every reader does.
_TO_MM = {1: 1000.0, 2: 1.0, 3: 0.001}
HEAD_BYTES = 1024
_quiet = logging.getLogger(f"{__name__}.nibabel")
_quiet.propagate = False
_quiet.addHandler(logging.NullHandler())


def is_nifti(head: bytes) -> bool:
    """Whether a decompressed file begins with a NIfTI header, or with all that is left of one."""
    if len(head) < 348:
        return head[:4] in _SIZES
    return head[344:348] in _MAGIC_1 or head[4:12] in _MAGIC_2


def read_header(path: Path) -> Any:
    """The header of a file as nibabel reads it."""
    return header_of(read_head(path, HEAD_BYTES << 6))


def header_of(head: bytes) -> Any:
    """The header as nibabel reads it, where its own fields hold together."""
    is_second = head[4:12] in _MAGIC_2
    size = 540 if is_second or int.from_bytes(head[:4], "little") == 540 else 348
    if len(head) < size:
        raise FormatError(
            "file/truncated",
            "the NIfTI header ends early",
            measured=f"{len(head)} bytes",
            expected=f"{size} bytes",
        )
    if b"ni1\0" in head[344:348] or b"ni2\0" in head[4:8]:
        raise FormatError("file/unsupported", "a NIfTI header whose voxels are in another file")
    kind = nib.Nifti2Header if is_second else nib.Nifti1Header
    with parsing("the NIfTI header"):
        header = kind(head[:size], check=False)
        # before the library mends them
        if int(header["sizeof_hdr"]) != size or not 1 <= int(header["dim"][0]) <= 7:
            raise FormatError("file/corrupt", "the NIfTI header's size or number of axes is wrong")
        header.check_fix(logger=_quiet, error_level=40)
    return header


def shape_of(header: Any) -> tuple[int, int, int]:
    """(K, J, I) of a header; trailing axes of length one are dropped, several volumes are refused."""
    dims = [int(n) for n in header["dim"]]
    shape = dims[1 : dims[0] + 1]
    if min(shape) < 1:
        raise FormatError("file/corrupt", "an axis has no length", measured=min(shape), expected="at least 1")
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) > 3:
        raise FormatError(
            "file/several-volumes", "several volumes in one file", measured=len(shape), expected=3
        )
    shape += [1] * (3 - len(shape))
    i, j, k = shape
    return k, j, i


def affine_of(header: Any) -> tuple[NDArray[np.float64], str, float]:
    """RAS affine in mm, where it is from ("sform", "qform", "none"), and how far the two disagree (mm).

    NIfTI-1 says: sform if its code is above 0, else qform, else voxel sizes without orientation.

    Raises:
        FormatError: a number of the one that is used is not finite, or its quaternion is no rotation.
    """
    scale = _TO_MM.get(int(header["xyzt_units"]) & 7, 1.0)
    s_code, q_code = int(header["sform_code"]), int(header["qform_code"])
    with np.errstate(all="ignore"):
        s = np.array(header.get_sform(), dtype=np.float64) if s_code > 0 else None
        q = _qform(header) if q_code > 0 else None
        if s is None and q_code > 0 and q is None:
            raise FormatError("file/corrupt", "the quaternion is no rotation")
        base = np.array(header.get_base_affine(), dtype=np.float64)
    affine, code = (s, "sform") if s is not None else (q, "qform") if q is not None else (base, "none")
    if not np.isfinite(affine).all():
        raise FormatError("file/corrupt", "the affine holds numbers that are not finite")
    affine = affine.copy()
    affine[:3] *= scale
    return affine, code, 0.0 if s is None or q is None else _distance(s, q, shape_of(header)) * scale


def _distance(s: NDArray[np.float64], q: NDArray[np.float64], shape: tuple[int, int, int]) -> float:
    """The largest difference of a corner's coordinate."""
    k, j, i = shape
    corners = np.array([(a, b, c, 1) for c in (0, k - 1) for b in (0, j - 1) for a in (0, i - 1)])
    return float(np.abs((corners @ (s - q).T)[:, :3]).max())


def _qform(header: Any) -> NDArray[np.float64] | None:
    try:
        q = np.array(header.get_qform(), dtype=np.float64)
    except Exception:  # noqa: BLE001 - a quaternion that is no rotation
        return None
    return q if np.isfinite(q).all() else None


def instance_of(header: Any, path: Path, file_id: str, source: int, site: str) -> Instance:
    """The row of one NIfTI file; an uncompressed one is checked for its length here."""
    shape = shape_of(header)
    affine, code, conflict = affine_of(header)
    dtype = dtype_of(header)
    with opening(path) as file:
        is_compressed = file.read(2) == GZIP
        size = file.seek(0, 2)
    refuse_size(_needed(header), limit_for(size) if is_compressed else MAX_BYTES)
    if not is_compressed:
        check_length(size, _needed(header))
    return Instance(
        file_id=file_id,
        source=source,
        site=site,
        format="nifti",
        rows=shape[1],
        columns=shape[2],
        bits_allocated=dtype.itemsize * 8,
        shape=shape,
        affine=tuple(float(v) for v in affine.ravel()),
        orientation_code=code,
        affine_conflict_mm=conflict,
        dtype=dtype.name,
    )


def dtype_of(header: Any) -> np.dtype[Any]:
    """Type of the stored voxels; colours and complex numbers are refused."""
    dtype: np.dtype[Any] = np.dtype(header.get_data_dtype())
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise FormatError("file/unsupported", "voxels that are not real numbers")
    return dtype


def read_array(path: Path) -> tuple[NDArray[Any], float, float, Any]:
    """Stored voxels (K, J, I), the slope and intercept that bring them to their values, and the header."""
    header = read_header(path)
    shape, dtype, needed = shape_of(header), dtype_of(header), _needed(header)
    slope, intercept = _scaling(header)
    refuse_size(needed, MAX_BYTES)
    data = read_all(path, limit=needed + MAX_PADDING_BYTES)
    check_length(len(data), needed)
    offset = int(header["vox_offset"])
    array = np.frombuffer(data, dtype=dtype, count=math.prod(shape), offset=offset).reshape(shape)
    return np.require(array, requirements="A"), slope, intercept, header


def _scaling(header: Any) -> tuple[float, float]:
    """Slope and intercept; NIfTI-1 says that a slope of 0 means none."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0:
        return 1.0, 0.0
    if not math.isfinite(slope) or not math.isfinite(intercept):
        raise FormatError("read/values", "the scaling is not finite")
    return slope, intercept


def _needed(header: Any) -> int:
    """Bytes of the file up to its last voxel; counted without overflow."""
    offset = float(header["vox_offset"])
    least = 544 if int(header["sizeof_hdr"]) == 540 else 352
    if not math.isfinite(offset) or offset < least or offset != int(offset):
        raise FormatError("file/corrupt", "the voxels begin in the header or nowhere")
    return int(offset) + math.prod(shape_of(header)) * dtype_of(header).itemsize
