"""From scanned files to series and stacks, with what was dropped on the way."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from isocenter.base import arrow, lean, tables
from isocenter.base.database import Database
from isocenter.base.digests import digest_of, digest_of_file
from isocenter.base.pseudonyms import Pseudonyms
from isocenter.formats.dataset import DatasetRow
from isocenter.model.issue import Issue
from isocenter.model.radiograph import RADIOGRAPHS
from isocenter.model.reasons import because
from isocenter.model.rows import (
    AnnotationObject,
    LayoutRow,
    Series,
    Stack,
    Study,
    SubjectRow,
    ValueCount,
)
from isocenter.stages.index.attributes import SCAN_COLUMNS
from isocenter.stages.index.columns import COLUMNS, Members, series_in
from isocenter.stages.index.compression import compression_of
from isocenter.stages.index.duplicates import (
    drop,
    find_duplicates,
    has_pixel_digests,
    same_pixels,
    shared_pixels,
)
from isocenter.stages.index.frames import with_frames
from isocenter.stages.index.identities import Claim, Identities
from isocenter.stages.index.losses import Losses
from isocenter.stages.index.persons import Persons
from isocenter.stages.index.pieces import Pieces
from isocenter.stages.index.remarks import issues_on_stacks
from isocenter.stages.index.rows import Made, SeriesMembers, key_of, series_of, stacks_of
from isocenter.stages.index.subjects import SubjectFinder
from isocenter.stages.index.summaries import Summaries
from isocenter.stages.index.twins import pixels_of
from isocenter.stages.index.used import (
    SERIES_KEY,
    group_by_folder,
    image_kinds,
    kinds_of_images,
    used_images,
)

_AT_ONCE = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """What came of it: how many rows each table has, and a digest of all that later stages depend on."""

    counts: dict[str, int]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Described:
    """A file that a layout describes, and the modality that it names."""

    file_id: str
    modality: str


def assemble(
    database: Database,
    out: Path,
    *,
    finders: Sequence[SubjectFinder],
    layout: Mapping[str, DatasetRow],
    roots: Sequence[Path],
    names: Pseudonyms,
    instances: Iterable[tables.Table] | None = None,
    by_folder: Sequence[int] = (),
) -> Assembled:
    """Group the images into series and stacks; the result does not depend on the order of the files.

    Args:
        database: With the views files, instances, frames, annotations, told (issues on files that cannot be used) and
            noted (others).
        out: Folder that the tables of series, stacks, studies, subjects, values, annotations and issues go to.
        finders: How subjects are found, by source.
        layout: What layouts say, by file.
        roots: Folder of each source.
        names: The workspace's pseudonyms.
        instances: The rows of the view instances, series by series; without them they are sorted here. They are
            read to their end in any case.
        by_folder: Sources in which all images of a folder are one series.
    """
    described = [_Described(file_id=f, modality=r.modality) for f, r in sorted(layout.items())]
    database.put("described", tables.table_of_rows(_Described, described))
    has_folders = group_by_folder(database, by_folder)
    issues = list(find_duplicates(database, roots))
    drop(database, issues)
    identities = Identities(finders, layout, _sources_of_layouts(database))
    persons = Persons(database, identities)
    folder = out / "pieces"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    has_pixels = has_pixel_digests(database)
    grouping = _Grouping(
        identities, persons, Losses(database), layout, names, folder, roots, has_pixels=has_pixels
    )
    if instances is None or has_pixels or has_folders:
        for _ in instances or ():
            pass
        images = database.tables(_question(has_pixels=has_pixels), size=_AT_ONCE)
    else:
        images = _sorted_images(database, instances, {d.file_id: d.modality for d in described if d.modality})
    for members in series_in(with_frames(database, images)):
        grouping.add(members)
    grouping.series.write(database, out / "series.parquet")
    grouping.stacks.write(database, out / "stacks.parquet")
    shutil.rmtree(folder)
    counts = {"series": grouping.series.count, "stacks": grouping.stacks.count}
    counts |= _write_summaries(out, grouping.summaries)
    counts["annotations"] = _write_annotations(database, out, identities)
    counts["issues"] = _write_issues(database, out, [*issues, *grouping.issues, *persons.issues])
    return Assembled(counts=counts, digest=_meaning(database, out))


def _sources_of_layouts(database: Database) -> set[int]:
    question = "SELECT DISTINCT f.source FROM files f JOIN described d ON d.file_id = f.file_id"
    return {source for (source,) in database.rows(question)}


def _question(*, has_pixels: bool) -> str:
    """The instances of all series, those of one together, by UID and file; with equal pixels where compared."""
    plain = ", ".join(f"i.{c}" for c in COLUMNS if c != "modality")
    modality = "coalesce(nullif(i.modality, ''), nullif(l.modality, ''), i.modality) AS modality"
    columns = f"{plain}, {modality}, i.path, {SERIES_KEY} AS series_key"
    described = "LEFT JOIN described l ON l.file_id = i.file_id JOIN files f ON f.file_id = i.file_id"
    images = used_images(f"{columns}, f.pixel_digest", joined=described)
    order = "ORDER BY site, format, series_key, coalesce(sop_instance_uid, ''), file_id"
    if not has_pixels:
        return f"SELECT * FROM ({images}) {order}"
    return f"""
        SELECT u.*, s.lowest, s.highest FROM ({images}) AS u LEFT JOIN ({shared_pixels()}) AS s
        ON s.pixel_digest = u.pixel_digest AND s.height IS NOT DISTINCT FROM u.rows
            AND s.width IS NOT DISTINCT FROM u.columns
        {order}
    """


def _sorted_images(
    database: Database, instances: Iterable[tables.Table], modalities: Mapping[str, str]
) -> Iterator[tables.Table]:
    """The answer to `_question`, of a table whose rows stand in that order."""
    unused = f"""
        SELECT file_id FROM dropped UNION SELECT t.target FROM told t SEMI JOIN instances i
        ON i.file_id = t.target AND i.kind IN ({image_kinds()})
    """
    left_out = {file_id for (file_id,) in database.rows(unused)}
    for whole in instances:
        found = tables.selected(whole, (*COLUMNS, "path", "kind"))
        kinds = arrow.coded(found, "kind")
        is_used = np.array([v in kinds_of_images() for v in kinds.values])[kinds.codes]
        ids = arrow.values(found, "file_id") if left_out or modalities else []
        if left_out:
            is_used &= np.array([i not in left_out for i in ids])
        table = arrow.with_first(found, "series_key", "series_uid", "file_id")
        if modalities:
            own = zip(arrow.values(found, "modality"), ids, strict=True)
            table = tables.with_column(
                lean.plain(table), "modality", [m or modalities.get(i, m) for m, i in own]
            )
        if is_used.any():
            yield table if is_used.all() else tables.taken(table, np.flatnonzero(is_used))


class _Grouping:
    """Makes the rows of one series after the other."""

    def __init__(
        self,
        identities: Identities,
        persons: Persons,
        losses: Losses,
        layout: Mapping[str, DatasetRow],
        names: Pseudonyms,
        folder: Path,
        roots: Sequence[Path],
        *,
        has_pixels: bool,
    ) -> None:
        self._roots = roots
        self._has_pixels = has_pixels
        self._identities = identities
        self._persons = persons
        self._losses = losses
        self._layout = layout
        self._names = names
        self.series = Pieces(folder, Series)
        self.stacks = Pieces(folder, Stack)
        self.summaries = Summaries()
        self.issues: list[Issue] = []

    def add(self, members: Members) -> None:
        """Make the rows of one series."""
        identities = self._identities.of_series(members)
        known = SeriesMembers(
            rows=members,
            identities=identities,
            attributes=self._persons.attributes_of(members, identities),
            layout=_layout_of(members.file_ids[0], self._layout),
            compression=compression_of,
        )
        made = stacks_of(known, self._names, pixels_of(members, self._roots))
        stacks = self._with_own_attributes(made, known)
        series = series_of(known, stacks)
        self.series.add(series)
        for stack in stacks:
            self.stacks.add(stack, items=len(stack.files))
        self.summaries.add(series, stacks)
        self.issues += issues_on_stacks(members, made)
        self.issues += self._issues_on(members, stacks)

    def _with_own_attributes(self, made: Made, known: SeriesMembers) -> list[Stack]:
        """The stacks of a series; where its headers give several echo times, b-values, ..., each with its own."""
        members, identities = known.rows, list(known.identities)
        is_radiograph = members.value("modality") in RADIOGRAPHS  # each has its own view and side
        if len(made.stacks) == 1 or (not is_radiograph and all(members.is_one(n) for n in SCAN_COLUMNS)):
            return made.stacks
        n_shared, out = len(known.attributes), []
        for stack, part in zip(made.stacks, made.parts, strict=True):
            own = self._persons.attributes_of(members, identities, int(part.rows[0]))
            out.append(replace(stack, attributes=(*own, *stack.attributes[n_shared:])))
        return out

    def _issues_on(self, members: Members, stacks: Sequence[Stack]) -> Iterator[Issue]:
        key = key_of(members)
        of_series = self._losses.of_series(key)
        needs_files = self._has_pixels or self._losses.has_folders
        row_of = {f: n for n, f in enumerate(members.file_ids)} if needs_files else {}
        for stack in stacks:
            rows = [row_of[f] for f in stack.files] if needs_files else []
            if lost := of_series + self._losses.beside(stack, members, rows):
                yield because("index/lost-slices", target=stack.id, measured=f"{lost} files", expected="0")
            if self._has_pixels:
                yield from same_pixels(members, rows, stack.id, key, self._names)


def _layout_of(file_id: str, layout: Mapping[str, DatasetRow]) -> LayoutRow | None:
    given = layout.get(file_id)
    if given is None:
        return None
    return LayoutRow(
        file_id=file_id,
        role=given.role,
        channel=given.channel,
        case=given.case,
        subject=given.subject,
        partition=given.partition,
    )


def _write_summaries(out: Path, summaries: Summaries) -> dict[str, int]:
    studies, subjects = summaries.studies(), summaries.subjects()
    tables.write(out / "studies.parquet", Study, studies)
    tables.write(out / "subjects.parquet", SubjectRow, subjects)
    tables.write(out / "values.parquet", ValueCount, summaries.values())
    return {"studies": len(studies), "subjects": sum(bool(s.id) for s in subjects)}


def _write_annotations(database: Database, out: Path, identities: Identities) -> int:
    """Annotation objects with their subjects, which are found from path and header."""
    question = """
        SELECT a.* REPLACE (f.path AS subject) FROM annotations a JOIN files f ON f.file_id = a.file_id
        ORDER BY f.source, f.path
    """
    count = 0
    columns = ("source", "file_id", "subject", *Claim._fields)
    with tables.Writer(out / "annotations.parquet", AnnotationObject) as writer:
        for table in database.tables(question, size=1024):
            rows = zip(*(arrow.values(table, c) for c in columns), strict=True)
            subjects = [identities.find(s, f, path, Claim(*claim)).subject for s, f, path, *claim in rows]
            writer.write(tables.with_column(table, "subject", subjects))
            count += len(subjects)
    return count


def _write_issues(database: Database, out: Path, issues: Sequence[Issue]) -> int:
    database.put("found", tables.table_of_rows(Issue, issues))
    question = """
        SELECT * FROM (
            SELECT * FROM told UNION ALL BY NAME SELECT * FROM noted UNION ALL BY NAME SELECT * FROM found)
        ORDER BY target, rule, measured, expected, message
    """
    with tables.Writer(out / "issues.parquet", Issue) as writer:
        for table in database.tables(question, size=_AT_ONCE):
            writer.write(table)
    return tables.count(out / "issues.parquet")


def _meaning(database: Database, out: Path) -> str:
    """Digest of what later stages depend on: everything but the times of the files."""
    tables_told = ("series", "stacks", "annotations", "issues")
    # the exclusive or of hashes stands for all files in any order
    kinds = next(database.rows("SELECT bit_xor(hash(file_id, kind)), count(*) FROM files"))
    return digest_of([[digest_of_file(out / f"{n}.parquet") for n in tables_told], *kinds])
