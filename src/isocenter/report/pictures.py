"""Pictures: grey planes as PNG data URIs, and the outline of each label along the edges of its pixels."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

_COLOURS = 6


def png_uri(grey: NDArray[np.uint8]) -> Markup:
    """A grey picture (rows, columns) as the data URI of a PNG; same pixels, same text."""
    return Markup("data:image/png;base64,") + base64.b64encode(_png(grey)).decode()


def outlines(mask: NDArray[np.integer], values: Sequence[int]) -> Markup:
    """SVG of the outlines of label values in a mask (rows, columns), on top of the picture of that size.

    Value n of `values` has the class `outline-n`, n counted from 0 and starting again after six, then
    dashed.
    """
    return lines_around([mask == value for value in values], list(range(len(values))), mask.shape)


def lines_around(
    masks: Sequence[NDArray[np.bool_]], colours: Sequence[int], shape: tuple[int, ...]
) -> Markup:
    """SVG of the outline of each mask (rows, columns), which may overlap, in the colour of its number as of `outlines`."""
    rows, columns = shape
    paths = []
    for inside, n in reversed(list(zip(masks, colours, strict=True))):  # where two touch, the first is seen
        if edges := _edges(inside):
            dash = " dashed" if n >= _COLOURS else ""
            paths.append(f'<path class="outline-{n % _COLOURS}{dash}" d="{edges}"/>')
    if not paths:
        return Markup("")
    return Markup(  # noqa: S704 - numbers only
        f'<svg class="outline" viewBox="0 0 {columns} {rows}" preserveAspectRatio="none" '
        f'aria-hidden="true">{"".join(paths)}</svg>'
    )


def _edges(inside: NDArray[np.bool_]) -> str:
    """Path along all pixel edges between inside and outside, straight runs joined."""
    padded = np.pad(inside, 1)
    across = padded[1:, 1:-1] != padded[:-1, 1:-1]  # edge y above pixel row y
    along = padded[1:-1, 1:] != padded[1:-1, :-1]
    lines = [f"M{a} {y}h{b - a}" for y, a, b in _runs(across)]
    lines += [f"M{x} {a}v{b - a}" for x, a, b in _runs(along.T)]
    return "".join(lines)


def _runs(lines: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """(line, start, stop) of every run of True."""
    steps = np.diff(np.pad(lines, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, stops = np.argwhere(steps == 1), np.argwhere(steps == -1)
    return [(int(a[0]), int(a[1]), int(b[1])) for a, b in zip(starts, stops, strict=True)]


def _png(grey: NDArray[np.uint8]) -> bytes:
    """PNG (W3C PNG 3rd ed.): 8-bit grey, every row filtered with whichever of Sub and Up leaves less."""
    rows, columns = grey.shape
    sub = np.diff(grey, axis=1, prepend=np.zeros((rows, 1), np.uint8))
    up = np.diff(grey, axis=0, prepend=np.zeros((1, columns), np.uint8))
    weight = [np.abs(f.view(np.int8).astype(np.int32)).sum(axis=1) for f in (sub, up)]
    is_up = weight[1] < weight[0]
    body = np.empty((rows, columns + 1), np.uint8)
    body[:, 0] = np.where(is_up, 2, 1)
    body[:, 1:] = np.where(is_up[:, None], up, sub)
    head = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(body.tobytes(), 9)), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
