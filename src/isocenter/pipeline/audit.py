"""Audit a split of any origin: a store's, a table's, nnU-Net's, or one in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from isocenter.base import tables
from isocenter.base.errors import ConfigError
from isocenter.base.plugins import did_you_mean
from isocenter.model.rows import CaseRow
from isocenter.model.split import Split
from isocenter.pipeline.foreign_splits import read_nnunet, read_table
from isocenter.pipeline.split import store_at
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.audit.stage import Audit
from isocenter.stages.audit.stage import audit as audit_stage
from isocenter.stores.splits import read_split, split_names

_LAYOUTS = ("auto", "nnunet", "store", "table")
_FOREIGN = ScreenOptions(
    ignore={"split/fractions-off-target": "the fractions that a foreign split aimed at are not known"}
)


def audit(
    path_or_split: str | Path | Split,
    *,
    splits: str | Sequence[str] | None = None,
    layout: str = "auto",
    subject: str = "{subject}",
) -> Audit:
    """Check a split: nobody and no image in two partitions, external test subjects, labels everywhere.

    A table needs the columns `subject` and `partition`, or `fold`, or both; it may have `site`, `group`,
    `labels` (with | between them), `case` and `digest` (the same for the same images). Of nnU-Net the file
    `splits_final.json` is read. Every split of a store and every fold is judged by itself.

    Args:
        path_or_split: A workspace, a store, a CSV or TSV file, a splits_final.json or its folder, a Split.
        splits: Names of the splits or folds to check; all of them by default.
        layout: auto, nnunet, store or table.
        subject: How the subject stands in the name of an nnU-Net case, e.g. `{subject}_{visit}`; by default
            every case is taken for a subject of its own.

    Raises:
        ConfigError: there is nothing of that layout or name.
        FormatError: the file is not what its name says.
        StoreError: the store or its split cannot be read.
    """
    if isinstance(path_or_split, Split):
        return audit_stage([path_or_split], engine=Engine(ScreenOptions()))
    path = Path(path_or_split)
    kind = _kind(path, layout)
    digests: dict[str, str] = {}
    if kind == "store":
        found, digests = _of_store(store_at(path))
    elif kind == "nnunet":
        found = read_nnunet(path / "splits_final.json" if path.is_dir() else path, subject)
    else:
        found, digests = read_table(path)
    wanted = _wanted(splits, [s.id for s in found])
    engine = Engine(ScreenOptions() if kind == "store" else _FOREIGN)
    return audit_stage([s for s in found if s.id in wanted], engine=engine, digests=digests)


def _kind(path: Path, layout: str) -> str:
    if layout not in _LAYOUTS:
        raise ConfigError(f"no layout {layout!r}{did_you_mean(layout, list(_LAYOUTS))}")
    if not path.exists():
        raise ConfigError(f"there is no {path.name}")
    if layout != "auto":
        return layout
    if path.suffix == ".json" or (path / "splits_final.json").is_file():
        return "nnunet"
    return "store" if path.is_dir() else "table"


def _of_store(root: Path) -> tuple[list[Split], dict[str, str]]:
    """The splits of a store under their own names, and the digest of each case's voxels."""
    digests = {c.id: c.pixel_digest for c in tables.read(root / "cases.parquet", CaseRow)}
    return [replace(read_split(root, name), id=name) for name in split_names(root)], digests


def _wanted(splits: str | Sequence[str] | None, known: Sequence[str]) -> set[str]:
    wanted = [splits] if isinstance(splits, str) else list(known if splits is None else splits)
    if unknown := [s for s in wanted if s not in known]:
        raise ConfigError(f"no split {unknown[0]!r}{did_you_mean(unknown[0], list(known))}")
    if not wanted:
        raise ConfigError("there is no split to check")
    return set(wanted)
