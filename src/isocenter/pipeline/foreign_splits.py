"""Splits that other tools wrote: a table of subjects and partitions, and nnU-Net's splits_final.json."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from isocenter.base.delimited import read_csv_rows
from isocenter.base.errors import ConfigError, FormatError
from isocenter.base.templates import Template
from isocenter.model.split import Split, SplitRow
from isocenter.pipeline.split import labels_of
from isocenter.stages.split.rows import Record, subjects_of


def read_table(path: Path) -> tuple[list[Split], dict[str, str]]:
    """The splits of a CSV or TSV file, and the digest of each case's voxels where it has that column.

    With the columns `fold` and `partition` every fold is a split; with one of them, that is the partition.
    """
    header, rows = read_csv_rows(path)
    own = {name.lower(): name for name in reversed(header)}
    has_folds = {"fold", "partition"} <= set(own)
    if "subject" not in own or not {"fold", "partition"} & set(own):
        raise ConfigError(
            f"a split table needs the columns subject and partition (or fold); it has {', '.join(header)}"
        )
    found: dict[str, list[Record]] = defaultdict(list)
    digests: dict[str, str] = {}
    for number, row in enumerate(rows, start=2):
        cells = {name: row[column] for name, column in own.items()}
        cells.setdefault("case", f"row {number}" if cells.get("digest") else "")
        if not cells["subject"]:
            raise ConfigError(f"row {number} of the table has no subject")
        if cells.get("digest"):
            digests[cells["case"]] = cells["digest"]
        found[f"fold-{cells['fold']}" if has_folds else "table"].append(_record(cells))
    splits = [_split(name, records) for name, records in sorted(found.items())]
    if not splits or min(len(s.fractions) for s in splits) < 2:
        raise ConfigError("the table does not divide its subjects: it names fewer than two partitions")
    return splits, digests


def read_nnunet(path: Path, subject: str) -> list[Split]:
    """The folds of a splits_final.json; `subject` is a template that finds the subject in a case's name."""
    template = Template(subject)
    if "subject" not in template.names:
        raise ConfigError(f"the pattern {subject!r} needs the named part {{subject}}")
    try:
        folds = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise FormatError("file/corrupt", "splits_final.json is not JSON") from None
    except OSError as error:
        raise FormatError(
            "file/unreadable", f"splits_final.json cannot be opened ({error.strerror})"
        ) from None
    if not isinstance(folds, list) or not all(_is_fold(fold) for fold in folds):
        raise FormatError("file/corrupt", "splits_final.json is no list of folds with train and val")
    return [
        _split(
            f"fold-{number}",
            [
                Record(row=SplitRow(subject=_subject(template, case), cases=(case,), partition=partition))
                for partition, cases in fold.items()
                for case in cases
            ],
            tuple(fold),
        )
        for number, fold in enumerate(folds)
    ]


def _is_fold(fold: Any) -> bool:
    return (
        isinstance(fold, Mapping)
        and {"train", "val"} <= set(fold)
        and all(isinstance(v, list) and all(isinstance(c, str) for c in v) for v in fold.values())
    )


def _subject(template: Template, case: str) -> str:
    parts = template.match(case)
    if parts is None:
        raise ConfigError(f"the subject pattern {template.text!r} does not fit the case {case!r}")
    return parts["subject"]


def _record(cells: Mapping[str, str]) -> Record:
    return Record(
        row=SplitRow(
            subject=cells["subject"],
            site=cells.get("site", ""),
            group=cells.get("group", ""),
            labels=labels_of(cells.get("labels", cells.get("label", ""))),
            cases=(cells["case"],) if cells["case"] else (),
            partition=cells.get("partition", cells.get("fold", "")),
        )
    )


def _split(name: str, records: Iterable[Record], partitions: Sequence[str] = ()) -> Split:
    rows = subjects_of(records)
    names = [*partitions, *sorted({r.partition for r in rows if r.partition} - set(partitions))]
    aims = dict.fromkeys(names, 1 / max(1, len(names)))  # every part is wanted; how much of it is not known
    return Split(strategy="foreign", seed=0, fractions=aims, rows=tuple(rows), id=name)
