"""Siemens mosaics: the slices of one time point as tiles of one picture, laid out in space.

The picture states the position that it would have as one slice of its whole size, so the corner of a tile
lies half of the difference further in (nibabel's "Siemens format DICOM with CSA header",
https://nipy.org/nibabel/dicom/dicom_mosaic.html).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.csa import read_csa
from isocenter.formats.dicom.fields import to_ras
from isocenter.formats.dicom.header import Header
from isocenter.model.rows import FrameRow

MOSAIC = "MOSAIC"
# Creator, group and last two digits of the private elements (PS3.5 7.8.1): how many tiles, and the CSA image header.
_COUNT, _CSA = (0x0019, "SIEMENS MR HEADER", 0x0A), (0x0029, "SIEMENS CSA HEADER", 0x10)
_WANTED = ("NumberOfImagesInMosaic", "SliceNormalVector", "SpacingBetweenSlices")
_MAX_TILES = 4096
# How far two directions may be apart that mean the same one: one minus their cosine.
_TOLERANCE = 1e-4


def is_mosaic(image_type: Sequence[str], frames: int) -> bool:
    """Whether an object is a mosaic by its Image Type (0008,0008)."""
    return frames == 1 and MOSAIC in image_type


def tiles_of(dataset: Any, file_id: str = "") -> tuple[FrameRow, ...]:
    """A row for each tile of a mosaic, in the order of the slices; none where the header does not tell all of it.

    Args:
        dataset: The whole data set, private elements with it.
        file_id: The file.
    """
    header, scanner = Header(dataset), _scanner(dataset)
    rows, columns = header.integer("Rows", 1), header.integer("Columns", 1)
    spacing, orientation = header.numbers("PixelSpacing", 2), header.numbers("ImageOrientationPatient", 6)
    corner = header.numbers("ImagePositionPatient", 3)
    count, distance = _count(dataset, scanner), _distance(header, scanner)
    if not (rows and columns and spacing and orientation and corner and count and distance):
        return ()
    normal = _normal(orientation, scanner)
    across = math.isqrt(count - 1) + 1
    if normal is None or rows % across or columns % across:
        return ()
    height, width = rows // across, columns // across
    along_row, along_column = np.array(orientation[:3]), np.array(orientation[3:])
    origin = (
        np.array(corner)
        + along_row * (columns - width) / 2 * spacing[1]
        + along_column * (rows - height) / 2 * spacing[0]
    )
    return tuple(
        FrameRow(
            file_id=file_id,
            frame=n,
            orientation=to_ras(orientation),
            position_mm=to_ras(tuple((origin + n * distance * normal).tolist())),
            pixel_spacing_mm=spacing,
            slice_thickness_mm=header.number("SliceThickness"),
            spacing_between_slices_mm=distance,
            window=(n // across * height, n % across * width, height, width),
        )
        for n in range(count)
    )


def _scanner(dataset: Any) -> dict[str, tuple[str, ...]]:
    """What the CSA header says, nothing where there is none that can be read."""
    data = _private(dataset, *_CSA)
    try:
        return read_csa(data, _WANTED) if isinstance(data, bytes) else {}
    except FormatError:
        return {}


def _private(dataset: Any, group: int, creator: str, number: int) -> Any:
    try:
        return dataset.private_block(group, creator)[number].value
    except KeyError:
        return None


def _count(dataset: Any, scanner: dict[str, tuple[str, ...]]) -> int | None:
    """How many tiles there are; None where nobody says so, or two places do not agree."""
    stated = _private(dataset, *_COUNT)
    if isinstance(stated, bytes):
        stated = int.from_bytes(stated, "little")
    told = _numbers(scanner, "NumberOfImagesInMosaic", 1)
    counts = {int(v) for v in (*told, *([stated] if isinstance(stated, int) else []))}
    count = counts.pop() if len(counts) == 1 else 0
    return count if 0 < count <= _MAX_TILES else None


def _distance(header: Header, scanner: dict[str, tuple[str, ...]]) -> float | None:
    """Distance between slices; the thickness would leave a gap out, so it does not stand in for it."""
    stated = header.number("SpacingBetweenSlices")
    told = _numbers(scanner, "SpacingBetweenSlices", 1)
    distance = told[0] if stated is None and told else stated
    return distance if distance is not None and distance > 0 else None


def _normal(
    orientation: tuple[float, ...], scanner: dict[str, tuple[str, ...]]
) -> NDArray[np.float64] | None:
    """The direction in which slices follow each other: that of the picture, with the sign that the scanner tells."""
    normal = np.cross(orientation[:3], orientation[3:])
    told = np.array(_numbers(scanner, "SliceNormalVector", 3))
    length = float(np.linalg.norm(normal))
    if not told.size or abs(length - 1) > _TOLERANCE:
        return None
    cosine = float(told @ normal) / length
    return None if abs(abs(cosine) - 1) > _TOLERANCE else np.sign(cosine) * normal / length


def _numbers(scanner: dict[str, tuple[str, ...]], name: str, count: int) -> tuple[float, ...]:
    try:
        out = tuple(map(float, scanner.get(name, ())))
    except ValueError:
        return ()
    return out if len(out) == count and all(map(math.isfinite, out)) else ()
