"""What the machine and the decoders allow: reading the bytes of the pixels, decoding the same codestreams.

Usage: python -m benchmarks.read.limits (reused|new|decode) PLANES WARM-UP-PLANES PASSES
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
from pydicom import uid
from pydicom.encaps import generate_frames

from benchmarks.read.planes import Planes, planes_in
from benchmarks.read.timing import serve

_FLAGS = os.O_RDONLY | os.O_CLOEXEC
DECODERS: dict[str, Callable[[bytes], Any]] = {
    uid.RLELossless: partial(imagecodecs.dicomrle_decode, dtype="<u2"),
    uid.JPEGLosslessSV1: imagecodecs.jpeg8_decode,
    uid.JPEGLSLossless: imagecodecs.jpegls_decode,
    uid.JPEG2000Lossless: imagecodecs.jpeg2k_decode,
    uid.HTJ2KLossless: imagecodecs.htj2k_decode,
}


def main() -> None:
    """Measure one of the limits."""
    way, listed, warm_up, passes = sys.argv[1:]
    many, few = (planes_in(Path(name)) for name in (listed, warm_up))
    if way == "decode":
        frames, some = _frames(many), _frames(few)
        serve(lambda: decode(*frames), lambda: decode(*some), int(passes))
    elif way == "new":
        serve(lambda: new(many), lambda: new(few), int(passes))
    else:
        into = memoryview(bytearray(max(length for _, _, length in many)))
        serve(lambda: reused(many, into), lambda: reused(few, into), int(passes))


def reused(planes: Planes, into: memoryview) -> None:
    """Read the pixels of each file into the same memory."""
    for path, offset, length in planes:
        _read(path, offset, into[:length])


def new(planes: Planes) -> Any:
    """Read the pixels of all files into a new volume: what a reader cannot do without."""
    volume = np.empty((len(planes), planes[0][2]), np.uint8)
    for k, (path, offset, _) in enumerate(planes):
        _read(path, offset, memoryview(volume[k]))
    return volume


def _read(path: str, offset: int, into: memoryview) -> None:
    handle = os.open(path, _FLAGS)
    n_read = os.preadv(handle, [into], offset)
    os.close(handle)
    if n_read != len(into):
        raise SystemExit(f"{path}: {n_read} bytes of {len(into)}")


def decode(decoder: Callable[[bytes], Any], frames: list[bytes]) -> None:
    """Decode codestreams that are in memory, and keep nothing."""
    for frame in frames:
        decoder(frame)


def _frames(planes: Planes) -> tuple[Callable[[bytes], Any], list[bytes]]:
    objects = [pydicom.dcmread(path) for path, _, _ in planes]
    frames = [next(generate_frames(one.PixelData, number_of_frames=1)) for one in objects]
    return DECODERS[objects[0].file_meta.TransferSyntaxUID], frames


if __name__ == "__main__":
    main()
