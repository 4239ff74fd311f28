"""A table of links: which subjects are one person under several names, or must stay together for another reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from isocenter.base.delimited import read_csv_rows
from isocenter.base.errors import ConfigError


def links_of_table(
    path: Path, subjects: Iterable[str], people_of: Callable[[str], Iterable[str]] | None = None
) -> dict[str, list[str]]:
    """What each subject shares with others, of the columns `alias` and any others.

    Args:
        path: CSV or TSV with the column `subject`.
        subjects: The subjects that are to be split.
        people_of: The subjects behind a name that the table may use instead of theirs.

    Raises:
        ConfigError: it has no column `subject` or nothing beside it, or none of its names is a subject's.
        FormatError: it is no such table.
    """
    if not path.is_file():
        raise ConfigError(f"links: there is no file {path.name}")
    header, rows = read_csv_rows(path)
    own = {n.lower(): n for n in reversed(header)}
    if "subject" not in own or len(header) < 2:
        raise ConfigError(
            f"links: the table needs the column subject and another one, e.g. alias; it has {', '.join(header)}"
        )
    there = set(subjects)

    def known(name: str) -> set[str]:
        return ({name, *(people_of(name) if people_of else ())}) & there

    out: dict[str, list[str]] = defaultdict(list)
    count = 0
    for number, row in enumerate(rows):
        shared = {f"{column} {row[column]}" for column in header if column != own["subject"] and row[column]}
        aliases = {row[own["alias"]]} - {""} if "alias" in own else set()
        if aliases:
            shared = {s for s in shared if s != f"{own['alias']} {row[own['alias']]}"} | {
                f"alias in row {number}"
            }
        people = {p for name in (row[own["subject"]], *aliases) for p in known(name)}
        count += len(people)
        for person in people:
            out[person] += sorted(shared)
    if there and not count:
        raise ConfigError("links: no name in the column subject is that of anybody who is to be split")
    return dict(out)
