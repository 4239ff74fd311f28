"""Used images: the question, in SQL, which instances make series."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache

from isocenter.base import tables
from isocenter.base.database import Database
from isocenter.formats.image import FORMATS

# A DICOM file that was refused; where its header could be read, an instance holds its identity.
REFUSED = "dicom-unreadable"
# The folder of a file and whose it is, as one text that is no UID.
_FOLDER = (
    "concat(i.source, chr(30), regexp_replace(i.path, '[^/]*$', ''), chr(30), coalesce(i.patient_id, ''){})"
)
# What makes instances one series, beside centre and format: the series UID; of DICOM files without one, or of a
# source that says so (table by_folder), the folder; else the file.
SERIES_KEY = f"""
CASE WHEN i.format <> 'dicom' THEN coalesce(nullif(i.series_uid, ''), i.file_id)
    WHEN i.source IN (SELECT source FROM by_folder) THEN {_FOLDER.format("")}
    ELSE coalesce(nullif(i.series_uid, ''), {_FOLDER.format(", chr(30), coalesce(i.study_uid, '')")}) END
"""


@cache
def kinds_of_images() -> frozenset[str]:
    """Kinds of files that hold images."""
    return frozenset({"dicom-image", *FORMATS.names()} - {"dicom"})


@cache
def image_kinds() -> str:
    """Kinds of files that hold images, as a list of SQL."""
    return quoted(kinds_of_images())


def quoted(texts: AbstractSet[str]) -> str:
    """Texts as a list of SQL."""
    return ", ".join("'" + t.replace("'", "''") + "'" for t in sorted(texts))


def used_images(columns: str, *, joined: str = "") -> str:
    """A question for columns of the instances (i) of images that nothing keeps from being used."""
    return (
        f"SELECT {columns} FROM instances i ANTI JOIN told t ON t.target = i.file_id"
        f" ANTI JOIN dropped d ON d.file_id = i.file_id {joined} WHERE i.kind IN ({image_kinds()})"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _ByFolder:
    """A source all images in one folder of which are one series."""

    source: int


def group_by_folder(database: Database, sources: Sequence[int]) -> bool:
    """Name the sources in which a folder is a series; whether any folder stands for one, there or for want of a UID."""
    database.put("by_folder", tables.table_of_rows(_ByFolder, [_ByFolder(source=n) for n in sources]))
    nameless = f"""
        SELECT count(*) FROM (SELECT 1 FROM instances i WHERE i.format = 'dicom'
            AND i.kind IN ({image_kinds()}) AND coalesce(i.series_uid, '') = '' LIMIT 1)
    """
    return bool(sources) or bool(next(database.rows(nameless))[0])
