"""The native decoders themselves; this module runs in a confined process and is imported nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np

from isocenter.base.confined import Call, serve

# What OpenJPH raises line by line is ignored in imagecodecs (2026.3.6), which gives back half a frame as if all was well.
_swallowed: list[object] = []
sys.unraisablehook = _swallowed.append


def _into(decode: Callable[..., Any]) -> Call:
    """A decoder that writes an array of the stated rows, columns, bytes of a value and sign."""

    def call(data: memoryview, out: memoryview, numbers: tuple[int, ...]) -> None:
        rows, columns, size, is_signed = numbers[:4]
        room = np.frombuffer(out, f"{'i' if is_signed else 'u'}{size}").reshape(rows, columns)
        _swallowed.clear()
        decoded = decode(data, out=room)
        if decoded is not room:
            raise ValueError("another array than the one that was to be written")
        if _swallowed:
            raise ValueError("an error on the way, of which the decoder says nothing in the end")

    return call


def _run_lengths(data: memoryview, out: memoryview, numbers: tuple[int, ...]) -> None:
    rows, columns, size, _ = numbers[:4]
    dtype = np.dtype(f"<u{size}")
    decoded = np.frombuffer(imagecodecs.dicomrle_decode(bytes(data), dtype), dtype)
    np.frombuffer(out, dtype)[:] = decoded[: rows * columns]


CALLS: dict[str, Call] = {
    "openjpeg": _into(imagecodecs.jpeg2k_decode),
    "openjph": _into(imagecodecs.htj2k_decode),
    "charls": _into(imagecodecs.jpegls_decode),
    "libjpeg": _into(imagecodecs.jpeg8_decode),
    "liblj92": _into(imagecodecs.ljpeg_decode),
    "jpegsof3": _into(imagecodecs.jpegsof3_decode),
    "dicomrle": _run_lengths,
}

# Line by line to the last one, or with an error; of the others it is not known.
WRITES_ALL = frozenset(("libjpeg", "openjph"))

if __name__ == "__main__":
    serve(CALLS, WRITES_ALL)
