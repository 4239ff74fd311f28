"""The index of rows that a scanner would leave: written as tables, grouped, and read back."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from isocenter.base import tables
from isocenter.base.database import Database
from isocenter.model.issue import Issue
from isocenter.model.rows import (
    AnnotationObject,
    FileRow,
    FrameRow,
    Instance,
    Series,
    Stack,
    Study,
    SubjectRow,
    ValueCount,
)
from isocenter.stages.index import geometry, stack
from isocenter.stages.index.assemble import assemble
from isocenter.stages.index.columns import Columns, Members

_TABLES = {
    "series": Series,
    "stacks": Stack,
    "studies": Study,
    "subjects": SubjectRow,
    "values": ValueCount,
    "annotations": AnnotationObject,
    "issues": Issue,
}


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found in one file."""

    row: FileRow
    instance: Instance | None = None
    annotation: AnnotationObject | None = None
    issue: Issue | None = None


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was found, and what the index made of it."""

    files: list[FileRow]
    instances: list[Instance]
    annotations: list[AnnotationObject]
    series: list[Series]
    stacks: list[Stack]
    studies: list[Study]
    subjects: list[SubjectRow]
    values: list[ValueCount]
    issues: list[Issue]
    digest: str
    bytes: dict[str, bytes]


def members_of(rows):
    """The instances of one series, column by column."""
    ordered = sorted(rows, key=lambda r: (r.sop_instance_uid or "", r.file_id))
    return Members(Columns(tables.table_of_rows(Instance, ordered)), 0, len(ordered))


@dataclass(frozen=True, kw_only=True)
class _Keyed(Instance):
    series_key: str


def table_with_keys(rows):
    """Instances as the question for series gives them."""
    return tables.table_of_rows(
        _Keyed, [_Keyed(**asdict(r), series_key=r.series_uid or r.file_id) for r in rows]
    )


def separate(rows):
    """The stacks of one series, as instances."""
    members = members_of(rows)
    by_file = {r.file_id: r for r in rows}
    return [[by_file[members.file_ids[n]] for n in p.rows] for p in stack.separate(members).parts]


def parts(rows):
    """The stacks of one series with their places on an axis."""
    return stack.separate(members_of(rows)).parts


def geometry_of(rows):
    """Geometry of a stack of instances in spatial order."""
    members = members_of(rows)
    return geometry.geometry_of(members, np.array([members.file_ids.index(r.file_id) for r in rows]))


def grouped(found, finders, layout, roots, names, *, frames=(), by_folder=()):
    """The index of some files."""
    found = list(found)
    files = [f.row for f in found]
    instances = [replace(f.instance, path=f.row.path, kind=f.row.kind) for f in found if f.instance]
    with TemporaryDirectory() as folder, Database(Path(folder) / "database") as database:
        database.put("files", tables.table_of_rows(FileRow, files))
        database.put("instances", tables.table_of_rows(Instance, instances))
        database.put("frames", tables.table_of_rows(FrameRow, frames))
        annotations = [f.annotation for f in found if f.annotation]
        database.put("annotations", tables.table_of_rows(AnnotationObject, annotations))
        database.put("noted", tables.table_of_rows(Issue, []))
        database.put("told", tables.table_of_rows(Issue, [f.issue for f in found if f.issue]))
        out = Path(folder) / "out"
        made = assemble(
            database, out, finders=finders, layout=layout, roots=roots, names=names, by_folder=by_folder
        )
        rows = {n: list(tables.read(out / f"{n}.parquet", t)) for n, t in _TABLES.items()}
        content = {n: (out / f"{n}.parquet").read_bytes() for n in _TABLES}
        assert sorted(p.name for p in out.iterdir()) == sorted(f"{n}.parquet" for n in _TABLES)
    assert {n: sum(getattr(r, "id", True) != "" for r in rows[n]) for n in made.counts} == made.counts
    return Made(files=files, instances=instances, digest=made.digest, bytes=content, **rows)
