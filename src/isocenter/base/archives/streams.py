"""Stored and compressed runs of bytes, read at any place: compressed ones from marks where reading can begin anew."""

from __future__ import annotations

import bz2
import itertools
import lzma
import os
import zlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from isocenter.base.errors import FormatError

GZIP = b"\x1f\x8b"
# A copy of a decompressor is about 50 KiB; when there are too many marks, every second one goes.
MARK_BYTES, MAX_MARKS = 4 << 20, 1024
# Blocks of decompressed bytes that are kept, of all streams together.
BLOCK_BYTES, MAX_BLOCKS = 1 << 20, 64
# A dictionary of LZMA is memory that is taken before a byte is read.
MAX_DICTIONARY_BYTES = 64 << 20
_FIRST_IN, _PIECE_IN, _PIECE_OUT = 8 << 10, 64 << 10, 1 << 20
# Blocked gzip (BGZF) has a stream for every 64 KiB; streams by the million that hold nothing only cost time.
_MANY_STREAMS, _LEAST_BYTES = 1 << 16, 4096
_MAX_PADDING_BYTES = 1 << 20

_serials = itertools.count()
_BLOCKS: OrderedDict[tuple[int, int], bytes] = OrderedDict()


class Source(Protocol):
    """Bytes that can be read at a place; fewer come back only at the end."""

    is_sequential: bool

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to so many bytes from an offset on."""


class Stored:
    """Bytes of an open file as they are."""

    is_sequential = False

    def __init__(self, fd: int, begin: int, end: int) -> None:
        self._fd, self._begin, self._size = fd, begin, end - begin

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to so many bytes from an offset on."""
        count = max(0, min(count, self._size - offset))
        return os.pread(self._fd, count, self._begin + offset) if count else b""


class Decoder(Protocol):
    """A decompressor that is given input when it wants some, and gives no more output than it is asked for."""

    def next(self, data: bytes, count: int) -> bytes:
        """Up to so many bytes; `data` is empty unless input was wanted."""

    def wants_input(self) -> bool:
        """Whether all input that was given has been used."""

    def rest(self) -> bytes | None:
        """None before the end of the stream; then the input behind it."""

    def copy(self) -> Decoder | None:
        """A decoder in the same state; None where the library has no such thing."""


class Deflate:
    """DEFLATE, raw (`wbits=-15`) or as gzip with its check sums (`wbits=31`)."""

    def __init__(self, wbits: int, stream: Any = None) -> None:
        self._wbits, self._stream = wbits, stream or zlib.decompressobj(wbits=wbits)

    def next(self, data: bytes, count: int) -> bytes:
        """Up to so many bytes."""
        out: bytes = self._stream.decompress(data or self._stream.unconsumed_tail, count)
        return out

    def wants_input(self) -> bool:
        """Whether all input that was given has been used."""
        return not self._stream.unconsumed_tail

    def rest(self) -> bytes | None:
        """None before the end of the stream; then the input behind it."""
        return self._stream.unused_data if self._stream.eof else None

    def copy(self) -> Decoder | None:
        """A decoder in the same state."""
        return Deflate(self._wbits, self._stream.copy())


class Other:
    """bzip2 and LZMA, by the standard library."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def next(self, data: bytes, count: int) -> bytes:
        """Up to so many bytes."""
        out: bytes = self._stream.decompress(data, count)
        return out

    def wants_input(self) -> bool:
        """Whether all input that was given has been used."""
        return bool(self._stream.needs_input)

    def rest(self) -> bytes | None:
        """None before the end of the stream; then the input behind it."""
        return self._stream.unused_data if self._stream.eof else None

    def copy(self) -> Decoder | None:
        """Not possible."""
        return None


def bzip2() -> Decoder:
    """A decoder for bzip2."""
    return Other(bz2.BZ2Decompressor())


def raw_lzma(properties: bytes) -> Decoder:
    """A decoder for LZMA as zip has it, from the five bytes of its properties (APPNOTE 5.8.8)."""
    if len(properties) < 5:
        raise FormatError("file/truncated", "a compressed stream of the archive ends early")
    first, dictionary = properties[0], int.from_bytes(properties[1:5], "little")
    if first >= 225:
        raise FormatError("file/corrupt", "a compressed stream of the archive is broken")
    if dictionary > MAX_DICTIONARY_BYTES:
        raise FormatError("file/too-large", "the dictionary of a compressed member is beyond the limit")
    known = {"lc": first % 9, "lp": first // 9 % 5, "pb": first // 45, "dict_size": max(dictionary, 4096)}
    filters = [{"id": lzma.FILTER_LZMA1, **known}]
    return Other(lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=filters))


@dataclass(slots=True)
class Mark:
    """A place of a compressed stream where reading can begin."""

    out_at: int
    in_at: int
    decoder: Decoder


class Marks:
    """The places of one stream where reading can begin, bounded in number."""

    def __init__(self) -> None:
        self.serial = next(_serials)
        self._marks: list[Mark] = []
        self._step = MARK_BYTES
        # where the last reader stopped (one at most): reading in order never starts anew
        self.spare: list[Mark] = []

    def __len__(self) -> int:
        return len(self._marks)

    def is_due(self, out_at: int) -> bool:
        """Whether a mark is wanted here."""
        return out_at >= self._step + (self._marks[-1].out_at if self._marks else 0)

    def add(self, mark: Mark) -> None:
        """Keep a mark that is further than all others."""
        self._marks.append(mark)
        if len(self._marks) > MAX_MARKS:
            self._marks, self._step = self._marks[1::2], 2 * self._step

    def before(self, out_at: int) -> Mark | None:
        """The last mark that is not behind a place."""
        at = bisect_right(self._marks, out_at, key=lambda m: m.out_at)
        mark = self._marks[at - 1] if at else None
        return mark if mark is None or mark.out_at <= out_at else None


class Inflated:
    """Compressed bytes of an open file, read as what they decompress to.

    Args:
        fd: The open file.
        begin: Where the stream begins in it.
        end: Where it ends.
        start: Makes the decoder.
        marks: Where reading can begin; those of a stream that is opened again and again are kept by its owner.
        is_gzip: Whether more streams may follow, and zeros (RFC 1952, 2.2).
    """

    is_sequential = True

    def __init__(
        self,
        fd: int,
        begin: int,
        end: int,
        start: Callable[[], Decoder],
        *,
        marks: Marks | None = None,
        is_gzip: bool = False,
    ) -> None:
        self._fd, self._begin, self._end, self._start = fd, begin, end, start
        self.marks, self._is_gzip = Marks() if marks is None else marks, is_gzip
        self._streams = 1
        self._piece = _FIRST_IN
        try:
            self._at = self.marks.spare.pop()
        except IndexError:
            self._at = Mark(0, begin, start())

    def leave(self) -> None:
        """Let the next reader of the stream go on from here."""
        self.marks.spare[:] = [self._at]

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to so many bytes from an offset on."""
        self._go_to(offset)
        out = []
        while count and (piece := self._next(count)):
            out.append(piece)
            count -= len(piece)
        return out[0] if len(out) == 1 else b"".join(out)

    def begins_at(self, offset: int) -> int:
        """From where on it has to decompress to read at a place."""
        mark = self.marks.before(offset)
        known = mark.out_at if mark else 0
        return max(known, self._at.out_at) if self._at.out_at <= offset else known

    def check_end(self) -> None:
        """Refuse a stream that goes on behind what was read, or does not end there."""
        if self._next(1):
            raise FormatError("file/corrupt", "a member of the archive is longer than it says")

    def _go_to(self, offset: int) -> None:
        mark = self.marks.before(offset)
        known = mark.out_at if mark else 0
        if offset < self._at.out_at or known > self._at.out_at:
            copy = mark.decoder.copy() if mark else None
            self._at = (
                Mark(mark.out_at, mark.in_at, copy) if mark and copy else Mark(0, self._begin, self._start())
            )
        while self._at.out_at < offset and self._next(min(offset - self._at.out_at, _PIECE_OUT)):
            pass

    def _next(self, count: int) -> bytes:
        """Up to so many further bytes; none at the end."""
        at = self._at
        while True:
            rest = at.decoder.rest()
            if rest is not None and not self._follow(len(rest)):
                return b""
            is_wanting = at.decoder.wants_input()
            data = b""
            if is_wanting:
                data = os.pread(self._fd, max(0, min(self._piece, self._end - at.in_at)), at.in_at)
                at.in_at += len(data)
                self._piece = _PIECE_IN
            out = self._decoded(data, count)
            if out:
                at.out_at += len(out)
                self._mark()
                return out
            if is_wanting and not data and at.decoder.rest() is None:
                raise FormatError("file/truncated", "a compressed stream of the archive ends early")

    def _decoded(self, data: bytes, count: int) -> bytes:
        try:
            return self._at.decoder.next(data, count)
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError):
            self._at = Mark(0, self._begin, self._start())
            raise FormatError("file/corrupt", "a compressed stream of the archive is broken") from None

    def _mark(self) -> None:
        at = self._at
        if self.marks.is_due(at.out_at) and at.decoder.wants_input() and at.decoder.rest() is None:
            copy = at.decoder.copy()
            if copy is not None:
                self.marks.add(Mark(at.out_at, at.in_at, copy))

    def _follow(self, unused: int) -> bool:
        """Go on with the gzip stream behind the one that has ended, if there is one."""
        at = self._at
        if not self._is_gzip:
            return False
        begin = at.in_at - unused
        if os.pread(self._fd, 2, begin) == GZIP:
            self._streams += 1
            if self._streams > _MANY_STREAMS and at.out_at < self._streams * _LEAST_BYTES:
                raise FormatError("file/too-large", "too many compressed streams that hold next to nothing")
            at.in_at, at.decoder = begin, self._start()
            return True
        left = os.pread(self._fd, _MAX_PADDING_BYTES + 1, begin)
        if len(left) > _MAX_PADDING_BYTES or left.strip(b"\0"):
            raise FormatError("file/corrupt", "bytes follow the compressed stream of the archive")
        return False


class Blocks:
    """A stream that is opened again and again, read in blocks: those around the last places are kept."""

    is_sequential = False

    def __init__(self, stream: Inflated) -> None:
        self._stream = stream
        self.leave = stream.leave

    def read_at(self, offset: int, count: int) -> bytes:
        """Up to so many bytes from an offset on."""
        out = []
        while count > 0:
            index, at = divmod(offset, BLOCK_BYTES)
            piece = self._block(index)[at : at + count]
            if not piece:
                break
            out.append(piece)
            offset, count = offset + len(piece), count - len(piece)
        return out[0] if len(out) == 1 else b"".join(out)

    def _block(self, index: int) -> bytes:
        serial = self._stream.marks.serial
        found = _BLOCKS.pop((serial, index), None)
        if found is None:
            # what has to be decompressed on the way will be asked for next by who reads backwards
            first = -(-self._stream.begins_at(index * BLOCK_BYTES) // BLOCK_BYTES)
            for number in range(max(first, index - MAX_BLOCKS // 2), index):
                _keep(serial, number, self._stream.read_at(number * BLOCK_BYTES, BLOCK_BYTES))
            found = self._stream.read_at(index * BLOCK_BYTES, BLOCK_BYTES)
        _keep(serial, index, found)
        return found


def _keep(serial: int, index: int, block: bytes) -> None:
    _BLOCKS[serial, index] = block
    while len(_BLOCKS) > MAX_BLOCKS:
        _BLOCKS.popitem(last=False)
