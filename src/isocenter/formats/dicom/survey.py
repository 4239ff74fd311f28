"""Hard limits on the header of a DICOM file, held before any library parses it."""

from __future__ import annotations

import io
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO

import numpy as np
import pydicom
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.bytes import refuse_size
from isocenter.formats.dicom import structure
from isocenter.formats.dicom.once import AGAIN, PLACE_COLUMNS, name_of, tags_once
from isocenter.formats.limits import DEFAULT_LIMITS, Limits

# A deflated data set is one object, of one slice as a rule.
MAX_INFLATED_BYTES = 256 << 20
_PIECE_BYTES, _INFLATED_PIECE = 64 << 10, 4 << 20
_TEXTS = {"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
_VRS = {vr.value.encode() for vr in pydicom.valuerep.VR}
_NOTHING_WANTED = np.zeros(0, np.int64)
_BIG_FIRST = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """The structure of a header, without its values.

    Args:
        elements: Elements at all depths.
        depth: Sequences inside sequences.
        items: Items of the longest sequence.
        text_bytes: Length of the longest text value.
        header_bytes: Bytes of heads and values, but for long ones that are no text.
        pixels: Where the pixel data begin, None where there are none or they were not reached.
        frames: Items of the per-frame functional groups, 0 without them.
        groups: Where the functional groups begin and end, None without them.
        start: Where the data set begins, behind the file meta information.
        has_regions: Whether one of the large sequences of a structure set is there.
        found: Where the wanted elements of the functional groups are, a row for each.
        is_complete: Whether the walk could be followed to the pixel data or the end.
        is_damaged: Whether parts of the functional groups could not be followed.
        is_ordered: Whether nothing that belongs before the functional groups comes after them.
        is_big: Whether numbers are big endian.
        is_implicit: Whether the VRs of the data set are not written.
        repeated: Names of elements that are there several times, with one value.
        source: The bytes that were walked over: the file, or what it inflates to.
        is_inflated: Whether they are not those of the file.
        wanted: The wanted elements of the data set itself, in the order of their tags: tag, VR, and where and how long the
            value is.
        is_whole: Whether nothing lies between the end of the walk and the pixel data or the end, and each of the wanted
            elements is there once.
        meta_end: Where the file meta information ends in the file.
    """

    elements: int
    depth: int
    items: int
    text_bytes: int
    header_bytes: int
    pixels: int | None
    frames: int
    groups: tuple[int, int] | None
    start: int
    has_regions: bool
    found: NDArray[np.int64]
    is_complete: bool
    is_damaged: bool
    is_ordered: bool
    is_big: bool
    is_implicit: bool
    repeated: tuple[str, ...]
    source: BinaryIO
    is_inflated: bool
    wanted: NDArray[np.int64]
    is_whole: bool
    meta_end: int


def refuse_late(deadline: float, limits: Limits) -> None:
    """Refuse a header that has taken its time; `deadline` is one of the monotonic clock."""
    late = time.monotonic() - deadline
    if late > 0:
        raise FormatError(
            "file/limit",
            "the header takes too long to read",
            measured=f"{limits.seconds + late:.1f} s",
            expected=f"at most {limits.seconds:g} s",
        )


def check_structure(
    file: BinaryIO,
    size: int,
    limits: Limits,
    wanted: NDArray[np.int64] = _NOTHING_WANTED,
    deadline: float = float("inf"),
    tags: NDArray[np.int64] = _NOTHING_WANTED,
) -> Survey:
    """Survey a header and refuse what is beyond a limit, contradicts itself or ends early.

    What is merely odd (an unknown VR, tags out of order) is left to the parser.

    Args:
        file: The open file.
        size: Its bytes.
        limits: What a header may cost.
        wanted: Elements of the functional groups to locate, as sequence << 32 | tag, in order.
        deadline: When the time for this file is over, by the monotonic clock.
        tags: Elements of the data set itself to locate, in order.

    Raises:
        FormatError: file/limit, file/truncated, file/corrupt, or file/too-large for a deflated file.
    """
    steps = _Steps(file, size, limits, (wanted, tags), lambda: refuse_late(deadline, limits))
    status = steps.run()
    _refuse(status, steps, limits)
    state = steps.state
    repeated = int(state[structure.REPEATED])
    if repeated:
        raise FormatError(
            "file/corrupt", "an element is there twice", measured=name_of(repeated), expected="once"
        )
    begin, end = int(state[structure.GROUPS]), int(state[structure.GROUPS_END])
    return Survey(
        elements=int(state[structure.ELEMENTS]),
        depth=int(state[structure.DEEPEST]),
        items=int(state[structure.MOST_ITEMS]),
        text_bytes=int(state[structure.LONGEST_TEXT]),
        header_bytes=int(state[structure.VALUE_BYTES]),
        pixels=int(state[structure.PIXELS]) if state[structure.PIXELS] >= 0 else None,
        frames=int(state[structure.FRAMES]),
        groups=(begin, end) if begin >= 0 else None,
        start=steps.start,
        has_regions=bool(state[structure.HAS_REGIONS]),
        found=steps.found[: state[structure.FOUND]],
        is_complete=status == structure.DONE,
        is_damaged=bool(state[structure.IS_DAMAGED]) or (begin >= 0 and end < 0),
        is_ordered=not state[structure.IS_UNORDERED],
        is_big=bool(state[structure.BIG]),
        is_implicit=bool(state[structure.IMPLICIT]),
        repeated=steps.repeated(),
        source=steps.file,
        is_inflated=steps.file is not file,
        wanted=steps.tops[steps.tops[:, 0] > 0],
        is_whole=not state[structure.TOP_AGAIN]
        and bool(state[structure.PIXELS] >= 0 or state[structure.POSITION] == state[structure.SIZE]),
        meta_end=steps.meta_end,
    )


def _refuse(status: int, steps: _Steps, limits: Limits) -> None:
    state = steps.state
    at_limit = {
        structure.TOO_MANY_ELEMENTS: (structure.ELEMENTS, limits.elements, "elements"),
        structure.TOO_DEEP: (structure.DEEPEST, limits.depth, "nested sequences"),
        structure.TOO_MANY_ITEMS: (structure.MOST_ITEMS, limits.items, "items in a sequence"),
        structure.TOO_LONG: (structure.LONGEST_TEXT, limits.value_bytes, "bytes in a text"),
        structure.TOO_LARGE: (structure.VALUE_BYTES, limits.header_bytes, "bytes of header"),
    }
    if status in at_limit:
        place, limit, unit = at_limit[status]
        measured = max(
            int(state[place]), int(state[structure.ALL_ITEMS]) if place == structure.ELEMENTS else 0
        )
        raise FormatError(
            "file/limit",
            "the header is beyond a limit",
            measured=f"{measured:,} {unit}",
            expected=f"at most {limit:,}",
        )
    if status == structure.BEYOND:
        raise FormatError(
            "file/truncated",
            "an element ends beyond the file",
            measured=f"{state[structure.SIZE]} bytes",
            expected=f"{state[structure.MISFIT]} bytes",
        )
    if status == structure.LONGER:
        raise FormatError("file/corrupt", "an item or element is longer than what holds it")
    if status == structure.ENDLESS:
        raise FormatError("file/truncated", "a sequence has no end")


def inflated_bytes(data: bytes) -> int:
    """Bytes that a deflated data set inflates to (PS3.5 A.5, RFC 1951), by a try that keeps nothing.

    Raises:
        FormatError: it ends early, or grows beyond a sane size.
    """
    stream, left, total = zlib.decompressobj(wbits=-15), data, 0
    while not stream.eof:
        piece = stream.decompress(left, _INFLATED_PIECE)
        left, total = stream.unconsumed_tail, total + len(piece)
        refuse_size(total, MAX_INFLATED_BYTES)
        if not piece and not left and not stream.eof:
            raise FormatError("file/truncated", "the deflated data set ends early")
    return total


@cache
def prepare() -> None:
    """Load or compile the walk, so that the first file's clock does not pay for it."""
    check_structure(io.BytesIO(), 0, DEFAULT_LIMITS)


@cache
def sequence_tags() -> NDArray[np.int64]:
    """Tags of the dictionary that are sequences, in order."""
    tags, kinds = _dictionary()
    sequences: NDArray[np.int64] = tags[kinds == structure.SEQUENCE]
    return sequences


@cache
def _dictionary() -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Tags of the dictionary in order, and what each is: text, a sequence or neither."""
    entries = sorted(pydicom.datadict.DicomDictionary.items())
    kinds = [
        structure.SEQUENCE if e[0] == "SQ" else structure.TEXT if e[0] in _TEXTS else structure.OTHER
        for _, e in entries
    ]
    return np.array([tag for tag, _ in entries], np.int64), np.array(kinds, np.uint8)


class _Steps:
    """A walk through one file in pieces: file meta, command group, data set (as pydicom takes them)."""

    def __init__(
        self,
        file: BinaryIO,
        size: int,
        limits: Limits,
        wanted: tuple[NDArray[np.int64], NDArray[np.int64]],
        refuse: Callable[[], None],
    ) -> None:
        self.file, self._refuse_late, self.start, self.meta_end = file, refuse, 0, 0
        self.tops = np.zeros((len(wanted[1]), PLACE_COLUMNS), np.int64)
        self.state = np.zeros(structure.STATE_SIZE, np.int64)
        self.state[structure.SIZE] = size
        for place in (
            structure.PIXELS,
            structure.GROUPS,
            structure.GROUPS_END,
            structure.SYNTAX,
        ):
            self.state[place] = -1
        self._stack = np.zeros((2 * limits.depth + 4, structure.STACK_COLUMNS), np.int64)
        self._limits = np.array(
            [limits.elements, limits.depth, limits.items, limits.value_bytes, limits.header_bytes], np.int64
        )
        self._once = np.zeros((len(tags_once()), 2), np.int64)
        self._tables = (*_dictionary(), wanted[0], tags_once(), self._once, wanted[1], self.tops)
        self.found = np.zeros((0, structure.FOUND_COLUMNS), np.int64)
        self._data = np.zeros(0, np.uint8)

    def run(self) -> int:
        """Walk to the pixel data, the end, a limit or a fault."""
        self.state[structure.POSITION] = 132 if self._peek(132)[128:] == b"DICM" else 0
        for group, start in ((2, b"\2\0"), (0, b"\0\0")):
            head = self._peek(6)
            if head[:2] == start:
                self.state[structure.IMPLICIT] = int(group == 0 or not _is_vr(head))
                status = self._walk(group)
                if status != structure.DONE:
                    return status
        # those of the file meta information and of the command group are none of the data set
        self.tops[:], self.state[structure.TOP_AGAIN] = 0, 0
        self.meta_end = int(self.state[structure.POSITION])
        self._begin_data_set()
        return self._walk(-1)

    def repeated(self) -> tuple[str, ...]:
        """Names of the elements that are there several times."""
        return tuple(map(name_of, tags_once()[self._once[:, AGAIN] == 1].tolist()))

    def _begin_data_set(self) -> None:
        """Find out how the data set is written: as the transfer syntax says, unless its first element differs."""
        state, syntax = self.state, b""
        if state[structure.SYNTAX] >= 0:
            self.file.seek(int(state[structure.SYNTAX]))
            syntax = self.file.read(min(int(state[structure.SYNTAX_BYTES]), 64)).strip(b" \0")
        if syntax == pydicom.uid.DeflatedExplicitVRLittleEndian.encode():
            self.file.seek(int(state[structure.POSITION]))
            data = self.file.read(MAX_INFLATED_BYTES)
            size = inflated_bytes(data)
            self.file = io.BytesIO(zlib.decompress(data, wbits=-15, bufsize=size))
            state[structure.POSITION], state[structure.SIZE], state[structure.BASE] = 0, size, 0
            self._data = np.zeros(0, np.uint8)
        self.start = int(state[structure.POSITION])
        head = self._peek(6)
        is_big = syntax == pydicom.uid.ExplicitVRBigEndian.encode()
        if state[structure.SYNTAX] < 0 and head[4:6] in _VRS:
            is_big = int.from_bytes(head[:2], "little") >= _BIG_FIRST
        state[structure.BIG], state[structure.IMPLICIT] = int(is_big), int(not _is_vr(head))

    def _peek(self, count: int) -> bytes:
        self.file.seek(int(self.state[structure.POSITION]))
        return self.file.read(count)

    def _walk(self, group: int) -> int:
        state = self.state
        while True:
            status = int(
                structure.walk(self._data, group, state, self._stack, self._limits, self._tables, self.found)
            )
            if status == structure.MORE:
                self._fill()
            elif status == structure.FULL:
                room = max(1024, 2 * len(self.found))
                grown = np.zeros((room, structure.FOUND_COLUMNS), np.int64)
                grown[: len(self.found)] = self.found
                self.found = grown
            else:
                return status

    def _fill(self) -> None:
        self._refuse_late()
        at = int(self.state[structure.POSITION])
        data = self._peek(_PIECE_BYTES)
        if len(data) < min(_PIECE_BYTES, int(self.state[structure.SIZE]) - at):
            raise FormatError("file/changed", "the file became shorter while it was read")
        self._data, self.state[structure.BASE] = np.frombuffer(data, np.uint8), at


def _is_vr(head: bytes) -> bool:
    """Whether two capital letters follow the tag: a length would have to be beyond 16 KiB to look so."""
    return len(head) >= 6 and all(0x40 < letter < 0x5B for letter in head[4:6])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FunctionalGroups:
    """The wanted values of the functional groups of one object (PS3.3 C.7.6.16), as they are stored.

    Args:
        data: Bytes of the groups.
        found: A row for each value: which of the wanted, frame (-1: shared), offset and length in `data`, VR.
        frames: Items of the per-frame functional groups.
        is_big: Whether numbers are big endian.
    """

    data: bytes
    found: NDArray[np.int64]
    frames: int
    is_big: bool


def groups_of(survey: Survey, limits: Limits) -> FunctionalGroups | None:
    """Read what was found in the functional groups; None where there are none.

    Raises:
        FormatError: they are broken, or larger than a header may be.
    """
    if survey.groups is None:
        return None
    if survey.is_damaged:
        raise FormatError("file/corrupt", "the functional groups are broken")
    begin, end = survey.groups
    if end - begin > limits.header_bytes:
        raise FormatError(
            "file/limit",
            "the functional groups are larger than a header may be",
            measured=f"{end - begin:,} bytes",
            expected=f"at most {limits.header_bytes:,}",
        )
    survey.source.seek(begin)
    found = survey.found.copy()
    found[:, structure.OFFSET] -= begin
    data = survey.source.read(end - begin)
    _refuse_contradiction(data, found)
    return FunctionalGroups(data=data, found=found, frames=survey.frames, is_big=survey.is_big)


def _refuse_contradiction(data: bytes, found: NDArray[np.int64]) -> None:
    """Refuse groups that say one thing of one frame twice, and differently (PS3.5 7.1)."""
    order = np.lexsort((found[:, structure.FRAME], found[:, structure.KEY]))
    names = found[order][:, [structure.KEY, structure.FRAME]]
    for n in np.flatnonzero((names[1:] == names[:-1]).all(axis=1)).tolist():
        (at, length), (again, other) = found[order[n : n + 2]][
            :, [structure.OFFSET, structure.LENGTH]
        ].tolist()
        if data[at : at + length].strip(b" \0") != data[again : again + other].strip(b" \0"):
            raise FormatError("file/corrupt", "the functional groups say one thing twice, and differently")
