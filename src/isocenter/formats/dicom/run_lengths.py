"""RLE Lossless (PS3.5 annex G): one PackBits segment for each byte of a value, read by compiled code that keeps its bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.formats.dicom.elements import kernel
from isocenter.formats.dicom.layout import Layout

_HEADER = 64
# A last run may go on a little beyond the frame.
_MAX_EXCESS = 128


def decode_runs(frame: bytes | memoryview, layout: Layout) -> NDArray[Any]:
    """Stored values (J, I) of one frame.

    Raises:
        FormatError: the segments are not those of the allocated bits, end early, or hold more than the frame.
    """
    count = layout.dtype.itemsize
    data = np.frombuffer(frame, np.uint8)
    header = np.frombuffer(bytes(frame[:_HEADER]).ljust(_HEADER, b"\0"), "<u4")
    offsets = [int(n) for n in header[1 : count + 1]] + [len(data)]
    if int(header[0]) != count or offsets[0] < _HEADER or sorted(offsets) != offsets:
        raise FormatError("file/corrupt", "the RLE header does not fit the allocated bits")
    size = layout.rows * layout.columns
    planes = np.empty((count, size), np.uint8)
    for n in range(count):
        found = _unpack(data[offsets[n] : offsets[n + 1]], planes[n], _MAX_EXCESS)
        if found < size:
            raise FormatError("file/truncated", "an RLE segment ends early")
        if found > size + _MAX_EXCESS:
            raise FormatError("file/corrupt", "an RLE segment holds more than the frame")
    out = np.empty((layout.rows, layout.columns), f"u{count}")
    _join(planes, out.reshape(-1))
    return out.view(layout.dtype)


@kernel
def _join(planes: NDArray[np.uint8], out: NDArray[Any]) -> None:
    """Put values together from their bytes, the most significant first."""
    for i in range(len(out)):
        out[i] = planes[0, i]
    for n in range(1, len(planes)):
        for i in range(len(out)):
            out[i] = (out[i] << 8) | planes[n, i]


@kernel
def _unpack(data: NDArray[np.uint8], out: NDArray[np.uint8], excess: int) -> Any:
    """Bytes that the runs make (PS3.5 G.3.2); no more are counted once there are too many.

    Unsigned places are ten times as fast as signed ones, which may count from the end.
    """
    at, made, size = 0, 0, len(out)
    while at + 1 < len(data) and made <= size + excess:
        head = int(data[at])
        at += 1
        count = head + 1 if head < 128 else 257 - head if head > 128 else 0
        if head < 128:
            count = min(count, len(data) - at)
        kept = max(min(count, size - made), 0)
        source, target = np.uint64(at), np.uint64(made)
        if head < 128:
            for n in range(np.uint64(kept)):
                out[target + n] = data[source + n]
            at += count
        elif head > 128:
            value = data[source]
            for n in range(np.uint64(kept)):
                out[target + n] = value
            at += 1
        made += count
    return made
