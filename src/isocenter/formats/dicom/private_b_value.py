"""The b-value where scanners of before 2003, and many since, put it: in private elements of their makers."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from functools import lru_cache

# Creator of the private block, its text, the element, and whether it may be a float (PS3.5 7.8.1). Conformance statements:
# Siemens "MR Header", GE "Parm 01", Philips "Imaging DD 001"; the makers always reserve the first block of the group.
_PLACES = (
    ("00190010", b"SIEMENS MR HEADER", "0019100C", False),
    ("00430010", b"GEMS_PARM_01", "00431039", False),
    ("20010010", b"Philips Imaging DD 001", "20011003", True),
)
# By their tags, which no dictionary has keywords for.
PRIVATE_TAGS = tuple(tag for creator, _, element, _ in _PLACES for tag in (creator, element))
# Of a value of several numbers the first is meant; GE adds so much where the value was set by hand.
_WHOLE, _BIAS = re.compile(rb"\s*([0-9]{1,10})\s*"), 10**9
_HIGHEST = 100_000


def private_b_value(read: Callable[[str], tuple[str, bytes]]) -> float | None:
    """The b-value (s/mm2) of a private element behind the creator that owns it; None where there is none.

    Args:
        read: Value representation ("" where none is written) and bytes of an element, no bytes where it is absent.
    """
    for creator, text, element, is_float in _PLACES:
        raw = read(element)
        if raw[1] and read(creator)[1].strip(b" \0") == text:
            return _value(*raw, is_float)
    return None


@lru_cache(maxsize=1 << 12)
def _value(vr: str, raw: bytes, is_float: bool) -> float | None:
    if is_float and vr in {"", "FL", "UN", "OB"}:
        value = struct.unpack("<f", raw)[0] if len(raw) == 4 else math.nan
        return value if 0 <= value < _HIGHEST else None
    found = _WHOLE.fullmatch(raw.split(b"\\")[0].replace(b"\0", b" "))
    value = int(found[1]) if found else -1
    value -= _BIAS if value >= _BIAS else 0
    return float(value) if 0 <= value < _HIGHEST else None
