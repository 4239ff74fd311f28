"""Split subjects from Python: rows of any origin, or the cases of a workspace or store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from isocenter.base import tables
from isocenter.base.errors import ConfigError, StoreNotFound
from isocenter.model.rows import CaseRow
from isocenter.model.split import Split, SplitRow
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.split.options import SplitOptions
from isocenter.stages.split.rows import Record, rows_of, subjects_of
from isocenter.stages.split.stage import split as split_stage


def split(
    rows_or_workspace: str | Path | Iterable[Mapping[str, Any] | SplitRow],
    *,
    strategy: str = "auto",
    fractions: Mapping[str, float] | None = None,
    strata: Sequence[str] = (),
    groups: Sequence[str] = (),
    previous: Split | None = None,
    seed: int = 0,
) -> Split:
    """Divide subjects into train, val and test: nobody in two of them, balanced, whole centres to test.

    >>> rows = [{"subject": f"s{n}", "site": f"c{n % 3}", "labels": "tumour" if n % 2 else ""} for n in range(30)]
    >>> done = split(rows, seed=1)
    >>> done.strategy, len(done.of("train")) + len(done.of("val")) + len(done.of("test"))
    ('site-holdout', 30)

    Args:
        rows_or_workspace: Path of a workspace or store, or rows with the key `subject` and, as there are,
            `site`, `labels` (names, or text with | between them, or name to truth), `case`, `group` and
            `partition` (what the source says). Rows of one subject are merged.
        strategy: auto (site-holdout with several centres, else stratified), or a strategy by name.
        fractions: Share of the subjects in train, val and test; 0.7, 0.1 and 0.2 by default.
        strata: Keys, or attributes of the cases, to balance besides the labels.
        groups: Keys, or attributes of the cases, whose equal values keep subjects together.
        previous: An earlier split whose subjects keep their places.
        seed: Same seed and subjects, same split, whatever the order of the rows.

    Raises:
        ConfigError: an option or a row is wrong.
        UnknownPlugin: there is no such strategy.
        StoreNotFound: the path is no workspace or store.
    """
    options = _options(strategy, fractions, strata)
    if isinstance(rows_or_workspace, str | Path):
        rows = _rows_at(Path(rows_or_workspace), strata, groups)
    else:
        rows = subjects_of(_record(n, r, strata, groups) for n, r in enumerate(rows_or_workspace, start=1))
    share = {"min_share": options.min_external_share}
    engine = Engine(ScreenOptions(options={"split/too-few-external-subjects": share}))
    return split_stage(rows, options, seed=seed, previous=previous, engine=engine)


def store_at(path: Path) -> Path:
    """The store of a workspace, or the store itself.

    Raises:
        StoreNotFound: it is neither.
    """
    for root in (path / "store", path):
        if (root / "cases.parquet").is_file():
            return root
    raise StoreNotFound(f"no workspace or store with cases.parquet: {path.name}")


def _options(strategy: str, fractions: Mapping[str, float] | None, strata: Sequence[str]) -> SplitOptions:
    asked = SplitOptions().fractions if fractions is None else dict(fractions)
    try:
        return SplitOptions(strategy=strategy, strata=tuple(strata), fractions=asked)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def _rows_at(path: Path, strata: Sequence[str], groups: Sequence[str]) -> list[SplitRow]:
    return rows_of(tables.read(store_at(path) / "cases.parquet", CaseRow), strata, groups=groups)


def _record(
    number: int, row: Mapping[str, Any] | SplitRow, strata: Sequence[str], groups: Sequence[str]
) -> Record:
    if isinstance(row, SplitRow):
        if strata or groups:
            raise ConfigError(
                "a SplitRow has its own strata and group; strata and groups are keys of mappings"
            )
        return Record(row=row)
    subject = _text(row, "subject")
    if not subject:
        raise ConfigError(f"row {number} has no subject")
    return Record(
        row=SplitRow(
            subject=subject,
            site=_text(row, "site"),
            group=_text(row, "group"),
            labels=labels_of(row.get("labels", row.get("label"))),
            cases=tuple(filter(None, (_text(row, "case"),))),
            partition=_text(row, "partition"),
        ),
        links=tuple(f"{name} {_value(number, row, name)}" for name in groups if _value(number, row, name)),
        values={name: _value(number, row, name) for name in strata if _value(number, row, name)},
    )


def labels_of(value: Any) -> tuple[str, ...]:
    """Names of the labels a row is positive for.

    >>> labels_of("tumour| node"), labels_of({"tumour": 1, "node": 0}), labels_of(["node"]), labels_of(True)
    (('tumour', 'node'), ('tumour',), ('node',), ('label',))
    """
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split("|") if part.strip())
    if isinstance(value, Mapping):
        return tuple(str(name) for name, is_positive in value.items() if is_positive)
    if isinstance(value, Iterable):
        return tuple(str(name) for name in value)
    return ("label",) if value else ()


def _value(number: int, row: Mapping[str, Any], name: str) -> str:
    if name not in row:
        raise ConfigError(f"row {number} has no {name!r}")
    return _text(row, name)


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()
