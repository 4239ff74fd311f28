"""MetaImage headers and voxels, in one file (.mha) or in two that lie side by side (.mhd and its data file).

The format is described by its library's own documentation (MetaIO) and read as ITK reads it: every row of
`TransformMatrix` is the direction of one axis, in LPS.
"""

from __future__ import annotations

import math
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.array_file import (
    ArrayFile,
    ArrayHeader,
    array_of,
    axes_in_doubt,
    handedness_in_doubt,
    rest_in_doubt,
    shape_of_sizes,
)
from isocenter.formats.boundary import opening
from isocenter.formats.bytes import (
    GZIP,
    MAX_BYTES,
    check_length,
    limit_for,
    open_content,
    read_rest,
    refuse_size,
)
from isocenter.formats.detached import opening_beside
from isocenter.formats.limits import DEFAULT_LIMITS, Limits
from isocenter.formats.text_header import SCANNED, read_text_header
from isocenter.model.issue import Issue, Severity
from isocenter.model.reasons import because

_BEGIN = re.compile(rb"(ObjectType[ \t]*[=:][ \t]*Image\b|NDims[ \t]*[=:][ \t]*\d)")
_END = re.compile(rb"(?m)^[ \t]*ElementDataFile[ \t]*[=:][^\n]*\n")
_LINE = re.compile(rb"[ \t]*([A-Za-z0-9_]+)[ \t]*[=:][ \t]*(.*?)[ \t\r]*")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
# Two numbers of a header that were meant to be equal, and were rounded.
_ROUNDING = 0.01
_LOCAL = {"LOCAL", "Local", "local"}
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_MODALITIES = {"MET_MOD_CT": "CT", "MET_MOD_MR": "MR", "MET_MOD_NM": "NM", "MET_MOD_US": "US"}
# One thing by several names, as its readers take them.
_SAME = {
    "Position": "Offset",
    "Origin": "Offset",
    "Rotation": "TransformMatrix",
    "Orientation": "TransformMatrix",
    "ElementByteOrderMSB": "BinaryDataByteOrderMSB",
}


def is_metaimage(head: bytes) -> bool:
    """Whether a file begins with the header of an image."""
    return _BEGIN.match(head) is not None


def read_header(
    path: Path, limits: Limits = SCANNED, expected: Signature | None = None
) -> tuple[dict[str, str], int]:
    """The header fields of a file, and where it ends."""
    head, has_end = read_text_header(path, _END, limits, expected)
    if not is_metaimage(head):
        raise FormatError("file/corrupt", "no MetaImage header")
    fields: dict[str, str] = {}
    for line in head.split(b"\n"):
        if (known := _LINE.fullmatch(line)) is None:
            if line.strip():
                raise FormatError("file/corrupt", "a line of the MetaImage header is none")
            continue
        given, value = known[1].decode("ascii"), known[2].decode("latin-1")
        name = _SAME.get(given, given)
        if name in fields and name != "Comment":
            raise FormatError("file/corrupt", "the MetaImage header says one thing twice")
        fields[name] = value
    if "ElementDataFile" not in fields or (not has_end and fields["ElementDataFile"] in _LOCAL):
        raise FormatError("file/truncated", "the MetaImage header ends early")
    if not _is_on(fields, "BinaryData", missing=True):
        raise FormatError("file/unsupported", "a MetaImage file whose voxels are written as text")
    if fields.get("HeaderSize", "0") != "0":
        raise FormatError("file/unsupported", "a MetaImage file whose voxels begin after a skip")
    return fields, len(head)


def array_header(fields: dict[str, str]) -> ArrayHeader:
    """What the fields say of the array."""
    shape, dtype = shape_of_sizes(_sizes(fields)), dtype_of(fields)
    affine, code = affine_of(fields)
    return ArrayHeader(
        format="metaimage",
        shape=shape,
        dtype=dtype,
        affine=affine,
        orientation_code=code,
        modality=_MODALITIES.get(fields.get("Modality", "")),
        data_name=_data_name(fields),
    )


def dtype_of(fields: dict[str, str]) -> np.dtype[Any]:
    """Type of the stored voxels."""
    if fields.get("ElementNumberOfChannels", "1") != "1":
        raise FormatError("file/several-volumes", "several values in one voxel")
    scale = (_numbers(fields, f"ElementToIntensityFunction{n}", 1) for n in ("Slope", "Offset"))
    if tuple(n[0] if n else None for n in scale) not in {(None, None), (1.0, None), (None, 0.0), (1.0, 0.0)}:
        raise FormatError(
            "file/unsupported", "a MetaImage file with a scaling, which readers do not agree on"
        )
    code = _TYPES.get(fields.get("ElementType", ""))
    if code is None:
        raise FormatError("file/unsupported", "voxels of an unknown type")
    is_big = _is_on(fields, "BinaryDataByteOrderMSB", missing=False)
    return np.dtype(f"{'>' if is_big else '<'}{code}")


def affine_of(fields: dict[str, str]) -> tuple[NDArray[np.float64], str]:
    """RAS affine in mm, and "matrix", or "none" where the header says nothing about the patient."""
    count = len(_sizes(fields))
    spacing = (
        _numbers(fields, "ElementSpacing", count) or _numbers(fields, "ElementSize", count) or [1.0] * count
    )
    matrix, offset = _numbers(fields, "TransformMatrix", count * count), _numbers(fields, "Offset", count)
    directions, origin, steps = np.eye(4), np.zeros(4), np.ones(4)
    steps[:count] = spacing
    if matrix:
        directions[:count, :count] = np.reshape(matrix, (count, count)).T
    if offset:
        origin[:count] = offset
    affine = np.eye(4)
    affine[:3, :3] = directions[:3, :3] * steps[:3]
    affine[:3, 3] = origin[:3]
    if not matrix and not offset:
        return affine, "none"
    affine[:2] *= -1.0
    return affine + 0.0, "matrix"


def _sizes(fields: dict[str, str]) -> list[int]:
    sizes = fields.get("DimSize", "").split()
    if not re.fullmatch("[1-4]", fields.get("NDims", "")) or len(sizes) != int(fields["NDims"]):
        raise FormatError("file/corrupt", "the number of axes and their sizes disagree")
    if not all(re.fullmatch(r"[0-9]{1,18}", s) for s in sizes):
        raise FormatError("file/corrupt", "a size is no number")
    return [int(s) for s in sizes]


def _numbers(fields: dict[str, str], name: str, count: int) -> list[float]:
    """The numbers of a field; [] where it is not there."""
    if name not in fields:
        return []
    values = re.split("[ \t]+", fields[name])
    found = [float(v) for v in values if _NUMBER.fullmatch(v)]
    if len(values) != count or len(found) != count or not all(map(math.isfinite, found)):
        raise FormatError("file/corrupt", "a field of the header is not as many numbers as it should be")
    return found


def _is_on(fields: dict[str, str], name: str, *, missing: bool) -> bool:
    value = fields.get(name, str(missing)).strip().lower()
    if value not in {"true", "false", "1", "0"}:
        raise FormatError("file/corrupt", "a field of the header is neither true nor false")
    return value in {"true", "1"}


def _data_name(fields: dict[str, str]) -> str:
    name = fields["ElementDataFile"].removeprefix("./")
    if name in _LOCAL:
        return ""
    if not name:
        raise FormatError("file/corrupt", "the MetaImage header does not say where its voxels are")
    if name.startswith("LIST") or "%" in name:
        raise FormatError("file/unsupported", "a MetaImage header whose voxels are in several files")
    # a name is bytes: those that are no UTF-8 are handed to the file system as they are (PEP 383)
    return name.encode("latin-1").decode("utf-8", "surrogateescape")


def _encoding(fields: dict[str, str]) -> str:
    return "zlib" if _is_on(fields, "CompressedData", missing=False) else "raw"


def scan_header(path: Path, limits: Limits = DEFAULT_LIMITS) -> ArrayHeader:
    """What the header of a file says; voxels that are not compressed are checked for their length here."""
    fields, start = read_header(path, limits)
    out, encoding = array_header(fields), _encoding(fields)
    with opening_beside(path, out.data_name) if out.data_name else opening(path) as file:
        is_packed = not out.data_name and file.read(2) == GZIP
        size = file.seek(0, 2) - (0 if out.data_name else start)
    if encoding == "raw" and not is_packed:
        check_length(size, out.needed_bytes)
    else:
        refuse_size(out.needed_bytes, limit_for(size))
    if not is_packed:
        _check_packed_length(fields, size)
    return out


def read_array(path: Path, expected: Signature | None = None) -> tuple[NDArray[Any], ArrayHeader]:
    """Stored voxels (K, J, I) and what the header says of them."""
    array, header, _, _ = _read(path, expected)
    return array, header


def read_image(path: Path, expected: Signature | None = None) -> ArrayFile:
    """The voxels, and what the header leaves open; of a file that is the expected one, where one is."""
    array, header, fields, rest = _read(path, expected)
    return ArrayFile(stored=array, doubts=(*doubts_of(fields, header.affine), *rest))


def _read(
    path: Path, expected: Signature | None
) -> tuple[NDArray[Any], ArrayHeader, dict[str, str], tuple[Issue, ...]]:
    fields, start = read_header(path, expected=expected)
    out = array_header(fields)
    name, needed = out.data_name, out.needed_bytes
    with _opened(path, name, expected) as file:
        _check_packed_length(fields, file.seek(0, 2) - (0 if name else start))
        file.seek(0 if name else start)
        body = read_rest(file, needed, encoding=_encoding(fields))
    return array_of(body, out.shape, out.dtype), out, fields, rest_in_doubt(body, needed)


def _opened(path: Path, name: str, expected: Signature | None) -> AbstractContextManager[BinaryIO]:
    """The file that holds the voxels."""
    if name:
        return opening_beside(path, name, expected)
    return open_content(path, expected, limit=MAX_BYTES)


def doubts_of(fields: dict[str, str], affine: NDArray[np.float64]) -> tuple[Issue, ...]:
    """What the header says beyond an image on its grid, and how it was read."""
    sizes = _sizes(fields)
    out = [*axes_in_doubt(sizes), *handedness_in_doubt(affine)]
    spacing, size = (_numbers(fields, f"Element{name}", len(sizes)) for name in ("Spacing", "Size"))
    told: dict[str, Any] = {"measured": _text(spacing), "unit": "mm"}
    if any(step <= 0 for step in spacing):
        out.append(because("read/voxel-sizes", message="a spacing of the header is not above 0", **told))
    elif spacing and size and not np.allclose(spacing, size, rtol=_ROUNDING, atol=0):
        message = "the voxels are not as long as they are apart; the spacing is used"
        out.append(because("read/voxel-sizes", message=message, severity=Severity.NOTE, **told))
    unit = fields.get("DistanceUnits", "mm").strip().lower()
    if unit not in {"mm", "", "?"}:
        out.append(because("read/unit-assumed", measured="another unit", expected="millimetres"))
    return tuple(out)


def _text(numbers: list[float]) -> str:
    return " x ".join(f"{number:.4g}" for number in numbers)


def _check_packed_length(fields: dict[str, str], size: int) -> None:
    """Where the header says how long the compressed voxels are, they are."""
    stated = fields.get("CompressedDataSize", "0")
    if not re.fullmatch(r"[0-9]{1,18}", stated):
        raise FormatError("file/corrupt", "a size is no number")
    if _encoding(fields) != "raw" and int(stated):
        check_length(size, int(stated))
