"""What the index stage is told: the sources, and how subjects are found in them."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Annotated

from isocenter.formats.limits import Limits


class Content(enum.StrEnum):
    """How much of the files is read to find copies."""

    UIDS = "uids"
    FILES = "files"
    PIXELS = "pixels"


class SeriesBy(enum.StrEnum):
    """What makes images one series."""

    UID = "uid"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectFrom:
    """How to find the subject of a file: by a tag, a path pattern, or a table."""

    tag: Annotated[str, "DICOM attribute that names the subject"] = "PatientID"
    pattern: Annotated[
        tuple[str, ...],
        "path templates with {subject}, and {site} or {timepoint} if wanted; the first that matches decides",
    ] = ()
    table: Annotated[str, "CSV or TSV file that maps what the tag or pattern yields to a subject"] = ""
    key: Annotated[str, "column of the table that holds what the tag or pattern yields"] = "id"
    column: Annotated[str, "column of the table that holds the subject"] = "subject"

    def __post_init__(self) -> None:
        if any("{subject}" not in p for p in self.pattern):
            raise ValueError("every subject pattern needs the named part {subject}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One folder, file or archive that was handed over."""

    path: Annotated[str, "folder, file or archive (zip, tar, tar.gz), relative to this file or absolute"]
    site: Annotated[str, "the centre that the data come from"] = "site-1"
    subject: Annotated[SubjectFrom, "how to find the subject"] = SubjectFrom()
    layout: Annotated[str, "files, or the layout of a known kind of data set: nnunet, decathlon"] = "files"
    series: Annotated[
        SeriesBy,
        "what makes DICOM images one series: their Series Instance UID (uid), or the folder that they lie in "
        "(folder), where a volume was spread over several series",
    ] = SeriesBy.UID
    include: Annotated[tuple[str, ...], "path templates of the files to look at; empty: all"] = ()
    exclude: Annotated[tuple[str, ...], "path templates of the files to leave out"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """How files are read: how much of them, and what their headers may cost."""

    content: Annotated[
        Content,
        "copies are looked for among files that share a UID (uids), by a digest of every file (files), or of "
        "its pixel data as well (pixels)",
    ] = Content.UIDS
    limits: Annotated[Limits, "what the header of one file may cost"] = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """What is read, and how: the sources, in order."""

    sources: Annotated[tuple[Source, ...], "folders to read"]
    reading: Annotated[ReadingOptions, "how files are read"] = field(default_factory=ReadingOptions)

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError("name at least one source")
