"""A split as files that other tools read: CSV, JSON and nnU-Net's splits_final.json; and back."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from isocenter.base.delimited import read_csv_rows
from isocenter.base.digests import canonical_json, digest_of
from isocenter.base.errors import ConfigError
from isocenter.base.files import write_text
from isocenter.model.split import Partition, Split, SplitRow
from isocenter.stores.splits import split_of

_COLUMNS = (
    "subject",
    "partition",
    "site",
    "group",
    "labels",
    "strata",
    "cases",
    "external",
    "present",
    "inner",
    "first",
    "last",
)
# "case_0001_0000.nii.gz": nnU-Net names cases without the channel and the ending.
_CHANNEL = re.compile(r"_\d{4}$")
_ENDING = re.compile(r"\.(nii\.gz|nii|nrrd|mha|mhd|png|tif|tiff|jpg|jpeg|dcm|b2nd)$", re.IGNORECASE)
_FOLD = "fold-"


def write_exports(folder: Path, split: Split) -> list[Path]:
    """Write `<id>.csv`, `<id>.json` and, where there is something to validate on, `splits_final.json`; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    document = json.loads(canonical_json(split))
    texts = {f"{split.id}.csv": as_csv(split.rows)}
    sealed = {"split": document, "seal": digest_of(document)}
    texts[f"{split.id}.json"] = json.dumps(sealed, indent=1, sort_keys=True) + "\n"
    if folds := nnunet_folds(split):
        texts["splits_final.json"] = json.dumps(folds, indent=4) + "\n"
    else:
        (folder / "splits_final.json").unlink(missing_ok=True)
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / n for n in texts]


def as_csv(rows: Iterable[SplitRow]) -> str:
    """A line for each subject; several values of a field with | between them."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(_COLUMNS)
    for r in rows:
        several = ["|".join(x) for x in (r.labels, r.strata, r.cases)]
        yes = [str(int(x)) for x in (r.is_external, r.is_present)]
        table.writerow(
            [r.subject, r.partition, r.site, r.group, *several, *yes, "|".join(r.inner), r.first, r.last]
        )
    return out.getvalue()


def nnunet_folds(split: Split) -> list[dict[str, list[str]]]:
    """The folds as nnU-Net has them, each with the names of its cases; a test part is in none of them.

    A subject without cases is taken for a case of its own name.
    """
    present = [r for r in split.rows if r.is_present]
    folds = sorted({r.partition for r in present if r.partition.startswith(_FOLD)}, key=lambda f: (len(f), f))
    if folds:
        return [
            {
                "train": _cases(r for r in present if r.partition in folds and r.partition != fold),
                "val": _cases(r for r in present if r.partition == fold),
            }
            for fold in folds
        ]
    val = _cases(r for r in present if r.partition == Partition.VAL)
    train = _cases(r for r in present if r.partition == Partition.TRAIN)
    return [{"train": train, "val": val}] if train and val else []


def _cases(rows: Iterable[SplitRow]) -> list[str]:
    names = (c for r in rows for c in (r.cases or (r.subject,)))
    return sorted({_CHANNEL.sub("", _ENDING.sub("", Path(n).name)) for n in names})


def read_exported(path: Path) -> Split:
    """A split that was written as CSV or JSON, to keep its places.

    Raises:
        ConfigError: it is no such file, or was changed.
        FormatError: it is no table.
    """
    if not path.is_file():
        raise ConfigError(f"there is no {path.name}")
    if path.suffix == ".json":
        return _of_json(path)
    header, rows = read_csv_rows(path)
    if not {"subject", "partition"} <= set(header):
        raise ConfigError(f"{path.name} needs the columns subject and partition; it has {', '.join(header)}")
    found = tuple(_row(r) for r in rows)
    parts = sorted({r.partition for r in found})
    return Split(
        strategy="given",
        seed=0,
        fractions=dict.fromkeys(parts, 1 / max(1, len(parts))),
        rows=found,
        id=path.stem,
    )


def _row(cells: Mapping[str, str]) -> SplitRow:
    return SplitRow(
        subject=cells["subject"],
        partition=cells["partition"],
        site=cells.get("site", ""),
        group=cells.get("group", ""),
        labels=_several(cells, "labels"),
        strata=_several(cells, "strata"),
        cases=_several(cells, "cases"),
        is_external=cells.get("external", "0") == "1",
        is_present=cells.get("present", "1") != "0",
        inner=tuple(cells["inner"].split("|")) if cells.get("inner") else (),
        first=cells.get("first", ""),
        last=cells.get("last", ""),
    )


def _several(cells: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(x for x in cells.get(name, "").split("|") if x)


def _of_json(path: Path) -> Split:
    try:
        document: Any = json.loads(path.read_bytes())
        plain = document["split"]
        if digest_of(plain) != document["seal"]:
            raise ConfigError(f"{path.name} is not what was written: its seal does not fit")
        return split_of(plain, (SplitRow(**_tuples(r)) for r in plain["rows"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ConfigError(f"{path.name} is no split that was exported ({type(error).__name__})") from None


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
