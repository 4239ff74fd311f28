"""The decoders of pictures; this module runs in a confined process and is imported nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np

from isocenter.base.confined import Call, serve


def _grey(decode: Callable[..., Any]) -> Call:
    """A decoder that writes grey values of 16 bits, the mean of the colours, of the stated rows and columns."""

    def call(data: memoryview, out: memoryview, numbers: tuple[int, ...]) -> None:
        rows, columns = numbers[:2]
        found = np.asarray(decode(bytes(data)))
        if found.shape[:2] != (rows, columns) or found.dtype.kind not in "ub":
            raise ValueError("another picture than its header says")
        if found.ndim > 2:
            colours = found[..., :1] if found.shape[2] < 3 else found[..., :3]  # without an alpha channel
            found = colours.sum(axis=2, dtype=np.uint32) // colours.shape[2]
        np.frombuffer(out, np.uint16).reshape(rows, columns)[:] = found

    return call


CALLS: dict[str, Call] = {"png": _grey(imagecodecs.png_decode), "jpeg": _grey(imagecodecs.jpeg8_decode)}

if __name__ == "__main__":
    serve(CALLS)
