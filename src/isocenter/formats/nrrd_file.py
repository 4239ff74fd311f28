"""NRRD headers and voxels of files that hold both (a header may name no other file)."""

from __future__ import annotations

import math
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import opening, parsing
from isocenter.formats.bytes import (
    MAX_BYTES,
    MAX_PADDING_BYTES,
    check_length,
    inflate,
    read_all,
    refuse_size,
)
from isocenter.model.rows import Instance

MAX_HEADER_BYTES = 1 << 20
_DETACHED = {"data file", "datafile"}
_SKIPS = ("line skip", "lineskip", "byte skip", "byteskip")
_PLACES = {"domain", "space", "none", "???"}
_GZIP = {"gzip", "gz"}
# NRRD "space" -> factors that turn x, y, z into RAS.
_SPACES = {
    "right-anterior-superior": (1, 1, 1),
    "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
    "lps": (-1, -1, 1),
}
# NRRD "space units" -> millimetres.
_TO_MM = {"": 1.0, "mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "micron": 0.001}
_SEGMENT = re.compile(r"Segment(\d{1,6})_(Name|LabelValue|Layer)")
_NUMBER = re.compile(r"[0-9]{1,9}")


def read_head(path: Path) -> tuple[dict[str, Any], int, int]:
    """The header fields of a file, where its voxels begin, and its size."""
    with opening(path) as file:
        data = file.read(MAX_HEADER_BYTES)
        size = file.seek(0, 2)
    return *read_header(data), size


def read_header(data: bytes | bytearray | memoryview) -> tuple[dict[str, Any], int]:
    """The header fields, and where the voxels begin."""
    head = bytes(data[:MAX_HEADER_BYTES])
    stream = BytesIO(head)
    with parsing("the NRRD header"):
        header = dict(nrrd.read_header(stream))
    end = stream.tell()
    if not head[:end].endswith((b"\n\n", b"\n\r\n")):
        raise FormatError("file/corrupt", "the NRRD header has no end")
    if _DETACHED & {k.lower() for k in header}:
        raise FormatError("file/unsupported", "an NRRD header whose voxels are in another file")
    if any(str(header.get(name) or 0) != "0" for name in _SKIPS):
        raise FormatError("file/unsupported", "an NRRD file whose voxels begin after a skip")
    return header, end


def shape_of(header: dict[str, Any]) -> tuple[int, int, int]:
    """(K, J, I); layered segmentations and several volumes are refused."""
    sizes = [int(n) for n in header.get("sizes", ())]
    kinds = [str(k).lower() for k in header.get("kinds", ())]
    if not sizes or len(sizes) != int(header.get("dimension", 0)):
        raise FormatError("file/corrupt", "the number of axes and their sizes disagree")
    if min(sizes) < 1:
        raise FormatError("file/corrupt", "an axis has no length", measured=min(sizes), expected="at least 1")
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) > 3 or not _PLACES.issuperset(kinds):
        raise FormatError(
            "file/several-volumes", "several layers or volumes in one file", measured=len(sizes), expected=3
        )
    sizes += [1] * (3 - len(sizes))
    i, j, k = sizes
    return k, j, i


def dtype_of(header: dict[str, Any]) -> np.dtype[Any]:
    """Type of the stored voxels."""
    try:
        name = nrrd.reader._TYPEMAP_NRRD2NUMPY[header["type"]]  # noqa: SLF001 - the format's own table of type names
    except KeyError:
        raise FormatError("file/unsupported", "voxels of an unknown type") from None
    dtype = np.dtype(name)
    if dtype.kind not in "iuf":
        raise FormatError("file/unsupported", "voxels that are not real numbers")
    endian = header.get("endian")
    if dtype.itemsize > 1 and endian not in {"little", "big"}:
        raise FormatError("file/corrupt", "the byte order of the voxels is not told")
    return np.dtype(f"{'>' if endian == 'big' else '<'}{dtype.kind}{dtype.itemsize}")


def affine_of(header: dict[str, Any]) -> tuple[NDArray[np.float64], str]:
    """RAS affine in mm, and "space", or "none" where the header says nothing about the patient."""
    affine = np.eye(4)
    factors = _SPACES.get(str(header.get("space", "")).lower())
    directions = header.get("space directions")
    if factors is None or directions is None:
        for axis, spacing in enumerate(np.atleast_1d(header.get("spacings", (1.0, 1.0, 1.0)))[:3]):
            affine[axis, axis] = spacing if np.isfinite(spacing) else 1.0
        return affine, "none"
    directions = np.asarray(directions, dtype=np.float64)
    origin = np.asarray(header.get("space origin", (0, 0, 0)), dtype=np.float64)
    if directions.shape != (3, 3) or not np.isfinite(directions).all():
        raise FormatError("file/corrupt", "the space directions are no three vectors")
    if origin.shape != (3,) or not np.isfinite(origin).all():
        raise FormatError("file/corrupt", "the space origin is no point")
    affine[:3, :3] = directions.T
    affine[:3, 3] = origin
    affine[:3] *= np.array(factors, dtype=np.float64)[:, None] * _unit_mm(header)
    return affine, "space"


def _unit_mm(header: dict[str, Any]) -> float:
    units = {str(u).strip().strip('"').lower() for u in header.get("space units", ())} or {""}
    if len(units) != 1 or not units <= set(_TO_MM):
        raise FormatError("file/unsupported", "space units that are not lengths")
    return _TO_MM[units.pop()]


def segment_names(header: dict[str, Any]) -> dict[int, str]:
    """Label value to segment name of a 3D Slicer segmentation in one layer; {} for any other file."""
    found: dict[str, dict[str, str]] = {}
    for key, value in header.items():
        if known := _SEGMENT.fullmatch(key):
            found.setdefault(known[1], {})[known[2]] = str(value).strip()
    return {
        int(s["LabelValue"]): s.get("Name", "")
        for _, s in sorted(found.items())
        if _NUMBER.fullmatch(s.get("LabelValue", ""))
    }


def instance_of(path: Path, file_id: str, source: int, site: str) -> Instance:
    """The row of one NRRD file; one that is not compressed is checked for its length here."""
    header, start, size = read_head(path)
    shape, dtype = shape_of(header), dtype_of(header)
    affine, code = affine_of(header)
    if not _is_gzip(header):
        check_length(size - start, _needed(header))
    return Instance(
        file_id=file_id,
        source=source,
        site=site,
        format="nrrd",
        rows=shape[1],
        columns=shape[2],
        bits_allocated=dtype.itemsize * 8,
        shape=shape,
        affine=tuple(float(v) for v in affine.ravel()),
        orientation_code=code,
        dtype=dtype.newbyteorder("=").name,
    )


def read_array(path: Path) -> tuple[NDArray[Any], dict[str, Any]]:
    """Stored voxels (K, J, I) and the header."""
    header, start, _ = read_head(path)
    shape, dtype, needed = shape_of(header), dtype_of(header), _needed(header)
    is_gzip = _is_gzip(header)
    body = read_all(path)
    if is_gzip:
        body, start = inflate(memoryview(body)[start:], limit=needed + MAX_PADDING_BYTES), 0
    check_length(len(body) - start, needed)
    array = np.frombuffer(body, dtype, count=math.prod(shape), offset=start).reshape(shape)
    return np.require(array, requirements="A"), header


def _needed(header: dict[str, Any]) -> int:
    """Bytes of the voxels; counted without overflow."""
    needed = math.prod(shape_of(header)) * dtype_of(header).itemsize
    refuse_size(needed, MAX_BYTES)
    return needed


def _is_gzip(header: dict[str, Any]) -> bool:
    encoding = str(header.get("encoding", "")).lower()
    if encoding not in {*_GZIP, "raw"}:
        raise FormatError("file/unsupported", "an NRRD encoding other than raw and gzip")
    return encoding in _GZIP
