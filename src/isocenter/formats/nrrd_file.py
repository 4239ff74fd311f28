"""NRRD headers and voxels, in one file, or in two that lie side by side."""

from __future__ import annotations

import math
import re
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import nrrd
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
from isocenter.formats.boundary import opening, parsing
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
from isocenter.formats.seg_nrrd import is_segmentation, without_layers
from isocenter.formats.text_header import SCANNED, read_text_header
from isocenter.model.issue import Issue
from isocenter.model.reasons import because

_END = re.compile(rb"\n\r?\n")
_DATA_FILE = re.compile(rb"(?im)^data ?file[ \t]*:[ \t]*([^\r\n]*)")
# Every field that the format has, in lower case; all but these are key/value pairs, which are written with ":=".
_FIELD = re.compile(rb"(?m)^([^#:\r\n][^:\r\n]*):(?!=)")
_FIELDS = {
    *(
        "dimension",
        "type",
        "block size",
        "blocksize",
        "encoding",
        "endian",
        "content",
        "min",
        "max",
        "old min",
    ),
    *(
        "oldmin",
        "old max",
        "oldmax",
        "data file",
        "datafile",
        "line skip",
        "lineskip",
        "byte skip",
        "byteskip",
    ),
    *("number", "sample units", "sampleunits", "sizes", "spacings", "thicknesses", "axis mins", "axismins"),
    *(
        "axis maxs",
        "axismaxs",
        "centers",
        "centerings",
        "labels",
        "units",
        "kinds",
        "space",
        "space dimension",
    ),
    *("space units", "space origin", "space directions", "measurement frame"),
}
_DETACHED = ("data file", "datafile")
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
# Spaces of a scanner or of nothing: their vectors are lengths and directions, but say nothing about the patient.
_UNPLACED = {"scanner-xyz", "3d-right-handed", "3d-left-handed"}
_ABBREVIATED = {"rast": "ras", "last": "las", "lpst": "lps"}
# NRRD "space units" -> millimetres.
_TO_MM = {"": 1.0, "mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "micron": 0.001}


def read_header(
    path: Path, limits: Limits = SCANNED, expected: Signature | None = None
) -> tuple[dict[str, Any], int, str]:
    """The header fields of a file, where its voxels begin, and the name of the file that holds them, "" for itself."""
    head, has_end = read_text_header(path, _END, limits, expected)
    named = _DATA_FILE.search(head)
    # a header by itself needs no empty line at its end, but then the name of its data file is the last it says
    if not has_end and (named is None or head[named.end() :] not in {b"\n", b"\r\n"}):
        raise FormatError("file/corrupt", "the NRRD header has no end")
    if named is not None and (named[1].startswith((b"LIST", b"=")) or b"%" in named[1]):
        raise FormatError("file/unsupported", "an NRRD header whose voxels are not in one named file")
    stream = BytesIO(_FIELD.sub(_in_lower_case, head))
    with parsing("the NRRD header"):
        header = dict(nrrd.read_header(stream))
    if stream.tell() != len(head):
        raise FormatError("file/corrupt", "the NRRD header ends where it should not")
    if any(str(header.get(name) or 0) != "0" for name in _SKIPS):
        raise FormatError("file/unsupported", "an NRRD file whose voxels begin after a skip")
    name = next((str(header[key]) for key in _DETACHED if key in header), None)
    if (name is None) != (named is None) or name == "":
        raise FormatError("file/corrupt", "the NRRD header does not say where its voxels are")
    return header, 0 if name else len(head), (name or "").removeprefix("./")


def _in_lower_case(field: re.Match[bytes]) -> bytes:
    """A field by the name that pynrrd knows it by: to the format, upper and lower case are one."""
    name = field[1].lower()
    if name.decode("latin-1") not in _FIELDS:
        raise FormatError("file/corrupt", "the NRRD header has a field that the format does not know")
    return name + b":"


def shape_of(header: dict[str, Any]) -> tuple[int, int, int]:
    """(K, J, I); layered segmentations and several volumes are refused."""
    sizes = [int(n) for n in header.get("sizes", ())]
    kinds = [str(k).lower() for k in header.get("kinds", ())][:3]
    if not sizes or len(sizes) != int(header.get("dimension", 0)):
        raise FormatError("file/corrupt", "the number of axes and their sizes disagree")
    if any("color" in kind for kind in kinds):
        raise FormatError("file/unsupported", "voxels that are not real numbers: colours")
    if not _PLACES.issuperset(kinds):
        raise FormatError("file/several-volumes", "several layers or volumes in one file")
    return shape_of_sizes(sizes)


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
    directions = header.get("space directions")
    if directions is None:
        for axis, spacing in enumerate(np.atleast_1d(header.get("spacings", (1.0, 1.0, 1.0)))[:3]):
            affine[axis, axis] = spacing if np.isfinite(spacing) else 1.0
        return affine, "none"
    factors = _SPACES.get(_space(header))
    affine[:3, :3] = _in_space(header, directions).T
    affine[:3, 3] = _origin(header)
    affine[:3] *= np.array(factors or (1, 1, 1), dtype=np.float64)[:, None] * _unit_mm(header)
    return affine, "none" if factors is None else "space"


def _space(header: dict[str, Any]) -> str:
    """The space without its time: that axis is refused or has one point."""
    name = str(header.get("space", "")).strip().lower()
    name = _ABBREVIATED.get(name, name.removesuffix("-time"))
    if name and name not in {*_SPACES, *_UNPLACED}:
        raise FormatError("file/corrupt", "a space that the format does not know")
    return name


def _in_space(header: dict[str, Any], directions: Any) -> NDArray[np.float64]:
    """The vectors of the three axes, one in each row; a fourth axis, of time, stands apart from them."""
    given = np.asarray(directions, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != len(header.get("sizes", ())) or given.shape[1] not in {3, 4}:
        raise FormatError("file/corrupt", "the space directions are no three vectors")
    vectors = given[:3]
    if vectors.shape[0] != 3 or not np.isfinite(vectors).all() or vectors[:, 3:].any():
        raise FormatError("file/corrupt", "the space directions are no three vectors")
    return vectors[:, :3]


def _origin(header: dict[str, Any]) -> NDArray[np.float64]:
    origin = np.asarray(header.get("space origin", (0, 0, 0)), dtype=np.float64)
    if origin.shape not in {(3,), (4,)} or not np.isfinite(origin).all():
        raise FormatError("file/corrupt", "the space origin is no point")
    return origin[:3]


def doubts_of(header: dict[str, Any], affine: NDArray[np.float64]) -> tuple[Issue, ...]:
    """What the header says beyond an image on its grid, and how it was read."""
    out = [*axes_in_doubt(header.get("sizes", ())), *handedness_in_doubt(affine)]
    if (frame := header.get("measurement frame")) is not None:
        matrix = np.asarray(frame, dtype=np.float64)
        if matrix.shape != (3, 3) or not np.array_equal(matrix, np.eye(3)):
            out.append(because("read/measurement-frame"))
    if (factor := _unit_mm(header)) != 1.0:
        out.append(because("read/unit-converted", measured=f"{factor:g} mm", expected="1 mm", unit="a unit"))
    return tuple(out)


def _unit_mm(header: dict[str, Any]) -> float:
    units = {str(u).strip().strip('"').lower() for u in header.get("space units", ())} or {""}
    if len(units) != 1 or not units <= set(_TO_MM):
        raise FormatError("file/unsupported", "space units that are not lengths")
    return _TO_MM[units.pop()]


def scan_header(path: Path, limits: Limits = DEFAULT_LIMITS) -> tuple[ArrayHeader, dict[str, Any]]:
    """What the header of a file says, and its fields; voxels that are not compressed are checked for their length."""
    fields, start, name = read_header(path, limits)
    header, layers = without_layers(fields) if is_segmentation(fields) else (fields, 1)
    shape, dtype = shape_of(header), dtype_of(header)
    affine, code = affine_of(header)
    out = ArrayHeader(
        format="nrrd",
        shape=shape,
        dtype=dtype,
        affine=affine,
        orientation_code=code,
        data_name=name,
        layers=layers,
    )
    encoding, needed = _encoding(header), out.needed_bytes
    with opening_beside(path, name) if name else opening(path) as file:
        is_packed = not name and file.read(2) == GZIP
        size = file.seek(0, 2)
    if encoding == "raw" and not is_packed:
        check_length(size - start, needed)
    else:
        refuse_size(needed, limit_for(size))
    return out, fields


def read_array(path: Path, expected: Signature | None = None) -> tuple[NDArray[Any], dict[str, Any]]:
    """Stored voxels (K, J, I) and the header."""
    array, header, _ = _read(path, expected)
    return array[0], header


def read_layers(path: Path, expected: Signature | None = None) -> tuple[NDArray[Any], dict[str, Any]]:
    """Stored voxels (L, K, J, I) of a segmentation, which may be strided, and the header of one layer."""
    array, header, _ = _read(path, expected, has_layers=True)
    return array, header


def read_image(path: Path, expected: Signature | None = None) -> ArrayFile:
    """The voxels, and what the header leaves open; of a file that is the expected one, where one is."""
    array, header, rest = _read(path, expected)
    return ArrayFile(stored=array[0], doubts=(*doubts_of(header, affine_of(header)[0]), *rest))


def _read(
    path: Path, expected: Signature | None, *, has_layers: bool = False
) -> tuple[NDArray[Any], dict[str, Any], tuple[Issue, ...]]:
    header, start, name = read_header(path, expected=expected)
    header, layers = without_layers(header) if has_layers else (header, 1)
    shape, dtype, encoding = shape_of(header), dtype_of(header), _encoding(header)
    needed = math.prod(shape) * layers * dtype.itemsize
    refuse_size(needed, MAX_BYTES)
    with _opened(path, name, expected) as file:
        file.seek(start)
        body = read_rest(file, needed, encoding=encoding)
    # the list axis comes first, so that it runs fastest
    stored = array_of(body, (*shape, layers), dtype)
    return np.moveaxis(stored, -1, 0), header, rest_in_doubt(body, needed)


def _opened(path: Path, name: str, expected: Signature | None) -> AbstractContextManager[BinaryIO]:
    """The file that holds the voxels."""
    if name:
        return opening_beside(path, name, expected)
    return open_content(path, expected, limit=MAX_BYTES)


def _encoding(header: dict[str, Any]) -> str:
    encoding = str(header.get("encoding", "")).lower()
    if encoding not in {*_GZIP, "raw"}:
        raise FormatError("file/unsupported", "an NRRD encoding other than raw and gzip")
    return "gzip" if encoding in _GZIP else "raw"
