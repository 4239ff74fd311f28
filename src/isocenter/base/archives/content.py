"""One member of an archive as an open file: seekable, of known size, with its check sum looked at."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from types import TracebackType
from typing import Any

from isocenter.base.archives.streams import Inflated, Source
from isocenter.base.errors import FormatError

# Who reads no more than this of a member, and no more than a quarter, reads its header; who reads more has to have
# it right to the last bit.
HEADER_BYTES = 64 << 10
_PIECE, _BUFFER = 1 << 20, 16 << 10


class Content(io.RawIOBase):
    """The bytes of one member.

    Args:
        source: Where they are read from.
        start: Where they begin there.
        size: How many they are.
        close: Called once, at the end.
        checksum: CRC-32 of all of them; None where the archive has none, or has been checked as a whole.
        is_closed: Whether the end of the source must be the end of the member.
    """

    def __init__(
        self,
        source: Source,
        start: int,
        size: int,
        close: Callable[[], None],
        *,
        checksum: int | None = None,
        is_closed: bool = True,
    ) -> None:
        super().__init__()
        self.size = size
        self._source, self._start, self._close = source, start, close
        self._checksum, self._is_closed = checksum, is_closed
        self._at = self._delivered = self._summed = self._sum = 0
        self._is_right = checksum is None

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; beyond the end there is nothing."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("a place before the beginning")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read into memory; 0 at the end."""
        view = memoryview(buffer).cast("B")
        data = self._read(min(len(view), _PIECE))
        view[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        """All that is left."""
        pieces = []
        while piece := self._read(_PIECE):
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Let go of the archive."""
        if not self.closed:
            super().close()
            self._close()

    def finish(self) -> None:
        """Check the member to its end, unless no more than its header was read.

        Raises:
            FormatError: it ends early, is longer than it says, or its check sum is wrong.
        """
        is_header = self._delivered <= min(HEADER_BYTES, self.size // 4) and self.size > HEADER_BYTES
        if self._delivered and not is_header and not self._is_right:
            self._sum_to(self.size)

    def _read(self, count: int) -> bytes:
        if self._source.is_sequential and not self._is_right and self._summed < self._at <= self.size:
            self._sum_to(self._at)
        data = self._bytes(self._at, count)
        self._at += len(data)
        self._delivered += len(data)
        return data

    def _bytes(self, at: int, count: int) -> bytes:
        count = max(0, min(count, self.size - at))
        if not count:
            return b""
        data = self._source.read_at(self._start + at, count)
        if len(data) < count:
            raise FormatError("file/truncated", "a member of the archive ends early")
        if not self._is_right and at <= self._summed < at + count:
            self._sum = zlib.crc32(memoryview(data)[self._summed - at :], self._sum)
            self._summed = at + count
            if self._summed == self.size:
                self._check()
        return data

    def _sum_to(self, end: int) -> None:
        while self._summed < end:
            self._bytes(self._summed, min(_PIECE, end - self._summed))

    def _check(self) -> None:
        if self._is_closed and isinstance(self._source, Inflated):
            self._source.check_end()
        if self._sum != self._checksum:
            raise FormatError("file/corrupt", "the check sum of a member of the archive is wrong")
        self._is_right = True


class MemberFile(io.BufferedReader):
    """An open member; leaving its `with` block checks what was read of it.

    Args:
        content: Its bytes.
        mtime_ns: When the archive that is open was last written.
    """

    def __init__(self, content: Content, mtime_ns: int) -> None:
        super().__init__(content, _BUFFER)
        self.size, self.mtime_ns = content.size, mtime_ns
        self._content = content

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Check the member, unless there is an error already, and close it."""
        try:
            if kind is None and not self.closed:
                self._content.finish()
        finally:
            super().__exit__(kind, error, trace)
