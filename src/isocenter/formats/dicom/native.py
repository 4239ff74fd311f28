"""Slices of plain files: headers walked in machine code, pixels read straight to where they are wanted."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import RLELossless

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import refuse_changed
from isocenter.formats.bytes import MAX_PADDING_BYTES
from isocenter.formats.dicom import slots, steps
from isocenter.formats.dicom.decoders import MAX_FRAME_BYTES, room_of
from isocenter.formats.dicom.found import frozen
from isocenter.formats.dicom.fragments import find_frames
from isocenter.formats.dicom.layout import GREY, Layout
from isocenter.formats.dicom.pixels import PendingFrame, begin_frame
from isocenter.formats.dicom.planes import OVERLAY_GROUPS, Plane
from isocenter.formats.dicom.values import ABSENT, GOOD, read_numbers
from isocenter.formats.dicom.walk import walk
from isocenter.formats.limits import DEFAULT_LIMITS

_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
# So many files are open at once; what the walk costs to begin with is shared by them.
BATCH = 32
# Most headers end in the first so many bytes; where one does not, more is read, and after that it is left.
_HEADS = (8192, 256 << 10)
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_NONE = Signature(0, 0)

_NUMBERS = (
    "SamplesPerPixel",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
)
_TEXTS = ("PhotometricInterpretation", "SUVType", "TransferSyntaxUID")
# Objects of several frames, and those with tables of them, are not read here.
_NEVER = (
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
)


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return int(tag)


_BY_TAG: dict[int, str] = {_tag(k): k for k in ("MediaStorageSOPClassUID", *_NUMBERS, *_TEXTS, *_NEVER)} | {
    group << 16 | 0x0100: f"OverlayBitsAllocated{group:04X}" for group in OVERLAY_GROUPS
}
_OVERLAYS = tuple(k for k in _BY_TAG.values() if k.startswith("OverlayBits"))
_KEYWORDS = tuple(_BY_TAG[tag] for tag in sorted(_BY_TAG))
_SLOT = {keyword: n for n, keyword in enumerate(_KEYWORDS)}
_TAGS = np.array([*sorted(_BY_TAG), 1 << 40], np.int64)
_ROLES = np.array([steps.NEVER if k in _NEVER else steps.VALUE for k in _KEYWORDS], np.int64)
_WANT = (_TAGS, _ROLES)
_MADE_OF = {"US": slots.US, "US or SS": slots.SIGNED_BY_PIXELS, "IS": slots.TEXT, "DS": slots.TEXT}
_FORMS = np.array([_MADE_OF.get(dictionary_VR(tag), 0) for tag in sorted(_BY_TAG)], np.int64)
_WHOLE = (*_NUMBERS[:-2], *_OVERLAYS)
_READ = (*_NUMBERS, *_OVERLAYS)
_NUMBER_SLOTS = np.array([_SLOT[k] for k in _READ], np.int64)
_RULES = (
    np.arange(len(_READ) + 1, dtype=np.int64),
    np.array([k in _WHOLE for k in _READ], np.bool_),
    np.array([[-(1 << 53), 1 << 53]] * len(_READ), np.float64),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeSlice:
    """One open file whose pixels can be read.

    Args:
        handle: The open file.
        offset: Where the pixels begin.
        length: Bytes that the element of the pixels states.
        head: Bytes of the tag, value representation and length in front of them.
        shape: Rows and columns.
        dtype: Type of the stored values.
        plane: How they become values.
    """

    handle: int
    offset: int
    length: int
    head: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    plane: Plane

    def read_into(self, place: NDArray[Any]) -> None:
        """Read the pixels to a place of their size, and see that what was found before is still there.

        Raises:
            FormatError: the file is another one by now.
        """
        front = bytearray(self.head)
        count = os.preadv(self.handle, [front, place.data.cast("B")], self.offset - self.head)
        if count != self.head + place.nbytes:
            raise FormatError("file/changed", "the file became shorter while it was read")
        if front[:4] != _PIXEL_DATA or int.from_bytes(front[-4:], "little") != self.length:
            raise FormatError("file/changed", "the pixels are no longer where they were")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressedSlice:
    """One open file whose pixels are to be decoded.

    Args:
        handle: The open file.
        offset: Where the fragments of the pixels begin.
        size: Bytes of the file.
        layout: Size and type of the frame.
        syntax: Its transfer syntax.
        plane: How the stored values become values.
    """

    handle: int
    offset: int
    size: int
    layout: Layout
    syntax: str
    plane: Plane

    def begin(self, number: int, into: NDArray[Any] | None = None) -> PendingFrame:
        """Read the fragments and begin to decode the frame.

        Args:
            number: Place of the slice in its stack.
            into: Where the values may go, see `begin_frame`.

        Raises:
            FormatError: the fragments are broken, or cannot be decoded.
        """
        with room_of(self.syntax, self.size - self.offset) as data:
            if os.preadv(self.handle, [data], self.offset) != len(data):
                raise FormatError("file/changed", "the file became shorter while it was read")
            frame = find_frames(data, has_markers=self.syntax != RLELossless)[0]
            return begin_frame(frame, self.layout, self.syntax, number=number, into=into)


OpenSlice = NativeSlice | CompressedSlice


@contextmanager
def open_slices(
    paths: Sequence[Path], expected: Sequence[Signature | None]
) -> Iterator[list[OpenSlice | None]]:
    """Open some files, at most `BATCH`, and read their headers; None for each that has anything unusual about it.

    Raises:
        FormatError: one is not what is expected of it.
    """
    with ExitStack() as stack:
        handles, sizes = [], []
        for path, known in zip(paths, expected, strict=True):
            handle, found = _open(path)
            if handle >= 0:
                stack.callback(os.close, handle)
                if known is not None:
                    refuse_changed(found, known)
            handles.append(handle)
            sizes.append(found.size)
        out: list[OpenSlice | None] = [None] * len(paths)
        left = [n for n, handle in enumerate(handles) if handle >= 0]
        for count in _HEADS:
            left = _read_heads(handles, sizes, left, count, out)
        yield out


def _open(path: Path) -> tuple[int, Signature]:
    """Handle and signature of a regular file; -1 where it is none, of which the ordinary way will say more."""
    with suppress(OSError):
        handle = os.open(path, _OPEN_FLAGS)
        info = os.fstat(handle)
        if stat.S_ISREG(info.st_mode):
            return handle, Signature(info.st_size, info.st_mtime_ns)
        os.close(handle)
    return -1, _NONE


def _read_heads(
    handles: list[int], sizes: list[int], which: list[int], count: int, out: list[OpenSlice | None]
) -> list[int]:
    """Walk the heads of some files; those of which more must be read."""
    if not which:
        return []
    arena, counts = np.empty(len(which) * count, np.uint8), []
    for n, i in enumerate(which):
        try:
            counts.append(os.preadv(handles[i], [arena[n * count : (n + 1) * count].data], 0))
        except OSError:
            counts.append(0)
    walked = _Walked(frozen(arena), count, counts, [sizes[i] for i in which])
    for n, i in enumerate(which):
        out[i] = walked.slice_of(n, handles[i])
    return [i for n, i in enumerate(which) if walked.is_unfinished(n) and sizes[i] > count]


class _Walked:
    """What a walk over some heads has found.

    Args:
        arena: The heads, `count` bytes apart.
        count: Bytes that there are room for.
        counts: Bytes of each.
        sizes: Bytes of each file.
    """

    def __init__(self, arena: NDArray[np.uint8], count: int, counts: list[int], sizes: list[int]) -> None:
        n, width = len(counts), len(_KEYWORDS)
        self._sizes = sizes
        self._arena, self._begins = arena, np.arange(n, dtype=np.int64) * count
        self._cells = (
            np.full((n, width), -1, np.int64),
            np.full((n, width), -1, np.int32),
            np.zeros((n, width), np.int32),
        )
        self._state = np.zeros((n, steps.STATES), np.int64)
        stacks = np.empty((n, 2 * steps.MAX_DEPTH), np.int64)
        windows = np.stack([self._begins, np.zeros(n, np.int64), np.array(counts, np.int64)], axis=1)
        which, bounds = np.arange(n), steps.bounds_of(DEFAULT_LIMITS)
        total = np.array(sizes, np.int64)
        walk(arena, 0, which, windows, total, self._state, stacks, _WANT, self._cells, slots.TABLES, bounds)
        values, status = np.zeros((n, len(_READ))), np.zeros((n, width), np.uint8)
        extra, sign = frozen(np.empty(0, np.uint8)), _SLOT["PixelRepresentation"]
        read_numbers(arena, extra, self._cells, _NUMBER_SLOTS, _RULES, _FORMS, sign, values, status)
        found = status[:, _NUMBER_SLOTS]
        is_clear = ((found == GOOD) | (found == ABSENT)).all(axis=1)
        # an overlay that has more bits than one lies among those of the pixels
        overlays = slice(len(_NUMBERS), None)
        is_clear &= ((found[:, overlays] != GOOD) | (values[:, overlays] == 1)).all(axis=1)
        self._is_clear = is_clear.tolist()
        self._values = values[:, : len(_NUMBERS)].tolist()
        self._is_there = (found[:, : len(_NUMBERS)] == GOOD).tolist()
        self._states = self._state.tolist()

    def is_unfinished(self, n: int) -> bool:
        """Whether the header goes on behind its head."""
        return bool(self._states[n][steps.NEED] > 0 and not self._states[n][steps.PIXELS])

    def slice_of(self, n: int, handle: int) -> OpenSlice | None:
        """One file as it can be read; None where there is anything unusual about it."""
        state = self._states[n]
        # of the fragments no more than the beginning is in the head
        is_read = state[steps.PHASE] == steps.DONE or state[steps.PIXELS] == 2
        if not is_read or not state[steps.PIXELS] or not self._is_clear[n]:
            return None
        texts = tuple(self._text(n, keyword) for keyword in _TEXTS)
        meant = _meant(tuple(self._values[n]), tuple(self._is_there[n]), texts)
        if meant is None:
            return None
        shape, dtype, plane = meant
        head = 12 if state[steps.EXPLICIT] else 8
        at = int(self._begins[n]) + state[steps.OFFSET] - head
        if self._arena[at : at + 4].tobytes() != _PIXEL_DATA:
            return None
        if state[steps.SYNTAX] == steps.ENCAPSULATED:
            return self._compressed(n, handle, shape, dtype, texts[2] or "", plane)
        n_more = state[steps.LENGTH] - shape[0] * shape[1] * dtype.itemsize
        if state[steps.PIXELS] != 1 or not 0 <= n_more <= MAX_PADDING_BYTES:
            return None
        return NativeSlice(
            handle=handle,
            offset=state[steps.OFFSET],
            length=state[steps.LENGTH],
            head=head,
            shape=shape,
            dtype=dtype,
            plane=plane,
        )

    def _compressed(
        self, n: int, handle: int, shape: tuple[int, int], dtype: np.dtype[Any], syntax: str, plane: Plane
    ) -> CompressedSlice | None:
        offset, size = self._states[n][steps.OFFSET], self._sizes[n]
        if self._states[n][steps.PIXELS] != 2 or size - offset > MAX_FRAME_BYTES:
            return None
        bits = plane.bits_stored or 8 * dtype.itemsize
        layout = Layout(rows=shape[0], columns=shape[1], bits_stored=bits, dtype=dtype)
        return CompressedSlice(
            handle=handle, offset=offset, size=size, layout=layout, syntax=syntax, plane=plane
        )

    def _text(self, n: int, keyword: str) -> str | None:
        """A text of plain letters, "" where there is none; None where it is anything else."""
        slot = _SLOT[keyword]
        at, count = int(self._cells[0][n, slot]), int(self._cells[1][n, slot])
        raw = self._arena[at : at + max(count, 0)].tobytes() if at >= 0 else b""
        text = raw.strip(b" \0")
        is_plain = text.replace(b"_", b"").replace(b".", b"").isalnum()
        return text.decode("ascii") if is_plain or not text else None


@lru_cache(maxsize=64)
def _meant(
    values: tuple[float, ...], is_there: tuple[bool, ...], texts: tuple[str | None, ...]
) -> tuple[tuple[int, int], np.dtype[Any], Plane] | None:
    """Shape, type and plane of a slice, the same in most slices of a stack; None where there is anything unusual."""
    told = zip(_NUMBERS, values, is_there, strict=True)
    number = {keyword: value if is_there else None for keyword, value, is_there in told}
    shape, dtype = _layout_of(number), _dtype_of(number)
    if shape is None or dtype is None or None in texts or (texts[0] or "MONOCHROME2") not in GREY:
        return None
    slope, intercept, bits = number["RescaleSlope"], number["RescaleIntercept"], number["BitsStored"]
    plane = Plane(
        slope=1.0 if slope is None else slope,
        intercept=intercept or 0.0,
        bits_stored=_whole(bits),
        padding=_whole(number["PixelPaddingValue"]),
        padding_limit=_whole(number["PixelPaddingRangeLimit"]),
        suv_type=texts[1] or "",
    )
    return shape, dtype, plane


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _layout_of(number: dict[str, float | None]) -> tuple[int, int] | None:
    """Rows and columns of one grey frame; None where it is anything else."""
    rows, columns = _whole(number["Rows"]), _whole(number["Columns"])
    is_grey = number["SamplesPerPixel"] in {None, 1.0} and number["NumberOfFrames"] in {None, 0.0, 1.0}
    if not is_grey or not rows or not columns or min(rows, columns) < 0:
        return None
    return rows, columns


def _dtype_of(number: dict[str, float | None]) -> np.dtype[Any] | None:
    """Type of the stored values; None where the attributes that tell it are not what they should be."""
    bits, sign = number["BitsAllocated"], number["PixelRepresentation"]
    stored, high = number["BitsStored"], number["HighBit"]
    if bits not in {8.0, 16.0, 32.0} or sign not in {None, 0.0, 1.0}:
        return None
    stored = bits if stored is None else stored
    if not 0 < stored <= bits or high not in {None, stored - 1}:
        return None
    return np.dtype(f"{'i' if sign else 'u'}{int(bits) // 8}")
