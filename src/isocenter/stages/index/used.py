"""Used images: the question, in SQL, which instances make series."""

from __future__ import annotations

from functools import cache

from isocenter.formats.image import FORMATS

# A DICOM file that was refused; where its header could be read, an instance holds its identity.
REFUSED = "dicom-unreadable"
# What makes instances one series, beside centre and format: the series UID, or the file where there is none.
SERIES_KEY = "coalesce(nullif(i.series_uid, ''), i.file_id)"


@cache
def image_kinds() -> str:
    """Kinds of files that hold images, as a list of SQL."""
    kinds = {"dicom-image", *FORMATS.names()} - {"dicom"}
    return quoted(kinds)


def quoted(texts: set[str]) -> str:
    """Texts as a list of SQL."""
    return ", ".join("'" + t.replace("'", "''") + "'" for t in sorted(texts))


def used_images(columns: str, *, joined: str = "") -> str:
    """A question for columns of the instances (i) and files (f) of images that nothing keeps from being used."""
    return (
        f"SELECT {columns} FROM instances i JOIN files f ON f.file_id = i.file_id"
        " ANTI JOIN told t ON t.target = i.file_id ANTI JOIN dropped d ON d.file_id = i.file_id"
        f" {joined} WHERE f.kind IN ({image_kinds()})"
    )
