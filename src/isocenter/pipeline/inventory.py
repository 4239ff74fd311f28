"""Inventory: the account of an index: every entry with its state, and what the headers say, counted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from isocenter.base.database import Database
from isocenter.base.workspace import Workspace
from isocenter.formats.dicom.names import RT_STRUCTURE_SET, sop_class_name, transfer_syntax_name
from isocenter.formats.kinds import meaning_of
from isocenter.model.device_terms import DeviceTerms
from isocenter.model.modality import shown
from isocenter.model.reasons import REASONS
from isocenter.pipeline.index_tables import STATES, opened

# How many values of one attribute are told; the others are counted.
MOST_VALUES = 1000

# What is no UID may be anything.
_UID = "CASE WHEN regexp_full_match({0}, '[0-9.]*') THEN {0} WHEN {0} IS NULL THEN '' ELSE 'other' END"
_TWICE = ("index/duplicate-object", "index/conflicting-object", "index/same-pixels")
# Rows of instances whose header was read, copies included.
_HEADERS = """
    SELECT file_id, modality, sop_class_uid, manufacturer, model, transfer_syntax_uid FROM instances
    WHERE format = 'dicom' AND file_id NOT IN (SELECT target FROM issues WHERE rule LIKE 'file/%')
"""
# And structure sets, of which the annotations are kept instead.
_OBJECTS = """
    SELECT modality, sop_class_uid FROM headers
    UNION ALL
    SELECT 'RTSTRUCT', '{structures}' FROM annotations
    WHERE format = 'rtstruct'
        AND file_id NOT IN (SELECT file_id FROM instances SEMI JOIN annotations USING (file_id))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """One value and how often it occurs; `name` says what it stands for, "" where it speaks for itself."""

    value: str
    count: int
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """The values of one thing: how many there are, what they add up to, and the most frequent, largest first."""

    values: int
    total: int
    largest: tuple[Tally, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTally:
    """How many entries are in one state, and how many bytes they have."""

    state: str
    meaning: str
    entries: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueTally:
    """How often one rule or reason was met, what it means and what can be done; "" where `isocenter rules` tells it."""

    rule: str
    severity: str
    count: int
    meaning: str
    what_to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """The account of an index.

    Args:
        entries: Directory entries and files inside archives; the sum of the entries of `states`.
        size_bytes: Bytes of the entries on disk.
        folders: Folders that hold an entry.
        archives: Archives whose files were listed.
        archived: Entries inside archives.
        states: The five states, each entry being in one of them.
        refused: Refused entries by reason.
        ignored: Ignored entries by kind.
        kinds: Entries by kind.
        objects: DICOM objects whose header was read, copies included; the next two divide them, and those after
            them all but structure sets, which are kept as annotations.
        modalities: By modality; "" where there is none, "other" where it is no term.
        sop_classes: By SOP Class UID, with its name.
        manufacturers: By manufacturer; "*" stands for what may name a person.
        models: By manufacturer and model, likewise.
        transfer_syntaxes: By transfer syntax UID, with its name.
        subjects: People told apart by their ID.
        dummy_subjects: Of these, IDs that name nobody ("ANONYMOUS", "0").
        series_without_subject: Series that name nobody at all.
        studies: Studies of the series.
        series: Series of images.
        stacks: Stacks of images that can be put in order.
        duplicates: Entries found twice: the same object, one UID with other content, the same pixels.
        issues: What was seen, by rule or reason and severity.
    """

    entries: int
    size_bytes: int
    folders: int
    archives: int
    archived: int
    states: tuple[StateTally, ...]
    refused: Tallies
    ignored: Tallies
    kinds: Tallies
    objects: int
    modalities: Tallies
    sop_classes: Tallies
    manufacturers: Tallies
    models: Tallies
    transfer_syntaxes: Tallies
    subjects: int
    dummy_subjects: int
    series_without_subject: int
    studies: int
    series: int
    stacks: int
    duplicates: tuple[Tally, ...]
    issues: tuple[IssueTally, ...]


def inventory(workspace: str | os.PathLike[str]) -> Inventory:
    """Count what a finished index holds; memory does not grow with the number of files.

    Args:
        workspace: The folder that the index was kept in.

    Raises:
        StaleArtefact: there is no finished index.
    """
    with opened(Workspace(Path(workspace))) as database:
        return inventory_of(database)


_ENTRIES = """
    SELECT count(*), coalesce(sum(size) FILTER (archive = ''), 0),
           count(DISTINCT (source, regexp_replace(path, '/?[^/]*$', ''))) FILTER (archive = ''),
           count(DISTINCT archive) FILTER (archive <> ''), count(*) FILTER (archive <> '')
    FROM files
"""
_PEOPLE = """
    SELECT count(DISTINCT subject) FILTER (subject <> ''), count(*) FILTER (subject = ''), count(DISTINCT study), count(*)
    FROM series
"""
_DUMMIES = """
    SELECT count(*) FROM (SELECT subject AS id FROM series WHERE is_dummy_patient_id AND subject <> ''
                          UNION SELECT id FROM subjects WHERE is_dummy AND id <> '')
"""


def inventory_of(database: Database) -> Inventory:
    """Count what the tables of an index hold."""
    database.define("headers", _HEADERS)
    database.define("objects", _OBJECTS.format(structures=RT_STRUCTURE_SET))
    entries, size_bytes, folders, archives, archived = _one(database, _ENTRIES)
    (objects,) = _one(database, "SELECT count(*) FROM objects")
    subjects, unnamed, studies, series = _one(database, _PEOPLE)
    (dummies,) = _one(database, _DUMMIES)
    (stacks,) = _one(database, "SELECT count(*) FROM stacks")
    terms = _terms(database)
    return Inventory(
        entries=entries,
        size_bytes=size_bytes,
        folders=folders,
        archives=archives,
        archived=archived,
        states=_states(database),
        refused=_tallies(database, "reason", "states WHERE state = 'refused'", _meaning_of_reason),
        ignored=_tallies(database, "kind", "states WHERE state = 'ignored'", meaning_of),
        kinds=_tallies(database, "kind", "files", meaning_of),
        objects=objects,
        modalities=_cleaned(database, "modality", "objects", shown),
        sop_classes=_tallies(database, _UID.format("sop_class_uid"), "objects", sop_class_name),
        manufacturers=_cleaned(database, "manufacturer", "headers", terms.clean),
        models=_cleaned(
            database,
            "concat_ws(' ', nullif(manufacturer, ''), nullif(model, ''))",
            "headers",
            terms.clean,
        ),
        transfer_syntaxes=_tallies(
            database, _UID.format("transfer_syntax_uid"), "headers", transfer_syntax_name
        ),
        subjects=subjects,
        dummy_subjects=dummies,
        series_without_subject=unnamed,
        studies=studies,
        series=series,
        stacks=stacks,
        duplicates=_duplicates(database),
        issues=_issues(database),
    )


def _one(database: Database, sql: str) -> tuple[int, ...]:
    return tuple(int(n) for n in next(database.rows(sql)))


def _states(database: Database) -> tuple[StateTally, ...]:
    sql = "SELECT state, count(*), sum(size) FILTER (archive = '') FROM states GROUP BY state"
    found = {state: (count, size or 0) for state, count, size in database.rows(sql)}
    return tuple(
        StateTally(
            state=state,
            meaning=meaning,
            entries=found.get(state, (0, 0))[0],
            size_bytes=int(found.get(state, (0, 0))[1]),
        )
        for state, meaning in STATES.items()
    )


def _unnamed(_value: str) -> str:
    return ""


def _tallies(database: Database, value: str, where: str, name_of: Callable[[str], str] = _unnamed) -> Tallies:
    """How often each value occurs; `value` and `where` are SQL of our own."""
    sql = (
        f"WITH counted AS (SELECT coalesce({value}, '') AS value, count(*) AS n FROM {where} GROUP BY 1) "  # noqa: S608
        "SELECT value, n, count(*) OVER (), sum(n) OVER () FROM counted ORDER BY n DESC, value LIMIT ?"
    )
    rows = list(database.rows(sql, MOST_VALUES))
    values, total = (int(rows[0][2]), int(rows[0][3])) if rows else (0, 0)
    return Tallies(
        values=values,
        total=total,
        largest=tuple(Tally(value=v, count=n, name=name_of(v)) for v, n, _, _ in rows),
    )


def _terms(database: Database) -> DeviceTerms:
    """What devices may be called, so that nobody of whom there are images is named."""
    people = "SELECT DISTINCT unnest([patient_id, patient_name, birth_date]) AS word FROM {0}"
    said = " UNION ".join(people.format(t) for t in ("instances", "annotations"))
    return DeviceTerms(word for (word,) in database.rows(said) if word)


def _cleaned(database: Database, value: str, where: str, clean: Callable[[str], str]) -> Tallies:
    """As `_tallies`, of texts that may hold anything."""
    counted: Counter[str] = Counter()
    for text, count in database.rows(f"SELECT coalesce({value}, ''), count(*) FROM {where} GROUP BY 1"):  # noqa: S608
        counted[clean(text)] += int(count)
    largest = sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]
    tallies = tuple(Tally(value=v, count=n) for v, n in largest)
    return Tallies(values=len(counted), total=counted.total(), largest=tallies)


def _duplicates(database: Database) -> tuple[Tally, ...]:
    found = dict(
        database.rows(
            "SELECT rule, count(DISTINCT target) FROM issues WHERE starts_with(rule, 'index/') GROUP BY rule"
        )
    )
    return tuple(Tally(value=r, count=found.get(r, 0), name=_meaning_of_reason(r)) for r in _TWICE)


def _issues(database: Database) -> tuple[IssueTally, ...]:
    sql = (
        "SELECT rule, coalesce(severity, ''), count(*) AS n FROM issues GROUP BY ALL "
        "ORDER BY n DESC, rule, coalesce(severity, '')"
    )
    return tuple(
        IssueTally(
            rule=rule,
            severity=severity,
            count=count,
            meaning=_meaning_of_reason(rule),
            what_to_do=REASONS[rule].what_to_do if rule in REASONS else "",
        )
        for rule, severity, count in database.rows(sql)
    )


def _meaning_of_reason(reason: str) -> str:
    return REASONS[reason].meaning if reason in REASONS else ""
