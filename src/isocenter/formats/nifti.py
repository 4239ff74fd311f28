"""NIfTI headers and voxels, in one file or two, read strictly: every byte there, every number finite."""

from __future__ import annotations

import logging
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from nibabel.nifti1 import Nifti1Header, Nifti1PairHeader
from nibabel.nifti2 import Nifti2Header, Nifti2PairHeader
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.array_file import (
    ArrayFile,
    ArrayHeader,
    array_of,
    rest_in_doubt,
    several_volumes,
    volumes_of_sizes,
)
from isocenter.formats.boundary import opening, parsing
from isocenter.formats.bytes import (
    GZIP,
    MAX_BYTES,
    MAX_PADDING_BYTES,
    check_length,
    limit_for,
    read_all,
    read_head,
    read_part,
    read_rest,
    refuse_size,
)
from isocenter.formats.detached import find_beside, opening_beside
from isocenter.formats.nifti_doubts import doubts_of

_SINGLE_1, _PAIR_1 = b"n+1\0", b"ni1\0"
_SINGLE_2, _PAIR_2 = b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"
# The first field, sizeof_hdr, in either byte order: all there is to know a file by that ends in its header.
_SIZES = {n.to_bytes(4, order) for n in (348, 540) for order in ("little", "big")}
_HEADER_NAME = re.compile(r"(.+)\.(hdr|HDR)(\.gz|\.GZ)?")
# NIfTI-1 xyzt_units: metre, millimetre, micrometre; unknown is taken for mm as every reader does.
_TO_MM = {1: 1000.0, 2: 1.0, 3: 0.001}
# The unit of the fourth axis: second, millisecond, microsecond; others are no time.
_TO_SECONDS = {8: 1.0, 16: 1e-3, 24: 1e-6}
# NIfTI-1 intents of numbers that belong together in one voxel: matrices, vectors, points, colours.
_VECTORS = {*range(1004, 1011), 2003, 2004}
HEAD_BYTES = 1024
_quiet = logging.getLogger(f"{__name__}.nibabel")
_quiet.propagate = False
_quiet.addHandler(logging.NullHandler())


def is_nifti(head: bytes) -> bool:
    """Whether a decompressed file begins with a NIfTI or Analyze header, or with all that is left of one."""
    if len(head) < 348:
        return head[:4] in _SIZES
    return head[344:348] in {_SINGLE_1, _PAIR_1} or head[4:12] in {_SINGLE_2, _PAIR_2} or is_analyze(head)


def is_analyze(head: bytes) -> bool:
    """Whether this is an Analyze 7.5 header: NIfTI-1's size and number of axes, but no magic."""
    for order in ("little", "big"):
        if int.from_bytes(head[:4], order) == 348:
            axes = int.from_bytes(head[40:42], order)
            return 1 <= axes <= 7 and head[344:348] not in {_SINGLE_1, _PAIR_1}
    return False


def read_header(path: Path, expected: Signature | None = None) -> Any:
    """The header of a file as nibabel reads it."""
    return header_of(read_head(path, HEAD_BYTES << 6, expected))


def header_of(head: bytes) -> Any:
    """The header as nibabel reads it, where its own fields hold together."""
    is_second = head[4:12] in {_SINGLE_2, _PAIR_2}
    size = 540 if is_second or int.from_bytes(head[:4], "little") == 540 else 348
    if len(head) < size:
        raise FormatError(
            "file/truncated",
            "the NIfTI header ends early",
            measured=f"{len(head)} bytes",
            expected=f"{size} bytes",
        )
    if not is_second and is_analyze(head):
        raise FormatError("file/unsupported", "an Analyze 7.5 header, which does not tell left from right")
    single, pair = (Nifti2Header, Nifti2PairHeader) if is_second else (Nifti1Header, Nifti1PairHeader)
    kind = pair if is_pair(head) else single
    with parsing("the NIfTI header"):
        header = kind(head[:size], check=False)
        # before the library mends them
        if int(header["sizeof_hdr"]) != size or not 1 <= int(header["dim"][0]) <= 7:
            raise FormatError("file/corrupt", "the NIfTI header's size or number of axes is wrong")
        header.check_fix(logger=_quiet, error_level=40)
    return header


def is_pair(head: bytes) -> bool:
    """Whether a NIfTI header says that its voxels are in another file."""
    return head[344:348] == _PAIR_1 or head[4:12] == _PAIR_2


def shape_of(header: Any) -> tuple[int, int, int]:
    """(K, J, I) of a header, of each volume if there are several; trailing axes of length one are dropped."""
    return _shape_and_volumes(header)[0]


def volumes_in(header: Any) -> int:
    """How many volumes follow each other; a fifth axis, or vectors along the fourth, are refused."""
    return _shape_and_volumes(header)[1]


def _shape_and_volumes(header: Any) -> tuple[tuple[int, int, int], int]:
    dims = [int(n) for n in header["dim"]]
    shape, volumes = volumes_of_sizes(dims[1 : dims[0] + 1])
    if volumes > 1 and int(header["intent_code"]) in _VECTORS:
        raise FormatError("file/several-volumes", "several values in one voxel", measured=volumes, expected=1)
    return shape, volumes


def times_of(header: Any) -> tuple[float, ...]:
    """Time of each volume in seconds, by toffset, pixdim[4] and its unit; () where the header says of no time."""
    scale, step = _TO_SECONDS.get(int(header["xyzt_units"]) & 0x38), float(header["pixdim"][4])
    first, volumes = float(header["toffset"]), volumes_in(header)
    if volumes == 1 or scale is None or not (math.isfinite(step) and math.isfinite(first) and step > 0):
        return ()
    return tuple(round((first + n * step) * scale, 6) for n in range(volumes))


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


def scan_header(path: Path) -> ArrayHeader:
    """What the header of a file says; the voxels are checked for their length here if they are not compressed."""
    header = read_header(path)
    shape, dtype = shape_of(header), dtype_of(header)
    affine, code, conflict = affine_of(header)
    out = ArrayHeader(
        format="nifti",
        shape=shape,
        dtype=dtype,
        affine=affine,
        orientation_code=code,
        affine_conflict_mm=conflict,
        data_name=_data_name(header, path),
        volumes=volumes_in(header),
        times_s=times_of(header),
    )
    with opening_beside(path, out.data_name) if out.data_name else opening(path) as file:
        is_compressed = _is_gzip(out.data_name) if out.data_name else file.read(2) == GZIP
        size = file.seek(0, 2)
    needed = _needed(header)
    refuse_size(needed, limit_for(size) if is_compressed else MAX_BYTES)
    if not is_compressed:
        check_length(size, needed)
    return out


def dtype_of(header: Any) -> np.dtype[Any]:
    """Type of the stored voxels; colours and complex numbers are refused."""
    dtype: np.dtype[Any] = np.dtype(header.get_data_dtype())
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        kind = "complex" if dtype.kind == "c" else "colours, or numbers of more than 64 bits"
        raise FormatError("file/unsupported", f"voxels that are not real numbers: {kind}")
    return dtype


def read_array(path: Path, expected: Signature | None = None) -> tuple[NDArray[Any], float, float, Any]:
    """Stored voxels (K, J, I), the slope and intercept that bring them to their values, and the header."""
    header = read_header(path, expected)
    if volumes_in(header) > 1:
        raise several_volumes(4)
    slope, intercept = _scaling(header)
    data, _ = _read_voxels(path, header, expected)
    array = array_of(data, shape_of(header), dtype_of(header), int(header["vox_offset"]))
    return array, slope, intercept, header


def read_image(path: Path, expected: Signature | None = None, *, volume: int = 0) -> ArrayFile:
    """The voxels of one volume, their scaling, and what the header leaves open; of the expected file, where one is."""
    head = read_head(path, HEAD_BYTES << 6, expected)
    header = header_of(head)
    slope, intercept = _scaling(header)
    affine, code, conflict_mm = affine_of(header)
    doubts = doubts_of(head, header, affine, code, conflict_mm)
    shape, count = _shape_and_volumes(header)
    if volume >= count:
        raise FormatError("file/changed", "the file is not the one that was indexed")
    if count == 1:
        data, end = _read_voxels(path, header, expected)
        stored = array_of(data, shape, dtype_of(header), int(header["vox_offset"]))
        rest = rest_in_doubt(data, end)
    else:
        data, behind = _read_volume(path, header, volume, expected)
        stored, rest = array_of(data, shape, dtype_of(header)), rest_in_doubt(bytearray(behind), 0)
    return ArrayFile(stored=stored, slope=slope, intercept=intercept, doubts=(*doubts, *rest))


def _read_voxels(path: Path, header: Any, expected: Signature | None) -> tuple[bytearray, int]:
    """The file that holds the voxels, and where the last of them ends in it."""
    needed, name = _needed(header), _data_name(header, path)
    refuse_size(needed, MAX_BYTES)
    if name:
        with opening_beside(path, name, expected) as file:
            return read_rest(file, needed, encoding="gzip" if _is_gzip(name) else "raw"), needed
    data = read_all(path, expected, limit=needed + MAX_PADDING_BYTES)
    check_length(len(data), needed)
    return data, needed


def _read_volume(path: Path, header: Any, volume: int, expected: Signature | None) -> tuple[bytearray, bytes]:
    """The voxels of one volume of several, and what lies behind the last volume."""
    needed, name = _needed(header), _data_name(header, path)
    refuse_size(needed, MAX_BYTES)
    count = math.prod(shape_of(header)) * dtype_of(header).itemsize
    start = int(header["vox_offset"]) + volume * count
    with opening_beside(path, name, expected) if name else opening(path, expected) as file:
        is_gzip = _is_gzip(name) if name else file.read(2) == GZIP
        file.seek(0)
        return read_part(file, start, count, needed, is_gzip=is_gzip)


def _data_name(header: Any, path: Path) -> str:
    """Name of the file beside a header that holds its voxels; "" where the header is in front of them.

    NIfTI-1 gives both files one name, with .hdr and .img at its end.
    """
    if bytes(header["magic"]).rstrip(b"\0")[:3] not in {b"ni1", b"ni2"}:
        return ""
    named = _HEADER_NAME.fullmatch(path.name)
    stem, is_upper = (named[1], named[2] == "HDR") if named else (path.stem, False)
    return find_beside(path, [stem + e for e in ((".IMG", ".IMG.GZ") if is_upper else (".img", ".img.gz"))])


def _is_gzip(name: str) -> bool:
    return name.lower().endswith(".gz")


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
    is_alone = bytes(header["magic"])[:2] == b"n+"
    least = 0 if not is_alone else 544 if int(header["sizeof_hdr"]) == 540 else 352
    if not math.isfinite(offset) or offset < least or offset != int(offset):
        raise FormatError("file/corrupt", "the voxels begin in the header or nowhere")
    shape, volumes = _shape_and_volumes(header)
    return int(offset) + math.prod(shape) * volumes * dtype_of(header).itemsize
