"""Typed, forgiving access to DICOM attributes: a value that cannot be understood is named, never guessed."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any, Literal

import pydicom
from pydicom.errors import InvalidDicomError
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from isocenter.base.errors import FormatError
from isocenter.base.files import open_regular

# Bytes of headers in front of the pixel data that are read at most.
MAX_HEADER_BYTES = 64 << 20
_PIXEL_TAGS = {(0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010)}
_LONG_VR = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN"}
UNDEFINED_LENGTH = 0xFFFFFFFF


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

    def integer(self, keyword: str) -> int | None:
        """An attribute as one whole number."""
        value = self.number(keyword)
        if value is None:
            return None
        if value != int(value):
            self._note(keyword)
            return None
        return int(value)

    def numbers(self, keyword: str, count: int) -> tuple[float, ...]:
        """An attribute as `count` finite numbers, or () where it is absent or has another number of them."""
        value = self._get(keyword)
        if value is None or value == "":
            return ()
        try:
            out = tuple(float(v) for v in value) if _is_many(value) else (float(value),)
        except (TypeError, ValueError):
            self._note(keyword)
            return ()
        if len(out) != count or not all(map(math.isfinite, out)):
            self._note(keyword)
            return ()
        return out

    def sequence(self, keyword: str) -> list[Header]:
        """The items of a sequence."""
        value = self._get(keyword)
        return [Header(item) for item in value] if isinstance(value, pydicom.Sequence) else []

    def _get(self, keyword: str) -> Any:
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


def _is_many(value: Any) -> bool:
    return isinstance(value, pydicom.multival.MultiValue | list | tuple)


def read_header(path: Path, keywords: list[str] | None = None) -> tuple[Header, bool]:
    """The attributes of a file without its pixel data, and whether there are pixel data that are all there.

    Raises:
        FormatError: the file is no DICOM, broken, or shorter than it says.
    """
    with warnings.catch_warnings(), open_regular(path) as file:
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True, specific_tags=keywords)
            _refuse_nonsense(dataset)
            has_pixels = _check_pixels(file, dataset, path.lstat().st_size)
        except FormatError:
            raise
        except InvalidDicomError:
            raise FormatError("file/corrupt", "the file has no DICOM structure") from None
        except (EOFError, OSError) as error:
            raise FormatError("file/truncated", f"the header ends early ({type(error).__name__})") from None
        except Exception as error:  # noqa: BLE001 - the one boundary that maps a parser's exceptions
            raise FormatError("file/corrupt", f"the header is broken ({type(error).__name__})") from None
    return Header(dataset), has_pixels


def _refuse_nonsense(dataset: Any) -> None:
    if (
        "SOPClassUID" in dataset
        or "Rows" in dataset
        or "Modality" in dataset
        or "SeriesInstanceUID" in dataset
    ):
        return
    if "DirectoryRecordSequence" in dataset or "MediaStorageSOPClassUID" in dataset.file_meta:
        return
    raise FormatError("file/corrupt", "no object can be recognised after the DICOM preamble")


def _check_pixels(file: Any, dataset: Any, size: int) -> bool:
    """Whether pixel data follow the header; a file that ends before their stated length is refused."""
    syntax = dataset.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian)
    if syntax == DeflatedExplicitVRLittleEndian:
        return True  # found out when the volume is read: the stream has to be inflated first
    start = file.tell()
    head = file.read(12)
    if len(head) < 8:
        return False
    order: Literal["big", "little"] = "big" if syntax == ExplicitVRBigEndian else "little"
    tag = (int.from_bytes(head[:2], order), int.from_bytes(head[2:4], order))
    if tag not in _PIXEL_TAGS:
        return False
    if head[4:6] in _LONG_VR:
        length, value = int.from_bytes(head[8:12], order), start + 12
    else:
        length, value = int.from_bytes(head[4:8], order), start + 8
    if length != UNDEFINED_LENGTH and value + length > size:
        raise FormatError(
            "file/truncated",
            "the pixel data end early",
            measured=f"{size - value} bytes",
            expected=f"{length} bytes",
        )
    return True
