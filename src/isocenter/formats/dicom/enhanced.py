"""Objects of several frames and mosaics: their frames put into the volume of a stack (PS3.3 C.7.6.16)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.dicom.assembly import Assembly
from isocenter.formats.dicom.multiframe import FrameSource, open_frames
from isocenter.model.rows import Stack


def put_frames(
    assembly: Assembly, stack: Stack, paths: Sequence[Path], expected: Sequence[Signature | None]
) -> None:
    """Read the frames of a stack, each file opened once however many of its frames there are.

    The values of a frame are those of its own Pixel Value Transformation (C.7.6.16.2.9); a Real World Value
    Mapping, of which there may be several, is not applied.

    Args:
        assembly: The volume that they go into.
        stack: The stack; `frames[n]` is the frame of the nth slice in its file.
        paths: File of each slice.
        expected: What each was when it was indexed.

    Raises:
        FormatError: a file is broken, or is not the one that was indexed.
    """
    if not len(paths) == len(stack.frames) == stack.shape[0]:
        raise FormatError("file/changed", "another number of slices than when the stack was indexed")
    places: dict[Path, list[int]] = {}
    for k, path in enumerate(paths):
        places.setdefault(path, []).append(k)
    for path, slices in places.items():
        frames = [stack.frames[k] for k in slices]
        with open_frames(path, expected=expected[slices[0]]) as source:
            for k, frame, stored in zip(
                slices, frames, _stored(assembly, source, slices, frames), strict=True
            ):
                assembly.put(k, stored, source.plane(frame))
    # what was seen of the slices is in the order in which they were read
    order = [k for slices in places.values() for k in slices]
    seen = dict(zip(order, assembly.seen, strict=True))
    assembly.seen[:] = [seen[k] for k in range(len(order))]


def _stored(
    assembly: Assembly, source: FrameSource, slices: Sequence[int], frames: Sequence[int]
) -> Iterator[NDArray[Any]]:
    """Stored values of some frames of one object, in the volume itself where they can stay there."""
    if not source.is_plain:
        yield from source.stored(frames)
        return
    layout = source.layout
    for k, frame in zip(slices, frames, strict=True):
        place = assembly.place(k, (layout.rows, layout.columns), layout.dtype, source.plane(frame))
        source.read_into(frame, place)
        yield place
