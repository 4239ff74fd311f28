"""The table of the names that were met in annotations, and of the labels that they stand for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRow:
    """`enrol/names.parquet`: one free-text name of one origin of annotations, and the label that it stands for.

    `source` is the place of the origin in the config, `name` the name without what its subjects go by, `code` what it
    is as SCHEME:VALUE, `label` "" where it stands for none, and `count` the files (of a table: the rows) that have it.
    """

    source: int
    format: str
    name: str
    code: str
    label: str
    count: int
