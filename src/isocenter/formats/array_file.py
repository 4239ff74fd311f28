"""Files that hold one array and say its shape and affine: their row in the index, and their voxels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.bytes import MAX_BYTES, refuse_size
from isocenter.model.issue import Issue, Severity
from isocenter.model.reasons import because
from isocenter.model.rows import FrameRow, Instance

# Each volume of a file is a stack of its own in the index.
MAX_VOLUMES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayHeader:
    """What the header of such a file says.

    Args:
        format: Name of the format.
        shape: (K, J, I).
        dtype: Type of the stored voxels, in their byte order.
        affine: float64 (4, 4) from (i, j, k, 1) to RAS+ millimetres.
        orientation_code: Where the affine is from; "none" where the file says nothing about the patient.
        affine_conflict_mm: How far two affines of one header disagree.
        modality: DICOM modality, where the format has a word for it.
        data_name: Name of the file beside the header that holds the voxels; "" where it does so itself.
        volumes: How many volumes of that shape follow each other.
        times_s: Time of each of them in seconds; () where the file says of no time.
        layers: How many values a voxel has, each of them a label map.
    """

    format: str
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    affine: NDArray[np.float64]
    orientation_code: str
    affine_conflict_mm: float = 0.0
    modality: str | None = None
    data_name: str = ""
    volumes: int = 1
    times_s: tuple[float, ...] = ()
    layers: int = 1

    @property
    def needed_bytes(self) -> int:
        """Bytes of the voxels, counted without overflow."""
        needed = math.prod(self.shape) * self.volumes * self.layers * self.dtype.itemsize
        refuse_size(needed, MAX_BYTES)
        return needed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArrayFile:
    """What is in such a file.

    Args:
        stored: The stored voxels (K, J, I).
        slope: What brings them to their values, with the intercept.
        intercept: What is added.
        doubts: What the file leaves open or contradicts itself in, and how it was read.
    """

    stored: NDArray[Any]
    slope: float = 1.0
    intercept: float = 0.0
    doubts: tuple[Issue, ...] = ()


def row_of(header: ArrayHeader, file_id: str, source: int, site: str) -> Instance:
    """The row of one such file."""
    return Instance(
        file_id=file_id,
        source=source,
        site=site,
        format=header.format,
        modality=header.modality,
        rows=header.shape[1],
        columns=header.shape[2],
        bits_allocated=header.dtype.itemsize * 8,
        shape=header.shape,
        affine=tuple(float(v) for v in header.affine.ravel()),
        orientation_code=header.orientation_code,
        affine_conflict_mm=header.affine_conflict_mm,
        dtype=header.dtype.newbyteorder("=").name,
        data_name=header.data_name,
        frames=header.volumes,
    )


def frames_of(header: ArrayHeader, file_id: str) -> tuple[FrameRow, ...]:
    """A row for each volume of a file that holds several, with its time where the file says of any."""
    if header.volumes == 1:
        return ()
    times_ms: Sequence[float | None] = [1000 * t for t in header.times_s] or [None] * header.volumes
    return tuple(FrameRow(file_id=file_id, frame=n, trigger_time_ms=time) for n, time in enumerate(times_ms))


def shape_of_sizes(sizes: Sequence[int]) -> tuple[int, int, int]:
    """(K, J, I) of sizes in the order I, J, K; trailing axes of length one are dropped, several volumes are refused."""
    shape, volumes = volumes_of_sizes(sizes)
    if volumes > 1:
        raise several_volumes(4)
    return shape


def volumes_of_sizes(sizes: Sequence[int]) -> tuple[tuple[int, int, int], int]:
    """(K, J, I) and the number of volumes, of sizes in the order I, J, K, volume; axes beyond these are refused."""
    found = [int(n) for n in sizes]
    if not found or min(found) < 1:
        raise FormatError(
            "file/corrupt", "an axis has no length", measured=min(found, default=0), expected="at least 1"
        )
    found = found[: _counted(found)]
    if len(found) > 4:
        raise several_volumes(len(found))
    i, j, k, volumes = found + [1] * (4 - len(found))
    if volumes > MAX_VOLUMES:
        raise FormatError(
            "file/too-large", "more volumes than are read of one file", measured=volumes, expected=MAX_VOLUMES
        )
    return (k, j, i), volumes


def several_volumes(axes: int) -> FormatError:
    """The refusal of a file with several volumes where one is read."""
    return FormatError("file/several-volumes", "several volumes in one file", measured=axes, expected=3)


def _counted(sizes: Sequence[int]) -> int:
    """How many axes there are, but for those of length one at the end beyond the third."""
    return max((n for n, size in enumerate(sizes, start=1) if n <= 3 or size != 1), default=0)


def axes_in_doubt(sizes: Sequence[int]) -> tuple[Issue, ...]:
    """A note that axes of length one were dropped."""
    kept = _counted(sizes)
    if len(sizes) == kept:
        return ()
    lengths = " x ".join(str(int(n)) for n in sizes)
    return (because("read/singleton-axis", measured=lengths, expected=f"{kept} axes"),)


def handedness_in_doubt(affine: NDArray[np.float64]) -> tuple[Issue, ...]:
    """A note that the axes of a file, right, up and out of the page, are those of a mirror."""
    with np.errstate(all="ignore"):  # a number may be any
        is_mirror = np.linalg.det(affine[:3, :3]) < 0
    return (because("read/left-handed"),) if is_mirror else ()


def rest_in_doubt(body: bytearray, end: int) -> tuple[Issue, ...]:
    """What lies behind the last voxel: zeros are padding, anything else may be voxels that no axis counts."""
    rest = len(body) - end
    if rest <= 0:
        return ()
    severity = Severity.REVIEW if any(memoryview(body)[end:]) else None
    return (because("read/trailing-bytes", severity=severity, measured=rest, expected=0, unit="bytes"),)


def array_of(body: bytearray, shape: tuple[int, ...], dtype: np.dtype[Any], offset: int = 0) -> NDArray[Any]:
    """The stored voxels (K, J, I), or of more axes, without a copy where they are aligned."""
    array = np.frombuffer(body, dtype, count=math.prod(shape), offset=offset)
    return np.require(array.reshape(shape), requirements="A")
