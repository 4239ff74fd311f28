"""Tables of images or subjects and their partitions: CSV and TSV."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from isocenter.base.delimited import read_csv_rows
from isocenter.base.errors import ConfigError
from isocenter.pipeline.foreign import ForeignImage, ForeignSet, ForeignSplit, SubjectOf
from isocenter.pipeline.foreign_columns import cell, facts_columns, is_yes, roles_of
from isocenter.pipeline.split import labels_of

# "p1_slice_012", "p1-z12": the rest of the name is one volume's
_SLICE = re.compile(r"(.+?)[_.-]?(?:slice|slc|sl|axial|frame|z)[_.-]?\d+", re.IGNORECASE)
_USUAL = {
    "training": "train",
    "validation": "val",
    "valid": "val",
    "dev": "val",
    "testing": "test",
    **{name: name for name in ("train", "val", "test")},
}
"""What partitions are called elsewhere, and here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableWords:
    """How a table is to be read.

    `columns` name the column of a role, `labels` those that hold 1 or 0 for a label, `metadata` further ones of
    what the scanner says; `subject` finds the subject in the path where no column has it; `images` is the folder
    that paths are relative to, by default that of the table.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Sequence[str] = ()
    metadata: Sequence[str] = ()
    subject: str = "{subject}"
    images: Path | None = None


class Reader:
    """Makes images of the rows of one table.

    Raises:
        ConfigError: a column that was named does not exist, or the table has neither subjects nor partitions.
    """

    def __init__(self, header: Sequence[str], words: TableWords, folder: Path) -> None:
        self.roles = roles_of(header, words.columns)
        self.facts = facts_columns(header, words.metadata)
        self._words, self._folder = words, words.images or folder
        if missing := [c for c in words.labels if c not in header]:
            raise ConfigError(f"the table has no column {missing[0]!r}")
        has_pattern = "path" in self.roles and "{subject}" in words.subject and words.subject != "{subject}"
        self._subject = SubjectOf(words.subject) if has_pattern and "subject" not in self.roles else None
        if ("subject" not in self.roles and not self._subject) or not {"fold", "partition"} & set(self.roles):
            raise ConfigError(
                "a split table needs the columns subject and partition (or fold); instead of subject a path and a "
                f"pattern that finds the subject in it; it has {', '.join(header)}"
            )

    def image(self, number: int, row: Mapping[str, str]) -> ForeignImage:
        """The image, or subject, of a row.

        Raises:
            ConfigError: it has no subject.
        """
        cells = {role: cell(row, column) for role, column in self.roles.items()}
        path, words = cells.get("path", ""), self._words
        subject = self._subject(path) if self._subject else cells.get("subject", "")
        if not subject:
            raise ConfigError(f"row {number} of the table has no subject")
        case = cells.get("case") or path or (f"row {number}" if cells.get("digest") else "")
        guessed = _SLICE.fullmatch(PurePosixPath(path).stem) if path else None
        volume = cells.get("volume", "")
        return ForeignImage(
            id=path or case or f"row {number}",
            subject=subject,
            case=case,
            path=self._folder / path if path else None,
            site=cells.get("site", ""),
            group=cells.get("group", ""),
            study=cells.get("study", ""),
            volume=volume or (f"{PurePosixPath(path).parent}/{guessed[1]}" if guessed else ""),
            is_volume_guessed=bool(guessed) and not volume,
            digest=cells.get("digest", ""),
            date=cells.get("date", ""),
            labels=(*labels_of(cells.get("labels", "")), *(c for c in words.labels if is_yes(cell(row, c)))),
            facts=tuple((n, v) for n, c in sorted(self.facts.items()) if (v := cell(row, c))),
            left_out=cells.get("left_out", "") if is_yes(cells.get("left_out", "")) else "",
            is_external=is_yes(cells.get("external", "")),
        )

    def place(self, row: Mapping[str, str]) -> tuple[str, str]:
        """The split and the partition that a row is in."""
        partition, fold = (cell(row, self.roles.get(role)) for role in ("partition", "fold"))
        if {"fold", "partition"} <= set(self.roles):
            return f"fold-{fold}", named(partition)
        return "table", named(partition if "partition" in self.roles else fold)


def read_table(path: Path, words: TableWords) -> ForeignSet:
    """The splits of a CSV or TSV file.

    With the columns `fold` and `partition` every fold is a split; with one of them, that is the partition.

    Raises:
        ConfigError: a column is missing, or the table does not divide its subjects.
        FormatError: it is no table.
    """
    header, rows = read_csv_rows(path)
    reader = Reader(header, words, path.parent)
    images: dict[str, ForeignImage] = {}
    places: dict[str, dict[tuple[str, str], None]] = defaultdict(dict)
    for number, row in enumerate(rows, start=2):
        made = reader.image(number, row)
        if images.get(made.id, made) != made:  # one file that is told of in two ways
            made = replace(made, id=f"{made.id} (row {number})")
        images[made.id] = made
        split, partition = reader.place(row)
        places[split][made.id, partition] = None
    return ForeignSet(images=images, splits=divided(places))


def divided(places: Mapping[str, Mapping[tuple[str, str], None]]) -> tuple[ForeignSplit, ...]:
    """The splits of a table, by name.

    Raises:
        ConfigError: one of them has fewer than two partitions.
    """
    splits = []
    for name, found in sorted(places.items()):
        partitions = tuple(sorted({partition for _, partition in found if partition}))
        splits.append(ForeignSplit(name=name, partitions=partitions, places=tuple(found)))
    if not splits or min(len(s.partitions) for s in splits) < 2:
        raise ConfigError("the table does not divide its subjects: it names fewer than two partitions")
    return tuple(splits)


def named(partition: str) -> str:
    """A partition as we call it: "Training" is train."""
    return _USUAL.get(partition.lower(), partition)
