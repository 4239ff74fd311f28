"""NRRD headers and voxels of files that hold both (a header may name no other file)."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.bytes import MAX_BYTES, inflate, read_all
from isocenter.model.grid import Grid
from isocenter.model.rows import Instance

_MAX_HEADER = 1 << 20
_DETACHED = {"data file", "datafile"}
# NRRD "space" -> factors that turn x, y, z into RAS.
_SPACES = {
    "right-anterior-superior": (1, 1, 1),
    "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
    "lps": (-1, -1, 1),
}
_SEGMENT = re.compile(r"Segment(\d+)_(Name|LabelValue|Layer)")


def read_header(data: bytes | bytearray | memoryview) -> tuple[dict[str, Any], int]:
    """The header fields, and where the voxels begin."""
    stream = BytesIO(bytes(data[:_MAX_HEADER]))
    end = re.search(rb"\r?\n\r?\n", stream.getvalue())
    if end is None:
        raise FormatError("file/corrupt", "the NRRD header has no end")
    try:
        header = dict(nrrd.read_header(stream))
    except Exception as error:  # noqa: BLE001 - the one boundary that maps a parser's exceptions
        raise FormatError("file/corrupt", f"the NRRD header is broken ({type(error).__name__})") from None
    if _DETACHED & {k.lower() for k in header}:
        raise FormatError("file/unsupported", "an NRRD header whose voxels are in another file")
    if any(str(header.get(name) or 0) != "0" for name in ("line skip", "lineskip", "byte skip", "byteskip")):
        raise FormatError("file/unsupported", "an NRRD file whose voxels begin after a skip")
    return header, end.end()


def shape_of(header: dict[str, Any]) -> tuple[int, int, int]:
    """(K, J, I); layered segmentations and several volumes are refused."""
    sizes = [int(n) for n in header.get("sizes", ())]
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) > 3 or "list" in [str(k) for k in header.get("kinds", ())]:
        raise FormatError(
            "file/several-volumes", "several layers or volumes in one file", measured=len(sizes), expected=3
        )
    sizes += [1] * (3 - len(sizes))
    if min(sizes) < 1:
        raise FormatError("file/corrupt", "an axis has no length")
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
    is_big = header.get("endian") == "big" and dtype.itemsize > 1
    return np.dtype(f"{'>' if is_big else '<'}{dtype.kind}{dtype.itemsize}")


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
    if directions.shape != (3, 3) or not np.isfinite(directions).all():
        raise FormatError("file/corrupt", "the space directions are no three vectors")
    affine[:3, :3] = directions.T
    affine[:3, 3] = np.asarray(header.get("space origin", (0, 0, 0)), dtype=np.float64)
    affine[:3] *= np.array(factors, dtype=np.float64)[:, None]
    return affine, "space"


def segment_names(header: dict[str, Any]) -> dict[int, str]:
    """Label value to segment name of a 3D Slicer segmentation in one layer; {} for any other file."""
    found: dict[str, dict[str, str]] = {}
    for key, value in header.items():
        if known := _SEGMENT.fullmatch(key):
            found.setdefault(known[1], {})[known[2]] = str(value)
    return {
        int(s["LabelValue"]): s.get("Name", "")
        for _, s in sorted(found.items())
        if s.get("LabelValue", "").strip().isdigit()
    }


def instance_of(header: dict[str, Any], file_id: str, source: int, site: str) -> Instance:
    """The row of one NRRD file."""
    shape, dtype = shape_of(header), dtype_of(header)
    affine, code = affine_of(header)
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
    data = read_all(path)
    header, start = read_header(data)
    shape, dtype = shape_of(header), dtype_of(header)
    needed = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if needed > MAX_BYTES:
        raise FormatError(
            "file/too-large", "the stated size is beyond the limit", expected=f"{MAX_BYTES} bytes"
        )
    encoding = str(header.get("encoding", "raw")).lower()
    if encoding in {"gzip", "gz"}:
        body: bytes | bytearray = inflate(bytes(memoryview(data)[start:]), limit=needed + (1 << 20))
    elif encoding == "raw":
        body = bytes(memoryview(data)[start:])
    else:
        raise FormatError("file/unsupported", "an NRRD encoding other than raw and gzip")
    if len(body) < needed:
        raise FormatError(
            "file/truncated",
            "the voxels end early",
            measured=f"{len(body)} bytes",
            expected=f"{needed} bytes",
        )
    return np.frombuffer(body, dtype, count=needed // dtype.itemsize).reshape(shape), header


def grid_of(header: dict[str, Any]) -> Grid:
    """Where the voxels are."""
    affine, code = affine_of(header)
    return Grid(shape_of(header), affine, "", code != "none")
