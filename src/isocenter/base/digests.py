"""Content hashes: the one way in which a value, a file or an array is summed up."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from isocenter.base.archives.address import split_address
from isocenter.base.archives.archive import open_member
from isocenter.base.errors import FormatError


def canonical_json(value: Any) -> str:
    """JSON of dataclasses, enums, paths, tuples and plain values with sorted keys: same value, same text."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest_of(value: Any) -> str:
    """Hash (32 hex digits) of a plain value or dataclass by its canonical JSON."""
    # a name of a file may hold bytes that are no UTF-8: they count like any others
    return digest_of_bytes(canonical_json(value).encode(errors="surrogatepass"))


def digest_of_bytes(data: bytes | memoryview) -> str:
    """Hash (32 hex digits) of a run of bytes; any contiguous buffer will do."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def digest_of_parts(parts: Iterable[bytes | memoryview]) -> str:
    """Hash (32 hex digits) of runs of bytes, one after another: that of all of them as one run."""
    hashed = hashlib.blake2b(digest_size=16)
    for part in parts:
        hashed.update(part)
    return hashed.hexdigest()


def digest_of_file(path: Path) -> str:
    """Hash (32 hex digits) of the content of a file, or of a member of an archive, streamed.

    Raises:
        OSError: it cannot be read; a member also where its bytes are not those that were stored.
    """
    try:
        address = split_address(path)
        with path.open("rb") if address is None else open_member(*address) as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except FormatError as error:
        raise OSError(error.message) from None


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, set | frozenset):
        return sorted(_plain(v) for v in value)
    if isinstance(value, Path):
        return value.as_posix()
    return value
