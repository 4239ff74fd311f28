"""Chunks: arrays cut into compressed boxes, of which a part of an array needs only those that it touches."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from isocenter.stores.decoding import AXES
from isocenter.stores.encoding import (
    SUM_BYTES,
    by_blosc,
    encode_next,
    is_by_blosc,
    most_bytes,
    payload_of,
)
from isocenter.stores.fletcher import fletcher32
from isocenter.stores.part import Part, each_batch
from isocenter.stores.shard import ArrayFacts, Index

Position: TypeAlias = tuple[int, ...]
"""Place of a chunk in the grid of chunks, one number per axis."""

Fetch: TypeAlias = Callable[[list[Position]], Sequence[bytes | memoryview | None]]
"""Gives the verified payloads of chunks by their positions; None for a chunk of zeros, which is not stored."""

BATCH_BYTES = 1 << 19
"""Payloads are fetched and decoded by as many bytes at a time: they stay in the processor's cache."""

CHUNK_VOXELS = 1 << 15
"""Smaller chunks have more to be looked up and skipped, larger ones more that is decoded in vain (design 0009)."""

_TABLE_CHUNK = 1 << 16
_ROOM = 1 << 20


def grid(shape: tuple[int, ...], dtype: DTypeLike, chunk: tuple[int, int, int]) -> tuple[int, ...]:
    """Shape of the chunks of an array: one image or label at a time, along no axis larger than the array.

    What an axis is too short for goes to the others, doubled in turn from the shortest on while that is left: chunks of
    planes are as large as those of volumes.

    Args:
        shape: Of the array.
        dtype: Of the array.
        chunk: Wanted of volumes, as (k, j, i).

    Raises:
        ValueError: An array of a record has one to four axes, numbers, and not none of them.

    >>> grid((1, 200, 512, 512), "i2", (32, 32, 32))
    (1, 32, 32, 32)
    >>> grid((1, 1, 2500, 2000), "u2", (32, 32, 32))
    (1, 1, 128, 256)
    """
    if not 1 <= len(shape) <= AXES or 0 in shape or np.dtype(dtype).kind not in "iuf":
        raise ValueError(f"an array of a record holds numbers along 1 to {AXES} axes, not {dtype} {shape}")
    if len(shape) < 3:
        return (min(shape[0], _TABLE_CHUNK), *shape[1:])
    return (*(1,) * (len(shape) - 3), *_spread(shape[-3:], chunk))


def _spread(shape: tuple[int, ...], chunk: tuple[int, int, int]) -> list[int]:
    """The chunk within a shape, its voxels spread over the axes that have room for them."""
    out = [min(n, c) for n, c in zip(shape, chunk, strict=True)]
    most = math.prod(chunk)
    while fitting := [
        (out[axis], -axis, longer)
        for axis in range(3)
        if (longer := min(2 * out[axis], shape[axis])) > out[axis]
        and math.prod(out) // out[axis] * longer <= most
    ]:
        _, axis, longer = min(fitting)
        out[-axis] = longer
    return out


def chunk_for(patch: tuple[int, ...]) -> tuple[int, int, int]:
    """The chunk (k, j, i) of `CHUNK_VOXELS` with which a patch at a random place touches the fewest voxels.

    Args:
        patch: Its shape (k, j, i).

    >>> chunk_for((128, 128, 128))
    (32, 32, 32)
    >>> chunk_for((1, 512, 512))
    (1, 128, 256)
    """
    powers = [1 << n for n in range(CHUNK_VOXELS.bit_length())]
    fitting = [
        (k, j, CHUNK_VOXELS // (k * j))
        for k, j in itertools.product(powers, repeat=2)
        if k * j <= CHUNK_VOXELS
    ]
    # chunks of c voxels that p voxels in a row touch on average: (p - 1) / c + 1; of equals the longest rows
    return min(
        fitting, key=lambda chunk: (math.prod(p + c - 1 for p, c in zip(patch, chunk, strict=True)), chunk)
    )


def encode(block: NDArray[Any]) -> bytes:
    """The payload of one whole chunk (see `isocenter.stores.encoding`), whatever the environment says of Blosc."""
    return payload_of(np.ascontiguousarray(block))


@dataclass(frozen=True, slots=True)
class Encoded:
    """A chunk that is ready to be stored.

    Attributes:
        position: In the grid of chunks.
        payload: Compressed, with its check sum (`fletcher32`) behind it; empty for a chunk of zeros.
        content: Check sum of the voxels, 0 for zeros alone.
    """

    position: Position
    payload: bytes
    content: int


def cut(array: NDArray[Any], chunk: tuple[int, ...]) -> Iterator[tuple[Position, bytes]]:
    """Positions and payloads of an array's chunks, in C order; those of integers that are all zero are left out.

    A chunk that reaches over the border of the array is filled up with zeros.
    """
    for one in encoded(array, chunk):
        if one.payload:
            yield one.position, one.payload[:-SUM_BYTES]


def encoded(array: NDArray[Any], chunk: tuple[int, ...]) -> Iterator[Encoded]:
    """All chunks of an array, in C order."""
    size, voxels = array.dtype.itemsize, math.prod(chunk)
    if array.strides[-1] != size:
        raise ValueError("the last axis of an array that is cut is contiguous")
    counts = [-(-n // c) for n, c in zip(array.shape, chunk, strict=True)]
    positions = itertools.product(*map(range, counts))
    if is_by_blosc(voxels):
        yield from (_by_blosc(array, chunk, position) for position in positions)
        return
    out, done = np.empty(max(_ROOM, most_bytes(size, voxels)), np.uint8), 0
    while done < math.prod(counts):
        rows, end = encode_next(array, chunk, done, out).tolist(), 0
        for length, content in rows:
            end += length
            yield Encoded(next(positions), out[end - length : end].tobytes(), content)
        done += len(rows)


def _by_blosc(array: NDArray[Any], chunk: tuple[int, ...], position: Position) -> Encoded:
    whole = np.zeros(chunk, array.dtype)
    part = array[tuple([slice(p * c, (p + 1) * c) for p, c in zip(position, chunk, strict=True)])]
    whole[tuple([slice(n) for n in part.shape])] = part
    content = int(fletcher32(whole.ctypes.data, whole.nbytes))
    if not content and array.dtype.kind != "f":  # a float zero has a sign
        return Encoded(position, b"", 0)
    payload = by_blosc(whole)
    data = np.frombuffer(payload, np.uint8)
    check = int(fletcher32(data.ctypes.data, data.size)).to_bytes(SUM_BYTES, "little")
    return Encoded(position, payload + check, content)


def read(
    fetch: Fetch,
    facts: ArrayFacts,
    chunk: tuple[int, ...],
    index: Index,
    out: NDArray[Any] | None = None,
    threads: int = 1,
) -> NDArray[Any]:
    """Part of an array, decoded straight into one array.

    Args:
        fetch: Gives payloads by the positions of chunks.
        facts: Shape and type of the whole array.
        chunk: Shape of its chunks.
        index: What NumPy takes between square brackets: integers, slices with a positive step, an ellipsis.
        out: Receives the part; a new array where it is None.
        threads: How many threads decode.

    Returns:
        The part: `out` where it was given.

    Raises:
        StoreCorrupt: a payload is not one of ours.
    """
    part = Part(facts, chunk, index, out)
    ndim, most = len(chunk), max(1, BATCH_BYTES // (math.prod(chunk) * facts.dtype.itemsize))

    def decode_batch(start: int) -> None:
        places = part.places[start : start + most]
        held = fetch([tuple(p[AXES - ndim :]) for p in places.tolist()])
        views = [np.frombuffer(b"" if payload is None else payload, np.uint8) for payload in held]
        addresses = np.array([v.ctypes.data if v.size else 0 for v in views], np.int64)
        part.decode(
            slice(start, start + most), addresses, np.array([v.size for v in views], np.int64), summed=0
        )

    each_batch(decode_batch, range(0, len(part.places), most), threads)
    return part.result()
