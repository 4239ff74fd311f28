"""NIfTI headers and voxels, read strictly: every byte there, every number finite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.files import open_regular
from isocenter.formats.bytes import GZIP, read_all
from isocenter.model.rows import Instance

_MAGIC_1 = {b"n+1\0", b"ni1\0"}
_MAGIC_2 = {b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"}
# NIfTI-1 xyzt_units: metre, millimetre, micrometre; unknown is taken for mm as every reader does.
_TO_MM = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}


def is_nifti(head: bytes) -> bool:
    """Whether a decompressed file begins with a NIfTI header."""
    return head[344:348] in _MAGIC_1 or head[4:12] in _MAGIC_2


def header_of(head: bytes) -> Any:
    """The header as nibabel reads it."""
    kind = nib.Nifti2Header if head[4:12] in _MAGIC_2 else nib.Nifti1Header
    size = 540 if kind is nib.Nifti2Header else 348
    if b"ni1\0" in head[344:348] or b"ni2\0" in head[4:8]:
        raise FormatError("file/unsupported", "a NIfTI header whose voxels are in another file")
    try:
        header = kind(head[:size], check=True)
    except Exception as error:  # noqa: BLE001 - the one boundary that maps a parser's exceptions
        raise FormatError("file/corrupt", f"the NIfTI header is broken ({type(error).__name__})") from None
    return header


def shape_of(header: Any) -> tuple[int, int, int]:
    """(K, J, I) of a header; trailing axes of length one are dropped, several volumes are refused."""
    shape = list(header.get_data_shape())
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) > 3:
        raise FormatError(
            "file/several-volumes", "several volumes in one file", measured=len(shape), expected=3
        )
    shape += [1] * (3 - len(shape))
    if min(shape) < 1 or not shape:
        raise FormatError("file/corrupt", "an axis has no length")
    i, j, k = (int(n) for n in shape)
    return k, j, i


def affine_of(header: Any) -> tuple[NDArray[np.float64], str, float]:
    """RAS affine in mm, where it is from ("sform", "qform", "none"), and how far the two disagree (mm).

    NIfTI-1 says: sform if its code is above 0, else qform, else voxel sizes without orientation.
    """
    scale = _TO_MM.get(header.get_xyzt_units()[0], 1.0)
    s, s_code = header.get_sform(coded=True)
    q, q_code = _qform(header)
    conflict = 0.0
    if s_code > 0 and q_code > 0:
        k, j, i = shape_of(header)
        corners = np.array([(a, b, c, 1) for c in (0, k - 1) for b in (0, j - 1) for a in (0, i - 1)])
        conflict = float(np.abs((corners @ (s - q).T)[:, :3]).max()) * scale
    affine, code = (
        (s, "sform") if s_code > 0 else (q, "qform") if q_code > 0 else (header.get_base_affine(), "none")
    )
    affine = np.array(affine, dtype=np.float64)
    affine[:3] *= scale
    return affine, code, conflict


def _qform(header: Any) -> tuple[Any, int]:
    try:
        q, code = header.get_qform(coded=True)
    except Exception:  # noqa: BLE001 - a quaternion that is no rotation
        return None, 0
    return (q, code) if q is not None else (None, 0)


def instance_of(header: Any, path: Path, file_id: str, source: int, site: str) -> Instance:
    """The row of one NIfTI file; an uncompressed one is checked for its length here."""
    shape = shape_of(header)
    affine, code, conflict = affine_of(header)
    dtype = dtype_of(header)
    with open_regular(path) as file:
        is_compressed = file.read(2) == GZIP
    if not is_compressed:
        _check_length(header, path.lstat().st_size)
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


def read_array(path: Path) -> tuple[NDArray[Any], float, float]:
    """Stored voxels (K, J, I) with the slope and intercept that bring them to their values."""
    data = read_all(path)
    header = header_of(bytes(data[:1024]))
    shape, dtype = shape_of(header), dtype_of(header)
    _check_length(header, len(data))
    offset = int(header["vox_offset"])
    array = np.frombuffer(data, dtype=dtype, count=int(np.prod(shape)), offset=offset).reshape(shape)
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or (np.isnan(slope) and np.isnan(intercept)):
        return array, 1.0, 0.0
    if not np.isfinite(slope) or not np.isfinite(intercept):
        raise FormatError("read/values", "the scaling is not finite")
    return array, slope, intercept


def _check_length(header: Any, size: int) -> None:
    offset = float(header["vox_offset"])
    if not np.isfinite(offset) or offset < 0:
        raise FormatError("file/corrupt", "the voxels begin nowhere")
    needed = int(offset) + int(np.prod(shape_of(header), dtype=np.int64)) * dtype_of(header).itemsize
    if size < needed:
        raise FormatError(
            "file/truncated", "the voxels end early", measured=f"{size} bytes", expected=f"{needed} bytes"
        )
