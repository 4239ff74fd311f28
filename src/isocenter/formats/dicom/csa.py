"""The private CSA header of Siemens scanners, as far as its values are texts; every length in it is checked.

Its layout is not published by the maker; it is that which nibabel documents and reads
(https://nipy.org/nibabel/dicom/siemens_csa.html).
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import Any

from isocenter.base.errors import FormatError

_MAX_TAGS, _MAX_ITEMS = 256, 1024
_SIGNATURE = b"SV10"
# Name, multiplicity, value representation, type, number of items, a mark.
_TAG, _ITEM = struct.Struct("<64si4s3i"), struct.Struct("<4i")


def read_csa(data: bytes, wanted: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Values of some tags of a CSA header, as stripped texts; a tag without a value is left out.

    Args:
        data: Value of the element: type 1 (up to syngo VA) or type 2, which begins with SV10.
        wanted: Names of the tags.

    Raises:
        FormatError: a count or a length in it cannot be.
    """
    is_newer = data.startswith(_SIGNATURE)
    at = 8 if is_newer else 0
    n_tags, _ = _unpack(struct.Struct("<2I"), data, at)
    _refuse(not 0 < n_tags <= _MAX_TAGS)
    at += 8
    base = 0
    out: dict[str, tuple[str, ...]] = {}
    for _ in range(n_tags):
        raw, count, _, _, n_items, _ = _unpack(_TAG, data, at)
        at += _TAG.size
        _refuse(not 0 <= n_items <= _MAX_ITEMS)
        # in type 1 all lengths are told with the items of the first tag that has some added to them
        base = base or n_items
        items, at = _items(data, at, n_items, None if is_newer else base)
        name = _text(raw)
        values = tuple(items[: count or None] if count >= 0 else ())
        if name in wanted and any(values):
            out[name] = tuple(v for v in values if v)
    return out


def _items(data: bytes, at: int, count: int, base: int | None) -> tuple[list[str], int]:
    """The items of one tag, and where they end; each begins at a whole number of four bytes."""
    out: list[str] = []
    for _ in range(count):
        first, second, _, _ = _unpack(_ITEM, data, at)
        at += _ITEM.size
        length = second if base is None else first - base
        if base is not None and not 0 <= length <= len(data) - at:
            # type 1 leaves what lies behind the last value undefined
            return out, at
        _refuse(not 0 <= length <= len(data) - at)
        out.append(_text(data[at : at + length]))
        at += length + -length % 4
    return out, at


def _unpack(form: struct.Struct, data: bytes, at: int) -> tuple[Any, ...]:
    _refuse(at + form.size > len(data))
    return form.unpack_from(data, at)


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("latin-1").strip()


def _refuse(is_wrong: bool) -> None:
    if is_wrong:
        raise FormatError("file/corrupt", "the private header of the scanner cannot be read")
