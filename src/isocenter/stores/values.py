"""Values: the keys under which a record's parts are kept, each part with a check sum, and what is said of its arrays.

A record `c` has the key `c`, zero, 255: JSON with the facts of the case, and shape, type, chunk and the filled chunks of
each array. The key of a chunk is `c`, zero, the array's name, zero, and its number in C order in four bytes, most
significant first. A value is a check sum (CRC-32 of key and payload, four bytes, least significant first) and the
payload.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isocenter.base.digests import canonical_json
from isocenter.base.errors import StoreCorrupt
from isocenter.stores.shard import ArrayFacts, checked_name

SEPARATOR = b"\0"
MAX_KEY_BYTES = 511
_CHECK_BYTES = 4
_MAX_CHUNK_BYTES = 256 << 20
_MAX_ARRAY_BYTES = 64 << 30


@dataclass(frozen=True, slots=True, eq=False)
class StoredArray:
    """What is said of an array: shape and type, the shape of its chunks, and which of them (C order) are stored."""

    facts: ArrayFacts
    chunk: tuple[int, ...]
    filled: NDArray[np.bool_]

    @property
    def counts(self) -> tuple[int, ...]:
        """How many chunks there are along each axis."""
        return tuple(-(-n // c) for n, c in zip(self.facts.shape, self.chunk, strict=True))

    def number(self, position: tuple[int, ...]) -> int:
        """Number of a chunk in C order."""
        number = 0
        for at, count in zip(position, self.counts, strict=True):
            number = number * count + at
        return number


def head_key(case_id: str) -> bytes:
    """Key of what is said of a record."""
    return case_id.encode() + SEPARATOR + b"\xff"


def chunks_key(case_id: str, name: str) -> bytes:
    """What the keys of an array's chunks begin with."""
    return case_id.encode() + SEPARATOR + name.encode() + SEPARATOR


def chunk_key(case_id: str, name: str, number: int) -> bytes:
    """Key of a chunk."""
    return chunks_key(case_id, name) + number.to_bytes(4, "big")


def sealed_value(key: bytes, payload: bytes | memoryview) -> bytes:
    """The value that keeps a payload: its check sum knows the key, so that none can stand for another."""
    return b"".join((zlib.crc32(payload, zlib.crc32(key)).to_bytes(_CHECK_BYTES, "little"), payload))


def payload_of(key: bytes, value: memoryview) -> memoryview:
    """The payload of a value.

    Raises:
        StoreCorrupt: it is not what was written under this key.
    """
    payload = value[_CHECK_BYTES:]
    if value[:_CHECK_BYTES] != zlib.crc32(payload, zlib.crc32(key)).to_bytes(_CHECK_BYTES, "little"):
        raise StoreCorrupt("a check sum differs")
    return payload


def head_of(arrays: dict[str, StoredArray], meta: dict[str, Any]) -> bytes:
    """What is said of a record, as JSON."""
    plain = {
        name: {
            "shape": a.facts.shape,
            "type": a.facts.dtype.newbyteorder("<").str,
            "chunk": a.chunk,
            "filled": np.packbits(a.filled).tobytes().hex(),
        }
        for name, a in arrays.items()
    }
    return canonical_json({"arrays": plain, "meta": meta}).encode()


def read_head(text: memoryview) -> tuple[dict[str, StoredArray], dict[str, Any]]:
    """Arrays of a record by name, and the facts of its case.

    Raises:
        StoreCorrupt: it holds something that a shard of ours never has.
        KeyError, TypeError, ValueError: something is not what it should be.
    """
    document = json.loads(bytes(text))
    return {checked_name(n): _array_of(a) for n, a in sorted(document["arrays"].items())}, document["meta"]


def _array_of(plain: dict[str, Any]) -> StoredArray:
    shape, chunk = (tuple(map(int, plain[n])) for n in ("shape", "chunk"))
    dtype = np.dtype(str(plain["type"]))
    if dtype.kind not in "iuf":
        raise StoreCorrupt("holds something else than numbers")
    if len(shape) != len(chunk) or not shape or min(*shape, *chunk) < 1:
        raise StoreCorrupt("holds an array without a shape")
    whole, part = (float(np.prod(n, dtype=np.float64)) * dtype.itemsize for n in (shape, chunk))
    if part > _MAX_CHUNK_BYTES or whole > _MAX_ARRAY_BYTES:
        raise StoreCorrupt("holds an array larger than any of ours")
    array = StoredArray(ArrayFacts(shape, dtype), chunk, np.zeros(0, np.bool_))
    count = int(np.prod(array.counts))
    bits = np.frombuffer(bytes.fromhex(plain["filled"]), np.uint8)
    if bits.size != -(-count // 8):
        raise StoreCorrupt("says something else of its chunks than of its shape")
    return StoredArray(array.facts, chunk, np.unpackbits(bits)[:count].astype(np.bool_))
