"""A bare table of people as rows to be split: CSV or TSV, a row for each subject, study or image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from isocenter.base.delimited import read_csv_rows
from isocenter.base.errors import ConfigError, RejectedError
from isocenter.base.plugins import did_you_mean
from isocenter.model.issue import Issue
from isocenter.model.reasons import because
from isocenter.pipeline.foreign_columns import cell, is_yes, roles_of
from isocenter.stages.index.subjects import is_dummy

_YES = {"1", "1.0", "true", "yes", "y", "positive"}
_NO = {"0", "0.0", "-1", "-1.0", "false", "no", "n", "negative", "nan"}
_MANY = 10  # cases of one subject who is all of a centre


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """What the columns of a table are."""

    columns: Annotated[
        dict[str, str],
        "column of a role, where its name does not tell: subject, site, case, path, labels, group, date, study,"
        " digest, partition; as {subject: Patient ID}",
    ] = field(default_factory=dict)
    labels: Annotated[
        tuple[str, ...],
        "columns of labels: 1 or 0 for the label that the column is named after, or names with | between them",
    ] = ()
    negative: Annotated[tuple[str, ...], "values of label columns that are no label, e.g. No Finding"] = (
        "No Finding",
    )


def rows_of_table(path: Path, options: TableOptions, further: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Rows as `isocenter.split` takes them.

    Args:
        path: A .csv or .tsv file, also gzipped.
        options: What its columns are.
        further: Columns to keep under their own names: strata and groups.

    Raises:
        ConfigError: a column does not exist, or somebody has no name.
        FormatError: it is no such table.
    """
    header, rows = read_csv_rows(path)
    roles = roles_of(header, options.columns)
    if "subject" not in roles:
        raise ConfigError(
            f"a table to be split needs a column of subjects; it has {', '.join(header)}. "
            "Name it: --columns '{subject: NAME}'"
        )
    for column in (*options.labels, *further):
        if column not in header:
            raise ConfigError(f"the table has no column {column!r}{did_you_mean(column, list(header))}")
    labelled = tuple(options.labels) or ((roles["labels"],) if "labels" in roles else ())
    negative = {n.lower() for n in options.negative}
    out = []
    for number, row in enumerate(rows, start=2):
        cells = {role: cell(row, column) for role, column in roles.items()}
        if not cells["subject"]:
            raise ConfigError(f"row {number} of the table has no subject")
        made: dict[str, Any] = {name: cell(row, name) for name in further}
        made |= {n: cells[n] for n in ("subject", "site", "group", "date", "study", "digest") if n in cells}
        made["case"] = cells.get("case") or cells.get("path", "")
        made["partition"] = cells.get("partition", "")
        made["labels"] = list(_labels(row, labelled, negative))
        if not is_yes(cells.get("left_out", "")):
            out.append(made)
    return out


def _labels(row: Mapping[str, str], columns: Iterable[str], negative: set[str]) -> Iterator[str]:
    for column in columns:
        value = cell(row, column)
        if value.lower() in _YES:
            yield column
        elif value.lower() not in _NO:
            for part in value.split("|"):
                if part.strip() and part.strip().lower() not in negative:
                    yield part.strip()


def refuse_dummies(rows: Iterable[Mapping[str, Any]]) -> None:
    """Nobody can be kept apart from himself where many share a name that is none.

    Raises:
        RejectedError: some rows name nobody.
    """
    found = [str(r["subject"]) for r in rows if is_dummy(str(r.get("subject", "")).strip(), is_tag=False)]
    if found:
        raise RejectedError(
            f"split: {len(found)} rows name nobody ({', '.join(sorted(set(found))[:5])}). Everybody who shares such a "
            "name looks like one person, so no split can be shown to be safe. Give everybody a name of their own, or "
            "leave these rows out."
        )


def told_apart(
    rows: Iterable[Mapping[str, Any]], known: Mapping[str, str]
) -> tuple[list[dict[str, Any]], list[Issue]]:
    """Rows in which one name at two sites is two people, "name@site", until a table of links says otherwise.

    Args:
        rows: With `subject` and, as there is, `site`.
        known: Site of each subject of an earlier split, who keeps the name it had there.
    """
    made = [dict(r) for r in rows]
    sites: dict[str, set[str]] = defaultdict(set)
    people: dict[str, set[str]] = defaultdict(set)
    cases: dict[str, set[str]] = defaultdict(set)
    for row in made:
        if site := str(row.get("site") or "").strip():
            sites[str(row.get("subject"))].add(site)
            people[site].add(str(row.get("subject")))
            cases[site].add(str(row.get("case") or ""))
    shared = {s for s, found in sites.items() if len(found) > 1}
    for row in made:
        subject, site = str(row.get("subject")), str(row.get("site") or "").strip()
        if subject in shared and site and known.get(subject) != site:
            row["subject"] = f"{subject}@{site}"
    issues = []
    if shared:
        names = ", ".join(sorted(shared)[:5]) + (" ..." if len(shared) > 5 else "")
        message = f"{len(shared)} names occur at several sites and are taken for different people: {names}."
        issues.append(because("split/one-name-at-two-sites", target="split", message=message))
    alone = [
        s for s, p in sorted(people.items()) if len(p) == 1 and len(cases[s]) >= _MANY and len(people) > 1
    ]
    if alone:
        message = f"All cases of a site are of one subject: {', '.join(alone)}."
        issues.append(because("split/one-name-for-a-site", target="split", message=message))
    return made, issues
