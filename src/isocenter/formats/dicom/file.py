"""One DICOM file, parsed so that what is cut, lies about its length or swells is refused and not made the best of."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_partial

from isocenter.base.errors import FormatError
from isocenter.formats.boundary import opening, parsing
from isocenter.formats.bytes import MAX_BYTES, refuse_size
from isocenter.formats.dicom.layout import check_pixels

# Bytes of values in front of the pixel data that are read at most.
MAX_HEADER_BYTES = 64 << 20
# An element takes two or three reads, an item of a sequence one: enough for structure sets of 50,000 contours.
MAX_READS = 500_000
# A deflated data set is one object, of one slice as a rule.
MAX_INFLATED_BYTES = 256 << 20
_UNDEFINED = 0xFFFFFFFF
# The attributes by which an object is known stand in front of all that describe the image (PS3.5 7.1).
_IDENTITY = ("SOPInstanceUID", "Modality", "StudyInstanceUID", "SeriesInstanceUID")
# What pydicom looks for at an end that may be one: the next element (8), a look ahead (1), a search (8192).
_MAY_BE_SHORT = {1, 8, 8192}
_PIECE = 4 << 20


def read_header(path: Path, keywords: Sequence[str] | None = None) -> tuple[Any, bool]:
    """The data set without its pixel data, and whether there are pixel data that are all there.

    Args:
        path: The file.
        keywords: Attributes that are wanted; None: all of them.

    Raises:
        FormatError: the file is no DICOM, broken, or shorter than it says.
    """
    with parsing("the header"), opening(path) as file:
        bounded = Bounded(file, MAX_HEADER_BYTES)
        tags = None if keywords is None else list(_tags(tuple(keywords)))
        dataset = pydicom.dcmread(bounded, stop_before_pixels=True, force=True, specific_tags=tags)
        _check_values(dataset)
        _refuse_nonsense(dataset)
        if bounded.is_deflated:
            return dataset, True  # found out when the volume is read: the stream has to be inflated first
        return dataset, check_pixels(file, dataset, bounded.size)


def read_identity(path: Path) -> Any:
    """The UIDs of an object, whatever may be wrong with the file behind them.

    Raises:
        FormatError: the file is broken before its Series Instance UID ends.
    """
    with parsing("the identity"), opening(path) as file:
        tags = _tags(_IDENTITY)
        dataset = read_partial(
            cast("BinaryIO", Bounded(file, MAX_HEADER_BYTES)),
            stop_when=lambda tag, _vr, _length: tag > max(tags),
            force=True,
            specific_tags=list(tags),
        )
        _check_values(dataset)
        return dataset


def read_dataset(path: Path) -> Any:
    """The whole data set; pixel data are checked when they are decoded."""
    with parsing("the data set"), opening(path) as file:
        bounded = Bounded(file, MAX_BYTES)
        refuse_size(bounded.size, MAX_BYTES)
        dataset = pydicom.dcmread(bounded, force=True)
        _check_values(dataset)
        return dataset


@cache
def _tags(keywords: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(pydicom.tag.Tag(keyword) for keyword in keywords)


class Bounded:
    """A file as pydicom reads it: a read beyond the end is refused, and so are too many and too large ones.

    Args:
        file: The open file.
        limit: Bytes that may be read in all.
    """

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.size = file.seek(0, 2)
        file.seek(0)
        self.tell = file.tell
        self.is_deflated = False
        self._file, self._read, self._seek, self._limit, self._reads = file, file.read, file.seek, limit, 0

    def read(self, count: int = -1) -> bytes:
        """Up to so many bytes, fewer only where a data set may end; all of them if they inflate to a sane size."""
        if count < 0:
            return self._deflated()
        self._reads += 1
        if self._reads > MAX_READS:
            raise FormatError("file/too-large", "the header has too many elements", expected=MAX_READS)
        if count > 8192:
            self._refuse(count)
        out = self._read(count)
        if len(out) < count and (count not in _MAY_BE_SHORT or (out and count == 8)):
            raise FormatError(
                "file/truncated",
                "the header ends early",
                measured=f"{len(out)} bytes",
                expected=f"{count} bytes",
            )
        return out

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a place in the file."""
        if whence == 0 and offset > self.size:
            raise FormatError(
                "file/truncated",
                "an element ends beyond the file",
                measured=f"{self.size} bytes",
                expected=f"{offset} bytes",
            )
        return self._seek(offset, whence)

    def _refuse(self, count: int) -> None:
        if count > self.size - self.tell():
            raise FormatError(
                "file/truncated",
                "an element ends beyond the file",
                measured=f"{self.size - self.tell()} bytes",
                expected=f"{count} bytes",
            )
        self._limit -= count
        if self._limit < 0:
            raise FormatError("file/too-large", "the header is larger than headers are")

    def _deflated(self) -> bytes:
        """The rest of the file, after a try that keeps nothing: pydicom inflates all of it at once."""
        self.is_deflated = True
        data = self._file.read(MAX_INFLATED_BYTES)
        stream, left, total = zlib.decompressobj(wbits=-15), data, 0
        while not stream.eof:
            piece = stream.decompress(left, _PIECE)
            left, total = stream.unconsumed_tail, total + len(piece)
            refuse_size(total, MAX_INFLATED_BYTES)
            if not piece and not left and not stream.eof:
                raise FormatError("file/truncated", "the deflated data set ends early")
        return data


def _check_values(dataset: Any) -> None:
    """Refuse a value that is shorter than its element says: pydicom takes what is left of the file."""
    for element in (*dataset.file_meta.values(), *dataset.values()):
        if not isinstance(element, RawDataElement) or element.length == _UNDEFINED or element.value is None:
            continue
        if len(element.value) < element.length:
            raise FormatError(
                "file/truncated",
                "an element ends beyond the file",
                measured=f"{len(element.value)} bytes",
                expected=f"{element.length} bytes",
            )


def _refuse_nonsense(dataset: Any) -> None:
    known = ("SOPClassUID", "Rows", "Modality", "SeriesInstanceUID", "DirectoryRecordSequence")
    if not len(dataset):
        raise FormatError("file/truncated", "the file ends before an object can be recognised")
    if not any(keyword in dataset for keyword in known):
        raise FormatError("file/corrupt", "no object can be recognised after the DICOM preamble")
