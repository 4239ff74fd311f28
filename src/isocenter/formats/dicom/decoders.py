"""Which decoder is trusted with which transfer syntax, and when a second one has to agree.

Decoders have been wrong on legal streams without a word: of three for lossless JPEG, liblj92 ignores restart markers and
point transforms, jpegsof3 leaves the point transform out, and a fourth clamps where ITU-T T.81 H.2.1 wants the sum
modulo 65,536 (pylibjpeg-libjpeg issue 90). So each stream is read by a decoder that is tested against plain encodings of
all its features, and a sample of the frames by an independent one too, which must give the same values.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import uid

from isocenter.base.errors import FormatError
from isocenter.base.sandbox import Call, Sandbox
from isocenter.formats.dicom.codestream import JPEG_LS, LOSSLESS, Codestream, lengthened

# One frame in so many is read twice, the first of a stack among them: a few per cent of the time of decoding.
FRAMES_PER_CHECK = 100
MAX_FRAME_BYTES = 256 << 20
JPEG_SPECTRAL, JPEG_PROGRESSIVE = "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"
JPEG_2000 = {uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K}
HIGH_THROUGHPUT = {uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K}
# The frames that may stand in a stream of each syntax: baseline, extended, progressive; lossless; JPEG-LS.
_LOSSY, _LOSSLESS, _NEAR = frozenset((0xC0, 0xC1, 0xC2)), frozenset((LOSSLESS,)), frozenset((JPEG_LS,))
_PROGRESSIVE = 0xC2
PROCESSES: dict[str, frozenset[int]] = {
    **dict.fromkeys((uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, JPEG_SPECTRAL, JPEG_PROGRESSIVE), _LOSSY),
    **dict.fromkeys((uid.JPEGLossless, uid.JPEGLosslessSV1), _LOSSLESS),
    **dict.fromkeys((uid.JPEGLSLossless, uid.JPEGLSNearLossless), _NEAR),
}
SUPPORTED = {*PROCESSES, *JPEG_2000, uid.RLELossless}
# Predictors 5 to 7 divide, so a sum that was not reduced to its bits changes what is predicted from it.
_DIVIDING_PREDICTOR = 5

_sandbox = Sandbox("isocenter.formats.dicom.codecs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The decoders of one stream.

    Args:
        first: Whose values are taken.
        second: An independent one that has to agree on a sample of the frames; empty where there is none.
        tolerance: By how much the two may differ.
        is_always: Whether every frame is read by both.
    """

    first: str
    second: str = ""
    tolerance: int = 0
    is_always: bool = False


def choice_of(syntax: str, stated: Codestream) -> Choice:
    """The decoders for a stream of a transfer syntax that says so of itself."""
    if syntax in HIGH_THROUGHPUT:
        # the irreversible transform is computed in floats, which two libraries round their own way
        return Choice(first="openjph", second="openjpeg", tolerance=0 if stated.is_reversible else 1)
    if syntax in JPEG_2000:
        return Choice(first="openjpeg")
    if stated.process == JPEG_LS:
        return Choice(first="charls")
    if stated.process != LOSSLESS or stated.has_restarts or stated.shift:
        return Choice(first="libjpeg")
    if stated.predictor >= _DIVIDING_PREDICTOR:
        # beyond eight bits such a sum is seen, for the decoder's values have room for it
        return Choice(first="libjpeg", second="jpegsof3", is_always=stated.precision <= 8)
    return Choice(first="libjpeg", second="liblj92")


class Decoding:
    """A frame that is being decoded.

    Args:
        frame: Its codestream, whose own header fits.
        syntax: Its transfer syntax.
        stated: What the codestream says of itself.
        is_checked: Whether it belongs to the sample that is read twice.
        into: Where the values go if they have its size, contiguous; new memory where they have not.
    """

    def __init__(
        self,
        frame: bytes | memoryview,
        syntax: str,
        stated: Codestream,
        *,
        is_checked: bool,
        into: NDArray[Any] | None = None,
    ) -> None:
        self._stated, self._choice = stated, choice_of(syntax, stated)
        if stated.process in _LOSSY:
            frame = bytes(frame)  # it may be looked at again, when the memory that it lies in holds another
        size = 1 if stated.precision <= 8 else 2 if stated.precision <= 16 else 4
        self._dtype = np.dtype(f"{'i' if stated.is_signed else 'u'}{size}")
        names = [self._choice.first]
        if self._choice.second and (is_checked or self._choice.is_always):
            names.append(self._choice.second)
        n_bytes = stated.rows * stated.columns * size
        numbers = (stated.rows, stated.columns, size, int(stated.is_signed))
        fits = into is not None and into.nbytes == n_bytes
        room = into.data.cast("B") if fits and into is not None else None
        self._calls: list[Call] = [
            _sandbox.begin(name, frame, n_bytes, *numbers, into=None if n else room)
            for n, name in enumerate(names)
        ]

    def result(self) -> NDArray[Any]:
        """The values (J, I) in the bits and sign that the codestream states.

        Raises:
            FormatError: the stream is broken (file/corrupt), its decoder died or took too much (file/decoder-died,
                file/limit), or two decoders read different values (read/decoders-disagree).
        """
        values = self._values(self._calls[0])
        if self._stated.process in _LOSSY:
            self._refuse_cut(values)
        if len(self._calls) > 1:
            try:
                others = self._values(self._calls[1])
            except FormatError:
                raise _disagree("nothing") from None
            n_other = _count_other(values, others, self._choice.tolerance)
            if n_other:
                raise _disagree(f"{n_other} other pixels")
        return values

    def _refuse_cut(self, values: NDArray[Any]) -> None:
        """Refuse a scan that ends early: libjpeg leaves what is missing grey, and says nothing.

        A frame whose last block is not flat in the middle of the range was read to its end. Where it is, or later scans
        refine it, the frame is read again with more bytes behind, which changes only what was not there.
        """
        grey = 1 << (self._stated.precision - 1)
        last = values[(len(values) - 1) // 8 * 8 :, (values.shape[1] - 1) // 8 * 8 :]
        if self._stated.process != _PROGRESSIVE and (last != grey).any():
            return
        call = self._calls[0]
        longer = lengthened(bytes(call.data))
        try:
            others = self._values(_sandbox.begin(call.name, longer, call.n_out, *call.numbers))
        except FormatError:
            raise _cut() from None
        if not np.array_equal(values, others):
            raise _cut()

    def _values(self, call: Call) -> NDArray[Any]:
        stated = self._stated
        values = np.frombuffer(call.result(), self._dtype).reshape(stated.rows, stated.columns)
        unused = 8 * self._dtype.itemsize - stated.precision
        if stated.process != LOSSLESS or not unused:
            return values
        # what was summed modulo 65,536 counts modulo the precision (H.2.1)
        last = (1 << stated.precision) - 1
        if stated.predictor >= _DIVIDING_PREDICTOR and values.size and values.max() > last:
            raise FormatError("file/corrupt", "the lossless predictions leave the bits of the frame")
        values &= self._dtype.type(last)
        return values


def room_of(syntax: str, n_bytes: int) -> AbstractContextManager[memoryview]:
    """Memory to read the fragments of one frame into, whose decoding begins within."""
    if syntax == uid.RLELossless:  # which is decoded here
        return nullcontext(np.empty(n_bytes, np.uint8).data)
    return _sandbox.offer(n_bytes)


def begin_runs(frame: bytes | memoryview, values: NDArray[Any]) -> Call:
    """Begin an independent reading of RLE Lossless, to be compared with our own."""
    rows, columns = values.shape
    return _sandbox.begin("dicomrle", frame, values.nbytes, rows, columns, values.dtype.itemsize, 0)


def compare_runs(values: NDArray[Any], second: Call) -> None:
    """Refuse a frame of RLE Lossless that a second decoder reads otherwise.

    That it refuses the frame says nothing: it does not bear a last run that goes on beyond the frame, as some are written.
    """
    try:
        raw = second.result()
    except FormatError as error:
        if error.reason != "file/corrupt":
            raise
        return
    others = np.frombuffer(raw, f"<u{values.dtype.itemsize}").reshape(values.shape)
    n_other = _count_other(values.view(others.dtype), others)
    if n_other:
        raise _disagree(f"{n_other} other pixels")


def _count_other(values: NDArray[Any], others: NDArray[Any], tolerance: int = 0) -> int:
    if not tolerance or np.array_equal(values, others):
        return int(np.count_nonzero(values != others))
    difference = np.subtract(values, others, dtype=np.int32 if values.dtype.itemsize < 4 else np.int64)
    return int(np.count_nonzero((difference < -tolerance) | (difference > tolerance)))


def _cut() -> FormatError:
    return FormatError("file/truncated", "the compressed frame ends early")


def _disagree(measured: str) -> FormatError:
    return FormatError(
        "read/decoders-disagree",
        "two decoders read one frame differently",
        measured=measured,
        expected="the same",
    )
