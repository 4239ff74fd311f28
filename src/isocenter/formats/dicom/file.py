"""One DICOM file, parsed so that what is cut, lies about its length or swells is refused and not made the best of."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_partial

from isocenter.base.errors import FormatError
from isocenter.base.files import Signature
from isocenter.formats.boundary import parsing
from isocenter.formats.bytes import MAX_BYTES, open_beginning, open_content, refuse_size
from isocenter.formats.dicom.direct import dataset_of
from isocenter.formats.dicom.layout import Pixels, check_pixels
from isocenter.formats.dicom.regions import REGIONS, Regions, find_regions
from isocenter.formats.dicom.survey import (
    MAX_INFLATED_BYTES,
    FunctionalGroups,
    Survey,
    check_structure,
    groups_of,
    inflated_bytes,
    prepare,
    refuse_late,
    sequence_tags,
)
from isocenter.formats.limits import DEFAULT_LIMITS, Limits

_UNDEFINED = 0xFFFFFFFF
# The attributes by which an object is known stand in front of all that describe the image (PS3.5 7.1).
_IDENTITY = ("SOPInstanceUID", "Modality", "StudyInstanceUID", "SeriesInstanceUID")
_PIXELS = {0x7FE00008, 0x7FE00009, 0x7FE00010}
_GROUPS = {0x52009229, 0x52009230}
# What pydicom looks for at an end that may be one: the next element (8), a look ahead (1), a search (8192).
_MAY_BE_SHORT = {1, 8, 8192}
# An element takes up to four reads, an item three; only files whose structure is odd get near it.
_READS_PER_ELEMENT = 8
_IDENTITY_READS = 20_000
_READS_BETWEEN_LOOKS = 256
# Pixel data: however slow the disk is, reading them is no fault of the header.
_LONG_READ = 1 << 20
_CHARACTER_SET = 0x00080005
_NOTHING_WANTED = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """What one file holds in front of its pixel data.

    Args:
        dataset: The data set without pixel data and without functional groups.
        pixels: Whether pixel data are there, as `check_pixels` tells.
        groups: Values of the functional groups, None where there are none.
        regions: The large sequences of a structure set, which are not in the data set then; None where there are
            none, or where they are in the data set.
        deadline: When the time for this file is over, by the monotonic clock.
        survey: The structure of the header.
    """

    dataset: Any
    pixels: Pixels | bool
    groups: FunctionalGroups | None
    regions: Regions | None
    deadline: float
    survey: Survey


def read_object(
    path: Path, keywords: Sequence[str], wanted: NDArray[np.int64], limits: Limits = DEFAULT_LIMITS
) -> ParsedFile:
    """Some attributes of a data set, and the wanted ones of its functional groups.

    Args:
        path: The file.
        keywords: Attributes that are wanted.
        wanted: Attributes of the functional groups that are wanted: sequence << 32 | tag, in order.
        limits: What the header may cost.

    Raises:
        FormatError: the file is no DICOM, broken, shorter than it says, or beyond a limit.
    """
    with parsing("the header"), open_content(path) as file:
        return parse_object(file, keywords, wanted, limits)


def parse_object(
    file: BinaryIO, keywords: Sequence[str] | None, wanted: NDArray[np.int64], limits: Limits = DEFAULT_LIMITS
) -> ParsedFile:
    """As `read_object`, of a file that is open already; of keywords None means all."""
    bounded = Bounded(file, limits)
    survey = bounded.survey(wanted, _NOTHING_WANTED if keywords is None else _sorted_tags(tuple(keywords)))
    regions = None if keywords is None else _regions_of(file, bounded.size, survey, keywords, limits)
    dataset = None if keywords is None else _direct(bounded, survey, regions, limits)
    if dataset is not None:
        bounded.is_deflated = survey.is_inflated
        groups = groups_of(survey, limits)
        file.seek(bounded.size if survey.pixels is None else survey.pixels)
    else:
        regions = None
        dataset, groups = _parsed(file, bounded, survey, keywords, limits)
    return ParsedFile(
        dataset=dataset,
        pixels=_pixels(file, dataset, bounded),
        groups=groups,
        regions=regions,
        deadline=bounded.deadline,
        survey=survey,
    )


def _regions_of(
    file: BinaryIO, size: int, survey: Survey, keywords: Sequence[str], limits: Limits
) -> Regions | None:
    """The large sequences of a structure set; None where there are none, or where the parser has to read them."""
    is_plain = survey.is_complete and not survey.is_inflated and not survey.is_big
    if not survey.has_regions or survey.groups is not None or not is_plain or size > limits.header_bytes:
        return None
    file.seek(survey.start)
    data = file.read((size if survey.pixels is None else survey.pixels) - survey.start)
    return find_regions(data, _sorted_tags(tuple(keywords)), sequence_tags(), is_implicit=survey.is_implicit)


def _direct(bounded: Bounded, survey: Survey, regions: Regions | None, limits: Limits) -> Any:
    """The wanted elements of the data set itself; None where the parser has to look for them."""
    if survey.groups is None and any(tag in _GROUPS for tag in survey.wanted[:, 0].tolist()):
        return None
    with bounded.telling():
        but = () if regions is None else REGIONS
        dataset = dataset_of(cast("BinaryIO", bounded), survey, limits.header_bytes, but)
    if dataset is not None:
        _refuse_nonsense(dataset, survey.elements)
    return dataset


def _parsed(
    file: BinaryIO, bounded: Bounded, survey: Survey, keywords: Sequence[str] | None, limits: Limits
) -> tuple[Any, FunctionalGroups | None]:
    """The same by the parser, and the functional groups; the file stands behind what was read."""
    file.seek(0)
    # the library would take a millisecond for each frame
    is_cut = survey.groups is not None and survey.is_complete and survey.is_ordered
    dataset = _parse(bounded, _PIXELS | _GROUPS if is_cut else _PIXELS, keywords)
    place = file.tell()
    groups = groups_of(survey, limits)
    if groups is None and any(tag in dataset and dataset[tag].value for tag in _GROUPS):
        raise FormatError("file/corrupt", "the functional groups are broken")
    if is_cut:
        place = bounded.size if survey.pixels is None else survey.pixels
    file.seek(place)
    return dataset, groups


def read_header(
    path: Path,
    keywords: Sequence[str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    expected: Signature | None = None,
) -> tuple[Any, Pixels | bool]:
    """The data set without its pixel data, and whether there are pixel data that are all there.

    Args:
        path: The file.
        keywords: Attributes that are wanted; None: all of them.
        limits: What the header may cost.
        expected: What the file was when it was indexed, where that is known.

    Raises:
        FormatError: the file is no DICOM, broken, shorter than it says, another one, or beyond a limit.
    """
    with parsing("the header"), open_content(path, expected) as file:
        bounded = Bounded(file, limits)
        bounded.survey()
        dataset = _parse(bounded, _PIXELS, keywords)
        return dataset, _pixels(file, dataset, bounded)


def _parse(bounded: Bounded, stop: set[int], keywords: Sequence[str] | None) -> Any:
    with bounded.telling():
        dataset = read_partial(
            cast("BinaryIO", bounded),
            stop_when=lambda tag, _vr, _length: tag in stop,
            force=True,
            specific_tags=None if keywords is None else list(_tags(tuple(keywords))),
        )
    _check_values(dataset)
    _refuse_nonsense(dataset, bounded.elements)
    return dataset


def _pixels(file: BinaryIO, dataset: Any, bounded: Bounded) -> Pixels | bool:
    if bounded.is_deflated:
        return True  # found out when the volume is read: the stream has to be inflated first
    pixels = check_pixels(file, dataset, bounded.size)
    # where they are in what a gzip file holds is not where they are in the file
    return pixels.is_there if isinstance(file, BytesIO) else pixels


def read_identity(path: Path, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The UIDs of an object, whatever may be wrong with the file behind them.

    Raises:
        FormatError: the file is broken before its Series Instance UID ends.
    """
    with parsing("the identity"), open_beginning(path) as file:
        tags, bounded = _tags(_IDENTITY), Bounded(file, limits, reads=_IDENTITY_READS)
        with bounded.telling():
            dataset = read_partial(
                cast("BinaryIO", bounded),
                stop_when=lambda tag, _vr, _length: tag > max(tags),
                force=True,
                specific_tags=list(tags),
            )
        _check_values(dataset)
        return dataset


def read_dataset(path: Path, limits: Limits = DEFAULT_LIMITS, expected: Signature | None = None) -> Any:
    """The whole data set of the expected file, where one is; pixel data are checked when they are decoded."""
    with parsing("the data set"), open_content(path, expected) as file:
        bounded = Bounded(file, limits, value_bytes=MAX_BYTES)
        refuse_size(bounded.size, MAX_BYTES)
        bounded.survey()
        with bounded.telling():
            dataset = pydicom.dcmread(bounded, force=True)
        _check_values(dataset)
        return dataset


@cache
def _tags(keywords: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(pydicom.tag.Tag(keyword) for keyword in keywords)


@cache
def _prepare() -> None:
    """Load or compile what walks, so that the first file's clock does not pay for it."""
    prepare()
    find_regions(b"", _NOTHING_WANTED, sequence_tags(), is_implicit=True)


@cache
def _sorted_tags(keywords: tuple[str, ...]) -> NDArray[np.int64]:
    """Tags in order, that of the character set with them, for no text can be read without it."""
    return np.array(sorted({*map(int, _tags(keywords)), _CHARACTER_SET}), np.int64)


class Bounded:
    """A file as pydicom reads it: a read beyond the end is refused, and so are too many, too large and too late ones.

    Args:
        file: The open file.
        limits: What the header may cost.
        value_bytes: Bytes of long values that may be read in all; the limit of a header where it is not given.
        reads: How often may be read; enough for as many elements as there may be where it is not given.
    """

    def __init__(
        self, file: BinaryIO, limits: Limits, *, value_bytes: int | None = None, reads: int | None = None
    ) -> None:
        self.size = file.seek(0, 2)
        file.seek(0)
        self.tell = file.tell
        self.is_deflated = False
        self.elements = 0
        self._refusal: FormatError | None = None
        self._file, self._limits, self._is_inflatable, self._reads = file, limits, False, 0
        self._most_reads = _READS_PER_ELEMENT * limits.elements if reads is None else reads
        self._most_bytes = self._bytes_left = limits.header_bytes if value_bytes is None else value_bytes
        _prepare()
        self.deadline = time.monotonic() + limits.seconds

    def survey(
        self, wanted: NDArray[np.int64] = _NOTHING_WANTED, tags: NDArray[np.int64] = _NOTHING_WANTED
    ) -> Survey:
        """Check the structure of the header before any of it is parsed."""
        survey = check_structure(self._file, self.size, self._limits, wanted, self.deadline, tags)
        self.elements = survey.elements
        self._is_inflatable = survey.source is not self._file
        self._file.seek(0)
        return survey

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Parse; what was refused meanwhile comes out as it was, though the library makes an OSError of it."""
        try:
            yield
        except OSError:
            if self._refusal is not None:
                raise self._refusal from None
            raise

    def read(self, count: int = -1) -> bytes:
        """Up to so many bytes, fewer only where a data set may end; all of them if they inflate to a sane size."""
        try:
            return self._deflated() if count < 0 else self._checked(count)
        except FormatError as error:
            self._refusal = error
            raise

    def _checked(self, count: int) -> bytes:
        self._look()
        if count > 8192:
            self._refuse(count)
        began = time.monotonic() if count > _LONG_READ else 0.0
        out = self._file.read(count)
        if count > _LONG_READ:
            self.deadline += time.monotonic() - began
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
        return self._file.seek(offset, whence)

    def _look(self) -> None:
        """Count a read, and look at the clock now and then."""
        self._reads += 1
        if self._reads % _READS_BETWEEN_LOOKS == 0:
            refuse_late(self.deadline, self._limits)
        if self._reads > self._most_reads:
            raise FormatError(
                "file/limit", "the header takes too many reads", expected=f"at most {self._most_reads:,}"
            )

    def _refuse(self, count: int) -> None:
        left = self.size - self.tell()
        if count > left:
            raise FormatError(
                "file/truncated",
                "an element ends beyond the file",
                measured=f"{left} bytes",
                expected=f"{count} bytes",
            )
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise FormatError(
                "file/limit",
                "the values of the header are larger than a header may be",
                measured=f"{self._most_bytes - self._bytes_left:,} bytes",
                expected=f"at most {self._most_bytes:,}",
            )

    def _deflated(self) -> bytes:
        """The rest of the file, which pydicom inflates at once: only after a try that keeps nothing."""
        self.is_deflated = True
        data = self._file.read(MAX_INFLATED_BYTES)
        if not self._is_inflatable:
            inflated_bytes(data)
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


def _refuse_nonsense(dataset: Any, elements: int) -> None:
    """Refuse a data set that is nothing, of so many elements with those of the file meta information."""
    known = ("SOPClassUID", "Rows", "Modality", "SeriesInstanceUID", "DirectoryRecordSequence")
    if not len(dataset) and elements <= len(dataset.file_meta):
        raise FormatError("file/truncated", "the file ends before an object can be recognised")
    if not any(keyword in dataset for keyword in known):
        raise FormatError("file/corrupt", "no object can be recognised after the DICOM preamble")
