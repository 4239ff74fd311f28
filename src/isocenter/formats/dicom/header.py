"""Typed, forgiving access to DICOM attributes: a value that cannot be understood is named, never guessed."""

from __future__ import annotations

import math
import warnings
from functools import cache
from typing import Any, Literal

import pydicom
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement

# Values that are plain text whatever the character set, and numbers in text and in bytes (PS3.5 6.2).
_TEXTS = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "LO", "PN", "SH"}
_INTEGERS = {"US": (2, False), "SS": (2, True), "UL": (4, False), "SL": (4, True)}
_ESCAPE = b"\x1b"


class Header:
    """The attributes of one data set; `unparsable` collects the names of those that made no sense.

    Args:
        dataset: The data set, read without its pixel data.
    """

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset
        self.unparsable: list[str] = []

    def text(self, keyword: str) -> str | None:
        """An attribute as stripped text; None where it is absent or empty."""
        value = self._get(keyword)
        if value is None or value == "":
            return None
        text = "\\".join(str(v) for v in value) if _is_many(value) else str(value)
        return text.strip(" \0") or None

    def texts(self, keyword: str) -> tuple[str, ...]:
        """A multi-valued attribute as texts."""
        value = self._get(keyword)
        if value is None or value == "":
            return ()
        return tuple(str(v).strip(" \0") for v in value) if _is_many(value) else (str(value).strip(" \0"),)

    def number(self, keyword: str) -> float | None:
        """An attribute as one finite number."""
        return next(iter(self.numbers(keyword, 1)), None)

    def integer(self, keyword: str, low: int | None = None, high: int | None = None) -> int | None:
        """An attribute as one whole number, within bounds where they are given."""
        value = self.number(keyword)
        if value is None:
            return None
        if value != int(value) or (low is not None and value < low) or (high is not None and value > high):
            self._note(keyword)
            return None
        return int(value)

    def numbers(self, keyword: str, count: int) -> tuple[float, ...]:
        """An attribute as `count` finite numbers, or () where it is absent or has another number of them."""
        value = self._get(keyword)
        if value is None or value == "":
            return ()
        try:
            out = tuple(map(_number, value)) if _is_many(value) else (_number(value),)
        except (TypeError, ValueError, OverflowError):
            self._note(keyword)
            return ()
        if len(out) != count or not all(map(math.isfinite, out)):
            self._note(keyword)
            return ()
        return out

    def size(self, keyword: str) -> int:
        """Bytes of an attribute's value that was not asked for before; 0 where it is absent."""
        element = self.dataset.get_item(_dictionary(keyword)[0])
        is_raw = isinstance(element, RawDataElement) and isinstance(element.value, bytes)
        return len(element.value) if is_raw else 0

    def raw(self, tag: str) -> tuple[str, bytes]:
        """Value representation, "" where none is written, and bytes of an element by its tag; no bytes where it is absent.

        One float is given in the order of little endian.
        """
        element = self.dataset.get_item(pydicom.tag.Tag(tag))
        if not isinstance(element, RawDataElement) or not isinstance(element.value, bytes):
            return "", b""
        value = element.value if element.is_little_endian or element.VR != "FL" else element.value[::-1]
        return element.VR or "", value

    def sequence(self, keyword: str) -> list[Header]:
        """The items of a sequence."""
        value = self._get(keyword)
        return [Header(item) for item in value] if isinstance(value, pydicom.Sequence) else []

    def _get(self, keyword: str) -> Any:
        tag, vr = _dictionary(keyword)
        element = self.dataset.get_item(tag)
        if element is None:
            return None
        if isinstance(element, RawDataElement) and isinstance(element.value, bytes):
            known, value = _plain(element, element.VR or vr)
            if known:
                return value
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self.dataset.get(keyword)
        except Exception:  # noqa: BLE001 - pydicom raises many types while it converts a damaged value
            self._note(keyword)
            return None

    def _note(self, keyword: str) -> None:
        if keyword not in self.unparsable:
            self.unparsable.append(keyword)


@cache
def _dictionary(keyword: str) -> tuple[Any, str]:
    tag = pydicom.tag.Tag(tag_for_keyword(keyword))
    return tag, dictionary_VR(tag)


def _plain(element: RawDataElement, vr: str) -> tuple[bool, Any]:
    """A value that needs no character set, without the library's objects; False where there is more to it."""
    raw = element.value
    if vr in _TEXTS and raw.isascii() and _ESCAPE not in raw:
        text = raw.decode("ascii").rstrip(" \0")
        return True, text.split("\\") if "\\" in text else text
    if vr in _INTEGERS:
        size, is_signed = _INTEGERS[vr]
        if raw and len(raw) % size == 0:
            order: Literal["little", "big"] = "little" if element.is_little_endian else "big"
            parts = [raw[n : n + size] for n in range(0, len(raw), size)]
            values = [int.from_bytes(p, order, signed=is_signed) for p in parts]
            return True, values if len(values) > 1 else values[0]
    return False, None


def _number(value: Any) -> float:
    if isinstance(value, bytes):
        raise TypeError("bytes are no number")
    text = value.strip(" \0") if isinstance(value, str) else value
    # Python takes 1_000 and the digits of every script for numbers; DICOM does not (PS3.5 6.2)
    if isinstance(text, str) and ("_" in text or not text.isascii()):
        raise ValueError("no decimal string")
    return float(text)


def _is_many(value: Any) -> bool:
    return isinstance(value, pydicom.multival.MultiValue | list | tuple)
