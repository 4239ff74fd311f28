"""Encapsulated pixel data (PS3.5 A.4): which bytes are which frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from struct import Struct

from isocenter.base.errors import FormatError

MAX_FRAGMENTS = 100_000
_HEAD = Struct("<4sI")
_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_CODESTREAM_END = b"\xff\xd9"
# Padding may follow the last marker of a codestream.
_ENDING = 10

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Encapsulated:
    """The frames of one object, each made when it is asked for.

    Args:
        data: The bytes that hold the fragments.
        frames: For each frame where its fragments begin and end in the data.
        end: Where the pixel data end in the data.
    """

    data: memoryview
    frames: tuple[tuple[Span, ...], ...]
    end: int

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, number: int) -> bytes | memoryview:
        """The codestream of a frame: as it lies in the data, or its fragments joined."""
        spans = self.frames[number]
        if len(spans) == 1:
            return self.data[spans[0][0] : spans[0][1]]
        return b"".join(self.data[start:stop] for start, stop in spans)


def find_frames(
    data: bytes | bytearray | memoryview,
    n_frames: int = 1,
    *,
    at: int = 0,
    extended: tuple[bytes, bytes] | None = None,
    is_value: bool = False,
    has_markers: bool = True,
) -> Encapsulated:
    """Find the frames of encapsulated pixel data.

    Args:
        data: Bytes that hold the value of Pixel Data.
        n_frames: Number of Frames of the header.
        at: Where the value begins in the data: at the item of the Basic Offset Table.
        extended: Values of Extended Offset Table and Extended Offset Table Lengths, where the object has them.
        is_value: Whether the data are the value alone, as parsers give it: without its Sequence Delimiter.
        has_markers: Whether a codestream ends with a marker that stands nowhere else; not so for run lengths.

    Raises:
        FormatError: they end early, are not made of fragments, or are others than the tables or the header say.
    """
    view = memoryview(data).cast("B")
    items, end = _items(view, at, is_value=is_value)
    if not items:
        raise FormatError("file/truncated", "there are no pixel data")
    (table_start, table_end), *spans = items
    if not spans:
        raise FormatError("file/truncated", "there is no compressed frame")
    table = bytes(view[table_start:table_end])
    if extended is not None and any(extended):
        frames = _by_lengths(spans, _numbers(extended[0], 8), _numbers(extended[1], 8), n_frames)
    elif table:
        frames = _by_offsets(spans, _numbers(table, 4), n_frames)
    else:
        frames = _by_content(view, spans, n_frames, has_markers=has_markers)
    if not all(any(start < stop for start, stop in frame) for frame in frames):
        raise FormatError("file/truncated", "a compressed frame has no bytes")
    return Encapsulated(data=view, frames=frames, end=end)


def _items(view: memoryview, at: int, *, is_value: bool) -> tuple[list[Span], int]:
    """Where the value of each item begins and ends, and where the sequence does."""
    out: list[Span] = []
    size = len(view)
    while len(out) <= MAX_FRAGMENTS:
        if is_value and at == size:
            return out, at
        if at + _HEAD.size > size:
            raise FormatError("file/truncated", "the compressed pixel data end early")
        tag, length = _HEAD.unpack_from(view, at)
        if tag == _END:
            if length:
                raise FormatError("file/corrupt", "the end of the fragments has a length", measured=length)
            return out, at + 8
        if tag != _ITEM:
            raise FormatError("file/corrupt", "the compressed pixel data are not made of fragments")
        if length > size - at - 8:
            raise FormatError(
                "file/truncated",
                "a fragment ends beyond the pixel data",
                measured=f"{size - at - 8} bytes",
                expected=f"{length} bytes",
            )
        out.append((at + 8, at + 8 + length))
        at += 8 + length
    raise FormatError("file/too-large", "too many fragments", expected=MAX_FRAGMENTS)


def _numbers(table: bytes, size: int) -> list[int]:
    if len(table) % size:
        raise FormatError("file/corrupt", "an offset table has half an entry", measured=f"{len(table)} bytes")
    return [int.from_bytes(table[n : n + size], "little") for n in range(0, len(table), size)]


def _starts(spans: Sequence[Span], offsets: list[int], n_frames: int) -> list[int]:
    """Which fragment each offset means: offsets are counted from the first fragment's item."""
    if len(offsets) != n_frames:
        raise FormatError(
            "file/corrupt",
            "the offset table has another number of frames than the header",
            measured=len(offsets),
            expected=n_frames,
        )
    places = {start - spans[0][0]: n for n, (start, _) in enumerate(spans)}
    starts = [places.get(offset, -1) for offset in offsets]
    if starts[0] != 0 or any(a >= b for a, b in pairwise(starts)):
        raise FormatError("file/corrupt", "the offset table points beside the fragments")
    return starts


def _by_offsets(spans: Sequence[Span], offsets: list[int], n_frames: int) -> tuple[tuple[Span, ...], ...]:
    """Basic Offset Table: a frame goes on to the next one's first fragment."""
    starts = [*_starts(spans, offsets, n_frames), len(spans)]
    return tuple(tuple(spans[a:b]) for a, b in pairwise(starts))


def _by_lengths(
    spans: Sequence[Span], offsets: list[int], lengths: list[int], n_frames: int
) -> tuple[tuple[Span, ...], ...]:
    """Extended Offset Table: a frame is one fragment, of which it may leave out the padding (PS3.3 C.7.6.3.1.8)."""
    starts = _starts(spans, offsets, n_frames)
    if len(lengths) != n_frames or len(spans) != n_frames:
        raise FormatError(
            "file/corrupt",
            "the extended offset table has another number of frames than there are",
            measured=len(spans),
            expected=n_frames,
        )
    frames = []
    for number, length in zip(starts, lengths, strict=True):
        start, stop = spans[number]
        if not stop - start - 1 <= length <= stop - start:
            raise FormatError("file/corrupt", "the extended offset table has another length than a fragment")
        frames.append(((start, start + length),))
    return tuple(frames)


def _by_content(
    view: memoryview, spans: Sequence[Span], n_frames: int, *, has_markers: bool
) -> tuple[tuple[Span, ...], ...]:
    """No table: one fragment each, or each frame up to the last marker of its codestream."""
    if len(spans) == n_frames:
        return tuple((span,) for span in spans)
    frames: list[tuple[Span, ...]] = []
    frame: list[Span] = []
    for start, stop in spans:
        frame.append((start, stop))
        if has_markers and _CODESTREAM_END in bytes(view[max(start, stop - _ENDING) : stop]):
            frames.append(tuple(frame))
            frame = []
    rest = sum(stop - start for start, stop in frame)
    if n_frames == 1 and not frames:
        return (tuple(spans),)
    if rest or len(frames) != n_frames:
        raise FormatError(
            "file/corrupt",
            "another number of compressed frames than the header says",
            measured=len(frames) + bool(rest),
            expected=n_frames,
        )
    return tuple(frames)
