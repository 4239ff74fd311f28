"""Index tables: what a finished index says, opened as views that SQL can be asked of."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isocenter.base.database import Database
from isocenter.base.errors import StaleArtefact
from isocenter.base.workspace import Workspace
from isocenter.formats.image import FORMATS
from isocenter.model.issue import Issue
from isocenter.model.rows import (
    AnnotationObject,
    FileRow,
    FrameRow,
    Instance,
    LayoutRow,
    Series,
    Stack,
    Study,
    SubjectRow,
)

TABLES: dict[str, type] = {
    "files": FileRow,
    "instances": Instance,
    "frames": FrameRow,
    "annotations": AnnotationObject,
    "layout": LayoutRow,
    "series": Series,
    "stacks": Stack,
    "studies": Study,
    "subjects": SubjectRow,
    "issues": Issue,
}

# The one state of every entry, in the order in which they are told.
STATES = {
    "image": "read as an image",
    "annotation": "read as an annotation",
    "other": "known, and neither an image nor an annotation",
    "refused": "left out by a reason",
    "ignored": "left alone because of their kind",
}

# An entry that was refused for several reasons has the first by name: file/*, then conflicts, then copies.
_STATES = """
    WITH refusals AS (
        SELECT target AS file_id, min(rule) AS reason FROM issues
        WHERE rule LIKE 'file/%' OR rule IN ('index/duplicate-object', 'index/conflicting-object')
        GROUP BY target
    ),
    marked AS (SELECT DISTINCT file_id FROM annotations),
    opened AS (SELECT DISTINCT archive AS file_id FROM files WHERE archive <> '')
    SELECT files.*,
        CASE
            WHEN refusals.reason IS NOT NULL THEN 'refused'
            WHEN marked.file_id IS NOT NULL THEN 'annotation'
            WHEN files.kind IN ({images}) THEN 'image'
            WHEN opened.file_id IS NOT NULL OR files.kind = 'image-data' OR files.kind LIKE 'dicom-%'
                THEN 'other'
            ELSE 'ignored'
        END AS state,
        coalesce(refusals.reason, files.kind) AS reason
    FROM files
    LEFT JOIN refusals USING (file_id)
    LEFT JOIN marked USING (file_id)
    LEFT JOIN opened USING (file_id)
"""


@contextmanager
def opened(workspace: Workspace, *, threads: int | None = None) -> Iterator[Database]:
    """The tables of a finished index by name, and `states`: the files with the one state of each and its reason.

    Raises:
        StaleArtefact: there is no finished index, or its tables are damaged.
    """
    if workspace.done("index") is None:
        raise StaleArtefact(
            "this workspace holds no finished index: isocenter index PATH... --workspace FOLDER"
        )
    folder = workspace.root / "index"
    # what does not fit in memory holds identifiers: it stays in the workspace
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=".asked-") as larger,
        Database(Path(larger), threads=threads or os.cpu_count() or 1) as database,
    ):
        for name, row_type in TABLES.items():
            path = folder / f"{name}.parquet"
            database.view(name, row_type, [path] if path.exists() else [])
        images = ", ".join(f"'{kind}'" for kind in ("dicom-image", *FORMATS.names()))
        database.define("states", _STATES.format(images=images))
        yield database
