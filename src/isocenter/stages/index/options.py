"""What the index stage is told: the sources, and how subjects are found in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated


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
    """One folder that was handed over."""

    path: Annotated[str, "folder, relative to this file or absolute"]
    site: Annotated[str, "the centre that the data come from"] = "site-1"
    subject: Annotated[SubjectFrom, "how to find the subject"] = SubjectFrom()
    layout: Annotated[str, "files, or the layout of a known kind of data set: nnunet, decathlon"] = "files"
    include: Annotated[tuple[str, ...], "path templates of the files to look at; empty: all"] = ()
    exclude: Annotated[tuple[str, ...], "path templates of the files to leave out"] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """What is read: the sources, in order."""

    sources: Annotated[tuple[Source, ...], "folders to read"]

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError("name at least one source")
