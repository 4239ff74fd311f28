"""Split subjects from Python: rows of any origin, or the cases of a workspace or store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from isocenter.base.errors import ConfigError
from isocenter.base.workspace import Workspace
from isocenter.model.issue import Issue
from isocenter.model.split import Split, SplitRow
from isocenter.pipeline.config_schema import checked
from isocenter.pipeline.split_cases import rows_at, store_at
from isocenter.pipeline.split_links import links_of_table
from isocenter.pipeline.split_table import TableOptions, refuse_dummies, rows_of_table, told_apart
from isocenter.pipeline.split_workspace import split_workspace
from isocenter.rules.engine import Engine
from isocenter.rules.select import ScreenOptions
from isocenter.stages.split.options import NearDuplicates, SplitOptions
from isocenter.stages.split.rows import Record, subjects_of
from isocenter.stages.split.stage import split as split_stage


def split(
    rows_or_workspace: str | Path | Iterable[Mapping[str, Any] | SplitRow],
    *,
    strategy: str = "auto",
    fractions: Mapping[str, float] | None = None,
    strata: Sequence[str] = (),
    groups: Sequence[str] = (),
    links: str | Path | None = None,
    previous: Split | None = None,
    seed: int = 0,
    table: TableOptions | None = None,
    **further: Any,
) -> Split:
    """Divide subjects into train, val and test, or into folds: nobody in two of them, with a certificate.

    >>> rows = [{"subject": f"s{n}", "site": f"c{n % 3}", "labels": "tumour" if n % 2 else ""} for n in range(30)]
    >>> done = split(rows, seed=1)
    >>> done.strategy, len(done.of("train")) + len(done.of("val")) + len(done.of("test"))
    ('site-holdout', 30)
    >>> done.certificate.holds
    True

    Args:
        rows_or_workspace: Path of a workspace or store, of a CSV or TSV file, or rows with the key `subject` and, as
            there are, `site`, `labels` (names, or text with | between them, or name to truth), `case`, `group`,
            `date`, `study`, `digest` and `partition` (what the source says). Rows of one subject are merged; one
            name at two sites is two people.
        strategy: auto (site-holdout with several centres, else stratified), or a strategy by name.
        fractions: Share of the subjects in train, val and test; 0.7, 0.1 and 0.2 by default.
        strata: Keys, or attributes of the cases, to balance besides the labels.
        groups: Keys, or attributes of the cases, whose equal values keep subjects together.
        links: A table of aliases and of what else keeps subjects together.
        previous: An earlier split whose subjects keep their places.
        seed: Same seed and subjects, same split, whatever the order of the rows.
        table: What the columns of a CSV or TSV file are.
        further: Any other option of the section `split` of a config: `folds`, `min_positive`, `lock_test`, ...

    Raises:
        ConfigError: an option or a row is wrong.
        RejectedError: some rows name nobody, as ANONYMOUS.
        UnknownPlugin: there is no such strategy.
        StoreNotFound: the path is no workspace, store or table.
    """
    said = {"strategy": strategy, "strata": tuple(strata), "groups": tuple(groups), **further}
    said |= {} if fractions is None else {"fractions": dict(fractions)}
    said |= {} if links is None else {"links": str(links)}
    options: SplitOptions = checked(SplitOptions, said, "split")
    return split_rows(rows_or_workspace, options, seed=seed, previous=previous, table=table or TableOptions())


def split_rows(
    origin: str | Path | Iterable[Mapping[str, Any] | SplitRow],
    options: SplitOptions,
    *,
    seed: int,
    previous: Split | None = None,
    table: TableOptions,
) -> Split:
    """Divide what a path or rows hold, by options that were checked."""
    issues: list[Issue] = []
    share = {"min_share": options.min_external_share}
    engine = Engine(ScreenOptions(options={"split/too-few-external-subjects": share}))
    is_at_cases = isinstance(origin, str | Path) and not _is_table(Path(origin))
    if isinstance(origin, str | Path) and is_at_cases and store_at(Path(origin)) != Path(origin):
        return split_workspace(Workspace(Path(origin)), options, seed=seed, previous=previous, engine=engine)
    if options.near_duplicates is NearDuplicates.TOGETHER:
        raise ConfigError(
            "split.near_duplicates: together needs the images of a workspace; a table, rows or a bare store is not one"
        )
    if isinstance(origin, str | Path) and is_at_cases:
        rows = rows_at(Path(origin), options)
    else:
        if isinstance(origin, str | Path):
            names = dict.fromkeys((*options.strata, *options.groups))
            origin = rows_of_table(Path(origin), table, tuple(names))
        rows, issues = _rows_of(list(origin), options, previous)
    made = split_stage(rows, options, seed=seed, previous=previous, engine=engine)
    return replace(made, issues=(*issues, *made.issues))


def _is_table(path: Path) -> bool:
    return bool({".csv", ".tsv"} & set(path.suffixes[-2:])) and not path.is_dir()


def _rows_of(
    given: Sequence[Mapping[str, Any] | SplitRow], options: SplitOptions, previous: Split | None
) -> tuple[list[SplitRow], list[Issue]]:
    """Rows of any origin as one row per subject, and what was seen of their names."""
    plain = [r for r in given if isinstance(r, Mapping)]
    refuse_dummies(plain)
    known = {r.subject: r.site for r in previous.rows} if previous else {}
    apart, issues = told_apart(plain, known)
    records = [_record(n, r, options) for n, r in enumerate(apart, start=1)]
    records += [_given(r, options) for r in given if isinstance(r, SplitRow)]
    if options.links:
        names: dict[str, set[str]] = defaultdict(set)
        for row, made in zip(plain, apart, strict=True):
            names[str(row["subject"]).strip()].add(str(made["subject"]).strip())
        found = links_of_table(
            Path(options.links), (r.row.subject for r in records), lambda n: names.get(n, set())
        )
        records = [replace(r, links=(*r.links, *found.get(r.row.subject, ()))) for r in records]
    return subjects_of(records), issues


def _given(row: SplitRow, options: SplitOptions) -> Record:
    if options.strata or options.groups:
        raise ConfigError("a SplitRow has its own strata and group; strata and groups are keys of mappings")
    return Record(row=row)


def _record(number: int, row: Mapping[str, Any], options: SplitOptions) -> Record:
    subject = _text(row, "subject")
    if not subject:
        raise ConfigError(f"row {number} has no subject")
    shared = [f"{name} {_value(number, row, name)}" for name in options.groups if _value(number, row, name)]
    shared += [f"{name} {_text(row, name)}" for name in ("study", "digest") if _text(row, name)]
    return Record(
        row=SplitRow(
            subject=subject,
            site=_text(row, "site"),
            group=_text(row, "group"),
            labels=labels_of(row.get("labels", row.get("label"))),
            cases=tuple(filter(None, (_text(row, "case"),))),
            partition=_text(row, "partition"),
            first=_text(row, "date"),
            last=_text(row, "date"),
        ),
        links=tuple(shared),
        values={name: _value(number, row, name) for name in options.strata if _value(number, row, name)},
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
